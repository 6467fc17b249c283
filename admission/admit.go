package admission

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel/model"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/validate/content"
	metavalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/cel/common"
)

// Admit answers the object that a GET shows after `kubectl create`, or the error of the create. Unknown fields are
// refused, as kubectl asks the API server to do.
//
// The answer has none of the fields that the API server sets (uid, resourceVersion, generation, creationTimestamp,
// managedFields), even if obj has them, so obj may have been read from a cluster. If obj has only generateName, the
// name in the answer ends in xxxxx. The errors of several fields are in the order of their paths; in the API server's
// own message they have no order.
func (s *Schema) Admit(obj *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	v, err := s.version(obj.GroupVersionKind())
	if err != nil {
		return nil, err
	}
	u, err := v.decode(obj)
	if err != nil {
		return nil, err
	}
	for _, name := range stamps() {
		unstructured.RemoveNestedField(u.Object, "metadata", name)
	}
	v.scope(u)
	if u.GetName() == "" && u.GetGenerateName() != "" {
		// The API server leaves room for five random characters in a DNS label.
		u.SetName(u.GetGenerateName()[:min(len(u.GetGenerateName()), 58)] + "xxxxx")
	}
	if v.statusSubresource {
		delete(u.Object, "status")
	}

	path := field.NewPath("metadata")
	errs := metavalidation.ValidateObjectMetaAccessor(u, v.namespaced, metavalidation.NameIsDNSSubdomain, path)
	errs = append(errs, sorted(validation.ValidateCustomResource(nil, u.Object, v.values))...)
	errs = append(errs, objectmeta.Validate(nil, u.Object, v.structural, false)...)
	errs = append(errs, listtype.ValidateListSetsAndMaps(nil, v.structural, u.Object)...)
	errs = append(errs, v.checkRules(errs, u.Object, nil)...)
	if len(errs) > 0 {
		return nil, apierrors.NewInvalid(s.kind, u.GetName(), errs)
	}
	return s.readBack(u, v)
}

// AdmitUpdate answers the object that a GET shows after `kubectl replace` of old by obj, or the error of the replace.
// Transition rules compare the two, and a value that was invalid before and is unchanged is no error. old is an object
// from Admit, or one that was read from a cluster; the fields that the API server sets are taken from old.
func (s *Schema) AdmitUpdate(old, obj *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	v, o, u, err := s.update(old, obj)
	if err != nil {
		return nil, err
	}
	if v.statusSubresource {
		delete(u.Object, "status")
		if status, ok := o.Object["status"]; ok {
			u.Object["status"] = runtime.DeepCopyJSONValue(status)
		}
	}

	correlated := common.NewCorrelatedObject(u.Object, o.Object, &model.Structural{Structural: v.structural})
	path := field.NewPath("metadata")
	errs := metavalidation.ValidateObjectMetaAccessor(u, v.namespaced, pathSegment, path)
	errs = append(errs, metavalidation.ValidateObjectMetaAccessorUpdate(current(u), o, path)...)
	ratcheting := validation.WithRatcheting(correlated)
	errs = append(errs, sorted(validation.ValidateCustomResourceUpdate(nil, u.Object, o.Object, v.values, ratcheting))...)
	errs = append(errs, objectmeta.Validate(nil, u.Object, v.structural, false)...)
	if len(listtype.ValidateListSetsAndMaps(nil, v.structural, o.Object)) == 0 {
		errs = append(errs, listtype.ValidateListSetsAndMaps(nil, v.structural, u.Object)...)
	}
	errs = append(errs, v.checkRules(errs, u.Object, o.Object, cel.WithRatcheting(correlated))...)
	if len(errs) > 0 {
		return nil, apierrors.NewInvalid(s.kind, u.GetName(), errs)
	}
	return s.readBack(u, v)
}

// AdmitStatus is AdmitUpdate through the status subresource, as controllers write a status. Only the status of obj
// counts.
func (s *Schema) AdmitStatus(old, obj *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	v, o, u, err := s.update(old, obj)
	if err != nil {
		return nil, err
	}
	if !v.statusSubresource {
		return nil, fmt.Errorf("the server could not find the requested resource: %s has no status subresource", s.kind)
	}
	status, ok := u.Object["status"]
	u = o.DeepCopy()
	delete(u.Object, "status")
	if ok {
		u.Object["status"] = status
	}

	correlated := common.NewCorrelatedObject(u.Object, o.Object, &model.Structural{Structural: v.structural})
	var errs field.ErrorList
	if ok {
		ratcheting, path := validation.WithRatcheting(correlated.Key("status")), field.NewPath("status")
		errs = append(errs, sorted(validation.ValidateCustomResourceUpdate(path, status, o.Object["status"], v.statusValues, ratcheting))...)
	}
	if len(listtype.ValidateListSetsAndMaps(nil, v.structural, o.Object)) == 0 {
		errs = append(errs, listtype.ValidateListSetsAndMaps(nil, v.structural, u.Object)...)
	}
	errs = append(errs, v.checkRules(errs, u.Object, o.Object, cel.WithRatcheting(correlated))...)
	if len(errs) > 0 {
		return nil, apierrors.NewInvalid(s.kind, u.GetName(), errs)
	}
	return s.readBack(u, v)
}

// update decodes both sides of an update.
func (s *Schema) update(old, obj *unstructured.Unstructured) (v *version, o, u *unstructured.Unstructured, err error) {
	if v, err = s.version(obj.GroupVersionKind()); err != nil {
		return nil, nil, nil, err
	}
	if u, err = v.decode(obj); err != nil {
		return nil, nil, nil, err
	}
	if o, err = wire(old); err != nil {
		return nil, nil, nil, err
	}
	v.scope(o)
	if o, err = s.readBack(o, v); err != nil {
		return nil, nil, nil, err
	}
	v.scope(u)
	for _, name := range stamps() {
		unstructured.RemoveNestedField(u.Object, "metadata", name)
		if stamp, ok, _ := unstructured.NestedFieldCopy(o.Object, "metadata", name); ok {
			if err := unstructured.SetNestedField(u.Object, stamp, "metadata", name); err != nil {
				return nil, nil, nil, err
			}
		}
	}
	return v, o, u, nil
}

// stamps are the fields of metadata that only the API server sets.
func stamps() []string {
	return []string{"uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds",
		"selfLink", "managedFields"}
}

// wire is a copy of the object as the API server reads it from JSON, which tells integers from floats. Numbers in
// objects made by hand are often neither int64 nor float64.
func wire(obj *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	body, err := json.Marshal(obj.Object)
	if err != nil {
		return nil, fmt.Errorf("encoding the %s: %w", obj.GetKind(), err)
	}
	u := &unstructured.Unstructured{}
	if err := utiljson.Unmarshal(body, &u.Object); err != nil {
		return nil, fmt.Errorf("decoding the %s: %w", obj.GetKind(), err)
	}
	return u, nil
}

// decode is the object as the API server reads it from a strict request: pruned, and with its defaults.
func (v *version) decode(obj *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	u, err := wire(obj)
	if err != nil {
		return nil, err
	}
	unknown, err := v.coerce(u, objectmeta.ObjectMetaOptions{ReturnUnknownFieldPaths: true})
	if len(unknown) > 0 {
		var strict []error
		for _, path := range unknown {
			strict = append(strict, fmt.Errorf(`unknown field "%s"`, path))
		}
		err = runtime.NewStrictDecodingError(strict)
	}
	if err != nil {
		refusal := apierrors.NewBadRequest(fmt.Sprintf("%s in version %q cannot be handled as a %s: %v",
			v.kind.Kind, v.kind.Version, v.kind.Kind, err))
		refusal.ErrStatus.Details = &metav1.StatusDetails{Causes: unknownFields(unknown)}
		return nil, refusal
	}
	defaulting.Default(u.Object, v.structural)
	return u, nil
}

// UnknownField is the type of a cause that is a field which the kind does not have.
const UnknownField metav1.CauseType = "UnknownField"

// unknownFields are the causes of a refusal because of unknown fields. The API server has them in its message only.
func unknownFields(paths []string) []metav1.StatusCause {
	var causes []metav1.StatusCause
	for _, path := range paths {
		causes = append(causes, metav1.StatusCause{Type: UnknownField, Field: path, Message: "unknown field"})
	}
	return causes
}

// readBack is the object after it was stored, and read in version v. Defaults are filled in once more, because a status
// that was dropped on create comes back with its default.
func (s *Schema) readBack(u *unstructured.Unstructured, v *version) (*unstructured.Unstructured, error) {
	stored, err := s.stored()
	if err != nil {
		return nil, err
	}
	if s.byWebhook && (v != stored || u.GroupVersionKind() != stored.kind) {
		return nil, fmt.Errorf("converting the %s between versions: only its webhook can", v.kind.Kind)
	}
	u.SetGroupVersionKind(stored.kind)
	if _, err := stored.coerce(u, objectmeta.ObjectMetaOptions{DropMalformedFields: true}); err != nil {
		return nil, err
	}
	defaulting.Default(u.Object, stored.structural)
	if v != stored {
		u.SetGroupVersionKind(v.kind)
		if _, err := v.coerce(u, objectmeta.ObjectMetaOptions{}); err != nil {
			return nil, err
		}
	}
	return u, nil
}

// coerce drops unknown fields, and nulls that are neither allowed nor have a default, and brings metadata into its
// form. It returns the paths of the unknown fields if options ask for them.
func (v *version) coerce(u *unstructured.Unstructured, options objectmeta.ObjectMetaOptions) ([]string, error) {
	apiVersion, kind := u.GetAPIVersion(), u.GetKind()
	objectMeta, found, unknown, err := objectmeta.GetObjectMetaWithOptions(u.Object, options)
	if err != nil {
		return nil, err
	}
	unknown = append(unknown, pruning.PruneWithOptions(u.Object, v.structural, true, schema.UnknownFieldPathOptions{
		TrackUnknownFieldPaths: options.ReturnUnknownFieldPaths,
	})...)
	defaulting.PruneNonNullableNullsWithoutDefaults(u.Object, v.structural)
	// The first result is a field error about embedded objects, nil where nothing is wrong.
	fieldErr, embedded := objectmeta.CoerceWithOptions(nil, u.Object, v.structural, false, objectmeta.CoerceOptions{
		DropInvalidFields:       options.DropMalformedFields,
		ReturnUnknownFieldPaths: options.ReturnUnknownFieldPaths,
	})
	if fieldErr != nil {
		return nil, fieldErr
	}

	// A schema need not mention these three.
	u.SetAPIVersion(apiVersion)
	u.SetKind(kind)
	if found {
		if err := objectmeta.SetObjectMeta(u.Object, objectMeta); err != nil {
			return nil, err
		}
	}
	return append(unknown, embedded...), nil
}

// scope sets the namespace that kubectl's request would have: the object's own, else default, and none for a kind
// without namespaces.
func (v *version) scope(u *unstructured.Unstructured) {
	switch {
	case !v.namespaced:
		u.SetNamespace("")
	case u.GetNamespace() == "":
		u.SetNamespace(metav1.NamespaceDefault)
	}
}

// checkRules evaluates the CEL rules. After an error that makes this useless, its only error says so.
func (v *version) checkRules(before field.ErrorList, obj, old any, options ...cel.Option) field.ErrorList {
	if v.rules == nil {
		return nil
	}
	for _, err := range before {
		switch err.Type {
		case field.ErrorTypeNotSupported, field.ErrorTypeRequired, field.ErrorTypeTooLong, field.ErrorTypeTooMany, field.ErrorTypeTypeInvalid:
			return field.ErrorList{field.Invalid(nil, nil, "some validation rules were not checked because the object was invalid; "+
				"correct the existing errors to complete validation")}
		}
	}
	errs, _ := v.rules.Validate(context.Background(), nil, v.structural, obj, old, celconfig.RuntimeCELCostBudget, options...)
	return sorted(errs)
}

// sorted puts errors in the order of their paths, and those without a path last. The libraries walk maps, so their
// order differs each time.
func sorted(errs field.ErrorList) field.ErrorList {
	none := (*field.Path)(nil).String()
	slices.SortStableFunc(errs, func(a, b *field.Error) int {
		switch {
		case a.Field == b.Field:
			return 0
		case a.Field == none:
			return 1
		case b.Field == none:
			return -1
		}
		return strings.Compare(a.Field, b.Field)
	})
	return errs
}

// current is the object with a resourceVersion. The API server accepts no update without one, and kubectl fills it in.
func current(u *unstructured.Unstructured) *unstructured.Unstructured {
	if u.GetResourceVersion() == "" {
		u = u.DeepCopy()
		u.SetResourceVersion("1")
	}
	return u
}

// pathSegment validates the name of an existing object: it only has to fit into a URL.
func pathSegment(name string, prefix bool) []string {
	if prefix {
		return content.IsPathSegmentPrefix(name)
	}
	return content.IsPathSegmentName(name)
}

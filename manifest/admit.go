package manifest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kyaml "sigs.k8s.io/yaml"

	"novasphere.dev/wukong/admission"
	"novasphere.dev/wukong/deploy"
	"novasphere.dev/wukong/types/v1alpha1"
)

// Reader knows the kinds of Wukong as this version's CustomResourceDefinitions describe them.
type Reader struct {
	kinds map[string]*kind
}

type kind struct {
	admission *admission.Schema
	fields    apiextensionsv1.JSONSchemaProps
}

// NewReader reads the definitions.
func NewReader() (*Reader, error) {
	r := &Reader{kinds: map[string]*kind{}}
	for _, definition := range deploy.Definitions() {
		var crd apiextensionsv1.CustomResourceDefinition
		if err := kyaml.Unmarshal(definition, &crd); err != nil {
			return nil, err
		}
		schema, err := admission.New(definition)
		if err != nil {
			return nil, err
		}
		r.kinds[crd.Spec.Names.Kind] = &kind{schema, *crd.Spec.Versions[0].Schema.OpenAPIV3Schema}
	}
	return r, nil
}

// Knows reports whether the object is of one of the kinds, be it with a mistake in its apiVersion or kind.
func (r *Reader) Knows(s Source) bool {
	u := unstructured.Unstructured{Object: s.Object}
	apiVersion, name := u.GetAPIVersion(), u.GetKind()
	foreign := strings.Contains(apiVersion, "/") && !strings.HasPrefix(apiVersion, v1alpha1.Group+"/")
	return r.kinds[name] != nil && !foreign || strings.HasPrefix(apiVersion, v1alpha1.Group+"/")
}

// Admit is the object as the API server would store it. An error is what the API server would refuse, in other words: it has a Problem
// for each field that is wrong.
func (r *Reader) Admit(s Source) (*unstructured.Unstructured, error) {
	u := &unstructured.Unstructured{Object: s.Object}
	k := r.kinds[u.GetKind()]
	switch {
	case k == nil:
		return nil, s.Says("kind", r.kindMessage(u))
	case u.GetAPIVersion() != v1alpha1.APIVersion:
		return nil, s.Says("apiVersion", fmt.Sprintf("is %q, and %s is of %q", u.GetAPIVersion(), u.GetKind(), v1alpha1.APIVersion))
	case s.Object["metadata"] != nil && !isObject(s.Object["metadata"]):
		return nil, s.Says("metadata", "is "+shown(s.Object["metadata"])+", and must be an object with a name, for example {name: web}")
	case u.GetName() == "" && u.GetGenerateName() == "":
		return nil, s.Says("metadata.name", "is missing: give the object a name, for example web-1")
	}
	if err := s.texts("metadata.labels", "metadata.annotations"); err != nil {
		return nil, err
	}
	admitted, err := k.admission.Admit(u)
	return admitted, s.explained(err, k)
}

// AdmitUpdate is the object as the API server would store it in place of an old one.
func (r *Reader) AdmitUpdate(old *unstructured.Unstructured, s Source) (*unstructured.Unstructured, error) {
	k := r.kinds[old.GetKind()]
	admitted, err := k.admission.AdmitUpdate(old, &unstructured.Unstructured{Object: s.Object})
	return admitted, s.explained(err, k)
}

// texts is the error that a value in one of some objects is no text, as the values of labels are.
func (s Source) texts(paths ...string) error {
	var errs []error
	for _, path := range paths {
		values, _ := value(s.Object, path).(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(values)) {
			if _, ok := values[name].(string); !ok {
				errs = append(errs, s.Says(path+"."+name, fmt.Sprintf("is %s, and must be a text, in quotes: %s: \"%v\"", shown(values[name]), name, values[name])))
			}
		}
	}
	return errors.Join(errs...)
}

func isObject(v any) bool {
	_, ok := v.(map[string]any)
	return ok
}

// kindMessage is what is wrong with the kind of an object.
func (r *Reader) kindMessage(u *unstructured.Unstructured) string {
	if u.GetKind() == "" && u.GetAPIVersion() == "" {
		return fmt.Sprintf("apiVersion and kind are missing: begin with apiVersion: %s and kind: %s", v1alpha1.APIVersion, v1alpha1.Kind)
	}
	known := slices.Sorted(maps.Keys(r.kinds))
	return fmt.Sprintf("is %q of %q, and only %s of %q can be read here%s", u.GetKind(), u.GetAPIVersion(),
		strings.Join(known, " and "), v1alpha1.APIVersion, DidYouMean(u.GetKind(), known))
}

// explained is a refusal of the API server, as problems; nil where there is none.
func (s Source) explained(err error, k *kind) error {
	if err == nil {
		return nil
	}
	var status *apierrors.StatusError
	if !errors.As(err, &status) || status.ErrStatus.Details == nil || len(status.ErrStatus.Details.Causes) == 0 {
		return s.Says("", err.Error())
	}
	var problems []error
	said := map[string]bool{}
	for _, cause := range decisive(status.ErrStatus.Details.Causes) {
		p := s.Says(cause.Field, s.words(cause, k))
		if !said[p.Error()] {
			said[p.Error()] = true
			problems = append(problems, p)
		}
	}
	return errors.Join(problems...)
}

// decisive are the causes without those that only follow from others: that rules were not checked, whatever else is said of a
// field whose type is wrong, and the pattern where a rule says the same in words.
func decisive(causes []metav1.StatusCause) []metav1.StatusCause {
	mistyped, explained := map[string]bool{}, map[string]bool{}
	for _, c := range causes {
		if isTypeError(c.Message) {
			mistyped[c.Field] = true
		}
		explained[c.Field] = explained[c.Field] || !pattern.MatchString(c.Message)
	}
	kept := slices.DeleteFunc(slices.Clone(causes), func(c metav1.StatusCause) bool {
		return c.Field == "<nil>" || mistyped[c.Field] && !isTypeError(c.Message) || explained[c.Field] && pattern.MatchString(c.Message)
	})
	if len(kept) == 0 {
		return causes
	}
	return kept
}

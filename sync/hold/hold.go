// Package hold makes the answer that leaves an observed child as it is. To hold a child is to give that answer.
//
// The observed object itself would be a wrong answer: Metacontroller notes each answer in an annotation of the object,
// so an answer with that annotation would differ from the last one at every sync, and the object would be written for
// ever. The right answer repeats what the hook answered last. That is found
//
//  1. in the annotation of dynamic apply, but only if the annotation is about this very object: a tenant may edit the
//     annotation, and Metacontroller writes what it is answered with its own, far-reaching rights;
//  2. else in the managed fields of server-side apply, which leaves no annotation;
//  3. else in the observed object, without what others put there. This writes the object once.
//
// Only labels, annotations and the spec are taken, without those that the API server or a webhook would write
// differently: a difference in a policy would be written for ever.
package hold

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kubevirtv1 "kubevirt.io/api/core/v1"
	kjson "sigs.k8s.io/json"

	"novasphere.dev/wukong/sync/facts"
)

// Child holds any child. Policies and machines need more: see Policy and Machine.
func Child(o *facts.Object) *unstructured.Unstructured {
	source := lastAnswer(o)
	return held(o, source, source.Object["spec"])
}

// Policy holds a policy. If somebody edited a policy that is in progress, the observed spec is answered: NMState's
// admission would refuse to have the edit undone before the policy has settled.
func Policy(p *facts.Policy) *unstructured.Unstructured {
	source := lastAnswer(&p.Object)
	spec := source.Object["spec"]
	if p.Busy() {
		if present := observed(&p.Object).Object["spec"]; !contains(present, spec) {
			spec = present
		}
	}
	return held(&p.Object, source, spec)
}

// held is the answer for an object: the given spec, and the labels and annotations of source, the last answer.
func held(o *facts.Object, source *unstructured.Unstructured, spec any) *unstructured.Unstructured {
	answer := identity(o)
	labels := source.GetLabels()
	delete(labels, facts.LabelControllerUID)
	if len(labels) > 0 {
		answer.SetLabels(labels)
	}
	annotations := source.GetAnnotations()
	maps.DeleteFunc(annotations, func(key, _ string) bool { return volatile(key) })
	if len(annotations) > 0 {
		answer.SetAnnotations(annotations)
	}
	if fields, ok := spec.(map[string]any); ok {
		// The hook never answers a null. This one comes from an edited annotation, and the API server would drop it.
		maps.DeleteFunc(fields, func(_ string, v any) bool { return v == nil })
		answer.Object["spec"] = fields
	}
	return answer
}

// Machine holds a machine, with what KubeVirt has rewritten since it was answered: see Keep.
func Machine(m *facts.Machine) *unstructured.Unstructured {
	answer := Child(&m.Object)
	if fields, ok := answer.Object["spec"].(map[string]any); ok {
		dropUnplugged(fields, m)
		Keep(fields, m)
	}
	DropResources(answer)
	return answer
}

// DropResources leaves out the resources of a machine where they are empty. KubeVirt's types encode them even then, and nobody wants them.
func DropResources(machine *unstructured.Unstructured) {
	path := []string{"spec", "template", "spec", "domain", "resources"}
	if resources, found, _ := unstructured.NestedMap(machine.Object, path...); found && len(resources) == 0 {
		unstructured.RemoveNestedField(machine.Object, path...)
	}
}

// keepTemplates replaces each DataVolume template in a spec by the template of the same name that the machine has.
// KubeVirt's webhook rewrites the templates, and Metacontroller replaces the list as a whole, so the hook's own form
// would be written at every sync. Nothing is lost: the fields behind a template cannot change, and KubeVirt ignores a
// changed template.
func keepTemplates(spec map[string]any, existing *facts.Machine) {
	templates, ok := spec["dataVolumeTemplates"].([]any)
	if !ok || len(existing.Templates) == 0 {
		return
	}
	kept, _, _ := unstructured.NestedSlice(observed(&existing.Object).Object, "spec", "dataVolumeTemplates")
	for _, item := range kept {
		for i := range templates {
			if have, want := templateName(item), templateName(templates[i]); have != nil && reflect.DeepEqual(have, want) {
				templates[i] = item
			}
		}
	}
}

func templateName(template any) any {
	fields, _ := template.(map[string]any)
	metadata, _ := fields["metadata"].(map[string]any)
	return metadata["name"]
}

// Annotate sets an annotation of an answer, or removes it where the value is empty.
func Annotate(answer *unstructured.Unstructured, key, value string) {
	annotations := answer.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	if annotations[key] = value; value == "" {
		delete(annotations, key)
	}
	if len(annotations) == 0 {
		unstructured.RemoveNestedField(answer.Object, "metadata", "annotations")
		return
	}
	answer.SetAnnotations(annotations)
}

// contains reports whether merging part into whole would change nothing. Lists whose items all have names are merged by
// name, as Metacontroller does.
func contains(whole, part any) bool {
	switch part := part.(type) {
	case map[string]any:
		whole, ok := whole.(map[string]any)
		for key, v := range part {
			if _, exists := whole[key]; !exists || !contains(whole[key], v) {
				return false
			}
		}
		return ok
	case []any:
		whole, ok := whole.([]any)
		if !ok || !allNamed(whole) || !allNamed(part) {
			return reflect.DeepEqual(any(whole), any(part))
		}
		return !slices.ContainsFunc(part, func(item any) bool { return !hasItem(whole, item) })
	}
	return reflect.DeepEqual(whole, part)
}

func hasItem(whole []any, item any) bool {
	return slices.ContainsFunc(whole, func(have any) bool { return itemName(have) == itemName(item) && contains(have, item) })
}

// allNamed reports whether every item of a list has a name.
func allNamed(list []any) bool {
	return !slices.ContainsFunc(list, func(item any) bool { return itemName(item) == "" })
}

// name is the name of a list item; empty where it has none.
func itemName(item any) string {
	fields, _ := item.(map[string]any)
	text, _ := fields["name"].(string)
	return text
}

// volatile reports whether somebody else keeps rewriting an annotation. An answer that repeated it would be written
// again and again.
func volatile(annotation string) bool {
	return annotation == facts.AnnotationLastApplied ||
		annotation == "kubectl.kubernetes.io/last-applied-configuration" ||
		annotation == "nmstate.io/webhook-mutating-timestamp" ||
		annotation == kubevirtv1.ControllerAPILatestVersionObservedAnnotation ||
		annotation == kubevirtv1.ControllerAPIStorageVersionObservedAnnotation ||
		strings.HasPrefix(annotation, "kubemacpool.io/")
}

// identity is an answer with nothing but the fields that say which object it is.
func identity(o *facts.Object) *unstructured.Unstructured {
	metadata := map[string]any{"name": o.Name}
	if o.Namespace != "" {
		metadata["namespace"] = o.Namespace
	}
	return &unstructured.Unstructured{Object: map[string]any{"apiVersion": o.APIVersion, "kind": o.Kind, "metadata": metadata}}
}

// observed is the whole observed object, with integers as integers. See Unreadable.
func observed(o *facts.Object) *unstructured.Unstructured {
	whole := &unstructured.Unstructured{}
	if err := kjson.UnmarshalCaseSensitivePreserveInts(o.Raw, &whole.Object); err != nil {
		panic(Unreadable{fmt.Errorf("%s %s: %w", o.Kind, o.Key, err)})
	}
	return whole
}

// Observed is the whole observed object. See Unreadable.
func Observed(o *facts.Object) map[string]any {
	return observed(o).Object
}

// LastAnswer is what the hook answered last for a child; the observed child itself where that cannot be found. See Unreadable.
func LastAnswer(o *facts.Object) map[string]any {
	return lastAnswer(o).Object
}

// Unreadable is what this package panics with where a child cannot be held, because its text cannot be decoded whole: it has a
// number that no float64 is as large as. An answer without the child would delete it, and one with a part of it would change it, so
// there must be no answer.
type Unreadable struct{ error }

// Recover, deferred, makes an error of the panic with an Unreadable.
func Recover(err *error) {
	switch p := recover().(type) {
	case nil:
	case Unreadable:
		*err = p.error
	default:
		panic(p)
	}
}

// Package hold answers an observed child so that it stays as it is.
//
// The observed object itself would not do: Metacontroller notes what it is answered in an annotation of the object, so an
// echo of the object contains its own former echo, and is written for ever. What was answered last is the answer that changes
// nothing. It is found
//
//  1. in the annotation of dynamic apply, but only if the annotation speaks of this very object: the annotation is the
//     tenant's to edit, and Metacontroller writes what it is answered with its own, far-reaching rights;
//  2. else in the managed fields of server-side apply, which leaves no annotation;
//  3. else in the object without what others put there. This writes the object once.
//
// Of each only labels, annotations and the spec are taken, without what the API server or a webhook would write differently: on
// a policy that would be written for ever.
package hold

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kjson "sigs.k8s.io/json"

	"novasphere.dev/wukong/sync/facts"
)

// Child holds any child. Policies and machines have more to it: see Policy and Machine.
func Child(o *facts.Object) *unstructured.Unstructured {
	source := lastAnswer(o)
	return held(o, source, source.Object["spec"])
}

// Policy holds a policy. One in progress that was edited by hand is answered as it stands: what was answered last is no
// longer what it says, and NMState would refuse to have it put right before it has settled.
func Policy(p *facts.Policy) *unstructured.Unstructured {
	source := lastAnswer(&p.Object)
	spec := source.Object["spec"]
	if p.Busy() {
		if stands := observed(&p.Object).Object["spec"]; !contains(stands, spec) {
			spec = stands
		}
	}
	return held(&p.Object, source, spec)
}

// held is an object with a spec, and with the labels and annotations of what was answered last.
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
		// No answer of ours has a null: it comes from an annotation that somebody edited, and the API server drops it.
		maps.DeleteFunc(fields, func(_ string, v any) bool { return v == nil })
		answer.Object["spec"] = fields
	}
	return answer
}

// Machine holds a machine, with the disk templates that KubeVirt has rewritten since it was answered.
func Machine(m *facts.Machine) *unstructured.Unstructured {
	answer := Child(&m.Object)
	if fields, ok := answer.Object["spec"].(map[string]any); ok {
		KeepTemplates(fields, m)
	}
	return answer
}

// KeepTemplates answers each DataVolume template that a machine has as the machine has it. Metacontroller replaces this list as
// a whole, and KubeVirt's webhook rewrites its items: our own form would be written at every sync. The fields behind a template
// cannot change, and KubeVirt does not act on a changed one.
func KeepTemplates(spec map[string]any, existing *facts.Machine) {
	templates, ok := spec["dataVolumeTemplates"].([]any)
	if !ok || existing == nil || len(existing.Templates) == 0 {
		return
	}
	kept, _, _ := unstructured.NestedSlice(observed(&existing.Object).Object, "spec", "dataVolumeTemplates")
	for _, have := range kept {
		for i := range templates {
			if name := templateName(have); name != nil && reflect.DeepEqual(templateName(templates[i]), name) {
				templates[i] = have
			}
		}
	}
}

func templateName(template any) any {
	fields, _ := template.(map[string]any)
	metadata, _ := fields["metadata"].(map[string]any)
	return metadata["name"]
}

// Annotate sets an annotation of an answer, or takes it away where the value is empty.
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

// contains reports whether merging part into a value would change nothing. Lists are merged by name where every item has one, as
// Metacontroller does.
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
		if !ok || !named(whole) || !named(part) {
			return reflect.DeepEqual(any(whole), any(part))
		}
		return !slices.ContainsFunc(part, func(item any) bool { return !hasItem(whole, item) })
	}
	return reflect.DeepEqual(whole, part)
}

func hasItem(whole []any, item any) bool {
	return slices.ContainsFunc(whole, func(have any) bool { return name(have) == name(item) && contains(have, item) })
}

func named(list []any) bool {
	return !slices.ContainsFunc(list, func(item any) bool { return name(item) == "" })
}

// name is the name of a list's item, or "".
func name(item any) string {
	fields, _ := item.(map[string]any)
	text, _ := fields["name"].(string)
	return text
}

// volatile reports whether an annotation is rewritten by its owner: repeating it would fight with them.
func volatile(annotation string) bool {
	return annotation == facts.AnnotationLastApplied ||
		annotation == "kubectl.kubernetes.io/last-applied-configuration" ||
		annotation == "nmstate.io/webhook-mutating-timestamp" ||
		strings.HasPrefix(annotation, "kubevirt.io/") ||
		strings.HasPrefix(annotation, "kubemacpool.io/")
}

// identity is the beginning of an answer: which object it is.
func identity(o *facts.Object) *unstructured.Unstructured {
	metadata := map[string]any{"name": o.Name}
	if o.Namespace != "" {
		metadata["namespace"] = o.Namespace
	}
	return &unstructured.Unstructured{Object: map[string]any{"apiVersion": o.APIVersion, "kind": o.Kind, "metadata": metadata}}
}

// observed is the whole object, with integers as integers. Its text was read before, so it can be read again.
func observed(o *facts.Object) *unstructured.Unstructured {
	whole := &unstructured.Unstructured{}
	if err := kjson.UnmarshalCaseSensitivePreserveInts(o.Raw, &whole.Object); err != nil || whole.Object == nil {
		whole.Object = map[string]any{}
	}
	return whole
}

package sync

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

// hold answers an observed child so that it stays as it is.
//
// The observed object itself would not do: Metacontroller notes what it is answered in an annotation of the object, so
// an echo of the object contains its own former echo, and is written for ever. What was answered last is the answer that
// changes nothing. It is found
//
//  1. in the annotation of dynamic apply, but only if it speaks of this very object: the annotation is the tenant's to
//     edit, and Metacontroller writes what it is answered with its own, far-reaching rights;
//  2. else in the managed fields of server-side apply, which leaves no annotation;
//  3. else in the object without what others put there. This writes the object once.
//
// Of each only labels, annotations and the spec are taken, without what the API server or a webhook would write
// differently: on a policy that would be written for ever.
func hold(existing *unstructured.Unstructured) *unstructured.Unstructured {
	source := lastApplied(existing)
	if source == nil {
		source = serverSideApplied(existing)
	}
	if source == nil {
		source = existing
	}
	held := identity(existing)
	labels := source.GetLabels()
	delete(labels, labelControllerUID)
	if len(labels) > 0 {
		held.SetLabels(labels)
	}
	annotations := source.GetAnnotations()
	maps.DeleteFunc(annotations, func(key, _ string) bool { return volatile(key) })
	if len(annotations) > 0 {
		held.SetAnnotations(annotations)
	}
	spec := value(source, "spec")
	if edited(existing, spec) {
		spec = value(existing, "spec")
	}
	if fields, ok := spec.(map[string]any); ok {
		fields = runtime.DeepCopyJSON(fields)
		// No answer of ours has a null: it comes from an annotation that somebody edited, and the API server drops it.
		maps.DeleteFunc(fields, func(_ string, v any) bool { return v == nil })
		keepTemplates(fields, existing) // KubeVirt has rewritten them since
		held.Object["spec"] = fields
	}
	return held
}

// edited says that a policy in progress was edited by hand, so that what was answered last is no longer what it says.
// NMState would refuse to have it put right before it has settled.
func edited(existing *unstructured.Unstructured, spec any) bool {
	return existing.GetKind() == "NodeNetworkConfigurationPolicy" && busy(existing) && !contains(value(existing, "spec"), spec)
}

// contains says that merging part into a value would change nothing. Lists are merged by name where every item has one,
// as Metacontroller does.
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
		for _, item := range part {
			if !slices.ContainsFunc(whole, func(have any) bool {
				return text(have, "name") == text(item, "name") && contains(have, item)
			}) {
				return false
			}
		}
		return true
	}
	return reflect.DeepEqual(whole, part)
}

func named(list []any) bool {
	return !slices.ContainsFunc(list, func(item any) bool { return text(item, "name") == "" })
}

// volatile annotations are rewritten by their owners: repeating one would fight with them.
func volatile(annotation string) bool {
	return annotation == lastAppliedAnnotation ||
		annotation == "kubectl.kubernetes.io/last-applied-configuration" ||
		annotation == "nmstate.io/webhook-mutating-timestamp" ||
		strings.HasPrefix(annotation, "kubevirt.io/") ||
		strings.HasPrefix(annotation, "kubemacpool.io/")
}

func identity(existing *unstructured.Unstructured) *unstructured.Unstructured {
	metadata := map[string]any{"name": existing.GetName()}
	if existing.GetNamespace() != "" {
		metadata["namespace"] = existing.GetNamespace()
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": existing.GetAPIVersion(), "kind": existing.GetKind(), "metadata": metadata,
	}}
}

// holdAll answers everything that exists.
func holdAll(obs *observed) []*unstructured.Unstructured {
	return slices.Concat(held(obs.policies), held(obs.nads), held(obs.vms))
}

// held are the children of one kind as hold answers them, in the order of their names.
func held(children map[string]*unstructured.Unstructured) []*unstructured.Unstructured {
	var all []*unstructured.Unstructured
	for _, key := range slices.Sorted(maps.Keys(children)) {
		all = append(all, hold(children[key]))
	}
	return all
}

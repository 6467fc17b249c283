package sync

import (
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/json"
)

// lastAppliedAnnotation is where Metacontroller's dynamic apply keeps what the hook answered last.
const lastAppliedAnnotation = "metacontroller.k8s.io/last-applied-configuration"

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
func hold(existing *unstructured.Unstructured) *unstructured.Unstructured {
	held := lastApplied(existing)
	if held == nil {
		held = serverSideApplied(existing)
	}
	if held == nil {
		held = trimmed(existing)
	}
	unstructured.RemoveNestedField(held.Object, "metadata", "labels", labelControllerUID)
	unstructured.RemoveNestedField(held.Object, "metadata", "ownerReferences")
	return held
}

// lastApplied is the object that dynamic apply noted, or nil where it is missing or speaks of something else.
func lastApplied(existing *unstructured.Unstructured) *unstructured.Unstructured {
	noted := existing.GetAnnotations()[lastAppliedAnnotation]
	if noted == "" {
		return nil
	}
	held := &unstructured.Unstructured{}
	if err := json.Unmarshal([]byte(noted), &held.Object); err != nil || held.Object == nil {
		return nil
	}
	if !sameIdentity(held, existing) {
		return nil
	}
	if _, ok := held.Object["spec"].(map[string]any); !ok {
		return nil
	}
	return held
}

func sameIdentity(a, b *unstructured.Unstructured) bool {
	return a.GetAPIVersion() == b.GetAPIVersion() && a.GetKind() == b.GetKind() &&
		a.GetName() == b.GetName() && a.GetNamespace() == b.GetNamespace()
}

// serverSideApplied is the part of the object that Metacontroller owns by server-side apply, or nil. Its manager's name
// is a flag of Metacontroller; what tells it is that it owns the label controller-uid.
func serverSideApplied(existing *unstructured.Unstructured) *unstructured.Unstructured {
	for _, entry := range items(existing, "metadata", "managedFields") {
		fields, ok := value(entry, "fieldsV1").(map[string]any)
		if !ok || text(entry, "operation") != "Apply" || value(fields, "f:metadata", "f:labels", "f:"+labelControllerUID) == nil {
			continue
		}
		held := identity(existing)
		for _, field := range []string{"labels", "annotations"} {
			if part, ok := owned(value(fields, "f:metadata", "f:"+field), value(existing, "metadata", field)).(map[string]any); ok && len(part) > 0 {
				held.Object["metadata"].(map[string]any)[field] = part
			}
		}
		if spec, ok := owned(value(fields, "f:spec"), existing.Object["spec"]).(map[string]any); ok {
			held.Object["spec"] = spec
			return held
		}
	}
	return nil
}

// owned is the part of a value that a fieldsV1 set names: of a map the named keys, of anything else the whole.
func owned(fields, v any) any {
	set, ok := fields.(map[string]any)
	if !ok {
		return nil
	}
	object, isMap := v.(map[string]any)
	if !isMap {
		return v
	}
	part := map[string]any{}
	for _, field := range slices.Sorted(maps.Keys(set)) {
		key, named := strings.CutPrefix(field, "f:")
		if child, exists := object[key]; named && exists {
			part[key] = owned(set[field], child)
		}
	}
	if len(set) == 0 {
		return v // the map is owned as a whole
	}
	return part
}

// trimmed is the object without status, system metadata, and what other controllers noted on it.
func trimmed(existing *unstructured.Unstructured) *unstructured.Unstructured {
	held := identity(existing)
	metadata := held.Object["metadata"].(map[string]any)
	if l := existing.GetLabels(); len(l) > 0 {
		held.SetLabels(l)
	}
	annotations := existing.GetAnnotations()
	maps.DeleteFunc(annotations, func(key, _ string) bool { return volatile(key) })
	if len(annotations) > 0 {
		held.SetAnnotations(annotations)
	}
	for key, v := range existing.DeepCopy().Object {
		if key != "metadata" && key != "status" {
			held.Object[key] = v
		}
	}
	held.Object["metadata"] = metadata
	return held
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

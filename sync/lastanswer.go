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

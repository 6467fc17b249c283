package hold

import (
	"maps"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kjson "sigs.k8s.io/json"

	"novasphere.dev/wukong/sync/facts"
)

// lastAnswer is what was answered last for a child, or the child itself where that cannot be found.
func lastAnswer(o *facts.Object) *unstructured.Unstructured {
	if noted := lastApplied(o); noted != nil {
		return noted
	}
	whole := observed(o)
	if applied := serverSideApplied(o, whole); applied != nil {
		return applied
	}
	return whole
}

// lastApplied is the object that dynamic apply noted, or nil where it is missing or speaks of something else. A note with a
// name twice in one object can be read in two ways, and counts as missing.
func lastApplied(o *facts.Object) *unstructured.Unstructured {
	if o.LastApplied == "" || !jsontext.Value(o.LastApplied).IsValid() {
		return nil
	}
	noted := &unstructured.Unstructured{}
	err := kjson.UnmarshalCaseSensitivePreserveInts([]byte(o.LastApplied), &noted.Object)
	if err != nil || noted.Object == nil || !speaksOf(noted, o) {
		return nil
	}
	if _, ok := noted.Object["spec"].(map[string]any); !ok {
		return nil
	}
	return noted
}

// speaksOf reports whether an object is the observed one, by its identity.
func speaksOf(noted *unstructured.Unstructured, o *facts.Object) bool {
	return noted.GetAPIVersion() == o.APIVersion && noted.GetKind() == o.Kind && noted.GetName() == o.Name && noted.GetNamespace() == o.Namespace
}

// serverSideApplied is the part of the object that Metacontroller owns by server-side apply, or nil. Its manager's name is a
// flag of Metacontroller; what tells it is that it owns the label controller-uid.
func serverSideApplied(o *facts.Object, whole *unstructured.Unstructured) *unstructured.Unstructured {
	entries, _, _ := unstructured.NestedFieldNoCopy(whole.Object, "metadata", "managedFields")
	list, _ := entries.([]any)
	for _, item := range list {
		entry, _ := item.(map[string]any)
		fields, ok := entry["fieldsV1"].(map[string]any)
		if !ok || entry["operation"] != "Apply" || below(fields, "f:metadata", "f:labels", "f:"+facts.LabelControllerUID) == nil {
			continue
		}
		answer := identity(o)
		metadata := answer.Object["metadata"].(map[string]any)
		for _, field := range []string{"labels", "annotations"} {
			part, ok := owned(below(fields, "f:metadata", "f:"+field), below(whole.Object, "metadata", field)).(map[string]any)
			if ok && len(part) > 0 {
				metadata[field] = part
			}
		}
		if spec, ok := owned(fields["f:spec"], whole.Object["spec"]).(map[string]any); ok {
			answer.Object["spec"] = spec
			return answer
		}
	}
	return nil
}

// below is what is at a path of maps, or nil.
func below(v any, path ...string) any {
	for _, key := range path {
		fields, _ := v.(map[string]any)
		v = fields[key]
	}
	return v
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

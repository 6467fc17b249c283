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

// lastAnswer is what the hook answered last for a child; the observed child itself where that cannot be found.
func lastAnswer(o *facts.Object) *unstructured.Unstructured {
	if answer := noted(o); answer != nil {
		return answer
	}
	return observed(o)
}

// noted is what the hook answered last for a child; nil where that cannot be found.
func noted(o *facts.Object) *unstructured.Unstructured {
	if applied := lastApplied(o); applied != nil {
		return applied
	}
	return serverSideApplied(o, observed(o))
}

// AnsweredLabel is the value that the last answer gave a label; empty where it had none.
func AnsweredLabel(o *facts.Object, label string) string {
	return lastAnswer(o).GetLabels()[label]
}

// AnsweredMTU is the number that the last answer noted on a policy in facts.AnnotationMTU; 0 where there is none. Where the last answer
// cannot be found, what the annotation says by now is anybody's.
func AnsweredMTU(p *facts.Policy) int64 {
	answer := noted(&p.Object)
	if answer == nil {
		return 0
	}
	return facts.ReadMTU(answer.GetAnnotations()[facts.AnnotationMTU])
}

// Answered reports whether the last answer had a field of a machine. Others may have set it since.
func Answered(m *facts.Machine, path ...string) bool {
	return below(lastAnswer(&m.Object).Object, path...) != nil
}

// lastApplied is the answer in the annotation of dynamic apply; nil where there is none, or where it is about another
// object. JSON with a name twice in one object could be read in two ways, and counts as none.
// The table in docs/decisions.md has its rows.
func lastApplied(o *facts.Object) *unstructured.Unstructured {
	if o.LastApplied == "" || !jsontext.Value(o.LastApplied).IsValid() {
		return nil
	}
	noted := &unstructured.Unstructured{}
	err := kjson.UnmarshalCaseSensitivePreserveInts([]byte(o.LastApplied), &noted.Object)
	if err != nil || noted.Object == nil || !isAbout(noted, o) {
		return nil
	}
	if _, ok := noted.Object["spec"].(map[string]any); !ok {
		return nil
	}
	return noted
}

// isAbout reports whether a noted object and the observed one are the same object.
func isAbout(noted *unstructured.Unstructured, o *facts.Object) bool {
	return noted.GetAPIVersion() == o.APIVersion && noted.GetKind() == o.Kind &&
		noted.GetName() == o.Name && noted.GetNamespace() == o.Namespace
}

// serverSideApplied is the part of the object that Metacontroller owns by server-side apply; nil where there is none. A
// flag of Metacontroller sets its manager's name, so the name tells nothing: Metacontroller is the manager that owns
// the label controller-uid.
// The table in docs/decisions.md has its rows.
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

// below is the value at a path of maps; nil where there is none.
func below(v any, path ...string) any {
	for _, key := range path {
		fields, _ := v.(map[string]any)
		v = fields[key]
	}
	return v
}

// owned is the part of a value that a fieldsV1 set names: the named keys of a map, and anything else whole.
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
		key, isField := strings.CutPrefix(field, "f:")
		if child, exists := object[key]; isField && exists {
			part[key] = owned(set[field], child)
		}
	}
	if len(set) == 0 {
		return v // the map is owned as a whole
	}
	return part
}

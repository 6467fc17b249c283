package install

import (
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Title names an object in what is printed.
func Title(o *unstructured.Unstructured) string {
	if o.GetNamespace() != "" {
		return o.GetKind() + " " + o.GetNamespace() + "/" + o.GetName()
	}
	return o.GetKind() + " " + o.GetName()
}

// Marks are what becomes of objects, by their titles: + is created, ~ changed, = as it should be. live is what exists, merged what the API
// server would make of it.
func Marks(live, merged []*unstructured.Unstructured) map[string]string {
	before := map[string]*unstructured.Unstructured{}
	for _, o := range live {
		before[Title(o)] = o
	}
	marks := map[string]string{}
	for _, o := range merged {
		switch was := before[Title(o)]; {
		case was == nil:
			marks[Title(o)] = "+"
		case equality.Semantic.DeepEqual(said(was), said(o)):
			marks[Title(o)] = "="
		default:
			marks[Title(o)] = "~"
		}
	}
	return marks
}

// said is an object without what the API server keeps for itself.
func said(o *unstructured.Unstructured) map[string]any {
	copied := o.DeepCopy()
	for _, field := range []string{"managedFields", "resourceVersion", "generation", "uid", "creationTimestamp"} {
		unstructured.RemoveNestedField(copied.Object, "metadata", field)
	}
	unstructured.RemoveNestedField(copied.Object, "metadata", "annotations", "kubectl.kubernetes.io/last-applied-configuration")
	if len(copied.GetAnnotations()) == 0 {
		copied.SetAnnotations(nil)
	}
	delete(copied.Object, "status")
	return copied.Object
}

var (
	conflicting = regexp.MustCompile(`conflicts? with "([^"]+)"`)
	fieldPath   = regexp.MustCompile(`(?m)(?:^- |: )(\.(?:metadata|spec|data|rules|roleRef|subjects|webhooks)\b.*)$`)
)

// imageField is the field that docs/operations.md has set by kubectl set image. Whoever has set it has done an upgrade.
const imageField = `.spec.template.spec.containers[name="wukong"].image`

// Conflict reads what kubectl says of an object that it does not apply because others have set its fields otherwise. is is false where it
// says something else, and ours where nothing is in the way but the image.
func Conflict(said string) (others, fields []string, ours, is bool) {
	for _, m := range conflicting.FindAllStringSubmatch(said, -1) {
		others = append(others, m[1])
	}
	for _, m := range fieldPath.FindAllStringSubmatch(said, -1) {
		fields = append(fields, strings.TrimSpace(m[1]))
	}
	slices.Sort(others)
	others = slices.Compact(others)
	return others, fields, len(fields) == 1 && fields[0] == imageField, len(others) > 0
}

// Conflicting is the finding about an object that others have changed.
func Conflicting(title string, others, fields []string) Finding {
	return Finding{Wrong, title, strings.Join(others, ", ") + " has set " + some(fields) + " otherwise: put it back, or overwrite it with -force-conflicts"}
}

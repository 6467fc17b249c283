package plan

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDifferences(t *testing.T) {
	list := func(items ...any) []any { return items }
	object := func(pairs ...any) map[string]any {
		o := map[string]any{}
		for i := 0; i < len(pairs); i += 2 {
			o[pairs[i].(string)] = pairs[i+1]
		}
		return o
	}
	for _, test := range []struct {
		name     string
		from, to any
		want     []string
	}{
		{"nothing", object("a", 1.0), object("a", 1.0), nil},
		{"a value", object("a", 1.0, "b", "x"), object("a", 2.0, "b", "x"), []string{"spec.a: 1 -> 2"}},
		{"a field more and one less", object("a", 1.0), object("b", true), []string{"spec.a: 1 is removed", "spec.b: true is added"}},
		{"an item by its name", object("l", list(object("name", "x", "v", 1.0), object("name", "y"))), object("l", list(object("name", "y"), object("name", "x", "v", 2.0))),
			[]string{"spec.l[x].v: 1 -> 2"}},
		{"items without names", object("l", list(1.0, 2.0)), object("l", list(1.0, 3.0, 4.0)), []string{"spec.l[1]: 2 -> 3", "spec.l[2]: 4 is added"}},
		{"the order of items", object("l", list(object("name", "x"), object("name", "y"))), object("l", list(object("name", "y"), object("name", "x"))),
			[]string{`spec.l: [{"name":"x"},{"name":"y"}] -> [{"name":"y"},{"name":"x"}]`}},
		{"another type", object("a", object("b", 1.0)), object("a", "b"), []string{`spec.a: {"b":1} -> "b"`}},
		{"a label", object("l", object("a.b/c", "1")), object("l", object("a.b/c", "2")), []string{`spec.l["a.b/c"]: "1" -> "2"`}},
		{"a password", object("password", "secret"), object("password", "other"), []string{`spec.password: "(6 bytes)" -> "(5 bytes)"`}},
		{"user data", object("userData", "#cloud-config"), object("userData", nil), []string{`spec.userData: "(13 bytes)" is removed`}},
		{"a user", object(), object("cloudInitUser", object("password", "secret")), []string{`spec.cloudInitUser: "(a user)" is added`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			for _, d := range differences("spec", test.from, test.to) {
				got = append(got, d.String())
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// kubectl apply takes away what the file had before, and leaves what others have set.
func TestPatched(t *testing.T) {
	existing := map[string]any{"cpu": 1.0, "memory": "2Gi", "highAvailability": map[string]any{"antiAffinity": true, "restartPolicy": "Always"}}
	before := map[string]any{"cpu": 1.0, "highAvailability": map[string]any{"restartPolicy": "Always"}}
	now := map[string]any{"osImage": "a", "highAvailability": map[string]any{"antiAffinity": false}}
	want := map[string]any{"memory": "2Gi", "osImage": "a", "highAvailability": map[string]any{"antiAffinity": false}}
	if diff := cmp.Diff(want, patched(existing, before, now)); diff != "" {
		t.Error(diff)
	}
}

package apply_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"novasphere.dev/wukong/sync/model/apply"
)

// TestApply applies what is desired first and then to a new object, lets somebody else write into it, and applies what is
// desired next.
func TestApply(t *testing.T) {
	for _, tt := range []struct {
		name                string
		first, others, next string // specs
		dynamic, serverSide string // the spec then
	}{
		{"what is no longer desired goes", `{a: x, b: x}`, `{}`, `{a: x}`, `{a: x}`, `{a: x}`},
		{"what others have added stays", `{a: x}`, `{c: {d: x}}`, `{a: z}`, `{a: z, c: {d: x}}`, `{a: z, c: {d: x}}`},
		{"what others have changed is changed back", `{a: x}`, `{a: z}`, `{a: x}`, `{a: x}`, `{a: x}`},
		{"a list merges by name, or is replaced", `{l: [{name: a, v: x}]}`, `{l: [{name: a, v: x}, {name: b}]}`, `{l: [{name: a, v: z}]}`,
			`{l: [{name: a, v: z}, {name: b}]}`, `{l: [{name: a, v: z}]}`},
		{"what is no longer in a list goes", `{l: [{name: a}, {name: b}]}`, `{}`, `{l: [{name: b}]}`,
			`{l: [{name: b}]}`, `{l: [{name: b}]}`},
		{"a list without a key is replaced", `{l: [a, b]}`, `{}`, `{l: [c]}`, `{l: [c]}`, `{l: [c]}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, way := range []struct {
				call func(existing, desired map[string]any) map[string]any
				want string
			}{{apply.Dynamic, tt.dynamic}, {apply.ServerSide, tt.serverSide}} {
				call := way.call
				existing := call(map[string]any{"metadata": map[string]any{"uid": "1"}, "status": "s"}, object(t, tt.first))
				for key, v := range object(t, tt.others)["spec"].(map[string]any) {
					existing["spec"].(map[string]any)[key] = v
				}
				got := call(existing, object(t, tt.next))
				if diff := cmp.Diff(object(t, way.want)["spec"], got["spec"]); diff != "" {
					t.Errorf("the spec (-want +got):\n%s", diff)
				}
				if got["metadata"].(map[string]any)["uid"] != "1" || got["status"] != "s" {
					t.Errorf("what is the API server's has changed: %v", got)
				}
				if diff := cmp.Diff(got["spec"], call(got, object(t, tt.next))["spec"]); diff != "" {
					t.Errorf("applied again it changes (-was +is):\n%s", diff)
				}
			}
		})
	}
}

func object(t *testing.T, spec string) map[string]any {
	t.Helper()
	var v map[string]any
	if err := yaml.Unmarshal([]byte(spec), &v); err != nil {
		t.Fatal(err)
	}
	return map[string]any{"metadata": map[string]any{}, "spec": v}
}

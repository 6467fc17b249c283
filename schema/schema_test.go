package schema

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// TestTheFileIsTheSchema holds the file that editors load against the definitions.
func TestTheFileIsTheSchema(t *testing.T) {
	want, err := Of("")
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../docs/schema/wukong.json")
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("docs/schema/wukong.json is not the schema: run go generate ./types/... (%v)", err)
	}
}

// TestEveryObjectIsStrict holds that every object says which fields it may have, but for the one that the definition leaves to KubeVirt,
// and that every field has its description.
func TestEveryObjectIsStrict(t *testing.T) {
	names, err := Names()
	if err != nil || len(names) != 2 {
		t.Fatalf("%v %v", names, err)
	}
	for _, name := range names {
		text, err := Of(strings.ToUpper(name))
		if err != nil {
			t.Fatal(err)
		}
		var root map[string]any
		if err := json.Unmarshal(text, &root); err != nil {
			t.Fatal(err)
		}
		var open []string
		walked := 0
		var walk func(path string, schema map[string]any)
		walk = func(path string, schema map[string]any) {
			walked++
			properties, _ := schema["properties"].(map[string]any)
			if _, closed := schema["additionalProperties"]; schema["type"] == "object" && !closed {
				open = append(open, path)
			}
			for field, property := range properties {
				if property := property.(map[string]any); property["description"] == nil && !strings.HasPrefix(path, ".metadata") && !strings.HasPrefix(path, ".status") {
					t.Errorf("%s: %s.%s has no description", name, path, field)
				} else {
					walk(path+"."+field, property)
				}
			}
			if items, is := schema["items"].(map[string]any); is {
				walk(path+"[]", items)
			}
		}
		walk("", root)
		want := map[string]string{"wukong": ".metadata.ownerReferences[] .spec.virtualMachine.spec", "wukongnetwork": ".metadata.ownerReferences[]"}[name]
		if got := strings.Join(open, " "); len(open) != len(strings.Fields(want)) || !strings.Contains(want, open[0]) || walked < 30 {
			t.Errorf("%s: of %d schemas %q are open, want %q", name, walked, got, want)
		}
	}
	if _, err := Of("vm"); err == nil {
		t.Error("there is a schema of vm")
	}
}

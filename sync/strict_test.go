package sync_test

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	jsonv2 "github.com/go-json-experiment/json"

	"novasphere.dev/wukong/sync"
)

// marked is a request with a mark at the beginning of each object: a place where something may be wrong.
const marked = `{@, "controller": {@, "metadata": {@}, "spec": {@, "childResources": [{@, "apiVersion": "nmstate.io/v1"}]}},
"parent": {@, "apiVersion": "vm.novasphere.dev/v1alpha1", "kind": "Wukong", "metadata": {@, "name": "vm", "managedFields": [{@, "fieldsV1": {@, "f:spec": {@}}}]},
	"spec": {@, "networks": [{@, "name": "lan", "ipConfig": {@}}]}, "status": {@, "networks": [{@, "name": "lan"}]}},
"children": {@,
	"NodeNetworkConfigurationPolicy.nmstate.io/v1": {@, "p": {@, "kind": "P", "metadata": {@, "labels": {@}, "annotations": {@},
		"managedFields": [{@, "fieldsV1": {@, "f:metadata": {@, "f:labels": {@, "f:controller-uid": {@}}}}}]},
		"spec": {@, "capture": {@}, "desiredState": {@, "interfaces": [{@, "bridge": {@, "port": [{@}]}}]}}, "status": {@, "conditions": [{@}]}}},
	"VirtualMachine.kubevirt.io/v1": {"a/m": {@, "kind": "M", "metadata": [{@}], "spec": {@, "template": {@, "spec": [{@}]}}}},
	"Unknown.example/v1": {@, "o": {@, "spec": {@}}}},
"related": {@,
	"Node.v1": {@, "n": {@, "kind": "N", "metadata": {@, "ownerReferences": [{@}]}, "spec": {@, "taints": [{@}]}, "status": {@, "images": [{@, "names": ["x", {@}]}]}}},
	"NodeNetworkState.nmstate.io/v1beta1": {"n": {@, "status": {@, "currentState": {@, "interfaces": [{@, "ipv4": {@, "address": [{@}]}, "lldp": {@}}], "routes": {@, "running": [{@}]}}}}},
	"Wukong.vm.novasphere.dev/v1alpha1": {"w": {@, "kind": "W", "spec": {@, "disks": [{@}], "cloudInitUser": {@}}}},
	"Unknown.example/v1": [{@, "a": [[{@}]]}]},
"finalizing": false, "unknown": {@, "a": [{@}]}}`

// TestWhatCanBeReadInTwoWaysIsRefused puts into each object of a request, also into those that nothing looks at, what two readers
// could take for two different things.
func TestWhatCanBeReadInTwoWaysIsRefused(t *testing.T) {
	parts := strings.Split(marked, "@")
	if len(parts) < 36 {
		t.Fatalf("there are only %d places", len(parts)-1)
	}
	const harmless = `"zz": null`
	request := func(place int, text string) []byte {
		before := strings.Join(parts[:place+1], harmless)
		return []byte(before + text + strings.Join(parts[place+1:], harmless))
	}
	for _, flaw := range []struct{ name, text string }{
		{"a name twice", `"zz": null, "zz": null`},
		{"a name twice, once with escapes", `"zz": null, "\u007a\u007A": null`},
		{"a name that is not UTF-8", "\"z\xff\": null"},
		{"a name with half a surrogate pair", `"z\ud83d": null`},
		{"a value that is not UTF-8", "\"zz\": \"\xc3\x28\""},
		{"a value that encodes a surrogate", "\"zz\": \"\xed\xa0\xbd\""},
		{"a value with half a surrogate pair", `"zz": "\ud83d"`},
		{"a value with the halves in the wrong order", `"zz": ["\ude00\ud83d"]`},
	} {
		t.Run(flaw.name, func(t *testing.T) {
			for place := range len(parts) - 1 {
				if err := jsonv2.Unmarshal(request(place, harmless), new(sync.Request)); err != nil {
					t.Fatalf("the request without it is refused: %v", err)
				}
				if err := jsonv2.Unmarshal(request(place, flaw.text), new(sync.Request)); err == nil {
					t.Errorf("behind %s it is read", tail(parts[place]))
				}
			}
		})
	}
}

// TestWhatStandsTwiceUnderOneKey holds the same of the objects themselves, and of their kinds.
func TestWhatStandsTwiceUnderOneKey(t *testing.T) {
	const object = `"n": {"kind": "Node", "metadata": {"name": "n"}}`
	for _, test := range []struct{ name, related string }{
		{"an object", fmt.Sprintf(`{"Node.v1": {%s, %s}}`, object, object)},
		{"an object and a null", fmt.Sprintf(`{"Node.v1": {"n": null, %s}}`, object)},
		{"a kind", fmt.Sprintf(`{"Node.v1": {%s}, "Node.v1": {}}`, object)},
		{"a kind that is not known", `{"Unknown.v1": {}, "Unknown.v1": {}}`},
		{"the related objects", fmt.Sprintf(`{"Node.v1": {%s}}, "related": null`, object)},
	} {
		t.Run(test.name, func(t *testing.T) {
			if err := jsonv2.Unmarshal([]byte(`{"related": `+test.related+`}`), new(sync.Request)); err == nil {
				t.Error("it is read")
			}
		})
	}
}

func tail(text string) string {
	return text[max(0, len(text)-60):]
}

// TestAChildThatCannotBeHeldHasNoAnswer holds that a child whose text decodes only in part, because of a number beyond all floats, is
// neither answered in part nor left out.
func TestAChildThatCannotBeHeldHasNoAnswer(t *testing.T) {
	raw := read(t, filepath.Join("..", "testdata", "sync", "half-written-children-are-held"), "request.json")
	edited := bytes.ReplaceAll(raw, []byte(`"metadata": {`), []byte(`"x": 1e999, "metadata": {`))
	for _, hook := range []string{"sync", "finalize"} {
		if _, err := ask(t, hook, edited).answer(goldenNow); err == nil {
			t.Errorf("%s: a child with a number beyond all floats is answered", hook)
		}
	}
}

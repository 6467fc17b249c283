package admission_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"novasphere.dev/wukong/admission"
)

const wukongs = "../deploy/base/vm.novasphere.dev_wukongs.yaml"

// kind is a kind that users write, and where its definition and its rows are.
type kind struct {
	kind       string
	name       string // of an object without metadata
	definition string
	creations  string
	changes    string
}

// kinds are the kinds that users write.
func kinds() []kind {
	return []kind{
		{"Wukong", "vm", wukongs, "creations.yaml", "changes.yaml"},
		{"WukongNetwork", "lan", "../deploy/base/vm.novasphere.dev_wukongnetworks.yaml", "network-creations.yaml", "network-changes.yaml"},
	}
}

// rule is one thing that may be wrong with an object: as it is right, as it is wrong, and what the user is told.
type rule struct {
	Says     string          `json:"says"`
	Accepted json.RawMessage `json:"accepted"`
	Refused  json.RawMessage `json:"refused"`
	Want     string          `json:"want"`
}

// change is one thing that may be wrong with an update of an object.
type change struct {
	Old  json.RawMessage `json:"old"`
	rule `json:",inline"`
}

// rows are the rows of a file. They are files, because module e2e sends the same ones to a real API server.
func rows[Row any](t *testing.T, file string) []Row {
	t.Helper()
	file = filepath.Join("..", "testdata", "admission", file)
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var rows []Row
	if err := yaml.UnmarshalStrict(content, &rows); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	if len(rows) == 0 {
		t.Fatalf("%s has no rows", file)
	}
	return rows
}

func TestAnObjectByItself(t *testing.T) {
	for _, kind := range kinds() {
		schema := read(t, kind.definition)
		for _, rule := range rows[rule](t, kind.creations) {
			t.Run(kind.kind+": "+rule.Says, func(t *testing.T) {
				if _, err := schema.Admit(kind.object(t, rule.Accepted)); err != nil {
					t.Errorf("%s\nis refused: %v", rule.Accepted, err)
				}
				_, err := schema.Admit(kind.object(t, rule.Refused))
				if got := kind.refusal(err); got != rule.Want {
					t.Errorf("%s\nsays: %s\nwant: %s", rule.Refused, got, rule.Want)
				}
			})
		}
	}
}

func TestAnObjectThatChanges(t *testing.T) {
	for _, kind := range kinds() {
		schema := read(t, kind.definition)
		for _, change := range rows[change](t, kind.changes) {
			t.Run(kind.kind+": "+change.Says, func(t *testing.T) {
				old, err := schema.Admit(kind.object(t, change.Old))
				if err != nil {
					t.Fatalf("%s\nis refused: %v", change.Old, err)
				}
				if _, err := schema.AdmitUpdate(old, kind.object(t, change.Accepted)); err != nil {
					t.Errorf("%s\nafter %s\nis refused: %v", change.Accepted, change.Old, err)
				}
				_, err = schema.AdmitUpdate(old, kind.object(t, change.Refused))
				if got := kind.refusal(err); got != change.Want {
					t.Errorf("%s\nafter %s\nsays: %s\nwant: %s", change.Refused, change.Old, got, change.Want)
				}
			})
		}
	}
}

// The API server stops to evaluate rules when they cost too much. Those of the largest WukongNetwork do not.
func TestTheLargestNetworkIsJudged(t *testing.T) {
	labels := func(last int) map[string]any {
		all := map[string]any{}
		for i := range 15 {
			all[fmt.Sprintf("%s/%s%02d", strings.Repeat("a", 253), strings.Repeat("b", 61), i)] = strings.Repeat("c", 63)
		}
		all["z"] = fmt.Sprintf("%s%d", strings.Repeat("c", 62), last)
		return all
	}
	var uplinks []any
	for i := range 8 {
		name := fmt.Sprintf("%s%d", strings.Repeat("u", 39), i)
		uplinks = append(uplinks, map[string]any{"name": name, "nodeSelector": labels(i), "physicalInterface": "fifteen-byte-if"})
	}
	network := kinds()[1].object(t, []byte(`{metadata: {name: fifteen-byte-nw}, spec: {bridgeName: fifteen-byte-br, vlanId: 4094}}`))
	network.Object["spec"].(map[string]any)["uplinks"] = uplinks
	selector := labels(0)
	delete(selector, "z")
	network.Object["spec"].(map[string]any)["nodeSelector"] = selector
	if _, err := read(t, kinds()[1].definition).Admit(network); err != nil {
		t.Errorf("it is refused: %v", err)
	}
}

// Each rule of a definition has a row that it refuses. To see which rule speaks, each is given its own place in
// the schema as its message; that leaves no doubt where messages are alike or computed.
func TestEveryRuleHasARow(t *testing.T) {
	for _, kind := range kinds() {
		t.Run(kind.kind, func(t *testing.T) {
			schema, unheard := relabelled(t, kind.definition)
			hear := func(err error) {
				for place := range unheard {
					if strings.Contains(kind.refusal(err), place) {
						delete(unheard, place)
					}
				}
			}
			for _, rule := range rows[rule](t, kind.creations) {
				_, err := schema.Admit(kind.object(t, rule.Refused))
				hear(err)
			}
			for _, change := range rows[change](t, kind.changes) {
				old, err := schema.Admit(kind.object(t, change.Old))
				if err != nil {
					t.Fatal(err)
				}
				_, err = schema.AdmitUpdate(old, kind.object(t, change.Refused))
				hear(err)
			}
			for place, message := range unheard {
				t.Errorf("no row is refused by the rule at %s, %q: add one", place, message)
			}
		})
	}
}

// relabelled is the schema of a definition whose rules have their places as their messages, and the messages that they had.
func relabelled(t *testing.T, file string) (*admission.Schema, map[string]string) {
	t.Helper()
	definition, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var crd map[string]any
	if err := yaml.Unmarshal(definition, &crd); err != nil {
		t.Fatal(err)
	}
	messages := map[string]string{}
	relabel(crd, "", messages)
	if len(messages) == 0 {
		t.Fatalf("%s has no rules", file)
	}
	definition, err = yaml.Marshal(crd)
	if err != nil {
		t.Fatal(err)
	}
	schema, err := admission.New(definition)
	if err != nil {
		t.Fatal(err)
	}
	return schema, messages
}

// relabel gives each rule under node its place as its message, and collects the messages that were there.
func relabel(node any, path string, messages map[string]string) {
	switch node := node.(type) {
	case map[string]any:
		rules, _ := node["x-kubernetes-validations"].([]any)
		for i, rule := range rules {
			rule := rule.(map[string]any)
			place := fmt.Sprintf("<%s#%d>", path, i)
			messages[place], _ = rule["message"].(string)
			rule["message"] = place
			delete(rule, "messageExpression")
		}
		for key, child := range node {
			relabel(child, path+"."+key, messages)
		}
	case []any:
		for i, child := range node {
			relabel(child, fmt.Sprintf("%s[%d]", path, i), messages)
		}
	}
}

// refusal is an error without what all of them begin with.
func (k kind) refusal(err error) string {
	if err == nil {
		return ""
	}
	return strings.TrimPrefix(err.Error(), fmt.Sprintf("%s.vm.novasphere.dev %q is invalid: ", k.kind, k.name))
}

// object is the object of the kind that a body of YAML describes.
func (k kind) object(t *testing.T, body []byte) *unstructured.Unstructured {
	t.Helper()
	u := object(t, string(body))
	u.SetAPIVersion("vm.novasphere.dev/v1alpha1")
	u.SetKind(k.kind)
	if u.GetName() == "" {
		u.SetName(k.name)
	}
	return u
}

// wukong is the Wukong that a body of YAML describes.
func wukong(t *testing.T, body string) *unstructured.Unstructured {
	t.Helper()
	return kinds()[0].object(t, []byte(body))
}

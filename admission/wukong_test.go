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

// rule is one thing that may be wrong with a Wukong: as it is right, as it is wrong, and what the user is told. Without
// metadata the Wukong's name is vm.
type rule struct {
	Says     string          `json:"says"`
	Accepted json.RawMessage `json:"accepted"`
	Refused  json.RawMessage `json:"refused"`
	Want     string          `json:"want"`
}

// change is one thing that may be wrong with an update of a Wukong.
type change struct {
	Old  json.RawMessage `json:"old"`
	rule `json:",inline"`
}

// The rows are files, because module e2e sends the same ones to a real API server.
func creations(t *testing.T) []rule { return rows[rule](t, "creations.yaml") }
func changes(t *testing.T) []change { return rows[change](t, "changes.yaml") }

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

func TestAWukongByItself(t *testing.T) {
	schema := read(t, wukongs)
	for _, rule := range creations(t) {
		t.Run(rule.Says, func(t *testing.T) {
			if _, err := schema.Admit(wukong(t, string(rule.Accepted))); err != nil {
				t.Errorf("%s\nis refused: %v", rule.Accepted, err)
			}
			_, err := schema.Admit(wukong(t, string(rule.Refused)))
			if got := refusal(err); got != rule.Want {
				t.Errorf("%s\nsays: %s\nwant: %s", rule.Refused, got, rule.Want)
			}
		})
	}
}

func TestAWukongThatChanges(t *testing.T) {
	schema := read(t, wukongs)
	for _, change := range changes(t) {
		t.Run(change.Says, func(t *testing.T) {
			old, err := schema.Admit(wukong(t, string(change.Old)))
			if err != nil {
				t.Fatalf("%s\nis refused: %v", change.Old, err)
			}
			if _, err := schema.AdmitUpdate(old, wukong(t, string(change.Accepted))); err != nil {
				t.Errorf("%s\nafter %s\nis refused: %v", change.Accepted, change.Old, err)
			}
			_, err = schema.AdmitUpdate(old, wukong(t, string(change.Refused)))
			if got := refusal(err); got != change.Want {
				t.Errorf("%s\nafter %s\nsays: %s\nwant: %s", change.Refused, change.Old, got, change.Want)
			}
		})
	}
}

// Each rule of the definition has a row that it refuses. To see which rule speaks, each is given its own place in
// the schema as its message; that leaves no doubt where messages are alike or computed.
func TestEveryRuleHasARow(t *testing.T) {
	definition, err := os.ReadFile(wukongs)
	if err != nil {
		t.Fatal(err)
	}
	var crd map[string]any
	if err := yaml.Unmarshal(definition, &crd); err != nil {
		t.Fatal(err)
	}
	unheard := map[string]string{}
	relabel(crd, "", unheard)
	if len(unheard) == 0 {
		t.Fatalf("%s has no rules", wukongs)
	}
	definition, err = yaml.Marshal(crd)
	if err != nil {
		t.Fatal(err)
	}
	schema, err := admission.New(definition)
	if err != nil {
		t.Fatal(err)
	}

	hear := func(err error) {
		for place := range unheard {
			if strings.Contains(refusal(err), place) {
				delete(unheard, place)
			}
		}
	}
	for _, rule := range creations(t) {
		_, err := schema.Admit(wukong(t, string(rule.Refused)))
		hear(err)
	}
	for _, change := range changes(t) {
		old, err := schema.Admit(wukong(t, string(change.Old)))
		if err != nil {
			t.Fatal(err)
		}
		_, err = schema.AdmitUpdate(old, wukong(t, string(change.Refused)))
		hear(err)
	}
	for place, message := range unheard {
		t.Errorf("no row is refused by the rule at %s, %q: add one", place, message)
	}
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
func refusal(err error) string {
	if err == nil {
		return ""
	}
	return strings.TrimPrefix(err.Error(), `Wukong.vm.novasphere.dev "vm" is invalid: `)
}

// wukong is the Wukong that a body of YAML describes.
func wukong(t *testing.T, body string) *unstructured.Unstructured {
	t.Helper()
	u := object(t, body)
	u.SetAPIVersion("vm.novasphere.dev/v1alpha1")
	u.SetKind("Wukong")
	if u.GetName() == "" {
		u.SetName("vm")
	}
	return u
}

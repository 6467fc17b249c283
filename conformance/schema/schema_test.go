// Package schema_test asks a JSON Schema library about docs/schema/wukong.json: it takes what the API server takes, and refuses the
// mistakes that an editor can show.
package schema_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

const file = "../../docs/schema/wukong.json"

// compiled is the schema, which is one of draft 7 itself.
func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	schema, err := c.Compile(file)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// asked is what the library says of a document of YAML.
func asked(t *testing.T, schema *jsonschema.Schema, text []byte) error {
	t.Helper()
	body, err := yaml.YAMLToJSON(text)
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return schema.Validate(value)
}

// documents are the objects of a file, as YAML.
func documents(t *testing.T, file string) [][]byte {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var all [][]byte
	reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(content)))
	for {
		text, err := reader.Read()
		if err != nil {
			return all
		}
		var object map[string]any
		if err := yaml.Unmarshal(text, &object); err == nil && object != nil {
			all = append(all, text)
		}
	}
}

// TestExamplesAreValid holds every example, and the schema that it names for editors.
func TestExamplesAreValid(t *testing.T) {
	schema := compiled(t)
	files, err := filepath.Glob("../../examples/*.yaml")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d examples: %v", len(files), err)
	}
	for _, file := range files {
		for _, text := range documents(t, file) {
			if err := asked(t, schema, text); err != nil {
				t.Errorf("%s: %v", file, err)
			}
		}
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if line, _, _ := strings.Cut(string(content), "\n"); line != "# yaml-language-server: $schema=../docs/schema/wukong.json" {
			t.Errorf("%s does not begin with its schema: %s", file, line)
		}
	}
}

// row is a row of testdata/admission: an object, and whether the API server takes it.
type row struct {
	Says              string
	Accepted, Refused map[string]any
}

// body is an object of a row.
func body(t *testing.T, kind string, object map[string]any) []byte {
	t.Helper()
	object["apiVersion"], object["kind"] = "vm.novasphere.dev/v1alpha1", kind
	if object["metadata"] == nil {
		object["metadata"] = map[string]any{"name": "vm"}
	}
	text, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestWhatTheAPIServerTakesIsValid holds that an editor is never stricter than the API server, and how much of what that refuses it shows.
func TestWhatTheAPIServerTakesIsValid(t *testing.T) {
	schema := compiled(t)
	accepted, refused, shown := 0, 0, 0
	for name, kind := range map[string]string{"creations.yaml": "Wukong", "network-creations.yaml": "WukongNetwork"} {
		content, err := os.ReadFile(filepath.Join("../../testdata/admission", name))
		if err != nil {
			t.Fatal(err)
		}
		var rows []row
		if err := yaml.Unmarshal(content, &rows); err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			if r.Accepted != nil {
				accepted++
				if err := asked(t, schema, body(t, kind, r.Accepted)); err != nil {
					t.Errorf("%s: refused: %v", r.Says, err)
				}
			}
			if r.Refused != nil {
				refused++
				if asked(t, schema, body(t, kind, r.Refused)) != nil {
					shown++
				}
			}
		}
	}
	t.Logf("%d are taken by both; of %d that the API server refuses, editors show %d", accepted, refused, shown)
	if accepted < 50 || shown < 30 {
		t.Errorf("%d are taken, and %d refused", accepted, shown)
	}
}

// TestMistakesAreShown is what editors underline.
func TestMistakesAreShown(t *testing.T) {
	schema := compiled(t)
	const head = "apiVersion: vm.novasphere.dev/v1alpha1\nkind: Wukong\nmetadata: {name: web}\n"
	for name, test := range map[string]struct {
		text string
		says string // empty where it is right
	}{
		"nothing wrong":                    {head + "spec: {cpu: 2, memory: 2Gi}", ""},
		"memory as a number":               {head + "spec: {memory: 2147483648}", ""},
		"a field of KubeVirt's":            {head + "spec: {virtualMachine: {spec: {template: {spec: {domain: {firmware: {uuid: a}}}}}}}", ""},
		"what was fetched":                 {head + "spec: {}\nstatus: {observedGeneration: -1, phase: Running}", ""},
		"fetched metadata":                 {"apiVersion: vm.novasphere.dev/v1alpha1\nkind: Wukong\nmetadata: {name: web, uid: a, managedFields: [{}], labels: {a: b}}\nspec: {}", ""},
		"a Secret in the same file":        {"apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: b}\nstringData: {a: b}", ""},
		"an unknown field":                 {head + "spec: {cpus: 2}", "cpus"},
		"an unknown field of a network":    {head + "spec: {networks: [{name: lan, type: bridge, vlan: 100}]}", "vlan"},
		"an unknown field in ipConfig":     {head + "spec: {networks: [{name: lan, type: bridge, ipConfig: {mode: dhcp, ip: a}}]}", "ip"},
		"beside spec in virtualMachine":    {head + "spec: {virtualMachine: {template: {}}}", "template"},
		"a text for a number":              {head + "spec: {cpu: two}", "/spec/cpu"},
		"a number in quotes":               {head + "spec: {cpu: '2'}", "/spec/cpu"},
		"too many cores":                   {head + "spec: {cpu: 1000}", "/spec/cpu"},
		"a type that does not exist":       {head + "spec: {networks: [{name: lan, type: brige}]}", "/spec/networks/0/type"},
		"a VLAN out of range":              {head + "spec: {networks: [{name: lan, type: bridge, vlanId: 5000}]}", "vlanId"},
		"a network without a name":         {head + "spec: {networks: [{type: bridge}]}", "name"},
		"an object for a list":             {head + "spec: {networks: {lan: {}}}", "/spec/networks"},
		"memory as a list":                 {head + "spec: {memory: [2Gi]}", "/spec/memory"},
		"a name with capitals":             {strings.Replace(head, "web", "Web_1", 1) + "spec: {}", "/metadata/name"},
		"a namespace":                      {strings.Replace(head, "name: web", "name: web, namespace: a", 1) + "spec: {}", "namespace"},
		"a label that is a number":         {strings.Replace(head, "name: web", "name: web, labels: {rack: 7}", 1) + "spec: {}", "/metadata/labels/rack"},
		"no name":                          {strings.Replace(head, "name: web", "labels: {}", 1) + "spec: {}", "name"},
		"fields beside spec":               {head + "cpu: 2\nspec: {}", "cpu"},
		"a misspelled kind":                {strings.Replace(head, "Wukong", "Wukon", 1) + "spec: {}", "/kind"},
		"another version":                  {strings.Replace(head, "v1alpha1", "v1", 1) + "spec: {}", "/apiVersion"},
		"no kind":                          {strings.Replace(head, "kind: Wukong\n", "", 1) + "spec: {}", "kind"},
		"a machine's type on a network":    {strings.Replace(head, "Wukong", "WukongNetwork", 1) + "spec: {type: macvlan}", "/spec/type"},
		"a machine's field on a network":   {strings.Replace(head, "Wukong", "WukongNetwork", 1) + "spec: {cpu: 2}", "cpu"},
		"a network with uplinks":           {strings.Replace(head, "Wukong", "WukongNetwork", 1) + "spec: {uplinks: [{name: a, physicalInterface: eno1, nodeSelector: {rack: a}}]}", ""},
		"a node selector that is a number": {strings.Replace(head, "Wukong", "WukongNetwork", 1) + "spec: {nodeSelector: {rack: 7}}", "/spec/nodeSelector/rack"},
	} {
		t.Run(name, func(t *testing.T) {
			err := asked(t, schema, []byte(test.text))
			switch {
			case test.says == "" && err != nil:
				t.Error(err)
			case test.says != "" && err == nil:
				t.Error("is not refused")
			case test.says != "" && !strings.Contains(err.Error(), test.says):
				t.Errorf("does not say %q: %v", test.says, err)
			}
		})
	}
}

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"
)

// TestEveryFieldHasARow holds docs/fields.md to the CRD: each field of spec and status has one row, and the golden case
// that the row names has the field.
func TestEveryFieldHasARow(t *testing.T) {
	row := regexp.MustCompile("(?m)^\\| `((?:spec|status)[^`]*)` \\| .* \\| (?:`([^`]*)`|[^`|]*) \\|$")
	rows := fieldRows(t, row, "What you write", "What you read")
	for _, field := range definedFields(t, "wukongs") {
		golden, ok := rows[field]
		delete(rows, field)
		switch {
		case !ok:
			t.Errorf("%s has no row", field)
		case golden == "":
			if field != "status.observedGeneration" && field != "status.prunedMachineFields" {
				t.Errorf("%s names no case", field)
			}
		case !inCase(t, golden, field):
			t.Errorf("%s: the case %s does not have it", field, golden)
		}
	}
	for field := range rows {
		t.Errorf("%s has a row, and is no field", field)
	}
}

// TestEveryFieldOfAFleetHasARow is the same for the other two kinds. Their rows name no case.
func TestEveryFieldOfAFleetHasARow(t *testing.T) {
	row := regexp.MustCompile("(?m)^\\| `([^`]*)` \\| ([^|]+) \\|$")
	for resource, headings := range map[string][]string{
		"wukongnetworks": {"What you write of a WukongNetwork", "What you read of a WukongNetwork"},
		"wukongnodes":    {"What you read of a WukongNode"},
	} {
		rows := fieldRows(t, row, headings...)
		for _, field := range definedFields(t, resource) {
			if _, ok := rows[field]; !ok {
				t.Errorf("%s: %s has no row", resource, field)
			}
			delete(rows, field)
		}
		for field := range rows {
			t.Errorf("%s: %s has a row, and is no field", resource, field)
		}
	}
}

// TestEveryFeatureOfAVirtualMachineHasACase holds the table of what public VirtualMachines have to the golden cases: the machine of
// the case has the field.
func TestEveryFeatureOfAVirtualMachineHasACase(t *testing.T) {
	row := regexp.MustCompile("(?m)^\\| ([^|]+) \\| [0-9]* ?\\| [^|]+ \\| (`[^`|]+` \\| `[^`|]+`) \\|$")
	rows := fieldRows(t, row, "A VirtualMachine as a Wukong")
	if len(rows) < 27 {
		t.Fatalf("only %d rows can be read", len(rows))
	}
	for feature, cells := range rows {
		field, golden, _ := strings.Cut(strings.ReplaceAll(cells, "`", ""), " | ")
		if !slices.ContainsFunc(machinesOf(t, golden), func(machine any) bool { return has(machine, strings.Split(field, ".")) }) {
			t.Errorf("%s: no machine of the case %s has %s", feature, golden, field)
		}
	}
}

// machinesOf are the VirtualMachines that a golden case answers with.
func machinesOf(t *testing.T, golden string) []any {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", golden, "response.json"))
	if err != nil {
		t.Fatal(err)
	}
	var response struct{ Children []any }
	if err := json.Unmarshal(raw, &response); err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(response.Children, func(child any) bool { return child.(map[string]any)["kind"] != "VirtualMachine" })
}

// definedFields are the fields of a resource that hold a value, without apiVersion, kind and metadata.
func definedFields(t *testing.T, resource string) []string {
	t.Helper()
	content, err := os.ReadFile("deploy/base/vm.novasphere.dev_" + resource + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	var crd apiextensionsv1.CustomResourceDefinition
	if err := yaml.Unmarshal(content, &crd); err != nil {
		t.Fatal(err)
	}
	var fields []string
	for name, schema := range crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties {
		if name != "apiVersion" && name != "kind" && name != "metadata" {
			fields = append(fields, leaves(name, schema)...)
		}
	}
	return fields
}

// fieldRows are the rows under some headings of docs/fields.md: the field in the first group of the expression, and what the second
// group has.
func fieldRows(t *testing.T, row *regexp.Regexp, headings ...string) map[string]string {
	t.Helper()
	text, err := os.ReadFile("docs/fields.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]string{}
	for _, heading := range headings {
		_, section, found := strings.Cut(string(text), "\n## "+heading+"\n")
		if !found {
			t.Fatalf("docs/fields.md has no heading %q", heading)
		}
		section, _, _ = strings.Cut(section, "\n## ")
		for _, m := range row.FindAllStringSubmatch(section, -1) {
			if _, ok := rows[m[1]]; ok {
				t.Errorf("%s has two rows", m[1])
			}
			rows[m[1]] = m[2]
		}
	}
	return rows
}

// leaves are the paths of the fields that hold a value, as `kubectl explain --recursive` lists them.
func leaves(path string, schema apiextensionsv1.JSONSchemaProps) []string {
	if schema.Type == "array" && schema.Items.Schema.Type == "object" {
		return leaves(path+"[]", *schema.Items.Schema)
	}
	if len(schema.Properties) == 0 {
		return []string{path}
	}
	var all []string
	for name, property := range schema.Properties {
		all = append(all, leaves(path+"."+name, property)...)
	}
	return all
}

// inCase says that a golden case has a field: one of the spec in its request, one of the status in its answer.
func inCase(t *testing.T, golden, field string) bool {
	t.Helper()
	file, root := "request.json", "parent"
	if strings.HasPrefix(field, "status") {
		file, root = "response.json", ""
	}
	raw, err := os.ReadFile(filepath.Join("testdata", golden, file))
	if err != nil {
		t.Fatal(err)
	}
	var document map[string]any
	if err := json.Unmarshal(raw, &document); err != nil {
		t.Fatal(err)
	}
	if root != "" {
		document, _ = document[root].(map[string]any)
	}
	return has(document, strings.Split(field, "."))
}

func has(v any, path []string) bool {
	if len(path) == 0 {
		return true
	}
	object, _ := v.(map[string]any)
	name, isList := strings.CutSuffix(path[0], "[]")
	v, ok := object[name]
	if !isList {
		return ok && has(v, path[1:])
	}
	list, _ := v.([]any)
	return slices.ContainsFunc(list, func(item any) bool { return has(item, path[1:]) })
}

// TestEveryRowOfTheStateMachineHasACase holds the table in docs/decisions.md to the golden cases and to the code: each row names
// a case that exists, and a function that exists and whose comment leads back to the table.
func TestEveryRowOfTheStateMachineHasACase(t *testing.T) {
	decisions, err := os.ReadFile("docs/decisions.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(decisions), "| observed | wanted | answered | case | decided by |\n|---|---|---|---|---|\n")
	if !found {
		t.Fatal("docs/decisions.md has no table")
	}
	named := regexp.MustCompile("^\\| .* \\| .* \\| .* \\| `((?:network-|node-)?(?:sync|finalize)/[^`]*)` \\| `([a-z]+)\\.([A-Za-z]+)` \\|$")
	rows := 0
	for row := range strings.Lines(table) {
		rows++
		m := named.FindStringSubmatch(strings.TrimRight(row, "\n"))
		if m == nil {
			t.Errorf("the row names no case, or no function: %s", row)
			continue
		}
		if _, err := os.Stat(filepath.Join("testdata", m[1], "response.json")); err != nil {
			t.Errorf("the row names no case that is answered: %s", row)
		}
		if !leadsBack(t, m[2], m[3]) {
			t.Errorf("there is no function %s.%s whose comment names docs/decisions.md", m[2], m[3])
		}
	}
	if rows == 0 {
		t.Error("the table has no rows")
	}
}

// leadsBack reports whether a package of the core has a function whose comment names the table.
func leadsBack(t *testing.T, pkg, function string) bool {
	t.Helper()
	folder := map[string]string{"sync": "sync", "bridges": "sync/bridges", "hold": "sync/hold"}[pkg]
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil || folder == "" {
		t.Fatalf("there is no package %s of the core (%v)", pkg, err)
	}
	declared := regexp.MustCompile(`(?m)((?:^//.*\n)+)^func (?:\([a-z]+ \*?\w+\) )?` + function + `\(`)
	return slices.ContainsFunc(files, func(file string) bool {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		m := declared.FindSubmatch(source)
		return m != nil && strings.Contains(string(m[1]), "docs/decisions.md")
	})
}

package manifest

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	kubevirtv1 "kubevirt.io/api/core/v1"
	kyaml "sigs.k8s.io/yaml"

	"novasphere.dev/wukong/deploy"
)

// TestEveryPatternHasWords holds that no user is ever shown a bare pattern.
func TestEveryPatternHasWords(t *testing.T) {
	used := map[string]bool{}
	var walk func(schema apiextensionsv1.JSONSchemaProps)
	walk = func(schema apiextensionsv1.JSONSchemaProps) {
		if schema.Pattern != "" {
			used[schema.Pattern] = true
		}
		if schema.Items != nil {
			walk(*schema.Items.Schema)
		}
		if schema.AdditionalProperties != nil && schema.AdditionalProperties.Schema != nil {
			walk(*schema.AdditionalProperties.Schema)
		}
		for _, property := range schema.Properties {
			walk(property)
		}
	}
	for _, definition := range deploy.Definitions() {
		var crd apiextensionsv1.CustomResourceDefinition
		if err := kyaml.Unmarshal(definition, &crd); err != nil {
			t.Fatal(err)
		}
		walk(crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"])
	}
	for pattern := range used {
		if patterns()[pattern] == "" {
			t.Errorf("no words for the pattern %s", pattern)
		}
	}
	for pattern, words := range patterns() {
		if !used[pattern] || !strings.Contains(words, "for example ") {
			t.Errorf("the pattern %s is nowhere, or its words have no example", pattern)
		}
	}
}

// TestEveryRefusalIsInWords holds the table of rules against the words: nothing of the API server's own way of speaking is left.
func TestEveryRefusalIsInWords(t *testing.T) {
	reader, err := NewReader()
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for file, kind := range map[string]string{"creations.yaml": "Wukong", "network-creations.yaml": "WukongNetwork"} {
		content, err := os.ReadFile(filepath.Join("..", "testdata", "admission", file))
		if err != nil {
			t.Fatal(err)
		}
		var table []struct {
			Says    string
			Refused map[string]any
		}
		if err := kyaml.Unmarshal(content, &table); err != nil {
			t.Fatal(err)
		}
		for _, row := range table {
			if row.Refused == nil {
				continue
			}
			rows++
			row.Refused["apiVersion"], row.Refused["kind"] = "vm.novasphere.dev/v1alpha1", kind
			if row.Refused["metadata"] == nil {
				row.Refused["metadata"] = map[string]any{"name": map[string]string{"Wukong": "vm", "WukongNetwork": "lan"}[kind]}
			}
			_, err := reader.Admit(Source{Place: "f", file: "f", Object: row.Refused})
			if err == nil {
				t.Errorf("%s: not refused", row.Says)
				continue
			}
			for _, foreign := range []string{"<nil>", "in body", "Invalid value", "Unsupported value", "Required value", "regex", "should match", "int32"} {
				if strings.Contains(err.Error(), foreign) {
					t.Errorf("%s: says %q", row.Says, err)
				}
			}
		}
	}
	if rows < 100 {
		t.Errorf("only %d rows were tried", rows)
	}
}

// said is all that is said of a file: what is wrong with it, or else what is dropped.
func said(t *testing.T, reader *Reader, file, content string) string {
	t.Helper()
	sources, err := Read(file, []byte(content))
	errs := []error{err}
	for _, s := range sources {
		_, err := reader.Admit(s)
		errs = append(errs, err)
		if err == nil {
			for _, dropped := range s.Dropped() {
				errs = append(errs, dropped)
			}
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err.Error()
	}
	return ""
}

// TestPlacesOfMachinesExist holds the words for fields of a machine against KubeVirt's types.
func TestPlacesOfMachinesExist(t *testing.T) {
	for word, said := range machineWords() {
		path, _, _ := strings.Cut(said, ",")
		below, is := strings.CutPrefix(path, inMachine+".")
		if !is {
			continue // fields of a Wukong, or of metadata
		}
		of := reflect.TypeFor[kubevirtv1.VirtualMachineSpec]()
		for step := range strings.SplitSeq(below, ".") {
			for of.Kind() == reflect.Pointer {
				of = of.Elem()
			}
			at := slices.IndexFunc(reflect.VisibleFields(of), func(f reflect.StructField) bool {
				name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
				return name == step
			})
			if at < 0 {
				t.Errorf("%s: there is no %s in %s", word, step, path)
				break
			}
			of = reflect.VisibleFields(of)[at].Type
		}
		if plain(word) != word {
			t.Errorf("nobody finds %s", word)
		}
	}
}

const head = "apiVersion: vm.novasphere.dev/v1alpha1\nkind: Wukong\nmetadata:\n  name: web\n"

// TestMistakesOfANewcomer is what somebody writes who has seen one example, and what is said.
func TestMistakesOfANewcomer(t *testing.T) {
	reader, err := NewReader()
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile("testdata/mistakes.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var rows []struct{ Mistake, Spec, File, Says string }
	if err := kyaml.UnmarshalStrict(content, &rows); err != nil {
		t.Fatal(err)
	}
	if len(rows) < 40 {
		t.Errorf("there are %d mistakes, want 40 at least", len(rows))
	}
	for _, row := range rows {
		t.Run(row.Mistake, func(t *testing.T) {
			text := row.File
			if row.Spec != "" {
				text = head + "spec:\n" + row.Spec
			}
			if got := said(t, reader, "web.yaml", text); got != strings.TrimSpace(row.Says) {
				t.Errorf("says: %s\nwant: %s", got, strings.TrimSpace(row.Says))
			}
		})
	}
}

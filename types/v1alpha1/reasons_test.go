package v1alpha1_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"
)

// TestReasonsAreExplained holds that `kubectl explain wukong.status.conditions` has the line of each reason, in the words
// of reasons.go, and no other; and that the lines of `kubectl explain wukongnetwork.status.conditions` are among them.
func TestReasonsAreExplained(t *testing.T) {
	documented := documentedReasons(t)
	explained := explainedReasons(t, "wukongs")
	if len(documented) == 0 {
		t.Fatal("reasons.go has no reason")
	}
	for _, reason := range slices.Sorted(maps.Keys(documented)) {
		if got, want := explained[reason], documented[reason]; got != want {
			t.Errorf("status.conditions explains %s as %q, reasons.go as %q: change status.go, and run `go generate ./types/...`",
				reason, got, want)
		}
	}
	for _, reason := range slices.Sorted(maps.Keys(explained)) {
		if _, ok := documented[reason]; !ok {
			t.Errorf("status.conditions explains %s, which is no reason of reasons.go", reason)
		}
	}
	ofNetwork := explainedReasons(t, "wukongnetworks")
	if len(ofNetwork) == 0 {
		t.Error("status.conditions of a WukongNetwork explains no reason")
	}
	for _, reason := range slices.Sorted(maps.Keys(ofNetwork)) {
		if got, want := ofNetwork[reason], documented[reason]; got != want {
			t.Errorf("status.conditions of a WukongNetwork explains %s as %q, reasons.go as %q: change wukongnetwork.go, and run "+
				"`go generate ./types/...`", reason, got, want)
		}
	}
}

// documentedReasons are the reasons of reasons.go, each with the text of its one line.
func documentedReasons(t *testing.T) map[string]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "reasons.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	reasons := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		name := spec.Names[0].Name
		reason, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		line := strings.TrimSuffix(spec.Doc.Text(), "\n")
		text, found := strings.CutPrefix(line, name+": ")
		switch {
		case name != "Reason"+reason:
			t.Errorf("%s is %q: the name is Reason and the reason", name, reason)
		case !found || text == "" || strings.Contains(text, "\n"):
			t.Errorf("the comment of %s is %q: it must be one line that begins with %q", name, line, name+": ")
		case len(line) > 110:
			t.Errorf("the comment of %s has %d characters, and may have 110", name, len(line))
		}
		reasons[reason] = text
		return true
	})
	return reasons
}

// explainedReasons are the reasons in the description of status.conditions in the CustomResourceDefinition of a resource.
func explainedReasons(t *testing.T, resource string) map[string]string {
	t.Helper()
	raw, err := os.ReadFile("../../deploy/base/vm.novasphere.dev_" + resource + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	var crd apiextensionsv1.CustomResourceDefinition
	if err := yaml.UnmarshalStrict(raw, &crd); err != nil {
		t.Fatal(err)
	}
	status := crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["status"]
	reasons := map[string]string{}
	line := regexp.MustCompile(`(?m)^ *- (\w+): (.*)$`)
	for _, match := range line.FindAllStringSubmatch(status.Properties["conditions"].Description, -1) {
		if _, twice := reasons[match[1]]; twice {
			t.Errorf("status.conditions explains %s twice", match[1])
		}
		reasons[match[1]] = match[2]
	}
	return reasons
}

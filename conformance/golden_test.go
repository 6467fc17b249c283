package conformance

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/goccy/go-yaml"
)

// answered calls f once with each different child of one kind: those of the golden cases, each under the name of its case, and
// those of the examples.
func answered(t *testing.T, kind string, f func(t *testing.T, raw []byte)) {
	t.Helper()
	files, err := filepath.Glob("../testdata/*/*/response.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden answers (%v)", err)
	}
	seen := map[string]bool{}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var response struct{ Children []json.RawMessage }
		if err := json.Unmarshal(raw, &response); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, child := range response.Children {
			if name, is := nameOf(t, child, kind); is && !seen[string(child)] {
				seen[string(child)] = true
				t.Run(filepath.Base(filepath.Dir(file))+"/"+name, func(t *testing.T) { f(t, child) })
			}
		}
	}
	if len(seen) == 0 {
		t.Fatalf("no golden answer has a %s", kind)
	}
	all, err := examples()
	if err != nil {
		t.Fatal(err)
	}
	for _, child := range all {
		if name, is := nameOf(t, child, kind); is {
			t.Run("examples/"+name, func(t *testing.T) { f(t, child) })
		}
	}
}

// nameOf is the name of an object, and whether it is of a kind.
func nameOf(t *testing.T, raw []byte, kind string) (name string, is bool) {
	t.Helper()
	var object struct {
		Kind     string
		Metadata struct{ Name string }
	}
	if err := json.Unmarshal(raw, &object); err != nil {
		t.Fatal(err)
	}
	return object.Metadata.Name, object.Kind == kind
}

// examples are the objects that render makes of the examples.
var examples = sync.OnceValues(func() ([]json.RawMessage, error) {
	files, err := filepath.Glob("../examples/*.yaml")
	if err != nil {
		return nil, err
	}
	args := []string{"-C", "..", "run", ".", "render"}
	for _, file := range files {
		args = append(args, strings.TrimPrefix(file, "../"))
	}
	render := exec.Command("go", args...)
	render.Stderr = os.Stderr
	output, err := render.Output()
	if err != nil {
		return nil, err
	}
	var all []json.RawMessage
	for _, document := range strings.Split(string(output), "\n---\n") {
		object, err := yaml.YAMLToJSON([]byte(document))
		if err != nil {
			return nil, err
		}
		all = append(all, object)
	}
	return all, nil
})

// read decodes a file of JSON.
func read(t *testing.T, file string, v any) {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, v); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

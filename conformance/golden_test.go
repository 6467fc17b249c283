package conformance

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// answered calls f once with each different golden child of one kind, and the case that it stands in.
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
			var object struct {
				Kind     string
				Metadata struct{ Name string }
			}
			if err := json.Unmarshal(child, &object); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			if object.Kind == kind && !seen[string(child)] {
				seen[string(child)] = true
				t.Run(filepath.Base(filepath.Dir(file))+"/"+object.Metadata.Name, func(t *testing.T) { f(t, child) })
			}
		}
	}
	if len(seen) == 0 {
		t.Fatalf("no golden answer has a %s", kind)
	}
}

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

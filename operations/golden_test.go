package operations

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"testing"
)

// object is an object of a cluster, as JSON has it.
type object = map[string]any

// states are the objects of a kind after each golden answer, by case. Metacontroller writes the answered status, and
// says of which generation it is. Each has the name of its case, so that all can be in one cluster.
func states(t *testing.T, kind string) map[string]object {
	t.Helper()
	all := map[string]object{}
	for _, hook := range []string{"sync", "finalize", "network-sync", "network-finalize", "node-sync"} {
		files, err := filepath.Glob(filepath.Join("../testdata", hook, "*", "response.json"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no golden answers of %s (%v)", hook, err)
		}
		for _, file := range files {
			name := hook + "." + filepath.Base(filepath.Dir(file))
			for _, o := range after(t, filepath.Dir(file)) {
				if o["kind"] == kind {
					metadata := maps.Clone(o["metadata"].(object))
					metadata["name"], metadata["uid"] = name, name
					o["metadata"] = metadata
					all[name] = o
				}
			}
		}
	}
	if len(all) == 0 {
		t.Fatalf("no golden answer is about a %s", kind)
	}
	return all
}

// after are the objects of our kinds after one golden answer: the parent with its status, or what is attached to a Node.
func after(t *testing.T, dir string) []object {
	t.Helper()
	var request struct{ Parent object }
	var response struct {
		Status      object
		Attachments []object
	}
	read(t, filepath.Join(dir, "request.json"), &request)
	read(t, filepath.Join(dir, "response.json"), &response)
	if response.Status == nil {
		return response.Attachments
	}
	parent := request.Parent
	parent["status"] = response.Status
	response.Status["observedGeneration"] = parent["metadata"].(object)["generation"]
	return []object{parent}
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

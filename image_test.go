package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestTheImageHasNoLibrariesOfRender holds what a build for the image leaves out: the libraries that know the rules of an API server
// are a third of the binary, and half of its start-up.
func TestTheImageHasNoLibrariesOfRender(t *testing.T) {
	recipe, err := os.ReadFile("Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(recipe), "go build -tags hook ") {
		t.Error("the Dockerfile does not build with -tags hook")
	}
	packages := func(tags string) string {
		listed, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-tags", tags, ".").Output()
		if err != nil {
			t.Fatalf("go list: %v", err)
		}
		return string(listed)
	}
	for _, library := range []string{"novasphere.dev/wukong/admission", "novasphere.dev/wukong/manifest", "novasphere.dev/wukong/plan", "novasphere.dev/wukong/status", "novasphere.dev/wukong/install", "novasphere.dev/wukong/schema", "k8s.io/apiextensions-apiserver/pkg/apiserver/", "github.com/google/cel-go/"} {
		if !strings.Contains(packages(""), library) {
			t.Errorf("%s is in no build any more: look for what has taken its place", library)
		}
		if strings.Contains(packages("hook"), library) {
			t.Errorf("%s is in a build with -tags hook", library)
		}
	}
}

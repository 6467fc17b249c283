package api_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/e2e/cluster"
)

func TestExamplesApplyAsTheyAre(t *testing.T) {
	for _, file := range glob(t, "../../examples/*.yaml") {
		t.Run(filepath.Base(file), func(t *testing.T) {
			objects, err := cluster.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, obj := range objects {
				if _, err := create(t, obj); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// What the hook answers is what is stored: nothing is refused, pruned, defaulted or written in another way. Otherwise
// Metacontroller would write it again at each sync.
func TestAnswersAreStoredUnchanged(t *testing.T) {
	files := append(glob(t, "../../testdata/sync/*/response.json"), glob(t, "../../testdata/finalize/*/response.json")...)
	seen := map[string]bool{}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var response struct{ Children []json.RawMessage }
		if err := json.Unmarshal(content, &response); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, body := range response.Children {
			child := &unstructured.Unstructured{}
			if err := child.UnmarshalJSON(body); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			// Most cases answer most children as the case before did. What is encoded has its keys in order.
			encoded, err := child.MarshalJSON()
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			if seen[string(encoded)] {
				continue
			}
			seen[string(encoded)] = true
			t.Run(fmt.Sprintf("%s/%s %s", filepath.Base(filepath.Dir(file)), child.GetKind(), child.GetName()), func(t *testing.T) {
				if namespace := child.GetNamespace(); namespace != "" {
					if err := shared.EnsureNamespace(t.Context(), namespace); err != nil {
						t.Fatal(err)
					}
				}
				if _, err := create(t, child); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(child.Object, unstamped(t, child)); diff != "" {
					t.Errorf("answered (-), stored (+):\n%s", diff)
				}
			})
		}
	}
	if len(seen) == 0 {
		t.Error("no case has children")
	}
}

// Every overlay is what an API server takes. Kinds of others that are not installed here cannot be asked about.
func TestOverlaysApply(t *testing.T) {
	for _, overlay := range []string{"deploy", "deploy/without-nmstate", "deploy/with-tls", "deploy/with-monitoring",
		"deploy/metacontroller-role", "deploy/kube-state-metrics"} {
		t.Run(overlay, func(t *testing.T) {
			cmd := kubectl(t, "kustomize", overlay)
			cmd.Dir = filepath.Join("..", "..")
			rendered, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(t.TempDir(), "rendered.yaml")
			if err := os.WriteFile(file, rendered, 0o600); err != nil {
				t.Fatal(err)
			}
			objects, err := cluster.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, obj := range objects {
				if namespace := obj.GetNamespace(); namespace != "" {
					if err := shared.EnsureNamespace(t.Context(), namespace); err != nil {
						t.Fatal(err)
					}
				}
			}
			for _, obj := range objects {
				client, err := shared.Client(obj)
				if meta.IsNoMatchError(err) {
					t.Logf("%s %s: its kind is not installed", obj.GetKind(), obj.GetName())
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				body, err := obj.MarshalJSON()
				if err != nil {
					t.Fatal(err)
				}
				options := metav1.PatchOptions{
					FieldManager: "e2e", Force: new(true), FieldValidation: metav1.FieldValidationStrict, DryRun: []string{metav1.DryRunAll},
				}
				if _, err := client.Patch(t.Context(), obj.GetName(), "application/apply-patch+yaml", body, options); err != nil {
					t.Errorf("%s %s: %v", obj.GetKind(), obj.GetName(), err)
				}
			}
		})
	}
}

// unstamped is an object as it is stored, without what the API server stamps on every one.
func unstamped(t *testing.T, obj *unstructured.Unstructured) map[string]any {
	t.Helper()
	client, err := shared.Client(obj)
	if err != nil {
		t.Fatal(err)
	}
	stored, err := client.Get(t.Context(), obj.GetName(), metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, stamp := range []string{"uid", "resourceVersion", "generation", "creationTimestamp", "managedFields"} {
		unstructured.RemoveNestedField(stored.Object, "metadata", stamp)
	}
	return stored.Object
}

// glob answers the files of a pattern, of which there must be some.
func glob(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatalf("there is no %s", pattern)
	}
	return files
}

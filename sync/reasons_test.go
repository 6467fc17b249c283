package sync_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"novasphere.dev/wukong/types/v1alpha1"
)

// TestReasonsAreDocumented holds that the golden cases answer every reason that is documented, and no other. The exception
// are KubeVirt's own words: a condition about the machine may repeat the word in the status of the observed machine.
func TestReasonsAreDocumented(t *testing.T) {
	emitted := map[string]bool{}
	for _, reason := range documentedReasons(t) {
		emitted[reason] = false
	}
	for _, hook := range []string{"sync", "finalize"} {
		for _, dir := range cases(t, hook) {
			words := machineWords(t, dir)
			for _, c := range answeredConditions(t, dir) {
				if _, documented := emitted[c.Reason]; documented {
					emitted[c.Reason] = true
				} else if !aboutMachine(c.Type) || !slices.Contains(words, c.Reason) {
					t.Errorf("%s: condition %s has the reason %s, which is not documented", dir, c.Type, c.Reason)
				}
			}
		}
	}
	for reason, ok := range emitted {
		if !ok {
			t.Errorf("no golden case answers the reason %s", reason)
		}
	}
}

// aboutMachine reports whether KubeVirt's own words may be reasons of a type of condition.
func aboutMachine(condition string) bool {
	return condition == v1alpha1.ConditionMachineReady || condition == v1alpha1.ConditionReady || condition == v1alpha1.ConditionStalled
}

// documentedReasons are the values of the constants in reasons.go.
func documentedReasons(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../types/v1alpha1/reasons.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var reasons []string
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok {
			reason, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			reasons = append(reasons, reason)
		}
		return true
	})
	if len(reasons) == 0 {
		t.Fatal("reasons.go has no reason")
	}
	return reasons
}

// answeredConditions are the conditions in a golden answer; none where the request is refused.
func answeredConditions(t *testing.T, dir string) []metav1.Condition {
	t.Helper()
	if _, err := os.Stat(filepath.Join(dir, "error.txt")); err == nil {
		return nil
	}
	var response struct {
		Status v1alpha1.WukongStatus `json:"status"`
	}
	if err := json.Unmarshal(read(t, dir, "response.json"), &response); err != nil {
		t.Fatalf("%s: %v", dir, err)
	}
	return response.Status.Conditions
}

// machineWords are KubeVirt's words for the state of the machines in a request.
func machineWords(t *testing.T, dir string) []string {
	t.Helper()
	var request struct {
		Children map[string]map[string]any `json:"children"`
	}
	if json.Unmarshal(read(t, dir, "request.json"), &request) != nil {
		return nil // some cases are about requests that cannot be read
	}
	var words []string
	for _, machine := range request.Children["VirtualMachine.kubevirt.io/v1"] {
		fields, _ := machine.(map[string]any)
		status, _ := fields["status"].(map[string]any)
		if word, _ := status["printableStatus"].(string); word != "" {
			words = append(words, word)
		}
	}
	return words
}

package api_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

// plugin is kubectl with the plugin on its PATH.
func plugin(t *testing.T, args ...string) (output string, code int) {
	t.Helper()
	folder := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(folder, "kubectl-wukong"), ".")
	build.Dir = filepath.Join("..", "..")
	if said, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	cmd := kubectl(t, append([]string{"wukong"}, args...)...)
	cmd.Env = append(cmd.Env, "PATH="+folder+string(os.PathListSeparator)+os.Getenv("PATH"))
	said, err := cmd.CombinedOutput()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return string(said), cmd.ProcessState.ExitCode()
}

const pluginFile = `
apiVersion: vm.novasphere.dev/v1alpha1
kind: Wukong
metadata: {name: planned}
spec:
  networks: [{name: lan, type: macvlan}]
`

// TestPluginPlansAndTells tries plan and status as a plugin of kubectl, with its own look at the API server.
func TestPluginPlansAndTells(t *testing.T) {
	file := filepath.Join(t.TempDir(), "planned.yaml")
	if err := os.WriteFile(file, []byte(pluginFile), 0o600); err != nil {
		t.Fatal(err)
	}
	said, code := plugin(t, "plan", file)
	for _, want := range []string{"Wukong planned (" + file + ") is created", "+ attachment default/planned-lan-nad", "+ machine default/planned", "Plan: 1 to create."} {
		if !strings.Contains(said, want) || code != 0 {
			t.Errorf("exit code %d, does not say %q:\n%s", code, want, said)
		}
	}
	if _, err := wukongs().Get(t.Context(), "planned", metav1.GetOptions{}); err == nil {
		t.Error("a plan has made a Wukong")
	}

	if _, err := create(t, wukong(t, "{metadata: {name: told}, spec: {networks: [{name: lan, type: macvlan}]}}")); err != nil {
		t.Fatal(err)
	}
	said, code = plugin(t, "status", "told")
	for _, want := range []string{".. Wukong told: ", "-- attachment default/told-lan-nad: not there yet", "next: kubectl "} {
		if !strings.Contains(said, want) || code != 0 {
			t.Errorf("exit code %d, does not say %q:\n%s", code, want, said)
		}
	}
	if said, code = plugin(t, "status", "nobody"); code != 1 || !strings.Contains(said, "There is no Wukong and no WukongNetwork nobody.") {
		t.Errorf("exit code %d: %s", code, said)
	}
}

// TestPluginHasTheRightsOfItsCaller holds that what the caller may not list is said, and not guessed.
func TestPluginHasTheRightsOfItsCaller(t *testing.T) {
	role := &rbacv1.ClusterRole{
		TypeMeta: metav1.TypeMeta{APIVersion: "rbac.authorization.k8s.io/v1", Kind: "ClusterRole"}, ObjectMeta: metav1.ObjectMeta{Name: "plugin-reader"},
		Rules: []rbacv1.PolicyRule{{APIGroups: []string{"vm.novasphere.dev"}, Resources: []string{"*"}, Verbs: []string{"get", "list"}}},
	}
	binding := &rbacv1.ClusterRoleBinding{
		TypeMeta: metav1.TypeMeta{APIVersion: "rbac.authorization.k8s.io/v1", Kind: "ClusterRoleBinding"}, ObjectMeta: metav1.ObjectMeta{Name: "plugin-reader"},
		RoleRef:  rbacv1.RoleRef{APIGroup: "rbac.authorization.k8s.io", Kind: "ClusterRole", Name: "plugin-reader"},
		Subjects: []rbacv1.Subject{{APIGroup: "rbac.authorization.k8s.io", Kind: "User", Name: "reader"}},
	}
	for _, object := range []any{role, binding} {
		content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := create(t, &unstructured.Unstructured{Object: content}); err != nil {
			t.Fatal(err)
		}
	}
	said, code := plugin(t, "status", "-as", "reader")
	for _, want := range []string{"There are no Wukongs", "nodes: you may not list them", "virtualmachines: you may not list them"} {
		if !strings.Contains(said, want) || code != 0 {
			t.Errorf("exit code %d, does not say %q:\n%s", code, want, said)
		}
	}
}

//go:build !hook

package command

import (
	"os/exec"
	"strings"
	"testing"

	"novasphere.dev/wukong/install"
)

// TestEveryFormRenders makes every form from the files in the program, as kubectl kustomize does, and holds that each object is applied in
// one step.
func TestEveryFormRenders(t *testing.T) {
	if _, err := exec.LookPath("kubectl"); err != nil {
		t.Skip("kubectl is not on the PATH")
	}
	k, err := (&access{}).kubectl()
	if err != nil {
		t.Fatal(err)
	}
	cluster, err := install.Read(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, nmstate := range []bool{true, false} {
		for _, with := range [][]string{nil, {"tls"}, {"monitoring", "tenancy"}, install.Components()} {
			form := install.Form{NMState: nmstate, Components: with}
			t.Run(form.Name(), func(t *testing.T) {
				rendered, err := k.render(t.Context(), form)
				if err != nil {
					t.Fatal(err)
				}
				made, err := install.Make(cluster, install.Wants{With: with, Tag: "v0.1.0"}, form, rendered)
				if err != nil {
					t.Fatal(err)
				}
				var names []string
				applied := 0
				for _, step := range made.Steps {
					names = append(names, step.Name)
					applied += len(step.Objects)
				}
				want := "namespace, definitions, hook, controllers"
				if len(with) > 3 {
					want = "namespace, definitions, hook, Metacontroller's role, controllers"
				}
				if got := strings.Join(names, ", "); got != want || applied != len(rendered) {
					t.Errorf("the steps are %s, want %s, with %d of %d objects", got, want, applied, len(rendered))
				}
				if controllers := len(made.Steps[len(made.Steps)-1].Objects); (controllers == 3) != nmstate {
					t.Errorf("%d controllers", controllers)
				}
			})
		}
	}
}

// TestInstallIsAskedWrongly is what is said to flags that do not exist, and where there is no kubectl.
func TestInstallIsAskedWrongly(t *testing.T) {
	_, stderr, code := runs(t, "", "install", "-with", "tenency")
	if code != 1 || !strings.Contains(stderr, "must be one of tls, monitoring, tenancy, metacontroller-role: did you mean tenancy?") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	t.Setenv("PATH", "")
	for verb, want := range map[string]int{"install": 1, "upgrade": 1, "doctor": 2} {
		if _, stderr, code = runs(t, "", verb); code != want || !strings.Contains(stderr, "kubectl is not on the PATH") {
			t.Errorf("%s: exit code %d, want %d: %s", verb, code, want, stderr)
		}
	}
	if _, stderr, code = runs(t, "", "schema", "wukongs"); code != 0 {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	if _, stderr, code = runs(t, "", "schema", "wukon"); code != 1 || !strings.Contains(stderr, "did you mean wukong?") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}

//go:build !hook

package command

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"novasphere.dev/wukong/plan"
)

var update = flag.Bool("update", false, "rewrite testdata/*/*.txt with what is printed now")

// golden compares what is printed with a file.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("(-%s +printed):\n%s\nIf it is right, run: go test ./command -update", path, diff)
	}
}

// exits are the exit codes of the plans in testdata/plan.
var exits = map[string]int{
	"attachment-in-the-same-file": 0, "bridge-that-cannot-change": 1, "conflict-between-two-files": 1, "flags-of-the-deployment": 1,
	"machine-is-stopped": 0, "network-that-does-not-exist": 1, "network-with-its-machines": 0, "no-nodes-in-the-dump": 2,
	"node-that-does-not-report": 1, "node-that-would-be-cut-off": 1, "nothing-changes": 0, "others-are-concerned": 0, "restart-and-a-network-less": 0,
	"without-nmstate": 0, "wrong-in-itself": 1,
}

// TestPlans prints the plan of each directory of testdata/plan: of its files, on its cluster.
func TestPlans(t *testing.T) {
	dirs, err := filepath.Glob("testdata/plan/*")
	if err != nil || len(dirs) != len(exits) {
		t.Fatalf("%d directories, want %d (%v)", len(dirs), len(exits), err)
	}
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			files, err := filepath.Glob(dir + "/*.yaml")
			if err != nil {
				t.Fatal(err)
			}
			files = slices.DeleteFunc(files, func(file string) bool { return filepath.Base(file) == "cluster.yaml" })
			args := append(append([]string{"plan"}, files...), "-from", dir+"/cluster.yaml")
			stdout, stderr, code := runs(t, "", args...)
			if code != exits[filepath.Base(dir)] {
				t.Errorf("exit code %d, want %d: %s", code, exits[filepath.Base(dir)], stderr)
			}
			golden(t, dir+"/plan.txt", stdout+stderr)

			asJSON, _, again := runs(t, "", append(args, "-o", "json")...)
			var p plan.Plan
			if err := json.Unmarshal([]byte(asJSON), &p); err != nil || again != code || p.Refused != (code == 1) {
				t.Errorf("as JSON: %v, exit code %d, refused %v", err, again, p.Refused)
			}
		})
	}
}

func TestPlanRefuses(t *testing.T) {
	for _, test := range []struct {
		name, stdin string
		args        []string
		want        string
	}{
		{"no files", "", []string{"-from", "-"}, "wukong plan: no files: name them, or - for standard input (see plan -h)\n"},
		{"no such dump", "", []string{"-f", "../examples/vm-with-nmstate.yaml", "-from", "nowhere"}, "wukong plan: reading nowhere: no such file or directory\n"},
		{"no such file", "{apiVersion: v1, kind: List, items: []}", []string{"nowhere.yaml", "-from", "-"}, "wukong plan: reading nowhere.yaml: no such file or directory\n"},
		{"no dump", "kind: Wukong", []string{"../examples/vm-with-nmstate.yaml", "-from", "-"}, "wukong plan: -from -: there is an object without apiVersion and kind"},
		{"a wrong flag", "", []string{"-x"}, "wukong plan: unknown shorthand flag: 'x' in -x (see wukong plan -h)\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			stdout, stderr, code := runs(t, test.stdin, append([]string{"plan"}, test.args...)...)
			if code != 2 || !strings.HasPrefix(stderr, test.want) || stdout != "" {
				t.Errorf("exit code %d, says %q, want %q", code, stderr, test.want)
			}
		})
	}
}

// A plan of an example on nodes that are fit creates what render shows.
func TestPlanCreatesWhatRenderShows(t *testing.T) {
	examples, err := filepath.Glob("../examples/*.yaml")
	if err != nil || len(examples) == 0 {
		t.Fatalf("there are no examples: %v", err)
	}
	for _, example := range examples {
		t.Run(filepath.Base(example), func(t *testing.T) {
			args := []string{example}
			if filepath.Base(example) == "vm-on-a-shared-network.yaml" {
				args = append(args, "../examples/network-for-a-fleet.yaml")
			}
			rendered, stderr, code := runs(t, "", append([]string{"render", "-o", "json"}, args...)...)
			if code != 0 {
				t.Fatal(stderr)
			}
			planned, stderr, code := runs(t, "", append([]string{"plan", "-preflight=false", "-o", "json", "-from", "testdata/nodes.yaml"}, args...)...)
			if code == 2 {
				t.Fatal(stderr)
			}
			var list struct {
				Items []struct {
					Kind     string
					Metadata struct{ Name string }
				}
			}
			var p plan.Plan
			if err := json.Unmarshal([]byte(rendered), &list); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal([]byte(planned), &p); err != nil {
				t.Fatal(err)
			}
			var want, got []string
			for _, item := range list.Items {
				want = append(want, item.Kind+" "+item.Metadata.Name)
			}
			for _, o := range p.Objects {
				if o.Waits != "" || o.Refused != "" {
					t.Logf("%s: %s%s", o.Name, o.Waits, o.Refused)
				}
				for _, s := range o.Steps {
					if s.Verb != plan.Create {
						t.Errorf("%s %s %s", s.Verb, s.Kind, s.Name)
					}
					got = append(got, s.Kind+" "+s.Name)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-render +plan)\n%s", diff)
			}
		})
	}
}

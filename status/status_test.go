package status_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"novasphere.dev/wukong/dump"
	"novasphere.dev/wukong/picture"
	"novasphere.dev/wukong/status"
	"novasphere.dev/wukong/sync"
)

var update = flag.Bool("update", false, "rewrite testdata with what is printed now")

// goldenNow is an hour after the time of the golden cases.
var goldenNow = time.Date(2026, 11, 23, 13, 0, 0, 0, time.UTC)

// report is the report on the objects of some golden requests.
func report(t *testing.T, cases []string, names ...string) *status.Report {
	t.Helper()
	c := dump.New()
	for _, name := range cases {
		content, err := os.ReadFile(filepath.Join("..", "testdata", name, "request.json"))
		if err != nil {
			t.Fatal(err)
		}
		var req struct {
			Parent            json.RawMessage
			Children, Related map[string]map[string]json.RawMessage
		}
		if err := json.Unmarshal(content, &req); err != nil {
			t.Fatal(err)
		}
		objects := []json.RawMessage{req.Parent}
		for _, group := range []map[string]map[string]json.RawMessage{req.Related, req.Children} {
			for _, kind := range group {
				for _, object := range kind {
					objects = append(objects, object)
				}
			}
		}
		for _, object := range objects {
			if err := c.Read(object); err != nil {
				t.Fatal(err)
			}
		}
	}
	r, err := status.Make(c, dump.Hook{NMState: true, Now: goldenNow, Settings: sync.Settings{
		PhysicalInterface: "ens160", DefaultOSImage: "quay.io/containerdisks/ubuntu:24.04", Preflight: true, NodesSettle: 30 * time.Second,
		NodesGather: 30 * time.Second, TeardownTimeout: 15 * time.Minute,
	}}, names...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// told are golden cases, and the names that are asked for.
var told = []struct {
	file  string
	cases []string
	names []string
}{
	{"runs", []string{"sync/vm-with-nmstate-6-machine-is-ready"}, nil},
	{"waits-for-nmstate", []string{"sync/vm-with-nmstate-2-one-policy-progresses"}, nil},
	{"waits-for-a-network", []string{"sync/shared-network-1-network-is-not-ready"}, []string{"web"}},
	{"policy-failed", []string{"sync/vm-stays-when-its-policy-degrades"}, nil},
	{"refused", []string{"sync/preflight-refuses-the-nic-with-the-nodes-address"}, nil},
	{"machine-failed", []string{"sync/machine-that-kubevirt-cannot-start"}, nil},
	{"disk-waits", []string{"sync/disk-waits-for-its-volume"}, nil},
	{"stopped", []string{"sync/machine-stopped-by-hand-is-stopped-and-ready"}, nil},
	{"restart-required", []string{"sync/machine-that-needs-a-restart-says-why"}, nil},
	{"invalid", []string{"sync/invalid-spec-creates-nothing"}, nil},
	{"leaving", []string{"sync/network-removed-2-instance-still-uses-it"}, nil},
	{"network", []string{"network-sync/node-fails-1-network-is-stalled"}, nil},
	{"several", []string{"sync/vm-with-nmstate-6-machine-is-ready", "sync/machine-that-kubevirt-cannot-start", "sync/pod-network-2-machine-is-ready", "sync/disks-and-cloud-init-3-machine-is-ready"}, nil},
	{"unknown", []string{"sync/pod-network-2-machine-is-ready"}, []string{"nobody"}},
	{"nothing", nil, nil},
}

// TestTrees prints the trees of golden cases.
func TestTrees(t *testing.T) {
	for _, test := range told {
		t.Run(test.file, func(t *testing.T) {
			var out bytes.Buffer
			r := report(t, test.cases, test.names...)
			if err := r.Text(&out); err != nil {
				t.Fatal(err)
			}
			golden(t, "testdata/"+test.file+".txt", out.Bytes())
		})
	}
}

// TestEveryGoldenCaseHasAStatus holds that no request breaks the report, and that every object that is not ready has a command to type.
func TestEveryGoldenCaseHasAStatus(t *testing.T) {
	for _, hook := range []string{"sync", "finalize", "network-sync", "network-finalize"} {
		dirs, err := filepath.Glob("../testdata/" + hook + "/*")
		if err != nil || len(dirs) == 0 {
			t.Fatalf("no cases (%v)", err)
		}
		for _, dir := range dirs {
			if _, err := os.Stat(dir + "/response.json"); err != nil {
				continue
			}
			r := report(t, []string{hook + "/" + filepath.Base(dir)})
			for _, root := range r.Roots {
				if root.Next == "" || root.Says == "" || strings.Contains(root.Next, "  ") || strings.HasSuffix(root.Next, "=") {
					t.Errorf("%s: %s %s says %q, next %q", dir, root.Kind, root.Name, root.Says, root.Next)
				}
			}
			if err := r.Text(&bytes.Buffer{}); err != nil {
				t.Error(err)
			}
			if err := r.JSON(&bytes.Buffer{}); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestPictures draws the same, and a removal. One of them is a page as well.
func TestPictures(t *testing.T) {
	removal := told[0]
	removal.file, removal.cases = "removal", []string{"finalize/reclaim-delete-3-removal-progresses"}
	for _, test := range append(slices.Clone(told), removal) {
		t.Run(test.file, func(t *testing.T) {
			graph := picture.Draw(report(t, test.cases, test.names...).Scene())
			drawings := map[string]func(io.Writer) error{"mmd": graph.Mermaid}
			if test.file == "policy-failed" {
				drawings["html"] = graph.HTML
			}
			for ending, write := range drawings {
				var out bytes.Buffer
				if err := write(&out); err != nil {
					t.Fatal(err)
				}
				golden(t, "testdata/"+test.file+"."+ending, out.Bytes())
			}
		})
	}
}

// golden compares what is printed with a file.
func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("(-%s +printed)\n%s\nIf it is right, run: go test ./status -update", path, diff)
	}
}

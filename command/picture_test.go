//go:build !hook

package command

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestPictures draws each directory of testdata/picture: as a plan on its cluster, or as render does where it has none.
func TestPictures(t *testing.T) {
	dirs, err := filepath.Glob("testdata/picture/*")
	if err != nil || len(dirs) < 9 {
		t.Fatalf("%d directories (%v)", len(dirs), err)
	}
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			files, err := filepath.Glob(dir + "/*.yaml")
			if err != nil {
				t.Fatal(err)
			}
			args := []string{"render"}
			if i := slices.Index(files, dir+"/cluster.yaml"); i >= 0 {
				args = []string{"plan", "-from", files[i]}
				files = slices.Delete(files, i, i+1)
			}
			for format, file := range map[string]string{"mermaid": "picture.mmd", "html": "picture.html"} {
				stdout, stderr, code := runs(t, "", append(append(args, "-o", format), files...)...)
				if code > 1 || stdout == "" {
					t.Fatalf("exit code %d: %s", code, stderr)
				}
				golden(t, filepath.Join(dir, file), stdout)
			}
		})
	}
}

// A picture of an empty cluster says so.
func TestPictureOfNothing(t *testing.T) {
	stdout, _, code := runs(t, "", "status", "-from", "testdata/nodes.yaml", "-o", "html")
	if code != 0 || !strings.Contains(stdout, "There is nothing to draw.") {
		t.Errorf("exit code %d, printed %s", code, stdout)
	}
}

// fleet is a WukongNetwork and many Wukongs on it.
func fleet(n int) string {
	var b strings.Builder
	b.WriteString("apiVersion: vm.novasphere.dev/v1alpha1\nkind: WukongNetwork\nmetadata: {name: lan}\nspec: {vlanId: 100}\n")
	for i := range n {
		fmt.Fprintf(&b, "---\napiVersion: vm.novasphere.dev/v1alpha1\nkind: Wukong\nmetadata: {name: vm-%03d}\n"+
			"spec: {networks: [{name: default}, {name: lan, networkName: lan}]}\n", i+1)
	}
	return b.String()
}

// The picture of 300 machines that are alike is as small as that of one, and the page names all of them.
func TestPictureOfManyMachines(t *testing.T) {
	text, _, code := runs(t, fleet(300), "render", "-", "-o", "mermaid")
	for _, want := range []string{"300 machines · default<br/>vm-001 … vm-300", "300 attachments · default<br/>vm-001-lan-nad … vm-300-lan-nad", "n1 --> v1 --> b1 --> a1 --> m1"} {
		if code != 0 || !strings.Contains(text, want) {
			t.Errorf("exit code %d, no %q in\n%s", code, want, text)
		}
	}
	if lines := strings.Count(text, "\n"); lines > 12 {
		t.Errorf("%d lines for 300 machines", lines)
	}
	var own strings.Builder
	for i := range 126 {
		fmt.Fprintf(&own, "---\napiVersion: vm.novasphere.dev/v1alpha1\nkind: Wukong\nmetadata: {name: vm-%03d}\n"+
			"spec: {networks: [{name: lan, type: bridge, bridgeName: br-%d, vlanId: %d}]}\n", i+1, i+1, i+101)
	}
	want := "the picture has 504 lines, and Mermaid draws 500 at most unless it is told to draw more: take -o html"
	if _, stderr, _ := runs(t, own.String(), "render", "-", "-o", "mermaid"); !strings.Contains(stderr, want) {
		t.Errorf("says %q", stderr)
	}
	page, _, _ := runs(t, fleet(300), "render", "-", "-o", "html")
	for i := range 300 {
		if want := fmt.Sprintf("<b>default/vm-%03d</b> ", i+1); strings.Count(page, want) != 1 {
			t.Errorf("the page has %s %d times", want, strings.Count(page, want))
		}
	}
	if len(page) > 64<<10 || strings.Count(page, "<rect") > 8 {
		t.Errorf("the page has %d bytes and %d boxes", len(page), strings.Count(page, "<rect"))
	}
}

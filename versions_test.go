package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestVersionsAreThoseThatAreAsked holds docs/versions.md against the files that say which versions run.
func TestVersionsAreThoseThatAreAsked(t *testing.T) {
	table, err := os.ReadFile("docs/versions.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, asked := range []struct{ row, file, version string }{
		{"Kubernetes", "e2e/go.mod", `k8s\.io/kubernetes v(\S+) // indirect`},
		{"Kubernetes", "e2e/go.mod", `etcd/server/v3 v(\S+)`},
		{"KubeVirt", "conformance/go.mod", `kubevirt\.io/kubevirt v(\S+)`},
		{"KubeVirt", "conformance/newest.mod", `kubevirt\.io/kubevirt v(\S+)`},
		{"KubeVirt", "go.mod", `kubevirt\.io/api v(\S+)`},
		{"Multus", "conformance/go.mod", `containernetworking/cni v(\S+)`},
		{"CNI plugins", "conformance/go.mod", `containernetworking/plugins v(\S+)`},
		{"nmstate, on the nodes", "conformance/nmstate/Cargo.toml", `nmstate = \{ version = "=(\S+)"`},
		{"CDI, for `disks`", "go.mod", `containerized-data-importer-api v(\S+)`},
		{"Metacontroller", "deploy/README.md", `manifests/production\?ref=v(\S+)`},
		{"kubernetes-nmstate", "README.md", `NMSTATE_VERSION=v(\S+)`},
		{"Prometheus", "operations/go.mod", `prometheus/prometheus v(\S+)`},
		{"Argo CD", "operations/go.mod", `gopher-lua v(\S+)`},
		{"kstatus, as in Flux", "operations/go.mod", `cli-utils v(\S+)`},
	} {
		text, err := os.ReadFile(asked.file)
		if err != nil {
			t.Fatal(err)
		}
		found := regexp.MustCompile(asked.version).FindStringSubmatch(string(text))
		if found == nil {
			t.Errorf("%s: nothing is like %s any more", asked.file, asked.version)
			continue
		}
		_, row, is := strings.Cut(string(table), "\n| "+asked.row+" |")
		row, _, _ = strings.Cut(row, "\n")
		if !is || !regexp.MustCompile(`\b`+regexp.QuoteMeta(found[1])+`\b`).MatchString(row) {
			t.Errorf("docs/versions.md, row %s: does not name %s of %s", asked.row, found[1], asked.file)
		}
	}
}

// TestTheThreatModelNamesTestsThatExist holds what docs/threat-model.md names as proof.
func TestTheThreatModelNamesTestsThatExist(t *testing.T) {
	page, err := os.ReadFile("docs/threat-model.md")
	if err != nil {
		t.Fatal(err)
	}
	var tests strings.Builder
	for _, pattern := range []string{"deploy/*_test.go", "server/*_test.go", "e2e/*_test.go", "e2e/api/*_test.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v", pattern, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			tests.Write(text)
		}
	}
	named := regexp.MustCompile("`(Test[A-Za-z]+)`").FindAllStringSubmatch(string(page), -1)
	if len(named) < 10 {
		t.Errorf("docs/threat-model.md names %d tests", len(named))
	}
	for _, test := range named {
		if !strings.Contains(tests.String(), "\nfunc "+test[1]+"(") {
			t.Errorf("docs/threat-model.md names %s, which does not exist", test[1])
		}
	}
}

package main

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestEveryFlagIsInTheOperatorsTable compares the names that the binary tells of with those of docs/operations.md. It asks the binary,
// so that it holds whatever reads the command line.
func TestEveryFlagIsInTheOperatorsTable(t *testing.T) {
	said, err := exec.CommandContext(t.Context(), "go", "run", ".", "-h").CombinedOutput()
	if err != nil {
		t.Fatalf("wukong -h: %v\n%s", err, said)
	}
	page, err := os.ReadFile("docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "\n## Flags\n")
	table, _, _ = strings.Cut(table, "\n## ")
	told := named(regexp.MustCompile(`(?m)^\s+(?:-\w, )?--?([a-z][a-z-]+)\b`), string(said))
	if len(told) < 10 {
		t.Fatalf("wukong -h tells of %q only:\n%s", told, said)
	}
	var rows []string
	for _, row := range regexp.MustCompile(`(?m)^\| (.*?) \|`).FindAllStringSubmatch(table, -1) {
		rows = append(rows, named(regexp.MustCompile("`-([a-z-]+)`"), row[1])...)
	}
	slices.Sort(rows)
	if diff := cmp.Diff(told, rows); diff != "" {
		t.Errorf("the flags of docs/operations.md differ (-wukong -h +table):\n%s", diff)
	}
}

// named are the names that a pattern finds, each once; help is no flag to tell of.
func named(pattern *regexp.Regexp, text string) []string {
	var all []string
	for _, found := range pattern.FindAllStringSubmatch(text, -1) {
		if found[1] != "help" && !slices.Contains(all, found[1]) {
			all = append(all, found[1])
		}
	}
	slices.Sort(all)
	return all
}

package node

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
)

// update writes the tables of the page with what was seen.
var update = flag.Bool("update", false, "write the rows of docs/node.md anew, of what has run")

// page is what tells people what was seen.
const page = "../../docs/node.md"

// The headings of the tables in the page.
const (
	example = "Example 4.1"
	looked  = "The look against the truth"
	failed  = "NMState's failures"
)

// seenRows are the rows of tables that were seen in this run.
type seenRows struct {
	sync.Mutex
	all map[string]map[string]string // the lines, by heading and first cell
}

var tables = seenRows{all: map[string]map[string]string{}}

// note notes a row of a table.
func (s *seenRows) note(heading string, cells ...string) {
	s.Lock()
	defer s.Unlock()
	if s.all[heading] == nil {
		s.all[heading] = map[string]string{}
	}
	s.all[heading][cells[0]] = "| " + strings.Join(cells, " | ") + " |"
}

// renew is a page with the rows that were seen in place of those that it has. Rows that are new come last, but for the table of all set-ups, which has
// the order of the rows.
func (s *seenRows) renew(text string) string {
	var renewed, rows []string
	heading := ""
	end := func() {
		if len(rows) > 2 {
			renewed = append(renewed, s.table(heading, rows)...)
		}
		rows = nil
	}
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
		if strings.HasPrefix(line, "|") {
			rows = append(rows, line)
			continue
		}
		end()
		if title, is := strings.CutPrefix(line, "## "); is {
			heading = title
		}
		renewed = append(renewed, line)
	}
	end()
	return strings.Join(renewed, "\n") + "\n"
}

// table is a table with the rows that were seen.
func (s *seenRows) table(heading string, lines []string) []string {
	rows := maps.Clone(s.all[heading])
	if rows == nil {
		return lines
	}
	var order []string
	for _, line := range lines[2:] {
		name := firstCell(line)
		order = append(order, name)
		if rows[name] == "" {
			rows[name] = line
		}
	}
	for _, name := range slices.Sorted(maps.Keys(rows)) {
		if !slices.Contains(order, name) {
			order = append(order, name)
		}
	}
	if heading == looked {
		order = names(table)
	}
	renewed := slices.Clone(lines[:2])
	for _, name := range order {
		if rows[name] != "" {
			renewed = append(renewed, rows[name])
		}
	}
	return renewed
}

func firstCell(line string) string {
	cell, _, _ := strings.Cut(strings.TrimPrefix(line, "| "), " | ")
	return cell
}

func names(rows []row) []string {
	var all []string
	for _, r := range rows {
		all = append(all, r.name)
	}
	return all
}

// write writes the page.
func (s *seenRows) write() error {
	text, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	return os.WriteFile(page, []byte(s.renew(string(text))), 0o644)
}

// TestPage holds that the page has every row of the table, and no other, with what is right.
func TestPage(t *testing.T) {
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	_, part, found := strings.Cut(string(text), "## "+looked+"\n")
	if !found {
		t.Fatalf("%s has no heading %q", page, looked)
	}
	part, _, _ = strings.Cut(part, "\n## ")
	var got, want []string
	for line := range strings.SplitSeq(part, "\n") {
		if cells := strings.Split(line, " | "); len(cells) > 2 && !strings.HasPrefix(line, "| set-up") {
			got = append(got, firstCell(line)+": "+cells[1])
		}
	}
	for _, r := range table {
		want = append(want, r.name+": "+r.verdict())
	}
	if missing := slices.DeleteFunc(slices.Clone(want), func(line string) bool { return slices.Contains(got, line) }); len(missing) > 0 {
		t.Errorf("%s lacks:\n%s\nrun with -update", page, strings.Join(missing, "\n"))
	}
	if more := slices.DeleteFunc(slices.Clone(got), func(line string) bool { return slices.Contains(want, line) }); len(more) > 0 {
		t.Errorf("%s has, and the table does not:\n%s", page, strings.Join(more, "\n"))
	}
	if once := slices.Compact(slices.Sorted(slices.Values(names(table)))); len(once) != len(table) {
		t.Errorf("of %d rows only %d have a name of their own", len(table), len(once))
	}
}

// TestRenew holds that a page keeps everything but the rows that were seen.
func TestRenew(t *testing.T) {
	s := seenRows{all: map[string]map[string]string{}}
	s.note(example, "a step", "new")
	s.note(example, "one more", "last")
	text := fmt.Sprintf("# A page\n\n## %s\n\n| step | lost |\n|---|---|\n| a step | old |\n| another | stays |\n\nText.\n\n## Else\n\n| a | b |\n|---|---|\n| a step | old |\n", example)
	want := fmt.Sprintf("# A page\n\n## %s\n\n| step | lost |\n|---|---|\n| a step | new |\n| another | stays |\n| one more | last |\n\nText.\n\n## Else\n\n| a | b |\n|---|---|\n| a step | old |\n", example)
	if got := s.renew(text); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

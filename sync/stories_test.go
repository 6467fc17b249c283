package sync_test

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// storyLimit is how long a sentence may be, in characters: one line of the list.
const storyLimit = 160

// section is a hook in the list of stories. Its first group has no heading.
type section []*group

// group is a heading with the stories below it.
type group struct {
	heading, text string
	stories       []*story
}

// story is one case, or the numbered moments of one.
type story struct {
	name, sentence string
	moments        []string // directories, in their order
}

// TestStories holds that testdata/README.md lists each story once, and says something of it. With -update the list is made
// from the directories; the sentences, the headings and the order are kept from the file as it is.
func TestStories(t *testing.T) {
	path := filepath.Join("..", "testdata", "README.md")
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	order := []string{
		"sync", "finalize", "customize", "network-sync", "network-finalize", "network-customize", "node-sync", "node-customize",
	}
	if len(order) != len(hooks) {
		t.Fatalf("there are %d hooks, and %d have an order", len(hooks), len(order))
	}
	intro, sections := parseStories(string(file))
	parts := []string{intro}
	for _, hook := range order {
		there := storiesOf(t, hook)
		if !*update {
			checkStories(t, hook, sections[hook], there)
		}
		parts = append(parts, listed(hook, settled(sections[hook], there)))
	}
	// Where something was said already, the difference would only say it again.
	if !t.Failed() {
		golden(t, path, []byte(strings.Join(parts, "\n")))
	}
}

// momentOf takes the name of a directory apart: story, number, what happens at that moment.
var momentOf = regexp.MustCompile(`^(.+?)-([0-9]{1,2})-(.+)$`)

// storiesOf are the directories of a hook by the name of their story.
func storiesOf(t *testing.T, hook string) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	for _, dir := range cases(t, hook) {
		name := filepath.Base(dir)
		if parts := momentOf.FindStringSubmatch(name); parts != nil {
			name = parts[1]
		}
		found[name] = append(found[name], filepath.Base(dir))
	}
	for _, moments := range found {
		slices.SortStableFunc(moments, func(a, b string) int { return cmp.Compare(number(a), number(b)) })
	}
	return found
}

// number is that of a moment; 10 comes after 9.
func number(dir string) int {
	n := 0
	if parts := momentOf.FindStringSubmatch(dir); parts != nil {
		n, _ = strconv.Atoi(parts[2])
	}
	return n
}

// storyLine is the first line of a story. Its name is a link, unless it has moments.
var storyLine = regexp.MustCompile(`^- \[?([a-z0-9-]+)`)

// parseStories reads the list: what is before the first hook, and the hooks. Links are not read, they are made again.
func parseStories(file string) (intro string, sections map[string]section) {
	sections = map[string]section{}
	hook := ""
	var in *group
	for line := range strings.Lines(file) {
		text := strings.TrimSpace(line)
		if name, ok := strings.CutPrefix(text, "## /"); ok {
			hook, in = strings.ReplaceAll(name, "/", "-"), &group{}
			sections[hook] = append(sections[hook], in)
			continue
		}
		switch {
		case in == nil:
			intro += line
		case strings.HasPrefix(text, "### "):
			in = &group{heading: strings.TrimPrefix(text, "### ")}
			sections[hook] = append(sections[hook], in)
		case storyLine.MatchString(line):
			in.stories = append(in.stories, &story{name: storyLine.FindStringSubmatch(line)[1]})
		case text == "":
		case len(in.stories) == 0:
			in.text += text + "\n"
		case !strings.HasPrefix(text, "["):
			last := in.stories[len(in.stories)-1]
			last.sentence = strings.TrimSpace(last.sentence + " " + text)
		}
	}
	return strings.TrimRight(intro, "\n") + "\n", sections
}

// settled is a section with the stories that are there: each once, where the file has it first, and those that the file
// does not have under a heading of their own. The section is not modified.
func settled(s section, there map[string][]string) section {
	left := maps.Clone(there)
	var made section
	for _, g := range s {
		kept := &group{heading: g.heading, text: g.text}
		for _, one := range g.stories {
			if moments, ok := left[one.name]; ok {
				kept.stories = append(kept.stories, &story{name: one.name, sentence: one.sentence, moments: moments})
				delete(left, one.name)
			}
		}
		if len(kept.stories) > 0 || kept.heading == "" {
			made = append(made, kept)
		}
	}
	if len(left) == 0 {
		return made
	}
	const heading = "New"
	i := slices.IndexFunc(made, func(g *group) bool { return g.heading == heading })
	if i < 0 {
		i, made = len(made), append(made, &group{heading: heading})
	}
	for _, name := range slices.Sorted(maps.Keys(left)) {
		made[i].stories = append(made[i].stories, &story{name: name, moments: left[name]})
	}
	return made
}

// listed is a section as the file has it.
func listed(hook string, s section) string {
	var b strings.Builder
	fmt.Fprintf(&b, "## /%s\n", strings.ReplaceAll(hook, "-", "/"))
	for _, g := range s {
		if g.heading != "" {
			fmt.Fprintf(&b, "\n### %s\n", g.heading)
		}
		if g.text != "" {
			fmt.Fprintf(&b, "\n%s", g.text)
		}
		if len(g.stories) > 0 {
			b.WriteString("\n")
		}
		for _, one := range g.stories {
			b.WriteString(one.line(hook))
		}
	}
	return b.String()
}

// line is a story in the list: its name, its sentence, its moments.
func (s *story) line(hook string) string {
	var b strings.Builder
	alone := slices.Equal(s.moments, []string{s.name})
	if alone {
		fmt.Fprintf(&b, "- [%s](%s/%s):\n", s.name, hook, s.name)
	} else {
		fmt.Fprintf(&b, "- %s:\n", s.name)
	}
	if s.sentence != "" {
		fmt.Fprintf(&b, "  %s\n", s.sentence)
	}
	for i, dir := range s.moments {
		if alone {
			break
		}
		end := ","
		if i == len(s.moments)-1 {
			end = "."
		}
		moment := strings.ReplaceAll(strings.TrimPrefix(dir, s.name+"-"), "-", " ")
		fmt.Fprintf(&b, "  [%s](%s/%s)%s\n", moment, hook, dir, end)
	}
	return b.String()
}

// checkStories says what is wrong with a section of the file.
func checkStories(t *testing.T, hook string, s section, there map[string][]string) {
	t.Helper()
	seen := map[string]bool{}
	for _, g := range s {
		for _, one := range g.stories {
			switch n := utf8.RuneCountInString(one.sentence); {
			case seen[one.name]:
				t.Errorf("testdata/README.md lists %s/%s twice", hook, one.name)
			case there[one.name] == nil:
				t.Errorf("testdata/README.md lists %s/%s, which is gone; run: go test ./sync -update", hook, one.name)
			case n == 0:
				t.Errorf("testdata/README.md has no sentence for %s/%s: say in one what decides, and what is answered", hook, one.name)
			case n > storyLimit:
				t.Errorf("testdata/README.md: the sentence for %s/%s has %d characters, and may have %d", hook, one.name, n, storyLimit)
			case repeats(one.sentence, one.name+" "+strings.Join(there[one.name], " ")):
				t.Errorf("testdata/README.md: the sentence for %s/%s says no more than its name", hook, one.name)
			}
			seen[one.name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(there)) {
		if !seen[name] {
			t.Errorf("testdata/README.md does not list %s/%s; run: go test ./sync -update, and write its sentence", hook, name)
		}
	}
}

// words are what a sentence or a name consists of. A possessive has lost its apostrophe in a name.
func words(s string) []string {
	s = strings.ReplaceAll(strings.ToLower(s), "'", "")
	return strings.FieldsFunc(s, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') })
}

// repeats says that a sentence has no word that the names do not have.
func repeats(sentence, names string) bool {
	known := append(words(names), "a", "an", "the")
	return !slices.ContainsFunc(words(sentence), func(w string) bool { return !slices.Contains(known, w) })
}

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"novasphere.dev/wukong/admission"
)

// readmeLimit is how many lines a stranger reads at once, and lineLimit how many characters a line of a page has.
const (
	readmeLimit = 150
	lineLimit   = 120
	wordLimit   = 10
)

// translated are the pages that exist in two languages.
var translated = map[string]string{
	"README.md":               "README.zh-CN.md",
	"docs/tasks.md":           "docs/zh-CN/tasks.md",
	"docs/troubleshooting.md": "docs/zh-CN/troubleshooting.md",
}

// page is a page of the documents, taken apart.
type page struct {
	path     string
	text     string
	lines    []string
	headings []heading
	blocks   []block
}

// heading is a heading with the words in backquotes, up to the next heading.
type heading struct {
	level int
	title string
	words []string
}

// block is a fenced block, without its indentation.
type block struct {
	language string
	line     int
	text     string
}

// pages are all pages but the list of golden cases and CHANGELOG.
func pages(t *testing.T) []page {
	t.Helper()
	var all []page
	for _, pattern := range []string{"README*.md", "CONTRIBUTING.md", "docs/*.md", "docs/zh-CN/*.md", "examples/*.md", "deploy/*.md"} {
		paths, err := filepath.Glob(pattern)
		if err != nil || len(paths) == 0 {
			t.Fatalf("there is no page %s (%v)", pattern, err)
		}
		for _, path := range paths {
			all = append(all, readPage(t, path))
		}
	}
	return all
}

var (
	fence   = regexp.MustCompile("^(\\s*)```([a-z]*)\\s*$")
	title   = regexp.MustCompile(`^(#+) (.*)$`)
	quoted  = regexp.MustCompile("`([^`]+)`")
	comment = regexp.MustCompile(`(?m)(^|\s+)# .*$`)
)

func readPage(t *testing.T, path string) page {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	p := page{path: path, text: string(text), lines: strings.Split(strings.TrimRight(string(text), "\n"), "\n"), headings: []heading{{}}}
	var open *block
	indent := ""
	for i, line := range p.lines {
		m := fence.FindStringSubmatch(line)
		switch last := &p.headings[len(p.headings)-1]; {
		case open != nil && m != nil:
			p.blocks, open = append(p.blocks, *open), nil
		case open != nil:
			open.text += strings.TrimPrefix(line, indent) + "\n"
		case m != nil:
			indent, open = m[1], &block{language: m[2], line: i + 1}
		case title.MatchString(line):
			m := title.FindStringSubmatch(line)
			p.headings = append(p.headings, heading{level: len(m[1]), title: m[2]})
		default:
			for _, word := range quoted.FindAllStringSubmatch(line, -1) {
				last.words = append(last.words, word[1])
			}
		}
	}
	if open != nil {
		t.Errorf("%s:%d: the block has no end", path, open.line)
	}
	return p
}

// TestReadmeIsSoonRead holds how long README is, in each language.
func TestReadmeIsSoonRead(t *testing.T) {
	for _, path := range []string{"README.md", translated["README.md"]} {
		if n := len(readPage(t, path).lines); n > readmeLimit {
			t.Errorf("%s has %d lines, and may have %d: move something to a page, and link to that", path, n, readmeLimit)
		}
	}
}

// TestLinesOfPagesAreShort holds how long a line is. Tables have one line for each row, and a link cannot be broken.
func TestLinesOfPagesAreShort(t *testing.T) {
	link := regexp.MustCompile(`\]\([^)]*\)|https?://\S+`)
	for _, p := range pages(t) {
		if slices.Contains(longLines, p.path) {
			continue
		}
		for i, line := range p.lines {
			text := strings.TrimSpace(link.ReplaceAllString(line, ""))
			if n := utf8.RuneCountInString(text); n > lineLimit && !strings.HasPrefix(text, "|") && !strings.HasPrefix(text, "wukong render: ") {
				t.Errorf("%s:%d has %d characters, and may have %d", p.path, i+1, n, lineLimit)
			}
		}
	}
}

// longLines are the pages whose lines are longer: a change of all of them would hide what else changes there.
var longLines = []string{"docs/decisions.md", "docs/operations.md", "deploy/README.md"}

// TestGlossaryIsShort holds that nobody has to learn more words than that.
func TestGlossaryIsShort(t *testing.T) {
	rows := 0
	for _, line := range readPage(t, "docs/glossary.md").lines {
		if strings.HasPrefix(line, "| ") {
			rows++
		}
	}
	if rows--; rows < 1 || rows > wordLimit { // the first is the head
		t.Errorf("docs/glossary.md has %d words, and may have %d: say others in the words of the field", rows, wordLimit)
	}
}

// TestFirstExampleIsAFile holds that README shows the very file that it applies.
func TestFirstExampleIsAFile(t *testing.T) {
	file, err := os.ReadFile("examples/first-vm.yaml")
	if err != nil {
		t.Fatal(err)
	}
	_, want, _ := strings.Cut(string(file), "apiVersion")
	want = comment.ReplaceAllString("apiVersion"+want, "")
	for _, path := range []string{"README.md", translated["README.md"]} {
		if !slices.ContainsFunc(readPage(t, path).blocks, func(b block) bool { return comment.ReplaceAllString(b.text, "") == want }) {
			t.Errorf("%s does not show examples/first-vm.yaml as it is", path)
		}
	}
}

// program is the binary, built once for a test.
func program(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "wukong")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}

// TestEveryWukongOnAPageIsRendered renders each Wukong and WukongNetwork that a page shows, be it in a command or a part of one, as the
// API server and the hook would take it. Shared networks are those of the same page.
func TestEveryWukongOnAPageIsRendered(t *testing.T) {
	wukong := program(t)
	rendered := 0
	for _, p := range pages(t) {
		networks, wukongs := shown(t, p)
		for place, object := range wukongs {
			rendered++
			cmd := exec.CommandContext(t.Context(), wukong, "render", "-")
			cmd.Stdin = strings.NewReader(strings.Join(append(slices.Clone(networks), object), "\n---\n"))
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%s: %v: %s\n%s", place, err, out, object)
			}
		}
		if len(wukongs) == 0 && len(networks) > 0 {
			cmd := exec.CommandContext(t.Context(), wukong, "render", "-")
			cmd.Stdin = strings.NewReader(strings.Join(networks, "\n---\n"))
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%s: %v: %s", p.path, err, out)
			}
		}
	}
	if rendered < 10 {
		t.Errorf("only %d Wukongs were found", rendered)
	}
}

// shown are the WukongNetworks and the Wukongs of a page. A block that begins with networks: is a part of a Wukong.
func shown(t *testing.T, p page) (networks []string, wukongs map[string]string) {
	t.Helper()
	wukongs = map[string]string{}
	for _, b := range p.blocks {
		for i, document := range manifests(b) {
			var object struct {
				APIVersion, Kind string
				Networks         []any
			}
			if err := yaml.Unmarshal([]byte(document), &object); err != nil {
				t.Errorf("%s:%d: %v", p.path, b.line, err)
			}
			place := fmt.Sprintf("%s:%d (%d)", p.path, b.line, i+1)
			switch ours := strings.HasPrefix(object.APIVersion, "vm.novasphere.dev/"); {
			case ours && object.Kind == "WukongNetwork":
				networks = append(networks, document)
			case ours && object.Kind == "Wukong":
				wukongs[place] = document
			case object.Kind == "" && object.Networks != nil:
				wukongs[place] = "apiVersion: vm.novasphere.dev/v1alpha1\nkind: Wukong\nmetadata: {name: part}\nspec:\n  " +
					strings.ReplaceAll(document, "\n", "\n  ")
			}
		}
	}
	return networks, wukongs
}

// TestEveryOtherManifestOnAPageIsAccepted asks the schemas of NMState's and Multus' kinds about what a page shows of them. Nobody here
// knows the other kinds, which are named.
func TestEveryOtherManifestOnAPageIsAccepted(t *testing.T) {
	schemas := map[string]*admission.Schema{}
	files, err := filepath.Glob("testdata/crds/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no schemas (%v)", err)
	}
	for _, file := range files {
		definition, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		schema, err := admission.New(definition)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		schemas[schema.GroupKind().Kind] = schema
	}
	asked := 0
	for _, p := range pages(t) {
		for _, b := range p.blocks {
			for _, document := range manifests(b) {
				object := &unstructured.Unstructured{}
				if err := yaml.Unmarshal([]byte(document), &object.Object); err != nil {
					t.Errorf("%s:%d: %v", p.path, b.line, err)
				}
				kind := object.GetKind()
				if kind == "" || strings.HasPrefix(object.GetAPIVersion(), "vm.novasphere.dev/") || kind == "NMState" || kind == "Kustomization" {
					continue
				}
				asked++
				if schemas[kind] == nil {
					t.Errorf("%s:%d: there is no schema of the kind %s", p.path, b.line, kind)
				} else if _, err := schemas[kind].Admit(object); err != nil {
					t.Errorf("%s:%d: %v", p.path, b.line, err)
				}
				config, _, _ := unstructured.NestedString(object.Object, "spec", "config")
				if kind == "NetworkAttachmentDefinition" && !json.Valid([]byte(config)) {
					t.Errorf("%s:%d: the config is no JSON: %s", p.path, b.line, config)
				}
			}
		}
	}
	if asked < 4 {
		t.Errorf("only %d manifests were found", asked)
	}
}

// heredoc is what a command reads from the lines below it.
var heredoc = regexp.MustCompile(`(?ms)<<END$\n(.*?)^END$`)

// TestPictureIsThatOfTheExample holds that README shows the picture that the program draws of the first example.
func TestPictureIsThatOfTheExample(t *testing.T) {
	want, err := exec.CommandContext(t.Context(), program(t), "render", "examples/first-vm.yaml", "-o", "mermaid").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"README.md", translated["README.md"]} {
		if !slices.ContainsFunc(readPage(t, path).blocks, func(b block) bool { return b.language == "mermaid" && b.text == string(want) }) {
			t.Errorf("%s does not show this:\n%s", path, want)
		}
	}
}

// TestPicturesAreSmall holds that each picture is shown on a page, and soon there.
func TestPicturesAreSmall(t *testing.T) {
	files, err := filepath.Glob("docs/pictures/*")
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no pictures (%v)", err)
	}
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() > 150<<10 {
			t.Errorf("%s has %d bytes, and may have 150 KiB", file, info.Size())
		}
		if !slices.ContainsFunc(pages(t), func(p page) bool { return strings.Contains(p.text, "]("+strings.TrimPrefix(file, "docs/")+")") }) {
			t.Errorf("no page shows %s", file)
		}
	}
}

// manifests are the YAML documents of a block: the block itself, or what its commands read. A loop is run once.
func manifests(b block) []string {
	var texts []string
	switch b.language {
	case "yaml":
		texts = []string{b.text}
	case "sh":
		for _, m := range heredoc.FindAllStringSubmatch(strings.ReplaceAll(b.text, "$i", "7"), -1) {
			texts = append(texts, m[1])
		}
	}
	var all []string
	for _, text := range texts {
		for document := range strings.SplitSeq("\n"+text, "\n---\n") {
			if strings.TrimSpace(document) != "" {
				all = append(all, strings.TrimSpace(document)+"\n")
			}
		}
	}
	return all
}

// TestEveryFileOfACommandExists holds the paths in commands and in text to the files that there are.
func TestEveryFileOfACommandExists(t *testing.T) {
	path := regexp.MustCompile("(?m)(?:^|[\\s`=@])((?:examples|deploy|testdata|e2e)/[A-Za-z0-9_./*-]*[A-Za-z0-9*])(?:[\\s`]|$)")
	for _, p := range pages(t) {
		for _, m := range path.FindAllStringSubmatch(p.text, -1) {
			if found, err := filepath.Glob(m[1]); (err != nil || len(found) == 0) && m[1] != "deploy/wukong" && m[1] != "examples/FILE" && !strings.HasPrefix(m[1], "testdata/sync/vm-with-nmstate-") {
				t.Errorf("%s names %s, which does not exist", p.path, m[1])
			}
		}
	}
}

// TestEveryRenderOnAPageIsRun runs each command of a page that renders, and compares what it prints with what the page shows; … stands
// for anything.
func TestEveryRenderOnAPageIsRun(t *testing.T) {
	for _, program := range []string{"bash", "jq"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not on the PATH", program)
		}
	}
	wukong := program(t)
	ran := 0
	for _, p := range pages(t) {
		for _, b := range p.blocks {
			for command, want := range commands(b) {
				if !strings.Contains(command, "go run . render") {
					continue
				}
				ran++
				got, failed := printed(t, strings.ReplaceAll(command, "go run .", wukong))
				want = strings.TrimSpace(strings.ReplaceAll(want, "exit status 1\n", "")) // go run says so
				if want != "" && !like(want).MatchString(got) {
					t.Errorf("%s:%d: %s\nprints:\n%s\nand not:\n%s", p.path, b.line, command, got, want)
				}
				if want == "" && failed {
					t.Errorf("%s:%d: %s\nfails:\n%s", p.path, b.line, command, got)
				}
			}
		}
	}
	if ran < 5 {
		t.Errorf("only %d commands were found", ran)
	}
}

// printed is what a command prints, and whether it fails. Warnings of one that does not fail are not shown on a page.
func printed(t *testing.T, command string) (out string, failed bool) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "bash", "-o", "pipefail", "-c", command)
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if cmd.Run() != nil {
		return strings.TrimSpace(stdout.String() + stderr.String()), true
	}
	return strings.TrimSpace(stdout.String()), false
}

// commands are the commands of a block, with what each prints; with sh each line is one, and nothing is shown.
func commands(b block) map[string]string {
	all := map[string]string{}
	last := ""
	for line := range strings.Lines(b.text) {
		switch text, prompted := strings.CutPrefix(line, "$ "); {
		case b.language == "sh":
			all[strings.TrimSpace(line)] = ""
		case b.language == "console" && prompted:
			last = strings.TrimSpace(text)
			all[last] = ""
		case last != "":
			all[last] += line
		}
	}
	return all
}

// like is an expression for a text in which … stands for anything.
func like(text string) *regexp.Regexp {
	return regexp.MustCompile("(?s)^" + strings.ReplaceAll(regexp.QuoteMeta(text), "…", ".*") + "$")
}

// TestEveryStatusLineIsAnswered holds that each status line that a page quotes is one in a golden answer, so that a message is not
// changed without the page.
func TestEveryStatusLineIsAnswered(t *testing.T) {
	answers := statusLines(t)
	for _, path := range []string{"docs/troubleshooting.md", translated["docs/troubleshooting.md"]} {
		lines := 0
		for _, b := range readPage(t, path).blocks {
			if b.language != "text" {
				continue
			}
			for line := range strings.Lines(b.text) {
				lines++
				want := like(strings.TrimSpace(line))
				if !slices.ContainsFunc(answers, want.MatchString) {
					t.Errorf("%s:%d: no golden answer says: %s", path, b.line, line)
				}
			}
		}
		if lines < 30 {
			t.Errorf("%s has only %d status lines", path, lines)
		}
	}
}

// statusLines are the messages in the status of all golden answers.
func statusLines(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/*/*/response.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("there is no golden answer (%v)", err)
	}
	var all []string
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var answer struct {
			Status struct{ Conditions, Networks []struct{ Message string } }
		}
		if err := json.Unmarshal(raw, &answer); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, said := range slices.Concat(answer.Status.Conditions, answer.Status.Networks) {
			all = append(all, said.Message)
		}
	}
	return all
}

// TestEveryReasonIsExplained holds the table of reasons to those that the hook answers.
func TestEveryReasonIsExplained(t *testing.T) {
	source, err := os.ReadFile("types/v1alpha1/reasons.go")
	if err != nil {
		t.Fatal(err)
	}
	reasons := regexp.MustCompile(`Reason = "([A-Za-z]+)"`).FindAllStringSubmatch(string(source), -1)
	if len(reasons) == 0 {
		t.Fatal("there are no reasons")
	}
	for _, path := range []string{"docs/troubleshooting.md", translated["docs/troubleshooting.md"]} {
		text := readPage(t, path).text
		for _, m := range reasons {
			general := strings.HasPrefix(m[1], "WaitingFor") || strings.HasSuffix(m[1], "Pending")
			if !general && !strings.Contains(text, "`"+m[1]+"`") {
				t.Errorf("%s does not explain the reason %s", path, m[1])
			}
		}
	}
}

// TestBothLanguagesSayTheSame holds that a page has the same headings, blocks and words in backquotes in both languages. Comments in
// blocks and the titles of headings are translated.
func TestBothLanguagesSayTheSame(t *testing.T) {
	for english, chinese := range translated {
		en, zh := readPage(t, english), readPage(t, chinese)
		if len(en.headings) != len(zh.headings) {
			t.Errorf("%s has %d headings, and %s %d", english, len(en.headings), chinese, len(zh.headings))
			continue
		}
		for i, h := range en.headings {
			other := zh.headings[i]
			if h.level != other.level {
				t.Errorf("%s: heading %q is of level %d, and %q in %s of level %d", english, h.title, h.level, other.title, chinese, other.level)
			}
			for _, missing := range without(h.words, other.words) {
				t.Errorf("%s: %q does not have `%s`", chinese, other.title, missing)
			}
			for _, missing := range without(other.words, h.words) {
				t.Errorf("%s: %q does not have `%s`", english, h.title, missing)
			}
		}
		if len(en.blocks) != len(zh.blocks) {
			t.Errorf("%s has %d blocks, and %s %d", english, len(en.blocks), chinese, len(zh.blocks))
			continue
		}
		for i, b := range en.blocks {
			other := zh.blocks[i]
			if b.language != other.language || b.untranslated() != other.untranslated() {
				t.Errorf("%s:%d and %s:%d differ", english, b.line, chinese, other.line)
			}
		}
		if a, b := targets(en), targets(zh); !slices.Equal(a, b) {
			t.Errorf("%s links to %v, and %s to %v", english, without(a, b), chinese, without(b, a))
		}
	}
}

// untranslated is what a block says in every language. A picture is as the program draws it.
func (b block) untranslated() string {
	return comment.ReplaceAllString(b.text, "")
}

// targets are the links of a page, in their order in the alphabet: without anchors, which are made of titles, and without folders, which
// are other ones for a page in another folder. A translated page stands for itself in every language.
func targets(p page) []string {
	var all []string
	for _, m := range regexp.MustCompile(`\]\(([^)#]+)[^)]*\)`).FindAllStringSubmatch(p.text, -1) {
		name := m[1]
		if !strings.HasPrefix(name, "http") {
			name = strings.Replace(filepath.Base(name), ".zh-CN", "", 1)
		}
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

// without are the items of a that are not in b.
func without(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(item string) bool { return slices.Contains(b, item) })
}

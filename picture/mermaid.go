package picture

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
)

// said is how much of a message a Mermaid block has. Mermaid itself makes lines of it.
const said = 150

// MermaidLines is how many lines Mermaid draws at most, unless the page that it draws on has set its maxEdges higher.
const MermaidLines = 500

// nothing is what is said where there is nothing to draw.
const nothing = "There is nothing to draw."

// Mermaid writes the graph as a flowchart of Mermaid, as code hosts and editors draw it.
func (g *Graph) Mermaid(out io.Writer) error {
	w := &writer{out: out}
	w.line("flowchart LR")
	inside, told := map[*Box]*Group{}, map[string]bool{}
	for _, group := range g.Groups {
		w.line("  subgraph %s [%s]", group.ID, label(group.heading()))
		for _, b := range g.Boxes {
			if b.Group == group || b.Kind == Bridge && g.feeds(b) == group {
				inside[b] = group
				w.line("    %s", b.mermaid(told))
			}
		}
		w.line("  end")
	}
	for _, b := range g.Boxes {
		if inside[b] == nil {
			w.line("  %s", b.mermaid(told))
		}
	}
	if len(g.Boxes) == 0 {
		w.line("  n0[%s]", label(nothing))
	}
	for _, chain := range chains(g.Lines) {
		w.line("  %s", chain)
	}
	g.classes(w)
	return w.err
}

// heading is the title of a group, with what is wrong there.
func (g *Group) heading() string {
	if m := g.Mark; m.State == Refused || m.State == Failed {
		return g.Title + ": " + Mark{State: m.State}.Label()
	}
	return g.Title
}

// feeds is the one group of nodes from which a bridge is fed; nil where there are several, or none.
func (g *Graph) feeds(b *Box) *Group {
	var one *Group
	for _, l := range g.Lines {
		if l.To == b && l.From.Group != nil {
			if one != nil && one != l.From.Group {
				return nil
			}
			one = l.From.Group
		}
	}
	return one
}

// mermaid is a box as Mermaid has it. A message that another box has told is not told again.
func (b *Box) mermaid(told map[string]bool) string {
	lines := append(b.names(), b.texts()...)
	if says := b.Mark.Label(); says != "" && (b.Mark.State != Good || b.Kind == Guest) {
		lines = append(lines, says)
	}
	if why := b.Mark.Why; why != "" && slices.Contains([]State{Refused, Failed, Held}, b.Mark.State) && !told[why] {
		told[why] = true
		lines = append(lines, cut(why, said))
	}
	open, closed := "[", "]"
	switch b.Kind {
	case Pod:
		open, closed = "([", "])"
	case Guest:
		open, closed = "[[", "]]"
	}
	text := b.ID + open + label(lines...) + closed
	if class := classes[b.Mark.State]; class != "" {
		text += ":::" + string(b.Mark.State)
	}
	return text
}

// names are the type and the name, in one line where both are short.
func (b *Box) names() []string {
	switch {
	case b.Name == "":
		return []string{b.Type}
	case strings.Contains(b.Type, "·") || len(b.Type)+len(b.Name) > 24:
		return []string{b.Type, b.Name}
	}
	return []string{b.Type + " " + b.Name}
}

// label is a quoted label of some lines.
func label(lines ...string) string {
	var safe []string
	for _, line := range lines {
		safe = append(safe, escaped(visible(line)))
	}
	return `"` + strings.Join(safe, "<br/>") + `"`
}

// escaped is a text in which nothing means anything to Mermaid, to Markdown or to HTML: what is neither letter nor digit, and not among
// a few signs, is written as a number.
func escaped(text string) string {
	var b strings.Builder
	for _, r := range text {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune(" -./,:+=()!'·…✓✕–−", r) {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, "#%d;", r)
		}
	}
	return b.String()
}

// arrows are the lines of a flowchart.
func arrow(m Mark) string {
	switch m.State {
	case Refused:
		return " -. ✕ .-> "
	case Absent, Leaving:
		return " -.-> "
	}
	return " --> "
}

// chains are the lines, those that follow one another in one.
func chains(lines []*Line) []string {
	drawn := map[*Line]bool{}
	next := func(at *Box) *Line {
		for _, l := range lines {
			if l.From == at && !drawn[l] {
				return l
			}
		}
		return nil
	}
	into := map[*Box]bool{}
	for _, l := range lines {
		into[l.To] = true
	}
	var all []string
	follow := func(l *Line) {
		text := l.From.ID
		for ; l != nil; l = next(l.To) {
			drawn[l] = true
			text += arrow(l.Mark) + l.To.ID
		}
		all = append(all, text)
	}
	byKind := slices.Clone(lines)
	slices.SortStableFunc(byKind, func(a, b *Line) int { return cmp.Compare(a.From.Kind, b.From.Kind) })
	for _, begins := range []bool{true, false} {
		for _, l := range byKind {
			if !drawn[l] && (!begins || !into[l.From]) {
				follow(l)
			}
		}
	}
	return all
}

// classes are the colours of states, which can be read in a light and in a dark page.
var classes = map[State]string{
	New:     "fill:#dafbe1,stroke:#1a7f37,color:#0a3616",
	Changed: "fill:#fff1c9,stroke:#9a6700,color:#3b2300",
	Held:    "fill:#fff1c9,stroke:#9a6700,color:#3b2300,stroke-dasharray:6 3",
	Waiting: "fill:#fff1c9,stroke:#9a6700,color:#3b2300,stroke-dasharray:2 3",
	Absent:  "fill:#eaeef2,stroke:#57606a,color:#24292f,stroke-dasharray:2 3",
	Leaving: "fill:#eaeef2,stroke:#57606a,color:#24292f,stroke-dasharray:6 3",
	Failed:  "fill:#ffe3e0,stroke:#b3261e,color:#5c0f0a,stroke-width:3px",
	Refused: "fill:#ffe3e0,stroke:#b3261e,color:#5c0f0a,stroke-width:3px,stroke-dasharray:6 3",
}

func (g *Graph) classes(w *writer) {
	for _, state := range g.states() {
		if classes[state] != "" {
			w.line("  classDef %s %s", state, classes[state])
		}
	}
}

// states are the states that are drawn.
func (g *Graph) states() []State {
	there := map[State]bool{}
	for _, b := range g.Boxes {
		there[b.Mark.State] = true
	}
	var all []State
	for _, state := range legend {
		if there[state] {
			all = append(all, state)
		}
	}
	return all
}

// writer writes lines, and keeps the first error.
type writer struct {
	out io.Writer
	err error
}

func (w *writer) line(format string, args ...any) {
	if w.err == nil {
		_, w.err = fmt.Fprintf(w.out, format+"\n", args...)
	}
}

package plan

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
)

// listed is how many nodes a policy's step names one by one.
const listed = 12

// words are the names that people have for the kinds of children.
var words = map[string]string{
	"NodeNetworkConfigurationPolicy": "policy", "NetworkAttachmentDefinition": "attachment", "VirtualMachine": "machine",
}

var signs = map[Verb]string{Create: "+", Change: "~", Delete: "-", Hold: "!", Keep: "="}

// printer writes lines, and keeps the first error.
type printer struct {
	out io.Writer
	err error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.out, format+"\n", args...)
	}
}

// Text writes the plan for people.
func (p *Plan) Text(out io.Writer) error {
	w := &printer{out: out}
	for _, o := range p.Objects {
		o.text(w)
		w.line("")
	}
	if len(p.Others) > 0 {
		w.line("Others, which are in none of the files:")
		for _, o := range p.Others {
			w.line("  %s %s: %s", o.Kind, o.Name, o.Refused+o.Waits)
			w.line("    before: %s", o.Before)
		}
		w.line("")
	}
	for _, missing := range p.Missing {
		w.line("Not known: %s", missing)
	}
	w.line("%s", p.Summary())
	return w.err
}

// text writes one object.
func (o *Object) text(w *printer) {
	verb := map[Verb]string{Create: "is created", Change: "is changed", Keep: "is as in the file already", Hold: "stays as it is"}[o.Verb]
	title := fmt.Sprintf("%s %s (%s)", o.Kind, o.Name, o.File)
	switch {
	case o.Refused != "" && o.Verb == "":
		w.line("%s: REFUSED by the API server", title)
	case o.Refused != "":
		w.line("%s %s: REFUSED (%s)", title, verb, o.Reason)
	case o.Waits != "":
		w.line("%s %s, and WAITS (%s)", title, verb, o.Reason)
	default:
		w.line("%s %s", title, verb)
	}
	lines, ways := o.refusals()
	for _, line := range lines {
		w.line("    %s", line)
	}
	for _, other := range o.Conflicts {
		w.line("    These files conflict with each other: see %s", other)
	}
	for _, n := range o.untold(lines) {
		w.line("    node %s: %s", n.Name, n.says())
	}
	for _, way := range ways {
		w.line("    what helps: %s", way)
	}
	for _, c := range o.Changes {
		w.line("    %s", c)
	}
	for _, s := range o.Steps {
		s.text(w)
	}
	for _, note := range o.Notes {
		w.line("    note: %s", note)
	}
}

// refusals are the lines about why an object is refused or waits, and beside them what would help where a line is about a node that is
// told of anyhow.
func (o *Object) refusals() (lines, ways []string) {
	for _, line := range strings.Split(o.Refused+o.Waits, "\n") {
		switch way, looked := o.looked(line); {
		case line == "":
		case !looked:
			lines = append(lines, line)
		case way != "":
			ways = append(ways, way)
		}
	}
	return lines, ways
}

// untold are the looks at nodes that no line has told of.
func (o *Object) untold(lines []string) []Node {
	return slices.DeleteFunc(slices.Clone(o.Looks), func(n Node) bool {
		found := n.Refused + n.Waits
		return found != "" && slices.ContainsFunc(lines, func(line string) bool { return strings.HasPrefix(line, found) })
	})
}

// looked reports whether a line says what is found of a node, which is told of anyhow, and nothing more than what would help, the way.
func (o *Object) looked(line string) (way string, looked bool) {
	for _, n := range o.Looks {
		found := n.Refused + n.Waits
		if found == "" {
			continue
		}
		if line == found {
			return "", true
		}
		if way, helps := strings.CutPrefix(line, found+": "); helps {
			return way, true
		}
	}
	return "", false
}

// says is what is found of a node.
func (n Node) says() string {
	switch {
	case n.Refused != "":
		return "REFUSED: " + strings.TrimPrefix(n.Refused, "node "+n.Name+": ")
	case n.Waits != "":
		return "WAITS: " + strings.TrimPrefix(n.Waits, "node "+n.Name+": ")
	}
	return "nothing speaks against it"
}

func (s *Step) text(w *printer) {
	name := s.Name
	if s.Namespace != "" {
		name = s.Namespace + "/" + s.Name
	}
	round := fmt.Sprintf("%d.", s.Round)
	if s.Verb == Keep || s.Verb == Hold {
		round = ""
	}
	w.line("  %3s %s %s %s%s", round, signs[s.Verb], words[s.Kind], name, map[Verb]string{
		Keep: " is as it should be", Hold: " is held as it is", Delete: " is deleted",
	}[s.Verb])
	if s.Why != "" {
		w.line("        %s", s.Why)
	}
	for _, d := range s.Dangers {
		w.line("        %s: %s", strings.ToUpper(d.Kind), d.Message)
	}
	for _, c := range s.Changes {
		w.line("        %s", c)
	}
	var good []string
	for _, n := range s.Nodes {
		if n.Refused != "" || n.Waits != "" {
			w.line("        on %s: %s", n.Name, n.says())
		} else {
			good = append(good, n.Name)
		}
	}
	if more := len(good) - listed; more > 0 {
		good = append(good[:listed], fmt.Sprintf("%d more", more))
	}
	if len(good) > 0 {
		w.line("        on %s", strings.Join(good, ", "))
	}
}

// String is a field that changes, in one line.
func (d Difference) String() string {
	switch {
	case d.From == nil:
		return fmt.Sprintf("%s: %s is added", d.Path, short(d.To))
	case d.To == nil:
		return fmt.Sprintf("%s: %s is removed", d.Path, short(d.From))
	}
	return fmt.Sprintf("%s: %s -> %s", d.Path, short(d.From), short(d.To))
}

// width is how many characters of a value are shown.
const width = 120

func short(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	if runes := []rune(string(text)); len(runes) > width {
		return string(runes[:width]) + "…"
	}
	return string(text)
}

// Summary is the plan in one line.
func (p *Plan) Summary() string {
	count := map[string]int{}
	for _, o := range p.Objects {
		switch {
		case o.Refused != "":
			count["refused"]++
		case o.Waits != "":
			count["waiting"]++
		case o.Verb == Create:
			count["to create"]++
		case o.Verb == Change:
			count["to change"]++
		default:
			count["as it is"]++
		}
		for _, s := range o.Steps {
			for _, d := range s.Dangers {
				count[d.Kind]++
			}
		}
	}
	var parts []string
	for _, what := range []string{"to create", "to change", "as it is", "waiting", "refused"} {
		if count[what] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", count[what], what))
		}
	}
	for _, danger := range []struct{ kind, says string }{
		{"Restart", "RESTART"}, {"Stop", "STOP"}, {"Network", "NETWORK TAKEN"}, {"Machine", "MACHINE DELETED"}, {"Disk", "DISK LOST"}, {"Bridge", "BRIDGE GIVEN UP"},
	} {
		if n := count[danger.kind]; n > 0 {
			parts = append(parts, fmt.Sprintf("%s: %d", danger.says, n))
		}
	}
	if len(p.Others) > 0 {
		parts = append(parts, fmt.Sprintf("%d others concerned", len(p.Others)))
	}
	return "Plan: " + strings.Join(parts, ", ") + "."
}

// JSON writes the plan for programs.
func (p *Plan) JSON(out io.Writer) error {
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(p)
}

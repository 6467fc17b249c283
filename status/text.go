package status

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"
)

// few is up to how many objects all trees are printed, where none is named. Of more the good ones are one line each.
const few = 3

var marks = map[State]string{Good: "ok", Waiting: "..", Failed: "!!", Absent: "--"}

// Text writes the report for people.
func (r *Report) Text(out io.Writer) error {
	w := &printer{out: out}
	for i, root := range r.Roots {
		if i > 0 && (len(root.Branches) > 0 && r.whole(root)) {
			w.line("")
		}
		r.text(w, root)
	}
	if len(r.Roots) == 0 && len(r.Unknown) == 0 {
		w.line("There are no Wukongs and no WukongNetworks.")
	}
	for _, name := range r.Unknown {
		w.line("There is no Wukong and no WukongNetwork %s.", name)
	}
	for _, missing := range r.Missing {
		w.line("Not known: %s", missing)
	}
	return w.err
}

// whole reports whether the tree of an object is printed.
func (r *Report) whole(root *Branch) bool {
	return r.named || len(r.Roots) <= few || root.State != Good
}

func (r *Report) text(w *printer, root *Branch) {
	w.line("%s %s %s: %s%s", marks[root.State], root.Kind, root.Name, root.Says, r.age(root))
	if !r.whole(root) {
		return
	}
	if w.said = ""; root.Message != "" {
		w.say("   ", root.Message)
	}
	for i, b := range root.Branches {
		r.branch(w, b, "   ", i == len(root.Branches)-1)
	}
	if root.Next != "" {
		w.line("   next: %s", root.Next)
	}
}

// branch writes a branch and those below it. A message that the one above has said already is not said again.
func (r *Report) branch(w *printer, b *Branch, indent string, last bool) {
	fork, below := "├─ ", "│  "
	if last {
		fork, below = "└─ ", "   "
	}
	w.line("%s%s%s %s %s: %s%s", indent, fork, marks[b.State], b.Kind, b.Name, b.Says, r.age(b))
	if b.Message != "" && b.State != Good && !strings.Contains(w.said, b.Message) {
		stem := "   "
		if len(b.Branches) > 0 {
			stem = "│  "
		}
		w.say(indent+below+stem, b.Message)
	}
	for i, branch := range b.Branches {
		r.branch(w, branch, indent+below, i == len(b.Branches)-1)
	}
}

// age is since when a branch stands as it does; empty where nobody knows.
func (r *Report) age(b *Branch) string {
	if b.Since.IsZero() {
		return ""
	}
	age := r.Now.Sub(b.Since.Time)
	if age < 0 {
		age = 0
	}
	return fmt.Sprintf(", since %s (%s)", b.Since.UTC().Format(time.DateTime), duration.HumanDuration(age))
}

// JSON writes the report for programs.
func (r *Report) JSON(out io.Writer) error {
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// printer writes lines, and keeps the first error.
type printer struct {
	out  io.Writer
	err  error
	said string // the messages of the tree so far
}

func (p *printer) say(indent, message string) {
	p.said += message + "\n"
	p.line("%s%s", indent, message)
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.out, format+"\n", args...)
	}
}

// usefulLine is the line of NMState's many that says what went wrong: the last that mentions an error, else the last of all.
func usefulLine(message string) string {
	last, useful := "", ""
	for line := range strings.Lines(message) {
		if line = strings.Join(strings.Fields(line), " "); line != "" {
			last = line
		}
		if strings.Contains(line, "NmstateError") {
			useful = line[strings.Index(line, "NmstateError"):]
		}
	}
	if useful == "" {
		return last
	}
	return useful
}

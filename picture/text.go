package picture

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// signs stand before the word for a state, so that nobody needs colours.
var signs = map[State]string{
	Good: "✓", New: "+", Changed: "~", Held: "!", Waiting: "…", Absent: "–", Leaving: "−", Failed: "✕", Refused: "✕",
}

// states are the words for states.
var states = map[State]string{
	Good: "as it should be", New: "would be created", Changed: "would be changed", Held: "stays as it is", Waiting: "waits",
	Absent: "not made yet", Leaving: "goes away", Failed: "failed", Refused: "refused",
}

// short are the words for states in a box.
var short = map[State]string{
	Good: "ok", New: "new", Changed: "changed", Held: "held", Waiting: "waits", Absent: "not made", Leaving: "goes away", Failed: "failed", Refused: "refused",
}

// legend is the states in the order in which they are explained.
var legend = []State{Good, New, Changed, Held, Waiting, Absent, Leaving, Failed, Refused}

// Label is a mark in a few words; empty where there is nothing to say.
func (m Mark) Label() string {
	if m.State == Shown {
		return ""
	}
	text := signs[m.State] + " " + short[m.State]
	if m.Word != "" && m.State != New {
		text += ": " + m.Word
	}
	return text
}

// visible is a text with what a reader cannot see written out: control characters, and those that turn the direction of writing.
func visible(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case r == utf8.RuneError || !unicode.IsPrint(r):
			return '�'
		}
		return r
	}, text)
}

// cut is a text of no more than some characters.
func cut(text string, most int) string {
	text = visible(text)
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return text
}

// narrowed is a name of no more than some characters: names are told apart by their ends as well.
func narrowed(name string, most int) string {
	runes := []rune(visible(name))
	if len(runes) <= most {
		return string(runes)
	}
	end := (most - 1) / 2
	return string(runes[:most-1-end]) + "…" + string(runes[len(runes)-end:])
}

// title is all that is said of a box, in lines.
func (b *Box) title() string {
	lines := []string{strings.TrimSpace(b.Type + " " + b.Name)}
	lines = append(lines, b.texts()...)
	if says := b.Mark.Label(); says != "" {
		lines = append(lines, says)
	}
	if b.Mark.Why != "" {
		lines = append(lines, b.Mark.Why)
	}
	for i := range lines {
		lines[i] = visible(lines[i])
	}
	return strings.Join(lines, "\n")
}

// texts are the lines below the name of a box.
func (b *Box) texts() []string {
	if b.Built == "" {
		return b.Texts
	}
	return append(slices.Clone(b.Texts), b.Built)
}

// plural is a number of things.
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

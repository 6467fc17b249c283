package picture

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"io"
	"strings"
)

// style is the whole of the page's style, and markup its template.
//
//go:embed page.css
var style string

//go:embed page.html
var markup string

// page is what the template reads.
type page struct {
	Title, Summary string
	Names          string
	Style          template.CSS
	Policy         string // which the page gives itself: nothing is loaded, and nothing is run
	Drawing        svg
	States         []State
	Needs          []need
	Passages       []passage
	Notes          []Note
	Unknown        []string
	Nothing        string
}

// HTML writes the graph as a page that needs nothing else: no network, no script.
func (g *Graph) HTML(out io.Writer) error {
	t, err := template.New("page").Funcs(template.FuncMap{
		"class": class, "visible": visible, "label": Mark.Label, "state": func(s State) string { return signs[s] + " " + states[s] },
		"lines": func(s string) []string { return strings.Split(s, "\n") }, "capital": capital, "few": func(m []Member) bool { return len(m) <= few },
	}).Parse(markup)
	if err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(style))
	p := page{
		Title: g.Title, Summary: g.Summary, Names: g.names(), Style: template.CSS(style), //nolint:gosec // it is our own, and has nothing of a scene
		Policy:  "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'",
		Drawing: g.layout().drawn(g), States: g.states(), Needs: g.needs(), Passages: g.passages(), Notes: gathered(g.Notes), Unknown: g.Unknown,
	}
	if len(g.Boxes) == 0 {
		p.Nothing = nothing
	}
	var whole bytes.Buffer
	if err := t.Execute(&whole, p); err != nil {
		return err
	}
	_, err = out.Write(whole.Bytes())
	return err
}

// capital is a text with a capital letter at its beginning.
func capital(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

package picture

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// The drawing as the page's template reads it.
type (
	svg struct {
		Width, Height string
		Size          string // wide or small
		Label         string
		Frames        []svgFrame
		Lines         []svgLine
		Boxes         []svgBox
	}
	svgFrame struct {
		X, Y, W, H, TextX, TextY, Class, Text, Title string
	}
	svgLine struct {
		Class, Path, Arrow, CrossX, CrossY string
	}
	svgBox struct {
		X, Y, W, H, Class, Title, Link string
		Texts                          []svgText
	}
	svgText struct {
		X, Y, Class, Text string
	}
)

// px is a length in pixels.
func px(f float64) string {
	return strconv.FormatFloat(math.Round(f*10)/10, 'f', -1, 64)
}

// class is the class of a state in the page.
func class(s State) string {
	if s == Shown {
		return "shown"
	}
	return string(s)
}

// drawn is a layout as the template reads it.
func (l *layout) drawn(g *Graph) svg {
	s := svg{Width: px(l.width), Height: px(l.height), Label: g.label()}
	if s.Size = "small"; l.width > 850 {
		s.Size = "wide"
	}
	for _, f := range l.frames {
		s.Frames = append(s.Frames, f.drawn())
	}
	for _, w := range l.ways {
		s.Lines = append(s.Lines, w.drawn())
	}
	for _, at := range l.spots {
		s.Boxes = append(s.Boxes, at.drawn())
	}
	return s
}

// label says what the drawing shows, for those who do not see it.
func (g *Graph) label() string {
	counts := map[Kind]int{}
	for _, b := range g.Boxes {
		counts[b.Kind]++
	}
	return fmt.Sprintf("Drawing: %s, %s, %s. The same follows in words.", plural(counts[Bridge], "bridge", "bridges"),
		plural(counts[Attached], "attachment", "attachments"), plural(counts[Guest], "machine or group of machines", "machines or groups of machines"))
}

func (f *frame) drawn() svgFrame {
	return svgFrame{
		X: px(f.x), Y: px(f.y), W: px(f.w), H: px(f.h), TextX: px(f.x + 10), TextY: px(f.y + 16), Class: class(f.group.Mark.State),
		Text: cut(f.group.heading(), int((f.w-20)/charWidth)), Title: f.group.title(),
	}
}

// title is all that is said of a group, in lines: what is gravest, and the nodes where there are many.
func (g *Group) title() string {
	lines := []string{visible(g.Title)}
	if len(g.Nodes) > few {
		for _, name := range g.Nodes {
			lines = append(lines, visible(name))
		}
	}
	if g.Mark.Why != "" {
		lines = append(lines, visible(g.Mark.Why))
	}
	const most = 16
	if len(lines) > most {
		lines = append(lines[:most], fmt.Sprintf("and %d more", len(lines)-most))
	}
	return strings.Join(lines, "\n")
}

func (w way) drawn() svgLine {
	first, last := w.spots[0], w.spots[len(w.spots)-1]
	path := fmt.Sprintf("M%s %s", px(first.x+first.w), px(first.y))
	x, y := first.x+first.w, first.y
	for _, s := range w.spots[1:] {
		to := s.x
		if s == last {
			to -= 6
		}
		if s.w == 0 && s.box == nil {
			continue // a column in which there is nothing
		}
		bend := (to - x) / 2
		path += fmt.Sprintf("C%s %s %s %s %s %s", px(x+bend), px(y), px(to-bend), px(s.y), px(to), px(s.y))
		if x, y = to, s.y; s != last {
			x += s.w
			path += "H" + px(x)
		}
	}
	line := svgLine{Class: class(w.line.Mark.State), Path: path,
		Arrow: fmt.Sprintf("M%s %sl-7 -4v8z", px(last.x), px(last.y))}
	if w.line.Mark.State == Refused {
		line.CrossX, line.CrossY = px(last.x-columnGap/2), px((y+w.spots[len(w.spots)-2].y)/2)
	}
	return line
}

func (s *spot) drawn() svgBox {
	b := svgBox{X: px(s.x), Y: px(s.y - s.h/2), W: px(s.w), H: px(s.h), Class: class(s.box.Mark.State), Title: s.box.title()}
	if s.box.Kind == Guest && len(s.box.Members) > 0 {
		b.Link = "#" + s.box.ID
	}
	for i, t := range s.texts {
		kind := "text"
		switch {
		case i == 0:
			kind = "type"
		case i == 1 && s.box.Name != "":
			kind = "name"
		case i == len(s.texts)-1 && s.box.Mark.Label() != "":
			kind = "mark"
		}
		b.Texts = append(b.Texts, svgText{
			X: px(s.x + boxPad), Y: px(s.y - s.h/2 + boxPad + float64(i)*lineHeight + 12), Class: kind, Text: t,
		})
	}
	return b
}

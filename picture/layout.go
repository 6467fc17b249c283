package picture

import (
	"cmp"
	"math"
	"slices"
	"unicode/utf8"
)

// Sizes in the drawing, in pixels. Names are in a font whose characters are all as wide.
const (
	charWidth  = 7.3
	lineHeight = 16.0
	boxPad     = 10.0
	boxGap     = 14.0 // between boxes of a column
	columnGap  = 46.0
	framePad   = 12.0
	frameHead  = 28.0
	partGap    = 28.0 // between parts that nothing connects
	longest    = 36   // characters of a line in a box
	columns    = 5
)

// spot is a box in its place, or a way point of a line that passes a column by.
type spot struct {
	box    *Box
	column int
	x, y   float64 // of the left edge, and of the middle
	w, h   float64
	before []*spot // from which lines lead here
	after  []*spot // to which lines lead from here
	texts  []string
	apart  float64 // how much farther than others it stands from its neighbours
}

// frame is a group of nodes in its place.
type frame struct {
	group      *Group
	x, y, w, h float64
}

// layout is a graph in its place.
type layout struct {
	width, height float64
	spots         []*spot // boxes only
	frames        []*frame
	ways          []way
	widths        [columns]float64
	lefts         [columns]float64
}

// way is a line with the points that it passes.
type way struct {
	line  *Line
	spots []*spot
}

// column is where the boxes of a kind stand.
func (k Kind) column() int {
	return map[Kind]int{NIC: 0, VLAN: 1, Bridge: 2, Pool: 2, Attached: 3, Pod: 3, Guest: 4}[k]
}

// rows are the lines in a box: what it is, its name, and what is said of it.
func (b *Box) rows() []string {
	all := []string{cut(b.Type, longest)}
	if b.Name != "" {
		all = append(all, narrowed(b.Name, longest))
	}
	for _, t := range b.texts() {
		all = append(all, narrowed(t, longest))
	}
	if says := b.Mark.Label(); says != "" {
		all = append(all, cut(says, longest))
	}
	return all
}

// layout puts a graph in its place: one part above the other, and in each the columns from the wire to the guest.
func (g *Graph) layout() *layout {
	l := &layout{}
	at := map[*Box]*spot{}
	for _, b := range g.Boxes {
		s := &spot{box: b, column: b.Kind.column(), texts: b.rows()}
		s.h = float64(len(s.texts))*lineHeight + 2*boxPad
		for _, t := range s.texts {
			s.w = max(s.w, float64(utf8.RuneCountInString(t))*charWidth+2*boxPad)
		}
		l.widths[s.column] = max(l.widths[s.column], s.w)
		at[b] = s
		l.spots = append(l.spots, s)
	}
	left := 2 * framePad
	for i := range l.lefts {
		l.lefts[i] = left
		if l.widths[i] > 0 {
			left += l.widths[i] + columnGap
		}
	}
	l.width = math.Ceil(left - columnGap + framePad)
	for _, s := range l.spots {
		s.w, s.x = l.widths[s.column], l.lefts[s.column]
	}
	for _, line := range g.Lines {
		l.ways = append(l.ways, l.lead(line, at[line.From], at[line.To]))
	}
	top := framePad
	for _, part := range l.parts(g) {
		top = l.place(part, top) + partGap
	}
	l.height = math.Ceil(top - partGap + framePad)
	return l
}

// lead makes the way of a line, with a way point in each column that it passes by.
func (l *layout) lead(line *Line, from, to *spot) way {
	w := way{line: line, spots: []*spot{from}}
	last := from
	for c := from.column + 1; c < to.column; c++ {
		p := &spot{column: c, x: l.lefts[c], w: l.widths[c], h: 4}
		join(last, p)
		w.spots, last = append(w.spots, p), p
	}
	join(last, to)
	w.spots = append(w.spots, to)
	return w
}

func join(from, to *spot) {
	from.after, to.before = append(from.after, to), append(to.before, from)
}

// part is what hangs together.
type part struct {
	groups []*Group
	spots  [columns][]*spot // in the order of the columns, way points too
}

// parts are the parts of a layout, in the order in which their first boxes are.
func (l *layout) parts(g *Graph) []*part {
	of := map[*spot]*part{}
	groups := map[*Group][]*spot{}
	for _, s := range l.spots {
		if s.box.Group != nil {
			groups[s.box.Group] = append(groups[s.box.Group], s)
		}
	}
	var all []*part
	var walk func(s *spot, p *part)
	walk = func(s *spot, p *part) {
		if of[s] != nil {
			return
		}
		of[s] = p
		p.spots[s.column] = append(p.spots[s.column], s)
		for _, next := range slices.Concat(s.after, s.before) {
			walk(next, p)
		}
		if s.box != nil && s.box.Group != nil {
			if !slices.Contains(p.groups, s.box.Group) {
				p.groups = append(p.groups, s.box.Group)
			}
			for _, next := range groups[s.box.Group] {
				walk(next, p)
			}
		}
	}
	for _, s := range l.spots {
		if of[s] == nil {
			p := &part{}
			walk(s, p)
			slices.SortFunc(p.groups, func(a, b *Group) int { return cmp.Compare(slices.Index(g.Groups, a), slices.Index(g.Groups, b)) })
			all = append(all, p)
		}
	}
	return all
}

// place puts a part below what is above it, and answers where it ends.
func (l *layout) place(p *part, top float64) float64 {
	nodes := p.blocks()
	p.order()
	for _, s := range p.spots[2:] {
		stack(s)
	}
	for range 8 {
		for c := columns - 1; c >= 2; c-- {
			settle(p.spots[c], neighbours)
		}
		nodes.settle()
		for c := 2; c < columns; c++ {
			settle(p.spots[c], neighbours)
		}
	}
	nodes.settle()
	frames := l.frame(p, nodes)
	highest, lowest := p.span(frames)
	move := top - highest
	for _, column := range p.spots {
		for _, s := range column {
			s.y += move
		}
	}
	for _, f := range frames {
		f.y += move
	}
	l.frames = append(l.frames, frames...)
	return lowest + move
}

// span is from where to where a part goes.
func (p *part) span(frames []*frame) (highest, lowest float64) {
	first := true
	take := func(from, to float64) {
		if first {
			highest, lowest, first = from, to, false
		}
		highest, lowest = min(highest, from), max(lowest, to)
	}
	for _, column := range p.spots {
		for _, s := range column {
			take(s.y-s.h/2, s.y+s.h/2)
		}
	}
	for _, f := range frames {
		take(f.y, f.y+f.h)
	}
	return highest, lowest
}

package picture

import (
	"fmt"
	"slices"
	"strings"
)

// passage is one network in words: how it reaches the wire, what it is, and who is on it.
type passage struct {
	Box   *Box // the bridge or the pool; nil where there is none
	Type  string
	Name  string
	Feeds []feed
	Uses  []use
}

// feed is the way from the wire to a network, on some nodes.
type feed struct {
	Title string
	Steps []*Box   // NIC and VLAN
	Mark  Mark     // with the message where all nodes say the same
	Nodes []Member // with the message where they do not
}

// use is an attachment and the machines on it.
type use struct {
	Attachment *Box // nil for the pod network
	Machines   []*Box
}

// State is the gravest of an attachment and its machines.
func (u use) State() State {
	var marks []Mark
	if u.Attachment != nil {
		marks = append(marks, u.Attachment.Mark)
	}
	for _, m := range u.Machines {
		marks = append(marks, m.Mark)
	}
	return gravest(marks).State
}

// passages are the networks of a graph in words.
func (g *Graph) passages() []passage {
	from, to := map[*Box][]*Line{}, map[*Box][]*Line{}
	for _, l := range g.Lines {
		from[l.From] = append(from[l.From], l)
		to[l.To] = append(to[l.To], l)
	}
	used := func(attachments []*Line) []use {
		var all []use
		for _, l := range attachments {
			u := use{Attachment: l.To}
			for _, m := range from[l.To] {
				u.Machines = append(u.Machines, m.To)
			}
			all = append(all, u)
		}
		return all
	}
	var all, rest []passage
	for _, b := range g.Boxes {
		switch {
		case b.Kind == Bridge || b.Kind == Pool:
			all = append(all, passage{Box: b, Type: b.Type, Name: b.Name, Feeds: feeds(b, to), Uses: used(from[b])})
		case b.Kind == NIC && direct(from[b]) != nil:
			rest = append(rest, passage{Type: "NIC", Name: b.Name, Feeds: []feed{fed(direct(from[b])[0], b)}, Uses: used(direct(from[b]))})
		case b.Kind == Attached && len(to[b]) == 0:
			rest = append(rest, passage{Type: "attachment", Name: b.Name, Uses: used([]*Line{{To: b}})})
		}
	}
	if p := podOnly(g, to); len(p.Uses) > 0 {
		rest = append(rest, p)
	}
	all = append(all, rest...)
	listed := map[string]bool{}
	for i := range all {
		all[i].tellOnce()
		all[i].listOnce(listed)
	}
	return all
}

// listOnce takes the list of machines that are alike away where another passage has it.
func (p *passage) listOnce(listed map[string]bool) {
	for _, u := range p.Uses {
		for _, m := range u.Machines {
			if len(m.Members) > 0 && listed[m.ID] {
				m.Members, m.Texts = nil, []string{"listed above"}
			}
			listed[m.ID] = true
		}
	}
}

// tellOnce takes a message away where the passage has told it before.
func (p *passage) tellOnce() {
	told := map[string]bool{"": true}
	once := func(m *Mark) {
		if told[m.Why] {
			m.Why = ""
		}
		told[m.Why] = true
	}
	members := func(all []Member) []Member {
		all = slices.Clone(all)
		for i := range all {
			once(&all[i].Mark)
		}
		return all
	}
	box := func(b *Box) *Box {
		other := *b
		once(&other.Mark)
		other.Members = members(b.Members)
		return &other
	}
	for i := range p.Feeds {
		once(&p.Feeds[i].Mark)
		p.Feeds[i].Nodes = members(p.Feeds[i].Nodes)
	}
	if p.Box != nil {
		p.Box = box(p.Box)
	}
	for i, u := range p.Uses {
		if u.Attachment != nil {
			p.Uses[i].Attachment = box(u.Attachment)
		}
		for j, m := range u.Machines {
			u.Machines[j] = box(m)
		}
	}
}

// Bare reports whether there is nothing to say of the bridge or pool but its name.
func (p passage) Bare() bool {
	return p.Box == nil || len(p.Box.Texts) == 0 && len(p.Box.Members) == 0 && p.Box.Mark.State == Shown && p.Box.Built == ""
}

// direct are the lines of a NIC that lead to attachments.
func direct(lines []*Line) []*Line {
	var all []*Line
	for _, l := range lines {
		if l.To.Kind == Attached {
			all = append(all, l)
		}
	}
	return all
}

// feeds are the ways from the wire to a bridge.
func feeds(b *Box, to map[*Box][]*Line) []feed {
	var all []feed
	for _, l := range to[b] {
		steps := []*Box{l.From}
		for _, nic := range to[l.From] {
			steps = []*Box{nic.From, l.From}
		}
		all = append(all, fed(l, steps...))
	}
	return all
}

// fed is the way that ends with a line.
func fed(l *Line, steps ...*Box) feed {
	f := feed{Title: l.From.Group.Title, Steps: steps, Mark: l.Mark}
	same := true
	for _, why := range l.Whys {
		same = same && why == l.Mark.Why
	}
	if !same {
		f.Mark.Why = ""
	}
	if same && len(l.From.Group.Nodes) <= few {
		return f
	}
	for _, node := range l.From.Group.Nodes {
		m := Member{Name: node}
		if !same {
			m.Mark.Why = l.Whys[node]
		}
		f.Nodes = append(f.Nodes, m)
	}
	return f
}

// podOnly are the machines that are on no network but the pod network, or on none.
func podOnly(g *Graph, to map[*Box][]*Line) passage {
	p := passage{Type: "pod network", Name: "or none"}
	for _, b := range g.Boxes {
		alone := b.Kind == Guest
		for _, l := range to[b] {
			alone = alone && l.From.Kind == Pod
		}
		if alone {
			p.Uses = append(p.Uses, use{Machines: []*Box{b}})
		}
	}
	return p
}

// need is what does not come to be, or waits: of one object, or of many with one reason.
type need struct {
	Title string
	Mark  Mark
	Many  []Member
}

// needs are what is refused, has failed or waits, the gravest first.
func (g *Graph) needs() []need {
	var all []need
	for _, state := range []State{Refused, Failed, Waiting} {
		by := map[string][]Owner{}
		var order []string
		for _, o := range g.Owners {
			if o.State == state {
				if by[o.Word] == nil {
					order = append(order, o.Word)
				}
				by[o.Word] = append(by[o.Word], o)
			}
		}
		for _, word := range order {
			all = append(all, needed(by[word])...)
		}
	}
	return all
}

func needed(owners []Owner) []need {
	var all []need
	if len(owners) > alike {
		n := need{Title: fmt.Sprintf("%d Wukongs and WukongNetworks", len(owners)), Mark: owners[0].Mark}
		n.Mark.Why = ""
		for _, o := range owners {
			n.Many = append(n.Many, Member{Name: o.title(), Mark: Mark{Why: o.Why}})
		}
		return []need{n}
	}
	for _, o := range owners {
		all = append(all, need{Title: o.title(), Mark: o.Mark})
	}
	return all
}

func (o Owner) title() string {
	text := o.Kind + " " + o.Name
	if o.Place != "" {
		text += " (" + o.Place + ")"
	}
	return text
}

// gathered are the notes, each once.
func gathered(notes []Note) []Note {
	about := map[string][]string{}
	var texts []string
	for _, n := range notes {
		if about[n.Text] == nil {
			texts = append(texts, n.Text)
		}
		about[n.Text] = append(about[n.Text], n.About)
	}
	var all []Note
	for _, text := range texts {
		of := about[text]
		if n := len(of); n > few {
			of = []string{fmt.Sprintf("%s and %d more", of[0], n-1)}
		}
		all = append(all, Note{About: strings.Join(of, ", "), Text: text})
	}
	return all
}

// names are the objects of a graph, for the title of a page.
func (g *Graph) names() string {
	if len(g.Owners) > few {
		return plural(len(g.Owners), "object", "objects")
	}
	var all []string
	for _, o := range g.Owners {
		all = append(all, o.Name)
	}
	return strings.Join(all, ", ")
}

package picture

import (
	"fmt"
	"strings"

	"novasphere.dev/wukong/sync/facts"
)

// alike is up to how many machines that are alike are drawn one by one.
const alike = 4

// plugged is one network of a machine.
type plugged struct {
	pod        bool
	name       string      // the key of the attachment
	attachment *Attachment // nil where nobody knows it
	foreign    bool        // it is none of the Wukong's own
	target     target
	idle       bool // no machine refers to it
}

func (p plugged) mark() Mark {
	if p.attachment == nil {
		return Mark{}
	}
	return p.attachment.Mark
}

// signature is equal for networks that are drawn the same.
func (p plugged) signature() string {
	switch {
	case p.pod:
		return "pod"
	case p.foreign:
		return "foreign " + p.name
	}
	return fmt.Sprintf("%s|%s|%s|%d|%s|%s|%t", p.target.key(), p.attachment.Plugin, p.attachment.Resource, p.attachment.VLAN, p.mark().State, p.mark().Word, p.idle)
}

// guest is a machine with its networks.
type guest struct {
	owner *Owner
	plugs []plugged
}

// fold is machines that are alike, and are drawn as one where there are many.
type fold struct {
	guests []guest
}

// machines takes up the machines of the Wukongs with their attachments.
func (d *drawing) machines() {
	by := map[string]*fold{}
	var order []*fold
	for i := range d.scene.Owners {
		o := &d.scene.Owners[i]
		if o.Kind == "WukongNetwork" {
			d.bare(o)
			continue
		}
		g := d.guest(o)
		key := g.signature()
		if by[key] == nil {
			by[key] = &fold{}
			order = append(order, by[key])
		}
		by[key].guests = append(by[key].guests, g)
	}
	for _, f := range order {
		if len(f.guests) > alike {
			d.folds = append(d.folds, f)
			continue
		}
		for _, g := range f.guests {
			d.folds = append(d.folds, &fold{guests: []guest{g}})
		}
	}
}

// bare draws a WukongNetwork of which nothing but a refusal is known.
func (d *drawing) bare(o *Owner) {
	if len(o.Policies) == 0 && o.State == Refused {
		d.box(Bridge, "WukongNetwork", o.Name, o.Mark)
	}
}

// guest is the machine of a Wukong. One of which nothing is known has no networks.
func (d *drawing) guest(o *Owner) guest {
	g := guest{owner: o}
	if o.Machine == nil {
		o.Machine = &Machine{Name: o.Name, Mark: o.Mark}
	}
	own := map[string]*Attachment{}
	for i := range o.Attachments {
		own[o.Attachments[i].Key] = &o.Attachments[i]
	}
	used := map[string]bool{}
	for _, p := range o.Machine.Plugs {
		used[p.Attachment] = true
		g.plugs = append(g.plugs, d.plug(o, p, own[p.Attachment]))
	}
	for i := range o.Attachments {
		if a := &o.Attachments[i]; !used[a.Key] {
			g.plugs = append(g.plugs, plugged{name: a.Key, attachment: a, target: d.target(a), idle: true})
		}
	}
	for _, p := range g.plugs {
		if p.target.bridge != nil && o.State != Refused {
			p.target.bridge.wukongs[o.Name] = true
		}
	}
	return g
}

func (d *drawing) plug(o *Owner, p facts.Plug, own *Attachment) plugged {
	switch {
	case p.Attachment == "":
		return plugged{pod: true}
	case own != nil:
		return plugged{name: p.Attachment, attachment: own, target: d.target(own)}
	case d.foreign[p.Attachment] != nil:
		a := d.foreign[p.Attachment]
		return plugged{name: p.Attachment, attachment: a, target: d.target(a), foreign: true}
	}
	// Nobody knows the attachment. Where the cluster is known, it does not exist.
	_, name := facts.Unqualified(p.Attachment, o.Machine.Namespace)
	unknown := &Attachment{Attachment: &facts.Attachment{Object: facts.Object{Key: p.Attachment, Name: name}}}
	if d.scene.Nodes != nil {
		if unknown.Mark = (Mark{State: Absent}); o.State == Refused && strings.Contains(o.Why, p.Attachment) {
			unknown.Mark = o.Mark
		}
	}
	return plugged{name: p.Attachment, attachment: unknown, foreign: true}
}

// signature is equal for machines that are drawn the same.
func (g guest) signature() string {
	m := g.owner.Machine
	all := []string{string(m.State), m.Word, selected(m.NodeSelector)}
	for _, p := range g.plugs {
		all = append(all, p.signature())
	}
	return strings.Join(all, "\n")
}

// foldBoxes makes the boxes of machines that are alike, and of their attachments.
func (d *drawing) foldBoxes(f *fold) {
	first := f.guests[0]
	m := first.owner.Machine
	machine := d.box(Guest, "machine", m.Name, m.Mark)
	if len(f.guests) > 1 {
		machine.Type = fmt.Sprintf("%d machines", len(f.guests))
		machine.from(m.Name, f.guests[len(f.guests)-1].owner.Machine.Name)
		machine.Mark.Why = ""
		for _, g := range f.guests {
			machine.Members = append(machine.Members, g.member())
		}
	} else if m.Node != "" {
		machine.Texts = append(machine.Texts, "on "+m.Node)
	}
	machine.Type += f.where()
	for i, p := range first.plugs {
		box := d.plugBox(f, i)
		d.reach(p.target, box, p.mark(), first.owner.Machine.NodeSelector)
		if !p.idle {
			d.line(box, machine, plugging(p.mark(), m.Mark))
		}
	}
}

// plugging is the mark of the line from an attachment to a machine, which may not be there itself.
func plugging(attachment, machine Mark) Mark {
	if machine.State == Refused || machine.State == Absent {
		return Mark{State: Absent}
	}
	return gravest([]Mark{attachment, {State: machine.State}})
}

// where is the namespace of machines that are alike, or how many there are.
func (f *fold) where() string {
	var all []string
	for _, g := range f.guests {
		all = append(all, g.owner.Machine.Namespace)
	}
	if all = distinct(all); len(all) > 1 {
		return fmt.Sprintf(" · %d namespaces", len(all))
	} else if all[0] != "" {
		return " · " + all[0]
	}
	return ""
}

// member is a machine as one of many.
func (g guest) member() Member {
	m := g.owner.Machine
	of := Member{Name: facts.Qualified(m.Namespace, m.Name), Mark: Mark{Why: m.Why}}
	if m.Node != "" {
		of.Texts = append(of.Texts, "on "+m.Node)
	}
	for _, p := range g.plugs {
		if !p.pod {
			of.Texts = append(of.Texts, p.name)
		}
	}
	return of
}

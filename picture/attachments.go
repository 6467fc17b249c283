package picture

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"novasphere.dev/wukong/sync/facts"
)

// plugBox is the box of one network of machines that are alike.
func (d *drawing) plugBox(f *fold, i int) *Box {
	p := f.guests[0].plugs[i]
	switch {
	case p.pod:
		return d.box(Pod, "pod network", "", Mark{})
	case p.foreign:
		if d.shared[p.name] == nil {
			d.shared[p.name] = d.attachmentBox(p)
		}
		return d.shared[p.name]
	case len(f.guests) == 1:
		return d.attachmentBox(p)
	}
	box := d.attachmentBox(p)
	_, last := facts.Unqualified(f.guests[len(f.guests)-1].plugs[i].name, "")
	box.from(box.Name, last)
	box.Type, box.Mark.Why = fmt.Sprintf("%d attachments", len(f.guests))+f.where(), ""
	return box // the list of the machines names them
}

// from names a box by the first and the last that it stands for, in one line where they fit.
func (b *Box) from(first, last string) {
	if b.Name = first + " … " + last; utf8.RuneCountInString(b.Name) > longest {
		b.Name, b.Texts = first, append([]string{"… " + last}, b.Texts...)
	}
}

// plugins are what CNI plugins are called, where it is worth saying.
var plugins = map[string]string{"sriov": "SR-IOV", "bridge": "", "ovs": "", "cnv-bridge": ""}

func (d *drawing) attachmentBox(p plugged) *Box {
	namespace, name := facts.Unqualified(p.name, "")
	box := d.box(Attached, "attachment", name, p.mark())
	if namespace != "" {
		box.Type += " · " + namespace
	}
	var texts []string
	word, known := plugins[p.attachment.Plugin]
	if !known {
		word = p.attachment.Plugin
	}
	if p.attachment.VLAN != 0 {
		word = strings.TrimSpace(fmt.Sprintf("%s VLAN %d", word, p.attachment.VLAN))
	}
	texts = append(texts, word)
	if p.foreign {
		of := "made by others"
		if p.attachment.State == Absent || p.attachment.State == Refused {
			of = "somebody else has to make it"
		}
		if p.attachment.Owner.Controller {
			of = "of " + p.attachment.Owner.String()
		}
		texts = append(texts, of)
	}
	if p.idle && box.Mark.State == Good {
		texts = append(texts, "no machine uses it")
	}
	box.Texts = slices.DeleteFunc(texts, func(s string) bool { return s == "" })
	return box
}

// reach draws what an attachment plugs into.
func (d *drawing) reach(t target, box *Box, m Mark, selector map[string]string) {
	switch {
	case t.bridge != nil:
		for _, l := range d.graph.Lines {
			if l.From == t.bridge.box && l.To == box {
				return // an attachment of others
			}
		}
		d.line(t.bridge.box, box, m)
	case t.nic != "":
		for _, at := range d.lanes.reached(selector) {
			at.add(lane{nic: t.nic, uplink: t.nic, plugged: box, mark: Mark{State: m.State}})
		}
	case t.pool != "":
		pool := d.shared["pool "+t.pool]
		if pool == nil {
			pool = d.box(Pool, "SR-IOV resource", t.pool, Mark{})
			d.shared["pool "+t.pool] = pool
		}
		d.line(pool, box, m)
	}
}

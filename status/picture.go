package status

import (
	"fmt"
	"strings"
	"time"

	"novasphere.dev/wukong/picture"
	"novasphere.dev/wukong/types/v1alpha1"
)

// states are how the states of branches are drawn.
var states = map[State]picture.State{Good: picture.Good, Waiting: picture.Waiting, Failed: picture.Failed, Absent: picture.Absent}

// Scene is the report as it is drawn.
func (r *Report) Scene() picture.Scene {
	s := picture.Scene{Title: "Wukong status", Unknown: r.Missing}
	counts := map[State]int{}
	for _, t := range r.trees {
		counts[t.branch.State]++
		s.Owners = append(s.Owners, t.owner(r.seen))
		if t.branch.Next != "" && t.branch.State == Failed {
			s.Notes = append(s.Notes, picture.Note{About: t.branch.Kind + " " + t.branch.Name, Text: "next: " + t.branch.Next})
		}
	}
	var parts []string
	for _, of := range []struct {
		state State
		says  string
	}{{Good, "as they should be"}, {Waiting, "waiting"}, {Failed, "in need of a look"}} {
		if counts[of.state] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", counts[of.state], of.says))
		}
	}
	if len(parts) == 0 {
		parts = []string{"nothing is there"}
	}
	s.Summary = fmt.Sprintf("At %s UTC: %s.", r.Now.UTC().Format(time.DateTime), strings.Join(parts, ", "))
	for _, name := range r.Unknown {
		s.Unknown = append(s.Unknown, fmt.Sprintf("%s: there is no Wukong and no WukongNetwork of that name", name))
	}
	if r.seen != nil {
		s.Policies, s.Attachments = r.seen.Others(s.Owners)
		s.Nodes = r.seen.Nodes()
	}
	return s
}

// drawn is a root, and what is drawn of it.
type drawn struct {
	branch *Branch
	tree   *tree // nil where the hook cannot read the object
}

// owner is an object as it is drawn: with the same marks as in the tree.
func (t drawn) owner(c *picture.Cluster) picture.Owner {
	b := t.branch
	if t.tree == nil {
		mark := picture.Mark{State: picture.Failed, Word: b.Says, Why: b.Message}
		o := picture.Owner{Kind: b.Kind, Name: b.Name, Mark: mark}
		if b.Kind == "Wukong" {
			o.Machine = &picture.Machine{Name: b.Name, Mark: mark}
		}
		return o
	}
	o := c.Owner(t.tree.parent, t.tree.answer)
	marked(&o, b.Branches)
	return o
}

// mark is how a branch is drawn.
func (b *Branch) mark() picture.Mark {
	m := picture.Mark{State: states[b.State], Word: b.Says}
	if b.State != Good {
		m.Why = b.Message
	}
	return m
}

// marked gives the children of an owner the marks of their branches. What is not there has one already.
func marked(o *picture.Owner, branches []*Branch) {
	for _, b := range branches {
		switch b.Kind {
		case "network":
			marked(o, b.Branches)
		case "policy":
			for i := range o.Policies {
				if p := &o.Policies[i]; p.Name == b.Name {
					markPolicy(p, b)
				}
			}
		case "machine":
			if o.Machine != nil && b.State != Absent {
				o.Machine.Mark = b.mark()
				if o.State == picture.Good && o.Word == string(v1alpha1.ReasonRestartRequired) {
					o.Machine.Word, o.Machine.Why = o.Word, b.Message // KubeVirt says that it is running
				}
			}
		}
	}
}

// markPolicy gives a policy the mark of its branch, and each of its nodes that of the node's.
func markPolicy(p *picture.Policy, b *Branch) {
	if b.State != Absent && p.State != picture.Leaving {
		p.Mark = b.mark()
	}
	for _, at := range b.Branches {
		if b.State != Absent {
			p.Nodes[at.Name] = at.mark()
		}
	}
}

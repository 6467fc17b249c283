package plan

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/dump"
	"novasphere.dev/wukong/picture"
	"novasphere.dev/wukong/sync/facts"
	"novasphere.dev/wukong/types/v1alpha1"
)

// Scene is the plan as it is drawn: what there would be in the end, and what is refused.
func (p *Plan) Scene() picture.Scene {
	s := picture.Scene{Title: "Wukong plan", Summary: p.Summary(), Unknown: p.Missing}
	if p.simulated == nil {
		return s // it was read from elsewhere
	}
	c := picture.See(p.simulated.cluster, p.simulated.hook)
	for _, o := range slices.Concat(p.Objects, p.Others) {
		s.Owners = append(s.Owners, p.owner(c, o))
		for _, note := range o.Notes {
			s.Notes = append(s.Notes, picture.Note{About: o.Kind + " " + o.Name, Text: note})
		}
	}
	s.Policies, s.Attachments = c.Others(s.Owners)
	s.Nodes = c.Nodes()
	return s
}

// owner is a planned object as it is drawn.
func (p *Plan) owner(c *picture.Cluster, o *Object) picture.Owner {
	mark := picture.Mark{State: picture.Good, Word: o.Reason}
	switch {
	case o.Refused != "":
		mark.State, mark.Why = picture.Refused, o.Refused
	case o.Waits != "":
		mark.State, mark.Why = picture.Waiting, o.Waits
	case o.Verb == Create:
		mark.State = picture.New
	case o.Verb == Change:
		mark.State = picture.Changed
	}
	answer := p.simulated.last[o]
	if o.parent == nil || answer == nil {
		return p.unread(c, o, mark)
	}
	owner := c.Owner(o.parent, answer)
	if owner.Place = o.File; owner.State != picture.Failed {
		owner.Mark = mark
	}
	for i := range owner.Policies {
		a := &owner.Policies[i]
		a.Mark = o.stepped(a.Key, facts.PolicyKind, a.Mark)
	}
	for i := range owner.Attachments {
		a := &owner.Attachments[i]
		a.Mark = o.stepped(a.Key, facts.AttachmentKind, a.Mark)
	}
	if m := owner.Machine; m != nil {
		m.Mark = o.stepped(facts.Qualified(m.Namespace, m.Name), facts.MachineKind, m.Mark)
	}
	for _, u := range p.deleted(o) {
		owner.Add(u, picture.Mark{State: picture.Leaving, Word: "is deleted"})
	}
	return owner
}

// unread is an object that the API server refuses: with what it has, if it exists, which stays as it is.
func (p *Plan) unread(c *picture.Cluster, o *Object, mark picture.Mark) picture.Owner {
	refused := picture.Owner{Kind: o.Kind, Name: o.Name, Place: o.File, Mark: mark}
	if o.Kind == v1alpha1.Kind {
		refused.Machine = &picture.Machine{Name: o.Name, Mark: mark}
	}
	existing := p.simulated.before.Get(map[string]string{v1alpha1.Kind: facts.WukongKind, v1alpha1.NetworkKind: facts.WukongNetworkKind}[o.Kind], o.Name)
	if existing == nil {
		return refused
	}
	answer, err := p.simulated.cluster.Ask(p.simulated.hook, existing)
	if err != nil {
		return refused
	}
	owner := c.Owner(existing, answer)
	owner.Place, owner.Mark = o.File, mark
	if owner.Machine != nil && owner.Machine.State == picture.Good {
		owner.Machine.Mark = picture.Mark{State: picture.Held, Word: o.Reason, Why: o.Refused}
	}
	return owner
}

// stepped is the mark of a child by what happens to it. What happens to none of them is as it is.
func (o *Object) stepped(key, kind string, m picture.Mark) picture.Mark {
	for _, s := range o.Steps {
		if facts.Qualified(s.Namespace, s.Name) != key || kindOf(s.Kind) != kind {
			continue
		}
		why := []string{}
		if s.Why != "" {
			why = append(why, s.Why)
		}
		var dangers []string
		for _, d := range s.Dangers {
			dangers = append(dangers, strings.ToUpper(d.Kind))
			why = append(why, d.Message)
		}
		of := picture.Mark{Word: strings.Join(dangers, ", "), Why: strings.Join(why, "\n")}
		switch s.Verb {
		case Create:
			of.State = picture.New
		case Change:
			of.State = picture.Changed
		case Hold:
			of.State = picture.Held
		case Keep:
			if m.State == picture.Failed || m.State == picture.Waiting {
				return m
			}
			of.State = picture.Good
		default:
			continue
		}
		return of
	}
	return m
}

// deleted are the children of an object that would be deleted.
func (p *Plan) deleted(o *Object) []*unstructured.Unstructured {
	var all []*unstructured.Unstructured
	for _, s := range o.Steps {
		kind, key := kindOf(s.Kind), facts.Qualified(s.Namespace, s.Name)
		if u := p.simulated.before.Get(kind, key); s.Verb == Delete && u != nil && p.simulated.cluster.Get(kind, key) == nil {
			all = append(all, u)
		}
	}
	return all
}

// simulated is what a plan keeps to be drawn.
type simulated struct {
	cluster, before *dump.Cluster
	hook            dump.Hook
	last            map[*Object]*dump.Answer
}

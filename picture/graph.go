package picture

import (
	"fmt"
	"slices"
	"strings"

	"novasphere.dev/wukong/sync/node"
)

// Kind is what a box stands for.
type Kind int

// The kinds, from the wire to the guest.
const (
	NIC Kind = iota
	VLAN
	Bridge
	Pool // of virtual functions
	Attached
	Pod // the pod network
	Guest
)

// Graph is what is drawn: boxes, lines between them, and the nodes that NICs and VLANs are on.
type Graph struct {
	Title, Summary string
	Owners         []Owner
	Notes          []Note
	Unknown        []string

	Groups []*Group
	Boxes  []*Box // in the order of their kinds and names in the scene
	Lines  []*Line
}

// Group is nodes on which the same is drawn.
type Group struct {
	ID, Title string
	Nodes     []string // none where only a selector is known
	Mark      Mark     // the gravest of what they themselves are the reason for
}

// Box is one thing, or many that are alike.
type Box struct {
	ID    string
	Kind  Kind
	Type  string // what it is, in the words of the field
	Name  string
	Texts []string
	Mark  Mark
	Group *Group // of a NIC and a VLAN

	// Built says by which policies a bridge is built, in a few words; Members has them one by one. Of a box that stands for many,
	// Members are these.
	Built   string
	Members []Member
}

// Member is one of many.
type Member struct {
	Name  string
	Texts []string
	Mark  Mark
}

// Line leads from one box to the next, from the wire to the guest.
type Line struct {
	From, To *Box
	Mark     Mark

	// Whys are what single nodes say, by their names; only of a line that leads from the nodes' NICs to a bridge or an attachment.
	Whys map[string]string
}

// bridge is a bridge of the nodes, with all that use it.
type bridge struct {
	name, kind string
	built      []Member // the policies that build it
	marks      []Mark
	owners     []string // of policies, WukongNetworks only
	mtu        int64
	preserves  bool
	wukongs    map[string]bool // that are plugged into it
	box        *Box
}

// drawing is a graph that is being made.
type drawing struct {
	scene   Scene
	graph   *Graph
	bridges []*bridge
	byName  map[string]*bridge
	foreign map[string]*Attachment // by key, the attachments of others
	lanes   *lanes
	folds   []*fold
	shared  map[string]*Box // by key, boxes of others' attachments and of pools
	counts  map[Kind]int
}

// Draw makes the graph of a scene.
func Draw(s Scene) *Graph {
	s.Owners = slices.Clone(s.Owners)
	d := &drawing{
		scene: s, graph: &Graph{Title: s.Title, Summary: s.Summary, Owners: s.Owners, Notes: s.Notes, Unknown: s.Unknown},
		byName: map[string]*bridge{}, foreign: map[string]*Attachment{}, shared: map[string]*Box{}, counts: map[Kind]int{},
		lanes: newLanes(s.Nodes),
	}
	for i := range s.Attachments {
		d.foreign[s.Attachments[i].Key] = &s.Attachments[i]
	}
	d.policies()
	d.machines()
	d.otherPolicies()
	d.boxes()
	return d.graph
}

// bridge is the bridge of a name, made if there is none yet. The kind is a part of the name: a Linux bridge and one of Open vSwitch are two.
func (d *drawing) bridge(kind, name string) *bridge {
	key := kind + " " + name
	if d.byName[key] == nil {
		d.byName[key] = &bridge{name: name, kind: kind, wukongs: map[string]bool{}}
		d.bridges = append(d.bridges, d.byName[key])
	}
	return d.byName[key]
}

// policies takes up the policies of the owners.
func (d *drawing) policies() {
	for i := range d.scene.Owners {
		o := &d.scene.Owners[i]
		for _, p := range o.Policies {
			d.policy(&p, o.Kind, o.Name)
		}
	}
}

// otherPolicies takes up the policies of others that build a bridge which is drawn.
func (d *drawing) otherPolicies() {
	for _, p := range d.scene.Policies {
		if d.byName[p.Says.Kind+" "+p.Says.Name] != nil {
			kind, name := "", ""
			if p.Owner.Controller {
				kind, name = p.Owner.Kind, p.Owner.Name
			}
			d.policy(&p, kind, name)
		}
	}
}

// policy takes up one policy: the bridge that it builds, and the ways to the wire on each node.
func (d *drawing) policy(p *Policy, ownerKind, owner string) {
	says := p.Says
	if says.Name == "" {
		return
	}
	if p.Absent && (p.State == Good || p.State == Waiting) {
		p.Mark, p.Nodes = Mark{State: Leaving, Word: "taken off the nodes"}, nil
	}
	b := d.bridge(says.Kind, says.Name)
	of := Member{Name: p.Name, Mark: p.Mark}
	if owner != "" {
		of.Texts = []string{fmt.Sprintf("of %s %s", ownerKind, owner)}
	}
	if ownerKind == "WukongNetwork" {
		b.owners = append(b.owners, owner)
	}
	b.built, b.marks = append(b.built, of), append(b.marks, p.Mark)
	if p.State != Refused {
		b.mtu, b.preserves = max(b.mtu, says.MTU), b.preserves || says.Preserves
	}
	if says.NIC != "" || says.Uplink != "" {
		d.lanes.add(lane{nic: says.NIC, uplink: says.Uplink, vlan: says.VLAN, bridge: b, preserves: says.Preserves}, p)
	}
}

// target is what an attachment plugs into.
type target struct {
	bridge *bridge
	nic    string // macvlan and ipvlan plug into the NIC itself
	pool   string // SR-IOV takes from the resource
}

func (t target) key() string {
	switch {
	case t.bridge != nil:
		return "bridge " + t.bridge.kind + " " + t.bridge.name
	case t.nic != "":
		return "nic " + t.nic
	case t.pool != "":
		return "pool " + t.pool
	}
	return ""
}

// target is what an attachment plugs into, by its configuration.
func (d *drawing) target(a *Attachment) target {
	switch {
	case a.Bridge != "":
		kind := a.Says().Kind
		if kind != node.OVSBridge {
			kind = node.LinuxBridge // other plugins for Linux bridges, such as cnv-bridge
		}
		return target{bridge: d.bridge(kind, a.Bridge)}
	case a.Master != "":
		return target{nic: a.Master}
	case a.Plugin == "sriov":
		return target{pool: a.Resource}
	}
	return target{}
}

// boxes makes boxes and lines of what was taken up.
func (d *drawing) boxes() {
	for _, b := range d.bridges {
		b.box = d.bridgeBox(b)
	}
	for _, f := range d.folds {
		d.foldBoxes(f)
	}
	d.laneBoxes()
	d.graph.Boxes = ordered(d.graph.Boxes)
}

// ordered are the boxes by their kinds, in the order in which they were made.
func ordered(boxes []*Box) []*Box {
	var all []*Box
	for kind := NIC; kind <= Guest; kind++ {
		for _, b := range boxes {
			if b.Kind == kind {
				all = append(all, b)
			}
		}
	}
	return all
}

// letters begin the names of boxes in a Mermaid block and in the page.
var letters = map[Kind]string{NIC: "n", VLAN: "v", Bridge: "b", Pool: "r", Attached: "a", Pod: "p", Guest: "m"}

// box is a new box.
func (d *drawing) box(kind Kind, typ, name string, m Mark) *Box {
	d.counts[kind]++
	b := &Box{ID: fmt.Sprintf("%s%d", letters[kind], d.counts[kind]), Kind: kind, Type: typ, Name: name, Mark: m}
	d.graph.Boxes = append(d.graph.Boxes, b)
	return b
}

func (d *drawing) line(from, to *Box, m Mark) *Line {
	l := &Line{From: from, To: to, Mark: m}
	d.graph.Lines = append(d.graph.Lines, l)
	return l
}

// distinct are the texts without those that are there already.
func distinct(all []string) []string {
	seen := map[string]bool{}
	var some []string
	for _, text := range all {
		if !seen[text] {
			some = append(some, text)
		}
		seen[text] = true
	}
	return some
}

// selected is a selector in words.
func selected(selector map[string]string) string {
	var all []string
	for _, key := range sortedKeys(selector) {
		text := key
		if selector[key] != "" {
			text += "=" + selector[key]
		}
		all = append(all, text)
	}
	return strings.Join(all, ", ")
}

package picture

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"novasphere.dev/wukong/sync/facts"
)

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// lane is a way from a NIC of a node to a bridge, or to the attachments that plug into the NIC itself.
type lane struct {
	key         string // equal for lanes that are the same way
	nic, uplink string
	vlan        int64
	bridge      *bridge
	plugged     *Box // what plugs into the NIC itself, where there is no bridge
	preserves   bool
	mark        Mark
	whys        map[string]string // by node, where it is in need of one
	local       bool              // the node itself is why the mark is so
}

// identity is what makes two lanes the same way.
func (l lane) identity() string {
	to := ""
	if l.bridge != nil {
		to = l.bridge.kind + " " + l.bridge.name
	}
	if l.plugged != nil {
		to = l.plugged.ID
	}
	return fmt.Sprintf("%s|%s|%d|%s", l.nic, l.uplink, l.vlan, to)
}

// place is a node, or what a selector says of nodes that nobody knows.
type place struct {
	name  string
	known bool
	lanes []*lane
}

// lanes are the ways of all nodes.
type lanes struct {
	nodes  map[string]map[string]string
	places map[string]*place
	order  []string
	groups []*laneGroup
}

// laneGroup is the nodes that have the same lanes.
type laneGroup struct {
	group *Group
	lanes []*lane
}

func newLanes(nodes map[string]map[string]string) *lanes {
	return &lanes{nodes: nodes, places: map[string]*place{}}
}

// place is the place of a name, made if there is none yet.
func (l *lanes) place(name string, known bool) *place {
	if l.places[name] == nil {
		l.places[name] = &place{name: name, known: known}
		l.order = append(l.order, name)
	}
	return l.places[name]
}

// reached are the places that a selector reaches.
func (l *lanes) reached(selector map[string]string) []*place {
	if l.nodes == nil {
		if len(selector) == 0 {
			return []*place{l.place("every node", false)}
		}
		return []*place{l.place("nodes with "+selected(selector), false)}
	}
	var all []*place
	for _, name := range sortedKeys(l.nodes) {
		if facts.Selects(selector, l.nodes[name]) {
			all = append(all, l.place(name, true))
		}
	}
	if len(all) == 0 {
		return []*place{l.place("no node has "+selected(selector), false)}
	}
	return all
}

// add adds the lane of a policy on each of its nodes.
func (l *lanes) add(way lane, p *Policy) {
	for _, at := range l.reached(p.NodeSelector) {
		way.mark, way.local = p.Mark, false
		if m, ok := p.Nodes[at.name]; ok {
			way.mark, way.local = m, true
		}
		at.add(way)
	}
}

// add adds a lane to a place, or the mark to the lane that is there.
func (p *place) add(way lane) {
	way.key = way.identity()
	for _, there := range p.lanes {
		if there.key == way.key {
			if there.mark = merged([]Mark{there.mark, way.mark}); there.mark == way.mark {
				there.local = way.local
			}
			return
		}
	}
	p.lanes = append(p.lanes, &way)
}

// signature is equal for places on which the same is drawn.
func (p *place) signature() string {
	var all []string
	for _, l := range p.lanes {
		all = append(all, fmt.Sprintf("%s|%s|%s", l.key, l.mark.State, l.mark.Word))
	}
	slices.Sort(all)
	if !p.known {
		all = append(all, p.name)
	}
	return strings.Join(all, "\n")
}

// gather makes groups of the places that are alike.
func (l *lanes) gather() {
	by := map[string]*laneGroup{}
	known := slices.DeleteFunc(slices.Clone(l.order), func(name string) bool { return !l.places[name].known })
	slices.Sort(known)
	others := slices.DeleteFunc(slices.Clone(l.order), func(name string) bool { return l.places[name].known })
	for _, name := range append(known, others...) {
		p := l.places[name]
		g := by[p.signature()]
		if g == nil {
			g = &laneGroup{group: &Group{Title: p.name}, lanes: p.lanes}
			by[p.signature()] = g
			l.groups = append(l.groups, g)
		}
		g.take(p)
	}
	for i, g := range l.groups {
		g.group.ID = fmt.Sprintf("g%d", i+1)
		if len(g.group.Nodes) > 0 {
			g.group.Title = named(g.group.Nodes, "nodes")
		}
		var marks []Mark
		for _, way := range g.lanes {
			if way.local {
				marks = append(marks, way.mark)
			}
		}
		g.group.Mark = gravest(marks)
	}
}

// take adds a place that is like the others of the group, with what its lanes say.
func (g *laneGroup) take(p *place) {
	if p.known {
		g.group.Nodes = append(g.group.Nodes, p.name)
	}
	for _, way := range g.lanes {
		if way.whys == nil {
			way.whys = map[string]string{}
		}
		for _, own := range p.lanes {
			if own.key == way.key && own.mark.Why != "" {
				way.whys[p.name] = own.mark.Why
			}
		}
	}
}

// few is up to how many are named one by one.
const few = 3

// named are the names of a few, or how many there are.
func named(all []string, many string) string {
	if len(all) > few {
		return fmt.Sprintf("%d %s", len(all), many)
	}
	return strings.Join(all, ", ")
}

// laneBoxes makes the boxes of NICs and VLANs, each once for a group of nodes.
func (d *drawing) laneBoxes() {
	d.lanes.gather()
	for _, g := range d.lanes.groups {
		d.graph.Groups = append(d.graph.Groups, g.group)
		nics := map[string]*Box{}
		vlans := map[string]*Box{}
		for _, way := range g.lanes {
			from := d.nicBox(g, nics, way)
			if way.vlan != 0 {
				at := vlans[way.uplink]
				if at == nil {
					at = d.box(VLAN, fmt.Sprintf("VLAN %d", way.vlan), way.uplink, way.mark)
					at.Group = g.group
					vlans[way.uplink] = at
					d.line(from, at, way.mark)
				} else {
					at.Mark = merged([]Mark{at.Mark, way.mark})
				}
				from = at
			}
			to := way.plugged
			if way.bridge != nil {
				to = way.bridge.box
			}
			d.line(from, to, way.mark).Whys = way.whys
		}
	}
}

// nicBox is the box of a lane's NIC. Only where the NIC itself becomes the port of a bridge is it marked: a VLAN leaves it as it is.
func (d *drawing) nicBox(g *laneGroup, nics map[string]*Box, way *lane) *Box {
	name := way.nic
	if name == "" {
		name = way.uplink
	}
	b := nics[name]
	if b == nil {
		b = d.box(NIC, "NIC", name, Mark{})
		b.Group = g.group
		nics[name] = b
	}
	if way.vlan == 0 && way.bridge != nil {
		if way.mark.State == Refused || way.mark.State == Failed {
			b.Mark = gravest([]Mark{b.Mark, way.mark})
		}
		if way.preserves {
			b.Texts = distinct(append(b.Texts, "gives its address up"))
		}
	}
	return b
}

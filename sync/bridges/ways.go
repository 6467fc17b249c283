package bridges

import (
	"slices"

	"novasphere.dev/wukong/sync/node"
	"novasphere.dev/wukong/types/v1alpha1"
)

// Way is a way out of a refusal: what to change so that the bridge, or what takes its place, is refused no more. Every Way has passed the
// very look that refused the bridge, at all nodes, policies of others and the owner's other bridges: advice that is refused again is
// worse than none. Beside Bridge one field at most is set, and Apart with Without.
type Way struct {
	// Bridge is the bridge as it would be. A name or a VLAN that the user has to choose is one that would pass.
	Bridge node.Bridge

	// Without are the names of the nodes that a narrower nodeSelector would leave out.
	Without []string

	// Apart is whether these get their addresses another way than the others, by DHCP or static, and need a bridge of their own.
	Apart bool

	// Into is the bridge that machines would plug into by nadName, so that none is built.
	Into string

	// Uplinks are the uplinks of a WukongNetwork that would build the bridge.
	Uplinks []Uplink

	// Remedy is what would be done on the nodes; the spec stays.
	Remedy string

	// Anew is whether the same network would come under a new name, with a policy of its own.
	Anew bool
}

// Uplink is a NIC, and the nodes that would have it in their bridge.
type Uplink struct {
	NIC   string
	Nodes []string
}

// opposition is what the nodes have against a bridge.
type opposition struct {
	first  *node.Objection // nil where no node objects
	remedy string          // of the first; empty where some node has none
	nodes  []string        // those that have to be left out
	apart  bool            // nothing is wrong with these but that they get their addresses another way than the others

	// example is what the first node reports that objects, or the first of all; nil where none reports.
	example *node.State
}

// ways are the ways out of a refusal, the best first: that which changes the least, and keeps to the wire that was asked for. Where
// nodes are changed already, the spec of what is on them should not have to change.
// The table in docs/decisions.md has its rows.
func (v *View) ways(w *Want) []Way {
	found := v.opposed(w)
	standing := v.Policies.Get(w.Policy) != nil
	mtu, remedy, aside := v.inPlace(w, found)
	var into, anew []Way
	if found.first != nil && found.first.Into != "" {
		into = []Way{{Bridge: w.Bridge, Into: found.first.Into}} // nothing is built, so nothing is looked at
	}
	if way := (Way{Bridge: w.Bridge, Anew: true}); standing && found.apart && v.passes(w, way) {
		anew = []Way{way}
	}
	sameWire := slices.Concat(anew, v.first(w, v.nameChoices(w, found)), v.first(w, v.sameWireChoices(w)))
	elsewhere := v.elsewhere(w, w.Bridge, found)
	switch {
	case found.apart || standing:
		return slices.Concat(mtu, remedy, aside, sameWire, into, elsewhere)
	case len(mtu)+len(remedy)+len(aside)+len(sameWire)+len(elsewhere) == 0:
		return slices.Concat(into, v.twoChanges(w, found))
	}
	return slices.Concat(mtu, sameWire, into, remedy, elsewhere, aside)
}

// inPlace are the ways out that change nothing which cannot change in what exists: by an mtu, on the nodes, by leaving nodes out.
func (v *View) inPlace(w *Want, found opposition) (mtu, remedy, aside []Way) {
	mtu = v.first(w, v.mtuChoices(w))
	if found.remedy != "" && v.allowed(w) {
		remedy = []Way{{Bridge: w.Bridge, Remedy: found.remedy}}
	}
	if way := (Way{Bridge: w.Bridge, Without: found.nodes, Apart: found.apart}); len(found.nodes) > 0 && v.passes(w, way) {
		aside = []Way{way}
	}
	return mtu, remedy, aside
}

// elsewhere are the ways out to another wire, or to what may do the node more harm, of a bridge or of one that is another by a field.
func (v *View) elsewhere(w *Want, of node.Bridge, found opposition) []Way {
	nic := slices.Concat(v.first(w, plainChoices(of)), v.first(w, v.nicChoices(w, of, found)))
	vlan, uplinks := v.first(w, vlanChoices(of)), v.byUplinks(w, of)
	if of.VLAN == 0 {
		nic, vlan = slices.Concat(nic, vlan), nil // another VLAN than was asked for is the last resort
	}
	return slices.Concat(nic, uplinks, vlan, v.first(w, preservingChoices(of)))
}

// twoChanges are the ways out by two fields, where one does not do.
func (v *View) twoChanges(w *Want, found opposition) []Way {
	anyMTU, anyName := withMTUOf(w.Bridge, 0), w.Bridge
	anyName.Name = chosenName
	for _, of := range []node.Bridge{anyMTU, anyName, withMTUOf(anyName, 0)} {
		if of == w.Bridge {
			continue
		}
		if ways := v.elsewhere(w, of, found); len(ways) > 0 {
			return ways
		}
	}
	return nil
}

// first is the first of some bridges that would pass.
func (v *View) first(w *Want, choices []node.Bridge) []Way {
	for _, b := range choices[:min(len(choices), mostChoices)] {
		if way := (Way{Bridge: b}); b != w.Bridge && v.passes(w, way) {
			return []Way{way}
		}
	}
	return nil
}

// opposed is what the nodes have against a bridge.
func (v *View) opposed(w *Want) opposition {
	var found opposition
	if !v.Preflight {
		return found
	}
	var dhcp, static []string
	remedied := true
	for _, n := range v.reached[w.Policy] {
		if n.state == nil {
			continue
		}
		o, byDHCP := v.objection(w, n.state)
		switch {
		case o != nil:
			remedied = remedied && o.Remedy != ""
			if found.nodes = append(found.nodes, n.name); found.first == nil {
				found.first, found.example = o, n.state
			}
		case byDHCP:
			dhcp = append(dhcp, n.name)
		default:
			static = append(static, n.name)
		}
		if found.example == nil {
			found.example = n.state
		}
	}
	if found.first != nil && remedied {
		found.remedy = found.first.Remedy
	}
	if others := v.otherwise(w, dhcp, static); len(others) > 0 {
		found.nodes, found.apart, found.remedy = append(found.nodes, others...), found.first == nil, ""
		slices.Sort(found.nodes)
	}
	return found
}

// otherwise are those of some nodes whose addresses the policy of a bridge cannot move beside those of the others: one policy moves
// static ones, or those by DHCP.
func (v *View) otherwise(w *Want, dhcp, static []string) []string {
	existing := v.Policies.Get(w.Policy)
	switch {
	case !w.Bridge.Preserves:
		return nil
	case existing != nil && existing.MovesDHCP:
		return static
	case existing != nil:
		return dhcp
	case len(dhcp) == 0 || len(static) == 0:
		return nil
	case len(static) < len(dhcp):
		return static
	}
	return dhcp
}

// passes reports whether nothing would refuse a bridge after a change. What is merely not known yet refuses nothing.
func (v *View) passes(w *Want, way Way) bool {
	seen := *v
	if way.Bridge.Name != w.Bridge.Name {
		seen.own = v.ownWith(w, way.Bridge.Name)
	}
	for i := range v.Wants {
		other := &v.Wants[i]
		changed := *other
		switch {
		case other.Policy == w.Policy:
			changed = *w
			if changed.Bridge = way.Bridge; way.Anew || way.Bridge.Reformed(w.Bridge) {
				changed.Policy = "" // it gets a new one
			}
		case shares(w, other): // it changes along
			continue
		case w.Entries > 0: // what the uplinks have in common changes for all
			changed.Bridge = way.Bridge.On(other.Bridge.NIC, way.Bridge.VLAN)
		case !v.agree(way.Bridge, other.Bridge):
			return false
		default:
			continue
		}
		nodes := v.reached[other.Policy]
		if other.Policy == w.Policy {
			if nodes = outside(nodes, way.Without); len(nodes) == 0 && len(way.Without) > 0 {
				return false
			}
		}
		if !seen.allowed(&changed) || !seen.fits(&changed, nodes) {
			return false
		}
	}
	return true
}

// ownWith are the names of the owner's bridges where one has another name.
func (v *View) ownWith(w *Want, name string) map[string]bool {
	own := map[string]bool{name: true}
	for _, other := range v.Wants {
		if other.Policy != w.Policy && w.Entries == 0 && !shares(w, &other) {
			own[other.Bridge.Name] = true
		}
	}
	return own
}

// shares reports whether another network of the same owner has the same bridge. Then what they have in common changes for both.
func shares(w, other *Want) bool {
	return w.Entries == 0 && other.Policy != w.Policy && !w.Bridge.Reformed(other.Bridge)
}

// agree reports whether one owner can have two bridges, as its spec is validated, and as nodes have it that call one NIC by two names.
func (v *View) agree(b, other node.Bridge) bool {
	switch {
	case b.Name == other.Uplink || other.Name == b.Uplink || b.Takes(other) || b.Name == other.Name && !b.Feeds(other):
		return false
	case b.NIC == other.NIC || !b.On(other.NIC, b.VLAN).Takes(other):
		return true
	}
	return !slices.ContainsFunc(v.nodes, func(n *seenNode) bool { return n.state != nil && n.state.SameNIC(b.NIC, other.NIC) })
}

// allowed reports whether neither the schema nor a policy of others refuses a bridge.
func (v *View) allowed(w *Want) bool {
	b := w.Bridge
	switch {
	case !nameable(b.Name) || !nameable(b.NIC) || b.Name == b.NIC || b.Name == b.Uplink || v.Masters[b.Uplink]:
		return false
	case b.Preserves && (b.Kind != node.LinuxBridge || b.VLAN != 0 || w.ReclaimPolicy == v1alpha1.Delete):
		return false
	}
	for p := range v.meeting(b) {
		if conflict := v.conflictWith(b, p); conflict != nil && conflict.Stuck {
			return false
		}
	}
	return true
}

// outside are the nodes that have none of some names.
func outside(nodes []*seenNode, names []string) []*seenNode {
	if len(names) == 0 {
		return nodes
	}
	out := map[string]bool{}
	for _, name := range names {
		out[name] = true
	}
	return slices.DeleteFunc(slices.Clone(nodes), func(n *seenNode) bool { return out[n.name] })
}

// fits reports whether no node refuses a bridge.
func (v *View) fits(w *Want, nodes []*seenNode) bool {
	if !v.Preflight || !v.seesNodes() {
		return true
	}
	var dhcp, static []string
	for _, n := range nodes {
		if n.state == nil {
			continue
		}
		switch o, byDHCP := v.objection(w, n.state); {
		case o != nil:
			return false
		case byDHCP:
			dhcp = append(dhcp, n.name)
		default:
			static = append(static, n.name)
		}
	}
	return len(v.otherwise(w, dhcp, static)) == 0
}

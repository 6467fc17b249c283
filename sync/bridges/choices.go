package bridges

import (
	"cmp"
	"regexp"
	"slices"

	"novasphere.dev/wukong/sync/node"
)

// The bridges that could be asked for in place of one that is refused. None of them is looked at here: that is for passes.

// mostChoices is how many bridges of one sort are tried. Only the first that passes is told of.
const mostChoices = 16

// chosenName is the name that a bridge gets which the user would name. No interface has it.
const chosenName = "another-bridge"

// mtuChoices are the bridge with the largest MTU that all NICs have, and with none.
func (v *View) mtuChoices(w *Want) []node.Bridge {
	if w.Bridge.MTU == 0 {
		return nil
	}
	const least = 576 // in the schema
	var all []node.Bridge
	if smallest, _ := v.smallestMTU(w); smallest >= least && smallest < w.Bridge.MTU {
		all = append(all, withMTUOf(w.Bridge, smallest))
	}
	return append(all, withMTUOf(w.Bridge, 0))
}

func withMTUOf(b node.Bridge, mtu int64) node.Bridge {
	b.MTU = mtu
	return b
}

// nameChoices are the bridge as the one that has the uplink already, by a policy or on a node, and under a new name.
func (v *View) nameChoices(w *Want, found opposition) []node.Bridge {
	var all []node.Bridge
	for p := range v.meeting(w.Bridge) {
		if says := p.Says; says.Uplink == w.Bridge.Uplink && says.Kind != "" {
			b := w.Bridge
			b.Name, b.Kind, b.MTU, b.Preserves = says.Name, says.Kind, says.MTU, says.Preserves
			all = append(all, b)
		}
	}
	if found.example != nil {
		if name, kind := found.example.Feeding(w.Bridge); name != "" {
			b := w.Bridge
			b.Name, b.Kind = name, cmp.Or(kind, b.Kind)
			all = append(all, b)
		}
	}
	b := w.Bridge
	b.Name = chosenName
	return append(all, b)
}

// sameWireChoices are the bridge on the interfaces that lead to the wire of its NIC, or to that of its VLAN, on some node.
func (v *View) sameWireChoices(w *Want) []node.Bridge {
	var all []node.Bridge
	add := func(b node.Bridge) {
		if !slices.Contains(all, b) {
			all = append(all, b)
		}
	}
	for _, n := range v.reached[w.Policy] {
		if n.state == nil || len(all) >= mostChoices {
			continue
		}
		for _, nic := range n.state.SameWire(w.Bridge.NIC) {
			add(w.Bridge.On(nic, w.Bridge.VLAN))
		}
		if vlan := n.state.VLANInterface(w.Bridge); vlan != "" && w.Entries == 0 {
			add(w.Bridge.On(vlan, 0))
		}
	}
	return all
}

// plainChoices are a bridge without preserveHostIP.
func plainChoices(of node.Bridge) []node.Bridge {
	return []node.Bridge{plain(of)}
}

func plain(b node.Bridge) node.Bridge {
	b.Preserves = false
	return b
}

// nicChoices are a bridge on the NIC that carries the node, where it is to move the node's address, and on other NICs.
func (v *View) nicChoices(w *Want, of node.Bridge, found opposition) []node.Bridge {
	if found.example == nil {
		return nil
	}
	var all []node.Bridge
	if of.Preserves {
		for _, nic := range found.example.Carriers() {
			all = append(all, of.On(nic, 0))
		}
	}
	for _, nic := range found.example.NICs(of.NIC) {
		b := of.On(nic, of.VLAN)
		if w.Entries == 0 {
			b = plain(b) // uplinks have that in common
		}
		all = append(all, b)
	}
	return all
}

// vlanChoices are a bridge on a VLAN, where it has none or another.
func vlanChoices(of node.Bridge) []node.Bridge {
	const last = 4094
	var all []node.Bridge
	for vlan := int64(last); vlan > last-mostChoices; vlan-- {
		all = append(all, plain(of.On(of.NIC, vlan))) // a VLAN leaves the node's address alone
	}
	return all
}

// preservingChoices are a bridge with preserveHostIP.
func preservingChoices(of node.Bridge) []node.Bridge {
	of.Preserves = true
	return []node.Bridge{of}
}

// interfaceName is a name of an interface as the schema takes it.
var interfaceName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9_.-]{0,13}[A-Za-z0-9])?$`)

// nameable reports whether a user can name an interface, or a bridge, in the spec.
func nameable(name string) bool {
	switch name {
	case "all", "default", "lo", "bonding_masters":
		return false
	}
	return interfaceName.MatchString(name)
}

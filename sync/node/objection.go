package node

import (
	"cmp"
	"fmt"
	"slices"
)

// Objection is why a bridge may not be built on a node. It says what was found. Which other spec would help is for those to say who see
// the other nodes, and the policies of others.
type Objection struct {
	// What is what was found, with the node.
	What string

	// Remedy is what would help on the node itself; empty where nothing would, or something else would be found then.
	Remedy string

	// Into is the bridge on the node that the wire belongs to already, so that an attachment of the user's own may plug into it; empty
	// where there is none.
	Into string
}

// object is an Objection.
func (s *State) object(format string, args ...any) *Objection {
	return &Objection{What: fmt.Sprintf("node %s", s.Node) + fmt.Sprintf(format, args...)}
}

func (o *Objection) remedy(words string) *Objection {
	o.Remedy = words
	return o
}

func (o *Objection) into(bridge string) *Objection {
	o.Into = bridge
	return o
}

// Before is the first of two objections; either may be nil. A remedy helps only against the first, so where there is another it is none.
func (o *Objection) Before(next *Objection) *Objection {
	switch {
	case o == nil:
		return next
	case next == nil:
		return o
	}
	return &Objection{What: o.What, Into: o.Into}
}

// check is one look at a node for a bridge. own is as for Objection.
type check func(s *State, b Bridge, own map[string]bool) *Objection

// onNIC are the looks at a node for a bridge on a NIC, and onVLAN those for a bridge on a VLAN of a NIC, in their order.
var (
	onNIC = []check{
		(*State).kindObjection, (*State).mtuObjection, (*State).nameObjection, (*State).nicObjection, (*State).keptTagObjection,
		(*State).burdenObjection, (*State).filterObjection, (*State).uponObjection, (*State).bridgeObjection,
	}
	onVLAN = []check{
		(*State).kindObjection, (*State).mtuObjection, (*State).nameObjection, (*State).filterObjection, (*State).tagObjection,
		(*State).twiceObjection, (*State).vlanObjection, (*State).keptTagObjection, (*State).burdenObjection, (*State).uponObjection,
		(*State).bridgeObjection,
	}
)

// Objection is why a bridge may not be built on the node; nil where it may. own are the names of the bridges of the same
// owner.
func (s *State) Objection(asked Bridge, own map[string]bool) *Objection {
	if o := s.absentObjection(asked); o != nil {
		return o
	}
	checks := onNIC
	if asked.VLAN != 0 {
		checks = onVLAN
	}
	b := s.here(asked)
	var found *Objection
	for _, of := range checks {
		if found = found.Before(of(s, b, own)); found != nil && found.Remedy == "" {
			return found
		}
	}
	return found
}

// absentObjection is the objection to a NIC that the node does not have.
func (s *State) absentObjection(b Bridge) *Objection {
	switch all := s.calledToo(b.NIC); {
	case s.named(b.NIC) != nil:
		return nil
	case len(all) > 1 && s.iface(b.NIC) == nil:
		return s.object(": %s and %s both have the alternative name %s", all[0].name, all[1].name, b.NIC)
	}
	return s.object(" has no NIC %s", b.NIC)
}

// mtuObjection is the objection to an MTU that the NIC does not carry, or that would be less than the node itself has.
func (s *State) mtuObjection(b Bridge, _ map[string]bool) *Objection {
	nic := s.iface(b.NIC)
	switch {
	case b.MTU == 0 || nic.mtu == 0:
		return nil
	case nic.mtu < b.MTU:
		return s.object(": mtu %d is more than the %d of NIC %s", b.MTU, nic.mtu, b.NIC).remedy("raise the NIC's")
	case b.Preserves && b.MTU < nic.mtu:
		return s.object(": mtu %d is less than the %d of NIC %s, and with preserveHostIP the node itself would have no more", b.MTU, nic.mtu, b.NIC)
	}
	return nil
}

// nameObjection is the objection to the name of the bridge, or of its VLAN interface, because another interface has it as well.
func (s *State) nameObjection(b Bridge, _ map[string]bool) *Objection {
	if all := s.calledToo(b.Name); len(all) > 0 && s.bridge(b.Name) == nil {
		return s.object(": %s is an alternative name of %s", b.Name, all[0].name)
	}
	if all := s.calledToo(b.Uplink); b.VLAN != 0 && len(all) > 0 && s.iface(b.Uplink) == nil {
		return s.object(": %s is an alternative name of %s", b.Uplink, all[0].name)
	}
	return nil
}

// nicObjection is the objection to a NIC that would become the bridge's port, because it belongs to something.
func (s *State) nicObjection(b Bridge, _ map[string]bool) *Objection {
	nic := s.iface(b.NIC)
	switch {
	case slices.Contains(bridging, nic.kind):
		return s.object(": %s is a bridge itself, and cannot be the port of one", b.NIC).into(cmp.Or(s.bridgeOf(nic), b.NIC))
	case nic.controller != "" && nic.controller != b.Name:
		return s.object(": NIC %s already belongs to %s", b.NIC, nic.controller).into(s.bridgeOf(nic))
	}
	return nil
}

// keptTagObjection is the objection to a VLAN interface that leaves the tag in what it receives: the kernel spares a Linux bridge that,
// and no Open vSwitch bridge.
func (s *State) keptTagObjection(b Bridge, _ map[string]bool) *Objection {
	vlan := s.iface(b.Uplink)
	if vlan == nil || !vlan.keepsTag || b.Kind != OVSBridge {
		return nil
	}
	return s.object(": VLAN interface %s has reorder-headers false, so Open vSwitch would see the tag of VLAN %d", vlan.name, vlan.vlan).
		remedy("set its reorder-headers to true")
}

// burdenObjection is the objection to an uplink that carries the node.
func (s *State) burdenObjection(b Bridge, _ map[string]bool) *Objection {
	burden := s.burden(s.iface(b.Uplink))
	switch {
	case burden == "" || b.Preserves:
		return nil
	case b.VLAN != 0:
		return s.object(": VLAN interface %s %s, and bridging it would cut the node off", b.Uplink, burden)
	}
	return s.object(": NIC %s %s, and bridging it would cut the node off", b.NIC, burden)
}

// tagObjection is the objection to a VLAN interface on a NIC that is a port of something else, its controller: the
// frames of the VLAN would no longer reach the controller. There is none if the controller is a bridge of the same
// owner, who asked for both, or a bridge that does not filter VLANs, which tells nothing about them.
func (s *State) tagObjection(b Bridge, own map[string]bool) *Objection {
	nic := s.iface(b.NIC)
	name := nic.controller
	if name == "" || own[name] {
		return nil
	}
	controller := s.bridge(name)
	switch {
	case controller != nil && controller.kind == "bond":
		return s.object(": NIC %s already belongs to bond %s", b.NIC, name)
	case controller != nil && controller.kind == LinuxBridge &&
		slices.ContainsFunc(controller.ports, func(p port) bool { return p.name == b.NIC && !p.filters }):
		return nil
	}
	return s.object(": NIC %s already belongs to %s, which may carry VLAN %d itself", b.NIC, name, b.VLAN).into(s.bridgeOf(nic))
}

// twiceObjection is the objection to a VLAN that the NIC has under another name. A NIC has each VLAN once, of each kind of tags.
func (s *State) twiceObjection(b Bridge, _ map[string]bool) *Objection {
	for _, at := range s.vlans {
		if i := s.interfaces[at]; i.baseIface == b.NIC && i.vlan == b.VLAN && !i.provider && i.name != b.Uplink {
			return s.object(": VLAN %d on %s is there already, as %s", b.VLAN, b.NIC, i.name)
		}
	}
	return nil
}

// vlanObjection is the objection to the VLAN interface because of an interface of its name that exists already.
func (s *State) vlanObjection(b Bridge, _ map[string]bool) *Objection {
	vlan := s.iface(b.Uplink)
	switch {
	case vlan == nil:
		return nil
	case vlan.provider && vlan.baseIface == b.NIC && vlan.vlan == b.VLAN:
		return s.object(": VLAN interface %s has tags of 802.1ad, not of 802.1Q", b.Uplink)
	case vlan.baseIface != b.NIC || vlan.vlan != b.VLAN:
		return s.object(": interface %s exists and is not VLAN %d on %s", b.Uplink, b.VLAN, b.NIC).remedy("rename it")
	case vlan.controller != "" && vlan.controller != b.Name:
		return s.object(": VLAN interface %s already belongs to %s", b.Uplink, vlan.controller).into(s.bridgeOf(vlan))
	}
	return nil
}

// bridgeObjection is the objection to the bridge because of a bridge of its name that exists already, whoever has built
// that one.
func (s *State) bridgeObjection(b Bridge, _ map[string]bool) *Objection {
	bridge := s.bridge(b.Name)
	if bridge == nil {
		return nil
	}
	into := ""
	if slices.Contains(bridging, bridge.kind) {
		into = b.Name
	}
	if bridge.kind != b.Kind {
		return s.object(": interface %s exists, of type %s and not %s", b.Name, bridge.kind, b.Kind).into(into)
	}
	if burden := s.burden(bridge); burden != "" && !b.Preserves {
		return s.object(": bridge %s %s", b.Name, burden).into(into)
	}
	for _, p := range bridge.ports {
		switch {
		case p.name == b.Uplink && p.filters:
			return s.object(": bridge %s filters VLANs, which a bridge of a Wukong does not", b.Name).into(into)
		case p.name != b.Uplink && s.losesPort(b, p):
			return s.object(": bridge %s has the port %s, which the policy would take from it", b.Name, p.name).into(into)
		}
	}
	return nil
}

// losesPort reports whether a policy that builds a bridge would take a port from it. A policy leaves the taps and veths
// of machines and pods alone. An Open vSwitch bridge has an internal port of its own name.
func (s *State) losesPort(b Bridge, p port) bool {
	if p.bonds {
		return true
	}
	i := s.iface(p.name)
	if i == nil || p.name == b.Name && i.kind == "ovs-interface" && s.carried(i) == "" {
		return false
	}
	return !slices.Contains([]string{"veth", "tun", "tap", "unknown"}, i.kind)
}

// STPObjection is the objection to a bridge that takes part in the spanning tree protocol, which a policy would switch off; nil where it
// does not. A bridge that does so because somebody has edited the policy is another matter.
func (s *State) STPObjection(b Bridge) *Objection {
	bridge := s.bridge(b.Name)
	if bridge == nil || !bridge.stp || bridge.kind != b.Kind {
		return nil
	}
	return s.object(": bridge %s runs STP, which the policy would switch off", b.Name).into(b.Name)
}

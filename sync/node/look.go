package node

import (
	"fmt"
	"slices"
)

// waysOut end a refusal because of an address.
const waysOut = "set vlanId, another physicalInterface, highAvailability.nodeSelector, or for the NIC with the default route preserveHostIP"

// Objection says why a bridge may not be built on the node, or "". own are the names of the bridges of the same owner.
func (s *State) Objection(b Bridge, own map[string]bool) string {
	nic := s.iface(b.NIC)
	if nic == nil {
		return fmt.Sprintf("node %s has no NIC %s: set physicalInterface, or leave the node out by highAvailability.nodeSelector", s.Node, b.NIC)
	}
	if b.MTU != 0 && nic.mtu != 0 && nic.mtu < b.MTU {
		return fmt.Sprintf("node %s: mtu %d is more than the %d of NIC %s: lower mtu, or raise the NIC's", s.Node, b.MTU, nic.mtu, b.NIC)
	}
	looks := []func(Bridge) string{s.nicObjection}
	if b.VLAN != 0 {
		looks = []func(Bridge) string{func(b Bridge) string { return s.tagObjection(b, own) }, s.vlanObjection}
	}
	for _, look := range append(looks, s.bridgeObjection) {
		if objection := look(b); objection != "" {
			return objection
		}
	}
	return ""
}

// nicObjection is about a NIC that becomes the bridge's port itself.
func (s *State) nicObjection(b Bridge) string {
	nic := s.iface(b.NIC)
	switch carried := s.carried(nic); {
	case slices.Contains([]string{LinuxBridge, OVSBridge, "ovs-interface"}, nic.kind):
		return fmt.Sprintf("node %s: %s is a bridge itself, and cannot be the port of one: name it by an attachment of your own in nadName, "+
			"or choose another physicalInterface", s.Node, b.NIC)
	case nic.controller != "" && nic.controller != b.Name:
		return fmt.Sprintf("node %s: NIC %s already belongs to %s: choose another physicalInterface, or name that bridge as bridgeName",
			s.Node, b.NIC, nic.controller)
	case carried != "" && !b.Preserves:
		return fmt.Sprintf("node %s: NIC %s carries %s, and bridging it would cut the node off: %s", s.Node, b.NIC, carried, waysOut)
	}
	return ""
}

// tagObjection is about a NIC that has a controller, and shall get a VLAN interface: the frames of that VLAN would no longer
// reach the controller. A bridge of the same owner was asked for beside it, and one that does not filter VLANs says nothing
// of any.
func (s *State) tagObjection(b Bridge, own map[string]bool) string {
	name := s.iface(b.NIC).controller
	if name == "" || own[name] {
		return ""
	}
	controller := s.bridge(name)
	switch {
	case controller != nil && controller.kind == "bond":
		return fmt.Sprintf("node %s: NIC %s already belongs to bond %s: name the bond as physicalInterface", s.Node, b.NIC, name)
	case controller != nil && controller.kind == LinuxBridge &&
		slices.ContainsFunc(controller.ports, func(p port) bool { return p.name == b.NIC && !p.filters }):
		return ""
	}
	return fmt.Sprintf("node %s: NIC %s already belongs to %s, which may carry VLAN %d itself: name it by an attachment of your own in nadName, "+
		"or choose another physicalInterface", s.Node, b.NIC, name, b.VLAN)
}

// vlanObjection is about a VLAN interface that is there already.
func (s *State) vlanObjection(b Bridge) string {
	for _, at := range s.vlans {
		if i := s.interfaces[at]; i.baseIface == b.NIC && i.vlan == b.VLAN && i.name != b.Uplink {
			return fmt.Sprintf("node %s: VLAN %d on %s is there already, as %s: choose another vlanId, or name that as physicalInterface",
				s.Node, b.VLAN, b.NIC, i.name)
		}
	}
	vlan := s.iface(b.Uplink)
	if vlan == nil {
		return ""
	}
	switch carried := s.carried(vlan); {
	case vlan.baseIface != b.NIC || vlan.vlan != b.VLAN:
		return fmt.Sprintf("node %s: interface %s exists and is not VLAN %d on %s: rename it, or choose another physicalInterface",
			s.Node, b.Uplink, b.VLAN, b.NIC)
	case vlan.controller != "" && vlan.controller != b.Name:
		return fmt.Sprintf("node %s: VLAN interface %s already belongs to %s: name that bridge as bridgeName, or choose another vlanId",
			s.Node, b.Uplink, vlan.controller)
	case carried != "":
		return fmt.Sprintf("node %s: VLAN interface %s carries %s, and bridging it would cut the node off: set another vlanId, "+
			"another physicalInterface, or highAvailability.nodeSelector", s.Node, b.Uplink, carried)
	}
	return ""
}

// bridgeObjection is about a bridge of that name that is there already, whoever has built it.
func (s *State) bridgeObjection(b Bridge) string {
	bridge := s.bridge(b.Name)
	if bridge == nil {
		return ""
	}
	if bridge.kind != b.Kind {
		return fmt.Sprintf("node %s: interface %s exists, of type %s and not %s: choose another bridgeName", s.Node, b.Name, bridge.kind, b.Kind)
	}
	if carried := s.carried(bridge); carried != "" && !b.Preserves {
		return fmt.Sprintf("node %s: bridge %s carries %s: choose another bridgeName, or leave the node out by highAvailability.nodeSelector",
			s.Node, b.Name, carried)
	}
	for _, p := range bridge.ports {
		switch {
		case p.name == b.Uplink && p.filters:
			return fmt.Sprintf("node %s: bridge %s filters VLANs, which a bridge of a Wukong does not: choose another bridgeName", s.Node, b.Name)
		case p.name != b.Uplink && s.losesPort(b, p):
			return fmt.Sprintf("node %s: bridge %s has the port %s, which the policy would take from it: choose another bridgeName",
				s.Node, b.Name, p.name)
		}
	}
	return ""
}

// losesPort reports whether a policy that builds a bridge would take a port from it. The taps and veths of machines and pods
// come and go, and a policy leaves them alone. An Open vSwitch bridge has an internal port of its own name.
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

// Lost says what the node no longer has of a bridge that was built there, or "". NMState does not build it again by itself,
// and CNI's bridge plugin makes an isolated one for the next machine that comes there.
func (s *State) Lost(b Bridge) string {
	bridge := s.bridge(b.Name)
	switch {
	case bridge == nil:
		return "bridge " + b.Name
	case bridge.kind == b.Kind && slices.ContainsFunc(bridge.ports, func(p port) bool { return p.name == b.Uplink }):
		return ""
	}
	return fmt.Sprintf("port %s of bridge %s", b.Uplink, b.Name)
}

// Occupant says who would lose the network with a bridge though no policy speaks of it, or "": somebody's machine or pod that
// an attachment of their own plugs into it, or the node itself, by an address that somebody gave the bridge. What a node
// reports is up to a minute old, so the machine that has just gone may be seen for a while.
func (s *State) Occupant(b Bridge) string {
	bridge := s.bridge(b.Name)
	if bridge == nil {
		return ""
	}
	// It is removed by its name. One of another form is somebody else's, from before or since.
	if bridge.kind != b.Kind {
		return fmt.Sprintf("on node %s %s is of type %s", s.Node, b.Name, bridge.kind)
	}
	if carried := s.carried(s.iface(b.Name)); carried != "" {
		return fmt.Sprintf("on node %s it carries %s", s.Node, carried)
	}
	for _, at := range s.vlans {
		if i := s.interfaces[at]; i.baseIface == b.Name {
			return fmt.Sprintf("on node %s there is the VLAN interface %s on it", s.Node, i.name)
		}
	}
	for _, p := range bridge.ports {
		if !b.Owns(p.name) {
			return fmt.Sprintf("on node %s it has the port %s", s.Node, p.name)
		}
	}
	return ""
}

// FeedsAnother reports whether the uplink of a bridge is a port of something else on the node.
func (s *State) FeedsAnother(b Bridge) bool {
	uplink := s.iface(b.Uplink)
	return uplink != nil && uplink.controller != "" && uplink.controller != b.Name
}

// iface is an interface of the node by name, or nil; of an Open vSwitch bridge and its internal port of the same name the
// port, which is the one that carries addresses.
func (s *State) iface(name string) *iface {
	if at, ok := s.byName[name]; ok {
		return &s.interfaces[at]
	}
	return nil
}

// bridge is an interface of the node by name, or nil; of two the bridge.
func (s *State) bridge(name string) *iface {
	if at, ok := s.bridges[name]; ok {
		return &s.interfaces[at]
	}
	return s.iface(name)
}

// carried is the address or the route that an interface carries, or "". What an interface has by merely being up, an IPv6
// link-local address and its routes, does not count.
func (s *State) carried(i *iface) string {
	if i == nil {
		return ""
	}
	for _, f := range []family{i.ipv4, i.ipv6} {
		if carried := f.carried(); carried != "" {
			return carried
		}
	}
	if destination, routed := s.routed[i.name]; routed {
		return "the route to " + destination
	}
	return ""
}

// carried is the address that an interface has of a family, or "".
func (f family) carried() string {
	switch {
	case f.disabled:
		return ""
	case f.address != "":
		return fmt.Sprintf("the address %s/%d", f.address, f.prefix)
	case f.dhcp:
		return "an address by DHCP"
	}
	return ""
}

package node

import (
	"fmt"
	"slices"
)

// waysOut are the fields that help against a refusal because of an address.
const waysOut = "set vlanId, another physicalInterface, highAvailability.nodeSelector, or for the NIC with the default route preserveHostIP"

// Objection is the message that says why a bridge may not be built on the node; empty where it may. own are the names
// of the bridges of the same owner.
func (s *State) Objection(b Bridge, own map[string]bool) string {
	nic := s.iface(b.NIC)
	if nic == nil {
		return fmt.Sprintf("node %s has no NIC %s: set physicalInterface, or leave the node out by highAvailability.nodeSelector", s.Node, b.NIC)
	}
	if b.MTU != 0 && nic.mtu != 0 && nic.mtu < b.MTU {
		return fmt.Sprintf("node %s: mtu %d is more than the %d of NIC %s: lower mtu, or raise the NIC's", s.Node, b.MTU, nic.mtu, b.NIC)
	}
	checks := []func(Bridge) string{s.nicObjection}
	if b.VLAN != 0 {
		checks = []func(Bridge) string{func(b Bridge) string { return s.tagObjection(b, own) }, s.vlanObjection}
	}
	for _, check := range append(checks, s.bridgeObjection) {
		if objection := check(b); objection != "" {
			return objection
		}
	}
	return ""
}

// nicObjection is the objection to a NIC that would become the bridge's port.
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

// tagObjection is the objection to a VLAN interface on a NIC that is a port of something else, its controller: the
// frames of the VLAN would no longer reach the controller. There is none if the controller is a bridge of the same
// owner, who asked for both, or a bridge that does not filter VLANs, which tells nothing about them.
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
	return fmt.Sprintf("node %s: NIC %s already belongs to %s, which may carry VLAN %d itself: "+
		"name it by an attachment of your own in nadName, or choose another physicalInterface", s.Node, b.NIC, name, b.VLAN)
}

// vlanObjection is the objection to the VLAN interface because of an interface that exists already.
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

// bridgeObjection is the objection to the bridge because of a bridge of its name that exists already, whoever has built
// that one.
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

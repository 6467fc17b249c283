package node

import (
	"maps"
	"slices"
)

// What somebody could name in the spec in place of what an Objection is about. None of it is looked at here: whether it would do is for
// Objection to say.

// NICs are the names of the interfaces that could be a bridge's NIC in place of another, in their order, and then their alternative
// names, which nodes may have in common.
func (s *State) NICs(nic string) []string {
	var all, alternative []string
	for at := range s.interfaces {
		if i := &s.interfaces[at]; i.isNIC() && i.stays() && i.controller == "" && i.name != nic {
			all, alternative = append(all, i.name), append(alternative, i.altNames...)
		}
	}
	return append(sorted(all), sorted(alternative)...)
}

// SameWire are the names that lead to the wire of a NIC, and could be said in its place: the bond or team that it is a port of, its
// alternative names, and what has the name as an alternative one.
func (s *State) SameWire(nic string) []string {
	var all []string
	if i := s.iface(nic); i != nil {
		if controller := s.iface(i.controller); controller != nil && (controller.kind == "bond" || controller.kind == "team") {
			all = append(all, controller.name)
		}
		all = append(all, i.altNames...)
	}
	for _, i := range s.calledToo(nic) {
		all = append(append(all, i.name), i.altNames...)
	}
	return slices.DeleteFunc(all, func(name string) bool { return name == nic })
}

// VLANInterface is the name of the node's interface for the VLAN of a bridge; empty where there is none.
func (s *State) VLANInterface(b Bridge) string {
	b = s.here(b)
	for _, at := range s.vlans {
		if i := s.interfaces[at]; b.VLAN != 0 && !i.absent && i.baseIface == b.NIC && i.vlan == b.VLAN && !i.provider {
			return i.name
		}
	}
	return ""
}

// Feeding is the name and the kind of the bridge on the node that the uplink of a bridge is a port of; the name is empty where there is
// none.
func (s *State) Feeding(b Bridge) (name, kind string) {
	uplink := s.iface(s.here(b).Uplink)
	if uplink == nil {
		return "", ""
	}
	if name = s.bridgeOf(uplink); name != "" {
		return name, s.bridge(name).kind
	}
	return "", ""
}

// bridgeOf is the bridge that an interface is a port of; empty where it is none, or of something else.
func (s *State) bridgeOf(i *iface) string {
	if at, found := s.bridges[i.controller]; found {
		return s.interfaces[at].name
	}
	return ""
}

// Carriers are the names of the interfaces that have a default route of IPv4, in their order.
func (s *State) Carriers() []string {
	return slices.Sorted(maps.Keys(s.gateways))
}

package node

import (
	"fmt"
)

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

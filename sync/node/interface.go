package node

// iface is an interface of the node by name; nil where there is none. Where an Open vSwitch bridge and its internal
// port have the same name, iface is the port, which carries the addresses.
func (s *State) iface(name string) *iface {
	if at, ok := s.byName[name]; ok {
		return &s.interfaces[at]
	}
	return nil
}

// bridge is an interface of the node by name; nil where there is none. Where a bridge and another interface have the
// same name, bridge is the bridge.
func (s *State) bridge(name string) *iface {
	if at, ok := s.bridges[name]; ok {
		return &s.interfaces[at]
	}
	return s.iface(name)
}

// carried is the address or the route that an interface carries, in words; empty where there is none. The IPv6
// link-local address and its routes do not count: every interface that is up has them.
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

// carried is the address of one family that an interface has, in words; empty where there is none.
func (f family) carried() string {
	switch {
	case f.disabled:
		return ""
	case len(f.addresses) > 0:
		return "the address " + f.addresses[0]
	case f.given:
		return "an address from router advertisements"
	}
	return ""
}

// asks reports whether an interface asks for an address of the family, and has none yet.
func (f family) asks() bool {
	return !f.disabled && (f.dhcp || f.autoconf) && f.carried() == ""
}

// burden is what the node would lose with an interface that becomes a bridge's port, in words; empty where there is nothing. To ask for an
// address, as NetworkManager does on every NIC that nobody has told otherwise, is none where another interface carries the node.
func (s *State) burden(i *iface) string {
	if i == nil {
		return ""
	}
	if carried := s.carried(i); carried != "" {
		return "carries " + carried
	}
	for _, gateways := range []map[string]bool{s.gateways, s.gateways6} {
		for name := range gateways {
			if name != i.name {
				return ""
			}
		}
	}
	switch {
	case i.ipv4.asks():
		return "asks for an address by DHCP, and no other interface has a default route"
	case i.ipv6.asks():
		return "asks for an IPv6 address, and no other interface has a default route"
	}
	return ""
}

package node

import "fmt"

// HostAddress is about the address that preserveHostIP moves to the bridge: that of the interface of the default route.
// dhcp is whether the address comes by DHCP. objection is the message that says why it cannot be moved; empty where it
// can.
func (s *State) HostAddress(b Bridge) (dhcp bool, objection string) {
	if objection := s.routeObjection(b); objection != "" {
		return false, objection
	}
	carrier := s.iface(b.NIC)
	if s.gateways[b.Name] {
		carrier = s.bridge(b.Name)
	}
	if objection := s.twinObjection(b); objection != "" || carrier == nil {
		return false, objection
	}
	dhcp = carrier.ipv4.dhcp
	const given = "set vlanId or another physicalInterface"
	switch hasIPv6 := s.ipv6Routed || carrier.ipv6.carried() != ""; {
	case hasIPv6 && dhcp:
		return false, fmt.Sprintf("node %s: %s has IPv4 by DHCP and IPv6 as well, and preserveHostIP would lose the IPv6: %s",
			s.Node, carrier.name, given)
	case hasIPv6 && (carrier.ipv6.dhcp || carrier.ipv6.autoconf):
		return false, fmt.Sprintf("node %s: %s has an IPv6 address that it was given, and another may be given to the bridge: %s, "+
			"or make the address static", s.Node, carrier.name, given)
	}
	return dhcp, ""
}

// routeObjection is the message that says what is wrong with the node's default routes; empty where nothing is. Exactly
// one interface must have them: the NIC, or the bridge after the move.
func (s *State) routeObjection(b Bridge) string {
	switch {
	case len(s.gateways) == 0 && s.ipv6Routed:
		return fmt.Sprintf("node %s has a default route by IPv6 only, which preserveHostIP cannot follow: "+
			"set vlanId or another physicalInterface", s.Node)
	case len(s.gateways) == 0:
		return fmt.Sprintf("node %s has no default route: remove preserveHostIP, or leave the node out by highAvailability.nodeSelector", s.Node)
	case len(s.gateways) > 1:
		return fmt.Sprintf("node %s has default routes by several interfaces, and preserveHostIP moves one: "+
			"set vlanId or another physicalInterface", s.Node)
	case !s.gateways[b.NIC] && !s.gateways[b.Name]:
		return fmt.Sprintf("node %s: the default route does not leave by %s: remove preserveHostIP, or choose the NIC that it leaves by",
			s.Node, b.NIC)
	}
	return ""
}

// twinObjection is the message that another interface has the hardware address of the NIC; empty where none has. The
// policy finds what to move by that address. A VLAN interface has its NIC's address too, but does not matter if it
// carries nothing.
func (s *State) twinObjection(b Bridge) string {
	nic := s.iface(b.NIC)
	if nic == nil || nic.mac == "" {
		return ""
	}
	for at := range s.interfaces {
		i := &s.interfaces[at]
		if i.name == b.NIC || i.name == b.Name || i.mac != nic.mac {
			continue
		}
		if i.kind == "bond" || i.kind == "ethernet" || s.carried(i) != "" {
			return fmt.Sprintf("node %s: %s has the same hardware address as %s, and preserveHostIP cannot tell them apart: "+
				"set vlanId or another physicalInterface", s.Node, i.name, b.NIC)
		}
	}
	return ""
}

package node

import (
	"slices"
	"strings"
)

// HostAddress is about the address that preserveHostIP moves to the bridge: that of the interface of the default route.
// dhcp is whether the address comes by DHCP. The Objection is why it cannot be moved; nil where it can.
func (s *State) HostAddress(b Bridge) (dhcp bool, o *Objection) {
	if o := s.hostObjection(b); o != nil {
		return false, o
	}
	carrier := s.moved(s.here(b))
	return carrier != nil && carrier.ipv4.dhcp, nil
}

// moved is the interface that has the address to be moved: the NIC, or the bridge after the move.
func (s *State) moved(b Bridge) *iface {
	if s.gateways[b.Name] {
		return s.bridge(b.Name)
	}
	return s.iface(b.NIC)
}

// hostObjection is the objection to moving the node's address; nil where there is none. What a policy does not move is lost for good, and
// what it moves is the node's own for good.
func (s *State) hostObjection(asked Bridge) *Objection {
	b := s.here(asked)
	if b.NIC != asked.NIC {
		return s.object(": %s is an alternative name of %s, and preserveHostIP compares names", asked.NIC, b.NIC)
	}
	if o := s.routeObjection(b); o != nil {
		return o
	}
	carrier := s.moved(b)
	if carrier == nil {
		return nil
	}
	checks := []func(Bridge, *iface) *Objection{s.twinObjection, s.ipv6Objection, s.addressObjection, s.daemonObjection}
	if carrier.name == b.NIC {
		checks = append(checks, s.askingObjection, s.ruleObjection, s.managerObjection) // on the bridge these stay as they are
	}
	var found *Objection
	for _, of := range checks {
		if found = found.Before(of(b, carrier)); found != nil && found.Remedy == "" {
			return found
		}
	}
	return found
}

// routeObjection says what is wrong with the node's default routes; nil where nothing is. Exactly one interface must have them: the NIC,
// or the bridge after the move.
func (s *State) routeObjection(b Bridge) *Objection {
	switch {
	case len(s.gateways) == 0 && len(s.gateways6) > 0:
		return s.object(" has a default route by IPv6 only, which preserveHostIP cannot follow")
	case len(s.gateways) == 0:
		return s.object(" has no default route")
	case len(s.gateways) > 1:
		return s.object(" has default routes by several interfaces, and preserveHostIP moves one")
	case !s.gateways[b.NIC] && !s.gateways[b.Name]:
		return s.object(": the default route does not leave by %s", b.NIC)
	}
	return nil
}

// twinObjection is the objection that another interface has the hardware address of the NIC. The policy finds what to move by name, and
// by that address. The ports of a bond have the bond's address, and a VLAN interface has its NIC's: neither has the default route.
func (s *State) twinObjection(b Bridge, _ *iface) *Objection {
	nic := s.iface(b.NIC)
	if nic == nil || nic.mac == "" {
		return nil
	}
	for at := range s.interfaces {
		i := &s.interfaces[at]
		if i.name == b.NIC || i.name == b.Name || i.mac != nic.mac || i.controller == b.NIC || i.baseIface == b.NIC {
			continue
		}
		if i.kind == "bond" || i.kind == "ethernet" || s.carried(i) != "" {
			return s.object(": %s has the same hardware address as %s, which preserveHostIP needs apart", i.name, b.NIC)
		}
	}
	return nil
}

// ipv6Objection is the objection to IPv6 that would not move. To ask routers for an address, as NetworkManager does by default, and to get
// none, moves.
func (s *State) ipv6Objection(b Bridge, carrier *iface) *Objection {
	switch hasIPv6 := s.gateways6[carrier.name] || carrier.ipv6.carried() != ""; {
	case hasIPv6 && carrier.ipv4.dhcp:
		return s.object(": %s has IPv4 by DHCP and IPv6 as well, and preserveHostIP would lose the IPv6", carrier.name)
	case hasIPv6 && (carrier.ipv6.dhcp || carrier.ipv6.autoconf):
		return s.object(": %s has an IPv6 address that it was given, and another may be given to the bridge", carrier.name).
			remedy("make it static")
	}
	return nil
}

// addressObjection is the objection to addresses beside the node's own: the policy would make them the node's for good, or with DHCP lose
// them.
func (s *State) addressObjection(b Bridge, carrier *iface) *Objection {
	if addresses := carrier.ipv4.addresses; carrier.ipv4.dhcp {
		if len(addresses) < 2 {
			return nil
		}
		return s.object(": %s has the addresses %s, and preserveHostIP asks for one by DHCP and loses the others",
			carrier.name, strings.Join(addresses[:2], " and "))
	}
	for _, addresses := range [][]string{carrier.ipv4.addresses, carrier.ipv6.addresses} {
		if len(addresses) >= maxAddresses {
			return s.object(": %s has %d addresses or more, and which are the node's own cannot be told", carrier.name, maxAddresses)
		}
		if beside := virtual(addresses); beside != "" {
			return s.object(": %s has the address %s beside its own, as virtual IPs are, and preserveHostIP would make it the node's own for good", carrier.name, beside)
		}
	}
	return nil
}

// virtual is the first address that may not be the node's own, but one that keepalived, kube-vip or the like has put there: an address
// without a subnet beside one with, or a second one of a subnet. A node with a single address has that as its own.
func virtual(addresses []string) string {
	if len(addresses) < 2 {
		return ""
	}
	seen := map[string]bool{}
	for _, address := range addresses {
		in := subnet(address)
		if in.IsSingleIP() || seen[in.String()] {
			return address
		}
		seen[in.String()] = true
	}
	return ""
}

// daemonObjection is the objection to routes that a daemon keeps: the policy would make them the node's for good.
func (s *State) daemonObjection(b Bridge, carrier *iface) *Objection {
	if carrier.ipv4.dhcp {
		if to := s.staticRoute(carrier); to != "" {
			return s.object(": the route to %s by %s does not come by DHCP, and preserveHostIP would lose it", to, carrier.name)
		}
		return nil
	}
	if to := s.foreignRoute(carrier); to != "" {
		return s.object(": the route to %s by %s was set by a daemon, or by hand, and preserveHostIP would make it the node's own for good",
			to, carrier.name)
	}
	return nil
}

// askingObjection is the objection to DHCP that is not NetworkManager's by default: the bridge would ask otherwise, and may get another
// address.
func (s *State) askingObjection(b Bridge, carrier *iface) *Objection {
	if settings := carrier.ipv4.settings; carrier.ipv4.dhcp && len(settings) > 0 {
		return s.object(": %s asks for its address with %s, which preserveHostIP would lose", carrier.name, strings.Join(settings, ", "))
	}
	return nil
}

// ruleObjection is the objection to routing rules that NetworkManager may keep in the NIC's profile, which the move replaces.
func (s *State) ruleObjection(b Bridge, carrier *iface) *Objection {
	rules := s.judgedRules()
	at := slices.IndexFunc(rules, func(r rule) bool { return r.touches(carrier.name) })
	if at < 0 {
		return nil
	}
	return s.object(": a routing rule for table %d goes with the profile of %s, and preserveHostIP would lose it",
		rules[at].table, carrier.name)
}

// managerObjection is the objection to a NIC that NetworkManager does not manage: whatever does gives the NIC its address again, at the next
// boot at the latest, and then NIC and bridge both have it.
func (s *State) managerObjection(_ Bridge, carrier *iface) *Objection {
	if !carrier.unmanaged {
		return nil
	}
	return s.object(": NetworkManager does not manage %s, and what does would give it its address again", carrier.name)
}

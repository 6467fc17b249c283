package node

import "slices"

// Objection is the message that says why a bridge may not be built on the node; empty where it may. own are the names
// of the bridges of the same owner.
func (s *State) Objection(b Bridge, own map[string]bool) string {
	return s.says(s.objectionTo(b, own), own)
}

// objectionTo is the objection to a bridge; nil where there is none.
func (s *State) objectionTo(asked Bridge, own map[string]bool) *objection {
	b := s.here(asked)
	if o := s.absentObjection(asked); o != nil {
		return o
	}
	checks := []func(Bridge, map[string]bool) *objection{s.kindObjection, s.mtuObjection, s.nameObjection, s.nicObjection, s.filterObjection}
	if b.VLAN != 0 {
		checks = []func(Bridge, map[string]bool) *objection{
			s.kindObjection, s.mtuObjection, s.nameObjection, s.filterObjection, s.tagObjection, s.twiceObjection, s.vlanObjection,
		}
	}
	for _, check := range append(checks, s.uponObjection, s.bridgeObjection) {
		if o := check(b, own); o != nil {
			return o
		}
	}
	return nil
}

// absentObjection is the objection to a NIC that the node does not have.
func (s *State) absentObjection(b Bridge) *objection {
	switch all := s.calledToo(b.NIC); {
	case s.named(b.NIC) != nil:
		return nil
	case len(all) > 1 && s.iface(b.NIC) == nil:
		return s.object([]way{past("name the NIC by a name that it has alone")},
			": %s and %s both have the alternative name %s", all[0].name, all[1].name, b.NIC)
	}
	return s.object([]way{past("set physicalInterface"), past("use a WukongNetwork with uplinks[]")},
		" has no NIC %s", b.NIC)
}

// mtuObjection is the objection to an MTU that the NIC does not carry, or that would be less than the node itself has.
func (s *State) mtuObjection(b Bridge, _ map[string]bool) *objection {
	nic := s.iface(b.NIC)
	switch {
	case b.MTU == 0 || nic.mtu == 0:
		return nil
	case nic.mtu < b.MTU:
		return s.object([]way{past("lower mtu"), past("raise the NIC's")}, ": mtu %d is more than the %d of NIC %s", b.MTU, nic.mtu, b.NIC)
	case b.Preserves && b.MTU < nic.mtu:
		return s.object([]way{past("remove mtu, so that the bridge has what the NIC has")},
			": mtu %d is less than the %d of NIC %s, and with preserveHostIP the node itself would have no more", b.MTU, nic.mtu, b.NIC)
	}
	return nil
}

// nameObjection is the objection to the name of the bridge, or of its VLAN interface, because another interface has it as well.
func (s *State) nameObjection(b Bridge, own map[string]bool) *objection {
	if all := s.calledToo(b.Name); len(all) > 0 && s.bridge(b.Name) == nil {
		return s.object([]way{byName(b)}, ": %s is an alternative name of %s", b.Name, all[0].name)
	}
	if all := s.calledToo(b.Uplink); b.VLAN != 0 && len(all) > 0 && s.iface(b.Uplink) == nil {
		return s.object([]way{s.byVLAN(b), s.byNIC(b)}, ": %s is an alternative name of %s", b.Uplink, all[0].name)
	}
	return nil
}

// nicObjection is the objection to a NIC that would become the bridge's port.
func (s *State) nicObjection(b Bridge, own map[string]bool) *objection {
	nic := s.iface(b.NIC)
	switch burden := s.burden(nic); {
	case slices.Contains(bridging, nic.kind):
		return s.object([]way{plugIn, s.byNIC(b)}, ": %s is a bridge itself, and cannot be the port of one", b.NIC)
	case nic.controller != "" && nic.controller != b.Name:
		return s.takenObjection(b, nic.controller)
	case nic.keepsTag && b.Kind == OVSBridge:
		return s.tagKeptObjection(b, nic)
	case burden != "" && !b.Preserves:
		return s.object([]way{s.byVLAN(b), s.byNIC(b), byMoving(b)}, ": NIC %s %s, and bridging it would cut the node off", b.NIC, burden)
	}
	return nil
}

// takenObjection is the objection to a NIC that is the port of something else.
func (s *State) takenObjection(b Bridge, name string) *objection {
	ways := []way{s.byNIC(b), byBridge(b, name)}
	if controller := s.bridge(name); controller != nil {
		switch controller.kind {
		case LinuxBridge, OVSBridge:
			ways = append(ways, plugIn)
		case "bond", "team":
			ways = append(ways, untagged(b, name, "name the "+controller.kind+" as physicalInterface"))
		}
	}
	return s.object(ways, ": NIC %s already belongs to %s", b.NIC, name)
}

// tagKeptObjection is the objection to a VLAN interface that leaves the tag in what it receives: the kernel spares a Linux bridge that,
// and no Open vSwitch bridge.
func (s *State) tagKeptObjection(b Bridge, vlan *iface) *objection {
	ways := []way{past("set its reorder-headers to true"), s.byNIC(b)}
	if b.VLAN != 0 {
		ways = append(ways, s.byVLAN(b))
	}
	return s.object(ways, ": VLAN interface %s has reorder-headers false, so Open vSwitch would see the tag of VLAN %d", vlan.name, vlan.vlan)
}

// tagObjection is the objection to a VLAN interface on a NIC that is a port of something else, its controller: the
// frames of the VLAN would no longer reach the controller. There is none if the controller is a bridge of the same
// owner, who asked for both, or a bridge that does not filter VLANs, which tells nothing about them.
func (s *State) tagObjection(b Bridge, own map[string]bool) *objection {
	name := s.iface(b.NIC).controller
	if name == "" || own[name] {
		return nil
	}
	controller := s.bridge(name)
	switch {
	case controller != nil && controller.kind == "bond":
		return s.object([]way{{words: "name the bond as physicalInterface", to: []Bridge{onNIC(b, name)}}, s.byNIC(b)}, ": NIC %s already belongs to bond %s", b.NIC, name)
	case controller != nil && controller.kind == LinuxBridge &&
		slices.ContainsFunc(controller.ports, func(p port) bool { return p.name == b.NIC && !p.filters }):
		return nil
	}
	return s.object([]way{plugIn, s.byNIC(b)}, ": NIC %s already belongs to %s, which may carry VLAN %d itself", b.NIC, name, b.VLAN)
}

// twiceObjection is the objection to a VLAN that the NIC has under another name. A NIC has each VLAN once, of each kind of tags.
func (s *State) twiceObjection(b Bridge, _ map[string]bool) *objection {
	for _, at := range s.vlans {
		if i := s.interfaces[at]; i.baseIface == b.NIC && i.vlan == b.VLAN && !i.provider && i.name != b.Uplink {
			return s.object([]way{s.byVLAN(b), untagged(b, i.name, "name that as physicalInterface without vlanId")},
				": VLAN %d on %s is there already, as %s", b.VLAN, b.NIC, i.name)
		}
	}
	return nil
}

// vlanObjection is the objection to the VLAN interface because of an interface of its name that exists already.
func (s *State) vlanObjection(b Bridge, _ map[string]bool) *objection {
	vlan := s.iface(b.Uplink)
	if vlan == nil {
		return nil
	}
	ways := []way{s.byVLAN(b), s.byNIC(b)}
	switch burden := s.burden(vlan); {
	case vlan.provider && vlan.baseIface == b.NIC && vlan.vlan == b.VLAN:
		return s.object(ways, ": VLAN interface %s has tags of 802.1ad, not of 802.1Q", b.Uplink)
	case vlan.baseIface != b.NIC || vlan.vlan != b.VLAN:
		return s.object(append([]way{past("rename it")}, s.byNIC(b)), ": interface %s exists and is not VLAN %d on %s", b.Uplink, b.VLAN, b.NIC)
	case vlan.controller != "" && vlan.controller != b.Name:
		return s.object([]way{byBridge(b, vlan.controller), s.byVLAN(b)}, ": VLAN interface %s already belongs to %s", b.Uplink, vlan.controller)
	case vlan.keepsTag && b.Kind == OVSBridge:
		return s.tagKeptObjection(b, vlan)
	case burden != "":
		return s.object(ways, ": VLAN interface %s %s, and bridging it would cut the node off", b.Uplink, burden)
	}
	return nil
}

// bridgeObjection is the objection to the bridge because of a bridge of its name that exists already, whoever has built
// that one.
func (s *State) bridgeObjection(b Bridge, own map[string]bool) *objection {
	bridge := s.bridge(b.Name)
	if bridge == nil {
		return nil
	}
	ways := []way{byName(b)}
	if slices.Contains(bridging, bridge.kind) {
		ways = append(ways, plugIn)
	}
	if bridge.kind != b.Kind {
		return s.object(ways, ": interface %s exists, of type %s and not %s", b.Name, bridge.kind, b.Kind)
	}
	if burden := s.burden(bridge); burden != "" && !b.Preserves {
		return s.object(append(ways, byMoving(b)), ": bridge %s %s", b.Name, burden)
	}
	if bridge.stp {
		return s.object(ways, ": bridge %s runs STP, which the policy would switch off", b.Name)
	}
	for _, p := range bridge.ports {
		switch {
		case p.name == b.Uplink && p.filters:
			return s.object(ways, ": bridge %s filters VLANs, which a bridge of a Wukong does not", b.Name)
		case p.name != b.Uplink && s.losesPort(b, p):
			return s.object(ways, ": bridge %s has the port %s, which the policy would take from it", b.Name, p.name)
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

package node

import (
	"fmt"
	"slices"
)

// The kinds of what stands on a NIC without a bridge, as CNI's plugins call them.
const (
	Macvlan = "macvlan"
	Ipvlan  = "ipvlan"
)

// The same, as NMState calls them. A macvtap is a macvlan with another end.
const (
	macVLAN = "mac-vlan"
	macVTap = "mac-vtap"
	ipVLAN  = "ipvlan"
)

// Master is a NIC on which the macvlans or ipvlans of a network stand. The kernel gives the frames of a NIC to one receiver
// (netdev_rx_handler_register): all its macvlans, or all its ipvlans, or the bridge, bond or ring that it is a port of.
type Master struct {
	Kind string // Macvlan or Ipvlan
	NIC  string
	MTU  int64  // as asked for; 0 where the NIC's counts
	Mode string // empty is that of CNI's plugin
}

// The modes that are not like others: a macvlan in this mode is the only one on its NIC, and all ipvlans of a NIC have one mode, that of
// the last (macvlan_common_newlink and ipvlan_set_port_mode in the kernel).
const (
	passthru = "passthru"
	layer2   = "l2"
)

// String is what stands on the NIC, in words.
func (m Master) String() string {
	if m.Mode == "" || m.Mode == layer2 || m.Mode == "bridge" {
		return fmt.Sprintf("%ss on %s", m.Kind, m.NIC)
	}
	return fmt.Sprintf("%ss in mode %s on %s", m.Kind, m.Mode, m.NIC)
}

// Fights reports whether two masters cannot be one NIC.
func (m Master) Fights(other Master) bool {
	switch {
	case m.NIC != other.NIC:
		return false
	case m.Kind != other.Kind:
		return true
	case m.Kind == Macvlan:
		return m.Mode == passthru || other.Mode == passthru
	}
	return m.layer() != other.layer()
}

// layer is the mode of an ipvlan, its default filled in.
func (m Master) layer() string {
	if m.Mode == "" {
		return layer2
	}
	return m.Mode
}

// MasterObjection is what was found that keeps macvlans or ipvlans from a NIC of the node; empty where nothing does.
func (s *State) MasterObjection(m Master) string {
	cause := s.masterCause(m)
	if cause == "" {
		return ""
	}
	return "node " + s.Node + cause
}

// masterCause is what speaks against a NIC of the node as the master of macvlans or ipvlans; empty where nothing does.
func (s *State) masterCause(m Master) string {
	nic := s.named(m.NIC)
	if nic == nil {
		if all := s.calledToo(m.NIC); len(all) > 1 && s.iface(m.NIC) == nil {
			return fmt.Sprintf(": %s and %s both have the alternative name %s", all[0].name, all[1].name, m.NIC)
		}
		return fmt.Sprintf(" has no NIC %s", m.NIC)
	}
	if cause := s.tooSmall(m, nic); cause != "" {
		return cause
	}
	return s.unfit(m, s.lower(m, nic))
}

// lower is the NIC that the kernel takes in place of a macvlan, for macvlans, and of an ipvlan, for ipvlans.
func (s *State) lower(m Master, nic *iface) *iface {
	if base := s.iface(nic.base); base != nil && m.stacks(nic.kind) {
		return base
	}
	return nic
}

// stacks reports whether an interface of some kind is of the driver that the master is for.
func (m Master) stacks(kind string) bool {
	if m.Kind == Macvlan {
		return kind == macVLAN || kind == macVTap
	}
	return kind == ipVLAN
}

// unfit is what makes a NIC unfit to be the master; empty where nothing does.
func (s *State) unfit(m Master, nic *iface) string {
	able := slices.Contains(ethernets, nic.kind) || slices.Contains([]string{LinuxBridge, ovsPort, macVLAN, macVTap}, nic.kind) || m.stacks(nic.kind)
	switch on := s.rival(m, nic.name); {
	case !able:
		return fmt.Sprintf(": %s is of type %s, and carries no %s", nic.name, nic.kind, m.Kind)
	case m.Kind == Macvlan && nic.guarded: // an ipvlan has the hardware address of its NIC
		return fmt.Sprintf(": %s is an SR-IOV VF that lets no frames of a macvlan pass", nic.name)
	case s.gives(nic):
		return fmt.Sprintf(": NIC %s belongs to %s, which takes its frames", nic.name, nic.controller)
	case on == nil:
		return ""
	case !m.stacks(on.kind):
		return fmt.Sprintf(": the %s %s on NIC %s takes its frames", on.kind, on.name, nic.name)
	case on.mode == passthru:
		return fmt.Sprintf(": the %s %s has %s alone (%s)", on.kind, on.name, nic.name, on.mode)
	default:
		return fmt.Sprintf(": the %s %s on %s is in mode %s, not %s", on.kind, on.name, nic.name, on.mode, m.layer())
	}
}

// ovsPort is the kind of the internal port of an Open vSwitch bridge. Its controller, the bridge, does not take its frames.
const ovsPort = "ovs-interface"

// gives reports whether a NIC gives all its frames to its controller. A VRF only routes them.
func (s *State) gives(nic *iface) bool {
	if nic.controller == "" || nic.kind == ovsPort {
		return false
	}
	controller := s.bridge(nic.controller)
	return controller == nil || controller.kind != "vrf"
}

// rival is what stands on a NIC and lets no macvlan or ipvlan of the master beside it; nil where there is none.
func (s *State) rival(m Master, nic string) *iface {
	for at := range s.interfaces {
		i := &s.interfaces[at]
		if i.base != nic || !i.stays() || !slices.Contains(receivers, i.kind) {
			continue
		}
		otherMode := i.mode == passthru || i.kind == ipVLAN && i.mode != "" && i.mode != m.layer()
		if !m.stacks(i.kind) || otherMode {
			return i
		}
	}
	return nil
}

// MasterChoices are the NICs that could be named in place of one as the master: first what it is a port of. None is looked at here.
func (s *State) MasterChoices(nic string) []string {
	var all []string
	if i := s.named(nic); i != nil && i.controller != "" {
		all = append(all, i.controller)
	}
	return append(all, s.NICs(nic)...)
}

// tooSmall is what speaks against the MTU of a NIC; empty where nothing does.
func (s *State) tooSmall(m Master, nic *iface) string {
	if m.MTU == 0 || nic.mtu == 0 || nic.mtu >= m.MTU {
		return ""
	}
	return fmt.Sprintf(": mtu %d is more than the %d of NIC %s", m.MTU, nic.mtu, nic.name)
}

// Has reports whether the node has an interface of a name, or of an alternative name.
func (s *State) Has(name string) bool {
	return s.named(name) != nil || len(s.calledToo(name)) > 0
}

// SomeNICs are the names of the NICs of the node, in words.
func (s *State) SomeNICs() string {
	var names []string
	for at := range s.interfaces {
		if i := &s.interfaces[at]; i.stays() && i.isNIC() {
			names = append(names, i.name)
		}
	}
	if len(names) == 0 {
		return "none"
	}
	return someOf(names)
}

// SameNIC reports whether two names are those of one interface of the node.
func (s *State) SameNIC(a, b string) bool {
	one := s.named(a)
	return one != nil && one == s.named(b)
}

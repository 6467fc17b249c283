package node

import "slices"

// here is a bridge with its NIC as the node calls it: NMState takes an alternative name for the NIC that has it. A VLAN interface keeps
// the name that a policy gives it.
func (s *State) here(b Bridge) Bridge {
	nic := s.named(b.NIC)
	if nic == nil {
		return b
	}
	if b.Uplink == b.NIC {
		b.Uplink = nic.name
	}
	b.NIC = nic.name
	return b
}

// MTU is the MTU of a bridge's NIC; 0 where it is not known.
func (s *State) MTU(b Bridge) int64 {
	if nic := s.named(b.NIC); nic != nil {
		return nic.mtu
	}
	return 0
}

// named is the interface that stays and has a name, or as the only one the alternative name; nil where there is none.
func (s *State) named(name string) *iface {
	if i := s.iface(name); i != nil {
		if !i.stays() {
			return nil
		}
		return i
	}
	if all := s.calledToo(name); len(all) == 1 && all[0].stays() {
		return s.iface(all[0].name) // none of an Open vSwitch bridge, whose internal port is the interface
	}
	return nil
}

// calledToo are the interfaces that have an alternative name.
func (s *State) calledToo(name string) []*iface {
	var all []*iface
	for at := range s.interfaces {
		if i := &s.interfaces[at]; !i.absent && slices.Contains(i.altNames, name) {
			all = append(all, i)
		}
	}
	return all
}

// ovsSystem is what NMState calls the controller of a port of any Open vSwitch bridge: the kernel knows no other.
const ovsSystem = "ovs-system"

package node

import "slices"

// The kinds of interfaces that carry Ethernet frames and have no driver of their own on top: what can be the port of a bridge, and the
// master of macvlans and ipvlans. NMState has the kernel's word for a kind that it does not know. The empty kind is not known.
var ethernets = []string{
	"", "ethernet", "bond", "team", "veth", "vlan", "vxlan", "dummy", "macsec", "hsr", "geneve", "gretap", "ip6gretap",
}

// bridging are the kinds of interfaces that are bridges, or the internal port of one.
var bridging = []string{LinuxBridge, OVSBridge, "ovs-interface"}

// receivers are the kinds of interfaces that take all frames of the interface that they stand on. An interface has room for one such.
var receivers = []string{"mac-vlan", "mac-vtap", "ipvlan", "macsec"}

// kindObjection is the objection to a NIC that no bridge can have as its port, and that can have no VLAN interface, or that machines get
// nothing from.
func (s *State) kindObjection(b Bridge, own map[string]bool) *Objection {
	nic := s.iface(b.NIC)
	if nic.guarded {
		return s.object(": %s is an SR-IOV VF that lets no frames of machines pass", nic.name).remedy("set its trust on and spoof-check off")
	}
	if slices.Contains(ethernets, nic.kind) || slices.Contains(bridging, nic.kind) { // a bridge is no port either, and has an objection of its own
		return nil
	}
	return s.object(": %s is of type %s, and cannot be the port of a bridge", nic.name, nic.kind)
}

// upon is an interface, no VLAN interface, that stands on another; nil where there is none.
func (s *State) upon(name string) *iface {
	for at := range s.interfaces {
		if i := &s.interfaces[at]; i.base == name && i.name != name && i.stays() {
			return i
		}
	}
	return nil
}

// uponObjection is the objection to an uplink because of what stands on it. The frames of a bridge's port go to the bridge alone.
func (s *State) uponObjection(b Bridge, own map[string]bool) *Objection {
	i := s.upon(b.Uplink)
	if i == nil {
		return nil
	}
	if slices.Contains(receivers, i.kind) {
		return s.object(": %s has the %s %s on it, and takes no bridge beside that", b.Uplink, i.kind, i.name)
	}
	return s.object(": %s has the %s %s on it, which would stay bound to it while the bridge has its frames", b.Uplink, i.kind, i.name)
}

// filterObjection is the objection to a VLAN on a bridge that filters VLANs. NMState lets the bridge's ports into VLANs, and never the
// bridge itself, so the frames of the VLAN do not reach an interface on it.
func (s *State) filterObjection(b Bridge, own map[string]bool) *Objection {
	nic, vlan := s.iface(b.NIC), b.VLAN
	if vlan == 0 {
		nic, vlan = s.iface(nic.baseIface), nic.vlan
	}
	for range s.interfaces { // a VLAN may stand on a VLAN, and the names in a report may run in a circle
		if nic == nil || vlan == 0 {
			return nil
		}
		if name := s.filtering(nic); name != "" {
			return s.object(": bridge %s filters VLANs, and lets VLAN %d through to its ports only, not to a VLAN interface on it", name, vlan).
				into(name)
		}
		nic, vlan = s.iface(nic.baseIface), nic.vlan
	}
	return nil
}

// filtering is the bridge that keeps VLANs from an interface that is the bridge, or its internal port; empty where there is none.
func (s *State) filtering(i *iface) string {
	switch i.kind {
	case LinuxBridge:
		ports, _ := s.lastingPorts(i)
		if slices.ContainsFunc(ports, func(p port) bool { return p.filters }) {
			return i.name
		}
	case "ovs-interface":
		bridge := s.bridge(i.controller)
		if bridge == nil {
			return ""
		}
		if slices.ContainsFunc(bridge.ports, func(p port) bool { return p.name == i.name && p.filters }) {
			return bridge.name
		}
	}
	return ""
}

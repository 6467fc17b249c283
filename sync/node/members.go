package node

import (
	"cmp"
	"slices"

	"novasphere.dev/wukong/sync/lenient"
)

// join gives the ports that a bridge, a bond, a VRF or the like lists that as their controller, where they name none themselves: the ports
// of an Open vSwitch bridge that NMState has not made name its datapath. It lets a filter of Open vSwitch that names no VLAN be none, and
// tells the virtual functions what their NICs say of them.
func (s *State) join() {
	controllers := map[string]string{}
	for at := range s.interfaces {
		if i := &s.interfaces[at]; !i.absent {
			i.list(controllers)
		}
	}
	for at := range s.interfaces {
		i := &s.interfaces[at]
		if i.controller == "" || i.controller == ovsSystem {
			i.controller = cmp.Or(controllers[i.name], i.controller)
		}
		i.guarded = s.guarded[i.name]
	}
}

// list notes an interface as the controller of those that it lists. An internal port of Open vSwitch has the name of its bridge.
func (i *iface) list(controllers map[string]string) {
	listed := slices.Clone(i.members)
	for p := range i.ports {
		port := &i.ports[p]
		listed = append(append(listed, port.name), port.members...)
		if i.kind == OVSBridge {
			port.filters = port.filters && !port.trunk
		}
	}
	for _, name := range listed {
		if name != i.name {
			controllers[name] = i.name
		}
	}
}

// readMembers reads the names of the ports of a bond or a VRF, or of HSR or PRP. The kernel reports no controller of the last two, which
// get all frames of their ports, as a bridge does: hsr_portdev_setup in its net/hsr/hsr_slave.c.
func readMembers(r *lenient.Reader) []string {
	var all []string
	r.Object(func(member []byte) {
		switch string(member) {
		case "port":
			all = append(all, r.Texts()...)
		case "port1", "port2", "interlink":
			if name := r.Text(); name != "" {
				all = append(all, name)
			}
		}
	})
	return all
}

// readBonded reads the names of the ports of a bond of Open vSwitch.
func readBonded(r *lenient.Reader) []string {
	var all []string
	r.Object(func(member []byte) {
		if string(member) != "port" {
			return
		}
		r.Objects(func() {
			r.Object(func(member []byte) {
				if string(member) != "name" {
					return
				}
				if name := r.Text(); name != "" {
					all = append(all, name)
				}
			})
		})
	})
	return all
}

// ReadSTP reads from the options of a bridge whether it takes part in the spanning tree protocol: NMState has an object for that, and for
// Open vSwitch older versions have a boolean.
func ReadSTP(r *lenient.Reader) bool {
	stp := false
	r.Object(func(member []byte) {
		switch {
		case string(member) != "stp":
		case r.Is('t'):
			stp = true
		default:
			r.Object(func(member []byte) {
				if string(member) == "enabled" {
					stp = r.Bool()
				}
			})
		}
	})
	return stp
}

// readFunctions reads the virtual functions of a NIC. Without trust a function may not take frames for hardware addresses that are not its
// own, and with the check against spoofing it may not send any from them.
func (s *State) readFunctions(r *lenient.Reader) {
	r.Object(func(member []byte) {
		if string(member) != "sr-iov" {
			return
		}
		r.Object(func(member []byte) {
			if string(member) == "vfs" {
				r.Objects(func() { s.readFunction(r) })
			}
		})
	})
}

func (s *State) readFunction(r *lenient.Reader) {
	name, guarded := "", false
	r.Object(func(member []byte) {
		switch string(member) {
		case "iface-name":
			name = r.Text()
		case "trust":
			guarded = guarded || r.Is('f')
		case "spoof-check":
			guarded = guarded || r.Is('t')
		}
	})
	if name == "" || !guarded {
		return
	}
	if s.guarded == nil {
		s.guarded = map[string]bool{}
	}
	s.guarded[name] = true
}

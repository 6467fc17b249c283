package node

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"novasphere.dev/wukong/types/v1alpha1"
)

// vlanBridges are the bridges of which a WukongNode tells in few words, as v1alpha1.NodeVLANBridges: by the name of each the VLAN
// interface that feeds it.
type vlanBridges map[*iface]*iface

// findVLANBridges finds the bridges that can be told of in few words.
func (s *State) findVLANBridges() vlanBridges {
	named := map[string]int{}
	for at := range s.interfaces {
		if i := &s.interfaces[at]; !i.absent {
			named[i.name]++
		}
	}
	found := vlanBridges{}
	for at := range s.interfaces {
		bridge := &s.interfaces[at]
		if uplink := s.onlyVLAN(bridge); uplink != nil && named[bridge.name] == 1 && named[uplink.name] == 1 {
			found[bridge] = uplink
		}
	}
	return found
}

// onlyVLAN is the VLAN interface that feeds a bridge of which there is nothing more to tell than NodeVLANBridges says; nil for any
// other interface.
func (s *State) onlyVLAN(bridge *iface) *iface {
	if !bridge.stays() || bridge.kind != LinuxBridge {
		return nil
	}
	ports, _ := s.lastingPorts(bridge)
	if len(ports) != 1 || ports[0].filters || ports[0].bonds {
		return nil
	}
	uplink := s.iface(ports[0].name)
	if uplink == nil || !uplink.namedByVLAN() || uplink.controller != bridge.name || uplink.mtu != bridge.mtu {
		return nil
	}
	if uplink.keepsTag || bridge.controller != "" || bridge.baseIface != "" || s.special(bridge) || s.special(uplink) {
		return nil
	}
	return uplink
}

// special reports whether there is more to tell of an interface than NodeVLANBridges says.
func (s *State) special(i *iface) bool {
	return i.base != "" || i.stp || i.provider || i.kind == "vlan" && len(i.ports) > 0 || len(i.altNames) > 0 || s.addressed(i)
}

// namedByVLAN reports whether an interface is a VLAN interface with the name that a policy of the hook gives it.
func (i *iface) namedByVLAN() bool {
	return i.kind == "vlan" && i.name == fmt.Sprintf("%s.%d", i.baseIface, i.vlan)
}

// addressed reports whether a WukongNode has to tell of addresses or routes of an interface.
func (s *State) addressed(i *iface) bool {
	return i.ipv4.told() != nil || i.ipv6.told() != nil || s.routed[i.name] != ""
}

// told are the bridges, in the order of the names of their NICs.
func (found vlanBridges) told(s *State) []v1alpha1.NodeVLANBridges {
	var all []v1alpha1.NodeVLANBridges
	bridges := slices.SortedFunc(maps.Keys(found), func(a, b *iface) int {
		return cmp.Or(cmp.Compare(found[a].baseIface, found[b].baseIface), cmp.Compare(a.mtu, b.mtu), cmp.Compare(a.name, b.name))
	})
	for _, b := range bridges {
		base := found[b].baseIface
		if last := len(all) - 1; last < 0 || all[last].Base != base || all[last].MTU != b.mtu {
			all = append(all, v1alpha1.NodeVLANBridges{Base: base, MTU: b.mtu, Bridges: map[string]int64{}})
		}
		group := &all[len(all)-1]
		group.Bridges[b.name] = found[b].vlan
		if _, occupied := s.lastingPorts(b); occupied {
			group.Occupied = append(group.Occupied, b.name)
		}
	}
	return all
}

// fromVLANBridges are the interfaces that NodeVLANBridges tell of.
func fromVLANBridges(told v1alpha1.NodeVLANBridges) []iface {
	var all []iface
	for _, name := range slices.Sorted(maps.Keys(told.Bridges)) {
		vlan := told.Bridges[name]
		uplink := fmt.Sprintf("%s.%d", told.Base, vlan)
		all = append(all,
			iface{name: name, kind: LinuxBridge, mtu: told.MTU, ports: []port{{name: uplink}}, occupied: slices.Contains(told.Occupied, name)},
			iface{name: uplink, kind: "vlan", mtu: told.MTU, controller: name, baseIface: told.Base, vlan: vlan})
	}
	return all
}

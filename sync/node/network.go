package node

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"novasphere.dev/wukong/types/v1alpha1"
)

// passing are the types of interfaces that come and go with machines and pods, and of the loopback.
var passing = []string{"veth", "tun", "tap", "unknown", "loopback"}

// nicName is how the kernel and systemd name NICs: eth0, eno1, ens160, enp3s0, enx0c42a1. A node that is itself a container, as kind
// and LXC make them, has veths with such names in place of NICs. No CNI plugin names the veths of pods so; "eni" is one that names
// pods' (the VPC CNI of AWS).
var nicName = regexp.MustCompile(`^(eth[0-9]|en[ospx])`)

// maxAddresses is how many addresses of an interface and family a WukongNode tells of: enough to see what it is for.
const maxAddresses = 8

// Network is what a WukongNode tells of the node: only what stays when machines and pods come and go.
func (s *State) Network() v1alpha1.NodeNetwork {
	found := s.findVLANBridges()
	n := v1alpha1.NodeNetwork{Reported: s.Reported, ReportedAt: s.Updated, VLANBridges: found.told(s), DefaultRoutes: s.defaults}
	brief := map[*iface]bool{}
	for bridge, uplink := range found {
		brief[bridge], brief[uplink] = true, true
	}
	for at := range s.interfaces {
		if i := &s.interfaces[at]; i.stays() && !brief[i] {
			n.Interfaces = append(n.Interfaces, s.told(i))
		}
	}
	for _, r := range s.judgedRules() {
		n.RouteRules = append(n.RouteRules, v1alpha1.NodeRouteRule{Table: r.table, Incoming: r.incoming, Leaves: r.leaves})
	}
	n.Summary = s.summary()
	return n
}

// stays reports whether an interface is one that a WukongNode tells of.
func (i *iface) stays() bool {
	return !i.absent && i.name != "" && (!slices.Contains(passing, i.kind) || i.kind == "veth" && nicName.MatchString(i.name))
}

// isNIC reports whether a bridge can have an interface that stays as its NIC. A veth that stays has the name of one.
func (i *iface) isNIC() bool {
	return i.kind == "ethernet" || i.kind == "bond" || i.kind == "veth"
}

func (s *State) told(i *iface) v1alpha1.NodeInterface {
	told := v1alpha1.NodeInterface{
		Name: i.name, Type: i.kind, MTU: i.mtu, Controller: i.controller,
		AltNames: i.altNames, Base: i.base, Mode: i.mode, IPv4: i.ipv4.told(), IPv6: i.ipv6.told(), Route: s.routed[i.name],
	}
	if i.ipv4.dhcp {
		told.StaticRoute = s.staticRoute(i)
	} else {
		told.ForeignRoute = s.foreignRoute(i)
	}
	if i.isNIC() || s.carried(i) != "" {
		told.MACAddress = i.mac // preserveHostIP tells these apart by it, and no others
		told.Unmanaged, told.Guarded = i.unmanaged, i.guarded
	}
	if i.baseIface != "" {
		told.VLAN = &v1alpha1.NodeVLAN{Base: i.baseIface, ID: i.vlan, KeepsTag: i.keepsTag, Provider: i.provider}
	}
	if i.kind != LinuxBridge && i.kind != OVSBridge {
		return told
	}
	ports, occupied := s.lastingPorts(i)
	told.Bridge = &v1alpha1.NodeBridge{Occupied: occupied, STP: i.stp}
	for _, p := range ports {
		told.Bridge.Ports = append(told.Bridge.Ports, v1alpha1.NodePort{Name: p.name, FiltersVLANs: p.filters, Bond: p.bonds})
	}
	return told
}

// lastingPorts are the ports of a bridge that stay when machines and pods come and go; occupied is whether it has others.
func (s *State) lastingPorts(bridge *iface) (lasting []port, occupied bool) {
	occupied = bridge.occupied
	for _, p := range bridge.ports {
		if plugged := s.iface(p.name); p.bonds || p.name == bridge.name || plugged != nil && plugged.stays() {
			lasting = append(lasting, p)
		} else {
			occupied = true
		}
	}
	return lasting, occupied
}

// told is what a WukongNode tells of the addresses of one family; nil where there are none, and none is asked for.
func (f family) told() *v1alpha1.NodeAddresses {
	if f.disabled || len(f.addresses) == 0 && !f.dhcp && !f.autoconf {
		return nil
	}
	told := &v1alpha1.NodeAddresses{DHCP: f.dhcp, Autoconf: f.autoconf}
	if f.dhcp {
		told.Settings = f.settings
	}
	if told.Given = f.given || f.autoconf && len(f.addresses) > 0; !told.Given {
		told.Addresses = f.addresses[:min(len(f.addresses), maxAddresses)]
	}
	return told
}

// From is the State that a WukongNode tells of.
func From(name string, n v1alpha1.NodeNetwork) *State {
	s := &State{Node: name, Reported: n.Reported, Updated: n.ReportedAt, routed: map[string]string{}}
	for _, told := range n.Interfaces {
		i := iface{
			name: told.Name, kind: told.Type, mtu: told.MTU, mac: told.MACAddress, controller: told.Controller,
			altNames: told.AltNames, base: told.Base, mode: told.Mode, ipv4: familyOf(told.IPv4), ipv6: familyOf(told.IPv6),
			staticRoute: told.StaticRoute, foreignRoute: told.ForeignRoute,
			unmanaged: told.Unmanaged, guarded: told.Guarded,
		}
		if told.Route != "" {
			s.routed[told.Name] = told.Route
		}
		if told.VLAN != nil {
			i.baseIface, i.vlan = told.VLAN.Base, told.VLAN.ID
			i.keepsTag, i.provider = told.VLAN.KeepsTag, told.VLAN.Provider
		}
		if told.Bridge != nil {
			i.occupied, i.stp = told.Bridge.Occupied, told.Bridge.STP
			for _, p := range told.Bridge.Ports {
				i.ports = append(i.ports, port{name: p.Name, filters: p.FiltersVLANs, bonds: p.Bond})
			}
		}
		s.interfaces = append(s.interfaces, i)
	}
	for _, told := range n.VLANBridges {
		s.interfaces = append(s.interfaces, fromVLANBridges(told)...)
	}
	for _, route := range n.DefaultRoutes {
		s.addDefault(route)
	}
	for _, told := range n.RouteRules {
		s.rules = append(s.rules, rule{table: told.Table, incoming: told.Incoming, leaves: told.Leaves})
	}
	s.index()
	return s
}

func familyOf(told *v1alpha1.NodeAddresses) family {
	if told == nil {
		return family{}
	}
	return family{dhcp: told.DHCP, autoconf: told.Autoconf, given: told.Given, addresses: told.Addresses, settings: told.Settings}
}

// summary is the network of the node in words.
func (s *State) summary() v1alpha1.NodeSummary {
	var sum v1alpha1.NodeSummary
	for _, route := range s.defaults {
		if sum.Carrier == "" {
			sum.Carrier, sum.Gateway = route.Interface, route.Gateway
		}
	}
	var free, bridges []string
	for at := range s.interfaces {
		i := &s.interfaces[at]
		switch {
		case !i.stays():
		case i.name == sum.Carrier && i.kind != OVSBridge:
			// Only those that are told: the others change by themselves.
			var carried []string
			for _, f := range []*v1alpha1.NodeAddresses{i.ipv4.told(), i.ipv6.told()} {
				if f != nil {
					carried = append(carried, f.Addresses...)
				}
			}
			sum.Addresses = strings.Join(carried, ",")
		case i.isNIC():
			if i.controller == "" && s.burden(i) == "" && s.upon(i.name) == nil {
				free = append(free, i.name)
			}
		}
		if i.kind == LinuxBridge || i.kind == OVSBridge {
			bridges = append(bridges, i.name)
		}
	}
	sum.FreeNICs, sum.Bridges = strings.Join(free, ","), someOf(bridges)
	return sum
}

// someOf are the first names, and how many more there are: a node may have hundreds of bridges.
func someOf(names []string) string {
	const shown = 5
	if len(names) <= shown {
		return strings.Join(names, ",")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:shown], ","), len(names)-shown)
}

package facts_test

import (
	"fmt"

	"novasphere.dev/wukong/sync/node"
	"novasphere.dev/wukong/types/v1alpha1"
)

// state has the fields of a node.State, which are its own: the two are compared as fmt prints them.
type state struct {
	Node            string
	Reported        bool
	Updated         string
	interfaces      []iface
	byName, bridges map[string]int
	vlans           []int
	routed          map[string]string
	defaults        []v1alpha1.NodeRoute
	gateways        map[string]bool
	ipv6Routed      bool
}

type iface struct {
	name, kind string
	absent     bool
	mtu        int64
	mac        string
	controller string
	ipv4, ipv6 family
	baseIface  string
	vlan       int64
	ports      []port
	occupied   bool //nolint:unused // node.State has the field, and fmt prints both
}

type family struct {
	disabled       bool
	dhcp, autoconf bool
	addresses      []string
	given          bool //nolint:unused // as above
}

type port struct {
	name    string
	filters bool
	bonds   bool
}

func stateOf(key string, m map[string]any) state {
	current := value(m, "status", "currentState")
	_, listed := value(current, "interfaces").([]any)
	s := state{
		Node: key, Reported: listed, Updated: text(m, "status", "lastSuccessfulUpdateTime"),
		byName: map[string]int{}, bridges: map[string]int{}, routed: map[string]string{}, gateways: map[string]bool{},
	}
	for at, i := range items(current, "interfaces") {
		found := ifaceOf(i)
		s.interfaces = append(s.interfaces, found)
		if found.baseIface != "" {
			s.vlans = append(s.vlans, at)
		}
		switch {
		case found.absent:
			continue
		case found.kind == node.OVSBridge || found.kind == node.LinuxBridge:
			first(s.bridges, found.name, at)
		}
		if found.kind != node.OVSBridge {
			first(s.byName, found.name, at)
		}
	}
	for _, r := range items(current, "routes", "running") {
		destination, by := text(r, "destination"), text(r, "next-hop-interface")
		if destination == "0.0.0.0/0" {
			s.gateways[by] = true
		}
		s.ipv6Routed = s.ipv6Routed || destination == "::/0"
		if destination == "0.0.0.0/0" || destination == "::/0" {
			s.defaults = append(s.defaults, v1alpha1.NodeRoute{Destination: destination, Interface: by, Gateway: text(r, "next-hop-address")})
		}
		if !node.LinkLocal(destination) {
			first(s.routed, by, destination)
		}
	}
	return s
}

// first keeps what a map has under a name.
func first[T any](m map[string]T, name string, v T) {
	if _, taken := m[name]; !taken {
		m[name] = v
	}
}

func ifaceOf(m map[string]any) iface {
	i := iface{
		name: text(m, "name"), kind: text(m, "type"), absent: text(m, "state") == "absent", mtu: number(m, "mtu"),
		mac: text(m, "mac-address"), controller: text(m, "controller"), ipv4: familyOf(m, "ipv4"), ipv6: familyOf(m, "ipv6"),
		baseIface: text(m, "vlan", "base-iface"), vlan: number(m, "vlan", "id"),
	}
	for _, p := range items(m, "bridge", "port") {
		filter, _ := value(p, "vlan").(map[string]any)
		i.ports = append(i.ports, port{name: text(p, "name"), filters: len(filter) > 0, bonds: value(p, "link-aggregation") != nil})
	}
	return i
}

func familyOf(m map[string]any, name string) family {
	enabled, said := value(m, name, "enabled").(bool)
	f := family{disabled: said && !enabled, dhcp: truth(m, name, "dhcp"), autoconf: truth(m, name, "autoconf")}
	for _, a := range items(m, name, "address") {
		if ip := text(a, "ip"); ip != "" && !node.LinkLocal(ip) {
			f.addresses = append(f.addresses, fmt.Sprintf("%s/%d", ip, number(a, "prefix-length")))
		}
	}
	return f
}

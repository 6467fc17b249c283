package facts_test

import (
	"fmt"
	"slices"

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
	gateways6       map[string]bool
	guarded         map[string]bool
	running, config []route
	rules           []rule
}

type route struct {
	v1alpha1.NodeRoute
	metric, table int64
	protocol      string
}

type rule struct {
	table    int64
	incoming string
	leaves   []string //nolint:unused // as below
}

type iface struct {
	name, kind string
	absent     bool
	mtu        int64
	mac        string
	controller string
	ipv4, ipv6 family
	altNames   []string
	base       string
	mode       string
	baseIface  string
	vlan       int64
	keepsTag   bool
	provider   bool
	ports      []port
	members    []string
	stp        bool
	unmanaged  bool
	guarded    bool
	occupied   bool //nolint:unused // node.State has the field, and fmt prints both

	staticRoute, foreignRoute string //nolint:unused // as above
}

type family struct {
	disabled       bool
	dhcp, autoconf bool
	addresses      []string
	given          bool //nolint:unused // as above
	settings       []string
}

type port struct {
	name    string
	filters bool
	trunk   bool
	bonds   bool
	members []string
}

func stateOf(key string, m map[string]any) state {
	current := value(m, "status", "currentState")
	_, listed := value(current, "interfaces").([]any)
	s := state{
		Node: key, Reported: listed, Updated: text(m, "status", "lastSuccessfulUpdateTime"),
		byName: map[string]int{}, bridges: map[string]int{}, routed: map[string]string{}, gateways: map[string]bool{}, gateways6: map[string]bool{},
		guarded: map[string]bool{},
	}
	for at, i := range items(current, "interfaces") {
		found := ifaceOf(i)
		for _, vf := range items(i, "ethernet", "sr-iov", "vfs") {
			trusted, said := value(vf, "trust").(bool)
			if name := text(vf, "iface-name"); name != "" && (said && !trusted || truth(vf, "spoof-check")) {
				s.guarded[name] = true
			}
		}
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
		if destination == "::/0" {
			s.gateways6[by] = true
		}
		s.running = append(s.running, routeOf(r))
		if destination == "0.0.0.0/0" || destination == "::/0" {
			s.defaults = append(s.defaults, v1alpha1.NodeRoute{Destination: destination, Interface: by, Gateway: text(r, "next-hop-address")})
		}
		if !node.LinkLocal(destination) {
			first(s.routed, by, destination)
		}
	}
	for _, r := range items(current, "routes", "config") {
		s.config = append(s.config, routeOf(r))
	}
	for _, r := range items(current, "route-rules", "config") {
		s.rules = append(s.rules, rule{table: number(r, "route-table"), incoming: text(r, "iif")})
	}
	s.join()
	return s
}

func routeOf(m map[string]any) route {
	return route{
		v1alpha1.NodeRoute{Destination: text(m, "destination"), Interface: text(m, "next-hop-interface"), Gateway: text(m, "next-hop-address")},
		number(m, "metric"), number(m, "table-id"), text(m, "protocol"),
	}
}

// join lets what is listed as a port belong to whoever lists it.
func (s *state) join() {
	controllers := map[string]string{} // the last that lists a port counts
	for _, lister := range s.interfaces {
		if lister.absent {
			continue
		}
		listed := slices.Clone(lister.members)
		for at := range lister.ports {
			p := &lister.ports[at]
			p.filters = p.filters && (lister.kind != node.OVSBridge || !p.trunk)
			listed = append(append(listed, p.name), p.members...)
		}
		for _, name := range listed {
			if name != lister.name {
				controllers[name] = lister.name
			}
		}
	}
	for at := range s.interfaces {
		i := &s.interfaces[at]
		if by := controllers[i.name]; by != "" && (i.controller == "" || i.controller == "ovs-system") {
			i.controller = by
		}
		i.guarded = s.guarded[i.name]
	}
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
		baseIface: text(m, "vlan", "base-iface"), vlan: number(m, "vlan", "id"), provider: text(m, "vlan", "protocol") == "802.1ad",
		stp: truth(m, "bridge", "options", "stp") || truth(m, "bridge", "options", "stp", "enabled"), unmanaged: text(m, "state") == "ignore",
		members: append(texts(m, "link-aggregation", "port"), texts(m, "vrf", "port")...),
	}
	if kept, said := value(m, "vlan", "reorder-headers").(bool); said && !kept {
		i.keepsTag = true
	}
	for _, kind := range []string{"vxlan", "mac-vlan", "mac-vtap", "ipvlan", "macsec", "ip-tunnel", "xfrm", "infiniband"} {
		if base := text(m, kind, "base-iface"); base != "" {
			i.base = base
		}
	}
	for _, kind := range []string{"mac-vlan", "mac-vtap", "ipvlan"} {
		if mode := text(m, kind, "mode"); mode != "" {
			i.mode = mode
		}
	}
	for _, leg := range []string{"port1", "port2", "interlink"} {
		if name := text(m, "hsr", leg); name != "" {
			i.members = append(i.members, name)
		}
	}
	for _, a := range items(m, "alt-names") {
		if name := text(a, "name"); name != "" {
			i.altNames = append(i.altNames, name)
		}
	}
	slices.Sort(i.members)
	i.members = slices.Compact(i.members)
	i.ipv4.settings = settingsOf(m)
	for _, p := range items(m, "bridge", "port") {
		filter, _ := value(p, "vlan").(map[string]any)
		open := text(p, "vlan", "mode") == "trunk" && number(p, "vlan", "tag") == 0 && len(items(p, "vlan", "trunk-tags")) == 0
		read := port{name: text(p, "name"), filters: len(filter) > 0, trunk: open, bonds: value(p, "link-aggregation") != nil}
		for _, bonded := range items(p, "link-aggregation", "port") {
			if name := text(bonded, "name"); name != "" {
				read.members = append(read.members, name)
			}
		}
		i.ports = append(i.ports, read)
	}
	return i
}

func settingsOf(m map[string]any) []string {
	var all []string
	for _, name := range []string{"auto-dns", "auto-gateway", "auto-routes", "dhcp-send-hostname"} {
		if on, said := value(m, "ipv4", name).(bool); said && !on {
			all = append(all, name+": false")
		}
	}
	if table := number(m, "ipv4", "auto-route-table-id"); table != 0 {
		all = append(all, fmt.Sprintf("auto-route-table-id: %d", table))
	}
	if metric := number(m, "ipv4", "auto-route-metric"); metric > 0 {
		all = append(all, fmt.Sprintf("auto-route-metric: %d", metric))
	}
	if id := text(m, "ipv4", "dhcp-client-id"); id != "" && id != "ll" {
		all = append(all, "dhcp-client-id: "+id)
	}
	if name := text(m, "ipv4", "dhcp-custom-hostname"); name != "" {
		all = append(all, "dhcp-custom-hostname: "+name)
	}
	slices.Sort(all)
	return all
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

package node

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"novasphere.dev/wukong/sync/lenient"
	"novasphere.dev/wukong/types/v1alpha1"
)

// route is one route of the node, as its NodeNetworkState reports it. NMState leaves out those of the kernel and of most daemons.
type route struct {
	v1alpha1.NodeRoute
	metric, table int64
	protocol      string // who has set it; empty where NMState does not tell
}

// rule says which table of routes some packets look into.
type rule struct {
	table    int64    // 0 and mainTable are the one that all packets look into
	incoming string   // it is only for packets from this interface
	leaves   []string // the interfaces that the routes of the table leave by
}

// mainTable is the table of routes that packets look into by themselves.
const mainTable = 254

func (s *State) readRoutes(r *lenient.Reader) {
	r.Object(func(member []byte) {
		switch string(member) {
		case "running":
			r.Objects(func() {
				read := readRoute(r)
				s.running = append(s.running, read)
				s.noteRoute(read.NodeRoute)
			})
		case "config":
			r.Objects(func() { s.config = append(s.config, readRoute(r)) })
		}
	})
}

func readRoute(r *lenient.Reader) route {
	var read route
	r.Object(func(member []byte) {
		switch string(member) {
		case "destination":
			read.Destination = r.Text()
		case "next-hop-interface":
			read.Interface = r.Text()
		case "next-hop-address":
			read.Gateway = r.Text()
		case "metric":
			read.metric = r.Int()
		case "table-id":
			read.table = r.Int()
		case "protocol":
			read.protocol = r.Text()
		}
	})
	return read
}

func (s *State) noteRoute(read v1alpha1.NodeRoute) {
	if s.routed == nil {
		s.routed = map[string]string{}
	}
	if _, taken := s.routed[read.Interface]; !taken && !LinkLocal(read.Destination) {
		s.routed[read.Interface] = read.Destination
	}
	s.addDefault(read)
}

// addDefault notes a route if it is one to everywhere.
func (s *State) addDefault(read v1alpha1.NodeRoute) {
	switch read.Destination {
	case "0.0.0.0/0":
		if s.gateways == nil {
			s.gateways = map[string]bool{}
		}
		s.gateways[read.Interface] = true
	case "::/0":
		if s.gateways6 == nil {
			s.gateways6 = map[string]bool{}
		}
		s.gateways6[read.Interface] = true
	default:
		return
	}
	s.defaults = append(s.defaults, read)
}

func (s *State) readRules(r *lenient.Reader) {
	r.Object(func(member []byte) {
		if string(member) != "config" {
			return
		}
		r.Objects(func() {
			var read rule
			r.Object(func(member []byte) {
				switch string(member) {
				case "route-table":
					read.table = r.Int()
				case "iif":
					read.incoming = r.Text()
				}
			})
			s.rules = append(s.rules, read)
		})
	})
}

// staticRoute is the first destination by name of the routes by an interface that no DHCP server has told of, but a profile or a hand;
// empty where there is none, or no default route of IPv4 leaves by the interface.
func (s *State) staticRoute(i *iface) string {
	found := i.staticRoute
	for _, c := range s.config {
		if c.Interface == i.name && s.gateways[i.name] && !LinkLocal(c.Destination) {
			found = first(found, c.Destination)
		}
	}
	return found
}

// foreignRoute is the first destination by name of the routes by an interface that a daemon has set, as far as that shows; empty as above.
// What NMState reports and no profile has was set by router advertisements, by DHCP, or by a daemon.
func (s *State) foreignRoute(i *iface) string {
	found := i.foreignRoute
	configured := map[v1alpha1.NodeRoute]bool{}
	for _, c := range s.config {
		configured[c.NodeRoute] = true
	}
	for _, r := range s.running {
		if r.Interface != i.name || !s.gateways[i.name] || everywhere(r.Destination) || LinkLocal(r.Destination) || i.connects(r) {
			continue
		}
		if r.byDaemon() || len(s.config) > 0 && !configured[r.NodeRoute] {
			found = first(found, r.Destination)
		}
	}
	return found
}

// judgedRules are the rules with what is known of their tables, each once: which packets they are for changes with pods.
func (s *State) judgedRules() []rule {
	if len(s.rules) == 0 {
		return nil
	}
	leaves := map[int64][]string{}
	for _, r := range s.running {
		leaves[r.table] = append(leaves[r.table], r.Interface)
	}
	judged := slices.Clone(s.rules)
	for at := range judged {
		r := &judged[at]
		switch {
		case r.inMain():
			r.table = mainTable
		case len(r.leaves) == 0:
			r.leaves = sorted(leaves[r.table])
		}
	}
	slices.SortFunc(judged, compareRules)
	return slices.CompactFunc(judged, func(a, b rule) bool { return compareRules(a, b) == 0 })
}

// byDaemon reports whether a route was set by a daemon, or by hand, as far as that shows. NetworkManager gives its routes a metric, and
// whoever asks the kernel for a route and does not care gets 0, or 1024 for IPv6.
func (r route) byDaemon() bool {
	switch r.protocol {
	case "static", "dhcp", "ra", "kernel":
		return false
	case "", "boot", "unspec":
		return r.metric == 0 || strings.Contains(r.Destination, ":") && r.metric == 1024
	}
	return true
}

// connects reports whether a route is merely that to a subnet in which the interface has an address.
func (i *iface) connects(r route) bool {
	if r.Gateway != "" && r.Gateway != "0.0.0.0" && r.Gateway != "::" {
		return false
	}
	for _, address := range slices.Concat(i.ipv4.addresses, i.ipv6.addresses) {
		if subnet(address).String() == r.Destination {
			return true
		}
	}
	return false
}

func everywhere(destination string) bool {
	return destination == "0.0.0.0/0" || destination == "::/0"
}

// subnet is the subnet of an address with its prefix length; the zero Prefix where it is none.
func subnet(address string) netip.Prefix {
	p, err := netip.ParsePrefix(address)
	if err != nil {
		return netip.Prefix{}
	}
	return p.Masked()
}

// inMain reports whether a rule is about the table that all packets look into anyway.
func (r rule) inMain() bool {
	return r.table == 0 || r.table == mainTable
}

// touches reports whether a rule may be lost with the profile of an interface. NetworkManager keeps a rule in the profile of an
// interface that has routes in its table. A table without routes that are told is a daemon's.
func (r rule) touches(interfaces ...string) bool {
	return r.inMain() || slices.ContainsFunc(interfaces, func(name string) bool {
		return r.incoming == name || slices.Contains(r.leaves, name)
	})
}

func compareRules(a, b rule) int {
	if a.table != b.table {
		return cmp.Compare(a.table, b.table)
	}
	return strings.Compare(a.incoming, b.incoming)
}

// first is the smaller of two texts; the other where one is empty. So what is told does not depend on the order of a report.
func first(a, b string) string {
	if a == "" || b != "" && b < a {
		return b
	}
	return a
}

// sorted are the names, each once and in order.
func sorted(names []string) []string {
	names = slices.Clone(names)
	slices.Sort(names)
	return slices.Compact(names)
}

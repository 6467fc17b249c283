package node

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"novasphere.dev/wukong/sync/lenient"
	"novasphere.dev/wukong/types/v1alpha1"
)

// State is the network of one node, as its NodeNetworkState or its WukongNode reports it. What is not reported, or cannot
// be read, counts as missing.
type State struct {
	// Node is the name of the node.
	Node string

	// Reported is whether the node reports interfaces at all.
	Reported bool

	// Updated is when the report was made, as RFC 3339; empty where that is not known. Of a WukongNode it is the first report
	// that said the same.
	Updated string

	// An Open vSwitch bridge and its internal port share a name: byName has the port, bridges the bridge.
	interfaces      []iface
	byName, bridges map[string]int // indexes in interfaces
	vlans           []int          // indexes in interfaces of the VLAN interfaces

	routed    map[string]string    // by interface, the first destination of its routes
	defaults  []v1alpha1.NodeRoute // the routes to everywhere
	gateways  map[string]bool      // the interfaces with a default route of IPv4
	gateways6 map[string]bool      // the interfaces with a default route of IPv6

	guarded map[string]bool // the virtual functions that are guarded, by their names, as their NICs report them

	running, config []route // as reported; none where a WukongNode tells of the node
	rules           []rule
}

// iface is one interface of a node.
type iface struct {
	name, kind string
	absent     bool
	mtu        int64
	mac        string
	controller string
	ipv4, ipv6 family
	altNames   []string
	base       string // what an interface that is no VLAN interface stands on: a VXLAN, a macvlan, a tunnel
	mode       string // of a macvlan or ipvlan
	baseIface  string // of a VLAN interface
	vlan       int64
	keepsTag   bool     // the VLAN interface leaves the tag in what it receives
	provider   bool     // the VLAN interface has the tags of IEEE 802.1ad, and not those of 802.1Q
	ports      []port   // of a bridge
	members    []string // of a bond or a VRF, or of HSR or PRP
	stp        bool     // the bridge takes part in the spanning tree protocol
	unmanaged  bool     // NetworkManager leaves the interface to somebody else
	guarded    bool     // a virtual function (SR-IOV) that its NIC lets no frames of other hardware addresses through
	occupied   bool     // a machine or pod is plugged into the bridge, by a port that is not among ports

	// Only where a WukongNode tells of the node: see State.staticRoute and State.foreignRoute.
	staticRoute, foreignRoute string
}

// family is the addresses of one family, IPv4 or IPv6, that an interface has.
type family struct {
	disabled       bool // the family is off, and the other fields do not count
	dhcp, autoconf bool
	addresses      []string // with their prefix lengths, without link-local ones
	given          bool     // there are addresses from router advertisements, which are not told
	settings       []string // how addresses are asked for, where that is not NetworkManager's default
}

// port is a port of a bridge.
type port struct {
	name    string
	filters bool     // only some VLANs pass
	trunk   bool     // the filter names no VLAN: an Open vSwitch bridge lets all pass
	bonds   bool     // the port is a bond of Open vSwitch
	members []string // of such a bond
}

// Read reads the State of a node from a NodeNetworkState.
func Read(name string, r *lenient.Reader) *State {
	s := &State{Node: name}
	r.Object(func(member []byte) {
		if string(member) == "status" {
			s.readStatus(r)
		}
	})
	s.join()
	s.index()
	return s
}

// index fills the lookups by name. Of several interfaces with one name, the first counts.
func (s *State) index() {
	s.byName = make(map[string]int, len(s.interfaces))
	s.bridges = map[string]int{}
	for i := range s.interfaces {
		found := &s.interfaces[i]
		if found.baseIface != "" {
			s.vlans = append(s.vlans, i)
		}
		if found.absent {
			continue
		}
		if _, taken := s.byName[found.name]; !taken && found.kind != OVSBridge {
			s.byName[found.name] = i
		}
		if _, taken := s.bridges[found.name]; !taken && (found.kind == OVSBridge || found.kind == LinuxBridge) {
			s.bridges[found.name] = i
		}
	}
}

func (s *State) readStatus(r *lenient.Reader) {
	r.Object(func(member []byte) {
		switch string(member) {
		case "lastSuccessfulUpdateTime":
			s.Updated = r.Text()
		case "currentState":
			r.Object(func(member []byte) {
				switch string(member) {
				case "interfaces":
					s.Reported = r.Is('[')
					r.Objects(func() { s.interfaces = append(s.interfaces, s.readIface(r)) })
				case "routes":
					s.readRoutes(r)
				case "route-rules":
					s.readRules(r)
				}
			})
		}
	})
}

func (s *State) readIface(r *lenient.Reader) iface {
	var i iface
	r.Object(func(member []byte) {
		switch string(member) {
		case "name":
			i.name = r.Text()
		case "type":
			i.kind = r.Text()
		case "state":
			state := r.Text()
			i.absent, i.unmanaged = state == "absent", state == "ignore"
		case "mtu":
			i.mtu = r.Int()
		case "mac-address":
			i.mac = r.Text()
		case "controller":
			i.controller = r.Text()
		case "ipv4":
			i.ipv4 = readFamily(r)
		case "ipv6":
			i.ipv6 = readFamily(r)
			i.ipv6.settings = nil // IPv6 by DHCP moves nowhere
		case "vlan":
			i.readVLAN(r)
		case "vxlan", "mac-vlan", "mac-vtap", "ipvlan", "macsec", "ip-tunnel", "xfrm", "infiniband":
			i.readBase(r, string(member))
		case "alt-names":
			r.Objects(func() { i.readAltName(r) })
		case "bridge":
			i.readBridge(r)
		case "link-aggregation", "vrf", "hsr":
			i.members = sorted(append(i.members, readMembers(r)...))
		case "ethernet":
			s.readFunctions(r)
		}
	})
	return i
}

func (i *iface) readBase(r *lenient.Reader, kind string) {
	moded := kind == macVLAN || kind == macVTap || kind == ipVLAN
	r.Object(func(member []byte) {
		switch string(member) {
		case "base-iface":
			i.base = r.Text()
		case "mode":
			if moded {
				i.mode = r.Text()
			}
		}
	})
}

func (i *iface) readAltName(r *lenient.Reader) {
	r.Object(func(member []byte) {
		if string(member) == "name" {
			if name := r.Text(); name != "" {
				i.altNames = append(i.altNames, name)
			}
		}
	})
}

func (i *iface) readVLAN(r *lenient.Reader) {
	r.Object(func(member []byte) {
		switch string(member) {
		case "base-iface":
			i.baseIface = r.Text()
		case "id":
			i.vlan = r.Int()
		case "reorder-headers":
			i.keepsTag = r.Is('f')
		case "protocol":
			i.provider = r.Text() == "802.1ad"
		}
	})
}

func (i *iface) readBridge(r *lenient.Reader) {
	r.Object(func(member []byte) {
		switch string(member) {
		case "port":
			r.Objects(func() { i.ports = append(i.ports, readPort(r)) })
		case "options":
			i.stp = ReadSTP(r)
		}
	})
}

func readPort(r *lenient.Reader) port {
	var p port
	r.Object(func(member []byte) {
		switch string(member) {
		case "name":
			p.name = r.Text()
		case "link-aggregation":
			p.bonds = r.Present()
			p.members = readBonded(r)
		case "vlan":
			p.readFilter(r)
		}
	})
	return p
}

// readFilter reads which VLANs pass a port. A port that is open has an empty filter, or none.
func (p *port) readFilter(r *lenient.Reader) {
	mode, names := "", false
	r.Object(func(member []byte) {
		p.filters = true
		switch string(member) {
		case "mode":
			mode = r.Text()
		case "tag":
			names = names || r.Int() != 0
		case "trunk-tags":
			r.Objects(func() {
				names = true
				r.Object(func([]byte) {})
			})
		}
	})
	p.trunk = p.filters && mode == "trunk" && !names
}

func readFamily(r *lenient.Reader) family {
	var f family
	r.Object(func(member []byte) {
		switch string(member) {
		case "enabled":
			f.disabled = r.Is('f')
		case "dhcp":
			f.dhcp = r.Bool()
		case "autoconf":
			f.autoconf = r.Bool()
		case "address":
			r.Objects(func() { f.readAddress(r) })
		default:
			f.readSetting(r, string(member))
		}
	})
	slices.Sort(f.settings)
	return f
}

// readSetting reads how addresses are asked for, where it is not what NetworkManager does by default, which is what a bridge would do.
func (f *family) readSetting(r *lenient.Reader, name string) {
	says := ""
	switch name {
	case "auto-dns", "auto-gateway", "auto-routes", "dhcp-send-hostname":
		if r.Is('f') {
			says = "false"
		}
	case "auto-route-table-id":
		if table := r.Int(); table != 0 {
			says = strconv.FormatInt(table, 10)
		}
	case "auto-route-metric":
		if metric := r.Int(); metric > 0 {
			says = strconv.FormatInt(metric, 10)
		}
	case "dhcp-client-id":
		// By the hardware address, which the bridge takes over; so NetworkManager does by itself, and a bridge by NMState.
		if id := r.Text(); id != "ll" {
			says = id
		}
	case "dhcp-custom-hostname":
		says = r.Text()
	}
	if says != "" {
		f.settings = append(f.settings, name+": "+says)
	}
}

func (f *family) readAddress(r *lenient.Reader) {
	var ip string
	var prefix int64
	r.Object(func(member []byte) {
		switch string(member) {
		case "ip":
			ip = r.Text()
		case "prefix-length":
			prefix = r.Int()
		}
	})
	if ip != "" && !LinkLocal(ip) {
		f.addresses = append(f.addresses, fmt.Sprintf("%s/%d", ip, prefix))
	}
}

// LinkLocal reports whether an IPv6 address or prefix is link-local or multicast. An interface has those merely because
// it is up.
func LinkLocal(address string) bool {
	if !strings.Contains(address, ":") {
		return false // IPv4, as most are
	}
	a, err := netip.ParseAddr(address)
	if strings.Contains(address, "/") {
		var prefix netip.Prefix
		prefix, err = netip.ParsePrefix(address)
		a = prefix.Addr()
	}
	return err == nil && a.Is6() && (a.IsLinkLocalUnicast() || a.IsMulticast())
}

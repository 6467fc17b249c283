package sync

import (
	"encoding/json"
	"slices"

	"novasphere.dev/wukong/sync/facts"
	"novasphere.dev/wukong/types/v1alpha1"
)

// networkData is the network configuration for the guest. Interfaces are matched by hardware address, because their
// names in the guest depend on the order of its PCI slots. Every interface is listed, because cloud-init leaves
// unlisted ones alone. networkData is empty for a machine with nothing but a plain pod network, which the guest
// configures by itself.
//
// No form of it is right for every version of cloud-init and every renderer, so what is needed decides. What was tried
// is in docs/cloud-init.md.
func (v *view) networkData(nets []*network) string {
	if len(nets) == 0 || len(nets) == 1 && nets[0].Type == v1alpha1.Pod && nets[0].IPConfig == nil {
		return ""
	}
	nics := guestNICs(nets)
	switch {
	case !v.named:
		return compact(version2(nics, false))
	case needsVersion1(nics):
		return compact(version1(nics))
	default:
		return compact(version2(nics, true))
	}
}

// namesDevices reports whether cloud-init is told to name the guest's devices. It renames them at every boot, but writes their
// configuration at the first boot of a disk only. So a guest that began with other names has to keep them: renamed, its
// configuration would no longer match. A machine that does not exist yet begins with names.
// The table in docs/decisions.md has its rows.
func (v *view) namesDevices() bool {
	existing := v.machine()
	return existing == nil || namedDevices(existing)
}

// namedDevices reports whether the network data of a machine names the guest's devices, as version 1 always does.
func namedDevices(m *facts.Machine) bool {
	var told struct {
		Version   int `json:"version"`
		Ethernets map[string]struct {
			SetName string `json:"set-name"`
		} `json:"ethernets"`
	}
	if err := json.Unmarshal([]byte(m.NetworkData()), &told); err != nil {
		return false
	}
	for _, e := range told.Ethernets {
		if e.SetName != "" {
			return true
		}
	}
	return told.Version == 1
}

// needsVersion1 reports whether the NICs need version 1 of the network configuration. In version 2, cloud-init before
// 23.1 makes the IPv6 default route one to ::/64, or fails on it, and from 24.4 on fails for NetworkManager on a NIC with
// both families. But only version 2 says that a router is on the link.
func needsVersion1(nics []guestNIC) bool {
	onLink := slices.ContainsFunc(nics, func(g guestNIC) bool { return g.onLink })
	return !onLink && slices.ContainsFunc(nics, func(g guestNIC) bool { return g.speaksIPv6() })
}

// networkConfig is cloud-init's network configuration, version 2
// (https://docs.cloud-init.io/en/latest/reference/network-config-format-v2.html).
type networkConfig struct {
	Version   int                 `json:"version"`
	Ethernets map[string]ethernet `json:"ethernets"`
}

type ethernet struct {
	Match          match           `json:"match"`
	SetName        string          `json:"set-name,omitempty"`
	Optional       bool            `json:"optional,omitempty"`
	DHCP4          bool            `json:"dhcp4,omitempty"`
	DHCP4Overrides *dhcpOverrides  `json:"dhcp4-overrides,omitempty"`
	DHCP6          bool            `json:"dhcp6,omitempty"`
	AcceptRA       *bool           `json:"accept-ra,omitempty"`
	Addresses      []string        `json:"addresses,omitempty"`
	Routes         []route         `json:"routes,omitempty"`
	Nameservers    *nameserverList `json:"nameservers,omitempty"`
}

type match struct {
	MACAddress string `json:"macaddress"`
}

type dhcpOverrides struct {
	RouteMetric int `json:"route-metric"`
}

type route struct {
	To     string `json:"to"`
	Via    string `json:"via"`
	OnLink bool   `json:"on-link,omitempty"`
	Metric int    `json:"metric,omitempty"`
}

type nameserverList struct {
	Search    []string `json:"search,omitempty"`
	Addresses []string `json:"addresses,omitempty"`
}

// version2 writes the NICs in version 2. With names, a NIC is also called by its device's name: cloud-init 21.4 looks for
// that name in the data when it writes for systemd-networkd.
func version2(nics []guestNIC, named bool) networkConfig {
	config := networkConfig{Version: 2, Ethernets: map[string]ethernet{}}
	for i := range nics {
		g := &nics[i]
		e := g.ethernet()
		id := g.network
		if named {
			id, e.SetName = g.device, g.device
		}
		config.Ethernets[id] = e
	}
	return config
}

func (g *guestNIC) ethernet() ethernet {
	e := ethernet{Match: match{MACAddress: g.mac}, DHCP4: g.dhcp4, AcceptRA: g.acceptRA(), Addresses: g.addresses}
	e.Optional = g.bare() // the interface is up without an address, and boot does not wait for it
	e.DHCP6 = g.ipv6 == v1alpha1.IPv6DHCP || g.ipv6 == v1alpha1.IPv6Auto
	if g.dhcp4 {
		e.DHCP4Overrides = &dhcpOverrides{RouteMetric: g.metric}
	}
	for _, gateway := range g.gateways {
		e.Routes = append(e.Routes, route{To: defaultRoute(gateway), Via: gateway, OnLink: g.onLink, Metric: g.metric})
	}
	for _, r := range g.routes {
		e.Routes = append(e.Routes, route{To: r.To, Via: r.Via, OnLink: g.onLink, Metric: int(r.Metric)})
	}
	if len(g.dns) > 0 || len(g.search) > 0 {
		e.Nameservers = &nameserverList{Search: g.search, Addresses: g.dns}
	}
	return e
}

// acceptRA is whether the guest heeds the announcements of routers; nil leaves it to the guest's system.
func (g *guestNIC) acceptRA() *bool {
	if g.ipv6 == "" {
		return nil
	}
	heeds := g.ipv6 != v1alpha1.IPv6Static
	return &heeds
}

func defaultRoute(gateway string) string {
	if isIPv6(gateway) {
		return "::/0"
	}
	return "0.0.0.0/0"
}

// networkConfig1 is cloud-init's network configuration, version 1
// (https://docs.cloud-init.io/en/latest/reference/network-config-format-v1.html).
type networkConfig1 struct {
	Version int        `json:"version"`
	Config  []physical `json:"config"`
}

// physical is a NIC, which cloud-init gives the name.
type physical struct {
	Type       string   `json:"type"`
	Name       string   `json:"name"`
	MACAddress string   `json:"mac_address"`
	AcceptRA   *bool    `json:"accept-ra,omitempty"`
	Subnets    []subnet `json:"subnets"`
}

type subnet struct {
	Type    string   `json:"type"`
	Address string   `json:"address,omitempty"`
	Gateway string   `json:"gateway,omitempty"`
	Routes  []route1 `json:"routes,omitempty"`
	DNS     []string `json:"dns_nameservers,omitempty"`
	Search  []string `json:"dns_search,omitempty"`
}

type route1 struct {
	Destination string `json:"destination"`
	Gateway     string `json:"gateway"`
	Metric      int    `json:"metric,omitempty"`
}

// version1 writes the NICs in version 1. There the gateway of a subnet and DHCP have no metric: cloud-init 24.2 to 25.3
// calls it invalid, and then itself degraded. Of two IPv6 gateways without the guest would use both at once, so only the first
// network's is written. A default route by DHCP has the metric 100 with most programs, so a static one before it in the
// list has less.
func version1(nics []guestNIC) networkConfig1 {
	config := networkConfig1{Version: 1}
	first := slices.IndexFunc(nics, func(g guestNIC) bool { return g.ipv6Gateway() != "" })
	for i := range nics {
		g := nics[i]
		if i != first {
			g.gateways = slices.DeleteFunc(slices.Clone(g.gateways), isIPv6)
		}
		if !slices.ContainsFunc(nics[:i], func(g guestNIC) bool { return g.dhcp4 }) {
			g.metric = 5 * (i + 1)
		}
		config.Config = append(config.Config, physical{
			Type: "physical", Name: g.device, MACAddress: g.mac, AcceptRA: g.acceptRA(), Subnets: g.subnets(),
		})
	}
	return config
}

// subnets are the sources of a NIC's addresses, each with the routes of its family: not every renderer takes a route of
// the other.
func (g *guestNIC) subnets() []subnet {
	var all []subnet
	if g.dhcp4 {
		all = append(all, subnet{Type: "dhcp4"})
	}
	for _, address := range g.addresses {
		all = append(all, subnet{Type: "static", Address: address})
	}
	switch g.ipv6 {
	case v1alpha1.IPv6DHCP:
		all = append(all, subnet{Type: "dhcp6"})
	case v1alpha1.IPv6Auto:
		all = append(all, subnet{Type: "ipv6_slaac"})
	}
	if len(all) == 0 {
		all = append(all, subnet{Type: "manual"})
	}
	all[0].DNS, all[0].Search = g.dns, g.search
	for _, gateway := range g.gateways {
		s := inFamily(all, isIPv6(gateway))
		if isIPv6(gateway) {
			s.Gateway = gateway // as a route it would be one to ::/64 before 23.1
		} else {
			s.Routes = append(s.Routes, route1{Destination: defaultRoute(gateway), Gateway: gateway, Metric: g.metric})
		}
	}
	for _, r := range g.routes {
		s := inFamily(all, isIPv6(r.To))
		s.Routes = append(s.Routes, route1{Destination: r.To, Gateway: r.Via, Metric: int(r.Metric)})
	}
	return all
}

// inFamily is the first of the subnets that is of one family, else the first of all.
func inFamily(all []subnet, ipv6 bool) *subnet {
	for i := range all {
		if s := &all[i]; s.Type == "dhcp4" && !ipv6 || s.Type == "static" && isIPv6(s.Address) == ipv6 || s.Type != "dhcp4" && s.Type != "static" && ipv6 {
			return s
		}
	}
	return &all[0]
}

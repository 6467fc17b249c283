package sync

import (
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"slices"
	"strings"

	"novasphere.dev/wukong/types/v1alpha1"
)

// guestNIC is what the guest is told of one of its NICs, however it is written down.
type guestNIC struct {
	network string
	device  string // the name that the guest gives it
	mac     string
	metric  int // of its default routes: lower for an earlier network

	dhcp4     bool
	ipv6      v1alpha1.IPv6Mode // "" leaves it to the guest's system
	addresses []string          // with prefix lengths
	gateways  []string          // one in each family at most
	routes    []v1alpha1.Route
	onLink    bool // gateways and routers are outside the subnets

	dns, search []string
}

// KubeVirt's subnets between a machine and the NAT on its pod network.
const (
	podCIDR     = "10.0.2.0/24"
	podIPv6CIDR = "fd10:0:2::/120"
)

// guestNICs are the guest's NICs, in the order of the networks, which is the preference of their default routes.
func guestNICs(nets []*network) []guestNIC {
	var all []guestNIC
	for i, n := range nets {
		nic := guestNIC{network: n.Name, device: deviceName(n.Name), mac: n.mac, metric: 100 * (i + 1)}
		if n.IPConfig == nil {
			nic.dhcp4 = n.Type == v1alpha1.Pod
		} else {
			nic.configure(n)
		}
		all = append(all, nic)
	}
	return all
}

func (g *guestNIC) configure(n *network) {
	ip := n.IPConfig
	g.dhcp4, g.ipv6 = ip.Mode == v1alpha1.DHCP, ip.IPv6Mode
	g.addresses = staticAddresses(ip)
	for _, gateway := range []string{ip.Gateway, ip.IPv6Gateway} {
		if gateway != "" {
			g.gateways = append(g.gateways, gateway)
		}
	}
	if n.Type == v1alpha1.Pod && ip.IPv6Mode == v1alpha1.IPv6Static && !slices.ContainsFunc(g.addresses, isIPv6) {
		own, gateway := n.podAddresses(true)
		g.addresses = append(g.addresses, own.String())
		if !slices.ContainsFunc(g.gateways, isIPv6) {
			g.gateways = append(g.gateways, gateway.String())
		}
	}
	g.routes, g.onLink, g.dns, g.search = ip.Routes, ip.OnLink, ip.DNSServers, ip.SearchDomains
}

// staticAddresses are all addresses in an ipConfig, with their prefix lengths.
func staticAddresses(ip *v1alpha1.IPConfig) []string {
	if ip == nil {
		return nil
	}
	if ip.Address == "" {
		return slices.Clone(ip.Addresses)
	}
	return append([]string{ip.Address}, ip.Addresses...)
}

// podSubnet is the subnet between the machine and KubeVirt's NAT on a pod network, in one of the families.
func (n *network) podSubnet(ipv6 bool) netip.Prefix {
	given, byDefault := n.VMNetworkCIDR, podCIDR
	if ipv6 {
		given, byDefault = n.VMIPv6NetworkCIDR, podIPv6CIDR
	}
	if subnet, err := netip.ParsePrefix(given); err == nil {
		return subnet.Masked()
	}
	return netip.MustParsePrefix(byDefault)
}

// podAddresses are the guest's address on a pod network, and that of the gateway, as KubeVirt counts them.
func (n *network) podAddresses(ipv6 bool) (own netip.Prefix, gateway netip.Addr) {
	subnet := n.podSubnet(ipv6)
	gateway = subnet.Addr().Next()
	return netip.PrefixFrom(gateway.Next(), subnet.Bits()), gateway
}

// isIPv6 reports whether an address, with or without prefix length, is one of IPv6.
func isIPv6(address string) bool {
	return strings.Contains(address, ":")
}

// ipv6Gateway is the router of the IPv6 default route by a NIC; empty where there is none.
func (g *guestNIC) ipv6Gateway() string {
	if i := slices.IndexFunc(g.gateways, isIPv6); i >= 0 {
		return g.gateways[i]
	}
	return ""
}

// speaksIPv6 reports whether the guest is told anything of IPv6 on a NIC.
func (g *guestNIC) speaksIPv6() bool {
	return g.ipv6 != "" || slices.ContainsFunc(g.addresses, isIPv6) || g.ipv6Gateway() != "" ||
		slices.ContainsFunc(g.routes, func(r v1alpha1.Route) bool { return isIPv6(r.To) })
}

// bare reports whether the guest is told of no address on a NIC.
func (g *guestNIC) bare() bool {
	return !g.dhcp4 && len(g.addresses) == 0 && g.ipv6 == ""
}

// deviceName is the name of the guest's device on a network: the network's name, unless it is too long, or a name that
// the guest's system keeps for itself or gives to another device. A network's name has no underscore, so that two
// networks never have one device name.
func deviceName(network string) string {
	const prefix = "net_"
	switch {
	case len(network) <= kernelNameLimit && !systemName(network):
		return network
	case len(prefix+network) <= kernelNameLimit:
		return prefix + network
	}
	sum := sha256.Sum256([]byte(network))
	return prefix + hex.EncodeToString(sum[:4])
}

// systemName reports whether a name of a device may mean something else to the guest's kernel, udev, or one of the usual
// programs: eth0, enp1s0, docker0, bond1. udev takes no name that begins with a digit for a name.
func systemName(name string) bool {
	if name == "" || name[0] < 'a' || name[0] > 'z' || slices.Contains([]string{"all", "default", "lo"}, name) {
		return true
	}
	if strings.ContainsAny(name, "0123456789") {
		for _, prefix := range []string{"eth", "en", "ib", "sl", "wl", "ww", "veth"} {
			if strings.HasPrefix(name, prefix) {
				return true
			}
		}
	}
	kinds := []string{"bond", "br", "cni", "docker", "dummy", "gre", "ifb", "ppp", "sit", "tap", "team", "tun", "tunl", "virbr", "vlan", "vxlan", "wg"}
	kind := strings.TrimRight(name, "0123456789")
	return kind != name && slices.Contains(kinds, kind)
}

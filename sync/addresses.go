package sync

import (
	"fmt"
	"net/netip"
	"slices"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"novasphere.dev/wukong/types/v1alpha1"
)

// addressFault is something wrong with the guest's addresses on one network that the schema's rules cannot see.
type addressFault struct {
	network *network
	field   *field.Path
	value   string
	message string

	// harmless is whether the guest reaches its networks all the same, or may. Such a fault is told, and nothing is refused.
	harmless bool
}

// guestAddress is one static address of the guest.
type guestAddress struct {
	network *network
	field   *field.Path
	prefix  netip.Prefix
}

// validateAddresses refuses addresses that would leave the guest without a network, or with half of it. A machine that
// exists keeps its networks and goes on with them: there the status tells of the fault.
// The table in docs/decisions.md has its rows.
func (v *view) validateAddresses() field.ErrorList {
	if v.machine() != nil {
		return nil
	}
	var errs field.ErrorList
	for _, f := range v.addressFaults {
		if !f.harmless {
			errs = append(errs, field.Invalid(f.field, f.value, f.message))
		}
	}
	return errs
}

// addressMessage is the first fault of a network's addresses, for its status, or what not every guest makes of them;
// empty where there is none. What keeps the guest from having any address is told until it reports one.
func (v *view) addressMessage(n *network, reported bool) string {
	for _, f := range v.addressFaults {
		if f.network == n {
			return fmt.Sprintf("%s %s", f.value, f.message)
		}
	}
	ip := n.IPConfig
	switch {
	case ip == nil || v.w.Spec.NetworkDataSecret != "":
	case ip.OnLink:
		return "onLink is understood by guests with netplan or NetworkManager, and by systemd-networkd with cloud-init 24.4 or later"
	case !reported && slices.ContainsFunc(ip.Routes, func(r v1alpha1.Route) bool { return isIPv6(r.To) }):
		return "with routes of IPv6 a guest with network-scripts and cloud-init before 22.2 gets no address at all"
	}
	return ""
}

// readAddressFaults are all faults, in the order of the networks.
func (v *view) readAddressFaults() []addressFault {
	if v.w.Spec.NetworkDataSecret != "" {
		return nil // the guest is told something else
	}
	var faults []addressFault
	var before []guestAddress
	for _, n := range v.networks {
		if n.IPConfig == nil {
			continue
		}
		own := addressesOf(n)
		for i, a := range own {
			f := addressFault{network: n, field: a.field, value: a.prefix.String()}
			if f.message, f.harmless = v.addressFault(a, slices.Concat(before, own[:i])); f.message != "" {
				faults = append(faults, f)
			}
		}
		faults = append(append(faults, routerFaults(n, own)...), v.doubleFaults(own)...)
		before = append(before, own...)
	}
	return append(faults, v.idleGateways()...)
}

// idleGateways are the IPv6 gateways that the guest is not told of, because those of an earlier network come first.
func (v *view) idleGateways() []addressFault {
	nics := guestNICs(v.networks)
	if !v.named || !needsVersion1(nics) {
		return nil // then it is told of all, in their order
	}
	var faults []addressFault
	var first *network
	for i, n := range v.networks {
		switch gateway := nics[i].ipv6Gateway(); {
		case gateway == "":
		case first == nil:
			first = n
		default:
			faults = append(faults, addressFault{network: n, value: gateway, harmless: true, message: fmt.Sprintf(
				"is not used: the guest has one IPv6 default route, and network %s comes first", first.Name)})
		}
	}
	return faults
}

// addressesOf are the static addresses of a network that can be read.
func addressesOf(n *network) []guestAddress {
	path := field.NewPath("spec", "networks").Index(n.index).Child("ipConfig")
	var all []guestAddress
	add := func(path *field.Path, address string) {
		if prefix, err := netip.ParsePrefix(address); err == nil {
			all = append(all, guestAddress{network: n, field: path, prefix: prefix})
		}
	}
	add(path.Child("address"), n.IPConfig.Address)
	for i, address := range n.IPConfig.Addresses {
		add(path.Child("addresses").Index(i), address)
	}
	return all
}

// addressFault is what is wrong with one address, beside those before it; empty where nothing is.
func (v *view) addressFault(a guestAddress, before []guestAddress) (message string, harmless bool) {
	if a.network.Type == v1alpha1.Pod {
		if own, _ := a.network.podAddresses(a.prefix.Addr().Is6()); a.prefix != own {
			return fmt.Sprintf("is not KubeVirt's on a pod network, %s: use mode dhcp, or ipv6Mode static", own), false
		}
		return "", false
	}
	if isBroadcast(a.prefix) {
		return "is the broadcast address of its subnet: choose another in it", false
	}
	for _, b := range before {
		if a.prefix.Addr() == b.prefix.Addr() {
			return fmt.Sprintf("is an address on network %s already: give each network its own", b.network.Name), false
		}
	}
	if pod := v.podNetwork(); pod != nil {
		subnet := pod.podSubnet(a.prefix.Addr().Is6())
		switch cidr := podCIDRField(a.prefix.Addr().Is6()); {
		case a.prefix.Addr().Is6() && !pod.podIPv6():
		case subnet.Contains(a.prefix.Addr()):
			return fmt.Sprintf("is in the pod network's %s: choose another, or set its %s", subnet, cidr), false
		case a.prefix.Contains(subnet.Addr()):
			return fmt.Sprintf("has the pod network's %s in its subnet: to reach all of it, set %s on network %s",
				subnet, cidr, pod.Name), true
		}
	}
	for _, b := range before {
		if b.network != a.network && b.network.Type != v1alpha1.Pod && a.prefix.Overlaps(b.prefix) {
			return fmt.Sprintf("is in the subnet of network %s too: the guest sends by one of the two only, unless it has its own rules",
				b.network.Name), true
		}
	}
	return "", false
}

// podNetwork is the machine's pod network; nil where it has none.
func (v *view) podNetwork() *network {
	i := slices.IndexFunc(v.networks, func(n *network) bool { return n.Type == v1alpha1.Pod })
	if i < 0 {
		return nil
	}
	return v.networks[i]
}

// podIPv6 reports whether the guest has an IPv6 address on its pod network.
func (n *network) podIPv6() bool {
	return n.IPConfig != nil && (n.IPConfig.IPv6Mode != "" || isIPv6(n.IPConfig.Address))
}

func podCIDRField(ipv6 bool) string {
	if ipv6 {
		return "vmIPv6NetworkCIDR"
	}
	return "vmNetworkCIDR"
}

// routerFaults are the gateways and routers of a network that the guest does not reach from its static addresses.
func routerFaults(n *network, own []guestAddress) []addressFault {
	ip, path := n.IPConfig, field.NewPath("spec", "networks").Index(n.index).Child("ipConfig")
	var faults []addressFault
	if n.Type == v1alpha1.Pod {
		for _, g := range []struct{ field, gateway string }{{"gateway", ip.Gateway}, {"ipv6Gateway", ip.IPv6Gateway}} {
			if _, right := n.podAddresses(isIPv6(g.gateway)); g.gateway != "" && !sameAddress(g.gateway, right.String()) {
				faults = append(faults, addressFault{network: n, field: path.Child(g.field), value: g.gateway, message: fmt.Sprintf(
					"is not the gateway of a pod network: KubeVirt's is %s", right)})
			}
		}
	}
	for i, r := range ip.Routes {
		if via, err := netip.ParseAddr(r.Via); err == nil && !reaches(ip, own, via) {
			faults = append(faults, addressFault{network: n, field: path.Child("routes").Index(i).Child("via"), value: r.Via,
				message: "is in the subnet of none of the addresses: correct it, or set onLink"})
		}
	}
	return faults
}

// reaches reports whether the guest reaches a router, or may: what DHCP and other routers tell it is not known here.
func reaches(ip *v1alpha1.IPConfig, own []guestAddress, via netip.Addr) bool {
	dynamic := ip.Mode == v1alpha1.DHCP
	if via.Is6() {
		dynamic = ip.IPv6Mode == v1alpha1.IPv6Auto || ip.IPv6Mode == v1alpha1.IPv6DHCP || via.IsLinkLocalUnicast()
	}
	return dynamic || ip.OnLink || slices.ContainsFunc(own, func(a guestAddress) bool { return a.prefix.Contains(via) })
}

// isBroadcast reports whether an address is the last of an IPv4 subnet, to which everybody listens.
func isBroadcast(p netip.Prefix) bool {
	return p.Addr().Is4() && p.Bits() < 31 && !p.Contains(p.Addr().Next())
}

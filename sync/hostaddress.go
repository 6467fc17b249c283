package sync

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// hostAddress says whether the address that the default route leaves by, which preserveHostIP moves, came by DHCP; and
// why it cannot be moved, or "".
func (s nodeState) hostAddress(n network) (dhcp bool, objection string) {
	gateways := map[string]bool{}
	ipv6 := false
	for _, r := range items(s.current, "routes", "running") {
		switch text(r, "destination") {
		case "0.0.0.0/0":
			gateways[text(r, "next-hop-interface")] = true
		case "::/0":
			ipv6 = true
		}
	}
	switch {
	case len(gateways) == 0 && ipv6:
		return false, fmt.Sprintf("node %s has a default route by IPv6 only, which preserveHostIP cannot follow: set vlanId or another physicalInterface", s.node)
	case len(gateways) == 0:
		return false, fmt.Sprintf("node %s has no default route: remove preserveHostIP, or leave the node out by highAvailability.nodeSelector", s.node)
	case len(gateways) > 1:
		return false, fmt.Sprintf("node %s has default routes by several interfaces, and preserveHostIP moves one: set vlanId or another physicalInterface", s.node)
	case !gateways[n.nic] && !gateways[n.bridge]:
		return false, fmt.Sprintf("node %s: the default route does not leave by %s: remove preserveHostIP, or choose the NIC that it leaves by", s.node, n.nic)
	}
	carrier := s.iface(n.nic)
	if gateways[n.bridge] {
		carrier = s.bridge(n.bridge)
	}
	mac := text(s.iface(n.nic), "mac-address")
	for _, i := range items(s.current, "interfaces") {
		name := text(i, "name")
		if name == n.nic || name == n.bridge || mac == "" || text(i, "mac-address") != mac {
			continue
		}
		// A VLAN interface has its NIC's address too, and is told apart by carrying nothing.
		if kind := text(i, "type"); s.carried(i) != "" || kind == "bond" || kind == "ethernet" {
			return false, fmt.Sprintf("node %s: %s has the same hardware address as %s, and preserveHostIP cannot tell them apart: set vlanId or another physicalInterface", s.node, name, n.nic)
		}
	}
	dhcp = truth(carrier, "ipv4", "dhcp")
	if dynamic := truth(carrier, "ipv6", "dhcp") || truth(carrier, "ipv6", "autoconf"); !dhcp && dynamic && (ipv6 || s.address(carrier, "ipv6") != "") {
		return false, fmt.Sprintf("node %s: %s has an IPv6 address that it was given, and another may be given to the bridge: set vlanId or another physicalInterface, or make the address static", s.node, text(carrier, "name"))
	}
	if dhcp && (ipv6 || s.address(carrier, "ipv6") != "") {
		return false, fmt.Sprintf("node %s: %s has IPv4 by DHCP and IPv6 as well, and preserveHostIP would lose the IPv6: set vlanId or another physicalInterface", s.node, text(carrier, "name"))
	}
	return dhcp, ""
}

// otherKind is said where a policy with preserveHostIP would move addresses of the other kind than it was made for. NMState
// lets nobody change its captures.
const otherKind = "the selected nodes have their addresses by DHCP where the policy moves static ones, or the other way round: make another Wukong for them"

// movesDHCP says that a policy with preserveHostIP was made for nodes with their addresses by DHCP.
func movesDHCP(policy *unstructured.Unstructured) bool {
	return slices.ContainsFunc(items(policy, "spec", "desiredState", "interfaces"), func(i map[string]any) bool { return truth(i, "ipv4", "dhcp") })
}

package sync

import (
	"fmt"
	"slices"

	"novasphere.dev/wukong/types/v1alpha1"
)

// nodeState is what NMState reports of one node's network.
type nodeState struct {
	node    string
	current any
}

// waysOut end a refusal because of an address.
const waysOut = "set vlanId, another physicalInterface, highAvailability.nodeSelector, or for the NIC with the default route preserveHostIP"

// objection says why a bridge may not be built on the node, or "". ours are the bridges of the same Wukong.
func (s nodeState) objection(n network, ours map[string]bool) string {
	nic := s.iface(n.nic)
	if nic == nil {
		return fmt.Sprintf("node %s has no NIC %s: set physicalInterface, or leave the node out by highAvailability.nodeSelector", s.node, n.nic)
	}
	if mtu := number(nic, "mtu"); n.MTU != 0 && mtu != 0 && mtu < int64(n.MTU) {
		return fmt.Sprintf("node %s: mtu %d is more than the %d of NIC %s: lower mtu, or raise the NIC's", s.node, n.MTU, mtu, n.nic)
	}
	if n.VLANID == 0 {
		if kind := text(nic, "type"); slices.Contains([]string{"linux-bridge", "ovs-bridge", "ovs-interface"}, kind) {
			return fmt.Sprintf("node %s: %s is a bridge itself, and cannot be the port of one: name it by an attachment of your own in nadName, or choose another physicalInterface", s.node, n.nic)
		}
		if c := text(nic, "controller"); c != "" && c != n.bridge {
			return fmt.Sprintf("node %s: NIC %s already belongs to %s: choose another physicalInterface, or name that bridge as bridgeName", s.node, n.nic, c)
		}
		if carried := s.carried(nic); carried != "" && !n.preserves() {
			return fmt.Sprintf("node %s: NIC %s carries %s, and bridging it would cut the node off: %s", s.node, n.nic, carried, waysOut)
		}
	} else {
		if message := s.tagObjection(n, nic, ours); message != "" {
			return message
		}
		if message := s.vlanObjection(n); message != "" {
			return message
		}
	}
	return s.bridgeObjection(n)
}

// tagObjection is about a NIC that has a controller, and shall get a VLAN interface: the frames of that VLAN would no longer
// reach the controller. One of ours asked for that, and a bridge that does not filter VLANs says nothing of any.
func (s nodeState) tagObjection(n network, nic map[string]any, ours map[string]bool) string {
	name := text(nic, "controller")
	if name == "" || ours[name] {
		return ""
	}
	controller := s.bridge(name)
	kind := text(controller, "type")
	if kind == "bond" {
		return fmt.Sprintf("node %s: NIC %s already belongs to bond %s: name the bond as physicalInterface", s.node, n.nic, name)
	}
	for _, port := range items(controller, "bridge", "port") {
		if filter, _ := value(port, "vlan").(map[string]any); kind == "linux-bridge" && text(port, "name") == n.nic && len(filter) == 0 {
			return ""
		}
	}
	return fmt.Sprintf("node %s: NIC %s already belongs to %s, which may carry VLAN %d itself: name it by an attachment of your own in nadName, or choose another physicalInterface", s.node, n.nic, name, n.VLANID)
}

// vlanObjection is about a VLAN interface that is there already.
func (s nodeState) vlanObjection(n network) string {
	for _, i := range items(s.current, "interfaces") {
		if text(i, "vlan", "base-iface") == n.nic && number(i, "vlan", "id") == int64(n.VLANID) && text(i, "name") != n.uplink {
			return fmt.Sprintf("node %s: VLAN %d on %s is there already, as %s: choose another vlanId, or name that as physicalInterface", s.node, n.VLANID, n.nic, text(i, "name"))
		}
	}
	vlan := s.iface(n.uplink)
	if vlan == nil {
		return ""
	}
	if base, id := text(vlan, "vlan", "base-iface"), number(vlan, "vlan", "id"); base != n.nic || id != int64(n.VLANID) {
		return fmt.Sprintf("node %s: interface %s exists and is not VLAN %d on %s: rename it, or choose another physicalInterface", s.node, n.uplink, n.VLANID, n.nic)
	}
	if c := text(vlan, "controller"); c != "" && c != n.bridge {
		return fmt.Sprintf("node %s: VLAN interface %s already belongs to %s: name that bridge as bridgeName, or choose another vlanId", s.node, n.uplink, c)
	}
	if carried := s.carried(vlan); carried != "" {
		return fmt.Sprintf("node %s: VLAN interface %s carries %s, and bridging it would cut the node off: set another vlanId, another physicalInterface, or highAvailability.nodeSelector", s.node, n.uplink, carried)
	}
	return ""
}

// bridgeObjection is about a bridge of that name that is there already: built by an earlier Wukong, or by somebody else.
func (s nodeState) bridgeObjection(n network) string {
	bridge := s.bridge(n.bridge)
	if bridge == nil {
		return ""
	}
	if want := bridgeType(n.Type); text(bridge, "type") != want {
		return fmt.Sprintf("node %s: interface %s exists, of type %s and not %s: choose another bridgeName", s.node, n.bridge, text(bridge, "type"), want)
	}
	if carried := s.carried(bridge); carried != "" && !n.preserves() {
		return fmt.Sprintf("node %s: bridge %s carries %s: choose another bridgeName, or leave the node out by highAvailability.nodeSelector", s.node, n.bridge, carried)
	}
	for _, port := range items(bridge, "bridge", "port") {
		name := text(port, "name")
		if name == n.uplink {
			if filter, _ := value(port, "vlan").(map[string]any); len(filter) > 0 {
				return fmt.Sprintf("node %s: bridge %s filters VLANs, which a bridge of a Wukong does not: choose another bridgeName", s.node, n.bridge)
			}
			continue
		}
		// The taps and veths of machines and pods come and go; a policy leaves them alone. An Open vSwitch bridge has an
		// internal port of its own name. Any other port the policy would take from the bridge.
		iface := s.iface(name)
		kind := text(iface, "type")
		own := name == n.bridge && kind == "ovs-interface" && s.carried(iface) == ""
		if value(port, "link-aggregation") != nil || iface != nil && !own && !slices.Contains([]string{"veth", "tun", "tap", "unknown"}, kind) {
			return fmt.Sprintf("node %s: bridge %s has the port %s, which the policy would take from it: choose another bridgeName", s.node, n.bridge, name)
		}
	}
	return ""
}

// iface is an interface of the node by name, or nil; of an Open vSwitch bridge and its internal port of the same name
// the port, which is the one that carries addresses.
func (s nodeState) iface(name string) map[string]any {
	return s.find(name, func(kind string) bool { return kind != "ovs-bridge" })
}

// bridge is an interface of the node by name, the bridge where there are two.
func (s nodeState) bridge(name string) map[string]any {
	if b := s.find(name, func(kind string) bool { return kind == "ovs-bridge" || kind == "linux-bridge" }); b != nil {
		return b
	}
	return s.iface(name)
}

func (s nodeState) find(name string, kind func(string) bool) map[string]any {
	for _, i := range items(s.current, "interfaces") {
		if text(i, "name") == name && text(i, "state") != "absent" && kind(text(i, "type")) {
			return i
		}
	}
	return nil
}

// carried is the address or the route that an interface carries, or "". What an interface has by merely being up, an
// IPv6 link-local address and its routes, does not count.
func (s nodeState) carried(iface map[string]any) string {
	for _, family := range []string{"ipv4", "ipv6"} {
		if address := s.address(iface, family); address != "" {
			return address
		}
	}
	for _, r := range items(s.current, "routes", "running") {
		if destination := text(r, "destination"); text(r, "next-hop-interface") == text(iface, "name") && !linkLocal(destination) {
			return "the route to " + destination
		}
	}
	return ""
}

// address is the address of one family that an interface has, or "".
func (s nodeState) address(iface map[string]any, family string) string {
	if enabled, ok := value(iface, family, "enabled").(bool); ok && !enabled {
		return ""
	}
	for _, a := range items(iface, family, "address") {
		if ip := text(a, "ip"); ip != "" && !linkLocal(ip) {
			return fmt.Sprintf("the address %s/%d", ip, number(a, "prefix-length"))
		}
	}
	if truth(iface, family, "dhcp") {
		return "an address by DHCP"
	}
	return ""
}

func bridgeType(t v1alpha1.NetworkType) string {
	if t == v1alpha1.OVS {
		return "ovs-bridge"
	}
	return "linux-bridge"
}

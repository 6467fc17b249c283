// Package nmstate is the effect of one policy on one node, for the policies that Wukongs make: an interface that the
// policy does not mention stays, an absent one goes, a port belongs to one bridge, and the ports of machines and pods
// stay. A node that could no longer be reached afterwards keeps its old state.
//
// The state of a node is status.currentState of its NodeNetworkState. Only Plug, Unplug and Unbuild, which do
// not belong to NMState, change a state that they are given.
//
// Not modelled: the types of interfaces that no policy of a Wukong names, VLAN filtering, the hardware addresses that
// new interfaces take from others, the internal port of an Open vSwitch bridge, and verification.
package nmstate

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
)

// HostBridge is the description of a bridge that the node needs as it is.
const HostBridge = "of the host"

// Apply is the state of a node after a policy was applied to it. An error says why NMState fails or rolls back; then
// the node keeps its old state.
func Apply(current, spec map[string]any) (map[string]any, error) {
	desired, err := resolve(current, spec)
	if err != nil {
		return nil, err
	}
	n := node{before: current, state: runtime.DeepCopyJSON(current)}
	wanted := items(desired["interfaces"])
	for _, want := range wanted {
		if want["state"] == "absent" {
			n.removes(want["name"])
		} else if err := n.sets(want); err != nil {
			return nil, err
		}
	}
	for _, want := range wanted {
		if err := n.attaches(want); err != nil {
			return nil, err
		}
	}
	n.leases()
	n.routes(desired)
	if err := probe(current, n.state); err != nil {
		return nil, err
	}
	return n.state, nil
}

// node is a node while a policy is applied to it.
type node struct {
	before, state map[string]any
}

// keep replaces the interfaces of the node.
func (n node) keep(interfaces []any) { n.state["interfaces"] = interfaces }

// interfaces are those of the node.
func (n node) interfaces() []any {
	list, _ := n.state["interfaces"].([]any)
	return list
}

// removes removes an interface from the node. Its ports then belong to nothing, and it is no longer a port.
func (n node) removes(name any) {
	for _, i := range items(n.state["interfaces"]) {
		if i["controller"] == name {
			delete(i, "controller")
		}
		unplug(i, func(port any) bool { return port == name })
	}
	n.keep(slices.DeleteFunc(n.interfaces(), func(i any) bool { return i.(map[string]any)["name"] == name }))
}

// sets sets the wanted fields of an interface, and creates the interface where that is possible. The ports of a bridge
// are replaced, except those of machines and pods.
func (n node) sets(want map[string]any) error {
	have := Interface(n.state, want["name"])
	if have == nil {
		kind, _ := want["type"].(string)
		if kind == "" || kind == "ethernet" {
			return fmt.Errorf("there is no interface %v, and none can be made", want["name"])
		}
		have = map[string]any{"name": want["name"]}
		if kind != "ovs-bridge" {
			have["mtu"] = int64(1500)
		}
		n.keep(append(n.interfaces(), have))
	}
	if err := n.spares(have, want); err != nil {
		return err
	}
	ports, others := Ports(have), Others(n.before, have)
	for key, v := range want {
		have[key] = runtime.DeepCopyJSONValue(v)
	}
	block, isBridge := have["bridge"].(map[string]any)
	if !isBridge {
		return nil
	}
	wanted, mentioned := block["port"].([]any)
	for _, port := range ports {
		if !mentioned || slices.Contains(others, port["name"]) && !HasPort(want, port["name"]) {
			wanted = append(wanted, port)
		}
	}
	if wanted != nil {
		block["port"] = wanted
	}
	return nil
}

// spares reports what an interface would lose without a word of NMState, or what would then carry nothing: that is worse than a failure, so
// here it fails.
func (n node) spares(have, want map[string]any) error {
	ofHost := have["description"] == HostBridge // a hand may have switched STP on in the bridge of a policy
	if ofHost && value(have, "bridge", "options", "stp", "enabled") == true && value(want, "bridge", "options", "stp", "enabled") == false {
		return fmt.Errorf("bridge %v no longer runs STP, and there is a loop", have["name"])
	}
	if value(have, "vlan", "protocol") == "802.1ad" {
		return fmt.Errorf("VLAN interface %v has service tags, and carries nothing of the VLAN", have["name"])
	}
	for _, i := range items(n.state["interfaces"]) {
		for _, kind := range []string{"mac-vlan", "vxlan"} {
			if base := value(i, kind, "base-iface"); base != nil && HasPort(want, base) {
				return fmt.Errorf("port %v has %v on it", base, i["name"])
			}
		}
		for _, vf := range items(value(i, "ethernet", "sr-iov", "vfs")) {
			if name := vf["iface-name"]; vf["trust"] == false && (HasPort(want, name) || value(want, "vlan", "base-iface") == name) {
				return fmt.Errorf("%v lets no frames of machines pass", name)
			}
		}
	}
	return nil
}

// attaches gives a bridge its ports, and takes them from wherever they were. A port has no addresses. A VLAN interface
// needs its base interface.
func (n node) attaches(want map[string]any) error {
	if base := value(want, "vlan", "base-iface"); base != nil && want["state"] != "absent" && Interface(n.state, base) == nil {
		return fmt.Errorf("VLAN interface %v stands on %v, which is not there", want["name"], base)
	}
	if value(want, "bridge", "port") == nil || want["state"] == "absent" {
		return nil
	}
	for _, port := range Ports(want) {
		if Interface(n.state, port["name"]) == nil {
			return fmt.Errorf("port %v of bridge %v is not there", port["name"], want["name"])
		}
	}
	for _, i := range items(n.state["interfaces"]) {
		switch {
		case HasPort(want, i["name"]) && i["name"] != want["name"]:
			i["controller"] = want["name"]
			for _, family := range families {
				if i[family] != nil {
					i[family] = map[string]any{"enabled": false}
				}
			}
		case i["controller"] == want["name"]:
			delete(i, "controller")
		}
		if i["name"] != want["name"] {
			unplug(i, func(port any) bool { return HasPort(want, port) })
		}
	}
	return nil
}

var families = []string{"ipv4", "ipv6"}

// leases gives an interface with DHCP the address that its hardware address had before, because a lease belongs to the
// hardware address. The routes of that address move with it.
func (n node) leases() {
	for _, i := range items(n.state["interfaces"]) {
		if value(i, "ipv4", "dhcp") != true || value(i, "ipv4", "address") != nil {
			continue
		}
		for _, was := range items(n.before["interfaces"]) {
			address := value(was, "ipv4", "address")
			if was["mac-address"] != i["mac-address"] || value(was, "ipv4", "dhcp") != true || address == nil {
				continue
			}
			i["ipv4"].(map[string]any)["address"] = runtime.DeepCopyJSONValue(address)
			for _, r := range items(value(n.state, "routes", "running")) {
				if r["next-hop-interface"] == was["name"] {
					r["next-hop-interface"] = i["name"]
				}
			}
		}
	}
}

// routes adds the wanted routes, and removes those by a port or by a missing interface.
func (n node) routes(desired map[string]any) {
	wanted := items(value(desired, "routes", "config"))
	block, ok := n.state["routes"].(map[string]any)
	if !ok && len(wanted) == 0 {
		return
	}
	if !ok {
		block = map[string]any{}
		n.state["routes"] = block
	}
	running := []any{}
	for _, r := range append(wanted, items(block["running"])...) {
		by := Interface(n.state, r["next-hop-interface"])
		known := func(other any) bool { return sameRoute(r, other.(map[string]any)) }
		if by == nil || by["controller"] != nil || slices.ContainsFunc(running, known) {
			continue
		}
		running = append(running, runtime.DeepCopyJSON(r))
	}
	block["running"] = running
}

// sameRoute reports whether two routes lead to the same by the same.
func sameRoute(a, b map[string]any) bool {
	return a["destination"] == b["destination"] && a["next-hop-interface"] == b["next-hop-interface"] &&
		a["next-hop-address"] == b["next-hop-address"]
}

// probe is NMState's check after it has applied a policy, before the new state stays: an error says that the node is no
// longer reached. That is so when an address of the node is gone, or the last default route.
func probe(before, after map[string]any) error {
	left := addresses(after)
	for _, address := range addresses(before) {
		at := slices.Index(left, address)
		if at < 0 {
			return fmt.Errorf("the node is not reached at %s any more: rolled back", address)
		}
		left = slices.Delete(left, at, at+1)
	}
	if hasDefaultRoute(before) && !hasDefaultRoute(after) {
		return fmt.Errorf("the node has no default route any more: rolled back")
	}
	return nil
}

// addresses are the addresses by which a node is reached, so not the link-local ones.
func addresses(state map[string]any) []string {
	var all []string
	for _, i := range items(state["interfaces"]) {
		for _, family := range families {
			for _, a := range items(value(i, family, "address")) {
				if ip, _ := a["ip"].(string); ip != "" && !strings.HasPrefix(ip, "fe80:") {
					all = append(all, ip)
				}
			}
		}
	}
	return all
}

// hasDefaultRoute reports whether a node has a default route.
func hasDefaultRoute(state map[string]any) bool {
	return slices.ContainsFunc(items(value(state, "routes", "running")), func(r map[string]any) bool {
		return r["destination"] == "0.0.0.0/0" || r["destination"] == "::/0"
	})
}

// Interface is an interface of a node by its name; nil where there is none.
func Interface(state map[string]any, name any) map[string]any {
	for _, i := range items(state["interfaces"]) {
		if i["name"] == name {
			return i
		}
	}
	return nil
}

// Ports are the ports of a bridge.
func Ports(bridge map[string]any) []map[string]any { return items(value(bridge, "bridge", "port")) }

// HasPort reports whether a bridge has a port of that name.
func HasPort(bridge map[string]any, name any) bool {
	return slices.ContainsFunc(Ports(bridge), func(p map[string]any) bool { return p["name"] == name })
}

// Others are the names of the ports of a bridge that belong to machines or pods. NMState tells them by their type,
// where it reports them.
func Others(state, bridge map[string]any) []any {
	var names []any
	for _, port := range Ports(bridge) {
		iface := Interface(state, port["name"])
		if kind, _ := iface["type"].(string); iface == nil || slices.Contains([]string{"veth", "tun", "tap", "unknown"}, kind) {
			names = append(names, port["name"])
		}
	}
	return names
}

// Plug adds the port of a machine or pod to a bridge, where the bridge exists.
func Plug(state map[string]any, bridge, port string) {
	if b := Interface(state, bridge); b != nil && b["bridge"] != nil && !HasPort(b, port) {
		block := b["bridge"].(map[string]any)
		list, _ := block["port"].([]any)
		block["port"] = append(list, map[string]any{"name": port})
	}
}

// Unplug removes ports from all bridges.
func Unplug(state map[string]any, gone func(port any) bool) {
	for _, i := range items(state["interfaces"]) {
		unplug(i, gone)
	}
}

// Unbuild takes a bridge off a node, as an operator does by hand: its addresses and the routes by it go back to the port.
func Unbuild(state map[string]any, bridge, port string) {
	b, p := Interface(state, bridge), Interface(state, port)
	if b == nil || p == nil {
		return
	}
	for _, family := range families {
		if value(b, family, "address") != nil {
			p[family] = b[family]
		}
	}
	for _, r := range items(value(state, "routes", "running")) {
		if r["next-hop-interface"] == bridge {
			r["next-hop-interface"] = port
		}
	}
	node{before: state, state: state}.removes(bridge)
}

// unplug takes ports from one bridge.
func unplug(bridge map[string]any, gone func(port any) bool) {
	if block, ok := bridge["bridge"].(map[string]any); ok {
		list, _ := block["port"].([]any)
		block["port"] = slices.DeleteFunc(list, func(p any) bool { return gone(p.(map[string]any)["name"]) })
	}
}

// items are the maps in a list.
func items(list any) []map[string]any {
	found, _ := list.([]any)
	all := make([]map[string]any, 0, len(found))
	for _, item := range found {
		if m, ok := item.(map[string]any); ok {
			all = append(all, m)
		}
	}
	return all
}

// value is a field of an object, or nil.
func value(object map[string]any, path ...string) any {
	var v any = object
	for _, key := range path {
		m, _ := v.(map[string]any)
		v = m[key]
	}
	return v
}

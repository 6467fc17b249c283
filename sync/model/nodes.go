package model

import (
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// The nodes of the model: what NMState makes of a policy on each, and what they report.

// uplinks are the interfaces of a node that are no machine's.
var uplinks = []string{"ens160", "ens192", "ens224"}

// joins makes a node. Its own address is on ens224, and on some nodes a second one on ens192.
func (c *cluster) joins(name, zone string) {
	node := object("v1", "Node", "", name)
	node.SetLabels(map[string]string{"zone": zone})
	c.objects[nodeKind][name] = node
	var interfaces []any
	for _, nic := range uplinks {
		iface := map[string]any{"name": nic, "type": "ethernet", "state": "up", "mtu": int64(9000), "mac-address": nic + "-of-" + name}
		if nic == "ens224" || nic == "ens192" && c.IntN(4) == 0 {
			iface["ipv4"] = map[string]any{"enabled": true, "dhcp": false, "address": []any{map[string]any{"ip": "10.0.0.1", "prefix-length": int64(24)}}}
		}
		interfaces = append(interfaces, iface)
	}
	state := object("nmstate.io/v1beta1", "NodeNetworkState", "", name)
	state.Object["status"] = map[string]any{"currentState": map[string]any{
		"interfaces": interfaces,
		"routes":     map[string]any{"running": []any{map[string]any{"destination": "0.0.0.0/0", "next-hop-interface": "ens224", "next-hop-address": "10.0.0.254"}}},
	}}
	c.objects[stateKind][name] = state
}

// reports gives a node's report another time.
func (c *cluster) reports(node string, at time.Time) {
	c.objects[stateKind][node].Object["status"].(map[string]any)["lastSuccessfulUpdateTime"] = at.Format(time.RFC3339)
}

// reached are the nodes that a policy selects, in the order of their names.
func reached(policy *unstructured.Unstructured, nodes map[string]*unstructured.Unstructured) []string {
	selector, _ := value(policy.Object, "spec", "nodeSelector").(map[string]any)
	var names []string
	for _, name := range slices.Sorted(maps.Keys(nodes)) {
		if zone := selector["zone"]; zone == nil || zone == nodes[name].GetLabels()["zone"] {
			names = append(names, name)
		}
	}
	return names
}

func interfacesOf(state *unstructured.Unstructured) []any {
	list, _ := value(state.Object, "status", "currentState", "interfaces").([]any)
	return list
}

func find(state *unstructured.Unstructured, name any) map[string]any {
	for _, i := range interfacesOf(state) {
		if i.(map[string]any)["name"] == name {
			return i.(map[string]any)
		}
	}
	return nil
}

func ports(bridge map[string]any) []any {
	list, _ := value(bridge, "bridge", "port").([]any)
	return list
}

func hasPort(bridge map[string]any, port any) bool {
	return slices.ContainsFunc(ports(bridge), func(p any) bool { return p.(map[string]any)["name"] == port })
}

// unplug takes a port from a bridge.
func unplug(bridge map[string]any, gone func(port any) bool) {
	if block, ok := bridge["bridge"].(map[string]any); ok {
		block["port"] = slices.DeleteFunc(ports(bridge), func(p any) bool { return gone(p.(map[string]any)["name"]) })
	}
}

// plugs puts a port into a bridge on the first node, for a machine of ours or of somebody else.
func (c *cluster) plugs(bridge, port string) {
	state := c.objects[stateKind]["worker-1"]
	if b := find(state, bridge); b != nil && b["bridge"] != nil && !hasPort(b, port) {
		b["bridge"].(map[string]any)["port"] = append(ports(b), map[string]any{"name": port, "tap": true})
	}
}

// unplugs takes a port from whichever bridge has it.
func (c *cluster) unplugs(gone func(port any) bool) {
	for _, i := range interfacesOf(c.objects[stateKind]["worker-1"]) {
		unplug(i.(map[string]any), gone)
	}
}

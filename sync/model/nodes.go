package model

import (
	"maps"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"novasphere.dev/wukong/sync/model/nmstate"
)

// uplinks are the NICs of every node.
var uplinks = []string{"ens160", "ens192", "ens224"}

// joins adds a node. Its own address is on ens224; some nodes have a second one on ens192.
func (c *cluster) joins(nodeName, zone string) {
	node := object("v1", "Node", "", nodeName)
	node.SetLabels(map[string]string{"zone": zone})
	node.SetUID(types.UID("of-" + nodeName))
	c.objects[nodeKind][nodeName] = node
	c.isReady(nodeName, true)
	var interfaces []any
	for _, nic := range uplinks {
		iface := map[string]any{
			"name": nic, "type": "ethernet", "state": "up", "mtu": int64(9000), "mac-address": nic + "-of-" + nodeName,
			"ipv4": map[string]any{"enabled": false}, "ipv6": map[string]any{"enabled": false},
		}
		if nic == "ens224" || nic == "ens192" && c.IntN(4) == 0 {
			iface["ipv4"] = map[string]any{"enabled": true, "dhcp": false, "address": []any{
				map[string]any{"ip": "10.0.0.1", "prefix-length": int64(24)},
			}}
		}
		interfaces = append(interfaces, iface)
	}
	state := object("nmstate.io/v1beta1", "NodeNetworkState", "", nodeName)
	route := map[string]any{"destination": "0.0.0.0/0", "next-hop-interface": "ens224", "next-hop-address": "10.0.0.254"}
	state.Object["status"] = map[string]any{"currentState": map[string]any{
		"interfaces": append(interfaces, c.burdens()...), "routes": map[string]any{"running": []any{route}},
	}}
	byName(network(state))
	c.objects[stateKind][nodeName] = state
}

// burdens are interfaces of a node that take no bridge beside them, or lose by one; most nodes have none.
func (c *cluster) burdens() []any {
	nic := uplinks[c.IntN(2)]
	switch c.IntN(12) {
	case 0:
		return []any{map[string]any{"name": "mv0", "type": "mac-vlan", "state": "up", "mac-vlan": map[string]any{"base-iface": nic, "mode": "bridge"}}}
	case 1:
		return []any{map[string]any{"name": "vx0", "type": "vxlan", "state": "up", "vxlan": map[string]any{"base-iface": nic, "id": int64(7)}}}
	case 2:
		vf := map[string]any{"id": int64(0), "iface-name": nic, "trust": false, "spoof-check": true}
		return []any{map[string]any{"name": "pf0", "type": "ethernet", "state": "up", "ethernet": map[string]any{
			"sr-iov": map[string]any{"total-vfs": int64(1), "vfs": []any{vf}},
		}}}
	case 3:
		vlan := map[string]any{"base-iface": nic, "id": int64(100), "protocol": "802.1ad"}
		return []any{map[string]any{"name": nic + ".100", "type": "vlan", "state": "up", "vlan": vlan}}
	case 4:
		return []any{map[string]any{"name": "br-x", "type": "linux-bridge", "state": "up", "mtu": int64(9000), "description": nmstate.HostBridge,
			"bridge": map[string]any{"options": map[string]any{"stp": map[string]any{"enabled": true}}, "port": []any{}},
		}}
	}
	return nil
}

// reports sets the time of a node's report.
func (c *cluster) reports(node string, at time.Time) {
	c.objects[stateKind][node].Object["status"].(map[string]any)["lastSuccessfulUpdateTime"] = at.Format(time.RFC3339)
}

// byName puts the interfaces of a node into the order in which it reports them, whenever they were made.
func byName(state map[string]any) {
	interfaces, _ := state["interfaces"].([]any)
	slices.SortStableFunc(interfaces, func(a, b any) int {
		return strings.Compare(a.(map[string]any)["name"].(string), b.(map[string]any)["name"].(string))
	})
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

// network is what a node reports of its network; nil where there is no report.
func network(state *unstructured.Unstructured) map[string]any {
	if state == nil {
		return nil
	}
	current, _ := value(state.Object, "status", "currentState").(map[string]any)
	return current
}

// plugs puts a port into a bridge on the first node, for a machine of the cluster or for somebody else's pod.
func (c *cluster) plugs(bridge, port string) {
	nmstate.Plug(network(c.objects[stateKind]["worker-1"]), bridge, port)
}

// unplugs removes ports from all bridges on the first node.
func (c *cluster) unplugs(gone func(port any) bool) {
	nmstate.Unplug(network(c.objects[stateKind]["worker-1"]), gone)
}

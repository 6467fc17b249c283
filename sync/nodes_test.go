package sync_test

import (
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
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

// configure is nmstatectl apply: what is not mentioned stays, what is absent goes, the ports of a bridge are replaced but
// for those of machines, and a port belongs to one bridge.
func (c *cluster) configure(policy *unstructured.Unstructured, node string) {
	state := c.objects[stateKind][node]
	desired, _ := value(policy.Object, "spec", "desiredState", "interfaces").([]any)
	for _, item := range desired {
		want := item.(map[string]any)
		have := find(state, want["name"])
		switch {
		case want["state"] == "absent":
			for _, i := range interfacesOf(state) {
				if i := i.(map[string]any); i["controller"] == want["name"] {
					delete(i, "controller")
				}
				unplug(i.(map[string]any), func(port any) bool { return port == want["name"] })
			}
			c.keep(state, slices.DeleteFunc(interfacesOf(state), func(i any) bool { return i.(map[string]any)["name"] == want["name"] }))
			continue
		case have == nil:
			have = map[string]any{"name": want["name"], "mtu": int64(1500)}
			c.keep(state, append(interfacesOf(state), have))
		}
		taps := slices.DeleteFunc(slices.Clone(ports(have)), func(p any) bool { return p.(map[string]any)["tap"] == nil })
		for key, v := range want {
			if text, ok := v.(string); !ok || len(text) == 0 || text[0] != '{' {
				have[key] = runtime.DeepCopyJSONValue(v)
			}
		}
		if value(want, "bridge", "port") == nil {
			continue
		}
		c.attach(state, have)
		if policyCaptures(policy) {
			c.move(state, have)
		}
		block := have["bridge"].(map[string]any)
		block["port"] = append(ports(have), taps...)
	}
	c.stillReached(policy, state)
}

func (c *cluster) keep(state *unstructured.Unstructured, interfaces []any) {
	state.Object["status"].(map[string]any)["currentState"].(map[string]any)["interfaces"] = interfaces
}

// attach makes the ports of a bridge its own, wherever they were.
func (c *cluster) attach(state *unstructured.Unstructured, bridge map[string]any) {
	for _, item := range interfacesOf(state) {
		i := item.(map[string]any)
		switch {
		case hasPort(bridge, i["name"]):
			i["controller"] = bridge["name"]
		case i["controller"] == bridge["name"]:
			delete(i, "controller")
		}
		if i["name"] != bridge["name"] {
			unplug(i, func(port any) bool { return hasPort(bridge, port) })
		}
	}
}

func policyCaptures(policy *unstructured.Unstructured) bool {
	return value(policy.Object, "spec", "capture") != nil
}

// move moves the address of a bridge's port to the bridge.
func (c *cluster) move(state *unstructured.Unstructured, bridge map[string]any) {
	for _, p := range ports(bridge) {
		nic := find(state, p.(map[string]any)["name"])
		if nic["ipv4"] != nil {
			bridge["ipv4"] = nic["ipv4"]
			delete(nic, "ipv4")
			route := value(state.Object, "status", "currentState", "routes", "running").([]any)[0].(map[string]any)
			route["next-hop-interface"] = bridge["name"]
		}
	}
}

// stillReached holds that no policy cuts a node off: an address is on an interface that belongs to no bridge, and that no
// policy has told to have none.
func (c *cluster) stillReached(policy, state *unstructured.Unstructured) {
	if !c.settings.Preflight {
		return
	}
	route := value(state.Object, "status", "currentState", "routes", "running").([]any)[0].(map[string]any)
	cut := value(find(state, route["next-hop-interface"]), "ipv4", "address") == nil
	for _, item := range interfacesOf(state) {
		i := item.(map[string]any)
		cut = cut || value(i, "ipv4", "address") != nil && i["controller"] != nil
	}
	switch {
	case cut && (c.rivals(policy) || c.blind[policy.GetName()]):
		c.tell("  NMState rolls %s back", state.GetName())
		c.late[state.GetName()] = true // whatever is there now
	case cut:
		c.breaks("node %s is cut off by policy %s", state.GetName(), policy.GetName())
	}
}

// rivals says that another policy wants the bridge or the uplink for something else: two that were created at the same
// moment, before either could be seen. Until one of them has left, only NMState's own probes stand between them.
func (c *cluster) rivals(policy *unstructured.Unstructured) bool {
	const bridge, uplink = "vm.novasphere.dev/bridge", "vm.novasphere.dev/uplink"
	l := policy.GetLabels()
	for _, other := range c.objects[policyKind] {
		if o := other.GetLabels(); (o[bridge] == l[bridge]) != (o[uplink] == l[uplink]) {
			return true
		}
	}
	return false
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

// built holds that what a Wukong that is ready stands on is on the nodes. Where nobody looks at them, nobody knows.
func (c *cluster) built() {
	if !c.settings.Preflight {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(c.wukongs)) {
		w := c.wukongs[name]
		if conditionIn(w, "NodeNetworkReady").Status != "True" {
			continue
		}
		for _, n := range w.Status.Networks {
			policy := c.objects[policyKind][n.PolicyName]
			if policy == nil || n.PolicyState != "Available" {
				continue
			}
			for _, node := range reached(policy, c.objects[nodeKind]) {
				if c.late[node] {
					continue // NMState may have failed there, as it says
				}
				if bridge := find(c.objects[stateKind][node], n.Bridge); bridge == nil || !hasPort(bridge, n.Uplink) {
					c.breaks("network %s of %s is ready, and on node %s bridge %s is missing or without %s", n.Name, name, node, n.Bridge, n.Uplink)
				}
			}
		}
	}
}

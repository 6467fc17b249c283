package model

import (
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// handTells deletes, edits or forges a WukongNode by hand. A forged one is that of another owner, or lacks the annotation of the
// DecoratorController, and says that no NIC carries anything.
func (c *cluster) handTells() {
	node, ok := pick(c, c.objects[toldKind])
	if !ok {
		return
	}
	o := c.objects[toldKind][node]
	delete(c.lines, node)
	switch c.IntN(4) {
	case 0:
		c.tell("by hand: delete WukongNode %s", node)
		delete(c.objects[toldKind], node)
	case 1:
		c.tell("by hand: WukongNode %s says that nothing is carried", node)
		carriesNothing(o)
	case 2, 3:
		forged := o.DeepCopy()
		forged.SetUID(c.uid())
		forged.SetCreationTimestamp(metav1.NewTime(c.now))
		carriesNothing(forged)
		if c.IntN(2) == 0 {
			c.tell("by hand: WukongNode %s is nobody's, and says that nothing is carried", node)
			forged.SetOwnerReferences(nil)
		} else {
			c.tell("by hand: WukongNode %s is not that of the DecoratorController, and says that nothing is carried", node)
			forged.SetAnnotations(nil)
		}
		c.objects[toldKind][node] = forged
	}
}

// carriesNothing takes from a WukongNode what would keep a NIC from being used.
func carriesNothing(o *unstructured.Unstructured) {
	told := o.Object["network"].(map[string]any)
	delete(told, "defaultRoutes")
	groups, _ := told["vlanBridges"].([]any)
	for _, g := range groups {
		delete(g.(map[string]any), "occupied")
	}
	interfaces, _ := told["interfaces"].([]any)
	for _, item := range interfaces {
		i := item.(map[string]any)
		for _, field := range []string{"ipv4", "ipv6", "route", "controller"} {
			delete(i, field)
		}
		if bridge, ok := i["bridge"].(map[string]any); ok {
			delete(bridge, "occupied")
		}
	}
}

// trusted reports whether a WukongNode is the one that the DecoratorController has made of a Node.
func (c *cluster) trusted(node, told *unstructured.Unstructured) bool {
	return node != nil && told != nil && c.owned(node, told)
}

// stale reports whether the WukongNode in the cache says of a node what is not so. A forged one is not stale: the hook must not
// believe it.
func (c *cluster) stale(node string) bool {
	seen := c.seen[toldKind][node]
	if seen == nil {
		return true
	}
	return c.trusted(c.objects[nodeKind][node], seen) && !slices.Equal(toldLines(seen), stateLines(c.objects[stateKind][node]))
}

// stateLines are what a NodeNetworkState says that matters to bridges, in lines.
func stateLines(state *unstructured.Unstructured) []string {
	current := network(state)
	var all []string
	list, _ := current["interfaces"].([]any)
	for _, item := range list {
		i := item.(map[string]any)
		if passes(i) {
			continue
		}
		var addresses []string
		for _, family := range []string{"ipv4", "ipv6"} {
			given, _ := value(i, family, "address").([]any)
			for _, a := range given {
				address := a.(map[string]any)
				addresses = append(addresses, fmt.Sprint(address["ip"], "/", address["prefix-length"]))
			}
		}
		all = append(all, line(i["name"], i, append(addresses, bridgeLine(current, i))))
	}
	slices.Sort(all)
	return all
}

// passes reports whether an interface comes and goes with a machine or pod.
func passes(i map[string]any) bool {
	return slices.Contains([]any{"veth", "tun", "tap", "unknown", "loopback"}, i["type"])
}

// bridgeLine is what a node reports of the ports of a bridge; empty for other interfaces.
func bridgeLine(current, bridge map[string]any) string {
	ports, ok := value(bridge, "bridge", "port").([]any)
	if !ok {
		return ""
	}
	var names []string
	occupied := false
	for _, p := range ports {
		name := p.(map[string]any)["name"]
		list, _ := current["interfaces"].([]any)
		if slices.ContainsFunc(list, func(i any) bool { i2 := i.(map[string]any); return i2["name"] == name && !passes(i2) }) {
			names = append(names, fmt.Sprint(name))
		} else {
			occupied = true
		}
	}
	return fmt.Sprint(names, " ", occupied)
}

// toldLines are what a WukongNode says, in the same lines.
func toldLines(told *unstructured.Unstructured) []string {
	var all []string
	for _, i := range toldInterfaces(told) {
		var addresses []string
		for _, family := range []string{"ipv4", "ipv6"} {
			given, _ := value(i, family, "addresses").([]any)
			for _, a := range given {
				addresses = append(addresses, fmt.Sprint(a))
			}
		}
		bridge := ""
		if block, ok := i["bridge"].(map[string]any); ok {
			var names []string
			ports, _ := block["ports"].([]any)
			for _, p := range ports {
				names = append(names, fmt.Sprint(p.(map[string]any)["interface"]))
			}
			bridge = fmt.Sprint(names, " ", block["occupied"] == true)
		}
		all = append(all, line(i["interface"], i, append(addresses, bridge)))
	}
	slices.Sort(all)
	return all
}

// toldInterfaces are the interfaces that a WukongNode tells of, those in few words too.
func toldInterfaces(told *unstructured.Unstructured) []map[string]any {
	var all []map[string]any
	list, _ := value(told.Object, "network", "interfaces").([]any)
	for _, item := range list {
		all = append(all, item.(map[string]any))
	}
	groups, _ := value(told.Object, "network", "vlanBridges").([]any)
	for _, item := range groups {
		g := item.(map[string]any)
		occupied, _ := g["occupied"].([]any)
		for bridge, vlan := range g["bridges"].(map[string]any) {
			uplink := fmt.Sprint(g["base"], ".", vlan)
			all = append(all,
				map[string]any{"interface": uplink, "type": "vlan", "mtu": g["mtu"], "controller": bridge},
				map[string]any{"interface": bridge, "type": "linux-bridge", "mtu": g["mtu"], "bridge": map[string]any{
					"ports": []any{map[string]any{"interface": uplink}}, "occupied": slices.Contains(occupied, any(bridge)),
				}})
		}
	}
	return all
}

// line is an interface in one line, with its addresses and what it is as a bridge.
func line(name any, i map[string]any, more []string) string {
	return fmt.Sprint(name, " ", i["type"], " ", i["mtu"], " ", i["controller"], " ", strings.Join(more, " "))
}

package model

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// ticks checks that a WukongNode changes only when something has changed that matters to bridges, and not because of a veth or tap
// or because time passes.
func (c *cluster) ticks(p asker, before, after *unstructured.Unstructured) {
	node := p.GetName()
	lines := append(stateLines(c.seen[stateKind][node]),
		fmt.Sprint(p.GetLabels(), condition(p.parent.(*unstructured.Unstructured), "Ready")))
	same := func(a, b *unstructured.Unstructured) bool {
		return reflect.DeepEqual(a.Object["network"], b.Object["network"])
	}
	// Metacontroller may have shown the hook an older one, or none.
	shown := c.seen[toldKind][node]
	if was := c.lines[node]; shown != nil && same(shown, before) && !same(before, after) && slices.Equal(lines, was) {
		c.breaks("WukongNode %s changes although nothing has: from %s to %s", node,
			compactJSON(before.Object["network"]), compactJSON(after.Object["network"]))
	}
	if c.lines[node] = lines; !slices.Equal(toldLines(after), stateLines(c.objects[stateKind][node])) {
		delete(c.lines, node) // something of it waits to be told
	}
}

// nodesTold checks that at rest each node has its WukongNode, and that it says what is so.
func (c *cluster) nodesTold() {
	if !c.fleet {
		return
	}
	for _, node := range slices.Sorted(maps.Keys(c.objects[nodeKind])) {
		told := c.objects[toldKind][node]
		if !c.trusted(c.objects[nodeKind][node], told) {
			c.breaks("node %s has no WukongNode of its own at rest", node)
			continue
		}
		if want, got := stateLines(c.objects[stateKind][node]), toldLines(told); !slices.Equal(want, got) {
			c.breaks("WukongNode %s says %q, and the node is %q", node, got, want)
		}
		if want := c.objects[nodeKind][node].GetLabels(); !maps.Equal(want, told.GetLabels()) {
			c.breaks("WukongNode %s has the labels %v, and the node %v", node, told.GetLabels(), want)
		}
	}
}

// toldUnused checks that no WukongNode told of a machine or pod in a bridge that a policy has made and now takes off the nodes, and
// that nobody has forged one.
func (c *cluster) toldUnused(policy *unstructured.Unstructured, bridge any) {
	for _, node := range reached(policy, c.seen[toldKind]) {
		told := c.seen[toldKind][node]
		if c.late[node] {
			continue
		}
		if c.seen[nodeKind][node] != nil && !c.trusted(c.seen[nodeKind][node], told) {
			c.breaks("bridge %v is taken off node %s, and its WukongNode is forged", bridge, node)
			continue
		}
		for _, i := range toldInterfaces(told) {
			if i["interface"] == bridge && value(i, "bridge", "occupied") == true && isFedBy(i, policy.GetLabels()["vm.novasphere.dev/uplink"]) {
				c.breaks("bridge %v is taken off node %s, and somebody is plugged in", bridge, node)
			}
		}
	}
}

// isFedBy reports whether a bridge in a WukongNode has a port. Otherwise it is another bridge of that name.
func isFedBy(bridge map[string]any, uplink string) bool {
	ports, _ := value(bridge, "bridge", "ports").([]any)
	return slices.ContainsFunc(ports, func(p any) bool { return p.(map[string]any)["interface"] == uplink })
}

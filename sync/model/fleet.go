package model

import (
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"novasphere.dev/wukong/sync/model/nmstate"
)

// A life is of one of three kinds, by its seed. In some, an older version of the hook has answered the rules, and nobody asks for
// others. In some, the hook is upgraded in the middle. In the others all is new from the beginning.
const (
	oldLife = iota
	upgradedLife
	newLife
	kindsOfLives
)

// begins is the beginning of a life of new things.
func (c *cluster) begins(kind uint64) {
	c.newer = kind != oldLife
	if c.fleet = c.newer && c.nmstate; !c.fleet {
		return
	}
	for _, node := range slices.Sorted(maps.Keys(c.objects[nodeKind])) {
		c.hasOVS(node)
	}
	if kind == upgradedLife {
		c.upgradeAt = c.IntN(StepsPerLife)
		return
	}
	c.catchUp(true)
	c.upgrades()
}

// hasOVS gives some nodes an Open vSwitch bridge with an internal port of the same name.
func (c *cluster) hasOVS(node string) {
	if c.IntN(4) != 0 {
		return
	}
	state := network(c.objects[stateKind][node])
	state["interfaces"] = append(state["interfaces"].([]any),
		map[string]any{"name": "br-ex", "type": "ovs-bridge", "state": "up", "bridge": map[string]any{
			"port": []any{map[string]any{"name": "br-ex"}},
		}},
		map[string]any{"name": "br-ex", "type": "ovs-interface", "state": "up", "mtu": int64(1500), "controller": "br-ex"},
	)
	byName(state)
}

// upgrades starts the new version of the hook, and with it the DecoratorController. It tells of one node after the other, while all
// others act. The rules that the old version has answered stay, unless the CompositeController has changed too.
func (c *cluster) upgrades() {
	c.tell("WukongNodes are made from now on")
	c.upgraded, c.firstTold = true, true
	if c.IntN(2) == 0 {
		c.kept = map[types.UID]int64{}
		for _, w := range c.wukongs {
			c.kept[w.UID] = w.Generation
		}
	}
	unsteady := c.unsteady
	for _, node := range slices.Sorted(maps.Keys(c.objects[nodeKind])) {
		c.unsteady = false
		c.sync("nodes " + node)
		c.unsteady = unsteady
		for range c.IntN(3) {
			c.now = c.now.Add(time.Duration(c.IntN(5)) * time.Second)
			c.catchUp(false)
			c.sync(c.somebody())
		}
	}
	c.firstTold = false
}

// somebody is the ref of a parent by chance.
func (c *cluster) somebody() string {
	all := []map[string]bool{{}, {}, {}}
	for _, key := range c.everybody() {
		p := find(c.wukongs, c.objects, key)
		all[map[string]int{"Wukong": 0, "WukongNetwork": 1, "Node": 2}[kindName(p)]][key] = true
	}
	key, _ := pick(c, all[c.IntN(3)])
	return key
}

// everybody is the refs of all parents, in order.
func (c *cluster) everybody() []string {
	var all []string
	if c.fleet && c.upgraded {
		for _, node := range slices.Sorted(maps.Keys(c.objects[nodeKind])) {
			all = append(all, "nodes "+node)
		}
		for _, name := range slices.Sorted(maps.Keys(c.objects[networkKind])) {
			all = append(all, "wukongnetworks "+name)
		}
	}
	return append(all, slices.Sorted(maps.Keys(c.wukongs))...)
}

// fleetActs lets somebody act who has to do with WukongNodes and WukongNetworks, and reports whether somebody has.
func (c *cluster) fleetActs(at int) bool {
	switch {
	case !c.upgraded && at < c.upgradeAt, c.upgraded && c.IntN(5) > 2:
		return false
	case !c.upgraded:
		c.upgrades()
		return true
	}
	switch c.IntN(15) {
	case 0, 1, 2:
		c.userCreatesNetwork()
	case 3:
		c.userChangesNetwork()
	case 4:
		c.userDeletesNetwork()
	case 5:
		c.handTells()
	case 6:
		c.nodeChanges()
	case 7:
		c.tell("Metacontroller asks all for their rules again")
		c.kept = nil
	case 8:
		c.handShares()
	case 9:
		c.handUnbuilds()
	case 10, 11:
		c.quietTime()
	default:
		c.catchUp(false)
		c.sync(c.somebody())
	}
	return true
}

// quietTime is some minutes in which most of what was begun is finished.
func (c *cluster) quietTime() {
	c.tell("a quiet time begins")
	for range 2 + c.IntN(3) {
		c.now = c.now.Add(time.Minute)
		for _, name := range slices.Sorted(maps.Keys(c.objects[policyKind])) {
			if p := c.objects[policyKind][name]; !available(c.objects[enactmentKind], p) && c.IntN(4) != 0 {
				c.enact(p, "Available")
			}
		}
		for _, key := range c.everybody() {
			c.catchUp(false)
			c.sync(key)
		}
		c.kubevirtActs(false)
	}
}

// nodeChanges changes a node in some way that has to do with no policy.
func (c *cluster) nodeChanges() {
	node, _ := pick(c, c.objects[nodeKind])
	switch c.IntN(5) {
	case 0:
		c.tell("%s is ready or not", node)
		c.isReady(node, c.IntN(2) == 0)
	case 1, 2:
		c.podsMove(node)
	case 3:
		c.tell("%s reports again", node)
		c.reports(node, c.now)
	case 4:
		if c.late["worker-3"] && c.objects[nodeKind]["worker-3"] != nil {
			zone := []string{"a", "b", "c"}[c.IntN(3)]
			c.tell("worker-3 is in zone %s from now on", zone)
			c.objects[nodeKind]["worker-3"].SetLabels(map[string]string{"zone": zone})
		}
	}
}

// isReady is what the kubelet says of a node.
func (c *cluster) isReady(node string, ready bool) {
	status := map[bool]string{true: "True", false: "False"}[ready]
	c.objects[nodeKind][node].Object["status"] = map[string]any{"conditions": []any{
		map[string]any{"type": "Ready", "status": status, "lastHeartbeatTime": c.now.Format(time.RFC3339)},
	}}
}

// podsMove has the veth of a pod come or go, which is in no bridge of anybody here. The node reports it.
func (c *cluster) podsMove(node string) {
	state := network(c.objects[stateKind][node])
	interfaces := state["interfaces"].([]any)
	if nmstate.Interface(state, "veth9") == nil {
		c.tell("a pod comes to %s", node)
		state["interfaces"] = append(interfaces, map[string]any{
			"name": "veth9", "type": "veth", "state": "up", "mtu": int64(1450), "ipv4": map[string]any{"enabled": false},
		})
	} else {
		c.tell("a pod goes from %s", node)
		state["interfaces"] = slices.DeleteFunc(interfaces, func(i any) bool { return i.(map[string]any)["name"] == "veth9" })
	}
	c.reports(node, c.now)
}

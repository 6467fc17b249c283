package model

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/sync/model/nmstate"
	"novasphere.dev/wukong/types/v1alpha1"
)

// What must hold: of each write that an answer asks for, by what was seen when it was given, and of everything at rest. That
// no policy cuts a node off is held where it is applied, in nmstate.go.

// mayCome holds the order: an attachment after its policy, a machine after its attachments.
func (c *cluster) mayCome(w *v1alpha1.Wukong, kind string, desired *unstructured.Unstructured) {
	switch kind {
	case attachmentKind:
		if c.waitsFor(w, strings.TrimSuffix(desired.GetName(), "-nad")+"-bridge") {
			c.breaks("attachment %s is created before its policy is available", desired.GetName())
		}
	case machineKind:
		networks, _, _ := unstructured.NestedSlice(desired.Object, "spec", "template", "spec", "networks")
		for _, n := range networks {
			attachment, _ := value(n.(map[string]any), "multus", "networkName").(string)
			if attachment != "" && c.seen[attachmentKind][attachment] == nil {
				c.breaks("machine %s is created before its attachment %s", desired.GetName(), attachment)
			}
			if policy := fmt.Sprintf("%s-%s-bridge", w.Name, n.(map[string]any)["name"]); c.waitsFor(w, policy) {
				c.breaks("machine %s is created before policy %s is available", desired.GetName(), policy)
			}
		}
	}
}

// waitsFor reports whether a Wukong has a policy of that name, and it is not available.
func (c *cluster) waitsFor(w *v1alpha1.Wukong, policy string) bool {
	p := c.seen[policyKind][policy]
	return p != nil && c.owned(w, p) && !available(c.seen[enactmentKind], p)
}

// mayGo holds that nothing goes that something stands on, and no machine before its Wukong.
func (c *cluster) mayGo(w *v1alpha1.Wukong, kind, key string) {
	switch kind {
	case machineKind:
		if w.DeletionTimestamp == nil {
			c.breaks("machine %s is deleted", key)
		}
	case attachmentKind:
		for _, kind := range []string{machineKind, instanceKind} {
			for _, machine := range c.seen[kind] {
				if machine.GetName() == w.Name && strings.Contains(compactJSON(machine.Object["spec"]), `"networkName":"`+key+`"`) {
					c.breaks("attachment %s is deleted while %s %s uses it", key, machine.GetKind(), machine.GetName())
				}
			}
		}
	case policyKind:
		network := strings.TrimSuffix(key, "-bridge")
		if attachment := c.seen[attachmentKind]["default/"+network+"-nad"]; attachment != nil && c.owned(w, attachment) {
			c.breaks("policy %s is deleted while its attachment exists", key)
		}
	}
}

// mayBeEdited holds that no policy is edited while it is in progress.
func (c *cluster) mayBeEdited(before, after *unstructured.Unstructured) {
	if inProgress(before) && !reflect.DeepEqual(after.Object["spec"], before.Object["spec"]) {
		c.breaks("policy %s is edited while it is in progress", before.GetName())
	}
}

// finalized holds that nothing exists any more of a Wukong that is let go.
func (c *cluster) finalized(w *v1alpha1.Wukong) {
	for _, kind := range c.managed() {
		for key, o := range c.seen[kind] {
			if c.owned(w, o) {
				c.breaks("%s is finalized while %s %s exists", w.Name, kind, key)
			}
		}
	}
}

// looksFirst holds that no bridge is taken off a node on which somebody's port was seen in it.
func (c *cluster) looksFirst(before, after *unstructured.Unstructured) {
	if !c.settings.Preflight {
		return
	}
	interfaces, _ := value(after.Object, "spec", "desiredState", "interfaces").([]any)
	for _, item := range interfaces {
		if i := item.(map[string]any); i["state"] == "absent" && i["type"] != "vlan" {
			c.unused(before, i["name"])
		}
	}
}

// unused holds that a bridge that a policy has made was seen without ports of somebody's, on each node.
func (c *cluster) unused(policy *unstructured.Unstructured, bridge any) {
	for _, node := range reached(policy, c.seen[nodeKind]) {
		seen := network(c.seen[stateKind][node])
		if c.late[node] || !nmstate.HasPort(nmstate.Interface(seen, bridge), policy.GetLabels()["vm.novasphere.dev/uplink"]) {
			continue // it is another bridge of that name
		}
		for _, port := range nmstate.Others(seen, nmstate.Interface(seen, bridge)) {
			c.breaks("bridge %v is taken off node %s from under %v", bridge, node, port)
		}
	}
}

// rivals reports whether another policy wants the bridge or the uplink for something else: two that were created at the
// same moment, before either could be seen. Until one of them has left, only NMState's own probes stand between them.
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

// settled is what holds at rest.
func (c *cluster) settled() {
	for name, w := range c.wukongs {
		if w.DeletionTimestamp != nil {
			c.breaks("Wukong %s is being deleted for ever", name)
		}
		ready := conditionIn(w, "Ready")
		if stalled := conditionIn(w, "Stalled"); ready.Status != metav1.ConditionTrue && stalled.Status != metav1.ConditionTrue {
			c.breaks("Wukong %s is neither ready nor stalled at rest: %s: %s", name, ready.Reason, ready.Message)
		}
	}
	c.feeds()
	c.built()
	c.written()
}

// written holds that no two machines write to one disk.
func (c *cluster) written() {
	machines := map[any]string{}
	for _, key := range slices.Sorted(maps.Keys(c.objects[machineKind])) {
		templates, _ := value(c.objects[machineKind][key].Object, "spec", "dataVolumeTemplates").([]any)
		for _, t := range templates {
			disk := value(t.(map[string]any), "metadata", "name")
			if was, ok := machines[disk]; ok {
				c.breaks("%s and %s write to disk %s", was, key, disk)
			}
			machines[disk] = key
		}
	}
}

// feeds holds that no two policies of Wukongs that are ready pull one uplink or one bridge apart.
func (c *cluster) feeds() {
	bridges, uplinks := map[string]string{}, map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(c.objects[policyKind])) {
		l := c.objects[policyKind][name].GetLabels()
		w := c.wukongs[l["vm.novasphere.dev/wukong"]]
		if w == nil || conditionIn(w, "NodeNetworkReady").Status != metav1.ConditionTrue {
			continue
		}
		bridge, uplink := l["vm.novasphere.dev/bridge"], l["vm.novasphere.dev/uplink"]
		if was, ok := bridges[bridge]; ok && was != uplink {
			c.breaks("bridge %s is fed by %s and by %s", bridge, was, uplink)
		}
		if was, ok := uplinks[uplink]; ok && was != bridge {
			c.breaks("%s feeds %s and %s", uplink, was, bridge)
		}
		bridges[bridge], uplinks[uplink] = uplink, bridge
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
			if n.PolicyState == "Available" {
				c.builtFor(w, n)
			}
		}
	}
}

// builtFor holds that the bridge of a network that is ready is on each node.
func (c *cluster) builtFor(w *v1alpha1.Wukong, n v1alpha1.NetworkStatus) {
	policy := c.objects[policyKind][n.PolicyName]
	if policy == nil {
		return
	}
	for _, node := range reached(policy, c.objects[nodeKind]) {
		if c.late[node] {
			continue // NMState may have failed there, as it says
		}
		if !nmstate.HasPort(nmstate.Interface(network(c.objects[stateKind][node]), n.Bridge), n.Uplink) {
			c.breaks("network %s of %s is ready, and on node %s bridge %s is missing or without %s", n.Name, w.Name, node, n.Bridge, n.Uplink)
		}
	}
}

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

// Here is what must be true: of each write that an answer asks for, given what Metacontroller had seen when it asked, and of
// everything at rest. That no policy cuts a node off is checked in nmstate.go, where policies are applied. A function that
// "checks that" something is true notes a break if it is not.

// mayCome checks the order of creation: an attachment after its policy, a machine after its attachments.
func (c *cluster) mayCome(p asker, kind string, desired *unstructured.Unstructured) {
	if kind == policyKind {
		c.policyMayCome(p, desired)
		c.mayFeed(p, desired)
	}
	w, ok := p.parent.(*v1alpha1.Wukong)
	if !ok {
		return
	}
	switch kind {
	case attachmentKind:
		if c.waitsFor(w, strings.TrimSuffix(desired.GetName(), "-nad")+"-bridge") {
			c.breaks("attachment %s is created before its policy is available", desired.GetName())
		}
		c.mayPlug(w, desired.GetName())
		c.mayStand(p, w, desired)
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
			c.mayPlug(w, fmt.Sprintf("%s-%s-nad", w.Name, n.(map[string]any)["name"]))
		}
	}
}

// waitsFor reports whether a Wukong has a policy of that name that is not available.
func (c *cluster) waitsFor(w *v1alpha1.Wukong, policy string) bool {
	p := c.seen[policyKind][policy]
	return p != nil && c.owned(w, p) && !available(c.seen[enactmentKind], p)
}

// mayGo checks that nothing is deleted that is still used, no machine before its Wukong, and no copy of a machine ever.
func (c *cluster) mayGo(p asker, kind, key string) {
	if n, ok := p.parent.(*unstructured.Unstructured); ok {
		if kind == policyKind {
			c.policyMayGo(n, c.seen[policyKind][key])
		}
		return
	}
	w := p.parent.(*v1alpha1.Wukong)
	switch kind {
	case machineKind:
		if w.DeletionTimestamp == nil || isCopy(c.seen[kind][key]) {
			c.breaks("machine %s is deleted", key)
		}
	case attachmentKind:
		for _, kind := range []string{machineKind, instanceKind} {
			for _, machine := range c.seen[kind] {
				if c.plugsInto(w, machine, key) {
					c.breaks("attachment %s is deleted while %s %s uses it", key, machine.GetKind(), machine.GetName())
				}
			}
		}
	case policyKind:
		prefix := strings.TrimSuffix(key, "-bridge")
		if attachment := c.seen[attachmentKind]["default/"+prefix+"-nad"]; attachment != nil && c.owned(w, attachment) {
			c.breaks("policy %s is deleted while its attachment exists", key)
		}
	}
}

// plugsInto reports whether a machine or instance of a Wukong, or a copy of its machine, is plugged into an attachment.
func (c *cluster) plugsInto(w *v1alpha1.Wukong, machine *unstructured.Unstructured, attachment string) bool {
	of := machine.GetName() == w.Name || isCopy(machine) && c.owned(w, machine)
	return of && strings.Contains(compactJSON(machine.Object["spec"]), `"networkName":"`+attachment+`"`)
}

// mayBeEdited checks that no policy is edited while it is in progress.
func (c *cluster) mayBeEdited(before, after *unstructured.Unstructured) {
	if inProgress(before) && !reflect.DeepEqual(after.Object["spec"], before.Object["spec"]) {
		c.breaks("policy %s is edited while it is in progress", before.GetName())
	}
}

// finalized checks that a parent has no child any more when it is let go.
func (c *cluster) finalized(p parent) {
	for _, kind := range c.managed(p) {
		for key, o := range c.seen[kind] {
			if c.owned(p, o) {
				c.breaks("%s is finalized while %s %s exists", p.GetName(), kind, key)
			}
		}
	}
}

// looksFirst checks that no bridge is removed from a node that reported somebody's port in it.
func (c *cluster) looksFirst(p asker, before, after *unstructured.Unstructured) {
	if !c.settings.Preflight {
		return
	}
	interfaces, _ := value(after.Object, "spec", "desiredState", "interfaces").([]any)
	for _, item := range interfaces {
		if i := item.(map[string]any); i["state"] == "absent" && i["type"] != "vlan" {
			if p.early {
				c.unused(before, i["name"])
			} else {
				c.toldUnused(before, i["name"])
			}
		}
	}
}

// unused checks that no node reported somebody's port in a bridge that a policy has made.
func (c *cluster) unused(policy *unstructured.Unstructured, bridge any) {
	for _, node := range reached(policy, c.seen[nodeKind]) {
		seen := network(c.seen[stateKind][node])
		if c.late[node] || !nmstate.HasPort(nmstate.Interface(seen, bridge), policy.GetLabels()["vm.novasphere.dev/uplink"]) {
			continue // another bridge has that name there
		}
		for _, port := range nmstate.Others(seen, nmstate.Interface(seen, bridge)) {
			c.breaks("bridge %v is taken off node %s from under %v", bridge, node, port)
		}
	}
}

// rivals are the other policies that want the same bridge or uplink for something else. They were created before
// either could be seen. Until one of them is gone, only NMState's own probes protect the nodes.
func (c *cluster) rivals(policy *unstructured.Unstructured) []string {
	var all []string
	const bridge, uplink = "vm.novasphere.dev/bridge", "vm.novasphere.dev/uplink"
	l := policy.GetLabels()
	for name, other := range c.objects[policyKind] {
		if l[ofNetwork] != "" && l[ofNetwork] == other.GetLabels()[ofNetwork] {
			continue // one for each uplink
		}
		if o := other.GetLabels(); (o[bridge] == l[bridge]) != (o[uplink] == l[uplink]) {
			all = append(all, name)
		}
	}
	return all
}

// settled checks what must be true at rest.
func (c *cluster) settled() {
	for name, w := range c.wukongs {
		if w.DeletionTimestamp != nil {
			c.breaks("Wukong %s is being deleted for ever", name)
		}
		ready := conditionIn(w, "Ready")
		if stalled := conditionIn(w, "Stalled"); ready.Status != metav1.ConditionTrue && stalled.Status != metav1.ConditionTrue && !c.waits(w) {
			c.breaks("Wukong %s is neither ready nor stalled at rest: %s: %s", name, ready.Reason, ready.Message)
		}
	}
	c.feeds()
	c.built()
	c.networksSettled()
	c.nodesTold()
	c.written()
}

// written checks that no two machines write to one disk, unless one of them tells of it: two that are created at the same moment
// do not see each other. A machine's instance type is the one whose revision KubeVirt has noted.
func (c *cluster) written() {
	users := map[string][]string{}
	for _, key := range slices.Sorted(maps.Keys(c.objects[machineKind])) {
		machine := c.objects[machineKind][key]
		for claim, cd := range claims(machine) {
			for _, other := range users[claim] {
				if (!cd || !claims(c.objects[machineKind][other])[claim]) && !c.inConflict(key) && !c.inConflict(other) {
					c.breaks("%s and %s write to disk %s, and neither tells", other, key, claim)
				}
			}
			users[claim] = append(users[claim], key)
		}
		name, _ := value(machine.Object, "spec", "instancetype", "name").(string)
		revision, _ := value(machine.Object, "spec", "instancetype", "revisionName").(string)
		if name != "" && revision != fmt.Sprintf("%s-%s-1", machine.GetName(), name) {
			c.breaks("%s is of instance type %s in revision %s", key, name, revision)
		}
	}
}

// claims are the claims of a machine, and whether it has each as a CD.
func claims(machine *unstructured.Unstructured) map[string]bool {
	all, cds := map[string]bool{}, map[any]bool{}
	disks, _ := value(machine.Object, "spec", "template", "spec", "domain", "devices", "disks").([]any)
	for _, d := range disks {
		disk := d.(map[string]any)
		cds[disk["name"]] = disk["cdrom"] != nil
	}
	volumes, _ := value(machine.Object, "spec", "template", "spec", "volumes").([]any)
	for _, v := range volumes {
		volume := v.(map[string]any)
		for _, path := range [][]string{{"dataVolume", "name"}, {"persistentVolumeClaim", "claimName"}} {
			if claim, ok := value(volume, path...).(string); ok {
				all[claim] = cds[volume["name"]]
			}
		}
	}
	return all
}

// inConflict reports whether the Wukong of a machine tells of a conflict.
func (c *cluster) inConflict(machine string) bool {
	w := c.wukongs[c.objects[machineKind][machine].GetName()]
	return w != nil && conditionIn(w, "MachineReady").Reason == string(v1alpha1.ReasonConflict)
}

// feeds checks that the policies of those who are ready agree on which uplink feeds which bridge. A WukongNetwork has one policy
// for each uplink, of different nodes.
func (c *cluster) feeds() {
	var ready []*unstructured.Unstructured
	for _, name := range slices.Sorted(maps.Keys(c.objects[policyKind])) {
		if policy := c.objects[policyKind][name]; c.isReadyWith(policy) {
			ready = append(ready, policy)
		}
	}
	const bridge, uplink = "vm.novasphere.dev/bridge", "vm.novasphere.dev/uplink"
	for i, policy := range ready {
		for _, other := range ready[:i] {
			l, o := policy.GetLabels(), other.GetLabels()
			if (l[bridge] == o[bridge]) != (l[uplink] == o[uplink]) && (l[ofNetwork] == "" || l[ofNetwork] != o[ofNetwork]) {
				c.breaks("%s is fed by %s, and %s by %s", l[bridge], l[uplink], o[bridge], o[uplink])
			}
		}
	}
}

// isReadyWith reports whether the Wukong or WukongNetwork of a policy is ready, as far as the nodes are concerned.
func (c *cluster) isReadyWith(policy *unstructured.Unstructured) bool {
	l := policy.GetLabels()
	if n := c.objects[networkKind][l[ofNetwork]]; n != nil {
		return condition(n, "Ready") == "True"
	}
	w := c.wukongs[l["vm.novasphere.dev/wukong"]]
	return w != nil && conditionIn(w, "NodeNetworkReady").Status == metav1.ConditionTrue
}

// built checks that the bridges of ready Wukongs are on the nodes. Without the preflight check the hook cannot know.
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

// builtFor checks that the bridge of one ready network is on each node.
func (c *cluster) builtFor(w *v1alpha1.Wukong, n v1alpha1.NetworkStatus) {
	policy := c.objects[policyKind][n.PolicyName]
	if policy == nil {
		return
	}
	for _, node := range reached(policy, c.objects[nodeKind]) {
		if c.late[node] {
			continue // NMState may have failed there
		}
		if !nmstate.HasPort(nmstate.Interface(network(c.objects[stateKind][node]), n.Bridge), n.Uplink) {
			c.breaks("network %s of %s is ready, and on node %s bridge %s is missing or without %s", n.Name, w.Name, node, n.Bridge, n.Uplink)
		}
	}
}

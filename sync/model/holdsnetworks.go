package model

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/sync/model/nmstate"
	"novasphere.dev/wukong/types/v1alpha1"
)

// Here is what must be true of WukongNetworks, and of Wukongs that use one.

// ofNetwork is the label of a policy that is a WukongNetwork's.
const ofNetwork = "vm.novasphere.dev/wukong-network"

// policyMayCome checks that no policy is created while only some of the nodes have been told of, and that the policies of a
// WukongNetwork select no node that the WukongNetwork does not select.
func (c *cluster) policyMayCome(p asker, desired *unstructured.Unstructured) {
	if c.firstTold && !p.early && c.settings.Preflight {
		c.breaks("policy %s is created while the nodes are told of for the first time", desired.GetName())
	}
	if kindName(p) == v1alpha1.NetworkKind {
		c.selectsOnly(p, desired)
	}
}

// selectsOnly checks that a policy selects no node that its WukongNetwork does not select.
func (c *cluster) selectsOnly(p asker, policy *unstructured.Unstructured) {
	zone := networkOf(p.parent.(*unstructured.Unstructured)).Spec.NodeSelector["zone"]
	for _, node := range reached(policy, c.objects[nodeKind]) {
		if zone != "" && c.objects[nodeKind][node].GetLabels()["zone"] != string(zone) {
			c.breaks("policy %s selects node %s, and its WukongNetwork does not", policy.GetName(), node)
		}
	}
}

// mayPlug checks that an attachment that uses a WukongNetwork comes, or has a machine come, only when that is ready.
func (c *cluster) mayPlug(w *v1alpha1.Wukong, attachment string) {
	for _, n := range w.Spec.Networks {
		if n.NetworkName == "" || w.Name+"-"+n.Name+"-nad" != attachment {
			continue
		}
		shared := c.seen[networkKind][n.NetworkName]
		if shared == nil || shared.GetDeletionTimestamp() != nil || condition(shared, "Ready") != "True" {
			c.breaks("attachment %s is used before WukongNetwork %s is ready", attachment, n.NetworkName)
		}
	}
}

// policyMayGo checks that a policy of a WukongNetwork does not go while anybody is plugged in, unless its uplink was removed.
func (c *cluster) policyMayGo(owner, policy *unstructured.Unstructured) {
	n := networkOf(owner)
	if takesOff(policy) || n.DeletionTimestamp == nil && !wants(n, policy) {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(c.seenWukongs)) {
		w := c.seenWukongs[name]
		for _, used := range w.Spec.Networks {
			if used.NetworkName == n.Name && c.isPlugged(w, used.Name) {
				c.breaks("policy %s of WukongNetwork %s goes while %s uses it", policy.GetName(), n.Name, name)
			}
		}
	}
}

// mayBeTakenOff checks the same of a policy that becomes one that takes the bridge off the nodes.
func (c *cluster) mayBeTakenOff(p asker, before, after *unstructured.Unstructured) {
	if owner, ok := p.parent.(*unstructured.Unstructured); ok && takesOff(after) {
		c.policyMayGo(owner, before)
		c.nobodyPlugsIn(owner, before)
	} else if ok && !reflect.DeepEqual(before.Object["spec"], after.Object["spec"]) {
		c.selectsOnly(p, after)
	}
}

// nobodyPlugsIn checks that the bridge of a policy that begins to take it off the nodes, because its WukongNetwork is deleted, is in
// nobody's attachment. It may be where the policy of another builds it too, or where the bridge of the WukongNetwork is half gone.
func (c *cluster) nobodyPlugsIn(owner, policy *unstructured.Unstructured) {
	bridge := policy.GetLabels()["vm.novasphere.dev/bridge"]
	if owner.GetDeletionTimestamp() == nil || takesOff(policy) {
		return
	}
	for _, other := range c.seen[policyKind] {
		l, leaves := other.GetLabels(), other.GetAnnotations()["vm.novasphere.dev/removing-since"] != ""
		if mine := l[ofNetwork] == owner.GetName(); mine && takesOff(other) ||
			!mine && l["vm.novasphere.dev/bridge"] == bridge && !leaves && !takesOff(other) {
			return
		}
	}
	for _, key := range slices.Sorted(maps.Keys(c.seen[attachmentKind])) {
		if bridgeOf(c.seen[attachmentKind][key]) == bridge {
			c.breaks("bridge %s goes with WukongNetwork %s while attachment %s plugs into it", bridge, owner.GetName(), key)
		}
	}
}

// isPlugged reports whether a Wukong has an attachment to one of its networks, or a machine.
func (c *cluster) isPlugged(w *v1alpha1.Wukong, name string) bool {
	attachment := c.seen[attachmentKind]["default/"+w.Name+"-"+name+"-nad"]
	key := "default/" + w.Name
	return attachment != nil && c.owned(w, attachment) || c.seen[machineKind][key] != nil || c.seen[instanceKind][key] != nil
}

// takesOff reports whether a policy takes its bridge off the nodes.
func takesOff(policy *unstructured.Unstructured) bool {
	list, _ := value(policy.Object, "spec", "desiredState", "interfaces").([]any)
	return slices.ContainsFunc(list, func(item any) bool {
		i := item.(map[string]any)
		return i["name"] == policy.GetLabels()["vm.novasphere.dev/bridge"] && i["state"] == "absent"
	})
}

// wants reports whether a WukongNetwork still wants a policy in its form.
func wants(n *v1alpha1.WukongNetwork, policy *unstructured.Unstructured) bool {
	nic := policy.GetLabels()["vm.novasphere.dev/physical-interface"]
	if len(n.Spec.Uplinks) == 0 {
		return policy.GetName() == n.Name+".bridge" && (n.Spec.PhysicalInterface == "" || n.Spec.PhysicalInterface == nic)
	}
	return slices.ContainsFunc(n.Spec.Uplinks, func(u v1alpha1.Uplink) bool {
		return policy.GetName() == n.Name+"."+u.Name+".bridge" && u.PhysicalInterface == nic
	})
}

// policiesOf are the names of the policies of a WukongNetwork.
func policiesOf(n *v1alpha1.WukongNetwork) []string {
	if len(n.Spec.Uplinks) == 0 {
		return []string{n.Name + ".bridge"}
	}
	var all []string
	for _, u := range n.Spec.Uplinks {
		all = append(all, n.Name+"."+u.Name+".bridge")
	}
	return all
}

// mayBeReady checks that a WukongNetwork is called ready only when all its policies exist, and becomes ready only when all of them
// are available.
func (c *cluster) mayBeReady(p asker, status *v1alpha1.WukongNetworkStatus) {
	n := networkOf(p.parent.(*unstructured.Unstructured))
	if !meta.IsStatusConditionTrue(status.Conditions, "Ready") {
		return
	}
	was := meta.FindStatusCondition(n.Status.Conditions, "Ready")
	for _, name := range policiesOf(n) {
		policy := c.seen[policyKind][name]
		switch again := was != nil && was.Status == metav1.ConditionTrue && was.ObservedGeneration == n.Generation; {
		case policy == nil || !c.owned(p, policy):
			c.breaks("WukongNetwork %s is ready without its policy %s", n.Name, name)
		case !again && !available(c.seen[enactmentKind], policy):
			c.breaks("WukongNetwork %s becomes ready before its policy %s is available", n.Name, name)
		}
	}
}

// waits reports whether a Wukong waits for a WukongNetwork that is not ready.
func (c *cluster) waits(w *v1alpha1.Wukong) bool {
	return slices.ContainsFunc(w.Spec.Networks, func(n v1alpha1.Network) bool {
		shared := c.objects[networkKind][n.NetworkName]
		return shared != nil && condition(shared, "Ready") != "True" &&
			conditionIn(w, "Ready").Reason == string(v1alpha1.ReasonWaitingForWukongNetwork)
	})
}

// networksSettled checks what must be true of WukongNetworks at rest: each is ready, or stalled, or says what it waits for; and what is
// being deleted goes, unless somebody uses it.
func (c *cluster) networksSettled() {
	for _, name := range slices.Sorted(maps.Keys(c.objects[networkKind])) {
		n := networkOf(c.objects[networkKind][name])
		ready := meta.FindStatusCondition(n.Status.Conditions, "Ready")
		if ready == nil {
			c.breaks("WukongNetwork %s has no status at rest", name)
			continue
		}
		switch stalled := meta.IsStatusConditionTrue(n.Status.Conditions, "Stalled"); {
		case n.DeletionTimestamp != nil && !c.namesUser(n, ready.Message):
			c.breaks("WukongNetwork %s is being deleted for ever: %s", name, ready.Message)
		case n.DeletionTimestamp != nil, stalled:
		case ready.Status == metav1.ConditionTrue:
			c.networkBuilt(n)
		case ready.Reason != string(v1alpha1.ReasonPreflightWaiting):
			c.breaks("WukongNetwork %s is neither ready nor stalled at rest: %s: %s", name, ready.Reason, ready.Message)
		}
	}
}

// namesUser reports whether a message names somebody who uses a WukongNetwork.
func (c *cluster) namesUser(n *v1alpha1.WukongNetwork, message string) bool {
	for name, w := range c.wukongs {
		for _, used := range w.Spec.Networks {
			if used.NetworkName == n.Name && strings.Contains(message, "Wukong "+name) {
				return true
			}
		}
	}
	for key := range c.objects[attachmentKind] {
		if n.Spec.ReclaimPolicy == v1alpha1.Delete && strings.Contains(message, "attachment "+key) {
			return true
		}
	}
	return false
}

// networkBuilt checks that the bridges of a ready WukongNetwork are on the nodes. Without the preflight check the hook cannot know.
func (c *cluster) networkBuilt(n *v1alpha1.WukongNetwork) {
	for _, name := range policiesOf(n) {
		policy := c.objects[policyKind][name]
		if policy == nil {
			c.breaks("WukongNetwork %s is ready, and its policy %s is gone", n.Name, name)
			continue
		}
		l := policy.GetLabels()
		bridge, uplink := l["vm.novasphere.dev/bridge"], l["vm.novasphere.dev/uplink"]
		for _, node := range reached(policy, c.objects[nodeKind]) {
			on := nmstate.Interface(network(c.objects[stateKind][node]), bridge)
			if c.settings.Preflight && !c.late[node] && !nmstate.HasPort(on, uplink) {
				c.breaks("WukongNetwork %s is ready, and on node %s bridge %s is missing or without %s", n.Name, node, bridge, uplink)
			}
		}
	}
}

package sync_test

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"novasphere.dev/wukong/sync"
	"novasphere.dev/wukong/types/v1alpha1"
)

// sync is one round of Metacontroller for one Wukong, by what its caches have seen.
func (c *cluster) sync(name string) {
	c.lands(name)
	c.writes, c.again = 0, false
	w := c.seenWukongs[name]
	if live := c.wukongs[name]; w == nil || live == nil || live.UID != w.UID {
		return
	}
	w = w.DeepCopy()
	finalizing := w.DeletionTimestamp != nil
	controller := sync.Controller{Spec: sync.ControllerSpec{ChildResources: []sync.ChildResource{
		{APIVersion: "k8s.cni.cncf.io/v1", Resource: "network-attachment-definitions"},
		{APIVersion: "kubevirt.io/v1", Resource: "virtualmachines"},
	}}}
	children := sync.Objects{nadKind: {}, vmKind: {}}
	if c.nmstate {
		controller.Spec.ChildResources = append(controller.Spec.ChildResources, sync.ChildResource{APIVersion: "nmstate.io/v1", Resource: "nodenetworkconfigurationpolicies"})
		children[policyKind] = map[string]*unstructured.Unstructured{}
	}
	for kind := range children {
		for key, o := range c.seen[kind] {
			if c.owned(w, o) {
				children[kind][key] = o.DeepCopy()
			}
		}
	}
	customized, err := sync.Customize(&sync.CustomizeRequest{Controller: controller, Parent: w.DeepCopy()}, c.settings)
	if err != nil {
		c.breaks("customize %s: %v", name, err)
		return
	}
	req := &sync.Request{Controller: controller, Parent: w.DeepCopy(), Children: children, Related: c.related(customized), Finalizing: finalizing}
	call := sync.Sync
	if finalizing {
		call = sync.Finalize
	}
	resp, err := call(req, c.settings, c.now)
	if err != nil {
		c.breaks("sync %s: %v", name, err)
		return
	}
	c.tell("sync %s: %s", name, said(resp))
	c.again = resp.ResyncAfterSeconds > 0
	if c.unsteady && c.IntN(4) == 0 {
		// The answer is on its way, while those about other Wukongs are not waited for.
		asked := maps.Clone(c.seen)
		c.flights[name] = func() {
			c.tell("the answer about %s arrives", name)
			seen := c.seen
			c.seen = asked
			c.takes(w, children, resp, finalizing)
			c.seen = seen
		}
		return
	}
	c.takes(w, children, resp, finalizing)
}

// lands lets the answer about a Wukong arrive that is on its way. Metacontroller asks about each for one answer at a time.
func (c *cluster) lands(name string) {
	if arrive := c.flights[name]; arrive != nil {
		delete(c.flights, name)
		arrive()
	}
}

// takes is what Metacontroller does with an answer.
func (c *cluster) takes(w *v1alpha1.Wukong, children sync.Objects, resp *sync.Response, finalizing bool) {
	name := w.Name
	if live := c.wukongs[name]; live == nil || live.UID != w.UID {
		return
	}
	if resp.Finalized {
		for _, kind := range []string{policyKind, nadKind, vmKind} {
			for key, o := range c.seen[kind] {
				if c.owned(w, o) && children[kind] != nil {
					c.breaks("%s %s is finalized while %s exists", name, kind, key)
				}
			}
		}
		delete(c.wukongs, name)
		c.writes++
		return
	}
	if c.breath = -1; c.unsteady && c.IntN(5) == 0 {
		c.breath = c.IntN(4)
	}
	c.apply(w, resp.Children, finalizing)
	if c.breath == 0 {
		c.tell("  and Metacontroller ends")
		return
	}
	status := resp.Status
	status.ObservedGeneration = w.Generation
	if live := c.wukongs[name]; !reflect.DeepEqual(toMap(&status), toMap(&live.Status)) {
		live.Status = status
		c.writes++
	}
}

// breathes says that Metacontroller still lives, and lets it live for one write less.
func (c *cluster) breathes() bool {
	if c.breath > 0 {
		c.breath--
	}
	return c.breath != 0
}

// collects is the garbage collector: what belongs to a Wukong that is gone goes.
func (c *cluster) collects() (gone int) {
	living := map[types.UID]bool{}
	for _, w := range c.wukongs {
		living[w.UID] = true
	}
	for _, kind := range []string{policyKind, nadKind, vmKind} {
		for _, key := range slices.Sorted(maps.Keys(c.objects[kind])) {
			o := c.objects[kind][key]
			if ref := metav1.GetControllerOf(o); ref == nil || living[ref.UID] || o.GetDeletionTimestamp() != nil {
				continue
			}
			gone++
			c.tell("the garbage collector deletes %s", key)
			c.vanishes(kind, key)
		}
	}
	return gone
}

// vanishes is what a DELETE does: a machine stays until KubeVirt has stopped it, and enactments go with their policy.
func (c *cluster) vanishes(kind, key string) {
	switch kind {
	case vmKind:
		t := metav1.NewTime(c.now)
		c.objects[kind][key].SetDeletionTimestamp(&t)
		return
	case policyKind:
		for e := range c.objects[enactmentKind] {
			if strings.HasSuffix(e, "."+key) {
				delete(c.objects[enactmentKind], e)
			}
		}
	}
	delete(c.objects[kind], key)
}

func said(resp *sync.Response) string {
	var names []string
	for _, child := range resp.Children {
		names = append(names, child.GetName())
	}
	message := ""
	if len(resp.Status.Conditions) > 0 {
		message = resp.Status.Conditions[0].Reason + ": " + resp.Status.Conditions[0].Message
	}
	return fmt.Sprintf("%v %s", names, message)
}

func (c *cluster) owned(w *v1alpha1.Wukong, o *unstructured.Unstructured) bool {
	ref := metav1.GetControllerOf(o)
	return ref != nil && ref.UID == w.UID
}

func (c *cluster) related(customized *sync.CustomizeResponse) sync.Objects {
	related := sync.Objects{}
	for _, rule := range customized.RelatedResources {
		kind := kindOf[rule.Resource]
		if related[kind] == nil {
			related[kind] = map[string]*unstructured.Unstructured{}
		}
		selector, err := metav1.LabelSelectorAsSelector(rule.LabelSelector)
		if rule.LabelSelector == nil {
			selector = labels.Everything()
		}
		if err != nil || rule.LabelSelector != nil && len(rule.Names) > 0 {
			c.breaks("a related rule that stops every sync: %+v", rule)
		}
		objects := c.seen[kind]
		if kind == wukongKind {
			objects = map[string]*unstructured.Unstructured{}
			for name, w := range c.seenWukongs {
				objects[name] = &unstructured.Unstructured{Object: toMap(w)}
			}
		}
		for key, o := range objects {
			if (rule.Namespace == "" || rule.Namespace == o.GetNamespace()) && (len(rule.Names) == 0 || slices.Contains(rule.Names, o.GetName())) && selector.Matches(labels.Set(o.GetLabels())) {
				related[kind][key] = o.DeepCopy()
			}
		}
	}
	return related
}

// apply is what Metacontroller does with an answer, and where it shows whether the answer was a good one.
func (c *cluster) apply(w *v1alpha1.Wukong, children []*unstructured.Unstructured, finalizing bool) {
	wanted := map[string]map[string]*unstructured.Unstructured{policyKind: {}, nadKind: {}, vmKind: {}}
	for _, child := range children {
		kind := child.GetKind() + "." + child.GetAPIVersion()
		wanted[kind][name(child)] = child
	}
	for _, kind := range []string{policyKind, nadKind, vmKind} {
		for _, key := range slices.Sorted(maps.Keys(c.seen[kind])) {
			if o := c.seen[kind][key]; c.owned(w, o) && wanted[kind][key] == nil && o.GetDeletionTimestamp() == nil && c.breathes() {
				if kind != policyKind || c.nmstate {
					c.deletes(w, kind, key, finalizing)
				}
			}
		}
	}
	for _, kind := range []string{nadKind, vmKind, policyKind} {
		for _, key := range slices.Sorted(maps.Keys(wanted[kind])) {
			if c.breathes() {
				c.write(w, kind, key, wanted[kind][key])
			}
		}
	}
}

func name(o *unstructured.Unstructured) string {
	if o.GetNamespace() == "" {
		return o.GetName()
	}
	return o.GetNamespace() + "/" + o.GetName()
}

func (c *cluster) deletes(w *v1alpha1.Wukong, kind, key string, finalizing bool) {
	switch kind {
	case vmKind:
		if !finalizing {
			c.breaks("machine %s is deleted", key)
		}
	case nadKind:
		for _, kind := range []string{vmKind, instanceKind} {
			for _, machine := range c.seen[kind] {
				if machine.GetName() == w.Name && strings.Contains(compactJSON(machine.Object["spec"]), `"networkName":"`+key+`"`) {
					c.breaks("attachment %s is deleted while %s %s uses it", key, machine.GetKind(), machine.GetName())
				}
			}
		}
	case policyKind:
		network := strings.TrimSuffix(key, "-bridge")
		if nad := c.seen[nadKind]["default/"+network+"-nad"]; nad != nil && c.owned(w, nad) {
			c.breaks("policy %s is deleted while its attachment exists", key)
		}
	}
	// Metacontroller deletes what it has seen, and nothing else of that name.
	if live := c.objects[kind][key]; live != nil && live.GetUID() == c.seen[kind][key].GetUID() {
		c.writes++
		c.tell("  deletes %s", key)
		c.vanishes(kind, key)
	}
}

func (c *cluster) write(w *v1alpha1.Wukong, kind, key string, desired *unstructured.Unstructured) {
	desired = desired.DeepCopy()
	l := desired.GetLabels()
	if l == nil {
		l = map[string]string{}
	}
	l["controller-uid"] = string(w.UID)
	desired.SetLabels(l)
	seen, live := c.seen[kind][key], c.objects[kind][key]
	switch {
	case seen != nil && !c.owned(w, seen):
		c.breaks("%s is somebody else's, and is answered", key)
		return
	case seen != nil && seen.GetDeletionTimestamp() != nil:
		return
	case live == nil && (seen == nil || c.ssa):
		c.creates(w, kind, key, desired)
		return
	case live == nil, !c.owned(w, live), live.GetDeletionTimestamp() != nil:
		return // it exists already, or not any more, or there is another controller: Metacontroller passes over that
	case !c.ssa && (seen == nil || !reflect.DeepEqual(seen.Object, live.Object)):
		return // a conflict: it has changed since
	}
	apply := dynamicApply
	if c.ssa {
		apply = serverSideApply
	}
	if kind == policyKind && seen != nil && inProgress(seen) && !reflect.DeepEqual(apply(seen.Object, desired.Object)["spec"], seen.Object["spec"]) {
		c.breaks("policy %s is edited while it is in progress", key)
	}
	updated := &unstructured.Unstructured{Object: apply(live.Object, desired.Object)}
	if reflect.DeepEqual(updated.Object, live.Object) {
		return
	}
	if kind == policyKind && !reflect.DeepEqual(updated.Object["spec"], live.Object["spec"]) {
		if inProgress(live) {
			return // NMState's admission refuses it
		}
		c.looksFirst(live, updated)
	}
	// A write is one even where KubeVirt's webhook makes of it what was there before.
	c.writes++
	if kind == vmKind {
		kubevirtDefaults(updated)
	}
	if !reflect.DeepEqual(updated.Object["spec"], live.Object["spec"]) {
		updated.SetGeneration(live.GetGeneration() + 1)
		c.tell("  changes %s", key)
	}
	if kind == policyKind {
		a := updated.GetAnnotations()
		if a == nil {
			a = map[string]string{}
		}
		a["nmstate.io/webhook-mutating-timestamp"] = fmt.Sprint(c.now.UnixNano())
		updated.SetAnnotations(a)
	}
	c.objects[kind][key] = updated
	c.looked(kind, key)
}

// looked notes whether a policy was written by an old report of the nodes.
func (c *cluster) looked(kind, key string) {
	if kind == policyKind {
		c.blind[key] = !reflect.DeepEqual(c.seen[stateKind], c.objects[stateKind])
	}
}

// looksFirst holds that no bridge is taken off a node on which somebody's port was seen in it.
func (c *cluster) looksFirst(before, after *unstructured.Unstructured) {
	if !c.settings.Preflight {
		return
	}
	interfaces, _ := value(after.Object, "spec", "desiredState", "interfaces").([]any)
	for _, item := range interfaces {
		i := item.(map[string]any)
		if i["state"] != "absent" || i["type"] == "vlan" {
			continue
		}
		for _, node := range reached(before, c.seen[nodeKind]) {
			if c.late[node] {
				continue
			}
			bridge := find(c.seen[stateKind][node], i["name"])
			if !hasPort(bridge, before.GetLabels()["vm.novasphere.dev/uplink"]) {
				continue // it is another bridge of that name
			}
			for _, port := range ports(bridge) {
				if name := port.(map[string]any)["name"]; port.(map[string]any)["tap"] != nil {
					c.breaks("bridge %v is taken off node %s from under %v", i["name"], node, name)
				}
			}
		}
	}
}

func (c *cluster) creates(w *v1alpha1.Wukong, kind, key string, desired *unstructured.Unstructured) {
	c.writes++
	c.tell("  creates %s", key)
	if c.seen[kind][key] == nil { // else it was held, and is gone in the meantime
		c.gate(w, kind, desired)
	}
	created := &unstructured.Unstructured{Object: runtime.DeepCopyJSON(desired.Object)}
	if c.ssa {
		created.Object = serverSideApply(map[string]any{"metadata": map[string]any{}}, desired.Object)
		created.Object["apiVersion"], created.Object["kind"] = desired.GetAPIVersion(), desired.GetKind()
	} else {
		note(created.Object, desired.Object)
	}
	created.SetUID(c.uid())
	created.SetGeneration(1)
	created.SetCreationTimestamp(metav1.NewTime(c.now))
	created.SetOwnerReferences(ownedBy(w))
	if kind == vmKind {
		kubevirtDefaults(created)
	}
	// Back and forth through JSON, as every object is.
	c.objects[kind][key] = &unstructured.Unstructured{Object: toMap(created.Object)}
	c.looked(kind, key)
}

func ownedBy(w *v1alpha1.Wukong) []metav1.OwnerReference {
	yes := true
	return []metav1.OwnerReference{{APIVersion: v1alpha1.APIVersion, Kind: v1alpha1.Kind, Name: w.Name, UID: w.UID, Controller: &yes, BlockOwnerDeletion: &yes}}
}

// gate holds the order: an attachment after its policy, a machine after its attachments.
func (c *cluster) gate(w *v1alpha1.Wukong, kind string, desired *unstructured.Unstructured) {
	switch kind {
	case nadKind:
		if p := c.seen[policyKind][strings.TrimSuffix(desired.GetName(), "-nad")+"-bridge"]; p != nil && c.owned(w, p) && !available(c.seen[enactmentKind], p) {
			c.breaks("attachment %s is created before its policy is available", desired.GetName())
		}
	case vmKind:
		networks, _, _ := unstructured.NestedSlice(desired.Object, "spec", "template", "spec", "networks")
		for _, n := range networks {
			nad, _ := value(n.(map[string]any), "multus", "networkName").(string)
			if nad != "" && c.seen[nadKind][nad] == nil {
				c.breaks("machine %s is created before its attachment %s", desired.GetName(), nad)
			}
			if p := c.seen[policyKind][fmt.Sprintf("%s-%s-bridge", w.Name, n.(map[string]any)["name"])]; p != nil && c.owned(w, p) && !available(c.seen[enactmentKind], p) {
				c.breaks("machine %s is created before policy %s is available", desired.GetName(), p.GetName())
			}
		}
	}
}

func available(enactments map[string]*unstructured.Unstructured, p *unstructured.Unstructured) bool {
	for key, e := range enactments {
		if strings.HasSuffix(key, "."+p.GetName()) && value(e.Object, "status", "policyGeneration") == p.GetGeneration() && condition(e, "Available") == "True" {
			return condition(p, "Available") == "True"
		}
	}
	return false
}

func condition(o *unstructured.Unstructured, kind string) any {
	conditions, _ := value(o.Object, "status", "conditions").([]any)
	for _, c := range conditions {
		if c.(map[string]any)["type"] == kind {
			return c.(map[string]any)["status"]
		}
	}
	return nil
}

// inProgress is when NMState's admission refuses a change of a policy's spec.
func inProgress(p *unstructured.Unstructured) bool {
	conditions, _ := value(p.Object, "status", "conditions").([]any)
	for _, c := range conditions {
		if c := c.(map[string]any); c["type"] == "Available" {
			return c["reason"] == "" || c["reason"] == "ConfigurationProgressing"
		}
	}
	return true
}

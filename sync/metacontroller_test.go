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

	"novasphere.dev/wukong/sync"
	"novasphere.dev/wukong/types/v1alpha1"
)

// sync is one round of Metacontroller for one Wukong.
func (c *cluster) sync(name string) {
	c.writes = 0
	w := c.wukongs[name]
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
		for key, o := range c.objects[kind] {
			if c.owned(w, o) {
				children[kind][key] = o.DeepCopy()
			}
		}
	}
	customized, err := sync.Customize(&sync.CustomizeRequest{Controller: controller, Parent: w.DeepCopy()}, goldenSettings)
	if err != nil {
		c.breaks("customize %s: %v", name, err)
		return
	}
	req := &sync.Request{Controller: controller, Parent: w.DeepCopy(), Children: children, Related: c.related(customized), Finalizing: finalizing}
	call := sync.Sync
	if finalizing {
		call = sync.Finalize
	}
	resp, err := call(req, goldenSettings, c.now)
	if err != nil {
		c.breaks("sync %s: %v", name, err)
		return
	}
	c.tell("sync %s: %s", name, said(resp))
	if resp.Finalized {
		for _, kind := range []string{policyKind, nadKind, vmKind} {
			for key, o := range c.objects[kind] {
				if c.owned(w, o) {
					c.breaks("%s %s is finalized while %s exists", name, kind, key)
				}
			}
		}
		delete(c.wukongs, name)
		c.writes++
		return
	}
	c.apply(w, resp.Children, finalizing)
	status := resp.Status
	status.ObservedGeneration = w.Generation
	if !reflect.DeepEqual(toMap(&status), toMap(&w.Status)) {
		w.Status = status
		c.writes++
	}
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
		for key, o := range c.objects[kind] {
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
		for _, key := range slices.Sorted(maps.Keys(c.objects[kind])) {
			if o := c.objects[kind][key]; c.owned(w, o) && wanted[kind][key] == nil && o.GetDeletionTimestamp() == nil {
				c.deletes(w, kind, key, finalizing)
			}
		}
	}
	for _, kind := range []string{nadKind, vmKind, policyKind} {
		for _, key := range slices.Sorted(maps.Keys(wanted[kind])) {
			c.write(w, kind, key, wanted[kind][key])
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
	c.writes++
	c.tell("  deletes %s", key)
	o := c.objects[kind][key]
	switch kind {
	case vmKind:
		if !finalizing {
			c.breaks("machine %s is deleted", key)
		}
		t := metav1.NewTime(c.now)
		o.SetDeletionTimestamp(&t) // until KubeVirt has stopped it
		return
	case nadKind:
		for _, kind := range []string{vmKind, instanceKind} {
			for _, machine := range c.objects[kind] {
				if c.objects[vmKind][name(machine)] != nil && c.owned(w, c.objects[vmKind][name(machine)]) && strings.Contains(compactJSON(machine.Object["spec"]), `"networkName":"`+key+`"`) {
					c.breaks("attachment %s is deleted while %s %s uses it", key, machine.GetKind(), machine.GetName())
				}
			}
		}
	case policyKind:
		network := strings.TrimSuffix(key, "-bridge")
		if nad := c.objects[nadKind]["default/"+network+"-nad"]; nad != nil && c.owned(w, nad) {
			c.breaks("policy %s is deleted while its attachment exists", key)
		}
		for e := range c.objects[enactmentKind] {
			if strings.HasSuffix(e, "."+key) {
				delete(c.objects[enactmentKind], e)
			}
		}
	}
	delete(c.objects[kind], key)
}

func (c *cluster) write(w *v1alpha1.Wukong, kind, key string, desired *unstructured.Unstructured) {
	desired = desired.DeepCopy()
	l := desired.GetLabels()
	if l == nil {
		l = map[string]string{}
	}
	l["controller-uid"] = string(w.UID)
	desired.SetLabels(l)
	existing := c.objects[kind][key]
	switch {
	case existing == nil:
		c.creates(w, kind, key, desired)
		return
	case !c.owned(w, existing):
		c.breaks("%s is somebody else's, and is answered", key)
		return
	case existing.GetDeletionTimestamp() != nil:
		return
	}
	apply := dynamicApply
	if c.ssa {
		apply = serverSideApply
	}
	updated := &unstructured.Unstructured{Object: apply(existing.Object, desired.Object)}
	if reflect.DeepEqual(updated.Object, existing.Object) {
		return
	}
	// A write is one even where KubeVirt's webhook makes of it what was there before.
	c.writes++
	if kind == vmKind {
		kubevirtDefaults(updated)
	}
	if !reflect.DeepEqual(updated.Object["spec"], existing.Object["spec"]) {
		updated.SetGeneration(existing.GetGeneration() + 1)
		c.tell("  changes %s", key)
		if kind == policyKind && inProgress(existing) {
			c.breaks("policy %s is edited while it is in progress", key)
		}
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
}

func (c *cluster) creates(w *v1alpha1.Wukong, kind, key string, desired *unstructured.Unstructured) {
	c.writes++
	c.tell("  creates %s", key)
	c.gate(w, kind, desired)
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
	yes := true
	created.SetOwnerReferences([]metav1.OwnerReference{{APIVersion: v1alpha1.APIVersion, Kind: v1alpha1.Kind, Name: w.Name, UID: w.UID, Controller: &yes, BlockOwnerDeletion: &yes}})
	if kind == vmKind {
		kubevirtDefaults(created)
	}
	// Back and forth through JSON, as every object is.
	c.objects[kind][key] = &unstructured.Unstructured{Object: toMap(created.Object)}
}

// gate holds the order: an attachment after its policy, a machine after its attachments.
func (c *cluster) gate(w *v1alpha1.Wukong, kind string, desired *unstructured.Unstructured) {
	switch kind {
	case nadKind:
		if p := c.objects[policyKind][strings.TrimSuffix(desired.GetName(), "-nad")+"-bridge"]; p != nil && c.owned(w, p) && !available(c, p) {
			c.breaks("attachment %s is created before its policy is available", desired.GetName())
		}
	case vmKind:
		networks, _, _ := unstructured.NestedSlice(desired.Object, "spec", "template", "spec", "networks")
		for _, n := range networks {
			nad, _ := value(n.(map[string]any), "multus", "networkName").(string)
			if nad != "" && c.objects[nadKind][nad] == nil {
				c.breaks("machine %s is created before its attachment %s", desired.GetName(), nad)
			}
			if p := c.objects[policyKind][fmt.Sprintf("%s-%s-bridge", w.Name, n.(map[string]any)["name"])]; p != nil && c.owned(w, p) && !available(c, p) {
				c.breaks("machine %s is created before policy %s is available", desired.GetName(), p.GetName())
			}
		}
	}
}

func available(c *cluster, p *unstructured.Unstructured) bool {
	for key, e := range c.objects[enactmentKind] {
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

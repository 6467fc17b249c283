package model

import (
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/sync/model/apply"
	"novasphere.dev/wukong/sync/model/nmstate"
)

// handDeletes deletes a child of a Wukong by hand.
func (c *cluster) handDeletes() {
	kind := []string{policyKind, attachmentKind, machineKind}[c.IntN(3)]
	key, ok := pick(c, c.objects[kind])
	if !ok {
		return
	}
	c.tell("by hand: delete %s", key)
	if kind == machineKind {
		t := metav1.NewTime(c.now)
		c.objects[kind][key].SetDeletionTimestamp(&t)
		return
	}
	delete(c.objects[kind], key)
}

// handsBack repairs what was taken by hand: a machine without its label gets it back, or is deleted if its Wukong is
// gone. A copy of a machine is freed and deleted. A WukongNode that was forged is deleted.
func (c *cluster) handsBack() {
	for node, told := range c.objects[toldKind] {
		if !c.trusted(c.objects[nodeKind][node], told) {
			c.tell("by hand: WukongNode %s, which was forged, is deleted", node)
			delete(c.objects[toldKind], node)
		}
	}
	for key, machine := range c.objects[machineKind] {
		if isCopy(machine) {
			c.tell("by hand: %s is freed", key)
			machine.SetOwnerReferences(nil)
			unstructured.RemoveNestedField(machine.Object, "metadata", "labels", "controller-uid")
		}
		if len(machine.GetOwnerReferences()) > 0 {
			continue
		}
		w := c.wukongs[machine.GetName()]
		if w == nil {
			c.tell("by hand: %s, which nobody has, is deleted", key)
			t := metav1.NewTime(c.now)
			machine.SetDeletionTimestamp(&t)
			continue
		}
		c.tell("by hand: %s has its label again, and Metacontroller takes it back", key)
		machine.SetLabels(labelled(w, machine).GetLabels())
		machine.SetOwnerReferences(ownedBy(w))
	}
}

// handCopies copies a machine by hand, with its labels. Metacontroller takes the copy for a child of the Wukong.
func (c *cluster) handCopies() {
	key, ok := pick(c, c.objects[machineKind])
	if !ok || c.objects[machineKind][key].GetDeletionTimestamp() != nil {
		return
	}
	copied := c.objects[machineKind][key].DeepCopy()
	copied.SetName(copied.GetName() + "-copy")
	copied.SetUID(c.uid())
	copied.SetCreationTimestamp(metav1.NewTime(c.now))
	if at := keyOf(copied); c.objects[machineKind][at] == nil {
		c.tell("by hand: %s is copied", key)
		c.objects[machineKind][at] = copied
	}
}

// isCopy reports whether a machine was copied by hand.
func isCopy(machine *unstructured.Unstructured) bool {
	return machine.GetKind() == "VirtualMachine" && strings.HasSuffix(machine.GetName(), "-copy")
}

// handEdits edits a child of a Wukong by hand, if there is a policy.
func (c *cluster) handEdits() {
	key, ok := pick(c, c.objects[policyKind])
	if !ok {
		return
	}
	p := c.objects[policyKind][key]
	switch c.IntN(7) {
	case 0:
		if c.noted(p) {
			c.tell("by hand: %s loses its annotation", key)
			unstructured.RemoveNestedField(p.Object, "metadata", "annotations", apply.LastApplied)
		}
	case 1:
		if c.noted(p) {
			c.tell("by hand: the annotation of %s speaks of another object", key)
			annotate(p, apply.LastApplied, `{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"kube-system"}}`)
		}
	case 2:
		if !inProgress(p) {
			c.tell("by hand: %s gets a description", key)
			annotate(p, "example.com/note", "mine")
		}
	case 3:
		c.tell("by hand: the attachments of everybody point elsewhere")
		for _, attachment := range c.objects[attachmentKind] {
			attachment.Object["spec"] = map[string]any{"config": `{"type":"bridge","bridge":"br-hand"}`}
			attachment.SetManagedFields(nil) // whoever writes a field owns it
		}
	case 4:
		if !inProgress(p) && c.nmstate {
			c.handConfigures(p)
		}
	case 5:
		c.handLetsGo()
	case 6:
		c.handLabels(p)
	}
}

// handLabels edits what the labels of a policy, or of an attachment, say of its form. The labels by which others look for policies stay:
// without these nobody sees a policy until its owner has put them right.
func (c *cluster) handLabels(p *unstructured.Unstructured) {
	labels := []string{"type", "physical-interface", "reclaim-policy"}
	if key, ok := pick(c, c.objects[attachmentKind]); ok && c.IntN(2) == 0 {
		p, labels = c.objects[attachmentKind][key], []string{"type", "physical-interface", "bridge", "uplink"}
	}
	label := "vm.novasphere.dev/" + labels[c.IntN(len(labels))]
	l := p.GetLabels()
	if l == nil {
		return
	}
	c.tell("by hand: the label %s of %s is another", label, p.GetName())
	if l[label] = []string{"", "ovs", "macvlan", "Delete", "ens999"}[c.IntN(5)]; l[label] == "" {
		delete(l, label)
	}
	p.SetLabels(l)
}

// noted reports whether a policy has the annotation of dynamic apply.
func (c *cluster) noted(p *unstructured.Unstructured) bool {
	return p.GetAnnotations()[apply.LastApplied] != ""
}

// handConfigures edits a policy by hand, and NMState starts on the edit at once.
func (c *cluster) handConfigures(p *unstructured.Unstructured) {
	c.tell("by hand: %s is edited, and applied as it is now", p.GetName())
	for _, i := range value(p.Object, "spec", "desiredState", "interfaces").([]any) {
		i.(map[string]any)["mtu"] = int64(1300 + 100*c.IntN(3))
	}
	p.SetGeneration(p.GetGeneration() + 1)
	p.SetManagedFields(nil)
	c.enact(p, []string{"Progressing", "Reset"}[c.IntN(2)])
}

// handLetsGo takes a machine from its Wukong, by removing its label.
func (c *cluster) handLetsGo() {
	key, ok := pick(c, c.objects[machineKind])
	if !ok {
		return
	}
	c.tell("by hand: %s loses its label, and Metacontroller lets it go", key)
	machine := c.objects[machineKind][key]
	l := machine.GetLabels()
	delete(l, "controller-uid")
	machine.SetLabels(l)
	machine.SetOwnerReferences(nil)
}

// handUnbuilds takes the bridge of a policy off a node, of which a WukongNode has told: one that goes before that is not missed. What
// was decided by the node as it was may fail there.
func (c *cluster) handUnbuilds() {
	key, ok := pick(c, c.objects[policyKind])
	if !ok {
		return
	}
	policy := c.objects[policyKind][key]
	l := policy.GetLabels()
	bridge, uplink := l["vm.novasphere.dev/bridge"], l["vm.novasphere.dev/uplink"]
	for _, node := range reached(policy, c.objects[nodeKind]) {
		state := network(c.objects[stateKind][node])
		built := nmstate.HasPort(nmstate.Interface(state, bridge), uplink)
		told := c.objects[toldKind][node]
		if !built || !c.trusted(c.objects[nodeKind][node], told) || !slices.Equal(toldLines(told), stateLines(c.objects[stateKind][node])) {
			continue
		}
		c.tell("by hand: %s is taken off %s", bridge, node)
		nmstate.Unbuild(state, bridge, uplink)
		c.now = c.now.Add(time.Second) // two things that happen in one second cannot be told apart
		c.reports(node, c.now)
		for name := range c.objects[policyKind] {
			c.blind[name+" on "+node] = true
		}
		return
	}
}

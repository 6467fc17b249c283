package model

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/sync/model/apply"
	"novasphere.dev/wukong/types/v1alpha1"
)

// Here is what Metacontroller writes for an answer. It decides by its caches, and writes to the live objects. The API server
// refuses a write to an object that has changed since.

// apply deletes the children in the caches that are not answered, and writes those that are.
func (c *cluster) apply(p asker, children []*unstructured.Unstructured) {
	wanted := objects{policyKind: {}, attachmentKind: {}, machineKind: {}, toldKind: {}}
	for _, child := range children {
		wanted[kindKey(child)][keyOf(child)] = child
	}
	for _, kind := range c.managed(p) {
		for _, key := range slices.Sorted(maps.Keys(c.seen[kind])) {
			if o := c.seen[kind][key]; c.owned(p, o) && wanted[kind][key] == nil && o.GetDeletionTimestamp() == nil && c.breathes() {
				c.deletes(p, kind, key)
			}
		}
	}
	for _, kind := range []string{attachmentKind, machineKind, policyKind, toldKind} {
		for _, key := range slices.Sorted(maps.Keys(wanted[kind])) {
			if c.breathes() {
				c.write(p, key, wanted[kind][key])
			}
		}
	}
}

// deletes deletes the object in the cache, and no other object with its name.
func (c *cluster) deletes(p asker, kind, key string) {
	c.mayGo(p, kind, key)
	if live := c.objects[kind][key]; live != nil && live.GetUID() == c.seen[kind][key].GetUID() {
		c.writes++
		c.tell("  deletes %s", key)
		c.vanishes(kind, key)
	}
}

// write creates or updates one child.
func (c *cluster) write(p asker, key string, desired *unstructured.Unstructured) {
	kind := kindKey(desired)
	desired = labelled(p, desired)
	seen, live := c.seen[kind][key], c.objects[kind][key]
	if seen != nil && !c.owned(p, seen) {
		// For a WukongNode it is a conflict: the hook is not shown what has the name, and Metacontroller leaves that object alone.
		if kind != toldKind {
			c.breaks("%s is somebody else's, and is answered", key)
		}
		return
	}
	switch {
	case seen != nil && seen.GetDeletionTimestamp() != nil:
	case live == nil && (seen == nil || c.ssa):
		c.creates(p, key, desired)
	case live == nil, !c.owned(p, live), live.GetDeletionTimestamp() != nil:
		// The object exists already, or no longer, or has another controller: Metacontroller skips it.
	case !c.ssa && (seen == nil || !reflect.DeepEqual(seen.Object, live.Object)):
		// A conflict: the object has changed since.
	default:
		c.changes(p, key, desired)
	}
}

// changes applies what is desired to an existing object.
func (c *cluster) changes(p asker, key string, desired *unstructured.Unstructured) {
	kind := kindKey(desired)
	seen, live := c.seen[kind][key], c.objects[kind][key]
	if kind == policyKind && seen != nil {
		after := c.applied(seen, desired)
		c.mayBeEdited(seen, after)
		c.mayBeTakenOff(p, seen, after)
	}
	updated := c.applied(live, desired)
	if !reflect.DeepEqual(updated.Object, live.Object) && (kind != policyKind || c.admitted(p, live, updated)) {
		c.updates(p, key, updated)
	}
}

// admitted reports whether NMState's admission accepts a changed policy: not while the policy is in progress.
func (c *cluster) admitted(p asker, live, updated *unstructured.Unstructured) bool {
	switch {
	case reflect.DeepEqual(updated.Object["spec"], live.Object["spec"]):
		return true
	case inProgress(live):
		return false
	}
	c.looksFirst(p, live, updated)
	return true
}

// decorator is the annotation by which a DecoratorController finds what it has made.
const decorator = "metacontroller.k8s.io/decorator-controller"

// labelled is a child with the label by which a CompositeController finds its children, or with the annotation of the
// DecoratorController.
func labelled(p parent, child *unstructured.Unstructured) *unstructured.Unstructured {
	child = child.DeepCopy()
	if kindName(p) == "Node" {
		annotate(child, decorator, "wukong-nodes")
		return child
	}
	l := child.GetLabels()
	if l == nil {
		l = map[string]string{}
	}
	l["controller-uid"] = string(p.GetUID())
	child.SetLabels(l)
	return child
}

// applied is an object after what is desired is applied to it.
func (c *cluster) applied(existing, desired *unstructured.Unstructured) *unstructured.Unstructured {
	if c.ssa {
		return &unstructured.Unstructured{Object: apply.ServerSide(existing.Object, desired.Object)}
	}
	return &unstructured.Unstructured{Object: apply.Dynamic(existing.Object, desired.Object)}
}

// updates stores a changed object, after the webhooks.
func (c *cluster) updates(p asker, key string, updated *unstructured.Unstructured) {
	kind := kindKey(updated)
	live := c.objects[kind][key]
	// It counts as a write even where KubeVirt's webhook undoes the change.
	c.writes++
	if kind == machineKind {
		c.kubevirtAdmits(live, updated)
		kubevirtDefaults(updated)
	}
	if !reflect.DeepEqual(updated.Object["spec"], live.Object["spec"]) {
		updated.SetGeneration(live.GetGeneration() + 1)
		c.tell("  changes %s", key)
	}
	if kind == toldKind {
		c.tell("  tells anew of %s", key)
		c.ticks(p, live, updated)
	}
	if kind == policyKind {
		annotate(updated, "nmstate.io/webhook-mutating-timestamp", fmt.Sprint(c.now.UnixNano()))
	}
	c.objects[kind][key] = updated
	c.looked(p, updated, live)
}

// creates creates a child.
func (c *cluster) creates(p asker, key string, desired *unstructured.Unstructured) {
	kind := kindKey(desired)
	c.writes++
	c.tell("  creates %s", key)
	if c.seen[kind][key] == nil { // else the hook held it, and it is gone in the meantime
		c.mayCome(p, kind, desired)
	}
	created := desired.DeepCopy()
	if c.ssa {
		created.Object = apply.ServerSide(map[string]any{"metadata": map[string]any{}}, desired.Object)
		created.Object["apiVersion"], created.Object["kind"] = desired.GetAPIVersion(), desired.GetKind()
	} else {
		apply.Note(created.Object, desired.Object)
	}
	created.SetUID(c.uid())
	created.SetGeneration(1)
	created.SetCreationTimestamp(metav1.NewTime(c.now))
	created.SetOwnerReferences(ownedBy(p))
	if kind == machineKind {
		kubevirtDefaults(created)
	}
	// Every object goes through JSON and back.
	c.objects[kind][key] = &unstructured.Unstructured{Object: toMap(created.Object)}
	c.looked(p, c.objects[kind][key], nil)
}

// ownedBy are the owner references of a parent's children.
func ownedBy(p parent) []metav1.OwnerReference {
	yes, version := true, v1alpha1.APIVersion
	if kindName(p) == "Node" {
		version = "v1"
	}
	return []metav1.OwnerReference{{
		APIVersion: version, Kind: kindName(p), Name: p.GetName(), UID: p.GetUID(), Controller: &yes, BlockOwnerDeletion: &yes,
	}}
}

// looked notes on which nodes a policy is applied of which the hook had seen an old report.
func (c *cluster) looked(p asker, written, before *unstructured.Unstructured) {
	if kindKey(written) != policyKind {
		return
	}
	key := written.GetName()
	// Server-side apply makes anew what has just been deleted and the cache still has. The hook has held that, and looked for nobody.
	if before == nil && c.seen[policyKind][key] != nil {
		c.blind[key] = true
		return
	}
	if p.early {
		c.blind[key] = !reflect.DeepEqual(c.seen[stateKind], c.objects[stateKind])
		return
	}
	if before != nil && reflect.DeepEqual(before.Object["spec"], written.Object["spec"]) {
		return
	}
	delete(c.blind, key)
	for node := range c.objects[nodeKind] {
		c.blind[key+" on "+node] = c.stale(node)
	}
}

// kindKey is the kind of an object as a key of a request.
func kindKey(o *unstructured.Unstructured) string { return o.GetKind() + "." + o.GetAPIVersion() }

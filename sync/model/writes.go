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
func (c *cluster) apply(w *v1alpha1.Wukong, children []*unstructured.Unstructured) {
	wanted := objects{policyKind: {}, attachmentKind: {}, machineKind: {}}
	for _, child := range children {
		kind := child.GetKind() + "." + child.GetAPIVersion()
		wanted[kind][keyOf(child)] = child
	}
	for _, kind := range c.managed() {
		for _, key := range slices.Sorted(maps.Keys(c.seen[kind])) {
			if o := c.seen[kind][key]; c.owned(w, o) && wanted[kind][key] == nil && o.GetDeletionTimestamp() == nil && c.breathes() {
				c.deletes(w, kind, key)
			}
		}
	}
	for _, kind := range []string{attachmentKind, machineKind, policyKind} {
		for _, key := range slices.Sorted(maps.Keys(wanted[kind])) {
			if c.breathes() {
				c.write(w, kind, key, wanted[kind][key])
			}
		}
	}
}

// deletes deletes the object in the cache, and no other object with its name.
func (c *cluster) deletes(w *v1alpha1.Wukong, kind, key string) {
	c.mayGo(w, kind, key)
	if live := c.objects[kind][key]; live != nil && live.GetUID() == c.seen[kind][key].GetUID() {
		c.writes++
		c.tell("  deletes %s", key)
		c.vanishes(kind, key)
	}
}

// write creates or updates one child.
func (c *cluster) write(w *v1alpha1.Wukong, kind, key string, desired *unstructured.Unstructured) {
	desired = labelled(w, desired)
	seen, live := c.seen[kind][key], c.objects[kind][key]
	switch {
	case seen != nil && !c.owned(w, seen):
		c.breaks("%s is somebody else's, and is answered", key)
	case seen != nil && seen.GetDeletionTimestamp() != nil:
	case live == nil && (seen == nil || c.ssa):
		c.creates(w, kind, key, desired)
	case live == nil, !c.owned(w, live), live.GetDeletionTimestamp() != nil:
		// The object exists already, or no longer, or has another controller: Metacontroller skips it.
	case !c.ssa && (seen == nil || !reflect.DeepEqual(seen.Object, live.Object)):
		// A conflict: the object has changed since.
	default:
		c.changes(kind, key, desired)
	}
}

// changes applies what is desired to an existing object.
func (c *cluster) changes(kind, key string, desired *unstructured.Unstructured) {
	seen, live := c.seen[kind][key], c.objects[kind][key]
	if kind == policyKind && seen != nil {
		c.mayBeEdited(seen, c.applied(seen, desired))
	}
	updated := c.applied(live, desired)
	if !reflect.DeepEqual(updated.Object, live.Object) && (kind != policyKind || c.admitted(live, updated)) {
		c.updates(kind, key, updated)
	}
}

// admitted reports whether NMState's admission accepts a changed policy: not while the policy is in progress.
func (c *cluster) admitted(live, updated *unstructured.Unstructured) bool {
	switch {
	case reflect.DeepEqual(updated.Object["spec"], live.Object["spec"]):
		return true
	case inProgress(live):
		return false
	}
	c.looksFirst(live, updated)
	return true
}

// labelled is a child with the label by which Metacontroller finds its children.
func labelled(w *v1alpha1.Wukong, child *unstructured.Unstructured) *unstructured.Unstructured {
	child = child.DeepCopy()
	l := child.GetLabels()
	if l == nil {
		l = map[string]string{}
	}
	l["controller-uid"] = string(w.UID)
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
func (c *cluster) updates(kind, key string, updated *unstructured.Unstructured) {
	live := c.objects[kind][key]
	// It counts as a write even where KubeVirt's webhook undoes the change.
	c.writes++
	if kind == machineKind {
		kubevirtDefaults(updated)
	}
	if !reflect.DeepEqual(updated.Object["spec"], live.Object["spec"]) {
		updated.SetGeneration(live.GetGeneration() + 1)
		c.tell("  changes %s", key)
	}
	if kind == policyKind {
		annotate(updated, "nmstate.io/webhook-mutating-timestamp", fmt.Sprint(c.now.UnixNano()))
	}
	c.objects[kind][key] = updated
	c.looked(kind, key)
}

// creates creates a child.
func (c *cluster) creates(w *v1alpha1.Wukong, kind, key string, desired *unstructured.Unstructured) {
	c.writes++
	c.tell("  creates %s", key)
	if c.seen[kind][key] == nil { // else the hook held it, and it is gone in the meantime
		c.mayCome(w, kind, desired)
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
	created.SetOwnerReferences(ownedBy(w))
	if kind == machineKind {
		kubevirtDefaults(created)
	}
	// Every object goes through JSON and back.
	c.objects[kind][key] = &unstructured.Unstructured{Object: toMap(created.Object)}
	c.looked(kind, key)
}

// ownedBy are the owner references of a Wukong's children.
func ownedBy(w *v1alpha1.Wukong) []metav1.OwnerReference {
	yes := true
	return []metav1.OwnerReference{{
		APIVersion: v1alpha1.APIVersion, Kind: v1alpha1.Kind, Name: w.Name, UID: w.UID, Controller: &yes, BlockOwnerDeletion: &yes,
	}}
}

// looked notes whether a policy was written with old reports of the nodes.
func (c *cluster) looked(kind, key string) {
	if kind == policyKind {
		c.blind[key] = !reflect.DeepEqual(c.seen[stateKind], c.objects[stateKind])
	}
}

package model

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"novasphere.dev/wukong/types/v1alpha1"
)

// admit does the API server's part in a create (old is nil) or an update. What the API server refuses does not happen.
func (c *cluster) admit(old, w *v1alpha1.Wukong) {
	sent := &unstructured.Unstructured{Object: toMap(w)}
	unstructured.RemoveNestedField(sent.Object, "status")
	var kept *unstructured.Unstructured
	var err error
	if old == nil {
		kept, err = c.schemas.Wukong.Admit(sent)
	} else {
		kept, err = c.schemas.Wukong.AdmitUpdate(&unstructured.Unstructured{Object: toMap(old)}, sent)
	}
	if err != nil {
		return
	}
	admitted := &v1alpha1.Wukong{}
	fromMap(kept.Object, admitted)
	if old == nil {
		admitted.UID, admitted.Generation, admitted.CreationTimestamp = c.uid(), 1, metav1.NewTime(c.now)
		admitted.Status.ObservedGeneration = -1
		c.tell("create %s: %s", w.Name, compactJSON(admitted.Spec.Networks))
	} else {
		admitted.UID, admitted.Generation, admitted.CreationTimestamp = old.UID, old.Generation, old.CreationTimestamp
		admitted.Status = old.Status
		if !reflect.DeepEqual(toMap(&admitted.Spec), toMap(&old.Spec)) {
			admitted.Generation++
		}
		c.tell("change %s: cpu %d %s", w.Name, admitted.Spec.CPU, compactJSON(admitted.Spec.Networks))
	}
	c.wukongs[w.Name] = admitted
}

// admitNetwork is admit for a WukongNetwork.
func (c *cluster) admitNetwork(old *unstructured.Unstructured, n *v1alpha1.WukongNetwork) {
	sent := &unstructured.Unstructured{Object: toMap(n)}
	unstructured.RemoveNestedField(sent.Object, "status")
	if old == nil {
		kept, err := c.schemas.Network.Admit(sent)
		if err != nil {
			return
		}
		kept.SetUID(c.uid())
		kept.SetGeneration(1)
		kept.SetCreationTimestamp(metav1.NewTime(c.now))
		kept.Object["status"] = map[string]any{"observedGeneration": int64(-1)}
		c.objects[networkKind][n.Name] = &unstructured.Unstructured{Object: toMap(kept.Object)}
		c.tell("create WukongNetwork %s: %s", n.Name, compactJSON(n.Spec))
		return
	}
	kept, err := c.schemas.Network.AdmitUpdate(old.DeepCopy(), sent)
	if err != nil || reflect.DeepEqual(kept.Object["spec"], old.Object["spec"]) {
		return
	}
	old.Object["spec"] = toMap(kept.Object)["spec"]
	old.SetGeneration(old.GetGeneration() + 1)
	c.tell("change WukongNetwork %s: %s", n.Name, compactJSON(n.Spec))
}

// vanishes is the effect of a DELETE. A machine stays until KubeVirt has stopped it; enactments go with their policy.
func (c *cluster) vanishes(kind, key string) {
	switch kind {
	case machineKind:
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

// collects does the garbage collector's part: it deletes the children of those that are gone.
func (c *cluster) collects() (gone int) {
	living := map[types.UID]bool{}
	for _, w := range c.wukongs {
		living[w.UID] = true
	}
	for _, kind := range []string{networkKind, nodeKind} {
		for _, o := range c.objects[kind] {
			living[o.GetUID()] = true
		}
	}
	for _, kind := range []string{policyKind, attachmentKind, machineKind, toldKind} {
		for _, key := range slices.Sorted(maps.Keys(c.objects[kind])) {
			o := c.objects[kind][key]
			if owner := metav1.GetControllerOf(o); owner == nil || living[owner.UID] || o.GetDeletionTimestamp() != nil {
				continue
			}
			gone++
			c.tell("the garbage collector deletes %s", key)
			c.vanishes(kind, key)
		}
	}
	return gone
}

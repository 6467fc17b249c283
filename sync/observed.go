package sync

import (
	"maps"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/types/v1alpha1"
)

// The kinds of children and related objects, as Metacontroller keys them.
const (
	policyKind    = "NodeNetworkConfigurationPolicy.nmstate.io/v1"
	enactmentKind = "NodeNetworkConfigurationEnactment.nmstate.io/v1beta1"
	stateKind     = "NodeNetworkState.nmstate.io/v1beta1"
	nadKind       = "NetworkAttachmentDefinition.k8s.cni.cncf.io/v1"
	vmKind        = "VirtualMachine.kubevirt.io/v1"
	instanceKind  = "VirtualMachineInstance.kubevirt.io/v1"
	nodeKind      = "Node.v1"
	wukongKind    = v1alpha1.Kind + "." + v1alpha1.APIVersion
)

// observed is a nil-safe view of what exists; nothing else looks into the maps of a request. Objects come from other
// people's controllers, half-written and of versions not yet known: what cannot be read counts as not there.
type observed struct {
	w        *v1alpha1.Wukong
	nmstate  bool // NMState's policies are registered with this CompositeController
	policies map[string]*unstructured.Unstructured
	nads     map[string]*unstructured.Unstructured // by namespace/name
	vms      map[string]*unstructured.Unstructured // by namespace/name
	related  Objects
}

func observe(w *v1alpha1.Wukong, controller Controller, children, related Objects) *observed {
	return &observed{
		w:        w,
		nmstate:  registered(controller),
		policies: present(children[policyKind]),
		nads:     present(children[nadKind]),
		vms:      present(children[vmKind]),
		related:  related,
	}
}

// registered says that the CompositeController manages NMState's policies. Without it none may be answered: a kind that
// is not declared is created once and then never seen again.
func registered(c Controller) bool {
	return slices.Contains(c.Spec.ChildResources, ChildResource{APIVersion: "nmstate.io/v1", Resource: "nodenetworkconfigurationpolicies"})
}

func present(objects map[string]*unstructured.Unstructured) map[string]*unstructured.Unstructured {
	objects = maps.Clone(objects)
	maps.DeleteFunc(objects, func(_ string, o *unstructured.Unstructured) bool { return o == nil || o.Object == nil })
	return objects
}

// vm is the observed VirtualMachine, or nil.
func (o *observed) vm() *unstructured.Unstructured {
	return o.vms[qualified(o.w.Spec.Namespace, o.w.Name)]
}

// instance is the running VirtualMachineInstance of our VirtualMachine, or nil. One of the same name that stands alone, or
// belongs to somebody else's machine, is not ours to wait for or to speak of.
func (o *observed) instance() *unstructured.Unstructured {
	key := qualified(o.w.Spec.Namespace, o.w.Name)
	instance := o.relatedObject(instanceKind, key)
	if instance == nil || o.foreign(vmKind, key) != nil {
		return nil
	}
	if owner := metav1.GetControllerOf(instance); owner == nil || owner.Kind != "VirtualMachine" || owner.Name != o.w.Name {
		return nil
	}
	return instance
}

// relatedObject is one related object, or nil.
func (o *observed) relatedObject(kind, key string) *unstructured.Unstructured {
	if object := o.related[kind][key]; object != nil && object.Object != nil {
		return object
	}
	return nil
}

// relatedObjects are the related objects of one kind, in the order of their names.
func (o *observed) relatedObjects(kind string) []*unstructured.Unstructured {
	objects := present(o.related[kind])
	var sorted []*unstructured.Unstructured
	for _, key := range slices.Sorted(maps.Keys(objects)) {
		sorted = append(sorted, objects[key])
	}
	return sorted
}

// foreign is the object that has the name of one of our children and belongs to somebody else, or nil. With server-side
// apply Metacontroller would seize such an object, and delete it one day: it must never be answered.
func (o *observed) foreign(kind, key string) *unstructured.Unstructured {
	children := map[string]map[string]*unstructured.Unstructured{policyKind: o.policies, nadKind: o.nads, vmKind: o.vms}[kind]
	if children[key] != nil {
		return nil
	}
	object := o.relatedObject(kind, key)
	if object == nil {
		return nil
	}
	// The caches behind children and related are not read at the same instant: one of ours may be in only one of them.
	if owner := metav1.GetControllerOf(object); owner != nil && owner.UID == o.w.UID {
		return nil
	}
	return object
}

// relates says that objects of a kind are sent along, be there any or not.
func (o *observed) relates(kind string) bool {
	_, related := o.related[kind]
	return related
}

// enactments are those of one policy, in the order of their names. known is false where enactments are not related at
// all, so that their absence says nothing.
func (o *observed) enactments(policy string) (enactments []*unstructured.Unstructured, known bool) {
	for _, e := range o.relatedObjects(enactmentKind) {
		if e.GetLabels()["nmstate.io/policy"] == policy {
			enactments = append(enactments, e)
		}
	}
	return enactments, o.relates(enactmentKind)
}

// condition is one condition of an observed object, in the form that NMState and KubeVirt share.
type condition struct {
	Type, Status, Reason, Message, LastTransitionTime string
}

// conditionOf is an object's condition of one type; the zero condition where there is none.
func conditionOf(object *unstructured.Unstructured, kind string) condition {
	for _, c := range items(object, "status", "conditions") {
		if text(c, "type") == kind {
			return condition{
				Type: kind, Status: text(c, "status"), Reason: text(c, "reason"), Message: text(c, "message"),
				LastTransitionTime: text(c, "lastTransitionTime"),
			}
		}
	}
	return condition{}
}

// value is what is at a path in an object, or nil. It does not copy: treat it as read-only.
func value(object any, path ...string) any {
	if u, ok := object.(*unstructured.Unstructured); ok {
		if u == nil {
			return nil
		}
		object = u.Object
	}
	for _, key := range path {
		m, ok := object.(map[string]any)
		if !ok {
			return nil
		}
		object = m[key]
	}
	return object
}

// text is the string at a path in an object, or "".
func text(object any, path ...string) string {
	s, _ := value(object, path...).(string)
	return s
}

// number is the integer at a path in an object, or 0.
func number(object any, path ...string) int64 {
	n, _ := value(object, path...).(int64)
	return n
}

// truth is the boolean at a path in an object, or false.
func truth(object any, path ...string) bool {
	b, _ := value(object, path...).(bool)
	return b
}

// items are the objects in the list at a path in an object.
func items(object any, path ...string) []map[string]any {
	list, _ := value(object, path...).([]any)
	var objects []map[string]any
	for _, item := range list {
		if m, ok := item.(map[string]any); ok {
			objects = append(objects, m)
		}
	}
	return objects
}

// texts are the strings in the list at a path in an object.
func texts(object any, path ...string) []string {
	list, _ := value(object, path...).([]any)
	var all []string
	for _, item := range list {
		if s, ok := item.(string); ok {
			all = append(all, s)
		}
	}
	return all
}

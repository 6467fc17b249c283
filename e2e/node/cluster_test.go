package node

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/yaml"

	"novasphere.dev/wukong/sync/model/apply"
)

// The kinds of objects, as keys of a request.
const (
	policyKind     = "NodeNetworkConfigurationPolicy.nmstate.io/v1"
	enactmentKind  = "NodeNetworkConfigurationEnactment.nmstate.io/v1beta1"
	stateKind      = "NodeNetworkState.nmstate.io/v1beta1"
	attachmentKind = "NetworkAttachmentDefinition.k8s.cni.cncf.io/v1"
	machineKind    = "VirtualMachine.kubevirt.io/v1"
	instanceKind   = "VirtualMachineInstance.kubevirt.io/v1"
	nodeKind       = "Node.v1"
	reportKind     = "WukongNode.vm.novasphere.dev/v1alpha1"
	networkKind    = "WukongNetwork.vm.novasphere.dev/v1alpha1"
	wukongKind     = "Wukong.vm.novasphere.dev/v1alpha1"
)

// kindOf is the kind by the name of its resource.
var kindOf = map[string]string{
	"nodenetworkconfigurationpolicies": policyKind, "nodenetworkconfigurationenactments": enactmentKind,
	"nodenetworkstates": stateKind, "network-attachment-definitions": attachmentKind, "virtualmachines": machineKind,
	"virtualmachineinstances": instanceKind, "nodes": nodeKind, "wukongnodes": reportKind,
	"wukongnetworks": networkKind, "wukongs": wukongKind, "namespaces": "Namespace.v1",
}

// controller is what Metacontroller knows of one kind of parent.
type controller struct {
	path     string   // of the hooks
	parent   string   // as a request calls it
	children string   // as a request and an answer call them
	kinds    []string // of the children
}

var controllers = map[string]controller{
	nodeKind:    {"/node", "object", "attachments", []string{reportKind}},
	networkKind: {"/network", "parent", "children", []string{policyKind}},
	wukongKind:  {"", "parent", "children", []string{policyKind, attachmentKind, machineKind}},
}

// childResources are the kinds of children as a controller declares them.
var childResources = map[string]any{
	policyKind:     map[string]any{"apiVersion": "nmstate.io/v1", "resource": "nodenetworkconfigurationpolicies"},
	attachmentKind: map[string]any{"apiVersion": "k8s.cni.cncf.io/v1", "resource": "network-attachment-definitions"},
	machineKind:    map[string]any{"apiVersion": "kubevirt.io/v1", "resource": "virtualmachines"},
	reportKind:     map[string]any{"apiVersion": "vm.novasphere.dev/v1alpha1", "resource": "wukongnodes"},
}

// cluster is the store of the API server and the role of Metacontroller: it sends the hook what is stored, and stores what the hook answers.
// What is played here is proven in package e2e with the real ones; here the node is real.
type cluster struct {
	hook    *hook
	objects map[string]map[string]*unstructured.Unstructured // by kind and key
	last    int                                              // of the UIDs
	writes  int                                              // of objects other than states
}

func newCluster(h *hook) *cluster {
	return &cluster{hook: h, objects: map[string]map[string]*unstructured.Unstructured{}}
}

// create stores a new object.
func (c *cluster) create(kind string, o map[string]any) {
	u := &unstructured.Unstructured{Object: o}
	c.last++
	u.SetUID(uid(c.last))
	u.SetGeneration(1)
	u.SetCreationTimestamp(metav1.NewTime(time.Now().Add(-time.Minute)))
	c.put(kind, u)
}

// createYAML stores a new object that is written as users write it.
func (c *cluster) createYAML(kind, text string) error {
	raw, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		return err
	}
	o := map[string]any{}
	if err := utiljson.Unmarshal(raw, &o); err != nil {
		return err
	}
	if kind == wukongKind {
		defaulted(o)
	}
	c.create(kind, o)
	return nil
}

// defaulted sets what the schema sets where a Wukong says nothing.
func defaulted(o map[string]any) {
	spec, _ := o["spec"].(map[string]any)
	if spec["namespace"] == nil {
		spec["namespace"] = "default"
	}
}

func (c *cluster) put(kind string, o *unstructured.Unstructured) {
	if c.objects[kind] == nil {
		c.objects[kind] = map[string]*unstructured.Unstructured{}
	}
	if was := c.objects[kind][key(o)]; kind != stateKind && (was == nil || !reflect.DeepEqual(was.Object, o.Object)) {
		c.writes++
	}
	c.objects[kind][key(o)] = o
}

func (c *cluster) get(kind, key string) *unstructured.Unstructured { return c.objects[kind][key] }

func (c *cluster) drop(kind, key string) {
	if c.objects[kind][key] != nil {
		delete(c.objects[kind], key)
		c.writes++
	}
}

// all are the objects of a kind, in the order of their names.
func (c *cluster) all(kind string) []*unstructured.Unstructured {
	var all []*unstructured.Unstructured
	for _, k := range slices.Sorted(maps.Keys(c.objects[kind])) {
		all = append(all, c.objects[kind][k])
	}
	return all
}

// edit changes the spec of an object, as its user does.
func (c *cluster) edit(kind, key string, change func(spec map[string]any)) {
	o := c.get(kind, key).DeepCopy()
	change(o.Object["spec"].(map[string]any))
	o.SetGeneration(o.GetGeneration() + 1)
	c.put(kind, o)
}

// remove begins the deletion of a parent.
func (c *cluster) remove(kind, key string) {
	o := c.get(kind, key).DeepCopy()
	now := metav1.Now()
	o.SetDeletionTimestamp(&now)
	o.SetGeneration(o.GetGeneration() + 1)
	c.put(kind, o)
}

// customized is what the hook says to /customize.
type customized struct {
	RelatedResources []rule `json:"relatedResources"`
}

// rule selects objects that are sent with a request.
type rule struct {
	Resource      string                `json:"resource"`
	Namespace     string                `json:"namespace"`
	Names         []string              `json:"names"`
	LabelSelector *metav1.LabelSelector `json:"labelSelector"`
}

// answer is what the hook says to /sync or /finalize.
type answer struct {
	Children    []map[string]any `json:"children"`
	Attachments []map[string]any `json:"attachments"`
	Status      map[string]any   `json:"status"`
	Finalized   bool             `json:"finalized"`
}

// sync asks the hook about one parent, and stores what it answers.
func (c *cluster) sync(kind, key string) error {
	parent, with := c.get(kind, key), controllers[kind]
	request := map[string]any{"controller": map[string]any{"spec": map[string]any{"childResources": c.resources(with)}}}
	var rules customized
	if err := c.post(with.path+"/customize", merged(request, map[string]any{"parent": parent.Object}), &rules); err != nil {
		return err
	}
	children := map[string]map[string]any{}
	for _, child := range with.kinds {
		children[child] = map[string]any{}
		for k, o := range c.objects[child] {
			if owns(parent, o) {
				children[child][k] = o.Object
			}
		}
	}
	related, err := c.related(rules.RelatedResources)
	if err != nil {
		return err
	}
	hook := "/sync"
	if parent.GetDeletionTimestamp() != nil && kind != nodeKind {
		hook = "/finalize"
	}
	var a answer
	if err := c.post(with.path+hook, merged(request, map[string]any{
		with.parent: parent.Object, with.children: children, "related": related, "finalizing": hook == "/finalize",
	}), &a); err != nil {
		return err
	}
	return c.take(kind, parent, a)
}

func (c *cluster) resources(with controller) []any {
	var all []any
	for _, kind := range with.kinds {
		all = append(all, childResources[kind])
	}
	return all
}

// post sends a request to the hook.
func (c *cluster) post(path string, request, answer any) error {
	text, err := json.Marshal(request)
	if err != nil {
		return err
	}
	response, err := http.Post(c.hook.url+path, "application/json", bytes.NewReader(text))
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("POST %s: %s: %s", path, response.Status, body)
	}
	return utiljson.Unmarshal(body, answer)
}

// related are the objects that rules select.
func (c *cluster) related(rules []rule) (map[string]map[string]any, error) {
	all := map[string]map[string]any{}
	for _, rule := range rules {
		kind := kindOf[rule.Resource]
		if kind == "" {
			return nil, fmt.Errorf("nobody here knows the resource %s", rule.Resource)
		}
		if all[kind] == nil {
			all[kind] = map[string]any{}
		}
		selector := labels.Everything()
		if rule.LabelSelector != nil {
			var err error
			if selector, err = metav1.LabelSelectorAsSelector(rule.LabelSelector); err != nil {
				return nil, err
			}
		}
		for k, o := range c.objects[kind] {
			if (rule.Namespace == "" || rule.Namespace == o.GetNamespace()) &&
				(len(rule.Names) == 0 || slices.Contains(rule.Names, o.GetName())) && selector.Matches(labels.Set(o.GetLabels())) {
				all[kind][k] = o.Object
			}
		}
	}
	return all, nil
}

// take stores what the hook has answered about a parent: it creates, changes and deletes children, and then writes the status.
func (c *cluster) take(kind string, parent *unstructured.Unstructured, a answer) error {
	if a.Finalized {
		c.drop(kind, key(parent))
		return nil
	}
	wanted := map[string]map[string]bool{}
	for _, child := range append(a.Children, a.Attachments...) {
		o := &unstructured.Unstructured{Object: child}
		childKind := kindName(o)
		if wanted[childKind] == nil {
			wanted[childKind] = map[string]bool{}
		}
		wanted[childKind][key(o)] = true
		if err := c.write(kind, parent, childKind, o); err != nil {
			return err
		}
	}
	for _, childKind := range controllers[kind].kinds {
		for _, o := range c.all(childKind) {
			if owns(parent, o) && !wanted[childKind][key(o)] {
				c.deleteChild(childKind, o)
			}
		}
	}
	if kind == nodeKind {
		return nil
	}
	o := c.get(kind, key(parent)).DeepCopy()
	a.Status["observedGeneration"] = parent.GetGeneration()
	o.Object["status"] = a.Status
	c.put(kind, o)
	return nil
}

// deleteChild deletes a child. A machine goes when KubeVirt has let it go.
func (c *cluster) deleteChild(kind string, o *unstructured.Unstructured) {
	if kind != machineKind {
		c.drop(kind, key(o))
		return
	}
	if o.GetDeletionTimestamp() == nil {
		o = o.DeepCopy()
		now := metav1.Now()
		o.SetDeletionTimestamp(&now)
		c.put(kind, o)
	}
}

// decorator is the annotation of what a DecoratorController has made.
const decorator = "metacontroller.k8s.io/decorator-controller"

// write creates or changes one child by Metacontroller's dynamic apply.
func (c *cluster) write(kind string, parent *unstructured.Unstructured, childKind string, o *unstructured.Unstructured) error {
	if kind == nodeKind {
		o.SetAnnotations(map[string]string{decorator: "wukong-nodes"})
	} else {
		o.SetLabels(merged(o.GetLabels(), map[string]string{"controller-uid": string(parent.GetUID())}))
	}
	existing := c.get(childKind, key(o))
	if existing == nil {
		desired := runtime.DeepCopyJSON(o.Object)
		apply.Note(o.Object, desired)
		yes := true
		o.SetOwnerReferences([]metav1.OwnerReference{{
			APIVersion: parent.GetAPIVersion(), Kind: parent.GetKind(), Name: parent.GetName(), UID: parent.GetUID(), Controller: &yes, BlockOwnerDeletion: &yes,
		}})
		c.create(childKind, o.Object)
		return nil
	}
	if !owns(parent, existing) {
		return fmt.Errorf("%s %s belongs to somebody else", childKind, key(o))
	}
	changed := &unstructured.Unstructured{Object: apply.Dynamic(existing.Object, o.Object)}
	if !reflect.DeepEqual(changed.Object["spec"], existing.Object["spec"]) {
		if childKind == policyKind && condition(existing, "Available") == "" {
			return fmt.Errorf("NMState forbids it: policy %s is still in progress", key(o))
		}
		changed.SetGeneration(existing.GetGeneration() + 1)
	}
	c.put(childKind, changed)
	return nil
}

// owns reports whether a parent controls an object.
func owns(parent, o *unstructured.Unstructured) bool {
	owner := metav1.GetControllerOf(o)
	return owner != nil && owner.UID == parent.GetUID()
}

// condition is the status of a condition; empty where there is none, or it is unknown.
func condition(o *unstructured.Unstructured, kind string) string {
	c := conditionOf(o, kind)
	if c["status"] == "Unknown" {
		return ""
	}
	status, _ := c["status"].(string)
	return status
}

// conditionOf is a condition; nil where there is none.
func conditionOf(o *unstructured.Unstructured, kind string) map[string]any {
	if o == nil {
		return nil
	}
	all, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
	for _, c := range all {
		if c, ok := c.(map[string]any); ok && c["type"] == kind {
			return c
		}
	}
	return nil
}

// said is what the condition Ready says.
func said(o *unstructured.Unstructured) string {
	c := conditionOf(o, "Ready")
	return fmt.Sprintf("%v: %v", c["reason"], c["message"])
}

// key is the key of an object in a request.
func key(o *unstructured.Unstructured) string {
	if o.GetNamespace() == "" {
		return o.GetName()
	}
	return o.GetNamespace() + "/" + o.GetName()
}

// kindName is the kind of an object as a key of a request.
func kindName(o *unstructured.Unstructured) string { return o.GetKind() + "." + o.GetAPIVersion() }

func merged[V any](a, b map[string]V) map[string]V {
	m := maps.Clone(a)
	if m == nil {
		m = map[string]V{}
	}
	maps.Copy(m, b)
	return m
}

// uid is the UID of the object that was created as the nth.
func uid(n int) types.UID { return types.UID(fmt.Sprintf("00000000-0000-4000-8000-%012d", n)) }

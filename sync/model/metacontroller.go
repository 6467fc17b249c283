package model

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	jsonv2 "github.com/go-json-experiment/json"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"

	"novasphere.dev/wukong/sync"
	"novasphere.dev/wukong/types/v1alpha1"
)

// parent is whoever has children: a Wukong, a WukongNetwork, or a Node.
type parent interface {
	metav1.Object
	runtime.Object
}

// asker is a parent as it was in the cache when Metacontroller asked about it.
type asker struct {
	parent

	// early is whether the rules of an older version of the hook still count: Nodes and NodeNetworkStates are related, and no
	// WukongNodes.
	early bool
}

// answer is what the hook has answered about a parent.
type answer struct {
	children  []*unstructured.Unstructured
	status    any // nil where the answer has none
	finalized bool
	again     bool // the hook asks to be called again
	said      string
}

// kindName is the kind of a parent.
func kindName(p parent) string { return p.GetObjectKind().GroupVersionKind().Kind }

// ref is by which name Metacontroller has a parent in its queues: that of a Wukong, or a resource and a name.
func ref(p parent) string {
	switch kindName(p) {
	case v1alpha1.NetworkKind:
		return "wukongnetworks " + p.GetName()
	case "Node":
		return "nodes " + p.GetName()
	}
	return p.GetName()
}

// find is the parent of a ref; nil where there is none.
func find(wukongs map[string]*v1alpha1.Wukong, others objects, key string) parent {
	resource, name, other := strings.Cut(key, " ")
	if !other {
		if w := wukongs[key]; w != nil {
			return w
		}
		return nil
	}
	if o := others[kindOf[resource]][name]; o != nil {
		return o
	}
	return nil
}

// catchUp brings Metacontroller's caches up to date: each of them, or some by chance. An object that has not changed
// stays the same object in memory, with its text.
func (c *cluster) catchUp(each bool) {
	for _, kind := range c.kinds() {
		if each || !c.unsteady || c.IntN(2) != 0 {
			before := c.seen[kind]
			c.seen[kind] = map[string]*unstructured.Unstructured{}
			for key, o := range c.objects[kind] {
				if was := before[key]; was != nil && reflect.DeepEqual(was.Object, o.Object) {
					c.seen[kind][key] = was
				} else {
					c.seen[kind][key] = o.DeepCopy()
				}
			}
		}
	}
	if each || !c.unsteady || c.IntN(3) != 0 {
		before := c.seenWukongs
		c.seenWukongs = map[string]*v1alpha1.Wukong{}
		for name, w := range c.wukongs {
			if was := before[name]; was != nil && reflect.DeepEqual(was, w) {
				c.seenWukongs[name] = was
			} else {
				c.seenWukongs[name] = w.DeepCopy()
			}
		}
	}
}

// kinds are the kinds of objects that the cluster knows, in order.
func (c *cluster) kinds() []string {
	all := slices.Sorted(maps.Values(kindOf))
	return slices.DeleteFunc(all, func(kind string) bool { return !c.fleet && (kind == toldKind || kind == networkKind) })
}

// sync is one round of Metacontroller for one parent, with what is in the caches.
func (c *cluster) sync(key string) {
	c.lands(key)
	c.writes, c.again = 0, false
	seen, live := find(c.seenWukongs, c.seen, key), find(c.wukongs, c.objects, key)
	if seen == nil || live == nil || live.GetUID() != seen.GetUID() {
		return
	}
	p := asker{seen, c.early(seen)}
	a, err := c.ask(p)
	if err != nil {
		c.breaks("sync %s: %v", key, err)
		return
	}
	c.tell("sync %s: %s", key, a.said)
	c.again = a.again
	if c.unsteady && c.IntN(4) == 0 {
		// The answer takes its time. Meanwhile others are synced.
		caches, wukongs := maps.Clone(c.seen), c.seenWukongs
		c.flights[key] = func() {
			c.tell("the answer about %s arrives", key)
			now, wukongsNow := c.seen, c.seenWukongs
			c.seen, c.seenWukongs = caches, wukongs
			c.takes(p, a)
			c.seen, c.seenWukongs = now, wukongsNow
		}
		return
	}
	c.takes(p, a)
}

// ask asks the hook about a parent: first which objects are related, then what should exist. Requests are made nowhere
// else. A request is JSON, as Metacontroller sends it, so that the hook shares no object with anybody.
func (c *cluster) ask(p asker) (answer, error) {
	var resources []any
	children := map[string]map[string]json.RawMessage{}
	for _, kind := range c.managed(p) {
		resources = append(resources, registered[kind])
		children[kind] = map[string]json.RawMessage{}
		for key, o := range c.seen[kind] {
			if c.owned(p, o) {
				children[kind][key] = c.text(o)
			}
		}
	}
	h := c.hooksOf(p)
	request := map[string]any{"controller": map[string]any{"spec": map[string]any{"childResources": resources}}, "parent": c.text(p.parent)}
	customized, err := h.customize(request)
	if err != nil {
		return answer{}, fmt.Errorf("customize: %w", err)
	}
	rules := customized.RelatedResources
	if p.early {
		rules = earlier(rules)
	}
	delete(request, "parent")
	request[h.parent], request[h.children] = c.text(p.parent), children
	request["related"], request["finalizing"] = c.related(rules), p.GetDeletionTimestamp() != nil
	return h.call(request)
}

// registered are the kinds of children as a controller declares them.
var registered = map[string]any{
	policyKind:     map[string]any{"apiVersion": "nmstate.io/v1", "resource": "nodenetworkconfigurationpolicies"},
	attachmentKind: map[string]any{"apiVersion": "k8s.cni.cncf.io/v1", "resource": "network-attachment-definitions"},
	machineKind:    map[string]any{"apiVersion": "kubevirt.io/v1", "resource": "virtualmachines"},
	toldKind:       map[string]any{"apiVersion": v1alpha1.APIVersion, "resource": v1alpha1.NodeResource},
}

// decoded is a request in the form in which the hook gets it.
func decoded[R any](request map[string]any) *R {
	text, err := json.Marshal(request)
	if err != nil {
		panic(err)
	}
	req := new(R)
	if err := jsonv2.Unmarshal(text, req); err != nil {
		panic(err)
	}
	return req
}

// text is the JSON of an object in a cache, encoded once.
func (c *cluster) text(seen metav1.Object) json.RawMessage {
	if text, ok := c.texts[seen]; ok {
		return text
	}
	text, err := json.Marshal(seen)
	if err != nil {
		panic(err)
	}
	c.texts[seen] = text
	return text
}

// managed are the kinds of children that the controller of a parent declares.
func (c *cluster) managed(p parent) []string {
	switch {
	case kindName(p) == "Node":
		return []string{toldKind}
	case kindName(p) == v1alpha1.NetworkKind:
		return []string{policyKind}
	case c.nmstate:
		return []string{policyKind, attachmentKind, machineKind}
	}
	return []string{attachmentKind, machineKind}
}

// related are the objects in the caches that rules select.
func (c *cluster) related(rules []sync.RelatedRule) map[string]map[string]json.RawMessage {
	related := map[string]map[string]json.RawMessage{}
	for _, rule := range rules {
		kind := kindOf[rule.Resource]
		if related[kind] == nil {
			related[kind] = map[string]json.RawMessage{}
		}
		selector := labels.Everything()
		if rule.LabelSelector != nil {
			var err error
			if selector, err = metav1.LabelSelectorAsSelector(rule.LabelSelector); err != nil || len(rule.Names) > 0 {
				c.breaks("a related rule that stops every sync: %+v", rule)
				continue
			}
		}
		for key, o := range c.seenOf(kind) {
			here := rule.Namespace == "" || rule.Namespace == o.GetNamespace()
			named := len(rule.Names) == 0 || slices.Contains(rule.Names, o.GetName())
			if here && named && selector.Matches(labels.Set(o.GetLabels())) {
				related[kind][key] = c.text(o)
			}
		}
	}
	return related
}

// seenOf is the cache of one kind.
func (c *cluster) seenOf(kind string) map[string]metav1.Object {
	seen := map[string]metav1.Object{}
	if kind == wukongKind {
		for name, w := range c.seenWukongs {
			seen[name] = w
		}
	}
	for key, o := range c.seen[kind] {
		seen[key] = o
	}
	return seen
}

// lands lets the answer about a parent arrive that has not arrived yet. Metacontroller asks about a parent again only
// after that.
func (c *cluster) lands(key string) {
	if arrive := c.flights[key]; arrive != nil {
		delete(c.flights, key)
		arrive()
	}
}

// takes does what Metacontroller does with an answer.
func (c *cluster) takes(p asker, a answer) {
	live := find(c.wukongs, c.objects, ref(p))
	if live == nil || live.GetUID() != p.GetUID() {
		return
	}
	if a.finalized {
		c.finalized(p)
		c.goes(p)
		c.writes++
		return
	}
	if c.breath = -1; c.unsteady && c.IntN(5) == 0 {
		c.breath = c.IntN(4)
	}
	c.apply(p, a.children)
	if c.breath == 0 {
		c.tell("  and Metacontroller ends")
		return
	}
	if a.status != nil {
		c.writesStatus(p, live, a.status)
	}
}

// goes removes a parent whose finalizer is removed.
func (c *cluster) goes(p parent) {
	if kindName(p) == v1alpha1.NetworkKind {
		delete(c.objects[networkKind], p.GetName())
		return
	}
	delete(c.wukongs, p.GetName())
}

// writesStatus writes the status of a parent, if it has changed.
func (c *cluster) writesStatus(p asker, live parent, answered any) {
	switch live := live.(type) {
	case *v1alpha1.Wukong:
		status := answered.(v1alpha1.WukongStatus)
		status.ObservedGeneration = p.GetGeneration()
		if !reflect.DeepEqual(toMap(&status), toMap(&live.Status)) {
			live.Status = status
			c.writes++
		}
	case *unstructured.Unstructured:
		status := answered.(v1alpha1.WukongNetworkStatus)
		status.ObservedGeneration = p.GetGeneration()
		c.mayBeReady(p, &status)
		if m := toMap(&status); !reflect.DeepEqual(any(m), live.Object["status"]) {
			live.Object["status"] = m
			c.writes++
		}
	}
}

// breathes reports whether Metacontroller is still running, and lets it do one write less.
func (c *cluster) breathes() bool {
	if c.breath > 0 {
		c.breath--
	}
	return c.breath != 0
}

// said is an answer as a line of the story.
func said(children []*unstructured.Unstructured, conditions []metav1.Condition) string {
	var names []string
	for _, child := range children {
		names = append(names, child.GetName())
	}
	message := ""
	if len(conditions) > 0 {
		message = conditions[0].Reason + ": " + conditions[0].Message
	}
	return fmt.Sprintf("%v %s", names, message)
}

// owned reports whether a parent controls an object. What a DecoratorController has made has its annotation too.
func (c *cluster) owned(p parent, o *unstructured.Unstructured) bool {
	for _, owner := range o.GetOwnerReferences() {
		if owner.Controller != nil && *owner.Controller {
			return owner.UID == p.GetUID() && (kindName(p) != "Node" || o.GetAnnotations()[decorator] != "")
		}
	}
	return false
}

package model

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"

	jsonv2 "github.com/go-json-experiment/json"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"novasphere.dev/wukong/sync"
	"novasphere.dev/wukong/types/v1alpha1"
)

// catchUp brings Metacontroller's caches up to date: each of them, or some by chance. An object that has not changed
// stays the same object in memory, with its text.
func (c *cluster) catchUp(each bool) {
	for _, kind := range slices.Sorted(maps.Values(kindOf)) {
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

// sync is one round of Metacontroller for one Wukong, with what is in the caches.
func (c *cluster) sync(name string) {
	c.lands(name)
	c.writes, c.again = 0, false
	w := c.seenWukongs[name]
	if live := c.wukongs[name]; w == nil || live == nil || live.UID != w.UID {
		return
	}
	resp, err := c.ask(w)
	if err != nil {
		c.breaks("sync %s: %v", name, err)
		return
	}
	c.tell("sync %s: %s", name, said(resp))
	c.again = resp.ResyncAfterSeconds > 0
	if c.unsteady && c.IntN(4) == 0 {
		// The answer takes its time. Meanwhile other Wukongs are synced.
		asked := maps.Clone(c.seen)
		c.flights[name] = func() {
			c.tell("the answer about %s arrives", name)
			seen := c.seen
			c.seen = asked
			c.takes(w, resp)
			c.seen = seen
		}
		return
	}
	c.takes(w, resp)
}

// ask asks the hook about a Wukong: first which objects are related, then what should exist. Requests are made nowhere
// else. A request is JSON, as Metacontroller sends it, so that the hook shares no object with anybody.
func (c *cluster) ask(w *v1alpha1.Wukong) (*sync.Response, error) {
	resources := []any{
		map[string]any{"apiVersion": "k8s.cni.cncf.io/v1", "resource": "network-attachment-definitions"},
		map[string]any{"apiVersion": "kubevirt.io/v1", "resource": "virtualmachines"},
	}
	if c.nmstate {
		resources = append(resources, map[string]any{"apiVersion": "nmstate.io/v1", "resource": "nodenetworkconfigurationpolicies"})
	}
	children := map[string]map[string]json.RawMessage{}
	for _, kind := range c.managed() {
		children[kind] = map[string]json.RawMessage{}
		for key, o := range c.seen[kind] {
			if c.owned(w, o) {
				children[kind][key] = c.text(o)
			}
		}
	}
	request := map[string]any{"controller": map[string]any{"spec": map[string]any{"childResources": resources}}, "parent": c.text(w)}
	customized, err := sync.Customize(decoded[sync.CustomizeRequest](request), c.settings)
	if err != nil {
		return nil, fmt.Errorf("customize: %w", err)
	}
	request["children"], request["related"], request["finalizing"] = children, c.related(customized), w.DeletionTimestamp != nil
	call := sync.Sync
	if w.DeletionTimestamp != nil {
		call = sync.Finalize
	}
	return call(decoded[sync.Request](request), c.settings, c.now)
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

// managed are the kinds of children that the CompositeController declares.
func (c *cluster) managed() []string {
	if c.nmstate {
		return []string{policyKind, attachmentKind, machineKind}
	}
	return []string{attachmentKind, machineKind}
}

// related are the objects in the caches that the answer to /customize selects.
func (c *cluster) related(customized *sync.CustomizeResponse) map[string]map[string]json.RawMessage {
	related := map[string]map[string]json.RawMessage{}
	for _, rule := range customized.RelatedResources {
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

// lands lets the answer about a Wukong arrive that has not arrived yet. Metacontroller asks about a Wukong again only
// after that.
func (c *cluster) lands(name string) {
	if arrive := c.flights[name]; arrive != nil {
		delete(c.flights, name)
		arrive()
	}
}

// takes does what Metacontroller does with an answer.
func (c *cluster) takes(w *v1alpha1.Wukong, resp *sync.Response) {
	if live := c.wukongs[w.Name]; live == nil || live.UID != w.UID {
		return
	}
	if resp.Finalized {
		c.finalized(w)
		delete(c.wukongs, w.Name)
		c.writes++
		return
	}
	if c.breath = -1; c.unsteady && c.IntN(5) == 0 {
		c.breath = c.IntN(4)
	}
	c.apply(w, resp.Children)
	if c.breath == 0 {
		c.tell("  and Metacontroller ends")
		return
	}
	status := resp.Status
	status.ObservedGeneration = w.Generation
	if live := c.wukongs[w.Name]; !reflect.DeepEqual(toMap(&status), toMap(&live.Status)) {
		live.Status = status
		c.writes++
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

// owned reports whether a Wukong controls an object.
func (c *cluster) owned(w *v1alpha1.Wukong, o *unstructured.Unstructured) bool {
	ref := metav1.GetControllerOf(o)
	return ref != nil && ref.UID == w.UID
}

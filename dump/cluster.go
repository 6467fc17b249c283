// Package dump is what kubectl printed of a cluster. It makes of it the requests that Metacontroller would send, and asks the hook's own
// functions, so that what is said of a dump is what the hook would say. It runs nothing and opens nothing: it is given text.
package dump

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/yaml"

	"novasphere.dev/wukong/sync/facts"
)

// Cluster is the objects of a dump.
type Cluster struct {
	objects map[string]*index // by kind
	read    map[*unstructured.Unstructured]about
	texts   map[*unstructured.Unstructured]json.RawMessage
	denied  map[string]string // kinds that could not be read, and why
	asked   map[string]bool   // kinds that were asked for, be there any or not
}

// New is a cluster with nothing in it.
func New() *Cluster {
	c := &Cluster{objects: map[string]*index{}, read: map[*unstructured.Unstructured]about{}, texts: map[*unstructured.Unstructured]json.RawMessage{},
		denied: map[string]string{}, asked: map[string]bool{}}
	for _, k := range Kinds() {
		c.objects[k.Key] = newIndex()
		c.asked[k.Key] = k.Usual
	}
	return c
}

// Read adds what kubectl printed: an object or a List, as YAML or JSON, in one document or several. Kinds that nobody looks at are
// passed over.
func (c *Cluster) Read(text []byte) error {
	for i, document := range strings.Split("\n"+string(text), "\n---") {
		if strings.TrimSpace(document) == "" {
			continue
		}
		body := []byte(document)
		if !json.Valid(body) {
			var err error
			if body, err = yaml.YAMLToJSON(body); err != nil {
				return fmt.Errorf("document %d is no YAML: %w", i+1, err)
			}
		}
		var object map[string]any
		if err := utiljson.Unmarshal(body, &object); err != nil || object == nil {
			return fmt.Errorf("document %d is no object: a dump is what `%s` prints", i+1, Command())
		}
		if err := c.add(object); err != nil {
			return err
		}
	}
	return nil
}

func (c *Cluster) add(object map[string]any) error {
	kind, _ := object["kind"].(string)
	items, listed := object["items"].([]any)
	if strings.HasSuffix(kind, "List") {
		for _, item := range items {
			if o, ok := item.(map[string]any); ok {
				if err := c.add(o); err != nil {
					return err
				}
			}
		}
		return nil
	}
	u := &unstructured.Unstructured{Object: object}
	if kind == "" || u.GetAPIVersion() == "" || listed {
		return fmt.Errorf("there is an object without apiVersion and kind: a dump is what `%s` prints", Command())
	}
	if k, known := kindOf(u.GetAPIVersion(), kind); known && u.GetName() != "" {
		u.SetAPIVersion(k.APIVersion())
		c.Put(u)
	}
	return nil
}

// Put puts an object into the cluster, in place of the one of its name.
func (c *Cluster) Put(u *unstructured.Unstructured) {
	k, known := KindOf(u)
	if !known {
		return
	}
	c.put(c.objects[k.Key], facts.Qualified(u.GetNamespace(), u.GetName()), u)
	c.asked[k.Key] = true
}

// Takes reports whether the cluster holds objects of a kind.
func Takes(u *unstructured.Unstructured) bool {
	_, known := KindOf(u)
	return known
}

// Remove takes an object out of the cluster.
func (c *Cluster) Remove(kind, key string) {
	c.take(c.of(kind), key)
}

// Get is an object by its kind and key; nil where there is none.
func (c *Cluster) Get(kind, key string) *unstructured.Unstructured {
	return c.of(kind).objects[key]
}

// All are the objects of a kind, in the order of their keys.
func (c *Cluster) All(kind string) []*unstructured.Unstructured {
	var all []*unstructured.Unstructured
	for _, key := range slices.Sorted(maps.Keys(c.of(kind).objects)) {
		all = append(all, c.of(kind).objects[key])
	}
	return all
}

// Asked notes that a kind was asked for, whether or not there is an object of it.
func (c *Cluster) Asked(kind string) { c.asked[kind] = true }

// Deny notes that a kind could not be read.
func (c *Cluster) Deny(kind, why string) {
	c.denied[kind], c.asked[kind] = why, false
}

// Copy is a cluster of the same objects. Objects are never changed in place: whoever changes one puts another.
func (c *Cluster) Copy() *Cluster {
	other := &Cluster{objects: map[string]*index{}, read: c.read, texts: c.texts, denied: c.denied, asked: maps.Clone(c.asked)}
	for kind, objects := range c.objects {
		other.objects[kind] = objects.copied()
	}
	return other
}

// text is the JSON of an object, encoded once.
func (c *Cluster) text(u *unstructured.Unstructured) json.RawMessage {
	if text, ok := c.texts[u]; ok {
		return text
	}
	text, err := json.Marshal(u.Object)
	if err != nil {
		panic(err) // it was JSON
	}
	c.texts[u] = text
	return text
}

// Missing is what the dump does not have and what is said without it, one line for each kind.
func (c *Cluster) Missing() []string {
	var all []string
	for _, k := range Kinds() {
		switch why, denied := c.denied[k.Key]; {
		case denied:
			all = append(all, fmt.Sprintf("%s: %s", k.Resource, why))
		case !c.asked[k.Key] && without[k.Key] != "":
			all = append(all, fmt.Sprintf("%s: they are not in the dump, so %s", k.Resource, without[k.Key]))
		case k.Usual && len(c.objects[k.Key].objects) == 0 && without[k.Key] != "" && !c.told(k.Key):
			all = append(all, fmt.Sprintf("%s: there are none in the dump, so %s", k.Resource, without[k.Key]))
		}
	}
	return all
}

// Denied is what could not be read, one line for each kind.
func (c *Cluster) Denied() []string {
	var all []string
	for _, k := range Kinds() {
		if why, denied := c.denied[k.Key]; denied {
			all = append(all, fmt.Sprintf("%s: %s", k.Resource, why))
		}
	}
	return all
}

// told reports whether another kind in the dump says the same as a kind that is missing.
func (c *Cluster) told(kind string) bool {
	switch kind {
	case facts.WukongNodeKind:
		return len(c.objects[facts.NodeKind].objects) > 0 && len(c.objects[facts.StateKind].objects) > 0
	case facts.StateKind, facts.NodeKind:
		return len(c.objects[facts.WukongNodeKind].objects) > 0
	case facts.InstanceKind:
		return len(c.objects[facts.MachineKind].objects) == 0
	case facts.EnactmentKind:
		return len(c.objects[facts.PolicyKind].objects) == 0
	}
	return false
}

// without is what is said differently without a kind.
var without = map[string]string{
	facts.WukongNodeKind: "nobody can look at the nodes before a bridge is built on them",
	facts.StateKind:      "nobody knows what the nodes' networks are like",
	facts.NodeKind:       "nobody knows which nodes there are",
	facts.InstanceKind:   "no machine counts as running",
	facts.NamespaceKind:  "whether there is a spec.namespace is not known",
	facts.EnactmentKind:  "a policy counts as applied on the nodes only by its own word",
}

// Blind reports whether the dump has nothing about any node.
func (c *Cluster) Blind() bool {
	return len(c.objects[facts.WukongNodeKind].objects) == 0 && (len(c.objects[facts.NodeKind].objects) == 0 || len(c.objects[facts.StateKind].objects) == 0)
}

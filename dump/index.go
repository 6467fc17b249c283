package dump

import (
	"maps"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"

	"novasphere.dev/wukong/sync"
	"novasphere.dev/wukong/sync/facts"
)

// index finds the objects of a kind by what is asked for: their owner, and their labels. Without it each of many machines would look through
// the objects of all the others, again and again.
type index struct {
	objects map[string]*unstructured.Unstructured // by key
	owned   map[types.UID]map[string]bool         // keys, by the controller that owns them
	labeled map[label]map[string]bool             // keys, by each of their labels
}

type label struct{ key, value string }

// about is what the index reads of an object, once: reading it of the object copies it each time.
type about struct {
	owner  types.UID
	labels labels.Set
}

func newIndex() *index {
	return &index{objects: map[string]*unstructured.Unstructured{}, owned: map[types.UID]map[string]bool{}, labeled: map[label]map[string]bool{}}
}

// of is the index of a kind; an empty one where the kind is not known.
func (c *Cluster) of(kind string) *index {
	if x := c.objects[kind]; x != nil {
		return x
	}
	return newIndex()
}

// copied is an index of the same objects.
func (x *index) copied() *index {
	other := &index{maps.Clone(x.objects), make(map[types.UID]map[string]bool, len(x.owned)), make(map[label]map[string]bool, len(x.labeled))}
	for owner, keys := range x.owned {
		other.owned[owner] = maps.Clone(keys)
	}
	for l, keys := range x.labeled {
		other.labeled[l] = maps.Clone(keys)
	}
	return other
}

// about is what the index reads of an object. Objects are never changed in place.
func (c *Cluster) about(u *unstructured.Unstructured) about {
	if known, ok := c.read[u]; ok {
		return known
	}
	a := about{labels: u.GetLabels()}
	if owner := metav1.GetControllerOf(u); owner != nil {
		a.owner = owner.UID
	}
	c.read[u] = a
	return a
}

// put puts an object in, in place of the one of its key.
func (c *Cluster) put(x *index, key string, u *unstructured.Unstructured) {
	c.take(x, key)
	x.objects[key] = u
	a := c.about(u)
	if a.owner != "" {
		note(x.owned, a.owner, key)
	}
	for name, value := range a.labels {
		note(x.labeled, label{name, value}, key)
	}
}

// take takes an object out.
func (c *Cluster) take(x *index, key string) {
	was, is := x.objects[key]
	if !is {
		return
	}
	delete(x.objects, key)
	a := c.about(was)
	forget(x.owned, a.owner, key)
	for name, value := range a.labels {
		forget(x.labeled, label{name, value}, key)
	}
}

func note[K comparable](all map[K]map[string]bool, by K, key string) {
	if all[by] == nil {
		all[by] = map[string]bool{}
	}
	all[by][key] = true
}

func forget[K comparable](all map[K]map[string]bool, by K, key string) {
	delete(all[by], key)
	if len(all[by]) == 0 {
		delete(all, by)
	}
}

// Labeled are the objects of a kind with a label, in the order of their keys.
func (c *Cluster) Labeled(kind, name, value string) []*unstructured.Unstructured {
	return c.of(kind).all(c.of(kind).labeled[label{name, value}])
}

// Children are the objects of a kind that a parent controls, in the order of their keys.
func (c *Cluster) Children(parent *unstructured.Unstructured, kind string) []*unstructured.Unstructured {
	return c.of(kind).all(c.of(kind).owned[parent.GetUID()])
}

// all are the objects of some keys, in the order of the keys.
func (x *index) all(keys map[string]bool) []*unstructured.Unstructured {
	all := make([]*unstructured.Unstructured, 0, len(keys))
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		all = append(all, x.objects[key])
	}
	return all
}

// candidates calls a function for each object that a rule may select: those with a label that it asks for, where it does, or else those of
// its names, or else all.
func (x *index) candidates(rule sync.RelatedRule, see func(key string, u *unstructured.Unstructured)) {
	if wanted, some := asks(rule.LabelSelector); some {
		for _, l := range wanted {
			for key := range x.labeled[l] {
				see(key, x.objects[key])
			}
		}
		return
	}
	if len(rule.Names) > 0 {
		for _, name := range rule.Names {
			key := facts.Qualified(rule.Namespace, name)
			if u, is := x.objects[key]; is {
				see(key, u)
			}
		}
		if rule.Namespace != "" || !x.namespaced() {
			return
		}
	}
	for key, u := range x.objects {
		see(key, u)
	}
}

// namespaced reports whether the objects are in namespaces.
func (x *index) namespaced() bool {
	for _, u := range x.objects {
		return u.GetNamespace() != ""
	}
	return false
}

// asks are labels of which every selected object has one; some is false where the selector asks for none.
func asks(selector *metav1.LabelSelector) (wanted []label, some bool) {
	if selector == nil {
		return nil, false
	}
	for name, value := range selector.MatchLabels {
		return []label{{name, value}}, true
	}
	for _, e := range selector.MatchExpressions {
		if e.Operator == metav1.LabelSelectorOpIn {
			for _, value := range e.Values {
				wanted = append(wanted, label{e.Key, value})
			}
			return wanted, true
		}
	}
	return nil, false
}

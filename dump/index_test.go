package dump

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"novasphere.dev/wukong/sync"
	"novasphere.dev/wukong/sync/facts"
)

// TestObjectsAreFoundAsTheyAreNow is that what is found by owner, label or name follows what is put and removed, in each copy for itself.
func TestObjectsAreFoundAsTheyAreNow(t *testing.T) {
	owner := &unstructured.Unstructured{Object: map[string]any{"kind": "Wukong", "metadata": map[string]any{"name": "a", "uid": "u1"}}}
	object := func(name, owner, zone string) *unstructured.Unstructured {
		u := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "k8s.cni.cncf.io/v1", "kind": "NetworkAttachmentDefinition",
			"metadata": map[string]any{"name": name, "namespace": "default", "labels": map[string]any{"zone": zone}}}}
		u.SetOwnerReferences([]metav1.OwnerReference{{UID: types.UID(owner), Controller: new(true)}})
		return u
	}
	c := New()
	c.Put(object("one", "u1", "x"))
	c.Put(object("two", "u1", "y"))
	c.Put(object("other", "u2", "x"))
	copied := c.Copy()
	found := func(c *Cluster) string {
		rules := []sync.RelatedRule{
			{APIVersion: "k8s.cni.cncf.io/v1", Resource: "network-attachment-definitions", LabelSelector: &metav1.LabelSelector{
				MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "zone", Operator: "In", Values: []string{"x", "z"}}}}},
		}
		byName := []sync.RelatedRule{{APIVersion: "k8s.cni.cncf.io/v1", Resource: "network-attachment-definitions", Names: []string{"one", "none"}}}
		inNamespace := []sync.RelatedRule{{APIVersion: "k8s.cni.cncf.io/v1", Resource: "network-attachment-definitions", Namespace: "default", Names: []string{"two"}}}
		said := ""
		for _, rules := range [][]sync.RelatedRule{rules, byName, inNamespace} {
			said += fmt.Sprint(slices.Sorted(maps.Keys(c.related(rules)[facts.AttachmentKind])))
		}
		for _, u := range c.Children(owner, facts.AttachmentKind) {
			said += " " + u.GetName()
		}
		for _, u := range c.Labeled(facts.AttachmentKind, "zone", "x") {
			said += " x:" + u.GetName()
		}
		return said
	}
	const before = "[default/one default/other][default/one][default/two] one two x:one x:other"
	if got := found(c); got != before {
		t.Errorf("finds %s, want %s", got, before)
	}
	c.Put(object("one", "u2", "z"))
	c.Remove(facts.AttachmentKind, "default/two")
	c.Remove(facts.AttachmentKind, "default/nobody")
	if got, want := found(c), "[default/one default/other][default/one][] x:other"; got != want {
		t.Errorf("finds %s, want %s", got, want)
	}
	if got := found(copied); got != before {
		t.Errorf("the copy finds %s, want %s", got, before)
	}
	if c.Get("Nothing.v1", "a") != nil || len(c.All("Nothing.v1")) != 0 || len(c.Children(owner, "Nothing.v1")) != 0 {
		t.Error("there is something of an unknown kind")
	}
}

package plan

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"novasphere.dev/wukong/sync/facts"
)

// nodes are the nodes of the cluster with their labels, as WukongNodes have them or else Nodes.
func (s *simulation) nodes() map[string]labels.Set {
	all := map[string]labels.Set{}
	for _, kind := range []string{facts.NodeKind, facts.WukongNodeKind} {
		for _, n := range s.cluster.All(kind) {
			all[n.GetName()] = n.GetLabels()
		}
	}
	return all
}

// enact plays NMState: it succeeds on every node with the policies that were created or changed. What the nodes report of their
// networks stays as it is.
func (s *simulation) enact() {
	nodes := s.nodes()
	for _, name := range s.touched {
		p := s.cluster.Get(facts.PolicyKind, name)
		if p == nil {
			continue
		}
		p = p.DeepCopy()
		p.Object["status"] = map[string]any{"conditions": []any{
			s.condition("Available", "True"), s.condition("Degraded", "False"), s.condition("Progressing", "False"),
		}}
		s.cluster.Put(p)
		for _, e := range s.cluster.Labeled(facts.EnactmentKind, "nmstate.io/policy", name) {
			s.cluster.Remove(facts.EnactmentKind, e.GetName())
		}
		selector, _, _ := unstructured.NestedStringMap(p.Object, "spec", "nodeSelector")
		for node, of := range nodes {
			if labels.SelectorFromSet(selector).Matches(of) {
				s.cluster.Put(s.enactment(p, node))
			}
		}
	}
	s.touched = slices.Delete(s.touched, 0, len(s.touched))
}

func (s *simulation) enactment(p *unstructured.Unstructured, node string) *unstructured.Unstructured {
	e := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "nmstate.io/v1beta1", "kind": "NodeNetworkConfigurationEnactment",
		"metadata": map[string]any{"name": node + "." + p.GetName()},
		"status": map[string]any{
			"policyGeneration": p.GetGeneration(), "conditions": []any{s.condition("Available", "True"), s.condition("Failing", "False")},
		},
	}}
	e.SetLabels(map[string]string{"nmstate.io/policy": p.GetName(), "nmstate.io/node": node})
	return e
}

func (s *simulation) condition(kind, status string) map[string]any {
	return map[string]any{
		"type": kind, "status": status, "reason": "SuccessfullyConfigured", "lastTransitionTime": s.hook.Now.UTC().Format(time.RFC3339),
	}
}

package node

import (
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// begin makes an empty cluster of the lab's nodes, with a hook.
func (l *lab) begin(h *hook) error {
	l.cluster = newCluster(h)
	l.create("Namespace.v1", map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": "default"}})
	for _, w := range l.workers {
		l.create(nodeKind, map[string]any{
			"apiVersion": "v1", "kind": "Node", "metadata": map[string]any{"name": w.name, "labels": toAny(w.labels)},
			"status": map[string]any{"conditions": []any{map[string]any{"type": "Ready", "status": "True"}}},
		})
	}
	return l.report()
}

// report writes what NMState shows of each node into its NodeNetworkState.
func (l *lab) report() error {
	for _, w := range l.workers {
		state, err := w.show(l.ctx)
		if err != nil {
			return err
		}
		l.put(stateKind, &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "nmstate.io/v1beta1", "kind": "NodeNetworkState",
			"metadata": map[string]any{"name": w.name, "uid": "state-" + w.name},
			"status":   map[string]any{"currentState": state, "lastSuccessfulUpdateTime": time.Now().UTC().Format(time.RFC3339)},
		}})
	}
	return nil
}

// syncAll asks the hook about every parent, until nothing changes any more.
func (l *lab) syncAll() error {
	for range 20 {
		before := l.writes
		for _, kind := range []string{nodeKind, networkKind, wukongKind} {
			for _, parent := range l.all(kind) {
				if err := l.sync(kind, key(parent)); err != nil {
					return fmt.Errorf("%s %s: %w", kind, key(parent), err)
				}
			}
		}
		if l.writes == before {
			return nil
		}
	}
	return fmt.Errorf("the hook does not come to rest")
}

// settle goes on until nothing happens any more: the hook answers, NMState applies, KubeVirt plugs.
func (l *lab) settle() error {
	for range 20 {
		if err := l.syncAll(); err != nil {
			return err
		}
		applied, err := l.applyPolicies()
		if err != nil {
			return err
		}
		moved, err := l.kubevirt()
		if err != nil {
			return err
		}
		if !applied && !moved {
			return nil
		}
		if applied {
			if err := l.report(); err != nil {
				return err
			}
		}
	}
	return fmt.Errorf("the cluster does not come to rest")
}

// applyPolicies applies what no node has applied yet, one node after the other, and reports whether there was something.
func (l *lab) applyPolicies() (bool, error) {
	any := false
	for _, p := range l.all(policyKind) {
		for _, w := range l.selected(p) {
			if w.applied[string(p.GetUID())] == p.GetGeneration() {
				continue
			}
			if _, err := l.apply(w, p); err != nil {
				return false, err
			}
			any = true
		}
		l.summarise(p)
	}
	return any, nil
}

// apply applies a policy on one node, and writes the enactment. It returns NMState's message where that fails.
func (l *lab) apply(w *worker, p *unstructured.Unstructured) (string, error) {
	capture, _, _ := unstructured.NestedMap(p.Object, "spec", "capture")
	desired, _, _ := unstructured.NestedMap(p.Object, "spec", "desiredState")
	began := time.Now()
	failure, err := w.apply(l.ctx, policy{string(p.GetUID()), capture, desired})
	if err != nil {
		return "", err
	}
	w.applied[string(p.GetUID())] = p.GetGeneration()
	outcome := "available"
	if failure != "" {
		outcome = "failing"
	}
	l.tell("%s: policy %s is %s after %s", w.name, p.GetName(), outcome, time.Since(began).Round(100*time.Millisecond))
	l.enact(w, p, failure)
	return failure, nil
}

// enact writes the enactment of a policy on a node.
func (l *lab) enact(w *worker, p *unstructured.Unstructured, failure string) {
	status := func(is bool) string {
		if is {
			return "True"
		}
		return "False"
	}
	reason := "SuccessfullyConfigured"
	if failure != "" {
		reason = "FailedToConfigure"
	}
	now := time.Now().UTC().Format(time.RFC3339)
	var conditions []any
	for _, c := range []struct {
		kind, status, message string
	}{
		{"Available", status(failure == ""), ""}, {"Failing", status(failure != ""), failure},
		{"Progressing", "False", ""}, {"Pending", "False", ""}, {"Aborted", "False", ""},
	} {
		conditions = append(conditions, map[string]any{
			"type": c.kind, "status": c.status, "reason": reason, "message": c.message, "lastTransitionTime": now, "lastHeartbeatTime": now,
		})
	}
	l.put(enactmentKind, &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "nmstate.io/v1beta1", "kind": "NodeNetworkConfigurationEnactment",
		"metadata": map[string]any{
			"name": w.name + "." + p.GetName(), "uid": "enactment-" + w.name + "-" + string(p.GetUID()),
			"labels": map[string]any{"nmstate.io/policy": p.GetName(), "nmstate.io/node": w.name},
		},
		"status": map[string]any{"policyGeneration": p.GetGeneration(), "conditions": conditions},
	}})
}

// summarise writes what the enactments of a policy come to into its status.
func (l *lab) summarise(p *unstructured.Unstructured) {
	selected := l.selected(p)
	failed := 0
	for _, w := range selected {
		if condition(l.get(enactmentKind, w.name+"."+p.GetName()), "Failing") == "True" {
			failed++
		}
	}
	reason, message := "SuccessfullyConfigured", fmt.Sprintf("%d/%d nodes successfully configured", len(selected), len(selected))
	available, degraded, ignored := "True", "False", "False"
	switch {
	case len(selected) == 0:
		reason, message, available, ignored = "NoMatchingNode", "Policy does not match any node", "False", "True"
	case failed > 0:
		reason, message, available, degraded = "FailedToConfigure", fmt.Sprintf("%d/%d nodes failed to configure", failed, len(selected)), "False", "True"
	}
	o := l.get(policyKind, p.GetName()).DeepCopy()
	o.Object["status"] = map[string]any{"conditions": []any{}}
	var conditions []any
	for _, c := range [][2]string{{"Available", available}, {"Degraded", degraded}, {"Progressing", "False"}, {"Ignored", ignored}} {
		conditions = append(conditions, map[string]any{"type": c[0], "status": c[1], "reason": reason, "message": message})
	}
	o.Object["status"] = map[string]any{"conditions": conditions}
	l.put(policyKind, o)
}

// selected are the nodes that a policy is for.
func (l *lab) selected(p *unstructured.Unstructured) []*worker {
	selector, _, _ := unstructured.NestedStringMap(p.Object, "spec", "nodeSelector")
	return slices.DeleteFunc(slices.Clone(l.workers), func(w *worker) bool {
		for k, v := range selector {
			if w.labels[k] != v {
				return true
			}
		}
		return false
	})
}

func toAny(m map[string]string) map[string]any {
	all := map[string]any{}
	for k, v := range m {
		all[k] = v
	}
	return all
}

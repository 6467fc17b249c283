package simulator

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// NMState's handlers, one on each node: controllers/handler/nodenetworkconfigurationpolicy_controller.go. A policy starts
// over when its generation changes and when a handler starts: its conditions become Unknown, each selected node gets an
// enactment that progresses and then is available or failing, and the policy's conditions sum these up after each node
// (pkg/policyconditions/conditions.go, pkg/enactmentstatus/conditions/conditions.go).
//
// What a policy makes of a node is package nmstate of the model; here is when, and what is told of it.
//
// Not played: retries, maxUnavailable (nodes always come one by one), that captures are evaluated once only, and the
// heartbeat.

// Hold keeps a policy in progress from now on, as a node does that is slow. Let lets it go.
func (s *Simulator) Hold(policy string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held[policy] = true
}

// Let ends Hold.
func (s *Simulator) Let(policy string) {
	s.mu.Lock()
	delete(s.held, policy)
	s.mu.Unlock()
	s.queue.Add(task{kind: "policy", name: policy})
}

// Break makes a node unable to apply a policy, with NMState's error for a port that cannot be attached. It shows when
// the policy is next applied: after a change of its spec, or at Reboot.
func (s *Simulator) Break(policy, node, port string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failing[policy] == nil {
		s.failing[policy] = map[string]string{}
	}
	s.failing[policy][node] = fmt.Sprintf(nmstateError, node, fmt.Sprintf("VerificationError: Verification failure: "+
		"port %s is not attached to the bridge on %s: carrier is down", port, node))
}

// Repair ends Break. It shows when the policy is next applied.
func (s *Simulator) Repair(policy, node string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.failing[policy], node)
}

// nmstateError is an error as the handler writes it into an enactment: its own words, then the output of nmstatectl, of
// which most is log.
const nmstateError = `error reconciling NodeNetworkConfigurationPolicy on node %[1]s at desired state apply: "",
 failed to execute nmstatectl apply --no-commit --timeout 480: 'exit status 1' '' '[2026-03-02T08:15:10Z INFO  nmstatectl] Nmstate version: 2.2.38
[2026-03-02T08:15:10Z INFO  nmstate::nispor::base_iface] Got unsupported interface type Other("Dummy")
[2026-03-02T08:15:10Z INFO  nmstate::query_apply::net_state] Created checkpoint /org/freedesktop/NetworkManager/Checkpoint/7
[2026-03-02T08:15:12Z INFO  nmstate::query_apply::net_state] Retrying on: %[2]s
[2026-03-02T08:15:17Z ERROR nmstatectl::error] NmstateError: %[2]s
[2026-03-02T08:15:17Z INFO  nmstate::query_apply::net_state] Rollbacked to checkpoint /org/freedesktop/NetworkManager/Checkpoint/7
'
`

// Reboot starts a node again: its handler applies every policy that selects the node once more, and until it has, the
// policy's conditions are Unknown.
func (s *Simulator) Reboot(ctx context.Context, node string) error {
	list, err := s.client.Resource(policies).List(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("listing policies: %w", err)
	}
	for _, policy := range list.Items {
		s.mu.Lock()
		if s.reboots[policy.GetName()] == nil {
			s.reboots[policy.GetName()] = map[string]bool{}
		}
		s.reboots[policy.GetName()][node] = true
		s.mu.Unlock()
		s.queue.Add(task{kind: "policy", name: policy.GetName()})
	}
	return nil
}

// Available is the moment just before a policy was last called available; zero if it never was.
func (s *Simulator) Available(policy string) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.available[policy]
}

// policyStep takes a policy one state further, and reports whether there is one more.
func (s *Simulator) policyStep(ctx context.Context, name string) (again bool, err error) {
	policy, err := get(ctx, s.client.Resource(policies), name)
	if err != nil {
		return false, err
	}
	if policy == nil {
		_, err := s.selected(ctx, name, nil)
		return false, err
	}
	selector, _, _ := unstructured.NestedStringMap(policy.Object, "spec", "nodeSelector")
	matching := s.matching(selector)
	all, err := s.selected(ctx, name, matching)
	if err != nil {
		return false, err
	}
	if s.takeUp(policy, matching) {
		return true, s.setPolicy(ctx, policy, unknownPolicy())
	}
	for _, node := range matching {
		moved, held, err := s.nodeStep(ctx, policy, node, all)
		if err != nil || held {
			return false, err
		}
		if moved {
			return true, s.summarise(ctx, policy, matching, all)
		}
	}
	return false, s.summarise(ctx, policy, matching, all)
}

// nodeStep takes a policy one state further on a node, and reports whether there was one, or whether it is held there.
func (s *Simulator) nodeStep(ctx context.Context, policy *unstructured.Unstructured, node string, all map[string]*unstructured.Unstructured) (moved, held bool, err error) {
	name := policy.GetName()
	if all[node] == nil {
		if all[node], err = s.newEnactment(ctx, policy, node); err != nil {
			return false, false, err
		}
	}
	state := enactmentState(all[node], policy.GetGeneration())
	if s.rebooted(name, node) {
		state = ""
	}
	switch state {
	case "finished":
		return false, false, nil
	case "":
		if all[node], err = s.setEnactment(ctx, all[node], policy, progressingEnactment()); err != nil {
			return false, false, err
		}
		s.mu.Lock()
		delete(s.reboots[name], node)
		s.mu.Unlock()
		return true, false, nil
	}
	s.mu.Lock()
	held, failure := s.held[name], s.failing[name][node]
	s.mu.Unlock()
	if held {
		return false, true, nil
	}
	if failure == "" {
		if failure, err = s.configure(ctx, node, policy); err != nil {
			return false, false, err
		}
	}
	outcome := availableEnactment()
	if failure != "" {
		outcome = failingEnactment(failure)
	}
	all[node], err = s.setEnactment(ctx, all[node], policy, outcome)
	return true, false, err
}

// takeUp reports whether a policy is to be started over, because it is new, its generation changed, or a node that it
// selects is starting; and notes that it was.
func (s *Simulator) takeUp(policy *unstructured.Unstructured, matching []string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	uid, generation := string(policy.GetUID()), policy.GetGeneration()
	starting := slices.ContainsFunc(matching, func(node string) bool { return s.reboots[policy.GetName()][node] })
	progressing := policyCondition(policy, "Progressing") == "True"
	known := policyCondition(policy, "Available") == "True" || policyCondition(policy, "Available") == "False"
	if s.taken[uid] == generation && (!starting || progressing || !known) {
		return false
	}
	s.taken[uid] = generation
	return true
}

func (s *Simulator) rebooted(policy, node string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reboots[policy][node]
}

// selected are the enactments of a policy, by the nodes that it selects. Those on other nodes are deleted.
func (s *Simulator) selected(ctx context.Context, policy string, matching []string) (map[string]*unstructured.Unstructured, error) {
	list, err := s.client.Resource(enactments).List(ctx, metav1.ListOptions{LabelSelector: "nmstate.io/policy=" + policy})
	if err != nil {
		return nil, fmt.Errorf("listing enactments: %w", err)
	}
	all := map[string]*unstructured.Unstructured{}
	for i := range list.Items {
		e := &list.Items[i]
		if node := e.GetLabels()["nmstate.io/node"]; slices.Contains(matching, node) {
			all[node] = e
			continue
		}
		// The garbage collector may be faster, where the node is gone.
		if err := s.client.Resource(enactments).Delete(ctx, e.GetName(), metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
			return nil, fmt.Errorf("deleting enactment %s: %w", e.GetName(), err)
		}
	}
	return all, nil
}

// newEnactment makes that of a policy on a node (api/v1beta1, NewEnactment). The node owns it, not the policy.
func (s *Simulator) newEnactment(ctx context.Context, policy *unstructured.Unstructured, node string) (*unstructured.Unstructured, error) {
	name := enactmentName(node, policy.GetName())
	owner, err := s.client.Resource(nodes).Get(ctx, node, metav1.GetOptions{})
	if err != nil {
		return nil, fmt.Errorf("reading node %s: %w", node, err)
	}
	e := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "nmstate.io/v1beta1", "kind": "NodeNetworkConfigurationEnactment",
		"metadata": map[string]any{
			"name":   name,
			"labels": map[string]any{"nmstate.io/policy": policy.GetName(), "nmstate.io/node": node},
			"ownerReferences": []any{map[string]any{
				"apiVersion": "v1", "kind": "Node", "name": node, "uid": string(owner.GetUID()),
			}},
		},
	}}
	return s.client.Resource(enactments).Create(ctx, e, metav1.CreateOptions{})
}

// enactmentState is "finished" where an enactment is available or failing at a generation, "progressing", or "".
func enactmentState(e *unstructured.Unstructured, generation int64) string {
	if g, _, _ := unstructured.NestedInt64(e.Object, "status", "policyGeneration"); g != generation {
		return ""
	}
	switch {
	case policyCondition(e, "Available") == "True", policyCondition(e, "Failing") == "True":
		return "finished"
	case policyCondition(e, "Progressing") == "True":
		return "progressing"
	}
	return ""
}

// setEnactment writes the status of an enactment: conditions, and what of the policy they are about.
func (s *Simulator) setEnactment(ctx context.Context, e, policy *unstructured.Unstructured, conditions []condition) (*unstructured.Unstructured, error) {
	status := map[string]any{
		"policyGeneration": policy.GetGeneration(),
		"conditions":       mergeConditions(e, conditions),
	}
	if desired, found, _ := unstructured.NestedMap(policy.Object, "spec", "desiredState"); found {
		status["desiredState"] = desired
	}
	e = e.DeepCopy()
	e.Object["status"] = status
	stored, err := s.client.Resource(enactments).UpdateStatus(ctx, e, metav1.UpdateOptions{})
	if err != nil {
		return nil, fmt.Errorf("writing the status of enactment %s: %w", e.GetName(), err)
	}
	return stored, nil
}

func progressingEnactment() []condition {
	const reason = "ConfigurationProgressing"
	return []condition{
		{"Progressing", "True", reason, "Applying desired state"},
		{"Failing", "Unknown", reason, ""},
		{"Available", "Unknown", reason, ""},
		{"Pending", "False", reason, ""},
		{"Aborted", "False", reason, ""},
	}
}

func availableEnactment() []condition {
	const reason = "SuccessfullyConfigured"
	return []condition{
		{"Available", "True", reason, "successfully reconciled"},
		{"Failing", "False", reason, ""},
		{"Progressing", "False", reason, ""},
		{"Pending", "False", reason, ""},
		{"Aborted", "False", reason, ""},
	}
}

func failingEnactment(failure string) []condition {
	const reason = "FailedToConfigure"
	return []condition{
		{"Failing", "True", reason, failure},
		{"Available", "False", reason, ""},
		{"Progressing", "False", reason, ""},
		{"Pending", "False", reason, ""},
		{"Aborted", "False", "SuccessfullyConfigured", ""},
	}
}

// summarise writes what the enactments of a policy come to.
func (s *Simulator) summarise(ctx context.Context, policy *unstructured.Unstructured, matching []string, all map[string]*unstructured.Unstructured) error {
	if len(matching) == 0 {
		const reason = "NoMatchingNode"
		return s.setPolicy(ctx, policy, []condition{
			{"Degraded", "False", reason, ""}, {"Available", "False", reason, ""}, {"Progressing", "False", reason, ""},
			{"Ignored", "True", reason, "Policy does not match any node"},
		})
	}
	available, failed := 0, 0
	for _, node := range matching {
		switch e := all[node]; {
		case e == nil || enactmentState(e, policy.GetGeneration()) != "finished":
		case policyCondition(e, "Available") == "True":
			available++
		default:
			failed++
		}
	}
	switch {
	case failed > 0:
		const reason = "FailedToConfigure"
		return s.setPolicy(ctx, policy, []condition{
			{"Degraded", "True", reason, fmt.Sprintf("%d/%d nodes failed to configure", failed, len(matching))},
			{"Available", "False", reason, ""}, {"Progressing", "False", "ConfigurationProgressing", ""}, {"Ignored", "False", reason, ""},
		})
	case available < len(matching):
		const reason = "ConfigurationProgressing"
		return s.setPolicy(ctx, policy, []condition{
			{"Degraded", "Unknown", reason, ""}, {"Available", "Unknown", reason, ""},
			{"Progressing", "True", reason, fmt.Sprintf("Policy is progressing %d/%d nodes finished", available, len(matching))},
			{"Ignored", "False", reason, ""},
		})
	default:
		if policyCondition(policy, "Available") != "True" {
			s.mu.Lock()
			s.available[policy.GetName()] = time.Now()
			s.mu.Unlock()
		}
		const reason = "SuccessfullyConfigured"
		return s.setPolicy(ctx, policy, []condition{
			{"Degraded", "False", reason, ""},
			{"Available", "True", reason, fmt.Sprintf("%d/%d nodes successfully configured", available, len(matching))},
			{"Progressing", "False", reason, ""}, {"Ignored", "False", reason, ""},
		})
	}
}

func unknownPolicy() []condition {
	return []condition{{"Available", "Unknown", "", ""}, {"Degraded", "Unknown", "", ""}, {"Progressing", "Unknown", "", ""}, {"Ignored", "Unknown", "", ""}}
}

// setPolicy writes a policy's conditions, unless it has them.
func (s *Simulator) setPolicy(ctx context.Context, policy *unstructured.Unstructured, conditions []condition) error {
	if hasConditions(policy, conditions) {
		return nil
	}
	written := policy.DeepCopy()
	if err := unstructured.SetNestedSlice(written.Object, mergeConditions(policy, conditions), "status", "conditions"); err != nil {
		return fmt.Errorf("writing the status of policy %s: %w", policy.GetName(), err)
	}
	stored, err := s.client.Resource(policies).UpdateStatus(ctx, written, metav1.UpdateOptions{})
	if err != nil {
		return fmt.Errorf("writing the status of policy %s: %w", policy.GetName(), err)
	}
	policy.Object = stored.Object
	return nil
}

func policyCondition(object *unstructured.Unstructured, kind string) string {
	return conditionOf(object, kind).status
}

func conditionOf(object *unstructured.Unstructured, kind string) condition {
	list, _, _ := unstructured.NestedSlice(object.Object, "status", "conditions")
	for _, item := range list {
		c, _ := item.(map[string]any)
		if c["type"] == kind {
			status, _ := c["status"].(string)
			reason, _ := c["reason"].(string)
			message, _ := c["message"].(string)
			return condition{kind, status, reason, message}
		}
	}
	return condition{}
}

func hasConditions(object *unstructured.Unstructured, conditions []condition) bool {
	return !slices.ContainsFunc(conditions, func(c condition) bool { return conditionOf(object, c.kind) != c })
}

// mergeConditions are conditions in stored form. One that says what it said keeps the time of its transition.
func mergeConditions(object *unstructured.Unstructured, conditions []condition) []any {
	before, _, _ := unstructured.NestedSlice(object.Object, "status", "conditions")
	var all []any
	for _, c := range conditions {
		stored := map[string]any{"type": c.kind, "status": c.status, "lastHeartbeatTime": now(), "lastTransitionTime": now()}
		if c.reason != "" {
			stored["reason"] = c.reason
		}
		if c.message != "" {
			stored["message"] = c.message
		}
		if conditionOf(object, c.kind) == c {
			at := slices.IndexFunc(before, func(b any) bool { return b.(map[string]any)["type"] == c.kind })
			stored["lastTransitionTime"] = before[at].(map[string]any)["lastTransitionTime"]
		}
		all = append(all, stored)
	}
	slices.SortFunc(all, func(a, b any) int {
		return strings.Compare(a.(map[string]any)["type"].(string), b.(map[string]any)["type"].(string))
	})
	return all
}

// now is the time as the API keeps it.
func now() string {
	return time.Now().UTC().Format(time.RFC3339)
}

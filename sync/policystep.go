package sync

import (
	"fmt"
	"reflect"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/types/v1alpha1"
)

// policyState is what NMState says of an observed policy, with a line for the user where it is not Available.
func policyState(obs *observed, policy *unstructured.Unstructured) (state, message string) {
	switch {
	case conditionOf(policy, "Degraded").Status == "True":
		return v1alpha1.PolicyDegraded, failure(obs, policy)
	case conditionOf(policy, "Ignored").Status == "True":
		return v1alpha1.PolicyIgnored, "no node matches: correct highAvailability.nodeSelector, or label the nodes"
	case conditionOf(policy, "Progressing").Status == "True":
		return v1alpha1.PolicyProgressing, "NMState is configuring the nodes"
	case conditionOf(policy, "Available").Status != "True":
		return v1alpha1.PolicyPending, "NMState has not looked at it yet"
	}
	// Available outlives a change of the spec until NMState takes it up, and is also True when every matching node was
	// down and none was configured. The enactments know which generation reached a node.
	enactments, known := obs.enactments(policy.GetName())
	if !known {
		return v1alpha1.PolicyAvailable, ""
	}
	if slices.ContainsFunc(enactments, func(e *unstructured.Unstructured) bool { return applied(e, policy) }) {
		return v1alpha1.PolicyAvailable, ""
	}
	return v1alpha1.PolicyProgressing, "no node has applied its present form yet"
}

// applied says that the node of an enactment has applied the policy in its present form.
func applied(enactment, policy *unstructured.Unstructured) bool {
	return conditionOf(enactment, "Available").Status == "True" && number(enactment, "status", "policyGeneration") == policy.GetGeneration()
}

// busy says that NMState's admission would refuse a change of the policy's spec: it does so from the policy's creation
// until the policy has succeeded, failed or been ignored once, and again whenever it is being applied.
func busy(policy *unstructured.Unstructured) bool {
	reason := conditionOf(policy, "Available").Reason
	return reason == "" || reason == "ConfigurationProgressing"
}

// policyStep decides about the policy of one network: build it, keep it, or say why not.
func policyStep(w *v1alpha1.Wukong, n network, nets []network, obs *observed, settings Settings) step {
	existing := obs.policies[n.policy]
	if n.superseded != "" {
		return step{reason: "Removing", state: v1alpha1.PolicyPending, message: n.superseded}
	}
	if existing == nil {
		return newPolicyStep(w, n, nets, obs, settings)
	}

	stands := obs.nads[n.nad] != nil || used(obs, n.Name)
	if leaving := yields(n, obs, existing); leaving.reason != "" && !stands {
		leaving.state = v1alpha1.PolicyPending
		return leaving // withdrawn
	}
	if lost, winner := lostTo(n, obs, existing); winner != nil {
		return lostStep(lost, n, obs, existing, winner, stands)
	}
	desired := newPolicyFor(w, n, false)
	if n.preserves() {
		desired = keepCapture(desired, existing)
	}
	s := step{child: desired}
	s.state, s.message = policyState(obs, existing)
	s.concern = concern(w, n, obs, existing, settings)
	held := hold(existing)
	if !reflect.DeepEqual(held.Object["spec"], desired.Object["spec"]) {
		// A change can reach nodes that the policy has spared so far: a wider nodeSelector, a larger mtu.
		if refused := refusal(w, n, obs, settings); refused.reason != "" {
			refused.child, refused.state = held, s.state
			refused.message = fmt.Sprintf("policy %s is not changed: %s", n.policy, refused.message)
			return refused
		}
		switch {
		case busy(existing):
			s.message += "; a change of the policy waits until that is over"
		case s.state == v1alpha1.PolicyAvailable:
			s.state, s.message = v1alpha1.PolicyProgressing, "is being changed"
		}
	}
	if busy(existing) {
		s.child = held
	}
	switch s.state {
	case v1alpha1.PolicyAvailable:
		if s.message = lostBridge(w, n, obs, existing, settings); s.message != "" {
			s.reason, s.stuck = "BridgeLost", true
			break
		}
		s.ready = true
	case v1alpha1.PolicyDegraded:
		s.reason, s.stuck = "PolicyFailed", true
	case v1alpha1.PolicyIgnored:
		s.reason, s.stuck = "NoMatchingNode", true
	case v1alpha1.PolicyProgressing:
		s.reason = "PolicyProgressing"
	default:
		s.reason = "PolicyPending"
	}
	if contest := contested(n, obs, existing); s.ready && !stands && contest.reason != "" {
		contest.child, contest.state = s.child, s.state
		return contest
	}
	if !s.ready {
		s.message = fmt.Sprintf("policy %s: %s", n.policy, s.message)
		if s.concern != "" {
			s.message += "; " + s.concern
		}
	}
	return s
}

// lostStep decides about a policy that came second. While nothing stands on it, it had better never have been; else it is
// held, and the user has to decide.
func lostStep(lost step, n network, obs *observed, existing, winner *unstructured.Unstructured, stands bool) step {
	held := hold(existing)
	lost.child = held
	lost.state, _ = policyState(obs, existing)
	if stands {
		return lost
	}
	if enactments, known := obs.enactments(n.policy); known && len(enactments) == 0 {
		lost.child, lost.state = nil, v1alpha1.PolicyPending // NMState has not taken it up: nothing is on the nodes
		return lost
	}
	back := takenBack(existing, winner)
	switch {
	case back == nil || busy(existing) || occupant(obs, policyFeed(existing)) != "":
	case !reflect.DeepEqual(held.Object["spec"], back.Object["spec"]):
		lost.child = back
	case lost.state == v1alpha1.PolicyAvailable:
		lost.child = nil
	}
	return lost
}

// newPolicyStep decides whether a policy may come into being. This is the last moment to spare a node: what NMState is
// told it does.
func newPolicyStep(w *v1alpha1.Wukong, n network, nets []network, obs *observed, settings Settings) step {
	if conflict := policyConflict(n, nets, obs); conflict.reason != "" {
		conflict.state = v1alpha1.PolicyPending
		return conflict
	}
	if refused := refusal(w, n, obs, settings); refused.reason != "" {
		refused.state = v1alpha1.PolicyPending
		return refused
	}
	dhcp := settings.Preflight && preflight(w, n, obs).dhcp
	return step{
		child: newPolicyFor(w, n, dhcp), reason: "PolicyPending", state: v1alpha1.PolicyPending,
		message: fmt.Sprintf("policy %s is being created", n.policy),
	}
}

// refusal is what the look at the nodes says against a policy; the zero step where it says nothing, or where nobody looks.
func refusal(w *v1alpha1.Wukong, n network, obs *observed, settings Settings) step {
	if !settings.Preflight {
		return step{}
	}
	result := preflight(w, n, obs)
	if result.ok {
		return step{}
	}
	return step{reason: result.reason, message: result.message, stuck: result.reason == "PreflightRefused"}
}

package bridges

import (
	"fmt"
	"slices"

	"novasphere.dev/wukong/sync/facts"
	"novasphere.dev/wukong/sync/outcome"
	"novasphere.dev/wukong/types/v1alpha1"
)

// progress is how far NMState is with a policy. The message is for the user; it is empty where the policy is Available.
type progress struct {
	state, message string
	failed         []string // the nodes on which it failed for good
}

// progress is how far NMState is with an observed policy.
// The table in docs/decisions.md has its rows.
func (v *View) progress(p *facts.Policy) progress {
	found := v.failures(p)
	retried := len(found.retried) > 0 && len(found.failed) == 0
	switch {
	case p.Conditions.Of("Ignored").True():
		return waiting(v1alpha1.PolicyIgnored, "no node matches: correct highAvailability.nodeSelector, or label the nodes")
	case retried && !p.Conditions.Of("Available").True():
		// NMState calls the policy Degraded meanwhile, and has no condition at all between two tries. How often it has tried is not
		// said: each change of a status calls the hook again.
		return waiting(v1alpha1.PolicyProgressing, fmt.Sprintf("NMState failed on %s and tries again, five times at most",
			someNodes(nodesOf(found.retried))))
	case p.Conditions.Of("Degraded").True():
		return progress{v1alpha1.PolicyDegraded, found.message(p), nodesOf(found.failed)}
	case p.Conditions.Of("Progressing").True():
		return waiting(v1alpha1.PolicyProgressing, "NMState is configuring the nodes")
	case !p.Conditions.Of("Available").True():
		return waiting(v1alpha1.PolicyPending, "NMState has not looked at it yet")
	}
	// Available stays True after a change of the spec until NMState starts on the change. It is also True when every
	// matching node was down and none was configured. The enactments tell which generation reached a node.
	applied := func(e *facts.Enactment) bool { return e.Applied(p) }
	if v.Related.Enactments.Sent && !slices.ContainsFunc(v.enactments[p.Key], applied) {
		return waiting(v1alpha1.PolicyProgressing, "no node has applied its present form yet")
	}
	return progress{state: v1alpha1.PolicyAvailable}
}

func waiting(state, message string) progress {
	return progress{state: state, message: message}
}

// changing is the progress to report for a policy whose spec is being changed.
func (s progress) changing(p *facts.Policy) progress {
	switch {
	case p.Busy():
		s.message += "; a change of the policy waits until that is over"
	case s.state == v1alpha1.PolicyAvailable:
		return waiting(v1alpha1.PolicyProgressing, "is being changed")
	}
	return s
}

// refusal is why the attachments and machines on a policy's bridge may not be created yet; nil where the policy is
// available.
func (s progress) refusal() *outcome.Refusal {
	switch s.state {
	case v1alpha1.PolicyAvailable:
		return nil
	case v1alpha1.PolicyDegraded:
		return &outcome.Refusal{Reason: v1alpha1.ReasonPolicyFailed, Message: s.message, Stuck: true}
	case v1alpha1.PolicyIgnored:
		return &outcome.Refusal{Reason: v1alpha1.ReasonNoMatchingNode, Message: s.message, Stuck: true}
	case v1alpha1.PolicyProgressing:
		return &outcome.Refusal{Reason: v1alpha1.ReasonPolicyProgressing, Message: s.message}
	default:
		return &outcome.Refusal{Reason: v1alpha1.ReasonPolicyPending, Message: s.message}
	}
}

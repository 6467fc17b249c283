package bridges

import (
	"fmt"
	"slices"
	"strings"

	"novasphere.dev/wukong/sync/facts"
	"novasphere.dev/wukong/sync/outcome"
	"novasphere.dev/wukong/types/v1alpha1"
)

// progress is how far NMState is with a policy. The message is for the user; it is empty where the policy is Available.
type progress struct {
	state, message string
}

// progress is how far NMState is with an observed policy.
func (v *View) progress(p *facts.Policy) progress {
	switch {
	case p.Conditions.Of("Degraded").True():
		return progress{v1alpha1.PolicyDegraded, v.failure(p)}
	case p.Conditions.Of("Ignored").True():
		return progress{v1alpha1.PolicyIgnored, "no node matches: correct highAvailability.nodeSelector, or label the nodes"}
	case p.Conditions.Of("Progressing").True():
		return progress{v1alpha1.PolicyProgressing, "NMState is configuring the nodes"}
	case !p.Conditions.Of("Available").True():
		return progress{v1alpha1.PolicyPending, "NMState has not looked at it yet"}
	}
	// Available stays True after a change of the spec until NMState starts on the change. It is also True when every
	// matching node was down and none was configured. The enactments tell which generation reached a node.
	applied := func(e *facts.Enactment) bool { return e.Applied(p) }
	if v.Related.Enactments.Sent && !slices.ContainsFunc(v.enactments[p.Key], applied) {
		return progress{v1alpha1.PolicyProgressing, "no node has applied its present form yet"}
	}
	return progress{state: v1alpha1.PolicyAvailable}
}

// changing is the progress to report for a policy whose spec is being changed.
func (s progress) changing(p *facts.Policy) progress {
	switch {
	case p.Busy():
		s.message += "; a change of the policy waits until that is over"
	case s.state == v1alpha1.PolicyAvailable:
		return progress{v1alpha1.PolicyProgressing, "is being changed"}
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

// failureLength is how many characters of NMState's error a message carries. The whole error is in the enactment.
const failureLength = 300

// failure is the message that says on which node a policy failed and why, in one line. The policy itself only counts
// nodes; the enactment of the node has the error.
func (v *View) failure(p *facts.Policy) string {
	for _, e := range v.enactments[p.Key] {
		if c := e.Conditions.Of("Failing"); c.True() {
			return fmt.Sprintf("node %s failed: %s; correct the node or the network, or leave the node out by highAvailability.nodeSelector",
				e.Node, usefulLine(c.Message))
		}
	}
	message := usefulLine(p.Conditions.Of("Degraded").Message)
	if message == "" {
		message = "NMState could not configure the nodes"
	}
	return fmt.Sprintf("%s; see `kubectl get nnce -l nmstate.io/policy=%s`, or leave a bad node out by highAvailability.nodeSelector",
		message, p.Name)
}

// usefulLine is the one line in NMState's many lines of log and desired state that says what went wrong: the last that
// mentions an error, else the last of all.
func usefulLine(message string) string {
	last, useful := "", ""
	for line := range strings.Lines(message) {
		line = strings.Join(strings.Fields(line), " ")
		if line == "" {
			continue
		}
		last = line
		if strings.Contains(line, "NmstateError") || strings.Contains(line, "ERROR") {
			useful = line
		}
	}
	if useful == "" {
		useful = last
	}
	if at := strings.Index(useful, "NmstateError"); at >= 0 {
		useful = useful[at:] // without the time and the module before it
	}
	if runes := []rune(useful); len(runes) > failureLength {
		useful = string(runes[:failureLength]) + "…"
	}
	return useful
}

package sync

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// failureLength is how much of NMState's error a message carries. The whole error is in the enactment.
const failureLength = 300

// failure says, in one line, on which node a policy failed and why. The policy itself only counts nodes; the reason is in
// the enactment of the node.
func failure(obs *observed, policy *unstructured.Unstructured) string {
	enactments, _ := obs.enactments(policy.GetName())
	for _, e := range enactments {
		c := conditionOf(e, "Failing")
		if c.Status != "True" {
			continue
		}
		return fmt.Sprintf("node %s failed: %s; correct the node or the network, or leave the node out by highAvailability.nodeSelector", enactmentNode(e), usefulLine(c.Message))
	}
	message := usefulLine(conditionOf(policy, "Degraded").Message)
	if message == "" {
		message = "NMState could not configure the nodes"
	}
	return fmt.Sprintf("%s; see `kubectl get nnce -l nmstate.io/policy=%s`, or leave a bad node out by highAvailability.nodeSelector", message, policy.GetName())
}

func enactmentNode(e *unstructured.Unstructured) string {
	if node := e.GetLabels()["nmstate.io/node"]; node != "" {
		return node
	}
	node, _, _ := strings.Cut(e.GetName(), ".")
	return node
}

// usefulLine finds, in NMState's many lines of log and desired state, the one that says what went wrong: the last that
// speaks of an error, or else the last at all.
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

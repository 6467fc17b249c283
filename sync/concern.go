package sync

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/types/v1alpha1"
)

// concern is what a look at the nodes says about those that have not applied a policy that exists, or "". NMState applies it
// on every node that joins, asked or not: nobody can hold it back, but the user can know.
func concern(w *v1alpha1.Wukong, n network, obs *observed, existing *unstructured.Unstructured, settings Settings) string {
	enactments, known := obs.enactments(n.policy)
	if !settings.Preflight || !known {
		return ""
	}
	ours := ownBridges(w)
	for _, node := range reached(w, obs) {
		s := nodeState{node.GetName(), value(obs.relatedObject(stateKind, node.GetName()), "status", "currentState")}
		if value(s.current, "interfaces") == nil || appliedOn(s.node, enactments, existing) != nil {
			continue
		}
		message := s.objection(n, ours)
		if message == "" && n.preserves() {
			var dhcp bool
			if dhcp, message = s.hostAddress(n); message == "" && dhcp != movesDHCP(existing) {
				message = fmt.Sprintf("node %s: %s", s.node, otherKind)
			}
		}
		if message != "" {
			return message + "; NMState applies the policy there all the same"
		}
	}
	return ""
}

// lostBridge says which node no longer has what it once had of an available policy, or "": a bridge that somebody has
// removed, or that has lost its uplink to another. NMState does not build it again by itself, and CNI's bridge plugin makes
// an isolated one for the next machine that comes there. What the node reports must be younger than what NMState did.
func lostBridge(w *v1alpha1.Wukong, n network, obs *observed, existing *unstructured.Unstructured, settings Settings) string {
	enactments, known := obs.enactments(n.policy)
	if !settings.Preflight || !known {
		return ""
	}
	for _, node := range reached(w, obs) {
		state := obs.relatedObject(stateKind, node.GetName())
		s := nodeState{node.GetName(), value(state, "status", "currentState")}
		enactment := appliedOn(s.node, enactments, existing)
		since := conditionOf(enactment, "Available").LastTransitionTime
		if value(s.current, "interfaces") == nil || since == "" || text(state, "status", "lastSuccessfulUpdateTime") <= since {
			continue
		}
		bridge := s.bridge(n.bridge)
		if bridge != nil && text(bridge, "type") == bridgeType(n.Type) && slices.ContainsFunc(items(bridge, "bridge", "port"), func(p map[string]any) bool { return text(p, "name") == n.uplink }) {
			continue
		}
		what := "bridge " + n.bridge
		if bridge != nil {
			what = fmt.Sprintf("port %s of bridge %s", n.uplink, n.bridge)
		}
		return fmt.Sprintf("node %s has lost %s", s.node, what)
	}
	return ""
}

// appliedOn is the enactment by which a node has applied a policy in its present form, or nil.
func appliedOn(node string, enactments []*unstructured.Unstructured, policy *unstructured.Unstructured) *unstructured.Unstructured {
	i := slices.IndexFunc(enactments, func(e *unstructured.Unstructured) bool { return enactmentNode(e) == node && applied(e, policy) })
	if i < 0 {
		return nil
	}
	return enactments[i]
}

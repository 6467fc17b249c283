package sync

import (
	"fmt"
	"reflect"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/types/v1alpha1"
)

// policyStep decides about the policy of one network: build it, keep it, or say why not.
func policyStep(w *v1alpha1.Wukong, n network, nets []network, obs *observed, settings Settings, now time.Time) step {
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
		return lostStep(lost, n, nets, obs, existing, winner, stands, settings, now)
	}
	if madeAs(existing).marked && !stands {
		// It was leaving, and is wanted again: nothing stands on it, so it had better begin anew.
		return step{reason: "Removing", state: v1alpha1.PolicyPending, message: fmt.Sprintf("policy %s was leaving, and is made again", n.policy)}
	}
	desired := newPolicyFor(w, n, false)
	if n.preserves() {
		desired = keepCapture(desired, existing)
	}
	s := step{child: desired}
	s.state, s.message = policyState(obs, existing)
	s.concern = concern(w, n, obs, existing, settings)
	if f := policyFeed(existing); f.preserves && f.mtu != int64(n.MTU) {
		s.concern = fmt.Sprintf("bridge %s keeps its mtu %d (0 is unset), because NMState lets nobody change a policy that moves a node's address: `kubectl delete nncp %s` has it made again", n.bridge, f.mtu, n.policy)
	}
	held := hold(existing)
	if !reflect.DeepEqual(held.Object["spec"], desired.Object["spec"]) {
		// A change can reach nodes that the policy has spared so far: a wider nodeSelector, a larger mtu.
		if refused := refusal(w, n, obs, settings, existing); refused.reason != "" {
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
		s.ready = true
		if lost := lostBridge(w, n, obs, existing, settings); lost != "" {
			if s = lostBridgeStep(s, w, n, nets, obs, settings, lost, stands); s.child == nil {
				return s
			}
		}
	case v1alpha1.PolicyDegraded:
		s.reason, s.stuck = "PolicyFailed", true
	case v1alpha1.PolicyIgnored:
		s.reason, s.stuck = "NoMatchingNode", true
	case v1alpha1.PolicyProgressing:
		s.reason = "PolicyProgressing"
	default:
		s.reason = "PolicyPending"
	}
	if contest := contested(n, obs, existing); contest.reason != "" && (s.ready && !stands || s.reason == "BridgeLost") {
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

// lostBridgeStep decides about an available policy of which a node has lost something. Having it built again is the user's to
// say, who is told what would come of it: of a node that never reports what NMState has built there it would never end. But
// where it could not be built again, and nothing stands on it, it is withdrawn, because NMState would try at any time.
func lostBridgeStep(s step, w *v1alpha1.Wukong, n network, nets []network, obs *observed, settings Settings, lost string, stands bool) step {
	again := newPolicyStep(w, n, nets, obs, settings)
	if again.child == nil && !stands {
		return again
	}
	s.ready, s.stuck, s.reason = false, true, "BridgeLost"
	if again.child == nil {
		s.message = lost + "; it could not be built again as things are: " + again.message
	} else {
		s.message = fmt.Sprintf("%s: `kubectl delete nncp %s` makes NMState build it again, and nothing else is touched", lost, n.policy)
	}
	return s
}

// lostStep decides about a policy that came second. While nothing stands on it, it had better never have been; else it is
// held, and the user has to decide.
func lostStep(lost step, n network, nets []network, obs *observed, existing, winner *unstructured.Unstructured, stands bool, settings Settings, now time.Time) step {
	lost.child = hold(existing)
	lost.state, _ = policyState(obs, existing)
	enactments, known := obs.enactments(n.policy)
	switch {
	case stands:
		annotate(lost.child, annotationRemoving, "") // it may have been leaving before that was seen
	case lost.state == v1alpha1.PolicyPending && known && len(enactments) == 0:
		lost.child = nil // NMState has not taken it up: nothing is on the nodes
	case givable(existing, winner):
		wanted := wantedNames(nets)
		for _, sibling := range nets { // what shares the bridge has lost it as well
			if sibling.bridge == n.bridge && obs.nads[sibling.nad] == nil && !used(obs, sibling.Name) {
				delete(wanted, sibling.policy)
			}
		}
		leaving, note := teardown(obs, existing, winner, wanted, settings, now)
		lost.child, lost.note = leaving.child, note
		if leaving.message != "" {
			lost.message += "; " + leaving.message
		}
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
	if refused := refusal(w, n, obs, settings, nil); refused.reason != "" {
		refused.state = v1alpha1.PolicyPending
		return refused
	}
	dhcp := settings.Preflight && preflight(w, n, obs).dhcp
	return step{
		child: newPolicyFor(w, n, dhcp), reason: "PolicyPending", state: v1alpha1.PolicyPending,
		message: fmt.Sprintf("policy %s is being created", n.policy),
	}
}

// refusal is what the look at the nodes says against a policy, or against a change of one that exists; the zero step where it
// says nothing, or where nobody looks.
func refusal(w *v1alpha1.Wukong, n network, obs *observed, settings Settings, existing *unstructured.Unstructured) step {
	if !settings.Preflight {
		return step{}
	}
	result := preflight(w, n, obs)
	if result.ok && existing != nil && n.preserves() && result.looked && result.dhcp != movesDHCP(existing) {
		result = refuses(otherKind)
	}
	if result.ok {
		return step{}
	}
	return step{reason: result.reason, message: result.message, stuck: result.reason == "PreflightRefused"}
}

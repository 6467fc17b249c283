package sync

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"novasphere.dev/wukong/types/v1alpha1"
)

// What becomes of policies that exist and do not go together. Each was decided about before it could see the other.

// yields says that an observed policy came to a bridge which an older one is taking off the nodes: each was decided about
// before it could see the other. While nothing stands on it, it had better begin again when that is done, because NMState
// would not build the bridge a second time for it. The zero step where there is no such policy.
func yields(n network, obs *observed, existing *unstructured.Unstructured) step {
	for _, other := range foreignPolicies(obs) {
		if !precedes(other, existing) || policyFeed(other).bridge != n.bridge {
			continue
		}
		if conflict := conflictWith(n, other, obs); conflict.reason == "Removing" {
			return conflict
		}
	}
	return step{}
}

// lostTo says that an observed policy came after one that it conflicts with, and which: two that are created at the same
// time do not see each other. The older stays, or of two that are equally old the first by name. One that shares our bridge
// and is older still speaks for us. The zero step where there is none.
func lostTo(n network, obs *observed, existing *unstructured.Unstructured) (step, *unstructured.Unstructured) {
	others := foreignPolicies(obs)
	for _, other := range others {
		if !precedes(other, existing) {
			continue
		}
		if slices.ContainsFunc(others, func(ally *unstructured.Unstructured) bool { return precedes(ally, other) && feeds(n, policyFeed(ally)) }) {
			continue
		}
		if conflict := conflictWith(n, other, obs); conflict.stuck {
			return conflict, other
		}
	}
	return step{}, nil
}

// contested says that a younger policy conflicts with an observed one: whose bridge has the uplink now depends on which of
// the two NMState applied last. The zero step where there is none.
func contested(n network, obs *observed, existing *unstructured.Unstructured) step {
	for _, other := range foreignPolicies(obs) {
		f := policyFeed(other)
		if precedes(other, existing) || f.bridge != n.bridge && f.uplink != n.uplink || feeds(n, f) {
			continue
		}
		return step{reason: "Conflict", stuck: !madeAs(other).marked, message: fmt.Sprintf(
			"policy %s of %s came at the same time and feeds bridge %s by %s: that has to leave first", other.GetName(), owner(other), f.bridge, f.uplink)}
	}
	return step{}
}

// winnerOver is the policy that an observed one of ours has to give its uplink back to, or nil: it came second, and NMState
// may have taken the uplink from the other's bridge since, whose policy it would not apply again by itself.
func winnerOver(obs *observed, existing *unstructured.Unstructured) *unstructured.Unstructured {
	was, f := madeAs(existing), policyFeed(existing)
	n := network{Network: v1alpha1.Network{Type: was.kind, MTU: int32(f.mtu), PreserveHostIP: &was.preserves}, bridge: was.bridge, uplink: was.uplink, nic: was.nic} //nolint:gosec // an MTU
	_, winner := lostTo(n, obs, existing)
	if winner == nil || !givable(existing, winner) {
		return nil
	}
	return winner
}

// givable says that one policy can put another's bridge in its old state: both are the hook's, reach the same nodes, and move
// no address. A bridge that would change its type under its name is none: Metacontroller merges interfaces by their names.
func givable(existing, winner *unstructured.Unstructured) bool {
	lost, won := policyFeed(existing), policyFeed(winner)
	was := madeAs(existing)
	return ownedByWukong(winner) && !lost.preserves && !won.preserves &&
		(was.bridge != won.bridge || bridgeType(was.kind) == won.kind) &&
		reflect.DeepEqual(value(hold(existing), "spec", "nodeSelector"), value(winner, "spec", "nodeSelector"))
}

// takenBack is the policy of a network that came second, when NMState has it on the nodes already: it takes its bridge off
// the nodes again, and puts the winner's in its old state.
func takenBack(obs *observed, existing, winner *unstructured.Unstructured) *unstructured.Unstructured {
	back := hold(existing)
	var interfaces []any
	kept := map[string]bool{}
	for _, i := range items(winner, "spec", "desiredState", "interfaces") {
		interfaces = append(interfaces, runtime.DeepCopyJSON(i))
		kept[text(i, "name")] = true
	}
	was := madeAs(existing)
	if !kept[was.uplink] && was.uplink != policyFeed(winner).uplink && !uplinkTaken(obs, existing, was.bridge, was.uplink) {
		interfaces = append(interfaces, released(was.uplink, was.nic))
	}
	if !kept[was.bridge] {
		interfaces = append(interfaces, map[string]any{"name": was.bridge, "type": bridgeType(was.kind), "state": "absent"})
	}
	spec := map[string]any{"desiredState": map[string]any{"interfaces": interfaces}}
	if selector := value(back, "spec", "nodeSelector"); selector != nil {
		spec["nodeSelector"] = selector
	}
	back.Object["spec"] = spec
	return back
}

// uplinkTaken says that the uplink of a bridge that leaves feeds another one, by a policy or on a node.
func uplinkTaken(obs *observed, existing *unstructured.Unstructured, bridge, uplink string) bool {
	policies := append(slices.Collect(maps.Values(obs.policies)), foreignPolicies(obs)...)
	return slices.ContainsFunc(policies, func(p *unstructured.Unstructured) bool {
		f := policyFeed(p)
		return p.GetName() != existing.GetName() && f.uplink == uplink && f.bridge != bridge && !f.absent
	}) || slices.ContainsFunc(obs.relatedObjects(stateKind), func(state *unstructured.Unstructured) bool {
		s := nodeState{state.GetName(), value(state, "status", "currentState")}
		controller := text(s.iface(uplink), "controller")
		return reaches(obs, existing, s.node) && controller != "" && controller != bridge
	})
}

// precedes says that a came before b, or of two that are equally old is the first by name.
func precedes(a, b metav1.Object) bool {
	x, y := a.GetCreationTimestamp(), b.GetCreationTimestamp()
	if x.Equal(&y) {
		return a.GetName() < b.GetName()
	}
	return x.Before(&y)
}

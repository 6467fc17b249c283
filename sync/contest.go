package sync

import (
	"fmt"
	"reflect"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
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
// time do not see each other. The older stays, or of two that are equally old the first by name. The zero step where there
// is none.
func lostTo(n network, obs *observed, existing *unstructured.Unstructured) (step, *unstructured.Unstructured) {
	for _, other := range foreignPolicies(obs) {
		if !precedes(other, existing) {
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
		return step{reason: "Conflict", stuck: !f.absent, message: fmt.Sprintf(
			"policy %s of %s came at the same time and feeds bridge %s by %s: that has to leave first", other.GetName(), owner(other), f.bridge, f.uplink)}
	}
	return step{}
}

// takenBack is the policy of a network that came second, when NMState has it on the nodes already and nothing stands on
// it: it takes its bridge off the nodes again, and puts the winner's in its old state, of which NMState may have taken the
// uplink away. nil where that cannot be said in one policy: where the two reach different nodes, or move a node's address, or
// where the winner is none that this hook made.
func takenBack(existing, winner *unstructured.Unstructured) *unstructured.Unstructured {
	back := hold(existing)
	selector := value(back, "spec", "nodeSelector")
	if lost, won := policyFeed(existing), policyFeed(winner); !ownedByWukong(winner) || lost.preserves || won.preserves || !reflect.DeepEqual(selector, value(winner, "spec", "nodeSelector")) {
		return nil
	}
	var interfaces []any
	kept := map[string]bool{}
	for _, i := range items(winner, "spec", "desiredState", "interfaces") {
		interfaces = append(interfaces, runtime.DeepCopyJSON(i))
		kept[text(i, "name")] = true
	}
	was := madeAs(existing)
	if was.uplink != was.nic && !kept[was.uplink] {
		interfaces = append(interfaces, map[string]any{"name": was.uplink, "type": "vlan", "state": "absent"})
	}
	if !kept[was.bridge] {
		interfaces = append(interfaces, map[string]any{"name": was.bridge, "type": bridgeType(was.kind), "state": "absent"})
	}
	spec := map[string]any{"desiredState": map[string]any{"interfaces": interfaces}}
	if selector != nil {
		spec["nodeSelector"] = selector
	}
	back.Object["spec"] = spec
	return back
}

// precedes says that a came before b, or of two that are equally old is the first by name.
func precedes(a, b metav1.Object) bool {
	x, y := a.GetCreationTimestamp(), b.GetCreationTimestamp()
	if x.Equal(&y) {
		return a.GetName() < b.GetName()
	}
	return x.Before(&y)
}

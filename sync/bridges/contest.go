package bridges

import (
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	kjson "sigs.k8s.io/json"

	"novasphere.dev/wukong/sync/facts"
	"novasphere.dev/wukong/sync/hold"
	"novasphere.dev/wukong/sync/node"
	"novasphere.dev/wukong/sync/outcome"
	"novasphere.dev/wukong/types/v1alpha1"
)

// What becomes of policies that exist and do not go together. Each was decided about before it could see the other.

// yields is why an observed policy begins again later: an older one is taking the same bridge off the nodes, and NMState would
// not build the bridge a second time for this one. nil where there is no such policy.
func (v *View) yields(b node.Bridge, existing *facts.Policy) *outcome.Refusal {
	for p := range v.meeting(b) {
		if p.Says.Name == b.Name && (p.Absent || p.Marked()) && p.Precedes(existing.Object) {
			return v.conflictWith(b, p)
		}
	}
	return nil
}

// lostTo says that an observed policy came after one that it conflicts with, and which. Of two the older stays, or where both are
// equally old the first by name. One that shares the bridge and is older still speaks for this one too. Both are nil where
// there is no such policy.
func (v *View) lostTo(b node.Bridge, existing *facts.Policy) (lost *outcome.Refusal, winner *facts.Policy) {
	ally := v.eldestAlly(b)
	for p := range v.meeting(b) {
		if !p.Precedes(existing.Object) || ally != nil && ally.Precedes(p.Object) {
			continue
		}
		if conflict := v.conflictWith(b, p); conflict != nil && conflict.Stuck {
			return conflict, p
		}
	}
	return nil, nil
}

// contested is about a younger policy that conflicts with an observed one: whose bridge has the uplink now depends on which of
// the two NMState applied last. nil where there is none.
func (v *View) contested(b node.Bridge, existing *facts.Policy) *outcome.Refusal {
	for p := range v.meeting(b) {
		if p.Precedes(existing.Object) || b.Feeds(p.Says) {
			continue
		}
		return &outcome.Refusal{Reason: v1alpha1.ReasonConflict, Stuck: !p.Marked(), Message: fmt.Sprintf(
			"policy %s of %s came at the same time and feeds bridge %s by %s: that has to leave first", p.Name, p.Owner, p.Says.Name, p.Says.Uplink)}
	}
	return nil
}

// winnerOver is the policy that an observed one of the owner's has to give its uplink back to, or nil: this one came second, and
// NMState may have taken the uplink from the other's bridge since. NMState would not apply the other by itself again.
func (v *View) winnerOver(existing *facts.Policy) *facts.Policy {
	made := existing.Made()
	made.MTU = existing.Says.MTU
	_, winner := v.lostTo(made, existing)
	if winner == nil || !givable(existing, winner) {
		return nil
	}
	return winner
}

// givable reports whether one policy can put another's bridge in its old state: both are the hook's, reach the same nodes, and
// move no address. A bridge that would change its kind under its name is none: Metacontroller merges interfaces by their names.
func givable(existing, winner *facts.Policy) bool {
	made := existing.Made()
	return ownedByWukong(&winner.Object) && !existing.Says.Preserves && !winner.Says.Preserves &&
		(made.Name != winner.Says.Name || made.Kind == winner.Says.Kind) &&
		maps.Equal(nodeSelector(hold.Policy(existing)), winner.NodeSelector)
}

// ownedByWukong reports whether a Wukong controls an object.
func ownedByWukong(o *facts.Object) bool {
	return o.Owner.Controller && o.Owner.Kind == v1alpha1.Kind && o.Owner.APIVersion == v1alpha1.APIVersion
}

// nodeSelector is the nodeSelector in an answer.
func nodeSelector(answer *unstructured.Unstructured) map[string]string {
	found, _, _ := unstructured.NestedStringMap(answer.Object, "spec", "nodeSelector")
	return found
}

// takenBack is the policy of a bridge that came second, when NMState has it on the nodes already: it takes its bridge off the
// nodes again, and puts the winner's in its old state.
func (v *View) takenBack(existing, winner *facts.Policy) *unstructured.Unstructured {
	var restored []any
	kept := map[string]bool{}
	var before []any
	if err := kjson.UnmarshalCaseSensitivePreserveInts(winner.Interfaces, &before); err == nil {
		for _, item := range before {
			if i, ok := item.(map[string]any); ok {
				restored = append(restored, runtime.DeepCopyJSON(i))
				name, _ := i["name"].(string)
				kept[name] = true
			}
		}
	}
	made := existing.Made()
	if !kept[made.Uplink] && made.Uplink != winner.Says.Uplink && !v.uplinkTaken(existing, made) {
		restored = append(restored, released(made))
	}
	if !kept[made.Name] {
		restored = append(restored, map[string]any{"name": made.Name, "type": made.Kind, "state": "absent"})
	}
	return rewritten(existing, restored)
}

// uplinkTaken reports whether the uplink of a bridge that leaves feeds another one, by a policy or on a node.
func (v *View) uplinkTaken(existing *facts.Policy, b node.Bridge) bool {
	takes := func(p *facts.Policy) bool { return p.Name != existing.Name && b.Takes(p.Says) && !p.Absent }
	return slices.ContainsFunc(v.Policies.All(), takes) || slices.ContainsFunc(v.others, takes) ||
		slices.ContainsFunc(v.Related.States.All(), func(s *node.State) bool { return v.reaches(existing, s.Node) && s.FeedsAnother(b) })
}

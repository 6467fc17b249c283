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

// Here both of two conflicting policies exist: each was created before the other could be seen.

// waitsForRemoval is the refusal of an observed policy because an older policy is taking the same bridge off the nodes;
// nil where there is none. After that removal NMState would not build the bridge again for the observed policy, so this
// one is deleted and created again later.
func (v *View) waitsForRemoval(b node.Bridge, existing *facts.Policy) *outcome.Refusal {
	for p := range v.meeting(b) {
		if p.Says.Name == b.Name && (p.Absent || p.Marked()) && p.Precedes(existing.Object) {
			return v.conflictWith(b, p)
		}
	}
	return nil
}

// lostTo is the policy that an observed policy loses to, and the conflict with it; both are nil where there is none.
// The older policy wins; of two that are equally old, the first by name. A policy does not lose while another policy
// that shares its bridge is older than the rival.
// The table in docs/decisions.md has its rows.
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

// youngerRival is the refusal of an observed policy because a younger policy conflicts with it; nil where there is
// none. Which of the two bridges has the uplink depends on which policy NMState applied last.
func (v *View) youngerRival(b node.Bridge, existing *facts.Policy) *outcome.Refusal {
	for p := range v.meeting(b) {
		if p.Precedes(existing.Object) || b.Feeds(p.Says) {
			continue
		}
		return &outcome.Refusal{Reason: v1alpha1.ReasonConflict, Stuck: !p.Marked(), Message: fmt.Sprintf(
			"policy %s of %s came at the same time and has %s in bridge %s: that has to leave first", p.Name, p.Owner, p.Says.Uplink, p.Says.Name)}
	}
	return nil
}

// winnerOver is the policy whose bridge an observed policy of the owner has to restore when it leaves; nil where there
// is none. The observed policy has lost, and NMState may have given it the winner's uplink. NMState does not apply the
// winner again by itself.
// The table in docs/decisions.md has its rows.
func (v *View) winnerOver(existing *facts.Policy) *facts.Policy {
	made, _ := hold.MadePolicy(existing)
	made.MTU = existing.Says.MTU
	_, winner := v.lostTo(made, existing)
	if winner == nil || !restorable(existing, winner) {
		return nil
	}
	return winner
}

// restorable reports whether a policy that has lost can restore the bridge of the winner. Both must be the hook's,
// select the same nodes, and move no address. A bridge whose kind differs under the same name cannot be restored:
// Metacontroller merges interfaces by their names.
func restorable(existing, winner *facts.Policy) bool {
	made, _ := hold.MadePolicy(existing)
	return ownedByWukong(&winner.Object) && !existing.Says.Preserves && !winner.Says.Preserves &&
		(made.Name != winner.Says.Name || made.Kind == winner.Says.Kind) &&
		maps.Equal(nodeSelector(hold.Policy(existing)), winner.NodeSelector)
}

// ownedByWukong reports whether a Wukong or a WukongNetwork controls an object.
func ownedByWukong(o *facts.Object) bool {
	ours := o.Owner.Kind == v1alpha1.Kind || o.Owner.Kind == v1alpha1.NetworkKind
	return o.Owner.Controller && ours && o.Owner.APIVersion == v1alpha1.APIVersion
}

// nodeSelector is the nodeSelector of an answered policy.
func nodeSelector(answer *unstructured.Unstructured) map[string]string {
	found, _, _ := unstructured.NestedStringMap(answer.Object, "spec", "nodeSelector")
	return found
}

// restoring is the form of a policy that has lost in which NMState removes its bridge from the nodes and gives the
// winner's bridge what it had.
func (v *View) restoring(existing, winner *facts.Policy) *unstructured.Unstructured {
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
	made, _ := hold.MadePolicy(existing)
	if made.Uplink != "" && !kept[made.Uplink] && made.Uplink != winner.Says.Uplink && !v.uplinkTaken(existing, made) {
		restored = append(restored, released(made))
	}
	if !kept[made.Name] {
		restored = append(restored, map[string]any{"name": made.Name, "type": made.Kind, "state": "absent"})
	}
	return rewritten(existing, restored)
}

// uplinkTaken reports whether the uplink of a bridge that leaves feeds another bridge, by a policy or on a node.
func (v *View) uplinkTaken(existing *facts.Policy, b node.Bridge) bool {
	takes := func(p *facts.Policy) bool { return p.Name != existing.Name && b.Takes(p.Says) && !p.Absent }
	return slices.ContainsFunc(v.Policies.All(), takes) || slices.ContainsFunc(v.others, takes) ||
		slices.ContainsFunc(v.nodes, func(n *seenNode) bool { return n.state != nil && v.reaches(existing, n) && n.state.FeedsAnother(b) })
}

package bridges

import (
	"fmt"
	"reflect"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/sync/facts"
	"novasphere.dev/wukong/sync/hold"
	"novasphere.dev/wukong/sync/node"
	"novasphere.dev/wukong/sync/outcome"
	"novasphere.dev/wukong/types/v1alpha1"
)

// Leave decides about a policy that nothing wants any more: it may go where the outcome has no child. staying are the owner's
// policies that do not leave. NMState leaves the nodes as they are when a policy goes, so with reclaimPolicy Delete the policy is
// first marked as leaving, then rewritten to remove the bridge, and goes when that is done.
//
// The mark comes first, and what the bridge stands for is decided when the mark is seen: a cache that shows the mark shows also what
// was created before it, and whoever comes later sees the mark and waits. Its time is what the removal's patience counts from.
//
// The outcome has a note where the bridge is kept against the reclaim policy, or its removal was given up.
func (v *View) Leave(existing *facts.Policy, staying map[string]bool) Outcome {
	return v.leave(existing, v.winnerOver(existing), staying)
}

func (v *View) leave(existing, winner *facts.Policy, staying map[string]bool) Outcome {
	says := existing.Says
	if existing.Deleting || !existing.Absent && winner == nil && !v.Reclaimed[existing.Key] || says.Preserves || says.Name == "" {
		return Outcome{} // the nodes keep the bridge, or have none
	}
	if !existing.Absent && !v.askedFor(existing) {
		return gone("policy %s: bridge %s stays on the nodes, because who else uses it cannot be seen", existing.Name, says.Name)
	}
	since, marked := removingSince(existing, v.Now)
	if !marked {
		// NMState takes a change of the metadata also while it is at work.
		marking := hold.Policy(existing)
		hold.Annotate(marking, facts.AnnotationRemoving, v.Now.UTC().Format(time.RFC3339))
		return stays(marking, "policy %s is leaving bridge %s", existing.Name, says.Name)
	}
	o := v.remove(existing, winner, staying)
	if o.Child == nil {
		return o
	}
	if last := v.lastMove(existing); last.After(since) {
		since = last
	}
	if v.Now.Sub(since) > v.TeardownTimeout {
		return gone("policy %s: gave up removing bridge %s, nothing has moved for %s: the nodes may keep it; %s",
			existing.Name, says.Name, v.TeardownTimeout, o.Message())
	}
	return o
}

// remove decides about a policy that is marked as leaving: it waits for whoever is on the bridge, takes the bridge off the nodes,
// and waits for that.
func (v *View) remove(existing, winner *facts.Policy, staying map[string]bool) Outcome {
	name, bridge := existing.Name, existing.Says.Name
	removal := v.absent(existing)
	if winner != nil {
		removal = v.takenBack(existing, winner)
	}
	held := hold.Policy(existing)
	if existing.Absent || winner != nil && reflect.DeepEqual(held.Object["spec"], removal.Object["spec"]) {
		nmstate := v.progress(existing)
		if nmstate.state == v1alpha1.PolicyAvailable || nmstate.state == v1alpha1.PolicyIgnored {
			return Outcome{}
		}
		return stays(held, "policy %s is removing bridge %s: %s", name, bridge, nmstate.message)
	}
	if winner == nil || winner.Says.Name != bridge { // else the bridge stays, as the winner's
		if o, decided := v.waitForUsers(existing, staying); decided {
			return o
		}
	}
	if existing.Busy() {
		return stays(held, "policy %s is in progress: bridge %s is removed when that is over", name, bridge)
	}
	return stays(removal, "policy %s is taking off the nodes what it has made of bridge %s", name, bridge)
}

// waitForUsers decides about a policy whose bridge somebody else uses. decided is false where nobody does.
func (v *View) waitForUsers(existing *facts.Policy, staying map[string]bool) (o Outcome, decided bool) {
	name, bridge := existing.Name, existing.Says.Name
	user, peer := v.sharers(existing, staying)
	if user != "" {
		return gone("policy %s: bridge %s stays on the nodes, policy %s uses it", name, bridge, user), true
	}
	if peer != "" {
		return stays(hold.Policy(existing), "bridge %s is also that of policy %s: policy %s is decided about after it", bridge, peer, name), true
	}
	if occupant := v.occupant(existing); occupant != "" {
		return stays(hold.Policy(existing), "bridge %s is removed when nobody uses it: %s", bridge, occupant), true
	}
	return Outcome{}, false
}

// stays is the outcome for a policy that is still on its way.
func stays(child *unstructured.Unstructured, format string, args ...any) Outcome {
	return Outcome{Outcome: outcome.Outcome{Child: child, Refusal: &outcome.Refusal{
		Reason: v1alpha1.ReasonRemoving, Message: fmt.Sprintf(format, args...),
	}}}
}

// gone is the outcome for a policy that may go, with a line for the operator.
func gone(format string, args ...any) Outcome {
	return Outcome{Note: fmt.Sprintf(format, args...)}
}

// askedFor reports whether the policies of others on a policy's bridge would be among the related objects if there were any. Where
// the policy itself, which is on the bridge, was not sent either, nothing can be told from the silence about others.
func (v *View) askedFor(existing *facts.Policy) bool {
	return v.Related.Policies.Get(existing.Key) != nil && v.Asked[existing.Says.Name]
}

// removingSince is when the removal of a policy's bridge began. A mark that cannot be read, or that is of a time to come, is
// none: somebody's hand or clock wrote it, and it would be waited for for ever.
func removingSince(existing *facts.Policy, now time.Time) (since time.Time, marked bool) {
	since, err := time.Parse(time.RFC3339, existing.RemovingSince)
	return since, err == nil && since.Before(now.Add(time.Minute))
}

// absent is the policy that takes a bridge off the nodes again. A bridge does not take its port with it; a port that feeds
// another bridge by now is left alone.
func (v *View) absent(existing *facts.Policy) *unstructured.Unstructured {
	b := existing.Says
	removed := []any{map[string]any{"name": b.Name, "type": b.Kind, "state": "absent"}}
	if b.Uplink != "" && !v.uplinkTaken(existing, b) {
		removed = append(removed, released(b))
	}
	return rewritten(existing, removed)
}

// rewritten is a policy with other interfaces, and nothing else in its desired state.
func rewritten(existing *facts.Policy, changed []any) *unstructured.Unstructured {
	answer := hold.Policy(existing)
	spec := map[string]any{"desiredState": map[string]any{"interfaces": changed}}
	before, _ := answer.Object["spec"].(map[string]any)
	if selector := before["nodeSelector"]; selector != nil {
		spec["nodeSelector"] = selector
	}
	answer.Object["spec"] = spec
	return answer
}

// released is the uplink of a bridge that is none any more: a VLAN interface is removed by name. A NIC is never removed but
// brought up again, because losing its bridge leaves it down.
func released(b node.Bridge) map[string]any {
	if b.Tagged() {
		return map[string]any{"name": b.Uplink, "type": "vlan", "state": "absent"}
	}
	return map[string]any{"name": b.NIC, "state": "up"}
}

// lastMove is when NMState last changed a condition of the policy or of one of its enactments.
func (v *View) lastMove(p *facts.Policy) time.Time {
	last := p.Created
	move := func(conditions facts.Conditions) {
		for _, c := range conditions {
			if t, err := time.Parse(time.RFC3339, c.LastTransitionTime); err == nil && t.After(last) {
				last = t
			}
		}
	}
	move(p.Conditions)
	for _, e := range v.enactments[p.Key] {
		move(e.Conditions)
	}
	return last
}

// sharers are other policies on the same bridge: user is one that stays, of another owner or of this one. peer is one that leaves
// as well and comes later by name: of those that leave together the last removes the bridge, and the others wait for it.
func (v *View) sharers(existing *facts.Policy, staying map[string]bool) (user, peer string) {
	consider := func(p *facts.Policy, leaves bool) {
		switch {
		case p.Name == existing.Name || p.Says.Name != existing.Says.Name:
		case leaves && p.Name > existing.Name:
			peer = p.Name
		case !leaves && !p.Absent && !p.Deleting:
			user = p.Name
		}
	}
	for _, p := range v.Policies.All() {
		consider(p, !staying[p.Key])
	}
	for _, p := range v.others {
		consider(p, p.Marked())
	}
	return user, peer
}

// occupant is who would lose the network with a policy's bridge though no policy speaks of it, or "".
func (v *View) occupant(existing *facts.Policy) string {
	for _, s := range v.Related.States.All() {
		if !v.reaches(existing, s.Node) {
			continue
		}
		if occupant := s.Occupant(existing.Says); occupant != "" {
			return occupant
		}
	}
	return ""
}

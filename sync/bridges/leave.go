package bridges

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/sync/facts"
	"novasphere.dev/wukong/sync/hold"
	"novasphere.dev/wukong/sync/node"
	"novasphere.dev/wukong/sync/outcome"
	"novasphere.dev/wukong/types/v1alpha1"
)

// Leave decides about a policy that nothing wants any more. Without a child in the outcome, the policy is deleted.
// staying are the keys of the owner's policies that do not leave.
//
// When a policy is deleted, NMState leaves its bridge on the nodes. So reclaimPolicy Delete takes three steps: the
// policy is marked; then it is rewritten so that NMState removes the bridge; it is deleted when NMState is done.
//
// The mark comes first so that nobody starts to use the bridge unseen. Whoever comes later sees the mark and waits. And
// once the cache shows the mark, it also shows everything that was created before the mark, so whether the bridge is
// used is decided only then. TeardownTimeout counts from the time in the mark, or from NMState's last progress after
// that.
//
// The outcome has a note where the bridge stays although reclaimPolicy is Delete, or where its removal was given up.
func (v *View) Leave(existing *facts.Policy, staying map[string]bool) Outcome {
	return v.leave(existing, v.winnerOver(existing), staying)
}

// leave is Leave for a policy that has lost to winner; winner is nil for any other policy.
// The table in docs/decisions.md has its rows.
func (v *View) leave(existing, winner *facts.Policy, staying map[string]bool) Outcome {
	says := existing.Says
	if existing.Deleting || !existing.Absent && winner == nil && !v.Reclaimed[existing.Key] || says.Preserves || says.Name == "" {
		return Outcome{} // the nodes keep the bridge, or never had one
	}
	if !existing.Absent && !v.askedFor(existing) {
		return gone("policy %s: bridge %s stays on the nodes, because who else uses it cannot be seen", existing.Name, says.Name)
	}
	since, marked := removingSince(existing, v.Now)
	if !marked {
		// NMState's admission also accepts a change of the metadata while the policy is in progress.
		marking := hold.Policy(existing)
		hold.Annotate(marking, facts.AnnotationRemoving, v.Now.UTC().Format(time.RFC3339))
		return stays(marking, "policy %s is being withdrawn, bridge %s with it", existing.Name, says.Name)
	}
	o := v.remove(existing, winner, staying)
	if o.Child == nil {
		return o
	}
	if last := v.lastMove(existing); last.After(since) {
		since = last
	}
	if v.Now.Sub(since) > v.TeardownTimeout+v.untilTold() {
		return gone("policy %s: gave up removing bridge %s, nothing has moved for %s: the nodes may keep it; %s",
			existing.Name, says.Name, v.TeardownTimeout, o.Message())
	}
	return o
}

// remove decides about a marked policy: it waits until nobody uses the bridge, has NMState take the bridge off the
// nodes, and waits until NMState is done.
func (v *View) remove(existing, winner *facts.Policy, staying map[string]bool) Outcome {
	name, bridge := existing.Name, existing.Says.Name
	removal := v.removing(existing)
	if winner != nil {
		removal = v.restoring(existing, winner)
	}
	held := hold.Policy(existing)
	if existing.Absent || winner != nil && reflect.DeepEqual(held.Object["spec"], removal.Object["spec"]) {
		nmstate := v.progress(existing)
		if nmstate.state == v1alpha1.PolicyAvailable || nmstate.state == v1alpha1.PolicyIgnored {
			return Outcome{}
		}
		if nmstate.state == v1alpha1.PolicyDegraded {
			return staysFor(held, "policy %s cannot remove bridge %s: %s", name, bridge, nmstate.message)
		}
		return stays(held, "policy %s is removing bridge %s: %s", name, bridge, nmstate.message)
	}
	if winner == nil || winner.Says.Name != bridge { // else the winner has the bridge, and keeps it
		if o, decided := v.waitForUsers(existing, staying); decided {
			return o
		}
	}
	if existing.Busy() {
		return stays(held, "policy %s is in progress: bridge %s is removed when that is over", name, bridge)
	}
	return stays(removal, "policy %s is being undone on the nodes, bridge %s", name, bridge)
}

// waitForUsers decides about a policy whose bridge somebody else uses; decided is false where nobody does.
// The table in docs/decisions.md has its rows.
func (v *View) waitForUsers(existing *facts.Policy, staying map[string]bool) (o Outcome, decided bool) {
	name, bridge := existing.Name, existing.Says.Name
	user, peer := v.sharers(existing, staying)
	if user != "" {
		return gone("policy %s: bridge %s stays on the nodes, policy %s uses it", name, bridge, user), true
	}
	if peer != "" {
		return staysFor(hold.Policy(existing), "policy %[3]s waits for policy %[2]s of the same bridge %[1]s", bridge, peer, name), true
	}
	if v.Preflight && !v.seesNodes() {
		return staysFor(hold.Policy(existing), "bridge %s stays until it is seen that nobody uses it: "+
			"Metacontroller does not send the nodes", bridge), true
	}
	if occupant := v.occupant(existing); occupant != "" {
		o := stays(hold.Policy(existing), "bridge %s is removed when nobody uses it: %s", bridge, occupant)
		o.Concern = fmt.Sprintf("policy %s goes when nobody uses its bridge: %s", name, occupant)
		return o, true
	}
	if since, _ := removingSince(existing, v.Now); v.Now.Sub(since) < v.untilTold() {
		return stays(hold.Policy(existing), "bridge %s is removed when the nodes have had %s to tell who uses it", bridge, v.untilTold()), true
	}
	return Outcome{}, false
}

// untilTold is how long after a removal has begun the nodes may not yet have told who uses the bridge.
func (v *View) untilTold() time.Duration {
	if !v.Preflight || !v.Related.WukongNodes.Sent {
		return 0
	}
	return node.Gather(v.NodesGather).AtMost()
}

// stays is the outcome for a policy that has to exist a while longer.
func stays(child *unstructured.Unstructured, format string, args ...any) Outcome {
	return Outcome{Outcome: outcome.Outcome{Child: child, Refusal: &outcome.Refusal{
		Reason: v1alpha1.ReasonRemoving, Message: fmt.Sprintf(format, args...),
	}}}
}

// staysFor is the outcome for a policy that has to exist until something happens that the user should know of.
func staysFor(child *unstructured.Unstructured, format string, args ...any) Outcome {
	o := stays(child, format, args...)
	o.Concern = o.Message()
	return o
}

// gone is the outcome for a policy that may be deleted, with a line for the operator's log.
func gone(format string, args ...any) Outcome {
	return Outcome{Note: fmt.Sprintf(format, args...)}
}

// askedFor reports whether the related objects would have the other policies of a policy's bridge, if there are any.
// The policy itself must be among them: if it is not, the answer to the question is not there yet.
func (v *View) askedFor(existing *facts.Policy) bool {
	return v.Related.Policies.Get(existing.Key) != nil && v.Asked[existing.Says.Name]
}

// removingSince is when the removal of a policy's bridge began. A mark that is unreadable or in the future does not
// count: somebody edited it, or a clock was wrong, and the timeout would never end.
func removingSince(existing *facts.Policy, now time.Time) (since time.Time, marked bool) {
	since, err := time.Parse(time.RFC3339, existing.RemovingSince)
	return since, err == nil && since.Before(now.Add(time.Minute))
}

// removing is the form of a policy in which NMState removes its bridge from the nodes. Removing a bridge does not
// remove its port, so the port is listed too, unless it feeds another bridge by now.
// The table in docs/decisions.md has its rows.
func (v *View) removing(existing *facts.Policy) *unstructured.Unstructured {
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

// released is what the uplink of a removed bridge becomes. A VLAN interface is removed by name. A NIC is brought up
// again, never removed: losing its bridge leaves a NIC down.
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

// sharers are two other policies of the same bridge, each empty where there is none. user is a policy that stays, of
// this owner or another. peer is a policy that leaves too and comes later by name: of the policies that leave together,
// the last removes the bridge, and the others wait for it. A policy of the same owner for other nodes is none of them.
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
		if !facts.Disjoint(p.NodeSelector, existing.NodeSelector) {
			consider(p, !staying[p.Key])
		}
	}
	for _, p := range v.others {
		consider(p, p.Marked())
	}
	return user, peer
}

// occupant is the message that names who would lose the network with a policy's bridge although no policy speaks for
// them; empty where there is nobody. A node on which NMState has worked at the policy counts even where the policy does not select it
// as far as can be seen: the owner may select other nodes by now, and only those are related.
// The table in docs/decisions.md has its rows.
func (v *View) occupant(existing *facts.Policy) string {
	worked := map[string]bool{}
	for _, e := range v.everEnacted[existing.Key] {
		worked[e.Node] = v.Preflight
	}
	for _, n := range v.nodes {
		built := worked[n.name]
		reached := v.reaches(existing, n) || built
		delete(worked, n.name)
		if reached && (n.forged || built && n.state == nil) {
			return n.why // the bridge is there, and nobody tells who is on it
		}
		if n.state == nil || !reached {
			continue
		}
		if occupant := n.state.Occupant(existing.Says); occupant != "" {
			return occupant
		}
	}
	for _, unseen := range slices.Sorted(maps.Keys(worked)) {
		if worked[unseen] {
			return fmt.Sprintf("node %s cannot be seen", unseen)
		}
	}
	return ""
}

package bridges

import (
	"cmp"
	"fmt"
	"reflect"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/sync/facts"
	"novasphere.dev/wukong/sync/hold"
	"novasphere.dev/wukong/sync/outcome"
	"novasphere.dev/wukong/types/v1alpha1"
)

// Outcome is the decision about one policy.
type Outcome struct {
	outcome.Outcome

	// State is one of the policy states, for the status of the network.
	State string

	// MTU is the MTU that the policy was given where the spec says none; 0 where it was given none.
	MTU int64

	// Concern is a message for the user that nothing waits for; empty where there is none.
	Concern string

	// Note is a line for the operator's log; empty where there is none.
	Note string

	// Ways are all ways out of the refusal that were found, the best first. Its message names two at most.
	Ways []Way
}

func refused(state string, r *outcome.Refusal) Outcome {
	return Outcome{Outcome: outcome.Outcome{Refusal: r}, State: state}
}

// refusedBySight is the outcome of a refusal because of what was seen of other policies and of the nodes: where nobody else will end it, it
// says what would help.
func (v *View) refusedBySight(w *Want, state string, r *outcome.Refusal) Outcome {
	if r.Reason != v1alpha1.ReasonConflict && r.Reason != v1alpha1.ReasonPreflightRefused {
		return refused(state, r)
	}
	told, ways := v.advised(w, r)
	o := refused(state, told)
	o.Ways = ways
	return o
}

// Decide decides about the policy of a bridge that is wanted: create it, change it, keep it unchanged, delete it, or
// wait.
func (v *View) Decide(w *Want) Outcome {
	existing := v.Policies.Get(w.Policy)
	switch {
	case w.Superseded != "":
		return refused(v1alpha1.PolicyPending, &outcome.Refusal{Reason: v1alpha1.ReasonRemoving, Message: w.Superseded})
	case existing == nil:
		return v.begin(w)
	}
	if withdrawn := v.withdraw(w, existing); withdrawn != nil {
		return *withdrawn
	}
	return v.keep(w, existing)
}

// begin decides whether a policy may be created. This is the last moment to protect a node: NMState applies every
// policy that exists.
// The table in docs/decisions.md has its rows.
func (v *View) begin(w *Want) Outcome {
	if taken := outcome.NameTaken(v.other(w.Policy), v.Owner); taken != nil {
		return refused(v1alpha1.PolicyPending, taken)
	}
	if conflict := v.conflict(w); conflict != nil {
		return v.refusedBySight(w, v1alpha1.PolicyPending, conflict)
	}
	if w.Taken != nil {
		return refused(v1alpha1.PolicyPending, w.Taken)
	}
	look := v.preflight(w)
	if look.refusal != nil {
		return v.refusedBySight(w, v1alpha1.PolicyPending, look.refusal)
	}
	o := refused(v1alpha1.PolicyPending, &outcome.Refusal{
		Reason: v1alpha1.ReasonPolicyPending, Message: fmt.Sprintf("policy %s is being created", w.Policy),
	})
	o.MTU = v.newMTU(w)
	o.Child = v.desired(w, form{dhcp: look.dhcp != "", mtu: o.MTU})
	return o
}

// withdraw decides about a policy that may not stay as it is: an older policy comes first, or the policy is marked; nil
// where it may stay. While no attachment and no machine uses its bridge, such a policy is deleted, or leaves.
// The table in docs/decisions.md has its rows.
func (v *View) withdraw(w *Want, existing *facts.Policy) *Outcome {
	if wait := v.waitsForRemoval(w.Bridge, existing); wait != nil && !w.Stands {
		o := refused(v1alpha1.PolicyPending, wait)
		return &o
	}
	if lost, winner := v.lostTo(w.Bridge, existing); winner != nil {
		o := v.decideLoser(w, existing, winner)
		told, ways := v.advised(w, lost)
		if o.Refusal != nil {
			told.Message += "; " + o.Refusal.Message
		}
		o.Refusal, o.Ways = told, ways
		return &o
	}
	if existing.Marked() && !w.Stands {
		o := refused(v1alpha1.PolicyPending, &outcome.Refusal{
			Reason: v1alpha1.ReasonRemoving, Message: fmt.Sprintf("policy %s was leaving, and is made again", w.Policy),
		})
		return &o
	}
	return nil
}

// decideLoser decides about a policy that has lost. If an attachment or a machine uses its bridge, the policy is kept
// as it is, and the user has to decide. Otherwise it leaves. The refusal, if there is one, says how far that is.
// The table in docs/decisions.md has its rows.
func (v *View) decideLoser(w *Want, existing, winner *facts.Policy) Outcome {
	nmstate := v.progress(existing)
	o := Outcome{State: nmstate.state}
	switch {
	case w.Stands:
		o.Child = hold.Policy(existing)
		hold.Annotate(o.Child, facts.AnnotationRemoving, "") // the mark may be older than the attachment or machine
	case nmstate.state == v1alpha1.PolicyPending && v.Related.Enactments.Sent && len(v.everEnacted[w.Policy]) == 0:
		// No node has an enactment, so nothing is on the nodes: the policy can be deleted at once.
	case restorable(existing, winner):
		leaves := v.leave(existing, winner, v.withoutSharers(w))
		o.Child, o.Refusal, o.Note = leaves.Child, leaves.Refusal, leaves.Note
	default:
		o.Child = hold.Policy(existing)
	}
	return o
}

// withoutSharers are the policies that are wanted, except those that share the lost bridge and whose bridge nothing
// uses: they have lost too.
func (v *View) withoutSharers(w *Want) map[string]bool {
	wanted := map[string]bool{}
	for policy := range v.wanted {
		wanted[policy] = true
	}
	for _, sharer := range v.Wants {
		if sharer.Bridge.Name == w.Bridge.Name && !sharer.Stands {
			delete(wanted, sharer.Policy)
		}
	}
	return wanted
}

// keep decides about a policy that stays: it follows the spec, or is answered unchanged where it cannot.
// The table in docs/decisions.md has its rows.
func (v *View) keep(w *Want, existing *facts.Policy) Outcome {
	held, nmstate := hold.Policy(existing), v.progress(existing)
	mtu := keptMTU(w, existing, held)
	desired := v.desired(w, form{mtu: mtu})
	if nmstate.state == v1alpha1.PolicyIgnored && w.Entries > 0 {
		nmstate.message = v.unselected(w, existing.NodeSelector)
	}
	if w.Bridge.Preserves {
		keepCapture(desired, held)
	}
	o := Outcome{Concern: cmp.Or(v.concern(w.filled(mtu), existing), v.narrower(w, mtu)), MTU: mtu}
	o.Child = desired
	if _, certain := hold.MadePolicy(existing); !certain && w.Bridge.Reformed(existing.Made()) && w.Bridge.Reformed(existing.Says) {
		desired = held // it may be that of another network, and it is not known whether that is gone
		o.Child = held
	}
	if !reflect.DeepEqual(held.Object["spec"], desired.Object["spec"]) {
		// A change can harm nodes that the policy has not harmed so far: by a wider nodeSelector, or a larger mtu.
		if no := v.changeRefusal(w.filled(mtu), existing); no != nil {
			unchanged := v.refusedBySight(w.filled(mtu), nmstate.state, no)
			unchanged.Child, unchanged.MTU = held, mtu
			return unchanged
		}
		nmstate = nmstate.changing(existing)
	}
	if existing.Busy() {
		o.Child = held
	}
	o.State, o.Refusal = nmstate.state, nmstate.refusal()
	if nmstate.state == v1alpha1.PolicyDegraded {
		o = v.afterFailure(w, nmstate.failed, o)
	}
	return v.judge(w, existing, o)
}

// filled is the Want with the MTU that its policy was given where the spec says none. With preserveHostIP each node has its own.
func (w *Want) filled(mtu int64) *Want {
	if mtu == 0 || w.Bridge.Preserves {
		return w
	}
	with := *w
	with.Bridge.MTU = mtu
	return &with
}

// judge adds to the outcome of a policy that stays what is wrong with its bridge: a node has lost it, or a younger
// policy may have taken its uplink. A lost bridge that nothing uses and that would be refused now has its policy
// deleted, because NMState may try to build it at any time.
// The table in docs/decisions.md has its rows.
func (v *View) judge(w *Want, existing *facts.Policy, o Outcome) Outcome {
	lost := ""
	if o.Ready() {
		lost = v.lostBridge(w, existing)
	}
	// The younger one is to give back what it has taken. Were this policy withdrawn meanwhile, both would be gone, and its bridge stay.
	if rival := v.youngerRival(w.Bridge, existing); rival != nil && (lost != "" || o.Ready() && !w.Stands) {
		o.Refusal, o.Concern = rival, ""
		return o
	}
	if lost != "" {
		// What is merely not known, as of a node that has just joined or never reports, takes nothing down.
		again := v.begin(w)
		stuck := again.Refusal != nil && again.Refusal.Stuck && again.Refusal.Reason != v1alpha1.ReasonPreflightWaiting && w.Taken == nil
		if stuck && !w.Stands {
			return again
		}
		o.Refusal = lostRefusal(w, lost, again)
	}
	if o.Refusal != nil {
		message := fmt.Sprintf("policy %s: %s", w.Policy, o.Refusal.Message)
		if o.Concern != "" {
			message += "; " + o.Concern
		}
		o.Refusal = &outcome.Refusal{Reason: o.Refusal.Reason, Message: message, Stuck: o.Refusal.Stuck}
	}
	return o
}

// lostRefusal is about an available policy whose bridge, or the bridge's uplink, is missing on a node. Only the user
// starts a rebuild: for a node that never reports what NMState has built there, the hook would rebuild for ever. again
// is what would come of creating the policy anew; the message tells the user.
func lostRefusal(w *Want, lost string, again Outcome) *outcome.Refusal {
	r := &outcome.Refusal{Reason: v1alpha1.ReasonBridgeLost, Stuck: true}
	if again.Child == nil {
		r.Message = lost + "; it cannot be built again: " + again.Message()
	} else {
		r.Message = fmt.Sprintf("%s: `kubectl delete nncp %s` has it built again", lost, w.Policy)
	}
	return r
}

// keepCapture copies the observed capture, and the desired state that uses it, into the desired policy: NMState lets
// nobody change a capture, and has evaluated it once per node.
func keepCapture(desired, held *unstructured.Unstructured) {
	spec := desired.Object["spec"].(map[string]any)
	before, _ := held.Object["spec"].(map[string]any)
	for _, field := range []string{"capture", "desiredState", "maxUnavailable"} {
		if kept, ok := before[field]; ok && kept != nil {
			spec[field] = kept
		} else {
			delete(spec, field)
		}
	}
}

package bridges

import (
	"fmt"
	"reflect"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/sync/facts"
	"novasphere.dev/wukong/sync/hold"
	"novasphere.dev/wukong/sync/outcome"
	"novasphere.dev/wukong/types/v1alpha1"
)

// Outcome is what became of one policy.
type Outcome struct {
	outcome.Outcome

	// State is one of the policy states, for the status of the network.
	State string

	// Concern is what the user should know of, though nothing waits for it; "" where there is nothing.
	Concern string

	// Note is a line for the log of the operator, or "".
	Note string
}

func refused(state string, r *outcome.Refusal) Outcome {
	return Outcome{Outcome: outcome.Outcome{Refusal: r}, State: state}
}

// Decide decides about the policy of a bridge that is wanted: it is built, it stays, or why not.
func (v *View) Decide(w *Want) Outcome {
	existing := v.Policies.Get(w.Policy)
	switch {
	case w.Superseded != "":
		return refused(v1alpha1.PolicyPending, &outcome.Refusal{Reason: v1alpha1.ReasonRemoving, Message: w.Superseded})
	case existing == nil:
		return v.begin(w)
	}
	if gives := v.givesWay(w, existing); gives != nil {
		return *gives
	}
	return v.keep(w, existing)
}

// begin decides whether a policy may come into being. This is the last moment to spare a node: what NMState is told it does.
func (v *View) begin(w *Want) Outcome {
	if conflict := v.conflict(w); conflict != nil {
		return refused(v1alpha1.PolicyPending, conflict)
	}
	look := v.preflight(w)
	if look.refusal != nil {
		return refused(v1alpha1.PolicyPending, look.refusal)
	}
	o := refused(v1alpha1.PolicyPending, &outcome.Refusal{
		Reason: v1alpha1.ReasonPolicyPending, Message: fmt.Sprintf("policy %s is being created", w.Policy),
	})
	o.Child = v.desired(w, look.dhcp)
	return o
}

// givesWay decides about a policy that may not stay as it is; nil where it may. While nothing stands on it, it had better
// never have been, or begin anew.
func (v *View) givesWay(w *Want, existing *facts.Policy) *Outcome {
	if yielded := v.yields(w.Bridge, existing); yielded != nil && !w.Stands {
		o := refused(v1alpha1.PolicyPending, yielded)
		return &o
	}
	if lost, winner := v.lostTo(w.Bridge, existing); winner != nil {
		o := v.lose(w, existing, winner)
		message := lost.Message
		if o.Refusal != nil {
			message += "; " + o.Refusal.Message
		}
		o.Refusal = &outcome.Refusal{Reason: lost.Reason, Message: message, Stuck: lost.Stuck}
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

// lose decides about a policy that came second. Where something stands on it, it is held, and the user has to decide. The
// refusal, if there is any, says how far it has left.
func (v *View) lose(w *Want, existing, winner *facts.Policy) Outcome {
	nmstate := v.progress(existing)
	o := Outcome{State: nmstate.state}
	switch {
	case w.Stands:
		o.Child = hold.Policy(existing)
		hold.Annotate(o.Child, facts.AnnotationRemoving, "") // it may have been leaving before that was seen
	case nmstate.state == v1alpha1.PolicyPending && v.Related.Enactments.Sent && len(v.enactments[w.Policy]) == 0:
		// NMState has not taken it up: nothing is on the nodes.
	case givable(existing, winner):
		leaves := v.leave(existing, winner, v.withoutSharers(w))
		o.Child, o.Refusal, o.Note = leaves.Child, leaves.Refusal, leaves.Note
	default:
		o.Child = hold.Policy(existing)
	}
	return o
}

// withoutSharers are the policies that are wanted, without those that have lost the same bridge and on which nothing stands.
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

// keep decides about a policy that stays: it follows the spec, or is held where it cannot.
func (v *View) keep(w *Want, existing *facts.Policy) Outcome {
	held, desired, nmstate := hold.Policy(existing), v.desired(w, false), v.progress(existing)
	if w.Bridge.Preserves {
		keepCapture(desired, held)
	}
	o := Outcome{Concern: v.concern(w, existing)}
	o.Child = desired
	if !reflect.DeepEqual(held.Object["spec"], desired.Object["spec"]) {
		// A change can reach nodes that the policy has spared so far: a wider nodeSelector, a larger mtu.
		if no := v.changeRefusal(w, existing); no != nil {
			unchanged := refused(nmstate.state, no)
			unchanged.Child = held
			return unchanged
		}
		nmstate = nmstate.changing(existing)
	}
	if existing.Busy() {
		o.Child = held
	}
	o.State, o.Refusal = nmstate.state, nmstate.refusal()
	return v.judge(w, existing, o)
}

// judge says of a policy that stays what stands in the way of what it carries: a node that has lost something of it, or a
// younger policy that may have taken its uplink.
func (v *View) judge(w *Want, existing *facts.Policy, o Outcome) Outcome {
	lost := ""
	if o.Ready() {
		lost = v.lostBridge(w, existing)
	}
	if lost != "" {
		again := v.begin(w)
		if again.Child == nil && !w.Stands {
			return again
		}
		o.Refusal = lostRefusal(w, lost, again)
	}
	if contest := v.contested(w.Bridge, existing); contest != nil && (lost != "" || o.Ready() && !w.Stands) {
		o.Refusal, o.Concern = contest, ""
		return o
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

// lostRefusal is about an available policy of which a node has lost something. Having it built again is the user's to say, who
// is told what would come of it: of a node that never reports what NMState has built there it would never end. But where it could
// not be built again, and nothing stands on it, it is withdrawn, because NMState would try at any time.
func lostRefusal(w *Want, lost string, again Outcome) *outcome.Refusal {
	r := &outcome.Refusal{Reason: v1alpha1.ReasonBridgeLost, Stuck: true}
	if again.Child == nil {
		r.Message = lost + "; it could not be built again as things are: " + again.Message()
	} else {
		r.Message = fmt.Sprintf("%s: `kubectl delete nncp %s` makes NMState build it again, and nothing else is touched", lost, w.Policy)
	}
	return r
}

// keepCapture answers an observed capture, and the template that uses it, as they are: NMState never lets capture change, and
// evaluated it once per node.
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

package sync

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"novasphere.dev/wukong/sync/bridges"
	"novasphere.dev/wukong/sync/hold"
	"novasphere.dev/wukong/sync/outcome"
	"novasphere.dev/wukong/types/v1alpha1"
)

// maxFailedNodes is how many nodes a status names. It has no counts and no progress: each change of it calls the hook once for each
// machine on the network.
const maxFailedNodes = 3

// status is what the user and the machines on the network read. outcomes are those of the wanted policies, and then of those that leave.
func (v *networkView) status(outcomes []bridges.Outcome) v1alpha1.WukongNetworkStatus {
	var refusals []*outcome.Refusal
	concern := ""
	for i, o := range outcomes {
		if i < len(v.bridges.Wants) { // the others leave, and nobody waits for that
			refusals = append(refusals, v.ofUplink(i, o.Refusal))
		}
		if concern == "" {
			concern = o.Concern
		}
	}
	r := outcome.Worst(refusals...)
	if r != nil && !r.Stuck && v.appliedAgain() {
		r = nil
	}
	message := inShort(fmt.Sprintf("bridge %s is built on the nodes", v.bridgeName()), append([]string{concern}, v.copiesNotes()...)...)
	s := v.refusedStatus(r, readyPart(v1alpha1.ConditionReady, v1alpha1.ReasonPoliciesAvailable, message))
	s.MTU = v.mtu(outcomes[:len(v.bridges.Wants)])
	if r != nil {
		s.FailedNodes = v.failedNodes()
	}
	if held := holds(outcomes[len(v.bridges.Wants):]); held != "" && (r != nil || held != concern) {
		s.Conditions[0].Message += "; " + ofNetworks().Replace(held)
	}
	return s
}

// mtu is the MTU of the attachments where the spec has none: the smallest that a policy was given. A policy that was given none has the
// usual. While one of them does not exist it stays what it was.
func (v *networkView) mtu(outcomes []bridges.Outcome) int32 {
	if v.w.Spec.MTU != 0 {
		return 0
	}
	var all []int64
	given := false
	for _, o := range outcomes {
		if o.Child == nil {
			return v.w.Status.MTU
		}
		given = given || o.MTU != 0
		all = append(all, cmp.Or(o.MTU, bridges.UsualMTU))
	}
	if !given {
		return 0
	}
	return int32(slices.Min(all)) //nolint:gosec // facts.ReadMTU reads no more, and no interface has
}

// ofUplink is a refusal that names the uplink that it is about, where the network has several.
func (v *networkView) ofUplink(i int, r *outcome.Refusal) *outcome.Refusal {
	if r == nil || len(v.w.Spec.Uplinks) == 0 {
		return r
	}
	named := *r
	named.Message = fmt.Sprintf("uplink %s: %s", v.w.Spec.Uplinks[i].Name, r.Message)
	return &named
}

// appliedAgain reports whether the network was ready in its present form: then policies that are in progress are merely applied again, as
// after the reboot of a node, and whoever is plugged in need not know.
// The table in docs/decisions.md has its rows.
func (v *networkView) appliedAgain() bool {
	ready := meta.FindStatusCondition(v.w.Status.Conditions, v1alpha1.ConditionReady)
	if ready == nil || ready.Status != metav1.ConditionTrue || ready.ObservedGeneration != v.w.Generation {
		return false
	}
	return !slices.ContainsFunc(v.bridges.Wants, func(w bridges.Want) bool {
		return w.Superseded != "" || v.children.Policies.Get(w.Policy) == nil
	})
}

// failedNodes are the first nodes on which a policy has failed.
func (v *networkView) failedNodes() []string {
	var nodes []string
	for _, p := range v.children.Policies.All() {
		nodes = append(nodes, v.bridges.FailedOn(p.Key)...)
	}
	nodes = distinct(nodes)
	return nodes[:min(len(nodes), maxFailedNodes)]
}

// bridgeName is the bridge on the nodes.
func (v *networkView) bridgeName() string {
	return v.bridge("").Name
}

// holds is what holds the first policy that leaves and is held; empty where none is. It is told where the network is not ready as well,
// because that may be the reason.
func holds(leaving []bridges.Outcome) string {
	for _, o := range leaving {
		if o.Concern != "" {
			return o.Concern
		}
	}
	return ""
}

// ofNetworks puts what is said of bridges, for Wukongs, into the words of a WukongNetwork.
func ofNetworks() *strings.Replacer {
	return strings.NewReplacer(
		"highAvailability.nodeSelector", "nodeSelector",
		"make two Wukongs with", "make two WukongNetworks with",
		"a bridge of a Wukong does not", "a bridge of a WukongNetwork does not",
		"rename this WukongNetwork or its network", "rename this WukongNetwork or its uplink",
	)
}

// refusedStatus is the status with a refusal, or with the ready part where there is none.
func (v *networkView) refusedStatus(r *outcome.Refusal, ready part) v1alpha1.WukongNetworkStatus {
	parts := []part{ready}
	if r != nil {
		parts[0] = refusedPart(v1alpha1.ConditionReady, r)
		if r.Stuck {
			parts = append(parts, readyPart(v1alpha1.ConditionStalled, r.Reason, r.Message))
		}
	}
	s := v1alpha1.WukongNetworkStatus{
		Conditions: stamp{v.w.Status.Conditions, v.w.Generation, v.now}.conditions(parts),
		Bridge:     v.bridgeName(),
		MTU:        v.w.Status.MTU,
	}
	for i := range s.Conditions {
		s.Conditions[i].Message = ofNetworks().Replace(s.Conditions[i].Message)
	}
	for _, w := range v.bridges.Wants {
		s.Policies = append(s.Policies, v1alpha1.NetworkPolicyStatus{Name: w.Policy, Bridge: w.Bridge.Name, Uplink: w.Bridge.Uplink})
	}
	// Customize asks for what NMState says of policies that are leaving by their names here.
	for _, p := range v.children.Policies.All() {
		if !v.copied(p) && !slices.ContainsFunc(v.bridges.Wants, func(w bridges.Want) bool { return w.Policy == p.Name }) {
			made, _ := hold.MadePolicy(p)
			s.Policies = append(s.Policies, v1alpha1.NetworkPolicyStatus{Name: p.Name, Bridge: made.Name, Uplink: made.Uplink})
		}
	}
	return s
}

// invalidStatus is the status of a WukongNetwork that cannot be acted on: everything that exists is held.
func (v *networkView) invalidStatus(errs field.ErrorList) v1alpha1.WukongNetworkStatus {
	s := v.refusedStatus(&outcome.Refusal{Reason: v1alpha1.ReasonInvalidSpec, Message: inOneLine(errs), Stuck: true}, part{})
	s.Policies = v.w.Status.Policies // of two with one name only one may stand there
	return s
}

// unregisteredStatus is the status where NMState's policies are not registered with the CompositeController.
func (v *networkView) unregisteredStatus() v1alpha1.WukongNetworkStatus {
	return v.refusedStatus(&outcome.Refusal{
		Reason: v1alpha1.ReasonNMStateNotRegistered, Stuck: true,
		Message: "NMState is not registered with the CompositeController wukong-networks, so no policy is made: install NMState, " +
			"and apply deploy/ again",
	}, part{})
}

// terminatingStatus is the status of a WukongNetwork that is being deleted.
func (v *networkView) terminatingStatus(message string) v1alpha1.WukongNetworkStatus {
	return v.refusedStatus(&outcome.Refusal{Reason: v1alpha1.ReasonTerminating, Message: message}, part{})
}

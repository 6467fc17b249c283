package sync

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"novasphere.dev/wukong/sync/outcome"
	"novasphere.dev/wukong/types/v1alpha1"
)

// status is what the user reads. It depends only on the observed objects and the spec, and on no clock: a status that
// changes by itself would call the hook again for ever.
func (v *view) status(d decided) v1alpha1.WukongStatus {
	parts := []part{v.nodeNetworkPart(), v.attachmentsPart(), v.withoutPruned(v.machinePart(d.machine))}
	s := v1alpha1.WukongStatus{
		Conditions: v.conditions(parts),
		VMName:     v.w.Name,
		NodeName:   v.nodeName(),
		Volumes:    v.volumeStatuses(),

		PrunedMachineFields: v.template.LeftOut,
	}
	for _, n := range v.networks {
		s.Networks = append(s.Networks, v.networkStatus(n))
	}
	s.Networks = append(s.Networks, v.leavingStatuses(d.leaving)...)
	s.Address = shownAddress(s.Networks)
	s.Phase = v.phase(d.machine, parts)
	return s
}

// invalidStatus is the status of a Wukong whose spec cannot be acted on. Everything that exists is held.
func (v *view) invalidStatus(errs field.ErrorList) v1alpha1.WukongStatus {
	invalid := &outcome.Refusal{Reason: v1alpha1.ReasonInvalidSpec, Message: inOneLine(errs), Stuck: true}
	machine := refuseMachine(invalid)
	if existing := v.machine(); existing != nil {
		machine = v.machineState(existing, v.instance())
	}
	parts := []part{
		refusedPart(v1alpha1.ConditionNodeNetworkReady, invalid),
		refusedPart(v1alpha1.ConditionAttachmentsReady, invalid),
		v.machinePart(machine),
	}
	return v1alpha1.WukongStatus{
		Conditions: v.conditions(parts),
		Phase:      v.phase(machine, parts),
		VMName:     v.w.Name,
		NodeName:   v.nodeName(),
		Address:    v.w.Status.Address,
		Networks:   v.w.Status.Networks,
		Volumes:    v.volumeStatuses(),

		PrunedMachineFields: v.template.LeftOut,
	}
}

// withoutPruned says in the part about the machine what the machine does not get.
func (v *view) withoutPruned(p part) part {
	if all := v.template.LeftOut; len(all) > 0 {
		says := fmt.Sprintf("; KubeVirt in this cluster does not know %s, so it is left out: remove it", strings.Join(all, ", "))
		p.message += says
		if p.refusal != nil {
			told := *p.refusal
			told.Message += says
			p.refusal = &told
		}
	}
	return p
}

// nodeName is the node that the machine runs on; empty where it does not run.
func (v *view) nodeName() string {
	if i := v.instance(); i != nil {
		return i.NodeName
	}
	return ""
}

func (v *view) nodeNetworkPart() part {
	const condition = v1alpha1.ConditionNodeNetworkReady
	var names []string
	for _, n := range v.networks {
		if n.NetworkName == "" && n.bridge.Name != "" && !slices.Contains(names, n.bridge.Name) {
			names = append(names, n.bridge.Name)
		}
	}
	r := v.policyRefusal()
	switch {
	case len(names) == 0:
		return readyPart(condition, v1alpha1.ReasonNotRequired, "no network needs a bridge on the nodes")
	case !v.nmstate:
		return unknownPart(condition, v1alpha1.ReasonNMStateNotRegistered, fmt.Sprintf("NMState is not registered with the CompositeController, "+
			"so no policy is made: these bridges must exist on the nodes: %s", strings.Join(names, ", ")))
	case r != nil:
		return refusedPart(condition, r)
	}
	message := fmt.Sprintf("bridges are built on the nodes: %s", strings.Join(names, ", "))
	if i := slices.IndexFunc(v.networks, func(n *network) bool { return n.policy.Concern != "" }); i >= 0 {
		message += "; " + v.networks[i].policy.Concern
	}
	return readyPart(condition, v1alpha1.ReasonPoliciesAvailable, message)
}

func (v *view) attachmentsPart() part {
	const condition = v1alpha1.ConditionAttachmentsReady
	if r := v.attachmentRefusal(); r != nil {
		return refusedPart(condition, r)
	}
	var silent []string
	count := 0
	for _, n := range v.networks {
		if n.attachmentName != "" {
			count++
		}
		if silence := n.silence(); silence != "" {
			silent = append(silent, fmt.Sprintf("KubeVirt %s: %s", silence, n.Name))
		}
	}
	if count == 0 {
		return readyPart(condition, v1alpha1.ReasonNotRequired, "no network needs an attachment")
	}
	message := fmt.Sprintf("attachments exist: %d", count)
	if i := slices.IndexFunc(v.networks, func(n *network) bool { return n.concern != "" }); i >= 0 {
		message += "; " + v.networks[i].concern
	} else if len(silent) > 0 {
		message += "; " + strings.Join(silent, "; ")
	}
	return readyPart(condition, v1alpha1.ReasonAttachmentsExist, message)
}

// phase is the one word for display.
func (v *view) phase(machine machineOutcome, parts []part) string {
	refusal := worst(parts)
	switch {
	case v.w.DeletionTimestamp != nil:
		return v1alpha1.PhaseTerminating
	case machine.stopped:
		return v1alpha1.PhaseStopped
	case machine.Ready():
		return v1alpha1.PhaseRunning
	case refusal != nil && refusal.Stuck, machine.failed:
		return v1alpha1.PhaseError
	case machine.paused:
		return v1alpha1.PhasePaused
	case v.machine() != nil:
		return v1alpha1.PhaseCreating
	default:
		return v1alpha1.PhasePending
	}
}

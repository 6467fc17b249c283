package sync

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"novasphere.dev/wukong/types/v1alpha1"
)

// status is what the user reads. It judges only what is observed, and changes only with that and with the spec: a status
// that moves by itself would call the hook again for ever.
func status(w *v1alpha1.Wukong, nets []network, obs *observed, policies, nads []step, machine step, leaving []step, now time.Time) v1alpha1.WukongStatus {
	parts := []part{
		nodeNetworkPart(nets, obs, policies),
		attachmentsPart(nets, nads),
		machinePart(machine),
	}
	s := v1alpha1.WukongStatus{
		Conditions: conditions(w, parts, now),
		VMName:     w.Name,
		NodeName:   text(obs.instance(), "status", "nodeName"),
		Volumes:    volumeStatuses(obs),
	}
	for i, n := range nets {
		s.Networks = append(s.Networks, networkStatus(n, obs, policies[i], nads[i]))
	}
	s.Networks = append(s.Networks, leavingStatuses(nets, leaving)...)
	s.Address = address(s.Networks)
	s.Phase = phase(obs, parts)
	return s
}

// invalidStatus is the status of a Wukong that cannot be acted on: everything that exists is held.
func invalidStatus(w *v1alpha1.Wukong, obs *observed, errs field.ErrorList, now time.Time) v1alpha1.WukongStatus {
	var messages []string
	for _, err := range errs {
		messages = append(messages, err.Error())
	}
	invalid := step{reason: "InvalidSpec", message: strings.Join(messages, "; "), stuck: true}
	machine := invalid
	if existing := obs.vm(); existing != nil {
		machine = machineState(w, existing, obs.instance())
	}
	parts := []part{
		{v1alpha1.ConditionNodeNetworkReady, metav1.ConditionFalse, invalid},
		{v1alpha1.ConditionAttachmentsReady, metav1.ConditionFalse, invalid},
		machinePart(machine),
	}
	return v1alpha1.WukongStatus{
		Conditions: conditions(w, parts, now),
		Phase:      phase(obs, parts),
		VMName:     w.Name,
		NodeName:   text(obs.instance(), "status", "nodeName"),
		Address:    w.Status.Address,
		Networks:   w.Status.Networks,
		Volumes:    volumeStatuses(obs),
	}
}

// part is one of the conditions that Ready sums up.
type part struct {
	condition string
	status    metav1.ConditionStatus
	step      step
}

func nodeNetworkPart(nets []network, obs *observed, policies []step) part {
	p := part{condition: v1alpha1.ConditionNodeNetworkReady, status: metav1.ConditionTrue}
	var bridges []string
	for _, n := range nets {
		if n.bridge != "" && !slices.Contains(bridges, n.bridge) {
			bridges = append(bridges, n.bridge)
		}
	}
	switch {
	case len(bridges) == 0:
		p.step = step{ready: true, reason: "NotRequired", message: "no network needs a bridge on the nodes"}
	case !obs.nmstate:
		p.status = metav1.ConditionUnknown
		p.step = step{ready: true, reason: "NMStateNotRegistered", message: fmt.Sprintf(
			"NMState is not registered with the CompositeController, so no policy is made: these bridges must exist on the nodes: %s", strings.Join(bridges, ", "))}
	default:
		p.step = step{ready: true, reason: "PoliciesAvailable", message: fmt.Sprintf("bridges are built on the nodes: %s", strings.Join(bridges, ", "))}
		if i := slices.IndexFunc(policies, func(s step) bool { return s.concern != "" }); i >= 0 {
			p.step.message += "; " + policies[i].concern
		}
		if s := worst(policies); s != nil {
			p.status, p.step = metav1.ConditionFalse, *s
		}
	}
	return p
}

func attachmentsPart(nets []network, nads []step) part {
	p := part{condition: v1alpha1.ConditionAttachmentsReady, status: metav1.ConditionTrue}
	var silent []string
	count := 0
	for _, n := range nets {
		if n.nad != "" {
			count++
		}
		if silentType(n) {
			silent = append(silent, n.Name)
		}
	}
	switch s := worst(nads); {
	case s != nil:
		p.status, p.step = metav1.ConditionFalse, *s
	case count == 0:
		p.step = step{ready: true, reason: "NotRequired", message: "no network needs an attachment"}
	default:
		p.step = step{ready: true, reason: "AttachmentsExist", message: fmt.Sprintf("attachments exist: %d", count)}
		if len(silent) > 0 {
			p.step.message += fmt.Sprintf("; KubeVirt carries no traffic over macvlan and ipvlan, so none will pass on: %s", strings.Join(silent, ", "))
		}
	}
	return p
}

// silentType says that KubeVirt attaches a network of this type and carries no traffic over it: its bridge binding moves
// the interface's hardware address into the guest, and macvlan and ipvlan deliver only to the original one
// (https://kubevirt.io/user-guide/network/interfaces_and_networks/#invalid-cnis-for-secondary-networks).
func silentType(n network) bool {
	return n.Type == v1alpha1.Macvlan || n.Type == v1alpha1.Ipvlan
}

func machinePart(machine step) part {
	p := part{condition: v1alpha1.ConditionMachineReady, status: metav1.ConditionFalse, step: machine}
	if machine.ready {
		p.status = metav1.ConditionTrue
	}
	return p
}

// conditions are the parts, their sum, and Stalled while nobody but the user can make progress. A condition that says
// what it said before keeps its time.
func conditions(w *v1alpha1.Wukong, parts []part, now time.Time) []metav1.Condition {
	ready := part{v1alpha1.ConditionReady, metav1.ConditionTrue, parts[len(parts)-1].step}
	var stalled []part
	if p := decisive(parts); p != nil {
		ready.status, ready.step = metav1.ConditionFalse, p.step
		if p.step.stuck {
			stalled = append(stalled, part{v1alpha1.ConditionStalled, metav1.ConditionTrue, p.step})
		}
	}

	before := slices.Clone(w.Status.Conditions)
	var all []metav1.Condition
	for _, p := range slices.Concat([]part{ready}, parts, stalled) {
		meta.SetStatusCondition(&before, metav1.Condition{
			Type: p.condition, Status: p.status, Reason: p.step.reason, Message: p.step.message,
			ObservedGeneration: w.Generation, LastTransitionTime: metav1.NewTime(now.UTC().Truncate(time.Second)),
		})
		all = append(all, *meta.FindStatusCondition(before, p.condition))
	}
	return all
}

// decisive is the part that Ready speaks of when not all is well: the first that only the user can mend, else the first.
func decisive(parts []part) *part {
	for i, p := range parts {
		if !p.step.ready && p.step.stuck {
			return &parts[i]
		}
	}
	for i, p := range parts {
		if !p.step.ready {
			return &parts[i]
		}
	}
	return nil
}

// phase is the one word for display.
func phase(obs *observed, parts []part) string {
	machine := parts[len(parts)-1].step
	failed := decisive(parts)
	switch {
	case obs.w.DeletionTimestamp != nil:
		return v1alpha1.PhaseTerminating
	case machine.ready && machine.reason == "Stopped":
		return v1alpha1.PhaseStopped
	case machine.ready:
		return v1alpha1.PhaseRunning
	case failed != nil && failed.step.stuck, failedMachine(machine.reason):
		return v1alpha1.PhaseError
	case obs.vm() != nil:
		return v1alpha1.PhaseCreating
	default:
		return v1alpha1.PhasePending
	}
}

// failedMachine says that a machine's reason is an error of KubeVirt's rather than a step on the way.
func failedMachine(reason string) bool {
	return reason == "MachineFailed" || reason == "CrashLoopBackOff" || reason == "ImagePullBackOff" ||
		strings.HasPrefix(reason, "Err") || strings.HasSuffix(reason, "Error")
}

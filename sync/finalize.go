package sync

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"novasphere.dev/wukong/types/v1alpha1"
)

// Finalize takes a Wukong down in the reverse of the order in which Sync builds it: the machine, until it and its
// instance are gone; then the attachments; then the policies. What is not yet due is held, so that no machine loses its
// network, and no attachment its bridge, while it still runs.
func Finalize(req *Request, settings Settings, now time.Time) (*Response, error) {
	if err := isWukong(req.Parent); err != nil {
		return nil, err
	}
	w := defaulted(req.Parent)
	obs := observe(w, req.Controller, req.Children, req.Related)

	resp := &Response{}
	terminating := func(messages ...string) (*Response, error) {
		resp.Status = terminatingStatus(w, obs, strings.Join(messages, "; "), now)
		return resp, nil
	}

	if w.DeletionTimestamp == nil {
		// Metacontroller also finalizes what a CompositeController's labelSelector no longer selects. An edit of that
		// must not delete every machine of a cluster.
		resp.Status, resp.Children = w.Status, holdAll(obs)
		resp.Notes = []string{fmt.Sprintf("Wukong %s is to be finalized and was not deleted: everything stays; see the labelSelector of the CompositeController", w.Name)}
		return resp, nil
	}
	if len(obs.vms) > 0 || obs.instance() != nil {
		resp.Children = slices.Concat(held(obs.policies), held(obs.nads))
		return terminating("the machine is being deleted, then its attachments, then its policies")
	}
	if message := usedByAnother(obs); message != "" {
		resp.Children = slices.Concat(held(obs.policies), held(obs.nads))
		return terminating(message)
	}
	if len(obs.nads) > 0 {
		resp.Children = held(obs.policies)
		return terminating("the machine is gone; its attachments are being deleted, then its policies")
	}
	if len(obs.policies) > 0 {
		var messages []string
		for _, name := range slices.Sorted(maps.Keys(obs.policies)) {
			s, note := teardown(obs, obs.policies[name], winnerOver(obs, obs.policies[name]), nil, settings, now)
			if note != "" {
				resp.Notes = append(resp.Notes, note)
			}
			if s.child != nil {
				resp.Children = append(resp.Children, s.child)
				messages = append(messages, s.message)
				// That nothing moves any more is no event: ask to be called again.
				resp.ResyncAfterSeconds = max(1, settings.TeardownTimeout.Seconds()/10)
			}
		}
		return terminating(append([]string{"the machine and its attachments are gone; its policies are being deleted"}, messages...)...)
	}
	if made := policyNames(w); !obs.nmstate && len(made) > 0 {
		resp.Notes = append(resp.Notes, fmt.Sprintf("Wukong %s goes without its policies, because NMState is no longer registered: %s", w.Name, strings.Join(made, ", ")))
	}
	resp.Finalized = true
	return terminating("everything is deleted")
}

// usedByAnother says which attachment a machine of our name uses that is not ours, or not any more; "" where there is none.
func usedByAnother(obs *observed) string {
	for _, key := range slices.Sorted(maps.Keys(obs.nads)) {
		if used(obs, networkOf(obs.w, obs.nads[key].GetName(), "-nad")) {
			return fmt.Sprintf("machine %s is not this Wukong's and uses its attachment %s: everything waits until it no longer does, or is deleted",
				qualified(obs.w.Spec.Namespace, obs.w.Name), key)
		}
	}
	return ""
}

// policyNames are the policies that the status told of last.
func policyNames(w *v1alpha1.Wukong) []string {
	var names []string
	for _, n := range w.Status.Networks {
		if n.PolicyName != "" {
			names = append(names, n.PolicyName)
		}
	}
	return names
}

func terminatingStatus(w *v1alpha1.Wukong, obs *observed, message string, now time.Time) v1alpha1.WukongStatus {
	terminating := step{reason: "Terminating", message: message}
	return v1alpha1.WukongStatus{
		Conditions: conditions(w, []part{
			{v1alpha1.ConditionNodeNetworkReady, metav1.ConditionFalse, terminating},
			{v1alpha1.ConditionAttachmentsReady, metav1.ConditionFalse, terminating},
			{v1alpha1.ConditionMachineReady, metav1.ConditionFalse, terminating},
		}, now),
		Phase:    v1alpha1.PhaseTerminating,
		VMName:   w.Name,
		Networks: terminatingNetworks(w, obs),
		NodeName: text(obs.instance(), "status", "nodeName"),
	}
}

// terminatingNetworks are the networks whose policies are still there, as they were last told of: Customize asks for what
// NMState says of them by it.
func terminatingNetworks(w *v1alpha1.Wukong, obs *observed) []v1alpha1.NetworkStatus {
	var all []v1alpha1.NetworkStatus
	for _, n := range w.Status.Networks {
		if existing := obs.policies[n.PolicyName]; existing != nil {
			all = append(all, v1alpha1.NetworkStatus{Name: n.Name, Type: n.Type, Bridge: n.Bridge, Uplink: n.Uplink, PolicyName: n.PolicyName})
		}
	}
	return all
}

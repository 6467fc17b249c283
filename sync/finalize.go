package sync

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"novasphere.dev/wukong/sync/hold"
	"novasphere.dev/wukong/sync/outcome"
	"novasphere.dev/wukong/types/v1alpha1"
)

// Finalize deletes the children of a Wukong in the reverse of the order in which Sync creates them: the machine, until
// its instance is gone too; then the attachments; then the policies. What has to wait is held, so that no running
// machine loses its network, and no attachment its bridge.
// The table in docs/decisions.md has its rows.
func Finalize(req *Request, settings Settings, now time.Time) (resp *Response, err error) {
	defer hold.Recover(&err)
	if err := isWukong(req.Parent); err != nil {
		return nil, err
	}
	v := newView(req, settings, now)
	if v.w.DeletionTimestamp == nil {
		// Metacontroller also finalizes a parent that the CompositeController's labelSelector no longer selects. An edit of
		// the labelSelector must not delete every machine of a cluster.
		return &Response{Status: v.w.Status, Children: v.holdAll(), Notes: []string{fmt.Sprintf(
			"Wukong %s is to be finalized and was not deleted: everything stays; see the labelSelector of the CompositeController", v.w.Name)}}, nil
	}
	return v.finalize(), nil
}

// finalize takes the next step of a deletion. Copies are never a part of it: they stay, with what they use, until somebody frees them.
// The table in docs/decisions.md has its rows.
func (v *view) finalize() *Response {
	if v.machine() != nil || v.instance() != nil {
		return v.finalizeMachine()
	}
	if message := v.usedByAnother(); message != "" {
		return v.terminating(append(v.holdPolicies(), v.holdAttachments()...), message)
	}
	if copied := v.copiedAttachments(); len(v.children.Attachments.Keys) > len(copied) {
		children := v.holdPolicies()
		for _, a := range copied {
			children = append(children, hold.Child(&a.Object))
		}
		return v.terminating(children, "the machine is gone; its attachments are being deleted, then its policies")
	}
	if len(v.children.Policies.Keys) > len(v.copiedPolicies()) {
		return v.finalizePolicies()
	}
	if len(v.waitsForCopies()) > 0 {
		return v.terminating(append(v.holdPolicies(), v.holdAttachments()...), "everything else is deleted")
	}
	resp := v.terminating(nil, "everything is deleted")
	resp.Finalized = true
	if made := v.policiesInStatus(); !v.nmstate && len(made) > 0 {
		resp.Notes = append(resp.Notes, fmt.Sprintf("Wukong %s goes without its policies, because NMState is no longer registered: %s",
			v.w.Name, strings.Join(made, ", ")))
	}
	return resp
}

// finalizeMachine deletes the machine. Its disks would go with it, so it stays while a copy writes to one of them.
// The table in docs/decisions.md has its rows.
func (v *view) finalizeMachine() *Response {
	children := append(v.holdPolicies(), v.holdAttachments()...)
	for _, m := range v.copiedMachines() {
		if disk := v.sharedDisk(m); disk != "" {
			return v.terminating(append(children, hold.Machine(v.machine())), fmt.Sprintf(
				"machine %s stays for its disk %s: give machine %s disks of its own, or delete that first",
				v.machineKey(), disk, m.Key))
		}
	}
	return v.terminating(children, "the machine is being deleted, then its attachments, then its policies")
}

// finalizePolicies deletes the policies, once the machine and the attachments are gone.
// The table in docs/decisions.md has its rows.
func (v *view) finalizePolicies() *Response {
	var needed, other, notes []string // what needs the user is told of first
	var children Children
	copied, staying := v.copiedPolicies(), map[string]bool{}
	for _, p := range v.children.Policies.All() {
		staying[p.Key] = slices.Contains(copied, p) || v.copyUses(p)
	}
	for _, p := range v.children.Policies.All() {
		if staying[p.Key] {
			children = append(children, hold.Policy(p))
			continue
		}
		o := v.bridges.Leave(p, staying)
		if o.Note != "" {
			notes = append(notes, o.Note)
		}
		if o.Child != nil {
			children = append(children, o.Child)
		}
		if o.Concern != "" {
			needed = append(needed, o.Message())
		} else {
			other = append(other, o.Message())
		}
	}
	for _, a := range v.copiedAttachments() {
		children = append(children, hold.Child(&a.Object))
	}
	resp := v.terminating(children, inShort("its policies are being deleted", append(needed, other...)...))
	resp.Notes = notes
	if len(children) > 0 {
		// A removal that makes no progress causes no event, so ask to be called again.
		resp.ResyncAfterSeconds = patience(v.settings)
	}
	return resp
}

// usedByAnother is the message that a machine which is not the Wukong's, or no longer, uses one of the Wukong's attachments; empty where
// there is no such machine.
func (v *view) usedByAnother() string {
	for _, a := range v.children.Attachments.All() {
		if user := v.user(networkOf(v.w, a.Name, attachmentSuffix)); user != "" {
			return fmt.Sprintf("machine %s uses attachment %s: take that network from it, or delete it", user, a.Key)
		}
	}
	return ""
}

// policiesInStatus are the policies in the Wukong's last status.
func (v *view) policiesInStatus() []string {
	var names []string
	for _, n := range v.w.Status.Networks {
		if n.PolicyName != "" {
			names = append(names, n.PolicyName)
		}
	}
	return names
}

// terminating is the answer for a Wukong that is being deleted: with the copies of its machine, which stay, and with what is said of them.
func (v *view) terminating(children Children, message string) *Response {
	for _, m := range v.copiedMachines() {
		children = append(children, hold.Machine(m))
	}
	r := &outcome.Refusal{Reason: v1alpha1.ReasonTerminating, Message: message}
	if notes := v.waitsForCopies(); len(notes) > 0 {
		r.Message, r.Stuck = inShort("", append(notes, message)...), true
	}
	return &Response{Children: children, Status: v1alpha1.WukongStatus{
		Conditions: v.conditions([]part{
			refusedPart(v1alpha1.ConditionNodeNetworkReady, r),
			refusedPart(v1alpha1.ConditionAttachmentsReady, r),
			refusedPart(v1alpha1.ConditionMachineReady, r),
		}),
		Phase:    v1alpha1.PhaseTerminating,
		VMName:   v.w.Name,
		Networks: v.terminatingNetworks(),
		NodeName: v.nodeName(),
	}}
}

// terminatingNetworks are the networks in the last status whose policies still exist. Customize reads them there, and
// asks for NMState's reports on the policies.
func (v *view) terminatingNetworks() []v1alpha1.NetworkStatus {
	var all []v1alpha1.NetworkStatus
	for _, n := range v.w.Status.Networks {
		if v.children.Policies.Get(n.PolicyName) != nil {
			all = append(all, v1alpha1.NetworkStatus{Name: n.Name, Type: n.Type, Bridge: n.Bridge, Uplink: n.Uplink, PolicyName: n.PolicyName})
		}
	}
	return all
}

package sync

import (
	"maps"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/sync/hold"
)

// leaving is the decision about one child that no network of the spec asks for any more.
type leaving struct {
	child   *unstructured.Unstructured // nil where it is deleted
	network string                     // the name of the network that the child was made for
	message string
	note    string // a line for the operator's log
}

// stillUsed is the message about a network that the spec no longer has and the machine still has.
const stillUsed = "is removed from the spec, and goes when the machine no longer uses it: at its next restart"

// leavingAttachments are the unwanted attachments that stay for a while: an attachment is deleted only when neither the
// machine nor its running instance refers to it.
// The table in docs/decisions.md has its rows.
func (v *view) leavingAttachments() []leaving {
	var all []leaving
	_, wanted := v.wanted()
	for _, a := range v.children.Attachments.All() {
		if n := networkOf(v.w, a.Name, attachmentSuffix); !wanted[a.Key] && v.uses(n) {
			all = append(all, leaving{child: hold.Child(&a.Object), network: n, message: stillUsed})
		}
	}
	return all
}

// leavingPolicies are the policies that no network wants. Each stays until its attachment is gone and the machine no
// longer uses the network; then its bridge leaves the nodes.
// The table in docs/decisions.md has its rows.
func (v *view) leavingPolicies() []leaving {
	var all []leaving
	policies, attachments := v.wanted()
	plugged := map[string]bool{} // the networks whose attachments still exist
	for _, a := range v.children.Attachments.All() {
		if !attachments[a.Key] {
			plugged[networkOf(v.w, a.Name, attachmentSuffix)] = true
		}
	}
	staying := maps.Clone(policies) // and the policies whose bridges are still used
	for _, p := range v.children.Policies.All() {
		if n := networkOf(v.w, p.Name, policySuffix); plugged[n] || v.uses(n) {
			staying[p.Key] = true
		}
	}
	for _, p := range v.children.Policies.All() {
		n := networkOf(v.w, p.Name, policySuffix)
		switch {
		case policies[p.Key]:
		case staying[p.Key]:
			all = append(all, leaving{child: hold.Policy(p), network: n, message: stillUsed})
		default:
			o := v.bridges.Leave(p, staying)
			all = append(all, leaving{child: o.Child, network: n, message: o.Message(), note: o.Note})
		}
	}
	return all
}

// strangeMachines are children that are machines of another name than the Wukong's. The hook did not make them,
// although they have this Wukong's label and owner, and it never deletes them for their name.
func (v *view) strangeMachines() []leaving {
	var all []leaving
	for _, m := range v.children.Machines.All() {
		if m.Key != v.machineKey() {
			all = append(all, leaving{child: hold.Machine(m)})
		}
	}
	return all
}

package sync

import (
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/sync/facts"
	"novasphere.dev/wukong/sync/hold"
)

// leaving is the decision about one child that no network of the spec asks for any more.
type leaving struct {
	child   *unstructured.Unstructured // nil where it is deleted
	network string                     // the name of the network that the child was made for
	message string
	note    string // a line for the operator's log
}

// stillUsed is the message about a network that the spec no longer has, and that a machine still has.
func (v *view) stillUsed(network string) string {
	if user := v.user(network); user != "" && user != v.machineKey() {
		return fmt.Sprintf("is removed from the spec, and stays while machine %s uses it", user)
	}
	return "is removed from the spec: the machine uses it until its next restart"
}

// leavingAttachments are the unwanted attachments that stay for a while: an attachment is deleted only when neither the
// machine nor its running instance refers to it.
// The table in docs/decisions.md has its rows.
func (v *view) leavingAttachments() []leaving {
	var all []leaving
	_, wanted := v.wanted()
	copied := v.copiedAttachments()
	for _, a := range v.children.Attachments.All() {
		n := networkOf(v.w, a.Name, attachmentSuffix)
		switch {
		case wanted[a.Key]:
		case slices.Contains(copied, a):
			all = append(all, leaving{child: hold.Child(&a.Object)})
		case v.uses(n):
			all = append(all, leaving{child: hold.Child(&a.Object), network: n, message: v.stillUsed(n)})
		}
	}
	return all
}

// leavingPolicies are the policies that no network wants. Each stays until its attachment is gone and no machine uses the network any
// more; then its bridge leaves the nodes.
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
		if n := networkOf(v.w, p.Name, policySuffix); plugged[n] || v.uses(n) || v.copyUses(p) {
			staying[p.Key] = true
		}
	}
	copied := v.copiedPolicies()
	for _, p := range v.children.Policies.All() {
		n := networkOf(v.w, p.Name, policySuffix)
		switch {
		case policies[p.Key]:
		case slices.Contains(copied, p):
			all = append(all, leaving{child: hold.Policy(p)})
		case staying[p.Key]:
			all = append(all, leaving{child: hold.Policy(p), network: n, message: v.stillUsed(n)})
		default:
			o := v.bridges.Leave(p, staying)
			all = append(all, leaving{child: o.Child, network: n, message: o.Message(), note: o.Note})
		}
	}
	return all
}

// copyUses reports whether a copy of an attachment plugs machines into the bridge of a policy.
func (v *view) copyUses(p *facts.Policy) bool {
	return slices.ContainsFunc(v.copiedAttachments(), func(a *facts.Attachment) bool { return a.Bridge != "" && a.Bridge == p.Says.Name })
}

// leavingCopies are the copies of the machine. The hook did not make them, although they have this Wukong's label and owner, and it never
// deletes them.
// The table in docs/decisions.md has its rows.
func (v *view) leavingCopies() []leaving {
	var all []leaving
	for _, m := range v.copiedMachines() {
		all = append(all, leaving{child: hold.Machine(m)})
	}
	return all
}

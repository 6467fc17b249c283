package sync

import (
	"maps"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/sync/hold"
)

// leaving is what becomes of one child that no network of the spec asks for any more.
type leaving struct {
	child   *unstructured.Unstructured // nil where it goes
	network string                     // the network that it was made for
	message string
	note    string // a line for the log of the operator
}

// stillUsed is said of a network that the spec no longer has and the machine still does.
const stillUsed = "is removed from the spec, and goes when the machine no longer uses it: at its next restart"

// leavingAttachments are those that stay for a while: an attachment goes when neither the machine nor its running instance refers
// to it. The machine lets go first.
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

// leavingPolicies are the policies that no network wants: each waits for its attachment and for the machine, and then leaves the
// nodes.
func (v *view) leavingPolicies() []leaving {
	var all []leaving
	policies, attachments := v.wanted()
	plugged := map[string]bool{} // networks whose attachment is still there
	for _, a := range v.children.Attachments.All() {
		if !attachments[a.Key] {
			plugged[networkOf(v.w, a.Name, attachmentSuffix)] = true
		}
	}
	staying := maps.Clone(policies) // with the policies that the machine still stands on
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

// strangeMachines are machines of another name: none that this hook made, though they carry this Wukong's mark. They are never
// deleted for that.
func (v *view) strangeMachines() []leaving {
	var all []leaving
	for _, m := range v.children.Machines.All() {
		if m.Key != v.machineKey() {
			all = append(all, leaving{child: hold.Machine(m)})
		}
	}
	return all
}

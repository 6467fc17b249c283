// Package sync decides what should exist. It is the pure core of the hook: functions from what Metacontroller posts to
// what it is answered. Nothing here reads a clock, a network, a file or the environment, logs, or keeps anything between
// two calls; it has nothing to do with the standard library's sync, and nothing here locks.
//
// The one rule: a child that is missing from an answer is deleted. So readiness gates the creation of children, and
// whatever exists is answered again, come what may, until the user removes it. The table "observed, wanted, answered" at the
// end of docs/decisions.md has every such decision, and a golden case for each.
package sync

import (
	"maps"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/sync/facts"
	"novasphere.dev/wukong/sync/hold"
	"novasphere.dev/wukong/types/v1alpha1"
)

// decided is what becomes of a Wukong, beside what becomes of each of its networks.
type decided struct {
	machine machineOutcome
	leaving []leaving
	notes   []string
}

// Sync answers what should exist of a Wukong, given what does: first the policies that build bridges on the nodes, then,
// as each becomes available, the attachments that point at the bridges, and when all exist the machine.
//
// An error means that the request is none that can be answered, and that everything stays as it is.
func Sync(req *Request, settings Settings, now time.Time) (*Response, error) {
	if err := isWukong(req.Parent); err != nil {
		return nil, err
	}
	v := newView(req, settings, now)
	if errs := v.validate(); len(errs) > 0 {
		return &Response{Status: v.invalidStatus(errs), Children: v.holdAll()}, nil
	}
	d := v.decide()
	return &Response{Status: v.status(d), Children: v.answered(d), ResyncAfterSeconds: v.resync(d), Notes: d.notes}, nil
}

// decide decides about each network, then about the machine, then about what no network asks for any more.
func (v *view) decide() decided {
	var d decided
	wants := v.bridges.Wants
	for _, n := range v.networks {
		if n.policyName != "" {
			n.policy = v.bridges.Decide(&wants[0])
			wants = wants[1:]
			d.note(n.policy.Note)
		}
		if n.attachmentName != "" || n.superseded != "" {
			n.attachment = v.decideAttachment(n)
		}
	}
	d.machine = v.decideMachine()
	d.leaving = append(d.leaving, v.leavingAttachments()...)
	for _, l := range v.leavingPolicies() {
		d.note(l.note)
		if l.child != nil {
			d.leaving = append(d.leaving, l)
		}
	}
	d.leaving = append(d.leaving, v.strangeMachines()...)
	return d
}

func (d *decided) note(line string) {
	if line != "" {
		d.notes = append(d.notes, line)
	}
}

// answered are the children, policies first.
func (v *view) answered(d decided) Children {
	var all Children
	add := func(child *unstructured.Unstructured) {
		if child != nil {
			all = append(all, child)
		}
	}
	for _, n := range v.networks {
		add(n.policy.Child)
	}
	for _, n := range v.networks {
		add(n.attachment.Child)
	}
	add(d.machine.Child)
	for _, l := range d.leaving {
		add(l.child)
	}
	return all
}

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

// resync asks to be called again while a bridge is being removed: that nothing moves any more is no event.
func (v *view) resync(d decided) float64 {
	var children []*unstructured.Unstructured
	for _, n := range v.networks {
		children = append(children, n.policy.Child)
	}
	for _, l := range d.leaving {
		children = append(children, l.child)
	}
	for _, child := range children {
		if child != nil && child.GetAnnotations()[facts.AnnotationRemoving] != "" {
			return v.patience()
		}
	}
	return 0
}

// patience is after how many seconds a removal that waits is looked at again.
func (v *view) patience() float64 {
	return max(1, v.settings.TeardownTimeout.Seconds()/10)
}

// holdAll answers everything that exists.
func (v *view) holdAll() Children {
	all := append(v.holdPolicies(), v.holdAttachments()...)
	for _, m := range v.children.Machines.All() {
		all = append(all, hold.Machine(m))
	}
	return all
}

func (v *view) holdPolicies() Children {
	var all Children
	for _, p := range v.children.Policies.All() {
		all = append(all, hold.Policy(p))
	}
	return all
}

func (v *view) holdAttachments() Children {
	var all Children
	for _, a := range v.children.Attachments.All() {
		all = append(all, hold.Child(&a.Object))
	}
	return all
}

// Stages is everything that would ever be created for a Wukong, in the order in which it comes into being.
type Stages struct {
	NodeNetwork, Attachments, Machine []*unstructured.Unstructured
}

// Render answers every child that Sync would ever create for a Wukong, as if everything it waits for were ready. nmstate is
// whether NMState's policies are registered. With preserveHostIP the policy is the one for nodes with a static address: which one
// it is is known only when the nodes are looked at.
func Render(w *v1alpha1.Wukong, settings Settings, nmstate bool) (*Stages, error) {
	if err := isWukong(w); err != nil {
		return nil, err
	}
	req := &Request{Parent: w}
	if nmstate {
		req.Controller.Spec.ChildResources = []ChildResource{{APIVersion: "nmstate.io/v1", Resource: "nodenetworkconfigurationpolicies"}}
	}
	v := newView(req, settings, time.Time{})
	if errs := v.validate(); len(errs) > 0 {
		return nil, errs.ToAggregate()
	}
	stages := &Stages{}
	for i := range v.bridges.Wants {
		stages.NodeNetwork = append(stages.NodeNetwork, v.bridges.Desired(&v.bridges.Wants[i]))
	}
	for _, n := range v.networks {
		if n.ownAttachment {
			stages.Attachments = append(stages.Attachments, v.newAttachment(n))
		}
	}
	stages.Machine = append(stages.Machine, v.newMachine(v.networks))
	return stages, nil
}

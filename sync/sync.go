// Package sync decides what should exist. It is the pure core of the hook: functions from what Metacontroller posts to
// what the hook answers. Nothing here reads a clock, a network, a file or the environment, logs, or keeps anything
// between two calls. The package has nothing to do with the standard library's sync, and nothing here locks.
//
// The one rule: Metacontroller deletes a child that is missing from an answer. So children are created only when what
// they depend on is ready, and an existing child is answered again, come what may, until the user removes it. The table
// "observed, wanted, answered" at the end of docs/decisions.md has every such decision, and a golden case for each.
package sync

import (
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/sync/facts"
	"novasphere.dev/wukong/sync/hold"
	"novasphere.dev/wukong/sync/node"
)

// decided are the decisions about a Wukong, apart from those about its networks.
type decided struct {
	machine machineOutcome
	leaving []leaving
	notes   []string
}

// Sync answers what should exist of a Wukong, given what exists: first the policies that build bridges on the nodes;
// then, as each policy becomes available, the attachments that point at the bridges; and when all attachments exist,
// the machine.
//
// An error means that the request cannot be answered, and that everything stays as it is.
// The table in docs/decisions.md has its rows.
func Sync(req *Request, settings Settings, now time.Time) (resp *Response, err error) {
	defer hold.Recover(&err)
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

// decide decides about each network, then about the machine, then about the children that no network asks for any more.
func (v *view) decide() decided {
	var d decided
	wants := v.bridges.Wants
	for _, n := range v.networks {
		if n.policyName != "" {
			n.policy = v.decidePolicy(n, &wants[0])
			wants = wants[1:]
			d.note(n.policy.Note)
		}
		if n.attachmentName != "" || n.superseded != "" {
			n.attachment = v.decideAttachment(n)
			n.concern = v.masterConcern(n)
		}
	}
	d.machine = v.decideMachine()
	if found := v.template.found; len(found) > 0 {
		d.note(fmt.Sprintf("Wukong %s: KubeVirt in this cluster does not know %s: left out of machine %s from now on",
			v.w.Name, strings.Join(found, ", "), v.machineKey()))
	}
	if v.machine() == nil {
		d.note(v.drainAdvice(d.machine.Child)) // once, when the machine is created
	}
	d.leaving = append(d.leaving, v.leavingAttachments()...)
	for _, l := range v.leavingPolicies() {
		d.note(l.note)
		if l.child != nil {
			d.leaving = append(d.leaving, l)
		}
	}
	d.leaving = append(d.leaving, v.leavingCopies()...)
	return d
}

func (d *decided) note(line string) {
	if line != "" {
		d.notes = append(d.notes, line)
	}
}

// answered are the children to answer, policies first.
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

// resync is after how many seconds to call again: never (0), unless a bridge is being removed or time has to pass. Neither a
// removal that makes no progress nor time causes an event.
func (v *view) resync(d decided) float64 {
	var children []*unstructured.Unstructured
	for _, n := range v.networks {
		if n.policy.Refusal != nil && n.policy.Refusal.Again > 0 {
			return n.policy.Refusal.Again.Seconds()
		}
		children = append(children, n.policy.Child)
	}
	for _, l := range d.leaving {
		children = append(children, l.child)
	}
	for _, child := range children {
		if child != nil && child.GetAnnotations()[facts.AnnotationRemoving] != "" {
			return patience(v.settings)
		}
	}
	return 0
}

// patience is after how many seconds a removal is looked at again.
func patience(settings Settings) float64 {
	again := settings.TeardownTimeout / 10
	if told := node.Gather(settings.NodesGather).AtMost(); told > 0 {
		again = min(again, told)
	}
	return max(1, again.Seconds())
}

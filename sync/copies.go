package sync

import (
	"fmt"
	"slices"
	"strings"

	"novasphere.dev/wukong/sync/facts"
	"novasphere.dev/wukong/sync/outcome"
)

// A copy is a child that the hook has not made. Whoever clones a machine, restores it into another namespace, or writes an attachment or
// a policy from one of the Wukong's, copies the labels too, and Metacontroller adopts what carries the label controller-uid, in every
// namespace. It is somebody's machine all the same. So a copy is never deleted, and what it uses stays.

// copiedMachines are the machines of another name or namespace than the Wukong's own.
func (v *view) copiedMachines() []*facts.Machine {
	return slices.DeleteFunc(v.children.Machines.All(), func(m *facts.Machine) bool { return m.Key == v.machineKey() })
}

// copiedAttachments are the attachments that are none of a network of this Wukong, be it one that was removed. The name alone does not
// tell those of removed networks: what a copy is a copy of is in its configuration, and in its labels.
func (v *view) copiedAttachments() []*facts.Attachment {
	return slices.DeleteFunc(v.children.Attachments.All(), func(a *facts.Attachment) bool {
		n, ok := v.networkOfChild(&a.Object, attachmentSuffix)
		return ok && a.Namespace == v.w.Spec.Namespace && (v.hasNetwork(n) || a.ConfigName == "" || a.ConfigName == a.Name)
	})
}

// copiedPolicies are the policies that are none of a network of this Wukong, be it one that was removed.
func (v *view) copiedPolicies() []*facts.Policy {
	return slices.DeleteFunc(v.children.Policies.All(), func(p *facts.Policy) bool {
		_, ok := v.networkOfChild(&p.Object, policySuffix)
		return ok
	})
}

// networkOfChild is the network that a policy or attachment was made for; ok is false where its name, or the label that it was made
// with, is that of no network of this Wukong.
func (v *view) networkOfChild(o *facts.Object, suffix string) (network string, ok bool) {
	n := networkOf(v.w, o.Name, suffix)
	if n == "" || o.Name != v.w.Name+"-"+n+suffix {
		return "", false
	}
	label := o.Labels[facts.LabelNetwork]
	return n, v.hasNetwork(n) || label == "" || label == n
}

// hasNetwork reports whether the spec has a network of this name. What has its children's names is the Wukong's own, whatever it says.
func (v *view) hasNetwork(name string) bool {
	return slices.ContainsFunc(v.networks, func(n *network) bool { return n.Name == name })
}

// copies are all copies: machines, attachments, policies.
func (v *view) copies() []*facts.Object {
	var all []*facts.Object
	for _, m := range v.copiedMachines() {
		all = append(all, &m.Object)
	}
	for _, a := range v.copiedAttachments() {
		all = append(all, &a.Object)
	}
	for _, p := range v.copiedPolicies() {
		all = append(all, &p.Object)
	}
	return all
}

// copiesNotes say which copies there are, and the commands that free them.
// The table in docs/decisions.md has its rows.
func (v *view) copiesNotes() []string {
	var notes []string
	for _, o := range v.copies() {
		note := copyNote(o, v.w.DeletionTimestamp != nil)
		if disk := v.sharedDisk(v.children.Machines.Get(o.Key)); o.Kind == "VirtualMachine" && disk != "" {
			note += fmt.Sprintf(", and it writes to the machine's disk %s", disk)
		}
		notes = append(notes, note)
	}
	return notes
}

// copyNote says that an object is a copy, and the command that frees it.
func copyNote(o *facts.Object, deleting bool) string {
	return fmt.Sprintf("copy %s: %s frees it", o.Key, freeing(o, deleting))
}

// freeing is the command that frees a copy. Metacontroller releases what loses its label only while the owner is not being deleted.
// After that the owner reference has to go: with it, Kubernetes would delete the copy as soon as the owner is gone.
func freeing(o *facts.Object, deleting bool) string {
	if !deleting {
		return outcome.Kubectl("label", o, "controller-uid-")
	}
	return outcome.Kubectl("patch", o, outcome.WithoutOwner)
}

// sharedDisk is a disk of the Wukong's machine that a copy in its namespace uses too; empty where there is none. Such a disk goes with
// the machine.
func (v *view) sharedDisk(copied *facts.Machine) string {
	own := v.machine()
	if own == nil || copied == nil || copied.Namespace != own.Namespace {
		return ""
	}
	for _, disk := range own.Templates {
		if makes(copied, disk) || slices.ContainsFunc(copied.Volumes, func(c facts.MachineVolume) bool { return c.Claim == disk }) {
			return disk
		}
	}
	return ""
}

// waitsForCopies say which copies a deletion waits for. To them belongs a machine that has lost its label during
// the deletion, and still has the Wukong as its owner.
func (v *view) waitsForCopies() []string {
	notes := v.copiesNotes()
	for _, m := range v.related.Machines.All() {
		if v.owns(&m.Object) && v.children.Machines.Get(m.Key) == nil && !m.Deleting {
			notes = append(notes, copyNote(&m.Object, true))
		}
	}
	return notes
}

// copied reports whether a policy is none of an uplink of this WukongNetwork, be it one that was removed: it was written from one.
func (v *networkView) copied(p *facts.Policy) bool {
	by, uplink := strings.CutPrefix(p.Name, v.w.Name+".")
	return !uplink || by != "bridge" && !strings.HasSuffix(by, ".bridge")
}

// copiesNotes say which policies are copies, and the commands that free them.
// The table in docs/decisions.md has its rows.
func (v *networkView) copiesNotes() []string {
	var notes []string
	for _, p := range v.children.Policies.All() {
		if v.copied(p) {
			notes = append(notes, copyNote(&p.Object, v.w.DeletionTimestamp != nil))
		}
	}
	return notes
}

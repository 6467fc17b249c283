package sync

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"novasphere.dev/wukong/sync/bridges"
	"novasphere.dev/wukong/sync/facts"
	"novasphere.dev/wukong/sync/node"
	"novasphere.dev/wukong/sync/outcome"
	"novasphere.dev/wukong/sync/template"
	"novasphere.dev/wukong/types/v1alpha1"
)

// master is the NIC on which the macvlans or ipvlans of a network stand; ok is whether the network has such and makes the attachment.
func (n *network) master() (m node.Master, ok bool) {
	if n.silence() == "" || !n.ownAttachment || n.bridge.NIC == "" {
		return node.Master{}, false
	}
	return node.Master{Kind: string(n.Type), NIC: n.bridge.NIC, MTU: int64(n.MTU)}, true
}

// validateMaster refuses macvlans and ipvlans on a NIC that is a bridge's port, and on a NIC that a network before it has for the other of
// the two: the kernel hands the packets of a NIC to one of them only.
func (v *view) validateMaster(path *field.Path, index int) field.ErrorList {
	n := v.networks[index]
	m, ok := n.master()
	if !ok {
		return nil
	}
	for _, other := range v.networks {
		if b := other.bridge; b.Name != "" && b.Uplink == m.NIC {
			return field.ErrorList{field.Invalid(path.Child("physicalInterface"), m.NIC,
				fmt.Sprintf("is in bridge %s of network %s: remove one of the two, or add it anew with another physicalInterface",
					b.Name, other.Name))}
		}
	}
	for _, before := range v.networks[:index] {
		if its, ok := before.master(); ok && m.Fights(its) {
			return field.ErrorList{field.Invalid(path.Child("physicalInterface"), m.NIC,
				fmt.Sprintf("has the %ss of network %s, and nothing else fits there: remove one of the two, or add it anew with another NIC",
					its.Kind, before.Name))}
		}
	}
	return nil
}

// masterRefusal is why the attachment of macvlans or ipvlans may not be created; nil where it may. No policy stands between them and the
// nodes, so a node that reports nothing is not waited for: CNI would fail there, and harm nobody.
// The table in docs/decisions.md has its rows.
func (v *view) masterRefusal(n *network) *outcome.Refusal {
	m, ok := n.master()
	if !ok {
		return nil
	}
	if feeds := v.bridges.Feeds(m.NIC); feeds != nil {
		return feeds
	}
	if rival := v.standing(m.Fights, "add the network anew with another physicalInterface"); rival != nil {
		return rival
	}
	if alias := v.aliasRefusal(n); alias != nil && v.children.Attachments.Get(n.attachmentName) == nil {
		return alias
	}
	if objection := v.masterObjection(m); objection != "" {
		return &outcome.Refusal{Reason: v1alpha1.ReasonPreflightRefused, Message: objection, Stuck: true}
	}
	return nil
}

// masterConcern is what speaks against macvlans or ipvlans whose attachment exists; empty where nothing does.
// The table in docs/decisions.md has its rows.
func (v *view) masterConcern(n *network) string {
	if n.superseded != "" || v.children.Attachments.Get(n.attachmentName) == nil {
		return ""
	}
	if r := v.masterRefusal(n); r != nil {
		return r.Message
	}
	return ""
}

// masterObjection is what the nodes that the machine may run on say against a NIC, and what helps; empty where they say nothing.
func (v *view) masterObjection(m node.Master) string {
	if !v.settings.Preflight {
		return ""
	}
	reports := v.runsOn()
	if len(reports) > 0 && !slices.ContainsFunc(reports, func(s *node.State) bool { return s.Has(m.NIC) }) {
		return fmt.Sprintf("no node has NIC %s, and node %s has %s: %s", m.NIC, reports[0].Node, reports[0].SomeNICs(), masterWay(reports, reports[0], m))
	}
	for _, s := range reports {
		if objection := s.MasterObjection(m); objection != "" {
			return objection + ": " + masterWay(reports, s, m)
		}
	}
	return ""
}

// masterWay is what helps against the objection of a node: what all nodes would let pass.
func masterWay(reports []*node.State, objecting *node.State, m node.Master) string {
	fits := func(other node.Master) bool {
		return !slices.ContainsFunc(reports, func(s *node.State) bool { return s.MasterObjection(other) != "" })
	}
	if plain := (node.Master{Kind: m.Kind, NIC: m.NIC, Mode: m.Mode}); m.MTU != 0 && fits(plain) {
		return "remove mtu"
	}
	for _, nic := range objecting.MasterChoices(m.NIC) {
		if other := m; nic != m.NIC {
			if other.NIC = nic; fits(other) {
				return "add the network anew with physicalInterface " + nic
			}
		}
	}
	if slices.ContainsFunc(reports, func(s *node.State) bool { return s.MasterObjection(m) == "" }) {
		return "skip the node by highAvailability.nodeSelector"
	}
	return "no single change of the spec helps"
}

// labelSchedulable is KubeVirt's label of the nodes that its handler is on. It runs machines nowhere else, for example not on the nodes of
// the control plane. The handler says false there for a while, so the value does not count.
const labelSchedulable = "kubevirt.io/schedulable"

// runsOn are the reports of the nodes that the machine may run on, as far as labels tell.
func (v *view) runsOn() []*node.State {
	all := v.selected()
	handled := func(n bridges.Reported) bool { _, ok := n.Labels[labelSchedulable]; return ok }
	everywhere := !slices.ContainsFunc(all, handled) // none is labelled, so nothing is known
	machine := v.template.Labels(template.Instance + ".nodeSelector")
	var reports []*node.State
	for _, n := range all {
		if (everywhere || handled(n)) && facts.Selects(machine, n.Labels) {
			reports = append(reports, n.State)
		}
	}
	return reports
}

// standing is the refusal because of an attachment whose macvlans or ipvlans fight with what is asked for; nil where there is none. way is
// what the user can do about somebody else's. Counted are those that are still there of networks that were removed, those that other
// Wukongs have made, and those that this Wukong names itself. Anybody may write another one in a namespace of their own.
func (v *view) standing(fights func(node.Master) bool, way string) *outcome.Refusal {
	_, wanted := v.wanted()
	for _, a := range v.children.Attachments.All() {
		if its, ok := a.Stands(); ok && fights(its) && !wanted[a.Key] {
			return refuse(v1alpha1.ReasonRemoving, fmt.Sprintf("attachment %s of a removed network still has %s: it goes first", a.Key, its)).Refusal
		}
	}
	for _, a := range v.related.Attachments.All() {
		its, ok := a.Stands()
		switch {
		case !ok || !fights(its) || v.owns(&a.Object) || v.children.Attachments.Get(a.Key) != nil || !v.counts(a):
		case a.Deleting:
			return refuse(v1alpha1.ReasonRemoving, fmt.Sprintf("attachment %s with %s is being deleted: that is finished first", a.Key, its)).Refusal
		default:
			return &outcome.Refusal{Reason: v1alpha1.ReasonConflict, Stuck: true, Message: fmt.Sprintf(
				"attachment %s of %s has %s, and nothing else fits there: %s", a.Key, a.Owner, its, way)}
		}
	}
	return nil
}

// counts reports whether somebody else's attachment has a NIC: another Wukong made it, or a network of this one names it.
func (v *view) counts(a *facts.Attachment) bool {
	made := a.Owner.Controller && a.Owner.Kind == v1alpha1.Kind && a.Owner.APIVersion == v1alpha1.APIVersion
	return made || slices.ContainsFunc(v.networks, func(n *network) bool { return n.NADName != "" && n.attachmentName == a.Key })
}

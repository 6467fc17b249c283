package sync

import (
	"slices"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"novasphere.dev/wukong/sync/hold"
	"novasphere.dev/wukong/sync/template"
	"novasphere.dev/wukong/types/v1alpha1"
)

// virtualMachine is what spec.virtualMachine says, and what is wrong with it.
type virtualMachine struct {
	*template.Template
	errs field.ErrorList

	// found are the fields that the cluster does not know, and of which the last status does not tell yet.
	found []string
}

// readTemplate reads spec.virtualMachine. What cannot be read says nothing; then everything is held.
// The table in docs/decisions.md has its rows.
func (v *view) readTemplate() virtualMachine {
	o := template.Options{DataVolumes: claimName(v.w, v1alpha1.Disk{}), PassUnknown: v.settings.PassUnknownMachineFields}
	for _, n := range v.networks {
		o.Networks = append(o.Networks, n.Name)
	}
	if v.w.Generation == v.w.Status.ObservedGeneration {
		o.Pruned = v.w.Status.PrunedMachineFields // whoever edits the spec wants to try again
	}
	read, errs := template.Read(v.w.Spec.VirtualMachine, o)
	if len(errs) > 0 {
		return virtualMachine{Template: &template.Template{}, errs: errs}
	}
	t := virtualMachine{Template: read}
	if m := v.machine(); m != nil && read.HandsUnknownOn() {
		t.found = read.Pruned(hold.LastAnswer(&m.Object), hold.Observed(&m.Object))
	}
	if len(t.found) > 0 {
		o.Pruned = slices.Concat(o.Pruned, t.found)
		t.Template, _ = template.Read(v.w.Spec.VirtualMachine, o)
	}
	return t
}

// merge merges what spec.virtualMachine says under the machine. Networks that the machine does not have yet, or still has in an
// earlier form, get nothing from it.
func (v *view) merge(machine map[string]any, nets []*network) []template.Collision {
	if v.w.Spec.VirtualMachine == nil {
		return nil
	}
	var waiting []string
	for _, n := range v.networks {
		if !slices.Contains(nets, n) {
			waiting = append(waiting, n.Name)
		}
	}
	t := v.template.Without(waiting)
	t.GiveWay(machine, v.fallbacks(nets))
	own := template.Keys(machine, template.Instance+".volumes")
	collisions := t.Merge(machine)
	template.AddDisks(machine)
	boots := bootsFromDisk(v.w) || slices.Contains(own, osDisk)
	for _, list := range []string{template.Instance + ".volumes", template.Devices + ".disks"} {
		template.Sort(machine, list, func(name string) int { return bootRank(name, own, boots) })
	}
	return collisions
}

// bootRank is where a disk stands among the others. Without a bootOrder KubeVirt boots from the first: so those of the template come
// first where no other boots. The disk of cloud-init comes last.
func bootRank(name string, own []string, boots bool) int {
	switch {
	case name == cloudInitDisk:
		return 2
	case boots == slices.Contains(own, name):
		return 0
	default:
		return 1
	}
}

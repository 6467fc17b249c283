package sync

import (
	"fmt"
	"slices"
	"strings"

	"novasphere.dev/wukong/sync/facts"
	"novasphere.dev/wukong/sync/outcome"
	"novasphere.dev/wukong/sync/template"
	"novasphere.dev/wukong/types/v1alpha1"
)

// dataVolume is a DataVolume that the machine makes, and the field that names it.
type dataVolume struct{ name, field string }

// dataVolumes are the DataVolumes of the spec's disks and of spec.virtualMachine.
func (v *view) dataVolumes() []dataVolume {
	var all []dataVolume
	for i, d := range v.w.Spec.Disks {
		all = append(all, dataVolume{dataVolumeName(v.w, d.Name), fmt.Sprintf("spec.disks[%d].name", i)})
	}
	for i, name := range template.DataVolumes(v.w.Spec.VirtualMachine) {
		if !slices.ContainsFunc(all, func(d dataVolume) bool { return d.name == name }) {
			all = append(all, dataVolume{name, fmt.Sprintf("spec.virtualMachine.spec.dataVolumeTemplates[%d].metadata.name", i)})
		}
	}
	return all
}

// namesakes are the names of Wukongs whose DataVolumes may have the name of one of this Wukong's: a-b-c is disk c of
// Wukong a-b, and disk b-c of Wukong a.
func (v *view) namesakes() []string {
	var names []string
	for _, d := range v.dataVolumes() {
		for i, c := range d.name {
			if name := d.name[:i]; c == '-' && i <= labelLimit && name != "" && name != v.w.Name && !strings.HasSuffix(name, "-") {
				names = append(names, name)
			}
		}
	}
	return distinct(names)
}

// diskConflict is the refusal of the machine because a DataVolume of the Wukong's name is another machine's disk
// already; nil where there is no conflict. KubeVirt gives an existing DataVolume to every machine that names it
// (pkg/virt-controller/watch/vm, handleDataVolumes): two machines would write to one disk, and deleting the first
// machine would delete the disk. The Wukong whose machine already has the disk keeps it. Otherwise the older Wukong
// gets the disk; of two that are equally old, the first by name.
func (v *view) diskConflict() *outcome.Refusal {
	for _, d := range v.dataVolumes() {
		if makes(v.machine(), d.name) {
			continue
		}
		for _, other := range v.namesakes() {
			key := facts.Qualified(v.w.Spec.Namespace, other)
			if makes(v.related.Machines.Get(key), d.name) || v.wants(v.related.Wukongs.Get(other), d.name) {
				return &outcome.Refusal{Reason: v1alpha1.ReasonConflict, Stuck: true, Message: fmt.Sprintf(
					"%s: DataVolume %s is a disk of machine %s already, and two machines must not write to one disk: "+
						"choose another name", d.field, d.name, key)}
			}
		}
	}
	return nil
}

// makes reports whether a machine has a template for this DataVolume.
func makes(m *facts.Machine, dataVolume string) bool {
	return m != nil && slices.Contains(m.Templates, dataVolume)
}

// wants reports whether another Wukong, older than this one, has a disk whose DataVolume has this name.
func (v *view) wants(other *facts.Wukong, dataVolume string) bool {
	if other == nil {
		return false
	}
	namespace := other.MachineNamespace
	if namespace == "" {
		namespace = "default"
	}
	this := facts.Object{Name: v.w.Name, Created: v.w.CreationTimestamp.Time}
	return namespace == v.w.Spec.Namespace && other.Precedes(this) &&
		(slices.Contains(other.DataVolumes, dataVolume) ||
			slices.ContainsFunc(other.Disks, func(disk string) bool { return other.Key+"-"+disk == dataVolume }))
}

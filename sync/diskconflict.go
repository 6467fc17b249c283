package sync

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"novasphere.dev/wukong/sync/facts"
	"novasphere.dev/wukong/sync/outcome"
	"novasphere.dev/wukong/types/v1alpha1"
)

// namesakes are the names of Wukongs that may make one of this Wukong's claims, as {wukong}-{disk}: a-b-c is disk c of
// Wukong a-b, and disk b-c of Wukong a.
func (v *view) namesakes() []string {
	var names []string
	for _, claim := range ownClaims(v.w) {
		for i, c := range claim.name {
			if name := claim.name[:i]; c == '-' && name != v.w.Name && isLabel(name) {
				names = append(names, name)
			}
		}
	}
	return distinct(names)
}

// isLabel reports whether a text is a DNS label, as the name of a Wukong is. The name of a claim may have dots.
func isLabel(text string) bool {
	return text != "" && len(text) <= labelLimit && !strings.HasSuffix(text, "-") && !strings.Contains(text, ".")
}

// claimLabels are the labels of a machine, and of its instance, that make others with the same claims find it. They are
// only a hint: what a machine uses is decided by what it says.
func claimLabels(w *v1alpha1.Wukong) []string {
	var all []string
	for _, c := range ownClaims(w) {
		if c.existing {
			all = append(all, facts.ClaimLabel(c.name))
		}
	}
	return distinct(all)
}

// wantedLabels are the labels of others that are asked for: somebody may use by its name a claim that the machine makes.
func (v *view) wantedLabels() []string {
	var all []string
	for _, c := range ownClaims(v.w) {
		all = append(all, facts.ClaimLabel(c.name))
	}
	return distinct(all)
}

// validateDisks refuses an existing claim with the name of a claim that the machine makes: it would be two disks.
func (v *view) validateDisks() field.ErrorList {
	var errs field.ErrorList
	claims := ownClaims(v.w)
	for i, d := range v.w.Spec.Disks {
		if d.ClaimName == "" {
			continue
		}
		for _, other := range claims {
			if !other.existing && other.name == d.ClaimName {
				errs = append(errs, field.Invalid(field.NewPath("spec", "disks").Index(i).Child("claimName"), d.ClaimName,
					"is the claim that "+other.field+" makes: choose another name there, or remove one of them"))
			}
		}
	}
	return errs
}

// diskConflict is the refusal of the machine because the claim of one of its disks is another machine's disk already; nil
// where there is no conflict. KubeVirt gives a claim, and a DataVolume that exists, to every machine that names it
// (pkg/virt-controller/watch/vm, handleDataVolumes): two machines would write to one disk, and deleting the machine that
// has made it would delete the disk.
// The table in docs/decisions.md has its rows.
func (v *view) diskConflict() *outcome.Refusal {
	for _, c := range ownClaims(v.w) {
		other := v.otherUser(c)
		switch {
		case other == "":
		case c.existing:
			return &outcome.Refusal{Reason: v1alpha1.ReasonConflict, Stuck: true, Message: fmt.Sprintf(
				"%s: claim %s is a disk of machine %s: "+
					"add a disk with a clone of it, or with another claim", c.field, c.name, other)}
		default:
			return &outcome.Refusal{Reason: v1alpha1.ReasonConflict, Stuck: true, Message: fmt.Sprintf(
				"%s: DataVolume %s is a disk of machine %s already: "+
					"choose another name", c.field, c.name, other)}
		}
	}
	return nil
}

// otherUser is the key of the other machine that a claim belongs to; empty where it belongs to none. The machine that makes
// the claim keeps it, else the one that has it. Of two that have the same existing claim, created at the same moment, the
// older keeps it; of two Wukongs without a machine the older gets it. Of two that are equally old, the first by name.
func (v *view) otherUser(claim ownClaim) string {
	own := v.machine()
	if makes(own, claim.name) {
		return ""
	}
	has := own != nil && len(own.Volumes.Using(claim.name)) > 0
	for _, m := range v.related.Machines.All() {
		if v.isOther(&m.Object) && (makes(m, claim.name) || claim.written(m.Volumes) && (!has || m.Precedes(own.Object))) {
			return m.Key
		}
	}
	if has {
		return ""
	}
	for _, i := range v.related.Instances.All() {
		if v.isOther(&i.Object) && claim.written(i.Storage) {
			return i.Key
		}
	}
	for _, other := range v.related.Wukongs.All() {
		if v.wants(other, claim) {
			return facts.Qualified(v.w.Spec.Namespace, other.Key)
		}
	}
	return ""
}

// isOther reports whether a machine or instance could have a claim of the Wukong's machine, and is not it.
func (v *view) isOther(o *facts.Object) bool {
	return o.Key != v.machineKey() && o.Namespace == v.w.Spec.Namespace
}

// makes reports whether a machine has a template for this DataVolume.
func makes(m *facts.Machine, dataVolume string) bool {
	return m != nil && slices.Contains(m.Templates, dataVolume)
}

// written reports whether this machine and another with some volumes cannot share the claim: one of them writes to it.
func (c ownClaim) written(others facts.Storage) bool {
	return slices.ContainsFunc(others.Using(c.name), func(volume facts.MachineVolume) bool { return !volume.CD || !c.cd })
}

// wants reports whether another Wukong, older than this one, has a disk with this claim, and both cannot share it.
func (v *view) wants(other *facts.Wukong, claim ownClaim) bool {
	namespace := other.MachineNamespace
	if namespace == "" {
		namespace = "default"
	}
	this := facts.Object{Name: v.w.Name, Created: v.w.CreationTimestamp.Time}
	if other.Key == v.w.Name || namespace != v.w.Spec.Namespace || !other.Precedes(this) {
		return false
	}
	return slices.Contains(other.DataVolumes, claim.name) || claim.written(other.Volumes) || slices.ContainsFunc(other.Disks, func(theirs facts.Disk) bool {
		if theirs.ClaimName == "" {
			return other.Key+"-"+theirs.Name == claim.name
		}
		return theirs.ClaimName == claim.name && (!theirs.CD || !claim.cd)
	})
}

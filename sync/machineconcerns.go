package sync

import (
	"fmt"
	"slices"

	kubevirtv1 "kubevirt.io/api/core/v1"

	"novasphere.dev/wukong/sync/facts"
	"novasphere.dev/wukong/sync/hold"
)

// concerns are what the user should know of a machine that exists, whatever state it is in.
func (v *view) concerns() []string {
	all := append(v.copiesNotes(), v.doubledAddresses()...)
	if m := v.machine(); m != nil {
		all = append(append(all, v.movedVolumes(m)...), v.unmet(m)...)
	}
	all = append(all, v.existingDisks()...)
	for _, n := range v.networks {
		if v.joins(n) != "" {
			all = append(all, fmt.Sprintf("network %s is not in it yet", n.Name))
		}
	}
	return all
}

// movedVolumes say which disks are no longer on the DataVolume that follows from the spec, because KubeVirt has restored or moved them.
// The machine keeps them. A machine that is made anew would not have them.
// The table in docs/decisions.md has its rows.
func (v *view) movedVolumes(m *facts.Machine) []string {
	var all []string
	for _, d := range v.w.Spec.Disks {
		wanted := claimName(v.w, d)
		if !hold.Moved(m, d.Name, wanted, d.ClaimName == "") {
			continue
		}
		have := m.Volumes.Named(d.Name).Claim
		if slices.Contains(m.Moving, d.Name) {
			all = append(all, fmt.Sprintf("disk %s is moving from %s to %s", d.Name, wanted, have))
			continue
		}
		anew := "get a fresh disk"
		if d.ClaimName != "" {
			anew = "be on that again"
		}
		all = append(all, fmt.Sprintf("disk %s is on %s since %s, and not on %s: a machine that is made anew would %s, "+
			"so replace it by a disk of another name with %s", d.Name, have, movedBy(m), wanted, anew, lasting(m, have)))
	}
	return all
}

// lasting is the field that gives a disk of another name what is on a claim. What KubeVirt has restored belongs to the machine, as what the
// machine makes does, and is deleted with it: only a copy of that lasts.
func lasting(m *facts.Machine, claim string) string {
	if m.Restored || makes(m, claim) {
		return "clone.name " + claim
	}
	return "claimName " + claim
}

// movedBy is what brought a disk to another claim.
func movedBy(m *facts.Machine) string {
	switch {
	case m.MovesVolumes:
		return "a migration"
	case m.Restored:
		return "a restore"
	}
	return "an edit of the machine"
}

// unmet says what KubeVirt cannot do for a machine that runs: keep it as the spec is now, or move it to another node. Where the eviction
// strategy wants it moved, a drain of its node waits.
// The table in docs/decisions.md has its rows.
func (v *view) unmet(m *facts.Machine) []string {
	if !m.Conditions.Of("Ready").True() {
		return nil
	}
	var all []string
	for _, kind := range []string{string(kubevirtv1.VirtualMachineInstanceSynchronized), "AccessCredentialsSynchronized"} {
		if c := condition(m, v.instance(), kind); c.Status == "False" {
			all = append(all, oneLine(c.Message))
		}
	}
	c := condition(m, v.instance(), string(kubevirtv1.VirtualMachineInstanceIsMigratable))
	if c.Status != "False" || c.Message == "" {
		return all
	}
	switch kubevirtv1.EvictionStrategy(m.EvictionStrategy) {
	case kubevirtv1.EvictionStrategyLiveMigrate, kubevirtv1.EvictionStrategyExternal:
		all = append(all, oneLine(c.Message)+", so a drain of its node waits for it")
	case "":
		all = append(all, oneLine(c.Message)) // whether that matters is in KubeVirt's configuration
	}
	return all
}

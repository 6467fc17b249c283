package sync

import (
	"fmt"
	"slices"

	kubevirtv1 "kubevirt.io/api/core/v1"

	"novasphere.dev/wukong/sync/facts"
	"novasphere.dev/wukong/sync/hold"
)

// concerns are what the user should know of a machine that exists, whatever state it is in.
func (v *view) concerns() string {
	all := append([]string{v.copiesNote()}, v.doubledAddresses()...)
	if m := v.machine(); m != nil {
		all = append(append(all, v.movedVolumes(m)...), v.unmet(m)...)
	}
	for _, n := range v.networks {
		if v.joins(n) != "" {
			all = append(all, fmt.Sprintf("network %s is not in the running machine yet", n.Name))
		}
	}
	return sentences(all...)
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
		if d.ClaimName != "" {
			all = append(all, fmt.Sprintf("disk %s is on %s since %s, and not on %s: a machine that is made anew would be on that again, "+
				"so replace it by a disk of a new name with claimName %s", d.Name, have, movedBy(m), wanted, have))
			continue
		}
		all = append(all, fmt.Sprintf("disk %s is on %s since %s, and not on %s: a machine that is made anew would get a fresh disk, "+
			"so replace it by a new disk that is cloned from it", d.Name, have, movedBy(m), wanted))
	}
	return all
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

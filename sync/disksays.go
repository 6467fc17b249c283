package sync

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	kubevirtv1 "kubevirt.io/api/core/v1"

	"novasphere.dev/wukong/sync/facts"
	"novasphere.dev/wukong/types/v1alpha1"
)

// awaitsDisks are KubeVirt's words for a machine that waits for its disks. KubeVirt does not say what the disks wait for.
var awaitsDisks = map[kubevirtv1.VirtualMachinePrintableStatus]bool{
	kubevirtv1.VirtualMachineStatusProvisioning:            true,
	kubevirtv1.VirtualMachineStatusWaitingForVolumeBinding: true,
	kubevirtv1.VirtualMachineStatusDataVolumeError:         true,
	kubevirtv1.VirtualMachineStatusPvcNotFound:             true,
	"ErrorDataVolumeNotFound":                              true,
}

// diskState is what keeps a disk from being there.
type diskState struct {
	disk   string // in the machine
	claim  string
	says   string // the sentence of who fills it, or provides it
	failed bool   // an error, and not a step on the way
	wayOut string // where says does not tell by itself what to do
}

// diskSays is what keeps the disks of a machine from being there: the first that has failed, else the first that is not there yet; the
// zero diskState where all are, or nothing is known.
// The table in docs/decisions.md has its rows.
func (v *view) diskSays(m *facts.Machine) (first diskState) {
	for _, volume := range m.Volumes {
		var s diskState
		switch made, claim := v.dataVolume(volume.Claim), v.volumeClaim(volume.Claim); {
		case volume.Claim == "":
			continue
		case made != nil:
			s = madeState(made)
		case claim != nil:
			s = claimState(claim)
		case v.isMissing(volume.Claim):
			s = diskState{says: fmt.Sprintf("claim %s does not exist", facts.Qualified(m.Namespace, volume.Claim)), failed: true}
		}
		s.disk, s.claim = volume.Name, volume.Claim
		if s.failed || s.says != "" && first.says == "" {
			first = s
		}
		if s.failed {
			break
		}
	}
	if first.says != "" {
		first.wayOut = v.diskWayOut(first)
		first.says = fmt.Sprintf("disk %s: %s", first.disk, first.says)
	}
	return first
}

// isMissing reports whether an existing claim of the spec was asked for, and there is none.
func (v *view) isMissing(claim string) bool {
	if !v.related.Claims.Sent {
		return false
	}
	for _, c := range ownClaims(v.w) {
		if c.existing && c.name == claim {
			return true
		}
	}
	return false
}

// toldBy are the conditions of a DataVolume, those that say most first.
var toldBy = []string{"Running", "Bound", "Ready"}

// madeState is what keeps a DataVolume from being filled, in the words of the Containerized Data Importer.
func madeState(d *facts.DataVolume) (s diskState) {
	if d.Phase == "Succeeded" {
		return s
	}
	for _, kind := range toldBy {
		c := d.Conditions.Of(kind)
		failed := failedReason(c.Reason) || d.Phase == "Failed"
		if c.True() || c.Message == "" || isKnown(c) || s.says != "" && (s.failed || !failed) {
			continue
		}
		s.says, s.failed = oneLine(c.Message), failed
		if failed && c.Reason != "" && c.Reason != "Error" && !strings.Contains(c.Message, c.Reason) {
			s.says += fmt.Sprintf(" (%s)", oneLine(c.Reason))
		}
	}
	if s.says == "" {
		s.says, s.failed = fmt.Sprintf("DataVolume %s is %s", d.Key, filling(d)), d.Phase == "Failed"
	}
	return s
}

// isKnown reports whether a condition says no more than the phase.
func isKnown(c facts.Condition) bool {
	return c.Type == "Bound" && !failedReason(c.Reason) && (strings.HasPrefix(c.Message, "PVC ") || c.Message == "No PVC found")
}

// failedReason reports whether the reason of a DataVolume's condition means an error, and not a step on the way.
func failedReason(reason string) bool {
	for _, word := range []string{"Err", "Fail", "BackOff", "Exceeded", "Unschedulable", "ClaimLost", "Invalid", "Incompatible"} {
		if strings.Contains(reason, word) {
			return true
		}
	}
	return false
}

// filling is the phase of a DataVolume, with how far it is, in tens of percent: a status that counts along would be written at each step.
func filling(d *facts.DataVolume) string {
	phase := d.Phase
	if phase == "" {
		phase = "Pending"
	}
	whole, _, _ := strings.Cut(d.Progress, ".")
	if percent, err := strconv.Atoi(strings.TrimSuffix(whole, "%")); err == nil && percent >= 10 && percent <= 100 {
		phase += fmt.Sprintf(" (%d%%)", percent/10*10)
	}
	return oneLine(phase)
}

// claimState is what keeps a claim from being bound. Why, only its events say.
func claimState(c *facts.VolumeClaim) (s diskState) {
	if c.Phase == "Pending" || c.Phase == "Lost" {
		s.says, s.failed = fmt.Sprintf("claim %s is %s", c.Key, c.Phase), c.Phase == "Lost"
	}
	return s
}

// diskCause is a cause of a disk that is not there: the words by which it shows, and what the disk that takes its place has to have.
type diskCause struct {
	words   []string
	instead string
	ofImage bool // only a disk with an image has it
}

// diskCauses are the causes that a field of the disk mends. The first that shows counts.
var diskCauses = []diskCause{
	{words: []string{"accessmode", "volumemode", "storageprofile"}, instead: "accessModes and volumeMode"},
	{words: []string{"storageclass", "storage class"}, instead: "a storageClassName that exists"},
	{words: []string{"x509", "certificate"}, instead: "certConfigMap", ofImage: true},
	{words: []string{"unauthorized", "forbidden", "authentication", "denied"}, instead: "secretRef, or with the right image", ofImage: true},
	{words: []string{"not found", "no such host", "manifest unknown"}, instead: "the right image", ofImage: true},
	{words: []string{"larger than", "no space left", "too small", "smaller than"}, instead: "a larger size"},
}

// diskWayOut is what the user can do about a disk that is not there. What fills a disk cannot change, so another one takes its place.
func (v *view) diskWayOut(s diskState) string {
	describe := func(resource string) string {
		return fmt.Sprintf("see `kubectl describe %s -n %s %s`", resource, v.w.Spec.Namespace, s.claim)
	}
	says := strings.ToLower(s.says)
	switch made := v.dataVolume(s.claim); {
	case made == nil && v.volumeClaim(s.claim) == nil:
		return "create it, or replace the disk by one of another name with a claim that exists"
	case made == nil:
		return describe("pvc")
	case strings.Contains(says, "quota"):
		return fmt.Sprintf("see `kubectl describe quota -n %s`", v.w.Spec.Namespace)
	}
	d := v.diskNamed(s.disk)
	shows := func(c diskCause) bool {
		return (!c.ofImage || d.Image != "") && slices.ContainsFunc(c.words, func(word string) bool { return strings.Contains(says, word) })
	}
	switch i := slices.IndexFunc(diskCauses, shows); {
	case i >= 0 && d.Name == "":
		return "correct it in spec.virtualMachine"
	case i >= 0:
		return "replace the disk by one of another name with " + diskCauses[i].instead
	case s.failed:
		return describe("datavolume")
	}
	return ""
}

// diskNamed is a disk of the spec; the zero Disk where spec.virtualMachine says it.
func (v *view) diskNamed(name string) v1alpha1.Disk {
	for _, d := range v.w.Spec.Disks {
		if d.Name == name {
			return d
		}
	}
	return v1alpha1.Disk{}
}

package sync

import (
	"slices"
	"strings"

	"novasphere.dev/wukong/types/v1alpha1"
)

// volumeStatuses are what the running instance reports of its volumes, in the order of their names.
func (v *view) volumeStatuses() []v1alpha1.VolumeStatus {
	instance := v.instance()
	if instance == nil {
		return nil
	}
	var all []v1alpha1.VolumeStatus
	for _, volume := range instance.Volumes {
		s := v1alpha1.VolumeStatus{Name: volume.Name, ClaimName: volume.Claim, Capacity: volume.Capacity, Phase: volume.Phase}
		if s.Phase != "Ready" {
			s.Message = oneLine(volume.Message)
		}
		if m := v.machine(); s.Name == osDisk && m != nil && m.Volumes.Named(s.Name).ContainerDisk {
			s.Message = "a container disk: its content does not survive a restart of the machine"
		}
		if s.Name != "" && !slices.ContainsFunc(all, func(o v1alpha1.VolumeStatus) bool { return o.Name == s.Name }) {
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(a, b v1alpha1.VolumeStatus) int { return strings.Compare(a.Name, b.Name) })
	return all
}

package sync

import (
	"strings"

	kubevirtv1 "kubevirt.io/api/core/v1"

	"novasphere.dev/wukong/types/v1alpha1"
)

// storage is what the machine boots from and stores on: a container disk, unless one of the spec's disks boots; and of
// each disk of the spec its claim, with a DataVolume that makes it unless the claim exists already.
func storage(w *v1alpha1.Wukong, settings Settings) ([]kubevirtv1.Disk, []kubevirtv1.Volume, []kubevirtv1.DataVolumeTemplateSpec) {
	var disks []kubevirtv1.Disk
	var volumes []kubevirtv1.Volume
	var templates []kubevirtv1.DataVolumeTemplateSpec
	if !bootsFromDisk(w) {
		disks = append(disks, device(w, v1alpha1.Disk{Name: osDisk, Boot: true}))
		volumes = append(volumes, kubevirtv1.Volume{Name: osDisk, VolumeSource: kubevirtv1.VolumeSource{
			ContainerDisk: &kubevirtv1.ContainerDiskSource{Image: osImage(w, settings), ImagePullSecret: w.Spec.ImagePullSecret},
		}})
	}
	for _, d := range w.Spec.Disks {
		disks = append(disks, device(w, d))
		volumes = append(volumes, kubevirtv1.Volume{Name: d.Name, VolumeSource: volumeSource(w, d)})
		if d.ClaimName == "" {
			templates = append(templates, dataVolumeTemplate(w, d))
		}
	}
	return disks, volumes, templates
}

func bootsFromDisk(w *v1alpha1.Wukong) bool {
	for _, d := range w.Spec.Disks {
		if bootOrder(d) != 0 {
			return true
		}
	}
	return false
}

// bootOrder is the place of a disk among those that boot; 0 where it is none of them.
func bootOrder(d v1alpha1.Disk) uint {
	if d.Boot {
		return 1
	}
	return uint(max(d.BootOrder, 0)) //nolint:gosec // it is not negative
}

func osImage(w *v1alpha1.Wukong, settings Settings) string {
	image := w.Spec.OSImage
	if image == "" {
		image = settings.DefaultOSImage
	}
	return strings.TrimPrefix(image, "docker://")
}

// device is how the guest sees a disk. A default bus would take precedence over that of a preference, which knows what the
// operating system has drivers for: so there is none with a preference.
func device(w *v1alpha1.Wukong, d v1alpha1.Disk) kubevirtv1.Disk {
	disk := kubevirtv1.Disk{Name: d.Name}
	bus := kubevirtv1.DiskBus(d.Bus)
	byDefault := func(usual kubevirtv1.DiskBus) {
		if bus == "" && w.Spec.Preference == nil {
			bus = usual
		}
	}
	if d.CDROM {
		byDefault(kubevirtv1.DiskBusSATA)
		disk.CDRom = &kubevirtv1.CDRomTarget{Bus: bus}
	} else {
		byDefault(kubevirtv1.DiskBusVirtio)
		disk.Disk = &kubevirtv1.DiskTarget{Bus: bus}
	}
	if order := bootOrder(d); order != 0 {
		disk.BootOrder = &order
	}
	return disk
}

// volumeSource is what is behind a disk.
func volumeSource(w *v1alpha1.Wukong, d v1alpha1.Disk) (source kubevirtv1.VolumeSource) {
	if d.ClaimName == "" {
		source.DataVolume = &kubevirtv1.DataVolumeSource{Name: claimName(w, d)}
		return source
	}
	source.PersistentVolumeClaim = &kubevirtv1.PersistentVolumeClaimVolumeSource{}
	source.PersistentVolumeClaim.ClaimName = d.ClaimName
	return source
}

package sync

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubevirtv1 "kubevirt.io/api/core/v1"
	cdiv1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"

	"novasphere.dev/wukong/types/v1alpha1"
)

// storage is what the machine boots from and stores on: a container disk, unless one of the spec's disks boots, and a
// DataVolume for each disk of the spec.
func storage(w *v1alpha1.Wukong, settings Settings) ([]kubevirtv1.Disk, []kubevirtv1.Volume, []kubevirtv1.DataVolumeTemplateSpec) {
	var disks []kubevirtv1.Disk
	var volumes []kubevirtv1.Volume
	var templates []kubevirtv1.DataVolumeTemplateSpec
	if !bootsFromDisk(w) {
		disks = append(disks, bootFrom(virtioDisk(osDisk)))
		volumes = append(volumes, kubevirtv1.Volume{Name: osDisk, VolumeSource: kubevirtv1.VolumeSource{
			ContainerDisk: &kubevirtv1.ContainerDiskSource{Image: osImage(w, settings)},
		}})
	}
	for _, d := range w.Spec.Disks {
		disk := virtioDisk(d.Name)
		if d.Boot {
			disk = bootFrom(disk)
		}
		disks = append(disks, disk)
		volumes = append(volumes, kubevirtv1.Volume{Name: d.Name, VolumeSource: kubevirtv1.VolumeSource{
			DataVolume: &kubevirtv1.DataVolumeSource{Name: dataVolumeName(w, d.Name)},
		}})
		templates = append(templates, dataVolumeTemplate(w, d))
	}
	return disks, volumes, templates
}

func bootsFromDisk(w *v1alpha1.Wukong) bool {
	for _, d := range w.Spec.Disks {
		if d.Boot {
			return true
		}
	}
	return false
}

func osImage(w *v1alpha1.Wukong, settings Settings) string {
	image := w.Spec.OSImage
	if image == "" {
		image = settings.DefaultOSImage
	}
	return strings.TrimPrefix(image, "docker://")
}

func virtioDisk(name string) kubevirtv1.Disk {
	return kubevirtv1.Disk{Name: name, DiskDevice: kubevirtv1.DiskDevice{
		Disk: &kubevirtv1.DiskTarget{Bus: kubevirtv1.DiskBusVirtio},
	}}
}

func bootFrom(d kubevirtv1.Disk) kubevirtv1.Disk {
	first := uint(1)
	d.BootOrder = &first
	return d
}

// dataVolumeTemplate is the DataVolume of one disk, filled from a registry, from a URL, or with nothing.
func dataVolumeTemplate(w *v1alpha1.Wukong, d v1alpha1.Disk) kubevirtv1.DataVolumeTemplateSpec {
	source := &cdiv1.DataVolumeSource{}
	switch {
	case d.Image == "":
		source.Blank = &cdiv1.DataVolumeBlankImage{}
	case strings.HasPrefix(d.Image, "http://"), strings.HasPrefix(d.Image, "https://"):
		source.HTTP = &cdiv1.DataVolumeSourceHTTP{URL: d.Image}
	default:
		url := "docker://" + strings.TrimPrefix(d.Image, "docker://")
		source.Registry = &cdiv1.DataVolumeSourceRegistry{URL: &url}
	}
	spec := cdiv1.DataVolumeSpec{Source: source, Storage: &cdiv1.StorageSpec{
		Resources: corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: d.Size.DeepCopy()}},
	}}
	if d.StorageClassName != "" {
		class := d.StorageClassName
		spec.Storage.StorageClassName = &class
	}
	return kubevirtv1.DataVolumeTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Name: dataVolumeName(w, d.Name)},
		Spec:       spec,
	}
}

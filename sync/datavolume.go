package sync

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubevirtv1 "kubevirt.io/api/core/v1"
	cdiv1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"

	"novasphere.dev/wukong/types/v1alpha1"
)

// dataVolumeTemplate is the DataVolume of one disk that has no claim yet.
func dataVolumeTemplate(w *v1alpha1.Wukong, d v1alpha1.Disk) kubevirtv1.DataVolumeTemplateSpec {
	t := kubevirtv1.DataVolumeTemplateSpec{ObjectMeta: metav1.ObjectMeta{Name: claimName(w, d)}}
	t.Spec.Storage = &cdiv1.StorageSpec{}
	if d.Size != nil {
		t.Spec.Storage.Resources.Requests = corev1.ResourceList{corev1.ResourceStorage: d.Size.DeepCopy()}
	}
	t.Spec.Storage.StorageClassName = optional(d.StorageClassName)
	for _, mode := range d.AccessModes {
		t.Spec.Storage.AccessModes = append(t.Spec.Storage.AccessModes, corev1.PersistentVolumeAccessMode(mode))
	}
	if mode := corev1.PersistentVolumeMode(d.VolumeMode); mode != "" {
		t.Spec.Storage.VolumeMode = &mode
	}
	if d.DataSource != nil {
		t.Spec.SourceRef = &cdiv1.DataVolumeSourceRef{Kind: "DataSource", Name: d.DataSource.Name, Namespace: optional(d.DataSource.Namespace)}
		return t
	}
	t.Spec.Source = dataVolumeSource(w, d)
	return t
}

// dataVolumeSource is what a disk is filled with: a claim, an image from a registry or from a URL, or nothing.
func dataVolumeSource(w *v1alpha1.Wukong, d v1alpha1.Disk) *cdiv1.DataVolumeSource {
	switch {
	case d.Clone != nil:
		from := &cdiv1.DataVolumeSourcePVC{Namespace: d.Clone.Namespace, Name: d.Clone.Name}
		if from.Namespace == "" {
			from.Namespace = w.Spec.Namespace // which CDI does not fill in
		}
		return &cdiv1.DataVolumeSource{PVC: from}
	case d.Image == "":
		return &cdiv1.DataVolumeSource{Blank: &cdiv1.DataVolumeBlankImage{}}
	case strings.HasPrefix(d.Image, "http://"), strings.HasPrefix(d.Image, "https://"):
		return &cdiv1.DataVolumeSource{HTTP: &cdiv1.DataVolumeSourceHTTP{URL: d.Image, SecretRef: d.SecretRef, CertConfigMap: d.CertConfigMap}}
	}
	url := "docker://" + strings.TrimPrefix(d.Image, "docker://")
	return &cdiv1.DataVolumeSource{Registry: &cdiv1.DataVolumeSourceRegistry{
		URL: &url, SecretRef: optional(d.SecretRef), CertConfigMap: optional(d.CertConfigMap),
	}}
}

// optional is a pointer to a text; nil where the text is empty.
func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

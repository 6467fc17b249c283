package sync

import (
	corev1 "k8s.io/api/core/v1"
	kubevirtv1 "kubevirt.io/api/core/v1"

	"novasphere.dev/wukong/types/v1alpha1"
)

// cloudInitLimit is how many bytes of user data, and of network data, KubeVirt accepts inline.
const cloudInitLimit = 2048

// cloudInit is the volume from which the guest reads its users and addresses; nil where there is nothing to read.
func (v *view) cloudInit(nets []*network) *kubevirtv1.Volume {
	w := v.w
	noCloud := &kubevirtv1.CloudInitNoCloudSource{}
	switch {
	case w.Spec.NetworkDataSecret != "":
		noCloud.NetworkDataSecretRef = &corev1.LocalObjectReference{Name: w.Spec.NetworkDataSecret}
	default:
		noCloud.NetworkData = v.networkData(nets)
	}
	told := w.Spec.NetworkDataSecret != "" || noCloud.NetworkData != "" || w.Spec.SSHKeySecret != "" || saysUserData(w)
	switch {
	case w.Spec.UserDataSecret != "":
		noCloud.UserDataSecretRef = &corev1.LocalObjectReference{Name: w.Spec.UserDataSecret}
	case told:
		// cloud-init reads no network data without user data.
		noCloud.UserData, _ = userData(w) // validateCloudInit has told of the error, and then nothing is answered
	default:
		return nil
	}
	return &kubevirtv1.Volume{Name: cloudInitDisk, VolumeSource: kubevirtv1.VolumeSource{CloudInitNoCloud: noCloud}}
}

// saysUserData reports whether the spec itself has something for the user data.
func saysUserData(w *v1alpha1.Wukong) bool {
	return w.Spec.UserData != "" || w.Spec.CloudInitUser != nil || len(w.Spec.SSHAuthorizedKeys) > 0
}

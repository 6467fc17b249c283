package manifest

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/types/v1alpha1"
)

// Advice is what the hook does as it is asked, and hardly anybody means: one line each. machine is what the hook would make.
func Advice(w *v1alpha1.Wukong, machine *unstructured.Unstructured) []string {
	var all []string
	for i, n := range w.Spec.Networks {
		switch n.Type {
		case v1alpha1.Macvlan:
			all = append(all, fmt.Sprintf("spec.networks[%d]: KubeVirt carries no traffic over macvlan, so network %s will be silent: use type bridge with the same NIC",
				i, n.Name))
		case v1alpha1.Ipvlan:
			all = append(all, fmt.Sprintf("spec.networks[%d]: KubeVirt starts no machine with ipvlan, as network %s is: use type bridge with the same NIC", i, n.Name))
		}
	}
	if image := bootsFromContainerDisk(machine); image != "" {
		all = append(all, fmt.Sprintf("the machine boots from the container disk %s, and forgets at each restart what was written there: "+
			"for what must stay, add a disk with boot: true and an image", image))
	}
	if nobodyLogsIn(w, machine) {
		all = append(all, "nobody can log in: set cloudInitUser with a password, sshAuthorizedKeys or userData")
	}
	return all
}

// bootsFromContainerDisk is the image of the container disk that a machine boots from; empty where it boots from something else.
func bootsFromContainerDisk(machine *unstructured.Unstructured) string {
	volumes, _, _ := unstructured.NestedSlice(machine.Object, "spec", "template", "spec", "volumes")
	disks, _, _ := unstructured.NestedSlice(machine.Object, "spec", "template", "spec", "domain", "devices", "disks")
	first := ""
	order := int64(0)
	for _, d := range disks {
		disk, _ := d.(map[string]any)
		if at, ok := disk["bootOrder"].(int64); ok && (order == 0 || at < order) {
			order = at
			first, _ = disk["name"].(string)
		}
	}
	for _, v := range volumes {
		volume, _ := v.(map[string]any)
		if image, ok, _ := unstructured.NestedString(volume, "containerDisk", "image"); ok && volume["name"] == first {
			return image
		}
	}
	return ""
}

// nobodyLogsIn reports whether a machine is made of an image of a cloud, which has no user with a password, and is told of no user. What
// is on a disk that exists already, or is installed from a CD, has users of its own.
func nobodyLogsIn(w *v1alpha1.Wukong, machine *unstructured.Unstructured) bool {
	spec := w.Spec
	if u := spec.CloudInitUser; u != nil && (u.Password != "" || u.PasswordHash != "") {
		return false
	}
	if spec.UserData != "" || spec.UserDataSecret != "" || spec.SSHKeySecret != "" || len(spec.SSHAuthorizedKeys) > 0 {
		return false
	}
	if keys, _, _ := unstructured.NestedSlice(machine.Object, "spec", "template", "spec", "accessCredentials"); len(keys) > 0 || spec.VirtualMachine != nil {
		return false
	}
	if bootsFromContainerDisk(machine) != "" {
		return true
	}
	for _, d := range spec.Disks {
		if d.Boot && d.Image != "" && !d.CDROM {
			return true
		}
	}
	return false
}

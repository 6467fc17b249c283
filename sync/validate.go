package sync

import (
	"fmt"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"novasphere.dev/wukong/sync/node"
	"novasphere.dev/wukong/types/v1alpha1"
)

// validate is what is wrong with a Wukong that the schema's rules cannot express: what depends on the default NIC,
// the guest's addresses beside each other, and the guest's cloud-init data. Names are checked once more, because such an error would never reach a
// status: the API server refuses a child whose name is too long, and of two children with one name one is lost.
func (v *view) validate() field.ErrorList {
	errs := v.validateNames()
	for i := range v.networks {
		errs = append(errs, v.validateUplink(i)...)
	}
	errs = append(errs, v.validateAddresses()...)
	errs = append(errs, v.validateDisks()...)
	errs = append(errs, v.validateCloudInit()...)
	return append(errs, v.validateTemplate(len(errs) == 0)...)
}

func (v *view) validateNames() field.ErrorList {
	var errs field.ErrorList
	if len(v.w.Name) > labelLimit {
		errs = append(errs, field.Invalid(field.NewPath("metadata", "name"), v.w.Name,
			fmt.Sprintf("has %d characters, and may have %d: shorten it", len(v.w.Name), labelLimit)))
	}
	seen := map[string]bool{}
	for _, n := range v.networks {
		path := field.NewPath("spec", "networks").Index(n.index)
		if n.Name == "" {
			errs = append(errs, field.Required(path.Child("name"), "a network has a name"))
		} else if seen[n.Name] {
			errs = append(errs, field.Duplicate(path.Child("name"), n.Name))
		}
		seen[n.Name] = true
		if len(n.policyName) > labelLimit {
			errs = append(errs, field.Invalid(path.Child("name"), n.Name, fmt.Sprintf(
				"makes a policy name of %d characters, and NMState takes %d: shorten the name of Wukong or network", len(n.policyName), labelLimit)))
		}
		if len(n.bridge.NIC) > kernelNameLimit {
			errs = append(errs, field.Invalid(path.Child("physicalInterface"), n.bridge.NIC,
				fmt.Sprintf("is longer than the kernel's %d characters: name the NIC as the node does", kernelNameLimit)))
		}
		if len(n.bridge.Name) > kernelNameLimit {
			errs = append(errs, field.Invalid(path.Child("bridgeName"), n.bridge.Name,
				fmt.Sprintf("is longer than the kernel's %d characters: set a shorter bridgeName", kernelNameLimit)))
		}
	}
	return errs
}

// validateUplink compares the bridge of one network with the bridges of the networks before it.
func (v *view) validateUplink(index int) field.ErrorList {
	n := v.networks[index]
	path := field.NewPath("spec", "networks").Index(n.index)
	if n.NetworkName != "" {
		return nil // its uplinks are the WukongNetwork's
	}
	if n.bridge.Name == "" {
		return v.validateMaster(path, index)
	}
	var errs field.ErrorList
	if n.bridge.Name == n.bridge.NIC || n.bridge.Name == n.bridge.Uplink {
		errs = append(errs, field.Invalid(path.Child("bridgeName"), n.bridge.Name,
			"is the name of the bridge's own uplink: a bridge needs a name of its own"))
	}
	for _, before := range v.networks[:index] {
		if err := validatePair(path, n, before); err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}

// validatePair is the error of a network that does not go with one before it; nil where both may exist.
func validatePair(path *field.Path, n, before *network) *field.Error {
	b, other := n.bridge, before.bridge
	switch {
	case other.Name == "" || before.NetworkName != "":
		return nil
	case b.Name == other.Uplink || other.Name == b.Uplink:
		return field.Invalid(path.Child("bridgeName"), b.Name,
			fmt.Sprintf("the bridge of one network is the uplink of another, %s: choose another bridgeName", before.Name))
	case b.Takes(other):
		return field.Invalid(path.Child("physicalInterface"), b.NIC, fmt.Sprintf(
			"%s is in %s of network %s: use that bridgeName, or another vlanId", b.Uplink, other.Name, before.Name))
	case b.Name == other.Name && !b.Feeds(other):
		return field.Invalid(path.Child("bridgeName"), b.Name, fmt.Sprintf(
			"network %s has it with another %s: choose the same, or another bridgeName", before.Name, differing(b, other)))
	}
	return nil
}

// differing is the field in which two bridges of one name differ.
func differing(b, other node.Bridge) string {
	switch {
	case b.Kind != other.Kind:
		return "type"
	case b.NIC != other.NIC:
		return "physicalInterface"
	case b.Uplink != other.Uplink:
		return "vlanId"
	case b.Preserves != other.Preserves:
		return "preserveHostIP"
	}
	return "mtu"
}

// validateCloudInit is what is wrong with what the guest is told.
func (v *view) validateCloudInit() field.ErrorList {
	w, nets := v.w, v.networks
	var errs field.ErrorList
	spec := field.NewPath("spec")
	if _, err := userData(w); err != nil && w.Spec.UserDataSecret == "" {
		errs = append(errs, field.Forbidden(spec.Child("userData"), err.Error()))
	}
	volume := v.cloudInit(nets)
	if volume == nil {
		return errs
	}
	if size := len(volume.CloudInitNoCloud.UserData); size > cloudInitLimit {
		errs = append(errs, tooMuchUserData(w, size))
	}
	if size := len(volume.CloudInitNoCloud.NetworkData); size > cloudInitLimit {
		errs = append(errs, field.Invalid(spec.Child("networks"), fmt.Sprintf("%d networks", len(nets)), fmt.Sprintf(
			"make %d bytes of network data, KubeVirt takes %d: put all of it into a Secret, as networkDataSecret",
			size, cloudInitLimit)))
	}
	return errs
}

// tooMuchUserData names the field that makes the most of the user data.
func tooMuchUserData(w *v1alpha1.Wukong, size int) *field.Error {
	spec, limit := field.NewPath("spec"), fmt.Sprintf("bytes of user data, and KubeVirt takes %d:", cloudInitLimit)
	const secret = "put all of it into a Secret, as userDataSecret"
	keys := 0
	for _, key := range w.Spec.SSHAuthorizedKeys {
		keys += len(key)
	}
	switch {
	case keys > len(w.Spec.UserData) && keys > size/2:
		return field.Invalid(spec.Child("sshAuthorizedKeys"), fmt.Sprintf("%d keys", len(w.Spec.SSHAuthorizedKeys)),
			fmt.Sprintf("make %d %s put them into a Secret, as sshKeySecret", size, limit))
	case w.Spec.UserData != "":
		return field.Forbidden(spec.Child("userData"), fmt.Sprintf("makes %d %s %s", size, limit, secret))
	default:
		return field.Invalid(spec.Child("cloudInitUser"), w.Spec.CloudInitUser.Name, fmt.Sprintf("makes %d %s %s", size, limit, secret))
	}
}

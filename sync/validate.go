package sync

import (
	"fmt"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"novasphere.dev/wukong/types/v1alpha1"
)

// validate says what is wrong with a Wukong that the schema's rules cannot say: what depends on the default NIC, and on
// what comes out for the guest. The schema has seen the NICs as written; here the default is filled in. Names
// are looked at again: a child whose name is too long is refused, of two with one name one is lost, and neither reaches
// anybody's status.
func validate(w *v1alpha1.Wukong, nets []network) field.ErrorList {
	var errs field.ErrorList
	errs = append(errs, validateNames(w, nets)...)
	errs = append(errs, validateUplinks(nets)...)
	errs = append(errs, validateCloudInit(w, nets)...)
	return errs
}

func validateNames(w *v1alpha1.Wukong, nets []network) field.ErrorList {
	var errs field.ErrorList
	if len(w.Name) > labelLimit {
		errs = append(errs, field.Invalid(field.NewPath("metadata", "name"), w.Name, fmt.Sprintf("is longer than the %d characters that the machine's name may have: choose a shorter one", labelLimit)))
	}
	seen := map[string]bool{}
	for _, n := range nets {
		path := field.NewPath("spec", "networks").Index(n.index)
		if n.Name == "" {
			errs = append(errs, field.Required(path.Child("name"), "a network has a name"))
		} else if seen[n.Name] {
			errs = append(errs, field.Duplicate(path.Child("name"), n.Name))
		}
		seen[n.Name] = true
		if len(n.policy) > labelLimit {
			errs = append(errs, field.Invalid(path.Child("name"), n.Name, fmt.Sprintf("makes a policy name %s that is longer than the %d characters NMState takes: shorten the Wukong's name or the network's name", n.policy, labelLimit)))
		}
		if len(n.nic) > kernelNameLimit {
			errs = append(errs, field.Invalid(path.Child("physicalInterface"), n.nic, fmt.Sprintf("is longer than the kernel's %d characters: name the NIC as the node does", kernelNameLimit)))
		}
		if len(n.bridge) > kernelNameLimit {
			errs = append(errs, field.Invalid(path.Child("bridgeName"), n.bridge, fmt.Sprintf("is longer than the kernel's %d characters: set a shorter bridgeName", kernelNameLimit)))
		}
	}
	return errs
}

func validateUplinks(nets []network) field.ErrorList {
	var errs field.ErrorList
	for i, a := range nets {
		path := field.NewPath("spec", "networks").Index(a.index)
		if a.bridge == "" {
			errs = append(errs, validateMaster(path, a, nets)...)
			continue
		}
		if a.bridge == a.nic || a.bridge == a.uplink {
			errs = append(errs, field.Invalid(path.Child("bridgeName"), a.bridge, "is the name of the bridge's own uplink: a bridge needs a name of its own"))
		}
		for _, b := range nets[:i] {
			switch {
			case b.bridge == "":
			case a.bridge == b.uplink || b.bridge == a.uplink:
				errs = append(errs, field.Invalid(path.Child("bridgeName"), a.bridge, fmt.Sprintf("the bridge of one network is the uplink of another, %s: choose another bridgeName", b.Name)))
			case a.bridge == b.bridge && !sameFeed(a, b):
				errs = append(errs, field.Invalid(path.Child("bridgeName"), a.bridge,
					fmt.Sprintf("network %s feeds this bridge by %s: networks with the same bridge need the same type, physicalInterface, vlanId, mtu and preserveHostIP; otherwise give them different bridgeNames", b.Name, b.uplink)))
			case a.bridge != b.bridge && a.uplink == b.uplink:
				errs = append(errs, field.Invalid(path.Child("physicalInterface"), a.nic,
					fmt.Sprintf("%s feeds bridge %s of network %s already: use the same bridgeName, another physicalInterface, or another vlanId", a.uplink, b.bridge, b.Name)))
			}
		}
	}
	return errs
}

// validateMaster refuses a macvlan or ipvlan interface on a NIC that a bridge takes: the kernel hands the packets of a NIC
// to one of them only.
func validateMaster(path *field.Path, a network, nets []network) field.ErrorList {
	for _, b := range nets {
		if a.nic != "" && b.bridge != "" && b.uplink == a.nic {
			return field.ErrorList{field.Invalid(path.Child("physicalInterface"), a.nic,
				fmt.Sprintf("is taken by bridge %s of network %s: use type bridge with that bridgeName, or another physicalInterface", b.bridge, b.Name))}
		}
	}
	return nil
}

func sameFeed(a, b network) bool {
	return a.Type == b.Type && a.uplink == b.uplink && a.MTU == b.MTU && a.preserves() == b.preserves()
}

func validateCloudInit(w *v1alpha1.Wukong, nets []network) field.ErrorList {
	var errs field.ErrorList
	volume := cloudInit(w, nets)
	if volume == nil {
		return nil
	}
	if size := len(volume.CloudInitNoCloud.UserData); size > cloudInitLimit {
		errs = append(errs, field.Invalid(field.NewPath("spec", "cloudInitUser"), w.Spec.CloudInitUser.Name,
			fmt.Sprintf("makes %d bytes of user data, and KubeVirt takes %d: put the complete user data into a Secret, and name it as userDataSecret", size, cloudInitLimit)))
	}
	if size := len(volume.CloudInitNoCloud.NetworkData); size > cloudInitLimit {
		errs = append(errs, field.Invalid(field.NewPath("spec", "networks"), fmt.Sprintf("%d networks", len(nets)),
			fmt.Sprintf("make %d bytes of network data, and KubeVirt takes %d: put the complete network data into a Secret, and name it as networkDataSecret", size, cloudInitLimit)))
	}
	return errs
}

package sync

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/types/v1alpha1"
)

// networkStatus is the state of one network: what it waits for, and what the machine reports of it.
func networkStatus(n network, obs *observed, policy, nad step) v1alpha1.NetworkStatus {
	s := v1alpha1.NetworkStatus{
		Name: n.Name, Type: n.Type, Bridge: n.bridge, Uplink: n.uplink,
		PolicyName: n.policy, PolicyState: policy.state, NADName: n.nad, MACAddress: n.mac,
	}
	if was := madeAs(obs.policies[policyName(obs.w, n.Name)]); n.superseded != "" && was.bridge != "" {
		// What is on the nodes until it has left; Customize asks for who else is on that bridge by it.
		s.Bridge, s.Uplink, s.PolicyName = was.bridge, was.uplink, policyName(obs.w, n.Name)
	}
	switch {
	case n.superseded != "":
		s.Message = n.superseded
	case !policy.ready:
		s.Message = policy.message
	case !nad.ready:
		s.Message = nad.message
	case policy.concern != "":
		s.Message = policy.concern
	case silentType(n):
		s.Message = fmt.Sprintf("KubeVirt carries no traffic over %s: use type bridge with the same NIC", n.Type)
	}
	for _, i := range items(obs.instance(), "status", "interfaces") {
		if text(i, "name") == n.Name {
			s.InterfaceName = text(i, "interfaceName")
			s.IPAddresses = reported(i)
		}
	}
	if ip := n.IPConfig; ip != nil && ip.Address != "" {
		configured, _, _ := strings.Cut(ip.Address, "/")
		switch {
		case len(s.IPAddresses) == 0:
			s.IPAddresses = []string{configured}
		case slices.ContainsFunc(s.IPAddresses, func(a string) bool { return sameAddress(a, configured) }):
			slices.SortStableFunc(s.IPAddresses, func(a, b string) int { // the one that was asked for is the one to show
				switch {
				case sameAddress(a, configured) && !sameAddress(b, configured):
					return -1
				case sameAddress(b, configured) && !sameAddress(a, configured):
					return 1
				}
				return 0
			})
		case s.Message == "":
			s.Message = fmt.Sprintf("the guest does not have the address %s: %s", ip.Address, cloudInitAgain(obs.w))
		}
	}
	return s
}

// cloudInitAgain says what makes cloud-init configure the guest anew: it does so at the first boot of what the guest boots
// from, and a container disk is new at each start.
func cloudInitAgain(w *v1alpha1.Wukong) string {
	if bootsFromDisk(w) {
		return "cloud-init gives it at the first boot of a disk only, so set it in the guest, or boot from a new disk"
	}
	return "cloud-init gives it at the next start, so restart the machine"
}

// reported are the addresses that an instance reports for one interface, without those it has by merely being up.
func reported(iface map[string]any) []string {
	addresses := texts(iface, "ipAddresses")
	if single := text(iface, "ipAddress"); len(addresses) == 0 && single != "" {
		addresses = []string{single}
	}
	addresses = slices.DeleteFunc(addresses, linkLocal)
	// Guest agents report them in any order, and the status must not change with that: IPv4 first, then by number.
	slices.SortFunc(addresses, func(a, b string) int {
		x, _ := netip.ParseAddr(a)
		y, _ := netip.ParseAddr(b)
		return cmp.Or(x.Compare(y), strings.Compare(a, b))
	})
	return addresses
}

// sameAddress compares addresses however they are written: an IPv6 address has many forms.
func sameAddress(a, b string) bool {
	x, errX := netip.ParseAddr(a)
	y, errY := netip.ParseAddr(b)
	return errX == nil && errY == nil && x == y
}

// leavingStatuses speak of networks that are no longer in the spec and not gone yet.
func leavingStatuses(nets []network, leaving []step) []v1alpha1.NetworkStatus {
	var all []v1alpha1.NetworkStatus
	for _, s := range leaving {
		inSpec := slices.ContainsFunc(nets, func(n network) bool { return n.Name == s.network })
		i := slices.IndexFunc(all, func(n v1alpha1.NetworkStatus) bool { return n.Name == s.network })
		if s.network == "" || inSpec {
			continue
		}
		if i < 0 {
			all, i = append(all, v1alpha1.NetworkStatus{Name: s.network, Message: s.message}), len(all)
		}
		switch s.child.GetKind() {
		case "NodeNetworkConfigurationPolicy":
			all[i].PolicyName = s.child.GetName()
			all[i].Bridge, all[i].Uplink = s.child.GetLabels()[labelBridge], s.child.GetLabels()[labelUplink]
		case "NetworkAttachmentDefinition":
			all[i].NADName = qualified(s.child.GetNamespace(), s.child.GetName())
		}
	}
	return all
}

// address is the one address to show: the first that is not on a pod network, else the pod network's.
func address(nets []v1alpha1.NetworkStatus) string {
	onPod := ""
	for _, n := range nets {
		switch {
		case len(n.IPAddresses) == 0:
		case n.Type != v1alpha1.Pod:
			return n.IPAddresses[0]
		case onPod == "":
			onPod = n.IPAddresses[0]
		}
	}
	return onPod
}

func volumeStatuses(obs *observed) []v1alpha1.VolumeStatus {
	var all []v1alpha1.VolumeStatus
	for _, v := range items(obs.instance(), "status", "volumeStatus") {
		s := v1alpha1.VolumeStatus{
			Name:      text(v, "name"),
			ClaimName: text(v, "persistentVolumeClaimInfo", "claimName"),
			Capacity:  text(v, "persistentVolumeClaimInfo", "capacity", "storage"),
			Phase:     text(v, "phase"),
		}
		if s.Phase != "Ready" {
			s.Message = oneLine(text(v, "message"))
		}
		if s.Name == osDisk && containerDisk(obs.vm(), s.Name) {
			s.Message = "a container disk: its content does not survive a restart of the machine"
		}
		if s.Name != "" && !slices.ContainsFunc(all, func(o v1alpha1.VolumeStatus) bool { return o.Name == s.Name }) {
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(a, b v1alpha1.VolumeStatus) int { return strings.Compare(a.Name, b.Name) })
	return all
}

func containerDisk(machine *unstructured.Unstructured, volume string) bool {
	return slices.ContainsFunc(items(machine, "spec", "template", "spec", "volumes"), func(v map[string]any) bool {
		return text(v, "name") == volume && value(v, "containerDisk") != nil
	})
}

package sync

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"novasphere.dev/wukong/sync/facts"
	"novasphere.dev/wukong/sync/hold"
	"novasphere.dev/wukong/sync/node"
	"novasphere.dev/wukong/types/v1alpha1"
)

// networkStatus is the state of one network: what it waits for, and what the machine reports of it.
func (v *view) networkStatus(n *network) v1alpha1.NetworkStatus {
	s := v1alpha1.NetworkStatus{
		Name: n.Name, Type: n.Type, Bridge: n.bridge.Name, Uplink: n.bridge.Uplink,
		PolicyName: n.policyName, PolicyState: n.policy.State, NADName: n.attachmentName, MACAddress: n.mac,
	}
	if n.bridge.Name == "" {
		s.Uplink = ""
	}
	name := policyName(v.w, n.Name)
	if made, _ := hold.MadePolicy(v.children.Policies.Get(name)); n.superseded != "" && made.Name != "" {
		// Until the earlier network's policy is gone, its bridge is on the nodes. Customize reads these names, and asks for
		// the policies that share the bridge.
		s.Bridge, s.Uplink, s.PolicyName = made.Name, made.Uplink, name
	}
	switch {
	case n.superseded != "":
		s.Message = n.superseded
	case !n.policy.Ready():
		s.Message = n.policy.Message()
	case !n.attachment.Ready():
		s.Message = n.attachment.Message()
	case n.policy.Concern != "":
		s.Message = n.policy.Concern
	case n.concern != "":
		s.Message = n.concern
	case n.silence() != "":
		s.Message = fmt.Sprintf("KubeVirt %s: use type bridge with the same NIC", n.silence())
	}
	byGuest := false
	if instance := v.instance(); instance != nil {
		for _, i := range instance.Interfaces {
			if i.Name == n.Name {
				s.InterfaceName, s.IPAddresses, byGuest = i.GuestName, reported(i), i.ByGuest
			}
		}
	}
	if how := v.joins(n); how != "" {
		s.Message = bounded(sentences(s.Message, how))
		return s // and without the address that the guest cannot have yet
	}
	told := len(s.IPAddresses) > 0
	v.addConfigured(&s, n, byGuest)
	if s.Message == "" {
		s.Message = v.addressMessage(n, told)
	}
	s.Message = bounded(s.Message)
	return s
}

// addConfigured compares the addresses that the machine reports with the configured ones, and shows those first. Until the guest itself
// reports, the configured ones are shown.
func (v *view) addConfigured(s *v1alpha1.NetworkStatus, n *network, byGuest bool) {
	var configured, missing []string
	for _, address := range configuredAddresses(n) {
		own, _, _ := strings.Cut(address, "/")
		configured = append(configured, own)
		if !slices.ContainsFunc(s.IPAddresses, func(a string) bool { return sameAddress(a, own) }) {
			missing = append(missing, address)
		}
	}
	if len(configured) == 0 {
		return
	}
	// Where it has in the list of the configured, or behind all of them.
	place := func(a string) int {
		if i := slices.IndexFunc(configured, func(own string) bool { return sameAddress(a, own) }); i >= 0 {
			return i
		}
		return len(configured)
	}
	switch {
	case len(s.IPAddresses) == 0 && !byGuest:
		s.IPAddresses = configured
		return
	case len(missing) > 0 && s.Message == "":
		s.Message = fmt.Sprintf("the guest does not have the address %s: %s", missing[0], v.cloudInitAgain())
	}
	slices.SortStableFunc(s.IPAddresses, func(a, b string) int { return cmp.Compare(place(a), place(b)) })
}

// configuredAddresses are the addresses that others reach the guest by on a network, with their prefix lengths. On a pod
// network that is the Pod's address, which KubeVirt reports; the guest's own is behind its NAT.
func configuredAddresses(n *network) []string {
	if n.Type == v1alpha1.Pod {
		return nil
	}
	return staticAddresses(n.IPConfig)
}

// cloudInitAgain is the message that says how cloud-init configures the guest again. It does so at the first boot of a
// boot disk, and a container disk is new at each start.
func (v *view) cloudInitAgain() string {
	if bootsFromDisk(v.w) || v.osDiskGivesWay() {
		return "cloud-init gives it at the first boot of a disk only, so set it in the guest, or boot from a new disk"
	}
	return "cloud-init gives it at the next start, so restart the machine"
}

// reported are the addresses that an instance reports for one interface, without the link-local ones, which every
// interface has.
func reported(i facts.Interface) []string {
	addresses := slices.DeleteFunc(slices.Clone(i.Addresses), node.LinkLocal)
	// Guest agents report addresses in any order, which must not change the status: IPv4 first, then by number.
	slices.SortFunc(addresses, func(a, b string) int {
		x, _ := netip.ParseAddr(a)
		y, _ := netip.ParseAddr(b)
		return cmp.Or(x.Compare(y), strings.Compare(a, b))
	})
	return addresses
}

// sameAddress reports whether two addresses are the same, however they are written: IPv6 addresses have many forms.
func sameAddress(a, b string) bool {
	x, errX := netip.ParseAddr(a)
	y, errY := netip.ParseAddr(b)
	return errX == nil && errY == nil && x == y
}

// leavingStatuses are the states of networks that are no longer in the spec, and whose children still exist.
func (v *view) leavingStatuses(all []leaving) []v1alpha1.NetworkStatus {
	var statuses []v1alpha1.NetworkStatus
	for _, l := range all {
		if l.network == "" || slices.ContainsFunc(v.networks, func(n *network) bool { return n.Name == l.network }) {
			continue
		}
		i := slices.IndexFunc(statuses, func(n v1alpha1.NetworkStatus) bool { return n.Name == l.network })
		if i < 0 {
			statuses, i = append(statuses, v1alpha1.NetworkStatus{Name: l.network, Message: bounded(l.message)}), len(statuses)
		}
		switch l.child.GetKind() {
		case "NodeNetworkConfigurationPolicy":
			statuses[i].PolicyName = l.child.GetName()
			made, _ := hold.MadePolicy(v.children.Policies.Get(l.child.GetName()))
			statuses[i].Bridge, statuses[i].Uplink = made.Name, made.Uplink
		case "NetworkAttachmentDefinition":
			statuses[i].NADName = facts.Qualified(l.child.GetNamespace(), l.child.GetName())
		}
	}
	return statuses
}

// shownAddress is the one address to show: the first that is not on a pod network, else the first on a pod network.
func shownAddress(nets []v1alpha1.NetworkStatus) string {
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

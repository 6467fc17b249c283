package sync

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"

	"novasphere.dev/wukong/sync/facts"
	"novasphere.dev/wukong/types/v1alpha1"
)

// addressLabels are the labels of a machine by which others with one of its static addresses find it: for each address, the
// network that it is on. They are a hint and no more. Whoever may edit a machine may write them, so a doubled address is told,
// and nothing is refused for it.
func (v *view) addressLabels() map[string]string {
	labels := map[string]string{}
	for _, a := range v.staticAddresses() {
		if label := facts.AddressLabel(a.prefix.Addr()); labels[label] == "" {
			labels[label] = a.network.segment()
		}
	}
	return labels
}

// staticAddresses are the addresses that the guest is told to have on networks that others are on too.
func (v *view) staticAddresses() []guestAddress {
	if v.w.Spec.NetworkDataSecret != "" {
		return nil // the guest is told something else
	}
	var all []guestAddress
	for _, n := range v.networks {
		if n.Type != v1alpha1.Pod && n.IPConfig != nil {
			all = append(all, addressesOf(n)...)
		}
	}
	return all
}

// segment is the value that two networks share which are one for their guests: the same WukongNetwork, the same attachment, or
// the same VLAN of a NIC, or of a device plugin's resource, of one name. It is hashed, because a label has no room for all of it.
func (n *network) segment() string {
	name := fmt.Sprintf("nic/%s%s/%d", n.bridge.NIC, n.ResourceName, n.VLANID)
	switch {
	case n.NetworkName != "":
		name = "network/" + n.NetworkName
	case !n.ownAttachment:
		name = "attachment/" + n.attachmentName
	}
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:8])
}

// alsoHas is the key of another machine that has an address on the same network; empty where none is seen.
func (v *view) alsoHas(n *network, address netip.Addr) string {
	for _, m := range v.related.Machines.All() {
		if m.Key != v.machineKey() && m.Labels[facts.AddressLabel(address)] == n.segment() {
			return m.Key
		}
	}
	return ""
}

// doubleFaults are the addresses of a network that another machine has too.
func (v *view) doubleFaults(own []guestAddress) []addressFault {
	var faults []addressFault
	for _, a := range own {
		if other := v.alsoHas(a.network, a.prefix.Addr()); other != "" {
			faults = append(faults, addressFault{network: a.network, field: a.field, value: a.prefix.String(), harmless: true, message: fmt.Sprintf(
				"is an address of machine %s on this network as well: give one of them another", other)})
		}
	}
	return faults
}

// doubledAddresses say which addresses another machine has too.
// The table in docs/decisions.md has its rows.
func (v *view) doubledAddresses() []string {
	var all []string
	for _, a := range v.staticAddresses() {
		if other := v.alsoHas(a.network, a.prefix.Addr()); other != "" {
			all = append(all, fmt.Sprintf("machine %s has address %s on network %s too", other, a.prefix.Addr(), a.network.Name))
		}
	}
	return all
}

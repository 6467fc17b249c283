package sync

import (
	"crypto/sha256"
	"fmt"
	"strings"

	"novasphere.dev/wukong/sync/facts"
	"novasphere.dev/wukong/sync/node"
	"novasphere.dev/wukong/types/v1alpha1"
)

// kernelNameLimit is the longest name of an interface in the kernel, and of a bridge in Open vSwitch.
const kernelNameLimit = node.NameLimit

// labelLimit is the longest value of a label in Kubernetes. The machine's name is used as one, and NMState uses a
// policy's name as one.
const labelLimit = 63

// The volumes that every machine may have beside its own disks.
const (
	osDisk        = "osdisk"
	cloudInitDisk = "cloudinitdisk"
)

// ownLabels are the labels of every child.
func ownLabels(w *v1alpha1.Wukong) map[string]any {
	return map[string]any{facts.LabelManagedBy: facts.ManagedBy, facts.LabelWukong: w.Name}
}

// networkLabels are the labels of every child that belongs to one network. They record what the child was made as: see
// facts.Object.Made.
func (v *view) networkLabels(n *network) map[string]any {
	l := ownLabels(v.w)
	for label, value := range map[string]string{
		facts.LabelNetwork: n.Name, facts.LabelType: string(n.Type),
		facts.LabelBridge: n.bridge.Name, facts.LabelUplink: n.bridge.Uplink, facts.LabelNIC: n.bridge.NIC,
	} {
		if value != "" {
			l[label] = value
		}
	}
	return l
}

// The names of a network's children end with these.
const (
	policySuffix     = "-bridge"
	attachmentSuffix = "-nad"
)

// policyName is the name of the NodeNetworkConfigurationPolicy of one network.
func policyName(w *v1alpha1.Wukong, networkName string) string {
	return w.Name + "-" + networkName + policySuffix
}

// attachmentName is the name of the NetworkAttachmentDefinition of one network.
func attachmentName(w *v1alpha1.Wukong, networkName string) string {
	return w.Name + "-" + networkName + attachmentSuffix
}

// networkOf is the name of the network that an observed policy or attachment was made for.
func networkOf(w *v1alpha1.Wukong, name, suffix string) string {
	return strings.TrimSuffix(strings.TrimPrefix(name, w.Name+"-"), suffix)
}

// claimName is the name of the claim of one disk. A claim that the machine makes has the name of its DataVolume.
func claimName(w *v1alpha1.Wukong, d v1alpha1.Disk) string {
	if d.ClaimName != "" {
		return d.ClaimName
	}
	return w.Name + "-" + d.Name
}

// bridgeName is the name of the bridge of a network of type bridge or ovs.
func bridgeName(n v1alpha1.Network) string {
	if n.BridgeName != "" {
		return n.BridgeName
	}
	return "br-" + n.Name
}

// macAddress is the hardware address that the guest sees on one network: the given one, or one that is derived from the
// Wukong's UID and the network's name. So every replica of the hook answers the same address, also after a restart.
func macAddress(w *v1alpha1.Wukong, n v1alpha1.Network) string {
	if n.MACAddress != "" {
		return strings.ToLower(n.MACAddress)
	}
	sum := sha256.Sum256([]byte(string(w.UID) + "/" + n.Name))
	// 02 marks the address as locally administered and unicast: it cannot collide with any vendor's.
	return fmt.Sprintf("02:%02x:%02x:%02x:%02x:%02x", sum[0], sum[1], sum[2], sum[3], sum[4])
}

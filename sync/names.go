package sync

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"novasphere.dev/wukong/sync/facts"
	"novasphere.dev/wukong/types/v1alpha1"
)

// kernelNameLimit is what the kernel gives an interface's name, and Open vSwitch a bridge's: IFNAMSIZ without its
// terminating zero.
const kernelNameLimit = 15

// labelLimit is what Kubernetes gives a label's value. The machine's name is one, and NMState makes one of a policy's name.
const labelLimit = 63

// Names of volumes that the machine gets by itself.
const (
	osDisk        = "osdisk"
	cloudInitDisk = "cloudinitdisk"
)

// ownLabels are those of every child.
func ownLabels(w *v1alpha1.Wukong) map[string]any {
	return map[string]any{facts.LabelManagedBy: facts.ManagedBy, facts.LabelWukong: w.Name}
}

// networkLabels are those of every child that is made for one network. They say what it was made as: see facts.Object.Made.
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

// What the names of the children of a network end with.
const (
	policySuffix     = "-bridge"
	attachmentSuffix = "-nad"
)

// policyName is the name of the NodeNetworkConfigurationPolicy of one network.
func policyName(w *v1alpha1.Wukong, network string) string {
	return w.Name + "-" + network + policySuffix
}

// attachmentName is the name of the NetworkAttachmentDefinition of one network.
func attachmentName(w *v1alpha1.Wukong, network string) string {
	return w.Name + "-" + network + attachmentSuffix
}

// networkOf is the network that an observed policy or attachment was made for.
func networkOf(w *v1alpha1.Wukong, name, suffix string) string {
	return strings.TrimSuffix(strings.TrimPrefix(name, w.Name+"-"), suffix)
}

// dataVolumeName is the name of the DataVolume of one disk.
func dataVolumeName(w *v1alpha1.Wukong, disk string) string {
	return w.Name + "-" + disk
}

// bridgeName is the bridge of a network of type bridge or ovs.
func bridgeName(n v1alpha1.Network) string {
	if n.BridgeName != "" {
		return n.BridgeName
	}
	return "br-" + n.Name
}

// vlanInterface is the name of the VLAN interface on a NIC: {nic}.{vlan}, as everybody names it. Where that exceeds the
// kernel's limit (enp94s0f0np0.2507) it is vl{vlan}-{hash of the NIC's name}, which never does.
func vlanInterface(nic string, vlan int32) string {
	name := fmt.Sprintf("%s.%d", nic, vlan)
	if len(name) <= kernelNameLimit {
		return name
	}
	sum := sha256.Sum256([]byte(nic))
	return fmt.Sprintf("vl%d-%s", vlan, hex.EncodeToString(sum[:4]))
}

// macAddress is the hardware address that the guest sees on one network: the one given, or one derived from the
// Wukong's UID and the network's name, so that every replica and every restart answers with the same.
func macAddress(w *v1alpha1.Wukong, n v1alpha1.Network) string {
	if n.MACAddress != "" {
		return strings.ToLower(n.MACAddress)
	}
	sum := sha256.Sum256([]byte(string(w.UID) + "/" + n.Name))
	// 02 marks the address as locally administered and unicast: it cannot collide with any vendor's.
	return fmt.Sprintf("02:%02x:%02x:%02x:%02x:%02x", sum[0], sum[1], sum[2], sum[3], sum[4])
}

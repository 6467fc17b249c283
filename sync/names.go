package sync

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"strings"

	"novasphere.dev/wukong/types/v1alpha1"
)

// Labels on children. Metacontroller adds controller-uid itself, and refuses a child whose value differs: never set it.
const (
	labelManagedBy     = "app.kubernetes.io/managed-by"
	labelWukong        = "vm.novasphere.dev/wukong"
	labelNetwork       = "vm.novasphere.dev/network"
	labelBridge        = "vm.novasphere.dev/bridge"
	labelUplink        = "vm.novasphere.dev/uplink"
	labelType          = "vm.novasphere.dev/type"
	labelNIC           = "vm.novasphere.dev/physical-interface"
	labelReclaimPolicy = "vm.novasphere.dev/reclaim-policy"
	labelControllerUID = "controller-uid"
)

// annotationRemoving is, on a policy whose bridge shall leave the nodes, when that began.
const annotationRemoving = "vm.novasphere.dev/removing-since"

// managedBy is the value of app.kubernetes.io/managed-by on all children.
const managedBy = "wukong"

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

// labels are those of every child.
func labels(w *v1alpha1.Wukong) map[string]any {
	return map[string]any{labelManagedBy: managedBy, labelWukong: w.Name}
}

// networkLabels are those of every child that is made for one network. They say what it was made as: see made.
func networkLabels(w *v1alpha1.Wukong, n network) map[string]any {
	l := labels(w)
	for label, value := range map[string]string{
		labelNetwork: n.Name, labelType: string(n.Type), labelBridge: n.bridge, labelUplink: n.uplink, labelNIC: n.nic,
	} {
		if value != "" {
			l[label] = value
		}
	}
	return l
}

// policyName is the name of the NodeNetworkConfigurationPolicy of one network.
func policyName(w *v1alpha1.Wukong, network string) string {
	return w.Name + "-" + network + "-bridge"
}

// nadName is the name of the NetworkAttachmentDefinition of one network.
func nadName(w *v1alpha1.Wukong, network string) string {
	return w.Name + "-" + network + "-nad"
}

// networkOf is the network that an observed policy or attachment was made for.
func networkOf(w *v1alpha1.Wukong, name, suffix string) string {
	return strings.TrimSuffix(strings.TrimPrefix(name, w.Name+"-"), suffix)
}

// dataVolumeName is the name of the DataVolume of one disk.
func dataVolumeName(w *v1alpha1.Wukong, disk string) string {
	return w.Name + "-" + disk
}

// qualified is the name that Metacontroller keys an object by, and that users read: namespace/name.
func qualified(namespace, name string) string {
	if namespace == "" {
		return name
	}
	return namespace + "/" + name
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

// linkLocal says that an address or prefix is one that an interface has by merely being up.
func linkLocal(address string) bool {
	if p, err := netip.ParsePrefix(address); err == nil {
		address = p.Addr().String()
	}
	a, err := netip.ParseAddr(address)
	return err == nil && a.Is6() && (a.IsLinkLocalUnicast() || a.IsMulticast())
}

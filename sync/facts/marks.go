package facts

import (
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"novasphere.dev/wukong/sync/node"
)

// Labels on children. Never answer controller-uid: Metacontroller sets it, and refuses a child with another value.
const (
	LabelManagedBy     = "app.kubernetes.io/managed-by"
	LabelWukong        = "vm.novasphere.dev/wukong"
	LabelNetwork       = "vm.novasphere.dev/network"
	LabelBridge        = "vm.novasphere.dev/bridge"
	LabelUplink        = "vm.novasphere.dev/uplink"
	LabelType          = "vm.novasphere.dev/type"
	LabelNIC           = "vm.novasphere.dev/physical-interface"
	LabelReclaimPolicy = "vm.novasphere.dev/reclaim-policy"
	LabelControllerUID = "controller-uid"

	LabelWukongNetwork = "vm.novasphere.dev/wukong-network"
)

// claimPrefix begins the labels of a machine, and of its instance, one for each existing claim that it uses.
const claimPrefix = "claim.vm.novasphere.dev/"

// ClaimLabel is the label of the machines that use an existing claim. A name that no label can have, and that of an old
// object may be anything, is hashed: the API server refuses a label that is not one, and a selector with it.
func ClaimLabel(claim string) string {
	if len(validation.IsQualifiedName(claimPrefix+claim)) > 0 {
		sum := sha256.Sum256([]byte(claim))
		claim = "sha256-" + hex.EncodeToString(sum[:16])
	}
	return claimPrefix + claim
}

// addressPrefix begins the labels of a machine, one for each static address of its guest.
const addressPrefix = "address.vm.novasphere.dev/"

// AddressLabel is the label of the machines whose guests have a static address. A label has no colons, so an IPv6 address is
// written in full, with dashes.
func AddressLabel(address netip.Addr) string {
	return addressPrefix + strings.ReplaceAll(address.Unmap().StringExpanded(), ":", "-")
}

// AnnotationRemoving marks a policy whose bridge is to be removed from the nodes. Its value is when that began.
const AnnotationRemoving = "vm.novasphere.dev/removing-since"

// AnnotationTypes notes on a machine which instance type and preference it was asked to have. KubeVirt may write what they mean into the
// machine in place of their names, and the machine alone does not tell that from one that never had them.
const AnnotationTypes = "vm.novasphere.dev/instancetype-and-preference"

// AnnotationMTU is on a policy whose network says no mtu. Its value is the MTU that the policy was given when it was created: the smallest
// that the NICs of the nodes had.
const AnnotationMTU = "vm.novasphere.dev/default-mtu"

// ReadMTU is the value of AnnotationMTU; 0 where it is none.
func ReadMTU(value string) int64 {
	mtu, err := strconv.ParseInt(value, 10, 32)
	if err != nil || mtu < 0 {
		return 0
	}
	return mtu
}

// AnnotationLastApplied is where Metacontroller's dynamic apply notes what the hook answered last.
const AnnotationLastApplied = "metacontroller.k8s.io/last-applied-configuration"

// annotationRestore is where KubeVirt notes the last restore of a machine.
const annotationRestore = "restore.kubevirt.io/lastRestoreUID"

// annotationDecorator is what Metacontroller writes on what a DecoratorController makes: the name of that.
const annotationDecorator = "metacontroller.k8s.io/decorator-controller"

// ManagedBy is the value of LabelManagedBy on all children.
const ManagedBy = "wukong"

// kinds are the kinds of bridges by the type of the network, which is the value of LabelType.
var kinds = map[string]string{"bridge": node.LinuxBridge, "ovs": node.OVSBridge}

// BridgeKind is the kind of bridge that a type of network has; the type itself where it has none.
func BridgeKind(networkType string) string {
	if kind, ok := kinds[networkType]; ok {
		return kind
	}
	return networkType
}

// Made is the bridge that a child was made for, from its labels. The spec would not do: the hook undoes an edit of the
// spec, and must not mistake the edit for a network that was added again in another form. Where the labels are missing,
// Kind is empty, and nothing is known.
func (o *Object) Made() node.Bridge {
	if o == nil {
		return node.Bridge{}
	}
	l := o.Labels
	return node.Bridge{Kind: BridgeKind(l[LabelType]), Name: l[LabelBridge], Uplink: l[LabelUplink], NIC: l[LabelNIC]}
}

// Made is the bridge that a policy was made for, from its labels. Preserves is read from the spec, where NMState lets
// nobody change it.
func (p *Policy) Made() node.Bridge {
	if p == nil {
		return node.Bridge{}
	}
	made := p.Object.Made()
	made.Preserves = p.Says.Preserves
	return made
}

// OwnLabel reports whether only the hook, or Metacontroller for it, writes a label.
func OwnLabel(key string) bool {
	return key == LabelControllerUID || key == LabelManagedBy || strings.HasPrefix(key, "vm.novasphere.dev/") || strings.HasPrefix(key, claimPrefix) ||
		strings.HasPrefix(key, addressPrefix)
}

// OwnAnnotation reports whether an annotation is written by somebody who would write it again after each change.
func OwnAnnotation(key string) bool {
	return strings.HasPrefix(key, "vm.novasphere.dev/") || strings.HasPrefix(key, "metacontroller.k8s.io/") || slices.Contains([]string{
		"kubectl.kubernetes.io/last-applied-configuration", "kubemacpool.io/transaction-timestamp",
		"kubevirt.io/latest-observed-api-version", "kubevirt.io/storage-observed-api-version",
	}, key)
}

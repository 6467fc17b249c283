package facts

import "novasphere.dev/wukong/sync/node"

// Labels on children. Metacontroller adds controller-uid itself, and refuses a child whose value differs: never set it.
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
)

// AnnotationRemoving is, on a policy whose bridge shall leave the nodes, when that began.
const AnnotationRemoving = "vm.novasphere.dev/removing-since"

// AnnotationLastApplied is where Metacontroller's dynamic apply keeps what the hook answered last.
const AnnotationLastApplied = "metacontroller.k8s.io/last-applied-configuration"

// ManagedBy is the value of LabelManagedBy on all children.
const ManagedBy = "wukong"

// kinds are the kinds of bridges by the value of LabelType, which is the type of the network that a child was made for.
var kinds = map[string]string{"bridge": node.LinuxBridge, "ovs": node.OVSBridge}

// BridgeKind is the kind of bridge that a network of a type hangs on; of a type without bridge the type itself.
func BridgeKind(networkType string) string {
	if kind, ok := kinds[networkType]; ok {
		return kind
	}
	return networkType
}

// Made is what a child was once made as. It is read from the labels and not from the spec: an edit of the spec by hand is put
// right, and must not pass for a network that was added again in another form. Where the labels are missing its Kind is
// empty, and it says nothing.
func (o *Object) Made() node.Bridge {
	if o == nil {
		return node.Bridge{}
	}
	l := o.Labels
	return node.Bridge{Kind: BridgeKind(l[LabelType]), Name: l[LabelBridge], Uplink: l[LabelUplink], NIC: l[LabelNIC]}
}

// Made is what a policy was once made as. Whether it moves the node's address is read from the spec, where NMState lets nobody
// change it.
func (p *Policy) Made() node.Bridge {
	if p == nil {
		return node.Bridge{}
	}
	made := p.Object.Made()
	made.Preserves = p.Says.Preserves
	return made
}

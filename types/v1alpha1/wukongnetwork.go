package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// NetworkKind is the kind of WukongNetwork, NetworkResource its plural.
const (
	NetworkKind     = "WukongNetwork"
	NetworkResource = "wukongnetworks"
)

// WukongNetwork is a network that many machines share: one bridge, on every node or on those of a selector. Wukongs plug into
// it by networks[].networkName. The hook creates the NMState policies that build the bridge: {name}.bridge, or one
// {name}.{uplink}.bridge for each of spec.uplinks.
//
// WukongNetwork is cluster-scoped, and whoever may write one may reconfigure the network of every node. Whoever only writes
// Wukongs that use one needs no such right.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:scope=Cluster,shortName=wkn,categories=novasphere
// +kubebuilder:subresource:status
// +kubebuilder:printcolumn:name=Ready,type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name=Bridge,type=string,JSONPath=`.status.bridge`
// +kubebuilder:printcolumn:name=VLAN,type=integer,JSONPath=`.spec.vlanId`
// +kubebuilder:printcolumn:name=Reason,type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name=Age,type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name=Message,type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
//
// +kubebuilder:validation:XValidation:rule=`size(self.metadata.name) <= 56 && !self.metadata.name.contains('.')`,fieldPath=`.metadata`,message="the name becomes the first part of a policy's name: use lower-case letters, digits and '-', at most 56 characters, no dots"
// +kubebuilder:validation:XValidation:rule=`has(self.spec.bridgeName) || size(self.metadata.name) <= 12`,fieldPath=`.metadata`,message="the default bridge name br-{name} would be longer than the kernel's 15 characters: set spec.bridgeName, or use a name of at most 12 characters"
// +kubebuilder:validation:XValidation:rule=`!has(self.spec.uplinks) || self.spec.uplinks.all(u, size(self.metadata.name) + size(u.name) <= 55)`,fieldPath=`.spec.uplinks`,message="a policy name {network}.{uplink}.bridge is longer than 63 characters: shorten the network's name or the uplink's name"
// +kubebuilder:validation:XValidation:rule=`(has(self.spec.bridgeName) ? self.spec.bridgeName : 'br-' + self.metadata.name) == (has(oldSelf.spec.bridgeName) ? oldSelf.spec.bridgeName : 'br-' + oldSelf.metadata.name)`,fieldPath=`.spec.bridgeName`,reason=FieldValueForbidden,message="bridgeName cannot change: make another WukongNetwork under a new name"
// +kubebuilder:validation:XValidation:rule=`!has(self.spec.physicalInterface) || self.spec.physicalInterface != (has(self.spec.bridgeName) ? self.spec.bridgeName : 'br-' + self.metadata.name)`,fieldPath=`.spec.bridgeName`,message="the bridge would have the name of the physicalInterface itself: set bridgeName to a name of its own"
// +kubebuilder:validation:XValidation:rule=`!has(self.spec.uplinks) || self.spec.uplinks.all(u, u.physicalInterface != (has(self.spec.bridgeName) ? self.spec.bridgeName : 'br-' + self.metadata.name))`,fieldPath=`.spec.bridgeName`,message="the bridge would have the name of an uplink's physicalInterface: set bridgeName to a name of its own"
type WukongNetwork struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is what the user wants.
	//
	// +required
	Spec WukongNetworkSpec `json:"spec"`

	// status is what the hook last saw and decided. Metacontroller writes it.
	//
	// +optional
	// +default={"observedGeneration":-1}
	Status WukongNetworkStatus `json:"status,omitempty,omitzero"`
}

// WukongNetworkSpec is the bridge, and the NICs by which it reaches the wire. Every field has a default: a WukongNetwork with an
// empty spec is the bridge br-{name} on every node.
//
// +kubebuilder:validation:XValidation:rule=`!(has(self.physicalInterface) && has(self.uplinks))`,fieldPath=`.physicalInterface`,message="uplinks name the NICs of the nodes: remove physicalInterface, or remove uplinks"
// +kubebuilder:validation:XValidation:rule=`has(self.physicalInterface) == has(oldSelf.physicalInterface) && (!has(self.physicalInterface) || self.physicalInterface == oldSelf.physicalInterface)`,fieldPath=`.physicalInterface`,reason=FieldValueForbidden,message="physicalInterface cannot change (nor be added or dropped): make another WukongNetwork under a new name"
// +kubebuilder:validation:XValidation:rule=`has(self.uplinks) == has(oldSelf.uplinks)`,fieldPath=`.uplinks`,reason=FieldValueForbidden,message="a network without uplinks cannot get them, and one with uplinks keeps at least one: make another WukongNetwork under a new name"
// +kubebuilder:validation:XValidation:rule=`(has(self.type) ? self.type : 'bridge') == (has(oldSelf.type) ? oldSelf.type : 'bridge')`,fieldPath=`.type`,reason=FieldValueForbidden,message="type cannot change: make another WukongNetwork under a new name"
// +kubebuilder:validation:XValidation:rule=`has(self.vlanId) == has(oldSelf.vlanId) && (!has(self.vlanId) || self.vlanId == oldSelf.vlanId)`,fieldPath=`.vlanId`,reason=FieldValueForbidden,message="vlanId cannot change: make another WukongNetwork under a new name"
// +kubebuilder:validation:XValidation:rule=`(has(self.preserveHostIP) && self.preserveHostIP) == (has(oldSelf.preserveHostIP) && oldSelf.preserveHostIP)`,fieldPath=`.preserveHostIP`,reason=FieldValueForbidden,message="preserveHostIP cannot change: make another WukongNetwork under a new name"
// +kubebuilder:validation:XValidation:rule=`!has(self.preserveHostIP) || !self.preserveHostIP || (!has(self.type) || self.type == 'bridge') && !has(self.vlanId)`,fieldPath=`.preserveHostIP`,message="preserveHostIP is only for type bridge without vlanId: a VLAN bridge leaves the node's address alone"
// +kubebuilder:validation:XValidation:rule=`!(has(self.preserveHostIP) && self.preserveHostIP && has(self.reclaimPolicy) && self.reclaimPolicy == 'Delete')`,fieldPath=`.reclaimPolicy`,message="reclaimPolicy Delete does not go with preserveHostIP: the bridge carries the node's address. Use Retain"
// +kubebuilder:validation:XValidation:rule=`!has(self.uplinks) || self.uplinks.all(a, self.uplinks.all(b, a.name == b.name || a.nodeSelector.exists(k, k in b.nodeSelector && a.nodeSelector[k] != b.nodeSelector[k])))`,fieldPath=`.uplinks`,message="two uplinks could select the same node: let their nodeSelectors name one label with different values"
// +kubebuilder:validation:XValidation:rule=`!has(self.uplinks) || !has(self.nodeSelector) || self.uplinks.all(u, u.nodeSelector.all(k, !(k in self.nodeSelector) || u.nodeSelector[k] == self.nodeSelector[k]))`,fieldPath=`.uplinks`,message="an uplink's nodeSelector and spec.nodeSelector name one label with different values, so no node has both: correct one of them"
type WukongNetworkSpec struct {
	// type is bridge (a Linux bridge) or ovs (an Open vSwitch bridge). It cannot change. Default: bridge.
	//
	// +optional
	// +kubebuilder:validation:Enum=bridge;ovs
	Type NetworkType `json:"type,omitempty"`

	// bridgeName is the name of the bridge on the nodes, at most 15 characters. It cannot change. Default: br-{name}, where the
	// WukongNetwork's name has at most 12 characters; a longer name needs this field.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=15
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$`
	// +kubebuilder:validation:XValidation:rule=`!(self in ['all', 'default', 'lo', 'bonding_masters'])`,message="the kernel and NetworkManager keep this name for themselves: choose another"
	BridgeName string `json:"bridgeName,omitempty"`

	// vlanId tags the network on the wire, 1 to 4094. The nodes get the VLAN interface {physicalInterface}.{vlanId} as the
	// bridge's port, and the NIC keeps the node's address. Where that name would be longer than 15 characters, the VLAN
	// interface is named vl{vlanId}-{hash of the NIC's name}. It cannot change. Default: untagged.
	//
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=4094
	VLANID int32 `json:"vlanId,omitempty"`

	// physicalInterface is the nodes' NIC by which the network reaches the wire. Where the nodes name their NICs differently, set
	// uplinks instead. A bridge without vlanId takes the NIC over, so the NIC must not carry the node's own address (see
	// preserveHostIP). It cannot change. Default: the hook's -physical-interface flag, which is ens160 unless set.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=15
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$`
	// +kubebuilder:validation:XValidation:rule=`!(self in ['all', 'default', 'lo', 'bonding_masters'])`,message="this is no NIC: name the interface as the node does, for example ens160"
	PhysicalInterface string `json:"physicalInterface,omitempty"`

	// uplinks are for nodes that name their NICs differently: each says a NIC, and the labels of the nodes that have it; at most
	// 8. Any two of them name one label with different values, so that no node is in both. A node that is in none gets no
	// bridge. Single uplinks can be added and removed; what happens to the bridge of one that is removed, reclaimPolicy says. A
	// network without uplinks cannot get them later, nor lose the last one. Excludes physicalInterface. Default: one NIC for
	// all nodes, as physicalInterface says.
	//
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	Uplinks []Uplink `json:"uplinks,omitempty"`

	// nodeSelector is the labels that a node must have to get the bridge. When it changes, nodes that are no longer selected
	// keep the bridge. Default: every node.
	//
	// +optional
	// +kubebuilder:validation:MaxProperties=16
	// +kubebuilder:validation:XValidation:rule=`self.all(k, size(k) <= 317 && k.matches('^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$'))`,message="a key of nodeSelector is a label's name: letters, digits, '-', '_' and '.', at most 63 characters, and optionally a DNS prefix and '/' before it"
	NodeSelector map[string]LabelValue `json:"nodeSelector,omitempty"`

	// mtu is the largest packet in bytes, 576 to 65535, of the VLAN interface, the bridge and the attachments; it must not be more
	// than the NIC's. When it changes, the policies change the nodes. Default: what the NIC has; of nodes that differ, the least. That is
	// read once, before the policies are created. With preserveHostIP the bridge has what the NIC has, on each node.
	//
	// +optional
	// +kubebuilder:validation:Minimum=576
	// +kubebuilder:validation:Maximum=65535
	MTU int32 `json:"mtu,omitempty"`

	// preserveHostIP is for a bridge without vlanId on the NIC that carries the node's default route: the policy moves the node's
	// addresses, MAC and routes from the NIC to the bridge, one node at a time. The nodes of one policy must all have static
	// addresses, or all have IPv4 by DHCP. IPv6 moves only where the addresses of both families are static. It cannot change.
	// Default: false, and a bridge on such a NIC is refused.
	//
	// +optional
	PreserveHostIP *bool `json:"preserveHostIP,omitempty"`

	// reclaimPolicy says what happens to the bridge on the nodes when the WukongNetwork or one of its uplinks is deleted. Retain
	// keeps the bridge. Delete removes the bridge and its VLAN interface, even if they existed before the WukongNetwork, once
	// nobody uses the bridge and no node reports a port or an address on it. After the hook's -teardown-timeout (15m) without
	// progress the bridge is kept. You can change this field until the deletion is done. Delete does not go with
	// preserveHostIP. Unset means Retain.
	//
	// +optional
	ReclaimPolicy ReclaimPolicy `json:"reclaimPolicy,omitempty"`
}

// Uplink is the NIC of the nodes that have some labels.
//
// +kubebuilder:validation:XValidation:rule=`self.physicalInterface == oldSelf.physicalInterface`,fieldPath=`.physicalInterface`,reason=FieldValueForbidden,message="physicalInterface cannot change: remove this uplink, and add one under a new name"
type Uplink struct {
	// name is unique among the uplinks, a DNS label of at most 40 characters. The uplink's policy is {network}.{name}.bridge, at
	// most 63 characters.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=40
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	Name string `json:"name"`

	// nodeSelector is the labels of the nodes with this NIC, at least one. The nodes must also have the labels of
	// spec.nodeSelector. When it changes, nodes that are no longer selected keep the bridge.
	//
	// +required
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=16
	// +kubebuilder:validation:XValidation:rule=`self.all(k, size(k) <= 317 && k.matches('^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$'))`,message="a key of nodeSelector is a label's name: letters, digits, '-', '_' and '.', at most 63 characters, and optionally a DNS prefix and '/' before it"
	NodeSelector map[string]LabelValue `json:"nodeSelector"`

	// physicalInterface is the NIC of these nodes. Several uplinks may have the same. It cannot change.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=15
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$`
	// +kubebuilder:validation:XValidation:rule=`!(self in ['all', 'default', 'lo', 'bonding_masters'])`,message="this is no NIC: name the interface as the node does, for example ens160"
	PhysicalInterface string `json:"physicalInterface"`
}

// WukongNetworkStatus is what the hook last saw and decided. It has no counters, and no progress of single nodes: each change of it
// calls the hook for every machine on the network.
type WukongNetworkStatus struct {
	// observedGeneration is the generation of the spec that this status is about. Metacontroller sets it; -1 until the first
	// answer.
	//
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// conditions are Ready, and Stalled while only the user can make progress. Ready is True when the bridge is built on the
	// nodes; it stays so while NMState merely applies a policy again, for example after a node has restarted. Their reasons are
	// these:
	//
	//   - InvalidSpec: a value is wrong once the defaults are filled in; everything that exists stays as it is.
	//   - Terminating: the Wukong, its machine or the WukongNetwork is being deleted.
	//   - Conflict: a bridge, a NIC, a disk or a name belongs to somebody else; the message says to whom.
	//   - Removing: an older policy, attachment or disk of the same name, bridge or uplink has to go first.
	//   - PoliciesAvailable: the bridges are built on the nodes.
	//   - NMStateNotRegistered: NMState is not registered, so no policy is created; the message says what to do.
	//   - PolicyPending: the policy is being created, or NMState has not looked at it yet.
	//   - PolicyProgressing: NMState is configuring the nodes.
	//   - PolicyFailed: NMState could not configure a node; the message has the node and the error.
	//   - NoMatchingNode: no node has the labels that nodeSelector asks for.
	//   - BridgeLost: a node no longer has the bridge, or the bridge no longer has its uplink.
	//   - PreflightRefused: a node would be harmed, or cannot take the network; the message has the way out.
	//   - PreflightWaiting: a selected node does not report its network yet, or no node is selected.
	//
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// bridge is the bridge on the nodes, its default filled in.
	//
	// +optional
	Bridge string `json:"bridge,omitempty"`

	// mtu is the MTU of the attachments where spec has none: the smallest that the NICs of the nodes had when the policies were created;
	// absent where that is 1500, or not known.
	//
	// +optional
	MTU int32 `json:"mtu,omitempty"`

	// failedNodes are the first three nodes on which the bridge could not be built.
	//
	// +optional
	// +listType=atomic
	FailedNodes []string `json:"failedNodes,omitempty"`

	// policies are the policies that exist or are to be created, one for each uplink; then those that are still being removed.
	//
	// +optional
	// +listType=map
	// +listMapKey=name
	Policies []NetworkPolicyStatus `json:"policies,omitempty"`
}

// NetworkPolicyStatus is one policy of a WukongNetwork.
type NetworkPolicyStatus struct {
	// name is the name of the NodeNetworkConfigurationPolicy.
	//
	// +required
	Name string `json:"name"`

	// bridge is the bridge that the policy builds.
	//
	// +optional
	Bridge string `json:"bridge,omitempty"`

	// uplink is the interface by which the bridge reaches the wire: the NIC or the VLAN interface.
	//
	// +optional
	Uplink string `json:"uplink,omitempty"`
}

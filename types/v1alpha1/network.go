package v1alpha1

// Network is one network interface of the machine, and what the interface is connected to.
//
// +kubebuilder:validation:XValidation:rule=`has(self.networkName) || has(oldSelf.networkName) || (has(self.type) ? self.type : 'pod') == (has(oldSelf.type) ? oldSelf.type : 'pod')`,fieldPath=`.type`,reason=FieldValueForbidden,message="type cannot change: remove this network, and add one under a new name"
// +kubebuilder:validation:XValidation:rule=`has(self.networkName) == has(oldSelf.networkName) && (!has(self.networkName) || self.networkName == oldSelf.networkName)`,fieldPath=`.networkName`,reason=FieldValueForbidden,message="networkName cannot change (nor be added or dropped): remove this network, and add one under a new name"
// +kubebuilder:validation:XValidation:rule=`has(self.nadName) == has(oldSelf.nadName) && (!has(self.nadName) || self.nadName == oldSelf.nadName)`,fieldPath=`.nadName`,reason=FieldValueForbidden,message="nadName cannot change: remove this network, and add one under a new name"
// +kubebuilder:validation:XValidation:rule=`(has(self.bridgeName) ? self.bridgeName : 'br-' + self.name) == (has(oldSelf.bridgeName) ? oldSelf.bridgeName : 'br-' + oldSelf.name)`,fieldPath=`.bridgeName`,reason=FieldValueForbidden,message="bridgeName cannot change: remove this network, and add one under a new name"
// +kubebuilder:validation:XValidation:rule=`has(self.vlanId) == has(oldSelf.vlanId) && (!has(self.vlanId) || self.vlanId == oldSelf.vlanId)`,fieldPath=`.vlanId`,reason=FieldValueForbidden,message="vlanId cannot change: remove this network, and add one under a new name"
// +kubebuilder:validation:XValidation:rule=`has(self.physicalInterface) == has(oldSelf.physicalInterface) && (!has(self.physicalInterface) || self.physicalInterface == oldSelf.physicalInterface)`,fieldPath=`.physicalInterface`,reason=FieldValueForbidden,message="physicalInterface cannot change (nor be added or dropped): remove this network, and add one under a new name"
// +kubebuilder:validation:XValidation:rule=`(has(self.preserveHostIP) && self.preserveHostIP) == (has(oldSelf.preserveHostIP) && oldSelf.preserveHostIP)`,fieldPath=`.preserveHostIP`,reason=FieldValueForbidden,message="preserveHostIP cannot change: remove this network, and add one under a new name"
// +kubebuilder:validation:XValidation:rule=`!has(self.networkName) || !(has(self.type) || has(self.nadName) || has(self.bridgeName) || has(self.vlanId) || has(self.physicalInterface) || has(self.preserveHostIP) || has(self.resourceName) || has(self.mtu) || has(self.reclaimPolicy))`,fieldPath=`.networkName`,message="a network with networkName takes only name, macAddress and ipConfig, because the WukongNetwork says the rest: remove the other fields, or remove networkName"
// +kubebuilder:validation:XValidation:rule=`!has(self.type) || !(self.type in ['bridge','ovs']) || has(self.nadName) || has(self.bridgeName) || size(self.name) <= 12`,fieldPath=`.name`,message="the default bridge name br-{name} would be longer than the kernel's 15 characters: set bridgeName, or use a name of at most 12 characters"
// +kubebuilder:validation:XValidation:rule=`has(self.networkName) || has(self.type) && self.type != 'pod' || !(has(self.nadName) || has(self.bridgeName) || has(self.vlanId) || has(self.physicalInterface) || has(self.preserveHostIP) || has(self.resourceName) || has(self.mtu) || has(self.reclaimPolicy))`,fieldPath=`.type`,message="a pod network (type omitted means pod) takes only name, macAddress and ipConfig: set type, or remove the other fields"
// +kubebuilder:validation:XValidation:rule=`has(self.networkName) || has(self.type) && self.type != 'pod' || !has(self.ipConfig) || self.ipConfig.mode == 'dhcp'`,fieldPath=`.ipConfig`,message="a pod network gets its address from Kubernetes: use mode dhcp, or set type or networkName"
// +kubebuilder:validation:XValidation:rule=`!has(self.type) || self.type in ['pod','bridge','ovs'] || !(has(self.bridgeName) || has(self.preserveHostIP) || has(self.reclaimPolicy))`,fieldPath=`.type`,message="bridgeName, preserveHostIP and reclaimPolicy are only for type bridge and ovs: remove them"
// +kubebuilder:validation:XValidation:rule=`has(self.networkName) || !has(self.preserveHostIP) || !self.preserveHostIP || has(self.type) && self.type == 'bridge' && !has(self.vlanId)`,fieldPath=`.preserveHostIP`,message="preserveHostIP is only for type bridge without vlanId: a VLAN bridge leaves the node's address alone"
// +kubebuilder:validation:XValidation:rule=`!(has(self.preserveHostIP) && self.preserveHostIP && has(self.reclaimPolicy) && self.reclaimPolicy == 'Delete')`,fieldPath=`.reclaimPolicy`,message="reclaimPolicy Delete does not go with preserveHostIP: the bridge carries the node's address. Use Retain"
// +kubebuilder:validation:XValidation:rule=`!has(self.type) || self.type in ['pod','bridge','ovs','sriov'] || !has(self.vlanId)`,fieldPath=`.vlanId`,message="vlanId is only for type bridge, ovs and sriov: remove it, or name a VLAN interface as physicalInterface"
// +kubebuilder:validation:XValidation:rule=`!has(self.type) || self.type != 'sriov' || has(self.nadName) || has(self.resourceName)`,fieldPath=`.resourceName`,message="type sriov needs resourceName (the device plugin's resource), or nadName"
// +kubebuilder:validation:XValidation:rule=`!has(self.type) || self.type in ['pod','sriov'] || !has(self.resourceName)`,fieldPath=`.resourceName`,message="resourceName is only for type sriov: remove it"
// +kubebuilder:validation:XValidation:rule=`!has(self.type) || self.type != 'sriov' || !has(self.physicalInterface)`,fieldPath=`.physicalInterface`,message="type sriov takes its device from resourceName: remove physicalInterface"
// +kubebuilder:validation:XValidation:rule=`!has(self.type) || self.type != 'sriov' || !has(self.mtu)`,fieldPath=`.mtu`,message="type sriov takes its MTU from the physical function on the node: remove mtu"
// +kubebuilder:validation:XValidation:rule=`!has(self.type) || self.type == 'pod' || !has(self.nadName) || !(has(self.bridgeName) || has(self.vlanId) || has(self.physicalInterface) || has(self.preserveHostIP) || has(self.resourceName) || has(self.mtu) || has(self.reclaimPolicy))`,fieldPath=`.nadName`,message="nadName uses an attachment as it is: remove bridgeName, vlanId, physicalInterface, preserveHostIP, resourceName, mtu and reclaimPolicy"
// +kubebuilder:validation:XValidation:rule=`!has(self.bridgeName) || !has(self.physicalInterface) || self.bridgeName != self.physicalInterface`,fieldPath=`.bridgeName`,message="bridgeName is the name of the physicalInterface itself: a bridge needs a name of its own"
type Network struct {
	// name is unique among the networks, and is the interface's name in the VirtualMachine; the guest chooses a name of its
	// own. A bridge or ovs network without bridgeName may have at most 12 characters, any at most 54, and
	// {wukong}-{network}-bridge at most 63.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=54
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	Name string `json:"name"`

	// type is what the interface is connected to: pod (the cluster's own network), bridge (a Linux bridge that NMState
	// builds), ovs (an Open vSwitch bridge that NMState builds), macvlan or ipvlan (directly on a NIC; KubeVirt carries no
	// traffic over these), or sriov (a virtual function). A network with networkName has no type. It cannot change.
	// Default: pod.
	//
	// +optional
	// +kubebuilder:validation:Enum=pod;bridge;ovs;macvlan;ipvlan;sriov
	Type NetworkType `json:"type,omitempty"`

	// networkName uses a WukongNetwork, by its name: a DNS label of at most 56 characters. The hook waits until the
	// WukongNetwork is Ready, and then makes the attachment {wukong}-{network}-nad on its bridge, but never a policy. With
	// this field only name, macAddress and ipConfig may be set. Use it to share one network among many machines. It cannot
	// change. Default: the network is the Wukong's own, as type says.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=56
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	NetworkName string `json:"networkName,omitempty"`

	// nadName uses an existing NetworkAttachmentDefinition, by name in spec.namespace or as namespace/name. No bridge is
	// built for this network, and the machine waits until the attachment exists. The attachment must not belong to a
	// Wukong. Use this field for an attachment that is made by hand. It cannot change.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=317
	// +kubebuilder:validation:Pattern=`^([a-z0-9]([-a-z0-9]*[a-z0-9])?/)?[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	NADName string `json:"nadName,omitempty"`

	// bridgeName is the name of the bridge on the nodes, at most 15 characters; type bridge and ovs. Networks and Wukongs
	// that name the same bridge share it, and must then ask for the same uplink. It cannot change. Default: br-{name}.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=15
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$`
	// +kubebuilder:validation:XValidation:rule=`!(self in ['all', 'default', 'lo', 'bonding_masters'])`,message="the kernel and NetworkManager keep this name for themselves: choose another"
	BridgeName string `json:"bridgeName,omitempty"`

	// vlanId tags the network on the wire, 1 to 4094. For type bridge and ovs the nodes get the VLAN interface
	// {physicalInterface}.{vlanId} as the bridge's port, and the NIC keeps the node's address. Where that name would be
	// longer than 15 characters, the VLAN interface is named vl{vlanId}-{hash of the NIC's name}. For type sriov the
	// virtual function tags. It cannot change. Default: untagged.
	//
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=4094
	VLANID int32 `json:"vlanId,omitempty"`

	// physicalInterface is the nodes' NIC by which the network reaches the wire; type bridge, ovs, macvlan and ipvlan. A
	// bridge without vlanId takes the NIC over, so the NIC must not carry the node's own address (see preserveHostIP). It
	// cannot change. Default: the hook's -physical-interface flag, which is ens160 unless set.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=15
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$`
	// +kubebuilder:validation:XValidation:rule=`!(self in ['all', 'default', 'lo', 'bonding_masters'])`,message="this is no NIC: name the interface as the node does, for example ens160"
	PhysicalInterface string `json:"physicalInterface,omitempty"`

	// preserveHostIP is for a bridge without vlanId on the NIC that carries the node's default route: the policy moves the
	// node's addresses, MAC and routes from the NIC to the bridge, one node at a time. The selected nodes must all have
	// static addresses, or all have IPv4 by DHCP. IPv6 moves only where the addresses of both families are static. Every
	// network that shares the bridge must set this field too. It cannot change. Default: false, and a bridge on such a NIC
	// is refused.
	//
	// +optional
	PreserveHostIP *bool `json:"preserveHostIP,omitempty"`

	// resourceName is the device plugin's resource that virtual functions are taken from, for example
	// intel.com/sriov_netdevice; type sriov, where it is required.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=317
	// +kubebuilder:validation:Pattern=`^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$`
	ResourceName string `json:"resourceName,omitempty"`

	// macAddress is the interface's hardware address in the guest, unicast. Set it before restoring a Wukong from a
	// backup: the default is derived from the Wukong's UID and the network's name, and a restored Wukong has a new UID.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=17
	// +kubebuilder:validation:XValidation:rule=`self.matches('^[0-9a-fA-F][02468aceACE](:[0-9a-fA-F]{2}){5}$')`,message="macAddress is six pairs of hexadecimal digits, the first of them even, for example 02:00:5e:10:00:01"
	// +kubebuilder:validation:XValidation:rule=`!(self in ['00:00:00:00:00:00', '02:00:00:00:00:00'])`,message="this address is reserved: choose another, or leave macAddress out"
	MACAddress string `json:"macAddress,omitempty"`

	// mtu is the largest packet in bytes, 576 to 65535, of the VLAN interface, the bridge and the attachment; it must
	// not be more than the NIC's. Default: what the NIC has.
	//
	// +optional
	// +kubebuilder:validation:Minimum=576
	// +kubebuilder:validation:Maximum=65535
	MTU int32 `json:"mtu,omitempty"`

	// ipConfig is the guest's own address on this network, never an address of the node. cloud-init sets it on the guest's
	// first boot. Default: dhcp on a pod network; on others the interface is up and has no address.
	//
	// +optional
	IPConfig *IPConfig `json:"ipConfig,omitempty"`

	// reclaimPolicy says what happens to the bridge on the nodes when the network or the Wukong is deleted; type bridge
	// and ovs. Retain keeps the bridge. Delete removes the bridge and its VLAN interface, even if they existed before the
	// Wukong, once no other Wukong uses the bridge and no node reports a port or an address on it. After the hook's
	// -teardown-timeout (15m) without progress the bridge is kept. You can change this field until the deletion is done.
	// Delete does not go with preserveHostIP. Unset means Retain.
	//
	// +optional
	ReclaimPolicy ReclaimPolicy `json:"reclaimPolicy,omitempty"`
}

// NetworkType is what an interface is connected to. Each field of this type says which of the types it may have.
type NetworkType string

// The network types.
const (
	Pod     NetworkType = "pod"
	Bridge  NetworkType = "bridge"
	OVS     NetworkType = "ovs"
	Macvlan NetworkType = "macvlan"
	Ipvlan  NetworkType = "ipvlan"
	SRIOV   NetworkType = "sriov"
)

// ReclaimPolicy says what happens to a bridge on the nodes when no network asks for it any more.
//
// +kubebuilder:validation:Enum=Retain;Delete
type ReclaimPolicy string

// The reclaim policies.
const (
	Retain ReclaimPolicy = "Retain"
	Delete ReclaimPolicy = "Delete"
)

// IPConfig is the guest's own address on one network.
//
// +kubebuilder:validation:XValidation:rule=`self.mode != 'static' || has(self.address)`,fieldPath=`.address`,reason=FieldValueRequired,message="mode static needs address, for example 192.168.100.10/24"
// +kubebuilder:validation:XValidation:rule=`self.mode != 'dhcp' || !(has(self.address) || has(self.gateway))`,fieldPath=`.mode`,message="mode dhcp takes no address or gateway: use mode static, or remove them"
// +kubebuilder:validation:XValidation:rule=`!has(self.address) || isCIDR(self.address)`,fieldPath=`.address`,message="address must be an IP with a prefix length, for example 192.168.100.10/24 or 2001:db8::10/64"
// +kubebuilder:validation:XValidation:rule=`!has(self.address) || !isCIDR(self.address) || cidr(self.address).prefixLength() >= (cidr(self.address).ip().family() == 4 ? 31 : 127) || string(cidr(self.address).masked()) != self.address`,fieldPath=`.address`,message="address is the subnet itself: give the guest's own address in it, for example 192.168.100.10/24"
// +kubebuilder:validation:XValidation:rule=`!has(self.gateway) || isIP(self.gateway)`,fieldPath=`.gateway`,message="gateway must be an IP address without prefix length, for example 192.168.100.1"
// +kubebuilder:validation:XValidation:rule=`!has(self.gateway) || !has(self.address) || !isIP(self.gateway) || !isCIDR(self.address) || cidr(self.address).containsIP(self.gateway) || (ip(self.gateway).isLinkLocalUnicast() && ip(self.gateway).family() == 6 && cidr(self.address).ip().family() == 6)`,fieldPath=`.gateway`,messageExpression=`'gateway ' + self.gateway + ' is not inside the subnet of address ' + self.address + ': correct one of them'`,message="gateway is not inside the subnet of address: correct one of them"
// +kubebuilder:validation:XValidation:rule=`!has(self.gateway) || !has(self.address) || !isIP(self.gateway) || !isCIDR(self.address) || !self.address.startsWith(self.gateway + '/')`,fieldPath=`.gateway`,message="gateway is the guest's own address: give the router's"
type IPConfig struct {
	// mode is static, which needs address, or dhcp, which asks for an IPv4 address.
	//
	// +required
	Mode IPMode `json:"mode"`

	// address is the guest's address with its prefix length, for example 192.168.100.10/24 or 2001:db8::10/64;
	// mode static.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=49
	Address string `json:"address,omitempty"`

	// gateway is the router of the guest's default route by this network: inside the subnet of address, or an IPv6
	// link-local address; mode static. Several networks may have one: the first in the list is preferred. Default: no
	// default route by this network.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=45
	Gateway string `json:"gateway,omitempty"`

	// dnsServers are the name servers that the guest asks by this network, at most 8.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:items:MaxLength=45
	// +kubebuilder:validation:items:XValidation:rule=`isIP(self)`,message="a DNS server must be an IP address, for example 192.168.100.1"
	DNSServers []string `json:"dnsServers,omitempty"`
}

// IPMode says where the guest's address comes from.
//
// +kubebuilder:validation:Enum=static;dhcp
type IPMode string

// The modes of ipConfig.
const (
	Static IPMode = "static"
	DHCP   IPMode = "dhcp"
)

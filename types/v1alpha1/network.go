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
// +kubebuilder:validation:XValidation:rule=`has(self.networkName) || has(self.type) && self.type != 'pod' || !(has(self.nadName) || has(self.bridgeName) || has(self.vlanId) || has(self.physicalInterface) || has(self.preserveHostIP) || has(self.resourceName) || has(self.mtu) || has(self.reclaimPolicy))`,fieldPath=`.type`,message="a pod network (type omitted means pod) takes only name, macAddress, ipConfig, vmNetworkCIDR and vmIPv6NetworkCIDR: set type, or remove the other fields"
// +kubebuilder:validation:XValidation:rule=`!(has(self.networkName) || has(self.type) && self.type != 'pod') || !(has(self.vmNetworkCIDR) || has(self.vmIPv6NetworkCIDR))`,fieldPath=`.type`,message="vmNetworkCIDR and vmIPv6NetworkCIDR are only for type pod: remove them"
// +kubebuilder:validation:XValidation:rule=`has(self.networkName) || has(self.type) && self.type != 'pod' || !has(self.ipConfig) || !has(self.ipConfig.address) || !isCIDR(self.ipConfig.address) || cidr(self.ipConfig.address.contains(':') ? (has(self.vmIPv6NetworkCIDR) ? self.vmIPv6NetworkCIDR : 'fd10:0:2::/120') : has(self.vmNetworkCIDR) ? self.vmNetworkCIDR : '10.0.2.0/24').containsIP(cidr(self.ipConfig.address).ip())`,fieldPath=`.ipConfig`,message="a pod network gets its address from Kubernetes: use mode dhcp (and ipv6Mode static for IPv6), or set type or networkName"
// +kubebuilder:validation:XValidation:rule=`has(self.networkName) || has(self.type) && self.type != 'pod' || !has(self.ipConfig) || !has(self.ipConfig.ipv6Mode) || self.ipConfig.ipv6Mode == 'static'`,fieldPath=`.ipConfig.ipv6Mode`,message="a pod network has no router that announces IPv6: use ipv6Mode static"
// +kubebuilder:validation:XValidation:rule=`has(self.networkName) || has(self.type) && self.type != 'pod' || !has(self.ipConfig) || !has(self.ipConfig.addresses)`,fieldPath=`.ipConfig.addresses`,message="a pod network gives the guest one address in each family: use mode dhcp or address for IPv4, and ipv6Mode static for IPv6"
// +kubebuilder:validation:XValidation:rule=`!(has(self.networkName) || has(self.type) && self.type != 'pod') || !has(self.ipConfig) || !has(self.ipConfig.ipv6Mode) || self.ipConfig.ipv6Mode != 'static' || has(self.ipConfig.address) && self.ipConfig.address.contains(':') || has(self.ipConfig.addresses) && self.ipConfig.addresses.exists(a, a.contains(':'))`,fieldPath=`.ipConfig.ipv6Mode`,message="ipv6Mode static needs an IPv6 address in address or addresses, for example 2001:db8::10/64"
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
	// name is unique among the networks, and is the interface's name in the VirtualMachine. The device in the guest has this
	// name too, or one that begins with net_ where this one is longer than 15 characters or means something else there, as
	// default and eth0 do. A bridge or ovs network without bridgeName may have at most 12 characters, any at most 54, and
	// {wukong}-{network}-bridge at most 63.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=54
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	Name string `json:"name"`

	// type is what the interface is connected to: pod (the cluster's own network), bridge (a Linux bridge that NMState
	// builds), ovs (an Open vSwitch bridge that NMState builds), macvlan or ipvlan (directly on a NIC, which takes one of the
	// two and no bridge beside it; KubeVirt carries no traffic over macvlan, and starts no machine with ipvlan), or sriov (a virtual
	// function). A network with networkName has no type. It cannot change. Default: pod.
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
	// bridge without vlanId takes the NIC over, so the NIC must not carry the node's own address (see preserveHostIP). For
	// macvlan and ipvlan it may carry that, and may be a VLAN interface or a bridge that the nodes have. It cannot change.
	// Default: the hook's -physical-interface flag, which is ens160 unless set.
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

	// macAddress is the interface's hardware address in the guest, unicast. Default: the one that the machine has; of a new
	// machine the one in the Wukong's last status, or else one that is derived from the Wukong's UID and the network's name.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=17
	// +kubebuilder:validation:XValidation:rule=`self.matches('^[0-9a-fA-F][02468aceACE](:[0-9a-fA-F]{2}){5}$')`,message="macAddress is six pairs of hexadecimal digits, the first of them even, for example 02:00:5e:10:00:01"
	// +kubebuilder:validation:XValidation:rule=`!(self in ['00:00:00:00:00:00', '02:00:00:00:00:00'])`,message="this address is reserved: choose another, or leave macAddress out"
	MACAddress string `json:"macAddress,omitempty"`

	// mtu is the largest packet in bytes, 576 to 65535, of the VLAN interface, the bridge and the attachment; it must
	// not be more than the NIC's. Default: what the NIC has; of nodes that differ, the least. That is read once, before the policy is
	// created: a NIC that changes later changes nothing. With preserveHostIP the bridge has what the NIC has, on each node.
	//
	// +optional
	// +kubebuilder:validation:Minimum=576
	// +kubebuilder:validation:Maximum=65535
	MTU int32 `json:"mtu,omitempty"`

	// vmNetworkCIDR is the IPv4 subnet between the machine and KubeVirt's NAT on a pod network: the guest has its second
	// address, the gateway is the first. No other network of the machine may reach into it. Default: 10.0.2.0/24.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=18
	// +kubebuilder:validation:XValidation:rule=`isCIDR(self) && cidr(self).ip().family() == 4 && cidr(self).prefixLength() <= 30 && string(cidr(self).masked()) == self`,message="vmNetworkCIDR is an IPv4 subnet with at least 4 addresses, for example 10.0.2.0/24"
	VMNetworkCIDR string `json:"vmNetworkCIDR,omitempty"`

	// vmIPv6NetworkCIDR is the IPv6 subnet between the machine and KubeVirt's NAT on a pod network: the guest has its second
	// address, the gateway is the first. The guest uses them with ipConfig.ipv6Mode static. Default: fd10:0:2::/120.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=43
	// +kubebuilder:validation:XValidation:rule=`isCIDR(self) && cidr(self).ip().family() == 6 && cidr(self).prefixLength() <= 126 && cidr(self).ip() == cidr(self).masked().ip()`,message="vmIPv6NetworkCIDR is an IPv6 subnet with at least 4 addresses, for example fd10:0:2::/120"
	VMIPv6NetworkCIDR string `json:"vmIPv6NetworkCIDR,omitempty"`

	// ipConfig is the guest's own addresses on this network, never an address of the node. cloud-init sets them on the
	// guest's first boot. Default: dhcp on a pod network; on others the interface is up and has no address of ours.
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

// IPConfig is the guest's own addresses on one network: IPv4 as mode says, IPv6 as ipv6Mode says.
//
// +kubebuilder:validation:XValidation:rule=`has(self.mode) || has(self.ipv6Mode)`,fieldPath=`.mode`,reason=FieldValueRequired,message="set mode (static or dhcp), or ipv6Mode where the guest has no IPv4 address"
// +kubebuilder:validation:XValidation:rule=`!has(self.mode) || self.mode != 'static' || has(self.address)`,fieldPath=`.address`,reason=FieldValueRequired,message="mode static needs address, for example 192.168.100.10/24"
// +kubebuilder:validation:XValidation:rule=`has(self.mode) && self.mode == 'static' || !(has(self.address) && !self.address.contains(':') || has(self.addresses) && self.addresses.exists(a, !a.contains(':')) || has(self.gateway) && !self.gateway.contains(':'))`,fieldPath=`.mode`,message="only mode static takes an IPv4 address or gateway: use mode static, or remove them"
// +kubebuilder:validation:XValidation:rule=`!has(self.address) || isCIDR(self.address)`,fieldPath=`.address`,message="address must be an IP with a prefix length, for example 192.168.100.10/24 or 2001:db8::10/64"
// +kubebuilder:validation:XValidation:rule=`!has(self.address) || !isCIDR(self.address) || cidr(self.address).prefixLength() >= (cidr(self.address).ip().family() == 4 ? 31 : 127) || string(cidr(self.address).masked()) != self.address`,fieldPath=`.address`,message="address is the subnet itself: give the guest's own address in it, for example 192.168.100.10/24"
// +kubebuilder:validation:XValidation:rule=`!has(self.addresses) || !has(self.address) || !(self.address in self.addresses)`,fieldPath=`.addresses`,message="addresses are those beside address: name each once"
// +kubebuilder:validation:XValidation:rule=`!has(self.gateway) || isIP(self.gateway)`,fieldPath=`.gateway`,message="gateway must be an IP address without prefix length, for example 192.168.100.1"
// +kubebuilder:validation:XValidation:rule=`!has(self.gateway) || !isIP(self.gateway) || has(self.address) || has(self.addresses)`,fieldPath=`.gateway`,message="gateway needs a static address of its family: set address, or remove gateway"
// +kubebuilder:validation:XValidation:rule=`!has(self.gateway) || !isIP(self.gateway) || !has(self.address) || !isCIDR(self.address) || cidr(self.address).containsIP(self.gateway) || has(self.addresses) && self.addresses.exists(a, isCIDR(a) && cidr(a).containsIP(self.gateway)) || (ip(self.gateway).family() == 6 && (cidr(self.address).ip().family() == 6 || has(self.addresses) && self.addresses.exists(a, a.contains(':'))) && (ip(self.gateway).isLinkLocalUnicast() || has(self.onLink) && self.onLink)) || (ip(self.gateway).family() == 4 && has(self.onLink) && self.onLink && (cidr(self.address).ip().family() == 4 || has(self.addresses) && self.addresses.exists(a, !a.contains(':'))))`,fieldPath=`.gateway`,messageExpression=`'gateway ' + self.gateway + ' is not inside the subnet of address ' + self.address + ': correct one of them, or set onLink where the router is reached all the same'`,message="gateway is not inside the subnet of address: correct one of them, or set onLink where the router is reached all the same"
// +kubebuilder:validation:XValidation:rule=`!has(self.gateway) || !has(self.address) || !isIP(self.gateway) || !isCIDR(self.address) || !self.address.startsWith(self.gateway + '/')`,fieldPath=`.gateway`,message="gateway is the guest's own address: give the router's"
// +kubebuilder:validation:XValidation:rule=`!has(self.ipv6Gateway) || isIP(self.ipv6Gateway) && ip(self.ipv6Gateway).family() == 6`,fieldPath=`.ipv6Gateway`,message="ipv6Gateway must be an IPv6 address without prefix length, for example fe80::1"
// +kubebuilder:validation:XValidation:rule=`!has(self.ipv6Gateway) || !has(self.gateway) || !self.gateway.contains(':')`,fieldPath=`.ipv6Gateway`,message="gateway is the IPv6 gateway already: remove one of the two"
// +kubebuilder:validation:XValidation:rule=`!has(self.ipv6Gateway) || !isIP(self.ipv6Gateway) || has(self.address) && self.address.contains(':') || has(self.addresses) && self.addresses.exists(a, a.contains(':'))`,fieldPath=`.ipv6Gateway`,message="ipv6Gateway needs a static IPv6 address: name one in addresses, or remove ipv6Gateway, which routers announce"
// +kubebuilder:validation:XValidation:rule=`!has(self.ipv6Gateway) || !isIP(self.ipv6Gateway) || ip(self.ipv6Gateway).isLinkLocalUnicast() || has(self.onLink) && self.onLink || has(self.address) && isCIDR(self.address) && cidr(self.address).containsIP(self.ipv6Gateway) || has(self.addresses) && self.addresses.exists(a, isCIDR(a) && cidr(a).containsIP(self.ipv6Gateway))`,fieldPath=`.ipv6Gateway`,message="ipv6Gateway is in the subnet of none of the IPv6 addresses: correct one of them, or set onLink where the router is reached all the same"
// +kubebuilder:validation:XValidation:rule=`!has(self.onLink) || !self.onLink || has(self.gateway) || has(self.ipv6Gateway) || has(self.routes)`,fieldPath=`.onLink`,message="onLink is about the routers of this network: set gateway, ipv6Gateway or routes, or remove onLink"
type IPConfig struct {
	// mode is where the IPv4 address comes from: static, from address, or dhcp. With mode static, address may also be an
	// IPv6 address; the guest then has no IPv4 address but those in addresses. Required, unless ipv6Mode is set: then the
	// guest has no IPv4 address.
	//
	// +optional
	Mode IPMode `json:"mode,omitempty"`

	// address is the guest's address with its prefix length, for example 192.168.100.10/24 or 2001:db8::10/64. An IPv4
	// address needs mode static. On a pod network it can only be the address that KubeVirt gives the guest.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=49
	Address string `json:"address,omitempty"`

	// addresses are further addresses of the guest with their prefix lengths, in either family, at most 8. IPv4 addresses
	// need mode static; IPv6 addresses go with every mode.
	//
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=49
	// +kubebuilder:validation:items:XValidation:rule=`isCIDR(self)`,message="an address is an IP with a prefix length, for example 192.168.100.11/24 or 2001:db8::11/64"
	// +kubebuilder:validation:items:XValidation:rule=`!isCIDR(self) || cidr(self).prefixLength() >= (cidr(self).ip().family() == 4 ? 31 : 127) || string(cidr(self).masked()) != self`,message="this is the subnet itself: give the guest's own address in it, for example 192.168.100.11/24"
	Addresses []string `json:"addresses,omitempty"`

	// gateway is the router of the guest's default route by this network, in the family of address: inside a subnet of the
	// guest's addresses, or an IPv6 link-local address, unless onLink is set. Several networks may have one: the first in
	// the list is preferred. Default: no default route by this network.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=45
	Gateway string `json:"gateway,omitempty"`

	// ipv6Mode is where the IPv6 address comes from: auto, from the routers on the network (their announcements, and DHCPv6
	// where they announce it); dhcp, from DHCPv6, with the routes that the routers announce; static, from address and
	// addresses alone, and announcements are ignored. On a pod network only static is possible; KubeVirt's address
	// (fd10:0:2::2/120, or the second of vmIPv6NetworkCIDR) and gateway are then filled in, which lead somewhere only in a
	// cluster whose Pods have IPv6 addresses. Default: the addresses that are given here, and the guest's system decides
	// what it makes of announcements.
	//
	// +optional
	IPv6Mode IPv6Mode `json:"ipv6Mode,omitempty"`

	// ipv6Gateway is the router of the guest's IPv6 default route by this network, where gateway is the one for IPv4: inside
	// a subnet of the guest's addresses, or link-local, unless onLink is set. Default: none but what routers announce.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=45
	IPv6Gateway string `json:"ipv6Gateway,omitempty"`

	// onLink says that the routers (gateway, ipv6Gateway, and via of routes) are reached directly on this network although
	// they are in no subnet of the guest's addresses, as with a /32 address. Guests with netplan or NetworkManager can do
	// that, and systemd-networkd from cloud-init 24.4 on; guests with /etc/network/interfaces or network-scripts cannot.
	// Default: false.
	//
	// +optional
	OnLink bool `json:"onLink,omitempty"`

	// routes are further routes of the guest by this network, at most 16.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	Routes []Route `json:"routes,omitempty"`

	// dnsServers are the name servers that the guest asks by this network, at most 8.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:items:MaxLength=45
	// +kubebuilder:validation:items:XValidation:rule=`isIP(self)`,message="a DNS server must be an IP address, for example 192.168.100.1"
	DNSServers []string `json:"dnsServers,omitempty"`

	// searchDomains are the domains in which the guest looks for names without a dot, at most 8.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=253
	// +kubebuilder:validation:items:Pattern=`^[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9])?)*$`
	SearchDomains []string `json:"searchDomains,omitempty"`
}

// Route is a route of the guest.
//
// +kubebuilder:validation:XValidation:rule=`isCIDR(self.to) && cidr(self.to).ip() == cidr(self.to).masked().ip()`,fieldPath=`.to`,message="to is a subnet with its prefix length, for example 10.20.0.0/16"
// +kubebuilder:validation:XValidation:rule=`!isCIDR(self.to) || cidr(self.to).prefixLength() > 0`,fieldPath=`.to`,message="this is the default route: set gateway or ipv6Gateway"
// +kubebuilder:validation:XValidation:rule=`isIP(self.via)`,fieldPath=`.via`,message="via is the router's IP address, for example 192.168.100.254"
// +kubebuilder:validation:XValidation:rule=`self.to.contains(':') == self.via.contains(':')`,fieldPath=`.via`,message="to and via are of different families: give a router of the family of to"
type Route struct {
	// to is the subnet that the route leads to, with its prefix length.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=49
	To string `json:"to"`

	// via is the router by which the subnet is reached: inside a subnet of the guest's addresses, or an IPv6 link-local
	// address, unless onLink is set or the addresses come from DHCP or routers.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=45
	Via string `json:"via"`

	// metric is the cost of the route: of two routes to one subnet the guest takes that with the lower. Default: the guest's
	// own.
	//
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=32767
	Metric int32 `json:"metric,omitempty"`
}

// IPMode says where the guest's IPv4 address comes from.
//
// +kubebuilder:validation:Enum=static;dhcp
type IPMode string

// The modes of ipConfig.
const (
	Static IPMode = "static"
	DHCP   IPMode = "dhcp"
)

// IPv6Mode says where the guest's IPv6 address comes from.
//
// +kubebuilder:validation:Enum=static;dhcp;auto
type IPv6Mode string

// The modes of ipConfig for IPv6.
const (
	IPv6Static IPv6Mode = "static"
	IPv6DHCP   IPv6Mode = "dhcp"
	IPv6Auto   IPv6Mode = "auto"
)

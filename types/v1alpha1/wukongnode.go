package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// NodeKind is the kind of WukongNode, NodeResource its plural.
const (
	NodeKind     = "WukongNode"
	NodeResource = "wukongnodes"
)

// WukongNode is what matters to bridges of the network of one node: which NICs the node has, which of them carry the node, which
// are free, and which bridges there are. A WukongNode has the name and the labels of its Node. Metacontroller writes it for the
// hook, from the Node and from NMState's NodeNetworkState, and undoes what anybody else changes in it.
//
// A WukongNode changes only when one of these facts does. So it has no counters, no interfaces of single machines or pods, and no
// time but that of the report in which the facts were first seen.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:scope=Cluster,shortName=wkd,categories=novasphere
// +kubebuilder:printcolumn:name=Ready,type=boolean,JSONPath=`.network.ready`
// +kubebuilder:printcolumn:name=Carrier,type=string,JSONPath=`.network.summary.carrier`
// +kubebuilder:printcolumn:name=Free,type=string,JSONPath=`.network.summary.freeNICs`
// +kubebuilder:printcolumn:name=Bridges,type=string,JSONPath=`.network.summary.bridges`
// +kubebuilder:printcolumn:name=Age,type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name=Addresses,type=string,priority=1,JSONPath=`.network.summary.addresses`
// +kubebuilder:printcolumn:name=Gateway,type=string,priority=1,JSONPath=`.network.summary.gateway`
// +kubebuilder:printcolumn:name=Message,type=string,priority=1,JSONPath=`.network.message`
type WukongNode struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// network is what was last seen of the node's network. It is no status: Metacontroller would not write that.
	//
	// +required
	Network NodeNetwork `json:"network"`
}

// NodeNetwork is what matters to bridges of the network of one node. The schema has no limits for what a node reports: whatever is
// seen there can be written down.
type NodeNetwork struct {
	// ready is whether the node is ready: the condition Ready of the Node.
	//
	// +required
	Ready bool `json:"ready"`

	// reported is whether NMState reports the node's network. When false, message says why, and nothing else is known of it.
	// Policies that select the node are then not created.
	//
	// +required
	Reported bool `json:"reported"`

	// message says in one line why the network is not reported; empty where it is.
	//
	// +optional
	Message string `json:"message,omitempty"`

	// reportedAt is when NMState made the report in which these facts were first seen, as RFC 3339, for example
	// 2026-01-31T12:00:00Z. Later reports that say the same do not change it.
	//
	// +optional
	ReportedAt string `json:"reportedAt,omitempty"`

	// nodeCreatedAt is when the Node came into being, as RFC 3339. What NMState has reported before that is of an earlier node of the
	// same name.
	//
	// +optional
	NodeCreatedAt string `json:"nodeCreatedAt,omitempty"`

	// summary is for display and derived from the other fields. Programs read the other fields.
	//
	// +optional
	Summary NodeSummary `json:"summary,omitempty,omitzero"`

	// interfaces are the interfaces of the node that stay: NICs, bonds, VLAN interfaces, bridges, and whatever else is no port of
	// a machine or pod.
	//
	// +optional
	// +listType=atomic
	Interfaces []NodeInterface `json:"interfaces,omitempty"`

	// vlanBridges are the bridges of the kind that a network with vlanId makes, which a node may have hundreds of. They and their VLAN
	// interfaces are not among interfaces.
	//
	// +optional
	// +listType=atomic
	VLANBridges []NodeVLANBridges `json:"vlanBridges,omitempty"`

	// defaultRoutes are the node's routes to everywhere, of IPv4 and IPv6.
	//
	// +optional
	// +listType=atomic
	DefaultRoutes []NodeRoute `json:"defaultRoutes,omitempty"`

	// routeRules are the routing rules of the node beside those that the kernel has by itself, without the addresses that they are for.
	//
	// +optional
	// +listType=atomic
	RouteRules []NodeRouteRule `json:"routeRules,omitempty"`
}

// NodeSummary is the node's network in the columns of kubectl. Several names are separated by commas.
type NodeSummary struct {
	// carrier is the interface that the node's default route leaves by.
	//
	// +optional
	Carrier string `json:"carrier,omitempty"`

	// freeNICs are the NICs and bonds that carry no address and no route, and belong to no bridge or bond: a bridge may take them.
	//
	// +optional
	FreeNICs string `json:"freeNICs,omitempty"`

	// bridges are the Linux and Open vSwitch bridges: the first five, and how many more there are.
	//
	// +optional
	Bridges string `json:"bridges,omitempty"`

	// addresses are the addresses of the carrier.
	//
	// +optional
	Addresses string `json:"addresses,omitempty"`

	// gateway is the router of the default route.
	//
	// +optional
	Gateway string `json:"gateway,omitempty"`
}

// NodeInterface is one interface of a node.
type NodeInterface struct {
	// interface is the interface's name on the node. It is not called name, because Metacontroller merges lists by that, and an Open
	// vSwitch bridge and its internal port have one name.
	//
	// +required
	Name string `json:"interface"`

	// type is NMState's word for what the interface is, such as ethernet, bond, vlan, linux-bridge, ovs-bridge or ovs-interface.
	//
	// +optional
	Type string `json:"type,omitempty"`

	// mtu is the largest packet of the interface in bytes; absent where it is not reported.
	//
	// +optional
	MTU int64 `json:"mtu,omitempty"`

	// macAddress is the interface's hardware address; only of NICs, bonds, and what carries an address or a route.
	//
	// +optional
	MACAddress string `json:"macAddress,omitempty"`

	// altNames are further names that the interface has. A network may name its NIC by one.
	//
	// +optional
	// +listType=atomic
	AltNames []string `json:"altNames,omitempty"`

	// base is the interface that this one stands on; of VXLANs, macvlans, ipvlans, tunnels and the like. For a VLAN interface see vlan.
	//
	// +optional
	Base string `json:"base,omitempty"`

	// mode is how a macvlan or ipvlan passes frames on, such as bridge, passthru, l2 or l3.
	//
	// +optional
	Mode string `json:"mode,omitempty"`

	// controller is what the interface is a port of: a bridge, a bond, or an HSR or PRP interface.
	//
	// +optional
	Controller string `json:"controller,omitempty"`

	// ipv4 is about the interface's IPv4 addresses; absent where it has none and asks for none.
	//
	// +optional
	IPv4 *NodeAddresses `json:"ipv4,omitempty"`

	// ipv6 is about the interface's IPv6 addresses, without the link-local one that every interface has.
	//
	// +optional
	IPv6 *NodeAddresses `json:"ipv6,omitempty"`

	// route is the destination of the first route that leaves by the interface; absent where there is none.
	//
	// +optional
	Route string `json:"route,omitempty"`

	// staticRoute is the destination of a route that leaves by the interface and was set by a profile or by hand; the first by name, and
	// only of an interface with a default route and an address by DHCP.
	//
	// +optional
	StaticRoute string `json:"staticRoute,omitempty"`

	// foreignRoute is the destination of a route that leaves by the interface and was set by a daemon, as far as NMState shows that; the
	// first by name, and only of an interface with a default route and no address by DHCP.
	//
	// +optional
	ForeignRoute string `json:"foreignRoute,omitempty"`

	// unmanaged is whether NetworkManager leaves the interface to another program; only of NICs, and of what carries an address or a route.
	//
	// +optional
	Unmanaged bool `json:"unmanaged,omitempty"`

	// guarded is whether the interface is a virtual function (SR-IOV) through which its NIC lets no frames pass that have another hardware
	// address than its own (trust off, or spoof-check on).
	//
	// +optional
	Guarded bool `json:"guarded,omitempty"`

	// vlan is what a VLAN interface is on.
	//
	// +optional
	VLAN *NodeVLAN `json:"vlan,omitempty"`

	// bridge is what a bridge consists of.
	//
	// +optional
	Bridge *NodeBridge `json:"bridge,omitempty"`
}

// NodeAddresses are an interface's addresses of one family.
type NodeAddresses struct {
	// addresses are the first eight addresses, with their prefix lengths, for example 192.168.100.10/24.
	//
	// +optional
	// +listType=atomic
	Addresses []string `json:"addresses,omitempty"`

	// dhcp is whether the interface asks for an address by DHCP.
	//
	// +optional
	DHCP bool `json:"dhcp,omitempty"`

	// autoconf is whether the interface takes an address from router advertisements.
	//
	// +optional
	Autoconf bool `json:"autoconf,omitempty"`

	// given is whether the interface has addresses from router advertisements. They are not listed, because they change by
	// themselves.
	//
	// +optional
	Given bool `json:"given,omitempty"`

	// settings are in NMState's words how the interface asks for IPv4 addresses by DHCP, where that is not NetworkManager's default, for
	// example "auto-dns: false".
	//
	// +optional
	// +listType=atomic
	Settings []string `json:"settings,omitempty"`
}

// NodeVLAN is what a VLAN interface is on.
type NodeVLAN struct {
	// base is the interface that the VLAN interface is on.
	//
	// +required
	Base string `json:"base"`

	// id is the number of the VLAN.
	//
	// +required
	ID int64 `json:"id"`

	// keepsTag is whether the VLAN interface leaves the tag in what it receives (reorder-headers false).
	//
	// +optional
	KeepsTag bool `json:"keepsTag,omitempty"`

	// provider is whether the tags are those of IEEE 802.1ad (service tags), and not of 802.1Q.
	//
	// +optional
	Provider bool `json:"provider,omitempty"`
}

// NodeBridge is what a bridge consists of.
type NodeBridge struct {
	// ports are the bridge's ports that stay. The ports of machines and pods are not listed.
	//
	// +optional
	// +listType=atomic
	Ports []NodePort `json:"ports,omitempty"`

	// occupied is whether a machine or pod is plugged into the bridge.
	//
	// +optional
	Occupied bool `json:"occupied,omitempty"`

	// stp is whether the bridge takes part in the spanning tree protocol.
	//
	// +optional
	STP bool `json:"stp,omitempty"`
}

// NodeVLANBridges are Linux bridges on VLANs of one NIC. The one port of each that stays is the VLAN interface {base}.{id}, which filters
// nothing, and neither has an address or a route.
type NodeVLANBridges struct {
	// base is the NIC or bond that the VLAN interfaces are on.
	//
	// +required
	Base string `json:"base"`

	// mtu is the largest packet of the bridges and of their VLAN interfaces, in bytes; absent where it is not reported.
	//
	// +optional
	MTU int64 `json:"mtu,omitempty"`

	// bridges are the numbers of the VLANs by the names of the bridges, for example br-office: 100.
	//
	// +required
	Bridges map[string]int64 `json:"bridges"`

	// occupied are those of the bridges that a machine or pod is plugged into.
	//
	// +optional
	// +listType=atomic
	Occupied []string `json:"occupied,omitempty"`
}

// NodePort is a port of a bridge.
type NodePort struct {
	// interface is the interface that is the port.
	//
	// +required
	Name string `json:"interface"`

	// filtersVLANs is whether the port lets only some VLANs pass.
	//
	// +optional
	FiltersVLANs bool `json:"filtersVLANs,omitempty"`

	// bond is whether the port is a bond of Open vSwitch.
	//
	// +optional
	Bond bool `json:"bond,omitempty"`
}

// NodeRoute is a route of a node to everywhere.
type NodeRoute struct {
	// destination is 0.0.0.0/0 or ::/0.
	//
	// +required
	Destination string `json:"destination"`

	// interface is the interface that the route leaves by.
	//
	// +required
	Interface string `json:"interface"`

	// gateway is the router that the route leads to; absent where it leads to the interface's own link.
	//
	// +optional
	Gateway string `json:"gateway,omitempty"`
}

// NodeRouteRule is what routing rules of a node have in common.
type NodeRouteRule struct {
	// table is the number of the table that the rules send packets to.
	//
	// +required
	Table int64 `json:"table"`

	// incoming is the interface that the packets come in by; absent where the rules do not ask.
	//
	// +optional
	Incoming string `json:"incoming,omitempty"`

	// leaves are the interfaces that the routes in the table leave by; absent for table 254, where the other routes are.
	//
	// +optional
	// +listType=atomic
	Leaves []string `json:"leaves,omitempty"`
}

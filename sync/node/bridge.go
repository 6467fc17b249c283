// Package node looks at one node of the cluster, as its NodeNetworkState reports it: whether a bridge may be built there,
// what would be cut off, who is on a bridge, and what has become of one. It knows bridges and interfaces, and nothing of
// Wukongs, networks or policies.
package node

// The kinds of bridges, as NMState calls the types of interfaces.
const (
	LinuxBridge = "linux-bridge"
	OVSBridge   = "ovs-bridge"
)

// Bridge is a bridge on the nodes: as a network wants it, as a policy says it, or as a child was once made. A field that a
// source does not tell is empty. The zero Bridge is none.
type Bridge struct {
	Kind   string // LinuxBridge or OVSBridge
	Name   string
	Uplink string // the interface by which it reaches the wire: the NIC, or the VLAN interface on it
	NIC    string
	VLAN   int64 // 0 where the uplink is the NIC
	MTU    int64 // in bytes, as asked for; 0 leaves it to the node

	// Preserves is whether the node's address moves from the NIC to the bridge.
	Preserves bool
}

// Meets reports whether two bridges are one by name, or have the same uplink: then they have to be the same, or one of
// them has to go.
func (b Bridge) Meets(other Bridge) bool {
	return b.Name == other.Name || b.Uplink == other.Uplink
}

// Feeds reports whether another bridge is this one, fed the same: two networks that ask for it so share it.
func (b Bridge) Feeds(other Bridge) bool {
	return !b.Reformed(other) && b.mtuOnNodes() == other.mtuOnNodes()
}

// Takes reports whether a bridge takes the uplink that another bridge has.
func (b Bridge) Takes(other Bridge) bool {
	return b.Name != other.Name && b.Uplink == other.Uplink
}

// Reformed reports whether another bridge has another form, which no bridge can change to while it exists. The MTU is no
// part of the form.
func (b Bridge) Reformed(other Bridge) bool {
	return b.Kind != other.Kind || b.Name != other.Name || b.Uplink != other.Uplink || b.Preserves != other.Preserves
}

// Owns reports whether an interface is the bridge itself or its uplink.
func (b Bridge) Owns(name string) bool {
	return name == b.Name || name == b.Uplink
}

// Tagged reports whether the uplink is a VLAN interface, so that the NIC stays as it is.
func (b Bridge) Tagged() bool {
	return b.Uplink != b.NIC
}

// mtuOnNodes is the MTU that is set on the nodes, or 0: an Open vSwitch bridge has none, and leaves that of its NIC alone.
func (b Bridge) mtuOnNodes() int64 {
	if b.Kind == OVSBridge && !b.Tagged() {
		return 0
	}
	return b.MTU
}

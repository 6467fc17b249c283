// Package node reads what one node of the cluster reports of its network, in a NodeNetworkState: whether a bridge may
// be built there, what that would cut off, who uses a bridge, and what a bridge has lost. It knows bridges and
// interfaces, and nothing of Wukongs, networks or policies.
package node

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// NameLimit is the longest name of an interface in the kernel, and of a bridge in Open vSwitch: IFNAMSIZ without the
// terminating zero.
const NameLimit = 15

// The kinds of bridges. These are types of interfaces in NMState.
const (
	LinuxBridge = "linux-bridge"
	OVSBridge   = "ovs-bridge"
)

// Bridge is a bridge on the nodes: one that a network wants, that a policy describes, or that a child was made for. A
// field that the source does not tell is empty. The zero Bridge means that there is none.
type Bridge struct {
	Kind   string // LinuxBridge or OVSBridge
	Name   string
	Uplink string // the port that leads to the wire: the NIC, or the VLAN interface on the NIC
	NIC    string
	VLAN   int64 // 0 where the uplink is the NIC
	MTU    int64 // in bytes, as asked for; 0 means that the node decides

	// Preserves is whether the node's address moves from the NIC to the bridge.
	Preserves bool
}

// Meets reports whether two bridges have the same name or the same uplink. Then they have to be the same bridge, or one
// of them has to go.
func (b Bridge) Meets(other Bridge) bool {
	return b.Name == other.Name || b.Uplink == other.Uplink
}

// Feeds reports whether two bridges are the same bridge with the same uplink and MTU. Networks that ask for the two
// share the bridge.
func (b Bridge) Feeds(other Bridge) bool {
	return !b.Reformed(other) && b.mtuOnNodes() == other.mtuOnNodes()
}

// Takes reports whether two bridges of different names have the same uplink: building one takes the uplink from the
// other.
func (b Bridge) Takes(other Bridge) bool {
	return b.Name != other.Name && b.Uplink == other.Uplink
}

// Reformed reports whether two bridges differ in something that cannot change while a bridge exists. The MTU can
// change.
func (b Bridge) Reformed(other Bridge) bool {
	return b.Kind != other.Kind || b.Name != other.Name || b.Uplink != other.Uplink || b.Preserves != other.Preserves
}

// Owns reports whether a name is that of the bridge itself or of its uplink.
func (b Bridge) Owns(name string) bool {
	return name == b.Name || name == b.Uplink
}

// Tagged reports whether the uplink is a VLAN interface. Then the NIC stays as it is.
func (b Bridge) Tagged() bool {
	return b.Uplink != b.NIC
}

// mtuOnNodes is the MTU that a policy sets on the nodes; 0 where it sets none. An Open vSwitch bridge has none of its
// own, and leaves the NIC's alone.
func (b Bridge) mtuOnNodes() int64 {
	if b.Kind == OVSBridge && !b.Tagged() {
		return 0
	}
	return b.MTU
}

// On is the bridge with another uplink: a NIC, or with vlan another than 0 the VLAN interface on that NIC.
func (b Bridge) On(nic string, vlan int64) Bridge {
	b.NIC, b.VLAN, b.Uplink = nic, vlan, nic
	if vlan != 0 {
		b.Uplink = vlanInterface(nic, vlan)
	}
	return b
}

// vlanInterface is the name of the VLAN interface on a NIC: {nic}.{vlan}, the usual form. Where that form is longer
// than the kernel allows (enp94s0f0np0.2507), the name is vl{vlan}-{hash of the NIC's name}, which always fits.
func vlanInterface(nic string, vlan int64) string {
	name := fmt.Sprintf("%s.%d", nic, vlan)
	if len(name) <= NameLimit {
		return name
	}
	sum := sha256.Sum256([]byte(nic))
	return fmt.Sprintf("vl%d-%s", vlan, hex.EncodeToString(sum[:4]))
}

package node

import (
	"fmt"
	"slices"
	"strings"
)

// objection is why a bridge may not be built on the node. The ways out of it are worked out only where somebody reads it.
type objection struct {
	what string
	ways []way
}

// way is a way out of an objection: what the user can do, and the bridges that could be asked for then, of which the look must let one
// pass. A way that is past the look, because something on the node changes, is always open.
type way struct {
	words string
	past  bool
	to    []Bridge
}

// leaveOut is the way out that there always is.
const leaveOut = "skip the node by highAvailability.nodeSelector"

// plugIn is the way out where the network is that of a bridge which somebody else has made.
var plugIn = past("use it by nadName")

func past(words string) way {
	return way{words: words, past: true}
}

// object is an objection.
func (s *State) object(ways []way, format string, args ...any) *objection {
	return &objection{what: fmt.Sprintf("node %s", s.Node) + fmt.Sprintf(format, args...), ways: ways}
}

// says is an objection in words, with those of its ways out that the look would let pass. own is as for Objection.
func (s *State) says(o *objection, own map[string]bool) string {
	if o == nil {
		return ""
	}
	var open []string
	for _, w := range o.ways {
		if w.past || slices.ContainsFunc(w.to, func(b Bridge) bool { return s.passes(b, own) }) {
			open = append(open, w.words)
		}
	}
	open = append(open, leaveOut)
	if last := len(open) - 1; last > 1 {
		open = []string{strings.Join(open[:last], ", "), open[last]}
	}
	return o.what + ": " + strings.Join(open, ", or ")
}

// passes reports whether nothing speaks against a bridge on the node.
func (s *State) passes(b Bridge, own map[string]bool) bool {
	if s.objectionTo(b, own) != nil {
		return false
	}
	return !b.Preserves || s.hostObjection(b) == nil
}

// untried is the name of a bridge, and of a VLAN interface, that no node has.
const untried = "(another)"

// byVLAN is the way out to tag the network, in a VLAN that the node does not know.
func (s *State) byVLAN(b Bridge) way {
	words := "set vlanId"
	if b.VLAN != 0 {
		words = "choose another vlanId"
	}
	taken := map[int64]bool{b.VLAN: true}
	for _, at := range s.vlans {
		if i := &s.interfaces[at]; i.baseIface == b.NIC {
			taken[i.vlan] = true
		}
	}
	for b.VLAN = 4094; taken[b.VLAN]; b.VLAN-- {
	}
	if b.VLAN < 1 {
		return way{words: words}
	}
	b.Uplink, b.Preserves = untried, false
	return way{words: words, to: []Bridge{b}}
}

// byNIC is the way out to take another NIC of the node.
func (s *State) byNIC(b Bridge) way {
	w := way{words: "choose another physicalInterface"}
	for at := range s.interfaces {
		if i := &s.interfaces[at]; i.stays() && i.isNIC() && i.name != b.NIC {
			w.to = append(w.to, onNIC(b, i.name))
		}
	}
	return w
}

// onNIC is the bridge on another NIC, which leaves the node's address where it is.
func onNIC(b Bridge, nic string) Bridge {
	b.NIC, b.Uplink, b.Preserves = nic, nic, false
	if b.VLAN != 0 {
		b.Uplink = untried
	}
	return b
}

// byName is the way out to call the bridge otherwise.
func byName(b Bridge) way {
	b.Name = untried
	return way{words: "choose another bridgeName", to: []Bridge{b}}
}

// byMoving is the way out to move the node's address to the bridge.
func byMoving(b Bridge) way {
	w := way{words: "set preserveHostIP"}
	if b.Kind == LinuxBridge && b.VLAN == 0 {
		b.Preserves = true
		w.to = []Bridge{b}
	}
	return w
}

// byBridge is the way out to share the bridge that the uplink belongs to.
func byBridge(b Bridge, name string) way {
	b.Name = name
	return way{words: "name that bridge as bridgeName", to: []Bridge{b}}
}

// untagged is the way out to take an interface as the NIC, without a tag of the bridge's own.
func untagged(b Bridge, name, words string) way {
	b.VLAN = 0
	return way{words: words, to: []Bridge{onNIC(b, name)}}
}

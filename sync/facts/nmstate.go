package facts

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"novasphere.dev/wukong/sync/lenient"
	"novasphere.dev/wukong/sync/node"
)

// Policy is a NodeNetworkConfigurationPolicy, anybody's.
type Policy struct {
	Object
	Conditions Conditions

	// Says is the bridge that the policy makes of its desired state. It is the zero Bridge where the policy says nothing of
	// one. NMState does what a policy says, whatever its labels are.
	Says node.Bridge

	// Absent is whether the policy removes the bridge. NIC and uplink are then those of the labels.
	Absent bool

	// MovesDHCP is whether the bridge asks for its own address by DHCP.
	MovesDHCP bool

	// Interfaces is the text of its desired interfaces.
	Interfaces jsontext.Value

	// NodeSelector says which nodes it reaches; empty for all.
	NodeSelector map[string]string
}

// Busy reports whether NMState's admission would refuse a change of the policy's spec: it does so from the policy's creation
// until the policy has succeeded, failed or been ignored once, and again whenever it is being applied.
func (p *Policy) Busy() bool {
	reason := p.Conditions.Of("Available").Reason
	return reason == "" || reason == "ConfigurationProgressing"
}

// Marked reports whether the policy is marked as leaving the nodes.
func (p *Policy) Marked() bool {
	return p.RemovingSince != ""
}

// desired is one interface of a policy's desired state.
type desired struct {
	name, kind, state, baseIface, port string
	mtu, vlan                          int64
	dhcp                               bool
}

func (p *Policy) readFrom(r *lenient.Reader) {
	var interfaces []desired
	var captures bool
	r.Object(func(member []byte) {
		switch string(member) {
		case "spec":
			r.Object(func(member []byte) {
				switch string(member) {
				case "capture":
					captures = r.Present()
				case "nodeSelector":
					p.NodeSelector = r.Map()
				case "desiredState":
					p.readDesired(r)
				}
			})
		case "status":
			r.Object(func(member []byte) {
				if string(member) == "conditions" {
					p.Conditions = readConditions(r)
				}
			})
		default:
			p.read(r, member)
		}
	})
	if p.Interfaces != nil {
		// The text was read before, so it can be read again.
		_ = r.Within(p.Interfaces, func(r *lenient.Reader) {
			r.Objects(func() { interfaces = append(interfaces, readInterface(r)) })
		})
	}
	p.says(interfaces)
	p.Says.Preserves = captures
}

func (p *Policy) readDesired(r *lenient.Reader) {
	r.Object(func(member []byte) {
		if string(member) == "interfaces" {
			p.Interfaces = r.Raw()
		}
	})
}

func readInterface(r *lenient.Reader) desired {
	var d desired
	r.Object(func(member []byte) {
		switch string(member) {
		case "name":
			d.name = r.Text()
		case "type":
			d.kind = r.Text()
		case "state":
			d.state = r.Text()
		case "mtu":
			d.mtu = r.Int()
		case "vlan":
			r.Object(func(member []byte) {
				switch string(member) {
				case "base-iface":
					d.baseIface = r.Text()
				case "id":
					d.vlan = r.Int()
				}
			})
		case "bridge":
			r.Object(func(member []byte) {
				if string(member) == "port" {
					r.Objects(func() { d.readPort(r) })
				}
			})
		case "ipv4":
			r.Object(func(member []byte) {
				if string(member) == "dhcp" {
					d.dhcp = r.Bool()
				}
			})
		}
	})
	return d
}

// readPort keeps the last port of a bridge: those of Wukongs have one.
func (d *desired) readPort(r *lenient.Reader) {
	d.port = ""
	r.Object(func(member []byte) {
		if string(member) == "name" {
			d.port = r.Text()
		}
	})
}

// says makes of the desired interfaces the bridge that the policy speaks of. Of several the one that the labels name counts:
// the other is then one that the policy gives back what it has taken.
func (p *Policy) says(interfaces []desired) {
	b := &p.Says
	for _, i := range interfaces {
		p.MovesDHCP = p.MovesDHCP || i.dhcp
		if i.kind != node.LinuxBridge && i.kind != node.OVSBridge || b.Name != "" && b.Name == p.Labels[LabelBridge] {
			continue
		}
		b.Name, b.Kind, b.MTU, b.Uplink = i.name, i.kind, i.mtu, i.port
		p.Absent = i.state == "absent"
	}
	b.NIC = b.Uplink
	for _, i := range interfaces {
		if i.kind == "vlan" && i.name == b.Uplink {
			b.NIC, b.VLAN, b.MTU = i.baseIface, i.vlan, i.mtu // an ovs-bridge has no MTU of its own
		}
	}
	if p.Absent {
		b.Uplink, b.NIC = p.Labels[LabelUplink], p.Labels[LabelNIC]
	}
}

// Enactment is a NodeNetworkConfigurationEnactment: what became of one policy on one node.
type Enactment struct {
	Object
	Policy     string
	Node       string
	Generation int64 // the generation of the policy that it is about
	Conditions Conditions
}

// Applied reports whether the node has applied the policy in its present form.
func (e *Enactment) Applied(p *Policy) bool {
	return e.Conditions.Of("Available").True() && e.Generation == p.Generation
}

func (e *Enactment) readFrom(r *lenient.Reader) {
	r.Object(func(member []byte) {
		if string(member) != "status" {
			e.read(r, member)
			return
		}
		r.Object(func(member []byte) {
			switch string(member) {
			case "policyGeneration":
				e.Generation = r.Int()
			case "conditions":
				e.Conditions = readConditions(r)
			}
		})
	})
	e.Policy, e.Node = e.Labels["nmstate.io/policy"], e.Labels["nmstate.io/node"]
	if e.Node == "" {
		e.Node, _, _ = strings.Cut(e.Name, ".")
	}
}

// Node is a Node of the cluster.
type Node struct {
	Object
}

func (n *Node) readFrom(r *lenient.Reader) {
	r.Object(func(member []byte) { n.read(r, member) })
}

// Selected reports whether the node has all labels of a selector.
func (n *Node) Selected(selector map[string]string) bool {
	for key, want := range selector {
		if have, ok := n.Labels[key]; !ok || have != want {
			return false
		}
	}
	return true
}

package facts

import (
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"k8s.io/apimachinery/pkg/types"

	"novasphere.dev/wukong/sync/lenient"
	"novasphere.dev/wukong/sync/node"
)

// Policy is a NodeNetworkConfigurationPolicy, of any owner.
type Policy struct {
	Object
	Conditions Conditions

	// Says is the bridge that the desired state describes; the zero Bridge where there is none. NMState follows the
	// desired state, whatever the labels are. An MTU that was only filled in does not count: see DefaultMTU.
	Says node.Bridge

	// Absent is whether the policy removes that bridge. Then the NIC in Says is that of the labels, and the uplink too where the
	// desired state has none.
	Absent bool

	// MovesDHCP is whether the bridge gets an address of its own by DHCP.
	MovesDHCP bool

	// STP is whether the policy lets a bridge take part in the spanning tree protocol. No policy of the hook does, unless somebody has
	// edited it.
	STP bool

	// Interfaces is the text of the desired interfaces.
	Interfaces jsontext.Value

	// NodeSelector selects the nodes that the policy is for; empty selects all.
	NodeSelector map[string]string
}

// Busy reports whether NMState's admission would refuse a change of the policy's spec. It does so from the policy's
// creation until the policy has succeeded, failed or been ignored for the first time, and whenever the policy is being
// applied later.
func (p *Policy) Busy() bool {
	reason := p.Conditions.Of("Available").Reason
	return reason == "" || reason == "ConfigurationProgressing"
}

// Marked reports whether the policy has AnnotationRemoving: its bridge is to be removed from the nodes.
func (p *Policy) Marked() bool {
	return p.RemovingSince != ""
}

// desired is one interface in a policy's desired state.
type desired struct {
	name, kind, state, baseIface, port string
	mtu, vlan                          int64
	dhcp, stp                          bool
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
	if p.Says.MTU == p.DefaultMTU {
		p.Says.MTU = 0 // what the nodes had, and nobody has asked for
	}
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
				switch string(member) {
				case "port":
					r.Objects(func() { d.readPort(r) })
				case "options":
					d.stp = node.ReadSTP(r)
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

// readPort keeps the last port of a bridge: a bridge of a Wukong has one.
func (d *desired) readPort(r *lenient.Reader) {
	d.port = ""
	r.Object(func(member []byte) {
		if string(member) == "name" {
			d.port = r.Text()
		}
	})
}

// says finds the bridge that the desired interfaces describe. Where there are several, one that is removed counts, because a
// policy that restores the bridge of another policy has a second one; else the one in the labels.
func (p *Policy) says(interfaces []desired) {
	b := &p.Says
	for _, i := range interfaces {
		p.MovesDHCP, p.STP = p.MovesDHCP || i.dhcp, p.STP || i.stp
		if i.kind != node.LinuxBridge && i.kind != node.OVSBridge || p.Absent || i.state != "absent" && b.Name != "" && b.Name == p.Labels[LabelBridge] {
			continue
		}
		b.Name, b.Kind, b.MTU, b.Uplink = i.name, i.kind, i.mtu, i.port
		p.Absent = i.state == "absent"
	}
	b.NIC = b.Uplink
	for _, i := range interfaces {
		if i.kind == "vlan" && i.name == b.Uplink {
			b.NIC, b.VLAN, b.MTU = i.baseIface, i.vlan, i.mtu // the VLAN interface has the MTU where the bridge is an ovs-bridge
		}
	}
	if p.Absent {
		b.Uplink, b.NIC = p.Labels[LabelUplink], p.Labels[LabelNIC]
		p.saysReleased(interfaces)
	}
}

// saysReleased finds the uplink of a bridge that is removed. It is listed too, unless something else has it by now: a VLAN interface
// as removed, and a NIC as up, without a type.
func (p *Policy) saysReleased(interfaces []desired) {
	b := &p.Says
	for _, i := range interfaces {
		switch {
		case i.kind == "vlan" && i.state == "absent":
			if b.Uplink = i.name; b.NIC == i.name {
				b.NIC = ""
			}
			return
		case i.kind == "" && i.state == "up":
			b.Uplink, b.NIC = i.name, i.name
			return
		}
	}
}

// Enactment is a NodeNetworkConfigurationEnactment: the state of one policy on one node.
type Enactment struct {
	Object
	Policy     string
	Node       string
	Generation int64 // of the policy
	Conditions Conditions
}

// Applied reports whether the node has applied the present generation of the policy.
func (e *Enactment) Applied(p *Policy) bool {
	return e.Conditions.Of("Available").True() && e.Generation == p.Generation
}

// OfAnother reports whether an enactment is of another node than one of the name that it has now: Kubernetes takes a while to delete what
// belonged to the node before. Of two UIDs, the older object has the old one. A node that is newer than its enactment is another as well.
func (e *Enactment) OfAnother(uid types.UID, told, created time.Time) bool {
	switch {
	case e.NodeUID != "" && uid != "" && e.NodeUID != uid:
		return e.Created.IsZero() || told.IsZero() || e.Created.Before(told)
	case e.NodeUID != "" && e.NodeUID == uid:
		return false
	}
	return !e.Created.IsZero() && !created.IsZero() && e.Created.Before(created)
}

// Retried reports whether NMState has failed on the node and tries again. It does so five times, and calls each time but the
// last a failure that is in progress.
func (e *Enactment) Retried() bool {
	failing := e.Conditions.Of("Failing")
	return failing.True() && (failing.Reason == "Retrying" || e.Conditions.Of("Progressing").True())
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
	// Its name is node.policy. Both may have dots, so the labels say where to cut it; labels that do not fit were edited.
	e.Policy, e.Node = e.Labels["nmstate.io/policy"], e.Labels["nmstate.io/node"]
	if e.Name != e.Node+"."+e.Policy {
		e.readName()
	}
}

// readName reads node and policy from the name of an enactment, where one of its labels does not fit that.
func (e *Enactment) readName() {
	if node, fits := strings.CutSuffix(e.Name, "."+e.Policy); fits && e.Policy != "" {
		e.Node = node
	} else if policy, fits := strings.CutPrefix(e.Name, e.Node+"."); fits && e.Node != "" {
		e.Policy = policy
	} else if node, policy, ok := strings.Cut(e.Name, "."); ok {
		e.Node, e.Policy = node, policy
	}
}

// Node is a Node of the cluster.
type Node struct {
	Object

	// Ready is whether the kubelet says that the node is ready.
	Ready bool
}

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (n *Node) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	r := lenient.New(d)
	n.readFrom(r)
	return r.Err()
}

func (n *Node) readFrom(r *lenient.Reader) {
	r.Object(func(member []byte) {
		if string(member) != "status" {
			n.read(r, member)
			return
		}
		r.Object(func(member []byte) {
			if string(member) == "conditions" {
				n.Ready = readConditions(r).Of("Ready").True()
			}
		})
	})
}

package facts

import (
	"slices"

	"novasphere.dev/wukong/sync/lenient"
	"novasphere.dev/wukong/sync/node"
	"novasphere.dev/wukong/types/v1alpha1"
)

// WukongNode is what the hook told of a node before.
type WukongNode struct {
	Object

	// Network is what the WukongNode tells of the network of its node.
	Network v1alpha1.NodeNetwork

	// Readable is whether Network could be read whole.
	Readable bool
}

// Trusted reports whether a WukongNode is the one that Metacontroller has made for the Node of its name. Anybody who may write
// WukongNodes could make another one, and Metacontroller does not repair that.
func (n *WukongNode) Trusted() bool {
	return n.Owner.Controller && n.Owner.APIVersion == "v1" && n.Owner.Kind == "Node" && n.Owner.Name == n.Name && n.Decorated
}

// State is the network of the node; nil where the WukongNode tells nothing of it that counts.
func (n *WukongNode) State() *node.State {
	if !n.Trusted() || !n.Readable || !n.Network.Reported {
		return nil
	}
	return node.From(n.Name, n.Network)
}

func (n *WukongNode) readFrom(r *lenient.Reader) {
	r.Object(func(member []byte) {
		if string(member) != "network" {
			n.read(r, member)
			return
		}
		// The hook itself wrote it, so it is read strictly: what cannot be read whole is somebody else's.
		n.Readable = r.Strictly(r.Raw(), &n.Network) == nil && whole(&n.Network)
	})
}

// whole reports whether everything in a network has a name. What has none was written by a version of the hook that calls names
// otherwise: a bridge without a name is not found, and would pass for one that nobody uses.
func whole(n *v1alpha1.NodeNetwork) bool {
	nameless := func(i v1alpha1.NodeInterface) bool {
		port := func(p v1alpha1.NodePort) bool { return p.Name == "" }
		return i.Name == "" || i.VLAN != nil && i.VLAN.Base == "" || i.Bridge != nil && slices.ContainsFunc(i.Bridge.Ports, port)
	}
	group := func(b v1alpha1.NodeVLANBridges) bool { return b.Base == "" || len(b.Bridges) == 0 }
	route := func(r v1alpha1.NodeRoute) bool { return r.Destination == "" }
	return !slices.ContainsFunc(n.Interfaces, nameless) && !slices.ContainsFunc(n.VLANBridges, group) &&
		!slices.ContainsFunc(n.DefaultRoutes, route)
}

// WukongNetwork is a network of the nodes that Wukongs use by its name.
type WukongNetwork struct {
	Object
	Spec   v1alpha1.WukongNetworkSpec
	Status v1alpha1.WukongNetworkStatus

	// Readable is whether spec and status could be read whole.
	Readable bool
}

func (n *WukongNetwork) readFrom(r *lenient.Reader) {
	n.Readable = true
	strictly := func(v any) { n.Readable = r.Strictly(r.Raw(), v) == nil && n.Readable }
	r.Object(func(member []byte) {
		switch string(member) {
		case "spec":
			strictly(&n.Spec)
		case "status":
			strictly(&n.Status)
		default:
			n.read(r, member)
		}
	})
}

// NetworksOf are WukongNetworks that were not observed, but are given.
func NetworksOf(given []*v1alpha1.WukongNetwork) Set[WukongNetwork] {
	s := Set[WukongNetwork]{Sent: true, byKey: map[string]*WukongNetwork{}}
	for _, w := range given {
		s.Keys = append(s.Keys, w.Name)
		s.byKey[w.Name] = &WukongNetwork{Object: Object{Key: w.Name, Name: w.Name}, Spec: w.Spec, Status: w.Status, Readable: true}
	}
	slices.Sort(s.Keys)
	return s
}

package sync

import (
	"fmt"

	"novasphere.dev/wukong/sync/bridges"
	"novasphere.dev/wukong/sync/facts"
	"novasphere.dev/wukong/sync/hold"
	"novasphere.dev/wukong/sync/node"
	"novasphere.dev/wukong/sync/outcome"
	"novasphere.dev/wukong/types/v1alpha1"
)

// network is one network of the spec, with its defaults and names filled in, and the decisions about it.
type network struct {
	v1alpha1.Network

	index int    // in spec.networks
	mac   string // the guest's hardware address

	// bridge is the bridge on the nodes. For macvlan and ipvlan only its Kind and NIC are set.
	bridge node.Bridge

	policyName     string // "" where no policy is made
	attachmentName string // as namespace/name; "" for a pod network
	ownAttachment  bool   // the Wukong creates the attachment

	// superseded is the message that a policy or attachment with this network's names belongs to an earlier network, which
	// was removed and added again in another form: that object has to go first. Empty where there is none.
	superseded string

	// shared is the WukongNetwork that the network uses; nil where it uses none, or none that can be read exists.
	shared *facts.WukongNetwork

	policy     bridges.Outcome
	attachment outcome.Outcome

	// concern is what speaks against an attachment that exists, for the user to know though nothing waits for it; empty where nothing does.
	concern string
}

// defaulted is a copy of the Wukong with the schema's defaults. A request that did not come from the API server may
// lack them.
func defaulted(w *v1alpha1.Wukong) *v1alpha1.Wukong {
	w = w.DeepCopy()
	if w.Spec.Namespace == "" {
		w.Spec.Namespace = "default"
	}
	if w.Spec.CPU == 0 && w.Spec.Instancetype == nil {
		w.Spec.CPU = 1
	}
	if w.Spec.Memory == nil && w.Spec.Instancetype == nil {
		w.Spec.Memory = defaultMemory()
	}
	if len(w.Spec.Networks) == 0 {
		w.Spec.Networks = []v1alpha1.Network{{Name: "default"}}
	}
	for i := range w.Spec.Networks {
		if n := &w.Spec.Networks[i]; n.Type == "" && n.NetworkName == "" {
			n.Type = v1alpha1.Pod
		}
	}
	return w
}

// readNetworks are the networks of the spec, in the order of the spec.
func (v *view) readNetworks() []*network {
	var all []*network
	for i, spec := range v.w.Spec.Networks {
		n := &network{Network: spec, index: i, mac: v.hardwareAddress(spec, all)}
		switch {
		case spec.NetworkName != "":
			n.attachmentName, n.ownAttachment = facts.Qualified(v.w.Spec.Namespace, attachmentName(v.w, spec.Name)), true
			v.readSharedNetwork(n)
		case spec.Type == v1alpha1.Pod:
		case spec.NADName != "":
			n.attachmentName = facts.Qualified(facts.Unqualified(spec.NADName, v.w.Spec.Namespace))
		default:
			n.attachmentName, n.ownAttachment = facts.Qualified(v.w.Spec.Namespace, attachmentName(v.w, spec.Name)), true
			v.readBridge(n)
		}
		n.superseded = v.superseded(n)
		all = append(all, n)
	}
	return all
}

// readBridge fills in the policy and the bridge of a network.
// The table in docs/decisions.md has its rows.
func (v *view) readBridge(n *network) {
	switch n.Type {
	case v1alpha1.Bridge, v1alpha1.OVS:
		if v.nmstate {
			n.policyName = policyName(v.w, n.Name)
		}
		n.bridge = bridgeOf(n.Network, nicOf(n.Network, madeNIC(v.children.Policies.Get(n.policyName)), v.settings))
	case v1alpha1.Macvlan, v1alpha1.Ipvlan:
		made, _ := hold.MadeAttachment(v.children.Attachments.Get(n.attachmentName))
		n.bridge = node.Bridge{Kind: string(n.Type), NIC: nicOf(n.Network, made.NIC, v.settings)}
	default:
		n.bridge = node.Bridge{Kind: string(n.Type)}
	}
}

// bridgeOf is the bridge that a network of type bridge or ovs wants on a NIC.
func bridgeOf(n v1alpha1.Network, nic string) node.Bridge {
	b := node.Bridge{
		Kind: facts.BridgeKind(string(n.Type)), Name: bridgeName(n),
		MTU: int64(n.MTU), Preserves: n.PreserveHostIP != nil && *n.PreserveHostIP,
	}
	return b.On(nic, int64(n.VLANID))
}

// superseded is the message that names the object that an earlier network of the same name and another form has left
// under this network's names; empty where there is none.
// The table in docs/decisions.md has its rows.
func (v *view) superseded(n *network) string {
	const leaves = "%s %s of a removed network of this name is deleted first"
	name := policyName(v.w, n.Name)
	if p := v.children.Policies.Get(name); p != nil {
		switch {
		case p.Marked() && p.Absent:
			return fmt.Sprintf("policy %s is taking bridge %s off the nodes: that is finished first", name, p.Says.Name)
		case n.policyName == "" || madeOtherwise(p, n.bridge):
			return fmt.Sprintf(leaves, "policy", name)
		}
		// The policy decides alone. The labels of the attachment must not: its editor needs rights in one namespace only,
		// and must not bring down a network of the whole cluster.
		return ""
	}
	key := facts.Qualified(v.w.Spec.Namespace, attachmentName(v.w, n.Name))
	if a := v.children.Attachments.Get(key); a != nil {
		if made, certain := hold.MadeAttachment(a); !n.ownAttachment || certain && n.attachmentReformed(made) {
			return fmt.Sprintf(leaves, "attachment", key)
		}
	}
	return ""
}

// madeOtherwise reports whether a policy was made for a bridge in another form, for certain.
func madeOtherwise(p *facts.Policy, wanted node.Bridge) bool {
	made, certain := hold.MadePolicy(p)
	return certain && wanted.Reformed(made)
}

// madeNIC is the NIC that a policy was made with; empty where there is none.
func madeNIC(p *facts.Policy) string {
	made, _ := hold.MadePolicy(p)
	return made.NIC
}

// nicOf is the NIC of a network. An existing child keeps the NIC that it was made with when the default changes: a flag
// of the hook must never move the bridges of a whole cluster.
func nicOf(n v1alpha1.Network, existing string, settings Settings) string {
	switch {
	case n.PhysicalInterface != "":
		return n.PhysicalInterface
	case existing != "":
		return existing
	default:
		return settings.PhysicalInterface
	}
}

// silence is what KubeVirt makes of a network that it cannot carry; empty for every other. KubeVirt's bridge binding moves the interface's
// hardware address into the guest, and macvlan delivers only to the original one
// (https://kubevirt.io/user-guide/network/interfaces_and_networks/#invalid-cnis-for-secondary-networks). The kernel takes no ipvlan as a port
// of the binding's bridge, and CNI's plugin makes none without an address for the pod: no such machine starts.
func (n *network) silence() string {
	switch n.Type {
	case v1alpha1.Macvlan:
		return "carries no traffic over macvlan"
	case v1alpha1.Ipvlan:
		return "starts no machine with ipvlan"
	}
	return ""
}

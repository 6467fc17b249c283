package sync

import (
	"fmt"
	"strings"

	"novasphere.dev/wukong/types/v1alpha1"
)

// network is one network of the spec with its defaults filled in and its names spelled out.
type network struct {
	v1alpha1.Network

	index  int    // its place in spec.networks
	mac    string // the guest's hardware address
	bridge string // the bridge on the nodes; bridge and ovs
	nic    string // the NIC on the nodes; bridge, ovs, macvlan and ipvlan
	uplink string // the NIC, or the VLAN interface on it; bridge and ovs

	policy string // the name of the policy that builds the bridge, "" where none is made
	nad    string // the attachment as namespace/name, "" for a pod network
	ownNAD bool   // the attachment is ours to make

	// superseded says that what exists under this network's names was made for another one, removed and added again in
	// another form: that leaves first.
	superseded string
}

// defaulted is a copy of the Wukong with the schema's defaults, which a request that did not pass the API server lacks.
func defaulted(w *v1alpha1.Wukong) *v1alpha1.Wukong {
	w = w.DeepCopy()
	if w.Spec.Namespace == "" {
		w.Spec.Namespace = "default"
	}
	if w.Spec.CPU == 0 {
		w.Spec.CPU = 1
	}
	if w.Spec.Memory == nil {
		w.Spec.Memory = defaultMemory()
	}
	if len(w.Spec.Networks) == 0 {
		w.Spec.Networks = []v1alpha1.Network{{Name: "default"}}
	}
	for i := range w.Spec.Networks {
		if w.Spec.Networks[i].Type == "" {
			w.Spec.Networks[i].Type = v1alpha1.Pod
		}
	}
	return w
}

// networks are the networks of the spec, in its order.
func networks(w *v1alpha1.Wukong, settings Settings, obs *observed) []network {
	var all []network
	for i, spec := range w.Spec.Networks {
		n := network{Network: spec, index: i, mac: macAddress(w, spec)}
		switch {
		case spec.Type == v1alpha1.Pod:
		case spec.NADName != "":
			namespace, name, found := strings.Cut(spec.NADName, "/")
			if !found {
				namespace, name = w.Spec.Namespace, spec.NADName
			}
			n.nad = qualified(namespace, name)
		default:
			n.nad, n.ownNAD = qualified(w.Spec.Namespace, nadName(w, spec.Name)), true
		}
		if n.ownNAD {
			switch spec.Type {
			case v1alpha1.Bridge, v1alpha1.OVS:
				n.bridge = bridgeName(spec)
				if obs.nmstate {
					n.policy = policyName(w, spec.Name)
				}
				n.nic = nic(spec, madeAs(obs.policies[n.policy]).nic, settings)
				n.uplink = n.nic
				if spec.VLANID != 0 {
					n.uplink = vlanInterface(n.nic, spec.VLANID)
				}
			case v1alpha1.Macvlan, v1alpha1.Ipvlan:
				n.nic = nic(spec, madeAs(obs.nads[n.nad]).nic, settings)
			}
		}
		n.superseded = superseded(w, n, obs)
		all = append(all, n)
	}
	return all
}

// superseded says which of the objects under a network's names was made for another network, of the same name and another
// form: "" where none was.
func superseded(w *v1alpha1.Wukong, n network, obs *observed) string {
	policy, attachment := policyName(w, n.Name), qualified(w.Spec.Namespace, nadName(w, n.Name))
	const leaves = "%s %s is still that of a network of the same name that was removed: it goes first"
	if existing := obs.policies[policy]; existing != nil {
		switch was := madeAs(existing); {
		case was.removing:
			return fmt.Sprintf("policy %s is taking bridge %s off the nodes: that is finished first", policy, was.bridge)
		case n.policy == "" || was.kind != "" &&
			(was.kind != n.Type || was.bridge != n.bridge || was.uplink != n.uplink || was.preserves != n.preserves()):
			return fmt.Sprintf(leaves, "policy", policy)
		}
		// Whoever may edit an attachment in one namespace must not bring down a network of the cluster by its labels.
		return ""
	}
	if existing := obs.nads[attachment]; existing != nil {
		if was := madeAs(existing); !n.ownNAD || was.kind != "" && (was.kind != n.Type || was.bridge != n.bridge) {
			return fmt.Sprintf(leaves, "attachment", attachment)
		}
	}
	return ""
}

// nic is the NIC of a network. What exists keeps the NIC that it was made with when the default changes: a flag of the
// hook must never move the bridges of a whole cluster.
func nic(n v1alpha1.Network, existing string, settings Settings) string {
	switch {
	case n.PhysicalInterface != "":
		return n.PhysicalInterface
	case existing != "":
		return existing
	default:
		return settings.PhysicalInterface
	}
}

// mtuOnNodes is the MTU that the network's policy sets, or 0: an ovs-bridge has none, and leaves its NIC's alone.
func (n network) mtuOnNodes() int64 {
	if n.Type == v1alpha1.OVS && n.uplink == n.nic {
		return 0
	}
	return int64(n.MTU)
}

// preserves says that the network moves the node's address to its bridge.
func (n network) preserves() bool {
	return n.PreserveHostIP != nil && *n.PreserveHostIP
}

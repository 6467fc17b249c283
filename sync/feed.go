package sync

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/types/v1alpha1"
)

// feed is what a policy makes of a bridge.
type feed struct {
	bridge, kind string // the bridge and its interface type
	nic, uplink  string // the interface by which it reaches the wire, and the NIC under that
	mtu          int64
	preserves    bool // the policy moves the node's address to the bridge
	absent       bool // the policy removes the bridge
}

// policyFeed reads a policy's desired state, anybody's: what NMState does on the nodes. The zero feed where the policy
// says nothing of a bridge.
func policyFeed(policy *unstructured.Unstructured) feed {
	f := feed{preserves: value(policy, "spec", "capture") != nil}
	interfaces := items(policy, "spec", "desiredState", "interfaces")
	for _, i := range interfaces {
		if kind := text(i, "type"); kind == "linux-bridge" || kind == "ovs-bridge" {
			if ours := policy.GetLabels()[labelBridge]; f.bridge != "" && f.bridge == ours {
				continue // the other is one that it gives back what it has taken, see takenBack
			}
			f.bridge, f.kind, f.mtu, f.absent = text(i, "name"), kind, number(i, "mtu"), text(i, "state") == "absent"
			f.uplink = ""
			for _, port := range items(i, "bridge", "port") {
				f.uplink = text(port, "name")
			}
		}
	}
	f.nic = f.uplink
	for _, i := range interfaces {
		if text(i, "type") == "vlan" && text(i, "name") == f.uplink {
			f.nic, f.mtu = text(i, "vlan", "base-iface"), number(i, "mtu") // an ovs-bridge has none of its own
		}
	}
	if f.absent {
		f.uplink, f.nic = policy.GetLabels()[labelUplink], policy.GetLabels()[labelNIC]
	}
	return f
}

// made is what one of our children was once made as. It is read from labels and not from the spec: an edit of the spec
// by hand is put right, and must not pass for a network that was added again in another form. Only what preserveHostIP adds
// is read from the spec, where NMState lets nobody change it. The zero value where the labels are missing says nothing.
type made struct {
	kind                v1alpha1.NetworkType
	bridge, uplink, nic string
	preserves           bool // it moves the node's address to the bridge
	marked              bool // it is marked as leaving the nodes
	removing            bool // it is marked, and rewritten to take its bridge with it
}

func madeAs(existing *unstructured.Unstructured) made {
	if existing == nil {
		return made{}
	}
	l := existing.GetLabels()
	return made{
		kind: v1alpha1.NetworkType(l[labelType]), bridge: l[labelBridge], uplink: l[labelUplink], nic: l[labelNIC],
		preserves: policyFeed(existing).preserves,
		marked:    existing.GetAnnotations()[annotationRemoving] != "",
		removing:  existing.GetAnnotations()[annotationRemoving] != "" && policyFeed(existing).absent,
	}
}

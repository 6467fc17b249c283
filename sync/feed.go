package sync

import "k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

// feed is what a policy makes of a bridge.
type feed struct {
	bridge, kind string // the bridge and its interface type
	nic, uplink  string // the interface by which it reaches the wire, and the NIC under that
	absent       bool   // the policy removes the bridge
}

// policyFeed reads a policy's desired state: the truth about what is on the nodes, where labels and spec only say what
// should be. The zero feed where the policy says nothing of a bridge.
func policyFeed(policy *unstructured.Unstructured) feed {
	var f feed
	interfaces := items(policy, "spec", "desiredState", "interfaces")
	for _, i := range interfaces {
		if kind := text(i, "type"); kind == "linux-bridge" || kind == "ovs-bridge" {
			f.bridge, f.kind, f.absent = text(i, "name"), kind, text(i, "state") == "absent"
			for _, port := range items(i, "bridge", "port") {
				f.uplink = text(port, "name")
			}
		}
	}
	f.nic = f.uplink
	for _, i := range interfaces {
		if text(i, "type") == "vlan" && text(i, "name") == f.uplink {
			f.nic = text(i, "vlan", "base-iface")
		}
	}
	return f
}

// madeFeed is what the hook once made a policy of. It is read from the held policy, not from the observed one: an edit
// by hand is put right, and must not pass for a network that was added again in another form.
func madeFeed(existing *unstructured.Unstructured) feed {
	if existing == nil {
		return feed{}
	}
	return policyFeed(hold(existing))
}

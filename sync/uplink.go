package sync

import (
	"fmt"

	"novasphere.dev/wukong/sync/bridges"
	"novasphere.dev/wukong/sync/facts"
	"novasphere.dev/wukong/sync/node"
	"novasphere.dev/wukong/sync/outcome"
	"novasphere.dev/wukong/types/v1alpha1"
)

// decidePolicy decides about the policy of a network. Before one is created, there is more to see than policies and the ports of the nodes:
// macvlans and ipvlans in pods are in no report, and a NIC may have several names.
// The table in docs/decisions.md has its rows.
func (v *view) decidePolicy(n *network, w *bridges.Want) bridges.Outcome {
	if n.superseded == "" {
		w.Taken = v.uplinkRefusal(n)
	}
	return v.bridges.Decide(w)
}

// uplinkRefusal is the refusal to create the policy of a network because something without a policy has its uplink, or has it under another
// name; nil where nothing has. A policy that exists is never taken away for it: who may write attachments has rights in one namespace only.
func (v *view) uplinkRefusal(n *network) *outcome.Refusal {
	has := func(its node.Master) bool { return its.NIC == n.bridge.Uplink }
	if taken := v.standing(has, "add the network anew with another physicalInterface or vlanId"); taken != nil {
		return taken
	}
	return v.aliasRefusal(n)
}

// aliasRefusal is the refusal of a network that names the NIC of another network of the Wukong by another name, and that cannot share it;
// nil where no node says so. Of two that do not exist yet the second waits: both would be created at once, and no node could tell before.
func (v *view) aliasRefusal(n *network) *outcome.Refusal {
	if !v.settings.Preflight || n.bridge.NIC == "" {
		return nil
	}
	for _, other := range v.networks {
		if other.bridge.NIC == "" || other.bridge.NIC == n.bridge.NIC || !v.precedes(other, n) || !clashOn(other.bridge.NIC, n, other) {
			continue // networks that name the NIC alike are compared by validate
		}
		for _, r := range v.selected() {
			if r.State.SameNIC(n.bridge.NIC, other.bridge.NIC) {
				return &outcome.Refusal{Reason: v1alpha1.ReasonPreflightRefused, Stuck: true, Message: fmt.Sprintf(
					"node %s: %s and %s are one NIC, which network %s has: remove one of the two, or add it anew with another NIC", r.State.Node, n.bridge.NIC, other.bridge.NIC, other.Name)}
			}
		}
	}
	return nil
}

// precedes reports whether a network comes before one that does not exist yet: it exists, or is before that in the spec.
func (v *view) precedes(other, n *network) bool {
	exists := v.children.Attachments.Get(other.attachmentName) != nil || v.children.Policies.Get(other.policyName) != nil
	return other != n && (exists || other.index < n.index)
}

// clashOn reports whether two networks could not both be on one NIC.
func clashOn(nic string, n, other *network) bool {
	one, stands := n.master()
	its, stand := other.master()
	one.NIC, its.NIC = nic, nic
	switch {
	case stands && stand:
		return one.Fights(its)
	case stands:
		return bridgeOf(other.Network, nic).Uplink == nic
	case stand:
		return bridgeOf(n.Network, nic).Uplink == nic
	}
	return bridgeOf(n.Network, nic).Takes(bridgeOf(other.Network, nic))
}

// selected are the nodes that report their network and have the labels of highAvailability.nodeSelector.
func (v *view) selected() []bridges.Reported {
	var all []bridges.Reported
	for _, r := range v.bridges.Reported() {
		if facts.Selects(nodeSelector(v.w), r.Labels) {
			all = append(all, r)
		}
	}
	return all
}

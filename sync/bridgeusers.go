package sync

import (
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/types/v1alpha1"
)

// Who else is on a bridge that shall leave the nodes.

// sharedBridge looks for other policies on the same bridge: user is one that stays, of another Wukong or of a network in the
// spec. peer is one that leaves as well and comes later by name: of those that leave together the last removes the bridge,
// and the others wait for it.
func sharedBridge(obs *observed, existing *unstructured.Unstructured, bridge string, wanted map[string]bool) (user, peer string) {
	consider := func(other *unstructured.Unstructured, leaves bool) {
		f, name := policyFeed(other), other.GetName()
		switch {
		case name == existing.GetName() || f.bridge != bridge:
		case leaves && name > existing.GetName():
			peer = name
		case !leaves && !f.absent && other.GetDeletionTimestamp() == nil:
			user = name
		}
	}
	for _, key := range slices.Sorted(maps.Keys(obs.policies)) {
		consider(obs.policies[key], !wanted[key])
	}
	for _, other := range foreignPolicies(obs) {
		consider(other, other.GetAnnotations()[annotationRemoving] != "")
	}
	return user, peer
}

// occupant is who would lose the network with a bridge though no policy speaks of it, or "": somebody's machine or pod
// that an attachment of their own plugs into it, or the node itself, by an address that somebody gave the bridge. What the
// nodes report is up to a minute old, so the machine that has just gone may be seen for a while.
func occupant(obs *observed, policy *unstructured.Unstructured) string {
	f := policyFeed(policy)
	for _, state := range obs.relatedObjects(stateKind) {
		s := nodeState{state.GetName(), value(state, "status", "currentState")}
		bridge := s.bridge(f.bridge)
		if bridge == nil || !reaches(obs, policy, s.node) {
			continue
		}
		// It is removed by its name. One of another form is somebody else's, from before or since.
		if text(bridge, "type") != f.kind {
			return fmt.Sprintf("on node %s %s is of type %s", s.node, f.bridge, text(bridge, "type"))
		}
		if carried := s.carried(s.iface(f.bridge)); carried != "" {
			return fmt.Sprintf("on node %s it carries %s", s.node, carried)
		}
		for _, i := range items(s.current, "interfaces") {
			if text(i, "vlan", "base-iface") == f.bridge {
				return fmt.Sprintf("on node %s there is the VLAN interface %s on it", s.node, text(i, "name"))
			}
		}
		for _, port := range items(bridge, "bridge", "port") {
			if name := text(port, "name"); name != f.uplink && name != f.bridge {
				return fmt.Sprintf("on node %s it has the port %s", s.node, name)
			}
		}
	}
	return ""
}

// reaches says that a policy selects a node. One that is not related is outside of the selector.
func reaches(obs *observed, policy *unstructured.Unstructured, name string) bool {
	selector, _ := value(policy, "spec", "nodeSelector").(map[string]any)
	node := obs.relatedObject(nodeKind, name)
	if len(selector) > 0 && node == nil {
		return false
	}
	for key, want := range selector {
		if node.GetLabels()[key] != want {
			return false
		}
	}
	return true
}

// askedFor says that the policies of others on a bridge would be among the related objects if there were any. Customize
// asks for those of the bridges in spec and status; where our own policy, which is on the bridge, was not sent either,
// nothing can be told from the silence about others.
func askedFor(obs *observed, existing *unstructured.Unstructured, bridge string) bool {
	if obs.relatedObject(policyKind, existing.GetName()) == nil {
		return false
	}
	return slices.ContainsFunc(obs.w.Status.Networks, func(n v1alpha1.NetworkStatus) bool { return n.Bridge == bridge }) ||
		slices.ContainsFunc(obs.w.Spec.Networks, func(n v1alpha1.Network) bool { return n.Type != v1alpha1.Pod && bridgeName(n) == bridge })
}

package sync

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// foreignMessage says that a name of ours is taken, and by whom; "" where it is free or ours.
func foreignMessage(obs *observed, kind, key, what string) string {
	object := obs.foreign(kind, key)
	if object == nil {
		return ""
	}
	return fmt.Sprintf("%s %s exists and belongs to %s: it is left alone. Rename this Wukong or its network, or delete that object", what, key, owner(object))
}

// owner names the party that an object belongs to.
func owner(object *unstructured.Unstructured) string {
	if ref := metav1.GetControllerOf(object); ref != nil {
		return ref.Kind + " " + ref.Name
	}
	return "nobody"
}

// policyConflict says why the policy of a network may not be created beside those of others: whoever has a bridge or a
// NIC first keeps it. NMState itself moves a port from bridge to bridge without a word, and the network that had it goes
// dark.
func policyConflict(n network, obs *observed) string {
	if message := foreignMessage(obs, policyKind, n.policy, "policy"); message != "" {
		return message
	}
	for _, other := range obs.relatedObjects(policyKind) {
		if obs.policies[other.GetName()] != nil || obs.foreign(policyKind, other.GetName()) == nil {
			continue
		}
		f := policyFeed(other)
		switch {
		case f.bridge == "" || f.absent:
		case f.bridge == n.bridge && f.uplink != n.uplink:
			return fmt.Sprintf("bridge %s is fed by %s under policy %s of %s, not by %s: choose another bridgeName, or the same uplink",
				n.bridge, f.uplink, other.GetName(), owner(other), n.uplink)
		case f.bridge != n.bridge && f.uplink == n.uplink:
			return fmt.Sprintf("%s feeds bridge %s under policy %s of %s, and can feed only one: name that bridge as bridgeName, or choose another physicalInterface or vlanId",
				n.uplink, f.bridge, other.GetName(), owner(other))
		}
	}
	return ""
}

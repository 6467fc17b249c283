package sync

import (
	"fmt"
	"maps"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// foreignMessage says that a name of ours is taken, and by whom; "" where it is free or ours.
func foreignMessage(obs *observed, kind, key, what string) string {
	object := obs.foreign(kind, key)
	if object == nil {
		return ""
	}
	if metav1.GetControllerOf(object) == nil && object.GetLabels()[labelWukong] == obs.w.Name && object.GetLabels()[labelManagedBy] == managedBy {
		// Metacontroller lets a child go that loses its label, and takes one back that gets it.
		return fmt.Sprintf("%s %s does not have the label controller-uid of this Wukong: it is left alone. `kubectl label --overwrite %s controller-uid=%s` gives it back",
			what, key, resourceArgument(object), obs.w.UID)
	}
	return fmt.Sprintf("%s %s exists and belongs to %s: it is left alone. Rename this Wukong or its network, or delete that object", what, key, owner(object))
}

// resourceArgument names an object as kubectl takes it.
func resourceArgument(object *unstructured.Unstructured) string {
	resource := map[string]string{
		"NodeNetworkConfigurationPolicy": "nncp", "NetworkAttachmentDefinition": "net-attach-def", "VirtualMachine": "vm",
	}[object.GetKind()]
	if object.GetNamespace() != "" {
		return fmt.Sprintf("-n %s %s %s", object.GetNamespace(), resource, object.GetName())
	}
	return resource + " " + object.GetName()
}

// owner names the party that an object belongs to.
func owner(object *unstructured.Unstructured) string {
	if ref := metav1.GetControllerOf(object); ref != nil {
		return ref.Kind + " " + ref.Name
	}
	return "nobody"
}

// policyConflict says why the policy of a network may not be created beside those of others, and of networks of this
// Wukong that are leaving: whoever has a bridge or a NIC first keeps it. NMState itself moves a port from bridge to bridge
// without a word, and the network that had it goes dark. The zero step where there is no conflict.
func policyConflict(n network, nets []network, obs *observed) step {
	if message := foreignMessage(obs, policyKind, n.policy, "policy"); message != "" {
		return step{reason: "Conflict", message: message, stuck: true}
	}
	for _, other := range others(n, nets, obs) {
		if conflict := conflictWith(n, other, obs); conflict.reason != "" {
			return conflict
		}
	}
	return step{}
}

// conflictWith says why the policy of a network does not go with another; the zero step where it does.
func conflictWith(n network, other *unstructured.Unstructured, obs *observed) step {
	f := policyFeed(other)
	name, ours := other.GetName(), obs.policies[other.GetName()] != nil
	switch {
	case f.bridge == "" || f.bridge != n.bridge && f.uplink != n.uplink:
		return step{}
	case f.absent || other.GetAnnotations()[annotationRemoving] != "":
		return step{reason: "Removing", message: fmt.Sprintf("bridge %s is being removed under policy %s of %s: that is finished first", f.bridge, name, owner(other))}
	case feeds(n, f):
		return step{}
	case ours:
		return step{reason: "Removing", message: fmt.Sprintf("bridge %s on %s is still that of a network that was removed, under policy %s: it goes first", f.bridge, f.uplink, name)}
	case f.bridge == n.bridge && f.uplink != n.uplink:
		return step{reason: "Conflict", stuck: true, message: fmt.Sprintf("bridge %s is fed by %s under policy %s of %s, not by %s: choose another bridgeName, or the same uplink",
			n.bridge, f.uplink, name, owner(other), n.uplink)}
	case f.bridge == n.bridge && f.preserves != n.preserves():
		return step{reason: "Conflict", stuck: true, message: fmt.Sprintf("bridge %s is asked for with preserveHostIP %t under policy %s of %s: one of the two would take the node's address away, so choose the same, or another bridgeName and physicalInterface",
			n.bridge, f.preserves, name, owner(other))}
	case f.bridge == n.bridge:
		return step{reason: "Conflict", stuck: true, message: fmt.Sprintf("bridge %s is a %s with mtu %d under policy %s of %s: choose another bridgeName, or the same type and mtu (0 is unset)",
			n.bridge, f.kind, f.mtu, name, owner(other))}
	default:
		return step{reason: "Conflict", stuck: true, message: fmt.Sprintf("%s feeds bridge %s under policy %s of %s, and can feed only one: name that bridge as bridgeName, or choose another physicalInterface or vlanId",
			n.uplink, f.bridge, name, owner(other))}
	}
}

// feeds says that a policy makes the same of a network's bridge as the network's own would: the two share it.
func feeds(n network, f feed) bool {
	return f.bridge == n.bridge && f.uplink == n.uplink && f.kind == bridgeType(n.Type) && f.mtu == n.mtuOnNodes() && f.preserves == n.preserves()
}

// others are the policies that a network's may conflict with: those of somebody else, and those that leave.
func others(n network, nets []network, obs *observed) []*unstructured.Unstructured {
	wanted := wantedNames(nets)
	var all []*unstructured.Unstructured
	for _, key := range slices.Sorted(maps.Keys(obs.policies)) {
		if !wanted[key] && key != n.policy {
			all = append(all, obs.policies[key])
		}
	}
	return append(all, foreignPolicies(obs)...)
}

// foreignPolicies are the related policies of others, in the order of their names.
func foreignPolicies(obs *observed) []*unstructured.Unstructured {
	return slices.DeleteFunc(obs.relatedObjects(policyKind), func(p *unstructured.Unstructured) bool {
		return obs.foreign(policyKind, p.GetName()) == nil
	})
}

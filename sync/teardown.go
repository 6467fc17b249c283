package sync

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/types/v1alpha1"
)

// teardown decides about a policy that nobody asks for any more: its child is nil when it may go. NMState leaves the
// nodes as they are when a policy goes, so with reclaimPolicy Delete the policy is first rewritten to remove the bridge,
// and goes when that is done. When that began is noted on the policy: it is what its patience counts from.
//
// note is a line for the log where the bridge is kept against the reclaim policy, or its removal was given up.
func teardown(obs *observed, existing *unstructured.Unstructured, wanted map[string]bool, settings Settings, now time.Time) (s step, note string) {
	name := existing.GetName()
	feed := policyFeed(existing)
	switch {
	case existing.GetDeletionTimestamp() != nil:
		return step{ready: true}, ""
	case existing.GetLabels()[labelReclaimPolicy] != string(v1alpha1.Delete) || value(existing, "spec", "capture") != nil:
		return step{ready: true}, "" // Retain: the nodes keep the bridge
	case feed.bridge == "":
		return step{ready: true}, ""
	}
	marked := existing.GetAnnotations()[annotationRemoving] != ""
	peer := "" // who leaves the bridge as well, and removes it
	if !feed.absent {
		if !askedFor(obs, existing, feed.bridge) {
			return step{ready: true}, fmt.Sprintf("policy %s: bridge %s stays on the nodes, because who else uses it cannot be seen", name, feed.bridge)
		}
		var user string
		user, peer = sharedBridge(obs, existing, feed.bridge, wanted)
		if user != "" && marked {
			return step{ready: true}, fmt.Sprintf("policy %s: bridge %s stays on the nodes, policy %s uses it", name, feed.bridge, user)
		}
		if user != "" {
			// The user may be about to leave too, and not have seen us leave. Say so first, and decide when that is seen.
			peer = user
		}
	}

	switch {
	case peer != "":
		s = step{child: hold(existing), message: fmt.Sprintf("bridge %s is also that of policy %s: policy %s is decided about after it", feed.bridge, peer, name)}
	case !feed.absent && busy(existing):
		s = step{child: hold(existing), message: fmt.Sprintf("policy %s is in progress: bridge %s is removed when that is over", name, feed.bridge)}
	case !feed.absent:
		s = step{child: absent(existing, feed), message: fmt.Sprintf("policy %s is removing bridge %s from the nodes", name, feed.bridge)}
	default:
		state, message := policyState(obs, existing)
		if state == v1alpha1.PolicyAvailable || state == v1alpha1.PolicyIgnored {
			return step{ready: true}, ""
		}
		s = step{child: hold(existing), message: fmt.Sprintf("policy %s is removing bridge %s: %s", name, feed.bridge, message)}
	}

	since, err := time.Parse(time.RFC3339, existing.GetAnnotations()[annotationRemoving])
	if err != nil {
		// NMState takes a change of the metadata also while it is at work.
		annotations := s.child.GetAnnotations()
		if annotations == nil {
			annotations = map[string]string{}
		}
		annotations[annotationRemoving] = now.UTC().Format(time.RFC3339)
		s.child.SetAnnotations(annotations)
		return s, ""
	}
	if last := lastMove(obs, existing); last.After(since) {
		since = last
	}
	if now.Sub(since) > settings.TeardownTimeout {
		return step{ready: true}, fmt.Sprintf("policy %s: gave up removing bridge %s, nothing has moved for %s: the nodes may keep it", name, feed.bridge, settings.TeardownTimeout)
	}
	return s, ""
}

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
	for _, other := range obs.relatedObjects(policyKind) {
		if obs.foreign(policyKind, other.GetName()) != nil {
			consider(other, other.GetAnnotations()[annotationRemoving] != "")
		}
	}
	return user, peer
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

// absent is the policy that takes a bridge off the nodes again. A bridge does not take its port with it: the VLAN
// interface is removed by name. A NIC is never removed but brought up again, because losing its bridge leaves it down.
func absent(existing *unstructured.Unstructured, f feed) *unstructured.Unstructured {
	interfaces := []any{map[string]any{"name": f.bridge, "type": f.kind, "state": "absent"}}
	switch {
	case f.uplink == "":
	case f.uplink != f.nic:
		interfaces = append(interfaces, map[string]any{"name": f.uplink, "type": "vlan", "state": "absent"})
	default:
		interfaces = append(interfaces, map[string]any{"name": f.nic, "state": "up"})
	}
	removal := hold(existing)
	spec := map[string]any{"desiredState": map[string]any{"interfaces": interfaces}}
	if selector := value(removal, "spec", "nodeSelector"); selector != nil {
		spec["nodeSelector"] = selector
	}
	removal.Object["spec"] = spec
	return removal
}

// lastMove is when NMState last changed a condition of the policy or of one of its enactments.
func lastMove(obs *observed, policy *unstructured.Unstructured) time.Time {
	last := policy.GetCreationTimestamp().Time
	enactments, _ := obs.enactments(policy.GetName())
	for _, object := range append(enactments, policy) {
		for _, c := range items(object, "status", "conditions") {
			if t, err := time.Parse(time.RFC3339, text(c, "lastTransitionTime")); err == nil && t.After(last) {
				last = t
			}
		}
	}
	return last
}

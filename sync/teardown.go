package sync

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/types/v1alpha1"
)

// teardown decides about a policy that nobody asks for any more: its child is nil when it may go. NMState leaves the
// nodes as they are when a policy goes, so with reclaimPolicy Delete the policy is first rewritten to remove the bridge,
// and goes when that is done.
//
// note is a line for the log where the removal was given up.
func teardown(obs *observed, existing *unstructured.Unstructured, settings Settings, now time.Time) (s step, note string) {
	name := existing.GetName()
	feed := policyFeed(existing)
	switch {
	case existing.GetDeletionTimestamp() != nil:
		return step{ready: true}, ""
	case existing.GetLabels()[labelReclaimPolicy] != string(v1alpha1.Delete) || value(existing, "spec", "capture") != nil:
		return step{ready: true}, "" // Retain: the nodes keep the bridge
	case feed.bridge == "" || sharedBridge(obs, existing, feed.bridge):
		return step{ready: true}, ""
	case !feed.absent && busy(existing):
		s = step{child: hold(existing), message: fmt.Sprintf("policy %s is in progress: bridge %s is removed when that is over", name, feed.bridge)}
	case !feed.absent:
		return step{child: absent(existing, feed), message: fmt.Sprintf("policy %s is removing bridge %s from the nodes", name, feed.bridge)}, ""
	default:
		state, message := policyState(obs, existing)
		if state == v1alpha1.PolicyAvailable || state == v1alpha1.PolicyIgnored {
			return step{ready: true}, ""
		}
		s = step{child: hold(existing), message: fmt.Sprintf("policy %s is removing bridge %s: %s", name, feed.bridge, message)}
	}
	if quiet := now.Sub(lastMove(obs, existing)); quiet > settings.TeardownTimeout {
		return step{ready: true}, fmt.Sprintf("policy %s: gave up removing bridge %s, nothing has moved for %s: the nodes may keep it", name, feed.bridge, settings.TeardownTimeout)
	}
	return s, ""
}

// sharedBridge says that another Wukong's policy is on the same bridge.
func sharedBridge(obs *observed, existing *unstructured.Unstructured, bridge string) bool {
	for _, other := range obs.relatedObjects(policyKind) {
		if other.GetName() == existing.GetName() || obs.policies[other.GetName()] != nil || other.GetDeletionTimestamp() != nil {
			continue
		}
		if f := policyFeed(other); f.bridge == bridge && !f.absent {
			return true
		}
	}
	return false
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

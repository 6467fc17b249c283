package sync

import (
	"fmt"
	"reflect"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/types/v1alpha1"
)

// teardown decides about a policy that nobody asks for any more: its child is nil when it may go. NMState leaves the
// nodes as they are when a policy goes, so with reclaimPolicy Delete the policy is first marked as leaving, then
// rewritten to remove the bridge, and goes when that is done.
//
// The mark comes first, and what it stands on is decided when the mark is seen: a cache that shows it shows also what
// was created before it, and whoever comes later sees it and waits. Its time is what the removal's patience counts from.
//
// note is a line for the log where the bridge is kept against the reclaim policy, or its removal was given up.
func teardown(obs *observed, existing, winner *unstructured.Unstructured, wanted map[string]bool, settings Settings, now time.Time) (s step, note string) {
	name, feed := existing.GetName(), policyFeed(existing)
	if existing.GetDeletionTimestamp() != nil || !feed.absent && winner == nil && !reclaims(obs, existing) || feed.preserves || feed.bridge == "" {
		return step{ready: true}, "" // the nodes keep the bridge, or have none
	}
	if !feed.absent && !askedFor(obs, existing, feed.bridge) {
		return step{ready: true}, fmt.Sprintf("policy %s: bridge %s stays on the nodes, because who else uses it cannot be seen", name, feed.bridge)
	}
	since, marked := removingSince(existing, now)
	if !marked {
		// NMState takes a change of the metadata also while it is at work.
		held := hold(existing)
		annotate(held, annotationRemoving, now.UTC().Format(time.RFC3339))
		return step{child: held, message: fmt.Sprintf("policy %s is leaving bridge %s", name, feed.bridge)}, ""
	}

	removal := absent(obs, existing, feed)
	if winner != nil {
		removal = takenBack(obs, existing, winner)
	}
	if feed.absent || winner != nil && reflect.DeepEqual(hold(existing).Object["spec"], removal.Object["spec"]) {
		state, message := policyState(obs, existing)
		if state == v1alpha1.PolicyAvailable || state == v1alpha1.PolicyIgnored {
			return step{ready: true}, ""
		}
		s = step{child: hold(existing), message: fmt.Sprintf("policy %s is removing bridge %s: %s", name, feed.bridge, message)}
	} else {
		user, peer, occupied := "", "", ""
		if winner == nil || policyFeed(winner).bridge != feed.bridge { // else it stays, as the winner's
			user, peer = sharedBridge(obs, existing, feed.bridge, wanted)
			occupied = occupant(obs, existing)
		}
		switch {
		case user != "":
			return step{ready: true}, fmt.Sprintf("policy %s: bridge %s stays on the nodes, policy %s uses it", name, feed.bridge, user)
		case peer != "":
			s = step{child: hold(existing), message: fmt.Sprintf("bridge %s is also that of policy %s: policy %s is decided about after it", feed.bridge, peer, name)}
		case occupied != "":
			s = step{child: hold(existing), message: fmt.Sprintf("bridge %s is removed when nobody uses it: %s", feed.bridge, occupied)}
		case busy(existing):
			s = step{child: hold(existing), message: fmt.Sprintf("policy %s is in progress: bridge %s is removed when that is over", name, feed.bridge)}
		default:
			s = step{child: removal, message: fmt.Sprintf("policy %s is taking off the nodes what it has made of bridge %s", name, feed.bridge)}
		}
	}
	if last := lastMove(obs, existing); last.After(since) {
		since = last
	}
	if now.Sub(since) > settings.TeardownTimeout {
		return step{ready: true}, fmt.Sprintf("policy %s: gave up removing bridge %s, nothing has moved for %s: the nodes may keep it; %s", name, feed.bridge, settings.TeardownTimeout, s.message)
	}
	return s, ""
}

// reclaims says that a policy's bridge shall leave the nodes with it: as the spec says, where it still has the network,
// so that the user can think again while the removal waits; else as it said last.
func reclaims(obs *observed, existing *unstructured.Unstructured) bool {
	was := madeAs(existing)
	for _, n := range obs.w.Spec.Networks {
		uplink := nic(n, was.nic, Settings{})
		if n.VLANID != 0 {
			uplink = vlanInterface(uplink, n.VLANID)
		}
		if policyName(obs.w, n.Name) == existing.GetName() && was.kind == n.Type && was.bridge == bridgeName(n) && was.uplink == uplink {
			return n.ReclaimPolicy == v1alpha1.Delete
		}
	}
	return existing.GetLabels()[labelReclaimPolicy] == string(v1alpha1.Delete)
}

// removingSince is when the removal of a policy's bridge began. A mark that cannot be read, or that is of a time to come,
// is none: somebody's hand or clock wrote it, and it would be waited for for ever.
func removingSince(existing *unstructured.Unstructured, now time.Time) (since time.Time, marked bool) {
	since, err := time.Parse(time.RFC3339, existing.GetAnnotations()[annotationRemoving])
	return since, err == nil && since.Before(now.Add(time.Minute))
}

// annotate sets an annotation, or takes it away where the value is empty.
func annotate(object *unstructured.Unstructured, key, value string) {
	annotations := object.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	if annotations[key] = value; value == "" {
		delete(annotations, key)
	}
	if len(annotations) == 0 {
		unstructured.RemoveNestedField(object.Object, "metadata", "annotations")
		return
	}
	object.SetAnnotations(annotations)
}

// absent is the policy that takes a bridge off the nodes again. A bridge does not take its port with it; one that feeds
// another bridge by now is left alone.
func absent(obs *observed, existing *unstructured.Unstructured, f feed) *unstructured.Unstructured {
	interfaces := []any{map[string]any{"name": f.bridge, "type": f.kind, "state": "absent"}}
	if f.uplink != "" && !uplinkTaken(obs, existing, f.bridge, f.uplink) {
		interfaces = append(interfaces, released(f.uplink, f.nic))
	}
	removal := hold(existing)
	spec := map[string]any{"desiredState": map[string]any{"interfaces": interfaces}}
	if selector := value(removal, "spec", "nodeSelector"); selector != nil {
		spec["nodeSelector"] = selector
	}
	removal.Object["spec"] = spec
	return removal
}

// released is an uplink that no bridge has any more: a VLAN interface is removed by name. A NIC is never removed but brought
// up again, because losing its bridge leaves it down.
func released(uplink, nic string) map[string]any {
	if uplink != nic {
		return map[string]any{"name": uplink, "type": "vlan", "state": "absent"}
	}
	return map[string]any{"name": nic, "state": "up"}
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

package sync

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
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
func teardown(obs *observed, existing *unstructured.Unstructured, wanted map[string]bool, settings Settings, now time.Time) (s step, note string) {
	name, feed := existing.GetName(), policyFeed(existing)
	winner := winnerOver(obs, existing)
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
		user, peer := sharedBridge(obs, existing, winner, feed.bridge, wanted)
		occupied := occupant(obs, feed)
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
			s = step{child: removal, message: fmt.Sprintf("policy %s is removing bridge %s from the nodes", name, feed.bridge)}
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
		if policyName(obs.w, n.Name) == existing.GetName() && was.kind == n.Type && was.bridge == bridgeName(n) {
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

func annotate(object *unstructured.Unstructured, key, value string) {
	annotations := object.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[key] = value
	object.SetAnnotations(annotations)
}

// sharedBridge looks for other policies on the same bridge: user is one that stays, of another Wukong or of a network in the
// spec. peer is one that leaves as well and comes later by name: of those that leave together the last removes the bridge,
// and the others wait for it. winner is not asked: the bridge is given back to it.
func sharedBridge(obs *observed, existing, winner *unstructured.Unstructured, bridge string, wanted map[string]bool) (user, peer string) {
	consider := func(other *unstructured.Unstructured, leaves bool) {
		f, name := policyFeed(other), other.GetName()
		switch {
		case name == existing.GetName() || f.bridge != bridge || winner != nil && name == winner.GetName():
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
func occupant(obs *observed, f feed) string {
	for _, state := range obs.relatedObjects(stateKind) {
		s := nodeState{state.GetName(), value(state, "status", "currentState")}
		bridge := s.bridge(f.bridge)
		ports := items(bridge, "bridge", "port")
		if text(bridge, "type") != f.kind || !slices.ContainsFunc(ports, func(p map[string]any) bool { return text(p, "name") == f.uplink }) {
			continue // another bridge of that name
		}
		if carried := s.carried(s.iface(f.bridge)); carried != "" {
			return fmt.Sprintf("on node %s it carries %s", s.node, carried)
		}
		for _, i := range items(s.current, "interfaces") {
			if text(i, "vlan", "base-iface") == f.bridge {
				return fmt.Sprintf("on node %s there is the VLAN interface %s on it", s.node, text(i, "name"))
			}
		}
		for _, port := range ports {
			if name := text(port, "name"); name != f.uplink && name != f.bridge {
				return fmt.Sprintf("on node %s it has the port %s", s.node, name)
			}
		}
	}
	return ""
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
// interface is removed by name, unless it feeds another bridge by now. A NIC is never removed but brought up again, because
// losing its bridge leaves it down.
func absent(obs *observed, existing *unstructured.Unstructured, f feed) *unstructured.Unstructured {
	interfaces := []any{map[string]any{"name": f.bridge, "type": f.kind, "state": "absent"}}
	switch {
	case f.uplink == "" || uplinkTaken(obs, existing, f.bridge, f.uplink):
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

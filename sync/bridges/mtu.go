package bridges

import (
	"fmt"
	"strconv"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/sync/facts"
	"novasphere.dev/wukong/sync/hold"
)

// A network without mtu has what the NIC has. Where that is 1500 everywhere, a policy need not say it: everything has that by itself. Else
// it does, because a bridge without an MTU of its own shrinks to the smallest of its ports, and the port of a machine begins with 1500.
//
// What the nodes have is looked at once, when a policy is created, and the policy keeps it: a policy must not change with what the nodes
// report, and one of an older version of the hook, which says none, stays as it is. facts.AnnotationMTU tells that nobody asked for it.

// UsualMTU is the MTU that interfaces have by themselves.
const UsualMTU = 1500

// smallestMTU is the smallest MTU of the NICs on the nodes that a bridge reaches; 0 where one is not known. usual is whether all have
// UsualMTU.
func (v *View) smallestMTU(w *Want) (smallest int64, usual bool) {
	usual = true
	for _, n := range v.reached[w.Policy] {
		mtu := int64(0)
		if n.state != nil {
			mtu = n.state.MTU(w.Bridge)
		}
		if mtu == 0 {
			return 0, true
		}
		if smallest == 0 || mtu < smallest {
			smallest = mtu
		}
		usual = usual && mtu == UsualMTU
	}
	return smallest, usual
}

// newMTU is the MTU that a policy is created with where the spec says none; 0 where it need not say one. Policies that share a bridge say
// the same, that of the one that came first.
func (v *View) newMTU(w *Want) int64 {
	if w.Bridge.MTU != 0 || !v.Preflight {
		return 0
	}
	smallest, usual := v.smallestMTU(w)
	ally := v.eldestAlly(w.Bridge)
	for _, p := range v.Policies.All() {
		if p.Key != w.Policy && !p.Absent && w.Bridge.Feeds(p.Says) && (ally == nil || p.Precedes(ally.Object)) {
			ally = p
		}
	}
	switch {
	case ally != nil && (ally.DefaultMTU < smallest || smallest == 0):
		return ally.DefaultMTU
	case usual:
		return 0
	}
	return smallest
}

// keptMTU is the MTU of a policy that exists, where the spec says none: the one that it was given, else what its last answer says, held.
// Nothing is looked at again. So where the spec had an mtu and has none now, the nodes keep it.
func keptMTU(w *Want, existing *facts.Policy, held *unstructured.Unstructured) int64 {
	if w.Bridge.MTU != 0 {
		return 0
	}
	if given := hold.AnsweredMTU(existing); given != 0 {
		return given // what is held may have been edited by hand while NMState was at it
	}
	if w.Bridge.Preserves {
		return 0 // the bridge of each node has that of its NIC, and only the annotation says what the attachments have
	}
	return saidMTU(held)
}

// narrower is the message that names a node whose bridge carries less than the attachments say, where each node has an MTU of its own; empty
// where there is none. Such a node has joined, or its NIC has changed, after the policy was created.
func (v *View) narrower(w *Want, mtu int64) string {
	if !w.Bridge.Preserves || mtu == 0 || !v.Preflight {
		return ""
	}
	for _, n := range v.reached[w.Policy] {
		if n.state == nil {
			continue
		}
		if has := n.state.MTU(w.Bridge); has != 0 && has < mtu {
			return fmt.Sprintf("node %s: NIC %s has mtu %d, and machines %d: raise the NIC's, or skip the node by highAvailability.nodeSelector",
				n.name, w.Bridge.NIC, has, mtu)
		}
	}
	return ""
}

// saidMTU is the largest MTU in an answered policy, which is the bridge's; 0 where it says none.
func saidMTU(answer *unstructured.Unstructured) int64 {
	interfaces, _, _ := unstructured.NestedSlice(answer.Object, "spec", "desiredState", "interfaces")
	var said int64
	for _, i := range interfaces {
		if i, ok := i.(map[string]any); ok {
			switch mtu := i["mtu"].(type) {
			case int64:
				said = max(said, mtu)
			case float64:
				said = max(said, int64(mtu))
			}
		}
	}
	return said
}

// annotateMTU notes on a policy the MTU that it was given where the spec says none.
func annotateMTU(metadata map[string]any, mtu int64) {
	if mtu != 0 {
		metadata["annotations"] = map[string]any{facts.AnnotationMTU: strconv.FormatInt(mtu, 10)}
	}
}

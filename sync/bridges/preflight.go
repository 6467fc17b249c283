package bridges

import (
	"fmt"

	"novasphere.dev/wukong/sync/facts"
	"novasphere.dev/wukong/sync/node"
	"novasphere.dev/wukong/sync/outcome"
	"novasphere.dev/wukong/types/v1alpha1"
)

// verdict is what the reports of the nodes say about a policy that is to be created or changed.
type verdict struct {
	refusal *outcome.Refusal // nil where nothing speaks against the policy
	looked  bool             // the reports of the nodes were checked
	dhcp    bool             // the address that preserveHostIP moves comes by DHCP
}

// preflight checks the reports of the nodes that a policy would reach. A bridge on the NIC that carries a node's
// address cuts the node off, five times over, because NMState retries. Where the request shows no nodes, the policy
// waits: only the flag -preflight=false lets it pass.
// The table in docs/decisions.md has its rows.
func (v *View) preflight(w *Want) verdict {
	reached := v.reached[w.Policy]
	switch {
	case !v.Preflight:
		return verdict{}
	case !v.seesNodes():
		return waits("Metacontroller does not send the nodes yet: restart it, or wait up to 20 minutes, " +
			"until it asks the hook for its rules again")
	case v.settling():
		return verdict{refusal: &outcome.Refusal{Reason: v1alpha1.ReasonPreflightWaiting, Again: v.NodesSettle, Message: fmt.Sprintf(
			"a node was told of for the first time less than %s ago, and others may follow: no policy is created until then", v.NodesSettle)}}
	case len(reached) == 0:
		return waits(v.unselected(w, w.NodeSelector))
	}
	dhcp, static := "", ""
	for _, n := range reached {
		if n.state == nil {
			return verdict{refusal: v.unreported(n)}
		}
		s := n.state
		objection, byDHCP := v.objection(w, s)
		switch {
		case objection != "":
			return refuses(objection)
		case byDHCP:
			dhcp = s.Node
		default:
			static = s.Node
		}
	}
	if dhcp != "" && static != "" {
		return refuses(fmt.Sprintf("node %s has its address by DHCP and node %s a static one: one policy cannot preserve both, "+
			"make two Wukongs with highAvailability.nodeSelector", dhcp, static))
	}
	return verdict{looked: true, dhcp: dhcp != ""}
}

// objection is the message that says why a bridge may not be built on a node; empty where it may. dhcp is whether the
// address that the bridge would take over comes by DHCP.
func (v *View) objection(w *Want, s *node.State) (objection string, dhcp bool) {
	if objection = s.Objection(w.Bridge, v.own); objection == "" && w.Bridge.Preserves {
		dhcp, objection = s.HostAddress(w.Bridge)
	}
	return objection, dhcp
}

func waits(message string) verdict {
	return verdict{refusal: &outcome.Refusal{Reason: v1alpha1.ReasonPreflightWaiting, Message: message}}
}

func refuses(message string) verdict {
	return verdict{refusal: &outcome.Refusal{Reason: v1alpha1.ReasonPreflightRefused, Message: message, Stuck: true}}
}

// otherKind is the message for a policy with preserveHostIP that would move addresses of another kind, static or DHCP,
// than it was made for. NMState lets nobody change its captures.
const otherKind = "the selected nodes have their addresses by DHCP where the policy moves static ones, or the other way round: " +
	"make another Wukong for them"

// changeRefusal is the refusal to change a policy because of what the nodes report; nil where nothing speaks against
// the change.
func (v *View) changeRefusal(w *Want, existing *facts.Policy) *outcome.Refusal {
	look := v.preflight(w)
	if look.looked && w.Bridge.Preserves && look.dhcp != existing.MovesDHCP {
		look = refuses(otherKind)
	}
	if look.refusal == nil {
		return nil
	}
	return &outcome.Refusal{
		Reason: look.refusal.Reason, Stuck: look.refusal.Stuck, Again: look.refusal.Again,
		Message: fmt.Sprintf("policy %s is not changed: %s", w.Policy, look.refusal.Message),
	}
}

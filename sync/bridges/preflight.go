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

	// A node whose address, which preserveHostIP moves, comes by DHCP, and one that has a static one; empty where none was looked at.
	dhcp, static string
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
			return verdict{refusal: v.unreported(w, n)}
		}
		s := n.state
		o, byDHCP := v.objection(w, s)
		switch {
		case o != nil:
			return refuses(o.What)
		case byDHCP:
			dhcp = s.Node
		default:
			static = s.Node
		}
	}
	if dhcp != "" && static != "" {
		return refuses(fmt.Sprintf("node %s has its address by DHCP and node %s a static one, and one policy cannot preserve both", dhcp, static))
	}
	return verdict{dhcp: dhcp, static: static}
}

// objection is why a bridge may not be built on a node; nil where it may. dhcp is whether the address that the bridge
// would take over comes by DHCP.
func (v *View) objection(w *Want, s *node.State) (o *node.Objection, dhcp bool) {
	o = s.Objection(w.Bridge, v.own)
	if existing := v.Policies.Get(w.Policy); existing == nil || !existing.STP {
		o = o.Before(s.STPObjection(w.Bridge))
	}
	if !w.Bridge.Preserves || o != nil && o.Remedy == "" {
		return o, false
	}
	dhcp, moving := s.HostAddress(w.Bridge)
	return o.Before(moving), dhcp
}

func waits(message string) verdict {
	return verdict{refusal: &outcome.Refusal{Reason: v1alpha1.ReasonPreflightWaiting, Message: message}}
}

func refuses(message string) verdict {
	return verdict{refusal: &outcome.Refusal{Reason: v1alpha1.ReasonPreflightRefused, Message: message, Stuck: true}}
}

// otherwiseOn says that a node gets its address another way than those that a policy with preserveHostIP moves. NMState lets nobody change
// its captures.
func otherwiseOn(node string, dhcp bool) string {
	if dhcp {
		return fmt.Sprintf("node %s has its address by DHCP, and the policy moves static ones", node)
	}
	return fmt.Sprintf("node %s has a static address, and the policy moves those by DHCP", node)
}

// changeRefusal is the refusal to change a policy because of what the nodes report; nil where nothing speaks against
// the change.
func (v *View) changeRefusal(w *Want, existing *facts.Policy) *outcome.Refusal {
	look := v.preflight(w)
	switch {
	case look.refusal != nil || !w.Bridge.Preserves:
	case existing.MovesDHCP && look.static != "":
		look = refuses(otherwiseOn(look.static, false))
	case !existing.MovesDHCP && look.dhcp != "":
		look = refuses(otherwiseOn(look.dhcp, true))
	}
	if look.refusal == nil {
		return nil
	}
	return &outcome.Refusal{
		Reason: look.refusal.Reason, Stuck: look.refusal.Stuck, Again: look.refusal.Again,
		Message: fmt.Sprintf("policy %s is not changed: %s", w.Policy, look.refusal.Message),
	}
}

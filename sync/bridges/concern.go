package bridges

import (
	"fmt"

	"novasphere.dev/wukong/sync/facts"
)

// concern is the message about a policy that stays, for the user to know though nothing waits for it; empty where there
// is none.
// The table in docs/decisions.md has its rows.
func (v *View) concern(w *Want, existing *facts.Policy) string {
	if says := existing.Says; says.Preserves && says.MTU != w.Bridge.MTU {
		return fmt.Sprintf("bridge %s keeps its mtu %d (0 is unset), because NMState lets nobody change a policy that moves a node's address: "+
			"`kubectl delete nncp %s` has it made again", w.Bridge.Name, says.MTU, w.Policy)
	}
	applied, known := v.appliedOn(existing)
	if !v.Preflight || !known {
		return ""
	}
	// NMState applies a policy on every node that joins. The hook cannot prevent that, but it can tell the user.
	for _, n := range v.reached[w.Policy] {
		s := n.state
		if s == nil || applied[n.name] != nil {
			continue
		}
		found := ""
		if o, dhcp := v.objection(w, s); o != nil {
			found = o.What
		} else if w.Bridge.Preserves && dhcp != existing.MovesDHCP {
			found = otherwiseOn(s.Node, dhcp)
		}
		if found != "" {
			return v.advisedInPlace(w, found+", and NMState applies it all the same")
		}
	}
	return ""
}

// lostBridge is the message that names the node on which an available policy's bridge, or its uplink, is missing; empty
// where there is none. The report of the node must be younger than NMState's work there.
func (v *View) lostBridge(w *Want, existing *facts.Policy) string {
	applied, known := v.appliedOn(existing)
	if !v.Preflight || !known {
		return ""
	}
	for _, n := range v.reached[w.Policy] {
		s, enactment := n.state, applied[n.name]
		if s == nil || enactment == nil {
			continue
		}
		since := enactment.Conditions.Of("Available").LastTransitionTime
		if since == "" || s.Updated <= since {
			continue
		}
		if lost := s.Lost(w.Bridge); lost != "" {
			return fmt.Sprintf("node %s has lost %s", s.Node, lost)
		}
	}
	return ""
}

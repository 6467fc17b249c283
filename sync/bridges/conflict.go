package bridges

import (
	"fmt"

	"novasphere.dev/wukong/sync/facts"
	"novasphere.dev/wukong/sync/node"
	"novasphere.dev/wukong/sync/outcome"
	"novasphere.dev/wukong/types/v1alpha1"
)

// conflict is the refusal to create the policy of a bridge because it conflicts with a policy of others, or with one of
// the owner's that leaves; nil where there is none. The first policy to have a bridge or a NIC keeps it. NMState itself
// refuses nothing: it moves the port from one bridge to the other without a word, and cuts off the network that had the
// port.
func (v *View) conflict(w *Want) *outcome.Refusal {
	for _, p := range v.unwanted(w.Policy) {
		if conflict := v.conflictWith(w.Bridge, p); conflict != nil {
			return conflict
		}
	}
	for p := range v.meeting(w.Bridge) {
		if conflict := v.conflictWith(w.Bridge, p); conflict != nil {
			return conflict
		}
	}
	return nil
}

// conflictWith is the refusal of a bridge because of one policy; nil where they do not conflict.
func (v *View) conflictWith(b node.Bridge, p *facts.Policy) *outcome.Refusal {
	says := p.Says
	switch {
	case says.Name == "" || !b.Meets(says):
		return nil
	case p.Absent || p.Marked():
		return &outcome.Refusal{Reason: v1alpha1.ReasonRemoving, Message: fmt.Sprintf(
			"bridge %s is being removed under policy %s of %s: that is finished first", says.Name, p.Name, p.Owner)}
	case b.Feeds(says):
		return nil
	case v.Policies.Get(p.Key) != nil:
		return &outcome.Refusal{Reason: v1alpha1.ReasonRemoving, Message: fmt.Sprintf(
			"bridge %s on %s is still that of a network that was removed, under policy %s: it goes first", says.Name, says.Uplink, p.Name)}
	}
	return &outcome.Refusal{Reason: v1alpha1.ReasonConflict, Message: clash(b, p), Stuck: true}
}

// clash is the message that says how a bridge differs from the bridge of somebody else's policy.
func clash(b node.Bridge, p *facts.Policy) string {
	says := p.Says
	switch {
	case b.Takes(says):
		return fmt.Sprintf("%s is in bridge %s by policy %s of %s", b.Uplink, says.Name, p.Name, p.Owner)
	case says.Uplink != b.Uplink:
		return fmt.Sprintf("bridge %s is fed by %s under policy %s of %s, not by %s", b.Name, says.Uplink, p.Name, p.Owner, b.Uplink)
	case says.Preserves != b.Preserves:
		return fmt.Sprintf("bridge %s is asked for with preserveHostIP %t under policy %s of %s, and one of the two would take the node's "+
			"address away", b.Name, says.Preserves, p.Name, p.Owner)
	case says.MTU == 0:
		return fmt.Sprintf("bridge %s is a %s without mtu under policy %s of %s", b.Name, says.Kind, p.Name, p.Owner)
	}
	return fmt.Sprintf("bridge %s is a %s with mtu %d under policy %s of %s", b.Name, says.Kind, says.MTU, p.Name, p.Owner)
}

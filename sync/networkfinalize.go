package sync

import (
	"fmt"
	"slices"
	"time"

	"novasphere.dev/wukong/sync/facts"
	"novasphere.dev/wukong/sync/hold"
	"novasphere.dev/wukong/types/v1alpha1"
)

// FinalizeNetwork takes a WukongNetwork down: when no Wukong uses it any more its policies go, each by the reclaim policy. Until then
// they are held, so that no machine loses its network.
// The table in docs/decisions.md has its rows.
func FinalizeNetwork(req *NetworkRequest, settings Settings, now time.Time) (resp *NetworkResponse, err error) {
	defer hold.Recover(&err)
	if err := isNetwork(req.Parent); err != nil {
		return nil, err
	}
	v := newNetworkView(req, settings, now)
	if v.w.DeletionTimestamp == nil {
		// Metacontroller also finalizes what a CompositeController's labelSelector no longer selects. An edit of that must not
		// take a network from every machine of a cluster.
		note := fmt.Sprintf("WukongNetwork %s is to be finalized and was not deleted: everything stays; "+
			"see the labelSelector of the CompositeController", v.w.Name)
		return &NetworkResponse{Status: v.w.Status, Children: v.holdAll(), Notes: []string{note}}, nil
	}
	return v.finalize(), nil
}

// finalize takes the next step of a deletion.
// The table in docs/decisions.md has its rows.
func (v *networkView) finalize() *NetworkResponse {
	if waits := v.users(); waits != "" {
		resp := &NetworkResponse{Status: v.terminatingStatus(waits), Children: v.holdAll()}
		for _, child := range resp.Children {
			hold.Annotate(child, facts.AnnotationRemoving, "") // else the timeout of the removal would run while it waits
		}
		return resp
	}
	needed, other := v.copiesNotes(), []string(nil) // what needs the user is told of first
	resp := &NetworkResponse{}
	for _, p := range v.children.Policies.All() {
		if v.copied(p) {
			resp.Children = append(resp.Children, hold.Policy(p))
			continue
		}
		o := v.bridges.Leave(p, nil)
		resp.take(o, v.settings)
		if o.Concern != "" {
			needed = append(needed, o.Message())
		} else {
			other = append(other, o.Message())
		}
	}
	resp.Status = v.terminatingStatus(inShort("its policies are being deleted", append(needed, other...)...))
	if len(v.children.Policies.Keys) == 0 {
		resp.Finalized, resp.Status = true, v.terminatingStatus("everything is deleted")
	}
	return resp
}

// users is the message that says who still uses the network, and whether there are more; empty where nobody does. They are judged by
// what Wukongs and attachments say, never by a label. When the bridge is being taken off the nodes already, a newcomer is too late,
// and does not turn that back.
// The table in docs/decisions.md has its rows.
func (v *networkView) users() string {
	if slices.ContainsFunc(v.children.Policies.All(), func(p *facts.Policy) bool { return p.Absent && p.Marked() }) {
		return ""
	}
	if !v.related.Wukongs.Sent || v.w.Spec.ReclaimPolicy == v1alpha1.Delete && !v.related.Attachments.Sent {
		return "it is not known yet who uses it: Metacontroller asks for that when it sees the deletion"
	}
	var users []string
	for _, w := range v.related.Wukongs.All() {
		if slices.Contains(w.NetworkNames, v.w.Name) {
			users = append(users, "Wukong "+w.Name)
		}
	}
	if len(users) == 0 {
		users = v.strangers()
	}
	switch len(users) {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf("%s uses it: delete that, or give it another network", users[0])
	default:
		return fmt.Sprintf("%s and others use it: delete them, or give them another network", users[0])
	}
}

// strangers are the attachments of others that plug machines or pods into the bridge, where the bridge shall leave the nodes with the
// network. Where the nodes keep it, the attachments keep working; so they do where somebody else's policy builds the same bridge.
// The table in docs/decisions.md has its rows.
func (v *networkView) strangers() []string {
	var all []string
	for _, a := range v.related.Attachments.All() {
		for _, p := range v.children.Policies.All() {
			if v.bridges.Reclaimed[p.Key] && a.Bridge != "" && a.Bridge == p.Says.Name && !v.builtByAnother(p) {
				all = append(all, "attachment "+a.Key)
				break
			}
		}
	}
	return all
}

// builtByAnother reports whether a policy of somebody else builds the bridge of a policy too, so that the bridge stays on the nodes.
func (v *networkView) builtByAnother(existing *facts.Policy) bool {
	return slices.ContainsFunc(v.related.Policies.All(), func(p *facts.Policy) bool {
		others := v.children.Policies.Get(p.Key) == nil && p.Owner.UID != v.w.UID
		return others && p.Says.Name == existing.Says.Name && !p.Absent && !p.Marked() && !p.Deleting
	})
}

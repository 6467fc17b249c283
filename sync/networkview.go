package sync

import (
	"fmt"
	"time"

	"novasphere.dev/wukong/sync/bridges"
	"novasphere.dev/wukong/sync/facts"
	"novasphere.dev/wukong/sync/hold"
	"novasphere.dev/wukong/sync/node"
	"novasphere.dev/wukong/types/v1alpha1"
)

// networkView is everything that a decision about one WukongNetwork sees.
type networkView struct {
	w        *v1alpha1.WukongNetwork
	settings Settings
	now      time.Time
	nmstate  bool // NMState's policies are registered with this CompositeController
	children *facts.Children
	related  *facts.Related
	bridges  *bridges.View
}

// uplink is one way by which nodes reach the wire: all nodes by one NIC, or those of an entry of uplinks.
type uplink struct {
	policy       string
	nic          string
	nodeSelector map[string]string
}

func newNetworkView(req *NetworkRequest, settings Settings, now time.Time) *networkView {
	v := &networkView{
		w: req.Parent, settings: settings, now: now,
		nmstate:  req.Controller.registers("nmstate.io/v1", "nodenetworkconfigurationpolicies"),
		children: &req.Children, related: &req.Related,
	}
	w := v.w
	b := bridges.View{
		Owner:     facts.Owner{APIVersion: w.APIVersion, Kind: w.Kind, Name: w.Name, UID: w.UID, Controller: true},
		Preflight: settings.Preflight, TeardownTimeout: settings.TeardownTimeout, NodesSettle: settings.NodesSettle, NodesGather: settings.NodesGather, Now: now,
		Policies: v.children.Policies, Related: v.related, Asked: map[string]bool{}, Reclaimed: map[string]bool{},
	}
	for _, u := range v.uplinks() {
		wanted := v.bridge(u.nic)
		b.Wants = append(b.Wants, bridges.Want{
			Policy: u.policy, Bridge: wanted, ReclaimPolicy: w.Spec.ReclaimPolicy, Labels: v.labels(wanted),
			NodeSelector: u.nodeSelector, Entries: len(w.Spec.Uplinks), Superseded: v.superseded(u.policy, wanted), Stands: v.stands(u.policy),
		})
		b.Asked[wanted.Name] = true
	}
	for _, p := range v.children.Policies.All() {
		b.Asked[p.Says.Name] = b.Asked[p.Says.Name] || toldOf(w, p)
		b.Reclaimed[p.Key] = w.Spec.ReclaimPolicy == v1alpha1.Delete
	}
	v.bridges = bridges.New(b)
	return v
}

// toldOf reports whether the status names the bridge of a policy, so that Customize asks for others on it.
func toldOf(w *v1alpha1.WukongNetwork, p *facts.Policy) bool {
	for _, told := range w.Status.Policies {
		if told.Name == p.Name && told.Bridge == p.Says.Name {
			return true
		}
	}
	return false
}

// uplinks are the ways by which the nodes reach the wire, in the order of the spec.
func (v *networkView) uplinks() []uplink {
	spec := v.w.Spec
	if len(spec.Uplinks) == 0 {
		policy := networkPolicyName(v.w.Name, "")
		// What exists keeps the NIC that it was made with when the default changes.
		nic := nicOf(v1alpha1.Network{PhysicalInterface: spec.PhysicalInterface}, madeNIC(v.children.Policies.Get(policy)), v.settings)
		return []uplink{{policy: policy, nic: nic, nodeSelector: selectorOf(spec.NodeSelector)}}
	}
	var all []uplink
	for _, u := range spec.Uplinks {
		all = append(all, uplink{
			policy: networkPolicyName(v.w.Name, u.Name), nic: u.PhysicalInterface, nodeSelector: selectorOf(spec.NodeSelector, u.NodeSelector),
		})
	}
	return all
}

// networkPolicyName is the name of the policy of a WukongNetwork and one of its uplinks. The dot is in no name of a Wukong, a network
// or an uplink: two parents that answer one name would take the policy from each other.
func networkPolicyName(shared, by string) string {
	if by == "" {
		return shared + ".bridge"
	}
	return shared + "." + by + ".bridge"
}

// selectorOf is the labels that all of the selectors want.
func selectorOf(selectors ...map[string]v1alpha1.LabelValue) map[string]string {
	all := map[string]string{}
	for _, selector := range selectors {
		for key, value := range selector {
			all[key] = string(value)
		}
	}
	return all
}

// bridge is the bridge that the WukongNetwork wants, on a NIC.
func (v *networkView) bridge(nic string) node.Bridge {
	spec := v.w.Spec
	kind := spec.Type
	if kind == "" {
		kind = v1alpha1.Bridge
	}
	return bridgeOf(v1alpha1.Network{
		Name: v.w.Name, Type: kind, BridgeName: spec.BridgeName, VLANID: spec.VLANID, MTU: spec.MTU, PreserveHostIP: spec.PreserveHostIP,
	}, nic)
}

// labels are those of the policies. They say what a policy was made as.
func (v *networkView) labels(b node.Bridge) map[string]any {
	kind := v1alpha1.Bridge
	if b.Kind == node.OVSBridge {
		kind = v1alpha1.OVS
	}
	return map[string]any{
		facts.LabelManagedBy: facts.ManagedBy, facts.LabelWukongNetwork: v.w.Name,
		facts.LabelType: string(kind), facts.LabelBridge: b.Name, facts.LabelUplink: b.Uplink, facts.LabelNIC: b.NIC,
	}
}

// superseded is the message that a policy of this name is still that of an uplink in another form, and goes first; empty where
// there is none.
// The table in docs/decisions.md has its rows.
func (v *networkView) superseded(policy string, wanted node.Bridge) string {
	p := v.children.Policies.Get(policy)
	switch {
	case p == nil:
	case p.Marked() && p.Absent:
		return fmt.Sprintf("policy %s is taking bridge %s off the nodes: that is finished first", policy, p.Says.Name)
	case madeOtherwise(p, wanted):
		return fmt.Sprintf("policy %s of a removed uplink of this name is deleted first", policy)
	}
	return ""
}

// stands reports whether machines may be plugged into the bridge of a policy: NMState has taken the policy up. Who they are is asked
// for only when the WukongNetwork is deleted, so that what it costs does not depend on their number.
func (v *networkView) stands(policy string) bool {
	for _, e := range v.related.Enactments.All() {
		if e.Policy == policy {
			return true
		}
	}
	p := v.children.Policies.Get(policy)
	return p != nil && p.Conditions.Of("Available").True()
}

// holdAll answers everything that exists.
func (v *networkView) holdAll() Children {
	var all Children
	for _, p := range v.children.Policies.All() {
		all = append(all, hold.Policy(p))
	}
	return all
}

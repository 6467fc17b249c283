package sync

import (
	"maps"
	"slices"
	"time"

	"novasphere.dev/wukong/sync/bridges"
	"novasphere.dev/wukong/sync/facts"
	"novasphere.dev/wukong/sync/hold"
	"novasphere.dev/wukong/types/v1alpha1"
)

// view is everything that a decision about one Wukong may use: the Wukong with its defaults, the flags, the time, its
// networks, and the observed objects.
type view struct {
	w        *v1alpha1.Wukong
	given    *v1alpha1.WukongSpec // without defaults
	settings Settings
	now      time.Time
	nmstate  bool // the CompositeController manages policies, so the hook may answer some
	owner    facts.Owner
	children *facts.Children
	related  *facts.Related
	networks []*network
	bridges  *bridges.View

	named         bool // cloud-init is told to name the guest's devices
	addressFaults []addressFault
	template      virtualMachine
}

// newView reads a request.
func newView(req *Request, settings Settings, now time.Time) *view {
	w := defaulted(req.Parent)
	v := &view{
		w:        w,
		given:    &req.Parent.Spec,
		settings: settings,
		now:      now,
		nmstate:  req.Controller.registers("nmstate.io/v1", "nodenetworkconfigurationpolicies"),
		owner:    facts.Owner{APIVersion: w.APIVersion, Kind: w.Kind, Name: w.Name, UID: w.UID, Controller: true},
		children: &req.Children,
		related:  &req.Related,
	}
	v.networks = v.readNetworks()
	v.bridges = v.bridgesView()
	v.named = v.namesDevices()
	v.addressFaults = v.readAddressFaults()
	v.template = v.readTemplate()
	return v
}

// bridgesView is what the decisions about the bridges may use.
func (v *view) bridgesView() *bridges.View {
	b := bridges.View{
		Owner: v.owner, Masters: v.masters(), Preflight: v.settings.Preflight, NodesSettle: v.settings.NodesSettle, NodesGather: v.settings.NodesGather,
		TeardownTimeout: v.settings.TeardownTimeout, Now: v.now,
		Policies: v.children.Policies, Related: v.related, Asked: v.askedBridges(), Reclaimed: v.reclaimed(),
	}
	for _, n := range v.networks {
		if n.policyName == "" {
			continue
		}
		b.Wants = append(b.Wants, bridges.Want{
			Policy: n.policyName, Bridge: n.bridge, ReclaimPolicy: n.ReclaimPolicy, Labels: v.networkLabels(n),
			NodeSelector: nodeSelector(v.w), Superseded: n.superseded,
			Stands: v.plugs(n) || v.uses(n.Name),
		})
	}
	return bridges.New(b)
}

// masters are the NICs of the networks of type macvlan and ipvlan.
func (v *view) masters() map[string]bool {
	var all map[string]bool
	for _, n := range v.networks {
		if n.silence() != "" {
			if all == nil {
				all = map[string]bool{}
			}
			all[n.bridge.NIC] = true
		}
	}
	return all
}

// plugs reports whether the attachment of a network is there. One that has lost its label is no child, and plugs into the bridge all the same.
func (v *view) plugs(n *network) bool {
	a := v.related.Attachments.Get(n.attachmentName)
	return v.children.Attachments.Get(n.attachmentName) != nil || a != nil && a.Bridge == n.bridge.Name
}

// askedBridges are the names of the bridges whose policies Customize asks for: those in spec and status.
func (v *view) askedBridges() map[string]bool {
	asked := map[string]bool{}
	for _, n := range v.w.Status.Networks {
		asked[n.Bridge] = isLabelValue(n.Bridge)
	}
	for _, n := range v.w.Spec.Networks {
		if n.Type != v1alpha1.Pod && n.NetworkName == "" {
			asked[bridgeName(n)] = true
		}
	}
	return asked
}

// reclaimed are the keys of the policies whose bridges have to be removed from the nodes with them. The reclaimPolicy
// in the spec counts where the spec still has the network, so that the user can change it while the removal waits;
// otherwise the last one counts, which is in a label of the policy, and was there in the last answer.
func (v *view) reclaimed() map[string]bool {
	all := map[string]bool{}
	for _, p := range v.children.Policies.All() {
		all[p.Key] = p.Labels[facts.LabelReclaimPolicy] == string(v1alpha1.Delete) && hold.AnsweredLabel(&p.Object, facts.LabelReclaimPolicy) == string(v1alpha1.Delete)
	}
	for _, n := range v.w.Spec.Networks {
		p := v.children.Policies.Get(policyName(v.w, n.Name))
		if p == nil {
			continue
		}
		made, _ := hold.MadePolicy(p)
		wanted := bridgeOf(n, nicOf(n, made.NIC, Settings{}))
		wanted.Preserves = made.Preserves
		if !wanted.Reformed(made) {
			all[p.Key] = n.ReclaimPolicy == v1alpha1.Delete
		}
	}
	return all
}

// machine is the observed VirtualMachine; nil where there is none.
func (v *view) machine() *facts.Machine {
	return v.children.Machines.Get(v.machineKey())
}

// machineKey is the machine's namespace/name.
func (v *view) machineKey() string {
	return facts.Qualified(v.w.Spec.Namespace, v.w.Name)
}

// instance is the running VirtualMachineInstance of the Wukong's machine; nil where there is none. An instance of the
// same name without a machine, or of somebody else's machine, does not count.
func (v *view) instance() *facts.Instance {
	i := v.related.Instances.Get(v.machineKey())
	if i == nil || v.foreignMachine() != nil || i.Owner.Kind != "VirtualMachine" || i.Owner.Name != v.w.Name {
		return nil
	}
	return i
}

// foreignMachine is somebody else's machine with the name of the Wukong's; nil where there is none.
func (v *view) foreignMachine() *facts.Object {
	m := v.related.Machines.Get(v.machineKey())
	if m == nil || v.machine() != nil || v.owns(&m.Object) {
		return nil
	}
	return &m.Object
}

// foreignAttachment is somebody else's attachment with a name of the Wukong's; nil where there is none.
func (v *view) foreignAttachment(key string) *facts.Object {
	a := v.related.Attachments.Get(key)
	if a == nil || v.children.Attachments.Get(key) != nil || v.owns(&a.Object) {
		return nil
	}
	return &a.Object
}

// owns reports whether the Wukong controls an object. Metacontroller reads the caches of children and related objects
// at different moments, so a child may be in only one of them.
func (v *view) owns(o *facts.Object) bool {
	return o.Owner.Controller && o.Owner.UID == v.w.UID
}

// uses reports whether a machine refers to the attachment of one of the Wukong's networks. A machine that cannot be read may refer to
// anything.
func (v *view) uses(networkName string) bool {
	return v.user(networkName) != ""
}

// user is the key of a machine that refers to the attachment of one of the Wukong's networks; empty where there is none. The Wukong's own
// machine comes first, with its running instance. Then come copies of it, and machines that are no longer the Wukong's.
func (v *view) user(networkName string) string {
	namespace, name, key := v.w.Spec.Namespace, attachmentName(v.w, networkName), v.machineKey()
	if i := v.related.Instances.Get(key); i != nil && i.Plugs.Refers(namespace, name) {
		return key
	}
	machines := []*facts.Machine{v.machine(), v.related.Machines.Get(key)}
	machines = append(append(machines, v.children.Machines.All()...), v.related.Machines.All()...)
	for _, m := range machines {
		if m != nil && m.Plugs.Refers(namespace, name) {
			return m.Key
		}
	}
	return ""
}

// wanted are the keys of the policies and attachments that the networks of the spec want.
func (v *view) wanted() (policies, attachments map[string]bool) {
	policies, attachments = map[string]bool{}, map[string]bool{}
	for _, n := range v.networks {
		if n.superseded == "" {
			policies[n.policyName] = true
			attachments[n.attachmentName] = attachments[n.attachmentName] || n.ownAttachment
		}
	}
	return policies, attachments
}

// nodeSelector selects the nodes for the machine and the bridges; empty selects all.
func nodeSelector(w *v1alpha1.Wukong) map[string]string {
	if w.Spec.HighAvailability == nil {
		return nil
	}
	selector := map[string]string{}
	for key, value := range w.Spec.HighAvailability.NodeSelector {
		selector[key] = string(value)
	}
	return selector
}

// distinct are the values, each once and in order.
func distinct(values []string) []string {
	values = slices.Clone(values)
	slices.Sort(values)
	return slices.Compact(values)
}

// sorted are the keys of a map, in order.
func sorted[V any](m map[string]V) []string {
	return slices.Sorted(maps.Keys(m))
}

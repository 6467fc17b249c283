// Package bridges decides about the bridges that an owner wants on the nodes, and about the policies that build them: what may
// come into being, what stays, what gives way to whom, and what leaves the nodes. It knows policies and nodes, and nothing of
// machines or attachments: of what stands on a bridge it is told whether anything does.
//
// What it decides is one table, "observed, wanted, answered", at the end of docs/decisions.md: Decide has the rows of a policy
// that is wanted, Leave those of one that no longer is.
package bridges

import (
	"iter"
	"slices"
	"time"

	"novasphere.dev/wukong/sync/facts"
	"novasphere.dev/wukong/sync/node"
	"novasphere.dev/wukong/types/v1alpha1"
)

// View is everything that the decisions about one owner's bridges see. It is made by New, and not changed.
type View struct {
	// Owner is whose bridges they are.
	Owner facts.Owner

	// NodeSelector says on which nodes the bridges shall be; empty for all.
	NodeSelector map[string]string

	// Preflight is whether the nodes are looked at.
	Preflight bool

	// TeardownTimeout is how long the removal of a bridge may make no progress before it is given up.
	TeardownTimeout time.Duration

	// Now is the time of the request.
	Now time.Time

	// Wants are the bridges that the owner wants, in its order.
	Wants []Want

	// Policies are those of the owner that exist.
	Policies facts.Set[facts.Policy]

	// Related are the other objects.
	Related *facts.Related

	// Asked are the bridges of which the policies of others are among the related objects, if there are any.
	Asked map[string]bool

	// Reclaimed are the policies whose bridges shall leave the nodes with them.
	Reclaimed map[string]bool

	wanted     map[string]bool // the policies of Wants, without those whose names something else has that leaves first
	own        map[string]bool // the bridges of Wants
	others     []*facts.Policy // those of others, in the order of their names
	byBridge   map[string][]int
	byUplink   map[string][]int // both: places in others
	enactments map[string][]*facts.Enactment
	reached    []*facts.Node // the nodes that NodeSelector selects
	eldest     map[node.Bridge]*facts.Policy
}

// Want is one bridge that the owner wants.
type Want struct {
	// Policy is the name of the policy that builds it.
	Policy string

	Bridge        node.Bridge
	ReclaimPolicy v1alpha1.ReclaimPolicy

	// Labels are those of the policy.
	Labels map[string]any

	// Superseded says what of an earlier form has to leave first, under the same names; "" where nothing has.
	Superseded string

	// Stands is whether something is plugged into the bridge, or about to be.
	Stands bool
}

// New is a view with everything in it that is asked for by name.
func New(v View) *View {
	v.wanted, v.own = map[string]bool{}, map[string]bool{}
	for _, w := range v.Wants {
		v.own[w.Bridge.Name] = true
		if w.Superseded == "" {
			v.wanted[w.Policy] = true
		}
	}
	for _, n := range v.Related.Nodes.All() {
		if n.Selected(v.NodeSelector) {
			v.reached = append(v.reached, n)
		}
	}
	v.enactments = map[string][]*facts.Enactment{}
	for _, e := range v.Related.Enactments.All() {
		v.enactments[e.Policy] = append(v.enactments[e.Policy], e)
	}
	v.eldest = map[node.Bridge]*facts.Policy{}
	v.byBridge, v.byUplink = map[string][]int{}, map[string][]int{}
	for _, p := range v.Related.Policies.All() {
		if v.owns(p) {
			continue
		}
		if at := len(v.others); p.Says.Name != "" {
			v.byBridge[p.Says.Name] = append(v.byBridge[p.Says.Name], at)
			v.byUplink[p.Says.Uplink] = append(v.byUplink[p.Says.Uplink], at)
		}
		v.others = append(v.others, p)
	}
	return &v
}

// owns reports whether a related policy is the owner's. The caches behind children and related are not read at the same instant:
// one of the owner's may be in only one of them.
func (v *View) owns(p *facts.Policy) bool {
	return v.Policies.Get(p.Key) != nil || p.Owner.Controller && p.Owner.UID == v.Owner.UID
}

// other is the policy of somebody else that has a name, or nil.
func (v *View) other(name string) *facts.Object {
	if p := v.Related.Policies.Get(name); p != nil && !v.owns(p) {
		return &p.Object
	}
	return nil
}

// meeting are the policies of others that meet a bridge, by its name or by its uplink, in the order of their names.
func (v *View) meeting(b node.Bridge) iter.Seq[*facts.Policy] {
	byBridge, byUplink := v.byBridge[b.Name], v.byUplink[b.Uplink]
	return func(yield func(*facts.Policy) bool) {
		for i, j := 0, 0; i < len(byBridge) || j < len(byUplink); {
			at := len(v.others)
			if i < len(byBridge) {
				at = byBridge[i]
			}
			if j < len(byUplink) {
				at = min(at, byUplink[j])
			}
			if i < len(byBridge) && byBridge[i] == at {
				i++
			}
			if j < len(byUplink) && byUplink[j] == at {
				j++
			}
			if !yield(v.others[at]) {
				return
			}
		}
	}
}

// eldestAlly is the oldest policy of others that feeds a bridge the same, or nil.
func (v *View) eldestAlly(b node.Bridge) *facts.Policy {
	if found, known := v.eldest[b]; known {
		return found
	}
	var eldest *facts.Policy
	for p := range v.meeting(b) {
		if b.Feeds(p.Says) && (eldest == nil || p.Precedes(eldest.Object)) {
			eldest = p
		}
	}
	v.eldest[b] = eldest
	return eldest
}

// state is what a node reports, or nil where it reports nothing.
func (v *View) state(name string) *node.State {
	if s := v.Related.States.Get(name); s != nil && s.Reported {
		return s
	}
	return nil
}

// appliedOn are the enactments by which nodes have applied a policy in its present form, by node; of a node with several the
// first counts. known is false where enactments are not related at all, so that their absence says nothing.
func (v *View) appliedOn(p *facts.Policy) (applied map[string]*facts.Enactment, known bool) {
	if !v.Related.Enactments.Sent {
		return nil, false
	}
	applied = make(map[string]*facts.Enactment, len(v.enactments[p.Key]))
	for _, e := range v.enactments[p.Key] {
		if applied[e.Node] == nil && e.Applied(p) {
			applied[e.Node] = e
		}
	}
	return applied, true
}

// reaches reports whether a policy selects a node. A node that is not related is outside of the selector.
func (v *View) reaches(p *facts.Policy, name string) bool {
	if len(p.NodeSelector) == 0 {
		return true
	}
	n := v.Related.Nodes.Get(name)
	return n != nil && n.Selected(p.NodeSelector)
}

// leaving are the policies of the owner that exist and that nothing wants.
func (v *View) leaving(except string) []*facts.Policy {
	return slices.DeleteFunc(v.Policies.All(), func(p *facts.Policy) bool { return v.wanted[p.Key] || p.Key == except })
}

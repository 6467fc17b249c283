// Package bridges decides about the bridges that one owner, a Wukong, wants on the nodes, and about the policies that
// build them. It knows policies and nodes. It knows nothing of machines and attachments, except whether any of them
// uses a bridge.
//
// These words have one meaning here:
//
//   - Two policies conflict if the nodes cannot have the bridges of both: for example, both take the same uplink. The
//     comments call "others" the policies that are not the owner's.
//   - A policy loses if it conflicts with an older policy; the older one wins. A conflict is refused before a policy is
//     created, so a policy can only lose if both were created before either could be seen. See contest.go.
//   - A policy leaves if nothing wants it any more. It may exist for a while: until its bridge is off the nodes, where
//     that is asked for. It is marked while it has the annotation facts.AnnotationRemoving. See leave.go.
//
// The table "observed, wanted, answered" at the end of docs/decisions.md has every decision. Decide has the rows of a
// policy that is wanted, Leave has the rows of a policy that is no longer wanted.
package bridges

import (
	"iter"
	"slices"
	"strings"
	"time"

	"novasphere.dev/wukong/sync/facts"
	"novasphere.dev/wukong/sync/node"
	"novasphere.dev/wukong/sync/outcome"
	"novasphere.dev/wukong/types/v1alpha1"
)

// View is everything that the decisions about one owner's bridges may use. New makes a View, and nothing changes it
// later.
type View struct {
	// Owner is who wants the bridges.
	Owner facts.Owner

	// Preflight is whether the reports of the nodes are checked.
	Preflight bool

	// NodesSettle is how long after a node was first told of no policy is created: others may follow.
	NodesSettle time.Duration

	// NodesGather is for how long changes of the bridges of a node are gathered before they are told of.
	NodesGather time.Duration

	// TeardownTimeout is how long the removal of a bridge may make no progress before it is given up.
	TeardownTimeout time.Duration

	// Now is the time of the request.
	Now time.Time

	// Wants are the bridges that the owner wants, in the owner's order.
	Wants []Want

	// Masters are the NICs on which the owner wants machines by macvlan or ipvlan: none can be a bridge's port as well.
	Masters map[string]bool

	// Policies are the owner's policies that exist.
	Policies facts.Set[facts.Policy]

	// Related are the observed objects that do not belong to the owner.
	Related *facts.Related

	// Asked are the names of the bridges whose policies the hook has asked Metacontroller for. Only for these does Related
	// have every policy of others.
	Asked map[string]bool

	// Reclaimed are the keys of the policies whose bridges have to be removed from the nodes when the policy goes.
	Reclaimed map[string]bool

	wanted     map[string]bool               // the policies of Wants, except superseded ones
	own        map[string]bool               // the names of the bridges of Wants
	others     []*facts.Policy               // the policies of others, in the order of their names
	byBridge   map[string][]int              // indexes in others
	byUplink   map[string][]int              // indexes in others
	enactments map[string][]*facts.Enactment // by policy, of the nodes that there are
	nodes      []*seenNode                   // in the order of their names
	reached    map[string][]*seenNode        // by policy, the nodes that its Want selects
	eldest     map[node.Bridge]*facts.Policy // what eldestAlly has found

	everEnacted map[string][]*facts.Enactment // by policy, with those of nodes that are no more
}

// Want is one bridge that the owner wants.
type Want struct {
	// Policy is the name of the policy that builds the bridge.
	Policy string

	Bridge        node.Bridge
	ReclaimPolicy v1alpha1.ReclaimPolicy

	// Labels are the labels of the policy.
	Labels map[string]any

	// NodeSelector says on which nodes the bridge shall be; empty for all.
	NodeSelector map[string]string

	// Entries is how many uplinks the owner has, each with nodes of its own, of which this is one; 0 where it is for all nodes.
	Entries int

	// Superseded is the message that an older object still has the names of this policy or its attachment and has to go
	// first; empty where none has.
	Superseded string

	// Stands is whether an attachment or a machine uses the bridge. Then the bridge must not be taken away.
	Stands bool

	// Taken is why the policy may not be created, because of something that no policy and no node tells of; nil where nothing is there. A
	// policy that exists stays.
	Taken *outcome.Refusal
}

// New is a View with its lookups filled in.
func New(v View) *View {
	v.wanted, v.own = map[string]bool{}, map[string]bool{}
	for _, w := range v.Wants {
		v.own[w.Bridge.Name] = true
		if w.Superseded == "" {
			v.wanted[w.Policy] = true
		}
	}
	v.seeNodes()
	v.readEnactments()
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

// owns reports whether a related policy is the owner's. Metacontroller reads the caches of children and related objects
// at different moments, so a policy of the owner may be in only one of them. An owner reference alone can be edited: a policy that
// does not have a name of the owner's is somebody else's all the same.
func (v *View) owns(p *facts.Policy) bool {
	named := strings.HasPrefix(p.Name, v.Owner.Name+"-") || strings.HasPrefix(p.Name, v.Owner.Name+".")
	return v.Policies.Get(p.Key) != nil || named && p.Owner.Controller && p.Owner.UID == v.Owner.UID
}

// other is the policy of somebody else with this name; nil where there is none.
func (v *View) other(name string) *facts.Object {
	if p := v.Related.Policies.Get(name); p != nil && !v.owns(p) {
		return &p.Object
	}
	return nil
}

// meeting yields the policies of others that have the name or the uplink of a bridge, in the order of their names.
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

// eldestAlly is the oldest policy of others that builds exactly this bridge, and so shares it; nil where there is none.
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

// FailedOn are the nodes on which a policy has failed, and that NMState does not try again.
func (v *View) FailedOn(policy string) (nodes []string) {
	for _, e := range v.enactments[policy] {
		if e.Conditions.Of("Failing").True() && !e.Retried() {
			nodes = append(nodes, e.Node)
		}
	}
	return nodes
}

// appliedOn are the enactments that say a node has applied the present generation of a policy, by node. Where a node
// has several, the first counts. known is false where enactments are not related: then a missing one says nothing.
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
func (v *View) reaches(p *facts.Policy, n *seenNode) bool {
	return len(p.NodeSelector) == 0 || n.known && facts.Selects(p.NodeSelector, n.labels)
}

// unwanted are the owner's policies that exist and that nothing wants, except one.
func (v *View) unwanted(except string) []*facts.Policy {
	return slices.DeleteFunc(v.Policies.All(), func(p *facts.Policy) bool { return v.wanted[p.Key] || p.Key == except })
}

package bridges

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"novasphere.dev/wukong/sync/facts"
	"novasphere.dev/wukong/sync/node"
	"novasphere.dev/wukong/sync/outcome"
	"novasphere.dev/wukong/types/v1alpha1"
)

// seenNode is one node of the cluster as the request shows it.
type seenNode struct {
	name   string
	labels map[string]string
	known  bool        // the node itself is related, and not only what it reports
	state  *node.State // nil where it reports nothing that counts
	why    string      // why state is nil, and what to do
	forged bool        // what is told of it is not what the hook told
	since  time.Time   // when it was first told of

	uid     types.UID // of the Node; empty where it is not known
	created time.Time // when the Node was created; zero where that is not known
	joined  time.Time // when the node, or what is told of it, was created; zero where that is not known
}

// seeNodes fills in the nodes, and which of them each Want reaches. WukongNodes count. While Metacontroller does not send them yet,
// because it keeps the rules that an older version of the hook has answered, Nodes and NodeNetworkStates count.
func (v *View) seeNodes() {
	if v.Related.WukongNodes.Sent {
		v.seeWukongNodes()
	} else {
		v.seeNodeStates()
	}
	v.reached = map[string][]*seenNode{}
	for _, w := range v.Wants {
		for _, n := range v.nodes {
			if n.known && facts.Selects(w.NodeSelector, n.labels) {
				v.reached[w.Policy] = append(v.reached[w.Policy], n)
			}
		}
	}
}

// seeWukongNodes reads what WukongNodes tell. One that Metacontroller has not made tells nothing.
// The table in docs/decisions.md has its rows.
func (v *View) seeWukongNodes() {
	for _, n := range v.Related.WukongNodes.All() {
		seen := &seenNode{name: n.Name, labels: n.Labels, known: true, state: n.State(), since: n.Created, joined: n.Created}
		if n.Trusted() && n.Readable {
			seen.uid = n.NodeUID
			// Versions of the hook that did not tell this told nothing here: then only the UIDs count.
			seen.created, _ = time.Parse(time.RFC3339, n.Network.NodeCreatedAt)
		}
		switch {
		case seen.state != nil:
		case !n.Trusted() || !n.Readable:
			seen.forged = true
			seen.why = fmt.Sprintf("WukongNode %s is not the one that Metacontroller makes: "+
				"`kubectl delete wukongnode %s` has it made again", n.Name, n.Name)
		default:
			seen.why = fmt.Sprintf("node %s does not report its network: %s", n.Name, n.Network.Message)
		}
		v.nodes = append(v.nodes, seen)
	}
}

// seeNodeStates joins Nodes with what they report. A report without its Node is of one that was not selected, or is gone.
func (v *View) seeNodeStates() {
	for _, n := range v.Related.Nodes.All() {
		seen := &seenNode{name: n.Name, labels: n.Labels, known: true, joined: n.Created, why: fmt.Sprintf(
			"node %s has no NodeNetworkState yet: see whether NMState's handler runs there", n.Name)}
		seen.uid, seen.created = n.UID, n.Created
		if s := v.Related.States.Get(n.Name); s != nil && s.Reported {
			seen.state = s
		}
		v.nodes = append(v.nodes, seen)
	}
	for _, s := range v.Related.States.All() {
		if v.Related.Nodes.Get(s.Node) == nil {
			v.nodes = append(v.nodes, &seenNode{name: s.Node, state: s})
		}
	}
	slices.SortFunc(v.nodes, func(a, b *seenNode) int { return strings.Compare(a.name, b.name) })
}

// readEnactments fills in the enactments: those that say what a node has, and all. An enactment of a node that is no more says nothing of
// the node that has its name now, but it still says that NMState has been at work.
// The table in docs/decisions.md has its rows.
func (v *View) readEnactments() {
	named := map[string]*seenNode{}
	for _, n := range v.nodes {
		named[n.name] = n
	}
	v.enactments, v.everEnacted = map[string][]*facts.Enactment{}, map[string][]*facts.Enactment{}
	for _, e := range v.Related.Enactments.All() {
		v.everEnacted[e.Policy] = append(v.everEnacted[e.Policy], e)
		if n := named[e.Node]; n != nil && e.OfAnother(n.uid, cmp.Or(n.since, n.created), n.created) {
			continue
		}
		v.enactments[e.Policy] = append(v.enactments[e.Policy], e)
	}
}

// settling reports whether the nodes are still being told of for the first time: Metacontroller makes one WukongNode after the other, and
// a policy that is created in the midst of that reaches nodes that nobody has looked at. A time to come is that of another clock.
// The table in docs/decisions.md has its rows.
func (v *View) settling() bool {
	return slices.ContainsFunc(v.nodes, func(n *seenNode) bool {
		age := v.Now.Sub(n.since)
		return !n.since.IsZero() && age < v.NodesSettle && age > -time.Minute
	})
}

// untilReported is how long a node may take after it has joined until it reports its network. A node that has not done so by then has no
// handler of NMState, or that does not work, and nobody but the user can change it.
const untilReported = 10 * time.Minute

// unreported is the refusal because of a node that does not report its network.
// The table in docs/decisions.md has its rows.
func (v *View) unreported(w *Want, n *seenNode) *outcome.Refusal {
	r := &outcome.Refusal{Reason: v1alpha1.ReasonPreflightWaiting, Message: n.why}
	if n.forged {
		return r
	}
	unfit := v.opposed(w).nodes
	for _, other := range v.reached[w.Policy] {
		if other.state == nil {
			unfit = append(unfit, other.name)
		}
	}
	slices.Sort(unfit)
	r.Message += v.skipping(w, unfit)
	age := v.Now.Sub(n.joined)
	switch {
	case !n.joined.IsZero() && age < untilReported && age > -time.Minute:
		r.Again = untilReported - age
		return r
	}
	r.Stuck = true
	r.Message += "; it does not go on by itself"
	return r
}

// seesNodes reports whether the request shows any nodes, or would if there were some.
func (v *View) seesNodes() bool {
	return v.Related.WukongNodes.Sent || v.Related.Nodes.Sent || v.Related.States.Sent
}

// unselected is the message that no node has the labels that a bridge is for, and what to do about it.
func (v *View) unselected(w *Want, selector map[string]string) string {
	untold := v.Related.WukongNodes.Sent && len(v.nodes) == 0
	none := "no node has the labels " + someLabels(selector)
	switch {
	case w.Entries == 0 && untold:
		return "no node with these labels has a WukongNode: correct highAvailability.nodeSelector, label the nodes, " +
			"or see whether the DecoratorController wukong-nodes runs"
	case w.Entries == 0:
		return "there is no node, or none with the labels of highAvailability.nodeSelector: correct it, or label the nodes"
	case untold:
		return none + ": label the nodes, correct the nodeSelector, or see whether the DecoratorController wukong-nodes runs"
	case w.Entries == 1: // it cannot be removed
		return none + ": label the nodes, or correct the nodeSelector"
	}
	return none + ": label the nodes, correct the nodeSelector, or remove the uplink"
}

// labelsLength is from how many characters on a message names no further label.
const labelsLength = 80

// someLabels are labels as kubectl takes them, and how many more there are where they are long.
func someLabels(selector map[string]string) string {
	some := ""
	for i, key := range slices.Sorted(maps.Keys(selector)) {
		switch {
		case len(some) > labelsLength:
			return fmt.Sprintf("%s and %d more", some, len(selector)-i)
		case i > 0:
			some += ","
		}
		some += key + "=" + selector[key]
	}
	return some
}

// Package picture draws networks: NIC, VLAN, bridge, attachment, machine. It makes a graph of what plan, status and render know, and
// writes it as Mermaid or as one HTML page. A bridge that several share is drawn once, nodes that are alike are drawn as one, and so are
// many machines that are alike. What is drawn is judged by the content of the objects, and equal scenes give equal pictures.
package picture

import (
	"novasphere.dev/wukong/sync/facts"
)

// State is how it stands with something that is drawn.
type State string

// The states.
const (
	Shown   State = ""        // a file says so, and nothing else is known
	Good    State = "good"    // it is as it should be
	New     State = "new"     // it would be created
	Changed State = "changed" // it would be changed
	Held    State = "held"    // it stays as it is, although something else is asked for
	Waiting State = "waiting" // it is there, and nobody has to do anything but wait
	Absent  State = "absent"  // it is not there yet
	Leaving State = "leaving" // it goes, or would be deleted
	Failed  State = "failed"  // it is there, and does not go on without somebody
	Refused State = "refused" // it does not come to be
)

// Mark is what is said of something that is drawn.
type Mark struct {
	State State
	Word  string // the reason, or KubeVirt's or NMState's word
	Why   string // the message; several lines where there is much to say
}

// Scene is everything that there is to draw.
type Scene struct {
	Title   string
	Summary string // in one line; may be empty
	Owners  []Owner

	// Policies and Attachments are those of others. They are drawn where they have to do with the owners.
	Policies    []Policy
	Attachments []Attachment

	// Nodes are the labels of the nodes; nil where nobody knows which nodes there are.
	Nodes map[string]map[string]string

	Notes   []Note   // what is worth knowing besides
	Unknown []string // what was not to be seen
}

// Note is something worth knowing about an object.
type Note struct {
	About, Text string
}

// Owner is a Wukong or a WukongNetwork, and what it has or would have.
type Owner struct {
	Kind, Name string
	Place      string // its file; empty where it is in the cluster
	Mark

	Policies    []Policy
	Attachments []Attachment
	Machine     *Machine // nil for a WukongNetwork, and where nothing is known of the machine
}

// Policy is a policy and what has become of it.
type Policy struct {
	*facts.Policy
	Mark

	// Nodes are the marks of single nodes. What is not there is as the policy.
	Nodes map[string]Mark
}

// Attachment is an attachment and what has become of it.
type Attachment struct {
	*facts.Attachment
	Mark
	Resource string // that a Pod which uses it asks its node for
}

// Machine is a machine and what has become of it.
type Machine struct {
	Namespace, Name string
	Mark
	Plugs        []facts.Plug
	NodeSelector map[string]string
	Node         string // that it runs on; empty where it does not
}

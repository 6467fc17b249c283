package sync

import (
	"encoding/json"
	"fmt"
	"reflect"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kjson "sigs.k8s.io/json"

	"novasphere.dev/wukong/sync/facts"
	"novasphere.dev/wukong/sync/lenient"
	"novasphere.dev/wukong/sync/node"
	"novasphere.dev/wukong/types/v1alpha1"
)

// NodeRequest is what Metacontroller posts to /node/sync: a Node, the WukongNode that was made of it before, and its
// NodeNetworkState (https://metacontroller.github.io/metacontroller/api/decoratorcontroller.html).
type NodeRequest struct {
	// Object is the Node.
	Object facts.Node `json:"object"`

	// Attachments are the observed objects that the DecoratorController has made of the Node.
	Attachments facts.Attachments `json:"attachments"`

	// Related are the objects that the answer to /node/customize asked for.
	Related facts.Related `json:"related"`
}

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (r *NodeRequest) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	reader := lenient.New(d)
	readMembers(reader, func(name string) {
		switch name {
		case "object":
			reader.Decode(&r.Object)
		case "attachments":
			reader.Decode(&r.Attachments)
		case "related":
			reader.Decode(&r.Related)
		}
	})
	return reader.Err()
}

// NodeResponse is the answer to /node/sync. It has nothing of the Node itself: Metacontroller writes a status in it, be it an empty one,
// over the status that the kubelet keeps on the Node, and labels and annotations in it onto the Node.
type NodeResponse struct {
	// Attachments is the WukongNode that should exist.
	Attachments Children `json:"attachments"`

	// ResyncAfterSeconds asks Metacontroller to call once more after this time.
	ResyncAfterSeconds float64 `json:"resyncAfterSeconds,omitempty"`
}

// NodeCustomizeRequest is what Metacontroller posts to /node/customize. It calls the Node parent there.
type NodeCustomizeRequest struct {
	Parent facts.Node `json:"parent"`
}

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (r *NodeCustomizeRequest) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	reader := lenient.New(d)
	readMembers(reader, func(name string) {
		if name == "parent" {
			reader.Decode(&r.Parent)
		}
	})
	return reader.Err()
}

// SyncNode answers the WukongNode of a Node. What cannot be read of the node's network is told as not reported, and never an error:
// an error would leave the old facts standing.
// The table in docs/decisions.md has its rows.
func SyncNode(req *NodeRequest, settings Settings, now time.Time) (*NodeResponse, error) {
	if err := isNode("object", &req.Object); err != nil {
		return nil, err
	}
	name := req.Object.Name
	told := v1alpha1.NodeNetwork{Message: "NMState has no NodeNetworkState of it: see whether NMState's handler runs there"}
	switch s := req.Related.States.Get(name); {
	case s == nil:
	case !s.Reported:
		told.Message = "its NodeNetworkState has no interfaces: see the log of NMState's handler there"
	default:
		told = tellable(s.Network())
	}
	told.Ready = req.Object.Ready
	if created := req.Object.Created; !created.IsZero() {
		told.NodeCreatedAt = created.UTC().Format(time.RFC3339)
	}
	told, wait := req.since(told, settings, now)
	return &NodeResponse{Attachments: Children{wukongNode(&req.Object, told)}, ResyncAfterSeconds: wait.Seconds()}, nil
}

// since is what is told of a node, as it was first told where it is the same. For a time a change is not told: see node.Gather.
// The table in docs/decisions.md has its rows.
func (r *NodeRequest) since(told v1alpha1.NodeNetwork, settings Settings, now time.Time) (v1alpha1.NodeNetwork, time.Duration) {
	before := r.Attachments.WukongNodes.Get(r.Object.Name)
	if before == nil || !before.Readable {
		return told, 0
	}
	if sameFacts(before.Network, told) {
		// A time to come is nobody's report: somebody has edited it.
		told.ReportedAt = min(before.Network.ReportedAt, told.ReportedAt)
		return told, 0
	}
	wait := node.Gather(settings.NodesGather).Wait(before.Network, told, now)
	if wait == 0 {
		return told, 0
	}
	as := before.Network
	as.Ready, as.NodeCreatedAt = told.Ready, told.NodeCreatedAt
	return as, wait
}

// A WukongNode is written with a copy of itself in an annotation, and the API server takes 256 KiB of annotations. Past that Metacontroller
// could never write it again, and the old facts would stand for ever.
const (
	manyBridges = 500
	maxTold     = 230 << 10 // some 6,000 bridges on VLAN interfaces of their own, or a thousand of any other kind
)

// tellable is a network as a WukongNode can tell of it. One that is too large is not told at all: what cannot be told must not be looked
// at in an old form.
func tellable(n v1alpha1.NodeNetwork) v1alpha1.NodeNetwork {
	const way = "let machines share WukongNetworks instead of bridges of their own"
	if len(compact(n)) > maxTold {
		return v1alpha1.NodeNetwork{Message: "it has too many interfaces to tell of: " + way}
	}
	bridged := 0
	for _, g := range n.VLANBridges {
		bridged += len(g.Bridges)
	}
	for _, i := range n.Interfaces {
		if i.Bridge != nil {
			bridged++
		}
	}
	if bridged > manyBridges {
		n.Message = fmt.Sprintf("it has more than %d bridges, and every request about a machine on it has them all: %s", manyBridges, way)
	}
	return n
}

// sameFacts reports whether two reports say the same of a node's network, whenever they were made. Whether the node is ready, and
// how old it is, are no facts of its network.
// The table in docs/decisions.md has its rows.
func sameFacts(a, b v1alpha1.NodeNetwork) bool {
	a.ReportedAt, b.ReportedAt, a.Ready, b.Ready = "", "", false, false
	a.NodeCreatedAt, b.NodeCreatedAt = "", ""
	// Through JSON, where an empty list and none are the same.
	return reflect.DeepEqual(generic(a), generic(b))
}

// wukongNode is the WukongNode of a Node.
func wukongNode(n *facts.Node, told v1alpha1.NodeNetwork) *unstructured.Unstructured {
	metadata := map[string]any{"name": n.Name}
	if len(n.Labels) > 0 {
		labels := map[string]any{}
		for key, value := range n.Labels {
			labels[key] = value
		}
		metadata["labels"] = labels
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": v1alpha1.APIVersion,
		"kind":       v1alpha1.NodeKind,
		"metadata":   metadata,
		"network":    generic(told),
	}}
}

// generic is a value as maps and lists, with integers as integers.
func generic(v any) map[string]any {
	text, err := json.Marshal(v)
	object := map[string]any{}
	if err == nil {
		err = kjson.UnmarshalCaseSensitivePreserveInts(text, &object)
	}
	if err != nil {
		panic(err) // JSON of a struct is an object
	}
	return object
}

// CustomizeNode answers that the NodeNetworkState of a Node is needed. It has the Node's name.
func CustomizeNode(req *NodeCustomizeRequest) (*CustomizeResponse, error) {
	if err := isNode("parent", &req.Parent); err != nil {
		return nil, err
	}
	return &CustomizeResponse{RelatedResources: []RelatedRule{
		{APIVersion: "nmstate.io/v1beta1", Resource: "nodenetworkstates", Names: []string{req.Parent.Name}},
	}}, nil
}

// isNode is why an object is no Node.
func isNode(field string, n *facts.Node) error {
	switch {
	case n.Kind == "":
		return fmt.Errorf("%s: Required value: the request has none", field)
	case n.APIVersion != "v1" || n.Kind != "Node":
		return fmt.Errorf("%s: Invalid value: %q: this hook serves v1 Node only", field, n.APIVersion+" "+n.Kind)
	case n.Name == "":
		return fmt.Errorf("%s.metadata.name: Required value", field)
	}
	return nil
}

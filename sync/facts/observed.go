package facts

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"novasphere.dev/wukong/sync/lenient"
	"novasphere.dev/wukong/sync/node"
)

// The kinds of children and related objects, which are their keys in a request.
const (
	PolicyKind     = "NodeNetworkConfigurationPolicy.nmstate.io/v1"
	EnactmentKind  = "NodeNetworkConfigurationEnactment.nmstate.io/v1beta1"
	StateKind      = "NodeNetworkState.nmstate.io/v1beta1"
	AttachmentKind = "NetworkAttachmentDefinition.k8s.cni.cncf.io/v1"
	MachineKind    = "VirtualMachine.kubevirt.io/v1"
	InstanceKind   = "VirtualMachineInstance.kubevirt.io/v1"
	NodeKind       = "Node.v1"
	WukongKind     = "Wukong.vm.novasphere.dev/v1alpha1"
	NamespaceKind  = "Namespace.v1"
	DataVolumeKind = "DataVolume.cdi.kubevirt.io/v1beta1"
	ClaimKind      = "PersistentVolumeClaim.v1"

	WukongNodeKind    = "WukongNode.vm.novasphere.dev/v1alpha1"
	WukongNetworkKind = "WukongNetwork.vm.novasphere.dev/v1alpha1"
)

// Children are the observed objects that belong to the parent. They keep their text, because the answer has to repeat
// them: Metacontroller deletes those that are missing.
type Children struct {
	Policies    Set[Policy]
	Attachments Set[Attachment]
	Machines    Set[Machine]
}

// Related are the objects that the answer to /customize asked for.
type Related struct {
	Policies    Set[Policy]
	Attachments Set[Attachment]
	Machines    Set[Machine]
	Enactments  Set[Enactment]
	Instances   Set[Instance]
	Nodes       Set[Node]
	States      Set[node.State]
	Wukongs     Set[Wukong]
	Namespaces  Set[Namespace]
	DataVolumes Set[DataVolume]
	Claims      Set[VolumeClaim]

	WukongNodes    Set[WukongNode]
	WukongNetworks Set[WukongNetwork]
}

// Attachments are the observed objects that a DecoratorController has made.
type Attachments struct {
	WukongNodes Set[WukongNode]
}

// UnmarshalJSONFrom implements json.UnmarshalerFrom. It skips kinds that the hook does not know.
func (a *Attachments) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	r := lenient.New(d)
	object(r, func(kind []byte) {
		if string(kind) == WukongNodeKind {
			readRelated(r, &a.WukongNodes)
		}
	})
	return r.Err()
}

// Set is the observed objects of one kind.
type Set[T any] struct {
	// Sent is whether the request has the kind, even if without any object of it.
	Sent bool

	// Keys are the keys of the objects, in order.
	Keys []string

	byKey map[string]*T
}

// Get is the object with a key; nil where there is none.
func (s Set[T]) Get(key string) *T {
	return s.byKey[key]
}

// All are the objects in the order of their keys.
func (s Set[T]) All() []*T {
	all := make([]*T, len(s.Keys))
	for i, key := range s.Keys {
		all[i] = s.byKey[key]
	}
	return all
}

// UnmarshalJSONFrom implements json.UnmarshalerFrom. It skips kinds that the hook does not know.
func (c *Children) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	r := lenient.New(d)
	object(r, func(kind []byte) {
		switch string(kind) {
		case PolicyKind:
			readChildren(r, &c.Policies)
		case AttachmentKind:
			readChildren(r, &c.Attachments)
		case MachineKind:
			readChildren(r, &c.Machines)
		}
	})
	return r.Err()
}

// UnmarshalJSONFrom implements json.UnmarshalerFrom. It skips kinds that the hook does not know.
func (o *Related) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	r := lenient.New(d)
	object(r, func(kind []byte) {
		switch string(kind) {
		case InstanceKind:
			readRelated(r, &o.Instances)
		case WukongKind:
			readRelated(r, &o.Wukongs)
		case NamespaceKind:
			readRelated(r, &o.Namespaces)
		case DataVolumeKind:
			readRelated(r, &o.DataVolumes)
		case ClaimKind:
			readRelated(r, &o.Claims)
		case AttachmentKind:
			readRelated(r, &o.Attachments)
		case MachineKind:
			readRelated(r, &o.Machines)
		default:
			o.readNetworks(r, kind)
		}
	})
	return r.Err()
}

// readNetworks reads the kinds that tell of the nodes' networks.
func (o *Related) readNetworks(r *lenient.Reader, kind []byte) {
	switch string(kind) {
	case PolicyKind:
		readRelated(r, &o.Policies)
	case EnactmentKind:
		readRelated(r, &o.Enactments)
	case NodeKind:
		readRelated(r, &o.Nodes)
	case WukongNodeKind:
		readRelated(r, &o.WukongNodes)
	case WukongNetworkKind:
		readRelated(r, &o.WukongNetworks)
	case StateKind:
		readSet(r, &o.States, func(key string) *node.State { return node.Read(key, r) })
	}
}

// observed is a type of object that reads itself.
type observed[T any] interface {
	*T
	readFrom(r *lenient.Reader)
	object() *Object
}

func (o *Object) object() *Object { return o }

func readRelated[T any, P observed[T]](r *lenient.Reader, s *Set[T]) {
	readSet(r, s, func(key string) *T {
		found := P(new(T))
		found.object().Key = key
		found.readFrom(r)
		identified(r, found.object())
		return found
	})
}

// readChildren reads the children of one kind, and keeps the text of each.
func readChildren[T any, P observed[T]](r *lenient.Reader, s *Set[T]) {
	readSet(r, s, func(key string) *T {
		found := P(new(T))
		o := found.object()
		o.Key, o.Raw = key, r.Raw()
		if r.Err() == nil {
			r.Fail(r.Within(o.Raw, found.readFrom))
			identified(r, o)
		}
		return found
	})
}

// PolicyOf reads a policy that is no child: what the hook answered last. What cannot be read is an empty policy.
func PolicyOf(text []byte) *Policy {
	p := &Policy{}
	if err := lenient.Unmarshal(text, p.readFrom); err != nil {
		return &Policy{}
	}
	return p
}

// AttachmentOf reads an attachment in the same way.
func AttachmentOf(text []byte) *Attachment {
	a := &Attachment{}
	if err := lenient.Unmarshal(text, a.readFrom); err != nil {
		return &Attachment{}
	}
	return a
}

// MachineOf reads a machine in the same way.
func MachineOf(text []byte) *Machine {
	m := &Machine{}
	if err := lenient.Unmarshal(text, m.readFrom); err != nil {
		return &Machine{}
	}
	return m
}

// identified makes an object without a kind an error: no API server sends such an object, and the hook could not answer
// it.
func identified(r *lenient.Reader, o *Object) {
	if o.Kind == "" && r.Err() == nil {
		r.Fail(fmt.Errorf("object %s has no kind", o.Key))
	}
}

func readSet[T any](r *lenient.Reader, s *Set[T], read func(key string) *T) {
	s.Sent, s.byKey = true, map[string]*T{}
	object(r, func(name []byte) {
		key := string(name)
		if !r.Present() {
			return
		}
		if !r.Is('{') {
			r.Fail(fmt.Errorf("object %s is no object", key))
			return
		}
		s.Keys = append(s.Keys, key)
		s.byKey[key] = read(key)
	})
	if !slices.IsSorted(s.Keys) {
		slices.Sort(s.Keys)
	}
}

// object reads an object of Metacontroller's own. Anything else in its place is an error.
func object(r *lenient.Reader, member func(name []byte)) {
	if r.Present() && !r.Is('{') {
		r.Fail(fmt.Errorf("the observed objects must be an object of objects"))
	}
	r.Object(member)
}

// Qualified is the key of an object: namespace/name, or name where there is no namespace.
func Qualified(namespace, name string) string {
	if namespace == "" {
		return name
	}
	return namespace + "/" + name
}

// Unqualified is the namespace and the name in a key. A key without a namespace is in the given one.
func Unqualified(key, namespace string) (string, string) {
	if before, name, found := strings.Cut(key, "/"); found {
		return before, name
	}
	return namespace, key
}

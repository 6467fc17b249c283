// Package facts reads the observed objects once, into the facts that decisions need. The objects come from other
// people's controllers; they may be half-written, or of versions not yet known. So a field that cannot be read counts
// as missing, and the rest of the object still counts. A child, which may be answered again, keeps its text beside the
// facts.
package facts

import (
	"time"

	"github.com/go-json-experiment/json/jsontext"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"novasphere.dev/wukong/sync/lenient"
)

// Object is the part that all observed objects have in common.
type Object struct {
	// Key is the key of the object in a request, and its name in messages: name, or namespace/name.
	Key string

	APIVersion, Kind, Namespace, Name string

	UID        types.UID
	Generation int64
	Labels     map[string]string
	Created    time.Time
	Deleting   bool // it is being deleted

	// RemovingSince is the value of AnnotationRemoving.
	RemovingSince string

	// Types is the value of AnnotationTypes.
	Types string
	// DefaultMTU is the value of AnnotationMTU.
	DefaultMTU int64

	// Decorated is whether a DecoratorController of Metacontroller has made the object.
	Decorated bool

	// Restored is whether KubeVirt has restored the object from a snapshot.
	Restored bool

	// LastApplied is the annotation in which Metacontroller's dynamic apply notes the last answer. Only objects with Raw
	// have it.
	LastApplied string

	// Owner is the owner that controls the object; the zero Owner where there is none.
	Owner Owner

	// NodeUID is the UID of the Node among the owners, whether that controls the object or not; empty where there is none. Another node
	// may have its name by now.
	NodeUID types.UID

	// Raw is the whole text of an object that may be answered again; nil for others.
	Raw jsontext.Value
}

// Owner is who controls an object.
type Owner struct {
	APIVersion, Kind, Name string
	UID                    types.UID
	Controller             bool
}

// String is the owner's name in messages.
func (o Owner) String() string {
	if !o.Controller {
		return "nobody"
	}
	return o.Kind + " " + o.Name
}

// Precedes reports whether an object is older than another. Of two that are equally old, the first by name precedes.
func (o Object) Precedes(other Object) bool {
	if o.Created.Equal(other.Created) {
		return o.Name < other.Name
	}
	return o.Created.Before(other.Created)
}

// read reads one member of an object, if all objects have such a member.
func (o *Object) read(r *lenient.Reader, member []byte) {
	switch string(member) {
	case "apiVersion":
		o.APIVersion = r.Text()
	case "kind":
		o.Kind = r.Text()
	case "metadata":
		r.Object(func(member []byte) { o.readMetadata(r, member) })
	}
}

func (o *Object) readMetadata(r *lenient.Reader, member []byte) {
	switch string(member) {
	case "name":
		o.Name = r.Text()
	case "namespace":
		o.Namespace = r.Text()
	case "uid":
		o.UID = types.UID(r.Text())
	case "generation":
		o.Generation = r.Int()
	case "labels":
		o.Labels = r.Map()
	case "annotations":
		r.Object(func(name []byte) { o.readAnnotation(r, name) })
	case "creationTimestamp":
		o.Created = readTime(r)
	case "deletionTimestamp":
		o.Deleting = !readTime(r).IsZero()
	case "ownerReferences":
		r.Objects(func() {
			owner := readOwner(r)
			if owner.Controller && !o.Owner.Controller {
				o.Owner = owner
			}
			if owner.APIVersion == "v1" && owner.Kind == "Node" && o.NodeUID == "" {
				o.NodeUID = owner.UID
			}
		})
	}
}

func (o *Object) readAnnotation(r *lenient.Reader, name []byte) {
	switch {
	case string(name) == AnnotationRemoving:
		o.RemovingSince = r.Text()
	case string(name) == AnnotationTypes:
		o.Types = r.Text()
	case string(name) == AnnotationMTU:
		o.DefaultMTU = ReadMTU(r.Text())
	case string(name) == annotationRestore:
		o.Restored = r.Text() != ""
	case string(name) == annotationDecorator:
		o.Decorated = r.Text() != ""
	case string(name) == AnnotationLastApplied && o.Raw != nil:
		o.LastApplied = r.Text()
	}
}

func readOwner(r *lenient.Reader) Owner {
	var o Owner
	r.Object(func(member []byte) {
		switch string(member) {
		case "apiVersion":
			o.APIVersion = r.Text()
		case "kind":
			o.Kind = r.Text()
		case "name":
			o.Name = r.Text()
		case "uid":
			o.UID = types.UID(r.Text())
		case "controller":
			o.Controller = r.Bool()
		}
	})
	return o
}

// readTime reads a time in the API server's form; the zero time where it is in another form.
func readTime(r *lenient.Reader) time.Time {
	t, err := time.Parse(time.RFC3339, r.Text())
	if err != nil {
		return time.Time{}
	}
	return t
}

// Condition is one condition of an observed object, in the form that NMState and KubeVirt share.
type Condition struct {
	Type, Status, Reason, Message string

	// LastTransitionTime is the text in the object: RFC 3339, or anything.
	LastTransitionTime string
}

// True reports whether the condition holds.
func (c Condition) True() bool {
	return c.Status == string(metav1.ConditionTrue)
}

// Conditions are the conditions of one object.
type Conditions []Condition

// Of is the first condition of a type; the zero Condition where there is none.
func (cs Conditions) Of(kind string) Condition {
	for _, c := range cs {
		if c.Type == kind {
			return c
		}
	}
	return Condition{}
}

func readConditions(r *lenient.Reader) Conditions {
	var all Conditions
	r.Objects(func() {
		var c Condition
		r.Object(func(member []byte) {
			switch string(member) {
			case "type":
				c.Type = r.Text()
			case "status":
				c.Status = r.Text()
			case "reason":
				c.Reason = r.Text()
			case "message":
				c.Message = r.Text()
			case "lastTransitionTime":
				c.LastTransitionTime = r.Text()
			}
		})
		all = append(all, c)
	})
	return all
}

// Disjoint reports whether no node can have the labels that both selectors want: they want different values of one label.
func Disjoint(a, b map[string]string) bool {
	for key, want := range a {
		if other, ok := b[key]; ok && other != want {
			return true
		}
	}
	return false
}

// Selects reports whether labels are those that a selector wants.
func Selects(selector, labels map[string]string) bool {
	for key, want := range selector {
		if have, ok := labels[key]; !ok || have != want {
			return false
		}
	}
	return true
}

// Package plan says what would become of Wukongs and WukongNetworks that are not applied yet. It puts them into a copy of a cluster's
// dump and lets the hook's own functions answer, again and again, as Metacontroller would ask them, until nothing changes any more.
// Meanwhile it plays those who carry the answers out, and everything that they are asked to do succeeds. So a plan says nothing else
// than the hook would, and no more than the dump knows.
package plan

import (
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/dump"
)

// File is an object that is not applied yet.
type File struct {
	// Place is the file that it stands in.
	Place string

	// Object is the object as it would be stored if there were none of its name; nil where the API server refuses it.
	Object *unstructured.Unstructured

	// Written is the object as it stands in the file.
	Written map[string]any

	// Refused is what the API server would say against it; empty where it would take it. Name is then all that is known.
	Refused []string
	Name    string
}

// Input is what a plan is made of.
type Input struct {
	Cluster *dump.Cluster
	Files   []File
	Hook    dump.Hook

	// Update is the object as the API server would store it in place of the one that exists, or its refusal.
	Update func(existing *unstructured.Unstructured, written map[string]any) (*unstructured.Unstructured, error)
}

// Plan is what would happen.
type Plan struct {
	// Objects are the objects in the files, in the order of the files, networks first.
	Objects []*Object `json:"objects"`

	// Others are Wukongs and WukongNetworks that are in no file, and for which something would change.
	Others []*Object `json:"others,omitempty"`

	// Missing is what the dump does not have, and what is said without it.
	Missing []string `json:"missing,omitempty"`

	// Refused is whether any of the objects, or a part of one, is refused.
	Refused bool `json:"refused"`

	// Nodes is the number of nodes that the dump tells of.
	Nodes int `json:"nodes"`

	simulated *simulated
}

// Verb is what happens to an object.
type Verb string

// The verbs.
const (
	Create Verb = "create"
	Change Verb = "change"
	Delete Verb = "delete"
	Hold   Verb = "hold" // it exists, and stays as it is, although something else is asked for
	Keep   Verb = "keep" // it exists, and is as it is asked for
)

// Object is a Wukong or a WukongNetwork and what would become of it.
type Object struct {
	Kind string `json:"kind"`
	Name string `json:"name"`
	File string `json:"file,omitempty"`
	Verb Verb   `json:"verb,omitempty"`

	// Changes are those of the object itself.
	Changes []Difference `json:"changes,omitempty"`

	// Steps are what happens to its children, in the order in which it happens.
	Steps []*Step `json:"steps,omitempty"`

	// Refused is why it, or a part of it, would not come to be; empty where nothing is refused. Reason is the word for it.
	Refused string `json:"refused,omitempty"`
	Reason  string `json:"reason,omitempty"`

	// Waits is what it would wait for in the end, although everybody does what he is asked to; empty where it waits for nothing.
	Waits string `json:"waits,omitempty"`

	// Conflicts are the objects in other files that the refusal is about.
	Conflicts []string `json:"conflicts,omitempty"`

	// Looks are the nodes that speak against it, or of which nothing is known.
	Looks []Node `json:"nodes,omitempty"`

	// Notes are what is worth knowing besides.
	Notes []string `json:"notes,omitempty"`

	// Before is what its status said before; only of others.
	Before string `json:"before,omitempty"`

	parent *unstructured.Unstructured
}

// Step is one thing that happens to a child.
type Step struct {
	// Round is after how many answers of the hook it happens, from 1 on.
	Round int `json:"round"`

	Verb      Verb   `json:"verb"`
	Kind      string `json:"kind"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"`

	Changes []Difference `json:"changes,omitempty"`

	// Nodes are the nodes that a policy is for.
	Nodes []Node `json:"nodes,omitempty"`

	// Dangers are what takes something from a running machine or a node.
	Dangers []Danger `json:"dangers,omitempty"`

	// Why is why the child is held.
	Why string `json:"why,omitempty"`
}

// Node is a node, and what is found there.
type Node struct {
	Policy  string `json:"policy,omitempty"`
	Name    string `json:"name"`
	Refused string `json:"refused,omitempty"`
	Waits   string `json:"waits,omitempty"`
}

// Danger is what somebody should know before it happens.
type Danger struct {
	// Kind is Restart, Stop, Network, Machine, Disk or Bridge.
	Kind    string `json:"kind"`
	Message string `json:"message"`
}

// Difference is one field that changes.
type Difference struct {
	Path string `json:"path"`
	From any    `json:"from,omitempty"`
	To   any    `json:"to,omitempty"`
}

// Make makes a plan. The error is about a dump that the hook cannot read.
func Make(in Input) (*Plan, error) {
	p, _, err := made(in)
	return p, err
}

// made is a plan, and the simulation that it was made by.
func made(in Input) (*Plan, *simulation, error) {
	s := &simulation{hook: in.Hook, cluster: in.Cluster.Copy(), steps: map[string]*Step{}}
	if err := s.cluster.TellNodes(in.Hook); err != nil {
		return nil, nil, err
	}
	p := &Plan{Missing: in.Cluster.Missing(), Objects: []*Object{}, Nodes: len(s.nodes())}
	before := s.cluster.Copy()
	for _, networks := range []bool{true, false} {
		for _, f := range in.Files {
			if (f.kind() == "WukongNetwork") == networks {
				p.Objects = append(p.Objects, s.apply(f, in.Update))
			}
		}
	}
	for _, o := range p.Objects {
		if o.parent != nil {
			s.planned = append(s.planned, o)
		}
	}
	if err := s.run(); err != nil {
		return nil, nil, err
	}
	for _, o := range s.planned {
		s.conclude(o)
	}
	others, err := s.others(before)
	if err != nil {
		return nil, nil, err
	}
	p.Others = others
	p.simulated = &simulated{cluster: s.cluster, before: before, hook: s.hook, last: s.last}
	for _, o := range p.Objects {
		p.Refused = p.Refused || o.Refused != ""
		o.Conflicts = conflicts(o, p.Objects)
	}
	return p, s, nil
}

func (f File) kind() string {
	kind, _ := f.Written["kind"].(string)
	return kind
}

// settle is for how long at most the hook's own waiting is waited for.
const settle = 10 * time.Minute

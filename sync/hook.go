package sync

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/sync/facts"
	"novasphere.dev/wukong/types/v1alpha1"
)

// Request is what Metacontroller posts to /sync and /finalize: the Wukong, and what exists of it. Its form is
// Metacontroller's hook version v2 (https://metacontroller.github.io/metacontroller/api/compositecontroller.html).
type Request struct {
	// Controller is the CompositeController that calls.
	Controller Controller `json:"controller"`

	// Parent is the Wukong.
	Parent *v1alpha1.Wukong `json:"parent"`

	// Children are the observed objects that belong to the Wukong. There is a key for every kind that the
	// CompositeController declares, also when no object of that kind exists.
	Children facts.Children `json:"children"`

	// Related are the objects that the answer to /customize asked for.
	Related facts.Related `json:"related"`

	// Finalizing is true while the Wukong is being deleted.
	Finalizing bool `json:"finalizing"`
}

// Observed is how many children exist.
func (r *Request) Observed() int {
	return len(r.Children.Policies.Keys) + len(r.Children.Attachments.Keys) + len(r.Children.Machines.Keys)
}

// Response is the answer to /sync and /finalize. A child that exists and is missing from Children is deleted.
type Response struct {
	// Status replaces the Wukong's status. Metacontroller adds observedGeneration.
	Status v1alpha1.WukongStatus `json:"status"`

	// Children is everything that should exist.
	Children Children `json:"children"`

	// ResyncAfterSeconds asks to be called again after this time, once.
	ResyncAfterSeconds float64 `json:"resyncAfterSeconds,omitempty"`

	// Finalized lets the Wukong go. It is set only when nothing of it is observed any more.
	Finalized bool `json:"finalized,omitempty"`

	// Notes are decisions that belong into the log of the process: plain lines, for the operator of the cluster.
	Notes []string `json:"-"`
}

// Children are desired objects. Metacontroller takes null as an empty list and deletes everything, and a null in the
// list crashes it for good: neither can be encoded.
type Children []*unstructured.Unstructured

// MarshalJSON implements json.Marshaler.
func (c Children) MarshalJSON() ([]byte, error) {
	objects := make([]map[string]any, 0, len(c))
	for i, child := range c {
		if child == nil || len(child.Object) == 0 {
			return nil, fmt.Errorf("children[%d] is empty", i)
		}
		objects = append(objects, child.Object)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // a "<" in a script of cloud-init is one, for whoever reads an answer
	err := e.Encode(objects)
	return b.Bytes(), err
}

// Controller is the part of the calling CompositeController that the hook reads.
type Controller struct {
	Spec ControllerSpec `json:"spec"`
}

// ControllerSpec names the kinds that the CompositeController manages.
type ControllerSpec struct {
	ChildResources []ChildResource `json:"childResources"`
}

// ChildResource is one kind of child.
type ChildResource struct {
	APIVersion string `json:"apiVersion"`
	Resource   string `json:"resource"`
}

// registers reports whether the CompositeController manages a kind. Of one that it does not manage nothing may be answered: a
// child of it is created once, and then never seen again.
func (c Controller) registers(apiVersion, resource string) bool {
	return slices.Contains(c.Spec.ChildResources, ChildResource{APIVersion: apiVersion, Resource: resource})
}

// CustomizeRequest is what Metacontroller posts to /customize.
type CustomizeRequest struct {
	Controller Controller       `json:"controller"`
	Parent     *v1alpha1.Wukong `json:"parent"`
}

// CustomizeResponse is the answer to /customize: the objects that Metacontroller shall send with each sync, and whose
// changes trigger one.
type CustomizeResponse struct {
	RelatedResources []RelatedRule `json:"relatedResources"`
}

// RelatedRule selects objects of one kind by names or by labels, never by both; with neither it selects all.
type RelatedRule struct {
	APIVersion    string                `json:"apiVersion"`
	Resource      string                `json:"resource"`
	Namespace     string                `json:"namespace,omitempty"`
	Names         []string              `json:"names,omitempty"`
	LabelSelector *metav1.LabelSelector `json:"labelSelector,omitempty"`
}

// isWukong is why a parent is none.
func isWukong(w *v1alpha1.Wukong) error {
	switch {
	case w == nil:
		return fmt.Errorf("parent: Required value: the request has no parent")
	case w.APIVersion != v1alpha1.APIVersion || w.Kind != v1alpha1.Kind:
		return fmt.Errorf("parent: Invalid value: %q: this hook serves %s %s only",
			w.APIVersion+" "+w.Kind, v1alpha1.APIVersion, v1alpha1.Kind)
	case w.Name == "":
		return fmt.Errorf("parent.metadata.name: Required value")
	}
	return nil
}

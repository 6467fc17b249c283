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

// RequestOf is what Metacontroller posts to the hooks /sync and /finalize of one kind of parent: the parent and the observed objects, in
// the form of hook version v2 (https://metacontroller.github.io/metacontroller/api/compositecontroller.html).
type RequestOf[P any] struct {
	// Controller is the CompositeController that calls.
	Controller Controller `json:"controller"`

	// Parent is the Wukong or the WukongNetwork.
	Parent *P `json:"parent"`

	// Children are the observed objects that belong to the parent. Every kind that the CompositeController declares has a
	// key, even if no object of the kind exists.
	Children facts.Children `json:"children"`

	// Related are the objects that the answer to /customize asked for.
	Related facts.Related `json:"related"`

	// Finalizing is true while the parent is being deleted.
	Finalizing bool `json:"finalizing"`
}

// Request is what Metacontroller posts about a Wukong.
type Request = RequestOf[v1alpha1.Wukong]

// Observed is the number of observed children.
func (r *RequestOf[P]) Observed() int {
	return len(r.Children.Policies.Keys) + len(r.Children.Attachments.Keys) + len(r.Children.Machines.Keys)
}

// Response is the answer to /sync and /finalize. Metacontroller deletes an observed child that is missing from
// Children.
type Response struct {
	// Status replaces the Wukong's status. Metacontroller adds observedGeneration.
	Status v1alpha1.WukongStatus `json:"status"`

	// Children is everything that should exist.
	Children Children `json:"children"`

	// ResyncAfterSeconds asks Metacontroller to call once more after this time.
	ResyncAfterSeconds float64 `json:"resyncAfterSeconds,omitempty"`

	// Finalized lets Metacontroller remove its finalizer from the Wukong. It is set only when no child is observed any
	// more.
	Finalized bool `json:"finalized,omitempty"`

	// Notes are lines for the log of the process, each about a decision that the operator of the cluster should know.
	Notes []string `json:"-"`
}

// Children are desired objects. To Metacontroller null is an empty list, and it deletes everything; a null in the list
// crashes it for good. So neither can be encoded.
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
	e.SetEscapeHTML(false) // keeps "<" in a script of cloud-init readable
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

// registers reports whether the CompositeController manages a kind. The hook must not answer a child of any other kind:
// Metacontroller would create it once, and never see it again.
func (c Controller) registers(apiVersion, resource string) bool {
	return slices.Contains(c.Spec.ChildResources, ChildResource{APIVersion: apiVersion, Resource: resource})
}

// CustomizeRequestOf is what Metacontroller posts to the hook /customize of one kind of parent.
type CustomizeRequestOf[P any] struct {
	Controller Controller `json:"controller"`
	Parent     *P         `json:"parent"`
}

// CustomizeRequest is what Metacontroller posts about a Wukong.
type CustomizeRequest = CustomizeRequestOf[v1alpha1.Wukong]

// CustomizeResponse is the answer to /customize. It selects the objects that Metacontroller sends with each sync; a
// change of one of them triggers a sync.
type CustomizeResponse struct {
	RelatedResources []RelatedRule `json:"relatedResources"`
}

// RelatedRule selects objects of one kind, by names or by labels but never by both. With neither it selects all.
type RelatedRule struct {
	APIVersion    string                `json:"apiVersion"`
	Resource      string                `json:"resource"`
	Namespace     string                `json:"namespace,omitempty"`
	Names         []string              `json:"names,omitempty"`
	LabelSelector *metav1.LabelSelector `json:"labelSelector,omitempty"`
}

// isWukong is an error where the parent is not a Wukong.
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

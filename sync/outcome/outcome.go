// Package outcome is what becomes of one child: what is answered, and what is said about it.
package outcome

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/types/v1alpha1"
)

// Outcome is what became of one child.
type Outcome struct {
	// Child is what is answered; nil where nothing is: not needed, or not yet.
	Child *unstructured.Unstructured

	// Refusal is why what stands on the child may not be created; nil where it may.
	Refusal *Refusal
}

// Refusal is why something is not so yet, or never will be.
type Refusal struct {
	Reason  v1alpha1.Reason
	Message string // one line for the user
	Stuck   bool   // only the user can make progress
}

// Ready reports whether what stands on the child may be created.
func (o Outcome) Ready() bool {
	return o.Refusal == nil
}

// Message is the refusal's, or "".
func (o Outcome) Message() string {
	if o.Refusal == nil {
		return ""
	}
	return o.Refusal.Message
}

// Worst is the refusal that a summary speaks of: the first that only the user can end, else the first; nil where there is none.
func Worst(refusals ...*Refusal) *Refusal {
	var first *Refusal
	for _, r := range refusals {
		switch {
		case r == nil:
		case r.Stuck:
			return r
		case first == nil:
			first = r
		}
	}
	return first
}

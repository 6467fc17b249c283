// Package outcome is the decision about one child: what the hook answers for it, and why what depends on it has to
// wait.
package outcome

import (
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/types/v1alpha1"
)

// Outcome is the decision about one child.
type Outcome struct {
	// Child is the object to answer; nil where none is answered, because it is not needed, or not needed yet.
	Child *unstructured.Unstructured

	// Refusal is why the children that depend on this one may not be created; nil where they may.
	Refusal *Refusal
}

// Refusal is why something is not done, now or ever.
type Refusal struct {
	Reason  v1alpha1.Reason
	Message string // one line for the user
	Stuck   bool   // only the user can make progress

	// Again is after which time to look again, because no event will tell; 0 where one will.
	Again time.Duration
}

// Ready reports whether the children that depend on this one may be created.
func (o Outcome) Ready() bool {
	return o.Refusal == nil
}

// Message is the message of the refusal; empty where there is none.
func (o Outcome) Message() string {
	if o.Refusal == nil {
		return ""
	}
	return o.Refusal.Message
}

// Worst is the refusal that a summary repeats: the first that only the user can end, else the first of all; nil where
// there is none.
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

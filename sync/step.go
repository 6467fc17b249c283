package sync

import "k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

// step is what became of one child: what is answered, and what is said about it.
type step struct {
	child *unstructured.Unstructured // nil where nothing is answered: not needed, or not yet

	ready   bool   // what stands on it may be created
	reason  string // the condition's reason where not ready
	message string // one line for the user
	stuck   bool   // only the user can make progress
	concern string // what the user should know of, though nothing waits for it
	state   string // the policy's state, for the network's status
	network string // the network that a leaving child was made for
	note    string // a line for the log
}

// worst is the step that a summary speaks of: the first that is stuck, else the first that is not ready; nil where all
// are ready.
func worst(steps []step) *step {
	for i := range steps {
		if steps[i].stuck && !steps[i].ready {
			return &steps[i]
		}
	}
	for i := range steps {
		if !steps[i].ready {
			return &steps[i]
		}
	}
	return nil
}

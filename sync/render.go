package sync

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/types/v1alpha1"
)

// Stage is one step of the order in which children come into being.
type Stage struct {
	Title   string // for example "1. node network"
	Objects []*unstructured.Unstructured
}

// Render answers every child that Sync would ever create for a Wukong, in order, as if everything it waits for were
// ready. nmstate says whether NMState's policies are registered. With preserveHostIP the policy is the one for nodes with
// a static address: which one it is is known only when the nodes are looked at.
func Render(w *v1alpha1.Wukong, settings Settings, nmstate bool) ([]Stage, error) {
	if err := isWukong(w); err != nil {
		return nil, err
	}
	w = defaulted(w)
	obs := observe(w, Controller{}, nil, nil)
	obs.nmstate = nmstate
	nets := networks(w, settings, obs)
	if errs := validate(w, nets); len(errs) > 0 {
		return nil, errs.ToAggregate()
	}

	stages := []Stage{{Title: "1. node network"}, {Title: "2. attachments"}, {Title: "3. machine"}}
	for _, n := range nets {
		if n.policy != "" {
			stages[0].Objects = append(stages[0].Objects, newPolicyFor(w, n, false))
		}
		if n.ownNAD {
			stages[1].Objects = append(stages[1].Objects, nad(w, n, settings))
		}
	}
	stages[2].Objects = append(stages[2].Objects, vm(w, nets, settings, nil))
	return stages, nil
}

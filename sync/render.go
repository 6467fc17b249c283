package sync

import (
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/types/v1alpha1"
)

// Stages is everything that the hook would ever create for a Wukong, in the order of its creation.
type Stages struct {
	NodeNetwork, Attachments, Machine []*unstructured.Unstructured
}

// Render answers every child that Sync would ever create for a Wukong, as if everything that it waits for were ready.
// nmstate is whether NMState's policies are registered. With preserveHostIP the policy is the form for nodes with
// static addresses: only the reports of the nodes tell whether their addresses come by DHCP.
func Render(w *v1alpha1.Wukong, settings Settings, nmstate bool) (*Stages, error) {
	if err := isWukong(w); err != nil {
		return nil, err
	}
	req := &Request{Parent: w}
	if nmstate {
		req.Controller.Spec.ChildResources = []ChildResource{{APIVersion: "nmstate.io/v1", Resource: "nodenetworkconfigurationpolicies"}}
	}
	v := newView(req, settings, time.Time{})
	if errs := v.validate(); len(errs) > 0 {
		return nil, errs.ToAggregate()
	}
	stages := &Stages{}
	for i := range v.bridges.Wants {
		stages.NodeNetwork = append(stages.NodeNetwork, v.bridges.Desired(&v.bridges.Wants[i]))
	}
	for _, n := range v.networks {
		if n.ownAttachment {
			stages.Attachments = append(stages.Attachments, v.newAttachment(n))
		}
	}
	stages.Machine = append(stages.Machine, v.newMachine(v.networks))
	return stages, nil
}

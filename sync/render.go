package sync

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/sync/facts"
	"novasphere.dev/wukong/types/v1alpha1"
)

// Stages is everything that the hook would ever create for a Wukong, in the order of its creation.
type Stages struct {
	NodeNetwork, Attachments, Machine []*unstructured.Unstructured

	// Advice is what the user may want to know of it, in one line; empty where there is nothing to say.
	Advice string
}

// Render answers every child that Sync would ever create for a Wukong, as if everything that it waits for were ready.
// nmstate is whether NMState's policies are registered. With preserveHostIP the policy is the form for nodes with
// static addresses: only the reports of the nodes tell whether their addresses come by DHCP. networks are the WukongNetworks
// that the Wukong may use.
func Render(w *v1alpha1.Wukong, networks []*v1alpha1.WukongNetwork, settings Settings, nmstate bool) (*Stages, error) {
	if err := isWukong(w); err != nil {
		return nil, err
	}
	req := &Request{Parent: w, Controller: rendering(nmstate)}
	req.Related.WukongNetworks = facts.NetworksOf(networks)
	v := newView(req, settings, time.Time{})
	if errs := v.validate(); len(errs) > 0 {
		return nil, errs.ToAggregate()
	}
	stages := &Stages{}
	for i := range v.bridges.Wants {
		stages.NodeNetwork = append(stages.NodeNetwork, v.bridges.Desired(&v.bridges.Wants[i]))
	}
	for _, n := range v.networks {
		switch {
		case n.NetworkName != "" && !nmstate:
			return nil, fmt.Errorf("spec.networks[%d].networkName: %s", n.index, v.sharedRefusal(n).Message)
		case n.NetworkName != "" && n.shared == nil:
			return nil, fmt.Errorf("spec.networks[%d].networkName: WukongNetwork %s is in none of the files: render its file too",
				n.index, n.NetworkName)
		}
		if n.ownAttachment {
			stages.Attachments = append(stages.Attachments, v.newAttachment(n))
		}
	}
	stages.Machine = append(stages.Machine, v.newMachine(v.networks))
	stages.Advice = v.drainAdvice(stages.Machine[0])
	return stages, nil
}

// rendering is a CompositeController that declares NMState's policies, or does not.
func rendering(nmstate bool) (c Controller) {
	if nmstate {
		c.Spec.ChildResources = []ChildResource{{APIVersion: "nmstate.io/v1", Resource: "nodenetworkconfigurationpolicies"}}
	}
	return c
}

// RenderNetwork answers every policy that SyncNetwork would ever create for a WukongNetwork.
func RenderNetwork(w *v1alpha1.WukongNetwork, settings Settings, nmstate bool) ([]*unstructured.Unstructured, error) {
	if err := isNetwork(w); err != nil {
		return nil, err
	}
	v := newNetworkView(&NetworkRequest{Parent: w, Controller: rendering(nmstate)}, settings, time.Time{})
	if errs := v.validate(); len(errs) > 0 {
		return nil, errs.ToAggregate()
	}
	var policies []*unstructured.Unstructured
	for i := range v.bridges.Wants {
		if nmstate {
			policies = append(policies, v.bridges.Desired(&v.bridges.Wants[i]))
		}
	}
	return policies, nil
}

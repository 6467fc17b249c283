package sync

import (
	"slices"
	"time"

	"novasphere.dev/wukong/sync/bridges"
	"novasphere.dev/wukong/types/v1alpha1"
)

// CustomizeNetwork answers which other objects a decision about a WukongNetwork needs. Who uses the network is asked for only when it is
// being deleted: Metacontroller asks again then, because a deletion raises the generation.
func CustomizeNetwork(req *NetworkCustomizeRequest, settings Settings) (*CustomizeResponse, error) {
	if err := isNetwork(req.Parent); err != nil {
		return nil, err
	}
	v := newNetworkView(&NetworkRequest{Controller: req.Controller, Parent: req.Parent}, settings, time.Time{})
	rules := []RelatedRule{}
	if v.nmstate {
		rules = append(rules, v.policyRules()...)
	}
	if v.w.DeletionTimestamp != nil {
		rules = append(rules, RelatedRule{APIVersion: v1alpha1.APIVersion, Resource: v1alpha1.Resource})
		if v.w.Spec.ReclaimPolicy == v1alpha1.Delete {
			rules = append(rules, RelatedRule{APIVersion: "k8s.cni.cncf.io/v1", Resource: "network-attachment-definitions"})
		}
	}
	return &CustomizeResponse{RelatedResources: rules}, nil
}

// policyRules select NMState's reports on the policies, the policies of others with the same names, bridges and uplinks, and the nodes.
func (v *networkView) policyRules() []RelatedRule {
	var policies, bridged, uplinks []string
	leaving := false
	for _, w := range v.bridges.Wants {
		policies, bridged, uplinks = append(policies, w.Policy), append(bridged, w.Bridge.Name), append(uplinks, w.Bridge.Uplink)
	}
	for _, told := range v.w.Status.Policies {
		leaving = leaving || !slices.ContainsFunc(v.bridges.Wants, func(w bridges.Want) bool {
			return w.Policy == told.Name && w.Bridge.Name == told.Bridge && w.Bridge.Uplink == told.Uplink
		})
		policies = append(policies, told.Name)
		if told.Bridge != "" && told.Uplink != "" {
			bridged, uplinks = append(bridged, told.Bridge), append(uplinks, told.Uplink)
		}
	}
	rules := policyRules(policies, bridged, uplinks)
	// As for a Wukong: a deletion looks at the nodes only where something is taken off them.
	deleted := v.w.DeletionTimestamp != nil
	removes := leaving || v.w.Spec.ReclaimPolicy == v1alpha1.Delete || inConflict(v.w.Status.Conditions)
	if v.settings.Preflight && (!deleted || removes) {
		selector := selectorOf(v.w.Spec.NodeSelector)
		if deleted || leaving {
			selector = nil // a policy that leaves may be for nodes that the spec no longer selects
		}
		rules = append(rules, nodeRule(selector))
	}
	return rules
}

package sync

import (
	"maps"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"novasphere.dev/wukong/sync/facts"
	"novasphere.dev/wukong/types/v1alpha1"
)

// Customize answers which objects, apart from the children, a decision about the Wukong needs. Metacontroller asks once
// per generation of the Wukong. It refuses the whole answer if one kind does not exist, so kinds of NMState are asked
// for only where NMState's policies are registered.
//
// A rule without names selects everything, and an empty selector value stops every sync. So a rule that would name
// nothing is left out.
func Customize(req *CustomizeRequest, settings Settings) (*CustomizeResponse, error) {
	if err := isWukong(req.Parent); err != nil {
		return nil, err
	}
	v := newView(&Request{Controller: req.Controller, Parent: req.Parent}, settings, time.Time{})
	w := v.w
	rules := []RelatedRule{
		// The running instance: its addresses, its node, and the networks that it still uses.
		{APIVersion: "kubevirt.io/v1", Resource: "virtualmachineinstances", Namespace: w.Spec.Namespace, Names: []string{w.Name}},
		// Somebody else's machine of the Wukong's name, and machines whose disks may have the names of the Wukong's disks.
		{APIVersion: "kubevirt.io/v1", Resource: "virtualmachines", Namespace: w.Spec.Namespace, Names: distinct(append(v.namesakes(), w.Name))},
	}
	if w.DeletionTimestamp == nil {
		rules = append(rules, RelatedRule{APIVersion: "v1", Resource: "namespaces", Names: []string{w.Spec.Namespace}})
	}
	if isLabelValue(w.Name) {
		// Copies of the machine, in every namespace. Whoever has freed one may still use the Wukong's attachments.
		rules = append(rules, RelatedRule{
			APIVersion: "kubevirt.io/v1", Resource: "virtualmachines", LabelSelector: in(facts.LabelWukong, []string{w.Name}),
		})
	}
	if names := v.namesakes(); len(names) > 0 {
		rules = append(rules, RelatedRule{APIVersion: v1alpha1.APIVersion, Resource: "wukongs", Names: names})
	}
	// Machines, and what still runs of them, with the same claims.
	for _, label := range v.wantedLabels() {
		for _, resource := range []string{"virtualmachines", "virtualmachineinstances"} {
			rules = append(rules, RelatedRule{APIVersion: "kubevirt.io/v1", Resource: resource, Namespace: w.Spec.Namespace, LabelSelector: having(label)})
		}
	}
	// Machines with the same addresses, in every namespace: their networks may be the same.
	for _, label := range sorted(v.addressLabels()) {
		rules = append(rules, RelatedRule{APIVersion: "kubevirt.io/v1", Resource: "virtualmachines", LabelSelector: having(label)})
	}
	rules = append(rules, claimRules(w)...)
	rules = append(rules, v.attachmentRules()...)
	rules = append(rules, v.rivalRules()...)
	if v.nmstate {
		rules = append(rules, v.sharedRules()...)
		rules = append(rules, v.policyRules()...)
	}
	return &CustomizeResponse{RelatedResources: rules}, nil
}

// sharedRules select the WukongNetworks that networks use.
func (v *view) sharedRules() []RelatedRule {
	var names []string
	for _, n := range v.networks {
		if n.NetworkName != "" {
			names = append(names, n.NetworkName)
		}
	}
	if len(names) == 0 {
		return nil
	}
	return []RelatedRule{{APIVersion: v1alpha1.APIVersion, Resource: v1alpha1.NetworkResource, Names: distinct(names)}}
}

// attachmentRules select the attachments that networks name, and those of others that have the names of the Wukong's
// own.
func (v *view) attachmentRules() []RelatedRule {
	byNamespace := map[string][]string{}
	for _, n := range v.networks {
		if n.attachmentName != "" {
			namespace, name := facts.Unqualified(n.attachmentName, "")
			byNamespace[namespace] = append(byNamespace[namespace], name)
		}
	}
	var rules []RelatedRule
	for _, namespace := range sorted(byNamespace) {
		rules = append(rules, RelatedRule{
			APIVersion: "k8s.cni.cncf.io/v1", Resource: "network-attachment-definitions",
			Namespace: namespace, Names: distinct(byNamespace[namespace]),
		})
	}
	return rules
}

// policyRules select NMState's reports on the Wukong's policies, the policies of others with the same bridges and
// uplinks, and the nodes and their reports for the preflight check.
func (v *view) policyRules() []RelatedRule {
	var policies, bridged, uplinks []string
	for _, n := range v.networks {
		if n.policyName != "" {
			policies, bridged, uplinks = append(policies, n.policyName), append(bridged, n.bridge.Name), append(uplinks, n.bridge.Uplink)
		}
	}
	// A network that was removed from the spec is in the status until its policy is gone. This is only a hint, because
	// Metacontroller asks once per generation; without the hint the hook would notice the end of the removal late.
	for _, n := range v.w.Status.Networks {
		if n.PolicyName != "" {
			policies = append(policies, n.PolicyName)
		}
		if n.PolicyName != "" && n.Bridge != "" && n.Uplink != "" {
			bridged, uplinks = append(bridged, n.Bridge), append(uplinks, n.Uplink)
		}
	}
	uplinks = append(uplinks, v.masterNICs()...)
	if len(policies)+len(uplinks) == 0 {
		return nil
	}
	rules := policyRules(policies, bridged, uplinks)
	if v.settings.Preflight && v.needsNodes() {
		selector := nodeSelector(v.w)
		if v.w.DeletionTimestamp != nil || v.leavingInStatus() {
			selector = nil // a policy that leaves may be for nodes that the spec no longer selects
		}
		rules = append(rules, nodeRule(selector))
	}
	return rules
}

// needsNodes reports whether a decision looks at the nodes. While a Wukong is deleted only the removal of a bridge does, so that what has
// become too large for one request can still be deleted. What a network that is no longer in the spec wanted of its bridge is not known,
// and a policy that has lost is taken off the nodes in any case, to give its uplink back.
func (v *view) needsNodes() bool {
	if v.w.DeletionTimestamp == nil || inConflict(v.w.Status.Conditions) {
		return true
	}
	kept := map[string]bool{}
	for _, n := range v.w.Spec.Networks {
		kept[n.Name] = n.ReclaimPolicy != v1alpha1.Delete
	}
	for _, n := range v.w.Status.Networks {
		if n.PolicyName != "" && !kept[n.Name] {
			return true
		}
	}
	for _, retained := range kept {
		if !retained {
			return true
		}
	}
	return false
}

// inConflict reports whether a last status tells of a conflict, in which a policy may have lost.
func inConflict(conditions []metav1.Condition) bool {
	return slices.ContainsFunc(conditions, func(c metav1.Condition) bool { return c.Reason == string(v1alpha1.ReasonConflict) })
}

// leavingInStatus reports whether the last status has a policy that no network wants any more as it was made.
func (v *view) leavingInStatus() bool {
	return slices.ContainsFunc(v.w.Status.Networks, func(told v1alpha1.NetworkStatus) bool {
		return told.PolicyName != "" && !slices.ContainsFunc(v.networks, func(n *network) bool {
			return n.policyName == told.PolicyName && n.bridge.Name == told.Bridge && n.bridge.Uplink == told.Uplink
		})
	})
}

// policyRules select NMState's reports on some policies, these policies, and those of others with the same bridges and uplinks.
func policyRules(policies, bridged, uplinks []string) []RelatedRule {
	var rules []RelatedRule
	if len(policies) > 0 {
		rules = append(rules, RelatedRule{APIVersion: "nmstate.io/v1", Resource: "nodenetworkconfigurationpolicies", Names: distinct(policies)})
	}
	if selector := in("nmstate.io/policy", policies); selector != nil {
		reports := RelatedRule{APIVersion: "nmstate.io/v1beta1", Resource: "nodenetworkconfigurationenactments", LabelSelector: selector}
		rules = append([]RelatedRule{reports}, rules...)
	}
	for _, selector := range []*metav1.LabelSelector{in(facts.LabelBridge, bridged), in(facts.LabelUplink, uplinks)} {
		if selector != nil {
			rules = append(rules, RelatedRule{
				APIVersion: "nmstate.io/v1", Resource: "nodenetworkconfigurationpolicies", LabelSelector: selector,
			})
		}
	}
	return rules
}

// nodeRule selects what is known of the nodes with some labels, or of all nodes. A label that no node can have is left out: the rule
// with it would be refused, and nothing be decided any more. That no node is selected is decided by the hook.
func nodeRule(selector map[string]string) RelatedRule {
	rule := RelatedRule{APIVersion: v1alpha1.APIVersion, Resource: v1alpha1.NodeResource}
	selector = maps.Clone(selector)
	maps.DeleteFunc(selector, func(key, value string) bool {
		return len(validation.IsQualifiedName(key))+len(validation.IsValidLabelValue(value)) > 0
	})
	if len(selector) > 0 {
		rule.LabelSelector = &metav1.LabelSelector{MatchLabels: selector}
	}
	return rule
}

// having selects what has a label, whatever its value.
func having(label string) *metav1.LabelSelector {
	return &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: label, Operator: metav1.LabelSelectorOpExists}}}
}

// isLabelValue reports whether a label can have a value that is not empty.
func isLabelValue(value string) bool {
	return value != "" && len(validation.IsValidLabelValue(value)) == 0
}

// in selects what has a label with one of some values; nil where none of them is the value of a label. A status may have been forged,
// and a selector with a value that is none is refused, and with it every sync.
func in(label string, values []string) *metav1.LabelSelector {
	values = slices.DeleteFunc(slices.Clone(values), func(value string) bool {
		return !isLabelValue(value)
	})
	if len(values) == 0 {
		return nil
	}
	return &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{
		{Key: label, Operator: metav1.LabelSelectorOpIn, Values: distinct(values)},
	}}
}

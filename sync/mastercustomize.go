package sync

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"novasphere.dev/wukong/sync/facts"
	"novasphere.dev/wukong/sync/node"
)

// Only creation looks at who else has a NIC, so nothing of this is asked for about a Wukong that is being deleted.

// masterNICs are the NICs on which macvlans and ipvlans of the Wukong stand.
func (v *view) masterNICs() []string {
	var nics []string
	for _, n := range v.networks {
		if m, ok := n.master(); ok && v.w.DeletionTimestamp == nil {
			nics = append(nics, m.NIC)
		}
	}
	return nics
}

// rivalRules select attachments of others that would fight with a network for its NIC, and no others: a fleet of macvlans on one NIC
// costs each of them nothing.
func (v *view) rivalRules() []RelatedRule {
	if v.w.DeletionTimestamp != nil {
		return nil
	}
	nics := map[string][]string{} // by the type of those that fight for them
	for _, n := range v.networks {
		_, stands := n.master()
		for _, rival := range []string{node.Macvlan, node.Ipvlan} {
			switch {
			case stands && rival != string(n.Type):
				nics[rival] = append(nics[rival], n.bridge.NIC)
			case n.policyName != "":
				nics[rival] = append(nics[rival], n.bridge.Uplink)
			}
		}
	}
	var rules []RelatedRule
	for _, rival := range sorted(nics) {
		selector := in(facts.LabelNIC, nics[rival])
		if selector == nil {
			continue
		}
		selector.MatchExpressions = append(selector.MatchExpressions, metav1.LabelSelectorRequirement{
			Key: facts.LabelType, Operator: metav1.LabelSelectorOpIn, Values: []string{rival},
		})
		rules = append(rules, RelatedRule{APIVersion: "k8s.cni.cncf.io/v1", Resource: "network-attachment-definitions", LabelSelector: selector})
	}
	return rules
}

package sync

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/types/v1alpha1"
)

// policyState is what NMState says of an observed policy, with a line for the user where it is not Available.
func policyState(obs *observed, policy *unstructured.Unstructured) (state, message string) {
	switch {
	case conditionOf(policy, "Degraded").Status == "True":
		return v1alpha1.PolicyDegraded, failure(obs, policy)
	case conditionOf(policy, "Ignored").Status == "True":
		return v1alpha1.PolicyIgnored, "no node matches: correct highAvailability.nodeSelector, or label the nodes"
	case conditionOf(policy, "Progressing").Status == "True":
		return v1alpha1.PolicyProgressing, "NMState is configuring the nodes"
	case conditionOf(policy, "Available").Status != "True":
		return v1alpha1.PolicyPending, "NMState has not looked at it yet"
	}
	// Available outlives a change of the spec until NMState takes it up, and is also True when every matching node was
	// down and none was configured. The enactments know which generation reached a node.
	enactments, known := obs.enactments(policy.GetName())
	if !known {
		return v1alpha1.PolicyAvailable, ""
	}
	if slices.ContainsFunc(enactments, func(e *unstructured.Unstructured) bool { return applied(e, policy) }) {
		return v1alpha1.PolicyAvailable, ""
	}
	return v1alpha1.PolicyProgressing, "no node has applied its present form yet"
}

// applied says that the node of an enactment has applied the policy in its present form.
func applied(enactment, policy *unstructured.Unstructured) bool {
	return conditionOf(enactment, "Available").Status == "True" && number(enactment, "status", "policyGeneration") == policy.GetGeneration()
}

// busy says that NMState's admission would refuse a change of the policy's spec: it does so from the policy's creation
// until the policy has succeeded, failed or been ignored once, and again whenever it is being applied.
func busy(policy *unstructured.Unstructured) bool {
	reason := conditionOf(policy, "Available").Reason
	return reason == "" || reason == "ConfigurationProgressing"
}

package status

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/sync/facts"
	"novasphere.dev/wukong/types/v1alpha1"
)

// next is the command to type next, by the reason.
func (t *tree) next(root *Branch) string {
	kind, name, namespace := strings.ToLower(t.parent.GetKind()), t.parent.GetName(), t.namespace()
	policy := failedPolicy(root)
	switch v1alpha1.Reason(root.Says) {
	case v1alpha1.ReasonInvalidSpec, v1alpha1.ReasonConflict, v1alpha1.ReasonPreflightRefused, v1alpha1.ReasonNoMatchingNode:
		return fmt.Sprintf("kubectl edit %s %s", kind, name)
	case v1alpha1.ReasonPreflightWaiting:
		return "kubectl get wukongnodes -o wide"
	case v1alpha1.ReasonPolicyPending:
		return "kubectl get pods -A -l component=kubernetes-nmstate-handler"
	case v1alpha1.ReasonPolicyProgressing:
		return "kubectl get nnce -l nmstate.io/policy=" + policy + " -w"
	case v1alpha1.ReasonPolicyFailed:
		return t.failure(policy)
	case v1alpha1.ReasonBridgeLost:
		return "kubectl get nns -o yaml"
	case v1alpha1.ReasonAttachmentNotFound:
		return "kubectl get net-attach-def -A"
	case v1alpha1.ReasonWukongNetworkNotFound, v1alpha1.ReasonWaitingForWukongNetwork:
		return "kubectl get wukongnetworks -o wide"
	case v1alpha1.ReasonNamespaceNotFound:
		return "kubectl create namespace " + namespace
	case v1alpha1.ReasonNMStateNotRegistered:
		return "kubectl get crd nodenetworkconfigurationpolicies.nmstate.io"
	case v1alpha1.ReasonRemoving:
		return fmt.Sprintf("kubectl get nncp,net-attach-def -A -l vm.novasphere.dev/%s=%s", map[string]string{"wukong": "wukong", "wukongnetwork": "wukong-network"}[kind], name)
	case v1alpha1.ReasonPoliciesAvailable, v1alpha1.ReasonNotRequired:
		return "kubectl get wukongs"
	}
	if t.parent.GetKind() == v1alpha1.Kind {
		return t.nextOfMachine(v1alpha1.Reason(root.Says), name, namespace)
	}
	return "kubectl describe " + kind + " " + name
}

// nextOfMachine is the command where the networks are ready.
func (t *tree) nextOfMachine(reason v1alpha1.Reason, name, namespace string) string {
	key := facts.Qualified(namespace, name)
	of := func(format string) string { return fmt.Sprintf(format, namespace, name) }
	switch reason {
	case v1alpha1.ReasonRunning, v1alpha1.ReasonMigrating:
		return of("virtctl -n %s console %s")
	case v1alpha1.ReasonRestartRequired:
		return of("virtctl -n %s restart %s")
	case v1alpha1.ReasonStopped:
		m := t.cluster.Get(facts.MachineKind, key)
		if m != nil {
			if strategy, _, _ := unstructured.NestedString(m.Object, "spec", "runStrategy"); strategy == "Halted" || strategy == "Always" {
				return "kubectl edit wukong " + name // virtctl would be undone
			}
		}
		return of("virtctl -n %s start %s")
	case "Paused":
		return of("virtctl -n %s unpause vm %s")
	case "Provisioning", "WaitingForVolumeBinding", "DataVolumeError":
		return "kubectl -n " + namespace + " get dv"
	case v1alpha1.ReasonMachinePending, v1alpha1.ReasonWaitingForAttachments, v1alpha1.ReasonAttachmentPending, v1alpha1.ReasonWaitingForNodeNetwork:
		return "kubectl get wukong " + name + " -w"
	case v1alpha1.ReasonTerminating, v1alpha1.ReasonNamespaceTerminating:
		return "kubectl describe wukong " + name
	}
	if t.cluster.Get(facts.InstanceKind, key) != nil {
		return of("kubectl -n %s describe vmi %s")
	}
	if t.cluster.Get(facts.MachineKind, key) != nil {
		return of("kubectl -n %s describe vm %s")
	}
	return "kubectl describe wukong " + name
}

// failedPolicy is the policy that is waited for: the first that is not good.
func failedPolicy(root *Branch) string {
	for _, b := range root.Branches {
		if b.Kind == "policy" && b.State != Good {
			return b.Name
		}
		if name := failedPolicy(b); name != "" {
			return name
		}
	}
	return ""
}

// failure is the command that shows why a policy failed on the first node where it did.
func (t *tree) failure(policy string) string {
	for _, e := range t.cluster.Labeled(facts.EnactmentKind, "nmstate.io/policy", policy) {
		if text(condition(e, "Failing"), "status") == "True" {
			return "kubectl get nnce " + e.GetName() + " -o yaml"
		}
	}
	return "kubectl get nnce -l nmstate.io/policy=" + policy
}

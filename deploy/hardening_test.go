package deploy_test

import (
	"slices"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	networkingv1 "k8s.io/api/networking/v1"
)

// TestTheHookHasNoRights is what docs/threat-model.md says of the hook's Pods, in every form that installs them: no token, no connection of
// their own, no root and nothing to write to.
func TestTheHookHasNoRights(t *testing.T) {
	for _, dir := range kustomizations(t) {
		t.Run(dir, func(t *testing.T) {
			all := rendered(t, dir)
			if len(find[appsv1.Deployment](t, all, "Deployment")) == 0 {
				return // it installs no hook
			}
			pod := only[appsv1.Deployment](t, all, "Deployment").Spec.Template.Spec
			if pod.AutomountServiceAccountToken == nil || *pod.AutomountServiceAccountToken || pod.ServiceAccountName != "" {
				t.Error("the Pod has a token, or a ServiceAccount of its own")
			}
			if pod.HostNetwork || pod.HostPID || pod.HostIPC {
				t.Error("the Pod has a namespace of the node")
			}
			if s := pod.SecurityContext; s == nil || s.RunAsNonRoot == nil || !*s.RunAsNonRoot || s.SeccompProfile == nil {
				t.Error("the Pod may be root, or has no seccomp profile")
			}
			s := pod.Containers[0].SecurityContext
			if s == nil || s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation || s.ReadOnlyRootFilesystem == nil ||
				!*s.ReadOnlyRootFilesystem || s.Capabilities == nil || !slices.Contains(s.Capabilities.Drop, "ALL") {
				t.Errorf("the container may gain privileges, write, or keeps capabilities: %+v", s)
			}
			for _, volume := range pod.Volumes {
				if volume.Secret == nil && volume.Projected == nil {
					t.Errorf("the volume %s is no Secret", volume.Name)
				}
			}
			policy := only[networkingv1.NetworkPolicy](t, all, "NetworkPolicy").Spec
			if !slices.Contains(policy.PolicyTypes, networkingv1.PolicyTypeEgress) || len(policy.Egress) > 0 {
				t.Error("the NetworkPolicy lets the Pod open connections")
			}
		})
	}
}

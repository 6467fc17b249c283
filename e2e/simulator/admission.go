package simulator

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
)

var (
	admissionPolicies = schema.GroupVersionResource{Group: "admissionregistration.k8s.io", Version: "v1", Resource: "validatingadmissionpolicies"}
	admissionBindings = schema.GroupVersionResource{Group: "admissionregistration.k8s.io", Version: "v1", Resource: "validatingadmissionpolicybindings"}
	mutatingWebhooks  = schema.GroupVersionResource{Group: "admissionregistration.k8s.io", Version: "v1", Resource: "mutatingwebhookconfigurations"}
)

// applied are the options of an apply that wins.
var applied = metav1.ApplyOptions{FieldManager: UserAgent, Force: true}

// installPolicyAdmission installs what NMState refuses, in NMState's own words: the ValidatingAdmissionPolicy in
// deploy/handler/operator.yaml.
func (s *Simulator) installPolicyAdmission(ctx context.Context) error {
	const name = "nmstate-nncp-validation-policy"
	policy := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy",
		"metadata": map[string]any{"name": name},
		"spec": map[string]any{
			"failurePolicy": "Fail",
			"matchConstraints": map[string]any{"resourceRules": []any{map[string]any{
				"apiGroups":   []any{"nmstate.io"},
				"apiVersions": []any{"v1", "v1beta1"},
				"resources":   []any{"nodenetworkconfigurationpolicies"},
				"operations":  []any{"CREATE", "UPDATE"},
			}}},
			"validations": []any{
				map[string]any{
					"expression": `request.operation != 'CREATE' || (size(object.metadata.name) <= 63 && ` +
						`(object.metadata.name == '' || object.metadata.name.matches('^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$')))`,
					"messageExpression": `'invalid policy name: "' + object.metadata.name + '": must be no more than 63 characters or match label value format'`,
					"reason":            "Invalid",
				},
				map[string]any{
					"expression": `request.operation != 'UPDATE' || object.spec == oldObject.spec || ` +
						`(has(oldObject.status) && has(oldObject.status.conditions) && oldObject.status.conditions.exists(c, ` +
						`c.type == 'Available' && has(c.reason) && c.reason != '' && c.reason != 'ConfigurationProgressing'))`,
					"messageExpression": `'policy ' + object.metadata.name + ' is still in progress'`,
					"reason":            "Forbidden",
				},
				map[string]any{
					"expression": `request.operation != 'UPDATE' || object.spec == oldObject.spec || ` +
						`((!has(object.spec.capture) && !has(oldObject.spec.capture)) || ` +
						`(has(object.spec.capture) && has(oldObject.spec.capture) && object.spec.capture == oldObject.spec.capture))`,
					"message": "invalid policy operation: capture field cannot be modified",
					"reason":  "Invalid",
				},
				map[string]any{
					"expression": `!has(object.spec.nodeSelector) || object.spec.nodeSelector.all(k, ` +
						`!format.labelValue().validate(object.spec.nodeSelector[k]).hasValue())`,
					"message": "nodeSelector values must be valid label values",
					"reason":  "Invalid",
				},
			},
		},
	}}
	if _, err := s.client.Resource(admissionPolicies).Apply(ctx, name, policy, applied); err != nil {
		return fmt.Errorf("installing NMState's admission policy: %w", err)
	}
	binding := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding",
		"metadata": map[string]any{"name": name + "-binding"},
		"spec":     map[string]any{"policyName": name, "validationActions": []any{"Deny"}},
	}}
	if _, err := s.client.Resource(admissionBindings).Apply(ctx, binding.GetName(), binding, applied); err != nil {
		return fmt.Errorf("binding NMState's admission policy: %w", err)
	}
	return nil
}

// awaitAdmission waits until the API server, which learns of admission by watching, refuses what NMState refuses and
// changes what the webhooks change.
func (s *Simulator) awaitAdmission(ctx context.Context) error {
	dryRun := metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}}
	policy := func(name string) *unstructured.Unstructured {
		return &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "nmstate.io/v1", "kind": "NodeNetworkConfigurationPolicy",
			"metadata": map[string]any{"name": name},
			"spec":     map[string]any{"desiredState": map[string]any{"interfaces": []any{}}},
		}}
	}
	machine := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine",
		"metadata": map[string]any{"name": "admission", "namespace": "default"},
		"spec": map[string]any{
			"runStrategy": "Halted",
			"template":    map[string]any{"spec": map[string]any{"domain": map[string]any{"devices": map[string]any{}}}},
		},
	}}
	var last error
	err := wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, 30*time.Second, true, func(ctx context.Context) (bool, error) {
		if _, err := s.client.Resource(policies).Create(ctx, policy(strings.Repeat("x", 64)), dryRun); !apierrors.IsInvalid(err) {
			last = errors.Join(errors.New("a policy with a name of 64 characters is not refused"), err)
			return false, nil
		}
		stamped, err := s.client.Resource(policies).Create(ctx, policy("admission"), dryRun)
		if err != nil || stamped.GetAnnotations()[timestampAnnotation] == "" {
			last = errors.Join(errors.New("a policy is not stamped"), err)
			return false, nil
		}
		defaulted, err := s.client.Resource(machines).Namespace("default").Create(ctx, machine, dryRun)
		if err != nil {
			last = err
			return false, nil
		}
		if architecture, _, _ := unstructured.NestedString(defaulted.Object, "spec", "template", "spec", "architecture"); architecture == "" {
			last = errors.New("a machine gets no architecture")
			return false, nil
		}
		return true, nil
	})
	if err != nil {
		return fmt.Errorf("waiting for admission: %w: %w", err, last)
	}
	return nil
}

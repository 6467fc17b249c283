package api_test

import (
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"novasphere.dev/wukong/types/v1alpha1"
)

var (
	nodes       = schema.GroupVersionResource{Version: "v1", Resource: "nodes"}
	wukongNodes = schema.GroupVersionResource{Group: v1alpha1.Group, Version: v1alpha1.Version, Resource: v1alpha1.NodeResource}
)

// each are the rights to do each of some things to each of some resources.
func each(verbs string, resources ...string) []right {
	var rights []right
	for _, resource := range resources {
		for verb := range strings.FieldsSeq(verbs) {
			rights = append(rights, right{verb: verb, resource: resource})
		}
	}
	return rights
}

const (
	reading = "get list watch"
	writing = "create update patch delete deletecollection"
)

// The roles that people get: what each allows, and what it must not.
func TestRolesOfUsers(t *testing.T) {
	manifest(t, "base/clusterroles.yaml", "ClusterRole")
	const machines, networks, facts = "wukongs.vm.novasphere.dev", "wukongnetworks.vm.novasphere.dev", "wukongnodes.vm.novasphere.dev"
	for _, role := range []struct {
		name         string
		allows, lack []right
	}{
		{"wukong-view", each(reading, machines, machines+"/status", facts), append(each(writing, machines, facts), each(reading+" "+writing, networks)...)},
		{"wukong-edit", each(reading+" "+writing, machines), append(each(writing, networks, facts), each("update patch", machines+"/status")...)},
		{"wukong-network-view", each(reading, networks, networks+"/status"), append(each(writing, networks, facts), each(reading+" "+writing, machines)...)},
		{"wukong-network-edit", each(reading+" "+writing, networks), append(each(writing, machines, facts), each("update patch", networks+"/status")...)},
	} {
		t.Run(role.name, func(t *testing.T) {
			u := newUser(t, "has-"+role.name)
			u.bind(t, "ClusterRole", role.name, "")
			u.mustHave(t, role.allows...)
			u.mustLack(t, role.lack...)
		})
	}
}

// metacontroller is Metacontroller's account with the ClusterRole of deploy/metacontroller-role and nothing else.
func metacontroller(t *testing.T) user {
	t.Helper()
	manifest(t, "metacontroller-role/clusterrole.yaml", "ClusterRole")
	u := newUser(t, "system:serviceaccount:metacontroller:metacontroller", "system:serviceaccounts", "system:serviceaccounts:metacontroller")
	u.bind(t, "ClusterRole", "metacontroller", "")
	u.mustHave(t, right{verb: "get", resource: "nodes"})
	return u
}

// What Metacontroller does for the three controllers, each verb of it, and what it must not be able to do.
func TestMetacontrollersRole(t *testing.T) {
	u := metacontroller(t)
	u.mustHave(t, each(reading,
		"compositecontrollers.metacontroller.k8s.io", "decoratorcontrollers.metacontroller.k8s.io", "controllerrevisions.metacontroller.k8s.io",
		"customresourcedefinitions.apiextensions.k8s.io", "namespaces",
		"nodes", "nodenetworkstates.nmstate.io", "nodenetworkconfigurationenactments.nmstate.io", "virtualmachineinstances.kubevirt.io")...)
	u.mustHave(t, each(reading+" update", "wukongs.vm.novasphere.dev", "wukongnetworks.vm.novasphere.dev")...)
	u.mustHave(t, each("update", "wukongs.vm.novasphere.dev/status", "wukongnetworks.vm.novasphere.dev/status",
		"wukongs.vm.novasphere.dev/finalizers", "wukongnetworks.vm.novasphere.dev/finalizers", "nodes/finalizers")...)
	u.mustHave(t, each(reading+" create update patch delete", "wukongnodes.vm.novasphere.dev", "nodenetworkconfigurationpolicies.nmstate.io",
		"network-attachment-definitions.k8s.cni.cncf.io", "virtualmachines.kubevirt.io")...)
	u.mustHave(t, each("create patch", "events")...)

	u.mustLack(t, each(writing, "nodes", "nodes/status", "nodes/proxy", "secrets", "pods", "clusterroles.rbac.authorization.k8s.io")...)
	u.mustLack(t, each(reading, "secrets")...)
	u.mustLack(t, each("create delete", "wukongs.vm.novasphere.dev", "wukongnetworks.vm.novasphere.dev")...)
	u.mustLack(t, each("create", "virtualmachineinstances.kubevirt.io")...)
}

// Metacontroller writes WukongNodes that are owned by their Nodes, and cannot write to a Node in any way.
func TestMetacontrollerWritesWukongNodesAndNoNodes(t *testing.T) {
	node := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Node", "metadata": map[string]any{"name": "worker-1"}}}
	node, err := create(t, node)
	if err != nil {
		t.Fatal(err)
	}
	fact := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": v1alpha1.APIVersion, "kind": v1alpha1.NodeKind,
		"metadata": map[string]any{"name": "worker-1", "ownerReferences": []any{map[string]any{
			"apiVersion": "v1", "kind": "Node", "name": "worker-1", "uid": string(node.GetUID()), "controller": true, "blockOwnerDeletion": true,
		}}},
		"network": map[string]any{"ready": true, "reported": false, "message": "no NodeNetworkState"},
	}}

	u := metacontroller(t)
	all := metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}}
	if _, err := u.client.Resource(wukongNodes).Create(t.Context(), fact, all); err != nil {
		t.Errorf("Metacontroller may not create a WukongNode: %v", err)
	}
	// Without the right nodes/finalizers it could not: that is why the role has it.
	without := newUser(t, "without-finalizers")
	without.grant(t, each("create", "wukongnodes.vm.novasphere.dev")...)
	_, err = without.client.Resource(wukongNodes).Create(t.Context(), fact, all)
	if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "cannot set blockOwnerDeletion") {
		t.Errorf("without nodes/finalizers, says %v", err)
	}

	labels := []byte(`{"metadata": {"labels": {"a": "b"}}}`)
	status := []byte(`{"status": {}}`)
	writes := u.client.Resource(nodes)
	for what, write := range map[string]func() error{
		"PATCH a Node":      func() error { return patched(t, writes, labels) },
		"PATCH its status":  func() error { return patched(t, writes, status, "status") },
		"PUT a Node":        func() error { _, err := writes.Update(t.Context(), node, metav1.UpdateOptions{}); return err },
		"PUT its status":    func() error { _, err := writes.UpdateStatus(t.Context(), node, metav1.UpdateOptions{}); return err },
		"DELETE a Node":     func() error { return writes.Delete(t.Context(), "worker-1", metav1.DeleteOptions{}) },
		"PATCH /finalizers": func() error { return patched(t, writes, labels, "finalizers") },
	} {
		if err := write(); !apierrors.IsForbidden(err) {
			t.Errorf("%s: %v, want it forbidden", what, err)
		}
	}
	// The one verb that it has leads nowhere.
	if _, err := writes.Update(t.Context(), node, metav1.UpdateOptions{}, "finalizers"); !apierrors.IsNotFound(err) {
		t.Errorf("PUT nodes/worker-1/finalizers: %v, want that there is no such path", err)
	}
}

func patched(t *testing.T, client dynamic.ResourceInterface, patch []byte, subresource ...string) error {
	t.Helper()
	_, err := client.Patch(t.Context(), "worker-1", types.MergePatchType, patch, metav1.PatchOptions{}, subresource...)
	return err
}

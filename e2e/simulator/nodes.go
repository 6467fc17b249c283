package simulator

import (
	"context"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"novasphere.dev/wukong/sync/model/nmstate"
)

// Node is a node to be: the handler of NMState runs on it, and reports its network as a NodeNetworkState
// (controllers/handler/node_controller.go, nmstatectl show).
type Node struct {
	Name   string
	Labels map[string]string

	// NICs are its network cards. The default route leaves by the first that has an address.
	NICs []NIC

	// Pods are the veths that pods have on the node. With any, the Node and its NodeNetworkState are as long as those of a node
	// that is in use: see crowd.go.
	Pods int
}

// NIC is a network card.
type NIC struct {
	Name    string
	Address string // with a prefix length of 24; "" for none
	MTU     int64  // default 1500
}

// AddNode makes a node, ready and with its network reported.
func (s *Simulator) AddNode(ctx context.Context, node Node) error {
	marks := map[string]any{"kubernetes.io/hostname": node.Name, "kubernetes.io/os": "linux", "node-role.kubernetes.io/worker": ""}
	for key, value := range node.Labels {
		marks[key] = value
	}
	object := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Node",
		"metadata": map[string]any{"name": node.Name, "labels": marks},
	}}
	registered, err := s.client.Resource(nodes).Create(ctx, object, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("creating node %s: %w", node.Name, err)
	}
	registered.Object["status"] = kubeletStatus(node)
	if _, err := s.client.Resource(nodes).UpdateStatus(ctx, registered, metav1.UpdateOptions{}); err != nil {
		return fmt.Errorf("reporting node %s: %w", node.Name, err)
	}
	state := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "nmstate.io/v1beta1", "kind": "NodeNetworkState",
		"metadata": map[string]any{"name": node.Name},
	}}
	created, err := s.client.Resource(states).Create(ctx, state, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("creating the NodeNetworkState of %s: %w", node.Name, err)
	}
	created.Object["status"] = map[string]any{
		"currentState":             reportedState(node),
		"lastSuccessfulUpdateTime": now(),
	}
	if _, err := s.client.Resource(states).UpdateStatus(ctx, created, metav1.UpdateOptions{}); err != nil {
		return fmt.Errorf("reporting the network of %s: %w", node.Name, err)
	}
	return nil
}

// RemoveNode takes a node away, with what it reports.
func (s *Simulator) RemoveNode(ctx context.Context, name string) error {
	for _, resource := range []schema.GroupVersionResource{nodes, states} {
		if err := s.client.Resource(resource).Delete(ctx, name, metav1.DeleteOptions{}); err != nil {
			return fmt.Errorf("deleting node %s: %w", name, err)
		}
	}
	return nil
}

func reportedState(node Node) map[string]any {
	var interfaces, running []any
	for i, nic := range node.NICs {
		mtu := nic.MTU
		if mtu == 0 {
			mtu = 1500
		}
		iface := map[string]any{
			"name": nic.Name, "type": "ethernet", "state": "up", "mtu": mtu,
			"mac-address": fmt.Sprintf("00:50:56:%02X:00:%02X", i, node.Name[len(node.Name)-1]),
			"ipv4":        map[string]any{"enabled": false},
			"ipv6": map[string]any{"enabled": true, "address": []any{
				map[string]any{"ip": fmt.Sprintf("fe80::%d", i+1), "prefix-length": int64(64)},
			}},
		}
		if nic.Address != "" {
			iface["ipv4"] = map[string]any{"enabled": true, "dhcp": false, "address": []any{
				map[string]any{"ip": nic.Address, "prefix-length": int64(24)},
			}}
			if len(running) == 0 {
				running = append(running, map[string]any{
					"destination": "0.0.0.0/0", "next-hop-interface": nic.Name, "next-hop-address": nic.Address, "metric": int64(100), "table-id": int64(254),
				})
			}
		}
		interfaces = append(interfaces, iface)
	}
	interfaces = append(interfaces, veths(node)...)
	return map[string]any{"interfaces": interfaces, "routes": map[string]any{"running": running, "config": []any{}}}
}

// configure applies a policy to a node, and reports what its network is then. failure is why NMState could not, in its words:
// the node is as it was.
func (s *Simulator) configure(ctx context.Context, node string, policy *unstructured.Unstructured) (failure string, err error) {
	state, err := s.client.Resource(states).Get(ctx, node, metav1.GetOptions{})
	if err != nil {
		return "", fmt.Errorf("reading the network of %s: %w", node, err)
	}
	current, _, _ := unstructured.NestedMap(state.Object, "status", "currentState")
	spec, _, _ := unstructured.NestedMap(policy.Object, "spec")
	after, err := nmstate.Apply(current, spec)
	if err != nil {
		return fmt.Sprintf(nmstateError, node, err), nil
	}
	state.Object["status"] = map[string]any{"currentState": after, "lastSuccessfulUpdateTime": now()}
	if _, err := s.client.Resource(states).UpdateStatus(ctx, state, metav1.UpdateOptions{}); err != nil {
		return "", fmt.Errorf("reporting the network of %s: %w", node, err)
	}
	return "", nil
}

// matching are the names of the nodes that a policy selects, in order. As in NMState only nodes that run its handler
// count, here those that report their network (pkg/node/nodes.go, NodesRunningNmstate).
func (s *Simulator) matching(selector map[string]string) []string {
	var names []string
	for _, item := range s.nodes.List() {
		node := item.(*unstructured.Unstructured)
		if node.GetDeletionTimestamp() != nil || !labels.SelectorFromSet(selector).Matches(labels.Set(node.GetLabels())) {
			continue
		}
		if _, reports, _ := s.reporting.GetByKey(node.GetName()); reports {
			names = append(names, node.GetName())
		}
	}
	slices.Sort(names)
	return names
}

// get is an object, or nil where there is none.
func get(ctx context.Context, client dynamic.ResourceInterface, name string) (*unstructured.Unstructured, error) {
	object, err := client.Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	return object, err
}

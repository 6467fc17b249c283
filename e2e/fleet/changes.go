package main

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"novasphere.dev/wukong/types/v1alpha1"
)

// afterwards changes one thing after another, and counts what each takes.
func (f *fleet) afterwards(ctx context.Context, r *result) error {
	last := f.size.machines
	for _, c := range []struct {
		what string
		do   func(context.Context) error
	}{
		{"a veth comes on a node", f.veth},
		{"a heartbeat of a Node", f.heartbeat},
		{"somebody plugs into a bridge, and out again", f.plug},
		{"one machine more", func(ctx context.Context) error {
			if err := f.machine(ctx, last); err != nil {
				return err
			}
			return f.ready(ctx, wukongs, last+1)
		}},
		{"one machine less", func(ctx context.Context) error {
			if err := f.delete(ctx, wukongs, machineName(last)); err != nil {
				return err
			}
			return f.gone(ctx, wukongs, last)
		}},
		{"Metacontroller starts again", f.restart},
		{"all are deleted", f.deleteAll},
	} {
		if err := c.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", c.what, err)
		}
		if err := f.settle(ctx); err != nil {
			return err
		}
		n, err := f.count()
		if err != nil {
			return err
		}
		r.changes = append(r.changes, change{c.what, n})
	}
	return nil
}

// veth adds a veth to what a node reports: a pod has started there.
func (f *fleet) veth(ctx context.Context) error {
	return f.report(ctx, func(interfaces []any) []any {
		return append(interfaces, map[string]any{"name": "veth00c0ffee", "type": "veth", "state": "up", "mtu": int64(1450), "controller": "cni0"})
	})
}

// plug adds a port to a bridge of the fleet, as when the first machine on it starts on a node, and takes it away. Without any
// bridge nothing happens.
func (f *fleet) plug(ctx context.Context) error {
	change := func(edit func(ports []any) []any) error {
		return f.report(ctx, func(interfaces []any) []any {
			for _, item := range interfaces {
				if iface := item.(map[string]any); iface["type"] == "linux-bridge" {
					ports, _, _ := unstructured.NestedSlice(iface, "bridge", "port")
					_ = unstructured.SetNestedSlice(iface, edit(ports), "bridge", "port")
					break
				}
			}
			return interfaces
		})
	}
	if err := change(func(ports []any) []any { return append(ports, map[string]any{"name": "veth00facade"}) }); err != nil {
		return err
	}
	if err := f.settle(ctx); err != nil {
		return err
	}
	return change(func(ports []any) []any { return ports[:len(ports)-1] })
}

// report changes the interfaces that a node reports.
func (f *fleet) report(ctx context.Context, edit func([]any) []any) error {
	state, err := f.Dynamic.Resource(states).Get(ctx, nodeName(0), metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("reading what a node reports: %w", err)
	}
	interfaces, _, _ := unstructured.NestedSlice(state.Object, "status", "currentState", "interfaces")
	if err := unstructured.SetNestedSlice(state.Object, edit(interfaces), "status", "currentState", "interfaces"); err != nil {
		return fmt.Errorf("changing what a node reports: %w", err)
	}
	if err := unstructured.SetNestedField(state.Object, time.Now().UTC().Format(time.RFC3339), "status", "lastSuccessfulUpdateTime"); err != nil {
		return fmt.Errorf("changing what a node reports: %w", err)
	}
	if _, err := f.Dynamic.Resource(states).UpdateStatus(ctx, state, metav1.UpdateOptions{}); err != nil {
		return fmt.Errorf("changing what a node reports: %w", err)
	}
	return nil
}

// heartbeat does what the kubelet does when nothing has happened.
func (f *fleet) heartbeat(ctx context.Context) error {
	node, err := f.Dynamic.Resource(nodes).Get(ctx, nodeName(0), metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("reading a node: %w", err)
	}
	conditions, _, _ := unstructured.NestedSlice(node.Object, "status", "conditions")
	for _, c := range conditions {
		c.(map[string]any)["lastHeartbeatTime"] = time.Now().UTC().Add(time.Minute).Format(time.RFC3339)
	}
	if err := unstructured.SetNestedSlice(node.Object, conditions, "status", "conditions"); err != nil {
		return fmt.Errorf("changing a node: %w", err)
	}
	if _, err := f.Dynamic.Resource(nodes).UpdateStatus(ctx, node, metav1.UpdateOptions{}); err != nil {
		return fmt.Errorf("changing a node: %w", err)
	}
	return nil
}

// restart ends Metacontroller, starts it again, and waits until it has asked about every machine and node.
func (f *fleet) restart(ctx context.Context) error {
	if err := f.manager.Stop(); err != nil {
		return err
	}
	var err error
	if f.manager, err = f.StartMetacontroller(ctx, f.size.strategy, "--zap-log-level=error"); err != nil {
		return err
	}
	return f.until(ctx, "Metacontroller has asked about everything", func() (bool, string, error) {
		f.counter.mu.Lock()
		defer f.counter.mu.Unlock()
		calls := f.counter.calls
		return calls["sync"] >= f.size.machines, fmt.Sprint(calls), nil
	})
}

// deleteMachines deletes all machines, and waits until they are gone.
func (f *fleet) deleteMachines(ctx context.Context) error {
	for i := range f.size.machines {
		if err := f.delete(ctx, wukongs, machineName(i)); err != nil {
			return err
		}
	}
	return f.gone(ctx, wukongs, 0)
}

// deleteAll deletes all machines, and when they are gone what they shared.
func (f *fleet) deleteAll(ctx context.Context) error {
	if err := f.deleteMachines(ctx); err != nil {
		return err
	}
	if f.size.way != network {
		return nil
	}
	if err := f.delete(ctx, networks, lan); err != nil {
		return err
	}
	return f.gone(ctx, networks, 0)
}

func (f *fleet) delete(ctx context.Context, resource schema.GroupVersionResource, name string) error {
	if err := f.Dynamic.Resource(resource).Delete(ctx, name, metav1.DeleteOptions{}); err != nil {
		return fmt.Errorf("deleting %s: %w", name, err)
	}
	return nil
}

// gone waits until no more than so many objects are left.
func (f *fleet) gone(ctx context.Context, resource schema.GroupVersionResource, left int) error {
	return f.until(ctx, fmt.Sprintf("%d %s are left", left, resource.Resource), func() (bool, string, error) {
		list, err := f.Dynamic.Resource(resource).List(ctx, metav1.ListOptions{})
		if err != nil {
			return false, "", err
		}
		why := ""
		if len(list.Items) > 0 {
			_, why = condition(&list.Items[0], v1alpha1.ConditionReady)
		}
		return len(list.Items) == left, fmt.Sprintf("%d are left; %s", len(list.Items), why), nil
	})
}

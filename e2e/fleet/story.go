package main

import (
	"context"
	"fmt"
	"os"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"novasphere.dev/wukong/types/v1alpha1"
)

// The WukongNetwork of the fleet, and its policy.
const (
	lan       = "lan"
	lanPolicy = "lan.bridge"
)

// tell shows a fleet on one WukongNetwork: a node fails and recovers, and then the network goes before its machines do.
func (f *fleet) tell(ctx context.Context) error {
	for _, part := range []struct {
		text string
		do   func(context.Context) error
		show []string
	}{
		{"The machines run.", nil, []string{"wukongnodes.vm.novasphere.dev", "wukongnetworks.vm.novasphere.dev", "wukongs.vm.novasphere.dev"}},
		{"A node reboots, and cannot build the bridge any more.", f.fail, []string{"wukongnetworks.vm.novasphere.dev", "wukongs.vm.novasphere.dev"}},
		{"The node is repaired, and reboots.", f.recover, []string{"wukongnetworks.vm.novasphere.dev", "wukongs.vm.novasphere.dev"}},
		{"The network is deleted. The machines are still on it.", f.deleteNetwork, []string{"wukongnetworks.vm.novasphere.dev", "wukongs.vm.novasphere.dev"}},
		{"Then the machines are deleted, and the network goes after them.", f.deleteRest, []string{
			"wukongnetworks.vm.novasphere.dev", "wukongs.vm.novasphere.dev", "nodenetworkconfigurationpolicies.nmstate.io",
			"virtualmachines.kubevirt.io", "network-attachment-definitions.k8s.cni.cncf.io", "wukongnodes.vm.novasphere.dev",
		}},
	} {
		fmt.Printf("\n# %s\n\n", part.text)
		if part.do != nil {
			began := time.Now()
			if err := part.do(ctx); err != nil {
				return err
			}
			if err := f.settle(ctx); err != nil {
				return err
			}
			n, err := f.count()
			if err != nil {
				return err
			}
			fmt.Printf("calls of the hook %d, MB through the hook %.2f, writes of Metacontroller %d, after %s\n\n", n.all(), float64(n.bytes)/1e6, n.writes,
				time.Since(began).Round(time.Second))
		}
		for _, resource := range part.show {
			if err := f.Table(ctx, os.Stdout, resource, 5); err != nil {
				return err
			}
		}
	}
	return nil
}

// fail lets a node reboot that cannot attach its NIC any more, and waits until the network says so.
func (f *fleet) fail(ctx context.Context) error {
	f.nodes.Break(lanPolicy, nodeName(0), "ens192")
	if err := f.nodes.Reboot(ctx, nodeName(0)); err != nil {
		return fmt.Errorf("rebooting %s: %w", nodeName(0), err)
	}
	return f.until(ctx, "the network is stalled", func() (bool, string, error) {
		o, err := f.Dynamic.Resource(networks).Get(ctx, lan, metav1.GetOptions{})
		if err != nil {
			return false, "", err
		}
		status, message := condition(o, v1alpha1.ConditionStalled)
		return status == "True", message, nil
	})
}

// recover repairs the node.
func (f *fleet) recover(ctx context.Context) error {
	f.nodes.Repair(lanPolicy, nodeName(0))
	if err := f.nodes.Reboot(ctx, nodeName(0)); err != nil {
		return fmt.Errorf("rebooting %s: %w", nodeName(0), err)
	}
	if err := f.ready(ctx, networks, 1); err != nil {
		return err
	}
	return f.ready(ctx, wukongs, f.size.machines)
}

// deleteNetwork deletes the network, which waits for its machines.
func (f *fleet) deleteNetwork(ctx context.Context) error {
	return f.delete(ctx, networks, lan)
}

// deleteRest deletes the machines, and waits until the network has gone after them.
func (f *fleet) deleteRest(ctx context.Context) error {
	if err := f.deleteMachines(ctx); err != nil {
		return err
	}
	return f.gone(ctx, networks, 0)
}

// Command demo shows Wukong at work, on a machine that has Go and no cluster:
//
//	METACONTROLLER=/path/to/metacontroller go -C e2e run ./demo
//
// It brings up a real API server, the hook and Metacontroller, and two nodes on which NMState and KubeVirt are simulated;
// applies examples/vm-with-nmstate.yaml; tells what happens; and then stays for you and kubectl until Ctrl-C. Without
// METACONTROLLER nobody calls the hook, so there is only the API server to try kubectl on.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"novasphere.dev/wukong/e2e/cluster"
	"novasphere.dev/wukong/e2e/simulator"
)

const (
	// pace is the time between two steps of a simulated node.
	pace = 700 * time.Millisecond
	// pause is the time to read what has been said.
	pause = 3 * time.Second
)

// The policies of the example's two bridges.
const (
	management = "ubuntu-vm-nmstate-management-bridge"
	external   = "ubuntu-vm-nmstate-external-bridge"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil && ctx.Err() == nil {
		fmt.Fprintf(os.Stderr, "demo: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	c, err := cluster.Start(ctx, cluster.Options{Log: os.Stdout})
	if err != nil {
		return err
	}
	defer c.Stop()
	fmt.Printf("\nIn another terminal:\n\n  export KUBECONFIG=%s\n\n", c.Kubeconfig)

	if os.Getenv("METACONTROLLER") == "" {
		fmt.Print(alone)
	} else if err := journey(ctx, c); err != nil {
		return err
	}
	fmt.Println("Ctrl-C ends it all.")
	<-ctx.Done()
	return nil
}

const alone = `METACONTROLLER is not set, and the journey needs it: Wukong is a hook that Metacontroller calls. What you can try without
is the API server: it explains Wukongs, checks them and stores them, and nothing follows from that.

  kubectl explain wukong.spec.networks
  kubectl apply -f examples/vm-with-nmstate.yaml
  kubectl get wukong -o wide

For the journey get Metacontroller 4.17 or newer and build it (git clone https://github.com/metacontroller/metacontroller;
go build ./pkg/cmd/metacontroller), and start this again with METACONTROLLER=/path/to/metacontroller/metacontroller. Where
its file metacontroller-crds-v1.yaml is not in the source around the binary, METACONTROLLER_CRDS says where it is.

`

const yours = `
It is yours now. The nodes are simulated, the rest is real:

  kubectl get wukong -o wide --watch
  kubectl get nncp,nnce,net-attach-def,vm,vmi
  kubectl explain wukong.spec.networks
  kubectl apply -f examples/vm-with-ovs.yaml
  kubectl delete wukong ubuntu-vm-nmstate

`

// react starts whatever reacts to a Wukong.
func react(ctx context.Context, c *cluster.Cluster) (*simulator.Simulator, error) {
	nodes, err := simulator.Start(ctx, c.Config, simulator.Options{Pace: pace})
	if err != nil {
		return nil, err
	}
	for i := range 2 {
		node := simulator.Node{Name: fmt.Sprintf("worker-%d", i+1), NICs: []simulator.NIC{
			{Name: "ens160"},
			{Name: "ens192", Address: fmt.Sprintf("10.0.0.%d", i+1)},
		}}
		if err := nodes.AddNode(ctx, node); err != nil {
			return nil, err
		}
	}
	hook, err := c.StartHook(ctx, "-nodes-settle", "1s") // no node joins later
	if err != nil {
		return nil, err
	}
	if err := c.InstallControllers(ctx, hook.URL, true); err != nil {
		return nil, err
	}
	_, err = c.StartMetacontroller(ctx, "dynamic-apply")
	return nodes, err
}

// journey takes one Wukong from its creation through the failure of a node.
func journey(ctx context.Context, c *cluster.Cluster) error {
	nodes, err := react(ctx, c)
	if err != nil {
		return err
	}
	s := &story{cluster: c, name: "ubuntu-vm-nmstate"}
	if err := rollout(ctx, s, nodes); err != nil {
		return err
	}
	if err := failure(ctx, s, nodes); err != nil {
		return err
	}
	fmt.Print(yours)
	return nil
}

// rollout is the part of the journey from nothing to a machine that runs.
func rollout(ctx context.Context, s *story, nodes *simulator.Simulator) error {
	if err := s.show(ctx, "There are two nodes, and on each the NIC ens160, which carries no address of the node.", "nodenetworkstates.nmstate.io"); err != nil {
		return err
	}
	if err := s.show(ctx, "A machine on the pod network, on a VLAN of ens160, and on ens160 itself:"); err != nil {
		return err
	}
	nodes.Hold(management)
	nodes.Hold(external)
	fmt.Println("$ kubectl apply -f examples/vm-with-nmstate.yaml")
	objects, err := cluster.ReadFile(filepath.Join(s.cluster.Root, "examples", "vm-with-nmstate.yaml"))
	if err != nil {
		return err
	}
	if err := s.cluster.Apply(ctx, objects...); err != nil {
		return err
	}
	time.AfterFunc(pause, func() { nodes.Let(management) })
	time.AfterFunc(2*pause, func() { nodes.Let(external) })
	fmt.Println("$ kubectl get wukong -o wide --watch")
	fmt.Printf(row, "PHASE", "READY", "ADDRESS", "MESSAGE")
	if err := s.watch(ctx, "Ready"); err != nil {
		return err
	}
	if err := s.show(ctx, "First came the nodes: a policy for each bridge, which configured one node after the other.", "nodenetworkconfigurationpolicies.nmstate.io", "nodenetworkconfigurationenactments.nmstate.io"); err != nil {
		return err
	}
	return s.show(ctx, "Then the attachments, which name the bridges; then the machine, which plugs into them. It runs:", "network-attachment-definitions.k8s.cni.cncf.io", "virtualmachines.kubevirt.io", "wukongs.vm.novasphere.dev")
}

// failure is the part in which a node cannot do any more what it did, and is repaired.
func failure(ctx context.Context, s *story, nodes *simulator.Simulator) error {
	const node = "worker-2"
	if err := s.show(ctx, "Now worker-2 reboots, and cannot attach its NIC to a bridge any more."); err != nil {
		return err
	}
	nodes.Break(external, node, "ens160")
	if err := nodes.Reboot(ctx, node); err != nil {
		return err
	}
	if err := s.watch(ctx, "Stalled"); err != nil {
		return err
	}
	if err := s.show(ctx, "The status says so. The machine is still there: nothing that exists is dropped because something else failed.", "virtualmachines.kubevirt.io"); err != nil {
		return err
	}
	if err := s.show(ctx, "The NIC is plugged in again, and worker-2 reboots."); err != nil {
		return err
	}
	nodes.Repair(external, node)
	if err := nodes.Reboot(ctx, node); err != nil {
		return err
	}
	return s.watch(ctx, "Ready")
}

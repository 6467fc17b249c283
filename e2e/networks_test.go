package e2e

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// WukongNetworks: one network for many machines.

// onNetwork is the spec of a machine with the pod network, and lan on a WukongNetwork.
func onNetwork(name string) string {
	return fmt.Sprintf("{networks: [{name: default}, {name: lan, networkName: %s}]}", name)
}

func TestTwoMachinesShareANetwork(t *testing.T) {
	withNMState(t, func(t *testing.T, l *lab) {
		const network, policy, first, second = "wkn-shared", "wkn-shared.bridge", "sharer-1", "sharer-2"
		l.create(t, first, onNetwork(network))
		l.awaitCondition(t, first, "Stalled", "True", "WukongNetworkNotFound")
		l.simulator.Hold(policy)
		l.createNetwork(t, network, "{bridgeName: br-wkn, vlanId: 501, reclaimPolicy: Delete}")
		l.create(t, second, onNetwork(network))
		l.awaitCondition(t, first, "Ready", "False", "WaitingForWukongNetwork")
		l.absent(t, nads, "default", first+"-lan-nad")
		l.absent(t, machines, "default", first)
		l.simulator.Let(policy)
		l.awaitNetwork(t, network, "Ready", "True", "PoliciesAvailable")
		l.ready(t, first)
		l.ready(t, second)
		made := l.creation(t, policies, policy)
		for _, name := range []string{first, second} {
			before(t, policy+" is available", l.simulator.Available(policy), "its attachment is created", l.creation(t, nads, name+"-lan-nad").Received)
			l.absent(t, policies, "", name+"-lan-bridge")
			config, _, _ := unstructured.NestedString(l.must(t, nads, "default", name+"-lan-nad").Object, "spec", "config")
			if !strings.Contains(config, `"br-wkn"`) {
				t.Errorf("the attachment of %s is %s, must plug into br-wkn", name, config)
			}
		}

		// A node fails, and recovers.
		l.simulator.Break(policy, "worker-2", "ens160.501")
		l.reboot(t, "worker-2")
		message := l.awaitNetwork(t, network, "Stalled", "True", "PolicyFailed")
		failed, _, _ := unstructured.NestedStringSlice(l.must(t, networks, "", network).Object, "status", "failedNodes")
		if diff := cmp.Diff([]string{"worker-2"}, failed); diff != "" || !strings.Contains(message, "worker-2") {
			t.Errorf("failed nodes (-want +got), and the message %q must name it:\n%s", message, diff)
		}
		l.awaitCondition(t, first, "AttachmentsReady", "False", "")
		l.simulator.Repair(policy, "worker-2")
		l.reboot(t, "worker-2")
		l.awaitNetwork(t, network, "Ready", "True", "PoliciesAvailable")
		l.ready(t, first)
		l.ready(t, second)

		// A reboot is nobody's business.
		l.settles(t, first, time.Second)
		l.settles(t, second, time.Second)
		calls := map[string]int{first: l.front.called(first), second: l.front.called(second)}
		since := time.Now()
		asked := l.front.calledAs("network/sync", network)
		l.reboot(t, "worker-1")
		l.eventually(t, "the policy is applied again", func() (bool, string) {
			return l.simulator.Available(policy).After(since), ""
		})
		l.eventually(t, "the hook sees that", func() (bool, string) { return l.front.calledAs("network/sync", network) > asked, "" })
		l.settlesAs(t, "network/sync", network, time.Second)
		for name, n := range calls {
			l.settles(t, name, time.Second)
			if more := l.front.called(name) - n; more > 2 {
				t.Errorf("the reboot of a node: %d calls about %s, must be at most 2", more, name)
			} else {
				t.Logf("the reboot of a node: %d calls about %s", more, name)
			}
		}
		l.awaitNetwork(t, network, "Ready", "True", "PoliciesAvailable")

		l.leaveNetwork(t, network)
		l.networkTerminates(t, network, "Wukong sharer-1 and others use it")
		l.awaitCondition(t, first, "Stalled", "True", "Removing")
		l.delete(t, first)
		l.networkTerminates(t, network, "Wukong sharer-2 uses it")
		l.must(t, policies, "", policy)
		l.change(t, second, "{networks: [{name: default}]}")
		l.restart(t, second)
		l.awaitGone(t, networks, "", network)
		l.eventually(t, "the bridge has left the nodes", func() (bool, string) {
			for _, iface := range []string{"br-wkn", "ens160.501"} {
				for _, node := range []string{"worker-1", "worker-2"} {
					if l.onNode(t, node, iface) {
						return false, iface + " is on " + node
					}
				}
			}
			return true, ""
		})
		before(t, "the policy is made", made.Done, "it is removed", l.removal(t, policies, policy).Received)
		l.neverRefused(t, policies, policy)
		l.neverDeleted(t, machines, second)
		l.delete(t, second)
	})
}

func TestANetworkWithTwoUplinks(t *testing.T) {
	withNMState(t, func(t *testing.T, l *lab) {
		const network, name = "wkn-uplinks", "uplinked"
		zones := map[string]string{"worker-1": "a", "worker-2": "b"}
		for node, zone := range zones {
			l.patch(t, nodes, "", node, map[string]any{"metadata": map[string]any{"labels": map[string]any{"zone": zone}}})
			defer l.patch(t, nodes, "", node, map[string]any{"metadata": map[string]any{"labels": map[string]any{"zone": nil}}})
			l.eventually(t, "the WukongNode has the label", func() (bool, string) {
				return l.must(t, reports, "", node).GetLabels()["zone"] == zone, ""
			})
		}
		l.createNetwork(t, network, `{bridgeName: br-up, vlanId: 502, reclaimPolicy: Delete, uplinks: [
			{name: left, nodeSelector: {zone: a}, physicalInterface: ens161}, {name: right, nodeSelector: {zone: b}, physicalInterface: ens162}]}`)
		l.create(t, name, onNetwork(network))
		l.awaitNetwork(t, network, "Ready", "True", "PoliciesAvailable")
		l.ready(t, name)
		for node, has := range map[string]string{"worker-1": "ens161.502", "worker-2": "ens162.502"} {
			if controller := l.iface(t, node, has)["controller"]; controller != "br-up" {
				t.Errorf("on %s %s belongs to %v, must belong to br-up", node, has, controller)
			}
		}
		if l.onNode(t, "worker-1", "ens162.502") || l.onNode(t, "worker-2", "ens161.502") {
			t.Error("a node has the other's uplink")
		}
		l.settlesAs(t, "network/sync", network, time.Second)
		l.delete(t, name)
		l.leaveNetwork(t, network)
		l.awaitGone(t, networks, "", network)
		for _, policy := range []string{network + ".left.bridge", network + ".right.bridge"} {
			l.removal(t, policies, policy)
		}
		if l.onNode(t, "worker-1", "br-up") || l.onNode(t, "worker-2", "br-up") {
			t.Error("the bridge stayed")
		}
	})
}

func TestANetworkAndAMachinesOwnBridgeDoNotTakeEachOthersName(t *testing.T) {
	withNMState(t, func(t *testing.T, l *lab) {
		const spec = "{networks: [{name: lan, type: bridge, bridgeName: br-two, vlanId: %d, reclaimPolicy: Delete}]}"
		l.create(t, "owner", fmt.Sprintf(spec, 503))
		l.ready(t, "owner")
		l.createNetwork(t, "wkn-late", "{bridgeName: br-two, vlanId: 504, reclaimPolicy: Delete}")
		if message := l.awaitNetwork(t, "wkn-late", "Stalled", "True", "Conflict"); !strings.Contains(message, "owner-lan-bridge") {
			t.Errorf("the message is %q, must name the policy owner-lan-bridge", message)
		}
		l.neverWritten(t, "wkn-late.bridge")
		l.ready(t, "owner")
		l.delete(t, "owner")
		l.awaitNetwork(t, "wkn-late", "Ready", "True", "PoliciesAvailable")

		l.create(t, "latecomer", fmt.Sprintf(spec, 505))
		if message := l.awaitCondition(t, "latecomer", "Stalled", "True", "Conflict"); !strings.Contains(message, "wkn-late.bridge") {
			t.Errorf("the message is %q, must name the policy wkn-late.bridge", message)
		}
		l.neverWritten(t, "latecomer-lan-bridge")
		l.awaitNetwork(t, "wkn-late", "Ready", "True", "PoliciesAvailable")
		l.leaveNetwork(t, "wkn-late")
		l.awaitGone(t, networks, "", "wkn-late")
		l.ready(t, "latecomer")
		l.delete(t, "latecomer")
	})
}

func TestMachinesThatShareABridgeMoveToANetwork(t *testing.T) {
	withNMState(t, func(t *testing.T, l *lab) {
		const network, bridge, uplink, count = "wkn-moved", "br-move", "ens160.510", 30
		l.slow = 10 // there are many machines
		defer func() { l.slow = 0 }()
		name := func(i int) string { return fmt.Sprintf("mover-%02d", i) }
		for i := range count {
			l.create(t, name(i), "{networks: [{name: default}, {name: old, type: bridge, bridgeName: br-move, vlanId: 510, reclaimPolicy: Delete}]}")
		}
		for i := range count {
			l.ready(t, name(i))
		}
		was := map[string]map[string]any{bridge: l.iface(t, "worker-1", bridge), uplink: l.iface(t, "worker-1", uplink)}
		changed := l.watchInterfaces(t, "worker-1", was)

		l.createNetwork(t, network, "{bridgeName: br-move, vlanId: 510, reclaimPolicy: Delete}")
		l.awaitNetwork(t, network, "Ready", "True", "PoliciesAvailable")
		for i := range count {
			l.change(t, name(i), onNetwork(network))
		}
		for i := range count {
			l.eventually(t, "the machine has the new network", func() (bool, string) {
				names := networkNames(l.must(t, machines, "default", name(i)), "spec", "template", "spec")
				return fmt.Sprint(names) == "[default lan]", fmt.Sprint(names)
			})
			if names := networkNames(l.must(t, instances, "default", name(i)), "spec"); fmt.Sprint(names) != "[default old]" {
				t.Errorf("the running machine %s has networks %v, must have [default old] until it is restarted", name(i), names)
			}
			l.must(t, policies, "", name(i)+"-old-bridge")
		}
		restarted := map[string]time.Time{}
		for i := range count {
			restarted[name(i)] = time.Now()
			l.restart(t, name(i))
			if names := networkNames(l.must(t, instances, "default", name(i)), "spec"); fmt.Sprint(names) != "[default lan]" {
				t.Errorf("the restarted machine %s has networks %v, must have [default lan]", name(i), names)
			}
		}
		for i := range count {
			l.awaitGone(t, policies, "", name(i)+"-old-bridge")
			l.awaitCondition(t, name(i), "Ready", "True", "Running")
			gone := l.removal(t, policies, name(i)+"-old-bridge")
			before(t, name(i)+" is restarted", restarted[name(i)], "its own policy is removed", gone.Received)
			before(t, "its attachment is removed", l.removal(t, nads, name(i)+"-old-nad").Done, "its own policy is", gone.Received)
			l.neverDeleted(t, machines, name(i))
		}
		l.awaitNetwork(t, network, "Ready", "True", "PoliciesAvailable")
		l.neverDeleted(t, policies, network+".bridge")
		for _, what := range changed() {
			t.Error(what)
		}

		for i := range count {
			l.leave(t, name(i))
		}
		l.leaveNetwork(t, network)
		l.awaitGone(t, networks, "", network)
		for i := range count {
			l.awaitGone(t, wukongs, "", name(i))
		}
		if l.onNode(t, "worker-1", bridge) {
			t.Error("the bridge stayed when all left")
		}
	})
}

// watchInterfaces watches interfaces of a node. What it answers with ends that, and says what has changed.
func (l *lab) watchInterfaces(t *testing.T, node string, was map[string]map[string]any) (changed func() []string) {
	t.Helper()
	w, err := l.Dynamic.Resource(states).Watch(t.Context(), metav1.ListOptions{FieldSelector: fields.OneTermEqualSelector("metadata.name", node).String()})
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	var done sync.WaitGroup
	done.Go(func() {
		for event := range w.ResultChan() {
			state, ok := event.Object.(*unstructured.Unstructured)
			if !ok {
				continue
			}
			interfaces, _, _ := unstructured.NestedSlice(state.Object, "status", "currentState", "interfaces")
			is := map[string]map[string]any{}
			for _, item := range interfaces {
				iface := item.(map[string]any)
				is[iface["name"].(string)] = iface
			}
			for name, before := range was {
				if diff := cmp.Diff(before, is[name]); diff != "" {
					all = append(all, fmt.Sprintf("%s of node %s has changed (-was +is):\n%s", name, node, diff))
				}
			}
		}
	})
	return func() []string {
		w.Stop()
		done.Wait()
		return all
	}
}

func TestWithoutNMStateThereAreNoNetworks(t *testing.T) {
	withoutNMState(t, func(t *testing.T, l *lab) {
		controllers := schema.GroupVersionResource{Group: "metacontroller.k8s.io", Version: "v1alpha1", Resource: "compositecontrollers"}
		l.absent(t, controllers, "", "wukong-networks")
		controllers.Resource = "decoratorcontrollers"
		l.absent(t, controllers, "", "wukong-nodes")
		const name, network = "netless", "wkn-less"
		l.createNetwork(t, network, "{bridgeName: br-less, vlanId: 506, reclaimPolicy: Delete}")
		l.create(t, name, onNetwork(network))
		l.awaitCondition(t, name, "Stalled", "True", "NMStateNotRegistered")
		l.absent(t, nads, "default", name+"-lan-nad")
		l.absent(t, machines, "default", name)
		l.absent(t, policies, "", network+".bridge")

		l.control(t, true)
		l.awaitNetwork(t, network, "Ready", "True", "PoliciesAvailable")
		l.ready(t, name)
		l.delete(t, name)
		l.leaveNetwork(t, network)
		l.awaitGone(t, networks, "", network)
	})
}

// leaveNetwork deletes a WukongNetwork and does not wait.
func (l *lab) leaveNetwork(t *testing.T, name string) {
	t.Helper()
	if err := l.Dynamic.Resource(networks).Delete(t.Context(), name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
}

// networkTerminates waits until the status of a WukongNetwork that is being deleted says something.
func (l *lab) networkTerminates(t *testing.T, name, says string) {
	t.Helper()
	l.eventually(t, fmt.Sprintf("the deletion of %s says %q", name, says), func() (bool, string) {
		message := l.awaitNetwork(t, name, "Ready", "False", "Terminating")
		return strings.Contains(message, says), message
	})
}

package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// What people do by hand, and what nobody meant: none of it loses a machine, a network or a node.

func TestAPolicyThatIsEditedByHandIsPutRightWhenNMStateIsDone(t *testing.T) {
	withNMState(t, func(t *testing.T, l *lab) {
		const name, policy = "edited", "edited-lan-281-bridge"
		l.create(t, name, bridged(281))
		l.ready(t, name)
		was, _, _ := unstructured.NestedMap(l.must(t, policies, "", policy).Object, "spec")

		l.simulator.Hold(policy)
		l.front.disturb(func(w http.ResponseWriter, _ *http.Request) bool { // NMState is faster than the hook
			http.Error(w, "not now", http.StatusInternalServerError)
			return true
		})
		l.patch(t, policies, "", policy, map[string]any{"spec": object(t, `{desiredState: {interfaces: [
			{name: ens160.281, type: vlan, state: up, vlan: {base-iface: ens160, id: 281}, ipv4: {enabled: true}, ipv6: {enabled: false}},
			{name: br-281, type: linux-bridge, state: up, ipv4: {enabled: false}, ipv6: {enabled: false},
			 bridge: {options: {stp: {enabled: true}}, port: [{name: ens160.281, vlan: {}}]}}]}}`)})
		l.eventually(t, "NMState has taken the edit up", func() (bool, string) {
			progressing := condition(l.must(t, policies, "", policy), "Progressing")["status"]
			return progressing == "True", "progressing: " + progressing
		})
		l.front.disturb(nil)
		l.awaitCondition(t, name, "Ready", "False", "PolicyProgressing")
		l.change(t, name, "{cpu: 2}") // so that the hook is called, and answers the policy
		l.eventually(t, "the machine has followed", func() (bool, string) {
			cores, _, _ := unstructured.NestedInt64(l.must(t, machines, "default", name).Object, "spec", "template", "spec", "domain", "cpu", "cores")
			return cores == 2, fmt.Sprint("it has cores: ", cores)
		})
		l.simulator.Let(policy)
		l.eventually(t, "the policy is put right", func() (bool, string) {
			is, _, _ := unstructured.NestedMap(l.must(t, policies, "", policy).Object, "spec")
			diff := cmp.Diff(was, is)
			return diff == "", diff
		})
		l.awaitCondition(t, name, "Ready", "True", "RestartRequired")
		l.neverRefused(t, policies, policy)
		l.neverDeleted(t, machines, name)
		l.delete(t, name)
	})
}

func TestAMachineThatLosesItsLabelIsGivenBack(t *testing.T) {
	withNMState(t, func(t *testing.T, l *lab) {
		const name, nad, policy = "released", "released-lan-282-nad", "released-lan-282-bridge"
		l.create(t, name, bridged(282))
		l.ready(t, name)
		uid := l.must(t, machines, "default", name).GetUID()
		var message string
		l.eventually(t, "it is said that the machine has lost its label", func() (bool, string) {
			// An answer that is on its way gives the label back, by server-side apply.
			if l.must(t, machines, "default", name).GetLabels()["controller-uid"] != "" {
				l.patch(t, machines, "default", name, map[string]any{"metadata": map[string]any{"labels": map[string]any{"controller-uid": nil}}})
			}
			stalled := condition(l.must(t, wukongs, "", name), "Stalled")
			message = stalled["message"]
			return stalled["reason"] == "Conflict", message
		})
		give := fmt.Sprintf("`kubectl label --overwrite -n default vm released controller-uid=%s` gives it back", l.must(t, wukongs, "", name).GetUID())
		if !strings.Contains(message, give) {
			t.Errorf("the message is %q, must say %q", message, give)
		}

		l.change(t, name, "{networks: [{name: default}]}")
		l.eventually(t, "the network is said to be still used", func() (bool, string) {
			networks, _, _ := unstructured.NestedSlice(l.must(t, wukongs, "", name).Object, "status", "networks")
			said := fmt.Sprint(networks)
			return strings.Contains(said, "the machine uses it until its next restart"), said
		})
		l.neverDeleted(t, nads, nad)
		l.neverDeleted(t, policies, policy)

		l.patch(t, machines, "default", name, map[string]any{"metadata": map[string]any{"labels": map[string]any{"controller-uid": string(l.must(t, wukongs, "", name).GetUID())}}})
		l.awaitCondition(t, name, "Ready", "True", "RestartRequired")
		l.restart(t, name)
		l.awaitGone(t, nads, "default", nad)
		l.awaitGone(t, policies, "", policy)
		if is := l.must(t, machines, "default", name).GetUID(); is != uid {
			t.Errorf("the machine is another one: %s, was %s", is, uid)
		}
		l.neverDeleted(t, machines, name)
		l.delete(t, name)
	})
}

func TestTwoMachinesDoNotWriteToOneDisk(t *testing.T) {
	withNMState(t, func(t *testing.T, l *lab) {
		l.create(t, "disk-b", "{disks: [{name: c, size: 1Gi}]}")
		l.ready(t, "disk-b")
		l.create(t, "disk", "{disks: [{name: b-c, size: 1Gi}]}")
		if message := l.awaitCondition(t, "disk", "Stalled", "True", "Conflict"); !strings.Contains(message, "DataVolume disk-b-c is a disk of machine default/disk-b already") {
			t.Errorf("the message is %q", message)
		}
		l.absent(t, machines, "default", "disk")
		l.delete(t, "disk-b")
		l.ready(t, "disk") // the name is free now
		l.delete(t, "disk")
	})
}

func TestABridgeThatSomebodyIsPluggedIntoIsNotRemoved(t *testing.T) {
	withNMState(t, func(t *testing.T, l *lab) {
		const name, policy, bridge = "plugged", "plugged-lan-bridge", "br-plugged"
		l.create(t, name, "{networks: [{name: lan, type: bridge, bridgeName: br-plugged, vlanId: 283, reclaimPolicy: Delete}]}")
		l.ready(t, name)
		l.setPorts(t, "worker-2", bridge, "ens160.283", "veth0a1b2c3d")
		l.leave(t, name)
		l.terminating(t, name, "bridge br-plugged is removed when nobody uses it: on node worker-2 a machine or pod is plugged into it")
		if !l.onNode(t, "worker-2", bridge) {
			t.Error("the bridge was removed from under the port")
		}
		l.setPorts(t, "worker-2", bridge, "ens160.283")
		l.awaitGone(t, wukongs, "", name)
		if l.onNode(t, "worker-2", bridge) {
			t.Error("the bridge stayed when nobody used it any more")
		}
		l.neverRefused(t, policies, policy)
	})
}

func TestAWukongThatIsNoLongerSelectedStays(t *testing.T) {
	withNMState(t, func(t *testing.T, l *lab) {
		const name = "unselected"
		controllers := schema.GroupVersionResource{Group: "metacontroller.k8s.io", Version: "v1alpha1", Resource: "compositecontrollers"}
		l.create(t, name, bridged(284))
		l.ready(t, name)
		selector := func(matching any) {
			l.patch(t, controllers, "", "wukong", map[string]any{"spec": map[string]any{"parentResource": map[string]any{"labelSelector": matching}}})
		}
		selector(map[string]any{"matchLabels": map[string]any{"team": "blue"}})
		defer selector(nil)
		installed, err := l.Dynamic.Resource(controllers).Get(t.Context(), "wukong", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		l.eventually(t, "Metacontroller wants it finalized", func() (bool, string) {
			generation := l.front.controller(name)
			return generation >= installed.GetGeneration(), fmt.Sprintf("it calls with generation %d of %d", generation, installed.GetGeneration())
		})
		l.settlesUnselected(t, name)
		selector(nil)
		l.awaitController(t)
		l.ready(t, name)
		l.neverDeleted(t, machines, name)
		l.neverDeleted(t, nads, name+"-lan-284-nad")
		l.neverDeleted(t, policies, name+"-lan-284-bridge")
		l.delete(t, name)
	})
}

// settlesUnselected holds that nothing of a Wukong goes while Metacontroller finalizes it that was not deleted.
func (l *lab) settlesUnselected(t *testing.T, name string) {
	t.Helper()
	before := l.generations(t, name, 284)
	l.patch(t, wukongs, "", name, map[string]any{"metadata": map[string]any{"annotations": map[string]any{"example.com/touched": "yes"}}})
	wait(t, 2*patience/10)
	if after := l.generations(t, name, 284); after != before {
		t.Errorf("it was %s, and is %s", before, after)
	}
}

// setPorts makes a node report the ports of a bridge, as if somebody had plugged something in.
func (l *lab) setPorts(t *testing.T, node, bridge string, ports ...string) {
	t.Helper()
	state := l.must(t, states, "", node)
	interfaces, _, _ := unstructured.NestedSlice(state.Object, "status", "currentState", "interfaces")
	for _, item := range interfaces {
		if iface := item.(map[string]any); iface["name"] == bridge {
			var list []any
			for _, port := range ports {
				list = append(list, map[string]any{"name": port})
			}
			iface["bridge"].(map[string]any)["port"] = list
		}
	}
	if err := unstructured.SetNestedSlice(state.Object, interfaces, "status", "currentState", "interfaces"); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Dynamic.Resource(states).UpdateStatus(t.Context(), state, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
}

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// bridged is the spec of a machine with the pod network and, for each VLAN, one network lan-{vlan} on bridge br-{vlan}.
func bridged(vlans ...int) string {
	networks := []string{"{name: default}"}
	for _, vlan := range vlans {
		networks = append(networks, fmt.Sprintf("{name: lan-%[1]d, type: bridge, bridgeName: br-%[1]d, vlanId: %[1]d}", vlan))
	}
	return "{networks: [" + strings.Join(networks, ", ") + "]}"
}

func TestEachChildIsCreatedWhenWhatItStandsOnIsReady(t *testing.T) {
	withNMState(t, func(t *testing.T, l *lab) {
		const name = "order"
		lan, wan := name+"-lan-bridge", name+"-wan-bridge"
		l.simulator.Hold(lan)
		l.create(t, name, `{networks: [{name: default}, {name: lan, type: bridge, bridgeName: br-order, vlanId: 201}, {name: wan, type: ovs, bridgeName: ovs-order, vlanId: 202}]}`)
		l.awaitCondition(t, name, "Ready", "False", "PolicyProgressing")
		l.awaitObject(t, nads, "default", name+"-wan-nad") // its policy is available, the other's is not
		l.absent(t, nads, "default", name+"-lan-nad")
		l.absent(t, machines, "default", name)
		l.simulator.Let(lan)
		l.ready(t, name)

		for network, policy := range map[string]string{"lan": lan, "wan": wan} {
			nad := l.creation(t, nads, name+"-"+network+"-nad")
			before(t, policy+" is available", l.simulator.Available(policy), "its attachment is created", nad.Received)
			before(t, nad.ObjectRef.Name+" is created", nad.Done, "the machine is", l.creation(t, machines, name).Received)
		}
		l.neverRefused(t, policies, lan, wan)
		l.delete(t, name)
	})
}

func TestAChangeOfTheSpecWaitsForAPolicyInProgress(t *testing.T) {
	withNMState(t, func(t *testing.T, l *lab) {
		const name, policy = "change", "change-lan-bridge"
		spec := "{cpu: %d, networks: [{name: default}, {name: lan, type: bridge, bridgeName: br-change, vlanId: 211, mtu: %d}]}"
		l.create(t, name, fmt.Sprintf(spec, 1, 1400))
		l.ready(t, name)

		l.simulator.Hold(policy)
		l.change(t, name, fmt.Sprintf(spec, 2, 1410))
		// Before the hook has seen NMState take it up, a further change is still tried, refused, and tried again.
		l.eventually(t, "the hook sees the policy in progress", func() (bool, string) {
			message := l.awaitCondition(t, name, "NodeNetworkReady", "False", "PolicyProgressing")
			return strings.Contains(message, "NMState is configuring the nodes"), message
		})
		l.change(t, name, fmt.Sprintf(spec, 3, 1420))
		l.eventually(t, "the change waits", func() (bool, string) {
			message := l.awaitCondition(t, name, "NodeNetworkReady", "False", "PolicyProgressing")
			return strings.Contains(message, "a change of the policy waits"), message
		})
		l.eventually(t, "the machine has its cores", func() (bool, string) {
			cores, _, _ := unstructured.NestedInt64(l.must(t, machines, "default", name).Object, "spec", "template", "spec", "domain", "cpu", "cores")
			return cores == 3, fmt.Sprint("it has ", cores)
		})
		if mtu := policyMTU(l.must(t, policies, "", policy)); mtu != 1410 {
			t.Errorf("the policy in progress says mtu %d, must be 1410", mtu)
		}
		l.simulator.Let(policy)
		l.awaitCondition(t, name, "Ready", "True", "RestartRequired")
		if mtu := policyMTU(l.must(t, policies, "", policy)); mtu != 1420 {
			t.Errorf("the policy says mtu %d, must be 1420", mtu)
		}
		l.neverRefused(t, policies, policy)
		l.neverDeleted(t, machines, name)
		l.delete(t, name)
	})
}

// policyMTU is the MTU of the bridge in a policy.
func policyMTU(policy *unstructured.Unstructured) int64 {
	interfaces, _, _ := unstructured.NestedSlice(policy.Object, "spec", "desiredState", "interfaces")
	for _, i := range interfaces {
		if iface := i.(map[string]any); iface["type"] == "linux-bridge" {
			mtu, _ := iface["mtu"].(int64)
			return mtu
		}
	}
	return 0
}

func TestAMachineLivesWhileItsPolicyIsDegraded(t *testing.T) {
	withNMState(t, func(t *testing.T, l *lab) {
		const name, policy = "degrade", "degrade-lan-221-bridge"
		l.create(t, name, bridged(221))
		l.ready(t, name)

		l.simulator.Break(policy, "worker-2", "ens160.221")
		l.reboot(t, "worker-2")
		message := l.awaitCondition(t, name, "Stalled", "True", "PolicyFailed")
		for _, word := range []string{"worker-2", "VerificationError", "ens160.221 is not attached", "highAvailability.nodeSelector"} {
			if !strings.Contains(message, word) || strings.Contains(message, "\n") {
				t.Errorf("the message is %q, must be one line with %q", message, word)
			}
		}
		w := l.must(t, wukongs, "", name)
		if phase, _, _ := unstructured.NestedString(w.Object, "status", "phase"); phase != "Running" {
			t.Errorf("the phase is %s, must be Running", phase)
		}

		l.simulator.Repair(policy, "worker-2")
		l.reboot(t, "worker-2")
		l.ready(t, name)
		if stalled := condition(l.must(t, wukongs, "", name), "Stalled"); len(stalled) > 0 {
			t.Errorf("it is stalled after recovery: %v", stalled)
		}
		l.neverDeleted(t, machines, name)
		l.neverDeleted(t, nads, name+"-lan-221-nad")
		l.delete(t, name)
	})
}

func TestAMachineLivesWhenNoNodeMatchesAnyMore(t *testing.T) {
	withNMState(t, func(t *testing.T, l *lab) {
		const name = "nomatch"
		label := func(value any) {
			l.patch(t, nodes, "", "worker-1", map[string]any{"metadata": map[string]any{"labels": map[string]any{"pool": value}}})
		}
		label("bridges")
		l.create(t, name, "{highAvailability: {nodeSelector: {pool: bridges}}, "+strings.TrimPrefix(bridged(222), "{"))
		l.ready(t, name)
		if node, _, _ := unstructured.NestedString(l.must(t, wukongs, "", name).Object, "status", "nodeName"); node != "worker-1" {
			t.Errorf("it runs on %q, must be worker-1", node)
		}
		label(nil)
		l.awaitCondition(t, name, "Stalled", "True", "NoMatchingNode")
		label("bridges")
		l.ready(t, name)
		l.neverDeleted(t, machines, name)
		l.delete(t, name)
		label(nil)
	})
}

func TestANetworkJoinsAndLeavesWithARestart(t *testing.T) {
	withNMState(t, func(t *testing.T, l *lab) {
		const name, nad, policy = "nets", "nets-lan-232-nad", "nets-lan-232-bridge"
		l.create(t, name, bridged(231))
		l.ready(t, name)

		l.change(t, name, bridged(231, 232))
		l.awaitCondition(t, name, "Ready", "True", "RestartRequired")
		l.restart(t, name)
		l.awaitCondition(t, name, "Ready", "True", "Running")
		if diff := cmp.Diff([]string{"default", "lan-231", "lan-232"}, networkNames(l.must(t, instances, "default", name), "spec")); diff != "" {
			t.Errorf("networks of the instance (-want +got):\n%s", diff)
		}

		l.change(t, name, bridged(231))
		l.eventually(t, "the machine drops the network", func() (bool, string) {
			names := networkNames(l.must(t, machines, "default", name), "spec", "template", "spec")
			return slices.Equal(names, []string{"default", "lan-231"}), fmt.Sprint(names)
		})
		l.awaitCondition(t, name, "Ready", "True", "RestartRequired")
		l.must(t, nads, "default", nad)
		l.must(t, policies, "", policy)
		l.restart(t, name)
		l.awaitGone(t, policies, "", policy)
		before(t, "the attachment is deleted", l.removal(t, nads, nad).Done, "its policy is", l.removal(t, policies, policy).Received)
		l.awaitCondition(t, name, "Ready", "True", "Running")
		l.neverDeleted(t, machines, name)
		l.delete(t, name)
	})
}

func TestANetworkThatComesBackInAnotherFormLeavesFirst(t *testing.T) {
	withNMState(t, func(t *testing.T, l *lab) {
		const name, nad, policy = "again", "again-lan-nad", "again-lan-bridge"
		spec := "{networks: [{name: default}, {name: lan, type: bridge, bridgeName: br-%[1]d, vlanId: %[1]d}]}"
		l.create(t, name, fmt.Sprintf(spec, 241))
		l.ready(t, name)
		first := l.must(t, policies, "", policy).GetUID()

		l.change(t, name, "{networks: [{name: default}]}")
		l.change(t, name, fmt.Sprintf(spec, 242))
		l.awaitCondition(t, name, "MachineReady", "True", "RestartRequired")
		l.restart(t, name)
		l.ready(t, name)
		// The machine was restarted without the network, and gets the new one with another restart.
		l.awaitCondition(t, name, "MachineReady", "True", "RestartRequired")
		l.restart(t, name)
		l.awaitCondition(t, name, "Ready", "True", "Running")
		if l.must(t, policies, "", policy).GetUID() == first {
			t.Error("the policy was rewritten in place")
		}
		before(t, "the attachment is deleted", l.removal(t, nads, nad).Done, "its policy is", l.removal(t, policies, policy).Received)
		l.neverDeleted(t, machines, name)
		l.delete(t, name)
	})
}

func TestWithoutNMStateTheRestProceeds(t *testing.T) {
	withoutNMState(t, func(t *testing.T, l *lab) {
		const name = "without"
		l.create(t, name, bridged(281))
		l.ready(t, name)
		message := l.awaitCondition(t, name, "NodeNetworkReady", "Unknown", "NMStateNotRegistered")
		if !strings.Contains(message, "br-281") {
			t.Errorf("the message is %q, must name the bridge br-281", message)
		}
		l.absent(t, policies, "", name+"-lan-281-bridge")
		before(t, "the attachment is created", l.creation(t, nads, name+"-lan-281-nad").Done, "the machine is", l.creation(t, machines, name).Received)

		l.change(t, name, "{cpu: 2}")
		l.awaitCondition(t, name, "Ready", "True", "RestartRequired")
		l.change(t, name, bridged(281, 282))
		l.awaitObject(t, nads, "default", name+"-lan-282-nad")
		l.eventually(t, "the machine has both networks", func() (bool, string) {
			names := networkNames(l.must(t, machines, "default", name), "spec", "template", "spec")
			return slices.Equal(names, []string{"default", "lan-281", "lan-282"}), fmt.Sprint(names)
		})
		l.restart(t, name)
		l.change(t, name, bridged(281))
		l.awaitCondition(t, name, "Ready", "True", "RestartRequired")
		l.restart(t, name)
		l.awaitGone(t, nads, "default", name+"-lan-282-nad")
		l.neverDeleted(t, machines, name)
		l.delete(t, name)
		before(t, "the machine is deleted", l.removal(t, machines, name).Received, "its attachment is", l.removal(t, nads, name+"-lan-281-nad").Received)
	})
}

func TestAClusterThatGetsNMStateLaterKeepsItsMachines(t *testing.T) {
	withoutNMState(t, func(t *testing.T, l *lab) {
		const name = "later"
		l.create(t, name, bridged(283))
		l.ready(t, name)
		l.control(t, true)
		l.awaitObject(t, policies, "", name+"-lan-283-bridge")
		l.awaitCondition(t, name, "NodeNetworkReady", "True", "PoliciesAvailable")
		l.ready(t, name)
		l.control(t, false)
		l.awaitCondition(t, name, "NodeNetworkReady", "Unknown", "NMStateNotRegistered")
		l.neverDeleted(t, machines, name)
		l.neverDeleted(t, nads, name+"-lan-283-nad")
		l.control(t, true)
		l.ready(t, name)
		l.delete(t, name)
	})
}

// call is a call of a hook: its name, whose it is, and how many children there are.
type call struct {
	hook, wukong string
	children     int
}

// callOf says what a call is about. The request can still be read.
func callOf(r *http.Request) call {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return call{} // the caller has gone
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	var request struct {
		Parent   struct{ Metadata struct{ Name string } }
		Children map[string]map[string]any
	}
	if json.Unmarshal(body, &request) != nil {
		return call{}
	}
	c := call{hook: strings.TrimPrefix(r.URL.Path, "/"), wukong: request.Parent.Metadata.Name}
	for _, kind := range request.Children {
		c.children += len(kind)
	}
	return c
}

// together is a fault that makes calls meet: those that are so wait until there is one about each Wukong. Metacontroller
// has five workers, so any two calls may be made before either is answered.
func together(is func(call) bool, wukongs ...string) func(http.ResponseWriter, *http.Request) bool {
	var mu sync.Mutex
	here, all := map[string]bool{}, make(chan struct{})
	return func(_ http.ResponseWriter, r *http.Request) bool {
		c := callOf(r)
		if !slices.Contains(wukongs, c.wukong) || !is(c) {
			return false
		}
		mu.Lock()
		if !here[c.wukong] {
			if here[c.wukong] = true; len(here) == len(wukongs) {
				close(all)
			}
		}
		mu.Unlock()
		select {
		case <-all:
		case <-r.Context().Done():
		}
		return false
	}
}

// absent fails where an object exists.
func (l *lab) absent(t *testing.T, resource schema.GroupVersionResource, namespace, name string) {
	t.Helper()
	if object, err := l.get(t, resource, namespace, name); object != nil || err != nil {
		t.Errorf("%s %s exists (error: %v), must not yet", resource.Resource, name, err)
	}
}

func (l *lab) reboot(t *testing.T, node string) {
	t.Helper()
	if err := l.simulator.Reboot(t.Context(), node); err != nil {
		t.Fatal(err)
	}
}

// restart restarts a machine, and waits until another instance runs.
func (l *lab) restart(t *testing.T, name string) {
	t.Helper()
	old := l.must(t, instances, "default", name).GetUID()
	if err := l.simulator.RestartMachine(t.Context(), "default", name); err != nil {
		t.Fatal(err)
	}
	l.eventually(t, name+" runs again", func() (bool, string) {
		instance, err := l.get(t, instances, "default", name)
		if instance == nil || instance.GetUID() == old {
			return false, fmt.Sprint("there is no new instance: ", err)
		}
		phase, _, _ := unstructured.NestedString(instance.Object, "status", "phase")
		return phase == "Running", "its phase is " + phase
	})
}

// networkNames are the networks of a machine or an instance, whose spec is at a path.
func networkNames(object *unstructured.Unstructured, path ...string) []string {
	networks, _, _ := unstructured.NestedSlice(object.Object, append(path, "networks")...)
	var names []string
	for _, n := range networks {
		names = append(names, n.(map[string]any)["name"].(string))
	}
	return names
}

// onNode says that a node has an interface.
func (l *lab) onNode(t *testing.T, node, name string) bool {
	t.Helper()
	return l.iface(t, node, name) != nil
}

// iface is an interface that a node reports, or nil.
func (l *lab) iface(t *testing.T, node, name string) map[string]any {
	t.Helper()
	interfaces, _, _ := unstructured.NestedSlice(l.must(t, states, "", node).Object, "status", "currentState", "interfaces")
	for _, i := range interfaces {
		if i.(map[string]any)["name"] == name {
			return i.(map[string]any)
		}
	}
	return nil
}

// foreign creates an object that is nobody's.
func (l *lab) foreign(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	o := &unstructured.Unstructured{Object: object(t, text)}
	client, err := l.Client(o)
	if err != nil {
		t.Fatal(err)
	}
	created, err := client.Create(t.Context(), o, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return created
}

func (l *lab) foreignNAD(t *testing.T, namespace, name string) *unstructured.Unstructured {
	t.Helper()
	return l.foreign(t, fmt.Sprintf(`{apiVersion: k8s.cni.cncf.io/v1, kind: NetworkAttachmentDefinition, metadata: {namespace: %s, name: %s},
		spec: {config: '{"cniVersion": "0.3.1", "type": "bridge", "bridge": "br-theirs", "ipam": {}}'}}`, namespace, name))
}

// untouched fails unless an object is as it was, but for its status.
func (l *lab) untouched(t *testing.T, was *unstructured.Unstructured) {
	t.Helper()
	client, err := l.Client(was)
	if err != nil {
		t.Fatal(err)
	}
	is, err := client.Get(t.Context(), was.GetName(), metav1.GetOptions{})
	if err != nil {
		t.Fatalf("%s %s, which is somebody else's: %v", was.GetKind(), was.GetName(), err)
	}
	for _, o := range []*unstructured.Unstructured{was, is} {
		o.SetManagedFields(nil)
		o.SetResourceVersion("")
		delete(o.Object, "status")
	}
	if diff := cmp.Diff(was.Object, is.Object); diff != "" {
		t.Errorf("%s %s was changed (-was +is):\n%s", was.GetKind(), was.GetName(), diff)
	}
}

// last is the last write that is so.
func (l *lab) last(t *testing.T, is func(write) bool) write {
	t.Helper()
	all := l.writes(t, is)
	if len(all) == 0 {
		t.Fatal("there is no such write")
	}
	return slices.MaxFunc(all, func(a, b write) int { return a.Done.Compare(b.Done) })
}

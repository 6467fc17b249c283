package e2e

import (
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/e2e/cluster"
)

func TestANICThatTwoClaimAtTheSameTimeFeedsOneBridge(t *testing.T) {
	withNMState(t, func(t *testing.T, l *lab) {
		names := []string{"claim-1", "claim-2"}
		l.front.disturb(together(func(c call) bool { return c.hook == "sync" && c.children == 0 }, names...))
		defer l.front.disturb(nil)
		for _, name := range names {
			l.create(t, name, fmt.Sprintf("{networks: [{name: lan, type: bridge, bridgeName: br-%s, physicalInterface: ens162}]}", name))
		}
		var winner, loser string
		l.eventually(t, "one is ready, and the other says that there is a conflict", func() (bool, string) {
			winner, loser = "", ""
			for _, name := range names {
				w := l.must(t, wukongs, "", name)
				switch {
				case condition(w, "Stalled")["reason"] == "Conflict":
					loser = name
				case condition(w, "Ready")["status"] == "True":
					winner += name
				}
			}
			return loser != "" && (winner == names[0] || winner == names[1]), fmt.Sprintf("ready: %s, in conflict: %s", winner, loser)
		})
		// NMState may have applied the loser's policy last: what counts is what the node has in the end.
		for _, node := range []string{"worker-1", "worker-2"} {
			if controller := l.iface(t, node, "ens162")["controller"]; controller != "br-"+winner {
				t.Errorf("on %s the NIC belongs to %v, must belong to br-%s", node, controller, winner)
			}
			if l.onNode(t, node, "br-"+loser) {
				t.Errorf("on %s the bridge of %s is still there", node, loser)
			}
		}
		for _, name := range names {
			l.delete(t, name)
		}
	})
}

func TestANICThatTheSecondHasAlreadyGoesBackToTheFirst(t *testing.T) {
	withNMState(t, func(t *testing.T, l *lab) {
		names := []string{"taken-1", "taken-2"}
		meet := together(func(c call) bool { return c.hook == "sync" && c.children == 0 }, names...)
		var applied atomic.Bool
		l.front.disturb(func(w http.ResponseWriter, r *http.Request) bool {
			// The hook is not asked again before NMState has applied both policies.
			if c := callOf(r); slices.Contains(names, c.wukong) && c.children > 0 && !applied.Load() {
				http.Error(w, "not now", http.StatusInternalServerError)
				return true
			}
			return meet(w, r)
		})
		defer l.front.disturb(nil)
		for _, name := range names {
			l.create(t, name, fmt.Sprintf("{networks: [{name: lan, type: bridge, bridgeName: br-%s, physicalInterface: ens161, reclaimPolicy: Delete}]}", name))
		}
		for _, name := range names {
			l.eventually(t, "NMState has applied the policy of "+name, func() (bool, string) {
				policy, err := l.get(t, policies, "", name+"-lan-bridge")
				if policy == nil {
					return false, fmt.Sprint("there is none: ", err)
				}
				return condition(policy, "Available")["status"] == "True", fmt.Sprint(condition(policy, "Available"))
			})
		}
		applied.Store(true)
		for _, name := range names { // so that Metacontroller does not wait for the time that it has set itself
			l.patch(t, wukongs, "", name, map[string]any{"metadata": map[string]any{"annotations": map[string]any{"example.com/touched": "yes"}}})
		}
		var first, second string
		l.eventually(t, "one is ready, and the other says that there is a conflict and has no policy any more", func() (bool, string) {
			first, second = "", ""
			for _, name := range names {
				w := l.must(t, wukongs, "", name)
				switch policy, _ := l.get(t, policies, "", name+"-lan-bridge"); {
				case condition(w, "Ready")["status"] == "True":
					first += name
				case condition(w, "Stalled")["reason"] == "Conflict" && policy == nil:
					second += name
				}
			}
			said := fmt.Sprintf("ready: %s, in conflict: %s; %s; %s", first, second, l.message(l.must(t, wukongs, "", names[0])), l.message(l.must(t, wukongs, "", names[1])))
			return first+second == names[0]+names[1] || second+first == names[0]+names[1], said
		})
		for _, node := range []string{"worker-1", "worker-2"} {
			if controller := l.iface(t, node, "ens161")["controller"]; controller != "br-"+first {
				t.Errorf("on %s the NIC belongs to %v, must belong to br-%s", node, controller, first)
			}
			if l.onNode(t, node, "br-"+second) {
				t.Errorf("on %s the bridge of %s is still there", node, second)
			}
		}
		l.neverRefused(t, policies, names[0]+"-lan-bridge", names[1]+"-lan-bridge")
		for _, name := range names {
			l.delete(t, name)
		}
	})
}

func TestTheExamplesApplyAsTheyAre(t *testing.T) {
	withNMState(t, func(t *testing.T, l *lab) {
		files, err := filepath.Glob("../examples/*.yaml")
		if err != nil || len(files) == 0 {
			t.Fatalf("there are no examples: %v", err)
		}
		// The labels that network-with-two-nic-names.yaml asks for.
		for node, model := range map[string]any{"worker-1": "small", "worker-2": "large"} {
			l.patch(t, nodes, "", node, map[string]any{"metadata": map[string]any{"labels": map[string]any{"hardware.example.com/model": model}}})
		}
		var names, shared []string
		for _, file := range files {
			objects, err := cluster.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := l.Apply(t.Context(), objects...); err != nil {
				t.Fatal(err)
			}
			for _, o := range objects {
				if o.GetKind() == "WukongNetwork" {
					shared = append(shared, o.GetName())
				} else {
					names = append(names, o.GetName())
				}
			}
		}
		l.awaitCondition(t, "vm-on-an-existing-nad", "Stalled", "True", "AttachmentNotFound")
		theirs := l.foreignNAD(t, "networks", "shared-lan")
		for _, name := range names {
			l.ready(t, name)
		}
		for _, name := range shared {
			l.awaitNetwork(t, name, "Ready", "True", "PoliciesAvailable")
		}
		addresses, _, _ := unstructured.NestedString(l.must(t, wukongs, "", "ubuntu-vm-nmstate").Object, "status", "address")
		if addresses != "192.168.100.10" {
			t.Errorf("the address is %q, must be what cloud-init was told, 192.168.100.10", addresses)
		}
		for _, name := range names {
			l.leave(t, name)
		}
		for _, name := range names {
			l.awaitGone(t, wukongs, "", name)
		}
		for _, name := range shared {
			l.leaveNetwork(t, name)
			l.awaitGone(t, networks, "", name)
		}
		l.untouched(t, theirs)
		if err := l.Dynamic.Resource(nads).Namespace("networks").Delete(t.Context(), "shared-lan", metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
	})
}

func TestObjectsOfOthersAreLeftAlone(t *testing.T) {
	withNMState(t, func(t *testing.T, l *lab) {
		others := []*unstructured.Unstructured{
			l.foreignNAD(t, "default", "theirs-nad-lan-271-nad"),
			l.foreign(t, `{apiVersion: nmstate.io/v1, kind: NodeNetworkConfigurationPolicy, metadata: {name: theirs-policy-lan-272-bridge},
				spec: {desiredState: {interfaces: [{name: dummy0, type: dummy, state: up}]}}}`),
			l.foreign(t, `{apiVersion: kubevirt.io/v1, kind: VirtualMachine, metadata: {name: theirs-vm, namespace: default},
				spec: {runStrategy: Halted, template: {spec: {domain: {devices: {}}}}}}`),
		}
		l.eventually(t, "KubeVirt and NMState have taken them up", func() (bool, string) {
			policy, machine := l.must(t, policies, "", others[1].GetName()), l.must(t, machines, "default", "theirs-vm")
			return condition(policy, "Available")["status"] == "True" && len(machine.GetFinalizers()) > 0, ""
		})
		for i, other := range others {
			client, err := l.Client(other)
			if err != nil {
				t.Fatal(err)
			}
			if others[i], err = client.Get(t.Context(), other.GetName(), metav1.GetOptions{}); err != nil {
				t.Fatal(err)
			}
		}
		for name, spec := range map[string]string{"theirs-nad": bridged(271), "theirs-policy": bridged(272), "theirs-vm": bridged()} {
			l.create(t, name, spec)
			l.awaitCondition(t, name, "Stalled", "True", "Conflict")
		}
		for name := range map[string]bool{"theirs-nad": true, "theirs-policy": true, "theirs-vm": true} {
			l.delete(t, name)
		}
		for _, other := range others {
			l.untouched(t, other)
			client, err := l.Client(other)
			if err != nil {
				t.Fatal(err)
			}
			if err := client.Delete(t.Context(), other.GetName(), metav1.DeleteOptions{}); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestWhatOthersNoteOnChildrenStays(t *testing.T) {
	withNMState(t, func(t *testing.T, l *lab) {
		const name = "notes"
		l.create(t, name, bridged(273))
		l.ready(t, name)
		note := map[string]any{"metadata": map[string]any{"annotations": map[string]any{"example.com/backup": "daily"}, "labels": map[string]any{"example.com/team": "blue"}}}
		l.patch(t, machines, "default", name, note)
		l.patch(t, policies, "", name+"-lan-273-bridge", note)
		l.patch(t, nads, "default", name+"-lan-273-nad", note)
		l.change(t, name, "{cpu: 2}")
		l.awaitCondition(t, name, "Ready", "True", "RestartRequired")
		l.reboot(t, "worker-1") // so that everything is held, and released
		l.ready(t, name)
		for _, child := range []*unstructured.Unstructured{
			l.must(t, machines, "default", name), l.must(t, policies, "", name+"-lan-273-bridge"), l.must(t, nads, "default", name+"-lan-273-nad"),
		} {
			if child.GetAnnotations()["example.com/backup"] != "daily" || child.GetLabels()["example.com/team"] != "blue" {
				t.Errorf("%s lost what others noted: %v %v", child.GetKind(), child.GetAnnotations(), child.GetLabels())
			}
		}
		l.delete(t, name)
	})
}

func TestWhatIsDeletedByHandComesBack(t *testing.T) {
	withNMState(t, func(t *testing.T, l *lab) {
		const name = "byhand"
		l.create(t, name, bridged(274))
		l.ready(t, name)
		for _, child := range []*unstructured.Unstructured{
			l.must(t, policies, "", name+"-lan-274-bridge"), l.must(t, nads, "default", name+"-lan-274-nad"), l.must(t, machines, "default", name),
		} {
			client, err := l.Client(child)
			if err != nil {
				t.Fatal(err)
			}
			if err := client.Delete(t.Context(), child.GetName(), metav1.DeleteOptions{}); err != nil {
				t.Fatal(err)
			}
			l.eventually(t, child.GetKind()+" comes back", func() (bool, string) {
				back, err := client.Get(t.Context(), child.GetName(), metav1.GetOptions{})
				return err == nil && back.GetUID() != child.GetUID(), fmt.Sprint(err)
			})
			l.ready(t, name)
		}
		l.delete(t, name)
	})
}

func TestAMachineThatIsStoppedOnRequestIsReady(t *testing.T) {
	withNMState(t, func(t *testing.T, l *lab) {
		const name = "manual"
		l.create(t, name, "{startStrategy: {autoStart: false}}")
		l.awaitCondition(t, name, "Ready", "True", "Stopped")
		l.simulator.StartMachine("default", name)
		l.awaitCondition(t, name, "Ready", "True", "Running")
		l.change(t, name, "{startStrategy: {runStrategy: Halted, autoStart: null}}")
		l.awaitCondition(t, name, "Ready", "True", "Stopped")
		l.neverDeleted(t, machines, name)
		l.delete(t, name)
	})
}

func TestAnAddressThatMovedToTheBridgeIsNotMovedAgain(t *testing.T) {
	withNMState(t, func(t *testing.T, l *lab) {
		const name, policy = "preserve", "preserve-lan-bridge"
		spec := "{networks: [{name: lan, type: bridge, bridgeName: br-host, physicalInterface: ens192, preserveHostIP: true%s}]}"
		l.create(t, name, fmt.Sprintf(spec, ", mtu: 1500"))
		l.ready(t, name)
		first, _, _ := unstructured.NestedMap(l.must(t, policies, "", policy).Object, "spec")
		if len(first["capture"].(map[string]any)) == 0 {
			t.Error("the policy captures nothing")
		}
		l.change(t, name, fmt.Sprintf(spec, ""))
		l.reboot(t, "worker-1")
		l.ready(t, name)
		second, _, _ := unstructured.NestedMap(l.must(t, policies, "", policy).Object, "spec")
		if diff := cmp.Diff(first, second); diff != "" {
			t.Errorf("the policy was changed (-was +is):\n%s", diff)
		}
		l.neverRefused(t, policies, policy)
		l.delete(t, name)
	})
}

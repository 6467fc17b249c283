package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/e2e/simulator"
)

// What is told of nodes: a WukongNode each, by which the hook decides. It follows the node, nobody is misled by another, and
// the Node itself is never written.

func TestEveryNodeIsToldOfAndNeverWritten(t *testing.T) {
	withNMState(t, func(t *testing.T, l *lab) {
		const name = "joiner"
		l.addNode(t, simulator.Node{Name: name, Labels: map[string]string{"pool": "new"}, Pods: 80, NICs: []simulator.NIC{
			{Name: "eno1", Address: "10.0.0.77"}, {Name: "eno2"},
		}})
		l.awaitObject(t, reports, "", name)
		l.eventually(t, "what the node reports is told", func() (bool, string) {
			told, _, _ := unstructured.NestedMap(l.must(t, reports, "", name).Object, "network", "summary")
			return told["carrier"] == "eno1" && told["freeNICs"] == "eno2", fmt.Sprint(told)
		})
		told, node := l.must(t, reports, "", name), l.must(t, nodes, "", name)
		owners := []metav1.OwnerReference{{
			APIVersion: "v1", Kind: "Node", Name: name, UID: node.GetUID(), Controller: new(true), BlockOwnerDeletion: new(true),
		}}
		if diff := cmp.Diff(owners, told.GetOwnerReferences()); diff != "" {
			t.Errorf("owners of the WukongNode (-want +got):\n%s", diff)
		}
		for key, value := range node.GetLabels() {
			if told.GetLabels()[key] != value {
				t.Errorf("label %s of the WukongNode is %q, must be %q as on the Node", key, told.GetLabels()[key], value)
			}
		}
		if text, err := told.MarshalJSON(); err != nil || len(text) > 8<<10 || strings.Contains(string(text), "veth") {
			t.Errorf("the WukongNode has %d bytes (error: %v), must be short and speak of no veth: %s", len(text), err, text)
		}

		// A heartbeat, and a veth more: a call each, and no write.
		version := told.GetResourceVersion()
		for what, change := range map[string]func(){
			"a heartbeat": func() { l.heartbeat(t, name) },
			"a veth": func() {
				l.report(t, name, func(interfaces []any) []any {
					return append(interfaces, map[string]any{"name": "veth00c0ffee", "type": "veth", "state": "up"})
				})
			},
		} {
			calls := l.front.calledAs("node/sync", name)
			change()
			l.eventually(t, "the hook is called about "+what, func() (bool, string) {
				return l.front.calledAs("node/sync", name) > calls, ""
			})
			l.settlesAs(t, "node/sync", name, time.Second)
			if n := l.front.calledAs("node/sync", name) - calls; n != 1 {
				t.Errorf("%s: %d calls, must be 1", what, n)
			}
		}
		if is := l.must(t, reports, "", name).GetResourceVersion(); is != version {
			t.Error("the WukongNode was written although nothing of the kind has changed")
		}
		l.removeNode(t, name)
		l.awaitGone(t, reports, "", name) // the garbage collector's

		l.began = time.Time{} // of all journeys so far
		for _, w := range l.writes(t, func(w write) bool { return w.by(metacontroller) && w.ObjectRef.Resource == nodes.Resource }) {
			t.Errorf("%s of node %s by Metacontroller (subresource %q, answered with %d)", w.Verb, w.ObjectRef.Name, w.ObjectRef.Subresource, w.ResponseStatus.Code)
		}
	})
}

func TestANodeJoinsChangesItsLabelsAndLeaves(t *testing.T) {
	withNMState(t, func(t *testing.T, l *lab) {
		const name, node = "pooled", "worker-9"
		l.create(t, name, "{highAvailability: {nodeSelector: {pool: green}}, "+strings.TrimPrefix(bridged(291), "{"))
		l.awaitCondition(t, name, "Ready", "False", "PreflightWaiting")
		l.addNode(t, simulator.Node{Name: node, Labels: map[string]string{"pool": "green"}, NICs: []simulator.NIC{{Name: "ens160"}}})
		l.ready(t, name)
		label := func(value any) {
			l.patch(t, nodes, "", node, map[string]any{"metadata": map[string]any{"labels": map[string]any{"pool": value}}})
			l.eventually(t, "the WukongNode has the label", func() (bool, string) {
				is, found := l.must(t, reports, "", node).GetLabels()["pool"]
				return found == (value != nil) && (value == nil || is == value), is
			})
		}
		label("red")
		l.awaitCondition(t, name, "Stalled", "True", "NoMatchingNode")
		label(nil)
		label("green")
		l.ready(t, name)
		l.removeNode(t, node)
		l.awaitGone(t, reports, "", node)
		l.awaitCondition(t, name, "Stalled", "True", "NoMatchingNode")
		l.neverDeleted(t, machines, name)
		l.neverDeleted(t, policies, name+"-lan-291-bridge")
		l.delete(t, name)
	})
}

func TestAForgedWukongNodeMisleadsNobody(t *testing.T) {
	withNMState(t, func(t *testing.T, l *lab) {
		const name, node = "misled", "worker-1"
		l.create(t, name+"-before", bridged(292))
		l.ready(t, name+"-before")
		true1 := l.must(t, reports, "", node)

		// Deleted by hand, it is made again.
		l.deleteReport(t, node)
		l.eventually(t, "the WukongNode is made again", func() (bool, string) {
			again, err := l.get(t, reports, "", node)
			return again != nil && again.GetUID() != true1.GetUID(), fmt.Sprint(err)
		})

		// Somebody else is faster. He says that ens192, which carries the node, is free.
		l.front.disturb(func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != "/node/sync" {
				return false
			}
			http.Error(w, "not now", http.StatusInternalServerError)
			return true
		})
		defer l.front.disturb(nil)
		l.deleteReport(t, node)
		forged := l.foreign(t, `{apiVersion: vm.novasphere.dev/v1alpha1, kind: WukongNode, metadata: {name: worker-1, labels: {node-role.kubernetes.io/worker: ""}},
			network: {ready: true, reported: true, interfaces: [{interface: ens160, type: ethernet, mtu: 1500}, {interface: ens192, type: ethernet, mtu: 1500}]}}`)
		l.create(t, name, "{networks: [{name: lan, type: bridge, bridgeName: br-misled, physicalInterface: ens192}]}")
		l.eventually(t, "it is said how to get rid of the forged WukongNode", func() (bool, string) {
			message := l.awaitCondition(t, name, "Ready", "False", "PreflightWaiting")
			return strings.Contains(message, "`kubectl delete wukongnode worker-1` has it made again"), message
		})
		l.front.disturb(nil)
		l.heartbeat(t, node)
		if l.strategy == dynamicApply { // 409, again and again: it stays until somebody deletes it
			l.eventually(t, "Metacontroller finds that the name is taken", func() (bool, string) {
				refused := l.writes(t, func(w write) bool { return w.of(reports, node) && w.by(metacontroller) && w.ResponseStatus.Code == 409 })
				return len(refused) > 0, ""
			})
			if is := l.must(t, reports, "", node).GetUID(); is != forged.GetUID() {
				t.Error("the forged WukongNode is gone")
			}
			l.awaitCondition(t, name, "Ready", "False", "PreflightWaiting")
			l.deleteReport(t, node)
		}
		message := l.awaitCondition(t, name, "Stalled", "True", "PreflightRefused")
		if !strings.Contains(message, "ens192") {
			t.Errorf("the message is %q, must speak of ens192", message)
		}
		l.absent(t, policies, "", name+"-lan-bridge")
		l.neverWritten(t, name+"-lan-bridge")
		l.nothingIsLost(t, name+"-before", 292)
		l.ready(t, name+"-before")
		l.delete(t, name)
		l.delete(t, name+"-before")
	})
}

func TestAReportThatCannotBeReadStopsWhatIsNewOnly(t *testing.T) {
	withNMState(t, func(t *testing.T, l *lab) {
		const name, node = "unread", "worker-2"
		l.create(t, name+"-before", bridged(293))
		l.ready(t, name+"-before")
		state := l.must(t, states, "", node)
		was, _, _ := unstructured.NestedMap(state.Object, "status", "currentState")
		l.patchStatus(t, states, node, map[string]any{"currentState": map[string]any{"interfaces": "none of your business"}})
		l.eventually(t, "the WukongNode says so", func() (bool, string) {
			network, _, _ := unstructured.NestedMap(l.must(t, reports, "", node).Object, "network")
			return network["reported"] == false && network["message"] != "", fmt.Sprint(network)
		})
		l.create(t, name, bridged(294))
		if message := l.awaitCondition(t, name, "Ready", "False", "PreflightWaiting"); !strings.Contains(message, node) {
			t.Errorf("the message is %q, must name %s", message, node)
		}
		l.neverWritten(t, name+"-lan-294-bridge")
		l.patchStatus(t, states, node, map[string]any{"currentState": was})
		l.ready(t, name)
		l.ready(t, name+"-before")
		l.nothingIsLost(t, name+"-before", 293)
		l.delete(t, name)
		l.delete(t, name+"-before")
	})
}

func TestWhatChangedWhileTheHookWasAwayIsToldOf(t *testing.T) {
	withNMState(t, func(t *testing.T, l *lab) {
		const name, node, nic = "away", "worker-2", "ens224"
		l.hook.Kill()
		address := func(enabled bool) {
			l.report(t, node, func(interfaces []any) []any {
				for _, item := range interfaces {
					if iface := item.(map[string]any); iface["name"] == nic {
						iface["ipv4"] = map[string]any{"enabled": enabled, "dhcp": false, "address": []any{map[string]any{"ip": "10.9.9.9", "prefix-length": int64(24)}}}
						if !enabled {
							iface["ipv4"] = map[string]any{"enabled": false}
						}
					}
				}
				return interfaces
			})
		}
		address(true)
		calls := l.front.calledAs("node/sync", node)
		l.eventually(t, "Metacontroller calls in vain", func() (bool, string) { return l.front.calledAs("node/sync", node) > calls, "" })
		l.restartHook(t)
		told := func(want bool) {
			l.eventually(t, "the WukongNode tells of the address", func() (bool, string) {
				interfaces, _, _ := unstructured.NestedSlice(l.must(t, reports, "", node).Object, "network", "interfaces")
				has := slices.ContainsFunc(interfaces, func(i any) bool {
					return i.(map[string]any)["interface"] == nic && i.(map[string]any)["ipv4"] != nil
				})
				return has == want, fmt.Sprint(interfaces)
			})
		}
		told(true)
		l.create(t, name, "{networks: [{name: lan, type: bridge, bridgeName: br-away, physicalInterface: ens224, reclaimPolicy: Delete}]}")
		l.awaitCondition(t, name, "Stalled", "True", "PreflightRefused")
		l.neverWritten(t, name+"-lan-bridge")
		address(false)
		told(false)
		l.ready(t, name)
		l.delete(t, name)
	})
}

// addNode adds a node, and takes it away when the journey ends early.
func (l *lab) addNode(t *testing.T, node simulator.Node) {
	t.Helper()
	if err := l.simulator.AddNode(t.Context(), node); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			_ = l.simulator.RemoveNode(t.Context(), node.Name) // it may have gone already
		}
	})
}

func (l *lab) removeNode(t *testing.T, name string) {
	t.Helper()
	if err := l.simulator.RemoveNode(t.Context(), name); err != nil {
		t.Fatal(err)
	}
}

// heartbeat does what the kubelet does when nothing has happened.
func (l *lab) heartbeat(t *testing.T, node string) {
	t.Helper()
	is := l.must(t, nodes, "", node)
	conditions, _, _ := unstructured.NestedSlice(is.Object, "status", "conditions")
	for _, c := range conditions {
		c.(map[string]any)["lastHeartbeatTime"] = time.Now().UTC().Add(time.Minute).Format(time.RFC3339)
	}
	l.patchStatus(t, nodes, node, map[string]any{"conditions": conditions})
}

// report changes the interfaces that a node reports.
func (l *lab) report(t *testing.T, node string, edit func([]any) []any) {
	t.Helper()
	state := l.must(t, states, "", node)
	interfaces, _, _ := unstructured.NestedSlice(state.Object, "status", "currentState", "interfaces")
	current, _, _ := unstructured.NestedMap(state.Object, "status", "currentState")
	current["interfaces"] = edit(interfaces)
	l.patchStatus(t, states, node, map[string]any{"currentState": current})
}

func (l *lab) deleteReport(t *testing.T, node string) {
	t.Helper()
	if err := l.Dynamic.Resource(reports).Delete(t.Context(), node, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
}

// neverWritten fails where Metacontroller has tried to write a policy.
func (l *lab) neverWritten(t *testing.T, policy string) {
	t.Helper()
	for _, w := range l.writes(t, func(w write) bool { return w.by(metacontroller) && w.of(policies, policy) }) {
		t.Errorf("%s of policy %s, answered with %d", w.Verb, policy, w.ResponseStatus.Code)
	}
}

// settlesAs waits until a hook has not been called about something for a while.
func (l *lab) settlesAs(t *testing.T, hook, name string, quiet time.Duration) {
	t.Helper()
	calls, since := -1, time.Now()
	l.eventually(t, fmt.Sprintf("%s is left alone for %s", name, quiet), func() (bool, string) {
		if is := l.front.calledAs(hook, name); is != calls {
			calls, since = is, time.Now()
		}
		return time.Since(since) > quiet, fmt.Sprintf("calls of %s: %d", hook, calls)
	})
}

package e2e

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// halfway creates a Wukong with one bridge on a VLAN, and stops NMState in the middle of it. What it answers with goes
// on.
func (l *lab) halfway(t *testing.T, name string, vlan int) (goOn func()) {
	t.Helper()
	policy := fmt.Sprintf("%s-lan-%d-bridge", name, vlan)
	l.simulator.Hold(policy)
	l.create(t, name, bridged(vlan))
	l.awaitCondition(t, name, "Ready", "False", "PolicyProgressing")
	return func() { l.simulator.Let(policy) }
}

// lifeGoesOn changes a Wukong that is or gets ready, sees that, and deletes it: nothing of it may have been lost.
func (l *lab) lifeGoesOn(t *testing.T, name string, vlan int) {
	t.Helper()
	l.ready(t, name)
	l.change(t, name, "{cpu: 2}")
	l.awaitCondition(t, name, "Ready", "True", "RestartRequired")
	l.nothingIsLost(t, name, vlan)
	l.delete(t, name)
}

// nothingIsLost fails where a child of a Wukong with one bridge was deleted.
func (l *lab) nothingIsLost(t *testing.T, name string, vlan int) {
	t.Helper()
	l.neverDeleted(t, machines, name)
	l.neverDeleted(t, nads, fmt.Sprintf("%s-lan-%d-nad", name, vlan))
	l.neverDeleted(t, policies, fmt.Sprintf("%s-lan-%d-bridge", name, vlan))
}

func TestAHookThatIsKilledAndComesBackGoesOn(t *testing.T) {
	withNMState(t, func(t *testing.T, l *lab) {
		const name, vlan = "killed", 301
		goOn := l.halfway(t, name, vlan)
		l.hook.Kill()
		goOn()
		before := l.front.called(name)
		l.eventually(t, "Metacontroller calls in vain", func() (bool, string) {
			calls := l.front.called(name) - before
			return calls > 2, fmt.Sprint("calls: ", calls)
		})
		l.absent(t, machines, "default", name)
		l.restartHook(t)
		l.ready(t, name)

		// And while it is ready: a change that nobody answers is not lost.
		l.hook.Kill()
		l.change(t, name, "{memory: 3Gi}")
		l.restartHook(t)
		l.awaitCondition(t, name, "Ready", "True", "RestartRequired")
		l.lifeGoesOn(t, name, vlan)
	})
}

func TestAHookThatIsKilledDuringDeletionGoesOn(t *testing.T) {
	withNMState(t, func(t *testing.T, l *lab) {
		const name = "killdel"
		l.create(t, name, `{networks: [{name: lan, type: bridge, bridgeName: br-302, vlanId: 302, reclaimPolicy: Delete}]}`)
		l.ready(t, name)
		l.simulator.Hold(name + "-lan-bridge")
		l.leave(t, name)
		l.awaitGone(t, nads, "default", name+"-lan-nad")
		l.hook.Kill()
		l.simulator.Let(name + "-lan-bridge")
		l.restartHook(t)
		l.awaitGone(t, wukongs, "", name)
		if l.onNode(t, "worker-1", "br-302") {
			t.Error("the bridge stayed")
		}
	})
}

func TestMetacontrollerComesBackAndGoesOn(t *testing.T) {
	withNMState(t, func(t *testing.T, l *lab) {
		const name, vlan = "mcdown", 303
		goOn := l.halfway(t, name, vlan)
		l.metacontroller.Kill()
		goOn()
		l.restartMetacontroller(t, l.strategy)
		l.lifeGoesOn(t, name, vlan)
	})
}

func TestMetacontrollerMayChangeItsStrategy(t *testing.T) {
	withNMState(t, func(t *testing.T, l *lab) {
		const name, vlan = "strategy", 304
		other := map[string]string{dynamicApply: serverSideApply, serverSideApply: dynamicApply}[l.strategy]
		l.create(t, name, `{disks: [{name: data, size: 10Gi}], `+strings.TrimPrefix(bridged(vlan), "{"))
		l.ready(t, name)
		l.settles(t, name, time.Second)
		generations := l.generations(t, name, vlan)
		for i, strategy := range []string{other, l.strategy} {
			l.metacontroller.Kill()
			l.restartMetacontroller(t, strategy)
			calls := l.front.called(name)
			l.eventually(t, "Metacontroller calls again", func() (bool, string) { return l.front.called(name) > calls, "" })
			l.reboot(t, "worker-1") // everything is held, and released
			l.ready(t, name)
			if is := l.generations(t, name, vlan); is != generations {
				t.Errorf("under %s the children have generations %v, must have stayed at %v", strategy, is, generations)
			}
			l.change(t, name, fmt.Sprintf("{cpu: %d}", i+2))
			l.awaitCondition(t, name, "Ready", "True", "RestartRequired")
			l.restart(t, name)
			l.awaitCondition(t, name, "Ready", "True", "Running")
			generations = l.generations(t, name, vlan)
			l.settles(t, name, 3*time.Second)
		}
		l.nothingIsLost(t, name, vlan)
		l.delete(t, name)
	})
}

func TestAnAPIServerThatComesBackFindsEverythingGoingOn(t *testing.T) {
	withNMState(t, func(t *testing.T, l *lab) {
		const name, vlan = "apidown", 305
		goOn := l.halfway(t, name, vlan)
		if err := l.RestartAPIServer(context.WithoutCancel(t.Context())); err != nil {
			t.Fatal(err)
		}
		goOn()
		l.lifeGoesOn(t, name, vlan)
	})
}

func TestEveryOtherCallMayFail(t *testing.T) {
	withNMState(t, func(t *testing.T, l *lab) {
		const name, vlan = "half", 306
		var calls atomic.Int64
		l.front.disturb(func(w http.ResponseWriter, _ *http.Request) bool {
			fails := calls.Add(1)%2 == 1
			if fails {
				http.Error(w, "this replica is broken", http.StatusInternalServerError)
			}
			return fails
		})
		defer l.front.disturb(nil)
		l.create(t, name, bridged(vlan))
		l.lifeGoesOn(t, name, vlan)
		if calls.Load() < 10 {
			t.Errorf("there were %d calls: the fault has hardly been met", calls.Load())
		}
	})
}

func TestAnswersThatAreTooLateAreAskedForAgain(t *testing.T) {
	withNMState(t, func(t *testing.T, l *lab) {
		const name, vlan = "slow", 307
		controllers := schema.GroupVersionResource{Group: "metacontroller.k8s.io", Version: "v1alpha1", Resource: "compositecontrollers"}
		hooks := map[string]any{}
		for _, hook := range []string{"sync", "finalize", "customize"} {
			hooks[hook] = map[string]any{"webhook": map[string]any{"timeout": "1s"}}
		}
		l.patch(t, controllers, "", "wukong", map[string]any{"spec": map[string]any{"hooks": hooks}})
		defer func() {
			if err := l.InstallControllers(context.WithoutCancel(t.Context()), l.front.server.URL, true); err != nil {
				t.Fatal(err)
			}
			l.awaitController(t)
		}()
		l.awaitController(t)

		var calls, late atomic.Int64
		l.front.disturb(func(_ http.ResponseWriter, r *http.Request) bool {
			if calls.Add(1)%3 != 1 {
				return false
			}
			late.Add(1)
			select {
			case <-time.After(1500 * time.Millisecond):
			case <-r.Context().Done():
			}
			return false // and answered after all, when nobody listens any more
		})
		l.create(t, name, bridged(vlan))
		l.lifeGoesOn(t, name, vlan)
		l.front.disturb(nil)
		if late.Load() < 3 {
			t.Errorf("%d answers were late: the fault has hardly been met", late.Load())
		}
	})
}

func TestAFloodOfEventsChangesNothing(t *testing.T) {
	withNMState(t, func(t *testing.T, l *lab) {
		const name, vlan = "flood", 308
		l.create(t, name, bridged(vlan))
		l.ready(t, name)
		l.settles(t, name, time.Second)
		generations := l.generations(t, name, vlan)
		since, calls, told := time.Now(), l.front.called(name), l.front.toldOfNodes()

		for i := range 300 {
			event := &unstructured.Unstructured{Object: map[string]any{
				"apiVersion": "v1", "kind": "Event",
				"metadata":       map[string]any{"generateName": "flood-", "namespace": "default"},
				"involvedObject": map[string]any{"apiVersion": "vm.novasphere.dev/v1alpha1", "kind": "Wukong", "name": name},
				"reason":         "Flood", "message": "one of very many", "type": "Normal",
			}}
			if _, err := l.Dynamic.Resource(events).Namespace("default").Create(t.Context(), event, metav1.CreateOptions{}); err != nil {
				t.Fatal(err)
			}
			// What NMState reports every minute of every node says nothing new: it concerns the WukongNode, and no Wukong.
			l.patchStatus(t, states, fmt.Sprintf("worker-%d", i%2+1), map[string]any{
				"lastSuccessfulUpdateTime": since.UTC().Add(time.Duration(i) * time.Second).Format(time.RFC3339),
			})
		}
		l.settles(t, name, 2*time.Second)
		l.ready(t, name)
		l.eventually(t, "the hook is told of both nodes", func() (bool, string) { return l.front.toldOfNodes() > told, "" })
		if wrote := l.writes(t, func(w write) bool { return w.by(metacontroller) && w.Received.After(since) }); len(wrote) > 0 {
			t.Errorf("%d writes, must be none; the first is %+v", len(wrote), wrote[0])
		}
		if is := l.generations(t, name, vlan); is != generations {
			t.Errorf("the children have generations %v, must have stayed at %v", is, generations)
		}
		if n := l.front.called(name) - calls; n > 0 {
			t.Errorf("the hook was called %d times about the Wukong, which all this does not concern", n)
		}
		t.Logf("600 events: %d calls about nodes", l.front.toldOfNodes()-told)
		l.nothingIsLost(t, name, vlan)
		l.delete(t, name)
	})
}

// patchStatus changes a status by a merge patch.
func (l *lab) patchStatus(t *testing.T, resource schema.GroupVersionResource, name string, status map[string]any) {
	t.Helper()
	current := l.must(t, resource, "", name)
	for key, value := range status {
		if err := unstructured.SetNestedField(current.Object, value, "status", key); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.Dynamic.Resource(resource).UpdateStatus(t.Context(), current, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
}

func (l *lab) restartMetacontroller(t *testing.T, strategy string) {
	t.Helper()
	process, err := l.StartMetacontroller(context.WithoutCancel(t.Context()), strategy)
	if err != nil {
		t.Fatal(err)
	}
	l.metacontroller = process
}

// settles waits until the hook has not been called about a Wukong for a while.
func (l *lab) settles(t *testing.T, name string, quiet time.Duration) {
	t.Helper()
	calls, since := -1, time.Now()
	l.eventually(t, fmt.Sprintf("%s is left alone for %s", name, quiet), func() (bool, string) {
		if is := l.front.called(name); is != calls {
			calls, since = is, time.Now()
		}
		return time.Since(since) > quiet, fmt.Sprint("calls of sync: ", calls)
	})
}

// generations are those of the children of a Wukong with one bridge, in one line.
func (l *lab) generations(t *testing.T, name string, vlan int) string {
	t.Helper()
	var all []string
	for _, o := range []*unstructured.Unstructured{
		l.must(t, policies, "", fmt.Sprintf("%s-lan-%d-bridge", name, vlan)),
		l.must(t, nads, "default", fmt.Sprintf("%s-lan-%d-nad", name, vlan)),
		l.must(t, machines, "default", name),
	} {
		all = append(all, fmt.Sprintf("%s %d", o.GetKind(), o.GetGeneration()))
	}
	return strings.Join(all, ", ")
}

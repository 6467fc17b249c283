package e2e

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"novasphere.dev/wukong/e2e/simulator"
)

func TestDeletionGoesBackwardsAndLeavesTheNodesAsAsked(t *testing.T) {
	withNMState(t, func(t *testing.T, l *lab) {
		const name = "backwards"
		l.create(t, name, `{networks: [
			{name: gone, type: bridge, bridgeName: br-gone, vlanId: 251, reclaimPolicy: Delete},
			{name: nic, type: bridge, bridgeName: br-nic, physicalInterface: ens161, reclaimPolicy: Delete},
			{name: kept, type: bridge, bridgeName: br-kept, vlanId: 252}]}`)
		l.ready(t, name)
		for _, bridge := range []string{"br-gone", "br-nic", "br-kept", "ens160.251"} {
			if !l.onNode(t, "worker-1", bridge) {
				t.Errorf("%s is not on the node", bridge)
			}
		}
		l.delete(t, name)

		machine := l.removal(t, machines, name)
		gone := l.last(t, func(w write) bool { return w.of(machines, name) && w.by(simulator.UserAgent) && w.stored() })
		stopped := l.last(t, func(w write) bool { return w.of(instances, name) && w.by(simulator.UserAgent) && w.stored() })
		before(t, "the machine is deleted", machine.Received, "its instance has gone", stopped.Done)
		before(t, "its instance has gone", stopped.Received, "the machine has gone", gone.Done)
		for _, network := range []string{"gone", "nic", "kept"} {
			nad := l.removal(t, nads, name+"-"+network+"-nad")
			before(t, "the machine has gone", gone.Received, "attachment "+network+" is deleted", nad.Received)
			for _, other := range []string{"gone", "nic", "kept"} {
				policy := l.removal(t, policies, name+"-"+other+"-bridge")
				before(t, "attachment "+network+" is deleted", nad.Done, "policy "+other+" is", policy.Received)
			}
		}
		for iface, want := range map[string]bool{"br-gone": false, "br-nic": false, "br-kept": true, "ens160.251": false, "ens160.252": true, "ens161": true} {
			if got := l.onNode(t, "worker-2", iface); got != want {
				t.Errorf("%s on the node: %v, must be %v", iface, got, want)
			}
		}
		l.neverRefused(t, policies, name+"-gone-bridge", name+"-nic-bridge", name+"-kept-bridge")
	})
}

func TestABridgeIsRemovedAlsoWhenItWasStillBeingBuilt(t *testing.T) {
	withNMState(t, func(t *testing.T, l *lab) {
		const name, policy = "early", "early-lan-bridge"
		l.simulator.Hold(policy)
		l.create(t, name, "{networks: [{name: lan, type: bridge, bridgeName: br-early, vlanId: 253, reclaimPolicy: Delete}]}")
		l.awaitCondition(t, name, "Ready", "False", "PolicyProgressing")
		l.leave(t, name)
		l.terminating(t, name, "is in progress: bridge br-early is removed when that is over")
		l.simulator.Let(policy)
		l.awaitGone(t, wukongs, "", name)
		for _, iface := range []string{"br-early", "ens160.253"} {
			if l.onNode(t, "worker-1", iface) {
				t.Errorf("%s stayed on the node", iface)
			}
		}
		l.neverRefused(t, policies, policy)
	})
}

func TestARemovalThatNeverEndsIsGivenUp(t *testing.T) {
	withNMState(t, func(t *testing.T, l *lab) {
		const name, policy = "stuck", "stuck-lan-bridge"
		l.hook.Kill()
		l.restartHook(t, "-teardown-timeout", "4s")
		l.create(t, name, "{networks: [{name: lan, type: bridge, bridgeName: br-stuck, vlanId: 254, reclaimPolicy: Delete}]}")
		l.ready(t, name)
		l.simulator.Hold(policy)
		l.leave(t, name)
		l.terminating(t, name, "policy stuck-lan-bridge is removing bridge br-stuck")
		l.awaitGone(t, wukongs, "", name)
		l.noted(t, "policy stuck-lan-bridge: gave up removing bridge br-stuck, nothing has moved for 4s")
		l.simulator.Let(policy)
		l.hook.Kill()
		l.restartHook(t)
	})
}

func TestASharedBridgeLeavesWithTheLastWhoUsesIt(t *testing.T) {
	withNMState(t, func(t *testing.T, l *lab) {
		const spec = "{networks: [{name: lan, type: bridge, bridgeName: br-shared, vlanId: 261, reclaimPolicy: Delete}]}"
		for _, name := range []string{"share-1", "share-2"} {
			l.create(t, name, spec)
		}
		l.ready(t, "share-1")
		l.ready(t, "share-2")
		l.delete(t, "share-1")
		if !l.onNode(t, "worker-1", "br-shared") {
			t.Error("the bridge left with the first")
		}
		l.ready(t, "share-2")
		l.delete(t, "share-2")
		if l.onNode(t, "worker-1", "br-shared") {
			t.Error("the bridge stayed when the last left")
		}
	})
}

func TestASharedBridgeLeavesWhenAllWhoUseItLeaveAtOnce(t *testing.T) {
	withNMState(t, func(t *testing.T, l *lab) {
		const spec = "{networks: [{name: lan, type: bridge, bridgeName: br-atonce, vlanId: 262, reclaimPolicy: Delete}]}"
		names := []string{"atonce-1", "atonce-2", "atonce-3"}
		for _, name := range names {
			l.create(t, name, spec)
		}
		for _, name := range names {
			l.ready(t, name)
		}
		for _, name := range names {
			l.leave(t, name)
		}
		for _, name := range names {
			l.awaitGone(t, wukongs, "", name)
		}
		if l.onNode(t, "worker-1", "br-atonce") {
			t.Error("the bridge stayed when all left")
		}
	})
}

func TestASharedBridgeLeavesWhenTheLastTwoAreDecidedAboutAtTheSameTime(t *testing.T) {
	withNMState(t, func(t *testing.T, l *lab) {
		const spec = "{networks: [{name: lan, type: bridge, bridgeName: br-race, vlanId: 263, reclaimPolicy: Delete}]}"
		names := []string{"race-1", "race-2"}
		for _, name := range names {
			l.create(t, name, spec)
		}
		for _, name := range names {
			l.ready(t, name)
		}
		l.front.disturb(together(func(c call) bool { return c.hook == "finalize" && c.children == 1 }, names...))
		defer l.front.disturb(nil)
		for _, name := range names {
			l.leave(t, name)
		}
		for _, name := range names {
			l.awaitGone(t, wukongs, "", name)
		}
		if l.onNode(t, "worker-1", "br-race") {
			t.Error("the bridge stayed when all left")
		}
	})
}

func TestADeletionEndsThoughNMStateIsGone(t *testing.T) {
	withNMState(t, func(t *testing.T, l *lab) {
		const name, policy = "halfway", "halfway-lan-bridge"
		l.create(t, name, "{networks: [{name: lan, type: bridge, bridgeName: br-halfway, vlanId: 264, reclaimPolicy: Delete}]}")
		l.ready(t, name)
		l.simulator.Hold(policy)
		l.leave(t, name)
		l.terminating(t, name, "policy halfway-lan-bridge is removing bridge br-halfway")
		l.control(t, false) // the CompositeController is the one for clusters without NMState now
		l.awaitGone(t, wukongs, "", name)
		l.noted(t, "Wukong halfway goes without its policies, because NMState is no longer registered: halfway-lan-bridge")
		l.simulator.Let(policy)
		l.awaitGone(t, policies, "", policy) // the garbage collector's
		l.control(t, true)
	})
}

// terminating waits until the status of a Wukong that is being deleted says something.
func (l *lab) terminating(t *testing.T, name, says string) {
	t.Helper()
	l.eventually(t, fmt.Sprintf("the deletion of %s says %q", name, says), func() (bool, string) {
		message := l.awaitCondition(t, name, "Ready", "False", "Terminating")
		return strings.Contains(message, says), message
	})
}

// noted fails unless the hook has said something to the operator.
func (l *lab) noted(t *testing.T, says string) {
	t.Helper()
	log, err := os.ReadFile(l.hook.Log)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(log), says) {
		t.Errorf("the hook's log does not say %q", says)
	}
}

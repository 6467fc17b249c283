package e2e

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/e2e/cluster"
)

// firstVersion is the last commit of the version before WukongNodes: Nodes and NodeNetworkStates are related to every Wukong.
const firstVersion = "766136a"

// What an upgrade consists of.
const (
	theHook        = "the hook"
	theControllers = "the controllers"
	theDefinitions = "the definitions"
	theRole        = "Metacontroller's role"
)

// upgrades are the orders in which it may happen.
var upgrades = []struct {
	name  string
	steps []string
}{
	{"hook first", []string{theHook, theDefinitions, theRole, theControllers}},
	{"controllers first", []string{theControllers, theHook, theDefinitions, theRole}},
	{"definitions last", []string{theHook, theControllers, theRole, theDefinitions}},
	{"role last", []string{theDefinitions, theHook, theControllers, theRole}},
}

func TestAnUpgradeNeverStopsLookingAtTheNodes(t *testing.T) {
	if os.Getenv("METACONTROLLER") == "" {
		t.Skip("METACONTROLLER does not name a binary of Metacontroller: not tried under " + dynamicApply + " and " + serverSideApply)
	}
	first := treeOf(t, firstVersion)
	for _, strategy := range []string{dynamicApply, serverSideApply} {
		t.Run(strategy, func(t *testing.T) {
			t.Parallel()
			for _, upgrade := range upgrades {
				t.Run(upgrade.name, func(t *testing.T) { upgradeBy(t, first, strategy, upgrade.steps) })
			}
		})
	}
}

// upgradeBy installs a version, makes machines, and installs this version step by step.
func upgradeBy(t *testing.T, from, strategy string, steps []string) {
	l, err := startLab(strategy, cluster.Options{Log: os.Stderr, Root: from})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		l.front.server.Close()
		l.Stop()
	})
	l.slow = 6 // what is missing for a while is tried again later and later
	const kept, vlan = "kept", 311
	l.create(t, kept, bridged(vlan))
	l.ready(t, kept)
	l.danger(t, 0)
	l.awaitCondition(t, dangerName(0), "Stalled", "True", "PreflightRefused")
	l.settles(t, kept, time.Second)
	was := l.versions(t, kept, vlan)

	here, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	l.Root = here
	for i, step := range steps {
		l.install(t, step)
		asked := l.front.asked(dangerName(i + 1))
		l.danger(t, i+1)
		// Where a kind is missing, or may not be listed, nobody is asked, and there is nothing to wait for.
		deadline := time.Now().Add(3 * time.Second)
		for time.Now().Before(deadline) && condition(l.must(t, wukongs, "", dangerName(i+1)), "Stalled")["reason"] != "PreflightRefused" {
			wait(t, 100*time.Millisecond)
		}
		t.Logf("after %s: %s is asked about %d times, and told %q", step, dangerName(i+1), l.front.asked(dangerName(i+1))-asked,
			condition(l.must(t, wukongs, "", dangerName(i+1)), "Ready")["message"])
	}
	for i := range len(steps) + 1 {
		l.awaitCondition(t, dangerName(i), "Stalled", "True", "PreflightRefused")
		l.neverWritten(t, dangerName(i)+"-lan-bridge")
	}
	for _, node := range []string{"worker-1", "worker-2"} {
		l.awaitObject(t, reports, "", node)
		if l.iface(t, node, "ens192")["controller"] != nil {
			t.Errorf("the NIC that carries %s belongs to a bridge", node)
		}
	}
	l.ready(t, kept)
	if is := l.versions(t, kept, vlan); is != was {
		t.Errorf("the children were %s, and are %s: the upgrade has written them", was, is)
	}

	// It is this version that acts now, and it acts on what the other has made.
	l.createNetwork(t, "wkn-new", "{bridgeName: br-new, vlanId: 312}")
	l.awaitNetwork(t, "wkn-new", "Ready", "True", "PoliciesAvailable")
	l.change(t, kept, "{cpu: 2}")
	l.awaitCondition(t, kept, "Ready", "True", "RestartRequired")
	l.nothingIsLost(t, kept, vlan)
	l.delete(t, kept)
}

// install installs a part of the present version.
func (l *lab) install(t *testing.T, part string) {
	t.Helper()
	var err error
	switch part {
	case theHook:
		l.hook.Kill()
		l.restartHook(t)
	case theControllers:
		err = l.InstallControllers(t.Context(), l.front.server.URL, true)
	case theDefinitions:
		err = l.DefineWukong(t.Context())
	case theRole:
		err = l.InstallRole(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
}

func dangerName(i int) string { return fmt.Sprintf("danger-%d", i) }

// danger creates a Wukong whose policy would cut every node off.
func (l *lab) danger(t *testing.T, i int) {
	t.Helper()
	l.create(t, dangerName(i), fmt.Sprintf("{networks: [{name: lan, type: bridge, bridgeName: br-danger-%d, physicalInterface: ens192}]}", i))
}

// asked is how often any hook was called about a Wukong.
func (f *front) asked(name string) int { return f.called(name) + f.calledAs("customize", name) }

// versions are those of the children of a Wukong with one bridge, in one line: any write changes them.
func (l *lab) versions(t *testing.T, name string, vlan int) string {
	t.Helper()
	var all []string
	for _, o := range []*unstructured.Unstructured{
		l.must(t, policies, "", fmt.Sprintf("%s-lan-%d-bridge", name, vlan)),
		l.must(t, nads, "default", fmt.Sprintf("%s-lan-%d-nad", name, vlan)),
		l.must(t, machines, "default", name),
	} {
		all = append(all, fmt.Sprintf("%s %s at %s", o.GetKind(), o.GetUID(), o.GetResourceVersion()))
	}
	return strings.Join(all, ", ")
}

// treeOf is the source tree of a commit. Where the history is not there, the test is skipped.
func treeOf(t *testing.T, commit string) string {
	t.Helper()
	archive, err := exec.CommandContext(t.Context(), "git", "-C", "..", "archive", commit).Output()
	if err != nil {
		t.Skipf("the source of the first version, commit %s, is not in this clone: the upgrade from it is not tried", commit)
	}
	dir := t.TempDir()
	unpack := exec.CommandContext(t.Context(), "tar", "-x", "-C", dir)
	unpack.Stdin = bytes.NewReader(archive)
	if out, err := unpack.CombinedOutput(); err != nil {
		t.Fatalf("unpacking the first version: %v\n%s", err, out)
	}
	return dir
}

package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// calmWindow is how long nothing may be written, once everything is ready.
const calmWindow = 20 * time.Second

// measured are the Wukongs whose writes and calls are counted, one after another.
var measured = []struct {
	what, name, spec string
	networks         []string // those with a policy or an attachment of their own
}{
	{"pod network", "count-pod", "{}", nil},
	{"one bridge", "count-bridge", bridged(401), []string{"lan-401"}},
	{"three bridges", "count-three", bridged(402, 403, 404), []string{"lan-402", "lan-403", "lan-404"}},
	{"ovs", "count-ovs", "{networks: [{name: default}, {name: wan, type: ovs, bridgeName: ovs-405, vlanId: 405}]}", []string{"wan"}},
	{"macvlan", "count-macvlan", "{networks: [{name: default}, {name: lab, type: macvlan, physicalInterface: ens224}]}", []string{"lab"}},
	{"sriov", "count-sriov", "{networks: [{name: default}, {name: fast, type: sriov, resourceName: intel.com/vf, vlanId: 300}]}", []string{"fast"}},
	{"two disks, user, keys", "count-disks", `{cpu: 2, memory: 1.5Gi, disks: [{name: system, size: 20Gi, boot: true, image: "docker://quay.io/containerdisks/ubuntu:24.04"}, {name: data, size: 0.5Ti}],
		cloudInitUser: {name: ubuntu, sudo: "ALL=(ALL) NOPASSWD:ALL"}, sshKeySecret: keys}`, nil},
	{"placed, one bridge", "count-ha", `{highAvailability: {nodeSelector: {node-role.kubernetes.io/worker: ""}, antiAffinity: true, restartPolicy: OnFailure,
		tolerations: [{key: dedicated, operator: Equal, value: machines, effect: NoSchedule}]}, networks: [{name: lan, type: bridge, bridgeName: br-406, vlanId: 406, mtu: 1400}]}`, []string{"lan"}},
}

func TestWritesEndWhenEverythingIsReady(t *testing.T) {
	withNMState(t, func(t *testing.T, l *lab) {
		var table strings.Builder
		table.WriteString("\n| Wukong | policies | attachments | machine | status | finalizer | writes | customize | sync | ms per sync |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n")
		for _, m := range measured {
			start := l.hookMetrics(t)
			l.create(t, m.name, m.spec)
			l.ready(t, m.name)
			l.settles(t, m.name, time.Second)
			end := l.hookMetrics(t)

			n := map[string]int{}
			all := l.writes(t, func(w write) bool { return w.by(metacontroller) && w.stored() && w.about(m.name) })
			for _, w := range all {
				key := w.ObjectRef.Resource
				if w.ObjectRef.Subresource != "" {
					key += "/" + w.ObjectRef.Subresource
				}
				n[key]++
			}
			calls := end["sync calls"] - start["sync calls"]
			fmt.Fprintf(&table, "| %s | %d | %d | %d | %d | %d | %d | %.0f | %.0f | %.1f |\n", m.what,
				n[policies.Resource], n[nads.Resource], n[machines.Resource], n["wukongs/status"], n[wukongs.Resource], len(all),
				end["customize calls"]-start["customize calls"], calls, 1000*(end["sync seconds"]-start["sync seconds"])/calls)
			// A machine with disks is written twice: its DataVolume templates are answered as KubeVirt rewrote them, and
			// Metacontroller notes the new answer.
			if n[policies.Resource] > len(m.networks) || n[nads.Resource] != len(m.networks) || n[machines.Resource] > 1+strings.Count(m.spec, "disks:") {
				t.Errorf("%s: %v: each child must be written once", m.what, n)
			}
		}

		since, start := time.Now(), l.hookMetrics(t)
		wait(t, calmWindow)
		wrote := l.writes(t, func(w write) bool { return w.by(metacontroller) && w.Received.After(since) })
		for _, w := range wrote {
			t.Errorf("%s of %s %s after everything was ready", w.Verb, w.ObjectRef.Resource, w.ObjectRef.Name)
		}
		calls := l.hookMetrics(t)["sync calls"] - start["sync calls"]
		fmt.Fprintf(&table, "\nAll of these ready, in %s: %d writes, %.0f calls.\n", calmWindow, len(wrote), calls)

		// Every call counts, also those that nothing came of.
		policy := "count-bridge-lan-401-bridge"
		if l.must(t, policies, "", policy).GetAnnotations()["nmstate.io/webhook-mutating-timestamp"] == "" {
			t.Error("policies are not stamped: a write too many would not be seen")
		}
		stamp := l.must(t, policies, "", policy).GetResourceVersion()
		for _, m := range measured {
			before := l.front.called(m.name)
			l.poke(t, m.name)
			l.eventually(t, "the hook is called", func() (bool, string) { return l.front.called(m.name) > before, "" })
		}
		since = time.Now()
		for _, m := range measured {
			l.settles(t, m.name, time.Second)
		}
		for _, w := range l.writes(t, func(w write) bool { return w.by(metacontroller) && w.Received.After(since) }) {
			t.Errorf("%s of %s %s by a call that had nothing to do", w.Verb, w.ObjectRef.Resource, w.ObjectRef.Name)
		}
		if is := l.must(t, policies, "", policy).GetResourceVersion(); is != stamp {
			t.Error("a policy was written by a call that had nothing to do")
		}
		t.Logf("%s:\n%s", l.strategy, table.String())
		for _, m := range measured {
			l.leave(t, m.name)
		}
		for _, m := range measured {
			l.awaitGone(t, wukongs, "", m.name)
		}
	})
}

// poke has the hook called about a Wukong in which nothing is to be done.
func (l *lab) poke(t *testing.T, name string) {
	t.Helper()
	l.patch(t, wukongs, "", name, map[string]any{"metadata": map[string]any{"annotations": map[string]any{"example.com/poked": time.Now().Format(time.RFC3339Nano)}}})
}

// about says that a write is of a Wukong or of one of its children: no name of a journey begins with another's.
func (w write) about(name string) bool {
	return w.ObjectRef.Name == name || strings.HasPrefix(w.ObjectRef.Name, name+"-")
}

// hookMetrics are what the hook counts: calls of each hook, and the seconds they took; nothing of a hook not yet called.
func (l *lab) hookMetrics(t *testing.T) map[string]float64 {
	t.Helper()
	log, err := os.Open(l.hook.Log)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	address := ""
	for lines := bufio.NewScanner(log); lines.Scan(); {
		var line struct{ Msg, Address string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "listening" {
			address = line.Address // the hooks' first, then that of the metrics
		}
	}
	response, err := http.Get("http://" + address + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		t.Fatalf("the hook's metrics are answered with %s", response.Status)
	}
	found := map[string]float64{}
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		metric, text, _ := strings.Cut(lines.Text(), "} ")
		value, err := strconv.ParseFloat(text, 64)
		if err != nil {
			continue
		}
		for _, hook := range []string{"sync", "customize", "finalize"} {
			label := `hook="` + hook + `"`
			switch {
			case strings.HasPrefix(metric, "wukong_hook_requests_total{") && strings.Contains(metric, label):
				found[hook+" calls"] += value
			case strings.HasPrefix(metric, "wukong_hook_request_duration_seconds_sum{") && strings.Contains(metric, label):
				found[hook+" seconds"] += value
			}
		}
	}
	return found
}

//go:build unix

package plan

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"novasphere.dev/wukong/dump"
	"novasphere.dev/wukong/manifest"
	"novasphere.dev/wukong/status"
	"novasphere.dev/wukong/sync"
	"novasphere.dev/wukong/sync/facts"
	"novasphere.dev/wukong/sync/scale"
)

// node is a node with a free NIC, as NMState tells of it.
const node = `apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Node, metadata: {name: NODE, uid: uid-NODE, labels: {kubernetes.io/hostname: NODE, zone: a}}}
- apiVersion: nmstate.io/v1beta1
  kind: NodeNetworkState
  metadata: {name: NODE}
  status:
    currentState:
      interfaces:
      - {name: ens160, type: ethernet, state: up, mtu: 1500, ipv4: {enabled: true, address: [{ip: 10.0.0.1, prefix-length: 24}]}}
      - {name: ens192, type: ethernet, state: up, mtu: 1500, ipv4: {enabled: false}}
      routes: {running: [{destination: 0.0.0.0/0, next-hop-interface: ens160, next-hop-address: 10.0.0.254, metric: 100, table-id: 254}], config: []}
`

// fleet is files of machines for a cluster of nodes: on one network that they share, or each with a bridge of its own.
func fleet(t testing.TB, machines, nodes int, shared bool) Input {
	t.Helper()
	c := dump.New()
	for i := range nodes {
		if err := c.Read([]byte(strings.ReplaceAll(node, "NODE", fmt.Sprintf("worker-%d", i)))); err != nil {
			t.Fatal(err)
		}
	}
	reader, err := manifest.NewReader()
	if err != nil {
		t.Fatal(err)
	}
	in := Input{Cluster: c, Hook: dump.Hook{NMState: true, Now: time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC), Settings: sync.Settings{
		PhysicalInterface: "ens192", DefaultOSImage: "quay.io/containerdisks/ubuntu:24.04", Preflight: true,
		NodesSettle: 30 * time.Second, NodesGather: 30 * time.Second, TeardownTimeout: 15 * time.Minute,
	}}, Update: func(*unstructured.Unstructured, map[string]any) (*unstructured.Unstructured, error) {
		panic("nothing exists")
	}}
	add := func(kind, name, spec string) {
		text := fmt.Sprintf("{apiVersion: vm.novasphere.dev/v1alpha1, kind: %s, metadata: {name: %s}, spec: %s}", kind, name, spec)
		f := File{Place: name + ".yaml", Name: name}
		if err := yaml.Unmarshal([]byte(text), &f.Written); err != nil {
			t.Fatal(err)
		}
		if f.Object, err = reader.Admit(manifest.Source{Place: f.Place, Object: f.Written}); err != nil {
			t.Fatal(err)
		}
		in.Files = append(in.Files, f)
	}
	if shared {
		add("WukongNetwork", "lan", "{vlanId: 100}")
	}
	for i := range machines {
		if shared {
			add("Wukong", fmt.Sprintf("vm-%d", i), "{networks: [{name: lan, networkName: lan}]}")
		} else {
			add("Wukong", fmt.Sprintf("vm-%d", i), fmt.Sprintf("{networks: [{name: lan, type: bridge, bridgeName: br-%d, vlanId: %d}]}", i, 100+i))
		}
	}
	return in
}

// grown is the plan of a fleet, and the cluster after it.
func grown(t testing.TB, in Input) (*Plan, *dump.Cluster) {
	t.Helper()
	p, s, err := made(in)
	if err != nil {
		t.Fatal(err)
	}
	return p, s.cluster
}

// TestFleetsArePlanned is that the fleets that are measured come to what they ask for.
func TestFleetsArePlanned(t *testing.T) {
	for _, shared := range []bool{true, false} {
		p, c := grown(t, fleet(t, 12, 8, shared))
		for _, o := range p.Objects {
			if o.Refused != "" || o.Waits != "" {
				t.Errorf("%s %s: %s%s", o.Kind, o.Name, o.Refused, o.Waits)
			}
		}
		want := map[bool]int{true: 1, false: 12}[shared]
		if policies, machines := len(c.All(facts.PolicyKind)), len(c.All(facts.MachineKind)); policies != want || machines != 12 {
			t.Errorf("shared %v: %d policies and %d machines", shared, policies, machines)
		}
		if enactments := len(c.All(facts.EnactmentKind)); enactments != want*8 {
			t.Errorf("shared %v: %d enactments", shared, enactments)
		}
	}
}

// TestCostGrowsWithTheMachines is that four times as many machines take some four times as much, each with a bridge of its own or not. It
// counts allocations, which do not depend on what else the computer does.
func TestCostGrowsWithTheMachines(t *testing.T) {
	for _, shared := range []bool{true, false} {
		few, many := fleet(t, 15, 8, shared), fleet(t, 60, 8, shared)
		var small, large, short, long scale.Cost
		var fewer, more *dump.Cluster
		small.Add(1, func() { _, fewer = grown(t, few) })
		large.Add(1, func() { _, more = grown(t, many) })
		short.Add(1, func() { told(t, fewer, few.Hook) })
		long.Add(1, func() { told(t, more, few.Hook) })
		_, planned := large.Ratio(&small)
		_, read := long.Ratio(&short)
		if planned > 5 || read > 5 {
			t.Errorf("shared %v: of 60 machines a plan takes %.1f times as many allocations as of 15, and a status %.1f times", shared, planned, read)
		}
	}
}

// BenchmarkFleets compares the plan and the status of a few machines with those of ten times as many, by turns.
func BenchmarkFleets(b *testing.B) {
	for _, shared := range []bool{true, false} {
		name := map[bool]string{true: "shared", false: "own"}[shared]
		few, many := fleet(b, 30, 100, shared), fleet(b, 300, 100, shared)
		b.Run("plan/"+name, func(b *testing.B) {
			compare(b, func() { grown(b, few) }, func() { grown(b, many) })
			b.ReportMetric(held(b, few), "MB-held/30")
			b.ReportMetric(held(b, many), "MB-held/300")
		})
		b.Run("status/"+name, func(b *testing.B) {
			_, fewer := grown(b, few)
			_, more := grown(b, many)
			compare(b, func() { told(b, fewer, few.Hook) }, func() { told(b, more, few.Hook) })
		})
	}
}

// told is the status of everything in a cluster, printed.
func told(t testing.TB, c *dump.Cluster, h dump.Hook) {
	t.Helper()
	report, err := status.Make(c, h)
	if err == nil {
		err = report.Text(io.Discard)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// held is the memory that a plan and the cluster after it take, in megabytes.
func held(t testing.TB, in Input) float64 {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	p, c := grown(t, in)
	runtime.GC()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(p)
	runtime.KeepAlive(c)
	return float64(after.HeapAlloc-before.HeapAlloc) / 1e6
}

// compare reports what ten times as much costs, and how many times as much that is. 10 is linear.
func compare(b *testing.B, few, many func()) {
	var small, large scale.Cost
	for b.Loop() {
		small.Add(3, few)
		large.Add(1, many)
	}
	cpu, allocs := large.PerTime()
	times, more := large.Ratio(&small)
	b.ReportMetric(cpu.Seconds(), "cpu-s/300")
	b.ReportMetric(allocs, "allocs/300")
	b.ReportMetric(times, "cpu-300/30")
	b.ReportMetric(more, "allocs-300/30")
	b.ReportMetric(0, "ns/op")
}

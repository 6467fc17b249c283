//go:build unix

package sync_test

import (
	"encoding/json"
	"testing"
	"time"

	jsonv2 "github.com/go-json-experiment/json"

	"novasphere.dev/wukong/sync"
	"novasphere.dev/wukong/sync/facts"
	"novasphere.dev/wukong/sync/scale"
)

// growth is a cluster, one that is some times as large, and how many times as much an answer about that may cost.
type growth struct {
	name         string
	small, large scale.Size
	times        int
	limit        float64
}

// growths are all linear, with room for what maps and slices take when they grow. A term that is worse than linear passes
// unseen in small clusters. In large ones it decides: Metacontroller waits ten seconds for an answer, and asks again.
var growths = []growth{
	{"nodes", scale.Size{Networks: 3, Nodes: 100}, scale.Size{Networks: 3, Nodes: 400}, 4, 5},
	{"nodes-by-their-states", scale.Size{Networks: 3, Nodes: 100, States: true}, scale.Size{Networks: 3, Nodes: 400, States: true}, 4, 5},
	{"networks", scale.Size{Networks: 1, Nodes: 20}, scale.Size{Networks: 16, Nodes: 20}, 16, 20},
	{"networks-by-the-nodes'-states", scale.Size{Networks: 1, Nodes: 20, States: true}, scale.Size{Networks: 16, Nodes: 20, States: true}, 16, 20},
	{"shared-networks", scale.Size{Networks: 1, Shared: true}, scale.Size{Networks: 16, Shared: true}, 16, 20},
	{
		"others-on-one-bridge",
		scale.Size{Networks: 4, Nodes: 3, Others: 100, OneBridge: true}, scale.Size{Networks: 4, Nodes: 3, Others: 1000, OneBridge: true}, 10, 12,
	},
	{
		"others-on-four-bridges",
		scale.Size{Networks: 4, Nodes: 3, Others: 100}, scale.Size{Networks: 4, Nodes: 3, Others: 1000}, 10, 12,
	},
	{
		// Who came first is found last.
		"others-on-four-bridges-the-oldest-last",
		scale.Size{Networks: 4, Nodes: 3, Others: 100, OldestLast: true}, scale.Size{Networks: 4, Nodes: 3, Others: 1000, OldestLast: true}, 10, 12,
	},
}

// TestGrowth counts allocations, which are the same on every machine. The request is decoded before: that is linear, and so
// much that it would hide the rest.
func TestGrowth(t *testing.T) {
	for _, g := range growths {
		t.Run(g.name, func(t *testing.T) {
			small, large := allocs(t, g.small), allocs(t, g.large)
			t.Logf("%s: %.0f allocations; %s: %.0f, which is %.1f times as many", g.small, small, g.large, large, large/small)
			if large > g.limit*small {
				t.Errorf("%d times as much takes %.1f times as many allocations, and may take %.0f", g.times, large/small, g.limit)
			}
		})
	}
}

// TestRefusalsGrow holds the same of an answer that looks for ways out: what refuses is at all nodes, or at the last.
func TestRefusalsGrow(t *testing.T) {
	for name, nic := range map[string]string{"a NIC that no node has": "ens999", "the NIC with the nodes' addresses": "ens192"} {
		t.Run(name, func(t *testing.T) {
			refused := func(nodes int) float64 {
				answer := answering(t, scale.Size{Networks: 1, Nodes: nodes}, func(req *sync.Request) {
					req.Children, req.Related.Policies = facts.Children{}, facts.Set[facts.Policy]{}
					n := &req.Parent.Spec.Networks[0]
					n.PhysicalInterface, n.MTU, n.VLANID = nic, 9000, 0
				})
				return testing.AllocsPerRun(1, func() { answer() })
			}
			small, large := refused(100), refused(400)
			t.Logf("100 nodes: %.0f allocations, 400 nodes: %.0f, which is %.1f times as many", small, large, large/small)
			if large > 5*small {
				t.Errorf("4 times as many nodes take %.1f times as many allocations, and may take 5", large/small)
			}
		})
	}
}

// allocs is how many allocations an answer takes.
func allocs(t *testing.T, size scale.Size) float64 {
	t.Helper()
	answer := answering(t, size)
	return testing.AllocsPerRun(1, answer)
}

// BenchmarkGrowth is the same in CPU time: what allocates nothing may be slow all the same.
func BenchmarkGrowth(b *testing.B) {
	for _, g := range growths {
		b.Run(g.name, func(b *testing.B) {
			answerSmall, answerLarge := answering(b, g.small), answering(b, g.large)
			var small, large scale.Cost
			for b.Loop() {
				small.Add(g.times, answerSmall)
				large.Add(1, answerLarge)
			}
			cpu, _ := large.PerTime()
			cpuRatio, allocsRatio := large.Ratio(&small)
			b.ReportMetric(0, "ns/op") // of both together
			b.ReportMetric(cpu.Seconds()*1e3, "cpu-ms")
			b.ReportMetric(float64(g.times), "size-ratio")
			b.ReportMetric(cpuRatio, "cpu-ratio")
			b.ReportMetric(allocsRatio, "allocs-ratio")
		})
	}
}

// answering is one answer to a request of this size, which is decoded already.
func answering(tb testing.TB, size scale.Size, changes ...func(*sync.Request)) func() {
	tb.Helper()
	raw, err := scale.Request(size, fromWireToWire)
	if err != nil {
		tb.Fatal(err)
	}
	req, err := fromWire(raw)
	if err != nil {
		tb.Fatal(err)
	}
	for _, change := range changes {
		change(req)
	}
	return func() {
		if _, err := sync.Sync(req, goldenSettings, goldenNow); err != nil {
			tb.Fatal(err)
		}
	}
}

// fromWireToWire is the hook without its server.
func fromWireToWire(path string, request []byte) ([]byte, error) {
	switch path {
	case "/network/sync":
		return answerTo(request, sync.SyncNetwork)
	case "/node/sync":
		return answerTo(request, sync.SyncNode)
	}
	return answerTo(request, sync.Sync)
}

func answerTo[Req, Resp any](request []byte, call func(*Req, sync.Settings, time.Time) (*Resp, error)) ([]byte, error) {
	req := new(Req)
	if err := jsonv2.Unmarshal(request, req); err != nil {
		return nil, err
	}
	resp, err := call(req, goldenSettings, goldenNow)
	if err != nil {
		return nil, err
	}
	return json.Marshal(resp)
}

// fromWire is a request as the hook reads it.
func fromWire(request []byte) (*sync.Request, error) {
	req := new(sync.Request)
	err := jsonv2.Unmarshal(request, req)
	return req, err
}

//go:build unix

package server_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"novasphere.dev/wukong/server"
	"novasphere.dev/wukong/sync"
	"novasphere.dev/wukong/sync/scale"
)

// benchedBytes is how much text is read between two looks at the clock: enough for the collector to run several times.
const benchedBytes = 8 << 20

// benched are the sizes of the requests to /sync: few and many networks, nodes, and policies of others.
var benched = []scale.Size{
	{Networks: 1, Nodes: 3},
	{Networks: 1, Nodes: 100},
	{Networks: 3},
	{Networks: 3, Nodes: 3},
	{Networks: 3, Nodes: 20},
	{Networks: 3, Nodes: 100},
	{Networks: 16, Nodes: 3},
	{Networks: 16, Nodes: 100},
	{Networks: 3, Others: 1000},
	{Networks: 3, Nodes: 20, Others: 1000},
}

// load is a request that is benched.
type load struct {
	name, path string
	request    func(scale.Hook) ([]byte, error)
	states     func(scale.Hook) ([]byte, error) // the same with Nodes and NodeNetworkStates; nil where there is none
}

// loads are the requests that are benched: those of all sizes in both forms, those about a Wukong on WukongNetworks, and those about
// WukongNetworks and Nodes.
func loads() []load {
	var all []load
	for _, size := range benched {
		now := load{name: size.String(), path: "/sync", request: about(scale.Request, size)}
		if size.Nodes == 0 {
			all = append(all, now)
			continue
		}
		size.States = true
		now.states = about(scale.Request, size)
		all = append(all, load{name: size.String(), path: "/sync", request: now.states}, now)
	}
	for _, size := range []scale.Size{{Networks: 1, Shared: true}, {Networks: 3, Shared: true}} {
		all = append(all, load{name: size.String(), path: "/sync", request: about(scale.Request, size)})
	}
	for _, nodes := range []int{3, 100} {
		size := scale.Size{Networks: 1, Nodes: nodes}
		states := size
		states.States = true
		all = append(all, load{
			name: "network/" + size.String(), path: "/network/sync",
			request: about(scale.NetworkRequest, size), states: about(scale.NetworkRequest, states),
		})
	}
	for _, networks := range []int{1, 16} {
		size := scale.Size{Networks: networks, Nodes: 1}
		all = append(all, load{name: "node/" + size.String(), path: "/node/sync", request: about(scale.NodeRequest, size)})
	}
	return all
}

func about(request func(scale.Size, scale.Hook) ([]byte, error), size scale.Size) func(scale.Hook) ([]byte, error) {
	return func(hook scale.Hook) ([]byte, error) { return request(size, hook) }
}

// BenchmarkHandler is the whole handler, from the bytes of a request to those of its answer. Seconds say little, because
// machines differ, and one is not always as fast. So it is compared with two others that read the same bytes: plain is
// encoding/json, which decodes the request into maps and encodes the same answer; valid is json.Valid, which only looks.
// Where the request shows WukongNodes, it is also compared with itself, asked with Nodes and NodeNetworkStates in their place.
func BenchmarkHandler(b *testing.B) {
	for _, l := range loads() {
		b.Run(l.name, func(b *testing.B) {
			compare(b, l, asking(quiet(b)))
		})
	}
}

// BenchmarkAnswer is the handler alone, for profiles: beside others its share of the collector's work cannot be told.
func BenchmarkAnswer(b *testing.B) {
	for _, l := range loads() {
		b.Run(l.name, func(b *testing.B) {
			ask := asking(quiet(b))
			request, err := l.request(ask)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			b.SetBytes(int64(len(request)))
			for b.Loop() {
				if _, err := ask(l.path, request); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// compare reports what an answer costs, and how many times that of the others it is.
func compare(b *testing.B, l load, ask scale.Hook) {
	b.Helper()
	request, err := l.request(ask)
	if err != nil {
		b.Fatal(err)
	}
	body, err := ask(l.path, request)
	if err != nil {
		b.Fatal(err)
	}
	var answer any
	if err := json.Unmarshal(body, &answer); err != nil {
		b.Fatal(err)
	}
	var withStates []byte
	if l.states != nil {
		if withStates, err = l.states(ask); err != nil {
			b.Fatal(err)
		}
	}
	times := max(1, benchedBytes/len(request))
	var hook, states, plain, valid scale.Cost
	for b.Loop() {
		hook.Add(times, asked(b, ask, l.path, request))
		if withStates != nil {
			states.Add(max(1, benchedBytes/len(withStates)), asked(b, ask, l.path, withStates))
		}
		plain.Add(times, func() {
			var decoded any
			if err := json.Unmarshal(request, &decoded); err != nil {
				b.Fatal(err)
			}
			if _, err := json.Marshal(answer); err != nil {
				b.Fatal(err)
			}
		})
		valid.Add(times, func() {
			if !json.Valid(request) {
				b.Fatal("the request is no JSON")
			}
		})
	}
	cpu, allocs := hook.PerTime()
	plainRatio, allocsRatio := hook.Ratio(&plain)
	validRatio, _ := hook.Ratio(&valid)
	b.ReportMetric(0, "ns/op") // of all together
	b.ReportMetric(float64(len(request))/1e3, "KB")
	b.ReportMetric(cpu.Seconds()*1e3, "cpu-ms")
	b.ReportMetric(allocs, "allocs")
	b.ReportMetric(plainRatio, "plain-ratio")
	b.ReportMetric(validRatio, "valid-ratio")
	b.ReportMetric(allocsRatio, "allocs-ratio")
	if withStates != nil {
		statesRatio, _ := hook.Ratio(&states)
		b.ReportMetric(statesRatio, "states-ratio")
	}
}

// asked asks once.
func asked(b *testing.B, ask scale.Hook, path string, request []byte) func() {
	return func() {
		if _, err := ask(path, request); err != nil {
			b.Fatal(err)
		}
	}
}

// quiet is the handler of the hooks with the flags' defaults, whose log nobody reads.
func quiet(tb testing.TB) http.Handler {
	tb.Helper()
	srv, err := server.New(defaults(slog.New(slog.NewJSONHandler(io.Discard, nil))))
	if err != nil {
		tb.Fatal(err)
	}
	return srv.Handler
}

func defaults(log *slog.Logger) server.Config {
	return server.Config{
		Settings: sync.Settings{
			PhysicalInterface: "ens160", DefaultOSImage: "quay.io/containerdisks/ubuntu:24.04", Preflight: true, TeardownTimeout: 15 * time.Minute,
		},
		Log:      log,
		Registry: prometheus.NewRegistry(),
		Now:      func() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) },
	}
}

// asking asks a handler without a network between.
func asking(handler http.Handler) scale.Hook {
	return func(path string, request []byte) ([]byte, error) {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodPost, path, bytes.NewReader(request))
		r.Header.Set("Content-Type", jsonType)
		handler.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			return nil, fmt.Errorf("%d: %s", w.Code, w.Body)
		}
		return w.Body.Bytes(), nil
	}
}

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

// benched are the sizes of the requests: few and many networks, nodes, and policies of others.
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

// BenchmarkHandler is the whole handler, from the bytes of a request to those of its answer. Seconds say little, because
// machines differ, and one is not always as fast. So it is compared with two others that read the same bytes: plain is
// encoding/json, which decodes the request into maps and encodes the same answer; valid is json.Valid, which only looks.
func BenchmarkHandler(b *testing.B) {
	for _, size := range benched {
		b.Run(size.String(), func(b *testing.B) {
			handler := quiet(b)
			request, err := scale.Request(size, asking(handler))
			if err != nil {
				b.Fatal(err)
			}
			compare(b, handler, request)
		})
	}
}

// BenchmarkAnswer is the handler alone, for profiles: beside others its share of the collector's work cannot be told.
func BenchmarkAnswer(b *testing.B) {
	for _, size := range benched {
		b.Run(size.String(), func(b *testing.B) {
			ask := asking(quiet(b))
			request, err := scale.Request(size, ask)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			b.SetBytes(int64(len(request)))
			for b.Loop() {
				if _, err := ask(request); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// compare reports what the handler costs for a request, and how many times that of the other two it is.
func compare(b *testing.B, handler http.Handler, request []byte) {
	b.Helper()
	ask := asking(handler)
	body, err := ask(request)
	if err != nil {
		b.Fatal(err)
	}
	var answer any
	if err := json.Unmarshal(body, &answer); err != nil {
		b.Fatal(err)
	}
	times := max(1, benchedBytes/len(request))
	var hook, plain, valid scale.Cost
	for b.Loop() {
		hook.Add(times, func() {
			if _, err := ask(request); err != nil {
				b.Fatal(err)
			}
		})
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
	b.ReportMetric(0, "ns/op") // of all three together
	b.ReportMetric(float64(len(request))/1e3, "KB")
	b.ReportMetric(cpu.Seconds()*1e3, "cpu-ms")
	b.ReportMetric(allocs, "allocs")
	b.ReportMetric(plainRatio, "plain-ratio")
	b.ReportMetric(validRatio, "valid-ratio")
	b.ReportMetric(allocsRatio, "allocs-ratio")
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
	return func(request []byte) ([]byte, error) {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodPost, "/sync", bytes.NewReader(request))
		r.Header.Set("Content-Type", jsonType)
		handler.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			return nil, fmt.Errorf("%d: %s", w.Code, w.Body)
		}
		return w.Body.Bytes(), nil
	}
}

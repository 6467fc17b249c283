package server_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"novasphere.dev/wukong/server"
	"novasphere.dev/wukong/sync"
)

func TestMetrics(t *testing.T) {
	cfg, _ := config()
	hooks := serve(t, cfg)
	url := hooks.URL
	post(t, url+"/sync", request)
	post(t, url+"/sync", request)
	post(t, url+"/sync", "{")
	post(t, url+"/customize", "null")
	do(t, question{method: "POST", url: url + "/finalize"})
	do(t, question{method: "POST", url: url + "/no/such/path"})
	do(t, question{method: "GET", url: url + "/healthz"})

	// A request is counted behind its answer. Close waits for that.
	hooks.Close()

	const want = `
# HELP wukong_hook_requests_in_flight Hook requests that are being answered now.
# TYPE wukong_hook_requests_in_flight gauge
wukong_hook_requests_in_flight 0
# HELP wukong_hook_requests_total Answered hook requests by hook and status code; anything but 200 became an Event and changed nothing.
# TYPE wukong_hook_requests_total counter
wukong_hook_requests_total{code="200",hook="sync"} 2
wukong_hook_requests_total{code="400",hook="sync"} 1
wukong_hook_requests_total{code="415",hook="finalize"} 1
wukong_hook_requests_total{code="422",hook="customize"} 1
`
	if err := testutil.GatherAndCompare(cfg.Registry, strings.NewReader(want), "wukong_hook_requests_total", "wukong_hook_requests_in_flight"); err != nil {
		t.Error(err)
	}

	problems, err := testutil.GatherAndLint(cfg.Registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range problems {
		t.Errorf("%s: %s", problem.Metric, problem.Text)
	}

	metrics := httptest.NewServer(server.NewMetrics(cfg.Registry, cfg.Log).Handler)
	defer metrics.Close()
	got := do(t, question{method: "GET", url: metrics.URL + "/metrics"})
	if got.code != 200 {
		t.Errorf("GET /metrics: %d", got.code)
	}
	for _, name := range []string{
		`wukong_hook_request_duration_seconds_count{hook="sync"} 3`,
		"go_goroutines", "go_build_info", "process_start_time_seconds",
	} {
		if !strings.Contains(got.body, name) {
			t.Errorf("GET /metrics has no %s", name)
		}
	}
	if strings.Contains(got.body, "web") || strings.Contains(got.body, "/no/such/path") {
		t.Error("GET /metrics names a parent or a path")
	}
}

func TestRequestsInFlight(t *testing.T) {
	cfg, _ := config()
	ts := serveSync(t, cfg, func(*sync.Request) (*sync.Response, error) {
		const want = "# HELP wukong_hook_requests_in_flight Hook requests that are being answered now.\n" +
			"# TYPE wukong_hook_requests_in_flight gauge\nwukong_hook_requests_in_flight 1\n"
		return nil, testutil.GatherAndCompare(cfg.Registry, strings.NewReader(want), "wukong_hook_requests_in_flight")
	})
	if got := post(t, ts.URL, request); got.code != 500 || !strings.Contains(got.body, "there is none") {
		t.Errorf("got %d %s", got.code, got.body)
	}
}

// startMetrics serves the metrics as the process does.
func startMetrics(t *testing.T) (address string, opened func() int) {
	t.Helper()
	cfg, _ := config()
	lines := make(lineWriter, 100)
	log := slog.New(slog.NewTextHandler(lines, nil))
	var open, most atomic.Int64
	metrics := server.NewMetrics(cfg.Registry, log)
	metrics.Addr = "127.0.0.1:0"
	metrics.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			if n := open.Add(1); n > most.Load() {
				most.Store(n)
			}
		case http.StateClosed:
			open.Add(-1)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- server.Serve(ctx, log, metrics) }()
	t.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	address = regexp.MustCompile(`address=(\S+)`).FindStringSubmatch(<-lines)[1]
	return address, func() int { return int(most.Load()) }
}

// Headers that never end cost little: few connections are taken, and the others wait in the kernel.
func TestMetricsConnections(t *testing.T) {
	address, most := startMetrics(t)
	conns := make([]net.Conn, 100)
	for i := range conns {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		send(t, conn, "GET /metrics HTTP/1.1\r\nHost: hook\r\nX-Long: "+strings.Repeat("x", 1000))
		conns[i] = conn
	}
	last, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = last.Close() }()
	send(t, last, "GET /metrics HTTP/1.1\r\nHost: hook\r\n\r\n")
	for _, conn := range conns {
		_ = conn.Close()
	}
	if got := receive(t, bufio.NewReader(last)); got.code != 200 {
		t.Errorf("got %d %s", got.code, got.body)
	}
	// A connection counts a little longer than it is one: until the server says so, when the next is there already.
	if most() > 2*32 {
		t.Errorf("there were %d connections at once, want at most 32", most())
	}
}

func TestMetricsHeaderIsSmall(t *testing.T) {
	address, _ := startMetrics(t)
	for size, code := range map[int]int{3 << 10: 200, 9 << 10: 431} {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		send(t, conn, "GET /metrics HTTP/1.1\r\nHost: hook\r\nX-Long: "+strings.Repeat("x", size)+"\r\n\r\n")
		line, err := bufio.NewReader(conn).ReadString('\n')
		if err != nil || !strings.HasPrefix(line, fmt.Sprintf("HTTP/1.1 %d ", code)) {
			t.Errorf("a header of %d bytes: got %q %v, want %d", size, line, err, code)
		}
	}
}

//go:build unix

package server_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path"
	"strconv"
	"strings"
	stdsync "sync"
	"testing"
	"time"

	"novasphere.dev/wukong/server"
	"novasphere.dev/wukong/sync/scale"
)

const (
	// connections are as many as a busy Metacontroller keeps open.
	connections = 64
)

// serves serves on the loopback interface until standard input ends. The first line of standard output is the log's, with the
// address; after it, each line of input is answered with the CPU time that was used so far.
func serves(which string) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	log := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	srv := &server.Server{Server: &http.Server{Handler: http.HandlerFunc(bare), ReadHeaderTimeout: time.Minute}}
	if which == "hook" {
		var err error
		if srv, err = server.New(defaults(log)); err != nil {
			return err
		}
	}
	srv.Addr = "127.0.0.1:0"
	go func() {
		for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
			fmt.Println(int64(scale.CPUTime()))
		}
		cancel()
	}()
	return server.Serve(ctx, log, srv)
}

// bare is the least that a server can do: it reads the request, and answers as many bytes as the path says.
func bare(w http.ResponseWriter, r *http.Request) {
	n, err := strconv.Atoi(path.Base(r.URL.Path))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", jsonType)
	_, _ = w.Write(make([]byte, n)) // a caller that has gone is seen by the caller
}

// BenchmarkServed is what a request costs when it comes over the network, from many connections at once: in CPU time of the
// serving process, and as a multiple of what a bare server takes that does nothing with the same bytes.
func BenchmarkServed(b *testing.B) {
	for _, load := range []struct {
		load
		each int // requests of a round on each connection
	}{
		{load{name: "pod-network-new", path: "/sync", request: scale.PodNetwork}, 40},
		{load{name: "pod-network-ready", path: "/sync", request: about(scale.Request, scale.Size{})}, 40},
		{load{name: "one-bridge-ready", path: "/sync", request: scale.OneBridge}, 20},
		{load{name: "one-bridge-ready,states", path: "/sync", request: about(scale.Request, scale.Size{Networks: 1, Nodes: 1, States: true})}, 8},
		{load{name: "shared-network-ready", path: "/sync", request: about(scale.Request, scale.Size{Networks: 1, Shared: true})}, 20},
		{load{name: "node", path: "/node/sync", request: about(scale.NodeRequest, scale.Size{Networks: 1, Nodes: 1})}, 10},
	} {
		b.Run(load.name, func(b *testing.B) {
			ask := asking(quiet(b))
			request, err := load.request(ask)
			if err != nil {
				b.Fatal(err)
			}
			answer, err := ask(load.path, request)
			if err != nil {
				b.Fatal(err)
			}
			hook, plain := started(b, "hook", strings.TrimPrefix(load.path, "/")), started(b, "bare", strconv.Itoa(len(answer)))
			hook.round(b, request, 1) // opens the connections
			plain.round(b, request, 1)
			hook.cpu, plain.cpu = 0, 0
			rounds := 0
			for b.Loop() { // by turns, because the machine is not always as fast
				hook.round(b, request, load.each)
				plain.round(b, request, load.each)
				rounds++
			}
			requests := float64(rounds * load.each * connections)
			b.ReportMetric(0, "ns/op") // of both together
			b.ReportMetric(float64(len(request))/1e3, "KB")
			b.ReportMetric(hook.cpu.Seconds()*1e6/requests, "cpu-us/request")
			b.ReportMetric(plain.cpu.Seconds()*1e6/requests, "bare-cpu-us/request")
			b.ReportMetric(float64(hook.cpu)/float64(plain.cpu), "bare-ratio")
		})
	}
}

// process is a server in a process of its own.
type process struct {
	url    string
	client *http.Client
	ask    io.Writer
	lines  *bufio.Scanner
	cpu    time.Duration // of all rounds
}

// started starts this test binary as a server.
func started(b *testing.B, which, urlPath string) *process {
	b.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"="+which)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections, MaxConnsPerHost: connections}}
	b.Cleanup(func() {
		client.CloseIdleConnections()
		_ = in.Close() // it ends with its input
		_, _ = io.Copy(io.Discard, out)
		if err := cmd.Wait(); err != nil {
			b.Errorf("the server %s: %v", which, err)
		}
	})
	p := &process{client: client, ask: in, lines: bufio.NewScanner(out)}
	var listening struct{ Address string }
	if !p.lines.Scan() {
		b.Fatalf("the server %s says nothing", which)
	}
	if err := json.Unmarshal(p.lines.Bytes(), &listening); err != nil || listening.Address == "" {
		b.Fatalf("the server %s says %q", which, p.lines.Text())
	}
	p.url = "http://" + listening.Address + "/" + urlPath
	return p
}

// round sends the request so many times on each connection, and adds what that has cost.
func (p *process) round(b *testing.B, request []byte, each int) {
	b.Helper()
	before := p.used(b)
	var callers stdsync.WaitGroup
	for range connections {
		callers.Go(func() {
			for range each {
				if err := p.send(request); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	callers.Wait()
	p.cpu += p.used(b) - before
}

func (p *process) send(request []byte) error {
	resp, err := p.client.Post(p.url, jsonType, bytes.NewReader(request))
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", resp.Status, strings.TrimSpace(string(answer)))
	}
	return nil
}

// used is the CPU time that the process has used so far.
func (p *process) used(b *testing.B) time.Duration {
	b.Helper()
	if _, err := fmt.Fprintln(p.ask); err != nil {
		b.Fatal(err)
	}
	if !p.lines.Scan() {
		b.Fatal("the server has gone")
	}
	n, err := strconv.ParseInt(p.lines.Text(), 10, 64)
	if err != nil {
		b.Fatalf("the server says %q and not what it has used", p.lines.Text())
	}
	return time.Duration(n)
}

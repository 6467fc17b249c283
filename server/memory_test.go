package server_test

import (
	"bufio"
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/prometheus/client_golang/prometheus"
	appsv1 "k8s.io/api/apps/v1"
	"sigs.k8s.io/yaml"

	"novasphere.dev/wukong/server"
	"novasphere.dev/wukong/sync"
)

// measureSync lets the memory be measured of sync itself, beside a hook that keeps what it reads.
var measureSync = flag.Bool("memory.sync", true, "measure the memory that requests to /sync take, too")

// serveAsChild serves the hooks until standard input ends.
func serveAsChild() error {
	cfg := func() server.Config {
		return server.Config{
			Settings: sync.Settings{PhysicalInterface: "ens160", DefaultOSImage: "example.com/os", Preflight: true, TeardownTimeout: time.Minute},
			Log:      slog.New(slog.DiscardHandler),
			Registry: prometheus.NewRegistry(),
			Now:      func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) },
		}
	}
	hooks, err := server.New(cfg())
	if err != nil {
		return err
	}
	keeping, err := server.Hook(cfg(), func(req *kept) (*named, error) { return &named{Name: fmt.Sprint(len(req.objects))}, nil })
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/sync", hooks.Handler)
	mux.Handle("/keeping", keeping)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(listener.Addr())
	hooks.Handler = mux
	hooks.ReadTimeout, hooks.WriteTimeout = 0, 0 // the machine of the test may be slow
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = hooks.Close()
	}()
	if err := hooks.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// kept is a request of which every related object is kept as text. That is about what sync keeps of it: most of the text
// is skipped, and what is kept takes more than its text.
type kept struct {
	objects []jsontext.Value
}

func (k *kept) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	for dec.PeekKind() == jsontext.KindString {
		name, err := dec.ReadToken()
		if err != nil {
			return err
		}
		if name.String() != "related" {
			if err := dec.SkipValue(); err != nil {
				return err
			}
			continue
		}
		value, err := dec.ReadValue()
		if err != nil {
			return err
		}
		k.objects = append(k.objects, value.Clone())
	}
	_, err := dec.ReadToken()
	return err
}

// number stands in a text that is repeated for a number of as many digits, so that no name comes twice.
const number = "0000000"

// repeated is a body of about this many bytes, which has the same text again and again.
func repeated(begin, unit, end string, length int) []byte {
	body := bytes.NewBufferString(begin)
	before, after, numbered := strings.Cut(unit, number)
	for i := 0; body.Len() < length-len(unit)-len(end); i++ {
		if i > 0 {
			body.WriteByte(',')
		}
		body.WriteString(before)
		if numbered {
			fmt.Fprintf(body, "%0*d", len(number), i)
		}
		body.WriteString(after)
	}
	body.WriteString(end)
	return body.Bytes()
}

// The memory that a Pod may have is enough for whatever Metacontroller's workers send at once, with room to spare.
func TestMemory(t *testing.T) {
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Skip("the memory of a process is read from /proc, which this system does not have")
	}
	head := strings.TrimSuffix(strings.TrimSpace(request), "}")
	head = strings.Replace(head, `"related": {},`, "", 1)
	node := `"node` + number + `": {"apiVersion": "nmstate.io/v1beta1", "kind": "NodeNetworkState", "metadata": {"name": "node"}, "status": {"currentState": {"interfaces": [` +
		strings.Repeat(`{"name": "ens160", "type": "ethernet", "state": "up", "mtu": 1500, "ipv4": {"enabled": true, "address": [{"ip": "192.0.2.1", "prefix-length": 24}]}},`, 200) + `{}]}}}`
	state := `, "related": {"Node.v1": {"n": {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}, "x": `
	for _, test := range []struct {
		name                string
		begin, unit, end    string
		requests, megabytes int
	}{
		{"the states of many nodes", head + `, "related": {"NodeNetworkState.nmstate.io/v1beta1": {`, node, "}}}", 5, 31},
		{"objects of one member", head + state + "[", `{"":0}`, "]}}}}", 2, 30},
		{"members of one object", head + state + "{", `"` + number + `":0`, "}}}}}", 2, 30},
		{"empty objects", head + state + "[", `{}`, "]}}}}", 2, 30},
	} {
		for _, path := range []string{"/keeping", "/sync"} {
			t.Run(test.name+path, func(t *testing.T) {
				if path == "/sync" && !*measureSync {
					t.Skip("see -memory.sync")
				}
				child := startChild(t)
				answers, errs := make(chan int, test.requests), make(chan error, test.requests)
				body := repeated(test.begin, test.unit, test.end, test.megabytes*1_000_000)
				for range test.requests {
					go func() {
						code, err := child.ask(path, body)
						answers <- code
						errs <- err
					}()
				}
				codes := map[int]int{}
				for range test.requests {
					codes[<-answers]++
					if err := <-errs; err != nil {
						t.Error(err)
					}
				}
				if codes[200] == 0 {
					t.Errorf("none is answered: %v", codes)
				}
				peak := child.peak(t)
				t.Logf("%d requests of %d MB at once, answers by code %v: at most %d MiB, of %d MiB", test.requests, test.megabytes, codes, peak>>20, child.limit>>20)
				if peak > child.limit/10*7 {
					t.Errorf("the process had %d MiB, which is more than 70 %% of the Deployment's %d MiB", peak>>20, child.limit>>20)
				}
			})
		}
	}
}

// child is a process of its own that serves hooks, with the memory limit of the Deployment.
type child struct {
	pid     int
	address string
	limit   int64 // of the container
}

func startChild(t *testing.T) *child {
	t.Helper()
	var d appsv1.Deployment
	if err := yaml.Unmarshal([]byte(read(t, "../deploy/base/deployment.yaml")), &d); err != nil {
		t.Fatal(err)
	}
	c := &child{limit: d.Spec.Template.Spec.Containers[0].Resources.Limits.Memory().Value()}
	cmd := exec.Command(withoutRace(t)) // the end of its input ends it
	cmd.Env = append(os.Environ(), childVariable+"=memory", fmt.Sprintf("GOMEMLIMIT=%d", c.limit/5*4))
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = stdin.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("the hook ended: %v\n%s", err, stderr.String())
		}
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("the hook has no address: %v\n%s", err, stderr.String())
	}
	c.pid, c.address = cmd.Process.Pid, strings.TrimSpace(line)
	return c
}

// withoutRace is this test binary, or one like it without the race detector, which takes several times the memory.
func withoutRace(t *testing.T) string {
	t.Helper()
	info, ok := debug.ReadBuildInfo()
	if !ok || !slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		return os.Args[0]
	}
	binary := filepath.Join(t.TempDir(), "server.test")
	if out, err := exec.CommandContext(t.Context(), "go", "test", "-c", "-race=false", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("go test -c: %v\n%s", err, out)
	}
	return binary
}

// ask sends a request. An error is an answer that Metacontroller can do nothing with.
func (c *child) ask(path string, body []byte) (code int, err error) {
	req, err := http.NewRequest(http.MethodPost, "http://"+c.address+path, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", jsonType)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err
	}
	// A machine that is very slow may need more than 8 s for the body itself.
	line := regexp.MustCompile(`^(the hook is busy: |reading the request: it has not arrived within ).*\n$`)
	if resp.StatusCode != 200 && !line.Match(text) {
		err = fmt.Errorf("got %d %q", resp.StatusCode, text)
	}
	return resp.StatusCode, err
}

// peak is the most memory that the process has had.
func (c *child) peak(t *testing.T) int64 {
	t.Helper()
	match := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindStringSubmatch(read(t, fmt.Sprintf("/proc/%d/status", c.pid)))
	if match == nil {
		t.Fatal("the process has no VmHWM")
	}
	kibibytes, err := strconv.ParseInt(match[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return kibibytes << 10
}

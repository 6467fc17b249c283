package operations

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
)

// hook is the hook as the image has it, on the loopback interface.
type hook struct {
	hooks, metrics string // where they are served
}

// started builds and starts the hook. It ends with the test.
func started(t *testing.T, args ...string) hook {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "wukong")
	if out, err := exec.CommandContext(t.Context(), "go", "-C", "..", "build", "-tags", "hook", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("building the hook: %v\n%s", err, out)
	}
	args = append([]string{"-listen=127.0.0.1:0", "-metrics-listen=127.0.0.1:0"}, args...)
	cmd := exec.CommandContext(t.Context(), binary, args...) // t.Context ends before the cleanups
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Wait() })
	addresses := make(chan string, 2)
	go func() {
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			var line struct{ Msg, Address string }
			if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "listening" {
				addresses <- line.Address
			}
		}
	}()
	address := func() string {
		select {
		case a := <-addresses:
			return "http://" + a
		case <-time.After(time.Minute):
			t.Fatal("the hook does not listen")
			return ""
		}
	}
	return hook{hooks: address(), metrics: address()}
}

// asked sends one request, and is the code of the answer.
func (h hook) asked(t *testing.T, path string, body []byte) int {
	t.Helper()
	response, err := http.Post(h.hooks+path, "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	_, _ = io.Copy(io.Discard, response.Body)
	return response.StatusCode
}

// exported is what the hook says at /metrics.
func (h hook) exported(t *testing.T) []byte {
	t.Helper()
	response, err := http.Get(h.metrics + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %v", response.Status, err)
	}
	return text
}

// paths are the hooks, with the directories of their golden requests.
var paths = map[string]string{
	"/sync": "sync", "/finalize": "finalize", "/customize": "customize",
	"/network/sync": "network-sync", "/network/finalize": "network-finalize", "/network/customize": "network-customize",
	"/node/sync": "node-sync", "/node/customize": "node-customize",
}

// lived is an hour of a hook in Prometheus: each half minute it answers requests of every kind, one of them refused, and is scraped. It ends
// at the time that is returned.
func lived(t *testing.T, p prometheus) time.Time {
	t.Helper()
	h := started(t, "-memory-limit=512Mi")
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	target := labels.FromStrings("namespace", "wukong-system", "service", "wukong", "pod", "wukong-0", "instance", "10.0.0.1:9090",
		"job", "wukong", "endpoint", "metrics", "container", "wukong")
	for i := range 120 {
		for path, dir := range paths {
			if code := h.asked(t, path, request(t, dir, i)); code != http.StatusOK {
				t.Fatalf("POST %s: %d", path, code)
			}
		}
		if code := h.asked(t, "/sync", []byte(`{"parent": {}}`)); code == http.StatusOK {
			t.Fatalf("a request without a Wukong: %d", code)
		}
		p.scraped(t, h.exported(t), target, at)
		at = at.Add(30 * time.Second)
	}
	return at.Add(-30 * time.Second)
}

// request is one of the golden requests of a hook that are answered.
func request(t *testing.T, dir string, i int) []byte {
	t.Helper()
	answers, err := filepath.Glob(filepath.Join("../testdata", dir, "*", "response.json"))
	if err != nil || len(answers) == 0 {
		t.Fatalf("no golden answers of %s (%v)", dir, err)
	}
	body, err := os.ReadFile(filepath.Join(filepath.Dir(answers[i%len(answers)]), "request.json"))
	if err != nil {
		t.Fatal(err)
	}
	return body
}

package server_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	stdsync "sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/server"
	"novasphere.dev/wukong/sync"
)

const (
	jsonType = "application/json"

	request = `{
		"controller": {"spec": {"childResources": [{"apiVersion": "kubevirt.io/v1", "resource": "virtualmachines"}]}},
		"parent": {
			"apiVersion": "vm.novasphere.dev/v1alpha1", "kind": "Wukong",
			"metadata": {"name": "web", "uid": "5f0c7a52-5d0a-4d3c-9d2f-0d5a1c6a7b10", "generation": 1},
			"spec": {"networks": [{"name": "default", "type": "pod"}]}
		},
		"children": {"VirtualMachine.kubevirt.io/v1": {}},
		"related": {},
		"finalizing": false
	}`
)

// logs are the lines that a server has logged.
type logs struct {
	mu  stdsync.Mutex
	buf bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

// find returns the first line with this message.
func (l *logs) find(t *testing.T, msg string) map[string]any {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range strings.Lines(l.buf.String()) {
		var record map[string]any
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			t.Fatalf("a log line is no JSON: %q: %v", line, err)
		}
		if record["msg"] == msg {
			return record
		}
	}
	t.Fatalf("no %q in the log:\n%s", msg, l.buf.String())
	return nil
}

func config() (server.Config, *logs) {
	l := &logs{}
	return server.Config{
		Settings: sync.Settings{PhysicalInterface: "ens160", DefaultOSImage: "example.com/os", TeardownTimeout: time.Minute},
		Log:      slog.New(slog.NewJSONHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Registry: prometheus.NewRegistry(),
		Now:      func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) },
	}, l
}

// serve starts the hooks of package sync over plain HTTP.
func serve(t *testing.T, cfg server.Config) *httptest.Server {
	t.Helper()
	srv, err := server.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ts := httptest.NewServer(srv.Handler)
	t.Cleanup(ts.Close)
	return ts
}

// serveHook starts one hook that is a function of the test's own.
func serveHook[Req, Resp any](t *testing.T, cfg server.Config, call func(*Req) (*Resp, error)) *httptest.Server {
	t.Helper()
	h, err := server.Hook(cfg, call)
	return listen(t, h, err)
}

// serveSync starts the hook sync with a function of the test's own.
func serveSync(t *testing.T, cfg server.Config, call func(*sync.Request) (*sync.Response, error)) *httptest.Server {
	t.Helper()
	h, err := server.SyncHook(cfg, call)
	return listen(t, h, err)
}

func listen(t *testing.T, h http.Handler, err error) *httptest.Server {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	ts := httptest.NewServer(h)
	t.Cleanup(ts.Close)
	return ts
}

// reply is what came back for a request.
type reply struct {
	code   int
	header http.Header
	body   string
	closes bool // the connection
}

// question is what a test sends to a server.
type question struct {
	method, url string
	header      http.Header
	body        io.Reader
}

// do sends a question, and waits for the reply.
func do(t *testing.T, q question) reply {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), q.method, q.url, q.body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header = q.header
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{code: resp.StatusCode, header: resp.Header, body: string(text)}
}

func post(t *testing.T, url, body string) reply {
	t.Helper()
	return do(t, question{http.MethodPost, url, http.Header{"Content-Type": {jsonType}}, strings.NewReader(body)})
}

// isLine checks that a refusal is what an Event can show: one plain line.
func (got reply) isLine(t *testing.T) {
	t.Helper()
	if strings.Index(got.body, "\n") != len(got.body)-1 || len(got.body) > 1024 {
		t.Errorf("the body is not one line of at most 1024 bytes: %q", got.body)
	}
	if contentType := got.header.Get("Content-Type"); contentType != "text/plain; charset=utf-8" {
		t.Errorf("the content type is %q", contentType)
	}
}

func TestAnswers(t *testing.T) {
	large := strings.Repeat(" ", 32<<20)
	edit := func(old, with string) string {
		edited := strings.Replace(request, old, with, 1)
		if edited == request {
			t.Fatalf("the request has no %s", old)
		}
		return edited
	}
	for _, test := range []struct {
		name        string
		method      string
		path        string
		contentType string
		body        string
		code        int
		want        string
	}{
		{"sync", "POST", "/sync", jsonType, request, 200, `"children":[`},
		{"finalize", "POST", "/finalize", jsonType, edit(`"finalizing": false`, `"finalizing": true`), 200, `"children":[`},
		{"customize", "POST", "/customize", jsonType, request, 200, `"relatedResources":`},
		{"charset", "POST", "/sync", "application/json; charset=utf-8", request, 200, `"children":[`},
		{"unknown field", "POST", "/sync", jsonType, edit(`"related"`, `"novel": 1, "related"`), 200, `"children":[`},
		{"white space behind the request", "POST", "/sync", jsonType, request + "\n\t", 200, `"children":[`},
		{"alive", "GET", "/healthz", "", "", 200, "ok\n"},
		{"ready", "GET", "/readyz", "", "", 200, "ok\n"},

		{"no body", "POST", "/sync", jsonType, "", 400, "decoding the request: it has no body"},
		{"half a body", "POST", "/sync", jsonType, request[:100], 400, "controller.spec.childResources[0].resource: decoding the request: the text ends too early, after 100 bytes\n"},
		{"no JSON", "POST", "/sync", jsonType, "parent: web", 400, "decoding the request: invalid character 'p' at start of value, after 0 bytes\n"},
		{"two requests", "POST", "/sync", jsonType, request + request, 400, "decoding the request: invalid character '{' after top-level value"},
		{"wrong type", "POST", "/sync", jsonType, edit(`"spec": {"networks"`, `"spec": {"cpu": "two", "networks"`), 400, "parent.spec.cpu: decoding the request: this must be int32, and is string\n"},
		{"array", "POST", "/sync", jsonType, "[]", 400, "decoding the request: it must be an object, and is array\n"},
		{"number with a fraction", "POST", "/sync", jsonType, edit(`"networks"`, `"cpu": 1.5, "networks"`), 400, "parent.spec.cpu: decoding the request: this must be int32, and is number 1.5\n"},
		{"number out of range", "POST", "/sync", jsonType, edit(`"networks"`, `"cpu": 3000000000, "networks"`), 400, "parent.spec.cpu: decoding the request: this must be int32, and is number 3000000000\n"},
		{"wrong type in a list", "POST", "/sync", jsonType, edit(`"type": "pod"`, `"type": {}`), 400, "parent.spec.networks[0].type: decoding the request: this must be "},
		{"doubled name", "POST", "/sync", jsonType, edit(`"networks"`, `"cpu": 1, "cpu": 2, "networks"`), 400, "parent.spec.cpu: decoding the request: the name comes twice\n"},
		{"doubled name that nobody reads", "POST", "/sync", jsonType, edit(`"related"`, `"novel": {"a": 1, "a": 1}, "related"`), 400, "novel.a: decoding the request: the name comes twice\n"},
		{"doubled name in an object", "POST", "/sync", jsonType, edit(`v1": {}`, `v1": {"default/web": {"kind": "VirtualMachine", "kind": "Thing"}}`), 400, `children["VirtualMachine.kubevirt.io/v1"]["default/web"].kind: decoding the request: the name comes twice` + "\n"},
		{"doubled name of any length", "POST", "/sync", jsonType, edit(`"related"`, `"`+strings.Repeat("世", 400)+`": 1, "`+strings.Repeat("世", 400)+`": 1, "related"`), 400, "…: decoding the request: the name comes twice\n"},
		{"no UTF-8", "POST", "/sync", jsonType, edit(`"pod"`, "\"p\xffd\""), 400, "parent.spec.networks[0].type: decoding the request: invalid UTF-8"},
		{"half a surrogate", "POST", "/sync", jsonType, edit(`"pod"`, `"p\ud800d"`), 400, "parent.spec.networks[0].type: decoding the request: invalid surrogate pair"},
		{"too deep", "POST", "/sync", jsonType, strings.Repeat("[", 100_000), 400, "decoding the request: "},
		{"too deep for a field", "POST", "/sync", jsonType, `{"novel":` + strings.Repeat(`{"a":`, 100_000), 400, "…: decoding the request: exceeded max depth"},
		{"a child without kind", "POST", "/sync", jsonType, edit(`v1": {}`, `v1": {"default/web": {"metadata": {"name": "`+strings.Repeat("世", 400)+`"}}}`), 400, "decoding the request: object default/web has no kind"},

		{"no such path", "POST", "/synch", jsonType, request, 404, "no such path: the hooks are /sync, /finalize and /customize, and those below /network and /node\n"},
		{"a path below a hook", "POST", "/sync/", jsonType, request, 404, "no such path"},
		{"metrics are elsewhere", "GET", "/metrics", "", "", 404, "no such path"},
		{"GET of a hook", "GET", "/sync", "", "", 405, "the method GET is not for this path: use POST\n"},
		{"POST of a probe", "POST", "/healthz", jsonType, request, 405, "the method POST is not for this path: use GET\n"},

		{"too large", "POST", "/sync", jsonType, request + large, 413, "the request is larger than 32 MiB: use WukongNetworks (networkName) instead of bridges of a Wukong's own, or "},
		{"no content type", "POST", "/sync", "", request, 415, `the content type is "": send application/json`},
		{"YAML", "POST", "/sync", "application/yaml", request, 415, `the content type is "application/yaml": send application/json`},

		{"null", "POST", "/sync", jsonType, "null", 422, "parent: Required value"},
		{"no parent", "POST", "/finalize", jsonType, "{}", 422, "parent: Required value"},
		{"field names are case-sensitive", "POST", "/sync", jsonType, edit(`"parent"`, `"Parent"`), 422, "parent: Required value"},
		{"another parent", "POST", "/customize", jsonType, edit("Wukong", "Bajie"), 422, `parent: Invalid value: "vm.novasphere.dev/v1alpha1 Bajie"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg, l := config()
			url := serve(t, cfg).URL
			header := http.Header{}
			if test.contentType != "" {
				header.Set("Content-Type", test.contentType)
			}
			got := do(t, question{test.method, url + test.path, header, strings.NewReader(test.body)})
			if got.code != test.code || !strings.Contains(got.body, test.want) {
				t.Errorf("got %d %q, want %d and %q", got.code, got.body, test.code, test.want)
			}
			if test.code == 200 {
				return
			}
			got.isLine(t)
			line := l.find(t, "refused")
			if line["level"] != "ERROR" || line["code"] != float64(test.code) || line["err"] == "" {
				t.Errorf("the log has %v", line)
			}
		})
	}
}

func TestMethodNotAllowedNamesTheMethod(t *testing.T) {
	cfg, _ := config()
	got := do(t, question{method: "PUT", url: serve(t, cfg).URL + "/sync"})
	if allow := got.header.Get("Allow"); allow != "POST" {
		t.Errorf("Allow is %q, want POST", allow)
	}
}

// Every golden case of package sync has the same answer over HTTP.
func TestGoldenCases(t *testing.T) {
	cfg, _ := config()
	// As the golden cases have it.
	cfg.Settings = sync.Settings{
		PhysicalInterface: "ens160", DefaultOSImage: "quay.io/containerdisks/ubuntu:24.04", Preflight: true, NodesSettle: 30 * time.Second, NodesGather: 30 * time.Second,
		TeardownTimeout: 15 * time.Minute,
	}
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	cfg.Now = func() time.Time { return now }
	url := serve(t, cfg).URL
	// As in package sync: at the full minute all that was gathered of nodes is told.
	seconds, _ := config()
	seconds.Settings, seconds.Now = cfg.Settings, func() time.Time { return now.Add(10 * time.Second) }
	later := serve(t, seconds).URL

	// The cases of /network/sync are in network-sync.
	requests, err := filepath.Glob("../testdata/*/*/request.json")
	if err != nil || len(requests) == 0 {
		t.Fatalf("no golden cases: %v", err)
	}
	for _, path := range requests {
		dir := filepath.Dir(path)
		hook := filepath.Base(filepath.Dir(dir))
		t.Run(hook+"/"+filepath.Base(dir), func(t *testing.T) {
			at := url
			if hook == "node-sync" {
				at = later
			}
			got := post(t, at+"/"+strings.ReplaceAll(hook, "-", "/"), read(t, path))
			if got.code != 200 {
				if want := read(t, filepath.Join(dir, "error.txt")); got.code != 422 || got.body != want {
					t.Errorf("got %d %q, want 422 %q", got.code, got.body, want)
				}
				return
			}
			if diff := cmp.Diff(value(t, read(t, filepath.Join(dir, "response.json"))), value(t, got.body)); diff != "" {
				t.Errorf("the answer differs from response.json (-want +got):\n%s", diff)
			}
		})
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func value(t *testing.T, text string) (v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v in %q", err, text)
	}
	return v
}

func TestAnswerIsJSONAndLogged(t *testing.T) {
	cfg, l := config()
	got := post(t, serve(t, cfg).URL+"/sync", request)
	if contentType := got.header.Get("Content-Type"); contentType != jsonType {
		t.Errorf("the content type is %q", contentType)
	}
	line := l.find(t, "answered")
	if line["level"] != "DEBUG" || line["hook"] != "sync" || line["parent"] != "web" || line["children"] != 0.0 || line["duration"] == nil {
		t.Errorf("the log has %v", line)
	}
}

// Objects pass as they are: integers beyond 2⁵³ stay exact, and text is not escaped for HTML, neither by the envelope nor
// by the objects in it.
func TestObjectsPassUnchanged(t *testing.T) {
	type message struct {
		Text    string        `json:"text"`
		Objects sync.Children `json:"objects"`
	}
	cfg, _ := config()
	ts := serveHook(t, cfg, func(req *message) (*message, error) {
		if got := req.Objects[0].Object["big"]; got != int64(9007199254740993) {
			t.Errorf("the integer is %T %v, want int64", got, got)
		}
		return req, nil
	})
	const body = `{"text":"<a> & \\u003c \\\\u003e","objects":[` +
		`{"apiVersion":"v1","big":9007199254740993,"kind":"Thing","text":"<a> & \\u003c \\\\u003e \"\n"},` +
		`{"apiVersion":"v1","half":0.5,"kind":"Thing"}]}` + "\n"
	for range 3 {
		if got := post(t, ts.URL, body); got.body != body {
			t.Fatalf("got  %swant %s", got.body, body)
		}
	}
}

func TestNotesAreLogged(t *testing.T) {
	cfg, l := config()
	ts := serveSync(t, cfg, func(*sync.Request) (*sync.Response, error) {
		return &sync.Response{Notes: []string{"the bridge stays"}}, nil
	})
	if got := post(t, ts.URL, request); strings.Contains(got.body, "the bridge stays") {
		t.Errorf("a note is on the wire: %s", got.body)
	}
	line := l.find(t, "note")
	if line["level"] != "WARN" || line["hook"] != "sync" || line["parent"] != "web" || line["note"] != "the bridge stays" {
		t.Errorf("the log has %v", line)
	}
}

func TestPanic(t *testing.T) {
	cfg, l := config()
	panicking := true
	ts := serveSync(t, cfg, func(*sync.Request) (*sync.Response, error) {
		if panicking {
			panic("no such\nthing")
		}
		return &sync.Response{Children: []*unstructured.Unstructured{}}, nil
	})

	got := post(t, ts.URL, request)
	if got.code != 500 || got.body != "this is a bug in the hook: no such thing\n" {
		t.Errorf("got %d %q", got.code, got.body)
	}
	got.isLine(t)
	line := l.find(t, "panicked")
	stack, _ := line["stack"].(string)
	if line["level"] != "ERROR" || line["hook"] != "sync" || line["parent"] != "web" || !strings.Contains(line["err"].(string), "no such\nthing") || !strings.Contains(stack, "TestPanic") {
		t.Errorf("the log has %v", line)
	}

	panicking = false
	if got := post(t, ts.URL, request); got.code != 200 {
		t.Errorf("after a panic: %d %s", got.code, got.body)
	}
}

func TestBugsAreNoAnswers(t *testing.T) {
	for _, test := range []struct {
		name string
		resp *sync.Response
		want string
	}{
		{"nothing", nil, "encoding the answer: there is none\n"},
		{"not a number", &sync.Response{ResyncAfterSeconds: math.NaN()}, "encoding the answer: json: unsupported value: NaN\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg, l := config()
			ts := serveSync(t, cfg, func(*sync.Request) (*sync.Response, error) { return test.resp, nil })
			got := post(t, ts.URL, request)
			if got.code != 500 || got.body != test.want {
				t.Errorf("got %d %q, want 500 %q", got.code, got.body, test.want)
			}
			got.isLine(t)
			if line := l.find(t, "refused"); line["level"] != "ERROR" || line["parent"] != "web" {
				t.Errorf("the log has %v", line)
			}
		})
	}
}

func TestLongErrorsAreCut(t *testing.T) {
	cfg, _ := config()
	ts := serveSync(t, cfg, func(*sync.Request) (*sync.Response, error) {
		return nil, errors.New(strings.Repeat("spec.x:\n世界 ", 1000))
	})
	got := post(t, ts.URL, request)
	got.isLine(t)
	if got.code != 422 || !strings.HasPrefix(got.body, "spec.x: 世界 spec.x:") || !strings.HasSuffix(got.body, "…\n") || strings.Contains(got.body, "\uFFFD") {
		t.Errorf("got %d %q", got.code, got.body)
	}
}

func TestCallerThatGoesAway(t *testing.T) {
	cfg, l := config()
	h, err := server.SyncHook(cfg, func(*sync.Request) (*sync.Response, error) { return &sync.Response{}, nil })
	if err != nil {
		t.Fatal(err)
	}
	half := io.MultiReader(strings.NewReader(request[:100]), &brokenReader{})
	req := httptest.NewRequest("POST", "/sync", half)
	req.Header.Set("Content-Type", jsonType)
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, req)
	if rec.Code != 400 || rec.Body.String() != "reading the request: unexpected EOF\n" {
		t.Errorf("got %d %q", rec.Code, rec.Body)
	}
	l.find(t, "refused")
}

type brokenReader struct{}

func (*brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

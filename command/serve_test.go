package command

import (
	"bufio"
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"novasphere.dev/wukong/sync"
)

// process is a run of the program in the test.
type process struct {
	t    *testing.T
	stop context.CancelFunc
	logs <-chan map[string]any
	code <-chan int
}

// start runs the program with env, a map of variables.
func start(t *testing.T, env map[string]string, args ...string) *process {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	reader, writer := io.Pipe()
	logs, result, done := make(chan map[string]any, 100), make(chan int, 1), make(chan struct{})
	go func() {
		code := Run(ctx, Process{Args: append([]string{"wukong"}, args...), Env: func(name string) string { return env[name] }, Stdout: io.Discard, Stderr: writer})
		_ = writer.Close() // a pipe never fails to
		result <- code
	}()
	go func() {
		defer close(done)
		defer close(logs)
		for decoder := json.NewDecoder(reader); ; {
			var line map[string]any
			if err := decoder.Decode(&line); err != nil {
				_ = reader.CloseWithError(err) // a line that is no JSON must not block the program
				return
			}
			logs <- line
		}
	}()
	t.Cleanup(func() {
		stop()
		<-done
	})
	return &process{t: t, stop: stop, logs: logs, code: result}
}

// line skips the log up to a line with this message.
func (p *process) line(msg string) map[string]any {
	p.t.Helper()
	for line := range p.logs {
		if line["msg"] == msg {
			return line
		}
	}
	p.t.Fatalf("the log has no %q", msg)
	return nil
}

// address is what the next server listens on.
func (p *process) address() string {
	p.t.Helper()
	return p.line("listening")["address"].(string)
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func TestRunServesUntilStopped(t *testing.T) {
	p := start(t, nil, "-listen", "127.0.0.1:0", "-metrics-listen", "127.0.0.1:0")
	hooks, metrics := p.address(), p.address()
	if code, body := get(t, "http://"+hooks+"/readyz"); code != 200 {
		t.Errorf("GET /readyz: %d %s", code, body)
	}
	if code, body := get(t, "http://"+metrics+"/metrics"); code != 200 || !strings.Contains(body, "wukong_hook_requests_in_flight 0") {
		t.Errorf("GET /metrics: %d %s", code, body)
	}
	if code, _ := get(t, "http://"+metrics+"/healthz"); code != 404 {
		t.Errorf("GET /healthz of the metrics: %d, want 404", code)
	}
	p.stop()
	p.line("stopping")
	p.line("stopped")
	if code := <-p.code; code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestRunServesTLS(t *testing.T) {
	// For its certificate, and a client that trusts it.
	other := httptest.NewTLSServer(http.NotFoundHandler())
	defer other.Close()
	certificate := other.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(certificate.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile := filepath.Join(t.TempDir(), "tls.crt"), filepath.Join(t.TempDir(), "tls.key")
	for path, block := range map[string]*pem.Block{
		certFile: {Type: "CERTIFICATE", Bytes: certificate.Certificate[0]},
		keyFile:  {Type: "PRIVATE KEY", Bytes: key},
	} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}

	p := start(t, map[string]string{"WUKONG_TLS_KEY": keyFile}, "-listen", "127.0.0.1:0", "-metrics-listen", "127.0.0.1:0", "-tls-cert", certFile)
	hooks, metrics := p.address(), p.address()
	resp, err := other.Client().Get("https://" + hooks + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != 200 {
		t.Errorf("GET /readyz: %d", resp.StatusCode)
	}
	if code, _ := get(t, "http://"+metrics+"/metrics"); code != 200 {
		t.Errorf("GET /metrics, which is plain: %d", code)
	}
}

// A request that is being answered when the process is told to stop gets its answer.
func TestRunDrains(t *testing.T) {
	p := start(t, nil, "-listen", "127.0.0.1:0", "-metrics-listen", "")
	address := p.address()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	answers := bufio.NewReader(conn)
	send := func(text string) {
		t.Helper()
		if _, err := io.WriteString(conn, text); err != nil {
			t.Fatal(err)
		}
	}

	// The server says that it may continue when the hook begins to read.
	send("POST /sync HTTP/1.1\r\nHost: hook\r\nContent-Type: application/json\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
	if line, err := answers.ReadString('\n'); err != nil || !strings.HasPrefix(line, "HTTP/1.1 100 ") {
		t.Fatalf("got %q %v, want 100 Continue", line, err)
	}
	if _, err := answers.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	p.stop()
	p.line("stopping")
	send("{}")
	resp, err := http.ReadResponse(answers, nil)
	if err != nil {
		t.Fatalf("the request was cut: %v", err)
	}
	defer func() { _ = resp.Body.Close() }()
	if body, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != 422 || !strings.HasPrefix(string(body), "parent: ") {
		t.Errorf("got %d %q %v", resp.StatusCode, body, err)
	}
	p.line("stopped")
	if code := <-p.code; code != 0 {
		t.Errorf("exit code %d", code)
	}
	if conn, err := net.Dial("tcp", address); err == nil {
		_ = conn.Close()
		t.Error("a stopped process still listens")
	}
}

func TestRunFails(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = busy.Close() }()
	for _, test := range []struct {
		name string
		env  map[string]string
		args []string
		want string
	}{
		{"busy address", nil, []string{"-listen", busy.Addr().String()}, "address already in use"},
		{"busy metrics address", nil, []string{"-listen", "127.0.0.1:0", "-metrics-listen", busy.Addr().String()}, "address already in use"},
		{"no token file", nil, []string{"-token-file", filepath.Join(t.TempDir(), "token")}, "reading the token: open "},
		{"certificate without key", nil, []string{"-tls-cert", "tls.crt"}, "set both -tls-cert and -tls-key"},
		{"client certificates without TLS", nil, []string{"-client-ca", "ca.crt"}, "set -tls-cert and -tls-key beside -client-ca"},
		{"unknown flag", nil, []string{"-port", "80"}, "unknown flag: --port (see wukong -h)"},
		{"argument", nil, []string{"web.yaml"}, `there is no verb "web.yaml": for what a file would become, write wukong render web.yaml`},
		{"a verb that there is not", nil, []string{"uninstall"}, `there is no verb "uninstall", because it would take machines with it`},
		{"a misspelled verb", nil, []string{"rendre"}, `there is no verb "rendre": did you mean render?`},
		{"argument of serve", nil, []string{"serve", "web.yaml"}, `unexpected argument "web.yaml": the hook takes flags only`},
		{"long interface", nil, []string{"-physical-interface", "abcdefghijklmnop"}, "for \"--physical-interface\" flag: a NIC has a name of 1 to 15 "},
		{"no interface", nil, []string{"-physical-interface", ""}, "for \"--physical-interface\" flag: a NIC has a name of 1 to 15 "},
		{"interface with a slash", nil, []string{"-physical-interface", "a/b"}, "for \"--physical-interface\" flag: a NIC has a name of 1 to 15 "},
		{"interface with a dash at its end", nil, []string{"-physical-interface", "eth-"}, "for \"--physical-interface\" flag: a NIC has a name of 1 to 15 "},
		{"no image", nil, []string{"-default-os-image", " "}, "for \"--default-os-image\" flag: a container disk is an image reference"},
		{"no time", nil, []string{"-teardown-timeout", "0s"}, "for \"--teardown-timeout\" flag: the time must be more than 0"},
		{"time without unit", nil, []string{"-teardown-timeout", "15"}, `for "--teardown-timeout" flag: time: missing unit in duration "15"`},
		{"unknown fields", nil, []string{"-unknown-machine-fields", "drop"}, "for \"--unknown-machine-fields\" flag: must be refuse or pass"},
		{"no memory", nil, []string{"-memory-limit", "0"}, "for \"--memory-limit\" flag: the size must be more than 0"},
		{"memory in bytes of another kind", nil, []string{"-memory-limit", "2GB"}, "for \"--memory-limit\" flag: the size is a number and a unit"},
		{"level", nil, []string{"-log-level", "loud"}, `for "--log-level" flag: slog: level string "loud": unknown name`},
		{"variable", map[string]string{"WUKONG_TEARDOWN_TIMEOUT": "-1m"}, nil, `invalid value "-1m" for variable WUKONG_TEARDOWN_TIMEOUT: the time must be more than 0`},
		{"boolean variable", map[string]string{"WUKONG_PREFLIGHT": "off"}, nil, `invalid value "off" for variable WUKONG_PREFLIGHT: must be true or false`},
	} {
		t.Run(test.name, func(t *testing.T) {
			var stderr bytes.Buffer
			code := Run(t.Context(), Process{
				Args: append([]string{"wukong"}, test.args...), Env: func(name string) string { return test.env[name] }, Stdout: io.Discard, Stderr: &stderr,
			})
			var line struct{ Err string }
			last := stderr.Bytes()
			last = last[bytes.LastIndexByte(bytes.TrimSpace(last), '\n')+1:]
			if last[0] != '{' { // somebody has typed what no manifest has
				line.Err, last = string(last), []byte("{}")
			}
			if err := json.Unmarshal(last, &line); err != nil || code != 1 || !strings.Contains(line.Err, test.want) {
				t.Errorf("exit code %d (%v), got %q, want %q", code, err, line.Err, test.want)
			}
		})
	}
}

func TestSettings(t *testing.T) {
	defaults := sync.Settings{
		PhysicalInterface: "ens160", DefaultOSImage: "quay.io/containerdisks/ubuntu:24.04", Preflight: true,
		NodesSettle: 30 * time.Second, NodesGather: 30 * time.Second, TeardownTimeout: 15 * time.Minute,
	}
	for _, test := range []struct {
		name string
		env  map[string]string
		args []string
		want func(*sync.Settings)
	}{
		{"defaults", nil, nil, func(*sync.Settings) {}},
		{
			"flags", nil,
			[]string{"-physical-interface=eth0.10", "-default-os-image=example.com/os", "-bridge-marker", "-preflight=false", "-nodes-settle=5s", "-nodes-gather=2s", "-teardown-timeout=90s", "-unknown-machine-fields=pass"},
			func(s *sync.Settings) {
				*s = sync.Settings{
					PhysicalInterface: "eth0.10", DefaultOSImage: "example.com/os", BridgeMarker: true, NodesSettle: 5 * time.Second,
					NodesGather: 2 * time.Second, TeardownTimeout: 90 * time.Second, PassUnknownMachineFields: true,
				}
			},
		},
		{
			"environment",
			map[string]string{
				"WUKONG_PHYSICAL_INTERFACE": "abcdefghijklmno", "WUKONG_DEFAULT_OS_IMAGE": "example.com/os", "WUKONG_BRIDGE_MARKER": "true",
				"WUKONG_PREFLIGHT": "false", "WUKONG_NODES_SETTLE": "1m", "WUKONG_NODES_GATHER": "10s", "WUKONG_TEARDOWN_TIMEOUT": "1h",
			}, nil,
			func(s *sync.Settings) {
				*s = sync.Settings{PhysicalInterface: "abcdefghijklmno", DefaultOSImage: "example.com/os", BridgeMarker: true, NodesSettle: time.Minute, NodesGather: 10 * time.Second, TeardownTimeout: time.Hour}
			},
		},
		{
			"the command line wins, even over a bad variable",
			map[string]string{"WUKONG_PHYSICAL_INTERFACE": "a/b", "WUKONG_PREFLIGHT": "false"},
			[]string{"-physical-interface", "e", "-preflight"},
			func(s *sync.Settings) { s.PhysicalInterface = "e" },
		},
		{
			"an empty variable is none",
			map[string]string{"WUKONG_PHYSICAL_INTERFACE": "", "WUKONG_PREFLIGHT": ""}, nil,
			func(*sync.Settings) {},
		},
		{
			"the version of an image is no flag",
			map[string]string{"WUKONG_VERSION": "1.2.3"}, nil,
			func(*sync.Settings) {},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			o, flags := &options{}, pflag.NewFlagSet("", pflag.ContinueOnError)
			o.flags(flags)
			root := (Process{Args: []string{"wukong"}}).root()
			if err := errors.Join(flags.Parse(doubled(root, test.args)), o.check(flags, func(name string) string { return test.env[name] })); err != nil {
				t.Fatal(err)
			}
			want := defaults
			test.want(&want)
			if diff := cmp.Diff(want, o.server.Settings); diff != "" {
				t.Errorf("settings (-want +got):\n%s", diff)
			}
			if o.version {
				t.Error("-version is set")
			}
		})
	}
}

// The collector gets to know 80 % of the container's memory, or what GOMEMLIMIT says.
func TestMemoryLimit(t *testing.T) {
	before := debug.SetMemoryLimit(-1)
	defer debug.SetMemoryLimit(before)
	for _, test := range []struct {
		name string
		env  map[string]string
		args []string
		want int64
	}{
		{"none", nil, nil, before},
		{"in bytes, as Kubernetes has it", map[string]string{"WUKONG_MEMORY_LIMIT": "1000000000"}, nil, 800_000_000},
		{"with a unit", nil, []string{"-memory-limit", "5Gi"}, 4 << 30},
		{"GOMEMLIMIT", map[string]string{"WUKONG_MEMORY_LIMIT": "1000000000", "GOMEMLIMIT": "1GiB"}, nil, before},
	} {
		t.Run(test.name, func(t *testing.T) {
			debug.SetMemoryLimit(before)
			p := start(t, test.env, append(test.args, "-listen", "127.0.0.1:0", "-metrics-listen", "")...)
			p.address()
			if got := debug.SetMemoryLimit(-1); got != test.want {
				t.Errorf("got %d, want %d", got, test.want)
			}
			p.stop()
			p.line("stopped")
		})
	}
}

func TestVersion(t *testing.T) {
	for _, args := range [][]string{{"-version"}, {"--version"}, {"version"}, {"serve", "-version"}} {
		got, _, code := runs(t, "", args...)
		if !regexp.MustCompile(`^wukong \S+\n$`).MatchString(got) || code != 0 {
			t.Errorf("%v: exit code %d, got %q", args, code, got)
		}
	}
}

// runs is what a run of the program prints, and its exit code.
func runs(t *testing.T, stdin string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, err bytes.Buffer
	code = Run(t.Context(), Process{
		Args: append([]string{"wukong"}, args...), Env: os.Getenv, Stdin: strings.NewReader(stdin), Stdout: &out, Stderr: &err,
	})
	return out.String(), err.String(), code
}

// The usage and the manual page in the package documentation both have every flag, with its default, and the manual has every hook.
func TestManual(t *testing.T) {
	usage, _, code := runs(t, "", "-h")
	if code != 0 {
		t.Fatalf("exit code %d", code)
	}
	source, err := os.ReadFile("../main.go")
	if err != nil {
		t.Fatal(err)
	}
	manual, _, _ := strings.Cut(string(source), "package main")
	flags := regexp.MustCompile(`(?m)^ +(?:-[a-z], )?-(-[a-z-]+)`).FindAllStringSubmatch(usage, -1)
	if len(flags) != 18 {
		t.Errorf("the usage has %d flags, want 18, with help:\n%s", len(flags), usage)
	}
	for _, f := range flags {
		if f[1] != "-help" && !regexp.MustCompile(`(?m)^//\t(-[a-z-]+, )?`+f[1]+`\b`).MatchString(manual) {
			t.Errorf("the manual has no %s", f[1])
		}
	}
	routes, err := os.ReadFile("../server/routes.go")
	if err != nil {
		t.Fatal(err)
	}
	posts := regexp.MustCompile(`r\.Post\("([^"]+)"`).FindAllStringSubmatch(string(routes), -1)
	if len(posts) != 8 {
		t.Errorf("server/routes.go has %d hooks, want 8", len(posts))
	}
	for _, post := range posts {
		if !regexp.MustCompile(`POST .*` + post[1] + `\b`).MatchString(manual) {
			t.Errorf("the manual has no POST %s", post[1])
		}
	}
	for _, want := range []string{":8080", ":9090", "ens160", "quay.io/containerdisks/ubuntu:24.04", "15m", "info"} {
		if !strings.Contains(strings.ToLower(usage), want) || !strings.Contains(manual, want) {
			t.Errorf("the default %s is missing in the usage or in the manual", want)
		}
	}
}

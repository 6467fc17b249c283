// Package server puts the hooks of package sync on HTTP. It knows routes, status codes, credentials and metrics, and
// nothing about machines: what to answer is decided by three pure functions, which it calls with the settings of the
// process and the time.
//
// The one contract is Metacontroller's: a 200 is carried out to the letter, down to deleting what is not in it; anything
// else touches nothing, and its body becomes an Event on the parent. So whatever is not a complete answer is a status
// code with one plain line that a person can act on.
package server

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/prometheus/client_golang/prometheus"

	"novasphere.dev/wukong/sync"
)

// The limits of one connection to the hooks.
const (
	readHeaderTimeout = 5 * time.Second

	// Metacontroller gives up after 10 s unless the CompositeController says otherwise. The hook waits a little longer,
	// so that Metacontroller gives up first: it knows the parent, and reports the failure there.
	readTimeout  = 15 * time.Second
	writeTimeout = 15 * time.Second

	// Go's HTTP client keeps an idle connection for 90 s. If the hook closed the connection first, a request that is
	// just being sent would fail now and then.
	idleTimeout = 2 * time.Minute

	// Headers carry a token, and nothing else of any size.
	maxHeaderBytes = 16 << 10
)

// Config is what New needs. Settings, Log, Registry and Now are required.
type Config struct {
	// Settings are handed to the hooks.
	Settings sync.Settings

	// Log takes one line for each hook at debug, what the hooks note at warn, refusals and bugs at error.
	Log *slog.Logger

	// Registry receives the metrics of the hooks and of the process.
	Registry *prometheus.Registry

	// Now is the clock of the hooks.
	Now func() time.Time

	// CertFile and KeyFile turn TLS on. They are set together or not at all.
	CertFile, KeyFile string

	// ClientCAFile holds the authorities whose client certificates the hooks ask for. It needs TLS.
	ClientCAFile string

	// TokenFile holds the bearer token that the hooks ask for. With ClientCAFile, a caller needs both.
	TokenFile string

	// MaxBytesInFlight limits the bodies of requests that are in memory at once. Half of them may be decoded at once. 0
	// stands for an eighth of the memory limit of the Go runtime, or of 1 GiB without such a limit.
	MaxBytesInFlight int64
}

// New makes the server of the hooks; the caller sets its Addr. TLSConfig is set where cfg has a certificate.
//
// The files of cfg must be readable and valid now. Their content may be replaced later: see rotating.
func New(cfg Config) (*Server, error) {
	s, err := newHooks(cfg)
	if err != nil {
		return nil, err
	}
	tlsConfig, err := newTLSConfig(cfg)
	if err != nil {
		return nil, err
	}
	return &Server{Server: &http.Server{
		Handler:           s.routes(),
		TLSConfig:         tlsConfig,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(cfg.Log.Handler(), slog.LevelWarn),
	}}, nil
}

// hooks is what the requests share.
type hooks struct {
	Config
	callers  *callers
	metrics  *metrics
	inFlight *inFlight
}

func newHooks(cfg Config) (*hooks, error) {
	admitted, err := newCallers(cfg)
	if err != nil {
		return nil, err
	}
	return &hooks{Config: cfg, callers: admitted, metrics: newMetrics(cfg.Registry), inFlight: newInFlight(cfg.MaxBytesInFlight)}, nil
}

func (s *hooks) routes() http.Handler {
	r := chi.NewRouter()
	r.Use(lingering)
	s.wukongRoutes(r)
	s.networkRoutes(r)
	s.nodeRoutes(r)

	// Being ready and being alive are the same. Nothing is loaded or connected before the first request. And a process
	// that stops closes its listener at once, so that its probes fail without an answer.
	r.Get("/healthz", alive)
	r.Get("/readyz", alive)

	r.NotFound(func(w http.ResponseWriter, r *http.Request) {
		err := errors.New("no such path: the hooks are /sync, /finalize and /customize, and those below /network and /node")
		refusal{code: http.StatusNotFound, err: err}.write(w, s.Log.With("path", shortened(r.URL.Path)))
	})
	r.MethodNotAllowed(func(w http.ResponseWriter, req *http.Request) {
		var allowed []string
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			if r.Match(chi.NewRouteContext(), method, req.URL.Path) {
				allowed = append(allowed, method)
			}
		}
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		err := fmt.Errorf("the method %s is not for this path: use %s", shortened(req.Method), strings.Join(allowed, " or "))
		refusal{code: http.StatusMethodNotAllowed, err: err}.write(w, s.Log.With("path", shortened(req.URL.Path)))
	})
	return r
}

// shortened is a stranger's text for the log: a request may have one as long as its headers may be.
func shortened(text string) string {
	if len(text) > maxPathBytes {
		return strings.ToValidUTF8(text[:maxPathBytes], "") + "…"
	}
	return text
}

func alive(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, "ok\n") // a probe that has gone needs no answer
}

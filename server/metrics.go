package server

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics are about hooks, never about one Wukong. The status of a Wukong says more, and labels by Wukong would have no
// bound.
type metrics struct {
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	inFlight prometheus.Gauge
}

func newMetrics(registry *prometheus.Registry) *metrics {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "wukong_hook_requests_total",
			Help: "Answered hook requests by hook and status code; anything but 200 became an Event and changed nothing.",
		}, []string{"hook", "code"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "wukong_hook_request_duration_seconds",
			Help: "Time from a hook request's header to the end of its answer, by hook.",
			// Up to the 10 s after which Metacontroller gives up.
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"hook"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "wukong_hook_requests_in_flight",
			Help: "Hook requests that are being answered now.",
		}),
	}
	registry.MustRegister(
		m.requests, m.duration, m.inFlight,
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		collectors.NewBuildInfoCollector(),
	)
	return m
}

// instrument counts the requests of one hook. It wraps everything that the route does, so that refusals count.
func (m *metrics) instrument(name string, next http.HandlerFunc) http.HandlerFunc {
	label := prometheus.Labels{"hook": name}
	counted := promhttp.InstrumentHandlerCounter(m.requests.MustCurryWith(label), next)
	timed := promhttp.InstrumentHandlerDuration(m.duration.MustCurryWith(label), counted)
	return promhttp.InstrumentHandlerInFlight(m.inFlight, timed).ServeHTTP
}

// The limits of the metrics port. Anybody who reaches the port may connect, so all connections together must cost next
// to nothing. A header that never ends costs as much memory as a header may have, and net/http adds 4 KiB to that.
const (
	maxMetricsConnections = 32
	maxMetricsHeaderBytes = 4 << 10
	metricsReadTimeout    = 5 * time.Second
	metricsWriteTimeout   = 10 * time.Second

	// An idle connection keeps others out. So a scraper that comes every 30 s makes a new one each time.
	metricsIdleTimeout = 5 * time.Second
)

// NewMetrics makes the server of GET /metrics. It has a listener of its own, plain and without authentication, so that
// a scraper needs no credentials of the hooks and reaches nothing but numbers.
func NewMetrics(registry *prometheus.Registry, log *slog.Logger) *Server {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelError),
	}))
	return &Server{
		Server: &http.Server{
			Handler:        mux,
			ReadTimeout:    metricsReadTimeout,
			WriteTimeout:   metricsWriteTimeout,
			IdleTimeout:    metricsIdleTimeout,
			MaxHeaderBytes: maxMetricsHeaderBytes,
			ErrorLog:       slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		},
		connections: maxMetricsConnections,
	}
}

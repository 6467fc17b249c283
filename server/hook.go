package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"mime"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"time"
)

// maxLineBytes limits the line of a refusal. An Event's message may have 1,024 bytes, and Metacontroller writes some
// words around the line.
const maxLineBytes = 900

// route is one hook: the pure function that answers, and what the log says of a request and of an answer.
type route[Req, Resp any] struct {
	name  string
	call  func(*Req) (*Resp, error)
	about func(*Req) []any     // keys and values for each line of the log; nil for none
	notes func(*Resp) []string // lines for the log alone; nil for none
}

// hook puts a route on HTTP: it decodes the request, calls the function and encodes what it answers. Here alone an error
// becomes a status code.
func hook[Req, Resp any](s *hooks, to route[Req, Resp]) http.HandlerFunc {
	return s.metrics.instrument(to.name, func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		req := new(Req)
		resp, body, refused := to.answer(s, w, r, req)
		log := s.Log.With("hook", to.name)
		if to.about != nil {
			log = log.With(to.about(req)...)
		}
		if refused != nil {
			refused.write(w, log)
			return
		}
		if to.notes != nil {
			for _, note := range to.notes(resp) {
				log.Warn("note", "note", note)
			}
		}
		log.Debug("answered", "duration", time.Since(start).String())
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		if _, err := w.Write(body); err != nil {
			log.Warn("the caller has gone", "err", err)
		}
	})
}

// answer fills req, and returns the hook's answer, also as bytes. If the request is refused, answer returns why.
func (to route[Req, Resp]) answer(s *hooks, w http.ResponseWriter, r *http.Request, req *Req) (resp *Resp, body []byte, refused *refusal) {
	defer func() {
		if p := recover(); p != nil {
			refused = &refusal{http.StatusInternalServerError, fmt.Errorf("this is a bug in the hook: %v", p), debug.Stack()}
		}
	}()
	if refused := s.mayRead(r); refused != nil {
		return nil, nil, refused
	}
	ctx, cancel := context.WithTimeoutCause(r.Context(), turnTimeout, errBusy)
	defer cancel()
	mine := s.inFlight.share()
	defer mine.release()
	data, refused := mine.read(ctx, w, r)
	if refused != nil {
		return nil, nil, refused
	}
	if refused := mine.turn(ctx, len(data)); refused != nil {
		return nil, nil, refused
	}
	err := decode(data, req)
	switch {
	case err != nil:
		return nil, nil, &refusal{code: http.StatusBadRequest, err: err}
	case r.Context().Err() != nil:
		return nil, nil, gone(r.Context())
	}
	if resp, err = to.call(req); err != nil {
		return nil, nil, &refusal{code: http.StatusUnprocessableEntity, err: err}
	}
	if body, err = encode(resp); err != nil {
		return nil, nil, &refusal{code: http.StatusInternalServerError, err: err}
	}
	return resp, body, nil
}

// mayRead looks at the headers. The credentials come first: of anybody else not a byte of the body is read.
func (s *hooks) mayRead(r *http.Request) *refusal {
	if err := s.callers.check(r); err != nil {
		return &refusal{code: http.StatusUnauthorized, err: err}
	}
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/json" {
		err := fmt.Errorf("the content type is %q: send application/json", r.Header.Get("Content-Type"))
		return &refusal{code: http.StatusUnsupportedMediaType, err: err}
	}
	return nil
}

// refusal is an answer other than 200.
type refusal struct {
	code  int
	err   error
	stack []byte // of a panic
}

// errGone is the reason to drop a request whose caller has gone.
var errGone = errors.New("the caller has gone")

// gone is the refusal of a request whose caller has gone. The code is for the metrics, which would count a 200 without
// one.
func gone(ctx context.Context) *refusal {
	return &refusal{code: http.StatusServiceUnavailable, err: fmt.Errorf("%w: %w", errGone, context.Cause(ctx))}
}

// write answers with one plain line, which Metacontroller puts into an Event on the parent. The log has the rest, which
// only a developer can use.
func (no refusal) write(w http.ResponseWriter, log *slog.Logger) {
	switch {
	case no.stack != nil:
		log.Error("panicked", "code", no.code, "err", no.err, "stack", string(no.stack))
	case errors.Is(no.err, errGone):
		log.Warn("the caller has gone", "err", no.err)
	default:
		log.Error("refused", "code", no.code, "err", no.err)
	}
	switch no.code {
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", "Bearer")
	case http.StatusRequestEntityTooLarge:
		w.Header().Set("Connection", "close") // so that a caller which still sends may stop
	}
	line := strings.Join(strings.Fields(no.err.Error()), " ")
	if len(line) > maxLineBytes {
		line = strings.ToValidUTF8(line[:maxLineBytes], "") + "…"
	}
	// Not http.Error, which drops the Content-Length. A caller that still sends needs one to see where the line ends.
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Length", strconv.Itoa(len(line)+1))
	w.WriteHeader(no.code)
	if _, err := w.Write([]byte(line + "\n")); err != nil {
		log.Warn("the caller has gone", "err", err)
	}
}

package server

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"novasphere.dev/wukong/sync"
)

const (
	// maxRequestBytes limits the body of a request. What grows is what the nodes say: an enactment for each bridge and
	// node, and for the look before a policy is created all Nodes and NodeNetworkStates, some tens of KiB a node. That
	// of hundreds of nodes fits.
	maxRequestBytes = 32 << 20

	// maxLineBytes limits the line of a refusal. An Event's message may have 1,024 bytes, and Metacontroller writes some
	// words around the line.
	maxLineBytes = 900
)

// hook adapts a pure function to HTTP: it decodes the request, calls the function and encodes what it answers. It is the
// only place where an error becomes a status code.
func hook[Req, Resp any](s *hooks, name string, call func(*Req) (*Resp, error)) http.HandlerFunc {
	return s.metrics.instrument(name, func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		req := new(Req)
		resp, body, refused := answer(s, w, r, req, call)
		log := s.Log.With("hook", name).With(subject(req)...)
		if refused != nil {
			refused.write(w, log)
			return
		}
		if resp, ok := any(resp).(*sync.Response); ok {
			for _, note := range resp.Notes {
				log.Warn("note", "note", note)
			}
		}
		log.Debug("answered", "duration", time.Since(start).String())
		w.Header().Set("Content-Type", "application/json")
		if _, err := w.Write(body); err != nil {
			log.Warn("the caller has gone", "err", err)
		}
	})
}

// answer fills req and returns what call says to it, also as bytes; or why it is refused. The caller's credentials come
// first: of anybody else not a byte of the body is read.
func answer[Req, Resp any](s *hooks, w http.ResponseWriter, r *http.Request, req *Req, call func(*Req) (*Resp, error)) (resp *Resp, body []byte, refused *refusal) {
	defer func() {
		if p := recover(); p != nil {
			refused = &refusal{http.StatusInternalServerError, fmt.Errorf("this is a bug in the hook: %v", p), debug.Stack()}
		}
	}()
	if err := s.callers.check(r); err != nil {
		return nil, nil, &refusal{code: http.StatusUnauthorized, err: err}
	}
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/json" {
		err := fmt.Errorf("the content type is %q: send application/json", r.Header.Get("Content-Type"))
		return nil, nil, &refusal{code: http.StatusUnsupportedMediaType, err: err}
	}
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequestBytes))
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		err := fmt.Errorf("the request is larger than %d MiB: start the hook with -preflight=false, or use existing attachments (nadName) instead of bridges of this Wukong's own", tooLarge.Limit>>20)
		return nil, nil, &refusal{code: http.StatusRequestEntityTooLarge, err: err}
	}
	if err != nil {
		return nil, nil, &refusal{code: http.StatusBadRequest, err: fmt.Errorf("reading the request: %w", err)}
	}
	if err := decode(data, req); err != nil {
		return nil, nil, &refusal{code: http.StatusBadRequest, err: err}
	}
	if resp, err = call(req); err != nil {
		return nil, nil, &refusal{code: http.StatusUnprocessableEntity, err: err}
	}
	if body, err = encode(resp); err != nil {
		return nil, nil, &refusal{code: http.StatusInternalServerError, err: err}
	}
	return resp, body, nil
}

// subject is what the log says about a request: whose it is, and how much of it exists. There is nothing to say about a
// request that could not be read.
func subject(req any) []any {
	switch req := req.(type) {
	case *sync.Request:
		if req.Parent == nil {
			return nil
		}
		children := 0
		for _, kind := range req.Children {
			children += len(kind)
		}
		return []any{"parent", req.Parent.Name, "children", children}
	case *sync.CustomizeRequest:
		if req.Parent == nil {
			return nil
		}
		return []any{"parent", req.Parent.Name}
	}
	return nil
}

// refusal is an answer other than 200.
type refusal struct {
	code  int
	err   error
	stack []byte // of a panic
}

// write answers with one plain line, which Metacontroller puts into an Event on the parent. What only a developer can
// use goes to the log.
func (no refusal) write(w http.ResponseWriter, log *slog.Logger) {
	switch {
	case no.stack != nil:
		log.Error("panicked", "code", no.code, "err", no.err, "stack", string(no.stack))
	default:
		log.Error("refused", "code", no.code, "err", no.err)
	}
	if no.code == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	line := strings.Join(strings.Fields(no.err.Error()), " ")
	if len(line) > maxLineBytes {
		line = strings.ToValidUTF8(line[:maxLineBytes], "") + "…"
	}
	http.Error(w, line, no.code)
}

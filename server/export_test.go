package server

import "net/http"

// Hook serves a function of the test's own as New serves those of package sync.
func Hook[Req, Resp any](cfg Config, call func(*Req) (*Resp, error)) (http.Handler, error) {
	s, err := newHooks(cfg)
	if err != nil {
		return nil, err
	}
	return hook(s, "sync", call), nil
}

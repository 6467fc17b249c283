package server

import (
	"net/http"

	"novasphere.dev/wukong/sync"
)

// Hook serves a function of the test's own.
func Hook[Req, Resp any](cfg Config, call func(*Req) (*Resp, error)) (http.Handler, error) {
	s, err := newHooks(cfg)
	if err != nil {
		return nil, err
	}
	return lingering(hook(s, route[Req, Resp]{name: "sync", call: call})), nil
}

// SyncHook serves a function of the test's own in the place of sync.Sync.
func SyncHook(cfg Config, call func(*sync.Request) (*sync.Response, error)) (http.Handler, error) {
	s, err := newHooks(cfg)
	if err != nil {
		return nil, err
	}
	return lingering(hook(s, syncRoute("sync", call, func(resp *sync.Response) []string { return resp.Notes }))), nil
}

var (
	ReadBody             = readBody
	DefaultBytesInFlight = defaultBytesInFlight
)

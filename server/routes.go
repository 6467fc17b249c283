package server

import (
	"github.com/go-chi/chi/v5"

	"novasphere.dev/wukong/sync"
)

// wukongRoutes are the hooks of the CompositeController of Wukongs.
func (s *hooks) wukongRoutes(r chi.Router) {
	r.Post("/sync", hook(s, wukongRoute("sync", func(req *sync.Request) (*sync.Response, error) {
		return sync.Sync(req, s.Settings, s.Now())
	})))
	r.Post("/finalize", hook(s, wukongRoute("finalize", func(req *sync.Request) (*sync.Response, error) {
		return sync.Finalize(req, s.Settings, s.Now())
	})))
	r.Post("/customize", hook(s, route[sync.CustomizeRequest, sync.CustomizeResponse]{
		name: "customize",
		call: func(req *sync.CustomizeRequest) (*sync.CustomizeResponse, error) {
			return sync.Customize(req, s.Settings)
		},
		about: func(req *sync.CustomizeRequest) []any {
			if req.Parent == nil {
				return nil
			}
			return []any{"parent", req.Parent.Name}
		},
	}))
}

func wukongRoute(name string, call func(*sync.Request) (*sync.Response, error)) route[sync.Request, sync.Response] {
	return route[sync.Request, sync.Response]{
		name: name,
		call: call,
		about: func(req *sync.Request) []any {
			if req.Parent == nil {
				return nil
			}
			return []any{"parent", req.Parent.Name, "children", req.Observed()}
		},
		notes: func(resp *sync.Response) []string { return resp.Notes },
	}
}

// networkRoutes are the hooks of the CompositeController of WukongNetworks.
func (s *hooks) networkRoutes(r chi.Router) {
	r.Post("/network/sync", hook(s, networkRoute("network/sync", func(req *sync.NetworkRequest) (*sync.NetworkResponse, error) {
		return sync.SyncNetwork(req, s.Settings, s.Now())
	})))
	r.Post("/network/finalize", hook(s, networkRoute("network/finalize", func(req *sync.NetworkRequest) (*sync.NetworkResponse, error) {
		return sync.FinalizeNetwork(req, s.Settings, s.Now())
	})))
	r.Post("/network/customize", hook(s, route[sync.NetworkCustomizeRequest, sync.CustomizeResponse]{
		name: "network/customize",
		call: func(req *sync.NetworkCustomizeRequest) (*sync.CustomizeResponse, error) {
			return sync.CustomizeNetwork(req, s.Settings)
		},
		about: func(req *sync.NetworkCustomizeRequest) []any {
			if req.Parent == nil {
				return nil
			}
			return []any{"parent", req.Parent.Name}
		},
	}))
}

func networkRoute(
	name string, call func(*sync.NetworkRequest) (*sync.NetworkResponse, error),
) route[sync.NetworkRequest, sync.NetworkResponse] {
	return route[sync.NetworkRequest, sync.NetworkResponse]{
		name: name,
		call: call,
		about: func(req *sync.NetworkRequest) []any {
			if req.Parent == nil {
				return nil
			}
			return []any{"parent", req.Parent.Name, "children", len(req.Children.Policies.Keys)}
		},
		notes: func(resp *sync.NetworkResponse) []string { return resp.Notes },
	}
}

// nodeRoutes are the hooks of the DecoratorController of Nodes.
func (s *hooks) nodeRoutes(r chi.Router) {
	r.Post("/node/sync", hook(s, route[sync.NodeRequest, sync.NodeResponse]{
		name: "node/sync",
		call: func(req *sync.NodeRequest) (*sync.NodeResponse, error) {
			return sync.SyncNode(req, s.Settings, s.Now())
		},
		about: func(req *sync.NodeRequest) []any { return []any{"node", req.Object.Name} },
	}))
	r.Post("/node/customize", hook(s, route[sync.NodeCustomizeRequest, sync.CustomizeResponse]{
		name:  "node/customize",
		call:  sync.CustomizeNode,
		about: func(req *sync.NodeCustomizeRequest) []any { return []any{"node", req.Parent.Name} },
	}))
}

package server

import (
	"github.com/go-chi/chi/v5"

	"novasphere.dev/wukong/sync"
)

// wukongRoutes are the hooks of the CompositeController of Wukongs.
func (s *hooks) wukongRoutes(r chi.Router) {
	notes := func(resp *sync.Response) []string { return resp.Notes }
	r.Post("/sync", hook(s, syncRoute("sync", func(req *sync.Request) (*sync.Response, error) {
		return sync.Sync(req, s.Settings, s.Now())
	}, notes)))
	r.Post("/finalize", hook(s, syncRoute("finalize", func(req *sync.Request) (*sync.Response, error) {
		return sync.Finalize(req, s.Settings, s.Now())
	}, notes)))
	r.Post("/customize", hook(s, customizeRoute("customize", func(req *sync.CustomizeRequest) (*sync.CustomizeResponse, error) {
		return sync.Customize(req, s.Settings)
	})))
}

// networkRoutes are the hooks of the CompositeController of WukongNetworks.
func (s *hooks) networkRoutes(r chi.Router) {
	notes := func(resp *sync.NetworkResponse) []string { return resp.Notes }
	r.Post("/network/sync", hook(s, syncRoute("network/sync", func(req *sync.NetworkRequest) (*sync.NetworkResponse, error) {
		return sync.SyncNetwork(req, s.Settings, s.Now())
	}, notes)))
	r.Post("/network/finalize", hook(s, syncRoute("network/finalize", func(req *sync.NetworkRequest) (*sync.NetworkResponse, error) {
		return sync.FinalizeNetwork(req, s.Settings, s.Now())
	}, notes)))
	r.Post("/network/customize", hook(s, customizeRoute("network/customize",
		func(req *sync.NetworkCustomizeRequest) (*sync.CustomizeResponse, error) {
			return sync.CustomizeNetwork(req, s.Settings)
		})))
}

// parent is a kind of parent of a CompositeController.
type parent[P any] interface {
	*P
	GetName() string
}

// syncRoute is a hook that answers what should exist of a parent.
func syncRoute[P, Resp any, O parent[P]](
	name string, call func(*sync.RequestOf[P]) (*Resp, error), notes func(*Resp) []string,
) route[sync.RequestOf[P], Resp] {
	return route[sync.RequestOf[P], Resp]{
		name: name,
		call: call,
		about: func(req *sync.RequestOf[P]) []any {
			if req.Parent == nil {
				return nil
			}
			return []any{"parent", O(req.Parent).GetName(), "children", req.Observed()}
		},
		notes: notes,
	}
}

// customizeRoute is a hook that answers what else is looked at for a parent.
func customizeRoute[P any, O parent[P]](
	name string, call func(*sync.CustomizeRequestOf[P]) (*sync.CustomizeResponse, error),
) route[sync.CustomizeRequestOf[P], sync.CustomizeResponse] {
	return route[sync.CustomizeRequestOf[P], sync.CustomizeResponse]{
		name: name,
		call: call,
		about: func(req *sync.CustomizeRequestOf[P]) []any {
			if req.Parent == nil {
				return nil
			}
			return []any{"parent", O(req.Parent).GetName()}
		},
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

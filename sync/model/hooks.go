package model

import (
	"slices"

	"novasphere.dev/wukong/sync"
	"novasphere.dev/wukong/types/v1alpha1"
)

// hooks are the functions of the hook for one kind of parent, and what a request calls the parent and its children.
type hooks struct {
	parent, children string
	customize        func(request map[string]any) (*sync.CustomizeResponse, error)
	call             func(request map[string]any) (answer, error)
}

// hooksOf are the hooks for a parent.
func (c *cluster) hooksOf(p parent) hooks {
	deleted := p.GetDeletionTimestamp() != nil
	switch kindName(p) {
	case "Node":
		return hooks{"object", "attachments", customizesNode, c.callsNode}
	case v1alpha1.NetworkKind:
		return hooks{
			"parent", "children",
			func(request map[string]any) (*sync.CustomizeResponse, error) {
				return sync.CustomizeNetwork(decoded[sync.NetworkCustomizeRequest](request), c.settings)
			},
			func(request map[string]any) (answer, error) { return c.callsNetwork(request, deleted) },
		}
	}
	return hooks{
		"parent", "children",
		func(request map[string]any) (*sync.CustomizeResponse, error) {
			return sync.Customize(decoded[sync.CustomizeRequest](request), c.settings)
		},
		func(request map[string]any) (answer, error) { return c.callsWukong(request, deleted) },
	}
}

func (c *cluster) callsWukong(request map[string]any, deleted bool) (answer, error) {
	call := sync.Sync
	if deleted {
		call = sync.Finalize
	}
	resp, err := call(decoded[sync.Request](request), c.settings, c.now)
	if err != nil {
		return answer{}, err
	}
	line := said(resp.Children, resp.Status.Conditions)
	return answer{resp.Children, resp.Status, resp.Finalized, resp.ResyncAfterSeconds > 0, line}, nil
}

func (c *cluster) callsNetwork(request map[string]any, deleted bool) (answer, error) {
	call := sync.SyncNetwork
	if deleted {
		call = sync.FinalizeNetwork
	}
	resp, err := call(decoded[sync.NetworkRequest](request), c.settings, c.now)
	if err != nil {
		return answer{}, err
	}
	line := said(resp.Children, resp.Status.Conditions)
	return answer{resp.Children, resp.Status, resp.Finalized, resp.ResyncAfterSeconds > 0, line}, nil
}

func customizesNode(request map[string]any) (*sync.CustomizeResponse, error) {
	return sync.CustomizeNode(decoded[sync.NodeCustomizeRequest](request))
}

func (c *cluster) callsNode(request map[string]any) (answer, error) {
	resp, err := sync.SyncNode(decoded[sync.NodeRequest](request), c.settings, c.now)
	if err != nil {
		return answer{}, err
	}
	return answer{children: resp.Attachments, again: resp.ResyncAfterSeconds > 0, said: said(resp.Attachments, nil)}, nil
}

// earlier are rules as a version of the hook answered them that knew no WukongNodes.
func earlier(rules []sync.RelatedRule) []sync.RelatedRule {
	var all []sync.RelatedRule
	for _, rule := range rules {
		if rule.Resource == v1alpha1.NodeResource {
			nodes := sync.RelatedRule{APIVersion: "v1", Resource: "nodes", LabelSelector: rule.LabelSelector}
			all = append(all, nodes, sync.RelatedRule{APIVersion: "nmstate.io/v1beta1", Resource: "nodenetworkstates"})
			continue
		}
		all = append(all, rule)
	}
	return slices.DeleteFunc(all, func(rule sync.RelatedRule) bool { return rule.Resource == v1alpha1.NetworkResource })
}

// early reports whether the rules of an older version of the hook still count for a parent. Metacontroller keeps them until the
// parent's spec changes, or until it asks for all rules again.
func (c *cluster) early(p parent) bool {
	generation, kept := c.kept[p.GetUID()]
	return kindName(p) == v1alpha1.Kind && (!c.fleet || !c.upgraded || kept && generation == p.GetGeneration())
}

package dump

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"novasphere.dev/wukong/sync"
	"novasphere.dev/wukong/sync/facts"
	"novasphere.dev/wukong/types/v1alpha1"
)

// Hook is the hook as a cluster runs it: its flags, whether NMState's policies are registered with it, and the time.
type Hook struct {
	Settings sync.Settings
	NMState  bool
	Now      time.Time
}

// Answer is what the hook answers about a Wukong or a WukongNetwork.
type Answer struct {
	Children   []*unstructured.Unstructured
	Status     map[string]any
	Conditions []metav1.Condition
	Looks      []sync.Look
	Notes      []string
	Again      time.Duration // after which the hook asks to be called again; 0 for never
}

// Of is a condition of the answer; the zero Condition where there is none.
func (a *Answer) Of(kind string) metav1.Condition {
	for _, c := range a.Conditions {
		if c.Type == kind {
			return c
		}
	}
	return metav1.Condition{}
}

// Registered reports whether NMState's policies are registered with the CompositeController in the dump; known is false where the
// dump has none.
func (c *Cluster) Registered() (registered, known bool) {
	u := c.Get(ControllerKind, "wukong")
	if u == nil {
		return false, false
	}
	resources, _, _ := unstructured.NestedSlice(u.Object, "spec", "childResources")
	return slices.ContainsFunc(resources, func(r any) bool {
		resource, _ := r.(map[string]any)
		return resource["resource"] == "nodenetworkconfigurationpolicies"
	}), true
}

// Ask asks the hook about a Wukong or WukongNetwork of the cluster: first which objects it wants to see, then what should exist.
func (c *Cluster) Ask(h Hook, parent *unstructured.Unstructured) (*Answer, error) {
	if parent.GetKind() == v1alpha1.NetworkKind {
		return c.askNetwork(h, parent)
	}
	req, err := requested[sync.Request](c, h, parent, func(text []byte) (*sync.CustomizeResponse, error) {
		req, err := decoded[sync.CustomizeRequest](text)
		if err != nil {
			return nil, err
		}
		return sync.Customize(req, h.Settings)
	})
	if err != nil {
		return nil, err
	}
	call := sync.Sync
	if req.Finalizing {
		call = sync.Finalize
	}
	resp, err := call(req, h.Settings, h.Now)
	if err != nil {
		return nil, err
	}
	a := &Answer{Children: resp.Children, Conditions: resp.Status.Conditions, Notes: resp.Notes, Again: seconds(resp.ResyncAfterSeconds)}
	a.Looks = sync.Looks(req, h.Settings, h.Now)
	return a, a.take(resp.Status)
}

func (c *Cluster) askNetwork(h Hook, parent *unstructured.Unstructured) (*Answer, error) {
	req, err := requested[sync.NetworkRequest](c, h, parent, func(text []byte) (*sync.CustomizeResponse, error) {
		req, err := decoded[sync.NetworkCustomizeRequest](text)
		if err != nil {
			return nil, err
		}
		return sync.CustomizeNetwork(req, h.Settings)
	})
	if err != nil {
		return nil, err
	}
	call := sync.SyncNetwork
	if req.Finalizing {
		call = sync.FinalizeNetwork
	}
	resp, err := call(req, h.Settings, h.Now)
	if err != nil {
		return nil, err
	}
	a := &Answer{Children: resp.Children, Conditions: resp.Status.Conditions, Notes: resp.Notes, Again: seconds(resp.ResyncAfterSeconds)}
	a.Looks = sync.NetworkLooks(req, h.Settings, h.Now)
	return a, a.take(resp.Status)
}

func seconds(s float64) time.Duration {
	return time.Duration(s * float64(time.Second))
}

// take takes the status as an API server would store it.
func (a *Answer) take(status any) error {
	text, err := json.Marshal(status)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, &a.Status)
}

// requested is the request that Metacontroller would send about a parent.
func requested[R any](c *Cluster, h Hook, parent *unstructured.Unstructured, customize func([]byte) (*sync.CustomizeResponse, error)) (*R, error) {
	childKinds := []string{facts.PolicyKind}
	if parent.GetKind() == v1alpha1.Kind {
		childKinds = append(childKinds, facts.AttachmentKind, facts.MachineKind)
	}
	if !h.NMState {
		childKinds = childKinds[1:]
	}
	resources := []any{}
	children := map[string]map[string]json.RawMessage{}
	for _, kind := range childKinds {
		for _, k := range Kinds() {
			if k.Key == kind {
				resources = append(resources, map[string]any{"apiVersion": k.APIVersion(), "resource": k.Resource})
			}
		}
		children[kind] = map[string]json.RawMessage{}
		for _, u := range c.Children(parent, kind) {
			children[kind][facts.Qualified(u.GetNamespace(), u.GetName())] = c.text(u)
		}
	}
	request := map[string]any{"controller": map[string]any{"spec": map[string]any{"childResources": resources}}, "parent": c.text(parent)}
	text, err := json.Marshal(request)
	if err != nil {
		return nil, err
	}
	customized, err := customize(text)
	if err != nil {
		return nil, err
	}
	request["children"], request["related"] = children, c.related(customized.RelatedResources)
	request["finalizing"] = parent.GetDeletionTimestamp() != nil
	if text, err = json.Marshal(request); err != nil {
		return nil, err
	}
	return decoded[R](text)
}

// decoded is a request as the hook reads it.
func decoded[R any](text []byte) (*R, error) {
	req := new(R)
	if err := jsonv2.Unmarshal(text, req); err != nil {
		return nil, fmt.Errorf("reading what the dump has: %w", err)
	}
	return req, nil
}

// related are the objects that rules select. A kind that nobody asked the cluster for is left out, as if no rule named it.
func (c *Cluster) related(rules []sync.RelatedRule) map[string]map[string]json.RawMessage {
	related := map[string]map[string]json.RawMessage{}
	for _, rule := range rules {
		kind := ofResource(rule.Resource).Key
		if !c.asked[kind] {
			continue
		}
		if related[kind] == nil {
			related[kind] = map[string]json.RawMessage{}
		}
		selector, err := metav1.LabelSelectorAsSelector(rule.LabelSelector)
		if rule.LabelSelector == nil || err != nil {
			selector = labels.Everything()
		}
		c.of(kind).candidates(rule, func(key string, u *unstructured.Unstructured) {
			here := rule.Namespace == "" || rule.Namespace == u.GetNamespace()
			named := len(rule.Names) == 0 || slices.Contains(rule.Names, u.GetName())
			if here && named && selector.Matches(c.about(u).labels) {
				related[kind][key] = c.text(u)
			}
		})
	}
	return related
}

// TellNodes makes the WukongNodes of Nodes and NodeNetworkStates by the hook's own function, where the dump has no WukongNodes: those
// that there will be once the hook is installed. They count as told of an hour ago.
func (c *Cluster) TellNodes(h Hook) error {
	if len(c.objects[facts.WukongNodeKind].objects) > 0 || !h.NMState {
		return nil
	}
	var errs []error
	for _, n := range c.All(facts.NodeKind) {
		related := map[string]map[string]json.RawMessage{facts.StateKind: {}}
		if s := c.Get(facts.StateKind, n.GetName()); s != nil {
			related[facts.StateKind][s.GetName()] = c.text(s)
		}
		text, err := json.Marshal(map[string]any{"object": c.text(n), "attachments": map[string]any{facts.WukongNodeKind: map[string]any{}}, "related": related})
		if err != nil {
			return err
		}
		req, err := decoded[sync.NodeRequest](text)
		if err != nil {
			return err
		}
		resp, err := sync.SyncNode(req, h.Settings, h.Now)
		if err != nil {
			errs = append(errs, fmt.Errorf("node %s: %w", n.GetName(), err))
			continue
		}
		for _, told := range resp.Attachments {
			told.SetOwnerReferences([]metav1.OwnerReference{{APIVersion: "v1", Kind: "Node", Name: n.GetName(), UID: n.GetUID(), Controller: new(true)}})
			told.SetAnnotations(map[string]string{"metacontroller.k8s.io/decorator-controller": "wukong-nodes"})
			told.SetCreationTimestamp(metav1.NewTime(h.Now.Add(-time.Hour)))
			c.Put(told)
		}
	}
	return errors.Join(errs...)
}

// HookFlags are the arguments and the environment that the Deployment in the dump runs the hook with; known is false where the dump has
// none.
func (c *Cluster) HookFlags() (args []string, env map[string]string, known bool) {
	u := c.Get(DeploymentKind, "wukong-system/wukong")
	if u == nil {
		return nil, nil, false
	}
	containers, _, _ := unstructured.NestedSlice(u.Object, "spec", "template", "spec", "containers")
	env = map[string]string{}
	for _, item := range containers {
		container, _ := item.(map[string]any)
		if container["name"] != "wukong" {
			continue
		}
		args, _, _ = unstructured.NestedStringSlice(container, "args")
		variables, _, _ := unstructured.NestedSlice(container, "env")
		for _, v := range variables {
			variable, _ := v.(map[string]any)
			name, _ := variable["name"].(string)
			value, _ := variable["value"].(string)
			if strings.HasPrefix(name, "WUKONG_") {
				env[name] = value
			}
		}
	}
	return args, env, true
}

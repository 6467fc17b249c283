package dump_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/dump"
	"novasphere.dev/wukong/sync"
)

// golden are the time and the flags of the golden cases.
var (
	goldenNow      = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	goldenSettings = sync.Settings{
		PhysicalInterface: "ens160", DefaultOSImage: "quay.io/containerdisks/ubuntu:24.04", Preflight: true,
		NodesSettle: 30 * time.Second, NodesGather: 30 * time.Second, TeardownTimeout: 15 * time.Minute,
	}
)

// request is what matters here of a golden request.
type request struct {
	Parent     *unstructured.Unstructured
	Controller struct {
		Spec struct{ ChildResources []struct{ Resource string } }
	}
	Children, Related map[string]map[string]json.RawMessage
}

// others are the cases whose request is no dump, and why.
var others = map[string]string{
	"sync/preflight-waits-for-a-node-without-state":                            "WukongNodes are made of the Nodes, and say it in other words",
	"sync/lost-bridge-stays-wanted-while-a-node-is-not-known-yet":              "WukongNodes are made of the Nodes, and say it in other words",
	"sync/preflight-waits-for-a-node-that-has-just-joined":                     "WukongNodes are made of the Nodes, and say it in other words",
	"sync/preflight-waits-for-a-node-that-nmstate-does-not-count":              "WukongNodes are made of the Nodes, and say it in other words",
	"sync/preflight-waits-where-no-nodes-are-sent":                             "the request is from before a rule counts",
	"sync/preflight-waits-where-there-is-no-node":                              "the request is of an older version's rules",
	"sync/shared-network-that-is-not-sent-yet":                                 "the request is from before a rule counts",
	"sync/vlan-interface-name-over-the-kernels-limit":                          "the request is of an older version's rules",
	"sync/wukongnodes-that-are-not-sent-are-waited-for":                        "the request is from before a rule counts",
	"finalize/adopted-policy-stays":                                            "the attachments that are related there are children in a dump",
	"finalize/copy-that-lost-its-label-in-the-deletion-is-waited-for":          "a dump finds children by their owner alone",
	"finalize/reclaim-delete-looks-at-selected-nodes-only":                     "the request is of an older version's rules",
	"finalize/reclaim-delete-waits-for-a-port-though-no-enactment-is-seen-yet": "WukongNodes name no single port",
	"finalize/reclaim-delete-waits-while-somebody-is-on-the-bridge":            "WukongNodes name no single port",
	"finalize/wukong-that-was-not-deleted-stays":                               "the hook is not asked to finalize what is not deleted",
	"network-sync/preflight-waits-where-no-nodes-are-sent":                     "the request is from before a rule counts",
	"network-finalize/attachments-that-were-not-sent-are-waited-for":           "the request is from before a rule counts",
	"network-finalize/fleet-6-users-are-not-known-yet":                         "the request is from before a rule counts",
	"network-finalize/network-that-was-not-deleted-stays":                      "the hook is not asked to finalize what is not deleted",
}

// TestADumpIsAnsweredAsTheHookAnswers makes a dump of the objects of each golden request, and holds that the dump is answered as the
// request is.
func TestADumpIsAnsweredAsTheHookAnswers(t *testing.T) {
	tried := 0
	for _, hook := range []string{"sync", "finalize", "network-sync", "network-finalize"} {
		dirs, err := filepath.Glob(filepath.Join("..", "testdata", hook, "*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, dir := range dirs {
			text, err := os.ReadFile(filepath.Join(dir, "request.json"))
			if err != nil {
				t.Fatal(err)
			}
			want, err := os.ReadFile(filepath.Join(dir, "response.json"))
			if os.IsNotExist(err) {
				continue
			}
			var req request
			if err := json.Unmarshal(text, &req); err != nil {
				t.Fatal(err)
			}
			c, h := dumped(t, &req)
			name := hook + "/" + filepath.Base(dir)
			same, diff := answered(t, c, h, req.Parent, want)
			switch why := others[name]; {
			case same && why != "":
				t.Errorf("%s is answered as a dump too", name)
			case !same && why == "":
				t.Errorf("%s (-hook +dump): %s", name, diff)
			}
			tried++
		}
	}
	if tried < 400 {
		t.Errorf("only %d cases were tried", tried)
	}
}

func dumped(t *testing.T, req *request) (*dump.Cluster, dump.Hook) {
	t.Helper()
	c := dump.New()
	list := map[string]any{"apiVersion": "v1", "kind": "List", "items": []any{}}
	var items []json.RawMessage
	for kind, objects := range req.Related {
		c.Asked(kind)
		for _, o := range objects {
			items = append(items, o)
		}
	}
	for _, objects := range req.Children {
		for _, o := range objects {
			items = append(items, o)
		}
	}
	list["items"] = items
	text, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Read(text); err != nil {
		t.Fatal(err)
	}
	c.Put(req.Parent)
	h := dump.Hook{Settings: goldenSettings, Now: goldenNow}
	for _, r := range req.Controller.Spec.ChildResources {
		h.NMState = h.NMState || r.Resource == "nodenetworkconfigurationpolicies"
	}
	return c, h
}

func answered(t *testing.T, c *dump.Cluster, h dump.Hook, parent *unstructured.Unstructured, want []byte) (bool, string) {
	t.Helper()
	if err := c.TellNodes(h); err != nil {
		return false, err.Error()
	}
	a, err := c.Ask(h, parent)
	if err != nil {
		return false, err.Error()
	}
	children := []any{}
	for _, child := range a.Children {
		children = append(children, child.Object)
	}
	text, err := json.Marshal(map[string]any{"children": children, "status": a.Status})
	if err != nil {
		t.Fatal(err)
	}
	var got, wanted map[string]any
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(want, &wanted); err != nil {
		t.Fatal(err)
	}
	delete(wanted, "resyncAfterSeconds")
	delete(wanted, "finalized")
	diff := cmp.Diff(wanted, got)
	return diff == "", diff
}

func TestWhatIsNoDumpIsRefused(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"a: [", "document 1 is no YAML"},
		{"text", "document 1 is no object"},
		{"kind: Wukong", "there is an object without apiVersion and kind: a dump is what `kubectl get wukongs,"},
	} {
		if err := dump.New().Read([]byte(test.text)); err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%q: got %v, want %q", test.text, err, test.want)
		}
	}
}

// What is missing in a dump is said, and what was denied, and not what cannot be missing.
func TestMissing(t *testing.T) {
	c := dump.New()
	if err := c.Read([]byte("{apiVersion: v1, kind: Node, metadata: {name: a}}\n---\n{apiVersion: v1, kind: Pod, metadata: {name: a}}")); err != nil {
		t.Fatal(err)
	}
	c.Deny("VirtualMachine.kubevirt.io/v1", "you may not")
	want := []string{
		"wukongnodes: there are none in the dump, so nobody can look at the nodes before a bridge is built on them",
		"nodenetworkstates: there are none in the dump, so nobody knows what the nodes' networks are like",
		"virtualmachines: you may not",
		"namespaces: they are not in the dump, so whether there is a spec.namespace is not known",
	}
	if diff := cmp.Diff(want, c.Missing()); diff != "" || !c.Blind() {
		t.Errorf("blind: %v (-want +got)\n%s", c.Blind(), diff)
	}
}

// What the Deployment and the CompositeController in a dump say of the hook.
func TestHookOfADump(t *testing.T) {
	c := dump.New()
	if _, known := c.Registered(); known {
		t.Error("a dump without CompositeController says whether NMState is registered")
	}
	err := c.Read([]byte(`
{apiVersion: metacontroller.k8s.io/v1alpha1, kind: CompositeController, metadata: {name: wukong}, spec: {childResources: [{apiVersion: nmstate.io/v1, resource: nodenetworkconfigurationpolicies}]}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: wukong, namespace: wukong-system}, spec: {template: {spec: {containers: [{name: wukong, args: [-physical-interface=eno1], env: [{name: WUKONG_LOG_LEVEL, value: debug}, {name: OTHER, value: a}]}]}}}}
`))
	if err != nil {
		t.Fatal(err)
	}
	registered, known := c.Registered()
	args, env, deployed := c.HookFlags()
	if !registered || !known || !deployed {
		t.Errorf("registered %v, known %v, deployed %v", registered, known, deployed)
	}
	if diff := cmp.Diff([]any{[]string{"-physical-interface=eno1"}, map[string]string{"WUKONG_LOG_LEVEL": "debug"}}, []any{args, env}); diff != "" {
		t.Error(diff)
	}
}

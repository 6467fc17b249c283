package sync_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/sync"
)

// The kinds by which Wukongs saw the nodes before there were WukongNodes.
const (
	plainNodeKind = "Node.v1"
	stateKind     = "NodeNetworkState.nmstate.io/v1beta1"
)

// TestWukongNodesSayTheSame holds that a Wukong is answered the same whether it sees Nodes and NodeNetworkStates, as with the rules of
// an older hook, or the WukongNodes that are made of them.
func TestWukongNodesSayTheSame(t *testing.T) {
	compared := 0
	eachRequest(t, func(t *testing.T, hook string, req *posted) {
		if hook != "sync" && hook != "finalize" || req.Related[plainNodeKind] == nil || req.Related[nodeKind] != nil {
			return
		}
		compared++
		before := indented(t, answer(t, hook, req, goldenNow).whole)
		req.Related[nodeKind] = toldOf(t, req)
		delete(req.Related, plainNodeKind)
		delete(req.Related, stateKind)
		after := indented(t, answer(t, hook, req, goldenNow).whole)
		if diff := cmp.Diff(likened(before), likened(after)); diff != "" {
			t.Errorf("by WukongNodes the answer is another one (-before +after):\n%s", diff)
		}
	})
	if compared < 100 {
		t.Errorf("only %d requests were compared", compared)
	}
}

// toldOf are the WukongNodes of the nodes in a request, as Metacontroller stores them. A report without its Node is of a node that the
// selector leaves out.
func toldOf(t *testing.T, req *posted) map[string]*unstructured.Unstructured {
	t.Helper()
	all := map[string]*unstructured.Unstructured{}
	for name, node := range req.Related[plainNodeKind] {
		all[name] = told(t, node, req.Related[stateKind][name])
	}
	selector, _, _ := unstructured.NestedStringMap(req.Parent.Object, "spec", "highAvailability", "nodeSelector")
	for name, state := range req.Related[stateKind] {
		if all[name] == nil && len(selector) > 0 {
			all[name] = told(t, nodeOf(name), state)
		}
	}
	return all
}

// told is the WukongNode of a Node, as Metacontroller stores it.
func told(t *testing.T, node, state *unstructured.Unstructured) *unstructured.Unstructured {
	t.Helper()
	req := &posted{Object: node, Related: objects{stateKind: {}}, Attachments: objects{nodeKind: {}}}
	if state != nil {
		req.Related[stateKind][node.GetName()] = state
	}
	resp, err := req.question(t, "node-sync").answer(goldenNow)
	if err != nil {
		t.Fatal(err)
	}
	made := resp.(*sync.NodeResponse).Attachments[0].DeepCopy()
	made.SetCreationTimestamp(node.GetCreationTimestamp())
	made.SetAnnotations(map[string]string{"metacontroller.k8s.io/decorator-controller": "wukong-nodes"})
	metadata := made.Object["metadata"].(map[string]any)
	metadata["ownerReferences"] = []any{map[string]any{
		"apiVersion": "v1", "kind": "Node", "name": node.GetName(), "uid": string(node.GetUID()), "controller": true, "blockOwnerDeletion": true,
	}}
	return made
}

// differing are the differences between the two that are meant to be.
var differing = []struct {
	text *regexp.Regexp
	is   string
}{
	// A WukongNode tells that somebody is plugged in, and not who.
	{regexp.MustCompile(`it has the port (veth|tap|vnet)[0-9a-z]+`), "a machine or pod is plugged into it"},
	// Why a node is waited for is said by its WukongNode; that there is none may be due to the DecoratorController.
	{regexp.MustCompile(`node (\S+) has no NodeNetworkState yet: `), "node $1 does not report its network: NMState has no NodeNetworkState of it: "},
	{
		regexp.MustCompile(`there is no node, or none with the labels of highAvailability.nodeSelector: .* label the nodes`),
		"no node with these labels has a WukongNode: correct highAvailability.nodeSelector, label the nodes, " +
			"or see whether the DecoratorController wukong-nodes runs",
	},
}

func likened(answer []byte) string {
	text := string(answer)
	for _, d := range differing {
		text = d.text.ReplaceAllString(text, d.is)
	}
	return text
}

// TestWukongNodesAreSmall holds what a fleet costs: 1,000 nodes are looked at with every decision.
func TestWukongNodesAreSmall(t *testing.T) {
	const (
		most      = 3000
		perBridge = 100 // with its VLAN interface, and whoever is plugged in
	)
	for _, dir := range cases(t, "node-sync") {
		resp, err := ask(t, "node-sync", read(t, dir, "request.json")).answer(goldenNow)
		if err != nil {
			continue
		}
		raw, err := json.Marshal(resp)
		if err != nil || len(raw) > most {
			t.Errorf("%s has %d bytes, and may have %d (%v)", filepath.Base(dir), len(raw), most, err)
		}
	}
	size := func(bridges int) int {
		raw, err := json.Marshal(told(t, nodeOf("worker-1"), bridged(bridges)))
		if err != nil {
			t.Fatal(err)
		}
		return len(raw)
	}
	if each := (size(100) - size(0)) / 100; each > perBridge {
		t.Errorf("a bridge takes %d bytes, and may take %d", each, perBridge)
	}
}

// TestANodeWithTooManyBridgesIsNotTold holds that a WukongNode never grows past what can be stored, and that a warning comes first.
func TestANodeWithTooManyBridgesIsNotTold(t *testing.T) {
	for _, test := range []struct {
		bridges  int
		reported bool
		message  string
	}{
		{400, true, ""},
		{501, true, "it has more than 500 bridges"},
		{3800, true, "it has more than 500 bridges"},
		{9000, false, "it has too many interfaces to tell of"},
	} {
		made := told(t, nodeOf("worker-1"), bridged(test.bridges))
		reported, _, _ := unstructured.NestedBool(made.Object, "network", "reported")
		message, _, _ := unstructured.NestedString(made.Object, "network", "message")
		raw, err := json.Marshal(made)
		says := strings.HasPrefix(message, test.message) && (message == "") == (test.message == "")
		if reported != test.reported || !says || err != nil || len(raw) > 240<<10 {
			t.Errorf("with %d bridges it is reported: %t, with the message %q, in %d bytes (%v)", test.bridges, reported, message, len(raw), err)
		}
	}
}

func nodeOf(name string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Node", "metadata": map[string]any{"name": name}}}
}

// bridged is the report of a node with some bridges, each on a VLAN interface of its own and with two machines on it.
func bridged(bridges int) *unstructured.Unstructured {
	var interfaces []any
	for i := range bridges {
		uplink, name := fmt.Sprintf("ens160.%d", 100+i), fmt.Sprintf("br-tenant-%d", 100+i)
		machines := []any{map[string]any{"name": uplink, "vlan": map[string]any{}}}
		for m := range 2 {
			veth := fmt.Sprintf("veth%04d%04d", i, m)
			machines = append(machines, map[string]any{"name": veth})
			interfaces = append(interfaces, map[string]any{"name": veth, "type": "veth", "mac-address": "8A:F1:47:F4:CD:99", "controller": name})
		}
		interfaces = append(interfaces,
			map[string]any{"name": uplink, "type": "vlan", "mtu": int64(1500), "mac-address": "00:50:56:AA:00:01", "controller": name,
				"vlan": map[string]any{"base-iface": "ens160", "id": int64(100 + i)}},
			map[string]any{"name": name, "type": "linux-bridge", "mtu": int64(1500), "mac-address": "E6:30:BB:A0:26:F6",
				"bridge": map[string]any{"port": machines}})
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "nmstate.io/v1beta1", "kind": "NodeNetworkState", "metadata": map[string]any{"name": "worker-1"},
		"status": map[string]any{"currentState": map[string]any{"interfaces": interfaces}},
	}}
}

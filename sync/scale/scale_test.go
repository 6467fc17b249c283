package scale_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	jsonv2 "github.com/go-json-experiment/json"

	"novasphere.dev/wukong/sync"
	"novasphere.dev/wukong/sync/scale"
)

const lastApplied = "metacontroller.k8s.io/last-applied-configuration"

var settings = sync.Settings{
	PhysicalInterface: "ens160", DefaultOSImage: "quay.io/containerdisks/ubuntu:24.04", Preflight: true, TeardownTimeout: 15 * time.Minute,
}

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// hook is package sync, from bytes to bytes.
func hook(path string, request []byte) ([]byte, error) {
	switch path {
	case "/network/sync":
		return answered(request, sync.SyncNetwork)
	case "/node/sync":
		return answered(request, sync.SyncNode)
	}
	return answered(request, sync.Sync)
}

func answered[Req, Resp any](request []byte, call func(*Req, sync.Settings, time.Time) (*Resp, error)) ([]byte, error) {
	req := new(Req)
	if err := jsonv2.Unmarshal(request, req); err != nil {
		return nil, err
	}
	resp, err := call(req, settings, now)
	if err != nil {
		return nil, err
	}
	return json.Marshal(resp)
}

var sizes = []scale.Size{
	{},
	{Networks: 1, Nodes: 1},
	{Networks: 3},
	{Networks: 3, Nodes: 3},
	{Networks: 1, Nodes: 20},
	{Networks: 16, Nodes: 20},
	{Networks: 4, Nodes: 3, Others: 30},
	{Networks: 4, Nodes: 3, Others: 30, OneBridge: true},
	{Networks: 4, Nodes: 3, Others: 30, OldestLast: true},
	{Networks: 3, Others: 10},
	{Networks: 3, Nodes: 3, States: true},
	{Networks: 16, Nodes: 20, States: true},
	{Networks: 4, Nodes: 3, States: true, Others: 30},
	{Networks: 1, Shared: true},
	{Networks: 3, Nodes: 5, Shared: true},
}

func request(t *testing.T, size scale.Size) []byte {
	t.Helper()
	raw, err := scale.Request(size, hook)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func parse(t *testing.T, raw []byte) map[string]any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v map[string]any
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestRequestIsSettled(t *testing.T) {
	for _, size := range sizes {
		t.Run(size.String(), func(t *testing.T) {
			isSettled(t, "/sync", request(t, size))
		})
	}
}

func TestNetworkRequestIsSettled(t *testing.T) {
	for _, size := range []scale.Size{{Nodes: 1}, {Nodes: 20}, {Nodes: 20, States: true}, {}} {
		t.Run(size.String(), func(t *testing.T) {
			raw, err := scale.NetworkRequest(size, hook)
			if err != nil {
				t.Fatal(err)
			}
			isSettled(t, "/network/sync", raw)
		})
	}
}

// isSettled holds that the answer to a request about a parent is that all stays as it is, and is ready.
func isSettled(t *testing.T, path string, raw []byte) {
	t.Helper()
	answer, err := hook(path, raw)
	if err != nil {
		t.Fatal(err)
	}
	req, resp := parse(t, raw), parse(t, answer)
	status, parent := resp["status"].(map[string]any), req["parent"].(map[string]any)
	status["observedGeneration"] = json.Number("1")
	if diff := cmp.Diff(parent["status"], any(status)); diff != "" {
		t.Errorf("the status changes (-has +answered):\n%s", diff)
	}
	if ready := status["conditions"].([]any)[0].(map[string]any); ready["type"] != "Ready" || ready["status"] != "True" {
		t.Errorf("the first condition is %v", ready)
	}
	exist := map[string]any{}
	for _, kind := range req["children"].(map[string]any) {
		for _, child := range kind.(map[string]any) {
			exist[name(child)] = child.(map[string]any)["metadata"].(map[string]any)["annotations"].(map[string]any)[lastApplied]
		}
	}
	if diff := cmp.Diff(exist, asApplied(t, parent, resp["children"].([]any))); diff != "" {
		t.Errorf("the children change (-exist +answered):\n%s", diff)
	}
}

// A node's WukongNode is answered again as it was noted, whatever the bridges on it.
func TestNodeRequestIsSettled(t *testing.T) {
	for _, size := range []scale.Size{{}, {Networks: 3}, {Networks: 16, Nodes: 20}} {
		t.Run(size.String(), func(t *testing.T) {
			raw, err := scale.NodeRequest(size, hook)
			if err != nil {
				t.Fatal(err)
			}
			answer, err := hook("/node/sync", raw)
			if err != nil {
				t.Fatal(err)
			}
			attachments := parse(t, answer)["attachments"].([]any)
			exists := parse(t, raw)["attachments"].(map[string]any)["WukongNode.vm.novasphere.dev/v1alpha1"].(map[string]any)["worker-001"].(map[string]any)
			annotations := exists["metadata"].(map[string]any)["annotations"].(map[string]any)
			attachments[0].(map[string]any)["metadata"].(map[string]any)["annotations"] = map[string]any{
				"metacontroller.k8s.io/decorator-controller": "wukong-nodes",
			}
			if noted := string(mustMarshal(t, attachments[0])); len(attachments) != 1 || noted != annotations[lastApplied] {
				t.Errorf("the WukongNode changes\nfrom %s\nto   %s", annotations[lastApplied], noted)
			}
		})
	}
}

// asApplied are answered children as Metacontroller notes them.
func asApplied(t *testing.T, parent map[string]any, children []any) map[string]any {
	t.Helper()
	all := map[string]any{}
	for _, child := range children {
		metadata := child.(map[string]any)["metadata"].(map[string]any)
		metadata["labels"].(map[string]any)["controller-uid"] = parent["metadata"].(map[string]any)["uid"]
		all[name(child)] = string(mustMarshal(t, child))
	}
	return all
}

func mustMarshal(t *testing.T, v any) []byte {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func name(child any) string {
	o := child.(map[string]any)
	return fmt.Sprint(o["kind"], " ", o["metadata"].(map[string]any)["name"])
}

// TestSizes holds that a request is as large as those of real clusters, in bytes.
func TestSizes(t *testing.T) {
	small, err := scale.PodNetwork(hook)
	if err != nil {
		t.Fatal(err)
	}
	between(t, "pod network", len(small), limits{7_000, 10_000})
	bridge, err := scale.OneBridge(hook)
	if err != nil {
		t.Fatal(err)
	}
	between(t, "one bridge", len(bridge), limits{40_000, 50_000})
	between(t, "one bridge, with states", len(request(t, scale.Size{Networks: 1, Nodes: 1, States: true})), limits{90_000, 110_000})
	between(t, "one WukongNetwork", len(request(t, scale.Size{Networks: 1, Shared: true})), limits{20_000, 40_000})
	node, err := scale.NodeRequest(scale.Size{Networks: 1}, hook)
	if err != nil {
		t.Fatal(err)
	}
	between(t, "a node", len(node), limits{60_000, 80_000})

	of := func(size scale.Size, want map[string]int) {
		related := parse(t, request(t, size))["related"].(map[string]any)
		for kind, want := range want {
			objects := related[kind].(map[string]any)
			between(t, kind, len(mustMarshal(t, objects))/len(objects), limits{want * 9 / 10, want * 11 / 10})
		}
	}
	of(scale.Size{Networks: 1, Nodes: 50, Others: 50, States: true}, map[string]int{
		"Node.v1": 14_000, "NodeNetworkState.nmstate.io/v1beta1": 47_000, "NodeNetworkConfigurationEnactment.nmstate.io/v1beta1": 2_400,
		"NodeNetworkConfigurationPolicy.nmstate.io/v1": 4_000,
	})
	of(scale.Size{Networks: 1, Nodes: 50}, map[string]int{"WukongNode.vm.novasphere.dev/v1alpha1": 5_300})
	of(scale.Size{Networks: 16, Nodes: 50}, map[string]int{"WukongNode.vm.novasphere.dev/v1alpha1": 6_300})
	of(scale.Size{Networks: 1, Shared: true}, map[string]int{"WukongNetwork.vm.novasphere.dev/v1alpha1": 1_600})
}

// limits are the fewest and the most bytes that something may have.
type limits struct {
	low, high int
}

func between(t *testing.T, what string, got int, want limits) {
	t.Helper()
	if t.Logf("%s: %d bytes", what, got); got < want.low || got > want.high {
		t.Errorf("%s has %d bytes, and should have %d to %d", what, got, want.low, want.high)
	}
}

// TestEqualSizesMakeEqualBytes: a figure is compared with one of another day.
func TestEqualSizesMakeEqualBytes(t *testing.T) {
	size := scale.Size{Networks: 2, Nodes: 4, Others: 5}
	if !bytes.Equal(request(t, size), request(t, size)) {
		t.Error("two requests of one size differ")
	}
}

// TestRelated: Metacontroller does not even send the names of the kinds that the hook has not asked for.
func TestRelated(t *testing.T) {
	for _, tc := range []struct {
		size scale.Size
		want []string
	}{
		{scale.Size{Networks: 2}, nil},
		{scale.Size{Networks: 2, Nodes: 2}, []string{"WukongNode.vm.novasphere.dev/v1alpha1"}},
		{scale.Size{Networks: 2, Nodes: 2, States: true}, []string{"Node.v1", "NodeNetworkState.nmstate.io/v1beta1"}},
		{scale.Size{Networks: 2, Nodes: 2, Shared: true}, []string{"WukongNetwork.vm.novasphere.dev/v1alpha1"}},
	} {
		related := parse(t, request(t, tc.size))["related"].(map[string]any)
		for kind := range map[string]bool{
			"Node.v1": true, "NodeNetworkState.nmstate.io/v1beta1": true, "WukongNode.vm.novasphere.dev/v1alpha1": true,
			"WukongNetwork.vm.novasphere.dev/v1alpha1": true,
		} {
			if _, there := related[kind]; there != slices.Contains(tc.want, kind) {
				t.Errorf("%s: %s is related: %t", tc.size, kind, there)
			}
		}
		if _, there := related["NodeNetworkConfigurationPolicy.nmstate.io/v1"]; there == tc.size.Shared {
			t.Errorf("%s: policies are related: %t", tc.size, there)
		}
	}
}

// TestOthers looks at whose policies are on which bridges, and how old they are.
func TestOthers(t *testing.T) {
	for _, tc := range []struct {
		size    scale.Size
		bridges int
		oldest  string
	}{
		{scale.Size{Networks: 4, Others: 8}, 4, "neighbour-00000-vlan101-bridge"},
		{scale.Size{Networks: 4, Others: 8, OneBridge: true}, 1, "neighbour-00000-vlan101-bridge"},
		{scale.Size{Networks: 4, Others: 8, OldestLast: true}, 4, "neighbour-00007-vlan104-bridge"},
	} {
		related := parse(t, request(t, tc.size))["related"].(map[string]any)
		bridges, oldest, since := map[any]bool{}, "", "9"
		for name, policy := range related["NodeNetworkConfigurationPolicy.nmstate.io/v1"].(map[string]any) {
			metadata := policy.(map[string]any)["metadata"].(map[string]any)
			if !strings.HasPrefix(name, "neighbour-") {
				continue
			}
			bridges[metadata["labels"].(map[string]any)["vm.novasphere.dev/bridge"]] = true
			if created := metadata["creationTimestamp"].(string); created < since {
				oldest, since = name, created
			}
			if owner := metadata["ownerReferences"].([]any)[0].(map[string]any)["name"]; metadata["name"] != name || owner == "warehouse-db" {
				t.Errorf("%s is named %v and owned by %v", name, metadata["name"], owner)
			}
		}
		if len(bridges) != tc.bridges || oldest != tc.oldest {
			t.Errorf("%s: the policies of others are on %d bridges, and the oldest is %s", tc.size, len(bridges), oldest)
		}
	}
}

package sync_test

import (
	"encoding/json"
	"maps"
	"path/filepath"
	"slices"
	"testing"

	"novasphere.dev/wukong/sync"
)

// askedOfNodes are the networks that are asked for on every node in testdata/nodes, each on a machine of its own.
var askedOfNodes = map[string]string{
	"a bridge on the NIC":                     `{"type": "bridge", "bridgeName": "br-new"}`,
	"a VLAN on the NIC":                       `{"type": "bridge", "bridgeName": "br-new", "vlanId": 300}`,
	"br-external on the NIC":                  `{"type": "bridge", "bridgeName": "br-external"}`,
	"br-mgmt on VLAN 100":                     `{"type": "bridge", "bridgeName": "br-mgmt", "vlanId": 100}`,
	"another bridge on VLAN 100":              `{"type": "bridge", "bridgeName": "br-new", "vlanId": 100}`,
	"br-host with preserveHostIP":             `{"type": "bridge", "bridgeName": "br-host", "preserveHostIP": true}`,
	"another bridge with preserveHostIP":      `{"type": "bridge", "bridgeName": "br-new", "preserveHostIP": true}`,
	"a VLAN on br-host":                       `{"type": "bridge", "bridgeName": "br-new", "physicalInterface": "br-host", "vlanId": 300}`,
	"an Open vSwitch bridge on the NIC":       `{"type": "ovs", "bridgeName": "ovsbr-new"}`,
	"ovsbr-tenant on VLAN 200":                `{"type": "ovs", "bridgeName": "ovsbr-tenant", "vlanId": 200}`,
	"another Open vSwitch bridge on VLAN 200": `{"type": "ovs", "bridgeName": "ovsbr-new", "vlanId": 200}`,
	"a VLAN on an Open vSwitch bridge":        `{"type": "bridge", "bridgeName": "br-new", "physicalInterface": "ovsbr-tenant", "vlanId": 300}`,
	"mtu 9000 on a VLAN":                      `{"type": "bridge", "bridgeName": "br-new", "vlanId": 300, "mtu": 9000}`,
	"mtu 1400 with preserveHostIP":            `{"type": "bridge", "bridgeName": "br-host", "preserveHostIP": true, "mtu": 1400}`,
	"a NIC that is not there":                 `{"type": "bridge", "bridgeName": "br-new", "physicalInterface": "ens999"}`,
	"a bridge with the name of the NIC":       `{"type": "bridge", "bridgeName": "ens160", "physicalInterface": "ens192"}`,
	"a VLAN of the VLAN interface":            `{"type": "bridge", "bridgeName": "br-new", "physicalInterface": "ens160.100"}`,
}

// onRealNode is what is answered to one network on a node: its policy, or the status of the network.
type onRealNode struct {
	Policy  json.RawMessage `json:"policy,omitempty"`
	Message string          `json:"message,omitempty"`
}

// TestRealNodes asks for each network on each node in testdata/nodes: state.json is what nmstatectl showed of a node that
// runs, answers.json what is answered there.
func TestRealNodes(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "testdata", "nodes", "*", "state.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("testdata/nodes has no nodes (%v)", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(filepath.Dir(file)), func(t *testing.T) {
			state := mustRead(t, file)
			answers := map[string]onRealNode{}
			for _, name := range slices.Sorted(maps.Keys(askedOfNodes)) {
				answers[name] = askedOfNode(t, state, []byte(askedOfNodes[name]))
			}
			golden(t, filepath.Join(filepath.Dir(file), "answers.json"), indented(t, answers))
		})
	}
}

// askedOfNode is what is answered to a machine with one network, where a node is as nmstatectl shows it.
func askedOfNode(t *testing.T, state, network []byte) onRealNode {
	t.Helper()
	request := object(t, mustRead(t, filepath.Join("..", "testdata", "sync", "real-node-static-moves", "request.json")))
	asked := object(t, network)
	asked["name"] = "lan"
	in(request, "parent", "spec")["networks"] = []any{asked}
	in(request, "related", "NodeNetworkState.nmstate.io/v1beta1", "n1", "status")["currentState"] = object(t, state)
	raw, err := json.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	got, err := ask(t, "sync", raw).answer(goldenNow)
	if err != nil {
		t.Fatal(err)
	}
	answer := got.(*sync.Response)
	for _, child := range answer.Children {
		if child.GetKind() == "NodeNetworkConfigurationPolicy" {
			policy, err := json.Marshal(child.Object["spec"])
			if err != nil {
				t.Fatal(err)
			}
			return onRealNode{Policy: policy}
		}
	}
	return onRealNode{Message: answer.Status.Networks[0].Message}
}

func object(t *testing.T, raw []byte) map[string]any {
	t.Helper()
	var o map[string]any
	if err := json.Unmarshal(raw, &o); err != nil {
		t.Fatal(err)
	}
	return o
}

// in is the object at a path below another.
func in(o map[string]any, path ...string) map[string]any {
	for _, key := range path {
		o = o[key].(map[string]any)
	}
	return o
}

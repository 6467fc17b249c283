package facts_test

import (
	"strings"
	"testing"

	jsonv2 "github.com/go-json-experiment/json"

	"novasphere.dev/wukong/sync/facts"
)

// trusted is a WukongNode as Metacontroller writes it.
const trusted = `{"apiVersion": "vm.novasphere.dev/v1alpha1", "kind": "WukongNode", "metadata": {"name": "w1",
"annotations": {"metacontroller.k8s.io/decorator-controller": "wukong-nodes"},
"ownerReferences": [{"apiVersion": "v1", "kind": "Node", "name": "w1", "uid": "u-1", "controller": true, "blockOwnerDeletion": true}]},
"network": {"ready": true, "reported": true, "interfaces": [{"interface": "ens160", "mtu": 1500}]}}`

func TestTrusted(t *testing.T) {
	for _, test := range []struct {
		name, old, new    string
		trusted, readable bool
		state             bool
	}{
		{"as Metacontroller writes it", "", "", true, true, true},
		{"by a DecoratorController of another name", "wukong-nodes", "other", true, true, true},
		{"without the annotation", "metacontroller.k8s.io/decorator-controller", "mine", false, true, false},
		{"with an empty annotation", "wukong-nodes", "", false, true, false},
		{"with an annotation that is a number", `"wukong-nodes"`, "7", false, true, false},
		{"without owners", "ownerReferences", "owners", false, true, false},
		{"of an owner that does not control it", `"controller": true`, `"controller": false`, false, true, false},
		{"of another node", `"kind": "Node", "name": "w1"`, `"kind": "Node", "name": "w2"`, false, true, false},
		{"of a Pod of that name", `"kind": "Node"`, `"kind": "Pod"`, false, true, false},
		{"of a Node of another API", `[{"apiVersion": "v1"`, `[{"apiVersion": "example.com/v1"`, false, true, false},
		{"of several owners, of whom one controls it", `"ownerReferences": [`, `"ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "p"}, `, true, true, true},
		{"of several, of whom another controls it first", `"ownerReferences": [`, `"ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "p", "controller": true}, `,
			false, true, false},
		{"with a number that is text", "1500", `"1500"`, true, false, false},
		{"with a list that is text", `[{"interface": "ens160", "mtu": 1500}]`, `"ens160"`, true, false, false},
		{"with a network that is a list", `{"ready": true, "reported": true, "interfaces": [{"interface": "ens160", "mtu": 1500}]}`, "[]", true, false, false},
		{"with names that are called otherwise", `"interface": "ens160"`, `"name": "ens160"`, true, false, false},
		{"with a port without a name", `"mtu": 1500`, `"bridge": {"ports": [{}]}`, true, false, false},
		{"with a VLAN on nothing", `"mtu": 1500`, `"vlan": {"id": 7}`, true, false, false},
		{"with a route to nowhere", `"interfaces"`, `"defaultRoutes": [{"interface": "ens160"}], "interfaces"`, true, false, false},
		{"without a network", `"network"`, `"status"`, true, false, false},
		{"not reported", `"reported": true`, `"reported": false`, true, true, false},
		{"with a field that is not known", `"ready": true`, `"ready": true, "more": {}`, true, true, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			text := strings.Replace(trusted, test.old, test.new, 1)
			if test.old != "" && text == trusted {
				t.Fatalf("there is no %s", test.old)
			}
			var related facts.Related
			if err := jsonv2.Unmarshal([]byte(`{"WukongNode.vm.novasphere.dev/v1alpha1": {"w1": `+text+`}}`), &related); err != nil {
				t.Fatal(err)
			}
			n := related.WukongNodes.Get("w1")
			if n.Trusted() != test.trusted || n.Readable != test.readable || (n.State() != nil) != test.state {
				t.Errorf("it is trusted %t, readable %t, and tells of a state %t", n.Trusted(), n.Readable, n.State() != nil)
			}
		})
	}
}

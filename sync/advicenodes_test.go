package sync_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/admission"
	"novasphere.dev/wukong/types/v1alpha1"
)

// nodeNetworks are the networks that WukongNodes tell of: of all nodes in golden requests, and of the real nodes in
// testdata/nodes.
func nodeNetworks(t *testing.T) []map[string]any {
	t.Helper()
	var all []map[string]any
	known := map[string]bool{}
	add := func(n *unstructured.Unstructured) {
		network, _ := n.Object["network"].(map[string]any)
		raw, err := json.Marshal([]any{network["interfaces"], network["vlanBridges"], network["defaultRoutes"], network["routeRules"]})
		if err != nil {
			t.Fatal(err)
		}
		if network["reported"] == true && !known[string(raw)] {
			known[string(raw)] = true
			all = append(all, network)
		}
	}
	for _, hook := range []string{"sync", "network-sync"} {
		for _, dir := range cases(t, hook) {
			var req posted
			if err := json.Unmarshal(read(t, dir, "request.json"), &req); err != nil {
				continue // an answer is an error there
			}
			if req.Related[nodeKind] == nil && req.Parent != nil {
				req.Related = objects{nodeKind: toldOf(t, &req)}
			}
			for _, name := range sortedKeys(req.Related[nodeKind]) {
				add(req.Related[nodeKind][name])
			}
		}
	}
	files, err := filepath.Glob(filepath.Join("..", "testdata", "nodes", "*", "state.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no nodes (%v)", err)
	}
	for _, file := range files {
		var state map[string]any
		if err := json.Unmarshal(mustRead(t, file), &state); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		add(told(t, nodeOf("n"), &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "nmstate.io/v1beta1", "kind": "NodeNetworkState", "metadata": map[string]any{"name": "n"},
			"status": map[string]any{"lastSuccessfulUpdateTime": "2026-11-23T11:00:00Z", "currentState": state},
		}}))
	}
	t.Logf("%d nodes", len(all))
	return all
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// anyRequest is the request of a new Wukong, or WukongNetwork, on some nodes, where others may have policies.
func anyRequest(chance *rand.Rand, nodes []map[string]any) *posted {
	some := make([]map[string]any, 1+chance.IntN(3))
	for i := range some {
		some[i] = nodes[chance.IntN(len(nodes))]
		if chance.IntN(2) == 0 {
			some[i] = altered(chance, some[i])
		}
	}
	names := interfaceNames(some)
	req := &posted{
		Controller: json.RawMessage(`{"spec": {"childResources": [{"apiVersion": "nmstate.io/v1", "resource": "nodenetworkconfigurationpolicies"}]}}`),
		Parent:     anyParent(chance, names),
		Children:   objects{policyKind: {}},
		Related:    objects{nodeKind: {}, policyKind: {}},
	}
	for i, network := range some {
		name := fmt.Sprintf("node-%d", i)
		req.Related[nodeKind][name] = &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": v1alpha1.APIVersion, "kind": "WukongNode", "network": network,
			"metadata": map[string]any{
				"name": name, "annotations": map[string]any{"metacontroller.k8s.io/decorator-controller": "wukong-nodes"},
				"creationTimestamp": "2026-11-23T10:05:00Z",
				"ownerReferences":   []any{map[string]any{"apiVersion": "v1", "kind": "Node", "name": name, "uid": "n", "controller": true}},
			},
		}}
	}
	if chance.IntN(3) == 0 {
		policy := anyPolicy(chance, names)
		req.Related[policyKind][policy.GetName()] = policy
	}
	return req
}

// interfaceNames are the names of what some nodes have, and of what they have not.
func interfaceNames(nodes []map[string]any) []string {
	names := []string{"ens999", "ens160"}
	for _, n := range nodes {
		interfaces, _ := n["interfaces"].([]any)
		for _, i := range interfaces {
			fields := i.(map[string]any)
			if name, _ := fields["interface"].(string); name != "" {
				names = append(names, name)
			}
			alternative, _ := fields["altNames"].([]any)
			for _, name := range alternative {
				names = append(names, name.(string))
			}
		}
	}
	return names
}

// altered is a node with one thing changed.
func altered(chance *rand.Rand, network map[string]any) map[string]any {
	raw, _ := json.Marshal(network)
	var changed map[string]any
	_ = json.Unmarshal(raw, &changed)
	interfaces, _ := changed["interfaces"].([]any)
	if len(interfaces) == 0 {
		return changed
	}
	at := chance.IntN(len(interfaces))
	i, other := interfaces[at].(map[string]any), interfaces[chance.IntN(len(interfaces))].(map[string]any)
	switch chance.IntN(9) {
	case 0:
		i["mtu"] = []int{1400, 1500, 9000}[chance.IntN(3)]
	case 1:
		changed["interfaces"] = slices.Delete(interfaces, at, at+1)
	case 2:
		i["interface"] = fmt.Sprintf("eno%d", chance.IntN(3))
	case 3:
		i["controller"] = other["interface"]
	case 4:
		i["altNames"] = []any{"storage0"}
	case 5:
		i["vlan"], i["type"] = map[string]any{"base": other["interface"], "id": 7, "keepsTag": chance.IntN(2) == 0}, "vlan"
	case 6:
		delete(i, "ipv4")
		delete(i, "ipv6")
		delete(i, "route")
	case 7:
		i["ipv6"] = map[string]any{"autoconf": true, "given": true}
	case 8:
		changed["interfaces"] = append(interfaces, map[string]any{"interface": fmt.Sprintf("eno%d", chance.IntN(3)), "type": "ethernet", "mtu": 1500})
	}
	return changed
}

// anyParent is a Wukong with some networks, or a WukongNetwork.
func anyParent(chance *rand.Rand, names []string) *unstructured.Unstructured {
	parent := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": v1alpha1.APIVersion, "kind": v1alpha1.Kind, "metadata": map[string]any{"name": "vm", "uid": "u"},
	}}
	if chance.IntN(4) == 0 {
		network := anyNetwork(chance, names)
		delete(network, "name")
		parent.Object["kind"], parent.Object["spec"] = v1alpha1.NetworkKind, network
		return parent
	}
	networks := []any{anyNetwork(chance, names)}
	for i := range chance.IntN(3) {
		another := anyNetwork(chance, names)
		another["name"] = fmt.Sprintf("lan%d", i)
		if chance.IntN(4) == 0 {
			another = map[string]any{"name": another["name"], "type": "macvlan", "physicalInterface": another["physicalInterface"]}
		}
		if chance.IntN(4) == 0 {
			another = map[string]any{"name": another["name"]}
			for field, value := range networks[0].(map[string]any) {
				if field != "name" {
					another[field] = value // the same bridge
				}
			}
			another["bridgeName"] = bridgeNameOf(networks[0].(map[string]any))
		}
		networks = append(networks, another)
	}
	parent.Object["spec"] = map[string]any{"networks": networks}
	return parent
}

// anyNetwork is a network of some form, on something that the nodes have or have not.
func anyNetwork(chance *rand.Rand, names []string) map[string]any {
	pick := func(of ...string) string { return of[chance.IntN(len(of))] }
	network := map[string]any{"name": "lan", "type": pick("bridge", "bridge", "ovs"), "physicalInterface": pick(names...)}
	setOrRemove(network, "bridgeName", pick(names...), chance.IntN(3) == 0)
	setOrRemove(network, "vlanId", []int64{1, 7, 100, 4094}[chance.IntN(4)], chance.IntN(2) == 0)
	setOrRemove(network, "mtu", []int64{1400, 1500, 9000}[chance.IntN(3)], chance.IntN(3) == 0)
	setOrRemove(network, "preserveHostIP", true, network["vlanId"] == nil && network["type"] == "bridge" && chance.IntN(3) == 0)
	setOrRemove(network, "reclaimPolicy", pick("Delete", "Retain"), network["preserveHostIP"] == nil && chance.IntN(3) == 0)
	return network
}

// anyPolicy is a policy of another Wukong.
func anyPolicy(chance *rand.Rand, names []string) *unstructured.Unstructured {
	nic, name := names[chance.IntN(len(names))], "br-lan"
	uplink, interfaces := nic, []any{}
	if chance.IntN(2) == 0 {
		uplink = fmt.Sprintf("%.10s.7", nic)
		interfaces = append(interfaces, map[string]any{
			"name": uplink, "type": "vlan", "state": "up", "vlan": map[string]any{"base-iface": nic, "id": int64(7)},
		})
	}
	if chance.IntN(2) == 0 {
		name = names[chance.IntN(len(names))]
	}
	bridge := map[string]any{"name": name, "type": "linux-bridge", "state": "up", "bridge": map[string]any{
		"port": []any{map[string]any{"name": uplink, "vlan": map[string]any{}}},
	}}
	setOrRemove(bridge, "mtu", int64(1400), chance.IntN(3) == 0)
	if chance.IntN(3) == 0 {
		bridge["type"] = "ovs-bridge"
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "nmstate.io/v1", "kind": "NodeNetworkConfigurationPolicy",
		"metadata": map[string]any{"name": "other-lan-bridge", "uid": "p", "creationTimestamp": "2026-11-23T10:05:00Z", "ownerReferences": []any{
			map[string]any{"apiVersion": v1alpha1.APIVersion, "kind": v1alpha1.Kind, "name": "other", "uid": "o", "controller": true},
		}},
		"spec": map[string]any{"desiredState": map[string]any{"interfaces": append(interfaces, bridge)}},
	}}
}

// userSchemas are the schemas of the kinds that users write.
func userSchemas(t *testing.T) map[string]*admission.Schema {
	t.Helper()
	schemas := map[string]*admission.Schema{}
	for kind, file := range map[string]string{v1alpha1.Kind: "wukongs", v1alpha1.NetworkKind: "wukongnetworks"} {
		schema, err := admission.New(mustRead(t, filepath.Join("..", "deploy", "base", "vm.novasphere.dev_"+file+".yaml")))
		if err != nil {
			t.Fatal(err)
		}
		schemas[kind] = schema
	}
	return schemas
}

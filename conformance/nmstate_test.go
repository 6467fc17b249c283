package conformance

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// nmstatePolicy is what NMState reads of a policy, and the node that it is applied to.
type nmstatePolicy struct {
	Capture      map[string]string `json:"capture,omitempty"`
	DesiredState json.RawMessage   `json:"desiredState"`
	Current      json.RawMessage   `json:"current"`
}

// nmstateAnswer is what nmstate would do on the node, or why it does nothing.
type nmstateAnswer struct {
	State struct {
		Interfaces []map[string]any `json:"interfaces"`
		Routes     struct {
			Config []map[string]any `json:"config"`
		} `json:"routes"`
	} `json:"state"`
	Error string `json:"error"`
}

// nmstate asks NMState's own library, which is built from its package for that.
func nmstate(t *testing.T, policies []nmstatePolicy) []nmstateAnswer {
	t.Helper()
	if _, err := exec.LookPath("cargo"); err != nil {
		t.Skip("what NMState makes of policies is not checked: cargo is not installed, which builds its library")
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	target := filepath.Join(cache, "wukong-conformance", "nmstate")
	build := exec.Command("cargo", "build", "--quiet", "--locked", "--target-dir", target)
	build.Dir = "nmstate"
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building nmstate: %v\n%s", err, out)
	}
	asked, err := json.Marshal(policies)
	if err != nil {
		t.Fatal(err)
	}
	run := exec.Command(filepath.Join(target, "debug", "nmstate-of-policy"))
	run.Stdin = bytes.NewReader(asked)
	run.Stderr = os.Stderr
	out, err := run.Output()
	if err != nil {
		t.Fatalf("asking nmstate: %v", err)
	}
	var answers []nmstateAnswer
	if err := json.Unmarshal(out, &answers); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if len(answers) != len(policies) {
		t.Fatalf("there are %d answers to %d policies", len(answers), len(policies))
	}
	return answers
}

// node is what a golden request says of one node.
type node struct {
	Metadata struct{ Labels map[string]string }
	State    json.RawMessage
}

// nodesOf are the nodes of a golden case.
func nodesOf(t *testing.T, dir string) map[string]node {
	t.Helper()
	var request struct {
		Related struct {
			Nodes map[string]struct {
				Metadata struct{ Labels map[string]string }
			} `json:"Node.v1"`
			States map[string]struct {
				Status struct{ CurrentState json.RawMessage }
			} `json:"NodeNetworkState.nmstate.io/v1beta1"`
		}
	}
	raw, err := os.ReadFile(filepath.Join(dir, "request.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &request); err != nil {
		t.Fatal(err)
	}
	nodes := map[string]node{}
	for name, n := range request.Related.Nodes {
		if state := request.Related.States[name].Status.CurrentState; state != nil {
			nodes[name] = node{n.Metadata, state}
		}
	}
	return nodes
}

// onNode is one answered policy on one of the nodes that it selects.
type onNode struct {
	name   string // of the case, the policy and the node
	policy nmstatePolicy
}

// answeredOnNodes are the policies of golden answers, each on every node of its case that it selects.
func answeredOnNodes(t *testing.T, cases string) []onNode {
	t.Helper()
	dirs, err := filepath.Glob(cases)
	if err != nil || len(dirs) == 0 {
		t.Fatalf("there are no cases %s (%v)", cases, err)
	}
	var all []onNode
	for _, dir := range dirs {
		raw, err := os.ReadFile(filepath.Join(dir, "response.json"))
		if err != nil {
			continue // it is refused
		}
		var response struct {
			Children []struct {
				Kind     string
				Metadata struct{ Name string }
				Spec     struct {
					NodeSelector map[string]string
					Capture      map[string]string
					DesiredState json.RawMessage
				}
			}
		}
		if err := json.Unmarshal(raw, &response); err != nil {
			t.Fatalf("%s: %v", dir, err)
		}
		nodes := nodesOf(t, dir)
		for _, child := range response.Children {
			if child.Kind != "NodeNetworkConfigurationPolicy" || child.Spec.DesiredState == nil {
				continue
			}
			for _, name := range slices.Sorted(maps.Keys(nodes)) {
				selected := true
				for key, v := range child.Spec.NodeSelector {
					selected = selected && nodes[name].Metadata.Labels[key] == v
				}
				if selected {
					all = append(all, onNode{
						strings.Join([]string{filepath.Base(dir), child.Metadata.Name, name}, "/"),
						nmstatePolicy{child.Spec.Capture, child.Spec.DesiredState, nodes[name].State},
					})
				}
			}
		}
	}
	return all
}

// answeredOnRealNodes are the policies that are answered on the nodes in testdata/nodes.
func answeredOnRealNodes(t *testing.T) []onNode {
	t.Helper()
	files, err := filepath.Glob("../testdata/nodes/*/answers.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no answers on real nodes (%v)", err)
	}
	var all []onNode
	for _, file := range files {
		var answers map[string]struct{ Policy *nmstatePolicy }
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(raw, &answers); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		state, err := os.ReadFile(filepath.Join(filepath.Dir(file), "state.json"))
		if err != nil {
			t.Fatal(err)
		}
		for _, network := range slices.Sorted(maps.Keys(answers)) {
			if policy := answers[network].Policy; policy != nil {
				policy.Current = state
				all = append(all, onNode{filepath.Base(filepath.Dir(file)) + "/" + network, *policy})
			}
		}
	}
	return all
}

// TestNMStateTakesEveryPolicy gives NMState every answered policy, to build a bridge and to remove it, on every node that
// it reaches.
func TestNMStateTakesEveryPolicy(t *testing.T) {
	all := append(answeredOnNodes(t, "../testdata/*/*"), answeredOnRealNodes(t)...)
	var policies []nmstatePolicy
	for _, p := range all {
		policies = append(policies, p.policy)
	}
	for i, answer := range nmstate(t, policies) {
		t.Run(all[i].name, func(t *testing.T) {
			if answer.Error != "" {
				t.Errorf("NMState refuses it: %s", answer.Error)
			}
		})
	}
}

// host is the address of a node, on whichever interface the default route leaves by.
type host struct {
	iface, mac string
	mtu        any
	addresses  []string
}

func hostOf(t *testing.T, state json.RawMessage) host {
	t.Helper()
	var current struct {
		Interfaces []map[string]any
		Routes     struct{ Running []map[string]any }
	}
	if err := json.Unmarshal(state, &current); err != nil {
		t.Fatal(err)
	}
	var h host
	for _, r := range current.Routes.Running {
		if r["destination"] == "0.0.0.0/0" {
			h.iface, _ = r["next-hop-interface"].(string)
		}
	}
	for _, i := range current.Interfaces {
		if i["name"] == h.iface {
			h.mac, _ = i["mac-address"].(string)
			h.mtu = i["mtu"]
			h.addresses = addressesOf(i)
		}
	}
	return h
}

// onlyInterface is the name of the one interface in a desired state.
func onlyInterface(t *testing.T, desired json.RawMessage) string {
	t.Helper()
	var state struct{ Interfaces []struct{ Name string } }
	if err := json.Unmarshal(desired, &state); err != nil || len(state.Interfaces) != 1 {
		t.Fatalf("there is not one interface in %s (%v)", desired, err)
	}
	return state.Interfaces[0].Name
}

// addressesOf are the addresses of an interface, of both families.
func addressesOf(iface map[string]any) []string {
	var all []string
	for _, family := range []string{"ipv4", "ipv6"} {
		block, _ := iface[family].(map[string]any)
		list, _ := block["address"].([]any)
		for _, a := range list {
			all = append(all, a.(map[string]any)["ip"].(string))
		}
	}
	return all
}

// TestNMStateMovesTheHostsAddress runs the captures of every answered policy with preserveHostIP on every node that it
// reaches: MAC, addresses and routes go to the bridge, or nothing of them changes because they are there already.
func TestNMStateMovesTheHostsAddress(t *testing.T) {
	answered := append(answeredOnNodes(t, "../testdata/sync/*"), answeredOnRealNodes(t)...)
	all := slices.DeleteFunc(answered, func(p onNode) bool { return p.policy.Capture == nil })
	if len(all) == 0 {
		t.Fatal("no golden answer has captures")
	}
	var policies []nmstatePolicy
	for _, p := range all {
		policies = append(policies, p.policy)
	}
	for i, answer := range nmstate(t, policies) {
		t.Run(all[i].name, func(t *testing.T) {
			name := onlyInterface(t, all[i].policy.DesiredState)
			if answer.Error == "" && len(answer.State.Interfaces) == 0 && hostOf(t, all[i].policy.Current).iface == name {
				return // the bridge has the address already, and is in all as it should be
			}
			if answer.Error != "" || len(answer.State.Interfaces) != 1 || answer.State.Interfaces[0]["name"] != name {
				t.Fatalf("NMState would do %+v, must configure the bridge and nothing else", answer)
			}
			bridge, was := answer.State.Interfaces[0], hostOf(t, all[i].policy.Current)
			for _, r := range answer.State.Routes.Config {
				if r["state"] != "absent" && r["next-hop-interface"] != name || r["state"] == "absent" && r["next-hop-interface"] != was.iface {
					t.Errorf("route %v does not leave by the bridge", r)
				}
			}
			if was.iface == name {
				for _, field := range []string{"mac-address", "ipv4", "ipv6"} {
					if bridge[field] != nil {
						t.Errorf("the bridge has the address already, and its %s would change: %v", field, bridge[field])
					}
				}
				return
			}
			if bridge["mtu"] != nil && bridge["mtu"] != was.mtu {
				t.Errorf("the bridge gets MTU %v, must get %v", bridge["mtu"], was.mtu)
			}
			if bridge["mac-address"] != was.mac {
				t.Errorf("the bridge gets MAC %v, must get %s", bridge["mac-address"], was.mac)
			}
			if ipv4, _ := bridge["ipv4"].(map[string]any); ipv4["dhcp"] == true {
				return // the lease is the MAC's
			}
			if got := addressesOf(bridge); !slices.Equal(got, was.addresses) {
				t.Errorf("the bridge gets the addresses %v, must get %v", got, was.addresses)
			}
			if len(answer.State.Routes.Config) == 0 {
				t.Error("no route moves")
			}
		})
	}
}

// TestNMStateChangesNothingWhereTheDefaultRouteIsElsewhere holds the guard on the node: a policy with preserveHostIP fails
// there before it changes anything, also on a node that nobody looked at.
func TestNMStateChangesNothingWhereTheDefaultRouteIsElsewhere(t *testing.T) {
	var policies []nmstatePolicy
	for _, p := range answeredOnNodes(t, "../testdata/sync/preserve-host-ip-[1b]*") {
		var current map[string]any
		if err := json.Unmarshal(p.policy.Current, &current); err != nil {
			t.Fatal(err)
		}
		running := current["routes"].(map[string]any)["running"].([]any)
		for _, r := range running {
			if r := r.(map[string]any); r["destination"] == "0.0.0.0/0" {
				r["next-hop-interface"] = "ens160"
			}
		}
		raw, err := json.Marshal(current)
		if err != nil {
			t.Fatal(err)
		}
		p.policy.Current = raw
		policies = append(policies, p.policy)
	}
	for i, answer := range nmstate(t, policies) {
		if !strings.Contains(answer.Error, "not found") {
			t.Errorf("on node %d NMState would do %+v, must find nothing to do it with", i, answer)
		}
	}
}

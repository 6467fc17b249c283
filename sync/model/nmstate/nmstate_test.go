package nmstate_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/yaml"

	"novasphere.dev/wukong/sync/model/nmstate"
)

// The nodes of the tables: ens160 is free, and the node is reached on ens192.
const (
	free   = `{name: ens160, type: ethernet, state: up, mac-address: "00:aa", mtu: 9000, ipv4: {enabled: false}, ipv6: {enabled: false}}`
	routes = `{running: [{destination: 0.0.0.0/0, next-hop-interface: ens192, next-hop-address: 10.0.0.254}]}`

	static = `{interfaces: [` + free + `, {name: ens192, type: ethernet, state: up, mac-address: "00:bb",
		ipv4: {enabled: true, dhcp: false, address: [{ip: 10.0.0.1, prefix-length: 24}]},
		ipv6: {enabled: true, address: [{ip: "fe80::1", prefix-length: 64}]}}], routes: ` + routes + `}`

	byDHCP = `{interfaces: [` + free + `, {name: ens192, type: ethernet, state: up, mac-address: "00:bb",
		ipv4: {enabled: true, dhcp: true, address: [{ip: 10.0.0.1, prefix-length: 24}]},
		ipv6: {enabled: false}}], routes: ` + routes + `}`
)

// The policies of the tables, as the hook answers them.
const (
	onNIC = `{desiredState: {interfaces: [{name: br-x, type: linux-bridge, state: up,
		ipv4: {enabled: false}, ipv6: {enabled: false}, bridge: {port: [{name: ens160, vlan: {}}]}}]}}`
	onOther = `{desiredState: {interfaces: [{name: br-y, type: linux-bridge, state: up, bridge: {port: [{name: ens160}]}}]}}`
	onVLAN  = `{desiredState: {interfaces: [
		{name: ens160.7, type: vlan, state: up, mtu: 1400, vlan: {base-iface: ens160, id: 7}},
		{name: br-x, type: linux-bridge, state: up, mtu: 1400, bridge: {port: [{name: ens160.7}]}}]}}`
	onOVS = `{desiredState: {interfaces: [
		{name: br-x, type: ovs-bridge, state: up, bridge: {options: {stp: false}, port: [{name: ens160}]}}]}}`
	cutsOff = `{desiredState: {interfaces: [{name: br-x, type: linux-bridge, state: up, bridge: {port: [{name: ens192}]}}]}}`

	preserves = `{capture: {
		default-gw: 'routes.running.destination=="0.0.0.0/0"',
		host: 'interfaces.name==capture.default-gw.routes.running.0.next-hop-interface',
		nic: 'interfaces.name=="ens192"',
		same: 'capture.host | interfaces.mac-address==capture.nic.interfaces.0.mac-address',
		same-routes: 'routes.running.next-hop-interface==capture.same.interfaces.0.name',
		bridge-routes: 'capture.same-routes | routes.running.next-hop-interface:="br-host"'},
	desiredState: {
		interfaces: [{name: br-host, type: linux-bridge, state: up, mac-address: '{{ capture.same.interfaces.0.mac-address }}',
			ipv4: '{{ capture.same.interfaces.0.ipv4 }}', ipv6: '{{ capture.same.interfaces.0.ipv6 }}', bridge: {port: [{name: ens192}]}}],
		routes: {config: '{{ capture.bridge-routes.routes.running }}'}}}`
	preservesDHCP = `{capture: {
		default-gw: 'routes.running.destination=="0.0.0.0/0"',
		host: 'interfaces.name==capture.default-gw.routes.running.0.next-hop-interface',
		nic: 'interfaces.name=="ens192"',
		same: 'capture.host | interfaces.mac-address==capture.nic.interfaces.0.mac-address'},
	desiredState: {interfaces: [{name: br-host, type: linux-bridge, state: up, ipv4: {enabled: true, dhcp: true},
		mac-address: '{{ capture.same.interfaces.0.mac-address }}', bridge: {port: [{name: ens192}]}}]}}`
)

// The lines of a node that nobody has changed.
const ens160, ens192, route = "ens160 mtu 9000", "ens192 10.0.0.1 fe80::1", "0.0.0.0/0 by ens192"

// applied are policies that NMState applies to a node, one after another.
var applied = []struct {
	name     string
	node     string
	policies []string
	want     []string // the node then
}{
	{"what is not mentioned stays", static, []string{`{desiredState: {interfaces: []}}`}, []string{ens160, ens192, route}},
	{"a bridge takes its port", static, []string{onNIC},
		[]string{"ens160 mtu 9000 of br-x", ens192, "br-x mtu 1500 [ens160]", route}},
	{"a policy that is applied again changes nothing", static, []string{onNIC, onNIC},
		[]string{"ens160 mtu 9000 of br-x", ens192, "br-x mtu 1500 [ens160]", route}},
	{"a port belongs to one bridge", static, []string{onNIC, onOther},
		[]string{"ens160 mtu 9000 of br-y", ens192, "br-x mtu 1500 []", "br-y mtu 1500 [ens160]", route}},
	{"a port that is no longer named is nobody's", static,
		[]string{onNIC, `{desiredState: {interfaces: [{name: br-x, type: linux-bridge, bridge: {port: []}}]}}`},
		[]string{ens160, ens192, "br-x mtu 1500 []", route}},
	{"ports stay where none are spoken of", static,
		[]string{onNIC, `{desiredState: {interfaces: [{name: br-x, type: linux-bridge, bridge: {options: {}}}]}}`},
		[]string{"ens160 mtu 9000 of br-x", ens192, "br-x mtu 1500 [ens160]", route}},
	{"a bridge may stand before its port", static, []string{`{desiredState: {interfaces: [
		{name: br-x, type: linux-bridge, bridge: {port: [{name: ens160.7}]}},
		{name: ens160.7, type: vlan, vlan: {base-iface: ens160, id: 7}}]}}`},
		[]string{ens160, ens192, "br-x mtu 1500 [ens160.7]", "ens160.7 mtu 1500 of br-x", route}},
	{"a VLAN interface leaves its NIC alone", static, []string{onVLAN},
		[]string{ens160, ens192, "ens160.7 mtu 1400 of br-x", "br-x mtu 1400 [ens160.7]", route}},
	{"a bridge and its VLAN interface go", static,
		[]string{onVLAN, `{desiredState: {interfaces: [
			{name: br-x, type: linux-bridge, state: absent}, {name: ens160.7, type: vlan, state: absent}]}}`},
		[]string{ens160, ens192, route}},
	{"a VLAN interface that goes is no port any more", static,
		[]string{onVLAN, `{desiredState: {interfaces: [{name: ens160.7, type: vlan, state: absent}]}}`},
		[]string{ens160, ens192, "br-x mtu 1400 []", route}},
	{"a NIC outlives its bridge", static,
		[]string{onNIC, `{desiredState: {interfaces: [{name: br-x, type: linux-bridge, state: absent}, {name: ens160, state: up}]}}`},
		[]string{ens160, ens192, route}},
	{"what is not there is absent already", static, []string{`{desiredState: {interfaces: [{name: br-x, state: absent}]}}`},
		[]string{ens160, ens192, route}},
	{"an Open vSwitch bridge has no mtu", static, []string{onOVS},
		[]string{"ens160 mtu 9000 of br-x", ens192, "br-x [ens160]", route}},
	{"the address moves to the bridge, and the route with it", static, []string{preserves},
		[]string{ens160, "ens192 of br-host", "br-host mtu 1500 10.0.0.1 fe80::1 [ens192]", "0.0.0.0/0 by br-host"}},
	{"an address that has moved stays", static, []string{preserves, preserves},
		[]string{ens160, "ens192 of br-host", "br-host mtu 1500 10.0.0.1 fe80::1 [ens192]", "0.0.0.0/0 by br-host"}},
	{"a lease moves with the hardware address", byDHCP, []string{preservesDHCP},
		[]string{ens160, "ens192 of br-host", "br-host mtu 1500 10.0.0.1 [ens192]", "0.0.0.0/0 by br-host"}},
	{"a lease that has moved stays", byDHCP, []string{preservesDHCP, preservesDHCP},
		[]string{ens160, "ens192 of br-host", "br-host mtu 1500 10.0.0.1 [ens192]", "0.0.0.0/0 by br-host"}},
}

func TestApply(t *testing.T) {
	for _, tt := range applied {
		t.Run(tt.name, func(t *testing.T) {
			state := parse(t, tt.node)
			for _, policy := range tt.policies {
				before := said(state)
				after, err := nmstate.Apply(state, parse(t, policy))
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(before, said(state)); diff != "" {
					t.Errorf("what was given has changed (-before +after):\n%s", diff)
				}
				state = after
			}
			if diff := cmp.Diff(tt.want, said(state)); diff != "" {
				t.Errorf("the node (-want +got):\n%s", diff)
			}
		})
	}
}

func TestApplyFails(t *testing.T) {
	for _, tt := range []struct {
		name   string
		policy string
		want   string
	}{
		{"the node would not be reached", cutsOff, "the node is not reached at 10.0.0.1 any more"},
		{"the NIC with the address would go",
			`{desiredState: {interfaces: [{name: ens192, state: absent}]}}`, "not reached at 10.0.0.1"},
		{"a port is not there",
			`{desiredState: {interfaces: [{name: br-x, type: linux-bridge, bridge: {port: [{name: ens999}]}}]}}`,
			"port ens999 of bridge br-x is not there"},
		{"a NIC is not there", `{desiredState: {interfaces: [{name: ens999, state: up}]}}`, "no interface ens999"},
		{"a VLAN has no base",
			`{desiredState: {interfaces: [{name: v, type: vlan, vlan: {base-iface: ens999, id: 7}}]}}`, "stands on ens999"},
		{"the default route is elsewhere", strings.ReplaceAll(preserves, `"ens192"`, `"ens160"`),
			"capture.same.interfaces.0.ipv4: 0 not found"},
		{"a capture is not there",
			`{capture: {a: 'interfaces.name=="x"'}, desiredState: {interfaces: '{{ capture.b.interfaces }}'}}`, "capture b not found"},
		{"a capture names itself",
			`{capture: {a: 'capture.a'}, desiredState: {interfaces: '{{ capture.a.interfaces }}'}}`, "capture a not found"},
		{"a capture is no expression",
			`{capture: {a: 'interfaces'}, desiredState: {interfaces: '{{ capture.a.interfaces }}'}}`, "not understood"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			state := parse(t, static)
			before := said(state)
			after, err := nmstate.Apply(state, parse(t, tt.policy))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("the error is %v, must say %q; the node: %q", err, tt.want, said(after))
			}
			if diff := cmp.Diff(before, said(state)); diff != "" {
				t.Errorf("the node has changed (-before +after):\n%s", diff)
			}
		})
	}
}

// TestPortsOfMachinesStay holds what machines and pods rely on: a policy that is applied again leaves their ports alone.
func TestPortsOfMachinesStay(t *testing.T) {
	state, err := nmstate.Apply(parse(t, static), parse(t, onNIC))
	if err != nil {
		t.Fatal(err)
	}
	nmstate.Plug(state, "br-x", "tap0")
	nmstate.Plug(state, "br-x", "tap0")
	nmstate.Plug(state, "br-x", "tap1")
	nmstate.Plug(state, "br-none", "tap2")
	if state, err = nmstate.Apply(state, parse(t, onNIC)); err != nil {
		t.Fatal(err)
	}
	bridge := nmstate.Interface(state, "br-x")
	if diff := cmp.Diff([]any{"tap0", "tap1"}, nmstate.Others(state, bridge)); diff != "" || !nmstate.HasPort(bridge, "ens160") {
		t.Errorf("ports of others (-want +got):\n%s\nof %v", diff, bridge)
	}
	nmstate.Unplug(state, func(port any) bool { return port == "tap0" })
	if nmstate.HasPort(bridge, "tap0") || !nmstate.HasPort(bridge, "tap1") {
		t.Errorf("without tap0 the bridge is %v", bridge)
	}
}

// TestUnbuild holds that a node is reached as before when a bridge that had its address is taken off by hand.
func TestUnbuild(t *testing.T) {
	for _, policy := range []string{preserves, preservesDHCP} {
		before := parse(t, static)
		if policy == preservesDHCP {
			before = parse(t, byDHCP)
		}
		state, err := nmstate.Apply(before, parse(t, policy))
		if err != nil {
			t.Fatal(err)
		}
		nmstate.Unbuild(state, "br-none", "ens192")
		nmstate.Unbuild(state, "br-host", "ens192")
		if diff := cmp.Diff(said(before), said(state)); diff != "" {
			t.Errorf("a node whose bridge is taken off again (-before +after):\n%s", diff)
		}
	}
}

// said is a node in lines: its interfaces, and its routes.
func said(state map[string]any) []string {
	var lines []string
	interfaces, _ := state["interfaces"].([]any)
	for _, item := range interfaces {
		i := item.(map[string]any)
		line := fmt.Sprint(i["name"])
		if i["mtu"] != nil {
			line += fmt.Sprint(" mtu ", i["mtu"])
		}
		if i["controller"] != nil {
			line += fmt.Sprint(" of ", i["controller"])
		}
		for _, family := range []string{"ipv4", "ipv6"} {
			block, _ := i[family].(map[string]any)
			addresses, _ := block["address"].([]any)
			for _, a := range addresses {
				line += fmt.Sprint(" ", a.(map[string]any)["ip"])
			}
		}
		if i["bridge"] != nil {
			names := []any{}
			for _, port := range nmstate.Ports(i) {
				names = append(names, port["name"])
			}
			line += fmt.Sprint(" ", names)
		}
		lines = append(lines, line)
	}
	block, _ := state["routes"].(map[string]any)
	running, _ := block["running"].([]any)
	for _, item := range running {
		r := item.(map[string]any)
		lines = append(lines, fmt.Sprint(r["destination"], " by ", r["next-hop-interface"]))
	}
	return lines
}

func parse(t *testing.T, text string) map[string]any {
	t.Helper()
	raw, err := yaml.YAMLToJSON([]byte(strings.ReplaceAll(text, "\t", " ")))
	object := map[string]any{}
	if err == nil {
		err = utiljson.Unmarshal(raw, &object)
	}
	if err != nil {
		t.Fatal(err)
	}
	return object
}

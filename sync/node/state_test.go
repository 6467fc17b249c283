package node_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"novasphere.dev/wukong/sync/lenient"
	"novasphere.dev/wukong/sync/node"
	"novasphere.dev/wukong/types/v1alpha1"
)

// reported is what a node reports of its interfaces and routes.
func reported(t *testing.T, interfaces, routes string) *node.State {
	t.Helper()
	return read(t, `{"status": {"currentState": {"interfaces": [`+interfaces+`], "routes": {"running": [`+routes+`]}}}}`)
}

func read(t *testing.T, text string) *node.State {
	t.Helper()
	r := lenient.New(jsontext.NewDecoder(strings.NewReader(text)))
	s := node.Read("n1", r)
	if r.Err() != nil {
		t.Fatal(r.Err())
	}
	return s
}

// both are a State as its NodeNetworkState reports it, and as a WukongNode tells of that. They must say the same.
func both(t *testing.T, interfaces, routes string) map[string]*node.State {
	t.Helper()
	s := reported(t, interfaces, routes)
	text, err := json.Marshal(s.Network())
	if err != nil {
		t.Fatal(err)
	}
	var told v1alpha1.NodeNetwork
	if err := json.Unmarshal(text, &told); err != nil {
		t.Fatal(err)
	}
	return map[string]*node.State{"as reported": s, "as told": node.From("n1", told)}
}

// says holds that a message begins as it should, or is empty where it should be.
func says(t *testing.T, got, want string) {
	t.Helper()
	if got == "" && want == "" {
		return
	}
	if want == "" || !strings.HasPrefix(got, want) {
		t.Errorf("it says  %q\nit should %q", got, want)
	}
}

// found is what an Objection has found; empty where there is none.
func found(o *node.Objection) string {
	if o == nil {
		return ""
	}
	return o.What
}

// The bridges that are looked for, on the NIC, on VLAN 7 of it, and by Open vSwitch.
var (
	onNIC  = node.Bridge{Kind: node.LinuxBridge, Name: "br", Uplink: "nic", NIC: "nic"}
	onVLAN = node.Bridge{Kind: node.LinuxBridge, Name: "br", Uplink: "nic.7", NIC: "nic", VLAN: 7}
	onOVS  = node.Bridge{Kind: node.OVSBridge, Name: "br", Uplink: "nic", NIC: "nic"}
	moves  = node.Bridge{Kind: node.LinuxBridge, Name: "br", Uplink: "nic", NIC: "nic", Preserves: true}
)

func TestWhatIsReported(t *testing.T) {
	for _, test := range []struct {
		name, text string
		reported   bool
		updated    string
	}{
		{"interfaces, with the time", `{"status": {"lastSuccessfulUpdateTime": "2026-11-23T12:00:00Z", "currentState": {"interfaces": []}}}`, true, "2026-11-23T12:00:00Z"},
		{"a time that is none", `{"status": {"lastSuccessfulUpdateTime": 7, "currentState": {"interfaces": []}}}`, true, ""},
		{"interfaces that are no list", `{"status": {"currentState": {"interfaces": {"name": "nic"}}}}`, false, ""},
		{"interfaces that are null", `{"status": {"currentState": {"interfaces": null}}}`, false, ""},
		{"no state yet", `{"metadata": {"name": "n1"}, "status": {"currentState": null}}`, false, ""},
		{"nothing", `null`, false, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			if s := read(t, test.text); s.Node != "n1" || s.Reported != test.reported || s.Updated != test.updated {
				t.Errorf("%s reports %t at %q", s.Node, s.Reported, s.Updated)
			}
		})
	}
}

func TestObjection(t *testing.T) {
	for _, test := range []struct {
		name, interfaces, routes string
		bridge                   node.Bridge
		want                     string
	}{
		{"a NIC that is absent", `{"name": "nic", "type": "ethernet", "state": "absent"}`, ``, onNIC, "node n1 has no NIC nic"},
		{"an alternative name of an Open vSwitch bridge, which is no interface", `{"name": "ovs", "type": "ovs-bridge", "alt-names": [{"name": "nic"}]}`, ``, onNIC, "node n1 has no NIC nic"},
		{"of two NICs of one name the first", `{"name": "nic", "controller": "bond0"}, {"name": "nic"}`, ``, onNIC, "node n1: NIC nic already belongs to bond0"},
		{"a NIC that is the port of the bridge already", `{"name": "nic", "controller": "br"}`, ``, onNIC, ""},
		{"an mtu that just fits", `{"name": "nic", "mtu": 1400}`, ``, withMTU(onNIC, 1400), ""},
		{"an mtu that does not fit a VLAN either", `{"name": "nic", "mtu": 1399}`, ``, withMTU(onVLAN, 1400), "node n1: mtu 1400 is more than the 1399 of NIC nic"},
		{"an mtu that cannot be read", `{"name": "nic", "mtu": 1e3}`, ``, withMTU(onNIC, 1400), ""},
		{"an address that is off", `{"name": "nic", "ipv4": {"enabled": false, "dhcp": true, "address": [{"ip": "10.0.0.1", "prefix-length": 24}]}}`, ``, onNIC, ""},
		{"an address by being up, and one more", `{"name": "nic", "ipv6": {"address": [{"ip": "fe80::1", "prefix-length": 64}, {"ip": "2001:db8::1", "prefix-length": 64}]}}`, ``, onNIC,
			"node n1: NIC nic carries the address 2001:db8::1/64"},
		{"an address that will come", `{"name": "nic", "ipv6": {"enabled": true, "dhcp": true}}`, ``, onNIC, "node n1: NIC nic asks for an IPv6 address, and no other interface has a default route"},
		{"a route by being up", `{"name": "nic"}`, `{"destination": "fe80::/64", "next-hop-interface": "nic"}, {"destination": "ff00::/8", "next-hop-interface": "nic"}`, onNIC, ""},
		{"a route behind one by being up", `{"name": "nic"}`, `{"destination": "fe80::/64", "next-hop-interface": "nic"}, {"destination": "10.9.0.0/16", "next-hop-interface": "nic"}`, onNIC,
			"node n1: NIC nic carries the route to 10.9.0.0/16"},
		{"an address that moves along", `{"name": "nic", "ipv4": {"address": [{"ip": "10.0.0.1"}]}}`, ``, moves, ""},
		{"an address on the NIC under a VLAN", `{"name": "nic", "ipv4": {"address": [{"ip": "10.0.0.1"}]}}`, ``, onVLAN, ""},
		{"a VLAN of a NIC in a bond", `{"name": "nic", "controller": "bond0"}, {"name": "bond0", "type": "bond"}`, ``, onVLAN, "node n1: NIC nic already belongs to bond bond0"},
		{"a VLAN of a NIC in a bridge of the same owner", `{"name": "nic", "controller": "br-own"}`, ``, onVLAN, ""},
		{"a VLAN of a NIC in a bridge that is not reported", `{"name": "nic", "controller": "br-gone"}`, ``, onVLAN, "node n1: NIC nic already belongs to br-gone, which may carry VLAN 7 itself"},
		{"a VLAN of a port whose filter is empty", `{"name": "nic", "controller": "b"}, {"name": "b", "type": "linux-bridge", "bridge": {"port": [{"name": "nic", "vlan": {}}]}}`, ``, onVLAN, ""},
		{"a VLAN that is reported absent, under another name", `{"name": "nic"}, {"name": "v7", "state": "absent", "vlan": {"base-iface": "nic", "id": 7}}`, ``, onVLAN,
			"node n1: VLAN 7 on nic is there already, as v7"},
		{"the VLAN of another NIC", `{"name": "nic"}, {"name": "v7", "vlan": {"base-iface": "nic2", "id": 7}}`, ``, onVLAN, ""},
		{"the VLAN interface in another bridge", `{"name": "nic"}, {"name": "nic.7", "controller": "b", "vlan": {"base-iface": "nic", "id": 7}}`, ``, onVLAN,
			"node n1: VLAN interface nic.7 already belongs to b"},
		{"a bridge with the tap of a machine", `{"name": "nic"}, {"name": "tap0", "type": "tap"}, {"name": "br", "type": "linux-bridge", "bridge": {"port": [{"name": "tap0"}, {"name": "gone"}]}}`, ``, onNIC, ""},
		{"a bridge with a bond of Open vSwitch", `{"name": "nic"}, {"name": "br", "type": "ovs-bridge", "bridge": {"port": [{"name": "b0", "link-aggregation": {}}]}}`, ``, onOVS,
			"node n1: bridge br has the port b0"},
		{"an Open vSwitch bridge with its own port", `{"name": "nic"}, {"name": "br", "type": "ovs-interface"}, {"name": "br", "type": "ovs-bridge", "bridge": {"port": [{"name": "br"}, {"name": "nic"}]}}`, ``, onOVS, ""},
		{"one whose own port has an address", `{"name": "nic"}, {"name": "br", "type": "ovs-interface", "ipv4": {"address": [{"ip": "10.0.0.1"}]}}, {"name": "br", "type": "ovs-bridge", "bridge": {"port": [{"name": "br"}]}}`, ``, onOVS,
			"node n1: bridge br has the port br"},
	} {
		t.Run(test.name, func(t *testing.T) {
			for how, s := range both(t, test.interfaces, test.routes) {
				want := test.want
				if how == "as told" && strings.Contains(test.interfaces, `"v7", "state": "absent"`) {
					want = "" // what is absent is not told
				}
				says(t, found(s.Objection(test.bridge, map[string]bool{"br-own": true})), want)
			}
		})
	}
}

func withMTU(b node.Bridge, mtu int64) node.Bridge {
	b.MTU = mtu
	return b
}

func TestLost(t *testing.T) {
	for _, test := range []struct {
		name, interfaces string
		bridge           node.Bridge
		want             string
	}{
		{"nothing of that name", `{"name": "nic"}`, onNIC, "bridge br"},
		{"one that is absent", `{"name": "br", "type": "linux-bridge", "state": "absent", "bridge": {"port": [{"name": "nic"}]}}`, onNIC, "bridge br"},
		{"one without its uplink", `{"name": "br", "type": "linux-bridge", "bridge": {"port": [{"name": "veth0"}]}}`, onNIC, "port nic of bridge br"},
		{"one of another kind", `{"name": "br", "type": "ovs-bridge", "bridge": {"port": [{"name": "nic"}]}}`, onNIC, "port nic of bridge br"},
		{"the internal port alone", `{"name": "br", "type": "ovs-interface"}`, onOVS, "port nic of bridge br"},
		{"the internal port before its bridge", `{"name": "nic"}, {"name": "br", "type": "ovs-interface"}, {"name": "br", "type": "ovs-bridge", "bridge": {"port": [{"name": "nic"}]}}`, onOVS, ""},
		{"one that is whole", `{"name": "nic.7"}, {"name": "br", "type": "linux-bridge", "bridge": {"port": [{"name": "veth0"}, {"name": "nic.7"}]}}`, onVLAN, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, s := range both(t, test.interfaces, ``) {
				says(t, s.Lost(test.bridge), test.want)
			}
		})
	}
}

func TestOccupant(t *testing.T) {
	for _, test := range []struct {
		name, interfaces, routes string
		bridge                   node.Bridge
		want                     string
	}{
		{"no bridge", `{"name": "nic"}`, ``, onNIC, ""},
		{"a bridge with its uplink alone", `{"name": "nic"}, {"name": "br", "type": "linux-bridge", "bridge": {"port": [{"name": "nic"}]}}`, ``, onNIC, ""},
		{"a NIC of the bridge's name", `{"name": "br", "type": "ethernet"}`, ``, onNIC, "on node n1 br is of type ethernet"},
		{"the veth of a pod", `{"name": "nic"}, {"name": "br", "type": "linux-bridge", "bridge": {"port": [{"name": "nic"}, {"name": "veth0"}]}}`, ``, onNIC, "on node n1 it has the port veth0"},
		{"the NIC where the uplink is a VLAN", `{"name": "nic"}, {"name": "br", "type": "linux-bridge", "bridge": {"port": [{"name": "nic"}]}}`, ``, onVLAN, "on node n1 it has the port nic"},
		{"an address of the node", `{"name": "br", "type": "linux-bridge", "ipv4": {"address": [{"ip": "10.0.0.1", "prefix-length": 8}]}}`, ``, onNIC, "on node n1 it carries the address 10.0.0.1/8"},
		{"a route of the node", `{"name": "br", "type": "linux-bridge"}`, `{"destination": "10.9.0.0/16", "next-hop-interface": "br"}`, onNIC, "on node n1 it carries the route to 10.9.0.0/16"},
		{"an address of the internal port", `{"name": "br", "type": "ovs-bridge"}, {"name": "br", "type": "ovs-interface", "ipv4": {"dhcp": true}}`, ``, onOVS, "on node n1 it carries an address by DHCP"},
		{"an internal port that carries nothing", `{"name": "nic"}, {"name": "br", "type": "ovs-interface"}, {"name": "br", "type": "ovs-bridge", "bridge": {"port": [{"name": "br"}, {"name": "nic"}]}}`, ``, onOVS, ""},
		{"a VLAN interface on it", `{"name": "br.9", "vlan": {"base-iface": "br", "id": 9}}, {"name": "br", "type": "linux-bridge"}`, ``, onNIC, "on node n1 there is the VLAN interface br.9 on it"},
	} {
		t.Run(test.name, func(t *testing.T) {
			for how, s := range both(t, test.interfaces, test.routes) {
				want := test.want
				if how == "as told" && strings.HasSuffix(want, "the port veth0") {
					want = "on node n1 a machine or pod is plugged into it"
				}
				says(t, s.Occupant(test.bridge), want)
			}
		})
	}
}

func TestHostAddress(t *testing.T) {
	const byNIC, byBridge, ipv6 = `{"destination": "0.0.0.0/0", "next-hop-interface": "nic"}`, `{"destination": "0.0.0.0/0", "next-hop-interface": "br"}`,
		`{"destination": "::/0", "next-hop-interface": "nic"}`
	for _, test := range []struct {
		name, interfaces, routes string
		dhcp                     bool
		want                     string
	}{
		{"a static one", `{"name": "nic"}`, byNIC, false, ""},
		{"one by DHCP", `{"name": "nic", "ipv4": {"dhcp": true}}`, byNIC, true, ""},
		{"one that is on the bridge by now", `{"name": "nic"}, {"name": "br", "type": "linux-bridge", "ipv4": {"dhcp": true}}`, byBridge, true, ""},
		{"one on a bridge that is not reported", `{"name": "nic"}`, byBridge, false, ""},
		{"two default routes by one interface", `{"name": "nic"}`, byNIC + `,` + byNIC, false, ""},
		{"default routes by NIC and bridge", `{"name": "nic"}`, byNIC + `,` + byBridge, false, "node n1 has default routes by several interfaces"},
		{"a default route by IPv6 only", `{"name": "nic"}`, ipv6, false, "node n1 has a default route by IPv6 only"},
		{"no route at all", `{"name": "nic"}`, ``, false, "node n1 has no default route"},
		{"a default route elsewhere", `{"name": "nic"}`, `{"destination": "0.0.0.0/0", "next-hop-interface": "nic2"}`, false, "node n1: the default route does not leave by nic"},
		{"a bond of the same hardware address", `{"name": "nic", "mac-address": "02:00:00:00:00:01"}, {"name": "b0", "type": "bond", "mac-address": "02:00:00:00:00:01"}`, byNIC, false,
			"node n1: b0 has the same hardware address as nic"},
		{"a VLAN interface of the same hardware address", `{"name": "nic", "mac-address": "02:00:00:00:00:01"}, {"name": "nic.7", "type": "vlan", "mac-address": "02:00:00:00:00:01"}`, byNIC, false, ""},
		{"NICs without a hardware address", `{"name": "nic"}, {"name": "nic2", "type": "ethernet"}`, byNIC, false, ""},
		{"one by DHCP beside a static IPv6 address", `{"name": "nic", "ipv4": {"dhcp": true}, "ipv6": {"address": [{"ip": "2001:db8::1"}]}}`, byNIC, false,
			"node n1: nic has IPv4 by DHCP and IPv6 as well"},
		{"one by DHCP beside IPv6 that is off", `{"name": "nic", "ipv4": {"dhcp": true}, "ipv6": {"enabled": false, "autoconf": true, "address": [{"ip": "2001:db8::1"}]}}`, byNIC, true, ""},
		{"a static one beside an IPv6 address that was given", `{"name": "nic", "ipv6": {"autoconf": true, "address": [{"ip": "2001:db8::1"}]}}`, byNIC, false,
			"node n1: nic has an IPv6 address that it was given"},
		{"a static one where IPv6 is asked for and not given", `{"name": "nic", "ipv6": {"autoconf": true, "address": [{"ip": "fe80::1"}]}}`, byNIC, false, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			for how, s := range both(t, test.interfaces, test.routes) {
				dhcp, objection := s.HostAddress(moves)
				says(t, found(objection), test.want)
				if dhcp != test.dhcp {
					t.Errorf("%s it is by DHCP: %t", how, dhcp)
				}
			}
		})
	}
}

func TestFeedsAnother(t *testing.T) {
	for name, test := range map[string]struct {
		interfaces string
		want       bool
	}{
		"a NIC in another bridge":   {`{"name": "nic", "controller": "b"}`, true},
		"a NIC in this bridge":      {`{"name": "nic", "controller": "br"}`, false},
		"a NIC in nothing":          {`{"name": "nic", "controller": ""}`, false},
		"a NIC that is not there":   {``, false},
		"a VLAN in another bridge":  {`{"name": "nic"}, {"name": "nic.7", "controller": "b"}`, false},
		"a controller that is none": {`{"name": "nic", "controller": null}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			for how, s := range both(t, test.interfaces, ``) {
				if got := s.FeedsAnother(onNIC); got != test.want {
					t.Errorf("%s it feeds another: %t", how, got)
				}
			}
		})
	}
}

// TestWhatIsTold holds what a WukongNode tells where that differs from what is reported.
func TestWhatIsTold(t *testing.T) {
	for _, test := range []struct {
		name, interfaces, routes, want string
	}{
		{"machines and the loopback are left out",
			`{"name": "lo", "type": "loopback"}, {"name": "veth0", "type": "veth"}, {"name": "tap0", "type": "tun"}, {"name": "gone", "state": "absent"}, {"type": "vlan"}`, ``,
			`{"ready":false,"reported":true}`},
		{"a veth in place of a NIC is told, and a pod's is not",
			`{"name": "eth0", "type": "veth", "mac-address": "0A:00:00:00:00:01", "controller": "br"}, {"name": "eni7", "type": "veth"}, {"name": "br", "type": "linux-bridge", "bridge": {"port": [{"name": "eth0"}]}}`, ``,
			`{"ready":false,"reported":true,"summary":{"bridges":"br"},"interfaces":[{"interface":"eth0","type":"veth","macAddress":"0A:00:00:00:00:01","controller":"br"},{"interface":"br","type":"linux-bridge","bridge":{"ports":[{"interface":"eth0"}]}}]}`},
		{"a machine makes its bridge occupied",
			`{"name": "br", "type": "linux-bridge", "bridge": {"port": [{"name": "veth0"}, {"name": "nic", "vlan": {"mode": "trunk"}}]}}, {"name": "nic"}, {"name": "veth0", "type": "veth"}`, ``,
			`{"ready":false,"reported":true,"summary":{"bridges":"br"},"interfaces":[{"interface":"br","type":"linux-bridge","bridge":{"ports":[{"interface":"nic","filtersVLANs":true}],"occupied":true}},{"interface":"nic","controller":"br"}]}`},
		{"a port that is not reported is a machine's",
			`{"name": "br", "type": "linux-bridge", "bridge": {"port": [{"name": "gone"}]}}`, ``,
			`{"ready":false,"reported":true,"summary":{"bridges":"br"},"interfaces":[{"interface":"br","type":"linux-bridge","bridge":{"occupied":true}}]}`},
		{"a bridge on a VLAN is told in few words",
			`{"name": "br", "type": "linux-bridge", "mtu": 1500, "bridge": {"port": [{"name": "nic.7"}]}}, {"name": "nic.7", "type": "vlan", "mtu": 1500, "controller": "br", "vlan": {"base-iface": "nic", "id": 7}}`, ``,
			`{"ready":false,"reported":true,"summary":{"bridges":"br"},"vlanBridges":[{"base":"nic","mtu":1500,"bridges":{"br":7}}]}`},
		{"so is one that a machine is plugged into",
			`{"name": "br", "type": "linux-bridge", "mtu": 1500, "bridge": {"port": [{"name": "nic.7"}, {"name": "tap0"}]}}, {"name": "nic.7", "type": "vlan", "mtu": 1500, "controller": "br", "vlan": {"base-iface": "nic", "id": 7}}`, ``,
			`{"ready":false,"reported":true,"summary":{"bridges":"br"},"vlanBridges":[{"base":"nic","mtu":1500,"bridges":{"br":7},"occupied":["br"]}]}`},
		{"bridges of several NICs and MTUs are told in their order",
			`{"name": "b", "type": "linux-bridge", "bridge": {"port": [{"name": "nic.8"}]}}, {"name": "nic.8", "type": "vlan", "controller": "b", "vlan": {"base-iface": "nic", "id": 8}}, {"name": "c", "type": "linux-bridge", "mtu": 9000, "bridge": {"port": [{"name": "nic.9"}]}}, {"name": "nic.9", "type": "vlan", "mtu": 9000, "controller": "c", "vlan": {"base-iface": "nic", "id": 9}}, {"name": "a", "type": "linux-bridge", "mtu": 9000, "bridge": {"port": [{"name": "bond.8"}]}}, {"name": "bond.8", "type": "vlan", "mtu": 9000, "controller": "a", "vlan": {"base-iface": "bond", "id": 8}}`, ``,
			`{"ready":false,"reported":true,"summary":{"bridges":"b,c,a"},"vlanBridges":[{"base":"bond","mtu":9000,"bridges":{"a":8}},{"base":"nic","bridges":{"b":8}},{"base":"nic","mtu":9000,"bridges":{"c":9}}]}`},
		{"a bridge that filters VLANs is told whole",
			`{"name": "br", "type": "linux-bridge", "mtu": 1500, "bridge": {"port": [{"name": "nic.7", "vlan": {"mode": "trunk"}}]}}, {"name": "nic.7", "type": "vlan", "mtu": 1500, "controller": "br", "vlan": {"base-iface": "nic", "id": 7}}`, ``,
			`{"ready":false,"reported":true,"summary":{"bridges":"br"},"interfaces":[{"interface":"br","type":"linux-bridge","mtu":1500,"bridge":{"ports":[{"interface":"nic.7","filtersVLANs":true}]}},{"interface":"nic.7","type":"vlan","mtu":1500,"controller":"br","vlan":{"base":"nic","id":7}}]}`},
		{"a VLAN interface with an address is told whole",
			`{"name": "br", "type": "linux-bridge", "mtu": 1500, "bridge": {"port": [{"name": "nic.7"}]}}, {"name": "nic.7", "type": "vlan", "mtu": 1500, "controller": "br", "vlan": {"base-iface": "nic", "id": 7}, "ipv4": {"enabled": true, "dhcp": true}}`, ``,
			`{"ready":false,"reported":true,"summary":{"bridges":"br"},"interfaces":[{"interface":"br","type":"linux-bridge","mtu":1500,"bridge":{"ports":[{"interface":"nic.7"}]}},{"interface":"nic.7","type":"vlan","mtu":1500,"controller":"br","ipv4":{"dhcp":true},"vlan":{"base":"nic","id":7}}]}`},
		{"a bridge that belongs to something is told whole",
			`{"name": "br", "type": "linux-bridge", "mtu": 1500, "controller": "vrf", "bridge": {"port": [{"name": "nic.7"}]}}, {"name": "nic.7", "type": "vlan", "mtu": 1500, "controller": "br", "vlan": {"base-iface": "nic", "id": 7}}`, ``,
			`{"ready":false,"reported":true,"summary":{"bridges":"br"},"interfaces":[{"interface":"br","type":"linux-bridge","mtu":1500,"controller":"vrf","bridge":{"ports":[{"interface":"nic.7"}]}},{"interface":"nic.7","type":"vlan","mtu":1500,"controller":"br","vlan":{"base":"nic","id":7}}]}`},
		{"a bridge with a route is told whole",
			`{"name": "br", "type": "linux-bridge", "mtu": 1500, "bridge": {"port": [{"name": "nic.7"}]}}, {"name": "nic.7", "type": "vlan", "mtu": 1500, "controller": "br", "vlan": {"base-iface": "nic", "id": 7}}`, `{"destination": "192.0.2.0/24", "next-hop-interface": "br"}`,
			`{"ready":false,"reported":true,"summary":{"bridges":"br"},"interfaces":[{"interface":"br","type":"linux-bridge","mtu":1500,"route":"192.0.2.0/24","bridge":{"ports":[{"interface":"nic.7"}]}},{"interface":"nic.7","type":"vlan","mtu":1500,"controller":"br","vlan":{"base":"nic","id":7}}]}`},
		{"a VLAN interface of another name, or another MTU, is told whole",
			`{"name": "br", "type": "linux-bridge", "bridge": {"port": [{"name": "tagged"}]}}, {"name": "tagged", "type": "vlan", "controller": "br", "vlan": {"base-iface": "nic", "id": 7}}, {"name": "b", "type": "linux-bridge", "mtu": 1400, "bridge": {"port": [{"name": "nic.8"}]}}, {"name": "nic.8", "type": "vlan", "controller": "b", "vlan": {"base-iface": "nic", "id": 8}}`, ``,
			`{"ready":false,"reported":true,"summary":{"bridges":"br,b"},"interfaces":[{"interface":"br","type":"linux-bridge","bridge":{"ports":[{"interface":"tagged"}]}},{"interface":"tagged","type":"vlan","controller":"br","vlan":{"base":"nic","id":7}},{"interface":"b","type":"linux-bridge","mtu":1400,"bridge":{"ports":[{"interface":"nic.8"}]}},{"interface":"nic.8","type":"vlan","controller":"b","vlan":{"base":"nic","id":8}}]}`},
		{"a VLAN interface whose controller is another one is told whole",
			`{"name": "br", "type": "linux-bridge", "bridge": {"port": [{"name": "nic.7"}]}}, {"name": "nic.7", "type": "vlan", "controller": "other", "vlan": {"base-iface": "nic", "id": 7}}`, ``,
			`{"ready":false,"reported":true,"summary":{"bridges":"br"},"interfaces":[{"interface":"br","type":"linux-bridge","bridge":{"ports":[{"interface":"nic.7"}]}},{"interface":"nic.7","type":"vlan","controller":"other","vlan":{"base":"nic","id":7}}]}`},
		{"two interfaces of one name are told whole",
			`{"name": "br", "type": "linux-bridge", "bridge": {"port": [{"name": "nic.7"}]}}, {"name": "br", "type": "ovs-interface"}, {"name": "nic.7", "type": "vlan", "controller": "br", "vlan": {"base-iface": "nic", "id": 7}}`, ``,
			`{"ready":false,"reported":true,"summary":{"bridges":"br"},"interfaces":[{"interface":"br","type":"linux-bridge","bridge":{"ports":[{"interface":"nic.7"}]}},{"interface":"br","type":"ovs-interface"},{"interface":"nic.7","type":"vlan","controller":"br","vlan":{"base":"nic","id":7}}]}`},
		{"an Open vSwitch bridge on a VLAN is told whole",
			`{"name": "br", "type": "ovs-bridge", "bridge": {"port": [{"name": "nic.7"}]}}, {"name": "nic.7", "type": "vlan", "controller": "br", "vlan": {"base-iface": "nic", "id": 7}}`, ``,
			`{"ready":false,"reported":true,"summary":{"bridges":"br"},"interfaces":[{"interface":"br","type":"ovs-bridge","bridge":{"ports":[{"interface":"nic.7"}]}},{"interface":"nic.7","type":"vlan","controller":"br","vlan":{"base":"nic","id":7}}]}`},
		{"five bridges are named, and the others counted",
			`{"name": "b0", "type": "linux-bridge"}, {"name": "b1", "type": "linux-bridge"}, {"name": "b2", "type": "linux-bridge"}, {"name": "b3", "type": "linux-bridge"}, {"name": "b4", "type": "linux-bridge"}, {"name": "b5", "type": "linux-bridge"}, {"name": "b6", "type": "linux-bridge"}`, ``,
			`{"ready":false,"reported":true,"summary":{"bridges":"b0,b1,b2,b3,b4 and 2 more"},"interfaces":[{"interface":"b0","type":"linux-bridge","bridge":{}},{"interface":"b1","type":"linux-bridge","bridge":{}},{"interface":"b2","type":"linux-bridge","bridge":{}},{"interface":"b3","type":"linux-bridge","bridge":{}},{"interface":"b4","type":"linux-bridge","bridge":{}},{"interface":"b5","type":"linux-bridge","bridge":{}},{"interface":"b6","type":"linux-bridge","bridge":{}}]}`},
		{"an address that was given is not told",
			`{"name": "nic", "type": "ethernet", "ipv6": {"autoconf": true, "address": [{"ip": "2001:db8::1", "prefix-length": 64}]}}`,
			`{"destination": "::/0", "next-hop-interface": "nic", "next-hop-address": "fe80::1"}`,
			`{"ready":false,"reported":true,"summary":{"carrier":"nic","gateway":"fe80::1"},"interfaces":[{"interface":"nic","type":"ethernet","ipv6":{"autoconf":true,"given":true},"route":"::/0"}],"defaultRoutes":[{"destination":"::/0","interface":"nic","gateway":"fe80::1"}]}`},
		{"a hardware address is told where preserveHostIP tells interfaces apart by that",
			`{"name": "nic", "type": "ethernet", "mac-address": "02:00:00:00:00:01"}, {"name": "br", "type": "linux-bridge", "mac-address": "02:00:00:00:00:02"}`, ``,
			`{"ready":false,"reported":true,"summary":{"freeNICs":"nic","bridges":"br"},"interfaces":[{"interface":"nic","type":"ethernet","macAddress":"02:00:00:00:00:01"},{"interface":"br","type":"linux-bridge","bridge":{}}]}`},
		{"a family that is off is not told",
			`{"name": "nic", "type": "ethernet", "ipv4": {"enabled": false, "dhcp": true, "address": [{"ip": "10.0.0.1", "prefix-length": 8}]}}`, ``,
			`{"ready":false,"reported":true,"summary":{"freeNICs":"nic"},"interfaces":[{"interface":"nic","type":"ethernet"}]}`},
		{"a NIC is free that carries nothing and belongs to nothing",
			`{"name": "a", "type": "ethernet"}, {"name": "b", "type": "ethernet", "controller": "bond0"}, {"name": "bond0", "type": "bond"}, {"name": "c", "type": "ethernet", "ipv4": {"dhcp": true}}`, ``,
			`{"ready":false,"reported":true,"summary":{"freeNICs":"a,bond0"},"interfaces":[{"interface":"a","type":"ethernet"},{"interface":"b","type":"ethernet","controller":"bond0"},{"interface":"bond0","type":"bond"},{"interface":"c","type":"ethernet","ipv4":{"dhcp":true}}]}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := json.Marshal(reported(t, test.interfaces, test.routes).Network())
			if err != nil || string(got) != test.want {
				t.Errorf("it is told as\n%s\nand should be\n%s (%v)", got, test.want, err)
			}
		})
	}
}

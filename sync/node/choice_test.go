package node_test

import (
	"slices"
	"testing"

	"novasphere.dev/wukong/sync/node"
)

func TestRemedy(t *testing.T) {
	const vlan = `{"name": "nic", "type": "vlan", "vlan": {"base-iface": "eth0", "id": 7, "reorder-headers": false}`
	for _, test := range []struct {
		name, interfaces string
		bridge           node.Bridge
		remedy, into     string
	}{
		{"a tag that is kept", vlan + `}`, onOVS, "set its reorder-headers to true", ""},
		{"a tag that is kept, and an address", vlan + `, "ipv4": {"address": [{"ip": "10.0.0.1", "prefix-length": 24}]}}`, onOVS, "", ""},
		{"an MTU that is too large", `{"name": "nic", "mtu": 1400}`, withMTU(onNIC, 1500), "raise the NIC's", ""},
		{"an MTU that is too large, on a NIC in a bridge", `{"name": "nic", "mtu": 1400, "controller": "b"}, {"name": "b", "type": "linux-bridge"}`,
			withMTU(onNIC, 1500), "", ""},
		{"a NIC in a bridge", `{"name": "nic", "controller": "b"}, {"name": "b", "type": "linux-bridge"}`, onNIC, "", "b"},
		{"a NIC in a bond", `{"name": "nic", "controller": "b"}, {"name": "b", "type": "bond"}`, onNIC, "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			for how, s := range both(t, test.interfaces, ``) {
				o := s.Objection(test.bridge, nil)
				if o == nil || o.Remedy != test.remedy || o.Into != test.into {
					t.Errorf("%s: %+v, want the remedy %q, and %q to plug into", how, o, test.remedy, test.into)
				}
			}
		})
	}
}

func TestChoices(t *testing.T) {
	for how, s := range both(t, `
		{"name": "eno2", "type": "ethernet", "alt-names": [{"name": "storage0"}]}, {"name": "eno1", "type": "ethernet"},
		{"name": "port", "type": "ethernet", "controller": "bond0"}, {"name": "bond0", "type": "bond"},
		{"name": "tagged", "type": "vlan", "vlan": {"base-iface": "eno1", "id": 7}, "controller": "br0"},
		{"name": "br0", "type": "linux-bridge", "bridge": {"port": [{"name": "tagged"}]}}`, ``) {
		for what, pair := range map[string][2][]string{
			"other NICs":           {s.NICs("eno1"), {"bond0", "eno2", "storage0"}},
			"the wire of a port":   {s.SameWire("port"), {"bond0"}},
			"the wire of a name":   {s.SameWire("storage0"), {"eno2"}},
			"the names of a NIC":   {s.SameWire("eno2"), {"storage0"}},
			"the VLAN of a NIC":    {{s.VLANInterface(node.Bridge{}.On("eno1", 7))}, {"tagged"}},
			"a VLAN that is not":   {{s.VLANInterface(node.Bridge{}.On("eno1", 8))}, {""}},
			"a NIC without a VLAN": {{s.VLANInterface(node.Bridge{}.On("eno1", 0))}, {""}},
		} {
			if !slices.Equal(pair[0], pair[1]) {
				t.Errorf("%s %s: %q, want %q", how, what, pair[0], pair[1])
			}
		}
		if name, kind := s.Feeding(node.Bridge{}.On("tagged", 0)); name != "br0" || kind != node.LinuxBridge {
			t.Errorf("%s tagged is a port of %s, of kind %s", how, name, kind)
		}
		if name, _ := s.Feeding(node.Bridge{}.On("port", 0)); name != "" {
			t.Errorf("%s a bond is taken for a bridge: %s", how, name)
		}
	}
}

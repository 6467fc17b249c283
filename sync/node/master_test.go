package node_test

import (
	"testing"

	"novasphere.dev/wukong/sync/node"
)

// The masters that are looked for.
var (
	mac  = node.Master{Kind: node.Macvlan, NIC: "nic"}
	ip   = node.Master{Kind: node.Ipvlan, NIC: "nic"}
	wide = node.Master{Kind: node.Macvlan, NIC: "nic", MTU: 9000}
)

func TestMasterObjection(t *testing.T) {
	const guarded = `{"name": "nic", "type": "ethernet"}, {"name": "pf", "type": "ethernet", "ethernet": {"sr-iov": {"vfs": [{"id": 0, "iface-name": "nic", "trust": false}]}}}`
	const free = `{"name": "eth1", "type": "ethernet", "mtu": 1500}`
	for _, test := range []struct {
		name, interfaces string
		master           node.Master
		want             string
	}{
		{"a NIC", `{"name": "nic", "type": "ethernet"}`, mac, ""},
		{"a NIC that carries the node", `{"name": "nic", "type": "ethernet", "ipv4": {"address": [{"ip": "10.0.0.1", "prefix-length": 24}]}}`, ip, ""},
		{"no such NIC", free, mac, "node n1 has no NIC nic"},
		{"a NIC that is absent", `{"name": "nic", "type": "ethernet", "state": "absent"}`, ip, "node n1 has no NIC nic"},
		{"an Open vSwitch bridge without a port of its own, which the kernel does not know", `{"name": "nic", "type": "ovs-bridge"}`, mac, "node n1 has no NIC nic"},
		{"an Open vSwitch bridge by its own port", `{"name": "nic", "type": "ovs-bridge", "bridge": {"port": [{"name": "nic"}]}}, {"name": "nic", "type": "ovs-interface", "controller": "nic"}`, mac, ""},
		{"a virtual function that its NIC guards", guarded, mac, "node n1: nic is an SR-IOV VF that lets no frames of a macvlan pass"},
		{"the same for ipvlans, which have its hardware address", guarded, ip, ""},
		{"a bridge", `{"name": "nic", "type": "linux-bridge"}`, ip, ""},
		{"an alternative name", `{"name": "eth1", "type": "ethernet", "alt-names": [{"name": "nic"}]}`, mac, ""},
		{"an alternative name of a NIC in a bond", `{"name": "eth1", "type": "ethernet", "controller": "bond0", "alt-names": [{"name": "nic"}]}, {"name": "bond0", "type": "bond"}`, mac,
			"node n1: NIC eth1 belongs to bond0, which takes its frames"},
		{"an alternative name that two have", `{"name": "a", "alt-names": [{"name": "nic"}]}, {"name": "b", "alt-names": [{"name": "nic"}]}`, ip,
			"node n1: a and b both have the alternative name nic"},

		{"InfiniBand", `{"name": "nic", "type": "infiniband"}, ` + free, mac,
			"node n1: nic is of type infiniband, and carries no macvlan"},
		{"WireGuard", `{"name": "nic", "type": "wireguard"}`, ip, "node n1: nic is of type wireguard, and carries no ipvlan"},
		{"a tunnel of IP", `{"name": "nic", "type": "ip-tunnel"}`, mac, "node n1: nic is of type ip-tunnel, and carries no macvlan"},
		{"XFRM", `{"name": "nic", "type": "xfrm"}`, mac, "node n1: nic is of type xfrm, and carries no macvlan"},
		{"a kind that is not told", `{"name": "nic"}`, mac, ""},

		{"a NIC in a bridge, where a macvlan can stand on the bridge", `{"name": "nic", "type": "ethernet", "controller": "br"}, {"name": "br", "type": "linux-bridge"}`, ip,
			"node n1: NIC nic belongs to br, which takes its frames"},
		{"a NIC in an Open vSwitch bridge", `{"name": "nic", "type": "ethernet", "controller": "ovs-system"}, {"name": "br", "type": "ovs-bridge", "bridge": {"port": [{"name": "nic"}]}}, ` + free, mac,
			"node n1: NIC nic belongs to br, which takes its frames"},
		{"a NIC in a team", `{"name": "nic", "type": "ethernet", "controller": "team0"}, {"name": "team0", "type": "team"}`, mac,
			"node n1: NIC nic belongs to team0, which takes its frames"},
		{"a NIC in something that is not told", `{"name": "nic", "type": "ethernet", "controller": "x"}`, mac, "node n1: NIC nic belongs to x, which takes its frames"},
		{"a NIC in a VRF, which only routes", `{"name": "nic", "type": "ethernet", "controller": "vrf0"}, {"name": "vrf0", "type": "vrf"}`, mac, ""},
		{"a NIC of an HSR interface", `{"name": "nic", "type": "ethernet"}, {"name": "hsr0", "type": "hsr", "hsr": {"port1": "eth9", "port2": "nic"}}`, ip,
			"node n1: NIC nic belongs to hsr0, which takes its frames"},
		{"a VLAN interface in a bridge", `{"name": "nic", "type": "vlan", "controller": "br", "vlan": {"base-iface": "eth1", "id": 7}}, {"name": "br", "type": "linux-bridge"}`, mac,
			"node n1: NIC nic belongs to br, which takes its frames"},
		{"a VLAN interface on a NIC in a bridge", `{"name": "nic", "type": "vlan", "vlan": {"base-iface": "eth1", "id": 7}}, {"name": "eth1", "type": "ethernet", "controller": "br"}, {"name": "br", "type": "linux-bridge"}`, mac, ""},
		{"a VLAN interface beside it in a bridge", `{"name": "nic", "type": "ethernet"}, {"name": "nic.7", "type": "vlan", "controller": "br", "vlan": {"base-iface": "nic", "id": 7}}, {"name": "br", "type": "linux-bridge"}`, mac, ""},

		{"a macvlan on it, for macvlans", `{"name": "nic", "type": "ethernet"}, {"name": "mv", "type": "mac-vlan", "mac-vlan": {"base-iface": "nic", "mode": "vepa"}}`, mac, ""},
		{"a macvtap on it, for macvlans", `{"name": "nic", "type": "ethernet"}, {"name": "mv", "type": "mac-vtap", "mac-vtap": {"base-iface": "nic", "mode": "bridge"}}`, mac, ""},
		{"a macvlan on it in mode passthru", `{"name": "nic", "type": "ethernet"}, {"name": "mv", "type": "mac-vlan", "mac-vlan": {"base-iface": "nic", "mode": "passthru"}}`, mac,
			"node n1: the mac-vlan mv has nic alone (passthru)"},
		{"a macvtap on it in mode passthru", `{"name": "nic", "type": "ethernet"}, {"name": "mv", "type": "mac-vtap", "mac-vtap": {"base-iface": "nic", "mode": "passthru"}}`, mac,
			"node n1: the mac-vtap mv has nic alone (passthru)"},
		{"an ipvlan on it, for macvlans", `{"name": "nic", "type": "ethernet"}, {"name": "iv", "type": "ipvlan", "ipvlan": {"base-iface": "nic", "mode": "l2"}}, ` + free, mac,
			"node n1: the ipvlan iv on NIC nic takes its frames"},
		{"a macvlan on it, for ipvlans", `{"name": "nic", "type": "ethernet"}, {"name": "mv", "type": "mac-vlan", "mac-vlan": {"base-iface": "nic", "mode": "bridge"}}`, ip,
			"node n1: the mac-vlan mv on NIC nic takes its frames"},
		{"a macvtap on it, for ipvlans", `{"name": "nic", "type": "ethernet"}, {"name": "mv", "type": "mac-vtap", "mac-vtap": {"base-iface": "nic"}}`, ip, "node n1: the mac-vtap mv on NIC nic takes its frames"},
		{"an ipvlan on it, for ipvlans", `{"name": "nic", "type": "ethernet"}, {"name": "iv", "type": "ipvlan", "ipvlan": {"base-iface": "nic", "mode": "l2"}}`, ip, ""},
		{"an ipvlan on it whose mode is not told", `{"name": "nic", "type": "ethernet"}, {"name": "iv", "type": "ipvlan", "ipvlan": {"base-iface": "nic"}}`, ip, ""},
		{"an ipvlan on it in mode l3", `{"name": "nic", "type": "ethernet"}, {"name": "iv", "type": "ipvlan", "ipvlan": {"base-iface": "nic", "mode": "l3"}}`, ip,
			"node n1: the ipvlan iv on nic is in mode l3, not l2"},
		{"MACsec on it", `{"name": "nic", "type": "ethernet"}, {"name": "sec", "type": "macsec", "macsec": {"base-iface": "nic"}}`, mac, "node n1: the macsec sec on NIC nic takes its frames"},
		{"a VXLAN on it", `{"name": "nic", "type": "ethernet"}, {"name": "vx", "type": "vxlan", "vxlan": {"base-iface": "nic"}}`, mac, ""},
		{"a macvlan on it that is absent", `{"name": "nic", "type": "ethernet"}, {"name": "mv", "type": "mac-vlan", "state": "absent", "mac-vlan": {"base-iface": "nic"}}`, ip, ""},

		{"a macvlan as the NIC of macvlans, which stand beside it", `{"name": "nic", "type": "mac-vlan", "mac-vlan": {"base-iface": "eth1", "mode": "bridge"}}, ` + free, mac, ""},
		{"one in mode passthru", `{"name": "nic", "type": "mac-vlan", "mac-vlan": {"base-iface": "eth1", "mode": "passthru"}}, ` + free, mac,
			"node n1: the mac-vlan nic has eth1 alone (passthru)"},
		{"a macvlan as the NIC of ipvlans", `{"name": "nic", "type": "mac-vlan", "mac-vlan": {"base-iface": "eth1", "mode": "bridge"}}, ` + free, ip, ""},
		{"an ipvlan as the NIC of macvlans", `{"name": "nic", "type": "ipvlan", "ipvlan": {"base-iface": "eth1", "mode": "l2"}}, {"name": "eth1", "type": "infiniband"}`, mac,
			"node n1: nic is of type ipvlan, and carries no macvlan"},
		{"an ipvlan as the NIC of ipvlans", `{"name": "nic", "type": "ipvlan", "ipvlan": {"base-iface": "eth1", "mode": "l2"}}, ` + free, ip, ""},

		{"an mtu that fits", `{"name": "nic", "type": "ethernet", "mtu": 9000}`, wide, ""},
		{"an mtu that does not", `{"name": "nic", "type": "ethernet", "mtu": 1500}`, wide, "node n1: mtu 9000 is more than the 1500 of NIC nic"},
		{"an mtu that another NIC does not fit either", `{"name": "nic", "type": "infiniband", "mtu": 9000}, ` + free, wide, "node n1: nic is of type infiniband, and carries no macvlan"},
		{"an mtu that is not told", `{"name": "nic", "type": "ethernet"}`, wide, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			for how, s := range both(t, test.interfaces, ``) {
				t.Run(how, func(t *testing.T) { says(t, s.MasterObjection(test.master), test.want) })
			}
		})
	}
}

func TestMastersFight(t *testing.T) {
	passthru, l3 := mac, ip
	passthru.Mode, l3.Mode = "passthru", "l3"
	elsewhere := ip
	elsewhere.NIC = "eth1"
	bridge, l2 := mac, ip
	bridge.Mode, l2.Mode = "bridge", "l2"
	for _, test := range []struct {
		name string
		a, b node.Master
		want bool
	}{
		{"macvlans", mac, bridge, false},
		{"ipvlans", ip, l2, false},
		{"macvlan and ipvlan", mac, ip, true},
		{"on two NICs", mac, elsewhere, false},
		{"a macvlan beside one in mode passthru", bridge, passthru, true},
		{"two in mode passthru", passthru, passthru, true},
		{"ipvlans of two modes", ip, l3, true},
		{"ipvlans of one mode", l3, l3, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.a.Fights(test.b) != test.want || test.b.Fights(test.a) != test.want {
				t.Errorf("they fight: %t and %t", test.a.Fights(test.b), test.b.Fights(test.a))
			}
		})
	}
}

// TestBridgesBesideOtherReceivers holds that the look at a bridge knows all that takes the frames of its uplink.
func TestBridgesBesideOtherReceivers(t *testing.T) {
	for _, test := range []struct {
		name, interfaces string
		bridge           node.Bridge
		want             string
	}{
		{"a macvlan in mode passthru", `{"name": "nic", "type": "ethernet"}, {"name": "mv", "type": "mac-vlan", "mac-vlan": {"base-iface": "nic", "mode": "passthru"}}`, onNIC,
			"node n1: nic has the mac-vlan mv on it, and takes no bridge beside that"},
		{"a macvtap", `{"name": "nic", "type": "ethernet"}, {"name": "mv", "type": "mac-vtap", "mac-vtap": {"base-iface": "nic"}}`, onOVS,
			"node n1: nic has the mac-vtap mv on it, and takes no bridge beside that"},
		{"an ipvlan on the VLAN interface", `{"name": "nic", "type": "ethernet"}, {"name": "nic.7", "type": "vlan", "vlan": {"base-iface": "nic", "id": 7}}, {"name": "iv", "type": "ipvlan", "ipvlan": {"base-iface": "nic.7"}}`, onVLAN,
			"node n1: nic.7 has the ipvlan iv on it, and takes no bridge beside that"},
		{"HSR", `{"name": "nic", "type": "ethernet"}, {"name": "hsr0", "type": "hsr", "hsr": {"port1": "nic", "port2": "eth9", "protocol": "hsr"}}`, onNIC,
			"node n1: NIC nic already belongs to hsr0"},
		{"PRP", `{"name": "nic", "type": "ethernet"}, {"name": "prp0", "type": "hsr", "hsr": {"port1": "eth9", "port2": "nic", "protocol": "prp"}}`, onOVS,
			"node n1: NIC nic already belongs to prp0"},
		{"the interlink of HSR", `{"name": "nic", "type": "ethernet"}, {"name": "hsr0", "type": "hsr", "hsr": {"port1": "eth8", "port2": "eth9", "interlink": "nic"}}`, onNIC,
			"node n1: NIC nic already belongs to hsr0"},
		{"a VLAN of a NIC of HSR", `{"name": "nic", "type": "ethernet"}, {"name": "hsr0", "type": "hsr", "hsr": {"port1": "nic", "port2": "eth9"}}`, onVLAN,
			"node n1: NIC nic already belongs to hsr0, which may carry VLAN 7 itself"},
		{"HSR that is absent", `{"name": "nic", "type": "ethernet"}, {"name": "hsr0", "type": "hsr", "state": "absent", "hsr": {"port1": "nic", "port2": "eth9"}}`, onNIC, ""},
		{"HSR of a NIC in a bond", `{"name": "nic", "type": "ethernet", "controller": "bond0"}, {"name": "hsr0", "type": "hsr", "hsr": {"port1": "nic", "port2": "eth9"}}`, onNIC,
			"node n1: NIC nic already belongs to bond0"},
		{"the HSR interface itself", `{"name": "nic", "type": "hsr", "hsr": {"port1": "eth8", "port2": "eth9"}}`, onNIC, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			for how, s := range both(t, test.interfaces, ``) {
				t.Run(how, func(t *testing.T) { says(t, found(s.Objection(test.bridge, nil)), test.want) })
			}
		})
	}
}

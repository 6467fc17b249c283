package node_test

import (
	"testing"

	"novasphere.dev/wukong/sync/node"
)

func TestLinkLocal(t *testing.T) {
	for _, test := range []struct {
		address string
		want    bool
	}{
		{"fe80::1", true},
		{"fe80::1%ens160", true},
		{"fe80::/64", true},
		{"febf::1", true}, // the last of fe80::/10
		{"fec0::1", false},
		{"ff00::/8", true}, // every interface has a route to the multicast addresses
		{"ff02::1", true},
		{"2001:db8::1", false},
		{"::/0", false},
		{"::1", false},
		{"169.254.0.1", false}, // somebody gave it
		{"0.0.0.0/0", false},
		{"02:00:00:00:00:01", false},
		{"", false},
	} {
		if got := node.LinkLocal(test.address); got != test.want {
			t.Errorf("LinkLocal(%q) is %t", test.address, got)
		}
	}
}

// plain is a bridge on a NIC, the one that the others are compared with.
var plain = node.Bridge{Kind: node.LinuxBridge, Name: "br-lan", Uplink: "ens160", NIC: "ens160", MTU: 1400}

func TestTwoBridges(t *testing.T) {
	for _, test := range []struct {
		name                            string
		change                          func(*node.Bridge)
		meets, feeds, takes, isReformed bool
	}{
		{"the same meet, and share", func(*node.Bridge) {}, true, true, false, false},
		{"another name takes the uplink", func(b *node.Bridge) { b.Name = "br-other" }, true, false, true, true},
		{"another uplink meets by name", func(b *node.Bridge) { b.Uplink, b.NIC = "ens224", "ens224" }, true, false, false, true},
		{"another name and uplink do not meet", func(b *node.Bridge) { b.Name, b.Uplink = "br-other", "ens160.7" }, false, false, false, true},
		{"another kind is another form", func(b *node.Bridge) { b.Kind = node.OVSBridge }, true, false, false, true},
		{"another mtu is the same form, but is not shared", func(b *node.Bridge) { b.MTU = 0 }, true, false, false, false},
		{"one that moves the address is another form", func(b *node.Bridge) { b.Preserves = true }, true, false, false, true},
		{"a NIC and VLAN that are not told say nothing", func(b *node.Bridge) { b.NIC, b.VLAN = "", 7 }, true, true, false, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			other := plain
			test.change(&other)
			for _, pair := range [][2]node.Bridge{{plain, other}, {other, plain}} {
				a, b := pair[0], pair[1]
				if a.Meets(b) != test.meets || a.Feeds(b) != test.feeds || a.Takes(b) != test.takes || a.Reformed(b) != test.isReformed {
					t.Errorf("%+v and %+v: meets %t, feeds %t, takes %t, reformed %t", a, b, a.Meets(b), a.Feeds(b), a.Takes(b), a.Reformed(b))
				}
			}
		})
	}
}

func TestWhichMTUCounts(t *testing.T) {
	for _, test := range []struct {
		name, kind, uplink string
		counts             bool
	}{
		{"that of a Linux bridge on the NIC", node.LinuxBridge, "ens160", true},
		{"that of a Linux bridge on a VLAN interface", node.LinuxBridge, "ens160.7", true},
		{"that of the VLAN interface under an Open vSwitch bridge", node.OVSBridge, "ens160.7", true},
		{"none of an Open vSwitch bridge on the NIC", node.OVSBridge, "ens160", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := node.Bridge{Kind: test.kind, Name: "br-lan", Uplink: test.uplink, NIC: "ens160", MTU: 1400}
			b := a
			b.MTU = 9000
			if a.Feeds(b) == test.counts {
				t.Errorf("with two mtus they share the bridge: %t", a.Feeds(b))
			}
		})
	}
}

func TestOwns(t *testing.T) {
	b := node.Bridge{Kind: node.LinuxBridge, Name: "br-lan", Uplink: "ens160.7", NIC: "ens160", VLAN: 7}
	for name, want := range map[string]bool{"br-lan": true, "ens160.7": true, "ens160": false, "veth0": false} {
		if b.Owns(name) != want {
			t.Errorf("the bridge owns %s: %t", name, !want)
		}
	}
	if !b.Tagged() || plain.Tagged() {
		t.Error("only the one on the VLAN interface is tagged")
	}
}

func TestVLANInterface(t *testing.T) {
	for _, test := range []struct {
		name, nic string
		vlan      int64
		want      string
	}{
		{"as everybody names it", "ens160", 100, "ens160.100"},
		{"15 characters", "enp94s0f0n", 4094, "enp94s0f0n.4094"},
		{"16 characters", "enp94s0f0np", 4094, "vl4094-4d4cbe24"},
		{"the same NIC with a VLAN that is short enough", "enp94s0f0np", 1, "enp94s0f0np.1"},
		{"a NIC that fills the limit", "enp94s0f0np0123", 1, "vl1-4e5a4176"},
		{"another such NIC", "enp94s0f0np0124", 1, "vl1-62bc42bc"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := node.Bridge{}.On(test.nic, test.vlan).Uplink
			if got != test.want || len(got) > node.NameLimit {
				t.Errorf("it is %s, and should be %s", got, test.want)
			}
		})
	}
}

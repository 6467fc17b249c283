package node

import (
	"strings"
	"testing"
)

// TestFailures lets NMState fail for real, and holds that the status has the line of its message which says why.
func TestFailures(t *testing.T) {
	t.Parallel()
	if !*all {
		t.Skip("not part of the quick part: -all, or WUKONG_NODE=all")
	}
	l := start(t)
	_, err := l.hire("node1", nil, 0, nodeMAC, secondMAC)
	must(t, err)
	blind := hookOf(t, "-preflight=false")
	for _, f := range []struct {
		row
		want, not string // what the status has of it, and has not
	}{
		{row{name: "a NIC that is missing", network: onVLAN + ", physicalInterface: ens999", profiles: onAnother()}, "Failed to find a compatible device", "INFO"},
		{row{name: "a NIC that is missing beneath a bridge", network: direct + ", physicalInterface: ens999", profiles: onAnother()}, "ens999", "INFO"},
		{row{name: "the probe does not reach the gateway", network: direct, profiles: carrying(static, auto6)}, "ping", "ethtool"},
		{row{name: "another interface has the VLAN", network: onVLAN, profiles: onVLANInterface("vlan100")}, "ens160.100", "INFO"},
		{row{name: "the NIC has a macvlan", network: direct, profiles: onAnother(),
			script: "ip link add mv0 link ens160 type macvlan mode bridge\nip link set mv0 up\n"}, "ens160", "INFO"},
		{row{name: "Open vSwitch does not run", kind: "ovs", network: onVLAN, profiles: onAnother()}, "not able to connect OVS daemon", "INFO"},
		{row{name: "NetworkManager has no plugin for Open vSwitch", kind: "ovs", network: onVLAN, profiles: onAnother(), script: startOVS}, "ovs-bridge", "INFO"},
	} {
		t.Run(f.name, func(t *testing.T) {
			w := l.workers[0]
			must(t, w.furnish(l.ctx, f.profiles, f.script))
			before, err := l.facts(w)
			must(t, err)
			must(t, l.begin(blind))
			l.asks(t, f.row)
			must(t, l.settle())
			wukong := l.get(wukongKind, "vm")
			for _, p := range l.all(policyKind) {
				e := l.get(enactmentKind, w.name+"."+p.GetName())
				if condition(e, "Failing") != "True" {
					t.Fatal("NMState does not fail")
				}
				t.Logf("NMState says: %.3000v", conditionOf(e, "Failing")["message"])
			}
			message, _ := conditionOf(wukong, "Ready")["message"].(string)
			t.Logf("the status says: %s", message)
			if !strings.Contains(message, f.want) || strings.Contains(message, f.not) {
				t.Errorf("the status should have %q, and not %q", f.want, f.not)
			}
			if !t.Failed() {
				tables.note(failed, f.name, "`"+shortened(message)+"`")
			}
			same(t, l, w, before, "what NMState has rolled back is as it was")
		})
	}
}

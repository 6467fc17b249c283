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
		name, network string
		profiles      []profile
		script        string
		want          []string // in the status
		not           []string
	}{
		{"a NIC that is missing", onVLAN + ", physicalInterface: ens999", onAnother(), "", []string{"Failed to find a compatible device"}, []string{"INFO"}},
		{"a NIC that is missing beneath a bridge", direct + ", physicalInterface: ens999", onAnother(), "", []string{"ens999"}, []string{"INFO"}},
		{"the probe does not reach the gateway", direct, carrying(static, auto6), "", []string{"ping"}, []string{"ovn", "ethtool"}},
		{"another interface has the VLAN", onVLAN, onVLANInterface("vlan100"), "", []string{"ens160.100"}, []string{"INFO"}},
		{"the NIC has a macvlan", direct, onAnother(), "ip link add mv0 link ens160 type macvlan mode bridge\nip link set mv0 up\n", []string{"ens160"}, []string{"INFO"}},
	} {
		t.Run(f.name, func(t *testing.T) {
			w := l.workers[0]
			must(t, w.furnish(l.ctx, f.profiles, f.script))
			before, err := l.facts(w)
			must(t, err)
			must(t, l.begin(blind))
			l.asks(t, row{network: f.network})
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
			reason, marked := unclear[f.name]
			problem := ""
			for _, want := range f.want {
				if !strings.Contains(message, want) {
					problem = "the status does not have " + want
				}
			}
			for _, not := range f.not {
				if strings.Contains(message, not) {
					problem = "the status has " + not
				}
			}
			switch {
			case problem != "" && marked:
				t.Logf("KNOWN: %s: %s", problem, reason)
			case problem != "":
				t.Error(problem)
			case marked:
				t.Errorf("the status is clear now: take the mark away (%s)", reason)
			}
			same(t, l, w, before, "what NMState has rolled back is as it was")
		})
	}
}

// unclear are the failures whose useful line the status does not yet have.
var unclear = map[string]string{}

package conformance

import (
	"fmt"
	"strings"
	"testing"
)

// TestTheMacvlanPluginIsAsTheLookSays runs the real macvlan plugin on NICs of every kind that any kernel has, and holds that it makes and
// refuses what the look at the nodes lets pass and refuses: TestMasterObjection in sync/node has the same rows.
func TestTheMacvlanPluginIsAsTheLookSays(t *testing.T) {
	plugin, node, pod := pluginOn(t, "macvlan")
	bridged := []string{"link add br-host type bridge", "link set eth8 master br-host"}
	for _, test := range []struct {
		name   string
		setUp  []string // commands of iproute2, after the NIC eth8 was made
		master string
		mtu    int
		makes  bool
	}{
		{"a NIC", nil, "eth8", 0, true},
		{"no such NIC", nil, "eth9", 0, false},
		{"an alternative name", []string{"link property add dev eth8 altname wan"}, "wan", 0, true},
		{"a smaller mtu", nil, "eth8", 1400, true},
		{"a larger mtu", nil, "eth8", 9000, false},
		{"a NIC in a bridge", bridged, "eth8", 0, false},
		{"a bridge", bridged, "br-host", 0, true},
		{"a macvlan on it", []string{"link add mv0 link eth8 type macvlan mode vepa"}, "eth8", 0, true},
		{"a macvlan as the NIC, which stands beside it", []string{"link add mv0 link eth8 type macvlan mode bridge"}, "mv0", 0, true},
		{"a macvlan on it in mode passthru", []string{"link add mv0 link eth8 type macvlan mode passthru"}, "eth8", 0, false},
		{"a macvlan in mode passthru as the NIC", []string{"link add mv0 link eth8 type macvlan mode passthru"}, "mv0", 0, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			ip(t, node, "link", "add", "eth8", "type", "veth", "peer", "name", "peer8")
			defer ip(t, node, "link", "del", "eth8")
			for _, command := range test.setUp {
				ip(t, node, strings.Fields(command)...)
				if strings.HasPrefix(command, "link add br-host") {
					defer ip(t, node, "link", "del", "br-host")
				}
			}
			conf := fmt.Sprintf(`{"cniVersion":"0.3.1","name":"lan","type":"macvlan","master":%q,"mode":"bridge","mtu":%d,"ipam":{}}`, test.master, test.mtu)
			out, err := cni(plugin, node, pod, "ADD", conf)
			if err == nil {
				defer func() { _, _ = cni(plugin, node, pod, "DEL", conf) }()
			}
			if (err == nil) != test.makes {
				t.Errorf("it makes one: %t: %s", err == nil, out)
			}
		})
	}
}

// TestTheKernelTakesNoBridgeBesideAMacvlan holds the same of the other way about.
func TestTheKernelTakesNoBridgeBesideAMacvlan(t *testing.T) {
	_, node, _ := pluginOn(t, "macvlan")
	for _, command := range []string{"add eth8 type veth peer name peer8", "add mv0 link eth8 type macvlan mode bridge", "add br-host type bridge"} {
		ip(t, node, append([]string{"link"}, strings.Fields(command)...)...)
	}
	if out, err := runIP(node, "link", "set", "eth8", "master", "br-host"); err == nil || !strings.Contains(out, "busy") {
		t.Errorf("the NIC becomes a port, or fails otherwise: %v: %s", err, out)
	}
}

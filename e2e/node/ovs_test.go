package node

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"novasphere.dev/wukong/e2e/node/uml"
)

// TestOVS is two machines on an Open vSwitch bridge that feeds on VLAN 100, plugged in by ovs-cni's plugin as the attachments say. Debian's
// NetworkManager has no plugin for Open vSwitch, so it is the test that builds what the policy desires; the look, the attachments, the switch and
// the plugin are real.
func TestOVS(t *testing.T) {
	t.Parallel()
	if !*all {
		t.Skip("not part of the quick part: -all, or WUKONG_NODE=all")
	}
	plugin := os.Getenv("OVS_CNI")
	if plugin == "" {
		t.Skip("OVS_CNI does not name the plugin of ovs-cni, as go build ./cmd/plugin makes it in its source")
	}
	l := start(t)
	w, err := l.hire("node1", nil, 0, nodeMAC, secondMAC)
	must(t, err)
	text, err := os.ReadFile(plugin)
	must(t, err)
	must(t, os.WriteFile(l.host.Shared("ovs"), text, 0o755))
	must(t, w.furnish(l.ctx, carrying(static, auto6), startOVS))
	w.built = func(desired map[string]any) error { return l.buildOVS(w, desired) }
	must(t, l.begin(hookOf(t)))
	node := l.begins(t, nodeAddress)
	for _, vm := range [][2]string{{"vm", management}, {"vm2", "192.168.100.11"}} {
		must(t, l.createYAML(wukongKind, fmt.Sprintf(`
apiVersion: vm.novasphere.dev/v1alpha1
kind: Wukong
metadata: {name: %s}
spec:
  networks:
  - {name: lan, type: ovs, bridgeName: br-lan, vlanId: 100, ipConfig: {mode: static, address: %s/24}}
`, vm[0], vm[1])))
		must(t, l.settle())
		if wukong := l.get(wukongKind, vm[0]); condition(wukong, "Ready") != "True" {
			t.Fatalf("machine %s is not Ready: %s", vm[0], said(wukong))
		}
		answers(t, l.gate, vm[1])
	}
	onTagged(t, l, w, "vm", "vm2")
	nothingLost(t, node("while an Open vSwitch bridge is built beside it"), "the node is not touched")
}

// startOVS is a script that starts Open vSwitch, which no node of other tests has.
const startOVS = "modprobe openvswitch\n/usr/share/openvswitch/scripts/ovs-ctl start --system-id=random\n"

// onTagged holds that the switch has seen the frames of machines with the tag of VLAN 100 only.
func onTagged(t *testing.T, l *lab, w *worker, machines ...string) {
	t.Helper()
	for _, name := range machines {
		for _, n := range nicsOf(l.get(machineKind, "default/"+name)) {
			tagged, plain := w.ports[0].Seen(uml.Seen{Source: n.mac, VLAN: 100}), w.ports[0].Seen(uml.Seen{Source: n.mac})
			if !tagged || plain {
				t.Errorf("of machine %s the switch has seen frames with the tag: %v, without: %v", name, tagged, plain)
			}
		}
	}
}

// buildOVS builds what a policy desires with the tools of Linux and Open vSwitch.
func (l *lab) buildOVS(w *worker, desired map[string]any) error {
	var s strings.Builder
	for _, i := range list(desired, "interfaces") {
		switch i["type"] {
		case "vlan":
			vlan, _ := i["vlan"].(map[string]any)
			fmt.Fprintf(&s, "ip link show %[1]v >/dev/null 2>&1 || ip link add link %[2]v name %[1]v type vlan id %[3]v\nip link set %[1]v up\n",
				i["name"], vlan["base-iface"], vlan["id"])
		case "ovs-bridge":
			fmt.Fprintf(&s, "ovs-vsctl --may-exist add-br %v\n", i["name"])
			bridge, _ := i["bridge"].(map[string]any)
			for _, p := range list(bridge, "port") {
				fmt.Fprintf(&s, "ovs-vsctl --may-exist add-port %v %v\n", i["name"], p["name"])
			}
		default:
			return fmt.Errorf("the policy has a %v: %v", i["type"], i["name"])
		}
	}
	_, err := w.Sh(l.ctx, s.String())
	return err
}

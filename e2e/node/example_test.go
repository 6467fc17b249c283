package node

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/e2e/node/uml"
)

// The addresses of the guest in the example.
const (
	management = "192.168.100.10" // on VLAN 100
	external   = "192.168.1.200"  // without a tag
)

// onAnother are the profiles of a node whose address is on ens192, so that ens160 is free.
func onAnother() []profile {
	return []profile{{name: "host", iface: "ens192", ipv4: static, ipv6: auto6}, {name: "uplink", iface: "ens160", ipv4: none, ipv6: none}}
}

// TestExample is the feature description's example 4.1, whole, on a node with its own address on another NIC.
func TestExample(t *testing.T) {
	t.Parallel()
	l := start(t)
	w, err := l.hire("node1", map[string]string{"kubernetes.io/hostname": "node1"}, 3, nodeMAC, secondMAC)
	must(t, err)
	must(t, w.furnish(l.ctx, onAnother(), ""))
	before, err := l.facts(w)
	must(t, err)
	must(t, l.begin(hookOf(t)))
	node := l.begins(t, nodeAddress)

	vm := exampleIsReady(t, l)
	booted := time.Now()
	guest, err := l.guest(vm)
	must(t, err)
	defer func() { guest.Kill() }()
	guestAnswers(t, l, guest)
	tables.note(example, "a guest boots from the answered cloud-init data",
		fmt.Sprintf("%v later it has 192.168.100.10 and 192.168.1.200, and 10.0.2.2 from its pod", time.Since(booted).Round(time.Second)))
	onTheWire(t, w.ports[0], vm)
	if !*all {
		nothingLost(t, node("while the example is built"), "the node is not touched")
		return
	}

	ends := []func(string) lost{l.begins(t, management), l.begins(t, external)}
	for _, p := range l.all(policyKind) {
		failure, err := l.apply(w, p)
		must(t, err)
		if failure != "" {
			t.Errorf("applied again, policy %s fails: %s", p.GetName(), failure)
		}
	}
	var lost []string
	for _, end := range append(ends, node) {
		n := end("both policies applied again")
		nothingLost(t, n, "both policies applied again")
		lost = append(lost, fmt.Sprintf("%d of %d", n.lost, n.of))
	}
	tables.note(example, "both policies applied again", lost[0]+" and "+lost[1]+" of the guest, "+lost[2]+" of the node since the beginning")

	w.ports[0].Cut(true)
	time.Sleep(3 * time.Second)
	if pings(l.ctx, l.gate, management) {
		t.Error("the guest answers although the cable is pulled, so it does not answer through ens160")
	}
	w.ports[0].Cut(false)
	answers(t, l.gate, management)
	answers(t, l.gate, external)

	exampleSurvivesReboot(t, l, w, guest)
	exampleLeaves(t, l, w, before)
}

// exampleIsReady applies the example, and answers its machine.
func exampleIsReady(t *testing.T, l *lab) *unstructured.Unstructured {
	t.Helper()
	text, err := os.ReadFile("../../examples/vm-with-nmstate.yaml")
	must(t, err)
	must(t, l.createYAML(wukongKind, string(text)))
	must(t, l.settle())
	if wukong := l.get(wukongKind, "ubuntu-vm-nmstate"); condition(wukong, "Ready") != "True" {
		t.Fatalf("the example is not Ready: %s", said(wukong))
	}
	return l.get(machineKind, "default/ubuntu-vm-nmstate")
}

// guestAnswers waits until the guest has everything that it was promised.
func guestAnswers(t *testing.T, l *lab, guest *uml.Machine) {
	t.Helper()
	answers(t, l.gate, management)
	answers(t, l.gate, external)
	out, err := guest.Sh(l.ctx, "cloud-init status --wait >/dev/null || true; cloud-init status; ip -br -4 addr; ip route; hostname")
	must(t, err)
	for _, want := range []string{
		"status: done", "10.0.2.2/24", management + "/24", external + "/24", "ubuntu-vm-nmstate",
		"default via 10.0.2.1", "default via 192.168.100.1", "default via 192.168.1.1",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("the guest has no %q:\n%s", want, out)
		}
	}
}

// onTheWire holds what the switch has seen: frames of one network with the tag, and of the other without.
func onTheWire(t *testing.T, port *uml.Port, vm *unstructured.Unstructured) {
	t.Helper()
	for _, n := range nicsOf(vm) {
		tagged, plain := port.Seen(uml.Seen{Source: n.mac, VLAN: 100}), port.Seen(uml.Seen{Source: n.mac})
		if tagged != (n.network == "management") || plain != (n.network == "external") {
			t.Errorf("of network %s the switch has seen frames with the tag: %v, without: %v", n.network, tagged, plain)
		}
	}
}

// exampleSurvivesReboot starts the node again, on which the bridges come from NetworkManager's profiles, and KubeVirt plugs the machine in again.
func exampleSurvivesReboot(t *testing.T, l *lab, w *worker, guest *uml.Machine) {
	t.Helper()
	before, err := l.facts(w)
	must(t, err)
	must(t, l.reboot(w))
	answers(t, l.gate, nodeAddress)
	after, err := l.facts(w)
	must(t, err)
	if d := cmp.Diff(before, after); d != "" {
		t.Errorf("the node is another after its reboot (-before +after):\n%s", d)
	}
	l.drop(instanceKind, "default/ubuntu-vm-nmstate")
	must(t, l.report())
	must(t, l.settle())
	if wukong := l.get(wukongKind, "ubuntu-vm-nmstate"); condition(wukong, "Ready") != "True" {
		t.Errorf("after the node's reboot: %s", said(wukong))
	}
	guestAnswers(t, l, guest)
}

// exampleLeaves removes a network, then the Wukong, first with bridges that stay, then with bridges that go.
func exampleLeaves(t *testing.T, l *lab, w *worker, before facts) {
	t.Helper()
	node := l.begins(t, nodeAddress)
	built, err := l.facts(w)
	must(t, err)
	l.edit(wukongKind, "ubuntu-vm-nmstate", func(spec map[string]any) { spec["networks"] = spec["networks"].([]any)[:2] })
	must(t, l.settle())
	must(t, l.restart("default/ubuntu-vm-nmstate"))
	if len(l.all(policyKind)) != 1 || len(l.all(attachmentKind)) != 1 {
		t.Errorf("with the network removed there are %d policies and %d attachments", len(l.all(policyKind)), len(l.all(attachmentKind)))
	}
	same(t, l, w, built, "a network that is removed leaves its bridge (Retain)")

	l.remove(wukongKind, "ubuntu-vm-nmstate")
	must(t, l.settle())
	if gone := l.get(wukongKind, "ubuntu-vm-nmstate") == nil && len(l.all(policyKind)) == 0; !gone {
		t.Error("the Wukong is not gone")
	}
	same(t, l, w, built, "a Wukong that is deleted leaves its bridges (Retain)")

	// The same again over the bridges that are there, to be taken away.
	text, err := os.ReadFile("../../examples/vm-with-nmstate.yaml")
	must(t, err)
	must(t, l.createYAML(wukongKind, strings.ReplaceAll(string(text), "type: bridge", "type: bridge\n      reclaimPolicy: Delete")))
	must(t, l.report())
	must(t, l.settle())
	if wukong := l.get(wukongKind, "ubuntu-vm-nmstate"); condition(wukong, "Ready") != "True" {
		t.Errorf("over its own bridges it is not Ready: %s", said(wukong))
	}
	l.remove(wukongKind, "ubuntu-vm-nmstate")
	must(t, l.settle())
	if wukong := l.get(wukongKind, "ubuntu-vm-nmstate"); wukong != nil {
		t.Errorf("the Wukong is not gone: %s", said(wukong))
	}
	same(t, l, w, before, "a Wukong that is deleted takes its bridges away (Delete)")
	n := node("while all that is removed")
	nothingLost(t, n, "the node is not touched")
	tables.note(example, "a network removed (`Retain`), the Wukong deleted (`Retain`), made again and deleted with `Delete`",
		fmt.Sprintf("%d of %d of the node; its bridges stay, and with `Delete` it is as it was before the first policy", n.lost, n.of))
}

// restart starts a machine of the cluster again, by which it drops what its spec no longer has.
func (l *lab) restart(machine string) error {
	if err := l.unplug(l.get(instanceKind, machine)); err != nil {
		return err
	}
	l.drop(instanceKind, machine)
	return l.settle()
}

// same fails the test where the node is not as it was.
func same(t *testing.T, l *lab, w *worker, want facts, why string) {
	t.Helper()
	got, err := l.facts(w)
	must(t, err)
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-was +is):\n%s", why, d)
	}
}

package node

import "testing"

// TestUplinks is two nodes that name their NICs differently, under one WukongNetwork, with a machine on it.
func TestUplinks(t *testing.T) {
	t.Parallel()
	if !*all {
		t.Skip("not part of the quick part: -all, or WUKONG_NODE=all")
	}
	l := start(t)
	first, err := l.hire("node1", map[string]string{"nic": "ens160"}, 0, nodeMAC)
	must(t, err)
	second, err := l.hire("node2", map[string]string{"nic": "enp3s0"}, 0, otherMAC)
	must(t, err)
	must(t, first.furnish(l.ctx, carrying(static, auto6), ""))
	must(t, second.furnish(l.ctx, []profile{{name: "uplink", iface: "enp3s0", ipv6: auto6,
		ipv4: "method=manual\naddress1=10.0.0.3/24,10.0.0.254"}}, ""))
	must(t, l.begin(hookOf(t)))
	ends := []func(string) lost{l.begins(t, nodeAddress), l.begins(t, "10.0.0.3")}
	must(t, l.createYAML(networkKind, `
apiVersion: vm.novasphere.dev/v1alpha1
kind: WukongNetwork
metadata: {name: lan-100}
spec:
  type: bridge
  vlanId: 100
  reclaimPolicy: Delete
  uplinks:
  - {name: a, physicalInterface: ens160, nodeSelector: {nic: ens160}}
  - {name: b, physicalInterface: enp3s0, nodeSelector: {nic: enp3s0}}
`))
	must(t, l.settle())
	if network := l.get(networkKind, "lan-100"); condition(network, "Ready") != "True" {
		t.Fatalf("the network is not Ready: %s", said(network))
	}
	must(t, l.createYAML(wukongKind, `
apiVersion: vm.novasphere.dev/v1alpha1
kind: Wukong
metadata: {name: vm}
spec:
  networks:
  - {name: lan, networkName: lan-100, ipConfig: {mode: static, address: 192.168.100.10/24}}
`))
	must(t, l.settle())
	if wukong := l.get(wukongKind, "vm"); condition(wukong, "Ready") != "True" {
		t.Fatalf("the machine is not Ready: %s", said(wukong))
	}
	answers(t, l.gate, management)

	// What is plugged in on the other node is in the same network.
	must(t, l.cni(second, "ADD", newPod(t, l, second), "pod0", "default/vm-lan-nad"))
	_, err = second.Sh(l.ctx, "ip -n pod-other link set pod0 up\nip -n pod-other addr add 192.168.100.11/24 dev pod0")
	must(t, err)
	answers(t, l.gate, "192.168.100.11")
	if out, err := second.Sh(l.ctx, "ip netns exec pod-other ping -c 3 -i 0.3 -W 3 192.168.100.10"); err != nil {
		t.Errorf("from node to node: %v %s", err, out)
	}
	must(t, l.cni(second, "DEL", "pod-other", "pod0", "default/vm-lan-nad"))

	l.remove(wukongKind, "vm")
	must(t, l.settle())
	must(t, l.report())
	l.remove(networkKind, "lan-100")
	must(t, l.settle())
	if network := l.get(networkKind, "lan-100"); network != nil {
		t.Errorf("the network is not gone: %s", said(network))
	}
	for _, w := range l.workers {
		if out, err := w.Sh(l.ctx, "ip -br link | grep -E 'br-|[.]100' || true"); err != nil || out != "" {
			t.Errorf("%s still has %s (%v)", w.name, out, err)
		}
	}
	for _, end := range ends {
		nothingLost(t, end("from the network's creation to its removal"), "a node is not touched")
	}
}

// newPod is a pod that is no machine of the cluster.
func newPod(t *testing.T, l *lab, w *worker) string {
	t.Helper()
	_, err := w.Sh(l.ctx, "ip netns add pod-other")
	must(t, err)
	return "pod-other"
}

package node

import (
	"runtime"
	"slices"
	"sync"
	"testing"
)

// disagreements are the rows of the table in which the look does not yet say what is right, each with the reason. A row whose mark is no longer
// needed fails, and loses its mark.
var disagreements = map[string]string{}

// The NIC that the networks of the table are asked for on, as it is where the node's address is on it.
func carrying(ipv4, ipv6 string) []profile {
	return []profile{{name: "uplink", iface: "ens160", ipv4: ipv4, ipv6: ipv6}}
}

const (
	direct   = "bridgeName: br-lan"
	onVLAN   = "bridgeName: br-lan, vlanId: 100"
	preserve = "bridgeName: br-lan, preserveHostIP: true"
)

// bonded is a bond of both NICs with an address.
func bonded() []profile {
	return []profile{
		{name: "bond", iface: "bond0", kind: "bond", more: "[bond]\nmode=active-backup\nmiimon=0\n", ipv4: static, ipv6: none},
		{name: "leg1", iface: "ens160", more: "[ethernet]\n", ipv4: "", ipv6: "", port: "bond0 bond"},
		{name: "leg2", iface: "ens192", more: "[ethernet]\n", ipv4: "", ipv6: "", port: "bond0 bond"},
	}
}

// bridged is a bridge of the host's own with the NIC as its port.
func bridged(more string) []profile {
	return []profile{
		{name: "hostbr", iface: "br-host", kind: "bridge", more: "[bridge]\nstp=false\n" + more, ipv4: static, ipv6: none},
		{name: "leg1", iface: "ens160", port: "br-host bridge"},
	}
}

// onVLANInterface is the node's address on a VLAN interface of the NIC.
func onVLANInterface(name string) []profile {
	return []profile{
		{name: "uplink", iface: "ens160", ipv4: none, ipv6: none},
		{name: "tagged", iface: name, kind: "vlan", more: "[vlan]\nid=100\nparent=ens160\n", ipv4: "method=manual\naddress1=192.168.100.5/24,192.168.100.1", ipv6: none},
	}
}

// drop takes a field of the NIC's ipv4 out of a state.
func drop(field string) func(map[string]any) {
	return func(state map[string]any) {
		for _, i := range list(state, "interfaces") {
			if ip, _ := i["ipv4"].(map[string]any); i["name"] == "ens160" {
				delete(ip, field)
			}
		}
	}
}

// without takes an address, or the routes to a destination, out of a state.
func without(what string) func(map[string]any) {
	drop := func(o map[string]any, name string) {
		if all, is := o[name].([]any); is {
			o[name] = slices.DeleteFunc(all, func(v any) bool {
				o, _ := v.(map[string]any)
				return o["ip"] == what || o["destination"] == what
			})
		}
	}
	return func(state map[string]any) {
		routes, _ := state["routes"].(map[string]any)
		drop(routes, "running")
		drop(routes, "config")
		for _, i := range list(state, "interfaces") {
			for _, family := range []string{"ipv4", "ipv6"} {
				if ip, is := i[family].(map[string]any); is {
					drop(ip, "address")
				}
			}
		}
	}
}

// table is every set-up of a node that people are known to have, with the networks that they ask for on it.
var table = slices.Concat(plain, kinds, preserved, onMaster)

// The rows of bridges on NICs, bonds, VLANs and bridges that carry the node, or do not.
var plain = []row{
	{name: "a NIC without an address", profiles: onAnother(), network: direct, want: fit},
	{name: "a VLAN on a NIC without an address", profiles: onAnother(), network: onVLAN, address: management, want: fit},
	{name: "a VLAN on the NIC with the node's address", profiles: carrying(static, auto6), network: onVLAN, address: management, want: fit, quick: true},
	{name: "a VLAN on the NIC with the node's address by DHCP", profiles: carrying(dhcp, auto6), network: onVLAN, address: management, want: fit},
	{name: "the NIC with the node's address", profiles: carrying(static, auto6), network: direct, want: refused, quick: true},
	{name: "the NIC with the node's address by DHCP", profiles: carrying(dhcp, auto6), network: direct, want: refused},
	{name: "a NIC with an address but no default route", profiles: []profile{{name: "uplink", iface: "ens160", ipv4: "method=manual\naddress1=192.168.1.5/24", ipv6: none},
		{name: "host", iface: "ens192", ipv4: static, ipv6: none}}, network: direct, want: refused},
	{name: "a NIC with an IPv6 address only", profiles: []profile{{name: "uplink", iface: "ens160", ipv4: none, ipv6: "method=manual\naddress1=fd00::1/64"},
		{name: "host", iface: "ens192", ipv4: static, ipv6: none}}, network: direct, want: refused},
	{name: "a bond with the node's address", profiles: bonded(), network: direct + ", physicalInterface: bond0", want: refused},
	{name: "a VLAN on a bond with the node's address", profiles: bonded(), network: onVLAN + ", physicalInterface: bond0", address: management, want: fit},
	{name: "a NIC in a bond", profiles: bonded(), network: direct, want: refused},
	// An address on the bond's VLAN may go on answering: the kernel takes it in by the new bridge as well. A pod behind the bond does not.
	{name: "a VLAN on a NIC in a bond that has it", profiles: bonded(), network: onVLAN, address: management, want: refused,
		script: "modprobe -a 8021q bridge veth\nip link add link bond0 name bond0.100 type vlan id 100\nip link add br-host type bridge\nip netns add tenant\n" +
			"ip link add t0 type veth peer name t1\nip link set t1 netns tenant\nfor nic in bond0.100 t0; do ip link set $nic up master br-host; done\n" +
			"ip link set br-host up\nip -n tenant link set t1 up\nip -n tenant addr add 192.168.100.7/24 dev t1\n",
		works: "ip netns exec tenant ping -c 5 -i 0.3 -W 2 192.168.100.1"},
	{name: "the VLAN interface carries the node's address", profiles: onVLANInterface("ens160.100"), network: onVLAN, address: management, want: refused},
	{name: "another VLAN beside the node's", profiles: onVLANInterface("ens160.100"), network: "bridgeName: br-lan, vlanId: 200", address: "192.168.200.10", want: fit},
	{name: "the NIC below the node's VLAN", profiles: onVLANInterface("ens160.100"), network: direct, want: fit},
	{name: "the VLAN has another name", profiles: onVLANInterface("vlan100"), network: onVLAN, address: management, want: refused},
	{name: "a NIC in a bridge of the host", profiles: bridged(""), network: direct, want: refused},
	{name: "a VLAN on a NIC in a plain bridge of the host", profiles: bridged(""), network: onVLAN, address: management, want: fit},
	{name: "a VLAN on a bridge of the host as NIC", profiles: bridged(""), network: onVLAN + ", physicalInterface: br-host", address: management, want: fit},
	{name: "a VLAN that a filtering bridge of the host carries", profiles: bridged("vlan-filtering=true\nvlans=2-4094\n"), network: onVLAN, address: management, want: refused,
		script: "ip netns add tenant\nip link add t0 type veth peer name t1\nip link set t1 netns tenant\nip link set t0 up master br-host\n" +
			"bridge vlan del dev t0 vid 1\nbridge vlan add dev t0 vid 100 pvid untagged\nbridge vlan add dev ens160 vid 100\n" +
			"ip -n tenant link set t1 up\nip -n tenant addr add 192.168.100.7/24 dev t1\n",
		works: "ip netns exec tenant ping -c 5 -i 0.3 -W 2 192.168.100.1"},
	{name: "a NIC with a macvlan", profiles: onAnother(), network: direct, want: refused, script: upon("macvlan mode bridge"), works: hostAnswers},
	{name: "a NIC with a pod's macvlan", profiles: onAnother(), network: direct, want: refused, unseen: true,
		script: tenant("macvlan mode bridge"), works: tenantAnswers},
	{name: "a NIC that does not exist", profiles: onAnother(), network: direct + ", physicalInterface: ens999", want: refused},
	{name: "an MTU above the NIC's", profiles: []profile{{name: "host", iface: "ens192", ipv4: static, ipv6: auto6},
		{name: "uplink", iface: "ens160", more: "[ethernet]\nmtu=1400\n", ipv4: none, ipv6: none}}, network: onVLAN + ", mtu: 1500", address: management, want: refused},
	{name: "a bridge that is there as asked", profiles: []profile{{name: "host", iface: "ens192", ipv4: static, ipv6: auto6},
		{name: "lan", iface: "br-lan", kind: "bridge", more: "[bridge]\nstp=false\n", ipv4: none, ipv6: none}, {name: "leg1", iface: "ens160", port: "br-lan bridge"}},
		network: direct, want: fit},
	{name: "a bridge of that name with another port", profiles: []profile{{name: "uplink", iface: "ens160", ipv4: none, ipv6: none},
		{name: "lan", iface: "br-lan", kind: "bridge", more: "[bridge]\nstp=false\n", ipv4: none, ipv6: none}, {name: "leg2", iface: "ens192", port: "br-lan bridge"}},
		network: direct, want: refused},
	{name: "the bridge has the name of a NIC", profiles: onAnother(), network: "bridgeName: ens192", want: refused},
	{name: "a node that has not reported", profiles: onAnother(), network: direct, want: waits, unreported: true},
}

// vxlan is a script that makes a VXLAN on a NIC, as an overlay network does.
func vxlan(nic, local, remote, address string) string {
	return "modprobe vxlan\nip link del vx1 2>/dev/null || true\nip link add vx1 type vxlan id 1 dev " + nic + " local " + local + " remote " + remote +
		" dstport 8472\nip addr add " + address + "/24 dev vx1\nip link set vx1 up\n"
}

// TestTable holds what the look says against what happens, row by row, on as many nodes as there are cores.
func TestTable(t *testing.T) {
	t.Parallel()
	rows := make(chan row, len(table))
	for _, r := range table {
		if *all || r.quick {
			rows <- r
		}
	}
	close(rows)
	labs := min(runtime.GOMAXPROCS(0), max(1, len(rows)/6))
	l := make([]*lab, labs)
	for i := range l {
		l[i] = start(t)
		_, err := l[i].hire("node1", nil, 0, nodeMAC, secondMAC)
		must(t, err)
	}
	looks, blind := hookOf(t), hookOf(t, "-preflight=false")
	var working sync.WaitGroup
	for _, l := range l {
		working.Go(func() {
			for r := range rows {
				t.Run(r.name, func(t *testing.T) { l.try(t, r, looks, blind) })
			}
		})
	}
	working.Wait()
}

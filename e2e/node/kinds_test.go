package node

// bare is a node whose address is on ens192, with a profile for one more interface, which has no address.
func bare(p profile) []profile {
	p.ipv4, p.ipv6 = none, none
	return append(onAnother(), p)
}

// twoEnds is a script that makes a pair of veths of which the first stands for a NIC, with the second in a bridge with ens160. So nodes have it
// that are containers themselves.
func twoEnds(mtu string) string {
	return "ip netns add wire\nip link set ens160 netns wire\nip link set peer0 netns wire\nip -n wire link add wire0 type bridge\n" +
		"ip -n wire link set ens160 up master wire0\nip -n wire link set peer0 up mtu " + mtu + " master wire0\nip -n wire link set wire0 up\n"
}

// The rows of what people call a NIC: whatever a bridge can have as its port, or cannot.
var kinds = []row{
	{name: "a NIC by an alternative name", profiles: onAnother(), script: altName, network: direct + ", physicalInterface: uplink0", want: fit},
	{name: "a VLAN on a NIC by an alternative name", profiles: carrying(static, auto6), script: altName, network: onVLAN + ", physicalInterface: uplink0",
		address: management, want: fit, quick: true},
	{name: "an address is preserved by an alternative name", profiles: carrying(static, auto6), script: altName,
		network: preserve + ", physicalInterface: uplink0", want: refused},
	{name: "a NIC that asks for an address in vain", profiles: []profile{{name: "host", iface: "ens160", ipv4: static, ipv6: none},
		{name: "vain", iface: "ens192", ipv4: dhcp + "\ndhcp-timeout=2147483647", ipv6: "method=link-local"}},
		network: direct + ", physicalInterface: ens192", want: fit},
	{name: "a NIC that NetworkManager does not manage", profiles: []profile{{name: "host", iface: "ens192", ipv4: static, ipv6: auto6}},
		script: "nmcli device set ens160 managed no\nip link set ens160 up\n", network: direct, want: fit},
	{name: "a VLAN on a NIC that NetworkManager does not manage", profiles: []profile{{name: "host", iface: "ens192", ipv4: static, ipv6: auto6}},
		script: "nmcli device set ens160 managed no\nip link set ens160 up\n", network: onVLAN, address: management, want: fit},
	{name: "a dummy that NetworkManager does not manage", profiles: onAnother(), script: "modprobe dummy numdummies=0\nip link add dummy0 type dummy\nip link set dummy0 up\n",
		network: direct + ", physicalInterface: dummy0", want: fit, isolated: true},
	{name: "a bond that NetworkManager does not manage", profiles: []profile{{name: "host", iface: "ens192", ipv4: static, ipv6: auto6}},
		script:  "modprobe bonding\nip link add bond0 type bond mode active-backup\nip link set ens160 down\nip link set ens160 master bond0\nip link set bond0 up\n",
		network: direct + ", physicalInterface: bond0", want: fit},
	{name: "a tun interface", profiles: onAnother(), script: "modprobe tun\nnmcli connection add type tun con-name tun ifname tun0 mode tun " +
		"ipv4.method disabled ipv6.method disabled\nnmcli --wait 60 connection up tun\n",
		network: direct + ", physicalInterface: tun0", want: refused},
	{name: "a tunnel", profiles: bare(profile{name: "tunnel", iface: "ipip1", kind: "ip-tunnel", more: "[ip-tunnel]\nmode=1\nlocal=10.0.0.1\nremote=10.0.0.254\n"}),
		network: direct + ", physicalInterface: ipip1", want: refused},
	{name: "a VRF", profiles: bare(profile{name: "vrf", iface: "vrf1", kind: "vrf", more: "[vrf]\ntable=100\n"}),
		network: direct + ", physicalInterface: vrf1", want: refused},
	{name: "a macvlan as the NIC", profiles: bare(profile{name: "macvlan", iface: "mv0", kind: "macvlan", more: "[macvlan]\nmode=2\nparent=ens160\n"}),
		network: direct + ", physicalInterface: mv0", want: refused},
	{name: "an ipvlan as the NIC", profiles: bare(profile{name: "ipvlan", iface: "mv0", kind: "ipvlan", more: "[ipvlan]\nmode=1\nparent=ens160\n"}),
		network: direct + ", physicalInterface: mv0", want: refused},
	{name: "a dummy", profiles: bare(profile{name: "dummy", iface: "dummy0", kind: "dummy"}), network: direct + ", physicalInterface: dummy0",
		want: fit, isolated: true},
	{name: "a bond without ports", profiles: bare(profile{name: "bond", iface: "bond0", kind: "bond", more: "[bond]\nmode=active-backup\n"}),
		network: direct + ", physicalInterface: bond0", want: fit, isolated: true},
	{name: "a veth for a NIC", profiles: []profile{{name: "host", iface: "ens192", ipv4: static, ipv6: none},
		{name: "pair", iface: "enp9s0", kind: "veth", more: "[veth]\npeer=peer0\n", ipv4: none, ipv6: none},
		{name: "peer", iface: "peer0", kind: "veth", more: "[veth]\npeer=enp9s0\n", ipv4: none, ipv6: none}}, script: twoEnds("1500"),
		network: direct + ", physicalInterface: enp9s0", want: fit},
	{name: "a team", profiles: []profile{{name: "host", iface: "ens192", ipv4: static, ipv6: auto6}}, script: "modprobe -a team team_mode_roundrobin\n" +
		"ip link add team0 type team\nip link set ens160 down\nip link set ens160 master team0\nip link set ens160 up\nip link set team0 up\n",
		network: direct + ", physicalInterface: team0", want: refused},
	{name: "a NIC in a team", profiles: []profile{{name: "host", iface: "ens192", ipv4: static, ipv6: auto6}}, script: "modprobe -a team team_mode_roundrobin\n" +
		"ip link add team0 type team\nip link set ens160 down\nip link set ens160 master team0\nip link set ens160 up\nip link set team0 up\n",
		network: direct, want: refused},
	{name: "a VLAN interface of the host as the NIC", profiles: append(onAnother(), profile{name: "tagged", iface: "vlan100", kind: "vlan",
		more: "[vlan]\nid=100\nparent=ens160\n", ipv4: none, ipv6: none}), network: direct + ", physicalInterface: vlan100", address: management, want: fit},
	{name: "a VXLAN as the NIC", profiles: bare(profile{name: "vxlan", iface: "vx1", kind: "vxlan",
		more: "[vxlan]\nid=1\nparent=ens192\nlocal=10.0.0.1\nremote=10.0.0.254\ndestination-port=8472\n"}), gateway: vxlan("vec0", "10.0.0.254", "10.0.0.1", "10.42.0.254"),
		network: direct + ", physicalInterface: vx1", address: "10.42.0.10", want: fit},
	{name: "a NIC with an ipvlan", profiles: onAnother(), network: direct, want: refused, script: upon("ipvlan mode l2"), works: hostAnswers},
	{name: "a NIC with a pod's ipvlan", profiles: onAnother(), network: direct, want: refused, unseen: true, script: tenant("ipvlan mode l2"), works: tenantAnswers},
	{name: "a VLAN on a NIC with a macvlan", profiles: onAnother(), network: onVLAN, address: management, want: fit,
		script: tenant("macvlan mode bridge"), works: tenantAnswers},
	{name: "a VLAN on a NIC with an ipvlan", profiles: onAnother(), network: onVLAN, address: management, want: fit,
		script: tenant("ipvlan mode l2"), works: tenantAnswers},
	{name: "a VLAN on a bridge of the host that filters", profiles: bridged("vlan-filtering=true\n"), script: "bridge vlan add dev ens160 vid 100\n",
		network: onVLAN + ", physicalInterface: br-host", address: management, want: refused},
	{name: "a VLAN on a bridge of the host that filters and is in it", profiles: bridged("vlan-filtering=true\nvlans=100\n"),
		script: "bridge vlan add dev ens160 vid 100\n", network: onVLAN + ", physicalInterface: br-host", address: management, want: refused,
		alike: "a VLAN on a bridge of the host that filters"},
	{name: "a bridge that is there and filters", profiles: []profile{{name: "host", iface: "ens192", ipv4: static, ipv6: auto6},
		{name: "lan", iface: "br-lan", kind: "bridge", more: "[bridge]\nstp=false\nvlan-filtering=true\n", ipv4: none, ipv6: none},
		{name: "leg1", iface: "ens160", port: "br-lan bridge"}}, network: direct, want: refused,
		script: "ip netns add tenant\nip link add t0 type veth peer name t1\nip link set t1 netns tenant\nip link set t0 up master br-lan\n" +
			"bridge vlan del dev t0 vid 1\nbridge vlan add dev t0 vid 100 pvid untagged\nbridge vlan add dev ens160 vid 100\n" +
			"ip -n tenant link set t1 up\nip -n tenant addr add 192.168.100.7/24 dev t1\n",
		works: "ip netns exec tenant ping -c 5 -i 0.3 -W 2 192.168.100.1"},
}

const altName = "ip link property add dev ens160 altname uplink0\n"

package node

// The rows of preserveHostIP. Those that are fit are applied a second time, and the node is started again.
var preserved = []row{
	{name: "an address is preserved", profiles: carrying(static, none), network: preserve, want: fit, again: true, quick: true},
	{name: "an address is preserved where no router answers by IPv6", profiles: carrying(static, auto6), network: preserve, want: fit, again: true},
	{name: "an address by DHCP is preserved", profiles: carrying(dhcp, auto6), network: preserve, want: fit, again: true},
	{name: "two addresses, IPv6 and a route are preserved", profiles: carrying(rich, "method=manual\naddress1=fd00::1/64,fd00::fe"), network: preserve,
		want: fit, again: true},
	{name: "a bond's address is preserved", profiles: bonded(), network: preserve + ", physicalInterface: bond0", want: fit, again: true},
	{name: "an address on a NIC with jumbo frames is preserved", profiles: []profile{{name: "uplink", iface: "enp9s0", kind: "veth",
		more: "[veth]\npeer=peer0\n\n[ethernet]\nmtu=9000\n", ipv4: static, ipv6: none}, {name: "peer", iface: "peer0", kind: "veth", more: "[veth]\npeer=enp9s0\n",
		ipv4: none, ipv6: none}}, script: twoEnds("9000") + "for i in $(seq 60); do ping -c 1 -W 1 10.0.0.254 && break; done\n", network: preserve + ", physicalInterface: enp9s0", want: fit, again: true,
		works: "for nic in enp9s0 br-lan; do [ ! -e /sys/class/net/$nic ] || [ $(cat /sys/class/net/$nic/mtu) = 9000 ]; done"},
	{name: "two addresses of one subnet are preserved", profiles: carrying(static+"\naddress2=10.0.0.2/24", none), network: preserve, want: refused,
		alike: "a virtual IP of the node's subnet is preserved"},
	{name: "a virtual IP of the node's subnet is preserved", profiles: carrying(static, none), network: preserve, want: refused,
		script: "ip addr add 10.0.0.77/24 dev ens160\n", lasting: lasts("addresses", "10.0.0.77")},
	{name: "an address that is only a guest on the NIC is preserved", profiles: carrying(static, none), network: preserve, want: refused,
		script: "ip addr add 10.0.0.77/32 dev ens160\n", lasting: lasts("addresses", "10.0.0.77")},
	{name: "a route of a daemon is preserved", profiles: carrying(static, none), network: preserve, want: refused,
		script: "ip route add 10.96.0.0/16 via 10.0.0.254 dev ens160\n", lasting: lasts("routes", "10.96.0.0/16")},
	{name: "an address by DHCP with a client id is preserved", profiles: carrying(dhcp+"\ndhcp-client-id=duid", none), network: preserve, want: refused,
		hide: drop("dhcp-client-id")},
	{name: "an address by DHCP without its name servers is preserved", profiles: carrying(dhcp+"\nignore-auto-dns=true", none), network: preserve,
		want: refused, hide: drop("auto-dns")},
	{name: "an address by DHCP beside a static route is preserved", profiles: carrying(dhcp+"\nroute1=10.97.0.0/16,10.0.0.254", none), network: preserve,
		want: refused, hide: without("10.97.0.0/16")},
	{name: "an address by DHCP beside another is preserved", profiles: carrying(dhcp+"\naddress1=192.168.1.5/24", none), network: preserve, want: refused,
		hide: without("192.168.1.5")},
	{name: "an address by DHCP beside IPv6 is preserved", profiles: carrying(dhcp, "method=manual\naddress1=fd00::1/64"), network: preserve, want: refused,
		hide: without("fd00::1")},
	{name: "an IPv6 address of a router's network is preserved", profiles: carrying(static, auto6+"\naddr-gen-mode=stable-privacy"), network: preserve,
		want: refused, lasting: "nmcli -g ipv6.addresses connection show br-lan 2>/dev/null | grep -o fd01 || true",
		gateway: "ip addr add fd01::fe/64 dev vec0 nodad\ndnsmasq --conf-file=/dev/null --port=0 --interface=vec0 --bind-interfaces --enable-ra " +
			"--dhcp-range=fd01::,ra-only --pid-file=/tmp/ra.pid\n",
		after: "kill $(cat /tmp/ra.pid)\nip addr del fd01::fe/64 dev vec0\n", script: "for i in $(seq 60); do ip -6 addr show dev ens160 scope global | " +
			"grep -q fd01: && break; sleep 1; done\nip -6 addr show dev ens160 scope global | grep -q fd01:\n"},
	{name: "an address with a routing rule is preserved", profiles: carrying(static+"\nrouting-rule1=priority 1000 from 10.0.0.1 table 100\n"+
		"route1=10.98.0.0/16,10.0.0.254\nroute1_options=table=100", none), network: preserve, want: refused},
	{name: "an address with a VXLAN on the NIC is preserved", profiles: carrying(static, none), network: preserve, want: refused,
		gateway: vxlan("vec0", "10.0.0.254", "10.0.0.1", "10.42.0.254"), script: vxlan("ens160", "10.0.0.1", "10.0.0.254", "10.42.0.1"),
		// What the NIC knows of its neighbours works for another minute. Then it asks, and the answers come to the bridge.
		works: "ip neigh flush all; ping -c 5 -i 0.3 -W 2 10.42.0.254"},
	{name: "default routes by two NICs", profiles: []profile{{name: "uplink", iface: "ens192", ipv4: static, ipv6: none},
		{name: "second", iface: "ens160", ipv4: "method=manual\naddress1=192.168.1.5/24,192.168.1.1\nroute-metric=500", ipv6: none}}, network: preserve, want: refused},
	{name: "the default route is elsewhere", profiles: []profile{{name: "uplink", iface: "ens160", ipv4: "method=manual\naddress1=192.168.1.5/24", ipv6: none},
		{name: "host", iface: "ens192", ipv4: static, ipv6: none}}, network: preserve, want: refused},
}

// rich is an address of each of two subnets, and a route.
const rich = "method=manual\naddress1=10.0.0.1/24,10.0.0.254\naddress2=192.168.1.5/24\nroute1=10.99.0.0/16,10.0.0.254\ndns=10.0.0.254;"

// lasts is a script that tells whether the bridge has something in its profile, so that it comes back with every start of the node.
func lasts(key, what string) string {
	return "nmcli -g ipv4." + key + " connection show br-lan 2>/dev/null | grep -o " + what + " || true"
}

package scale

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// state is what NMState reports of the network of a node: 45 KB, most of it the veths of pods, which come and go.
func (c *cluster) state(i int) object {
	name := nodeName(i)
	o := object{
		"apiVersion": "nmstate.io/v1beta1", "kind": "NodeNetworkState",
		"metadata": object{
			"name": name, "uid": uid("state " + name), "creationTimestamp": bootTime, "generation": 1, "resourceVersion": fmt.Sprint(910000 + i),
			"labels":          object{"nmstate.io/force-nns-refresh": "1763895600000000000"},
			"ownerReferences": list{object{"apiVersion": "v1", "kind": "Node", "name": name, "uid": uid(name)}},
		},
		"status": object{
			"currentState": object{
				"dns-resolver": object{
					"config":  object{"search": list{"example.com"}, "server": list{"10.0.0.2", "10.0.0.3"}},
					"running": object{"search": list{"example.com"}, "server": list{"10.0.0.2", "10.0.0.3"}},
				},
				"hostname":   object{"config": name, "running": name},
				"interfaces": c.interfaces(i),
				"ovs-db": object{
					"external_ids": object{"hostname": name, "rundir": "/var/run/openvswitch", "system-id": uid("ovs " + name)}, "other_config": object{},
				},
				"route-rules": object{"config": list{}},
				"routes":      object{"config": list{route("0.0.0.0/0", "ens160", "10.0.255.254")}, "running": routes(i)},
			},
			"handlerNetworkManagerVersion": "1.52.1", "handlerNmstateVersion": "2.2.48", "hostNetworkManagerVersion": "1.52.1",
			"lastSuccessfulUpdateTime": reportTime,
		},
	}
	at(o, "metadata")["managedFields"] = list{
		writer{"kubernetes-nmstate", "", bootTime}.wrote(o), writer{"kubernetes-nmstate", "status", reportTime}.wrote(o, "status"),
	}
	return o
}

func route(destination, by, gateway string) object {
	return object{
		"destination": destination, "metric": 100, "next-hop-address": gateway, "next-hop-interface": by, "table-id": 254,
	}
}

func routes(i int) list {
	all := list{route("0.0.0.0/0", "ens160", "10.0.255.254"), route("10.0.0.0/16", "ens160", ""), route("172.20.0.0/24", "bond0", "")}
	for k := range 8 {
		all = append(all, route(fmt.Sprintf("10.%d.%d.0/24", 200+k/250, (i+k+1)%250), "ens160", hostAddress(i+k+1)))
	}
	return append(all, route("fe80::/64", "ens192", ""), route("fe80::/64", "ens160", ""))
}

// interfaces are the interfaces of a node in the order of their names, as NMState reports them: the NIC with the node's
// address, the NIC of the VLANs, a bond, the bridge of the pods, and a veth for each of 60 to 110 pods. Once the
// policies are applied, each adds a VLAN interface and a bridge; some of the veths are ports of those bridges.
func (c *cluster) interfaces(i int) list {
	ethernet := func() object { return object{"auto-negotiation": true, "duplex": "full", "speed": 25000} }
	all := list{
		with(iface("ens160", "ethernet", i), object{"ipv4": address(hostAddress(i), 16), "ethernet": ethernet()}),
		with(iface(nic, "ethernet", i), object{"ethernet": ethernet()}),
		with(iface("ens224", "ethernet", i), object{"controller": "bond0"}), with(iface("ens256", "ethernet", i), object{"controller": "bond0"}),
		with(iface("bond0", "bond", i), object{
			"ipv4": address(fmt.Sprintf("172.20.%d.%d", i/250, i%250+1), 24),
			"link-aggregation": object{
				"mode": "802.3ad", "port": list{"ens224", "ens256"},
				"options": object{"lacp_rate": "fast", "miimon": 100, "xmit_hash_policy": "layer3+4"},
			},
		}),
		with(iface("lo", "loopback", i), object{"ipv4": address("127.0.0.1", 8), "mtu": 65536}),
	}
	veths := 60 + int(hash("veths "+nodeName(i))%51)
	built := c.built()
	ports := map[string]list{"cni0": {}}
	for k := range veths {
		name := fmt.Sprintf("veth%08x", hash(fmt.Sprint(i, " ", k)))
		controller := "cni0"
		if k < 2*len(built) {
			controller = built[k/2].bridge
		}
		ports[controller] = append(ports[controller], port(name))
		all = append(all, veth(name, controller, k))
	}
	all = append(all, with(iface("cni0", "linux-bridge", i), object{
		"bridge": bridge(ports["cni0"][:8]), "ipv4": address(fmt.Sprintf("10.%d.%d.1", 200+i/250, i%250), 24),
	}))
	for _, n := range built {
		uplink := with(port(n.uplink), object{"vlan": object{}})
		all = append(all,
			with(iface(n.uplink, "vlan", i), object{
				"controller": n.bridge, "vlan": object{"base-iface": nic, "id": n.vlan, "protocol": "802.1q", "reorder-headers": true},
			}),
			with(iface(n.bridge, "linux-bridge", i), object{
				"bridge": bridge(append(list{uplink}, ports[n.bridge]...)), "ipv6": object{"enabled": false},
			}))
	}
	slices.SortFunc(all, func(a, b any) int {
		return strings.Compare(a.(object)["name"].(string), b.(object)["name"].(string))
	})
	return all
}

// with adds fields to an object, or replaces them.
func with(o, fields object) object {
	maps.Copy(o, fields)
	return o
}

// iface is what NMState reports of any interface.
func iface(name, kind string, i int) object {
	h := hash(name + nodeName(i))
	mac := fmt.Sprintf("00:50:56:%02X:%02X:%02X", byte(h>>16), byte(h>>8), byte(h))
	return object{
		"accept-all-mac-addresses": false,
		"ethtool": object{"feature": object{
			"highdma": true, "rx-checksum": true, "rx-gro": true, "rx-gro-list": false, "rx-hashing": true, "rx-udp-gro-forwarding": false,
			"rx-vlan-hw-parse": true, "tx-checksum-ip-generic": true, "tx-generic-segmentation": true, "tx-nocache-copy": false,
			"tx-tcp-segmentation": true,
		}},
		"ipv4": object{"address": list{}, "enabled": false, "dhcp": false},
		"ipv6": linkLocal(fmt.Sprintf("fe80::250:56ff:fe%02x:%04x", byte(h>>16), uint16(h))),
		"lldp": object{"enabled": false}, "mac-address": mac, "max-mtu": 9000, "min-mtu": 68, "mtu": 1500,
		"name": name, "state": "up", "type": kind, "wait-ip": "any",
	}
}

// veth is the host's end of a pod's interface.
func veth(name, controller string, k int) object {
	return object{
		"accept-all-mac-addresses": false, "controller": controller,
		"ethtool": object{"feature": object{"rx-checksum": true, "rx-gro": true}},
		"ipv4":    object{"address": list{}, "enabled": false},
		"ipv6":    linkLocal(fmt.Sprintf("fe80::%x", 4096+k)),
		"lldp":    object{"enabled": false}, "mac-address": fmt.Sprintf("0A:58:0A:F4:%02X:%02X", byte(k>>8), byte(k)), "mtu": 1450, "name": name,
		"state": "up", "type": "veth", "veth": object{"peer": "eth0"}, "wait-ip": "any",
	}
}

func linkLocal(ip string) object {
	return object{"address": list{object{"ip": ip, "prefix-length": 64}}, "autoconf": false, "dhcp": false, "enabled": true}
}

func address(ip string, prefix int) object {
	return object{"address": list{object{"ip": ip, "prefix-length": prefix}}, "dhcp": false, "enabled": true}
}

func port(name string) object {
	return object{"name": name, "stp-hairpin-mode": false, "stp-path-cost": 2, "stp-priority": 32}
}

func bridge(ports list) object {
	return object{
		"options": object{
			"gc-timer": 28450, "group-addr": "01:80:C2:00:00:00", "group-forward-mask": 0, "hash-max": 4096, "hello-timer": 0,
			"mac-ageing-time": 300, "multicast-querier": false, "multicast-router": "auto", "multicast-snooping": true,
			"stp":               object{"enabled": false, "forward-delay": 15, "hello-time": 2, "max-age": 20, "priority": 32768},
			"vlan-default-pvid": 1, "vlan-protocol": "802.1q",
		},
		"port": ports,
	}
}

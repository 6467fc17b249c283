package bridges

import (
	"fmt"
	"maps"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/sync/facts"
	"novasphere.dev/wukong/sync/node"
	"novasphere.dev/wukong/types/v1alpha1"
)

// Desired is the policy of a bridge as it is created. With preserveHostIP it is the form for nodes with static
// addresses: only the reports of the nodes tell whether their addresses come by DHCP.
func (v *View) Desired(w *Want) *unstructured.Unstructured {
	return v.desired(w, form{})
}

// form is what only the nodes tell of a policy.
type form struct {
	dhcp bool  // the address that preserveHostIP moves comes by DHCP
	mtu  int64 // what the NICs have, where the spec says none and it is not the usual
}

// desired is the NodeNetworkConfigurationPolicy that builds a bridge on the nodes.
func (v *View) desired(w *Want, f form) *unstructured.Unstructured {
	spec := map[string]any{"desiredState": map[string]any{"interfaces": interfaces(w.filled(f.mtu).Bridge)}}
	if w.Bridge.Preserves {
		spec = preserving(w.Bridge, f)
	}
	if len(w.NodeSelector) > 0 {
		selector := map[string]any{}
		for key, value := range w.NodeSelector {
			selector[key] = value
		}
		spec["nodeSelector"] = selector
	}
	labels := maps.Clone(w.Labels)
	labels[facts.LabelReclaimPolicy] = string(v1alpha1.Retain)
	if w.ReclaimPolicy != "" {
		labels[facts.LabelReclaimPolicy] = string(w.ReclaimPolicy)
	}
	metadata := map[string]any{"name": w.Policy, "labels": labels}
	annotateMTU(metadata, f.mtu)
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "nmstate.io/v1",
		"kind":       "NodeNetworkConfigurationPolicy",
		"metadata":   metadata,
		"spec":       spec,
	}}
}

// interfaces are the bridge and, if the network is tagged, the VLAN interface that feeds it.
//
// No two of them may have the same name: Metacontroller merges the list by name, and would make two copies of one of
// them.
func interfaces(b node.Bridge) []any {
	var all []any
	if b.VLAN != 0 {
		// The NIC is not listed: NMState leaves an unlisted interface as it is, with the node's address.
		all = append(all, withMTU(b, map[string]any{
			"name":  b.Uplink,
			"type":  "vlan",
			"state": "up",
			"vlan":  map[string]any{"base-iface": b.NIC, "id": b.VLAN},
			"ipv4":  map[string]any{"enabled": false},
			"ipv6":  map[string]any{"enabled": false},
		}))
	}
	if b.Kind == node.OVSBridge {
		// An ovs-bridge has neither address nor MTU: nmstate drops an address and refuses an MTU.
		return append(all, map[string]any{
			"name":  b.Name,
			"type":  b.Kind,
			"state": "up",
			"bridge": map[string]any{
				"options": map[string]any{"stp": false},
				"port":    []any{map[string]any{"name": b.Uplink}},
			},
		})
	}
	return append(all, withMTU(b, map[string]any{
		"name":   b.Name,
		"type":   b.Kind,
		"state":  "up",
		"ipv4":   map[string]any{"enabled": false},
		"ipv6":   map[string]any{"enabled": false},
		"bridge": ports(b),
	}))
}

// ports is the bridge block of a linux-bridge. NMState gives a port without a vlan block VLAN filtering with every tag
// allowed; the empty vlan block keeps filtering off.
func ports(b node.Bridge) map[string]any {
	return map[string]any{
		"options": map[string]any{"stp": map[string]any{"enabled": false}},
		"port":    []any{map[string]any{"name": b.Uplink, "vlan": map[string]any{}}},
	}
}

func withMTU(b node.Bridge, iface map[string]any) map[string]any {
	if b.MTU != 0 {
		iface["mtu"] = b.MTU
	}
	return iface
}

// preserving is the spec of a policy with preserveHostIP: it moves MAC, addresses and routes of the NIC to the bridge,
// and checks on each node that this is right. The capture "same" is the interface of the default route, if that
// interface has the NIC's MAC: the NIC itself, or the bridge after the move. Where the default route is elsewhere,
// "same" is empty, and NMState fails without changing anything. https://nmstate.io/nmpolicy/ describes the expressions.
//
// The bridge has the MTU of the NIC, on each node its own: less would be less for the node itself as soon as a machine is plugged in.
func preserving(b node.Bridge, f form) map[string]any {
	capture := map[string]any{
		"default-gw": `routes.running.destination=="0.0.0.0/0"`,
		"host":       `interfaces.name==capture.default-gw.routes.running.0.next-hop-interface`,
		"nic":        fmt.Sprintf("interfaces.name==%q", b.NIC),
		"same":       `capture.host | interfaces.mac-address==capture.nic.interfaces.0.mac-address`,
	}
	bridge := withMTU(b, map[string]any{
		"name":        b.Name,
		"type":        node.LinuxBridge,
		"state":       "up",
		"mac-address": "{{ capture.same.interfaces.0.mac-address }}",
		"bridge":      ports(b),
	})
	if f.mtu != 0 {
		bridge["mtu"] = "{{ capture.nic.interfaces.0.mtu }}"
	}
	desired := map[string]any{"interfaces": []any{bridge}}
	if f.dhcp {
		bridge["ipv4"] = map[string]any{"enabled": true, "dhcp": true}
	} else {
		capture["same-routes"] = `routes.running.next-hop-interface==capture.same.interfaces.0.name`
		capture["bridge-routes"] = fmt.Sprintf("capture.same-routes | routes.running.next-hop-interface:=%q", b.Name)
		bridge["ipv4"] = "{{ capture.same.interfaces.0.ipv4 }}"
		bridge["ipv6"] = "{{ capture.same.interfaces.0.ipv6 }}"
		desired["routes"] = map[string]any{"config": "{{ capture.bridge-routes.routes.running }}"}
	}
	// One node at a time: an error then hits one node only.
	return map[string]any{"capture": capture, "desiredState": desired, "maxUnavailable": int64(1)}
}

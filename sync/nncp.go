package sync

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/types/v1alpha1"
)

// policy is the NodeNetworkConfigurationPolicy that builds the bridge of one network on the nodes.
//
// No two interfaces in it may have the same name: Metacontroller merges the list by name, and would make two copies of
// one of them.
func policy(w *v1alpha1.Wukong, n network) *unstructured.Unstructured {
	var interfaces []any
	if n.VLANID != 0 {
		// The NIC itself is not listed. A base interface that is never mentioned stays as it is, with the node's address.
		interfaces = append(interfaces, withMTU(n, map[string]any{
			"name":  n.uplink,
			"type":  "vlan",
			"state": "up",
			"vlan":  map[string]any{"base-iface": n.nic, "id": int64(n.VLANID)},
			"ipv4":  map[string]any{"enabled": false},
			"ipv6":  map[string]any{"enabled": false},
		}))
	}
	if n.Type == v1alpha1.OVS {
		// An ovs-bridge has neither address nor MTU: nmstate drops the one and refuses the other.
		interfaces = append(interfaces, map[string]any{
			"name":  n.bridge,
			"type":  "ovs-bridge",
			"state": "up",
			"bridge": map[string]any{
				"options": map[string]any{"stp": false},
				"port":    []any{map[string]any{"name": n.uplink}},
			},
		})
	} else {
		interfaces = append(interfaces, withMTU(n, map[string]any{
			"name":   n.bridge,
			"type":   "linux-bridge",
			"state":  "up",
			"ipv4":   map[string]any{"enabled": false},
			"ipv6":   map[string]any{"enabled": false},
			"bridge": linuxBridge(n),
		}))
	}

	return newPolicy(w, n, map[string]any{"desiredState": map[string]any{"interfaces": interfaces}})
}

func newPolicy(w *v1alpha1.Wukong, n network, spec map[string]any) *unstructured.Unstructured {
	if ha := w.Spec.HighAvailability; ha != nil && len(ha.NodeSelector) > 0 {
		selector := map[string]any{}
		for key, value := range ha.NodeSelector {
			selector[key] = string(value)
		}
		spec["nodeSelector"] = selector
	}
	l := networkLabels(w, n)
	l[labelReclaimPolicy] = string(v1alpha1.Retain)
	if n.ReclaimPolicy != "" {
		l[labelReclaimPolicy] = string(n.ReclaimPolicy)
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "nmstate.io/v1",
		"kind":       "NodeNetworkConfigurationPolicy",
		"metadata":   map[string]any{"name": n.policy, "labels": l},
		"spec":       spec,
	}}
}

// linuxBridge is the bridge block of a linux-bridge. A port without a vlan block would get one from NMState that turns
// on VLAN filtering with every tag allowed; the empty block keeps the bridge a plain one.
func linuxBridge(n network) map[string]any {
	return map[string]any{
		"options": map[string]any{"stp": map[string]any{"enabled": false}},
		"port":    []any{map[string]any{"name": n.uplink, "vlan": map[string]any{}}},
	}
}

func withMTU(n network, iface map[string]any) map[string]any {
	if n.MTU != 0 {
		iface["mtu"] = int64(n.MTU)
	}
	return iface
}

// preserving is the policy of a network with preserveHostIP: it moves MAC, addresses and routes of the NIC to the
// bridge, and guards itself on the node. "same" is the interface that the default route leaves by, if it has the NIC's
// MAC: the NIC, or the bridge once it took over. Where the default route is elsewhere it is empty, and NMState fails
// without changing anything. NMPolicy's expressions are described at https://nmstate.io/nmpolicy/.
func preserving(w *v1alpha1.Wukong, n network, dhcp bool) *unstructured.Unstructured {
	capture := map[string]any{
		"default-gw": `routes.running.destination=="0.0.0.0/0"`,
		"host":       `interfaces.name==capture.default-gw.routes.running.0.next-hop-interface`,
		"nic":        fmt.Sprintf("interfaces.name==%q", n.nic),
		"same":       `capture.host | interfaces.mac-address==capture.nic.interfaces.0.mac-address`,
	}
	bridge := withMTU(n, map[string]any{
		"name":        n.bridge,
		"type":        "linux-bridge",
		"state":       "up",
		"mac-address": "{{ capture.same.interfaces.0.mac-address }}",
		"bridge":      linuxBridge(n),
	})
	desired := map[string]any{"interfaces": []any{bridge}}
	if dhcp {
		bridge["ipv4"] = map[string]any{"enabled": true, "dhcp": true}
	} else {
		capture["same-routes"] = `routes.running.next-hop-interface==capture.same.interfaces.0.name`
		capture["bridge-routes"] = fmt.Sprintf("capture.same-routes | routes.running.next-hop-interface:=%q", n.bridge)
		bridge["ipv4"] = "{{ capture.same.interfaces.0.ipv4 }}"
		bridge["ipv6"] = "{{ capture.same.interfaces.0.ipv6 }}"
		desired["routes"] = map[string]any{"config": "{{ capture.bridge-routes.routes.running }}"}
	}
	// One node at a time: if it goes wrong, it goes wrong for one.
	return newPolicy(w, n, map[string]any{"capture": capture, "desiredState": desired, "maxUnavailable": int64(1)})
}

// newPolicyFor is the policy of a network; dhcp says that the address that preserveHostIP moves came by DHCP.
func newPolicyFor(w *v1alpha1.Wukong, n network, dhcp bool) *unstructured.Unstructured {
	if n.preserves() {
		return preserving(w, n, dhcp)
	}
	return policy(w, n)
}

// keepCapture answers an observed capture, and the template that uses it, as they are: NMState never lets capture
// change, and evaluated it once per node.
func keepCapture(desired, existing *unstructured.Unstructured) *unstructured.Unstructured {
	held := hold(existing)
	spec := desired.Object["spec"].(map[string]any)
	for _, field := range []string{"capture", "desiredState", "maxUnavailable"} {
		if kept := value(held, "spec", field); kept != nil {
			spec[field] = kept
		} else {
			delete(spec, field)
		}
	}
	return desired
}

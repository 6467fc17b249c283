package scale

import (
	"encoding/json"
	"fmt"
)

// The kinds of children and related objects, which are their keys in a request.
const (
	policyKind    = "NodeNetworkConfigurationPolicy.nmstate.io/v1"
	enactmentKind = "NodeNetworkConfigurationEnactment.nmstate.io/v1beta1"
	stateKind     = "NodeNetworkState.nmstate.io/v1beta1"
	nadKind       = "NetworkAttachmentDefinition.k8s.cni.cncf.io/v1"
	vmKind        = "VirtualMachine.kubevirt.io/v1"
	instanceKind  = "VirtualMachineInstance.kubevirt.io/v1"
	nodeKind      = "Node.v1"
)

const (
	// wukongName must not be part of any other text: the policies of others are made by replacing it.
	wukongName = "warehouse-db"
	namespace  = "default"
	nic        = "ens192" // carries the VLANs, and no address
	firstVLAN  = 101
)

// The times of what happened, in order. No clock is read: equal sizes make equal bytes.
const (
	bootTime    = "2026-06-01T08:00:00Z"
	createTime  = "2026-11-23T11:00:00Z"
	applyTime   = "2026-11-23T11:02:30Z"
	startTime   = "2026-11-23T11:05:00Z"
	reportTime  = "2026-11-23T11:55:00Z"
	webhookTime = "1763895600000000000"
)

// cluster is what exists.
type cluster struct {
	size   Size
	nodes  int  // so far
	others int  // policies of others, so far
	fresh  bool // neither KubeVirt nor the cache of related objects has seen the machine yet

	wukong   object
	children map[string]map[string]object // by kind and name, as in a request
	instance object
}

func newCluster(size Size) *cluster {
	return &cluster{
		size:     size,
		wukong:   newWukong(size),
		children: map[string]map[string]object{policyKind: {}, nadKind: {}, vmKind: {}},
	}
}

// network is one network of the Wukong.
type network struct {
	name, bridge, uplink string
	vlan                 int
}

func (c *cluster) networks() []network {
	var all []network
	for i := range c.size.Networks {
		vlan := firstVLAN + i
		all = append(all, network{
			name: fmt.Sprintf("vlan%d", vlan), bridge: fmt.Sprintf("br-vlan%d", vlan),
			uplink: fmt.Sprintf("%s.%d", nic, vlan), vlan: vlan,
		})
	}
	return all
}

// newWukong is the Wukong as its user has applied it.
func newWukong(size Size) object {
	spec := object{"cpu": 2, "memory": "4Gi", "namespace": namespace}
	networks := list{}
	for i, n := range (&cluster{size: size}).networks() {
		item := object{
			"bridgeName": n.bridge, "name": n.name, "physicalInterface": nic, "type": "bridge", "vlanId": n.vlan,
		}
		if i == 0 {
			item["ipConfig"] = object{"address": "192.168.101.10/24", "gateway": "192.168.101.1", "mode": "static"}
		}
		networks = append(networks, item)
	}
	if len(networks) == 0 {
		networks = append(networks, object{"name": "default", "type": "pod"})
	}
	spec["networks"] = networks
	w := object{
		"apiVersion": "vm.novasphere.dev/v1alpha1", "kind": "Wukong",
		"metadata": object{"annotations": object{}, "name": wukongName},
		"spec":     spec,
	}
	applied := string(mustEncode(w)) + "\n"
	metadata := at(w, "metadata")
	metadata["annotations"] = object{"kubectl.kubernetes.io/last-applied-configuration": applied}
	metadata["managedFields"] = list{writer{"kubectl-client-side-apply", "", createTime}.wrote(w, "spec")}
	metadata["finalizers"] = list{"metacontroller.io/compositecontroller-wukong"}
	metadata["creationTimestamp"], metadata["generation"] = createTime, 1
	metadata["resourceVersion"], metadata["uid"] = "150021", uid(wukongName)
	return w
}

// request is what Metacontroller sends at this moment.
func (c *cluster) request() object {
	related := object{vmKind: c.children[vmKind], instanceKind: object{}}
	if c.fresh {
		related[vmKind] = object{}
	}
	if c.instance != nil {
		related[instanceKind] = object{namespace + "/" + wukongName: c.instance}
	}
	policies := c.policies()
	if c.size.Networks > 0 {
		related[nadKind], related[enactmentKind] = c.children[nadKind], c.enactments()
		all := c.othersPolicies(policies)
		for name, policy := range policies {
			all[name] = policy
		}
		related[policyKind] = all
	}
	if c.size.Networks > 0 && c.nodes > 0 {
		nodes, states := map[string]json.RawMessage{}, map[string]json.RawMessage{}
		for i := range c.nodes {
			nodes[nodeName(i)], states[nodeName(i)] = mustEncode(node(i)), mustEncode(c.state(i))
		}
		related[nodeKind], related[stateKind] = nodes, states
	}
	return object{
		"controller": compositeController(),
		"parent":     c.wukong,
		"children":   object{policyKind: policies, nadKind: c.children[nadKind], vmKind: c.children[vmKind]},
		"related":    related,
		"finalizing": false,
	}
}

// compositeController is the CompositeController that calls the hook.
func compositeController() object {
	child := func(apiVersion, resource string) object {
		return object{"apiVersion": apiVersion, "resource": resource, "updateStrategy": object{"method": "InPlace", "statusChecks": object{}}}
	}
	webhook := func(path string) object {
		return object{"version": "v2", "webhook": object{"url": "http://wukong.wukong-system:8080/" + path, "timeout": "10s"}}
	}
	o := object{
		"apiVersion": "metacontroller.k8s.io/v1alpha1", "kind": "CompositeController",
		"metadata": object{"name": "wukong"},
		"spec": object{
			"childResources": list{
				child("nmstate.io/v1", "nodenetworkconfigurationpolicies"),
				child("k8s.cni.cncf.io/v1", "network-attachment-definitions"),
				child("kubevirt.io/v1", "virtualmachines"),
			},
			"generateSelector": true,
			"hooks":            object{"customize": webhook("customize"), "finalize": webhook("finalize"), "sync": webhook("sync")},
			"parentResource":   object{"apiVersion": "vm.novasphere.dev/v1alpha1", "resource": "wukongs"},
		},
		"status": object{},
	}
	metadata := at(o, "metadata")
	metadata["annotations"] = object{"kubectl.kubernetes.io/last-applied-configuration": string(mustEncode(o)) + "\n"}
	metadata["managedFields"] = list{writer{"kubectl-client-side-apply", "", bootTime}.wrote(o, "spec")}
	metadata["creationTimestamp"], metadata["generation"] = bootTime, 1
	metadata["resourceVersion"], metadata["uid"] = "1417", uid("CompositeController wukong")
	return o
}

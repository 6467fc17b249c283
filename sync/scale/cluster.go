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
	reportKind    = "WukongNode.vm.novasphere.dev/v1alpha1"
	sharedKind    = "WukongNetwork.vm.novasphere.dev/v1alpha1"
)

// The API of the parents.
const (
	apiVersion = "vm.novasphere.dev/v1alpha1"
	wukong     = "Wukong"
	shared     = "WukongNetwork"
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
	hook   Hook
	nodes  int  // so far
	others int  // policies of others, so far
	fresh  bool // neither KubeVirt nor the cache of related objects has seen the machine yet

	parent   object // the Wukong or WukongNetwork that the hook is asked about
	networks []network
	children map[string]map[string]object // by kind and name, as in a request
	shared   map[string]object            // the WukongNetworks that the Wukong uses
	instance object
}

// newCluster is a cluster with a new Wukong.
func newCluster(size Size, hook Hook) *cluster {
	c := &cluster{size: size, hook: hook, children: map[string]map[string]object{policyKind: {}, nadKind: {}, vmKind: {}}}
	for i := range size.Networks {
		c.networks = append(c.networks, newNetwork(i))
	}
	c.parent = newWukong(size, c.networks)
	return c
}

// network is one network of the Wukong, or a WukongNetwork.
type network struct {
	name, bridge, uplink string
	policy               string
	vlan                 int
}

func newNetwork(i int) network {
	n := network{vlan: firstVLAN + i}
	n.name, n.uplink = fmt.Sprintf("vlan%d", n.vlan), fmt.Sprintf("%s.%d", nic, n.vlan)
	n.bridge, n.policy = "br-"+n.name, policyName(wukongName, n.name)
	return n
}

// kindAndName are those of the parent.
func (c *cluster) kindAndName() (kind, name string) {
	return c.parent["kind"].(string), at(c.parent, "metadata")["name"].(string)
}

// newWukong is the Wukong as its user has applied it.
func newWukong(size Size, networks []network) object {
	spec := object{"cpu": 2, "memory": "4Gi", "namespace": namespace}
	all := list{}
	for i, n := range networks {
		item := object{"name": n.name, "networkName": n.name}
		if !size.Shared {
			item = object{"bridgeName": n.bridge, "name": n.name, "physicalInterface": nic, "type": "bridge", "vlanId": n.vlan}
		}
		if i == 0 {
			item["ipConfig"] = object{"address": "192.168.101.10/24", "gateway": "192.168.101.1", "mode": "static"}
		}
		all = append(all, item)
	}
	if len(all) == 0 {
		all = append(all, object{"name": "default", "type": "pod"})
	}
	spec["networks"] = all
	return applied(wukong, wukongName, spec)
}

// applied is a parent after its user has applied it.
func applied(kind, name string, spec object) object {
	o := object{"apiVersion": apiVersion, "kind": kind, "metadata": object{"annotations": object{}, "name": name}, "spec": spec}
	text := string(mustEncode(o)) + "\n"
	metadata := at(o, "metadata")
	metadata["annotations"] = object{"kubectl.kubernetes.io/last-applied-configuration": text}
	metadata["managedFields"] = list{writer{"kubectl-client-side-apply", "", createTime}.wrote(o, "spec")}
	metadata["finalizers"] = list{"metacontroller.io/compositecontroller-" + controllers[kind]}
	metadata["creationTimestamp"], metadata["generation"] = createTime, 1
	metadata["resourceVersion"], metadata["uid"] = "150021", uid(name)
	return o
}

// request is what Metacontroller sends at this moment.
func (c *cluster) request() ([]byte, error) {
	related := object{}
	kind, _ := c.kindAndName()
	if kind == wukong {
		c.relateMachine(related)
	}
	policies := c.policies()
	if len(c.networks) > 0 && !c.size.Shared {
		related[enactmentKind] = c.enactments()
		all := c.othersPolicies(policies)
		for name, policy := range policies {
			all[name] = policy
		}
		related[policyKind] = all
		if err := c.relateNodes(related); err != nil {
			return nil, err
		}
	}
	children := object{policyKind: policies}
	for other, all := range c.children {
		if other != policyKind {
			children[other] = all
		}
	}
	return encode(object{
		"controller": compositeController(kind), "parent": c.parent, "children": children, "related": related, "finalizing": false,
	})
}

// relateMachine adds what is related of a Wukong's machine and attachments, and the WukongNetworks that the Wukong uses.
func (c *cluster) relateMachine(related object) {
	related[vmKind], related[instanceKind] = c.children[vmKind], object{}
	if c.fresh {
		related[vmKind] = object{}
	}
	if c.instance != nil {
		related[instanceKind] = object{namespace + "/" + wukongName: c.instance}
	}
	if len(c.networks) > 0 {
		related[nadKind] = c.children[nadKind]
	}
	if c.size.Shared {
		related[sharedKind] = c.shared
	}
}

// relateNodes adds what is related of the nodes: WukongNodes, or what they are made of.
func (c *cluster) relateNodes(related object) error {
	if c.nodes == 0 {
		return nil
	}
	nodes, states, reports := map[string]json.RawMessage{}, map[string]json.RawMessage{}, map[string]json.RawMessage{}
	for i := range c.nodes {
		name := nodeName(i)
		if c.size.States {
			nodes[name], states[name] = mustEncode(node(i)), mustEncode(c.state(i))
			continue
		}
		report, err := c.report(i)
		if err != nil {
			return err
		}
		reports[name] = mustEncode(report)
	}
	if c.size.States {
		related[nodeKind], related[stateKind] = nodes, states
	} else {
		related[reportKind] = reports
	}
	return nil
}

package scale

import (
	"encoding/json"
	"fmt"
)

// admitted adds to a machine what KubeVirt's webhook adds.
func admitted(machine object) {
	template := at(machine, "spec", "template", "spec")
	template["architecture"] = "amd64"
	domain := at(template, "domain")
	domain["firmware"] = object{"serial": uid("serial"), "uuid": uid("firmware")}
	domain["machine"] = object{"type": "pc-q35-rhel9.4.0"}
	domain["resources"] = object{}
	metadata := at(machine, "metadata")
	metadata["finalizers"] = list{"kubevirt.io/virtualMachineControllerFinalize"}
	annotations := at(metadata, "annotations")
	annotations["kubevirt.io/latest-observed-api-version"] = "v1"
	annotations["kubevirt.io/storage-observed-api-version"] = "v1"
}

// starts does KubeVirt's part: it starts the machine if KubeVirt has not seen it yet. acted is whether there was such a
// machine.
func (c *cluster) starts() (acted bool) {
	for _, machine := range c.children[vmKind] {
		if machine["status"] != nil || c.fresh {
			continue
		}
		c.instance = newInstance(machine)
		run(machine)
		acted = true
	}
	return acted
}

func run(machine object) {
	machine["status"] = object{
		"conditions": list{
			object{"lastProbeTime": nil, "lastTransitionTime": startTime, "status": "True", "type": "Ready"},
			object{
				"lastProbeTime": nil, "lastTransitionTime": nil, "reason": "InterfaceNotLiveMigratable", "status": "False", "type": "LiveMigratable",
				"message": "cannot migrate VMI which does not use masquerade, bridge with " +
					"kubevirt.io/allow-pod-bridge-network-live-migration VM annotation, or a migratable plugin to connect to the pod network",
			},
			object{"lastProbeTime": startTime, "lastTransitionTime": nil, "status": "True", "type": "AgentConnected"},
		},
		"created": true, "desiredGeneration": json.Number("1"), "observedGeneration": json.Number("1"),
		"printableStatus": "Running", "ready": true, "runStrategy": "Always",
		"volumeSnapshotStatuses": list{object{
			"enabled": false, "name": "osdisk", "reason": "Snapshot is not supported for this volumeSource type [osdisk]",
		}},
	}
	metadata := at(machine, "metadata")
	entry := writer{"virt-controller", "status", startTime}.wrote(machine, "status")
	metadata["managedFields"] = append(metadata["managedFields"].(list), entry)
}

// newInstance is the running instance of a machine, as its guest agent reports it.
func newInstance(machine object) object {
	spec := at(clone(machine), "spec", "template", "spec")
	interfaces := list{}
	for i, v := range at(spec, "domain", "devices")["interfaces"].(list) {
		wanted := v.(object)
		ip := fmt.Sprintf("192.168.%d.10", firstVLAN+i)
		if wanted["masquerade"] != nil {
			ip = "10.244.0.17"
		}
		interfaces = append(interfaces, object{
			"infoSource": "domain, guest-agent, multus-status", "interfaceName": fmt.Sprintf("enp%ds0", i+1),
			"ipAddress": ip, "ipAddresses": list{ip, fmt.Sprintf("fe80::5054:ff:fe00:%x", i+1)},
			"linkState": "up", "mac": wanted["macAddress"], "name": wanted["name"],
			"podInterfaceName": fmt.Sprintf("pod%07x", hash(fmt.Sprint(wanted["name"]))>>4), "queueCount": 1,
		})
	}
	name := fmt.Sprint(at(machine, "metadata")["name"])
	o := object{
		"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstance",
		"metadata": object{
			"annotations": object{
				"kubevirt.io/latest-observed-api-version": "v1", "kubevirt.io/storage-observed-api-version": "v1", "kubevirt.io/vm-generation": "1",
			},
			"labels": at(machine, "spec", "template", "metadata")["labels"],
			"name":   name, "namespace": namespace, "uid": uid("instance " + name), "creationTimestamp": createTime,
			"generation": 12, "resourceVersion": "153011",
			"finalizers":      list{"kubevirt.io/virtualMachineControllerFinalize", "foregroundDeleteVirtualMachine"},
			"ownerReferences": list{ownedBy("kubevirt.io/v1", "VirtualMachine", name, fmt.Sprint(at(machine, "metadata")["uid"]))},
		},
		"spec": spec,
		"status": object{
			"activePods": object{uid("pod"): nodeName(0)},
			"conditions": list{
				object{"lastProbeTime": nil, "lastTransitionTime": startTime, "status": "True", "type": "Ready"},
				object{"lastProbeTime": startTime, "lastTransitionTime": nil, "status": "True", "type": "AgentConnected"},
			},
			"guestOSInfo": object{
				"id": "ubuntu", "kernelRelease": "6.8.0-45-generic", "name": "Ubuntu", "prettyName": "Ubuntu 24.04.1 LTS", "versionId": "24.04",
			},
			"interfaces": interfaces, "launcherContainerImageVersion": "quay.io/kubevirt/virt-launcher:v1.8.0", "nodeName": nodeName(0),
			"phase":                      "Running",
			"runtimeUser":                107,
			"virtualMachineRevisionName": "revision-start-vm-" + uid("revision") + "-1",
			"volumeStatus":               volumes(spec),
		},
	}
	at(o, "metadata")["managedFields"] = list{
		writer{"virt-controller", "", startTime}.wrote(o, "spec"), writer{"virt-handler", "status", startTime}.wrote(o, "status"),
	}
	return o
}

func volumes(spec object) list {
	all := list{}
	for i, v := range spec["volumes"].(list) {
		all = append(all, object{"name": v.(object)["name"], "target": fmt.Sprintf("vd%c", 'a'+rune(i))})
	}
	return all
}

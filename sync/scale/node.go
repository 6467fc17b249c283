package scale

import "fmt"

func nodeName(i int) string {
	return fmt.Sprintf("worker-%03d", i+1)
}

// node is a Node with everything that the kubelet, KubeVirt and others put there: 14 KB, most of it the list of the
// images on its disk.
func node(i int) object {
	name, podCIDR := nodeName(i), fmt.Sprintf("10.%d.%d.0/24", 200+i/250, i%250)
	o := object{
		"apiVersion": "v1", "kind": "Node",
		"metadata": object{
			"annotations": object{
				"cluster.example.com/machine": "machines/" + name,
				"csi.volume.kubernetes.io/nodeid": fmt.Sprintf(
					`{"rook-ceph.cephfs.csi.ceph.com":%q,"rook-ceph.rbd.csi.ceph.com":%q}`, name, name),
				"kubevirt.io/heartbeat":                                  reportTime,
				"kubevirt.io/ksm-handler-managed":                        "false",
				"node.alpha.kubernetes.io/ttl":                           "0",
				"volumes.kubernetes.io/controller-managed-attach-detach": "true",
			},
			"labels": object{
				"beta.kubernetes.io/arch": "amd64", "beta.kubernetes.io/os": "linux", "cpumanager": "false",
				"cpu-model.node.kubevirt.io/Cascadelake-Server": "true", "cpu-model.node.kubevirt.io/Skylake-Server": "true",
				"host-model-cpu.node.kubevirt.io/Icelake-Server-v2": "true", "kubernetes.io/arch": "amd64", "kubernetes.io/hostname": name,
				"kubernetes.io/os": "linux", "kubevirt.io/schedulable": "true", "node-role.kubernetes.io/worker": "",
				"topology.kubernetes.io/zone": fmt.Sprintf("zone-%c", 'a'+rune(i%3)),
			},
			"name": name, "uid": uid(name), "creationTimestamp": bootTime, "resourceVersion": fmt.Sprint(900000 + i),
		},
		"spec": object{"podCIDR": podCIDR, "podCIDRs": list{podCIDR}},
		"status": object{
			"addresses":       list{object{"address": hostAddress(i), "type": "InternalIP"}, object{"address": name, "type": "Hostname"}},
			"allocatable":     resources("31500m", "129847Mi"),
			"capacity":        resources("32", "131072Mi"),
			"conditions":      nodeConditions(),
			"daemonEndpoints": object{"kubeletEndpoint": object{"Port": 10250}},
			"images":          images(i),
			"nodeInfo": object{
				"architecture": "amd64", "bootID": uid("boot " + name), "containerRuntimeVersion": "containerd://2.0.5",
				"kernelVersion": "6.8.0-45-generic", "kubeProxyVersion": "", "kubeletVersion": "v1.34.1",
				"machineID": fmt.Sprintf("%08x%08x", hash(name), hash("machine "+name)), "operatingSystem": "linux",
				"osImage": "Ubuntu 24.04.1 LTS", "systemUUID": uid("system " + name),
			},
		},
	}
	at(o, "metadata")["managedFields"] = list{
		writer{"kubelet", "", bootTime}.wrote(o), writer{"kube-controller-manager", "", bootTime}.wrote(o, "spec"),
		kubeletsStatus(o),
	}
	return o
}

// hostAddress is the address of a node. The NIC of the VLANs does not carry it.
func hostAddress(i int) string {
	return fmt.Sprintf("10.0.%d.%d", i/250, i%250+1)
}

func resources(cpu, memory string) object {
	return object{
		"bridge.network.kubevirt.io/br1": "1k", "cpu": cpu,
		"devices.kubevirt.io/kvm": "1k", "devices.kubevirt.io/tun": "1k", "devices.kubevirt.io/vhost-net": "1k",
		"ephemeral-storage": "459850824Ki", "hugepages-1Gi": "0", "hugepages-2Mi": "0", "memory": memory, "pods": "250",
	}
}

func nodeConditions() list {
	all := list{}
	for _, c := range [][4]string{
		{"MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"},
		{"DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"},
		{"PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"},
		{"Ready", "True", "KubeletReady", "kubelet is posting ready status"},
	} {
		all = append(all, object{
			"lastHeartbeatTime": reportTime, "lastTransitionTime": bootTime, "message": c[3], "reason": c[2], "status": c[1], "type": c[0],
		})
	}
	return all
}

// images are those of fifty container images, which is as many as the kubelet reports.
func images(i int) list {
	all := list{}
	for k := range 50 {
		repository := fmt.Sprintf("quay.io/team-%d/service-%d", k%7, k)
		all = append(all, object{
			"names": list{
				fmt.Sprintf("%s@sha256:%08x%08x%048x", repository, hash(repository), hash(nodeName(i)+repository), k),
				fmt.Sprintf("%s:v1.%d.%d", repository, k%20, k%3),
			},
			"sizeBytes": 20000000 + int(hash(repository))%900000000,
		})
	}
	return all
}

// kubeletsStatus is the entry in managedFields for the status of a Node. There each condition is a field of its own, by
// its type.
func kubeletsStatus(o object) object {
	entry := writer{"kubelet", "status", reportTime}.wrote(o, "status")
	conditions := object{}
	for _, c := range nodeConditions() {
		conditions[fmt.Sprintf(`k:{"type":%q}`, c.(object)["type"])] = fieldsOf(c)
	}
	at(entry, "fieldsV1", "f:status")["f:conditions"] = conditions
	return entry
}

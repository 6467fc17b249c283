package simulator

import (
	"fmt"
	"hash/fnv"
)

// What a Node and a NodeNetworkState consist of on a node that is in use: images and heartbeats, and a veth for each pod.
// Nobody decides anything by it, but everybody who looks at the object has to read it.

// kubeletStatus is what the kubelet reports of a node.
func kubeletStatus(node Node) map[string]any {
	resources := map[string]any{
		"cpu": "31500m", "memory": "129847Mi", "pods": "250", "ephemeral-storage": "459850824Ki", "hugepages-1Gi": "0", "hugepages-2Mi": "0",
		"devices.kubevirt.io/kvm": "1k", "devices.kubevirt.io/tun": "1k", "devices.kubevirt.io/vhost-net": "1k",
	}
	status := map[string]any{
		"capacity": resources, "allocatable": resources,
		"nodeInfo": map[string]any{
			"architecture": "amd64", "bootID": fmt.Sprintf("%08x", hash("boot "+node.Name)), "containerRuntimeVersion": "containerd://2.0.5",
			"kernelVersion": "6.8.0-45-generic", "kubeProxyVersion": "", "kubeletVersion": "v1.34.1", "operatingSystem": "linux",
			"machineID": fmt.Sprintf("%08x", hash(node.Name)), "osImage": "Ubuntu 24.04.1 LTS", "systemUUID": fmt.Sprintf("%08x", hash("system "+node.Name)),
		},
	}
	var conditions []any
	for _, c := range [][4]string{
		{"MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"},
		{"DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"},
		{"PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"},
		{"Ready", "True", "KubeletReady", "kubelet is posting ready status"},
	} {
		conditions = append(conditions, map[string]any{
			"type": c[0], "status": c[1], "reason": c[2], "message": c[3], "lastHeartbeatTime": now(), "lastTransitionTime": now(),
		})
	}
	status["conditions"] = conditions
	if node.Pods == 0 {
		return status
	}
	var images []any // of as many as the kubelet reports
	for k := range 50 {
		repository := fmt.Sprintf("quay.io/team-%d/service-%d", k%7, k)
		images = append(images, map[string]any{
			"names": []any{
				fmt.Sprintf("%s@sha256:%08x%08x%048x", repository, hash(repository), hash(node.Name+repository), k),
				fmt.Sprintf("%s:v1.%d.%d", repository, k%20, k%3),
			},
			"sizeBytes": int64(20_000_000 + hash(repository)%900_000_000),
		})
	}
	status["images"] = images
	return status
}

// veths are the host's ends of the pods' interfaces.
func veths(node Node) []any {
	var all []any
	for k := range node.Pods {
		all = append(all, map[string]any{
			"accept-all-mac-addresses": false, "controller": "cni0",
			"ethtool": map[string]any{"feature": map[string]any{"rx-checksum": true, "rx-gro": true}},
			"ipv4":    map[string]any{"address": []any{}, "enabled": false},
			"ipv6": map[string]any{"enabled": true, "autoconf": false, "dhcp": false, "address": []any{
				map[string]any{"ip": fmt.Sprintf("fe80::%x", 4096+k), "prefix-length": int64(64)},
			}},
			"lldp": map[string]any{"enabled": false}, "mac-address": fmt.Sprintf("0A:58:0A:F4:%02X:%02X", byte(k>>8), byte(k)), "mtu": int64(1450),
			"name": fmt.Sprintf("veth%08x", hash(fmt.Sprint(node.Name, k))), "state": "up", "type": "veth",
			"veth": map[string]any{"peer": "eth0"}, "wait-ip": "any",
		})
	}
	return all
}

func hash(text string) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(text))
	return h.Sum32()
}

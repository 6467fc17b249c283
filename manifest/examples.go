package manifest

// examples are values of the fields that people ask about.
func examples() map[string]string {
	return map[string]string{
		"cpu": "2", "memory": "4Gi", "vlanId": "100", "mtu": "9000", "size": "20Gi", "name": "web", "namespace": "team-a",
		"networks": "[{name: lan, type: bridge, vlanId: 100}]", "disks": "[{name: root, size: 20Gi, boot: true, image: \"docker://quay.io/containerdisks/ubuntu:24.04\"}]",
		"ipConfig":          "{mode: static, address: 192.168.100.10/24, gateway: 192.168.100.1}",
		"cloudInitUser":     "{name: ubuntu, password: change-me}",
		"dnsServers":        "[192.168.100.1]",
		"sshAuthorizedKeys": "[ssh-ed25519 AAAA… me@home]", "macAddress": "02:00:00:00:00:01", "spec": "{cpu: 2}",
		"physicalInterface": "ens160", "bridgeName": "br-lan", "nodeSelector": "{rack: a}", "resourceName": "intel.com/sriov", "osImage": "quay.io/containerdisks/ubuntu:24.04",
		"routes": "[{to: 10.20.0.0/16, via: 192.168.100.254}]", "uplinks": "[{name: a, nodeSelector: {rack: a}, physicalInterface: eno1}]",
		"password": "\"123456\"", "address": "192.168.100.10/24", "gateway": "192.168.100.1", "instancetype": "{name: u1.medium}",
		"preference": "{name: ubuntu}", "highAvailability": "{nodeSelector: {rack: a}}", "startStrategy": "{runStrategy: Always}",
		"nadName": "default/lan", "networkName": "lan-100", "tolerations": "[{key: vms, operator: Exists}]", "labels": "{team: net}", "annotations": "{owner: net}",
	}
}

// patternWords is what a pattern of the definitions asks for, with an example.
func patternWords(pattern string) string {
	if words, ok := patterns()[pattern]; ok {
		return words
	}
	return "it has to match " + pattern
}

// patterns are the patterns of the definitions in words. A test holds that none is missing.
func patterns() map[string]string {
	return map[string]string{
		`^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$`:                                           "a label's value has letters, digits, '-', '_' and '.', with a letter or digit at both ends, for example rack-a",
		`^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$`:            "a resource is a name with the domain of its device plugin before it, for example intel.com/sriov_net",
		`^([a-z0-9]([-a-z0-9]*[a-z0-9])?/)?[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`:                       "a NetworkAttachmentDefinition is named by its name, or by namespace/name: lower-case letters, digits and '-', for example default/lan",
		`^(docker://)?[A-Za-z0-9]([A-Za-z0-9._/@-]|:[A-Za-z0-9])*$`:                               "an image is named without spaces and without https://, for example quay.io/containerdisks/ubuntu:24.04",
		`^[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$`:                                              "an interface has letters, digits, '.', '_' and '-', with a letter or digit at both ends, for example br-lan or ens160",
		`^[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9])?)*$`: "a domain has labels with dots between them and none at its end, for example lab.example.com",
		`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`:                                                        "a name has lower-case letters, digits, '-' and '.', with a letter or digit at both ends, for example my-secret",
		`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`:                                                         "a name has lower-case letters, digits and '-', with a letter or digit at both ends, for example lan-1",
		`^[a-z_][a-z0-9_.-]*$`:                                                                    "a user or group begins with a lower-case letter or '_', and has those, digits, '.', '_' and '-', for example ubuntu",
	}
}

package admission_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"novasphere.dev/wukong/admission"
)

const wukongs = "../deploy/base/vm.novasphere.dev_wukongs.yaml"

// rule is one thing that may be wrong with a Wukong: as it is right, as it is wrong, and what the user is told. Without
// metadata the Wukong's name is vm.
type rule struct {
	says     string
	accepted string
	refused  string
	want     string
}

// creations are the rules for one Wukong by itself.
func creations() []rule {
	return []rule{
		// The Wukong.
		{
			says:     "a Wukong has a spec",
			accepted: `spec: {}`,
			refused:  `{}`,
			want:     `[spec: Required value, <nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation]`,
		},
		{
			says:     "its name is a DNS name",
			accepted: `{metadata: {name: ubuntu-vm}, spec: {}}`,
			refused:  `{metadata: {name: Ubuntu_VM}, spec: {}}`,
			want:     `Wukong.vm.novasphere.dev "Ubuntu_VM" is invalid: metadata.name: Invalid value: "Ubuntu_VM": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`,
		},
		{
			says:     "its name is one label, because it becomes the machine's",
			accepted: `{metadata: {name: ubuntu-24-04}, spec: {}}`,
			refused:  `{metadata: {name: ubuntu-24.04}, spec: {}}`,
			want:     `Wukong.vm.novasphere.dev "ubuntu-24.04" is invalid: metadata: Invalid value: the name becomes the VM's name: use lower-case letters, digits and '-', at most 63 characters, no dots`,
		},
		{
			says:     "its name has at most 63 characters",
			accepted: `{metadata: {name: a23456789-b23456789-c23456789-d23456789-e23456789-f23456789-g23}, spec: {}}`,
			refused:  `{metadata: {name: a23456789-b23456789-c23456789-d23456789-e23456789-f23456789-g234}, spec: {}}`,
			want:     `Wukong.vm.novasphere.dev "a23456789-b23456789-c23456789-d23456789-e23456789-f23456789-g234" is invalid: metadata: Invalid value: the name becomes the VM's name: use lower-case letters, digits and '-', at most 63 characters, no dots`,
		},
		{
			says:     "labels are well-formed",
			accepted: `{metadata: {name: vm, labels: {team: net}}, spec: {}}`,
			refused:  `{metadata: {name: vm, labels: {team: the network team}}, spec: {}}`,
			want:     `metadata.labels: Invalid value: "the network team": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')`,
		},
		{
			says:     "the name of a policy has at most 63 characters",
			accepted: `{metadata: {name: a23456789-b23456789-c23456789-d23456789-e23}, spec: {networks: [{name: twelve-bytes, type: bridge}]}}`,
			refused:  `{metadata: {name: a23456789-b23456789-c23456789-d23456789-e234}, spec: {networks: [{name: twelve-bytes, type: bridge}]}}`,
			want:     `Wukong.vm.novasphere.dev "a23456789-b23456789-c23456789-d23456789-e234" is invalid: spec.networks: Invalid value: a policy name {wukong}-{network}-bridge is longer than 63 characters: shorten the Wukong's name or the network's name`,
		},
		{
			says:     "a network without a policy needs no room for its name",
			accepted: `{metadata: {name: a23456789-b23456789-c23456789-d23456789-e234}, spec: {networks: [{name: twelve-bytes, type: bridge, nadName: shared}]}}`,
			refused:  `{metadata: {name: a23456789-b23456789-c23456789-d23456789-e234}, spec: {networks: [{name: twelve-bytes, type: ovs}]}}`,
			want:     `Wukong.vm.novasphere.dev "a23456789-b23456789-c23456789-d23456789-e234" is invalid: spec.networks: Invalid value: a policy name {wukong}-{network}-bridge is longer than 63 characters: shorten the Wukong's name or the network's name`,
		},

		// The machine.
		{
			says:     "a machine has 1 to 256 cores",
			accepted: `spec: {cpu: 256}`,
			refused:  `spec: {cpu: 257}`,
			want:     `spec.cpu: Invalid value: 257: spec.cpu in body should be less than or equal to 256`,
		},
		{
			says:     "cores are whole",
			accepted: `spec: {cpu: 1}`,
			refused:  `spec: {cpu: 0.5}`,
			want:     `[spec.cpu: Invalid value: "float64": spec.cpu in body must be of type int32: "float64", spec.cpu: Invalid value: 0.5: spec.cpu in body should be greater than or equal to 1, <nil>: Invalid value: "": Checked value must be of type integer with format int32 in spec.cpu, <nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation]`,
		},
		{
			says:     "a machine has a core",
			accepted: `spec: {cpu: 2}`,
			refused:  `spec: {cpu: 0}`,
			want:     `spec.cpu: Invalid value: 0: spec.cpu in body should be greater than or equal to 1`,
		},
		{
			says:     "memory is a quantity",
			accepted: `spec: {memory: 8.5Gi}`,
			refused:  `spec: {memory: 2GB}`,
			want:     `spec.memory: Invalid value: "2GB": spec.memory in body should match '^[0-9]+(\.[0-9]+)?(Ki|Mi|Gi|Ti|Pi|Ei|k|M|G|T|P|E)?$'`,
		},
		{
			says:     "memory has a unit",
			accepted: `spec: {memory: 2Gi}`,
			refused:  `spec: {memory: "2"}`,
			want:     `spec.memory: Invalid value: "2": memory must be at least 1Mi: give a unit, for example 2Gi`,
		},
		{
			says:     "memory without quotes and unit is bytes",
			accepted: `spec: {memory: 2147483648}`,
			refused:  `spec: {memory: 2}`,
			want:     `spec.memory: Invalid value: 2: memory must be at least 1Mi: give a unit, for example 2Gi`,
		},
		{
			says:     "the namespace is a DNS label",
			accepted: `spec: {namespace: machines}`,
			refused:  `spec: {namespace: Machines}`,
			want:     `spec.namespace: Invalid value: "Machines": spec.namespace in body should match '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$'`,
		},
		{
			says:     "osImage is an image reference",
			accepted: `spec: {osImage: "quay.io/containerdisks/ubuntu:24.04"}`,
			refused:  `spec: {osImage: "the latest ubuntu"}`,
			want:     `spec.osImage: Invalid value: "the latest ubuntu": spec.osImage in body should match '^(docker://)?[A-Za-z0-9]([A-Za-z0-9._/@-]|:[A-Za-z0-9])*$'`,
		},
		{
			says:     "osImage is for machines that boot from no disk",
			accepted: `spec: {osImage: quay.io/x, disks: [{name: data, size: 1Gi}]}`,
			refused:  `spec: {osImage: quay.io/x, disks: [{name: root, size: 1Gi, boot: true}]}`,
			want:     `spec.osImage: Invalid value: osImage is what boots when no disk has boot: true: remove osImage, or boot from it and remove boot`,
		},
		{
			says:     "Secrets have names",
			accepted: `spec: {sshKeySecret: my-keys}`,
			refused:  `spec: {sshKeySecret: "ssh-ed25519 AAAA"}`,
			want:     `spec.sshKeySecret: Invalid value: "ssh-ed25519 AAAA": spec.sshKeySecret in body should match '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$'`,
		},
		{
			says:     "the Secret with network data has a name",
			accepted: `spec: {networkDataSecret: net}`,
			refused:  `spec: {networkDataSecret: default/net}`,
			want:     `spec.networkDataSecret: Invalid value: "default/net": spec.networkDataSecret in body should match '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$'`,
		},
		{
			says:     "user data is written here or in a Secret",
			accepted: `spec: {userDataSecret: user-data}`,
			refused:  `spec: {userDataSecret: user-data, cloudInitUser: {name: ubuntu}}`,
			want:     `spec.userDataSecret: Invalid value: userDataSecret is the complete user data: remove cloudInitUser, or move it into the Secret`,
		},
		{
			says:     "a user has a name",
			accepted: `spec: {cloudInitUser: {name: ubuntu}}`,
			refused:  `spec: {cloudInitUser: {password: secret}}`,
			want:     `[spec.cloudInitUser.name: Required value, <nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation]`,
		},
		{
			says:     "a user's name is a login name",
			accepted: `spec: {cloudInitUser: {name: _ubuntu-24}}`,
			refused:  `spec: {cloudInitUser: {name: Sun Wukong}}`,
			want:     `spec.cloudInitUser.name: Invalid value: "Sun Wukong": spec.cloudInitUser.name in body should match '^[a-z_][a-z0-9_-]*$'`,
		},
		{
			says:     "a user is in a group once",
			accepted: `spec: {cloudInitUser: {name: ubuntu, groups: [adm, sudo]}}`,
			refused:  `spec: {cloudInitUser: {name: ubuntu, groups: [adm, adm]}}`,
			want:     `spec.cloudInitUser.groups[1]: Duplicate value: "adm"`,
		},
		{
			says:     "restartPolicy is one of three words",
			accepted: `spec: {highAvailability: {restartPolicy: OnFailure}}`,
			refused:  `spec: {highAvailability: {restartPolicy: onFailure}}`,
			want:     `[spec.highAvailability.restartPolicy: Unsupported value: "onFailure": supported values: "Always", "OnFailure", "Never", <nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation]`,
		},
		{
			says:     "runStrategy is one of KubeVirt's words",
			accepted: `spec: {startStrategy: {runStrategy: Once}}`,
			refused:  `spec: {startStrategy: {runStrategy: Sometimes}}`,
			want:     `[spec.startStrategy.runStrategy: Unsupported value: "Sometimes": supported values: "Always", "RerunOnFailure", "Manual", "Halted", "Once", <nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation]`,
		},
		{
			says:     "autoStart is true or false",
			accepted: `spec: {startStrategy: {autoStart: false}}`,
			refused:  `spec: {startStrategy: {autoStart: "no"}}`,
			want:     `[spec.startStrategy.autoStart: Invalid value: "string": spec.startStrategy.autoStart in body must be of type boolean: "string", <nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation]`,
		},

		// Where it runs.
		{
			says:     "nodeSelector's keys are label names",
			accepted: `spec: {highAvailability: {nodeSelector: {topology.kubernetes.io/zone: a, kubernetes.io/hostname: n1, rack: ""}}}`,
			refused:  `spec: {highAvailability: {nodeSelector: {the rack: a}}}`,
			want:     `spec.highAvailability.nodeSelector: Invalid value: a key of nodeSelector is a label's name: letters, digits, '-', '_' and '.', at most 63 characters, and optionally a DNS prefix and '/' before it`,
		},
		{
			says:     "nodeSelector's values are label values",
			accepted: `spec: {highAvailability: {nodeSelector: {rack: a-1.b_2}}}`,
			refused:  `spec: {highAvailability: {nodeSelector: {rack: "a,b"}}}`,
			want:     `spec.highAvailability.nodeSelector.rack: Invalid value: "a,b": spec.highAvailability.nodeSelector.rack in body should match '^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$'`,
		},
		{
			says:     "nodeSelector's values are strings",
			accepted: `spec: {highAvailability: {nodeSelector: {gpu: "true"}}}`,
			refused:  `spec: {highAvailability: {nodeSelector: {gpu: true}}}`,
			want:     `[spec.highAvailability.nodeSelector.gpu: Invalid value: "boolean": spec.highAvailability.nodeSelector.gpu in body must be of type string: "boolean", <nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation]`,
		},
		{
			says:     "a toleration has an operator of Kubernetes",
			accepted: `spec: {highAvailability: {tolerations: [{key: gpu, operator: Exists}]}}`,
			refused:  `spec: {highAvailability: {tolerations: [{key: gpu, operator: In}]}}`,
			want:     `spec.highAvailability.tolerations: Invalid value: a toleration's operator is Exists or Equal, its effect NoSchedule, PreferNoSchedule or NoExecute`,
		},
		{
			says:     "a toleration has an effect of Kubernetes",
			accepted: `spec: {highAvailability: {tolerations: [{key: gpu, effect: NoSchedule}]}}`,
			refused:  `spec: {highAvailability: {tolerations: [{key: gpu, effect: Never}]}}`,
			want:     `spec.highAvailability.tolerations: Invalid value: a toleration's operator is Exists or Equal, its effect NoSchedule, PreferNoSchedule or NoExecute`,
		},
		{
			says:     "a toleration of everything names no value",
			accepted: `spec: {highAvailability: {tolerations: [{operator: Exists}]}}`,
			refused:  `spec: {highAvailability: {tolerations: [{operator: Exists, value: "true"}]}}`,
			want:     `spec.highAvailability.tolerations: Invalid value: a toleration with operator Exists takes no value, one with Equal needs a key`,
		},
		{
			says:     "a toleration of a value names its key",
			accepted: `spec: {highAvailability: {tolerations: [{key: gpu, value: a100}]}}`,
			refused:  `spec: {highAvailability: {tolerations: [{value: a100}]}}`,
			want:     `spec.highAvailability.tolerations: Invalid value: a toleration with operator Exists takes no value, one with Equal needs a key`,
		},
		{
			says:     "a toleration for a time is of NoExecute",
			accepted: `spec: {highAvailability: {tolerations: [{key: gpu, effect: NoExecute, tolerationSeconds: 60}]}}`,
			refused:  `spec: {highAvailability: {tolerations: [{key: gpu, tolerationSeconds: 60}]}}`,
			want:     `spec.highAvailability.tolerations: Invalid value: a toleration with tolerationSeconds needs effect NoExecute`,
		},

		// Disks.
		{
			says:     "a disk has a size",
			accepted: `spec: {disks: [{name: data, size: 1Gi}]}`,
			refused:  `spec: {disks: [{name: data}]}`,
			want:     `[spec.disks[0].size: Required value, <nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation]`,
		},
		{
			says:     "a disk's size is a quantity",
			accepted: `spec: {disks: [{name: data, size: 1.5Ti}]}`,
			refused:  `spec: {disks: [{name: data, size: 20 GB}]}`,
			want:     `spec.disks[0].size: Invalid value: "20 GB": spec.disks[0].size in body should match '^[0-9]+(\.[0-9]+)?(Ki|Mi|Gi|Ti|Pi|Ei|k|M|G|T|P|E)?$'`,
		},
		{
			says:     "a disk's size has a unit",
			accepted: `spec: {disks: [{name: data, size: 20Gi}]}`,
			refused:  `spec: {disks: [{name: data, size: 20}]}`,
			want:     `spec.disks[0].size: Invalid value: 20: size must be at least 1Mi: give a unit, for example 20Gi`,
		},
		{
			says:     "disks have different names",
			accepted: `spec: {disks: [{name: a, size: 1Gi}, {name: b, size: 1Gi}]}`,
			refused:  `spec: {disks: [{name: a, size: 1Gi}, {name: a, size: 2Gi}]}`,
			want:     `spec.disks[1]: Duplicate value: {"name":"a"}`,
		},
		{
			says:     "a disk's name is a DNS label",
			accepted: `spec: {disks: [{name: data-1, size: 1Gi}]}`,
			refused:  `spec: {disks: [{name: data_1, size: 1Gi}]}`,
			want:     `spec.disks[0].name: Invalid value: "data_1": spec.disks[0].name in body should match '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$'`,
		},
		{
			says:     "the names of the machine's own volumes are taken",
			accepted: `spec: {disks: [{name: os, size: 1Gi}]}`,
			refused:  `spec: {disks: [{name: osdisk, size: 1Gi}]}`,
			want:     `spec.disks[0].name: Invalid value: this name is reserved for a volume that the machine gets by itself: choose another`,
		},
		{
			says:     "a machine boots from one disk",
			accepted: `spec: {disks: [{name: a, size: 1Gi, boot: true}, {name: b, size: 1Gi, boot: false}]}`,
			refused:  `spec: {disks: [{name: a, size: 1Gi, boot: true}, {name: b, size: 1Gi, boot: true}]}`,
			want:     `spec.disks: Invalid value: at most one disk may set boot: true`,
		},
		{
			says:     "a disk is filled from a registry or the web",
			accepted: `spec: {disks: [{name: a, size: 1Gi, image: "https://cloud-images.ubuntu.com/noble.img"}, {name: b, size: 1Gi, image: "docker://quay.io/x:y"}, {name: c, size: 1Gi, image: quay.io/x}]}`,
			refused:  `spec: {disks: [{name: a, size: 1Gi, image: "ftp://cloud-images.ubuntu.com/noble.img"}]}`,
			want:     `spec.disks[0].image: Invalid value: "ftp://cloud-images.ubuntu.com/noble.img": image is docker://REF, an image reference, or an http(s):// URL`,
		},
		{
			says:     "a storage class has a name",
			accepted: `spec: {disks: [{name: a, size: 1Gi, storageClassName: fast.ssd}]}`,
			refused:  `spec: {disks: [{name: a, size: 1Gi, storageClassName: ""}]}`,
			want:     `spec.disks[0].storageClassName: Invalid value: "": spec.disks[0].storageClassName in body should be at least 1 chars long`,
		},

		// Networks.
		{
			says:     "a network has a name",
			accepted: `spec: {networks: [{name: lan, type: bridge}]}`,
			refused:  `spec: {networks: [{type: bridge}]}`,
			want:     `[spec.networks[0].name: Required value, <nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation]`,
		},
		{
			says:     "a network's name is a DNS label",
			accepted: `spec: {networks: [{name: lan-1}]}`,
			refused:  `spec: {networks: [{name: lan.1}]}`,
			want:     `spec.networks[0].name: Invalid value: "lan.1": spec.networks[0].name in body should match '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$'`,
		},
		{
			says:     "networks have different names",
			accepted: `spec: {networks: [{name: a}, {name: b, type: bridge}]}`,
			refused:  `spec: {networks: [{name: a}, {name: a, type: bridge}]}`,
			want:     `spec.networks[1]: Duplicate value: {"name":"a"}`,
		},
		{
			says:     "a machine has at most 16 networks",
			accepted: `spec: {networks: [` + macvlans(16) + `]}`,
			refused:  `spec: {networks: [` + macvlans(17) + `]}`,
			want:     `[spec.networks: Too many: 17: must have at most 16 items, <nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation]`,
		},
		{
			says:     "a network is of a type that there is",
			accepted: `spec: {networks: [{name: a, type: ovs}]}`,
			refused:  `spec: {networks: [{name: a, type: vlan}]}`,
			want:     `[spec.networks[0].type: Unsupported value: "vlan": supported values: "pod", "bridge", "ovs", "macvlan", "ipvlan", "sriov", <nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation]`,
		},
		{
			says:     "a machine is on the pod network once",
			accepted: `spec: {networks: [{name: a}, {name: b, type: macvlan}]}`,
			refused:  `spec: {networks: [{name: a}, {name: b}]}`,
			want:     `spec.networks: Invalid value: at most one network may be of type pod; a network without type is a pod network: set type on the others`,
		},
		{
			says:     "a default bridge name fits the kernel",
			accepted: `spec: {networks: [{name: twelve-bytes, type: bridge}, {name: thirteen-byte, type: ovs, bridgeName: br0, physicalInterface: eth1}]}`,
			refused:  `spec: {networks: [{name: thirteen-byte, type: bridge}]}`,
			want:     `spec.networks[0].name: Invalid value: the default bridge name br-{name} would be longer than the kernel's 15 characters: set bridgeName, or use a name of at most 12 characters`,
		},
		{
			says:     "a bridge name fits the kernel",
			accepted: `spec: {networks: [{name: a, type: bridge, bridgeName: br-fifteen-byte}]}`,
			refused:  `spec: {networks: [{name: a, type: bridge, bridgeName: br-sixteen-bytes}]}`,
			want:     `[spec.networks[0].bridgeName: Too long: may not be more than 15 bytes, <nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation]`,
		},
		{
			says:     "a bridge name is an interface's",
			accepted: `spec: {networks: [{name: a, type: bridge, bridgeName: br_1.x}]}`,
			refused:  `spec: {networks: [{name: a, type: bridge, bridgeName: br/1}]}`,
			want:     `spec.networks[0].bridgeName: Invalid value: "br/1": spec.networks[0].bridgeName in body should match '^[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$'`,
		},
		{
			says:     "some names are the kernel's own",
			accepted: `spec: {networks: [{name: a, type: bridge, bridgeName: lo0}]}`,
			refused:  `spec: {networks: [{name: a, type: bridge, bridgeName: default}]}`,
			want:     `spec.networks[0].bridgeName: Invalid value: "default": the kernel and NetworkManager keep this name for themselves: choose another`,
		},
		{
			says:     "a NIC is one",
			accepted: `spec: {networks: [{name: a, type: macvlan, physicalInterface: bond0.100}]}`,
			refused:  `spec: {networks: [{name: a, type: macvlan, physicalInterface: lo}]}`,
			want:     `spec.networks[0].physicalInterface: Invalid value: "lo": this is no NIC: name the interface as the node does, for example ens160`,
		},
		{
			says:     "a bridge is not its own port",
			accepted: `spec: {networks: [{name: a, type: bridge, bridgeName: br0, physicalInterface: eth0}]}`,
			refused:  `spec: {networks: [{name: a, type: bridge, bridgeName: eth0, physicalInterface: eth0}]}`,
			want:     `spec.networks[0].bridgeName: Invalid value: bridgeName is the name of the physicalInterface itself: a bridge needs a name of its own`,
		},
		{
			says:     "a VLAN is 1 to 4094",
			accepted: `spec: {networks: [{name: a, type: bridge, vlanId: 4094}]}`,
			refused:  `spec: {networks: [{name: a, type: bridge, vlanId: 4095}]}`,
			want:     `spec.networks[0].vlanId: Invalid value: 4095: spec.networks[0].vlanId in body should be less than or equal to 4094`,
		},
		{
			says:     "no VLAN is vlanId left out, not 0",
			accepted: `spec: {networks: [{name: a, type: bridge, vlanId: 1}]}`,
			refused:  `spec: {networks: [{name: a, type: bridge, vlanId: 0}]}`,
			want:     `spec.networks[0].vlanId: Invalid value: 0: spec.networks[0].vlanId in body should be greater than or equal to 1`,
		},
		{
			says:     "an MTU is at least what IPv4 asks for",
			accepted: `spec: {networks: [{name: a, type: bridge, mtu: 9000}]}`,
			refused:  `spec: {networks: [{name: a, type: bridge, mtu: 100}]}`,
			want:     `spec.networks[0].mtu: Invalid value: 100: spec.networks[0].mtu in body should be greater than or equal to 576`,
		},
		{
			says:     "a MAC address is unicast",
			accepted: `spec: {networks: [{name: a, macAddress: "52:54:00:AB:cd:01"}]}`,
			refused:  `spec: {networks: [{name: a, macAddress: "53:54:00:ab:cd:01"}]}`,
			want:     `spec.networks[0].macAddress: Invalid value: "53:54:00:ab:cd:01": spec.networks[0].macAddress in body should match '^[0-9a-fA-F][02468aceACE](:[0-9a-fA-F]{2}){5}$'`,
		},
		{
			says:     "a MAC address is an address",
			accepted: `spec: {networks: [{name: a, macAddress: "02:00:00:00:00:01"}]}`,
			refused:  `spec: {networks: [{name: a, macAddress: "00:00:00:00:00:00"}]}`,
			want:     `spec.networks[0].macAddress: Invalid value: "00:00:00:00:00:00": this address is reserved: choose another, or leave macAddress out`,
		},
		{
			says:     "networks have different MAC addresses, however they are written",
			accepted: `spec: {networks: [{name: a, macAddress: "02:00:00:00:00:0a"}, {name: b, type: bridge, macAddress: "02:00:00:00:00:0b"}]}`,
			refused:  `spec: {networks: [{name: a, macAddress: "02:00:00:00:00:0a"}, {name: b, type: bridge, macAddress: "02:00:00:00:00:0A"}]}`,
			want:     `spec.networks: Invalid value: two networks have the same macAddress: give each its own, or leave macAddress out`,
		},
		{
			says:     "nadName is a name, with a namespace or without",
			accepted: `spec: {networks: [{name: a, type: bridge, nadName: infra/lan}]}`,
			refused:  `spec: {networks: [{name: a, type: bridge, nadName: infra/lan/1}]}`,
			want:     `spec.networks[0].nadName: Invalid value: "infra/lan/1": spec.networks[0].nadName in body should match '^([a-z0-9]([-a-z0-9]*[a-z0-9])?/)?[a-z0-9]([-a-z0-9.]*[a-z0-9])?$'`,
		},
		{
			says:     "a resource has a name",
			accepted: `spec: {networks: [{name: a, type: sriov, resourceName: intel.com/sriov_netdevice}]}`,
			refused:  `spec: {networks: [{name: a, type: sriov, resourceName: intel.com/}]}`,
			want:     `spec.networks[0].resourceName: Invalid value: "intel.com/": spec.networks[0].resourceName in body should match '^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$'`,
		},
		{
			says:     "reclaimPolicy is Retain or Delete",
			accepted: `spec: {networks: [{name: a, type: bridge, reclaimPolicy: Delete}]}`,
			refused:  `spec: {networks: [{name: a, type: bridge, reclaimPolicy: Recycle}]}`,
			want:     `[spec.networks[0].reclaimPolicy: Unsupported value: "Recycle": supported values: "Retain", "Delete", <nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation]`,
		},

		// Which type takes which field.
		{
			says:     "a pod network hangs on nothing",
			accepted: `spec: {networks: [{name: a, macAddress: "02:00:00:00:00:01", ipConfig: {mode: dhcp}}]}`,
			refused:  `spec: {networks: [{name: a, bridgeName: br0}]}`,
			want:     `spec.networks[0].type: Invalid value: a pod network (type omitted means pod) takes only name, macAddress and ipConfig: set type, or remove the other fields`,
		},
		{
			says:     "a pod network has no address of its own",
			accepted: `spec: {networks: [{name: a, type: bridge, ipConfig: {mode: static, address: 10.0.0.2/24}}]}`,
			refused:  `spec: {networks: [{name: a, ipConfig: {mode: static, address: 10.0.0.2/24}}]}`,
			want:     `spec.networks[0].ipConfig: Invalid value: a pod network gets its address from Kubernetes: use mode dhcp, or set type`,
		},
		{
			says:     "only bridges have a bridgeName",
			accepted: `spec: {networks: [{name: a, type: ovs, bridgeName: br0, reclaimPolicy: Retain}]}`,
			refused:  `spec: {networks: [{name: a, type: macvlan, bridgeName: br0}]}`,
			want:     `spec.networks[0].type: Invalid value: bridgeName, preserveHostIP and reclaimPolicy are only for type bridge and ovs: remove them`,
		},
		{
			says:     "only bridges are reclaimed",
			accepted: `spec: {networks: [{name: a, type: ovs, reclaimPolicy: Delete}]}`,
			refused:  `spec: {networks: [{name: a, type: ipvlan, reclaimPolicy: Delete}]}`,
			want:     `spec.networks[0].type: Invalid value: bridgeName, preserveHostIP and reclaimPolicy are only for type bridge and ovs: remove them`,
		},
		{
			says:     "only Linux bridges take the node's address over",
			accepted: `spec: {networks: [{name: a, type: bridge, preserveHostIP: true}]}`,
			refused:  `spec: {networks: [{name: a, type: ovs, preserveHostIP: true}]}`,
			want:     `spec.networks[0].preserveHostIP: Invalid value: preserveHostIP is only for type bridge without vlanId: a VLAN bridge leaves the node's address alone`,
		},
		{
			says:     "a VLAN leaves the node's address where it is",
			accepted: `spec: {networks: [{name: a, type: bridge, vlanId: 100, preserveHostIP: false}]}`,
			refused:  `spec: {networks: [{name: a, type: bridge, vlanId: 100, preserveHostIP: true}]}`,
			want:     `spec.networks[0].preserveHostIP: Invalid value: preserveHostIP is only for type bridge without vlanId: a VLAN bridge leaves the node's address alone`,
		},
		{
			says:     "a bridge with the node's address stays",
			accepted: `spec: {networks: [{name: a, type: bridge, preserveHostIP: true, reclaimPolicy: Retain}]}`,
			refused:  `spec: {networks: [{name: a, type: bridge, preserveHostIP: true, reclaimPolicy: Delete}]}`,
			want:     `spec.networks[0].reclaimPolicy: Invalid value: reclaimPolicy Delete does not go with preserveHostIP: the bridge carries the node's address. Use Retain`,
		},
		{
			says:     "macvlan has no VLAN",
			accepted: `spec: {networks: [{name: a, type: macvlan, physicalInterface: eth0.100, mtu: 1400}]}`,
			refused:  `spec: {networks: [{name: a, type: macvlan, vlanId: 100}]}`,
			want:     `spec.networks[0].vlanId: Invalid value: vlanId is only for type bridge, ovs and sriov: remove it, or name a VLAN interface as physicalInterface`,
		},
		{
			says:     "sriov needs a resource, or an attachment that has one",
			accepted: `spec: {networks: [{name: a, type: sriov, nadName: vf}, {name: b, type: sriov, resourceName: x/y, vlanId: 7}]}`,
			refused:  `spec: {networks: [{name: a, type: sriov}]}`,
			want:     `spec.networks[0].resourceName: Invalid value: type sriov needs resourceName (the device plugin's resource), or nadName`,
		},
		{
			says:     "only sriov takes a resource",
			accepted: `spec: {networks: [{name: a, type: sriov, resourceName: x/y}]}`,
			refused:  `spec: {networks: [{name: a, type: bridge, resourceName: x/y}]}`,
			want:     `spec.networks[0].resourceName: Invalid value: resourceName is only for type sriov: remove it`,
		},
		{
			says:     "sriov takes no NIC",
			accepted: `spec: {networks: [{name: a, type: ipvlan, physicalInterface: eth0}]}`,
			refused:  `spec: {networks: [{name: a, type: sriov, resourceName: x/y, physicalInterface: eth0}]}`,
			want:     `spec.networks[0].physicalInterface: Invalid value: type sriov takes its device from resourceName: remove physicalInterface`,
		},
		{
			says:     "sriov takes no MTU",
			accepted: `spec: {networks: [{name: a, type: ovs, mtu: 9000}]}`,
			refused:  `spec: {networks: [{name: a, type: sriov, resourceName: x/y, mtu: 9000}]}`,
			want:     `spec.networks[0].mtu: Invalid value: type sriov takes its MTU from the physical function on the node: remove mtu`,
		},
		{
			says:     "an existing attachment is used as it is",
			accepted: `spec: {networks: [{name: a, type: bridge, nadName: lan, macAddress: "02:00:00:00:00:01", ipConfig: {mode: dhcp}}]}`,
			refused:  `spec: {networks: [{name: a, type: bridge, nadName: lan, vlanId: 100}]}`,
			want:     `spec.networks[0].nadName: Invalid value: nadName uses an attachment as it is: remove bridgeName, vlanId, physicalInterface, preserveHostIP, resourceName, mtu and reclaimPolicy`,
		},

		// Networks among themselves.
		{
			says:     "one bridge is fed by one uplink",
			accepted: `spec: {networks: [{name: a, type: bridge, bridgeName: br0, vlanId: 1}, {name: b, type: bridge, bridgeName: br0, vlanId: 1}]}`,
			refused:  `spec: {networks: [{name: a, type: bridge, bridgeName: br0, vlanId: 1}, {name: b, type: bridge, bridgeName: br0, vlanId: 2}]}`,
			want:     `spec.networks: Invalid value: one bridge is fed by one uplink: networks with the same bridgeName need the same type, physicalInterface, vlanId, mtu and preserveHostIP; otherwise give them different bridgeNames`,
		},
		{
			says:     "one bridge is of one type",
			accepted: `spec: {networks: [{name: a, type: ovs, bridgeName: br0}, {name: b, type: ovs, bridgeName: br0}]}`,
			refused:  `spec: {networks: [{name: a, type: ovs, bridgeName: br0}, {name: b, type: bridge, bridgeName: br0}]}`,
			want:     `spec.networks: Invalid value: one bridge is fed by one uplink: networks with the same bridgeName need the same type, physicalInterface, vlanId, mtu and preserveHostIP; otherwise give them different bridgeNames`,
		},
		{
			says:     "a default bridge name is a bridge name",
			accepted: `spec: {networks: [{name: a, type: bridge}, {name: b, type: bridge, bridgeName: br-a}]}`,
			refused:  `spec: {networks: [{name: a, type: bridge, mtu: 9000}, {name: b, type: bridge, bridgeName: br-a}]}`,
			want:     `spec.networks: Invalid value: one bridge is fed by one uplink: networks with the same bridgeName need the same type, physicalInterface, vlanId, mtu and preserveHostIP; otherwise give them different bridgeNames`,
		},
		{
			says:     "one NIC feeds one bridge",
			accepted: `spec: {networks: [{name: a, type: bridge, physicalInterface: eth0}, {name: b, type: bridge, physicalInterface: eth1}]}`,
			refused:  `spec: {networks: [{name: a, type: bridge, physicalInterface: eth0}, {name: b, type: bridge, physicalInterface: eth0}]}`,
			want:     `spec.networks: Invalid value: one NIC (or one VLAN of it) feeds one bridge: two bridges cannot share it. Use the same bridgeName, another physicalInterface, or another vlanId`,
		},
		{
			says:     "one VLAN of a NIC feeds one bridge",
			accepted: `spec: {networks: [{name: a, type: bridge, vlanId: 1}, {name: b, type: bridge, vlanId: 2}, {name: c, type: bridge}]}`,
			refused:  `spec: {networks: [{name: a, type: bridge, vlanId: 1}, {name: b, type: bridge, vlanId: 1}]}`,
			want:     `spec.networks: Invalid value: one NIC (or one VLAN of it) feeds one bridge: two bridges cannot share it. Use the same bridgeName, another physicalInterface, or another vlanId`,
		},
		{
			says:     "attachments that others made share what they like",
			accepted: `spec: {networks: [{name: a, type: bridge, nadName: lan}, {name: b, type: bridge, nadName: lan}, {name: c, type: bridge}]}`,
			refused:  `spec: {networks: [{name: a, type: bridge, nadName: lan}, {name: b, type: bridge}, {name: c, type: bridge}]}`,
			want:     `spec.networks: Invalid value: one NIC (or one VLAN of it) feeds one bridge: two bridges cannot share it. Use the same bridgeName, another physicalInterface, or another vlanId`,
		},

		// Addresses.
		{
			says:     "ipConfig has a mode",
			accepted: `spec: {networks: [{name: a, type: bridge, ipConfig: {mode: dhcp}}]}`,
			refused:  `spec: {networks: [{name: a, type: bridge, ipConfig: {address: 10.0.0.2/24}}]}`,
			want:     `[spec.networks[0].ipConfig.mode: Required value, <nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation]`,
		},
		{
			says:     "a mode is static or dhcp",
			accepted: `spec: {networks: [{name: a, type: bridge, ipConfig: {mode: dhcp, dnsServers: [10.0.0.1]}}]}`,
			refused:  `spec: {networks: [{name: a, type: bridge, ipConfig: {mode: DHCP}}]}`,
			want:     `[spec.networks[0].ipConfig.mode: Unsupported value: "DHCP": supported values: "static", "dhcp", <nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation]`,
		},
		{
			says:     "static needs an address",
			accepted: `spec: {networks: [{name: a, type: bridge, ipConfig: {mode: static, address: "2001:db8::10/64"}}]}`,
			refused:  `spec: {networks: [{name: a, type: bridge, ipConfig: {mode: static}}]}`,
			want:     `spec.networks[0].ipConfig.address: Required value: mode static needs address, for example 192.168.100.10/24`,
		},
		{
			says:     "dhcp brings its own address",
			accepted: `spec: {networks: [{name: a, type: bridge, ipConfig: {mode: dhcp}}]}`,
			refused:  `spec: {networks: [{name: a, type: bridge, ipConfig: {mode: dhcp, address: 10.0.0.2/24}}]}`,
			want:     `spec.networks[0].ipConfig.mode: Invalid value: mode dhcp takes no address or gateway: use mode static, or remove them`,
		},
		{
			says:     "an address has a prefix length",
			accepted: `spec: {networks: [{name: a, type: bridge, ipConfig: {mode: static, address: 10.0.0.2/32}}]}`,
			refused:  `spec: {networks: [{name: a, type: bridge, ipConfig: {mode: static, address: 10.0.0.2}}]}`,
			want:     `spec.networks[0].ipConfig.address: Invalid value: address must be an IP with a prefix length, for example 192.168.100.10/24 or 2001:db8::10/64`,
		},
		{
			says:     "an address is not its subnet",
			accepted: `spec: {networks: [{name: a, type: bridge, ipConfig: {mode: static, address: 10.0.0.0/31}}]}`,
			refused:  `spec: {networks: [{name: a, type: bridge, ipConfig: {mode: static, address: 10.0.0.0/24}}]}`,
			want:     `spec.networks[0].ipConfig.address: Invalid value: address is the subnet itself: give the guest's own address in it, for example 192.168.100.10/24`,
		},
		{
			says:     "a gateway is an address",
			accepted: `spec: {networks: [{name: a, type: bridge, ipConfig: {mode: static, address: 10.0.0.2/24, gateway: 10.0.0.1}}]}`,
			refused:  `spec: {networks: [{name: a, type: bridge, ipConfig: {mode: static, address: 10.0.0.2/24, gateway: 10.0.0.1/24}}]}`,
			want:     `spec.networks[0].ipConfig.gateway: Invalid value: gateway must be an IP address without prefix length, for example 192.168.100.1`,
		},
		{
			says:     "a gateway is inside the subnet, or link-local",
			accepted: `spec: {networks: [{name: a, type: bridge, ipConfig: {mode: static, address: "2001:db8::10/64", gateway: "fe80::1"}}]}`,
			refused:  `spec: {networks: [{name: a, type: bridge, ipConfig: {mode: static, address: 10.0.0.2/24, gateway: 10.0.1.1}}]}`,
			want:     `spec.networks[0].ipConfig.gateway: Invalid value: gateway 10.0.1.1 is not inside the subnet of address 10.0.0.2/24: correct one of them`,
		},
		{
			says:     "a gateway is of the address's family",
			accepted: `spec: {networks: [{name: a, type: bridge, ipConfig: {mode: static, address: "2001:db8::10/64", gateway: "2001:db8::1"}}]}`,
			refused:  `spec: {networks: [{name: a, type: bridge, ipConfig: {mode: static, address: 10.0.0.2/24, gateway: "fe80::1"}}]}`,
			want:     `spec.networks[0].ipConfig.gateway: Invalid value: gateway fe80::1 is not inside the subnet of address 10.0.0.2/24: correct one of them`,
		},
		{
			says:     "a gateway is another machine",
			accepted: `spec: {networks: [{name: a, type: bridge, ipConfig: {mode: static, address: 10.0.0.2/24, gateway: 10.0.0.20}}]}`,
			refused:  `spec: {networks: [{name: a, type: bridge, ipConfig: {mode: static, address: 10.0.0.2/24, gateway: 10.0.0.2}}]}`,
			want:     `spec.networks[0].ipConfig.gateway: Invalid value: gateway is the guest's own address: give the router's`,
		},
		{
			says:     "a DNS server is an address",
			accepted: `spec: {networks: [{name: a, type: bridge, ipConfig: {mode: dhcp, dnsServers: [1.1.1.1, "2606:4700:4700::1111"]}}]}`,
			refused:  `spec: {networks: [{name: a, type: bridge, ipConfig: {mode: dhcp, dnsServers: [1.1.1.1, one.one.one.one]}}]}`,
			want:     `spec.networks[0].ipConfig.dnsServers[1]: Invalid value: "one.one.one.one": a DNS server must be an IP address, for example 192.168.100.1`,
		},
	}
}

// change is one thing that may be wrong with an update of a Wukong.
type change struct {
	says     string
	old      string
	accepted string
	refused  string
	want     string
}

// changes are the rules for what a Wukong was before and is after.
func changes() []change {
	return []change{
		{
			says:     "the namespace stays",
			old:      `spec: {namespace: a, cpu: 1}`,
			accepted: `spec: {namespace: a, cpu: 2}`,
			refused:  `spec: {namespace: b, cpu: 1}`,
			want:     `spec.namespace: Invalid value: "b": namespace cannot change: delete the Wukong and create it with the new namespace`,
		},
		{
			says:     "the default namespace is a namespace, too",
			old:      `spec: {}`,
			accepted: `spec: {namespace: default}`,
			refused:  `spec: {namespace: b}`,
			want:     `spec.namespace: Invalid value: "b": namespace cannot change: delete the Wukong and create it with the new namespace`,
		},
		{
			says:     "the name stays",
			old:      `{metadata: {name: vm}, spec: {}}`,
			accepted: `{metadata: {name: vm, labels: {a: b}}, spec: {}}`,
			refused:  `{metadata: {name: vm, labels: {a: b c}}, spec: {}}`,
			want:     `metadata.labels: Invalid value: "b c": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')`,
		},
		{
			says:     "a disk's size stays, however it is written",
			old:      `spec: {disks: [{name: a, size: 1Gi}]}`,
			accepted: `spec: {disks: [{name: a, size: 1073741824}]}`,
			refused:  `spec: {disks: [{name: a, size: 2Gi}]}`,
			want:     `spec.disks[0].size: Forbidden: size cannot change: KubeVirt does not resize a disk from its template. Expand its PersistentVolumeClaim, or add a disk under a new name`,
		},
		{
			says:     "a disk's content stays",
			old:      `spec: {disks: [{name: a, size: 1Gi, image: quay.io/x:1}]}`,
			accepted: `spec: {disks: [{name: b, size: 1Gi, image: quay.io/x:2}]}`,
			refused:  `spec: {disks: [{name: a, size: 1Gi, image: quay.io/x:2}]}`,
			want:     `spec.disks[0].image: Forbidden: image cannot change: KubeVirt does not refill a disk. Add a disk under a new name`,
		},
		{
			says:     "a disk's content does not come later",
			old:      `spec: {disks: [{name: a, size: 1Gi}]}`,
			accepted: `spec: {disks: [{name: a, size: 1Gi}, {name: b, size: 1Gi, image: quay.io/x}]}`,
			refused:  `spec: {disks: [{name: a, size: 1Gi, image: quay.io/x}]}`,
			want:     `spec.disks[0].image: Forbidden: image cannot change: KubeVirt does not refill a disk. Add a disk under a new name`,
		},
		{
			says:     "a disk's storage class stays",
			old:      `spec: {disks: [{name: a, size: 1Gi, storageClassName: fast}]}`,
			accepted: `spec: {disks: [{name: a, size: 1Gi, storageClassName: fast, boot: true}]}`,
			refused:  `spec: {disks: [{name: a, size: 1Gi}]}`,
			want:     `spec.disks[0].storageClassName: Forbidden: storageClassName cannot change: KubeVirt does not move a disk. Add a disk under a new name`,
		},
		{
			says:     "a network's type stays",
			old:      `spec: {networks: [{name: a, type: bridge}]}`,
			accepted: `spec: {networks: [{name: b, type: ovs}]}`,
			refused:  `spec: {networks: [{name: a, type: ovs}]}`,
			want:     `spec.networks[0].type: Forbidden: type cannot change: remove this network, and add one under a new name`,
		},
		{
			says:     "the default type is a type, too",
			old:      `spec: {networks: [{name: a}]}`,
			accepted: `spec: {networks: [{name: a, type: pod}]}`,
			refused:  `spec: {networks: [{name: a, type: macvlan}]}`,
			want:     `spec.networks[0].type: Forbidden: type cannot change: remove this network, and add one under a new name`,
		},
		{
			says:     "a network's attachment stays",
			old:      `spec: {networks: [{name: a, type: bridge, nadName: lan}]}`,
			accepted: `spec: {networks: [{name: a, type: bridge, nadName: lan, ipConfig: {mode: dhcp}}]}`,
			refused:  `spec: {networks: [{name: a, type: bridge, nadName: wan}]}`,
			want:     `spec.networks[0].nadName: Forbidden: nadName cannot change: remove this network, and add one under a new name`,
		},
		{
			says:     "a network's bridge stays, also where its name is the default",
			old:      `spec: {networks: [{name: a, type: bridge}]}`,
			accepted: `spec: {networks: [{name: a, type: bridge, bridgeName: br-a}]}`,
			refused:  `spec: {networks: [{name: a, type: bridge, bridgeName: br-b}]}`,
			want:     `spec.networks[0].bridgeName: Forbidden: bridgeName cannot change: remove this network, and add one under a new name`,
		},
		{
			says:     "a network's VLAN stays",
			old:      `spec: {networks: [{name: a, type: bridge, vlanId: 100}]}`,
			accepted: `spec: {networks: [{name: a, type: bridge, vlanId: 100, mtu: 9000}]}`,
			refused:  `spec: {networks: [{name: a, type: bridge, vlanId: 200}]}`,
			want:     `spec.networks[0].vlanId: Forbidden: vlanId cannot change: remove this network, and add one under a new name`,
		},
		{
			says:     "a network's NIC stays, also where it is the default, which nobody here knows",
			old:      `spec: {networks: [{name: a, type: bridge}]}`,
			accepted: `spec: {networks: [{name: a, type: bridge, reclaimPolicy: Delete}]}`,
			refused:  `spec: {networks: [{name: a, type: bridge, physicalInterface: ens160}]}`,
			want:     `spec.networks[0].physicalInterface: Forbidden: physicalInterface cannot change (nor be added or dropped): remove this network, and add one under a new name`,
		},
		{
			says:     "the node's address stays where it is",
			old:      `spec: {networks: [{name: a, type: bridge}]}`,
			accepted: `spec: {networks: [{name: a, type: bridge, preserveHostIP: false}]}`,
			refused:  `spec: {networks: [{name: a, type: bridge, preserveHostIP: true}]}`,
			want:     `spec.networks[0].preserveHostIP: Forbidden: preserveHostIP cannot change: remove this network, and add one under a new name`,
		},
		{
			says:     "networks come and go",
			old:      `spec: {networks: [{name: a, type: bridge}, {name: b, type: macvlan}]}`,
			accepted: `spec: {networks: [{name: b, type: macvlan}, {name: c, type: sriov, resourceName: x/y}]}`,
			refused:  `spec: {networks: [{name: b, type: ipvlan}, {name: c, type: sriov, resourceName: x/y}]}`,
			want:     `spec.networks[0].type: Forbidden: type cannot change: remove this network, and add one under a new name`,
		},
	}
}

func TestAWukongByItself(t *testing.T) {
	schema := read(t, wukongs)
	for _, rule := range creations() {
		t.Run(rule.says, func(t *testing.T) {
			if _, err := schema.Admit(wukong(t, rule.accepted)); err != nil {
				t.Errorf("%s\nis refused: %v", rule.accepted, err)
			}
			_, err := schema.Admit(wukong(t, rule.refused))
			if got := refusal(err); got != rule.want {
				t.Errorf("%s\nsays: %s\nwant: %s", rule.refused, got, rule.want)
			}
		})
	}
}

func TestAWukongThatChanges(t *testing.T) {
	schema := read(t, wukongs)
	for _, change := range changes() {
		t.Run(change.says, func(t *testing.T) {
			old, err := schema.Admit(wukong(t, change.old))
			if err != nil {
				t.Fatalf("%s\nis refused: %v", change.old, err)
			}
			if _, err := schema.AdmitUpdate(old, wukong(t, change.accepted)); err != nil {
				t.Errorf("%s\nafter %s\nis refused: %v", change.accepted, change.old, err)
			}
			_, err = schema.AdmitUpdate(old, wukong(t, change.refused))
			if got := refusal(err); got != change.want {
				t.Errorf("%s\nafter %s\nsays: %s\nwant: %s", change.refused, change.old, got, change.want)
			}
		})
	}
}

// Each rule of the definition has a row above that it refuses. To see which rule speaks, each is given its own place in
// the schema as its message; that leaves no doubt where messages are alike or computed.
func TestEveryRuleHasARow(t *testing.T) {
	definition, err := os.ReadFile(wukongs)
	if err != nil {
		t.Fatal(err)
	}
	var crd map[string]any
	if err := yaml.Unmarshal(definition, &crd); err != nil {
		t.Fatal(err)
	}
	unheard := map[string]string{}
	relabel(crd, "", unheard)
	if len(unheard) == 0 {
		t.Fatalf("%s has no rules", wukongs)
	}
	definition, err = yaml.Marshal(crd)
	if err != nil {
		t.Fatal(err)
	}
	schema, err := admission.New(definition)
	if err != nil {
		t.Fatal(err)
	}

	hear := func(err error) {
		for place := range unheard {
			if strings.Contains(refusal(err), place) {
				delete(unheard, place)
			}
		}
	}
	for _, rule := range creations() {
		_, err := schema.Admit(wukong(t, rule.refused))
		hear(err)
	}
	for _, change := range changes() {
		old, err := schema.Admit(wukong(t, change.old))
		if err != nil {
			t.Fatal(err)
		}
		_, err = schema.AdmitUpdate(old, wukong(t, change.refused))
		hear(err)
	}
	for place, message := range unheard {
		t.Errorf("no row is refused by the rule at %s, %q: add one", place, message)
	}
}

// relabel gives each rule under node its place as its message, and collects the messages that were there.
func relabel(node any, path string, messages map[string]string) {
	switch node := node.(type) {
	case map[string]any:
		rules, _ := node["x-kubernetes-validations"].([]any)
		for i, rule := range rules {
			rule := rule.(map[string]any)
			place := fmt.Sprintf("<%s#%d>", path, i)
			messages[place], _ = rule["message"].(string)
			rule["message"] = place
			delete(rule, "messageExpression")
		}
		for key, child := range node {
			relabel(child, path+"."+key, messages)
		}
	case []any:
		for i, child := range node {
			relabel(child, fmt.Sprintf("%s[%d]", path, i), messages)
		}
	}
}

// refusal is an error without what all of them begin with.
func refusal(err error) string {
	if err == nil {
		return ""
	}
	return strings.TrimPrefix(err.Error(), `Wukong.vm.novasphere.dev "vm" is invalid: `)
}

// wukong is the Wukong that a body of YAML describes.
func wukong(t *testing.T, body string) *unstructured.Unstructured {
	t.Helper()
	u := object(t, body)
	u.SetAPIVersion("vm.novasphere.dev/v1alpha1")
	u.SetKind("Wukong")
	if u.GetName() == "" {
		u.SetName("vm")
	}
	return u
}

// macvlans are n networks.
func macvlans(n int) string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf("{name: net%d, type: macvlan}", i))
	}
	return strings.Join(list, ", ")
}

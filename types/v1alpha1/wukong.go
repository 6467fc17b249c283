package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Wukong is a virtual machine and its networks. The hook creates three kinds of children for a Wukong, in this order
// and each only when the children before it are ready: the NMState policies that build bridges on the nodes, the Multus
// attachments that point at those bridges, and the KubeVirt VirtualMachine that is plugged into them.
//
// Wukong is cluster-scoped because the policies are, and because whoever may write a Wukong may reconfigure the network
// of every node. spec.namespace says where the attachments and the machine live.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:scope=Cluster,shortName=wkg,categories=novasphere
// +kubebuilder:subresource:status
// +kubebuilder:printcolumn:name=Phase,type=string,JSONPath=`.status.phase`
// +kubebuilder:printcolumn:name=Ready,type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name=Reason,type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name=Node,type=string,JSONPath=`.status.nodeName`
// +kubebuilder:printcolumn:name=Address,type=string,JSONPath=`.status.address`
// +kubebuilder:printcolumn:name=Age,type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name=Message,type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
//
// +kubebuilder:validation:XValidation:rule=`size(self.metadata.name) <= 63 && !self.metadata.name.contains('.')`,fieldPath=`.metadata`,message="the name becomes the VM's name: use lower-case letters, digits and '-', at most 63 characters, no dots"
// +kubebuilder:validation:XValidation:rule=`!has(self.spec.networks) || self.spec.networks.all(n, !has(n.type) || !(n.type in ['bridge','ovs']) || has(n.nadName) || size(self.metadata.name) + size(n.name) <= 55)`,fieldPath=`.spec.networks`,message="a policy name {wukong}-{network}-bridge is longer than 63 characters: shorten the Wukong's name or the network's name"
type Wukong struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is what the user wants.
	//
	// +required
	Spec WukongSpec `json:"spec"`

	// status is what the hook last saw and decided. Metacontroller writes it.
	//
	// +optional
	// +default={"observedGeneration":-1}
	Status WukongStatus `json:"status,omitempty,omitzero"`
}

// WukongSpec is the machine and its networks. Every field has a default: a Wukong with nothing but networks boots.
//
// +kubebuilder:validation:XValidation:rule=`!(has(self.userDataSecret) && has(self.cloudInitUser))`,fieldPath=`.userDataSecret`,message="userDataSecret is the complete user data: remove cloudInitUser, or move it into the Secret"
// +kubebuilder:validation:XValidation:rule=`!(has(self.userDataSecret) && (has(self.userData) || has(self.sshAuthorizedKeys)))`,fieldPath=`.userDataSecret`,message="userDataSecret is the complete user data: remove userData and sshAuthorizedKeys, or move them into the Secret (keys also into that of sshKeySecret)"
// +kubebuilder:validation:XValidation:rule=`!has(self.userData) || !(has(self.cloudInitUser) || has(self.sshAuthorizedKeys)) || self.userData.matches('^#cloud-config[ \\t\\r]*(\\n|$)')`,fieldPath=`.userData`,message="only user data that begins with a line #cloud-config takes cloudInitUser and sshAuthorizedKeys: say in it who logs in, and remove them"
// +kubebuilder:validation:XValidation:rule=`!has(self.instancetype) || !(has(self.cpu) || has(self.memory))`,fieldPath=`.instancetype`,message="instancetype says how many cores and how much memory the machine has: remove cpu and memory, or remove instancetype"
// +kubebuilder:validation:XValidation:rule=`!has(self.disks) || self.disks.filter(d, has(d.boot) && d.boot).size() <= 1`,fieldPath=`.disks`,message="at most one disk may set boot: true"
// +kubebuilder:validation:XValidation:rule=`!has(self.disks) || self.disks.all(d, !has(d.bootOrder) || self.disks.exists_one(o, has(o.bootOrder) ? o.bootOrder == d.bootOrder : has(o.boot) && o.boot && d.bootOrder == 1))`,fieldPath=`.disks`,message="two disks have the same bootOrder (boot: true is 1): give each its own"
// +kubebuilder:validation:XValidation:rule=`has(self.virtualMachine) || !has(self.disks) || !self.disks.exists(d, has(d.boot) && d.boot || has(d.bootOrder)) || self.disks.exists(d, (has(d.boot) && d.boot || has(d.bootOrder)) && (has(d.image) || has(d.dataSource) || has(d.clone) || has(d.claimName)))`,fieldPath=`.disks`,message="there is nothing to boot on an empty disk: set its image, dataSource, clone or claimName, give another disk, such as the CD of an installation, a bootOrder too, or a NIC in spec.virtualMachine"
// +kubebuilder:validation:XValidation:rule=`!has(self.osImage) || !has(self.disks) || !self.disks.exists(d, has(d.boot) && d.boot || has(d.bootOrder))`,fieldPath=`.osImage`,message="osImage is what boots when no disk has boot: true or a bootOrder: remove osImage, or boot from it and remove these"
// +kubebuilder:validation:XValidation:rule=`!has(self.imagePullSecret) || !has(self.disks) || !self.disks.exists(d, has(d.boot) && d.boot || has(d.bootOrder))`,fieldPath=`.imagePullSecret`,message="imagePullSecret is for the image of osImage, and this machine boots from a disk: remove it. For the image of a disk set the disk's secretRef"
// +kubebuilder:validation:XValidation:rule=`!has(self.disks) || self.disks.all(d, !has(d.claimName) || self.disks.exists_one(o, has(o.claimName) && o.claimName == d.claimName))`,fieldPath=`.disks`,message="two disks have the same claimName: a claim is one disk"
type WukongSpec struct {
	// namespace is where the attachments and the VirtualMachine live. It cannot change. Default: default.
	//
	// +optional
	// +kubebuilder:default=default
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	// +kubebuilder:validation:XValidation:rule=`self == oldSelf`,message="namespace cannot change: delete the Wukong and create it with the new namespace"
	Namespace string `json:"namespace,omitempty"`

	// instancetype is KubeVirt's instance type for the machine: cores, memory and more by one name. It excludes cpu and memory.
	// A change counts from the next restart of the machine, or at once where KubeVirt can change a running machine. Where
	// KubeVirt is configured to expand instance types, it writes them into the machine once, and later changes have no effect.
	// Default: none.
	//
	// +optional
	Instancetype *Instancetype `json:"instancetype,omitempty"`

	// preference is KubeVirt's preference for the machine: what suits its operating system, such as buses and firmware. With it
	// disks without bus have the bus that the preference says. A change counts from the next restart of the machine.
	// Default: none.
	//
	// +optional
	Preference *Preference `json:"preference,omitempty"`

	// cpu is the number of cores of the machine, 1 to 256. Default: 1, unless instancetype is set.
	//
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=256
	CPU int32 `json:"cpu,omitempty"`

	// memory is what the guest sees as its memory, as a quantity such as 2Gi or 8.5Gi. Default: 2Gi, unless instancetype is set.
	//
	// +optional
	// +kubebuilder:validation:Schemaless
	// +kubebuilder:validation:XIntOrString
	// +kubebuilder:validation:MaxLength=24
	// +kubebuilder:validation:XValidation:rule=`type(self) == int || self.matches('^[0-9]+(\\.[0-9]+)?(Ki|Mi|Gi|Ti|Pi|Ei|k|M|G|T|P|E)?$')`,message="memory is a number and a unit such as Mi, Gi or Ti, for example 2Gi (not 2GB)"
	// +kubebuilder:validation:XValidation:rule=`type(self) == int ? self >= 1048576 : !self.matches('^[0-9]+(\\.[0-9]+)?(Ki|Mi|Gi|Ti|Pi|Ei|k|M|G|T|P|E)?$') || !isQuantity(self) || quantity(self).compareTo(quantity('1Mi')) >= 0`,message="memory must be at least 1Mi: give a unit, for example 2Gi"
	Memory *resource.Quantity `json:"memory,omitempty"`

	// osImage is the container disk that the machine boots from when no disk in disks has boot: true or a bootOrder, as an
	// image reference such as quay.io/containerdisks/ubuntu:24.04, with or without docker:// before it. Its content does not
	// survive a restart of the machine: use a disk with boot: true for what must. Default: the hook's
	// -default-os-image flag.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:Pattern=`^(docker://)?[A-Za-z0-9]([A-Za-z0-9._/@-]|:[A-Za-z0-9])*$`
	// +kubebuilder:validation:XValidation:rule=`!self.matches('^(?i:https?)://|^[^:]+(:[0-9]+/[^:]*)?[.](?i:qcow2?|img|raw|iso|vmdk|vdi|vhdx?|ova|tar)([.](?i:gz|xz|bz2|zst))?$')`,message="osImage is an image in a registry, and this looks like a file: fill a disk from it, by a disk with boot: true and image: https://…, or write docker:// before it if it is an image"
	OSImage string `json:"osImage,omitempty"`

	// imagePullSecret names a Secret in spec.namespace with which the image of osImage is pulled from a private registry. A
	// change counts from the next restart of the machine. Default: those of the namespace's default service account.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	ImagePullSecret string `json:"imagePullSecret,omitempty"`

	// disks are the machine's disks, at most 16. Each becomes a DataVolume {wukong}-{disk} that is created with the machine,
	// outlives its restarts, and is deleted with it; a disk with claimName is an existing claim, which stays.
	//
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=16
	Disks []Disk `json:"disks,omitempty"`

	// cloudInitUser is the user that cloud-init sets up in the guest on its first boot. Excludes userDataSecret, and goes
	// with userData only where that is a cloud-config.
	//
	// +optional
	CloudInitUser *CloudInitUser `json:"cloudInitUser,omitempty"`

	// sshKeySecret names a Secret in spec.namespace whose values are public SSH keys. KubeVirt puts them into the guest
	// on its first boot, for the user of cloudInitUser or else the image's own default user.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	SSHKeySecret string `json:"sshKeySecret,omitempty"`

	// sshAuthorizedKeys are public SSH keys, one line each as in a file authorized_keys, at most 32. cloud-init puts them
	// into the guest on its first boot, for the user of cloudInitUser or else the image's own default user, beside those of
	// sshKeySecret. Excludes userDataSecret. Many or long keys do not fit the 2,048 bytes of user data: use sshKeySecret.
	//
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MaxLength=2048
	// +kubebuilder:validation:items:XValidation:rule=`self.matches('^([^\\x00-\\x1f\\x7f#]+ )?(ssh-(rsa|ed25519|dss)|ecdsa-sha2-nistp(256|384|521)|sk-(ssh-ed25519|ecdsa-sha2-nistp256)@openssh\\.com|(ssh-(rsa|ed25519)|ecdsa-sha2-nistp(256|384|521))-cert-v01@openssh\\.com) AAAA[A-Za-z0-9+/]{12,}={0,3}( [^\\x00-\\x1f\\x7f]*)?$')`,message="an SSH key is one line as in authorized_keys, for example 'ssh-ed25519 AAAA... user@host': give the content of the .pub file"
	SSHAuthorizedKeys []string `json:"sshAuthorizedKeys,omitempty"`

	// userData is the guest's cloud-init user data: a cloud-config, a script, or another form that cloud-init knows. Only a
	// cloud-config may stand beside cloudInitUser and sshAuthorizedKeys, and they are put into it. Everybody who may read
	// this object can read it: use userDataSecret for secrets, and for more than 2,048 bytes, which KubeVirt refuses inline.
	// Excludes userDataSecret.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=8192
	// +kubebuilder:validation:XValidation:rule=`bytes(self).size() <= 2048`,message="userData has more than the 2,048 bytes that KubeVirt takes: put it into a Secret, under the key userdata, and name that as userDataSecret"
	// +kubebuilder:validation:XValidation:rule=`self.matches('^(#|<powershell>|<script>|rem cmd|(?i:content-type:|mime-version:))')`,message="userData begins with a line that says what it is: #cloud-config, #!/bin/sh, or another that cloud-init knows"
	UserData string `json:"userData,omitempty"`

	// userDataSecret names a Secret in spec.namespace whose key userdata is the guest's complete cloud-init user data.
	// Excludes cloudInitUser, userData and sshAuthorizedKeys. Use this field for user data of more than 2,048 bytes, which
	// KubeVirt refuses inline.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	UserDataSecret string `json:"userDataSecret,omitempty"`

	// networkDataSecret names a Secret in spec.namespace whose key networkdata is the guest's complete cloud-init network
	// configuration, used instead of the one made from ipConfig. ipConfig then only decides what the status shows until
	// the guest reports. Use this field for network data of more than 2,048 bytes, which KubeVirt refuses inline.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	NetworkDataSecret string `json:"networkDataSecret,omitempty"`

	// highAvailability says on which nodes the machine and its networks may be, and what happens when the machine stops.
	//
	// +optional
	HighAvailability *HighAvailability `json:"highAvailability,omitempty"`

	// evictionStrategy says what happens when the machine's node is drained: LiveMigrate moves the machine, and the drain waits
	// where it cannot be moved; LiveMigrateIfPossible moves it or else shuts it down; None shuts it down; External leaves it to
	// somebody else's controller. A machine can be moved if its disks are ReadWriteMany, among others. Default: what KubeVirt's
	// own configuration says, and None where that says nothing.
	//
	// +optional
	EvictionStrategy EvictionStrategy `json:"evictionStrategy,omitempty"`

	// terminationGracePeriodSeconds is how long the guest has to shut down before it is switched off. Default: KubeVirt's, 30
	// seconds.
	//
	// +optional
	// +kubebuilder:validation:Minimum=0
	TerminationGracePeriodSeconds *int64 `json:"terminationGracePeriodSeconds,omitempty"`

	// startStrategy says whether and when the machine is started.
	//
	// +optional
	StartStrategy *StartStrategy `json:"startStrategy,omitempty"`

	// networks are the machine's network interfaces, in order, at most 16. The order is also the order of preference of
	// their default routes. Empty means one pod network named default.
	//
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:XValidation:rule=`self.filter(n, has(n.type) ? n.type == 'pod' : !has(n.networkName)).size() <= 1`,message="at most one network may be of type pod; a network without type and networkName is a pod network: set one of them on the others"
	// +kubebuilder:validation:XValidation:rule=`self.all(a, !has(a.type) || !(a.type in ['bridge','ovs']) || has(a.nadName) || self.all(b, !has(b.type) || !(b.type in ['bridge','ovs']) || has(b.nadName) || (has(a.bridgeName) ? a.bridgeName : 'br-' + a.name) != (has(b.bridgeName) ? b.bridgeName : 'br-' + b.name) || (a.type == b.type && (has(a.vlanId) ? a.vlanId : 0) == (has(b.vlanId) ? b.vlanId : 0) && (has(a.mtu) ? a.mtu : 0) == (has(b.mtu) ? b.mtu : 0) && (has(a.preserveHostIP) && a.preserveHostIP) == (has(b.preserveHostIP) && b.preserveHostIP) && (has(a.physicalInterface) != has(b.physicalInterface) || (has(a.physicalInterface) ? a.physicalInterface : '') == (has(b.physicalInterface) ? b.physicalInterface : '')))))`,message="one bridge is fed by one uplink: networks with the same bridgeName need the same type, physicalInterface, vlanId, mtu and preserveHostIP; otherwise give them different bridgeNames"
	// +kubebuilder:validation:XValidation:rule=`self.all(a, !has(a.type) || !(a.type in ['bridge','ovs']) || has(a.nadName) || self.all(b, !has(b.type) || !(b.type in ['bridge','ovs']) || has(b.nadName) || (has(a.vlanId) ? a.vlanId : 0) != (has(b.vlanId) ? b.vlanId : 0) || (has(a.physicalInterface) ? a.physicalInterface : '') != (has(b.physicalInterface) ? b.physicalInterface : '') || (has(a.bridgeName) ? a.bridgeName : 'br-' + a.name) == (has(b.bridgeName) ? b.bridgeName : 'br-' + b.name)))`,message="one NIC (or one VLAN of it) feeds one bridge: two bridges cannot share it. Use the same bridgeName, another physicalInterface, or another vlanId"
	// +kubebuilder:validation:XValidation:rule=`self.all(a, !has(a.type) || !(a.type in ['macvlan','ipvlan']) || has(a.nadName) || self.all(b, !has(b.type) || b.type == a.type || !(b.type in ['macvlan','ipvlan','bridge','ovs']) || has(b.nadName) || has(b.vlanId) || (has(a.physicalInterface) ? a.physicalInterface : '') != (has(b.physicalInterface) ? b.physicalInterface : '')))`,message="a NIC carries macvlans, or ipvlans, or one bridge: use the same type, or another physicalInterface"
	// +kubebuilder:validation:XValidation:rule=`self.all(a, !has(a.macAddress) || self.exists_one(b, has(b.macAddress) && a.macAddress.lowerAscii() == b.macAddress.lowerAscii()))`,message="two networks have the same macAddress: give each its own, or leave macAddress out"
	Networks []Network `json:"networks,omitempty"`

	// virtualMachine is a part of the KubeVirt VirtualMachine, for what the other fields do not say: firmware, TPM, GPUs, CPU
	// model, claims, labels, and everything else that KubeVirt has.
	//
	// +optional
	VirtualMachine *VirtualMachine `json:"virtualMachine,omitempty"`
}

// Instancetype names an instance type of KubeVirt.
type Instancetype struct {
	// name is the instance type's name, such as u1.medium.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	Name string `json:"name"`

	// kind is VirtualMachineClusterInstancetype, or VirtualMachineInstancetype for one in spec.namespace. Default:
	// VirtualMachineClusterInstancetype.
	//
	// +optional
	// +kubebuilder:validation:Enum=VirtualMachineClusterInstancetype;VirtualMachineInstancetype
	Kind string `json:"kind,omitempty"`
}

// Preference names a preference of KubeVirt.
type Preference struct {
	// name is the preference's name, such as windows.11.virtio.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	Name string `json:"name"`

	// kind is VirtualMachineClusterPreference, or VirtualMachinePreference for one in spec.namespace. Default:
	// VirtualMachineClusterPreference.
	//
	// +optional
	// +kubebuilder:validation:Enum=VirtualMachineClusterPreference;VirtualMachinePreference
	Kind string `json:"kind,omitempty"`
}

// CloudInitUser is the user in cloud-config, who gets the SSH keys and logs in on the console.
type CloudInitUser struct {
	// name is the login name. Where the fields below are unset, the user has the settings of the image's default user
	// (sudo, shell, groups). With root, cloud-init is told to leave root's keys usable (disable_root: false); whether root
	// may log in over SSH with a password is up to the image's sshd.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:Pattern=`^[a-z_][a-z0-9_.-]*$`
	Name string `json:"name"`

	// passwordHash is the password as crypt(3) writes it, for example the output of `openssl passwd -6`. It takes
	// precedence over password.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:XValidation:rule=`!self.matches('[\\s:\\x00-\\x1f\\x7f]')`,message="passwordHash is one word as crypt(3) writes it, without spaces and ':': see 'openssl passwd -6'"
	PasswordHash string `json:"passwordHash,omitempty"`

	// password is the password in plain text. Everybody who may read this object can read it: prefer passwordHash.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:XValidation:rule=`!self.matches('[\\x00-\\x1f\\x7f]')`,message="a password is one line without control characters, because the guest reads it as a line"
	Password string `json:"password,omitempty"`

	// sudo is the user's sudo rule, for example "ALL=(ALL) NOPASSWD:ALL". Default: the image's.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:XValidation:rule=`!self.matches('[\\x00-\\x1f\\x7f]')`,message="a sudo rule is one line without control characters"
	Sudo string `json:"sudo,omitempty"`

	// shell is the user's login shell, for example /bin/bash. Default: the image's.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:XValidation:rule=`self.matches('^/[^\\s:\\x00-\\x1f\\x7f]*$')`,message="shell is an absolute path, for example /bin/bash"
	Shell string `json:"shell,omitempty"`

	// groups are the user's further groups. Default: the image's.
	//
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=32
	// +kubebuilder:validation:items:Pattern=`^[a-z_][a-z0-9_.-]*$`
	Groups []string `json:"groups,omitempty"`

	// lockPasswd forbids to log in with a password. Default: false when password or passwordHash is set, else true.
	//
	// +optional
	LockPasswd *bool `json:"lockPasswd,omitempty"`
}

// HighAvailability places the machine.
type HighAvailability struct {
	// nodeSelector is the labels that a node must have: for the machine to run on it, and for the policies to configure
	// its network. Default: every node.
	//
	// +optional
	// +kubebuilder:validation:MaxProperties=32
	// +kubebuilder:validation:XValidation:rule=`self.all(k, size(k) <= 317 && k.matches('^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$'))`,message="a key of nodeSelector is a label's name: letters, digits, '-', '_' and '.', at most 63 characters, and optionally a DNS prefix and '/' before it"
	NodeSelector map[string]LabelValue `json:"nodeSelector,omitempty"`

	// tolerations let the machine run on nodes with matching taints.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:XValidation:rule=`self.all(t, (!has(t.operator) || t.operator in ['', 'Exists', 'Equal']) && (!has(t.effect) || t.effect in ['', 'NoSchedule', 'PreferNoSchedule', 'NoExecute']))`,message="a toleration's operator is Exists or Equal, its effect NoSchedule, PreferNoSchedule or NoExecute"
	// +kubebuilder:validation:XValidation:rule=`self.all(t, has(t.operator) && t.operator == 'Exists' ? !has(t.value) || t.value == '' : has(t.key) && t.key != '')`,message="a toleration with operator Exists takes no value, one with Equal needs a key"
	// +kubebuilder:validation:XValidation:rule=`self.all(t, !has(t.tolerationSeconds) || has(t.effect) && t.effect == 'NoExecute')`,message="a toleration with tolerationSeconds needs effect NoExecute"
	Tolerations []corev1.Toleration `json:"tolerations,omitempty"`

	// antiAffinity asks that the machine does not share its node with that of another Wukong. This is a preference: with
	// too few nodes the machines share. Default: false.
	//
	// +optional
	AntiAffinity bool `json:"antiAffinity,omitempty"`

	// restartPolicy says what happens when the machine stops by itself: Always starts it again, OnFailure starts it
	// again unless the guest shut itself down, Never leaves it. It becomes the run strategy Always, RerunOnFailure or
	// Once, unless startStrategy decides. Default: Always.
	//
	// +optional
	RestartPolicy RestartPolicy `json:"restartPolicy,omitempty"`
}

// LabelValue is the value of a label: letters, digits, '-', '_' and '.', at most 63 characters, or empty.
//
// +kubebuilder:validation:MaxLength=63
// +kubebuilder:validation:Pattern=`^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$`
type LabelValue string

// RestartPolicy says what happens when the machine stops by itself.
//
// +kubebuilder:validation:Enum=Always;OnFailure;Never
type RestartPolicy string

// The restart policies.
const (
	RestartAlways    RestartPolicy = "Always"
	RestartOnFailure RestartPolicy = "OnFailure"
	RestartNever     RestartPolicy = "Never"
)

// EvictionStrategy is KubeVirt's word for what happens when a node is drained.
//
// +kubebuilder:validation:Enum=LiveMigrate;LiveMigrateIfPossible;None;External
type EvictionStrategy string

// StartStrategy says whether and when the machine is started. Its run strategy is the first of these that is set:
//
//	startStrategy.runStrategy                     as it says
//	startStrategy.autoStart: false                Manual
//	highAvailability.restartPolicy: Always        Always
//	highAvailability.restartPolicy: OnFailure     RerunOnFailure
//	highAvailability.restartPolicy: Never         Once
//	none                                          Always
type StartStrategy struct {
	// runStrategy is KubeVirt's: Always keeps the machine running, RerunOnFailure restarts it unless the guest shut
	// itself down, Once starts it once, Manual leaves it to virtctl start and stop, Halted keeps it stopped. Under
	// Always and Halted this field takes precedence over virtctl: the hook undoes what virtctl start or stop writes.
	//
	// +optional
	RunStrategy RunStrategy `json:"runStrategy,omitempty"`

	// autoStart false leaves the machine stopped until `virtctl start`, as runStrategy Manual does. runStrategy takes
	// precedence over autoStart. Default: true.
	//
	// +optional
	AutoStart *bool `json:"autoStart,omitempty"`
}

// RunStrategy is KubeVirt's word for whether and when a machine runs.
//
// +kubebuilder:validation:Enum=Always;RerunOnFailure;Manual;Halted;Once
type RunStrategy string

// The run strategies.
const (
	RunAlways         RunStrategy = "Always"
	RunRerunOnFailure RunStrategy = "RerunOnFailure"
	RunManual         RunStrategy = "Manual"
	RunHalted         RunStrategy = "Halted"
	RunOnce           RunStrategy = "Once"
)

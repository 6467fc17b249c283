package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// WukongStatus is what the hook last saw and decided. Nothing in it ticks: it changes only when the machine, its
// networks or the spec do.
type WukongStatus struct {
	// observedGeneration is the generation of the spec that this status speaks of. Metacontroller fills it; -1 until the
	// first answer.
	//
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// phase is for display and derived from the conditions: Pending (waiting for the network), Creating, Running,
	// Stopped, Error or Terminating. Programs read the conditions.
	//
	// +optional
	Phase string `json:"phase,omitempty"`

	// conditions are Ready, NodeNetworkReady, AttachmentsReady and MachineReady, and Stalled while it is true.
	//
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// vmName is the name of the VirtualMachine in spec.namespace.
	//
	// +optional
	VMName string `json:"vmName,omitempty"`

	// nodeName is the node that the machine runs on.
	//
	// +optional
	NodeName string `json:"nodeName,omitempty"`

	// address is the one address to show for the machine: the first reported, or configured, one in the order of
	// spec.networks that is not on a pod network; else the pod network's.
	//
	// +optional
	Address string `json:"address,omitempty"`

	// networks is the state of each network, in the order of spec.networks; then of those that are still being removed.
	//
	// +optional
	// +listType=map
	// +listMapKey=name
	Networks []NetworkStatus `json:"networks,omitempty"`

	// volumes is the state of each volume of the running machine.
	//
	// +optional
	// +listType=map
	// +listMapKey=name
	Volumes []VolumeStatus `json:"volumes,omitempty"`
}

// NetworkStatus is the state of one network.
type NetworkStatus struct {
	// name is the network's name in the spec.
	//
	// +required
	Name string `json:"name"`

	// type is the network's type in the spec.
	//
	// +optional
	Type NetworkType `json:"type,omitempty"`

	// bridge is the bridge on the nodes that the network hangs on.
	//
	// +optional
	Bridge string `json:"bridge,omitempty"`

	// uplink is the interface of the nodes by which the network reaches the wire: the NIC or the VLAN interface.
	//
	// +optional
	Uplink string `json:"uplink,omitempty"`

	// policyName is the NodeNetworkConfigurationPolicy that builds the bridge.
	//
	// +optional
	PolicyName string `json:"policyName,omitempty"`

	// policyState is Available, Progressing, Degraded, Ignored (no node matches) or Pending (not there yet).
	//
	// +optional
	PolicyState string `json:"policyState,omitempty"`

	// nadName is the NetworkAttachmentDefinition, as namespace/name.
	//
	// +optional
	NADName string `json:"nadName,omitempty"`

	// macAddress is the interface's hardware address in the guest.
	//
	// +optional
	MACAddress string `json:"macAddress,omitempty"`

	// interfaceName is what the guest calls the interface, once its agent reports.
	//
	// +optional
	InterfaceName string `json:"interfaceName,omitempty"`

	// ipAddresses are the addresses that the machine reports, or until it does the configured static one.
	//
	// +optional
	// +listType=atomic
	IPAddresses []string `json:"ipAddresses,omitempty"`

	// message is what this network waits for or what is wrong with it, in one line; empty when all is well.
	//
	// +optional
	Message string `json:"message,omitempty"`
}

// VolumeStatus is the state of one volume of the running machine.
type VolumeStatus struct {
	// name is the volume's name in the machine: the disk's, or osdisk or cloudinitdisk.
	//
	// +required
	Name string `json:"name"`

	// claimName is the PersistentVolumeClaim behind the volume.
	//
	// +optional
	ClaimName string `json:"claimName,omitempty"`

	// capacity is the size of the PersistentVolumeClaim.
	//
	// +optional
	Capacity string `json:"capacity,omitempty"`

	// phase is KubeVirt's word for the volume's state, such as Ready.
	//
	// +optional
	Phase string `json:"phase,omitempty"`

	// message is what is worth knowing about the volume, in one line.
	//
	// +optional
	Message string `json:"message,omitempty"`
}

// Condition types. Ready is the summary: its message is the one line that a person reads.
const (
	// Ready is True when the machine runs (reason Running) or is stopped on request (reason Stopped) and its networks
	// are as asked. When not True its reason and message are those of the first condition below that is not.
	ConditionReady = "Ready"

	// NodeNetworkReady speaks of the policies that build bridges on the nodes.
	//
	// True: PoliciesAvailable, NotRequired.
	// Unknown: NMStateNotRegistered (the bridges named in the message must exist; Ready does not wait).
	// False: PolicyPending, PolicyProgressing, PolicyFailed, NoMatchingNode, BridgeLost (a node no longer has what it
	// had), PreflightRefused, PreflightWaiting, Conflict, Removing, InvalidSpec, Terminating.
	ConditionNodeNetworkReady = "NodeNetworkReady"

	// AttachmentsReady speaks of the NetworkAttachmentDefinitions.
	//
	// True: AttachmentsExist, NotRequired.
	// False: WaitingForNodeNetwork, AttachmentPending, AttachmentNotFound, Conflict, Removing, InvalidSpec, Terminating.
	ConditionAttachmentsReady = "AttachmentsReady"

	// MachineReady speaks of the VirtualMachine.
	//
	// True: Running, Migrating, RestartRequired (it runs, and has changes to take up), Stopped.
	// False: WaitingForNodeNetwork, WaitingForAttachments, MachinePending, MachineFailed, NotReady,
	// Conflict, InvalidSpec, Terminating, or KubeVirt's own word for the machine's state, such as Starting,
	// Provisioning, Paused, ErrorUnschedulable or CrashLoopBackOff.
	ConditionMachineReady = "MachineReady"

	// Stalled is there, and True, only while nobody but the user can make progress; its reason and message are those of
	// the condition that is stuck: InvalidSpec, Conflict, PreflightRefused, PolicyFailed, NoMatchingNode, BridgeLost,
	// AttachmentNotFound.
	ConditionStalled = "Stalled"
)

// Phases, for display.
const (
	PhasePending     = "Pending"
	PhaseCreating    = "Creating"
	PhaseRunning     = "Running"
	PhaseStopped     = "Stopped"
	PhaseError       = "Error"
	PhaseTerminating = "Terminating"
)

// Policy states.
const (
	PolicyPending     = "Pending"
	PolicyProgressing = "Progressing"
	PolicyAvailable   = "Available"
	PolicyDegraded    = "Degraded"
	PolicyIgnored     = "Ignored"
)

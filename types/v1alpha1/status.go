package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// WukongStatus is what the hook last saw and decided. It has no clocks and no counters: it changes only when the
// machine, its networks or the spec change.
type WukongStatus struct {
	// observedGeneration is the generation of the spec that this status is about. Metacontroller sets it; -1 until the
	// first answer.
	//
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// phase is for display and derived from the conditions: Pending (waiting for the network), Creating, Running, Paused,
	// Stopped, Error or Terminating. Programs read the conditions.
	//
	// +optional
	Phase string `json:"phase,omitempty"`

	// conditions are Ready, NodeNetworkReady, AttachmentsReady and MachineReady, and Stalled while only the user can make
	// progress. Their reasons are these, and for a machine that does not run KubeVirt's own words, such as Starting:
	//
	//   - InvalidSpec: a value is wrong once the defaults are filled in; everything that exists stays as it is.
	//   - Terminating: the Wukong, its machine or the WukongNetwork is being deleted.
	//   - Conflict: a bridge, a NIC, a disk or a name belongs to somebody else; the message says to whom.
	//   - NamespaceNotFound: the namespace that spec.namespace names does not exist.
	//   - NamespaceTerminating: the namespace that spec.namespace names is being deleted, with all that is in it.
	//   - Removing: an older policy, attachment or disk of the same name, bridge or uplink has to go first.
	//   - NotRequired: no network needs a policy, or none needs an attachment.
	//   - PoliciesAvailable: the bridges are built on the nodes.
	//   - NMStateNotRegistered: NMState is not registered, so no policy is created; the message says what to do.
	//   - PolicyPending: the policy is being created, or NMState has not looked at it yet.
	//   - PolicyProgressing: NMState is configuring the nodes.
	//   - PolicyFailed: NMState could not configure a node; the message has the node and the error.
	//   - NoMatchingNode: no node has the labels that nodeSelector asks for.
	//   - BridgeLost: a node no longer has the bridge, or the bridge no longer has its uplink.
	//   - PreflightRefused: a node would be harmed, or cannot take the network; the message has the way out.
	//   - PreflightWaiting: a selected node does not report its network yet, or no node is selected.
	//   - AttachmentsExist: every network has its attachment.
	//   - WaitingForNodeNetwork: a policy is not available yet.
	//   - AttachmentPending: an attachment is being created or deleted.
	//   - AttachmentNotFound: the attachment that nadName names does not exist.
	//   - WukongNetworkNotFound: the WukongNetwork that networkName names does not exist.
	//   - WaitingForWukongNetwork: the WukongNetwork that networkName names is not ready yet.
	//   - WaitingForAttachments: an attachment does not exist yet.
	//   - MachinePending: the machine is being created, or KubeVirt has not looked at it yet.
	//   - MachineFailed: KubeVirt could not create or start the machine; the message has the error.
	//   - NotReady: the machine is not ready yet.
	//   - Running: the machine runs.
	//   - Migrating: the machine runs, and is moving to another node.
	//   - RestartRequired: the machine runs, and needs a restart to take over changes.
	//   - Stopped: the machine is stopped, as the spec or virtctl asks.
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

	// prunedMachineFields are fields of spec.virtualMachine that the hook handed on, because of -unknown-machine-fields=pass, and
	// that KubeVirt in this cluster does not know. They are left out until the spec changes.
	//
	// +optional
	// +listType=set
	PrunedMachineFields []string `json:"prunedMachineFields,omitempty"`
}

// NetworkStatus is the state of one network.
type NetworkStatus struct {
	// name is the network's name in the spec.
	//
	// +required
	Name string `json:"name"`

	// type is the network's type in the spec, or the type of the WukongNetwork that it uses.
	//
	// +optional
	// +kubebuilder:validation:Enum=pod;bridge;ovs;macvlan;ipvlan;sriov
	Type NetworkType `json:"type,omitempty"`

	// bridge is the network's bridge on the nodes.
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

	// policyState is Available, Progressing, Degraded, Ignored (no node matches) or Pending (the policy does not exist, or
	// NMState has not looked at it).
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

	// ipAddresses are the addresses that the machine reports. Until the machine reports any, they are the configured
	// static one.
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
	// Ready is True when the machine runs (reason Running) or is stopped on request (reason Stopped) and its networks are
	// as asked. Otherwise its reason and message are those of the first condition below that is not True; a condition that
	// only the user can change comes before the others.
	ConditionReady = "Ready"

	// NodeNetworkReady is about the policies that build bridges on the nodes.
	//
	// True: PoliciesAvailable, NotRequired.
	// Unknown: NMStateNotRegistered (Ready does not wait for it).
	// False: PolicyPending, PolicyProgressing, PolicyFailed, NoMatchingNode, BridgeLost, PreflightRefused, PreflightWaiting,
	// Conflict, Removing, InvalidSpec, Terminating.
	ConditionNodeNetworkReady = "NodeNetworkReady"

	// AttachmentsReady is about the NetworkAttachmentDefinitions.
	//
	// True: AttachmentsExist, NotRequired.
	// False: WaitingForNodeNetwork, AttachmentPending, AttachmentNotFound, WukongNetworkNotFound, WaitingForWukongNetwork,
	// NMStateNotRegistered, PreflightRefused, Conflict, NamespaceNotFound, NamespaceTerminating, Removing, InvalidSpec,
	// Terminating.
	ConditionAttachmentsReady = "AttachmentsReady"

	// MachineReady is about the VirtualMachine.
	//
	// True: Running, Migrating, RestartRequired, Stopped.
	// False: WaitingForNodeNetwork, WaitingForAttachments, MachinePending, MachineFailed, NotReady, Conflict,
	// NamespaceNotFound, NamespaceTerminating, InvalidSpec, Terminating, or KubeVirt's own word for the state of the machine,
	// such as Starting, Provisioning, Paused, ErrorUnschedulable or CrashLoopBackOff.
	ConditionMachineReady = "MachineReady"

	// Stalled exists, and is True, only while nobody but the user can make progress. Its reason and message are those of
	// the condition that is stuck: InvalidSpec, Conflict, PreflightRefused, PolicyFailed, NoMatchingNode, BridgeLost,
	// AttachmentNotFound, WukongNetworkNotFound, WaitingForWukongNetwork, NMStateNotRegistered, Removing,
	// NamespaceNotFound, NamespaceTerminating, MachineFailed or Paused where KubeVirt does not start or resume the machine by
	// itself, and Terminating where a deletion waits for copies.
	ConditionStalled = "Stalled"
)

// Phases, for display.
const (
	PhasePending     = "Pending"
	PhaseCreating    = "Creating"
	PhaseRunning     = "Running"
	PhasePaused      = "Paused"
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

package v1alpha1

// Reason is why a condition has its status. For a machine that does not run, MachineReady can also have KubeVirt's own
// word as its reason, such as Starting or ErrorUnschedulable; Ready and Stalled repeat the reason of another condition.
type Reason string

// The reasons of the conditions. Each has one line, "ReasonX: text"; the doc comment of WukongStatus.Conditions repeats
// the lines as "X: text" for kubectl explain, and that of WukongNetworkStatus.Conditions those that a WukongNetwork can
// have.
const (
	// ReasonInvalidSpec: a value is wrong once the defaults are filled in; everything that exists stays as it is.
	ReasonInvalidSpec Reason = "InvalidSpec"

	// ReasonTerminating: the Wukong, its machine or the WukongNetwork is being deleted.
	ReasonTerminating Reason = "Terminating"

	// ReasonConflict: a bridge, a NIC, a disk or a name belongs to somebody else; the message says to whom.
	ReasonConflict Reason = "Conflict"

	// ReasonNamespaceNotFound: the namespace that spec.namespace names does not exist.
	ReasonNamespaceNotFound Reason = "NamespaceNotFound"

	// ReasonNamespaceTerminating: the namespace that spec.namespace names is being deleted, with all that is in it.
	ReasonNamespaceTerminating Reason = "NamespaceTerminating"

	// ReasonRemoving: an older policy, attachment or disk of the same name, bridge or uplink has to go first.
	ReasonRemoving Reason = "Removing"

	// ReasonNotRequired: no network needs a policy, or none needs an attachment.
	ReasonNotRequired Reason = "NotRequired"

	// ReasonPoliciesAvailable: the bridges are built on the nodes.
	ReasonPoliciesAvailable Reason = "PoliciesAvailable"

	// ReasonNMStateNotRegistered: NMState is not registered, so no policy is created; the message says what to do.
	ReasonNMStateNotRegistered Reason = "NMStateNotRegistered"

	// ReasonPolicyPending: the policy is being created, or NMState has not looked at it yet.
	ReasonPolicyPending Reason = "PolicyPending"

	// ReasonPolicyProgressing: NMState is configuring the nodes.
	ReasonPolicyProgressing Reason = "PolicyProgressing"

	// ReasonPolicyFailed: NMState could not configure a node; the message has the node and the error.
	ReasonPolicyFailed Reason = "PolicyFailed"

	// ReasonNoMatchingNode: no node has the labels that nodeSelector asks for.
	ReasonNoMatchingNode Reason = "NoMatchingNode"

	// ReasonBridgeLost: a node no longer has the bridge, or the bridge no longer has its uplink.
	ReasonBridgeLost Reason = "BridgeLost"

	// ReasonPreflightRefused: a node would be harmed, or cannot take the network; the message has the way out.
	ReasonPreflightRefused Reason = "PreflightRefused"

	// ReasonPreflightWaiting: a selected node does not report its network yet, or no node is selected.
	ReasonPreflightWaiting Reason = "PreflightWaiting"

	// ReasonAttachmentsExist: every network has its attachment.
	ReasonAttachmentsExist Reason = "AttachmentsExist"

	// ReasonWaitingForNodeNetwork: a policy is not available yet.
	ReasonWaitingForNodeNetwork Reason = "WaitingForNodeNetwork"

	// ReasonAttachmentPending: an attachment is being created or deleted.
	ReasonAttachmentPending Reason = "AttachmentPending"

	// ReasonAttachmentNotFound: the attachment that nadName names does not exist.
	ReasonAttachmentNotFound Reason = "AttachmentNotFound"

	// ReasonWukongNetworkNotFound: the WukongNetwork that networkName names does not exist.
	ReasonWukongNetworkNotFound Reason = "WukongNetworkNotFound"

	// ReasonWaitingForWukongNetwork: the WukongNetwork that networkName names is not ready yet.
	ReasonWaitingForWukongNetwork Reason = "WaitingForWukongNetwork"

	// ReasonWaitingForAttachments: an attachment does not exist yet.
	ReasonWaitingForAttachments Reason = "WaitingForAttachments"

	// ReasonMachinePending: the machine is being created, or KubeVirt has not looked at it yet.
	ReasonMachinePending Reason = "MachinePending"

	// ReasonMachineFailed: KubeVirt could not create or start the machine; the message has the error.
	ReasonMachineFailed Reason = "MachineFailed"

	// ReasonNotReady: the machine is not ready yet.
	ReasonNotReady Reason = "NotReady"

	// ReasonRunning: the machine runs.
	ReasonRunning Reason = "Running"

	// ReasonMigrating: the machine runs, and is moving to another node.
	ReasonMigrating Reason = "Migrating"

	// ReasonRestartRequired: the machine runs, and needs a restart to take over changes.
	ReasonRestartRequired Reason = "RestartRequired"

	// ReasonStopped: the machine is stopped, as the spec or virtctl asks.
	ReasonStopped Reason = "Stopped"
)

package v1alpha1

// Reason is why a condition is as it is. KubeVirt's own words for a machine that does not run, such as Starting or
// ErrorUnschedulable, stand beside those that are listed here.
type Reason string

// The reasons of the conditions.
const (
	// ReasonInvalidSpec: the spec is wrong in a way that shows only with the defaults filled in; everything is held.
	ReasonInvalidSpec Reason = "InvalidSpec"

	// ReasonTerminating: it is being deleted.
	ReasonTerminating Reason = "Terminating"

	// ReasonConflict: a bridge, a NIC, a disk or a name is somebody else's; the message names the party.
	ReasonConflict Reason = "Conflict"

	// ReasonRemoving: what an earlier network of the same name, or another policy, leaves on the nodes goes first.
	ReasonRemoving Reason = "Removing"

	// ReasonNotRequired: no network needs it.
	ReasonNotRequired Reason = "NotRequired"

	// ReasonPoliciesAvailable: the bridges are built on the nodes.
	ReasonPoliciesAvailable Reason = "PoliciesAvailable"

	// ReasonNMStateNotRegistered: no policy is made, and the bridges in the message must exist on the nodes.
	ReasonNMStateNotRegistered Reason = "NMStateNotRegistered"

	// ReasonPolicyPending: NMState has not looked at the policy yet.
	ReasonPolicyPending Reason = "PolicyPending"

	// ReasonPolicyProgressing: NMState is configuring the nodes.
	ReasonPolicyProgressing Reason = "PolicyProgressing"

	// ReasonPolicyFailed: a node could not be configured; the message has the node and NMState's error.
	ReasonPolicyFailed Reason = "PolicyFailed"

	// ReasonNoMatchingNode: no node has the labels of highAvailability.nodeSelector.
	ReasonNoMatchingNode Reason = "NoMatchingNode"

	// ReasonBridgeLost: a node no longer has the bridge, or its uplink in it.
	ReasonBridgeLost Reason = "BridgeLost"

	// ReasonPreflightRefused: the policy would harm a node; the message has the node and the ways out.
	ReasonPreflightRefused Reason = "PreflightRefused"

	// ReasonPreflightWaiting: a selected node does not report its network yet, or no node is selected.
	ReasonPreflightWaiting Reason = "PreflightWaiting"

	// ReasonAttachmentsExist: every network has its attachment.
	ReasonAttachmentsExist Reason = "AttachmentsExist"

	// ReasonWaitingForNodeNetwork: a policy is not available yet.
	ReasonWaitingForNodeNetwork Reason = "WaitingForNodeNetwork"

	// ReasonAttachmentPending: an attachment is being created, or deleted.
	ReasonAttachmentPending Reason = "AttachmentPending"

	// ReasonAttachmentNotFound: the attachment that nadName names does not exist.
	ReasonAttachmentNotFound Reason = "AttachmentNotFound"

	// ReasonWaitingForAttachments: an attachment does not exist yet.
	ReasonWaitingForAttachments Reason = "WaitingForAttachments"

	// ReasonMachinePending: the machine is being created, or KubeVirt has not taken it up yet.
	ReasonMachinePending Reason = "MachinePending"

	// ReasonMachineFailed: KubeVirt could not create or start the machine; its error is in the message.
	ReasonMachineFailed Reason = "MachineFailed"

	// ReasonNotReady: the machine is on its way, and not ready yet.
	ReasonNotReady Reason = "NotReady"

	// ReasonRunning: the machine runs.
	ReasonRunning Reason = "Running"

	// ReasonMigrating: the machine runs, and moves to another node.
	ReasonMigrating Reason = "Migrating"

	// ReasonRestartRequired: the machine runs, and takes up changes at its next restart.
	ReasonRestartRequired Reason = "RestartRequired"

	// ReasonStopped: the machine is stopped, as asked.
	ReasonStopped Reason = "Stopped"
)

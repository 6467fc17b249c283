package sync

import "time"

// Settings are the flags of the process that change what is answered.
type Settings struct {
	// PhysicalInterface is the NIC of networks that name none.
	PhysicalInterface string

	// DefaultOSImage is the container disk of machines that name neither osImage nor a disk to boot from.
	DefaultOSImage string

	// PassUnknownMachineFields hands fields of spec.virtualMachine on that the hook does not know. Otherwise they are refused.
	PassUnknownMachineFields bool

	// BridgeMarker makes attachments of type bridge ask for the node resource that the bridge-marker DaemonSet
	// publishes, so that a machine lands only where its bridges exist.
	BridgeMarker bool

	// Preflight checks the nodes before a policy is created.
	Preflight bool

	// NodesSettle is how long after a node was first told of no policy is created, because others may follow.
	NodesSettle time.Duration

	// NodesGather is for how long changes of the bridges of a node are gathered, before they are told of together; 0 for no time. Each
	// time that a node is told of anew, all machines on the node are looked at.
	NodesGather time.Duration

	// TeardownTimeout is how long the removal of a bridge may make no progress before its policy is deleted anyway.
	TeardownTimeout time.Duration
}

package sync

import (
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"novasphere.dev/wukong/sync/facts"
	"novasphere.dev/wukong/sync/hold"
	"novasphere.dev/wukong/sync/node"
	"novasphere.dev/wukong/sync/outcome"
	"novasphere.dev/wukong/types/v1alpha1"
)

// readSharedNetwork fills in what a network has of the WukongNetwork that it uses. Its type is that of the WukongNetwork; bridge, as long
// as that cannot be seen, because the machine plugs into both in the same way.
func (v *view) readSharedNetwork(n *network) {
	n.Type = v1alpha1.Bridge
	shared := v.related.WukongNetworks.Get(n.NetworkName)
	if shared == nil || !shared.Readable {
		return
	}
	switch shared.Spec.Type {
	case "", v1alpha1.Bridge:
	case v1alpha1.OVS:
		n.Type = v1alpha1.OVS
	default:
		return // of a version of the hook that is not this one
	}
	if n.shared, n.MTU = shared, shared.Spec.MTU; n.MTU == 0 {
		n.MTU = shared.Status.MTU
	}
	n.bridge = node.Bridge{Kind: facts.BridgeKind(string(n.Type)), Name: sharedBridge(shared)}
}

// sharedBridge is the bridge of a WukongNetwork.
func sharedBridge(shared *facts.WukongNetwork) string {
	return bridgeName(v1alpha1.Network{Name: shared.Name, BridgeName: shared.Spec.BridgeName})
}

// attachmentReformed reports whether an attachment was made for a network in another form. One that plugs into a bridge can be pointed
// at another bridge: machines take that up at their next start.
// The table in docs/decisions.md has its rows.
func (n *network) attachmentReformed(made node.Bridge) bool {
	if n.NetworkName != "" {
		return made.Kind != node.LinuxBridge && made.Kind != node.OVSBridge
	}
	return made.Kind != n.bridge.Kind || made.Name != n.bridge.Name
}

// decideShared decides about the attachment of a network that uses a WukongNetwork: it is created when the WukongNetwork is ready. One
// that exists stays, whatever becomes of the WukongNetwork.
// The table in docs/decisions.md has its rows.
func (v *view) decideShared(n *network) outcome.Outcome {
	refusal := v.sharedRefusal(n)
	existing := v.children.Attachments.Get(n.attachmentName)
	switch {
	case refusal == nil:
		return v.decideOwn(n)
	case existing == nil:
		return outcome.Outcome{Refusal: refusal}
	}
	return outcome.Outcome{Child: hold.Child(&existing.Object), Refusal: refusal}
}

// sharedRefusal is why the WukongNetwork of a network cannot be plugged into; nil where it can.
// The table in docs/decisions.md has its rows.
func (v *view) sharedRefusal(n *network) *outcome.Refusal {
	related := v.related.WukongNetworks
	found := related.Get(n.NetworkName)
	switch {
	case !v.nmstate:
		return &outcome.Refusal{Reason: v1alpha1.ReasonNMStateNotRegistered, Stuck: true, Message: fmt.Sprintf(
			"networkName %s needs NMState, which is not registered with the CompositeController: install it, or use nadName", n.NetworkName)}
	case !related.Sent:
		return &outcome.Refusal{Reason: v1alpha1.ReasonWaitingForWukongNetwork, Message: fmt.Sprintf(
			"Metacontroller does not send WukongNetwork %s yet: it asks for it when it next asks the hook for its rules", n.NetworkName)}
	case found == nil:
		return &outcome.Refusal{Reason: v1alpha1.ReasonWukongNetworkNotFound, Stuck: true, Message: fmt.Sprintf(
			"WukongNetwork %s does not exist: create it, or remove this network", n.NetworkName)}
	case n.shared == nil:
		return &outcome.Refusal{Reason: v1alpha1.ReasonWaitingForWukongNetwork, Stuck: true, Message: fmt.Sprintf(
			"WukongNetwork %s is of a type that this version of the hook does not know: upgrade the hook", n.NetworkName)}
	case found.Deleting:
		return &outcome.Refusal{Reason: v1alpha1.ReasonRemoving, Stuck: true, Message: fmt.Sprintf(
			"WukongNetwork %s is being deleted: remove this network, or create the WukongNetwork again when it is gone", n.NetworkName)}
	}
	ready := meta.FindStatusCondition(found.Status.Conditions, v1alpha1.ConditionReady)
	message := ""
	switch {
	case ready == nil || ready.ObservedGeneration != found.Generation:
		message = "the hook has not looked at it yet"
	case ready.Status == metav1.ConditionTrue:
		return nil
	default:
		message = ready.Message
	}
	return &outcome.Refusal{
		Reason: v1alpha1.ReasonWaitingForWukongNetwork, Message: fmt.Sprintf("WukongNetwork %s is not ready: %s", n.NetworkName, message),
		Stuck: meta.IsStatusConditionTrue(found.Status.Conditions, v1alpha1.ConditionStalled),
	}
}

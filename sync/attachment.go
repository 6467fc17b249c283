package sync

import (
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/sync/hold"
	"novasphere.dev/wukong/sync/outcome"
	"novasphere.dev/wukong/types/v1alpha1"
)

// resourceAnnotation makes a pod that uses the attachment ask its node for one unit of a resource.
const resourceAnnotation = "k8s.v1.cni.cncf.io/resourceName"

// cniConfig is the CNI configuration in an attachment: all fields that the plugins bridge, ovs, macvlan, ipvlan and
// sriov read. The guest has the address, and cloud-init sets it there. So ipam stays empty; the bridge plugin refuses
// any other ipam together with disableContainerInterface.
type cniConfig struct {
	CNIVersion string `json:"cniVersion"`
	Name       string `json:"name"`
	Type       string `json:"type"`
	Bridge     string `json:"bridge,omitempty"`
	Master     string `json:"master,omitempty"`
	Mode       string `json:"mode,omitempty"`
	MTU        int32  `json:"mtu,omitempty"`
	VLAN       int32  `json:"vlan,omitempty"`

	DisableContainerInterface bool     `json:"disableContainerInterface,omitempty"`
	IPAM                      struct{} `json:"ipam"`
}

// decideAttachment decides about the attachment of one network. The Wukong's own is created once the network's policy
// is ready, and then stays. One that the user names in nadName is waited for.
// The table in docs/decisions.md has its rows.
func (v *view) decideAttachment(n *network) outcome.Outcome {
	switch {
	case n.superseded != "":
		return refuse(v1alpha1.ReasonRemoving, n.superseded)
	case n.NetworkName != "":
		return v.decideShared(n)
	case !n.ownAttachment:
		return outcome.Outcome{Refusal: v.namedRefusal(n)}
	}
	return v.decideOwn(n)
}

// decideOwn decides about an attachment that is the Wukong's to make.
func (v *view) decideOwn(n *network) outcome.Outcome {
	if existing := v.children.Attachments.Get(n.attachmentName); existing != nil {
		if existing.Deleting {
			o := refuse(v1alpha1.ReasonAttachmentPending, fmt.Sprintf("attachment %s is being deleted", n.attachmentName))
			o.Child = hold.Child(&existing.Object)
			return o
		}
		if n.policyName != "" && n.policy.Child == nil && n.MTU == 0 {
			// What the network's policy was given as its MTU is not known while there is none.
			return outcome.Outcome{Child: hold.Child(&existing.Object)}
		}
		if _, certain := hold.MadeAttachment(existing); !certain && n.attachmentReformed(existing.Made()) && n.attachmentReformed(existing.Says()) {
			return outcome.Outcome{Child: hold.Child(&existing.Object)} // it may be that of another network
		}
		return outcome.Outcome{Child: v.newAttachment(n)}
	}
	if taken := outcome.NameTaken(v.foreignAttachment(n.attachmentName), v.owner); taken != nil {
		return outcome.Outcome{Refusal: taken}
	}
	if going := v.namespaceRefusal(); going != nil {
		return outcome.Outcome{Refusal: going}
	}
	if !n.policy.Ready() {
		return refuse(v1alpha1.ReasonWaitingForNodeNetwork, n.policy.Message())
	}
	if unfit := v.masterRefusal(n); unfit != nil {
		return outcome.Outcome{Refusal: unfit}
	}
	o := refuse(v1alpha1.ReasonAttachmentPending, fmt.Sprintf("attachment %s is being created", n.attachmentName))
	o.Child = v.newAttachment(n)
	return o
}

// refuse is an outcome that waits for something other than the user.
func refuse(reason v1alpha1.Reason, message string) outcome.Outcome {
	return outcome.Outcome{Refusal: &outcome.Refusal{Reason: reason, Message: message}}
}

// namedRefusal is why the attachment in nadName cannot be used; nil where it can.
// The table in docs/decisions.md has its rows.
func (v *view) namedRefusal(n *network) *outcome.Refusal {
	existing := v.related.Attachments.Get(n.attachmentName)
	switch {
	case existing == nil || existing.Deleting:
		return &outcome.Refusal{
			Reason: v1alpha1.ReasonAttachmentNotFound, Stuck: true,
			Message: fmt.Sprintf("attachment %s does not exist: create it, or remove this network and add one under a new name", n.attachmentName),
		}
	case existing.Owner.Kind == v1alpha1.Kind && existing.Owner.APIVersion == v1alpha1.APIVersion:
		return &outcome.Refusal{
			Reason: v1alpha1.ReasonConflict, Stuck: true,
			Message: fmt.Sprintf("attachment %s belongs to %s, and is deleted with it: name one that no Wukong owns",
				n.attachmentName, existing.Owner),
		}
	}
	return nil
}

// newAttachment is the NetworkAttachmentDefinition of one network.
func (v *view) newAttachment(n *network) *unstructured.Unstructured {
	config := cniConfig{CNIVersion: "0.3.1", Name: attachmentName(v.w, n.Name), Type: string(n.Type), MTU: n.MTU}
	if n.MTU == 0 {
		config.MTU = int32(n.policy.MTU) //nolint:gosec // facts.ReadMTU reads no more, and no interface has
	}
	resource := ""
	switch n.Type {
	case v1alpha1.Bridge:
		// No vlan here: the VLAN interface that feeds the bridge tags already, and a second tag would get lost on the wire.
		config.Bridge, config.DisableContainerInterface = n.bridge.Name, true
		if v.settings.BridgeMarker {
			resource = "bridge.network.kubevirt.io/" + n.bridge.Name
		}
	case v1alpha1.OVS:
		config.Bridge = n.bridge.Name
	case v1alpha1.Macvlan:
		config.Master, config.Mode = n.bridge.NIC, "bridge"
	case v1alpha1.Ipvlan:
		config.Master, config.Mode = n.bridge.NIC, "l2"
	case v1alpha1.SRIOV:
		config.VLAN, resource = n.VLANID, n.ResourceName
	}

	metadata := map[string]any{
		"namespace": v.w.Spec.Namespace,
		"name":      config.Name,
		"labels":    v.networkLabels(n),
	}
	if resource != "" {
		metadata["annotations"] = map[string]any{resourceAnnotation: resource}
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "k8s.cni.cncf.io/v1",
		"kind":       "NetworkAttachmentDefinition",
		"metadata":   metadata,
		"spec":       map[string]any{"config": compact(config)},
	}}
}

// compact is JSON on one line. What the hook encodes here cannot fail.
func compact(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(raw)
}

package sync

import (
	"encoding/json"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/types/v1alpha1"
)

// resourceAnnotation makes a pod on an attachment ask its node for one of a resource.
const resourceAnnotation = "k8s.v1.cni.cncf.io/resourceName"

// cniConfig is the CNI configuration in an attachment: the union of what the plugins bridge, ovs, macvlan, ipvlan and
// sriov read. The address is the guest's affair, told to it by cloud-init: ipam stays empty, and the bridge plugin
// refuses any other together with disableContainerInterface.
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

// nad is the NetworkAttachmentDefinition of one network.
func nad(w *v1alpha1.Wukong, n network, settings Settings) *unstructured.Unstructured {
	config := cniConfig{CNIVersion: "0.3.1", Name: nadName(w, n.Name), Type: string(n.Type), MTU: n.MTU}
	resource := ""
	switch n.Type {
	case v1alpha1.Bridge:
		// No vlan here: the VLAN interface under the bridge tags already, and a second tag would get lost on the wire.
		config.Bridge, config.DisableContainerInterface = n.bridge, true
		if settings.BridgeMarker {
			resource = "bridge.network.kubevirt.io/" + n.bridge
		}
	case v1alpha1.OVS:
		config.Bridge = n.bridge
	case v1alpha1.Macvlan:
		config.Master, config.Mode = n.nic, "bridge"
	case v1alpha1.Ipvlan:
		config.Master, config.Mode = n.nic, "l2"
	case v1alpha1.SRIOV:
		config.VLAN, resource = n.VLANID, n.ResourceName
	}

	metadata := map[string]any{
		"namespace": w.Spec.Namespace,
		"name":      nadName(w, n.Name),
		"labels":    networkLabels(w, n),
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

// nadStep decides about the attachment of one network: create it once its policy is ready, keep it, or wait for the one
// that the user names.
func nadStep(w *v1alpha1.Wukong, n network, obs *observed, settings Settings, policy step) step {
	if n.superseded != "" {
		return step{reason: "Removing", message: n.superseded}
	}
	if !n.ownNAD {
		return namedNADStep(n, obs)
	}
	if existing := obs.nads[n.nad]; existing != nil {
		if existing.GetDeletionTimestamp() != nil {
			return step{child: hold(existing), reason: "AttachmentPending", message: fmt.Sprintf("attachment %s is being deleted", n.nad)}
		}
		return step{child: nad(w, n, settings), ready: true}
	}
	if message := foreignMessage(obs, nadKind, n.nad, "attachment"); message != "" {
		return step{reason: "Conflict", message: message, stuck: true}
	}
	if !policy.ready {
		return step{reason: "WaitingForNodeNetwork", message: policy.message}
	}
	return step{
		child: nad(w, n, settings), reason: "AttachmentPending",
		message: fmt.Sprintf("attachment %s is being created", n.nad),
	}
}

// namedNADStep waits for an attachment that is not ours to make.
func namedNADStep(n network, obs *observed) step {
	existing := obs.relatedObject(nadKind, n.nad)
	switch {
	case existing == nil || existing.GetDeletionTimestamp() != nil:
		return step{
			reason: "AttachmentNotFound", stuck: true,
			message: fmt.Sprintf("attachment %s does not exist: create it, or remove this network and add one under a new name", n.nad),
		}
	case ownedByWukong(existing):
		return step{
			reason: "Conflict", stuck: true,
			message: fmt.Sprintf("attachment %s belongs to %s and goes when that goes: name one that no Wukong owns", n.nad, owner(existing)),
		}
	}
	return step{ready: true}
}

func ownedByWukong(object *unstructured.Unstructured) bool {
	ref := metav1.GetControllerOf(object)
	return ref != nil && ref.Kind == v1alpha1.Kind && ref.APIVersion == v1alpha1.APIVersion
}

// compact is JSON on one line. Marshalling maps of strings cannot fail.
func compact(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(raw)
}

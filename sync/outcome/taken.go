package outcome

import (
	"fmt"

	"novasphere.dev/wukong/sync/facts"
	"novasphere.dev/wukong/types/v1alpha1"
)

// resources are the kinds of children as kubectl takes them.
var resources = map[string]string{
	"NodeNetworkConfigurationPolicy": "nncp", "NetworkAttachmentDefinition": "net-attach-def", "VirtualMachine": "vm",
}

// words are the kinds of children as messages name them.
var words = map[string]string{
	"NodeNetworkConfigurationPolicy": "policy", "NetworkAttachmentDefinition": "attachment", "VirtualMachine": "machine",
}

// NameTaken is the refusal to create a child because an object that is not the owner's has its name; nil where there is no
// such object. With server-side apply Metacontroller would seize it, and delete it one day.
func NameTaken(by *facts.Object, owner facts.Owner) *Refusal {
	if by == nil {
		return nil
	}
	message := fmt.Sprintf("%s %s exists and belongs to %s: it is left alone. Rename this %s or its network, or delete that object",
		words[by.Kind], by.Key, by.Owner, owner.Kind)
	if !by.Owner.Controller && by.Labels[facts.LabelWukong] == owner.Name && by.Labels[facts.LabelManagedBy] == facts.ManagedBy {
		// Metacontroller lets a child go that loses its label, and takes one back that gets it.
		message = fmt.Sprintf("%s %s does not have the label controller-uid of this %s: it is left alone. "+
			"`kubectl label --overwrite %s controller-uid=%s` gives it back", words[by.Kind], by.Key, owner.Kind, argument(by), owner.UID)
	}
	return &Refusal{Reason: v1alpha1.ReasonConflict, Message: message, Stuck: true}
}

// argument names an object as kubectl takes it.
func argument(o *facts.Object) string {
	if o.Namespace != "" {
		return fmt.Sprintf("-n %s %s %s", o.Namespace, resources[o.Kind], o.Name)
	}
	return resources[o.Kind] + " " + o.Name
}

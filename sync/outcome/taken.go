package outcome

import (
	"fmt"

	"novasphere.dev/wukong/sync/facts"
	"novasphere.dev/wukong/types/v1alpha1"
)

// resources are the names of the kinds of children for kubectl.
var resources = map[string]string{
	"NodeNetworkConfigurationPolicy": "nncp", "NetworkAttachmentDefinition": "net-attach-def", "VirtualMachine": "vm",
}

// words are the names of the kinds of children in messages.
var words = map[string]string{
	"NodeNetworkConfigurationPolicy": "policy", "NetworkAttachmentDefinition": "attachment", "VirtualMachine": "machine",
}

// NameTaken is the refusal to create a child because an object that is not the owner's has its name; nil where there is
// no such object. With server-side apply Metacontroller would seize that object, and delete it one day.
func NameTaken(by *facts.Object, owner facts.Owner) *Refusal {
	if by == nil {
		return nil
	}
	message := fmt.Sprintf("%s %s exists and belongs to %s: it is left alone. Rename this %s or its network, or delete that object",
		words[by.Kind], by.Key, by.Owner, owner.Kind)
	mark := facts.LabelWukong
	if owner.Kind == v1alpha1.NetworkKind {
		mark = facts.LabelWukongNetwork
	}
	if !by.Owner.Controller && by.Labels[mark] == owner.Name && by.Labels[facts.LabelManagedBy] == facts.ManagedBy {
		// Metacontroller gives up a child that loses this label, and takes it back when the label returns.
		message = fmt.Sprintf("%s %s does not have the label controller-uid of this %s: it is left alone. "+
			"`kubectl label --overwrite %s controller-uid=%s` gives it back", words[by.Kind], by.Key, owner.Kind, argument(by), owner.UID)
	}
	return &Refusal{Reason: v1alpha1.ReasonConflict, Message: message, Stuck: true}
}

// argument is the object as an argument of kubectl.
func argument(o *facts.Object) string {
	if o.Namespace != "" {
		return fmt.Sprintf("-n %s %s %s", o.Namespace, resources[o.Kind], o.Name)
	}
	return resources[o.Kind] + " " + o.Name
}

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
	message := fmt.Sprintf("%s exists and belongs to %s: rename this %s or its network, or delete that object",
		Named(by), by.Owner, owner.Kind)
	switch earlier := by.Owner.Kind == owner.Kind && by.Owner.Name == owner.Name && by.Owner.UID != owner.UID; {
	case GivesBack(by, owner):
		message = fmt.Sprintf("%s lost its label: `kubectl label --overwrite %s controller-uid=%s` gives it back",
			words[by.Kind], argument(by), owner.UID)
	case earlier:
		message = fmt.Sprintf("an earlier %s owns this %s: %s keeps it",
			owner.Kind, words[by.Kind], Kubectl("patch", by, WithoutOwner))
	case by.Kind == machineKind:
		message = fmt.Sprintf("%s exists and belongs to %s: choose another name for this %s, "+
			"because deleting that machine deletes its disks", Named(by), by.Owner, owner.Kind)
	}
	return &Refusal{Reason: v1alpha1.ReasonConflict, Message: message, Stuck: true}
}

// machineKind is the kind of machines.
const machineKind = "VirtualMachine"

// GivesBack reports whether Metacontroller takes an object as the owner's child when it has the label controller-uid: nobody controls it, and
// it has the owner's other labels. It lost that label, or was restored from a backup, as its owner was.
func GivesBack(o *facts.Object, owner facts.Owner) bool {
	mark := facts.LabelWukong
	if owner.Kind == v1alpha1.NetworkKind {
		mark = facts.LabelWukongNetwork
	}
	return !o.Owner.Controller && o.Labels[mark] == owner.Name && o.Labels[facts.LabelManagedBy] == facts.ManagedBy
}

// WithoutOwner are the arguments of kubectl patch that take an object from its owners.
const WithoutOwner = `--type=merge -p '{"metadata":{"ownerReferences":null}}'`

// Named is an object in messages: its kind in our words, and its key.
func Named(o *facts.Object) string {
	return words[o.Kind] + " " + o.Key
}

// Kubectl is a command of kubectl about an object, for a message.
func Kubectl(verb string, o *facts.Object, arguments string) string {
	command := fmt.Sprintf("kubectl %s %s %s %s", verb, resources[o.Kind], o.Name, arguments)
	if o.Namespace != "" {
		command += " -n " + o.Namespace
	}
	return "`" + command + "`"
}

// argument is the object as an argument of kubectl.
func argument(o *facts.Object) string {
	if o.Namespace != "" {
		return fmt.Sprintf("-n %s %s %s", o.Namespace, resources[o.Kind], o.Name)
	}
	return resources[o.Kind] + " " + o.Name
}

package scale

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
)

// lastApplied is the annotation in which Metacontroller's dynamic apply notes the last answer.
const lastApplied = "metacontroller.k8s.io/last-applied-configuration"

// kinds are the keys of children in a request, by their kinds.
var kinds = map[string]string{
	"NodeNetworkConfigurationPolicy": policyKind, "NetworkAttachmentDefinition": nadKind, "VirtualMachine": vmKind,
}

// store does Metacontroller's part: it stores an answer. written is whether that changes anything. In a life that
// nobody disturbs a child is written once, so a change or a removal of a child is an error.
func (c *cluster) store(answer object) (written bool, err error) {
	children, _ := answer["children"].(list)
	answered := 0
	for _, child := range children {
		desired, ok := child.(object)
		if !ok {
			return false, fmt.Errorf("a child is no object: %v", child)
		}
		created, err := c.storeChild(desired)
		if err != nil {
			return false, err
		}
		written, answered = written || created, answered+1
	}
	existing := 0
	for _, kind := range c.children {
		existing += len(kind)
	}
	if answered != existing {
		return false, errors.New("the hook leaves out a child that exists, or answers one twice")
	}
	status, ok := answer["status"].(object)
	if !ok {
		return false, errors.New("the answer has no status")
	}
	status["observedGeneration"] = json.Number("1")
	if !reflect.DeepEqual(status, c.parent["status"]) {
		c.storeStatus(status)
		written = true
	}
	return written, nil
}

func (c *cluster) storeStatus(status object) {
	c.parent["status"] = status
	metadata := at(c.parent, "metadata")
	users := metadata["managedFields"].(list)[0]
	metadata["managedFields"] = list{users, writer{"metacontroller", "status", startTime}.wrote(c.parent, "status")}
}

func (c *cluster) storeChild(desired object) (created bool, err error) {
	kind, ok := kinds[fmt.Sprint(desired["kind"])]
	metadata, hasMetadata := desired["metadata"].(object)
	if !ok || !hasMetadata {
		return false, fmt.Errorf("a child of no kind that is declared, or without metadata: %s", mustEncode(desired))
	}
	labels, _ := metadata["labels"].(object)
	if labels == nil {
		labels = object{}
		metadata["labels"] = labels
	}
	_, parent := c.kindAndName()
	labels["controller-uid"] = uid(parent)
	noted := string(mustEncode(desired))
	key := keyOf(metadata)
	existing := c.children[kind][key]
	if existing == nil {
		c.children[kind][key] = c.created(kind, desired, noted)
		return true, nil
	}
	if had := at(existing, "metadata", "annotations")[lastApplied]; had != noted {
		return false, fmt.Errorf("the hook changes %s, which nobody has touched\nfrom %v\nto   %s", key, had, noted)
	}
	return false, nil
}

func keyOf(metadata object) string {
	if metadata["namespace"] == nil {
		return fmt.Sprint(metadata["name"])
	}
	return fmt.Sprintf("%v/%v", metadata["namespace"], metadata["name"])
}

// created is a child after the API server and the webhooks have seen it.
func (c *cluster) created(kind string, desired object, noted string) object {
	o := clone(desired)
	metadata := at(o, "metadata")
	annotations, _ := metadata["annotations"].(object)
	if annotations == nil {
		annotations = object{}
		metadata["annotations"] = annotations
	}
	annotations[lastApplied] = noted
	parentKind, parent := c.kindAndName()
	metadata["ownerReferences"] = list{ownedBy(apiVersion, parentKind, parent, uid(parent))}
	metadata["managedFields"] = list{writer{"metacontroller", "", createTime}.wrote(o, "spec")}
	metadata["uid"], metadata["creationTimestamp"] = uid(kind+" "+keyOf(metadata)), createTime
	metadata["generation"], metadata["resourceVersion"] = json.Number("1"), fmt.Sprint(150100+len(c.children[kind]))
	switch kind {
	case policyKind:
		annotations["nmstate.io/webhook-mutating-timestamp"] = webhookTime
	case vmKind:
		admitted(o)
	}
	return o
}

func ownedBy(apiVersion, kind, name, ownerUID string) object {
	return object{"apiVersion": apiVersion, "blockOwnerDeletion": true, "controller": true, "kind": kind, "name": name, "uid": ownerUID}
}

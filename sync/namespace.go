package sync

import (
	"fmt"

	"novasphere.dev/wukong/sync/outcome"
	"novasphere.dev/wukong/types/v1alpha1"
)

// namespaceRefusal is why nothing can be created in spec.namespace; nil where it can, and where the request does not tell. Metacontroller
// would try at every sync, and only its Events would say why that fails.
// The table in docs/decisions.md has its rows.
func (v *view) namespaceRefusal() *outcome.Refusal {
	if !v.related.Namespaces.Sent {
		return nil
	}
	name := v.w.Spec.Namespace
	switch n := v.related.Namespaces.Get(name); {
	case n == nil:
		return &outcome.Refusal{Reason: v1alpha1.ReasonNamespaceNotFound, Stuck: true, Message: fmt.Sprintf(
			"spec.namespace: namespace %s does not exist: `kubectl create namespace %s`", name, name)}
	case n.Deleting:
		return &outcome.Refusal{Reason: v1alpha1.ReasonNamespaceTerminating, Stuck: true, Message: fmt.Sprintf(
			"spec.namespace: namespace %s is being deleted, with all that is in it: create it again when it is gone, or delete this Wukong", name)}
	}
	return nil
}

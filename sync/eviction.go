package sync

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// drainAdvice is what there is to say of a machine with highAvailability that does not say what a drain of its node does;
// empty where there is nothing to say. KubeVirt's own configuration, which may say it, is not among what the hook reads, so
// nothing is wrong, and the status says nothing.
func (v *view) drainAdvice(machine *unstructured.Unstructured) string {
	if machine == nil || v.w.Spec.HighAvailability == nil {
		return ""
	}
	if strategy, _, _ := unstructured.NestedString(machine.Object, "spec", "template", "spec", "evictionStrategy"); strategy != "" {
		return ""
	}
	return fmt.Sprintf("Wukong %s has highAvailability and no evictionStrategy: unless KubeVirt's configuration has one, a drain of "+
		"its node shuts the machine down. Set LiveMigrateIfPossible, or None if that is meant", v.w.Name)
}

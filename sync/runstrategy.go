package sync

import (
	kubevirtv1 "kubevirt.io/api/core/v1"

	"novasphere.dev/wukong/types/v1alpha1"
)

// runStrategy combines the three fields that say whether the machine runs. v1alpha1.StartStrategy has the table.
func runStrategy(w *v1alpha1.Wukong) kubevirtv1.VirtualMachineRunStrategy {
	if s := w.Spec.StartStrategy; s != nil {
		if s.RunStrategy != "" {
			return kubevirtv1.VirtualMachineRunStrategy(s.RunStrategy)
		}
		if s.AutoStart != nil && !*s.AutoStart {
			return kubevirtv1.RunStrategyManual
		}
	}
	if ha := w.Spec.HighAvailability; ha != nil {
		switch ha.RestartPolicy {
		case v1alpha1.RestartOnFailure:
			return kubevirtv1.RunStrategyRerunOnFailure
		case v1alpha1.RestartNever:
			return kubevirtv1.RunStrategyOnce
		case v1alpha1.RestartAlways:
		}
	}
	return kubevirtv1.RunStrategyAlways
}

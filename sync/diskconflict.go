package sync

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/types/v1alpha1"
)

// namesakes are the Wukongs whose disks may be called like ours: a-b-c is disk c of Wukong a-b, and disk b-c of Wukong a.
func namesakes(w *v1alpha1.Wukong) []string {
	var names []string
	for _, d := range w.Spec.Disks {
		whole := dataVolumeName(w, d.Name)
		for i, c := range whole {
			if name := whole[:i]; c == '-' && name != "" && name != w.Name && !strings.HasSuffix(name, "-") {
				names = append(names, name)
			}
		}
	}
	return distinct(names)
}

// diskConflict says which disk of the Wukong is another's already, by the name of its DataVolume. KubeVirt gives a
// DataVolume that exists to every machine that names it (pkg/virt-controller/watch/vm, handleDataVolumes): two machines
// would write to one disk, and it would go with the first of them. Whose machine has it keeps it, else the older Wukong,
// or of two that are equally old the first by name. The zero step where there is no conflict.
func diskConflict(w *v1alpha1.Wukong, obs *observed) step {
	for i, d := range w.Spec.Disks {
		name := dataVolumeName(w, d.Name)
		if hasTemplate(obs.vm(), name) {
			continue
		}
		for _, other := range namesakes(w) {
			wukong := obs.relatedObject(wukongKind, other)
			wants := wukong != nil && namespaceOf(wukong) == w.Spec.Namespace && precedes(wukong, w) &&
				slices.ContainsFunc(items(wukong, "spec", "disks"), func(disk map[string]any) bool { return other+"-"+text(disk, "name") == name })
			if wants || hasTemplate(obs.relatedObject(vmKind, qualified(w.Spec.Namespace, other)), name) {
				return step{reason: "Conflict", stuck: true, message: fmt.Sprintf(
					"spec.disks[%d].name: DataVolume %s is a disk of machine %s already, and two machines must not write to one disk: choose another name",
					i, name, qualified(w.Spec.Namespace, other))}
			}
		}
	}
	return step{}
}

// hasTemplate says that a machine makes a DataVolume of this name.
func hasTemplate(machine *unstructured.Unstructured, name string) bool {
	return slices.ContainsFunc(items(machine, "spec", "dataVolumeTemplates"), func(t map[string]any) bool { return text(t, "metadata", "name") == name })
}

// namespaceOf is where the machine of a related Wukong lives.
func namespaceOf(wukong *unstructured.Unstructured) string {
	if namespace := text(wukong, "spec", "namespace"); namespace != "" {
		return namespace
	}
	return "default"
}

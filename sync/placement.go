package sync

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubevirtv1 "kubevirt.io/api/core/v1"

	"novasphere.dev/wukong/sync/facts"
	"novasphere.dev/wukong/types/v1alpha1"
)

// place sets on which nodes the machine may run.
func place(spec *kubevirtv1.VirtualMachineInstanceSpec, ha *v1alpha1.HighAvailability) {
	for key, value := range ha.NodeSelector {
		if spec.NodeSelector == nil {
			spec.NodeSelector = map[string]string{}
		}
		spec.NodeSelector[key] = string(value)
	}
	for _, t := range ha.Tolerations {
		spec.Tolerations = append(spec.Tolerations, *t.DeepCopy())
	}
	if ha.AntiAffinity {
		spec.Affinity = &corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{
			PreferredDuringSchedulingIgnoredDuringExecution: []corev1.WeightedPodAffinityTerm{{
				Weight: 100,
				PodAffinityTerm: corev1.PodAffinityTerm{
					TopologyKey: corev1.LabelHostname,
					LabelSelector: &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{
						{Key: facts.LabelWukong, Operator: metav1.LabelSelectorOpExists},
					}},
					NamespaceSelector: &metav1.LabelSelector{}, // Wukongs of every namespace
				},
			}},
		}}
	}
}

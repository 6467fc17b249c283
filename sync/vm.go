package sync

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/json"
	kubevirtv1 "kubevirt.io/api/core/v1"

	"novasphere.dev/wukong/types/v1alpha1"
)

func defaultMemory() *resource.Quantity {
	q := resource.MustParse("2Gi")
	return &q
}

// vm is the VirtualMachine, plugged into the given networks. Only fields that we own are set, in the form that the API
// server keeps: whatever KubeVirt's webhooks would write differently would be written again at every sync.
func vm(w *v1alpha1.Wukong, nets []network, settings Settings, existing *unstructured.Unstructured) *unstructured.Unstructured {
	disks, volumes, templates := storage(w, settings)
	if volume := cloudInit(w, nets); volume != nil {
		disks = append(disks, virtioDisk(cloudInitDisk))
		volumes = append(volumes, *volume)
	}
	strategy := runStrategy(w)
	spec := kubevirtv1.VirtualMachineSpec{
		RunStrategy:         &strategy,
		DataVolumeTemplates: templates,
		Template: &kubevirtv1.VirtualMachineInstanceTemplateSpec{
			ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{labelManagedBy: managedBy, labelWukong: w.Name}},
			Spec: kubevirtv1.VirtualMachineInstanceSpec{
				Domain: kubevirtv1.DomainSpec{
					CPU:    &kubevirtv1.CPU{Cores: uint32(w.Spec.CPU)}, //nolint:gosec // the schema bounds cpu to 1..256
					Memory: &kubevirtv1.Memory{Guest: w.Spec.Memory},
					Devices: kubevirtv1.Devices{
						Disks:      disks,
						Interfaces: interfaces(nets),
					},
				},
				Networks:          vmNetworks(nets),
				Volumes:           volumes,
				AccessCredentials: accessCredentials(w),
			},
		},
	}
	if !slices.ContainsFunc(nets, func(n network) bool { return n.Type == v1alpha1.Pod }) {
		// A machine without any network would get the pod network from KubeVirt, which nobody asked for.
		no := false
		spec.Template.Spec.Domain.Devices.AutoattachPodInterface = &no
	}
	if ha := w.Spec.HighAvailability; ha != nil {
		place(&spec.Template.Spec, ha)
	}
	object := map[string]any{}
	if err := json.Unmarshal([]byte(compact(spec)), &object); err != nil {
		panic(err) // JSON of a struct is an object
	}
	// Structs of KubeVirt's that its types write even when empty.
	unstructured.RemoveNestedField(object, "template", "spec", "domain", "resources")
	keepTemplates(object, existing)

	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "kubevirt.io/v1",
		"kind":       "VirtualMachine",
		"metadata":   map[string]any{"namespace": w.Spec.Namespace, "name": w.Name, "labels": labels(w)},
		"spec":       object,
	}}
}

// interfaces are the machine's network interfaces: masquerade on the pod network, sriov for a virtual function, and the
// bridge binding on everything else.
func interfaces(nets []network) []kubevirtv1.Interface {
	var all []kubevirtv1.Interface
	for _, n := range nets {
		i := kubevirtv1.Interface{Name: n.Name, MacAddress: n.mac}
		switch n.Type {
		case v1alpha1.Pod:
			i.Masquerade = &kubevirtv1.InterfaceMasquerade{}
		case v1alpha1.SRIOV:
			i.SRIOV = &kubevirtv1.InterfaceSRIOV{}
		default:
			i.Bridge = &kubevirtv1.InterfaceBridge{}
		}
		all = append(all, i)
	}
	return all
}

func vmNetworks(nets []network) []kubevirtv1.Network {
	var all []kubevirtv1.Network
	for _, n := range nets {
		source := kubevirtv1.NetworkSource{Multus: &kubevirtv1.MultusNetwork{NetworkName: n.nad}}
		if n.Type == v1alpha1.Pod {
			source = kubevirtv1.NetworkSource{Pod: &kubevirtv1.PodNetwork{}}
		}
		all = append(all, kubevirtv1.Network{Name: n.Name, NetworkSource: source})
	}
	return all
}

// accessCredentials lets KubeVirt hand the Secret's keys to cloud-init. The hook never reads a Secret.
func accessCredentials(w *v1alpha1.Wukong) []kubevirtv1.AccessCredential {
	if w.Spec.SSHKeySecret == "" {
		return nil
	}
	return []kubevirtv1.AccessCredential{{SSHPublicKey: &kubevirtv1.SSHPublicKeyAccessCredential{
		Source: kubevirtv1.SSHPublicKeyAccessCredentialSource{
			Secret: &kubevirtv1.AccessCredentialSecretSource{SecretName: w.Spec.SSHKeySecret},
		},
		PropagationMethod: kubevirtv1.SSHPublicKeyAccessCredentialPropagationMethod{
			NoCloud: &kubevirtv1.NoCloudSSHPublicKeyAccessCredentialPropagation{},
		},
	}}}
}

// place puts the machine on the nodes that it may be on.
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
						{Key: labelWukong, Operator: metav1.LabelSelectorOpExists},
					}},
					NamespaceSelector: &metav1.LabelSelector{}, // Wukongs of every namespace
				},
			}},
		}}
	}
}

// runStrategy combines the three fields that say whether the machine runs; the table is at StartStrategy.
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

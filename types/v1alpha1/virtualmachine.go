package v1alpha1

import "k8s.io/apimachinery/pkg/runtime"

// VirtualMachine is a part of a KubeVirt VirtualMachine, for what the other fields of a Wukong do not say. Its fields are
// KubeVirt's own: `kubectl explain vm.spec` has them.
type VirtualMachine struct {
	// metadata is further labels and annotations of the VirtualMachine. Nothing else of its metadata can be written.
	//
	// +optional
	Metadata *VirtualMachineMetadata `json:"metadata,omitempty"`

	// spec is a part of the VirtualMachine's spec, as `kubectl explain vm.spec` has it. The machine gets every field of it
	// beside those that come from the other fields of the Wukong. Lists are merged by name: a disk, volume, network or
	// interface of a Wukong's name gets further fields. A value that another field of the Wukong says cannot be said here too;
	// one that is only a default gives way. Networks are written in spec.networks alone. What is wrong here is told by the status,
	// reason InvalidSpec, and then everything stays as it is. At most 64 KiB.
	//
	// +optional
	// +kubebuilder:pruning:PreserveUnknownFields
	// +kubebuilder:validation:Type=object
	// +kubebuilder:validation:MaxProperties=16
	Spec *runtime.RawExtension `json:"spec,omitempty"`
}

// VirtualMachineMetadata is labels and annotations for the VirtualMachine.
type VirtualMachineMetadata struct {
	// labels are further labels of the VirtualMachine. For labels of the running machine, which a Service selects, write
	// spec.template.metadata.labels.
	//
	// +optional
	// +kubebuilder:validation:MaxProperties=32
	// +kubebuilder:validation:XValidation:rule=`self.all(k, size(k) <= 317 && k.matches('^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$'))`,message="a key of labels is letters, digits, '-', '_' and '.', at most 63 characters, and optionally a DNS prefix and '/' before it"
	// +kubebuilder:validation:XValidation:rule=`self.all(k, k != 'controller-uid' && k != 'app.kubernetes.io/managed-by' && !k.startsWith('vm.novasphere.dev/'))`,message="controller-uid, app.kubernetes.io/managed-by and vm.novasphere.dev/ are labels by which the machine is found again: choose another key"
	Labels map[string]LabelValue `json:"labels,omitempty"`

	// annotations are further annotations of the VirtualMachine.
	//
	// +optional
	// +kubebuilder:validation:MaxProperties=32
	// +kubebuilder:validation:XValidation:rule=`self.all(k, size(k) <= 317 && k.matches('^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$'))`,message="a key of annotations is letters, digits, '-', '_' and '.', at most 63 characters, and optionally a DNS prefix and '/' before it"
	// +kubebuilder:validation:XValidation:rule=`self.all(k, !k.startsWith('vm.novasphere.dev/') && !k.startsWith('metacontroller.k8s.io/') && !(k in ['kubectl.kubernetes.io/last-applied-configuration', 'kubevirt.io/latest-observed-api-version', 'kubevirt.io/storage-observed-api-version', 'kubemacpool.io/transaction-timestamp']))`,message="this annotation is written by Metacontroller, kubectl, KubeVirt or kubemacpool, or is the hook's own: remove it"
	Annotations map[string]AnnotationValue `json:"annotations,omitempty"`
}

// AnnotationValue is the value of an annotation: any text of at most 8,192 characters.
//
// +kubebuilder:validation:MaxLength=8192
type AnnotationValue string

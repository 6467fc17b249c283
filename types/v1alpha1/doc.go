// Package v1alpha1 is the API that users write: one kind, Wukong, which describes a KubeVirt virtual machine and its
// networks.
//
// controller-gen makes the CustomResourceDefinition in deploy/base/vm.novasphere.dev_wukongs.yaml from the markers in
// the comments. With it the API server refuses a wrong Wukong before the hook sees it, and `kubectl explain wukong`
// prints the comments of the fields.
//
// +kubebuilder:object:generate=true
// +groupName=vm.novasphere.dev
package v1alpha1

//go:generate go run sigs.k8s.io/controller-tools/cmd/controller-gen@v0.20.1 object crd paths=. output:crd:dir=../../deploy/base

const (
	// Group is the API group of Wukong.
	Group = "vm.novasphere.dev"
	// Version is the version that this package describes.
	Version = "v1alpha1"
	// APIVersion is what users write as apiVersion.
	APIVersion = Group + "/" + Version
	// Kind is what users write as kind.
	Kind = "Wukong"
	// Resource is the plural in URLs and in Metacontroller's parentResource.
	Resource = "wukongs"
)

// Package v1alpha1 is the API. It has three kinds. Users write two of them: Wukong, a KubeVirt virtual machine and its
// networks, and WukongNetwork, a network of the nodes that many machines share. Metacontroller writes the third for the
// hook: WukongNode, what there is of the network of one node.
//
// controller-gen makes the CustomResourceDefinitions deploy/base/vm.novasphere.dev_*.yaml from the markers in the
// comments. With them the API server refuses a wrong Wukong or WukongNetwork before the hook sees it, and `kubectl explain`
// prints the comments of the fields.
//
// +kubebuilder:object:generate=true
// +groupName=vm.novasphere.dev
package v1alpha1

//go:generate go run sigs.k8s.io/controller-tools/cmd/controller-gen@v0.20.1 object crd paths=. output:crd:dir=../../deploy/base
//go:generate sh -c "cd ../.. && go run . schema > docs/schema/wukong.json"

const (
	// Group is the API group of the three kinds.
	Group = "vm.novasphere.dev"
	// Version is the version that this package describes.
	Version = "v1alpha1"
	// APIVersion is what users write as apiVersion.
	APIVersion = Group + "/" + Version
	// Kind is what users write as kind of a Wukong.
	Kind = "Wukong"
	// Resource is the plural in URLs and in Metacontroller's parentResource.
	Resource = "wukongs"
)

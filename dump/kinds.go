package dump

import (
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/sync/facts"
)

// Kind is a kind of object that the hook looks at, or a verb does.
type Kind struct {
	// Key is the kind as a request of Metacontroller names it: Kind.group/version.
	Key string

	// Resource is the plural, and Short what people type for it.
	Resource, Short string

	// Usual is whether the command that the documents give lists the kind. Where a dump has none of the others, nobody has asked.
	Usual bool
}

// Kinds of which the hook sees none.
const (
	ControllerKind = "CompositeController.metacontroller.k8s.io/v1alpha1"
	DeploymentKind = "Deployment.apps/v1"
)

// Kinds are all kinds that a dump may have, in the order in which they are asked for.
func Kinds() []Kind {
	return []Kind{
		{facts.WukongKind, "wukongs", "wukongs", true},
		{facts.WukongNetworkKind, "wukongnetworks", "wukongnetworks", true},
		{facts.WukongNodeKind, "wukongnodes", "wukongnodes", true},
		{facts.PolicyKind, "nodenetworkconfigurationpolicies", "nncp", true},
		{facts.EnactmentKind, "nodenetworkconfigurationenactments", "nnce", true},
		{facts.StateKind, "nodenetworkstates", "nns", true},
		{facts.NodeKind, "nodes", "nodes", true},
		{facts.AttachmentKind, "network-attachment-definitions", "net-attach-def", true},
		{facts.MachineKind, "virtualmachines", "vm", true},
		{facts.InstanceKind, "virtualmachineinstances", "vmi", true},
		{facts.DataVolumeKind, "datavolumes", "dv", true},
		{facts.NamespaceKind, "namespaces", "namespaces", false},
		{facts.ClaimKind, "persistentvolumeclaims", "pvc", false},
		{ControllerKind, "compositecontrollers", "compositecontrollers", false},
		{DeploymentKind, "deployments", "deployments", false},
	}
}

// Command is the command that prints a dump.
func Command() string {
	var short []string
	for _, k := range Kinds() {
		if k.Usual {
			short = append(short, k.Short)
		}
	}
	return "kubectl get " + strings.Join(short, ",") + " -A -o yaml"
}

// APIVersion is the version in which the hook knows the kind.
func (k Kind) APIVersion() string {
	_, group, _ := strings.Cut(k.Key, ".")
	return group
}

// Name is the kind without its group.
func (k Kind) Name() string {
	name, _, _ := strings.Cut(k.Key, ".")
	return name
}

// Group is the group of the kind; empty for the core.
func (k Kind) Group() string {
	group, _, found := strings.Cut(k.APIVersion(), "/")
	if !found {
		return ""
	}
	return group
}

// Full is the resource with its group, as kubectl takes it without doubt about which is meant.
func (k Kind) Full() string {
	if k.Group() == "" {
		return k.Resource
	}
	return k.Resource + "." + k.Group()
}

// KindOf is the kind of an object; false where the hook knows none such.
func KindOf(u *unstructured.Unstructured) (Kind, bool) {
	return kindOf(u.GetAPIVersion(), u.GetKind())
}

// kindOf is the kind of objects with an apiVersion and a kind, in whatever version.
func kindOf(apiVersion, name string) (Kind, bool) {
	group, _, found := strings.Cut(apiVersion, "/")
	if !found {
		group = ""
	}
	for _, k := range Kinds() {
		if k.Name() == name && k.Group() == group {
			return k, true
		}
	}
	return Kind{}, false
}

// ofResource is the kind with a plural, as rules name it.
func ofResource(resource string) Kind {
	for _, k := range Kinds() {
		if k.Resource == resource {
			return k
		}
	}
	return Kind{}
}

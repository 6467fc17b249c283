package conformance

import (
	"context"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	apps "k8s.io/client-go/kubernetes/typed/apps/v1"
	v1 "kubevirt.io/api/core/v1"
	"kubevirt.io/api/instancetype/v1beta1"
	"kubevirt.io/client-go/containerizeddataimporter"
	"kubevirt.io/client-go/containerizeddataimporter/fake"
	"kubevirt.io/client-go/kubecli"
	instancetypes "kubevirt.io/client-go/kubevirt/typed/instancetype/v1beta1"
)

// cluster is a cluster with every instance type and every preference that a machine may name.
type cluster struct{ kubecli.KubevirtClient }

// size is what every instance type says.
var size = v1beta1.VirtualMachineInstancetypeSpec{
	CPU: v1beta1.CPUInstancetype{Guest: 2}, Memory: v1beta1.MemoryInstancetype{Guest: resource.MustParse("4Gi")},
}

// preferred is what every preference says.
var preferred = v1beta1.VirtualMachinePreferenceSpec{
	Devices: &v1beta1.DevicePreferences{PreferredDiskBus: v1.DiskBusSCSI, PreferredCdromBus: v1.DiskBusSATA},
}

func (cluster) VirtualMachineClusterInstancetype() instancetypes.VirtualMachineClusterInstancetypeInterface {
	return ofCluster{}
}

func (cluster) VirtualMachineInstancetype(string) instancetypes.VirtualMachineInstancetypeInterface {
	return ofNamespace{}
}

func (cluster) VirtualMachineClusterPreference() instancetypes.VirtualMachineClusterPreferenceInterface {
	return preferences{}
}

func (cluster) AppsV1() apps.AppsV1Interface { return revisions{} }

// CdiClient has no DataSources. The webhook of the newest version looks for one: with a label of it, it sets the machine's
// architecture, which the hook leaves alone.
func (cluster) CdiClient() containerizeddataimporter.Interface { return fake.NewSimpleClientset() }

type revisions struct{ apps.AppsV1Interface }

func (revisions) ControllerRevisions(string) apps.ControllerRevisionInterface { return ofNamed{} }

type ofNamed struct {
	apps.ControllerRevisionInterface
}

// Get is the revision of an instance type or, by its name, of the preference ubuntu.
func (ofNamed) Get(_ context.Context, name string, _ metav1.GetOptions) (*appsv1.ControllerRevision, error) {
	revision := &appsv1.ControllerRevision{}
	revision.Data.Object = &v1beta1.VirtualMachineClusterInstancetype{Spec: size}
	if strings.HasSuffix(name, "-ubuntu-1") {
		revision.Data.Object = &v1beta1.VirtualMachineClusterPreference{Spec: preferred}
	}
	return revision, nil
}

type ofCluster struct {
	instancetypes.VirtualMachineClusterInstancetypeInterface
}

func (ofCluster) Get(context.Context, string, metav1.GetOptions) (*v1beta1.VirtualMachineClusterInstancetype, error) {
	return &v1beta1.VirtualMachineClusterInstancetype{Spec: size}, nil
}

type ofNamespace struct {
	instancetypes.VirtualMachineInstancetypeInterface
}

func (ofNamespace) Get(context.Context, string, metav1.GetOptions) (*v1beta1.VirtualMachineInstancetype, error) {
	return &v1beta1.VirtualMachineInstancetype{Spec: size}, nil
}

type preferences struct {
	instancetypes.VirtualMachineClusterPreferenceInterface
}

func (preferences) Get(context.Context, string, metav1.GetOptions) (*v1beta1.VirtualMachineClusterPreference, error) {
	return &v1beta1.VirtualMachineClusterPreference{Spec: preferred}, nil
}

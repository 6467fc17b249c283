package conformance

import (
	"context"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	jsonpatch "github.com/evanphx/json-patch"
	admissionv1 "k8s.io/api/admission/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	v1 "kubevirt.io/api/core/v1"
	instancetypev1beta1 "kubevirt.io/api/instancetype/v1beta1"
	"kubevirt.io/client-go/kubecli"
	"kubevirt.io/client-go/kubevirt/fake"
	client "kubevirt.io/client-go/kubevirt/typed/instancetype/v1beta1"
	"kubevirt.io/kubevirt/pkg/testutils"
	"kubevirt.io/kubevirt/pkg/virt-api/webhooks"
	"kubevirt.io/kubevirt/pkg/virt-api/webhooks/mutating-webhook/mutators"
	"kubevirt.io/kubevirt/pkg/virt-api/webhooks/validating-webhook/admitters"
	virtconfig "kubevirt.io/kubevirt/pkg/virt-config"
	"kubevirt.io/kubevirt/pkg/virt-config/featuregate"
)

func review(raw []byte) *admissionv1.AdmissionReview {
	return &admissionv1.AdmissionReview{Request: &admissionv1.AdmissionRequest{
		Operation: admissionv1.Create,
		Resource:  webhooks.VirtualMachineGroupVersionResource,
		Object:    runtime.RawExtension{Raw: raw},
		Namespace: "default",
	}}
}

func clusterConfig() *virtconfig.ClusterConfig {
	config, _, _ := testutils.NewFakeClusterConfigUsingKVConfig(&v1.KubeVirtConfiguration{
		DeveloperConfiguration: &v1.DeveloperConfiguration{FeatureGates: []string{featuregate.HostDevicesGate, featuregate.HostDiskGate}},
	})
	return config
}

// cluster is a cluster in which there are the instance type and the preference that golden cases name.
type cluster struct {
	kubecli.KubevirtClient
	objects *fake.Clientset
}

func newCluster() cluster {
	return cluster{objects: fake.NewSimpleClientset(
		&instancetypev1beta1.VirtualMachineClusterInstancetype{
			ObjectMeta: metav1.ObjectMeta{Name: "u1.medium"},
			Spec: instancetypev1beta1.VirtualMachineInstancetypeSpec{
				CPU:    instancetypev1beta1.CPUInstancetype{Guest: 1},
				Memory: instancetypev1beta1.MemoryInstancetype{Guest: resource.MustParse("4Gi")},
			},
		},
		&instancetypev1beta1.VirtualMachineClusterPreference{ObjectMeta: metav1.ObjectMeta{Name: "fedora"}},
	)}
}

func (c cluster) VirtualMachineClusterInstancetype() client.VirtualMachineClusterInstancetypeInterface {
	return c.objects.InstancetypeV1beta1().VirtualMachineClusterInstancetypes()
}

func (c cluster) VirtualMachineClusterPreference() client.VirtualMachineClusterPreferenceInterface {
	return c.objects.InstancetypeV1beta1().VirtualMachineClusterPreferences()
}

// TestKubeVirtAdmitsEveryMachine runs KubeVirt's validating webhook on every machine that the hook answers with.
func TestKubeVirtAdmitsEveryMachine(t *testing.T) {
	admitter := admitters.NewVMsAdmitter(clusterConfig(), newCluster(), &webhooks.Informers{}, nil)
	answered(t, "VirtualMachine", func(t *testing.T, raw []byte) {
		if resp := admitter.Admit(context.Background(), review(raw)); !resp.Allowed {
			t.Errorf("KubeVirt refuses it: %s", resp.Result.Message)
		} else if len(resp.Warnings) > 0 {
			t.Errorf("KubeVirt warns: %s", strings.Join(resp.Warnings, "; "))
		}
	})
}

// TestKubeVirtLeavesOurFieldsAlone runs KubeVirt's mutating webhook on every machine: it may add, but what the hook
// answers must come out as it went in. Whatever does not would be written again at every sync.
func TestKubeVirtLeavesOurFieldsAlone(t *testing.T) {
	mutator := mutators.NewVMsMutator(clusterConfig(), newCluster())
	answered(t, "VirtualMachine", func(t *testing.T, raw []byte) {
		resp := mutator.Mutate(review(raw))
		if !resp.Allowed {
			t.Fatalf("KubeVirt refuses it: %s", resp.Result.Message)
		}
		stored := raw
		if len(resp.Patch) > 0 {
			patch, err := jsonpatch.DecodePatch(resp.Patch)
			if err != nil {
				t.Fatal(err)
			}
			if stored, err = patch.Apply(raw); err != nil {
				t.Fatal(err)
			}
		}
		var sent, kept map[string]any
		for object, raw := range map[*map[string]any][]byte{&sent: raw, &kept: stored} {
			if err := json.Unmarshal(raw, object); err != nil {
				t.Fatal(err)
			}
		}
		unchanged(t, "", sent, kept)
	})
}

// unchanged holds that everything in sent is in kept, with nothing taken from lists that Metacontroller replaces whole.
func unchanged(t *testing.T, path string, sent, kept any) {
	t.Helper()
	switch sent := sent.(type) {
	case map[string]any:
		object, _ := kept.(map[string]any)
		for key, value := range sent {
			found, ok := object[key]
			if !ok {
				t.Errorf("%s.%s is lost", path, key)
				continue
			}
			// The hook answers templates that exist as they were rewritten.
			if key != "dataVolumeTemplates" {
				unchanged(t, path+"."+key, value, found)
			}
		}
	case []any:
		list, _ := kept.([]any)
		if len(list) != len(sent) {
			t.Errorf("%s has %d items, and had %d", path, len(list), len(sent))
			return
		}
		for i := range sent {
			unchanged(t, path+"[]", sent[i], list[i])
			unchanged(t, path+"[] as it is stored", list[i], sent[i]) // server-side apply writes the list as a whole
		}
	default:
		if !reflect.DeepEqual(sent, kept) {
			t.Errorf("%s was %v, and is %v", path, sent, kept)
		}
	}
}

package conformance

import (
	"context"
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"

	jsonpatch "github.com/evanphx/json-patch"
	admissionv1 "k8s.io/api/admission/v1"
	"k8s.io/apimachinery/pkg/runtime"
	v1 "kubevirt.io/api/core/v1"
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
		DeveloperConfiguration: &v1.DeveloperConfiguration{FeatureGates: []string{featuregate.HostDevicesGate, featuregate.HostDiskGate, featuregate.MultiArchitecture}},
	})
	return config
}

// TestKubeVirtAdmitsEveryMachine runs KubeVirt's validating webhook on every machine that the hook answers with.
func TestKubeVirtAdmitsEveryMachine(t *testing.T) {
	admitter := admitters.NewVMsAdmitter(clusterConfig(), cluster{}, &webhooks.Informers{}, nil)
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
	mutator := mutators.NewVMsMutator(clusterConfig(), cluster{})
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

// TestKubeVirtTakesAnotherInstancetype has a machine whose revision is noted in its spec changed as the hook answers it. KubeVirt
// would refuse the new name beside the old revision.
func TestKubeVirtTakesAnotherInstancetype(t *testing.T) {
	const story = "../testdata/sync/golden-image-and-instancetype-4-another-instancetype/"
	var request struct {
		Children map[string]map[string]v1.VirtualMachine
	}
	var response struct{ Children []v1.VirtualMachine }
	for file, into := range map[string]any{"request.json": &request, "response.json": &response} {
		raw, err := os.ReadFile(story + file)
		if err == nil {
			err = json.Unmarshal(raw, into)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	old, changed := request.Children["VirtualMachine.kubevirt.io/v1"]["default/golden-image-and-instancetype"], response.Children[0]
	if old.Spec.Instancetype == nil || old.Spec.Instancetype.RevisionName == "" {
		t.Fatal("the machine that exists has no revision")
	}
	kept := changed.DeepCopy()
	kept.Spec.Instancetype.RevisionName = old.Spec.Instancetype.RevisionName
	for _, test := range []struct {
		machine *v1.VirtualMachine
		allowed bool
	}{{&changed, true}, {kept, false}} {
		raw, err := json.Marshal(test.machine)
		if err != nil {
			t.Fatal(err)
		}
		update := review(raw)
		update.Request.Operation = admissionv1.Update
		if update.Request.OldObject.Raw, err = json.Marshal(old); err != nil {
			t.Fatal(err)
		}
		if resp := mutators.NewVMsMutator(clusterConfig(), cluster{}).Mutate(update); resp.Allowed != test.allowed {
			t.Errorf("revision %q: allowed %v, want %v: %v", test.machine.Spec.Instancetype.RevisionName, resp.Allowed, test.allowed, resp.Result)
		}
	}
}

// unchanged holds that everything in sent is in kept, with nothing taken from lists that Metacontroller replaces whole.
func unchanged(t *testing.T, path string, sent, kept any) {
	t.Helper()
	switch sent := sent.(type) {
	case map[string]any:
		object, _ := kept.(map[string]any)
		for key, value := range sent {
			found, ok := object[key]
			if !ok && value == "" {
				continue // an empty text is answered only until it has taken its effect
			}
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

package sync_test

import (
	"encoding/json"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"novasphere.dev/wukong/admission"
	"novasphere.dev/wukong/sync"
	"novasphere.dev/wukong/sync/model/apply"
)

// plainMachines are requests that are answered with a machine, and that have no virtualMachine: with disks and cloud-init, on bridges
// with addresses, without a pod network, placed, and on the pod network alone.
var plainMachines = []string{
	"disks-and-cloud-init-1-machine-at-once", "vm-with-nmstate-4-attachments-exist", "bridges-only-3-attachments-exist",
	"high-availability-is-placed", "sriov-3-attachments-exist", "plain-password-can-log-in",
}

// templateSeeds are specs that try something, each of its kind.
var templateSeeds = []string{
	`{}`,
	`{"template":{"spec":{"networks":[{"name":"default","pod":{}},{"name":"second","pod":{}}]}}}`,
	`{"template":{"spec":{"domain":{"devices":{"interfaces":[{"name":"management","model":"e1000e"},{"name":"default","slirp":{}}]}}}}}`,
	`{"template":{"spec":{"volumes":[{"name":"cloudinitdisk","emptyDisk":{"capacity":"1Gi"}}]}}}`,
	`{"template":{"spec":{"volumes":[{"name":"data","emptyDisk":{"capacity":"1Gi"}},{"name":"more","emptyDisk":{"capacity":"1.0Gi"}}]}}}`,
	`{"template":{"spec":{"domain":{"devices":{"disks":[{"name":"system","bootOrder":2},{"name":"data","lun":{"bus":"scsi"}}]}}}}}`,
	`{"template":{"metadata":{"labels":{"app":"a"}},"spec":{"nodeSelector":{"zone":"b"},"tolerations":[{"key":"x","operator":"Exists"}]}}}`,
	`{"runStrategy":"Halted","dataVolumeTemplates":[{"metadata":{"name":"x"},"spec":{"source":{"blank":{}},"storage":{"resources":{"requests":{"storage":"1024Mi"}}}}}]}`,
	`{"template":{"spec":{"affinity":{"podAntiAffinity":{"preferredDuringSchedulingIgnoredDuringExecution":[{"weight":1,"podAffinityTerm":{"topologyKey":"zone"}}]}}}}}`,
	`{"template":{"spec":{"accessCredentials":[{"userPassword":{"source":{"secret":{"secretName":"x"}},"propagationMethod":{"qemuGuestAgent":{}}}}]}}}`,
	`{"template":{"spec":{"domain":{"resources":{"requests":{"cpu":"0.50","memory":0}},"cpu":{},"memory":{}}}}}`,
}

// FuzzVirtualMachine holds that whatever virtualMachine says, either nothing is created or changed, or the machine is the Wukong's:
// what it is without virtualMachine, with more to it, in the form that the API server keeps.
func FuzzVirtualMachine(f *testing.F) {
	for _, seed := range templateSeeds {
		f.Add([]byte(seed))
	}
	files, err := filepath.Glob("../testdata/sync/virtual-machine-*/request.json")
	if err != nil || len(files) == 0 {
		f.Fatalf("no cases (%v)", err)
	}
	for _, file := range files {
		req := &posted{}
		if err := json.Unmarshal(mustRead(f, file), req); err != nil {
			f.Fatal(err)
		}
		spec, _, _ := unstructured.NestedMap(req.Parent.Object, "spec", "virtualMachine", "spec")
		raw, err := json.Marshal(spec)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	schema := childSchemas(f)["VirtualMachine"]
	f.Fuzz(func(t *testing.T, raw []byte) {
		var spec map[string]any
		if jsonv2.Unmarshal(raw, &spec) != nil || spec == nil {
			return
		}
		for _, name := range plainMachines {
			if machine := withTemplate(t, name, spec); machine != nil {
				isKept(t, schema, machine)
			}
		}
	})
}

// withTemplate answers a golden request with and without a virtualMachine.
func withTemplate(t *testing.T, name string, spec map[string]any) *unstructured.Unstructured {
	t.Helper()
	request := mustRead(t, filepath.Join("..", "testdata", "sync", name, "request.json"))
	req := &posted{}
	if err := json.Unmarshal(request, req); err != nil {
		t.Fatal(err)
	}
	req.Children[machineKind] = map[string]*unstructured.Unstructured{} // what is invalid creates nothing
	plain := machineIn(answer(t, "sync", req, goldenNow))
	if plain == nil {
		t.Fatalf("%s is answered without a machine", name)
	}
	req.Parent.Object["spec"].(map[string]any)["virtualMachine"] = map[string]any{"spec": spec}
	resp := answer(t, "sync", req, goldenNow)
	machine := machineIn(resp)
	invalid := strings.Contains(string(indented(t, resp.status)), "InvalidSpec")
	switch {
	case invalid && machine != nil:
		t.Errorf("%s: a machine of an invalid spec", name)
	case !invalid && machine == nil && !strings.Contains(string(indented(t, resp.status)), "Conflict"):
		t.Errorf("%s: neither a machine nor a reason", name)
	case machine != nil:
		isStillOurs(t, plain, machine)
		// What the guest is told of users and addresses stays, where the Wukong says any.
		if said := string(request); strings.Contains(said, `"ipConfig"`) || strings.Contains(said, `"networkDataSecret"`) {
			itemsStay(t, plain, machine, "volumes", func(item map[string]any) any {
				source, _ := item["cloudInitNoCloud"].(map[string]any)
				return []any{source["networkData"], source["networkDataSecretRef"], source != nil}
			})
		}
	}
	return machine
}

func machineIn(resp answered) *unstructured.Unstructured {
	for _, child := range resp.children {
		if child.GetKind() == "VirtualMachine" {
			return child
		}
	}
	return nil
}

// isStillOurs holds that a machine has what it has without virtualMachine, but for what only a default says.
func isStillOurs(t *testing.T, plain, machine *unstructured.Unstructured) {
	t.Helper()
	if machine.GetName() != plain.GetName() || machine.GetNamespace() != plain.GetNamespace() {
		t.Errorf("its name is %s/%s", machine.GetNamespace(), machine.GetName())
	}
	metadata := machine.Object["metadata"].(map[string]any)
	for field := range metadata {
		if !slices.Contains([]string{"name", "namespace", "labels", "annotations"}, field) {
			t.Errorf("it has metadata.%s", field)
		}
	}
	if len(machine.Object) != 4 {
		t.Errorf("it has more than a spec: %v", machine.Object)
	}
	for _, labels := range [][]string{{"metadata", "labels"}, {"spec", "template", "metadata", "labels"}} {
		has, _, _ := unstructured.NestedStringMap(machine.Object, labels...)
		want, _, _ := unstructured.NestedStringMap(plain.Object, labels...)
		for key, value := range want {
			if has[key] != value || has["controller-uid"] != "" {
				t.Errorf("%s is %v, and should have %v", strings.Join(labels, "."), has, want)
			}
		}
	}
	itemsStay(t, plain, machine, "networks", func(item map[string]any) any { return []any{item["multus"] != nil, multus(item)} })
	itemsStay(t, plain, machine, "interfaces", func(item map[string]any) any { return item["macAddress"] })
	itemsStay(t, plain, machine, "volumes", func(item map[string]any) any { return item["dataVolume"] != nil })
	if len(list(machine, "networks")) != len(list(plain, "networks")) || len(list(machine, "interfaces")) != len(list(plain, "interfaces")) {
		t.Errorf("it has other networks: %v", list(machine, "networks"))
	}
	spec := machine.Object["spec"].(map[string]any)
	if _, both := spec["running"]; both || spec["runStrategy"] == nil {
		t.Errorf("whether it runs is said twice, or not at all: %v %v", spec["running"], spec["runStrategy"])
	}
}

func multus(item map[string]any) any {
	source, _ := item["multus"].(map[string]any)
	return source["networkName"]
}

// list is a list of the machine's template.
func list(machine *unstructured.Unstructured, name string) []map[string]any {
	path := []string{"spec", "template", "spec", name}
	if name == "interfaces" {
		path = []string{"spec", "template", "spec", "domain", "devices", name}
	}
	items, _, _ := unstructured.NestedSlice(machine.Object, path...)
	var all []map[string]any
	for _, item := range items {
		all = append(all, item.(map[string]any))
	}
	return all
}

// itemsStay holds that each item of a list is in it still, and what of it may not change. The container disk of the default image is the
// one that may go.
func itemsStay(t *testing.T, plain, machine *unstructured.Unstructured, name string, of func(map[string]any) any) {
	t.Helper()
	for _, want := range list(plain, name) {
		i := slices.IndexFunc(list(machine, name), func(item map[string]any) bool { return item["name"] == want["name"] })
		switch {
		case i < 0 && (want["name"] == "osdisk" || want["name"] == "cloudinitdisk"):
		case i < 0:
			t.Errorf("%s %v is lost", name, want["name"])
		default:
			if has := list(machine, name)[i]; !reflect.DeepEqual(of(has), of(want)) {
				t.Errorf("%s %v is %v, and should be %v", name, want["name"], has, want)
			}
		}
	}
}

// isKept holds that the API server keeps a machine as it is answered, if it takes it at all, and that dynamic apply writes it once.
func isKept(t *testing.T, schema *admission.Schema, machine *unstructured.Unstructured) {
	t.Helper()
	if kept, err := schema.Admit(machine); err == nil {
		if diff := cmp.Diff(machine.Object["spec"], kept.Object["spec"]); diff != "" {
			t.Errorf("it is not kept as it is answered (-answered +kept):\n%s", diff)
		}
	}
	desired := runtime.DeepCopyJSON(machine.Object)
	stored := runtime.DeepCopyJSON(machine.Object)
	apply.Note(stored, desired)
	if again := apply.Dynamic(stored, desired); !reflect.DeepEqual(again, stored) {
		t.Errorf("dynamic apply writes it again:\n%s", cmp.Diff(stored, again))
	}
	notNull(t, "", machine.Object)
}

func notNull(t *testing.T, path string, v any) {
	t.Helper()
	switch v := v.(type) {
	case nil:
		t.Errorf("%s is null", path)
	case map[string]any:
		for key, below := range v {
			notNull(t, path+"."+key, below)
		}
	case []any:
		for _, item := range v {
			notNull(t, path+"[]", item)
		}
	}
}

// TestAFieldThatTheClusterPrunesIsLeftOut lives through the answers to a virtualMachine with fields that neither the hook nor the
// cluster knows: they are tried once, told of, and left out until the spec changes.
func TestAFieldThatTheClusterPrunesIsLeftOut(t *testing.T) {
	settings := goldenSettings
	settings.PassUnknownMachineFields = true
	req := &posted{}
	if err := json.Unmarshal(read(t, filepath.Join("..", "testdata", "sync", "virtual-machine-halted-is-stopped-and-ready"), "request.json"), req); err != nil {
		t.Fatal(err)
	}
	req.Children[machineKind] = map[string]*unstructured.Unstructured{}
	template := `{"spec": {"newPolicy": "x", "template": {"spec": {"hostname": "h", "domain": {"devices": {"disks": [{"name": "osdisk", "newCache": 1}]}}}}}}`
	sent, told, notes := []bool{}, []int{}, 0
	for round := range 8 {
		var virtualMachine map[string]any
		if err := json.Unmarshal([]byte(template), &virtualMachine); err != nil {
			t.Fatal(err)
		}
		req.Parent.Object["spec"].(map[string]any)["virtualMachine"] = virtualMachine
		if round == 5 {
			req.Parent.SetGeneration(req.Parent.GetGeneration() + 1) // as after an edit
		}
		raw, err := json.Marshal(req)
		if err != nil {
			t.Fatal(err)
		}
		request, err := fromWire(raw)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := sync.Sync(request, settings, goldenNow.Add(time.Duration(round)*time.Second))
		if err != nil {
			t.Fatal(err)
		}
		machine := machineIn(common(t, resp))
		if hostname, _, _ := unstructured.NestedString(machine.Object, "spec", "template", "spec", "hostname"); hostname != "h" {
			t.Errorf("round %d: what is known is lost", round)
		}
		_, policy, _ := unstructured.NestedFieldNoCopy(machine.Object, "spec", "newPolicy")
		sent, told, notes = append(sent, policy), append(told, len(resp.Status.PrunedMachineFields)), notes+len(resp.Notes)
		store(t, req, common(t, resp))
		for _, stored := range req.Children[machineKind] {
			unstructured.RemoveNestedField(stored.Object, "spec", "newPolicy")
			disks, _, _ := unstructured.NestedFieldNoCopy(stored.Object, "spec", "template", "spec", "domain", "devices", "disks")
			delete(disks.([]any)[0].(map[string]any), "newCache")
		}
	}
	if want := []bool{true, false, false, false, false, true, false, false}; !slices.Equal(sent, want) {
		t.Errorf("the field is answered %v, want %v", sent, want)
	}
	if want := []int{0, 2, 2, 2, 2, 0, 2, 2}; !slices.Equal(told, want) {
		t.Errorf("the status tells of %v fields, want %v", told, want)
	}
	if notes != 2 {
		t.Errorf("there are %d notes, want one after each attempt", notes)
	}
}

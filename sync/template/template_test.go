package template_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/yaml"

	"novasphere.dev/wukong/sync/template"
	"novasphere.dev/wukong/types/v1alpha1"
)

// says is spec.virtualMachine with a spec.
func says(spec string) *v1alpha1.VirtualMachine {
	return &v1alpha1.VirtualMachine{Spec: &runtime.RawExtension{Raw: []byte(spec)}}
}

func options(pass bool) template.Options {
	return template.Options{Networks: []string{"x", "default"}, DataVolumes: "vm-", PassUnknown: pass}
}

// machineSchema is the schema of a VirtualMachine's spec, as the cluster has it.
func machineSchema(t *testing.T) apiextensionsv1.JSONSchemaProps {
	t.Helper()
	content, err := os.ReadFile("../../testdata/crds/kubevirt.io_virtualmachines.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var crd apiextensionsv1.CustomResourceDefinition
	if err := yaml.Unmarshal(content, &crd); err != nil {
		t.Fatal(err)
	}
	return crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"]
}

// place is an object somewhere in the schema: around writes it into a spec, and path is where it is then.
type place struct {
	path   string
	around func(object string) string
}

// places are all objects of a schema that have fields of their own.
func places(schema apiextensionsv1.JSONSchemaProps, at place) []place {
	var all []place
	if len(schema.Properties) > 0 {
		all = append(all, at)
	}
	for name, below := range schema.Properties {
		all = append(all, places(below, place{at.path + "." + name, func(v string) string {
			return at.around(fmt.Sprintf("{%q: %s}", name, v))
		}})...)
	}
	if schema.Items != nil && schema.Items.Schema != nil {
		all = append(all, places(*schema.Items.Schema, place{at.path + "[0]", func(v string) string { return at.around("[" + v + "]") }})...)
	}
	if schema.AdditionalProperties != nil && schema.AdditionalProperties.Schema != nil {
		all = append(all, places(*schema.AdditionalProperties.Schema, place{at.path + "[k]", func(v string) string {
			return at.around(fmt.Sprintf("{%q: %s}", "k", v))
		}})...)
	}
	return all
}

// TestAnUnknownFieldIsRefusedEverywhere puts one unknown field into each object of the schema that the cluster has, and one that is
// a known field in another case.
func TestAnUnknownFieldIsRefusedEverywhere(t *testing.T) {
	all := places(machineSchema(t), place{"spec.virtualMachine.spec", func(v string) string { return v }})
	if len(all) < 200 {
		t.Fatalf("there are only %d objects", len(all))
	}
	for _, p := range all {
		want := p.path + ".unKnown: Forbidden: KubeVirt " + template.APIVersion + " has no such field"
		_, errs := template.Read(says(p.around(`{"unKnown": {"a": 1}}`)), options(false))
		if len(errs) != 1 || !strings.HasPrefix(errs[0].Error(), want) {
			t.Errorf("%s: %v", p.path, errs)
		}
		read, errs := template.Read(says(p.around(`{"unKnown": {"a": 1}}`)), options(true))
		if len(errs) > 0 {
			continue // for want of a name
		}
		machine := map[string]any{}
		read.Merge(machine)
		raw, err := json.Marshal(machine)
		if err != nil || !strings.Contains(string(raw), `"unKnown":{"a":1}`) {
			t.Errorf("%s: it is not passed on: %s", p.path, raw)
		}
	}
}

// TestEveryFieldIsKnown holds the other side: each field of the schema is one that can be said, or is refused for a reason of its own.
func TestEveryFieldIsKnown(t *testing.T) {
	for _, p := range places(machineSchema(t), place{"spec.virtualMachine.spec", func(v string) string { return v }}) {
		if _, errs := template.Read(says(p.around(`{}`)), options(false)); len(errs) > 0 && strings.Contains(errs[0].Error(), "no such field") {
			t.Errorf("%s: %v", p.path, errs)
		}
	}
}

// TestTheVersionThatIsKnown holds the version in messages to the one in go.mod.
func TestTheVersionThatIsKnown(t *testing.T) {
	mod, err := os.ReadFile("../../go.mod")
	if err != nil || !strings.Contains(string(mod), "\tkubevirt.io/api "+template.APIVersion+"\n") {
		t.Errorf("go.mod does not have kubevirt.io/api %s (%v)", template.APIVersion, err)
	}
}

// merged is a machine with what a template says, as JSON, and the places of the collisions.
func merged(t *testing.T, machine, spec string) (text string, collisions []string) {
	t.Helper()
	read, errs := template.Read(says(spec), options(false))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	var object map[string]any
	if err := json.Unmarshal([]byte(machine), &object); err != nil {
		t.Fatal(err)
	}
	for _, c := range read.Merge(object) {
		collisions = append(collisions, c.At)
	}
	raw, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw), collisions
}

// instance writes a machine around the spec of its instance.
func instance(spec string) string {
	return `{"spec":{"template":{"spec":` + spec + `}}}`
}

func TestMerge(t *testing.T) {
	for _, test := range []struct{ name, machine, spec, want, collisions string }{
		{"nothing", `{"a":1}`, `{}`, `{"a":1}`, ""},
		{"beside", instance(`{"nodeSelector":{"a":"1"}}`), `{"template":{"spec":{"nodeSelector":{"b":"2"}}}}`, instance(`{"nodeSelector":{"a":"1","b":"2"}}`), ""},
		{"against", instance(`{"nodeSelector":{"a":"1"}}`), `{"template":{"spec":{"nodeSelector":{"a":"1"}}}}`, instance(`{"nodeSelector":{"a":"1"}}`), "spec.template.spec.nodeSelector.a"},
		{
			"into an item", instance(`{"volumes":[{"name":"x","dataVolume":{"name":"d"}}]}`),
			`{"template":{"spec":{"volumes":[{"name":"y","emptyDisk":{"capacity":"1024Mi"}},{"name":"x","dataVolume":{"hotpluggable":true}}]}}}`,
			instance(`{"volumes":[{"dataVolume":{"hotpluggable":true,"name":"d"},"name":"x"},{"emptyDisk":{"capacity":"1Gi"},"name":"y"}]}`), "",
		},
		{
			"another source", instance(`{"volumes":[{"name":"x","dataVolume":{"name":"d"}}]}`),
			`{"template":{"spec":{"volumes":[{"name":"x","persistentVolumeClaim":{"claimName":"c"}}]}}}`,
			instance(`{"volumes":[{"dataVolume":{"name":"d"},"name":"x"}]}`), "spec.template.spec.volumes[x].persistentVolumeClaim",
		},
		{
			"a set", instance(`{"tolerations":[{"key":"a"}]}`), `{"template":{"spec":{"tolerations":[{"key":"a"},{"key":"b"}]}}}`,
			instance(`{"tolerations":[{"key":"a"},{"key":"b"}]}`), "",
		},
		{
			"another list", instance(`{"dnsConfig":{"nameservers":["10.0.0.1"]}}`), `{"template":{"spec":{"dnsConfig":{"nameservers":["10.0.0.2"]}}}}`,
			instance(`{"dnsConfig":{"nameservers":["10.0.0.1"]}}`), "spec.template.spec.dnsConfig.nameservers",
		},
		{
			"by metadata.name", `{"spec":{"dataVolumeTemplates":[{"metadata":{"name":"vm-d"},"spec":{"storage":{}}}]}}`,
			`{"dataVolumeTemplates":[{"metadata":{"name":"vm-d","labels":{"a":"b"}},"spec":{"pvc":{},"contentType":"kubevirt"}}]}`,
			`{"spec":{"dataVolumeTemplates":[{"metadata":{"labels":{"a":"b"},"name":"vm-d"},"spec":{"contentType":"kubevirt","storage":{}}}]}}`,
			"spec.dataVolumeTemplates[vm-d].spec.pvc",
		},
		{
			"objects that mean something when they are empty", instance(`{"domain":{"devices":{}}}`), `{"template":{"spec":{"domain":{"devices":{"tpm":{},"rng":{}}}}}}`,
			instance(`{"domain":{"devices":{"rng":{},"tpm":{}}}}`), "",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, collisions := merged(t, test.machine, test.spec)
			if got != test.want || strings.Join(collisions, " ") != test.collisions {
				t.Errorf("got  %s, collisions %v\nwant %s, collisions %s", got, collisions, test.want, test.collisions)
			}
		})
	}
}

func TestAMergeLeavesTheTemplateAlone(t *testing.T) {
	read, errs := template.Read(says(`{"template":{"spec":{"nodeSelector":{"a":"1"},"volumes":[{"name":"x","emptyDisk":{"capacity":"1Gi"}}]}}}`), options(false))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	first, second := map[string]any{}, map[string]any{}
	read.Merge(first)
	first["spec"].(map[string]any)["template"].(map[string]any)["spec"].(map[string]any)["nodeSelector"].(map[string]any)["a"] = "changed"
	read.Merge(second)
	if raw, err := json.Marshal(second); err != nil || strings.Contains(string(raw), "changed") {
		t.Errorf("the template has changed: %s (%v)", raw, err)
	}
}

func TestGiveWay(t *testing.T) {
	read, errs := template.Read(says(`{"template":{"spec":{"domain":{"cpu":{"sockets":2},"devices":{"disks":[{"name":"d","cdrom":{"bus":"sata"}}]}}}}}`), options(false))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	machine := map[string]any{}
	if err := json.Unmarshal([]byte(instance(`{"domain":{"cpu":{"cores":1},"memory":{"guest":"2Gi"},"devices":{"disks":[{"name":"d","disk":{"bus":"virtio"}}]}}}`)), &machine); err != nil {
		t.Fatal(err)
	}
	disk := template.Devices + ".disks[d]"
	read.GiveWay(machine, []template.Fallback{
		{At: template.Domain + ".cpu.cores", To: []string{template.Domain + ".cpu.sockets"}},
		{At: template.Domain + ".memory.guest", To: []string{template.Domain + ".memory.guest"}},
		{At: disk + ".disk.bus", To: []string{disk + ".cdrom"}},
	})
	want := instance(`{"domain":{"devices":{"disks":[{"name":"d"}]},"memory":{"guest":"2Gi"}}}`)
	if raw, err := json.Marshal(machine); err != nil || string(raw) != want {
		t.Errorf("got  %s (%v)\nwant %s", raw, err, want)
	}
}

func TestWhatIsTooMuchIsRefused(t *testing.T) {
	large := fmt.Sprintf(`{"template":{"spec":{"hostname":%q}}}`, strings.Repeat("x", 64<<10))
	if _, errs := template.Read(says(large), options(false)); len(errs) != 1 || !strings.Contains(errs[0].Error(), "is more than 65536") {
		t.Errorf("got %v", errs)
	}
	var many []string
	for i := range 100 {
		many = append(many, fmt.Sprintf(`"f%d": 1`, i))
	}
	if _, errs := template.Read(says("{"+strings.Join(many, ",")+"}"), options(false)); len(errs) != 9 || !strings.Contains(errs[8].Error(), "92 more") {
		t.Errorf("got %d errors: %v", len(errs), errs)
	}
	long := strings.Repeat("x", 60_000)
	for _, text := range []string{
		fmt.Sprintf(`{%q: 1}`, long), fmt.Sprintf(`{"template": {"metadata": {"labels": {"a": %q}}}}`, long),
		fmt.Sprintf(`{"template": {"metadata": {"labels": {%q: "a"}}}}`, long), fmt.Sprintf(`{"template": {"spec": {"nodeSelector": {%q: "a"}}}}`, long),
		fmt.Sprintf(`{"dataVolumeTemplates": [{"metadata": {"name": %q}}]}`, "vm-"+long), fmt.Sprintf(`{"template": {"spec": {"networks": [{"name": %q}]}}}`, long),
		fmt.Sprintf(`{"template": {"spec": {"domain": {"memory": {"guest": %q}}}}}`, long), fmt.Sprintf(`{"template": {"spec": {"domain": {"cpu": {"cores": %q}}}}}`, long),
	} {
		for _, pass := range []bool{false, true} {
			if _, errs := template.Read(says(text), options(pass)); len(errs) == 0 || len(errs.ToAggregate().Error()) > 2000 {
				t.Errorf("%s…: %d errors", text[:60], len(errs))
			}
		}
	}
	if _, errs := template.Read(says("{"+strings.Join(many, ",")+"}"), options(true)); len(errs) != 1 {
		t.Errorf("100 unknown fields are passed on: %v", errs)
	}
	for _, text := range []string{`[]`, `"x"`, `7`, `{"template": {"spec": {"domain": {"memory": {"guest": 1e999}}}}}`} {
		if _, errs := template.Read(says(text), options(false)); len(errs) != 1 {
			t.Errorf("%s: %v", text, errs)
		}
	}
}

// TestDataVolumes holds that the names by which others are asked are few and short, whatever stands there.
func TestDataVolumes(t *testing.T) {
	named := func(names ...string) *v1alpha1.VirtualMachine {
		var all []string
		for _, name := range names {
			all = append(all, fmt.Sprintf(`{"metadata": {"name": %q}}`, name))
		}
		return says(`{"unknown": 1, "dataVolumeTemplates": [` + strings.Join(all, ",") + `]}`)
	}
	many := make([]string, 100)
	for i := range many {
		many[i] = fmt.Sprintf("vm-%d", i)
	}
	for _, test := range []struct {
		says *v1alpha1.VirtualMachine
		want []string
	}{
		{nil, nil},
		{says(`[]`), nil},
		{says(`{"dataVolumeTemplates": [7]}`), nil},
		{named("vm-a", "", "A b", strings.Repeat("-a", 30_000)), []string{"vm-a"}},
		{named(many...), many[:64]},
	} {
		var got []string
		for _, c := range template.DataVolumes(test.says) {
			got = append(got, c.Name)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("got %v, want %v", got, test.want)
		}
	}
	if _, errs := template.Read(named(many...), options(true)); len(errs) != 1 || errs[0].Type != field.ErrorTypeTooMany {
		t.Errorf("100 DataVolumes: %v", errs)
	}
	if _, errs := template.Read(named("vm-A"), options(true)); len(errs) != 1 {
		t.Errorf("a DataVolume whose name is none: %v", errs)
	}
}

// TestPruned holds that only a field that was answered and that the machine lacks counts as pruned.
func TestPruned(t *testing.T) {
	const disks = `{"template":{"spec":{"domain":{"new":1,"devices":{"disks":[{"name":"a"},{"name":"b","new":1}]}}}}}`
	read, errs := template.Read(says(disks), options(true))
	if len(errs) > 0 || !read.HandsUnknownOn() {
		t.Fatal(errs)
	}
	const domain, disk = "spec.virtualMachine.spec.template.spec.domain.new", "spec.virtualMachine.spec.template.spec.domain.devices.disks[1].new"
	for _, test := range []struct {
		name, answered, observed string
		want                     []string
	}{
		{"not answered yet", `{}`, `{}`, nil},
		{"kept", `{"domain":{"new":1}}`, `{"domain":{"new":2}}`, nil},
		{"pruned", `{"domain":{"new":1}}`, `{"domain":{}}`, []string{domain}},
		{"pruned from an item that stands elsewhere", `{"domain":{"devices":{"disks":[{"name":"b","new":1}]}}}`, `{"domain":{"devices":{"disks":[{"name":"z"},{"name":"b"}]}}}`, []string{disk}},
		{"an item that is not there", `{"domain":{"devices":{"disks":[{"name":"a","new":1}]}}}`, `{}`, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			var answered, observed map[string]any
			for text, to := range map[string]*map[string]any{test.answered: &answered, test.observed: &observed} {
				if err := json.Unmarshal([]byte(instance(text)), to); err != nil {
					t.Fatal(err)
				}
			}
			if test.answered == test.observed {
				observed = answered
			}
			if got := read.Pruned(answered, observed); !slices.Equal(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
	o := options(true)
	o.Pruned = []string{disk, "spec.virtualMachine.spec.template.spec.hostname"}
	read, errs = template.Read(says(disks), o)
	machine := map[string]any{}
	read.Merge(machine)
	raw, _ := json.Marshal(machine)
	if want := instance(`{"domain":{"devices":{"disks":[{"name":"a"},{"name":"b"}]},"new":1}}`); string(raw) != want || len(errs) > 0 || !slices.Equal(read.LeftOut, []string{disk}) {
		t.Errorf("got %s, left out %v (%v)", raw, read.LeftOut, errs)
	}
}

// FuzzRead holds that whatever is read is read the same again, and never ends the process.
func FuzzRead(f *testing.F) {
	files, err := filepath.Glob("../../testdata/sync/virtual-machine-*/request.json")
	if err != nil || len(files) == 0 {
		f.Fatalf("no cases (%v)", err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		var request struct {
			Parent struct {
				Spec struct {
					VirtualMachine struct {
						Spec json.RawMessage `json:"spec"`
					} `json:"virtualMachine"`
				} `json:"spec"`
			} `json:"parent"`
		}
		if err := json.Unmarshal(raw, &request); err != nil {
			f.Fatal(err)
		}
		f.Add([]byte(request.Parent.Spec.VirtualMachine.Spec))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if !json.Valid(raw) {
			return
		}
		for _, pass := range []bool{false, true} {
			read, errs := template.Read(&v1alpha1.VirtualMachine{Spec: &runtime.RawExtension{Raw: raw}}, options(pass))
			if len(errs) > 0 {
				continue
			}
			machine := map[string]any{}
			if collisions := read.Merge(machine); len(collisions) > 0 {
				t.Errorf("it collides with nothing: %v", collisions)
			}
			spec, err := json.Marshal(machine["spec"])
			if err != nil {
				t.Fatal(err)
			}
			again, errs := template.Read(&v1alpha1.VirtualMachine{Spec: &runtime.RawExtension{Raw: spec}}, options(pass))
			if len(errs) > 0 {
				t.Fatalf("what was read cannot be read again: %v\n%s", errs, spec)
			}
			second := map[string]any{}
			again.Merge(second)
			if twice, err := json.Marshal(second["spec"]); err != nil || string(twice) != string(spec) {
				t.Errorf("it is read in another way the second time (%v):\n%s\n%s", err, spec, twice)
			}
		}
	})
}

// TestNamedClaims holds that the claims of volumes are known whatever else stands there, each once, and which of them are CDs.
func TestNamedClaims(t *testing.T) {
	says := says(`{"unknown": 1, "template": {"spec": {"volumes": [
		{"name": "a", "persistentVolumeClaim": {"claimName": "claim-a"}},
		{"name": "b", "dataVolume": {"name": "made-b"}},
		{"name": "c", "containerDisk": {"image": "x"}},
		{"name": "again", "persistentVolumeClaim": {"claimName": "claim-a"}},
		{"name": "bad", "persistentVolumeClaim": {"claimName": "-No name"}},
		{"name": "cd", "persistentVolumeClaim": {"claimName": "claim-cd"}}
	], "domain": {"devices": {"disks": [{"name": "cd", "cdrom": {}}, {"name": "a", "cdrom": null}]}}}}}`)
	want := []template.Claim{{Name: "claim-a"}, {Name: "made-b", Index: 1, DataVolume: true}, {Name: "claim-cd", Index: 5, CD: true}}
	if diff := cmp.Diff(want, template.NamedClaims(says)); diff != "" {
		t.Errorf("the claims differ (-want +got):\n%s", diff)
	}
	if got := template.NamedClaims(nil); got != nil {
		t.Errorf("nothing names %v", got)
	}
}

package hold_test

import (
	"encoding/json"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/sync/hold"
)

// TestVolumesThatKubeVirtHasRewritten holds what of a machine's volumes stays when another answer is given, and what does not.
func TestVolumesThatKubeVirtHasRewritten(t *testing.T) {
	const (
		old      = `{"name": "a", "dataVolume": {"name": "vm-a"}}`
		other    = `{"name": "a", "persistentVolumeClaim": {"claimName": "other"}}`
		template = `{"metadata": {"name": "vm-a"}}`
	)
	for _, test := range []struct{ name, machine, spec, want string }{
		{
			"a restored disk has its new template",
			`{"dataVolumeTemplates": [{"metadata": {"name": "restore-1-a"}}], "template": {"spec": {"volumes": [{"name": "a", "dataVolume": {"name": "restore-1-a"}}]}}}`,
			`{"dataVolumeTemplates": [` + template + `], "template": {"spec": {"volumes": [` + old + `]}}}`,
			`{"dataVolumeTemplates": [{"metadata": {"name": "restore-1-a"}}], "template": {"spec": {"volumes": [{"name": "a", "dataVolume": {"name": "restore-1-a"}}]}}}`,
		},
		{
			"a disk that was moved to a claim has no template",
			`{"template": {"spec": {"volumes": [` + other + `]}}}`,
			`{"dataVolumeTemplates": [` + template + `], "template": {"spec": {"volumes": [` + old + `]}}}`,
			`{"template": {"spec": {"volumes": [` + other + `]}}}`,
		},
		{
			"two disks on one DataVolume have one template",
			`{"dataVolumeTemplates": [{"metadata": {"name": "vm-b"}}], "template": {"spec": {"volumes": [{"name": "a", "dataVolume": {"name": "vm-b"}}, {"name": "b", "dataVolume": {"name": "vm-b"}}]}}}`,
			`{"dataVolumeTemplates": [` + template + `, {"metadata": {"name": "vm-b"}}], "template": {"spec": {"volumes": [` + old + `, {"name": "b", "dataVolume": {"name": "vm-b"}}]}}}`,
			`{"dataVolumeTemplates": [{"metadata": {"name": "vm-b"}}], "template": {"spec": {"volumes": [{"name": "a", "dataVolume": {"name": "vm-b"}}, {"name": "b", "dataVolume": {"name": "vm-b"}}]}}}`,
		},
		{
			"a claim of another name in the spec is a wish",
			`{"template": {"spec": {"volumes": [` + other + `]}}}`,
			`{"template": {"spec": {"volumes": [{"name": "a", "persistentVolumeClaim": {"claimName": "new"}}]}}}`,
			`{"template": {"spec": {"volumes": [{"name": "a", "persistentVolumeClaim": {"claimName": "new"}}]}}}`,
		},
		{
			"unless KubeVirt moves the machine's volumes",
			`{"updateVolumesStrategy": "Migration", "template": {"spec": {"volumes": [` + other + `]}}}`,
			`{"template": {"spec": {"volumes": [{"name": "a", "persistentVolumeClaim": {"claimName": "new"}}]}}}`,
			`{"template": {"spec": {"volumes": [` + other + `]}}}`,
		},
		{
			"a volume that was plugged in stays, with its disk",
			`{"template": {"spec": {"volumes": [` + old + `, {"name": "hp", "dataVolume": {"name": "hp", "hotpluggable": true}}],
				"domain": {"devices": {"disks": [{"name": "a"}, {"name": "hp", "serial": "hp"}]}}}}}`,
			`{"template": {"spec": {"volumes": [` + old + `], "domain": {"devices": {"disks": [{"name": "a"}]}}}}}`,
			`{"template": {"spec": {"volumes": [` + old + `, {"name": "hp", "dataVolume": {"name": "hp", "hotpluggable": true}}],
				"domain": {"devices": {"disks": [{"name": "a"}, {"name": "hp", "serial": "hp"}]}}}}}`,
		},
		{
			"unless the spec names it",
			`{"template": {"spec": {"volumes": [{"name": "a", "persistentVolumeClaim": {"claimName": "x", "hotpluggable": true}}], "domain": {"devices": {"disks": [{"name": "a", "serial": "a"}]}}}}}`,
			`{"template": {"spec": {"volumes": [{"name": "a", "persistentVolumeClaim": {"claimName": "x"}}], "domain": {"devices": {"disks": [{"name": "a"}]}}}}}`,
			`{"template": {"spec": {"volumes": [{"name": "a", "persistentVolumeClaim": {"claimName": "x"}}], "domain": {"devices": {"disks": [{"name": "a"}]}}}}}`,
		},
		{
			"a volume that nobody plugged in is ours",
			`{"template": {"spec": {"volumes": [` + old + `, {"name": "by-hand", "persistentVolumeClaim": {"claimName": "x"}}]}}}`,
			`{"template": {"spec": {"volumes": [` + old + `]}}}`,
			`{"template": {"spec": {"volumes": [` + old + `]}}}`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := machine(t, `{"apiVersion": "v", "kind": "M", "metadata": {"name": "vm"}, "spec": `+test.machine+`}`)
			answer := &unstructured.Unstructured{}
			if err := json.Unmarshal([]byte(test.spec), &answer.Object); err != nil {
				t.Fatal(err)
			}
			hold.Keep(answer.Object, m)
			answered(t, answer, test.want)
		})
	}
}

// TestAHeldMachineIsNotTurnedBack holds that a machine which is held keeps what KubeVirt has rewritten since the last answer, and does not get
// back what was unplugged since.
func TestAHeldMachineIsNotTurnedBack(t *testing.T) {
	const last = `{\"apiVersion\":\"v\",\"kind\":\"M\",\"metadata\":{\"name\":\"vm\"},\"spec\":{\"dataVolumeTemplates\":[{\"metadata\":{\"name\":\"vm-a\"}}],` +
		`\"template\":{\"spec\":{\"volumes\":[{\"name\":\"a\",\"dataVolume\":{\"name\":\"vm-a\"}},{\"name\":\"hp\",\"dataVolume\":{\"name\":\"hp\",\"hotpluggable\":true}}],` +
		`\"domain\":{\"devices\":{\"disks\":[{\"name\":\"a\"},{\"name\":\"hp\"}]}}}}}}`
	const now = `{"template": {"spec": {"volumes": [{"name": "a", "persistentVolumeClaim": {"claimName": "moved"}}], "domain": {"devices": {"disks": [{"name": "a"}]}}}}}`
	m := machine(t, `{"apiVersion": "v", "kind": "M", "metadata": {"name": "vm", "annotations": {"metacontroller.k8s.io/last-applied-configuration": "`+last+`"}}, "spec": `+now+`}`)
	answered(t, hold.Machine(m), `{"apiVersion": "v", "kind": "M", "metadata": {"name": "vm"}, "spec": `+now+`}`)
}

package sync_test

// The schemas of the children that the hook answers, and of the objects that it reads, are generated from the modules
// that define them. The imports keep those modules in go.mod. What the generator cannot know, because it stands in no marker
// of its own, is added to what it writes: the plural of NetworkAttachmentDefinition, and KubeVirt's status subresources
// and short names.

//go:generate go run sigs.k8s.io/controller-tools/cmd/controller-gen@v0.20.1 crd:maxDescLen=0,allowDangerousTypes=true paths=github.com/nmstate/kubernetes-nmstate/api/v1 paths=github.com/nmstate/kubernetes-nmstate/api/v1beta1 paths=github.com/k8snetworkplumbingwg/network-attachment-definition-client/pkg/apis/k8s.cni.cncf.io/v1 paths=kubevirt.io/api/core/v1 paths=kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1 output:crd:dir=../testdata/crds
//go:generate sed -i s/networkattachmentdefinitions/network-attachment-definitions/ ../testdata/crds/k8s.cni.cncf.io_networkattachmentdefinitions.yaml
//go:generate sed -i "s/^    storage: true$/&\\n    subresources:\\n      status: {}/; s/^    singular: virtualmachine$/    shortNames:\\n    - vm\\n    - vms\\n&/; s/^    singular: virtualmachineinstance$/    shortNames:\\n    - vmi\\n    - vmis\\n&/" ../testdata/crds/kubevirt.io_virtualmachines.yaml ../testdata/crds/kubevirt.io_virtualmachineinstances.yaml
//go:generate sh -c "cd ../testdata/crds && find . -name 'cdi.kubevirt.io_*' ! -name cdi.kubevirt.io_datavolumes.yaml -delete && rm -f kubevirt.io_datavolumetemplatespecs.yaml kubevirt.io_kubevirts.yaml kubevirt.io_virtualmachineinstancemigrations.yaml kubevirt.io_virtualmachineinstancepresets.yaml kubevirt.io_virtualmachineinstancereplicasets.yaml nmstate.io_nmstates.yaml"

import (
	"os"
	"path/filepath"
	"testing"

	_ "github.com/k8snetworkplumbingwg/network-attachment-definition-client/pkg/apis/k8s.cni.cncf.io/v1"
	_ "github.com/nmstate/kubernetes-nmstate/api/v1"
	_ "github.com/nmstate/kubernetes-nmstate/api/v1beta1"
	_ "kubevirt.io/api/core/v1"

	"novasphere.dev/wukong/admission"
)

// childSchemas are the schemas of the kinds of children.
func childSchemas(t testing.TB) map[string]*admission.Schema {
	t.Helper()
	schemas := map[string]*admission.Schema{}
	for kind, file := range map[string]string{
		"NodeNetworkConfigurationPolicy": "testdata/crds/nmstate.io_nodenetworkconfigurationpolicies.yaml",
		"NetworkAttachmentDefinition":    "testdata/crds/k8s.cni.cncf.io_networkattachmentdefinitions.yaml",
		"VirtualMachine":                 "testdata/crds/kubevirt.io_virtualmachines.yaml",
		"WukongNode":                     "deploy/base/vm.novasphere.dev_wukongnodes.yaml",
	} {
		schema, err := admission.New(mustRead(t, filepath.Join("..", file)))
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		schemas[kind] = schema
	}
	return schemas
}

func mustRead(t testing.TB, path string) []byte {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

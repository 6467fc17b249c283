package sync_test

// The schemas of the children that the hook answers, and of the objects that it reads, are generated from the modules
// that define them. The imports keep those modules in go.mod. What the generator cannot know is the plural of
// NetworkAttachmentDefinition, which its client has in a marker of another generator's.

//go:generate go run sigs.k8s.io/controller-tools/cmd/controller-gen@v0.20.1 crd:maxDescLen=0,allowDangerousTypes=true paths=github.com/nmstate/kubernetes-nmstate/api/v1 paths=github.com/nmstate/kubernetes-nmstate/api/v1beta1 paths=github.com/k8snetworkplumbingwg/network-attachment-definition-client/pkg/apis/k8s.cni.cncf.io/v1 paths=kubevirt.io/api/core/v1 output:crd:dir=../testdata/crds
//go:generate sed -i s/networkattachmentdefinitions/network-attachment-definitions/ ../testdata/crds/k8s.cni.cncf.io_networkattachmentdefinitions.yaml
//go:generate sh -c "cd ../testdata/crds && rm -f kubevirt.io_datavolumetemplatespecs.yaml kubevirt.io_kubevirts.yaml kubevirt.io_virtualmachineinstancemigrations.yaml kubevirt.io_virtualmachineinstancepresets.yaml kubevirt.io_virtualmachineinstancereplicasets.yaml nmstate.io_nmstates.yaml"

import (
	_ "github.com/k8snetworkplumbingwg/network-attachment-definition-client/pkg/apis/k8s.cni.cncf.io/v1"
	_ "github.com/nmstate/kubernetes-nmstate/api/v1"
	_ "github.com/nmstate/kubernetes-nmstate/api/v1beta1"
	_ "kubevirt.io/api/core/v1"
)

package sync

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kubevirtv1 "kubevirt.io/api/core/v1"
	kjson "sigs.k8s.io/json"

	"novasphere.dev/wukong/sync/facts"
	"novasphere.dev/wukong/sync/hold"
	"novasphere.dev/wukong/sync/outcome"
	"novasphere.dev/wukong/types/v1alpha1"
)

// machineOutcome is the decision about the machine, and the reason and message of one that is ready.
type machineOutcome struct {
	outcome.Outcome
	reason  v1alpha1.Reason
	message string
	stopped bool // ready because stopped on request
	paused  bool // neither runs nor stops
	failed  bool // KubeVirt reports an error, and not a step on the way
}

func refuseMachine(r *outcome.Refusal) machineOutcome {
	return machineOutcome{Outcome: outcome.Outcome{Refusal: r}}
}

// decideMachine decides about the machine. It is created once every policy is available and every attachment exists.
// From then on it stays, whatever becomes of them.
// The table in docs/decisions.md has its rows.
func (v *view) decideMachine() machineOutcome {
	existing := v.machine()
	if existing == nil {
		return v.decideNewMachine()
	}
	if going := v.namespaceRefusal(); going != nil {
		o := refuseMachine(going)
		o.Child = hold.Machine(existing) // nothing in it can be changed any more, and nothing is deleted for it
		return o
	}
	for _, conflict := range []*outcome.Refusal{v.diskConflict(), v.existingDisk()} {
		if conflict != nil {
			o := refuseMachine(conflict)
			o.Child = hold.Machine(existing)
			return o
		}
	}
	o := v.machineState(existing, v.instance())
	o.Child = v.newMachine(v.joined(existing))
	return o
}

// decideNewMachine decides whether the machine may be created. The table in docs/decisions.md has its rows.
func (v *view) decideNewMachine() machineOutcome {
	if taken := outcome.NameTaken(v.foreignMachine(), v.owner); taken != nil {
		return refuseMachine(taken)
	}
	if going := v.namespaceRefusal(); going != nil {
		return refuseMachine(going)
	}
	for _, conflict := range []*outcome.Refusal{v.diskConflict(), v.existingDisk()} {
		if conflict != nil {
			return refuseMachine(conflict)
		}
	}
	if r := v.policyRefusal(); r != nil {
		return refuseMachine(&outcome.Refusal{Reason: v1alpha1.ReasonWaitingForNodeNetwork, Message: r.Message})
	}
	if r := v.attachmentRefusal(); r != nil {
		return refuseMachine(&outcome.Refusal{Reason: v1alpha1.ReasonWaitingForAttachments, Message: r.Message})
	}
	o := refuseMachine(&outcome.Refusal{
		Reason: v1alpha1.ReasonMachinePending, Message: fmt.Sprintf("machine %s is being created", v.machineKey()),
	})
	o.Child = v.newMachine(v.networks)
	return o
}

// policyRefusal is the worst refusal of all policies; nil where all are available.
func (v *view) policyRefusal() *outcome.Refusal {
	var all []*outcome.Refusal
	for _, n := range v.networks {
		all = append(all, n.policy.Refusal)
	}
	return outcome.Worst(all...)
}

// attachmentRefusal is the worst refusal of all attachments; nil where all exist.
func (v *view) attachmentRefusal() *outcome.Refusal {
	var all []*outcome.Refusal
	for _, n := range v.networks {
		all = append(all, n.attachment.Refusal)
	}
	return outcome.Worst(all...)
}

// joined are the networks that the machine should be plugged into. A new network joins when its attachment exists. A
// network that the machine has already stays, whatever became of its attachment. That holds even for one of another
// type or attachment under the same name, until the new one is ready.
// The table in docs/decisions.md has its rows.
func (v *view) joined(existing *facts.Machine) []*network {
	var all []*network
	pod := hasPod(v.networks)
	for _, n := range v.networks {
		had, plugged := pluggedAs(existing, n)
		switch {
		case n.attachment.Ready():
			all = append(all, n)
		case plugged && n.superseded == "" && (had.Type == n.Type || had.Type != v1alpha1.Pod || !pod):
			all = append(all, had) // unless had is a second pod network, which KubeVirt refuses
		}
	}
	return all
}

func hasPod(nets []*network) bool {
	return slices.ContainsFunc(nets, func(n *network) bool { return n.Type == v1alpha1.Pod })
}

// pluggedAs is a network in the form in which the machine has it now; plugged is whether the machine has it.
func pluggedAs(existing *facts.Machine, n *network) (had *network, plugged bool) {
	plug, found := existing.Plugs.Find(n.Name)
	if !found {
		return n, false
	}
	key := plug.Attachment
	if key != "" {
		key = facts.Qualified(facts.Unqualified(key, existing.Namespace))
	}
	if key == n.attachmentName {
		return n, true
	}
	was := *n
	was.attachmentName, was.IPConfig = key, nil
	switch {
	case key == "":
		was.Type = v1alpha1.Pod
	case plug.SRIOV:
		was.Type = v1alpha1.SRIOV
	default:
		was.Type = v1alpha1.Bridge
	}
	return &was, true
}

func defaultMemory() *resource.Quantity {
	q := resource.MustParse("2Gi")
	return &q
}

// newMachine is the VirtualMachine, plugged into the given networks. It sets only the fields that the Wukong owns, in
// the form that the API server keeps. A value that KubeVirt's webhooks rewrite would be written again at every sync.
func (v *view) newMachine(nets []*network) *unstructured.Unstructured {
	machine := v.plainMachine(nets)
	v.merge(machine, nets)
	if spec, ok := machine["spec"].(map[string]any); ok {
		v.forgetExpanded(machine)
		v.forgetRevisions(spec)
		hold.Keep(spec, v.machine())
	}
	return &unstructured.Unstructured{Object: machine}
}

// plainMachine is the VirtualMachine without what spec.virtualMachine says.
func (v *view) plainMachine(nets []*network) map[string]any {
	w := v.w
	disks, volumes, templates := storage(w, v.settings)
	if volume := v.cloudInit(nets); volume != nil {
		disks = append(disks, device(w, v1alpha1.Disk{Name: cloudInitDisk}))
		volumes = append(volumes, *volume)
	}
	strategy := runStrategy(w)
	labels, own := machineLabels(w), map[string]any{}
	for label, value := range labels {
		own[label] = value
	}
	for label, value := range v.addressLabels() {
		own[label] = value // and not of the instance: there, a new one would need a restart
	}
	spec := kubevirtv1.VirtualMachineSpec{
		RunStrategy:         &strategy,
		DataVolumeTemplates: templates,
		Template: &kubevirtv1.VirtualMachineInstanceTemplateSpec{
			ObjectMeta: metav1.ObjectMeta{Labels: labels},
			Spec: kubevirtv1.VirtualMachineInstanceSpec{
				Domain: kubevirtv1.DomainSpec{
					Devices: kubevirtv1.Devices{
						Disks:      disks,
						Interfaces: machineInterfaces(nets),
					},
				},
				Networks:                      machineNetworks(nets),
				Volumes:                       volumes,
				AccessCredentials:             accessCredentials(w),
				TerminationGracePeriodSeconds: w.Spec.TerminationGracePeriodSeconds,
			},
		},
	}
	if strategy := kubevirtv1.EvictionStrategy(w.Spec.EvictionStrategy); strategy != "" {
		spec.Template.Spec.EvictionStrategy = &strategy
	}
	v.size(&spec)
	if !hasPod(nets) {
		// KubeVirt would plug a machine without any network into the pod network, which nobody asked for.
		no := false
		spec.Template.Spec.Domain.Devices.AutoattachPodInterface = &no
	}
	if ha := w.Spec.HighAvailability; ha != nil {
		place(&spec.Template.Spec, ha)
	}
	object := map[string]any{}
	if err := kjson.UnmarshalCaseSensitivePreserveInts([]byte(compact(spec)), &object); err != nil {
		panic(err) // the JSON of a struct is an object
	}
	// KubeVirt's types encode this struct even when it is empty.
	unstructured.RemoveNestedField(object, "template", "spec", "domain", "resources")

	return map[string]any{
		"apiVersion": "kubevirt.io/v1",
		"kind":       "VirtualMachine",
		"metadata":   map[string]any{"namespace": w.Spec.Namespace, "name": w.Name, "labels": own},
		"spec":       object,
	}
}

// machineLabels are the labels of the machine and of its instance.
func machineLabels(w *v1alpha1.Wukong) map[string]string {
	labels := map[string]string{facts.LabelManagedBy: facts.ManagedBy, facts.LabelWukong: w.Name}
	for _, label := range claimLabels(w) {
		labels[label] = "used"
	}
	return labels
}

// machineInterfaces are the machine's network interfaces: masquerade on the pod network, sriov for a virtual function,
// and the bridge binding for every other type.
func machineInterfaces(nets []*network) []kubevirtv1.Interface {
	var all []kubevirtv1.Interface
	for _, n := range nets {
		i := kubevirtv1.Interface{Name: n.Name, MacAddress: n.mac}
		switch n.Type {
		case v1alpha1.Pod:
			i.Masquerade = &kubevirtv1.InterfaceMasquerade{}
		case v1alpha1.SRIOV:
			i.SRIOV = &kubevirtv1.InterfaceSRIOV{}
		default:
			i.Bridge = &kubevirtv1.InterfaceBridge{}
		}
		all = append(all, i)
	}
	return all
}

func machineNetworks(nets []*network) []kubevirtv1.Network {
	var all []kubevirtv1.Network
	for _, n := range nets {
		source := kubevirtv1.NetworkSource{Multus: &kubevirtv1.MultusNetwork{NetworkName: n.attachmentName}}
		if n.Type == v1alpha1.Pod {
			source = kubevirtv1.NetworkSource{Pod: &kubevirtv1.PodNetwork{
				VMNetworkCIDR: n.VMNetworkCIDR, VMIPv6NetworkCIDR: n.VMIPv6NetworkCIDR,
			}}
		}
		all = append(all, kubevirtv1.Network{Name: n.Name, NetworkSource: source})
	}
	return all
}

// accessCredentials make KubeVirt hand the Secret's keys to cloud-init. The hook never reads a Secret.
func accessCredentials(w *v1alpha1.Wukong) []kubevirtv1.AccessCredential {
	if w.Spec.SSHKeySecret == "" {
		return nil
	}
	return []kubevirtv1.AccessCredential{{SSHPublicKey: &kubevirtv1.SSHPublicKeyAccessCredential{
		Source: kubevirtv1.SSHPublicKeyAccessCredentialSource{
			Secret: &kubevirtv1.AccessCredentialSecretSource{SecretName: w.Spec.SSHKeySecret},
		},
		PropagationMethod: kubevirtv1.SSHPublicKeyAccessCredentialPropagationMethod{
			NoCloud: &kubevirtv1.NoCloudSSHPublicKeyAccessCredentialPropagation{},
		},
	}}}
}

package sync

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/types/v1alpha1"
)

// vmStep decides about the machine: create it once every attachment exists and every policy is available, and from then
// on keep it, whatever becomes of them.
func vmStep(w *v1alpha1.Wukong, nets []network, obs *observed, settings Settings, policies, nads []step) step {
	key := qualified(w.Spec.Namespace, w.Name)
	existing := obs.vm()
	if existing == nil {
		if message := foreignMessage(obs, vmKind, key, "machine"); message != "" {
			return step{reason: "Conflict", message: message, stuck: true}
		}
		if conflict := diskConflict(w, obs); conflict.reason != "" {
			return conflict
		}
		if s := worst(policies); s != nil {
			return step{reason: "WaitingForNodeNetwork", message: s.message}
		}
		if s := worst(nads); s != nil {
			return step{reason: "WaitingForAttachments", message: s.message}
		}
		return step{child: vm(w, nets, settings, nil), reason: "MachinePending", message: fmt.Sprintf("machine %s is being created", key)}
	}

	if conflict := diskConflict(w, obs); conflict.reason != "" {
		conflict.child = hold(existing)
		return conflict
	}
	// A network joins the machine when its attachment is there. One that the machine has it keeps, whatever became of
	// the attachment: also one of another kind or attachment under the same name, until the new one is ready.
	var joined []network
	for i, n := range nets {
		switch had, plugged := pluggedAs(existing, n); {
		case nads[i].ready:
			joined = append(joined, n)
		case plugged && n.superseded == "" && (had.Type == n.Type || had.Type != v1alpha1.Pod || !slices.ContainsFunc(nets, func(n network) bool { return n.Type == v1alpha1.Pod })):
			joined = append(joined, had) // but not a second pod network, which KubeVirt refuses
		}
	}
	s := machineState(w, existing, obs.instance())
	s.child = vm(w, joined, settings, existing)
	return s
}

// pluggedAs is a network as the machine has it now, and whether it has it.
func pluggedAs(machine *unstructured.Unstructured, n network) (network, bool) {
	byName := func(path ...string) map[string]any {
		list := items(machine, append([]string{"spec", "template", "spec"}, path...)...)
		i := slices.IndexFunc(list, func(item map[string]any) bool { return text(item, "name") == n.Name })
		if i < 0 {
			return nil
		}
		return list[i]
	}
	has := byName("networks")
	if has == nil {
		return n, false
	}
	nad := text(has, "multus", "networkName")
	if nad != "" && !strings.Contains(nad, "/") {
		nad = qualified(machine.GetNamespace(), nad)
	}
	if nad == n.nad {
		return n, true
	}
	n.nad, n.IPConfig = nad, nil
	switch iface := byName("domain", "devices", "interfaces"); {
	case nad == "":
		n.Type = v1alpha1.Pod
	case value(iface, "sriov") != nil:
		n.Type = v1alpha1.SRIOV
	default:
		n.Type = v1alpha1.Bridge
	}
	return n, true
}

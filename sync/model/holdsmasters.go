package model

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/sync/model/nmstate"
	"novasphere.dev/wukong/types/v1alpha1"
)

// Here is what must be true of macvlans and ipvlans. CNI makes them in the network namespace of a pod, so no node reports them, and the
// kernel refuses them on the port of anything and beside each other.

// standing is what an attachment lets stand on a NIC: macvlans or ipvlans; both are empty where it plugs into a bridge.
func standing(attachment *unstructured.Unstructured) (kind, nic string) {
	var config struct{ Type, Master string }
	text, _ := value(attachment.Object, "spec", "config").(string)
	if err := json.Unmarshal([]byte(text), &config); err != nil {
		panic(err)
	}
	return config.Type, config.Master
}

// mayStand checks that no attachment is created whose macvlans or ipvlans cannot stand on their NIC, as far as could be seen.
func (c *cluster) mayStand(p asker, w *v1alpha1.Wukong, desired *unstructured.Unstructured) {
	kind, nic := standing(desired)
	if nic == "" {
		return
	}
	for _, key := range slices.Sorted(maps.Keys(c.seen[attachmentKind])) {
		a := c.seen[attachmentKind][key]
		if its, on := standing(a); on == nic && its != kind && c.says(a, its, on) {
			c.breaks("attachment %s is created on %s, where %s has %ss", desired.GetName(), nic, key, its)
		}
	}
	if !c.nmstate {
		return
	}
	for _, key := range slices.Sorted(maps.Keys(c.seen[policyKind])) {
		if policy := c.seen[policyKind][key]; feeds(policy) == nic && policy.GetLabels()["vm.novasphere.dev/uplink"] == nic {
			c.breaks("attachment %s is created on %s, which policy %s puts into a bridge", desired.GetName(), nic, key)
		}
	}
	if c.settings.Preflight {
		c.mayStandOnNodes(p, w, desired)
	}
}

// mayStandOnNodes checks the same of what the nodes report on which the machine may run. With a nodeSelector of its own it runs on none.
func (c *cluster) mayStandOnNodes(p asker, w *v1alpha1.Wukong, desired *unstructured.Unstructured) {
	_, nic := standing(desired)
	if vm := w.Spec.VirtualMachine; vm != nil && vm.Spec != nil && strings.Contains(string(vm.Spec.Raw), "nodeSelector") {
		return
	}
	for _, node := range slices.Sorted(maps.Keys(c.seen[nodeKind])) {
		ha := w.Spec.HighAvailability
		if ha != nil && c.seen[nodeKind][node].GetLabels()["zone"] != string(ha.NodeSelector["zone"]) {
			continue
		}
		i := nmstate.Interface(network(c.shown(p, node)), nic)
		if i != nil && i["controller"] != nil {
			c.breaks("attachment %s is created on %s, which node %s reports in %v", desired.GetName(), nic, node, i["controller"])
		}
	}
}

// shown is what the hook was shown of the network of a node, as its NodeNetworkState; nil where that is not known.
func (c *cluster) shown(p asker, node string) *unstructured.Unstructured {
	switch {
	case p.early:
		return c.seen[stateKind][node]
	case c.stale(node) || !c.trusted(c.objects[nodeKind][node], c.seen[toldKind][node]):
		return nil
	}
	return c.objects[stateKind][node]
}

// says reports whether the labels of an attachment say what it says, so that others are shown it. Somebody may have edited them.
func (c *cluster) says(attachment *unstructured.Unstructured, kind, nic string) bool {
	l := attachment.GetLabels()
	return l["vm.novasphere.dev/type"] == kind && l["vm.novasphere.dev/physical-interface"] == nic
}

// feeds is the uplink of the bridge that a policy builds, by what it wants on the nodes; empty where it builds none.
func feeds(policy *unstructured.Unstructured) string {
	list, _ := value(policy.Object, "spec", "desiredState", "interfaces").([]any)
	for _, item := range list {
		i := item.(map[string]any)
		ports, _ := value(i, "bridge", "port").([]any)
		if len(ports) > 0 && i["state"] == "up" {
			name, _ := ports[0].(map[string]any)["name"].(string)
			return name
		}
	}
	return ""
}

// mayFeed checks that no policy of a Wukong is created on a NIC on which macvlans or ipvlans stand, as far as could be seen.
func (c *cluster) mayFeed(p asker, desired *unstructured.Unstructured) {
	if kindName(p) != v1alpha1.Kind {
		return // a WukongNetwork does not ask for attachments
	}
	for _, key := range slices.Sorted(maps.Keys(c.seen[attachmentKind])) {
		a := c.seen[attachmentKind][key]
		if its, on := standing(a); on != "" && on == feeds(desired) && c.says(a, its, on) {
			c.breaks("policy %s is created on %s, where %s has %ss", desired.GetName(), on, key, its)
		}
	}
}

package model

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

// kubevirtActs takes one machine a step further: some machine by chance, or at rest any that does not run as it should.
// It reports whether there was anything to do.
func (c *cluster) kubevirtActs(atRest bool) bool {
	for _, key := range slices.Sorted(maps.Keys(c.objects[machineKind])) {
		if !atRest && c.IntN(2) == 0 {
			continue
		}
		if c.runs(key, atRest) {
			c.tell("KubeVirt: %s", key)
			return true
		}
	}
	// An instance whose machine was deleted by hand goes with it.
	for key := range c.objects[instanceKind] {
		if c.objects[machineKind][key] == nil {
			c.stops(key)
			return true
		}
	}
	return false
}

// runs takes one machine a step further, and reports whether there was a step to take. An instance is deleted before
// its machine. A machine whose template has changed reports that, and is restarted some time later.
func (c *cluster) runs(key string, atRest bool) bool {
	machine, instance := c.objects[machineKind][key], c.objects[instanceKind][key]
	leaving := machine.GetDeletionTimestamp() != nil
	stale := instance != nil && !reflect.DeepEqual(instance.Object["spec"], value(machine.Object, "spec", "template", "spec"))
	switch {
	case leaving && instance != nil:
		c.stops(key)
	case leaving:
		delete(c.objects[machineKind], key)
	case instance == nil, stale && (atRest || c.IntN(3) == 0):
		c.starts(key)
	case stale:
		machine.Object["status"] = map[string]any{"printableStatus": "Running", "conditions": []any{
			map[string]any{"type": "Ready", "status": "True"}, map[string]any{"type": "RestartRequired", "status": "True"},
		}}
	default:
		return false
	}
	return true
}

// starts runs a machine as its template is now.
func (c *cluster) starts(key string) {
	machine := c.objects[machineKind][key]
	instance := object("kubevirt.io/v1", "VirtualMachineInstance", machine.GetNamespace(), machine.GetName())
	yes := true
	instance.SetOwnerReferences([]metav1.OwnerReference{
		{APIVersion: "kubevirt.io/v1", Kind: "VirtualMachine", Name: machine.GetName(), UID: machine.GetUID(), Controller: &yes},
	})
	labels, _ := value(machine.Object, "spec", "template", "metadata", "labels").(map[string]any)
	instance.SetLabels(pairs(labels))
	instance.Object["spec"] = runtime.DeepCopyJSONValue(value(machine.Object, "spec", "template", "spec"))
	instance.Object["status"] = map[string]any{"nodeName": "worker-1", "phase": "Running"}
	c.objects[instanceKind][key] = instance
	c.plugged(key, instance)
	machine.Object["status"] = map[string]any{"printableStatus": "Running", "conditions": []any{
		map[string]any{"type": "Ready", "status": "True"},
	}}
}

// stops ends the instance of a machine.
func (c *cluster) stops(key string) {
	delete(c.objects[instanceKind], key)
	c.plugged(key, nil)
}

// plugged plugs a running machine into its bridges, and removes it from those that it was in before.
func (c *cluster) plugged(machine string, instance *unstructured.Unstructured) {
	c.unplugs(func(port any) bool { return strings.HasPrefix(port.(string), "tap of "+machine+" ") })
	if instance == nil {
		return
	}
	networks, _ := value(instance.Object, "spec", "networks").([]any)
	for _, n := range networks {
		key, _ := value(n.(map[string]any), "multus", "networkName").(string)
		if attachment := c.objects[attachmentKind][key]; attachment != nil {
			c.plugs(bridgeOf(attachment), fmt.Sprintf("tap of %s in %s", machine, key))
		}
	}
}

// bridgeOf is the bridge that an attachment plugs into.
func bridgeOf(attachment *unstructured.Unstructured) string {
	var config struct{ Bridge string }
	text, _ := value(attachment.Object, "spec", "config").(string)
	if err := json.Unmarshal([]byte(text), &config); err != nil {
		panic(err)
	}
	return config.Bridge
}

// kubevirtAdmits checks that KubeVirt's webhook does not refuse a changed machine, which would stop every sync of its Wukong.
func (c *cluster) kubevirtAdmits(live, updated *unstructured.Unstructured) {
	had, has := value(live.Object, "spec", "instancetype"), value(updated.Object, "spec", "instancetype")
	before, _ := had.(map[string]any)
	after, ok := has.(map[string]any)
	if ok && after["name"] == nil {
		c.breaks("machine %s names no instance type: %v", live.GetName(), after)
	}
	if ok && before["revisionName"] != nil && before["name"] != after["name"] && before["revisionName"] == after["revisionName"] {
		c.breaks("machine %s names instance type %s beside the revision of %s", live.GetName(), after["name"], before["name"])
	}
	domain, _ := value(updated.Object, "spec", "template", "spec", "domain").(map[string]any)
	if ok && (value(domain, "cpu", "cores") != nil || value(domain, "memory", "guest") != nil) {
		c.breaks("machine %s has an instance type beside cores or memory", live.GetName())
	}
}

// pairs are labels as their methods take them.
func pairs(labels map[string]any) map[string]string {
	all := map[string]string{}
	for label, v := range labels {
		all[label], _ = v.(string)
	}
	return all
}

// kubevirtDefaults adds what KubeVirt's webhook adds, and the revision that its controller notes, in older versions in the spec.
func kubevirtDefaults(machine *unstructured.Unstructured) {
	spec := machine.Object["spec"].(map[string]any)
	if matcher, ok := spec["instancetype"].(map[string]any); ok {
		if matcher["kind"] == nil {
			matcher["kind"] = "virtualmachineclusterinstancetype"
		}
		if revision, _ := matcher["revisionName"].(string); revision == "" {
			matcher["revisionName"] = fmt.Sprintf("%s-%s-1", machine.GetName(), matcher["name"])
		}
	}
	template := value(spec, "template", "spec").(map[string]any)
	template["architecture"] = "amd64"
	domain := template["domain"].(map[string]any)
	domain["machine"] = map[string]any{"type": "q35"}
	domain["firmware"] = map[string]any{"uuid": "5d307ca9-b3ef-428c-8861-06e72d69f223"}
	domain["resources"] = map[string]any{}
	templates, _ := spec["dataVolumeTemplates"].([]any)
	for _, t := range templates {
		t.(map[string]any)["metadata"].(map[string]any)["creationTimestamp"] = nil
	}
}

package sync_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

// nmstateActs takes one policy a step further, anywhere at random, or at rest to a good end; false when there was nothing
// to do.
func (c *cluster) nmstateActs(atRest bool) bool {
	if atRest {
		for _, key := range slices.Sorted(maps.Keys(c.objects[policyKind])) {
			if p := c.objects[policyKind][key]; !available(c.objects[enactmentKind], p) {
				c.enact(p, "Available")
				return true
			}
		}
		return false
	}
	key, ok := pick(c, c.objects[policyKind])
	if ok {
		c.enact(c.objects[policyKind][key], []string{"Progressing", "Available", "Available", "Degraded", "Reset"}[c.IntN(5)])
	}
	return ok
}

func (c *cluster) enact(p *unstructured.Unstructured, state string) {
	c.tell("NMState: %s %s", p.GetName(), state)
	status := map[string][4]string{
		"Available": {"True", "False", "False", "SuccessfullyConfigured"}, "Degraded": {"False", "True", "False", "FailedToConfigure"},
		"Progressing": {"Unknown", "Unknown", "True", "ConfigurationProgressing"}, "Reset": {"Unknown", "Unknown", "Unknown", ""},
	}[state]
	var conditions []any
	for i, kind := range []string{"Available", "Degraded", "Progressing"} {
		conditions = append(conditions, map[string]any{"type": kind, "status": status[i], "reason": status[3], "lastTransitionTime": c.now.Format(time.RFC3339)})
	}
	p.Object["status"] = map[string]any{"conditions": conditions}
	for _, node := range reached(p, c.objects[nodeKind]) {
		if state == "Available" && !c.late[node] {
			c.configure(p, node)
			c.objects[stateKind][node].Object["status"].(map[string]any)["lastSuccessfulUpdateTime"] = c.now.Format(time.RFC3339)
		}
		e := object("nmstate.io/v1beta1", "NodeNetworkConfigurationEnactment", "", node+"."+p.GetName())
		e.SetLabels(map[string]string{"nmstate.io/policy": p.GetName(), "nmstate.io/node": node})
		e.Object["status"] = map[string]any{"policyGeneration": p.GetGeneration(), "conditions": []any{
			map[string]any{"type": "Available", "status": status[0], "lastTransitionTime": c.now.Format(time.RFC3339)},
			map[string]any{"type": "Failing", "status": status[1], "message": "ERROR NmstateError: it failed"},
		}}
		c.objects[enactmentKind][e.GetName()] = e
	}
}

// kubevirtActs takes one machine a step further; at rest until all run as they should.
func (c *cluster) kubevirtActs(atRest bool) bool {
	for _, key := range slices.Sorted(maps.Keys(c.objects[vmKind])) {
		machine, instance := c.objects[vmKind][key], c.objects[instanceKind][key]
		if !atRest && c.IntN(2) == 0 {
			continue
		}
		template := value(machine.Object, "spec", "template", "spec")
		stale := instance != nil && !reflect.DeepEqual(instance.Object["spec"], template)
		switch {
		case machine.GetDeletionTimestamp() != nil && instance != nil:
			delete(c.objects[instanceKind], key)
			c.plugged(key, nil)
		case machine.GetDeletionTimestamp() != nil:
			delete(c.objects[vmKind], key)
		case instance == nil, stale && (atRest || c.IntN(3) == 0):
			instance = object("kubevirt.io/v1", "VirtualMachineInstance", machine.GetNamespace(), machine.GetName())
			yes := true
			instance.SetOwnerReferences([]metav1.OwnerReference{{APIVersion: "kubevirt.io/v1", Kind: "VirtualMachine", Name: machine.GetName(), UID: machine.GetUID(), Controller: &yes}})
			instance.Object["spec"] = runtime.DeepCopyJSONValue(template)
			instance.Object["status"] = map[string]any{"nodeName": "worker-1", "phase": "Running"}
			c.objects[instanceKind][key] = instance
			c.plugged(key, instance)
			machine.Object["status"] = map[string]any{"printableStatus": "Running", "conditions": []any{map[string]any{"type": "Ready", "status": "True"}}}
		case stale:
			machine.Object["status"] = map[string]any{"printableStatus": "Running", "conditions": []any{
				map[string]any{"type": "Ready", "status": "True"}, map[string]any{"type": "RestartRequired", "status": "True"},
			}}
		default:
			continue
		}
		c.tell("KubeVirt: %s", key)
		return true
	}
	// An instance whose machine was deleted by hand goes with it.
	for key := range c.objects[instanceKind] {
		if c.objects[vmKind][key] == nil {
			delete(c.objects[instanceKind], key)
			c.plugged(key, nil)
			return true
		}
	}
	return false
}

// plugged plugs a running machine into its bridges, and takes it from those that it was in.
func (c *cluster) plugged(machine string, instance *unstructured.Unstructured) {
	c.unplugs(func(port any) bool { return strings.HasPrefix(port.(string), "tap of "+machine+" ") })
	if instance == nil {
		return
	}
	networks, _ := value(instance.Object, "spec", "networks").([]any)
	for _, n := range networks {
		name, _ := value(n.(map[string]any), "multus", "networkName").(string)
		var config struct{ Bridge string }
		if nad := c.objects[nadKind][name]; nad != nil {
			text, _ := value(nad.Object, "spec", "config").(string)
			if err := json.Unmarshal([]byte(text), &config); err != nil {
				panic(err)
			}
			c.plugs(config.Bridge, fmt.Sprintf("tap of %s in %s", machine, name))
		}
	}
}

// kubevirtDefaults is what KubeVirt's webhook adds.
func kubevirtDefaults(machine *unstructured.Unstructured) {
	spec := machine.Object["spec"].(map[string]any)
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

func (c *cluster) handDeletes() {
	kind := []string{policyKind, nadKind, vmKind}[c.IntN(3)]
	key, ok := pick(c, c.objects[kind])
	if !ok {
		return
	}
	c.tell("by hand: delete %s", key)
	if kind == vmKind {
		t := metav1.NewTime(c.now)
		c.objects[kind][key].SetDeletionTimestamp(&t)
		return
	}
	delete(c.objects[kind], key)
}

// handsBack gives back what was taken by hand: a machine that lost its label to its Wukong, or to nobody.
func (c *cluster) handsBack() {
	for key, machine := range c.objects[vmKind] {
		if len(machine.GetOwnerReferences()) > 0 {
			continue
		}
		w := c.wukongs[machine.GetName()]
		if w == nil {
			c.tell("by hand: %s, which nobody has, is deleted", key)
			t := metav1.NewTime(c.now)
			machine.SetDeletionTimestamp(&t)
			continue
		}
		c.tell("by hand: %s has its label again, and Metacontroller takes it back", key)
		l := machine.GetLabels()
		if l == nil {
			l = map[string]string{}
		}
		l["controller-uid"] = string(w.UID)
		machine.SetLabels(l)
		machine.SetOwnerReferences(ownedBy(w))
	}
}

func (c *cluster) handEdits() {
	key, ok := pick(c, c.objects[policyKind])
	if !ok {
		return
	}
	p := c.objects[policyKind][key]
	a := p.GetAnnotations()
	if a == nil {
		a = map[string]string{}
	}
	switch c.IntN(6) {
	case 4:
		if !inProgress(p) && c.nmstate {
			c.tell("by hand: %s is edited, and applied as it is now", key)
			for _, i := range value(p.Object, "spec", "desiredState", "interfaces").([]any) {
				i.(map[string]any)["mtu"] = int64(1300 + 100*c.IntN(3))
			}
			p.SetGeneration(p.GetGeneration() + 1)
			p.SetManagedFields(nil)
			c.enact(p, []string{"Progressing", "Reset"}[c.IntN(2)])
		}
	case 5:
		if machine, ok := pick(c, c.objects[vmKind]); ok {
			c.tell("by hand: %s loses its label, and Metacontroller lets it go", machine)
			o := c.objects[vmKind][machine]
			l := o.GetLabels()
			delete(l, "controller-uid")
			o.SetLabels(l)
			o.SetOwnerReferences(nil)
		}
	case 3:
		c.tell("by hand: the attachments of everybody point elsewhere")
		for _, nad := range c.objects[nadKind] {
			nad.Object["spec"] = map[string]any{"config": `{"type":"bridge","bridge":"br-hand"}`}
			nad.SetManagedFields(nil) // whoever writes a field owns it
		}
	case 0:
		if a[lastApplied] != "" {
			c.tell("by hand: %s loses its annotation", key)
			delete(a, lastApplied)
			p.SetAnnotations(a)
		}
	case 1:
		if a[lastApplied] != "" {
			c.tell("by hand: the annotation of %s speaks of another object", key)
			a[lastApplied] = `{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"kube-system"}}`
			p.SetAnnotations(a)
		}
	case 2:
		if !inProgress(p) {
			c.tell("by hand: %s gets a description", key)
			a["example.com/note"] = "mine"
			p.SetAnnotations(a)
		}
	}
}

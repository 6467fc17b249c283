package model

import (
	"maps"
	"slices"
	"strings"
	"time"

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

// enact takes a policy to a state, and all its enactments with it.
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
			c.reports(node, c.now)
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

// available reports whether a policy is available, and was configured on a node as it is now.
func available(enactments map[string]*unstructured.Unstructured, p *unstructured.Unstructured) bool {
	for key, e := range enactments {
		if strings.HasSuffix(key, "."+p.GetName()) && value(e.Object, "status", "policyGeneration") == p.GetGeneration() && condition(e, "Available") == "True" {
			return condition(p, "Available") == "True"
		}
	}
	return false
}

// inProgress reports whether NMState's admission refuses a change of a policy's spec.
func inProgress(p *unstructured.Unstructured) bool {
	conditions, _ := value(p.Object, "status", "conditions").([]any)
	for _, c := range conditions {
		if c := c.(map[string]any); c["type"] == "Available" {
			return c["reason"] == "" || c["reason"] == "ConfigurationProgressing"
		}
	}
	return true
}

// configure is nmstatectl apply: what is not mentioned stays, what is absent goes, the ports of a bridge are replaced but
// for those of machines, and a port belongs to one bridge.
func (c *cluster) configure(policy *unstructured.Unstructured, node string) {
	state := c.objects[stateKind][node]
	desired, _ := value(policy.Object, "spec", "desiredState", "interfaces").([]any)
	for _, item := range desired {
		want := item.(map[string]any)
		have := find(state, want["name"])
		switch {
		case want["state"] == "absent":
			for _, i := range interfacesOf(state) {
				if i := i.(map[string]any); i["controller"] == want["name"] {
					delete(i, "controller")
				}
				unplug(i.(map[string]any), func(port any) bool { return port == want["name"] })
			}
			c.keep(state, slices.DeleteFunc(interfacesOf(state), func(i any) bool { return i.(map[string]any)["name"] == want["name"] }))
			continue
		case have == nil:
			have = map[string]any{"name": want["name"], "mtu": int64(1500)}
			c.keep(state, append(interfacesOf(state), have))
		}
		taps := slices.DeleteFunc(slices.Clone(ports(have)), func(p any) bool { return p.(map[string]any)["tap"] == nil })
		for key, v := range want {
			if text, ok := v.(string); !ok || len(text) == 0 || text[0] != '{' {
				have[key] = runtime.DeepCopyJSONValue(v)
			}
		}
		if value(want, "bridge", "port") == nil {
			continue
		}
		c.attach(state, have)
		if policyCaptures(policy) {
			c.move(state, have)
		}
		block := have["bridge"].(map[string]any)
		block["port"] = append(ports(have), taps...)
	}
	c.stillReached(policy, state)
}

func (c *cluster) keep(state *unstructured.Unstructured, interfaces []any) {
	state.Object["status"].(map[string]any)["currentState"].(map[string]any)["interfaces"] = interfaces
}

// attach makes the ports of a bridge its own, wherever they were.
func (c *cluster) attach(state *unstructured.Unstructured, bridge map[string]any) {
	for _, item := range interfacesOf(state) {
		i := item.(map[string]any)
		switch {
		case hasPort(bridge, i["name"]):
			i["controller"] = bridge["name"]
		case i["controller"] == bridge["name"]:
			delete(i, "controller")
		}
		if i["name"] != bridge["name"] {
			unplug(i, func(port any) bool { return hasPort(bridge, port) })
		}
	}
}

func policyCaptures(policy *unstructured.Unstructured) bool {
	return value(policy.Object, "spec", "capture") != nil
}

// move moves the address of a bridge's port to the bridge.
func (c *cluster) move(state *unstructured.Unstructured, bridge map[string]any) {
	for _, p := range ports(bridge) {
		nic := find(state, p.(map[string]any)["name"])
		if nic["ipv4"] != nil {
			bridge["ipv4"] = nic["ipv4"]
			delete(nic, "ipv4")
			route := value(state.Object, "status", "currentState", "routes", "running").([]any)[0].(map[string]any)
			route["next-hop-interface"] = bridge["name"]
		}
	}
}

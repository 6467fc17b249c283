package model

import (
	"maps"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/sync/model/nmstate"
)

// nmstateActs takes one policy a step further: to a random state, or at rest to Available. It reports whether there was
// anything to do.
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
		c.enact(c.objects[policyKind][key], []string{"Progressing", "Available", "Available", "Degraded", "Retrying", "Reset"}[c.IntN(6)])
	}
	return ok
}

// enact puts a policy and all its enactments into a state.
func (c *cluster) enact(p *unstructured.Unstructured, state string) {
	c.tell("NMState: %s %s", p.GetName(), state)
	c.now = c.now.Add(time.Second) // so that a report that shows the work of another policy is younger than the own work
	status := map[string][4]string{
		"Available": {"True", "False", "False", "SuccessfullyConfigured"}, "Degraded": {"False", "True", "False", "FailedToConfigure"},
		"Retrying":    {"False", "True", "False", "FailedToConfigure"}, // it fails on each node, and NMState tries again
		"Progressing": {"Unknown", "Unknown", "True", "ConfigurationProgressing"}, "Reset": {"Unknown", "Unknown", "Unknown", ""},
	}[state]
	var conditions []any
	for i, kind := range []string{"Available", "Degraded", "Progressing"} {
		conditions = append(conditions, map[string]any{
			"type": kind, "status": status[i], "reason": status[3], "lastTransitionTime": c.now.Format(time.RFC3339),
		})
	}
	p.Object["status"] = map[string]any{"conditions": conditions}
	reason := "FailedToConfigure"
	if state == "Retrying" {
		reason = state
	}
	for _, node := range reached(p, c.objects[nodeKind]) {
		if state == "Available" && !c.late[node] {
			c.configure(p, node)
			byName(network(c.objects[stateKind][node]))
			c.reports(node, c.now)
		}
		e := object("nmstate.io/v1beta1", "NodeNetworkConfigurationEnactment", "", node+"."+p.GetName())
		e.SetLabels(map[string]string{"nmstate.io/policy": p.GetName(), "nmstate.io/node": node})
		e.Object["status"] = map[string]any{"policyGeneration": p.GetGeneration(), "conditions": []any{
			map[string]any{"type": "Available", "status": status[0], "lastTransitionTime": c.now.Format(time.RFC3339)},
			map[string]any{"type": "Failing", "status": status[1], "reason": reason, "message": "ERROR NmstateError: it failed"},
		}}
		c.objects[enactmentKind][e.GetName()] = e
	}
}

// available reports whether a policy is available, and a node has applied its present generation.
func available(enactments map[string]*unstructured.Unstructured, p *unstructured.Unstructured) bool {
	for key, e := range enactments {
		now := value(e.Object, "status", "policyGeneration") == p.GetGeneration()
		if now && strings.HasSuffix(key, "."+p.GetName()) && condition(e, "Available") == "True" {
			return condition(p, "Available") == "True"
		}
	}
	return false
}

// inProgress reports whether NMState's admission would refuse a change of a policy's spec.
func inProgress(p *unstructured.Unstructured) bool {
	conditions, _ := value(p.Object, "status", "conditions").([]any)
	for _, c := range conditions {
		if c := c.(map[string]any); c["type"] == "Available" {
			return c["reason"] == "" || c["reason"] == "ConfigurationProgressing"
		}
	}
	return true
}

// configure applies a policy to a node. Where that fails, the node fails from then on, like a node that joined late. It
// may fail where two policies compete for one NIC and were created before either could be seen, and where the hook
// could not check the node first. In any other case the answer was wrong.
func (c *cluster) configure(policy *unstructured.Unstructured, node string) {
	spec, _ := policy.Object["spec"].(map[string]any)
	after, err := nmstate.Apply(network(c.objects[stateKind][node]), spec)
	switch {
	case err == nil:
		for _, rival := range c.rivals(policy) {
			c.blind[rival] = true // what it has lost here it may not get back, even when this policy goes
		}
		c.objects[stateKind][node].Object["status"].(map[string]any)["currentState"] = after
	case !c.settings.Preflight || len(c.rivals(policy)) > 0 || c.blind[policy.GetName()], c.blind[policy.GetName()+" on "+node]:
		c.tell("  NMState rolls %s back: %v", node, err)
		c.late[node] = true
	default:
		c.breaks("policy %s fails on node %s: %v", policy.GetName(), node, err)
	}
}

package scale

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// configures does NMState's part: it configures the policies that NMState has not seen yet. acted is whether there were
// any. It does so all at once, because no request in which everything is ready has a policy in progress.
func (c *cluster) configures() (acted bool) {
	for _, policy := range c.children[policyKind] {
		acted = acted || policy["status"] == nil
		policy["status"] = object{} // the method policies fills it in, by the number of nodes
	}
	return acted
}

// built are the networks whose bridges are on the nodes.
func (c *cluster) built() []network {
	return slices.DeleteFunc(slices.Clone(c.networks), func(n network) bool {
		return c.children[policyKind][n.policy]["status"] == nil
	})
}

func policyName(wukongName, networkName string) string {
	return wukongName + "-" + networkName + "-bridge"
}

// reached is how many nodes have the policies. Where no node is related, these are the founders of the cluster.
func (c *cluster) reached() int {
	if c.nodes == 0 {
		return founders
	}
	return c.nodes
}

// policies are the Wukong's policies, with NMState's status.
func (c *cluster) policies() map[string]object {
	all := map[string]object{}
	for name, policy := range c.children[policyKind] {
		policy = maps.Clone(policy)
		all[name] = policy
		if policy["status"] == nil {
			continue
		}
		message := fmt.Sprintf("%d/%d nodes successfully configured", c.reached(), c.reached())
		policy["status"] = object{
			"conditions": list{
				nmstateCondition("Available", "True", message), nmstateCondition("Degraded", "False", ""),
				nmstateCondition("Ignored", "False", ""), nmstateCondition("Progressing", "False", ""),
			},
		}
		metadata := maps.Clone(at(policy, "metadata"))
		metadata["managedFields"] = list{metadata["managedFields"].(list)[0], writer{"manager", "status", applyTime}.wrote(policy, "status")}
		policy["metadata"] = metadata
	}
	return all
}

func nmstateCondition(kind, status, message string) object {
	return object{
		"lastHeartbeatTime": applyTime, "lastTransitionTime": applyTime, "message": message,
		"reason": "SuccessfullyConfigured", "status": status, "type": kind,
	}
}

// enactments are NMState's reports on each policy from each node.
func (c *cluster) enactments() map[string]json.RawMessage {
	all := map[string]json.RawMessage{}
	for _, n := range c.built() {
		policy := c.children[policyKind][n.policy]
		for i := range c.reached() {
			name := nodeName(i) + "." + n.policy
			all[name] = mustEncode(enactment(name, i, policy))
		}
	}
	return all
}

func enactment(name string, i int, policy object) object {
	policyKey := at(policy, "metadata")["name"]
	o := object{
		"apiVersion": "nmstate.io/v1beta1", "kind": "NodeNetworkConfigurationEnactment",
		"metadata": object{
			"name": name, "uid": uid(name), "creationTimestamp": applyTime, "generation": 1, "resourceVersion": fmt.Sprint(151000 + i),
			"labels":          object{"nmstate.io/node": nodeName(i), "nmstate.io/policy": policyKey},
			"ownerReferences": list{object{"apiVersion": "v1", "kind": "Node", "name": nodeName(i), "uid": uid(nodeName(i))}},
		},
		"status": object{
			"conditions": list{
				nmstateCondition("Failing", "False", ""), nmstateCondition("Available", "True", "successfully reconciled"),
				nmstateCondition("Progressing", "False", ""), nmstateCondition("Pending", "False", ""), nmstateCondition("Aborted", "False", ""),
			},
			"desiredState":         at(policy, "spec", "desiredState"),
			"desiredStateMetaInfo": object{"time": applyTime, "version": "0"},
			"policyGeneration":     1,
		},
	}
	at(o, "metadata")["managedFields"] = list{
		writer{"kubernetes-nmstate", "", applyTime}.wrote(o), writer{"kubernetes-nmstate", "status", applyTime}.wrote(o, "status"),
	}
	return o
}

// othersPolicies are the policies of other Wukongs. They differ from this Wukong's only in their names and ages.
func (c *cluster) othersPolicies(policies map[string]object) map[string]any {
	all := map[string]any{}
	networks := c.networks
	if c.size.OneBridge {
		networks = networks[:min(1, len(networks))]
	}
	models := make([]string, len(networks))
	for i, n := range networks {
		models[i] = string(mustEncode(policies[n.policy]))
	}
	for i := range c.others {
		n := networks[i%len(networks)]
		other := fmt.Sprintf("neighbour-%05d", i)
		age := i
		if c.size.OldestLast {
			age = c.others - i
		}
		text := strings.NewReplacer(
			`"creationTimestamp":"`+createTime+`"`, `"creationTimestamp":"`+sinceBoot(age)+`"`,
			uid(policyKind+" "+n.policy), uid(policyKind+" "+policyName(other, n.name)),
			uid(wukongName), uid(other), wukongName, other,
		).Replace(models[i%len(networks)])
		all[policyName(other, n.name)] = json.RawMessage(text)
	}
	return all
}

// sinceBoot is a time some minutes after bootTime, and long before this Wukong was created.
func sinceBoot(minutes int) string {
	boot, err := time.Parse(time.RFC3339, bootTime)
	if err != nil {
		panic(err) // a constant
	}
	return boot.Add(time.Duration(minutes) * time.Minute).Format(time.RFC3339)
}

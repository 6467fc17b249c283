package sync

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/types/v1alpha1"
)

// verdict is what a look at the nodes says about a policy that is to be created, or to be changed.
type verdict struct {
	ok      bool
	looked  bool   // there were nodes to look at
	dhcp    bool   // the NIC's addresses come by DHCP; preserveHostIP
	reason  string // PreflightRefused, or PreflightWaiting while something is not known yet
	message string
}

// preflight looks at the nodes that a new policy would reach. Bridging the NIC that carries a node's address cuts the
// node off, five times over, because NMState retries. Where neither Nodes nor NodeNetworkStates are related there is
// nothing to look at, and nothing is refused.
func preflight(w *v1alpha1.Wukong, n network, obs *observed) verdict {
	if !obs.relates(nodeKind) && !obs.relates(stateKind) {
		return verdict{ok: true}
	}
	nodes := reached(w, obs)
	if len(nodes) == 0 {
		return waits("there is no node, or none with the labels of highAvailability.nodeSelector: correct it, or label the nodes")
	}
	ours := ownBridges(w)
	dhcp, static := "", ""
	for _, node := range nodes {
		state := obs.relatedObject(stateKind, node.GetName())
		if value(state, "status", "currentState", "interfaces") == nil {
			return waits(fmt.Sprintf("node %s has no NodeNetworkState yet: see whether NMState's handler runs there, or leave the node out by highAvailability.nodeSelector", node.GetName()))
		}
		s := nodeState{node.GetName(), value(state, "status", "currentState")}
		if message := s.objection(n, ours); message != "" {
			return refuses(message)
		}
		if n.preserves() {
			byDHCP, message := s.hostAddress(n)
			if message != "" {
				return refuses(message)
			}
			if byDHCP {
				dhcp = s.node
			} else {
				static = s.node
			}
		}
	}
	if dhcp != "" && static != "" {
		return refuses(fmt.Sprintf("node %s has its address by DHCP and node %s a static one: one policy cannot preserve both, make two Wukongs with highAvailability.nodeSelector", dhcp, static))
	}
	return verdict{ok: true, looked: true, dhcp: dhcp != ""}
}

// otherKind is said where a policy with preserveHostIP would move addresses of the other kind than it was made for. NMState
// lets nobody change its captures.
const otherKind = "the selected nodes have their addresses by DHCP where the policy moves static ones, or the other way round: make another Wukong for them"

// movesDHCP says that a policy with preserveHostIP was made for nodes with their addresses by DHCP.
func movesDHCP(policy *unstructured.Unstructured) bool {
	return slices.ContainsFunc(items(policy, "spec", "desiredState", "interfaces"), func(i map[string]any) bool { return truth(i, "ipv4", "dhcp") })
}

func waits(message string) verdict   { return verdict{reason: "PreflightWaiting", message: message} }
func refuses(message string) verdict { return verdict{reason: "PreflightRefused", message: message} }

// reached are the nodes that a policy of the Wukong reaches, in the order of their names.
func reached(w *v1alpha1.Wukong, obs *observed) []*unstructured.Unstructured {
	return slices.DeleteFunc(obs.relatedObjects(nodeKind), func(node *unstructured.Unstructured) bool { return !selected(w, node) })
}

// ownBridges are the bridges that the networks of the Wukong ask for.
func ownBridges(w *v1alpha1.Wukong) map[string]bool {
	bridges := map[string]bool{}
	for _, n := range w.Spec.Networks {
		if (n.Type == v1alpha1.Bridge || n.Type == v1alpha1.OVS) && n.NADName == "" {
			bridges[bridgeName(n)] = true
		}
	}
	return bridges
}

// concern is what a look at the nodes says about those that have not applied a policy that exists, or "". NMState applies it
// on every node that joins, asked or not: nobody can hold it back, but the user can know.
func concern(w *v1alpha1.Wukong, n network, obs *observed, existing *unstructured.Unstructured, settings Settings) string {
	enactments, known := obs.enactments(n.policy)
	if !settings.Preflight || !known {
		return ""
	}
	ours := ownBridges(w)
	for _, node := range reached(w, obs) {
		s := nodeState{node.GetName(), value(obs.relatedObject(stateKind, node.GetName()), "status", "currentState")}
		if value(s.current, "interfaces") == nil || appliedOn(s.node, enactments, existing) != nil {
			continue
		}
		message := s.objection(n, ours)
		if message == "" && n.preserves() {
			var dhcp bool
			if dhcp, message = s.hostAddress(n); message == "" && dhcp != movesDHCP(existing) {
				message = fmt.Sprintf("node %s: %s", s.node, otherKind)
			}
		}
		if message != "" {
			return message + "; NMState applies the policy there all the same"
		}
	}
	return ""
}

// lostBridge says which node no longer has what it once had of an available policy, or "": a bridge that somebody has
// removed, or that has lost its uplink to another. NMState does not build it again by itself, and CNI's bridge plugin makes
// an isolated one for the next machine that comes there. What the node reports must be younger than what NMState did.
func lostBridge(w *v1alpha1.Wukong, n network, obs *observed, existing *unstructured.Unstructured, settings Settings) string {
	enactments, known := obs.enactments(n.policy)
	if !settings.Preflight || !known {
		return ""
	}
	for _, node := range reached(w, obs) {
		state := obs.relatedObject(stateKind, node.GetName())
		s := nodeState{node.GetName(), value(state, "status", "currentState")}
		enactment := appliedOn(s.node, enactments, existing)
		since := conditionOf(enactment, "Available").LastTransitionTime
		if value(s.current, "interfaces") == nil || since == "" || text(state, "status", "lastSuccessfulUpdateTime") <= since {
			continue
		}
		bridge := s.bridge(n.bridge)
		if bridge != nil && slices.ContainsFunc(items(bridge, "bridge", "port"), func(p map[string]any) bool { return text(p, "name") == n.uplink }) {
			continue
		}
		what := "bridge " + n.bridge
		if bridge != nil {
			what = fmt.Sprintf("port %s of bridge %s", n.uplink, n.bridge)
		}
		return fmt.Sprintf("node %s has lost %s", s.node, what)
	}
	return ""
}

// appliedOn is the enactment by which a node has applied a policy in its present form, or nil.
func appliedOn(node string, enactments []*unstructured.Unstructured, policy *unstructured.Unstructured) *unstructured.Unstructured {
	i := slices.IndexFunc(enactments, func(e *unstructured.Unstructured) bool { return enactmentNode(e) == node && applied(e, policy) })
	if i < 0 {
		return nil
	}
	return enactments[i]
}

// selected says that a node has the labels of highAvailability.nodeSelector.
func selected(w *v1alpha1.Wukong, node *unstructured.Unstructured) bool {
	if w.Spec.HighAvailability == nil {
		return true
	}
	labels := node.GetLabels()
	for key, value := range w.Spec.HighAvailability.NodeSelector {
		if found, ok := labels[key]; !ok || found != string(value) {
			return false
		}
	}
	return true
}

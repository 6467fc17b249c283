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

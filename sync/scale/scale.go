// Package scale makes requests as Metacontroller sends them in large clusters, as text, for tests and benchmarks. The
// objects carry everything that a cluster puts on them: managed fields, annotations, images, the interfaces of every
// pod. Reading those takes most of the time of an answer, so a request without them would measure another program.
//
// A request is the end of a life: the hook is asked, its answer is stored as Metacontroller stores it, and NMState and
// KubeVirt do their part, until nothing changes any more. So the children are always those that this version of the
// hook answers.
//
// Equal sizes make equal bytes. Nothing here knows the types of package sync: it sees bytes, as Metacontroller does.
package scale

import (
	"errors"
	"fmt"
)

// Hook answers a request to /sync.
type Hook func(request []byte) ([]byte, error)

// Size is how much there is in a request.
type Size struct {
	// Networks are the networks of the Wukong: VLANs on one NIC, each with a bridge of its own. With 0 it has the pod
	// network.
	Networks int

	// Nodes are the nodes of the cluster. With 0, Nodes and NodeNetworkStates are not related at all, as with
	// -preflight=false, and the policies are on three nodes that the request does not show.
	Nodes int

	// Others are policies of other Wukongs that share the Wukong's bridges, by turns. All are older than this Wukong's
	// policies, and the oldest is the first by name.
	Others int

	// OneBridge puts all Others on the first bridge.
	OneBridge bool

	// OldestLast makes the oldest of the Others the last by name.
	OldestLast bool
}

// String names a size as benchmarks do.
func (s Size) String() string {
	name := fmt.Sprintf("N=%d,K=%d", s.Networks, s.Nodes)
	if s.Others > 0 {
		name += fmt.Sprintf(",M=%d", s.Others)
	}
	if s.OneBridge {
		name += ",one-bridge"
	}
	if s.OldestLast {
		name += ",oldest-last"
	}
	return name
}

const (
	// founders are the nodes that see the life. The other nodes join when all is ready: a life on hundreds of nodes would ask
	// the hook about each of them at every step, and come to the same end.
	founders = 3

	// patience is how many steps a life may take.
	patience = 20
)

// Request is the request about a Wukong whose children are all ready, so that nothing changes any more.
func Request(size Size, hook Hook) ([]byte, error) {
	c := newCluster(size)
	c.nodes = min(size.Nodes, founders)
	if err := c.live(hook); err != nil {
		return nil, fmt.Errorf("%s: %w", size, err)
	}
	c.nodes = size.Nodes
	c.others = size.Others
	return encode(c.request())
}

// PodNetwork is the smallest request in which a child exists, 8 KB. It is about a machine on the pod network that was
// created just now: neither KubeVirt nor the cache of related objects has seen it yet.
func PodNetwork(hook Hook) ([]byte, error) {
	c := newCluster(Size{})
	c.fresh = true
	if err := c.live(hook); err != nil {
		return nil, fmt.Errorf("the pod network: %w", err)
	}
	return encode(c.request())
}

// OneBridge is the request about a machine on one bridge, in a cluster of one node: 100 KB.
func OneBridge(hook Hook) ([]byte, error) {
	return Request(Size{Networks: 1, Nodes: 1}, hook)
}

// live goes on until nothing changes any more, and fails unless everything is ready then.
func (c *cluster) live(hook Hook) error {
	for range patience {
		request, err := encode(c.request())
		if err != nil {
			return err
		}
		raw, err := hook(request)
		if err != nil {
			return fmt.Errorf("asking the hook: %w", err)
		}
		answer, err := decode(raw)
		if err != nil {
			return fmt.Errorf("decoding the answer: %w", err)
		}
		stored, err := c.store(answer)
		if err != nil {
			return err
		}
		acted := c.configures()
		if started := c.starts(); stored || acted || started {
			continue
		}
		if ready := c.ready(); ready != "True" && !c.fresh {
			return fmt.Errorf("the life has ended, and the Wukong's condition Ready is %q", ready)
		}
		return nil
	}
	return errors.New("the answers do not come to rest")
}

// ready is the status of the Wukong's condition Ready.
func (c *cluster) ready() string {
	status, _ := c.wukong["status"].(object)
	conditions, _ := status["conditions"].(list)
	for _, condition := range conditions {
		if condition, ok := condition.(object); ok && condition["type"] == "Ready" {
			s, _ := condition["status"].(string)
			return s
		}
	}
	return ""
}

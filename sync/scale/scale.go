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
	"cmp"
	"errors"
	"fmt"
)

// Hook answers a request to one of the hook's paths: /sync, /network/sync or /node/sync.
type Hook func(path string, request []byte) ([]byte, error)

// Size is how much there is in a request.
type Size struct {
	// Networks are the networks of the Wukong: VLANs on one NIC, each with a bridge of its own. With 0 it has the pod
	// network.
	Networks int

	// Nodes are the nodes of the cluster. With 0, WukongNodes are not related at all, as with -preflight=false, and the
	// policies are on three nodes that the request does not show.
	Nodes int

	// States relates Nodes and NodeNetworkStates in place of WukongNodes. So does Metacontroller as long as it keeps the
	// rules that the first version of the hook has answered.
	States bool

	// Shared makes the networks WukongNetworks, which the Wukong uses. Neither nodes nor policies are related then.
	Shared bool

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
	if s.States {
		name += ",states"
	}
	if s.Shared {
		name += ",shared"
	}
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

// Request is the request to /sync about a Wukong whose children are all ready, so that nothing changes any more.
func Request(size Size, hook Hook) ([]byte, error) {
	c := newCluster(size, hook)
	if size.Shared {
		if err := c.share(); err != nil {
			return nil, fmt.Errorf("%s: %w", size, err)
		}
	}
	return c.settled()
}

// NetworkRequest is the same to /network/sync, about a WukongNetwork that is built on all nodes.
func NetworkRequest(size Size, hook Hook) ([]byte, error) {
	return newNetworkCluster(size, hook, newNetwork(0)).settled()
}

// NodeRequest is a request to /node/sync about one of the nodes, with the bridges of all networks. The WukongNode that exists
// is the one that the hook answers.
func NodeRequest(size Size, hook Hook) ([]byte, error) {
	c := newCluster(size, hook)
	if _, err := c.settled(); err != nil {
		return nil, err
	}
	report, err := c.report(0)
	if err != nil {
		return nil, err
	}
	return c.nodeRequest(0, report)
}

// PodNetwork is the smallest request in which a child exists, 8 KB. It is about a machine on the pod network that was
// created just now: neither KubeVirt nor the cache of related objects has seen it yet.
func PodNetwork(hook Hook) ([]byte, error) {
	c := newCluster(Size{}, hook)
	c.fresh = true
	return c.settled()
}

// OneBridge is the request about a machine on one bridge, in a cluster of one node: 43 KB.
func OneBridge(hook Hook) ([]byte, error) {
	return Request(Size{Networks: 1, Nodes: 1}, hook)
}

// settled is the request when nothing changes any more, in the whole cluster.
func (c *cluster) settled() ([]byte, error) {
	// The look at the nodes comes before the first policy. So there are nodes to see, even if the request will show none.
	c.nodes = min(cmp.Or(c.size.Nodes, founders), founders)
	if err := c.live(); err != nil {
		return nil, fmt.Errorf("%s: %w", c.size, err)
	}
	c.nodes, c.others = c.size.Nodes, c.size.Others
	return c.request()
}

// live goes on until nothing changes any more, and fails unless everything is ready then.
func (c *cluster) live() error {
	path := "/sync"
	if kind, _ := c.kindAndName(); kind == shared {
		path = "/network/sync"
	}
	for range patience {
		request, err := c.request()
		if err != nil {
			return err
		}
		raw, err := c.hook(path, request)
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
			return fmt.Errorf("the life has ended, and the condition Ready is %q", ready)
		}
		return nil
	}
	return errors.New("the answers do not come to rest")
}

// ready is the status of the parent's condition Ready.
func (c *cluster) ready() string {
	status, _ := c.parent["status"].(object)
	conditions, _ := status["conditions"].(list)
	for _, condition := range conditions {
		if condition, ok := condition.(object); ok && condition["type"] == "Ready" {
			s, _ := condition["status"].(string)
			return s
		}
	}
	return ""
}

package node

import (
	"reflect"
	"slices"
	"time"

	"novasphere.dev/wukong/types/v1alpha1"
)

// Gather is for how long changes of a node's bridges are gathered before the node is told of anew. Whoever builds many bridges would
// otherwise have all machines looked at after each of them. All nodes are told of at the same moments, the multiples of Gather,
// because Metacontroller makes one call of changes that come together.
type Gather time.Duration

// Wait is how long a node is told of as it was told of before; 0 where it is told of anew now. The first change after a quiet time is
// told at once. So is whatever is about more than bridges: the look at a node depends on that.
func (g Gather) Wait(before, told v1alpha1.NodeNetwork, now time.Time) time.Duration {
	since, err := time.Parse(time.RFC3339, before.ReportedAt)
	if g <= 0 || err != nil || since.After(now) || !reflect.DeepEqual(withoutBridges(before), withoutBridges(told)) {
		return 0
	}
	each := time.Duration(g)
	// Half a time more: else the change after one that was told at such a moment would be told alone.
	next := since.Add(each / 2).Truncate(each).Add(each)
	return max(0, next.Sub(now))
}

// AtMost is the longest time for which a change may be gathered.
func (g Gather) AtMost() time.Duration {
	return time.Duration(g) * 3 / 2
}

// withoutBridges is what a WukongNode tells, without bridges and VLAN interfaces that carry nothing, and without what is told of
// whenever it changes.
func withoutBridges(n v1alpha1.NodeNetwork) v1alpha1.NodeNetwork {
	n.Ready, n.ReportedAt, n.Message, n.Summary.Bridges, n.VLANBridges = false, "", "", "", nil
	n.Interfaces = slices.DeleteFunc(slices.Clone(n.Interfaces), func(i v1alpha1.NodeInterface) bool {
		return (i.Bridge != nil || i.VLAN != nil) && i.IPv4 == nil && i.IPv6 == nil && i.Route == ""
	})
	if len(n.Interfaces) == 0 {
		n.Interfaces = nil
	}
	if len(n.DefaultRoutes) == 0 {
		n.DefaultRoutes = nil
	}
	return n
}

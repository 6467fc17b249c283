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

// Wait is how long a node is told of as it was told of before; 0 where it is told of anew now. What was reported before the last moment
// is told now. Whatever is about more than bridges never waits: the look at a node depends on that.
func (g Gather) Wait(before, told v1alpha1.NodeNetwork, now time.Time) time.Duration {
	reported, err := time.Parse(time.RFC3339, told.ReportedAt)
	if g <= 0 || err != nil || !reflect.DeepEqual(withoutBridges(before), withoutBridges(told)) {
		return 0
	}
	each := time.Duration(g)
	moment := now.Truncate(each)
	// Shortly after the moment everything is told. Else a node that reports all the time, or whose clock is ahead, would never be told of.
	if reported.Before(moment) || now.Sub(moment) < each/5 {
		return 0
	}
	return moment.Add(each).Sub(now)
}

// AtMost is the longest time for which a change may be gathered, with some time for the call.
func (g Gather) AtMost() time.Duration {
	return time.Duration(g) * 3 / 2
}

// withoutBridges is what a WukongNode tells, without bridges and VLAN interfaces that carry nothing, and without what is told of
// whenever it changes.
func withoutBridges(n v1alpha1.NodeNetwork) v1alpha1.NodeNetwork {
	n.Ready, n.ReportedAt, n.NodeCreatedAt, n.Message, n.Summary.Bridges, n.VLANBridges = false, "", "", "", "", nil
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

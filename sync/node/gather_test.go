package node_test

import (
	"testing"
	"time"

	"novasphere.dev/wukong/sync/node"
	"novasphere.dev/wukong/types/v1alpha1"
)

// TestGather holds when a change of a node's bridges is told of. Every half minute all nodes are told of.
func TestGather(t *testing.T) {
	const each = 30 * time.Second
	nic := v1alpha1.NodeInterface{Name: "nic", Type: "ethernet"}
	bridge := v1alpha1.NodeInterface{Name: "br", Type: "ovs-bridge", Bridge: &v1alpha1.NodeBridge{}}
	vlan := v1alpha1.NodeInterface{Name: "nic.7", Type: "vlan", VLAN: &v1alpha1.NodeVLAN{Base: "nic", ID: 7}}
	carrier := vlan
	carrier.IPv4 = &v1alpha1.NodeAddresses{DHCP: true}
	routed := bridge
	routed.Route = "192.0.2.0/24"
	port := nic
	port.Controller = "br"
	with := func(all ...v1alpha1.NodeInterface) v1alpha1.NodeNetwork {
		return v1alpha1.NodeNetwork{Reported: true, Ready: true, Interfaces: all}
	}
	brief := with(nic)
	brief.VLANBridges = []v1alpha1.NodeVLANBridges{{Base: "nic", Bridges: map[string]int64{"br": 7}}}
	brief.Summary.Bridges = "br"
	failed := brief
	failed.Ready = false
	for name, test := range map[string]struct {
		before, told  v1alpha1.NodeNetwork
		reported, now string
		want          time.Duration
	}{
		"a bridge waits for the next moment":          {with(nic), brief, "12:00:10", "12:00:10", 20 * time.Second},
		"one that is told whole waits too":            {with(nic), with(nic, bridge, vlan), "12:00:10", "12:00:11", 19 * time.Second},
		"and one that is gone":                        {with(nic, bridge), with(nic), "12:00:10", "12:00:29", time.Second},
		"whether the node is ready does not end that": {with(nic), failed, "12:00:10", "12:00:10", 20 * time.Second},
		"at the moment it is told":                    {with(nic), brief, "12:00:29", "12:00:30", 0},
		"late calls tell it too":                      {with(nic), brief, "12:00:29", "12:00:50", 0},
		"shortly after the moment all is told":        {with(nic), brief, "12:00:05", "12:00:05", 0},
		"a time to come waits for the moment":         {with(nic), brief, "12:05:00", "12:00:10", 20 * time.Second},
		"and no longer":                               {with(nic), brief, "12:05:00", "12:00:30", 0},
		"a time that cannot be read does not wait":    {with(nic), brief, "soon", "12:00:10", 0},
		"an address is told at once":                  {with(nic), with(nic, carrier), "12:00:10", "12:00:10", 0},
		"a bridge with a route too":                   {with(nic), with(nic, routed), "12:00:10", "12:00:10", 0},
		"a NIC that goes into a bridge too":           {with(nic), with(port, bridge), "12:00:10", "12:00:10", 0},
		"a NIC that comes too":                        {with(), with(nic), "12:00:10", "12:00:10", 0},
		"a node that is no longer reported too":       {with(nic), v1alpha1.NodeNetwork{Ready: true}, "12:00:10", "12:00:10", 0},
	} {
		t.Run(name, func(t *testing.T) {
			now, err := time.Parse(time.RFC3339, "2026-11-23T"+test.now+"Z")
			if err != nil {
				t.Fatal(err)
			}
			test.told.ReportedAt = "2026-11-23T" + test.reported + "Z"
			if got := node.Gather(each).Wait(test.before, test.told, now); got != test.want {
				t.Errorf("it waits %s, and should wait %s", got, test.want)
			}
			if got := node.Gather(0).Wait(test.before, test.told, now); got != 0 {
				t.Errorf("without a time to gather it waits %s", got)
			}
		})
	}
}

// TestNothingIsGatheredForLong holds, for every second of two minutes, that who waits as long as told is told of then, even where the
// node has reported again meanwhile.
func TestNothingIsGatheredForLong(t *testing.T) {
	start := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for _, each := range []time.Duration{time.Second, 7 * time.Second, 30 * time.Second, time.Minute} {
		g := node.Gather(each)
		for s := range 120 {
			now := start.Add(time.Duration(s) * time.Second)
			before, after := v1alpha1.NodeNetwork{Reported: true}, v1alpha1.NodeNetwork{Reported: true, ReportedAt: now.Format(time.RFC3339)}
			after.VLANBridges = []v1alpha1.NodeVLANBridges{{Base: "nic", Bridges: map[string]int64{"br": 7}}}
			wait := g.Wait(before, after, now)
			then := now.Add(wait)
			after.ReportedAt = then.Format(time.RFC3339)
			if again := g.Wait(before, after, then); wait >= g.AtMost() || again != 0 {
				t.Errorf("gathering for %s, a change at %s waits %s, and then %s more", each, now.Format(time.TimeOnly), wait, again)
			}
		}
	}
}

package model

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/types/v1alpha1"
)

// networkNames are the names of WukongNetworks. The default bridges of some are those of Wukongs.
var networkNames = []string{"lan", "x", "shared"}

// someNetwork is the name of a WukongNetwork by chance, of one that exists if it can be.
func (c *cluster) someNetwork() string {
	if name, ok := pick(c, c.objects[networkKind]); ok && c.IntN(8) != 0 {
		return name
	}
	return networkNames[c.IntN(len(networkNames))]
}

// networkSpec is a random WukongNetwork. There are few bridges, NICs and VLANs, so that it meets other networks.
func (c *cluster) networkSpec() v1alpha1.WukongNetworkSpec {
	s := v1alpha1.WukongNetworkSpec{
		BridgeName:    []string{"", "", "br-x", "br-y"}[c.IntN(4)],
		ReclaimPolicy: []v1alpha1.ReclaimPolicy{"", v1alpha1.Delete}[c.IntN(2)],
		NodeSelector:  c.zone(),
	}
	switch c.IntN(6) {
	case 0:
		yes := true
		s.PhysicalInterface, s.PreserveHostIP, s.ReclaimPolicy = "ens224", &yes, ""
		return s
	case 1, 2:
		s.Uplinks = c.uplinksOf("a", "b")
	default:
		s.PhysicalInterface = []string{"", "ens160", "ens192", "ens224"}[c.IntN(4)]
	}
	if c.IntN(4) == 0 {
		s.Type = v1alpha1.OVS
	}
	if !c.narrow {
		s.VLANID = []int32{0, 100, 200}[c.IntN(3)]
		s.MTU = []int32{0, 0, 1400}[c.IntN(3)]
	}
	return s
}

// zone is the selector of one zone, or by chance of all nodes.
func (c *cluster) zone() map[string]v1alpha1.LabelValue {
	if zone := []v1alpha1.LabelValue{"a", "b", "", "", "", ""}[c.IntN(6)]; zone != "" {
		return map[string]v1alpha1.LabelValue{"zone": zone}
	}
	return nil
}

// uplinksOf are the uplinks of zones, each with a NIC by chance.
func (c *cluster) uplinksOf(zones ...string) []v1alpha1.Uplink {
	var all []v1alpha1.Uplink
	for _, zone := range zones {
		all = append(all, v1alpha1.Uplink{
			Name: zone, PhysicalInterface: []string{"ens160", "ens160", "ens192"}[c.IntN(3)],
			NodeSelector: map[string]v1alpha1.LabelValue{"zone": v1alpha1.LabelValue(zone)},
		})
	}
	return all
}

// userCreatesNetwork creates a WukongNetwork, unless there is one of that name.
func (c *cluster) userCreatesNetwork() {
	name := networkNames[c.IntN(len(networkNames))]
	if c.objects[networkKind][name] != nil {
		return
	}
	n := &v1alpha1.WukongNetwork{TypeMeta: metav1.TypeMeta{APIVersion: v1alpha1.APIVersion, Kind: v1alpha1.NetworkKind}}
	n.Name, n.Spec = name, c.networkSpec()
	c.admitNetwork(nil, n)
}

// userChangesNetwork changes one thing of a WukongNetwork.
func (c *cluster) userChangesNetwork() {
	name, ok := pick(c, c.objects[networkKind])
	if !ok {
		return
	}
	old := c.objects[networkKind][name]
	n := networkOf(old)
	switch i := len(n.Spec.Uplinks); c.IntN(5) {
	case 0:
		n.Spec.ReclaimPolicy = []v1alpha1.ReclaimPolicy{"", v1alpha1.Delete}[c.IntN(2)]
	case 1:
		n.Spec.NodeSelector = c.zone()
	case 2:
		n.Spec.MTU = []int32{0, 1300, 1400, 9000}[c.IntN(4)]
	case 3, 4:
		switch {
		case i > 1:
			at := c.IntN(i)
			n.Spec.Uplinks = append(n.Spec.Uplinks[:at], n.Spec.Uplinks[at+1:]...)
		case i == 1:
			other := map[string]string{"a": "b", "b": "a"}[n.Spec.Uplinks[0].Name]
			n.Spec.Uplinks = append(n.Spec.Uplinks, c.uplinksOf(other)...)
		}
	}
	c.admitNetwork(old, n)
}

// userDeletesNetwork deletes a WukongNetwork.
func (c *cluster) userDeletesNetwork() {
	name, ok := pick(c, c.objects[networkKind])
	if !ok {
		return
	}
	if n := c.objects[networkKind][name]; n.GetDeletionTimestamp() == nil {
		t := metav1.NewTime(c.now)
		n.SetDeletionTimestamp(&t)
		n.SetGeneration(n.GetGeneration() + 1)
		c.tell("delete WukongNetwork %s", name)
	}
}

// networkOf is a stored WukongNetwork.
func networkOf(o *unstructured.Unstructured) *v1alpha1.WukongNetwork {
	n := &v1alpha1.WukongNetwork{}
	fromMap(o.Object, n)
	return n
}

// handShares makes or deletes an attachment by hand that plugs into a bridge.
func (c *cluster) handShares() {
	const key = "default/by-hand"
	if c.objects[attachmentKind][key] != nil {
		c.tell("by hand: delete %s", key)
		delete(c.objects[attachmentKind], key)
		return
	}
	bridge := []string{"br-x", "br-y", "br-lan"}[c.IntN(3)]
	c.tell("by hand: create %s on %s", key, bridge)
	attachment := object("k8s.cni.cncf.io/v1", "NetworkAttachmentDefinition", "default", "by-hand")
	attachment.Object["spec"] = map[string]any{"config": `{"type":"bridge","bridge":"` + bridge + `"}`}
	c.objects[attachmentKind][key] = attachment
}

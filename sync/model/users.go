package model

import (
	"slices"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"novasphere.dev/wukong/types/v1alpha1"
)

// network is a random network. There are few names, bridges, NICs and VLANs, so that networks meet.
func (c *cluster) network(name string) v1alpha1.Network {
	if c.newer && c.IntN(2) == 0 {
		return v1alpha1.Network{Name: name, NetworkName: c.someNetwork()}
	}
	n := v1alpha1.Network{Name: name, Type: v1alpha1.Bridge}
	if c.narrow {
		n.BridgeName, n.ReclaimPolicy = []string{"br-x", "br-y"}[c.IntN(2)], []v1alpha1.ReclaimPolicy{"", v1alpha1.Delete}[c.IntN(2)]
		if n.PhysicalInterface = []string{"ens160", "ens160", "ens224"}[c.IntN(3)]; n.PhysicalInterface == "ens224" && c.IntN(4) != 0 {
			yes := true
			n.PreserveHostIP, n.ReclaimPolicy = &yes, ""
		}
		return n
	}
	switch c.IntN(8) {
	case 0:
		kind := []v1alpha1.NetworkType{v1alpha1.Macvlan, v1alpha1.Ipvlan}[c.IntN(2)]
		return v1alpha1.Network{Name: name, Type: kind, PhysicalInterface: []string{"ens160", "ens192"}[c.IntN(2)]}
	case 1:
		n.Type = v1alpha1.OVS
	}
	n.BridgeName = []string{"", "br-x", "br-y"}[c.IntN(3)]
	n.VLANID = []int32{0, 100, 200}[c.IntN(3)]
	n.PhysicalInterface = []string{"", "", "ens192", "ens224"}[c.IntN(4)]
	if n.PhysicalInterface == "ens224" && n.Type == v1alpha1.Bridge && c.IntN(2) == 0 {
		yes := true
		n.PreserveHostIP, n.VLANID = &yes, 0
	}
	n.ReclaimPolicy = []v1alpha1.ReclaimPolicy{"", v1alpha1.Delete}[c.IntN(2)]
	if c.IntN(4) == 0 {
		n.MTU = 1400
	}
	return n
}

// userCreates creates a Wukong, unless there is one of that name.
func (c *cluster) userCreates() {
	name := []string{"a", "a-b", "c"}[c.IntN(3)]
	if c.wukongs[name] != nil {
		return
	}
	w := &v1alpha1.Wukong{TypeMeta: metav1.TypeMeta{APIVersion: v1alpha1.APIVersion, Kind: v1alpha1.Kind}}
	w.Name = name
	if c.IntN(2) == 0 {
		w.Spec.Networks = append(w.Spec.Networks, v1alpha1.Network{Name: "default"})
	}
	for _, network := range []string{"lan", "b-lan", "wan"} {
		if c.IntN(2) == 0 {
			w.Spec.Networks = append(w.Spec.Networks, c.network(network))
		}
	}
	w.Spec.Disks = c.disks()
	w.Spec.Instancetype = c.instancetype()
	w.Spec.HighAvailability = c.placed()
	w.Spec.VirtualMachine = c.virtualMachine(name)
	c.admit(nil, w)
}

// virtualMachine is nil, or by chance a part of the machine: right, or wrong by itself, or only while the Wukong has no network lan.
func (c *cluster) virtualMachine(name string) *v1alpha1.VirtualMachine {
	specs := []string{
		"", "", "",
		`{"template":{"spec":{"domain":{"cpu":{"model":"host-model"},"devices":{"rng":{}}},"nodeSelector":{"disk":"fast"}}}}`,
		`{"template":{"spec":{"domain":{"devices":{"interfaces":[{"name":"lan","model":"e1000"}]}}}}}`,
		`{"template":{"spec":{"domain":{"devices":{"tpmm":{}}}}}}`,
		`{"dataVolumeTemplates":[{"metadata":{"name":"` + name + `-b-c"},"spec":{"source":{"blank":{}},"storage":{}}}]}`,
	}
	spec := specs[c.IntN(len(specs))]
	if spec == "" {
		return nil
	}
	return &v1alpha1.VirtualMachine{Spec: &runtime.RawExtension{Raw: []byte(spec)}}
}

// disks are none, or by chance one: with a claim of its own, whose name two Wukongs may make, or a claim that exists, which may
// be a CD, or be that of another machine.
func (c *cluster) disks() []v1alpha1.Disk {
	switch c.IntN(5) {
	case 0:
		size := resource.MustParse("1Gi")
		return []v1alpha1.Disk{{Name: []string{"c", "b-c"}[c.IntN(2)], Size: &size}}
	case 1:
		return []v1alpha1.Disk{{Name: "data", ClaimName: []string{"shared", "a-b-c"}[c.IntN(2)], CDROM: c.IntN(3) == 0}}
	}
	return nil
}

// instancetype is nil, or by chance one of two.
func (c *cluster) instancetype() *v1alpha1.Instancetype {
	if name := []string{"small", "large", "", "", "", ""}[c.IntN(6)]; name != "" {
		return &v1alpha1.Instancetype{Name: name}
	}
	return nil
}

// placed is nil, or by chance restricts a Wukong to the nodes of one zone.
func (c *cluster) placed() *v1alpha1.HighAvailability {
	if zone := []v1alpha1.LabelValue{"a", "b", "", "", ""}[c.IntN(5)]; zone != "" {
		return &v1alpha1.HighAvailability{NodeSelector: map[string]v1alpha1.LabelValue{"zone": zone}}
	}
	return nil
}

// userChanges changes one thing of a Wukong.
func (c *cluster) userChanges() {
	name, ok := pick(c, c.wukongs)
	if !ok || c.wukongs[name].DeletionTimestamp != nil {
		return
	}
	w := c.wukongs[name].DeepCopy()
	switch i := len(w.Spec.Networks); c.IntN(9) {
	case 0, 6, 8:
		c.changesMachine(w)
	case 7:
		if i > 0 && w.Spec.Networks[i-1].Type == v1alpha1.Bridge {
			w.Spec.Networks[i-1].ReclaimPolicy = []v1alpha1.ReclaimPolicy{"", v1alpha1.Delete}[c.IntN(2)]
		}
	case 1, 2:
		if i > 0 {
			w.Spec.Networks = slices.Delete(w.Spec.Networks, i-1, i)
		}
	case 3, 4:
		w.Spec.Networks = append(w.Spec.Networks, c.network([]string{"lan", "b-lan", "wan"}[c.IntN(3)]))
	case 5:
		if i > 0 && w.Spec.Networks[i-1].Type != v1alpha1.Pod {
			w.Spec.Networks[i-1].MTU = int32(1300 + 100*c.IntN(3))
		}
	}
	c.admit(c.wukongs[name], w)
}

// changesMachine changes what is no network of a Wukong.
func (c *cluster) changesMachine(w *v1alpha1.Wukong) {
	switch c.IntN(5) {
	case 0:
		w.Spec.CPU, w.Spec.Instancetype = int32(1+c.IntN(4)), nil
	case 1:
		if w.Spec.Instancetype = c.instancetype(); w.Spec.Instancetype != nil {
			w.Spec.CPU = 0
		}
	case 2:
		w.Spec.Disks = c.disks()
	case 3:
		w.Spec.HighAvailability = c.placed()
	case 4:
		w.Spec.VirtualMachine = c.virtualMachine(w.Name)
	}
}

// userDeletes deletes a Wukong.
func (c *cluster) userDeletes() {
	if name, ok := pick(c, c.wukongs); ok && c.wukongs[name].DeletionTimestamp == nil {
		t := metav1.NewTime(c.now)
		c.wukongs[name].DeletionTimestamp = &t
		c.wukongs[name].Generation++
		c.tell("delete %s", name)
	}
}

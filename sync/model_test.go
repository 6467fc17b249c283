package sync_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	utiljson "k8s.io/apimachinery/pkg/util/json"

	"novasphere.dev/wukong/admission"
	"novasphere.dev/wukong/sync"
	"novasphere.dev/wukong/types/v1alpha1"
)

var (
	modelSteps = flag.Int("model.steps", 4800, "how many steps the model takes")
	modelSeed  = flag.Uint64("model.seed", 0, "play this one life only, and print it")
)

// stepsPerLife is how long one cluster lives before it has to settle.
const stepsPerLife = 60

// TestModel plays random lives of a small cluster through the hook: users who create, change and delete Wukongs, NMState
// and KubeVirt that take their time or fail, hands that delete and edit, nodes that join, a hook that is started anew with
// other flags, and a Metacontroller that applies what is answered, in either of its ways, by caches that lag, and that ends
// now and then in the middle of it. Whatever happens, no machine is lost, no node is cut off, no policy is edited while it is
// in progress, nothing of anybody else's is touched; and when everybody rests, the answers settle to no writes, and every
// bridge that a Wukong calls ready is on the nodes.
func TestModel(t *testing.T) {
	schema, err := admission.New(mustRead(t, "../deploy/base/vm.novasphere.dev_wukongs.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var seeds []uint64
	for i := range max(1, *modelSteps/stepsPerLife) {
		seeds = append(seeds, uint64(i)+1)
	}
	if *modelSeed != 0 {
		seeds = []uint64{*modelSeed}
	}
	for _, seed := range seeds {
		c := newCluster(seed, schema)
		c.live(stepsPerLife)
		c.settle()
		if len(c.broken) > 0 {
			t.Fatalf("the life of seed %d broke:\n  %s\nit was:\n  %s\nplay it again with: go test ./sync -run TestModel -model.seed %d",
				seed, strings.Join(c.broken, "\n  "), strings.Join(c.story, "\n  "), seed)
		}
		if *modelSeed != 0 {
			t.Log(strings.Join(c.story, "\n"))
		}
	}
}

// cluster is the world around the hook.
type cluster struct {
	*rand.Rand
	schema   *admission.Schema
	ssa      bool
	nmstate  bool
	unsteady bool // Metacontroller's caches lag, and it ends in the middle of things
	narrow   bool // everybody wants much the same
	settings sync.Settings
	now      time.Time
	uids     int
	late     map[string]bool // nodes that joined when policies were there already
	blind    map[string]bool // policies that were written when what was seen of the nodes was old

	wukongs map[string]*v1alpha1.Wukong
	objects map[string]map[string]*unstructured.Unstructured // by kind and name, as in a request

	// What Metacontroller has seen of both. A cache is of one kind, and never goes back.
	seenWukongs map[string]*v1alpha1.Wukong
	seen        map[string]map[string]*unstructured.Unstructured

	flights map[string]func() // answers that are on their way, by Wukong

	story, broken []string
	writes        int  // of children and statuses, by the last sync
	again         bool // the last answer asked to be called again
	breath        int  // how many writes Metacontroller lives for; less than 0 is for ever
}

const (
	policyKind    = "NodeNetworkConfigurationPolicy.nmstate.io/v1"
	enactmentKind = "NodeNetworkConfigurationEnactment.nmstate.io/v1beta1"
	stateKind     = "NodeNetworkState.nmstate.io/v1beta1"
	nadKind       = "NetworkAttachmentDefinition.k8s.cni.cncf.io/v1"
	vmKind        = "VirtualMachine.kubevirt.io/v1"
	instanceKind  = "VirtualMachineInstance.kubevirt.io/v1"
	nodeKind      = "Node.v1"
	wukongKind    = "Wukong.vm.novasphere.dev/v1alpha1"
)

var kindOf = map[string]string{
	"nodenetworkconfigurationpolicies": policyKind, "nodenetworkconfigurationenactments": enactmentKind,
	"nodenetworkstates": stateKind, "network-attachment-definitions": nadKind, "virtualmachines": vmKind,
	"virtualmachineinstances": instanceKind, "nodes": nodeKind, "wukongs": wukongKind,
}

func newCluster(seed uint64, schema *admission.Schema) *cluster {
	c := &cluster{
		Rand: rand.New(rand.NewPCG(seed, 1)), schema: schema, now: goldenNow, settings: goldenSettings, breath: -1, late: map[string]bool{}, blind: map[string]bool{}, flights: map[string]func(){},
		wukongs: map[string]*v1alpha1.Wukong{}, objects: map[string]map[string]*unstructured.Unstructured{},
		seenWukongs: map[string]*v1alpha1.Wukong{}, seen: map[string]map[string]*unstructured.Unstructured{},
	}
	c.ssa, c.nmstate, c.unsteady = c.IntN(2) == 0, c.IntN(8) != 0, c.IntN(3) != 0
	c.narrow = c.IntN(2) == 0
	c.settings.Preflight = c.IntN(8) != 0
	for _, kind := range kindOf {
		c.objects[kind] = map[string]*unstructured.Unstructured{}
	}
	c.joins("worker-1", "a")
	c.joins("worker-2", "b")
	c.catchUp(true)
	return c
}

// catchUp brings Metacontroller's caches up to date: each, or by chance.
func (c *cluster) catchUp(each bool) {
	for _, kind := range slices.Sorted(maps.Values(kindOf)) {
		if each || !c.unsteady || c.IntN(2) != 0 {
			c.seen[kind] = map[string]*unstructured.Unstructured{}
			for key, o := range c.objects[kind] {
				c.seen[kind][key] = o.DeepCopy()
			}
		}
	}
	if each || !c.unsteady || c.IntN(3) != 0 {
		c.seenWukongs = map[string]*v1alpha1.Wukong{}
		for name, w := range c.wukongs {
			c.seenWukongs[name] = w.DeepCopy()
		}
	}
}

func object(apiVersion, kind, namespace, name string) *unstructured.Unstructured {
	o := &unstructured.Unstructured{Object: map[string]any{"apiVersion": apiVersion, "kind": kind, "metadata": map[string]any{"name": name}}}
	o.SetNamespace(namespace)
	return o
}

func (c *cluster) tell(format string, args ...any) {
	c.story = append(c.story, fmt.Sprintf("%3d ", len(c.story))+fmt.Sprintf(format, args...))
}

func (c *cluster) breaks(format string, args ...any) {
	c.broken = append(c.broken, fmt.Sprintf(format, args...)+fmt.Sprintf(" (after line %d)", len(c.story)-1))
}

func (c *cluster) uid() types.UID {
	c.uids++
	return types.UID(fmt.Sprintf("00000000-0000-4000-8000-%012d", c.uids))
}

// live takes random steps.
func (c *cluster) live(steps int) {
	for range steps {
		c.now = c.now.Add(time.Duration(c.IntN(60)) * time.Second)
		switch c.IntN(22) {
		case 0, 1:
			c.userCreates()
		case 2, 3, 4:
			c.userChanges()
		case 5:
			c.userDeletes()
		case 6, 7, 8:
			c.nmstateActs(false)
		case 9, 10:
			c.kubevirtActs(false)
		case 11:
			c.handDeletes()
		case 12:
			c.handEdits()
		case 13:
			c.something()
		case 14:
			if name, ok := pick(c, c.flights); ok {
				c.lands(name)
			}
		default:
			if name, ok := pick(c, c.wukongs); ok {
				c.catchUp(false)
				c.sync(name)
			}
		}
		if len(c.broken) > 0 {
			return
		}
	}
}

// something is what seldom happens.
func (c *cluster) something() {
	switch c.IntN(4) {
	case 0:
		c.settings.PhysicalInterface = []string{"ens160", "ens192"}[c.IntN(2)]
		c.tell("the hook is started anew with -physical-interface %s", c.settings.PhysicalInterface)
	case 1:
		if !c.late["worker-3"] {
			c.tell("worker-3 joins")
			c.late["worker-3"] = true
			c.joins("worker-3", "a")
		}
	case 2:
		bridge := []string{"br-x", "br-y", "br-lan"}[c.IntN(3)]
		c.tell("by hand: somebody's pod is plugged into %s", bridge)
		c.plugs(bridge, "veth0")
	case 3:
		c.tell("by hand: somebody's pod goes")
		c.unplugs(func(port any) bool { return port == "veth0" })
	}
}

// settle lets everybody finish what they began, and then wants peace: no writes.
func (c *cluster) settle() {
	c.unsteady, c.breath = false, -1
	for _, name := range slices.Sorted(maps.Keys(c.flights)) {
		c.lands(name)
	}
	c.handsBack()
	for round := 0; ; round++ {
		if len(c.broken) > 0 {
			return
		}
		c.now = c.now.Add(time.Minute)
		for c.nmstateActs(true) {
		}
		for c.kubevirtActs(true) {
		}
		for _, state := range c.objects[stateKind] {
			state.Object["status"].(map[string]any)["lastSuccessfulUpdateTime"] = c.now.Add(time.Second).Format(time.RFC3339)
		}
		writes, again := 0, false
		for _, name := range slices.Sorted(maps.Keys(c.wukongs)) {
			c.catchUp(true)
			c.sync(name)
			writes += c.writes
			again = again || c.again
		}
		writes += c.collects()
		if writes == 0 && !again && round > 1 {
			break
		}
		if round == 60 {
			c.breaks("after %d rounds of rest there are still %d writes", round, writes)
			return
		}
	}
	for name, w := range c.wukongs {
		if w.DeletionTimestamp != nil {
			c.breaks("Wukong %s is being deleted for ever", name)
		}
		ready := conditionIn(w, "Ready")
		if stalled := conditionIn(w, "Stalled"); ready.Status != metav1.ConditionTrue && stalled.Status != metav1.ConditionTrue {
			c.breaks("Wukong %s is neither ready nor stalled at rest: %s: %s", name, ready.Reason, ready.Message)
		}
	}
	c.feeds()
	c.built()
	c.written()
}

// written holds that no two machines write to one disk.
func (c *cluster) written() {
	machines := map[any]string{}
	for _, key := range slices.Sorted(maps.Keys(c.objects[vmKind])) {
		templates, _ := value(c.objects[vmKind][key].Object, "spec", "dataVolumeTemplates").([]any)
		for _, t := range templates {
			disk := value(t.(map[string]any), "metadata", "name")
			if was, ok := machines[disk]; ok {
				c.breaks("%s and %s write to disk %s", was, key, disk)
			}
			machines[disk] = key
		}
	}
}

// feeds holds that no two policies of Wukongs that are ready pull one uplink or one bridge apart.
func (c *cluster) feeds() {
	bridges, uplinks := map[string]string{}, map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(c.objects[policyKind])) {
		l := c.objects[policyKind][name].GetLabels()
		w := c.wukongs[l["vm.novasphere.dev/wukong"]]
		if w == nil || conditionIn(w, "NodeNetworkReady").Status != metav1.ConditionTrue {
			continue
		}
		bridge, uplink := l["vm.novasphere.dev/bridge"], l["vm.novasphere.dev/uplink"]
		if was, ok := bridges[bridge]; ok && was != uplink {
			c.breaks("bridge %s is fed by %s and by %s", bridge, was, uplink)
		}
		if was, ok := uplinks[uplink]; ok && was != bridge {
			c.breaks("%s feeds %s and %s", uplink, was, bridge)
		}
		bridges[bridge], uplinks[uplink] = uplink, bridge
	}
}

func conditionIn(w *v1alpha1.Wukong, kind string) metav1.Condition {
	for _, c := range w.Status.Conditions {
		if c.Type == kind {
			return c
		}
	}
	return metav1.Condition{}
}

func pick[V any](c *cluster, m map[string]V) (string, bool) {
	if len(m) == 0 {
		return "", false
	}
	return slices.Sorted(maps.Keys(m))[c.IntN(len(m))], true
}

// network is a random one: few names, bridges, NICs and VLANs, so that they meet.
func (c *cluster) network(name string) v1alpha1.Network {
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
		return v1alpha1.Network{Name: name, Type: v1alpha1.Macvlan, PhysicalInterface: "ens192"}
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
	if c.IntN(3) == 0 {
		w.Spec.Disks = []v1alpha1.Disk{{Name: []string{"c", "b-c"}[c.IntN(2)], Size: resource.MustParse("1Gi")}}
	}
	w.Spec.HighAvailability = c.placed()
	c.admit(nil, w)
}

// placed is now and then on one zone of nodes only.
func (c *cluster) placed() *v1alpha1.HighAvailability {
	if zone := []v1alpha1.LabelValue{"a", "b", "", "", ""}[c.IntN(5)]; zone != "" {
		return &v1alpha1.HighAvailability{NodeSelector: map[string]v1alpha1.LabelValue{"zone": zone}}
	}
	return nil
}

func (c *cluster) userChanges() {
	name, ok := pick(c, c.wukongs)
	if !ok || c.wukongs[name].DeletionTimestamp != nil {
		return
	}
	w := c.wukongs[name].DeepCopy()
	switch i := len(w.Spec.Networks); c.IntN(8) {
	case 6:
		w.Spec.HighAvailability = c.placed()
	case 7:
		if i > 0 && w.Spec.Networks[i-1].Type == v1alpha1.Bridge {
			w.Spec.Networks[i-1].ReclaimPolicy = []v1alpha1.ReclaimPolicy{"", v1alpha1.Delete}[c.IntN(2)]
		}
	case 0:
		w.Spec.CPU = int32(1 + c.IntN(4))
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

// admit is the API server: what it refuses does not happen.
func (c *cluster) admit(old, w *v1alpha1.Wukong) {
	sent := &unstructured.Unstructured{Object: toMap(w)}
	unstructured.RemoveNestedField(sent.Object, "status")
	var kept *unstructured.Unstructured
	var err error
	if old == nil {
		kept, err = c.schema.Admit(sent)
	} else {
		kept, err = c.schema.AdmitUpdate(&unstructured.Unstructured{Object: toMap(old)}, sent)
	}
	if err != nil {
		return
	}
	admitted := &v1alpha1.Wukong{}
	fromMap(kept.Object, admitted)
	if old == nil {
		admitted.UID, admitted.Generation, admitted.CreationTimestamp = c.uid(), 1, metav1.NewTime(c.now)
		admitted.Status.ObservedGeneration = -1
		c.tell("create %s: %s", w.Name, compactJSON(admitted.Spec.Networks))
	} else {
		admitted.UID, admitted.Generation, admitted.CreationTimestamp, admitted.Status = old.UID, old.Generation, old.CreationTimestamp, old.Status
		if !reflect.DeepEqual(toMap(&admitted.Spec), toMap(&old.Spec)) {
			admitted.Generation++
		}
		c.tell("change %s: cpu %d %s", w.Name, admitted.Spec.CPU, compactJSON(admitted.Spec.Networks))
	}
	c.wukongs[w.Name] = admitted
}

func (c *cluster) userDeletes() {
	if name, ok := pick(c, c.wukongs); ok && c.wukongs[name].DeletionTimestamp == nil {
		t := metav1.NewTime(c.now)
		c.wukongs[name].DeletionTimestamp = &t
		c.wukongs[name].Generation++
		c.tell("delete %s", name)
	}
}

func toMap(v any) map[string]any {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	m := map[string]any{}
	if err := utiljson.Unmarshal(raw, &m); err != nil {
		panic(err)
	}
	return m
}

func fromMap(m map[string]any, v any) {
	raw, err := json.Marshal(m)
	if err == nil {
		err = json.Unmarshal(raw, v)
	}
	if err != nil {
		panic(err)
	}
}

func compactJSON(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(raw)
}

package sync_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

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

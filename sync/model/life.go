package model

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"novasphere.dev/wukong/admission"
	"novasphere.dev/wukong/sync"
	"novasphere.dev/wukong/types/v1alpha1"
)

// StepsPerLife is how long one cluster lives before it has to settle.
const StepsPerLife = 60

// born is when every life begins.
var born = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// defaults are the flags' defaults.
var defaults = sync.Settings{
	PhysicalInterface: "ens160",
	DefaultOSImage:    "quay.io/containerdisks/ubuntu:24.04",
	Preflight:         true,
	NodesSettle:       30 * time.Second,
	NodesGather:       30 * time.Second,
	TeardownTimeout:   15 * time.Minute,
}

// Life is a life that was played.
type Life struct {
	Story  []string // what happened, line by line
	Broken []string // what must be true, and was not
}

// Schemas are the schemas of what users write.
type Schemas struct {
	Wukong, Network *admission.Schema
}

// Play plays the life of a seed: some random steps, and then rest.
func Play(seed uint64, schemas Schemas) Life {
	c := newCluster(seed, schemas)
	c.begins(seed % kindsOfLives)
	c.live(StepsPerLife)
	c.settle()
	return Life{c.story, c.broken}
}

// cluster is the world around the hook.
type cluster struct {
	*rand.Rand
	schemas  Schemas
	ssa      bool // Metacontroller uses server-side apply, and otherwise dynamic apply
	nmstate  bool // the CompositeController declares policies
	unsteady bool // Metacontroller's caches lag, and Metacontroller crashes
	narrow   bool // all Wukongs want nearly the same networks
	settings sync.Settings
	now      time.Time
	uids     int
	late     map[string]bool // nodes that joined when policies existed already, or on which NMState has failed
	blind    map[string]bool // policies that were written with old reports of the nodes, or of one node

	newer     bool                // users know WukongNetworks
	fleet     bool                // there are WukongNodes and WukongNetworks, from an upgrade on
	upgraded  bool                // the upgrade has been
	upgradeAt int                 // the step of the upgrade
	firstTold bool                // the nodes are being told of for the first time
	kept      map[types.UID]int64 // the Wukongs whose rules are those of the old version, and of which generation
	lines     map[string][]string // by node, what was so when its WukongNode was written

	wukongs map[string]*v1alpha1.Wukong
	objects objects

	// Metacontroller's caches of both, one for each kind. A cache never goes back in time. Objects in it are never changed.
	seenWukongs map[string]*v1alpha1.Wukong
	seen        objects
	texts       map[any]json.RawMessage // objects in the caches, as JSON

	flights map[string]func() // answers that have not arrived yet, by the ref of the parent

	story, broken []string
	writes        int  // children and statuses that the last sync wrote
	again         bool // the last answer asked to be called again
	breath        int  // after how many writes Metacontroller crashes; never where less than 0
}

// newCluster is a cluster of two nodes. Chance chooses its kind.
func newCluster(seed uint64, schemas Schemas) *cluster {
	c := &cluster{
		Rand: rand.New(rand.NewPCG(seed, 1)), schemas: schemas, now: born, settings: defaults, breath: -1,
		late: map[string]bool{}, blind: map[string]bool{}, flights: map[string]func(){}, lines: map[string][]string{},
		wukongs: map[string]*v1alpha1.Wukong{}, objects: objects{},
		seenWukongs: map[string]*v1alpha1.Wukong{}, seen: objects{}, texts: map[any]json.RawMessage{},
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

// tell writes a line of the story.
func (c *cluster) tell(format string, args ...any) {
	c.story = append(c.story, fmt.Sprintf("%3d ", len(c.story))+fmt.Sprintf(format, args...))
}

// breaks notes that something that must be true was not.
func (c *cluster) breaks(format string, args ...any) {
	c.broken = append(c.broken, fmt.Sprintf(format, args...)+fmt.Sprintf(" (after line %d)", len(c.story)-1))
}

// uid is a UID that no object has yet.
func (c *cluster) uid() types.UID {
	c.uids++
	return types.UID(fmt.Sprintf("00000000-0000-4000-8000-%012d", c.uids))
}

// live takes random steps.
func (c *cluster) live(steps int) {
	for at := range steps {
		c.now = c.now.Add(time.Duration(c.IntN(60)) * time.Second)
		if !c.fleet || !c.fleetActs(at) {
			c.acts()
		}
		if len(c.broken) > 0 {
			return
		}
	}
}

// acts lets somebody act.
func (c *cluster) acts() {
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
		if c.IntN(4) == 0 {
			c.handCopies()
		} else {
			c.handDeletes()
		}
	case 12:
		c.handEdits()
	case 13:
		c.something()
	case 14:
		if wukong, ok := pick(c, c.flights); ok {
			c.lands(wukong)
		}
	default:
		if wukong, ok := pick(c, c.wukongs); ok {
			c.catchUp(false)
			c.sync(wukong)
		}
	}
}

// something does something that seldom happens.
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

// settle lets everybody finish what they began, and then expects rest: no more writes.
func (c *cluster) settle() {
	c.unsteady, c.breath = false, -1
	for _, name := range slices.Sorted(maps.Keys(c.flights)) {
		c.lands(name)
	}
	c.handsBack()
	if c.fleet && !c.upgraded {
		c.upgrades()
	}
	c.kept = nil
	for round := 0; len(c.broken) == 0; round++ {
		switch writes, again := c.rests(); {
		case writes == 0 && !again && round > 1:
			c.settled()
			return
		case round == 60:
			c.breaks("after %d rounds of rest there are still %d writes", round, writes)
		}
	}
}

// rests is one round of rest: everything in progress succeeds, and each parent is synced once. writes counts what is
// still written; again is whether an answer asked to be called again.
func (c *cluster) rests() (writes int, again bool) {
	// A full minute is a moment at which all nodes are told of, and Metacontroller asks about them then.
	c.now = c.now.Add(time.Minute).Truncate(time.Minute)
	for c.nmstateActs(true) {
	}
	for c.kubevirtActs(true) {
	}
	for node := range c.objects[stateKind] {
		c.reports(node, c.now.Add(time.Second))
	}
	for _, key := range c.everybody() {
		c.catchUp(true)
		c.sync(key)
		writes += c.writes
		again = again || c.again
	}
	return writes + c.collects(), again
}

// pick is a random key of a map.
func pick[V any](c *cluster, m map[string]V) (string, bool) {
	if len(m) == 0 {
		return "", false
	}
	return slices.Sorted(maps.Keys(m))[c.IntN(len(m))], true
}

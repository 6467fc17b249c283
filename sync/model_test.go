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
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
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

// foundBySeed are lives that once broke something. They are played first.
var foundBySeed = []uint64{}

// TestModel plays random lives of a small cluster through the hook: users who create, change and delete Wukongs, NMState
// and KubeVirt that take their time or fail, hands that delete and edit, and a Metacontroller that applies what is
// answered, in either of its ways. Whatever happens, no machine is lost, no policy is edited while it is in progress,
// nothing of anybody else's is touched; and when everybody rests, the answers settle to no writes.
func TestModel(t *testing.T) {
	schema, err := admission.New(mustRead(t, "../deploy/base/vm.novasphere.dev_wukongs.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	seeds := slices.Clone(foundBySeed)
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
	schema  *admission.Schema
	ssa     bool
	nmstate bool
	now     time.Time
	uids    int

	wukongs map[string]*v1alpha1.Wukong
	objects map[string]map[string]*unstructured.Unstructured // by kind and name, as in a request

	story, broken []string
	writes        int // of children and statuses, by the last sync
}

const (
	policyKind    = "NodeNetworkConfigurationPolicy.nmstate.io/v1"
	enactmentKind = "NodeNetworkConfigurationEnactment.nmstate.io/v1beta1"
	stateKind     = "NodeNetworkState.nmstate.io/v1beta1"
	nadKind       = "NetworkAttachmentDefinition.k8s.cni.cncf.io/v1"
	vmKind        = "VirtualMachine.kubevirt.io/v1"
	instanceKind  = "VirtualMachineInstance.kubevirt.io/v1"
	nodeKind      = "Node.v1"
)

var kindOf = map[string]string{
	"nodenetworkconfigurationpolicies": policyKind, "nodenetworkconfigurationenactments": enactmentKind,
	"nodenetworkstates": stateKind, "network-attachment-definitions": nadKind, "virtualmachines": vmKind,
	"virtualmachineinstances": instanceKind, "nodes": nodeKind,
}

func newCluster(seed uint64, schema *admission.Schema) *cluster {
	c := &cluster{
		Rand: rand.New(rand.NewPCG(seed, 1)), schema: schema, now: goldenNow,
		wukongs: map[string]*v1alpha1.Wukong{}, objects: map[string]map[string]*unstructured.Unstructured{},
	}
	c.ssa, c.nmstate = c.IntN(2) == 0, c.IntN(8) != 0
	for _, kind := range kindOf {
		c.objects[kind] = map[string]*unstructured.Unstructured{}
	}
	for _, node := range []string{"worker-1", "worker-2"} {
		c.objects[nodeKind][node] = object("v1", "Node", "", node)
		state := object("nmstate.io/v1beta1", "NodeNetworkState", "", node)
		state.Object["status"] = map[string]any{"currentState": map[string]any{"interfaces": []any{
			map[string]any{"name": "ens160", "type": "ethernet", "state": "up", "mtu": int64(9000)},
			map[string]any{"name": "ens192", "type": "ethernet", "state": "up", "mtu": int64(9000)},
		}}}
		c.objects[stateKind][node] = state
	}
	return c
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
		switch c.IntN(20) {
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
		default:
			if name, ok := pick(c, c.wukongs); ok {
				c.sync(name)
			}
		}
		if len(c.broken) > 0 {
			return
		}
	}
}

// settle lets everybody finish what they began, and then wants peace: no writes.
func (c *cluster) settle() {
	for round := 0; ; round++ {
		if len(c.broken) > 0 {
			return
		}
		c.now = c.now.Add(time.Minute)
		for c.nmstateActs(true) {
		}
		for c.kubevirtActs(true) {
		}
		writes := 0
		for _, name := range slices.Sorted(maps.Keys(c.wukongs)) {
			c.sync(name)
			writes += c.writes
		}
		if writes == 0 && round > 1 {
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
}

// feeds holds that no two policies pull one uplink or one bridge apart.
func (c *cluster) feeds() {
	bridges, uplinks := map[string]string{}, map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(c.objects[policyKind])) {
		l := c.objects[policyKind][name].GetLabels()
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
	switch c.IntN(8) {
	case 0:
		return v1alpha1.Network{Name: name, Type: v1alpha1.Macvlan, PhysicalInterface: "ens192"}
	case 1:
		n.Type = v1alpha1.OVS
	}
	n.BridgeName = []string{"", "br-x", "br-y"}[c.IntN(3)]
	n.VLANID = []int32{0, 100, 200}[c.IntN(3)]
	n.PhysicalInterface = []string{"", "ens192"}[c.IntN(2)]
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
		w.Spec.Disks = []v1alpha1.Disk{{Name: "data", Size: resource.MustParse("1Gi")}}
	}
	c.admit(nil, w)
}

func (c *cluster) userChanges() {
	name, ok := pick(c, c.wukongs)
	if !ok || c.wukongs[name].DeletionTimestamp != nil {
		return
	}
	w := c.wukongs[name].DeepCopy()
	switch i := len(w.Spec.Networks); c.IntN(6) {
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

// sync is one round of Metacontroller for one Wukong.
func (c *cluster) sync(name string) {
	c.writes = 0
	w := c.wukongs[name]
	finalizing := w.DeletionTimestamp != nil
	controller := sync.Controller{Spec: sync.ControllerSpec{ChildResources: []sync.ChildResource{
		{APIVersion: "k8s.cni.cncf.io/v1", Resource: "network-attachment-definitions"},
		{APIVersion: "kubevirt.io/v1", Resource: "virtualmachines"},
	}}}
	children := sync.Objects{nadKind: {}, vmKind: {}}
	if c.nmstate {
		controller.Spec.ChildResources = append(controller.Spec.ChildResources, sync.ChildResource{APIVersion: "nmstate.io/v1", Resource: "nodenetworkconfigurationpolicies"})
		children[policyKind] = map[string]*unstructured.Unstructured{}
	}
	for kind := range children {
		for key, o := range c.objects[kind] {
			if c.owned(w, o) {
				children[kind][key] = o.DeepCopy()
			}
		}
	}
	customized, err := sync.Customize(&sync.CustomizeRequest{Controller: controller, Parent: w.DeepCopy()}, goldenSettings)
	if err != nil {
		c.breaks("customize %s: %v", name, err)
		return
	}
	req := &sync.Request{Controller: controller, Parent: w.DeepCopy(), Children: children, Related: c.related(customized), Finalizing: finalizing}
	call := sync.Sync
	if finalizing {
		call = sync.Finalize
	}
	resp, err := call(req, goldenSettings, c.now)
	if err != nil {
		c.breaks("sync %s: %v", name, err)
		return
	}
	c.tell("sync %s: %s", name, said(resp))
	if resp.Finalized {
		for _, kind := range []string{policyKind, nadKind, vmKind} {
			for key, o := range c.objects[kind] {
				if c.owned(w, o) {
					c.breaks("%s %s is finalized while %s exists", name, kind, key)
				}
			}
		}
		delete(c.wukongs, name)
		c.writes++
		return
	}
	c.apply(w, resp.Children, finalizing)
	status := resp.Status
	status.ObservedGeneration = w.Generation
	if !reflect.DeepEqual(toMap(&status), toMap(&w.Status)) {
		w.Status = status
		c.writes++
	}
}

func said(resp *sync.Response) string {
	var names []string
	for _, child := range resp.Children {
		names = append(names, child.GetName())
	}
	message := ""
	if len(resp.Status.Conditions) > 0 {
		message = resp.Status.Conditions[0].Reason + ": " + resp.Status.Conditions[0].Message
	}
	return fmt.Sprintf("%v %s", names, message)
}

func (c *cluster) owned(w *v1alpha1.Wukong, o *unstructured.Unstructured) bool {
	ref := metav1.GetControllerOf(o)
	return ref != nil && ref.UID == w.UID
}

func (c *cluster) related(customized *sync.CustomizeResponse) sync.Objects {
	related := sync.Objects{}
	for _, rule := range customized.RelatedResources {
		kind := kindOf[rule.Resource]
		if related[kind] == nil {
			related[kind] = map[string]*unstructured.Unstructured{}
		}
		selector, err := metav1.LabelSelectorAsSelector(rule.LabelSelector)
		if rule.LabelSelector == nil {
			selector = labels.Everything()
		}
		if err != nil || rule.LabelSelector != nil && len(rule.Names) > 0 {
			c.breaks("a related rule that stops every sync: %+v", rule)
		}
		for key, o := range c.objects[kind] {
			if (rule.Namespace == "" || rule.Namespace == o.GetNamespace()) && (len(rule.Names) == 0 || slices.Contains(rule.Names, o.GetName())) && selector.Matches(labels.Set(o.GetLabels())) {
				related[kind][key] = o.DeepCopy()
			}
		}
	}
	return related
}

// apply is what Metacontroller does with an answer, and where it shows whether the answer was a good one.
func (c *cluster) apply(w *v1alpha1.Wukong, children []*unstructured.Unstructured, finalizing bool) {
	wanted := map[string]map[string]*unstructured.Unstructured{policyKind: {}, nadKind: {}, vmKind: {}}
	for _, child := range children {
		kind := child.GetKind() + "." + child.GetAPIVersion()
		wanted[kind][name(child)] = child
	}
	for _, kind := range []string{policyKind, nadKind, vmKind} {
		for _, key := range slices.Sorted(maps.Keys(c.objects[kind])) {
			if o := c.objects[kind][key]; c.owned(w, o) && wanted[kind][key] == nil && o.GetDeletionTimestamp() == nil {
				c.deletes(w, kind, key, finalizing)
			}
		}
	}
	for _, kind := range []string{nadKind, vmKind, policyKind} {
		for _, key := range slices.Sorted(maps.Keys(wanted[kind])) {
			c.write(w, kind, key, wanted[kind][key])
		}
	}
}

func name(o *unstructured.Unstructured) string {
	if o.GetNamespace() == "" {
		return o.GetName()
	}
	return o.GetNamespace() + "/" + o.GetName()
}

func (c *cluster) deletes(w *v1alpha1.Wukong, kind, key string, finalizing bool) {
	c.writes++
	c.tell("  deletes %s", key)
	o := c.objects[kind][key]
	switch kind {
	case vmKind:
		if !finalizing {
			c.breaks("machine %s is deleted", key)
		}
		t := metav1.NewTime(c.now)
		o.SetDeletionTimestamp(&t) // until KubeVirt has stopped it
		return
	case nadKind:
		for _, kind := range []string{vmKind, instanceKind} {
			for _, machine := range c.objects[kind] {
				if c.objects[vmKind][name(machine)] != nil && c.owned(w, c.objects[vmKind][name(machine)]) && strings.Contains(compactJSON(machine.Object["spec"]), `"networkName":"`+key+`"`) {
					c.breaks("attachment %s is deleted while %s %s uses it", key, machine.GetKind(), machine.GetName())
				}
			}
		}
	case policyKind:
		network := strings.TrimSuffix(key, "-bridge")
		if nad := c.objects[nadKind]["default/"+network+"-nad"]; nad != nil && c.owned(w, nad) {
			c.breaks("policy %s is deleted while its attachment exists", key)
		}
		for e := range c.objects[enactmentKind] {
			if strings.HasSuffix(e, "."+key) {
				delete(c.objects[enactmentKind], e)
			}
		}
	}
	delete(c.objects[kind], key)
}

func (c *cluster) write(w *v1alpha1.Wukong, kind, key string, desired *unstructured.Unstructured) {
	desired = desired.DeepCopy()
	l := desired.GetLabels()
	if l == nil {
		l = map[string]string{}
	}
	l["controller-uid"] = string(w.UID)
	desired.SetLabels(l)
	existing := c.objects[kind][key]
	switch {
	case existing == nil:
		c.creates(w, kind, key, desired)
		return
	case !c.owned(w, existing):
		c.breaks("%s is somebody else's, and is answered", key)
		return
	case existing.GetDeletionTimestamp() != nil:
		return
	}
	apply := dynamicApply
	if c.ssa {
		apply = serverSideApply
	}
	updated := &unstructured.Unstructured{Object: apply(existing.Object, desired.Object)}
	if reflect.DeepEqual(updated.Object, existing.Object) {
		return
	}
	// A write is one even where KubeVirt's webhook makes of it what was there before.
	c.writes++
	if kind == vmKind {
		kubevirtDefaults(updated)
	}
	if !reflect.DeepEqual(updated.Object["spec"], existing.Object["spec"]) {
		updated.SetGeneration(existing.GetGeneration() + 1)
		c.tell("  changes %s", key)
		if kind == policyKind && inProgress(existing) {
			c.breaks("policy %s is edited while it is in progress", key)
		}
	}
	if kind == policyKind {
		a := updated.GetAnnotations()
		if a == nil {
			a = map[string]string{}
		}
		a["nmstate.io/webhook-mutating-timestamp"] = fmt.Sprint(c.now.UnixNano())
		updated.SetAnnotations(a)
	}
	c.objects[kind][key] = updated
}

func (c *cluster) creates(w *v1alpha1.Wukong, kind, key string, desired *unstructured.Unstructured) {
	c.writes++
	c.tell("  creates %s", key)
	c.gate(w, kind, desired)
	created := &unstructured.Unstructured{Object: runtime.DeepCopyJSON(desired.Object)}
	if c.ssa {
		created.Object = serverSideApply(map[string]any{"metadata": map[string]any{}}, desired.Object)
		created.Object["apiVersion"], created.Object["kind"] = desired.GetAPIVersion(), desired.GetKind()
	} else {
		note(created.Object, desired.Object)
	}
	created.SetUID(c.uid())
	created.SetGeneration(1)
	created.SetCreationTimestamp(metav1.NewTime(c.now))
	yes := true
	created.SetOwnerReferences([]metav1.OwnerReference{{APIVersion: v1alpha1.APIVersion, Kind: v1alpha1.Kind, Name: w.Name, UID: w.UID, Controller: &yes, BlockOwnerDeletion: &yes}})
	if kind == vmKind {
		kubevirtDefaults(created)
	}
	// Back and forth through JSON, as every object is.
	c.objects[kind][key] = &unstructured.Unstructured{Object: toMap(created.Object)}
}

// gate holds the order: an attachment after its policy, a machine after its attachments.
func (c *cluster) gate(w *v1alpha1.Wukong, kind string, desired *unstructured.Unstructured) {
	switch kind {
	case nadKind:
		if p := c.objects[policyKind][strings.TrimSuffix(desired.GetName(), "-nad")+"-bridge"]; p != nil && c.owned(w, p) && !available(c, p) {
			c.breaks("attachment %s is created before its policy is available", desired.GetName())
		}
	case vmKind:
		networks, _, _ := unstructured.NestedSlice(desired.Object, "spec", "template", "spec", "networks")
		for _, n := range networks {
			nad, _ := value(n.(map[string]any), "multus", "networkName").(string)
			if nad != "" && c.objects[nadKind][nad] == nil {
				c.breaks("machine %s is created before its attachment %s", desired.GetName(), nad)
			}
			if p := c.objects[policyKind][fmt.Sprintf("%s-%s-bridge", w.Name, n.(map[string]any)["name"])]; p != nil && c.owned(w, p) && !available(c, p) {
				c.breaks("machine %s is created before policy %s is available", desired.GetName(), p.GetName())
			}
		}
	}
}

func available(c *cluster, p *unstructured.Unstructured) bool {
	for key, e := range c.objects[enactmentKind] {
		if strings.HasSuffix(key, "."+p.GetName()) && value(e.Object, "status", "policyGeneration") == p.GetGeneration() && condition(e, "Available") == "True" {
			return condition(p, "Available") == "True"
		}
	}
	return false
}

func condition(o *unstructured.Unstructured, kind string) any {
	conditions, _ := value(o.Object, "status", "conditions").([]any)
	for _, c := range conditions {
		if c.(map[string]any)["type"] == kind {
			return c.(map[string]any)["status"]
		}
	}
	return nil
}

// inProgress is when NMState's admission refuses a change of a policy's spec.
func inProgress(p *unstructured.Unstructured) bool {
	conditions, _ := value(p.Object, "status", "conditions").([]any)
	for _, c := range conditions {
		if c := c.(map[string]any); c["type"] == "Available" {
			return c["reason"] == "" || c["reason"] == "ConfigurationProgressing"
		}
	}
	return true
}

// nmstateActs takes one policy a step further, anywhere at random, or at rest to a good end; false when there was nothing
// to do.
func (c *cluster) nmstateActs(atRest bool) bool {
	if atRest {
		for _, key := range slices.Sorted(maps.Keys(c.objects[policyKind])) {
			if p := c.objects[policyKind][key]; !available(c, p) {
				c.enact(p, "Available")
				return true
			}
		}
		return false
	}
	key, ok := pick(c, c.objects[policyKind])
	if ok {
		c.enact(c.objects[policyKind][key], []string{"Progressing", "Available", "Available", "Degraded", "Reset"}[c.IntN(5)])
	}
	return ok
}

func (c *cluster) enact(p *unstructured.Unstructured, state string) {
	c.tell("NMState: %s %s", p.GetName(), state)
	status := map[string][4]string{
		"Available": {"True", "False", "False", "SuccessfullyConfigured"}, "Degraded": {"False", "True", "False", "FailedToConfigure"},
		"Progressing": {"Unknown", "Unknown", "True", "ConfigurationProgressing"}, "Reset": {"Unknown", "Unknown", "Unknown", ""},
	}[state]
	var conditions []any
	for i, kind := range []string{"Available", "Degraded", "Progressing"} {
		conditions = append(conditions, map[string]any{"type": kind, "status": status[i], "reason": status[3], "lastTransitionTime": c.now.Format(time.RFC3339)})
	}
	p.Object["status"] = map[string]any{"conditions": conditions}
	for _, node := range slices.Sorted(maps.Keys(c.objects[nodeKind])) {
		e := object("nmstate.io/v1beta1", "NodeNetworkConfigurationEnactment", "", node+"."+p.GetName())
		e.SetLabels(map[string]string{"nmstate.io/policy": p.GetName(), "nmstate.io/node": node})
		e.Object["status"] = map[string]any{"policyGeneration": p.GetGeneration(), "conditions": []any{
			map[string]any{"type": "Available", "status": status[0], "lastTransitionTime": c.now.Format(time.RFC3339)},
			map[string]any{"type": "Failing", "status": status[1], "message": "ERROR NmstateError: it failed"},
		}}
		c.objects[enactmentKind][e.GetName()] = e
	}
}

// kubevirtActs takes one machine a step further; at rest until all run as they should.
func (c *cluster) kubevirtActs(atRest bool) bool {
	for _, key := range slices.Sorted(maps.Keys(c.objects[vmKind])) {
		machine, instance := c.objects[vmKind][key], c.objects[instanceKind][key]
		if !atRest && c.IntN(2) == 0 {
			continue
		}
		template := value(machine.Object, "spec", "template", "spec")
		stale := instance != nil && !reflect.DeepEqual(instance.Object["spec"], template)
		switch {
		case machine.GetDeletionTimestamp() != nil && instance != nil:
			delete(c.objects[instanceKind], key)
		case machine.GetDeletionTimestamp() != nil:
			delete(c.objects[vmKind], key)
		case instance == nil, stale && (atRest || c.IntN(3) == 0):
			instance = object("kubevirt.io/v1", "VirtualMachineInstance", machine.GetNamespace(), machine.GetName())
			yes := true
			instance.SetOwnerReferences([]metav1.OwnerReference{{APIVersion: "kubevirt.io/v1", Kind: "VirtualMachine", Name: machine.GetName(), UID: machine.GetUID(), Controller: &yes}})
			instance.Object["spec"] = runtime.DeepCopyJSONValue(template)
			instance.Object["status"] = map[string]any{"nodeName": "worker-1", "phase": "Running"}
			c.objects[instanceKind][key] = instance
			machine.Object["status"] = map[string]any{"printableStatus": "Running", "conditions": []any{map[string]any{"type": "Ready", "status": "True"}}}
		case stale:
			machine.Object["status"] = map[string]any{"printableStatus": "Running", "conditions": []any{
				map[string]any{"type": "Ready", "status": "True"}, map[string]any{"type": "RestartRequired", "status": "True"},
			}}
		default:
			continue
		}
		c.tell("KubeVirt: %s", key)
		return true
	}
	// An instance whose machine was deleted by hand goes with it.
	for key := range c.objects[instanceKind] {
		if c.objects[vmKind][key] == nil {
			delete(c.objects[instanceKind], key)
			return true
		}
	}
	return false
}

// kubevirtDefaults is what KubeVirt's webhook adds.
func kubevirtDefaults(machine *unstructured.Unstructured) {
	spec := machine.Object["spec"].(map[string]any)
	template := value(spec, "template", "spec").(map[string]any)
	template["architecture"] = "amd64"
	domain := template["domain"].(map[string]any)
	domain["machine"] = map[string]any{"type": "q35"}
	domain["firmware"] = map[string]any{"uuid": "5d307ca9-b3ef-428c-8861-06e72d69f223"}
	domain["resources"] = map[string]any{}
	templates, _ := spec["dataVolumeTemplates"].([]any)
	for _, t := range templates {
		t.(map[string]any)["metadata"].(map[string]any)["creationTimestamp"] = nil
	}
}

func (c *cluster) handDeletes() {
	kind := []string{policyKind, nadKind, vmKind}[c.IntN(3)]
	key, ok := pick(c, c.objects[kind])
	if !ok {
		return
	}
	c.tell("by hand: delete %s", key)
	if kind == vmKind {
		t := metav1.NewTime(c.now)
		c.objects[kind][key].SetDeletionTimestamp(&t)
		return
	}
	delete(c.objects[kind], key)
}

func (c *cluster) handEdits() {
	key, ok := pick(c, c.objects[policyKind])
	if !ok {
		return
	}
	p := c.objects[policyKind][key]
	a := p.GetAnnotations()
	if a == nil {
		a = map[string]string{}
	}
	switch c.IntN(4) {
	case 3:
		c.tell("by hand: the attachments of everybody point elsewhere")
		for _, nad := range c.objects[nadKind] {
			nad.Object["spec"] = map[string]any{"config": `{"type":"bridge","bridge":"br-hand"}`}
			nad.SetManagedFields(nil) // whoever writes a field owns it
		}
	case 0:
		if a[lastApplied] != "" {
			c.tell("by hand: %s loses its annotation", key)
			delete(a, lastApplied)
			p.SetAnnotations(a)
		}
	case 1:
		if a[lastApplied] != "" {
			c.tell("by hand: the annotation of %s speaks of another object", key)
			a[lastApplied] = `{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"kube-system"}}`
			p.SetAnnotations(a)
		}
	case 2:
		if !inProgress(p) {
			c.tell("by hand: %s gets a description", key)
			a["example.com/note"] = "mine"
			p.SetAnnotations(a)
		}
	}
}

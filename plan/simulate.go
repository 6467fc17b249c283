package plan

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"novasphere.dev/wukong/dump"
	"novasphere.dev/wukong/sync/facts"
	"novasphere.dev/wukong/sync/model/apply"
	"novasphere.dev/wukong/types/v1alpha1"
)

// rounds is how often all are asked at most. A rollout takes some six; a removal may wait for ever.
const rounds = 24

// simulation is a cluster in which the files are applied.
type simulation struct {
	hook    dump.Hook
	cluster *dump.Cluster
	planned []*Object
	round   int
	uids    int
	waited  time.Duration
	touched []string         // policies that NMState is to take up
	steps   map[string]*Step // by parent and child, the steps that say that nothing happens
	last    map[*Object]*dump.Answer
}

// run asks about all planned objects until nothing changes any more.
func (s *simulation) run() error {
	s.last = map[*Object]*dump.Answer{}
	for s.round = 1; s.round <= rounds; s.round++ {
		changed, again := false, time.Duration(0)
		for _, o := range s.planned {
			answer, err := s.cluster.Ask(s.hook, o.parent)
			if err != nil {
				return fmt.Errorf("%s %s: %w", o.Kind, o.Name, err)
			}
			s.last[o] = answer
			changed = s.take(o, answer) || changed
			if answer.Again > 0 && (again == 0 || answer.Again < again) {
				again = answer.Again
			}
		}
		s.enact()
		s.hook.Now = s.hook.Now.Add(time.Second)
		switch {
		case changed:
		case again == 0 || s.waited >= settle:
			return nil
		default:
			s.waited += again
			s.hook.Now = s.hook.Now.Add(again)
		}
	}
	return nil
}

// uid is a UID that no object has.
func (s *simulation) uid() types.UID {
	s.uids++
	return types.UID(fmt.Sprintf("00000000-0000-0000-0000-%012d", s.uids))
}

// apply applies a file as kubectl would.
func (s *simulation) apply(f File, update func(*unstructured.Unstructured, map[string]any) (*unstructured.Unstructured, error)) *Object {
	o := &Object{Kind: f.kind(), Name: f.Name, File: f.Place}
	if len(f.Refused) > 0 {
		o.Refused, o.Reason = strings.Join(f.Refused, "\n"), "Invalid"
		return o
	}
	o.Verb = Create
	object := f.Object.DeepCopy()
	key := map[string]string{v1alpha1.Kind: facts.WukongKind, v1alpha1.NetworkKind: facts.WukongNetworkKind}[o.Kind]
	existing := s.cluster.Get(key, o.Name)
	if existing == nil {
		object.SetUID(s.uid())
		object.SetGeneration(1)
		object.SetCreationTimestamp(metav1.NewTime(s.hook.Now.Add(time.Duration(s.uids) * time.Second)))
		s.put(o, object)
		return o
	}
	updated, err := update(existing, applied(existing, f.Written))
	if err != nil {
		o.Verb, o.Refused, o.Reason = Hold, err.Error(), "Invalid"
		return o
	}
	updated.SetUID(existing.GetUID())
	updated.SetGeneration(existing.GetGeneration())
	if o.Changes = differences("spec", existing.Object["spec"], updated.Object["spec"]); len(o.Changes) == 0 {
		o.Verb = Keep
		s.put(o, existing)
		return o
	}
	o.Verb = Change
	updated.SetGeneration(existing.GetGeneration() + 1)
	s.put(o, updated)
	return o
}

func (s *simulation) put(o *Object, parent *unstructured.Unstructured) {
	o.parent = parent
	s.cluster.Put(parent)
}

// applied is a file over what exists, as kubectl apply merges them: fields that the file had before and has no more go, other people's
// stay, and lists are replaced.
func applied(existing *unstructured.Unstructured, written map[string]any) map[string]any {
	var before map[string]any
	if noted, ok := existing.GetAnnotations()["kubectl.kubernetes.io/last-applied-configuration"]; ok {
		_ = json.Unmarshal([]byte(noted), &before) // without it nothing goes
	}
	merged := existing.DeepCopy().Object
	spec, _ := merged["spec"].(map[string]any)
	if spec == nil {
		spec = map[string]any{}
	}
	old, _ := before["spec"].(map[string]any)
	now, _ := written["spec"].(map[string]any)
	merged["spec"] = patched(spec, old, now)
	return merged
}

func patched(existing, before, now map[string]any) map[string]any {
	for field := range before {
		if _, ok := now[field]; !ok {
			delete(existing, field)
		}
	}
	for field, want := range now {
		have, isMap := existing[field].(map[string]any)
		wanted, isObject := want.(map[string]any)
		if was, _ := before[field].(map[string]any); isMap && isObject {
			existing[field] = patched(have, was, wanted)
		} else {
			existing[field] = want
		}
	}
	return existing
}

// take does what Metacontroller does with an answer, and says whether that has changed anything.
func (s *simulation) take(o *Object, a *dump.Answer) bool {
	changed := false
	wanted := map[string]bool{}
	for _, child := range a.Children {
		wanted[child.GetKind()+" "+facts.Qualified(child.GetNamespace(), child.GetName())] = true
	}
	for _, kind := range []string{facts.MachineKind, facts.AttachmentKind, facts.PolicyKind} {
		for _, child := range s.cluster.Children(o.parent, kind) {
			key := facts.Qualified(child.GetNamespace(), child.GetName())
			if !wanted[child.GetKind()+" "+key] {
				s.step(o, Delete, child).Dangers = s.lost(child)
				s.cluster.Remove(kind, key)
				changed = true
			}
		}
	}
	for _, child := range a.Children {
		changed = s.store(o, child, a) || changed
	}
	status := a.Status
	status["observedGeneration"] = o.parent.GetGeneration()
	if !reflect.DeepEqual(status, o.parent.Object["status"]) {
		parent := o.parent.DeepCopy()
		parent.Object["status"] = status
		s.put(o, parent)
	}
	return changed
}

// step is a new step about a child.
func (s *simulation) step(o *Object, verb Verb, child *unstructured.Unstructured) *Step {
	step := &Step{Round: s.round, Verb: verb, Kind: child.GetKind(), Namespace: child.GetNamespace(), Name: child.GetName()}
	o.Steps = append(o.Steps, step)
	return step
}

// store stores one child of an answer, and says whether that has changed anything.
func (s *simulation) store(o *Object, child *unstructured.Unstructured, a *dump.Answer) bool {
	kind := kindKey(child)
	key := facts.Qualified(child.GetNamespace(), child.GetName())
	existing := s.cluster.Get(kind, key)
	if existing == nil {
		s.create(o, child)
		step := s.step(o, Create, child)
		step.Nodes = nodesOf(a, child.GetName())
		s.took(child)
		return true
	}
	merged := s.merge(existing, child)
	changes := differences("", content(existing), content(merged))
	at := o.Kind + " " + o.Name + " " + kind + " " + key
	if len(changes) == 0 {
		if s.round == 1 {
			s.steps[at] = s.step(o, Keep, child)
		}
		return false
	}
	step := s.steps[at]
	if delete(s.steps, at); step == nil {
		step = s.step(o, Change, child)
	}
	step.Round, step.Verb, step.Changes = s.round, Change, changes
	step.Dangers = s.dangers(existing, merged)
	step.Nodes = nodesOf(a, child.GetName())
	if !reflect.DeepEqual(existing.Object["spec"], merged.Object["spec"]) {
		merged.SetGeneration(existing.GetGeneration() + 1)
		s.took(merged)
	}
	s.cluster.Put(merged)
	return true
}

func kindKey(u *unstructured.Unstructured) string {
	return kindOf(u.GetKind())
}

// kindOf is the kind of a child as requests name it.
func kindOf(kind string) string {
	return map[string]string{
		"NodeNetworkConfigurationPolicy": facts.PolicyKind, "NetworkAttachmentDefinition": facts.AttachmentKind, "VirtualMachine": facts.MachineKind,
	}[kind]
}

// took notes that NMState has to take a policy up.
func (s *simulation) took(child *unstructured.Unstructured) {
	if kindKey(child) == facts.PolicyKind {
		s.touched = append(s.touched, child.GetName())
	}
}

// create creates a child as Metacontroller does.
func (s *simulation) create(o *Object, child *unstructured.Unstructured) {
	stored := child.DeepCopy()
	apply.Note(stored.Object, child.Object)
	stored.SetUID(s.uid())
	stored.SetGeneration(1)
	stored.SetCreationTimestamp(metav1.NewTime(s.hook.Now))
	labels := stored.GetLabels()
	if labels == nil {
		labels = map[string]string{}
	}
	labels[facts.LabelControllerUID] = string(o.parent.GetUID())
	stored.SetLabels(labels)
	stored.SetOwnerReferences([]metav1.OwnerReference{{
		APIVersion: o.parent.GetAPIVersion(), Kind: o.parent.GetKind(), Name: o.Name, UID: o.parent.GetUID(), Controller: new(true), BlockOwnerDeletion: new(true),
	}})
	s.cluster.Put(stored)
}

// merge is what Metacontroller would write over an object: by dynamic apply, or by server-side apply where that has written it before.
func (s *simulation) merge(existing, child *unstructured.Unstructured) *unstructured.Unstructured {
	from := existing.DeepCopy()
	annotations := from.GetAnnotations()
	noted, dynamic := annotations[facts.AnnotationLastApplied]
	if dynamic && !json.Valid([]byte(noted)) {
		delete(annotations, facts.AnnotationLastApplied) // dynamic apply could not read it either
		from.SetAnnotations(annotations)
	}
	serverSide := slices.ContainsFunc(from.GetManagedFields(), func(f metav1.ManagedFieldsEntry) bool {
		return f.Operation == metav1.ManagedFieldsOperationApply && f.Manager == "metacontroller"
	})
	if serverSide && !dynamic {
		return &unstructured.Unstructured{Object: apply.ServerSide(from.Object, child.Object)}
	}
	return &unstructured.Unstructured{Object: apply.Dynamic(from.Object, child.Object)}
}

// content is what of an object counts as changed: its spec, labels and annotations, without Metacontroller's own notes.
func content(u *unstructured.Unstructured) map[string]any {
	labels, annotations := map[string]any{}, map[string]any{}
	for key, value := range u.GetLabels() {
		if key != facts.LabelControllerUID {
			labels[key] = value
		}
	}
	for key, value := range u.GetAnnotations() {
		if key != facts.AnnotationLastApplied {
			annotations[key] = value
		}
	}
	return map[string]any{"spec": u.Object["spec"], "metadata": map[string]any{"labels": labels, "annotations": annotations}}
}

// nodesOf are the looks at the nodes of a policy.
func nodesOf(a *dump.Answer, policy string) []Node {
	var all []Node
	for _, look := range a.Looks {
		if look.Policy == policy {
			all = append(all, Node{Name: look.Node, Refused: look.Refused, Waits: look.Waits})
		}
	}
	return all
}

// conclude says where an object has come in the end.
func (s *simulation) conclude(o *Object) {
	a := s.last[o]
	ready, stalled := a.Of(v1alpha1.ConditionReady), a.Of(v1alpha1.ConditionStalled)
	switch {
	case stalled.Status == metav1.ConditionTrue:
		o.Refused, o.Reason = stalled.Message, stalled.Reason
	case ready.Status == metav1.ConditionTrue:
	case o.Kind == v1alpha1.Kind && s.machine(o) != nil && networked(a):
		// The machine starts, or is in whatever state it was in.
		if s.existed(o) {
			o.Notes = append(o.Notes, "now: "+ready.Message)
		}
	default:
		o.Waits, o.Reason = ready.Message, ready.Reason
	}
	if ready.Status == metav1.ConditionTrue && (o.Kind == v1alpha1.NetworkKind || s.existed(o)) {
		o.Notes = append(o.Notes, ready.Message)
	}
	o.look(a)
	o.tell(a)
}

// look takes over what was found of the nodes of policies that do not come to be.
func (o *Object) look(a *dump.Answer) {
	if o.Refused == "" && o.Waits == "" {
		return
	}
	for _, look := range a.Looks {
		made := slices.ContainsFunc(o.Steps, func(step *Step) bool { return step.Verb == Create && step.Name == look.Policy })
		if !made && (look.Refused != "" || look.Waits != "" || o.Reason == string(v1alpha1.ReasonPreflightRefused)) {
			o.Looks = append(o.Looks, Node{Policy: look.Policy, Name: look.Node, Refused: look.Refused, Waits: look.Waits})
		}
	}
}

// tell takes over what the status says of each network: beside the child that it is about where that is held, else as a note.
func (o *Object) tell(a *dump.Answer) {
	networks, _, _ := unstructured.NestedSlice(a.Status, "networks")
	for _, item := range networks {
		network, _ := item.(map[string]any)
		message, _ := network["message"].(string)
		if message == "" {
			continue
		}
		held := false
		for _, step := range o.Steps {
			key := facts.Qualified(step.Namespace, step.Name)
			if step.Verb == Keep && o.Verb == Change && (key == network["policyName"] || key == network["nadName"]) {
				step.Verb, step.Why, held = Hold, message, true
			}
		}
		if !held && !strings.Contains(o.Refused+o.Waits, message) {
			o.Notes = append(o.Notes, fmt.Sprintf("network %v: %s", network["name"], message))
		}
	}
	if c := a.Of(v1alpha1.ConditionNodeNetworkReady); c.Status == metav1.ConditionUnknown {
		o.Notes = append(o.Notes, c.Message)
	}
	for _, note := range a.Notes {
		o.Notes = append(o.Notes, strings.TrimPrefix(note, o.Kind+" "+o.Name+": "))
	}
	for _, step := range o.Steps {
		if step.Verb == Keep && a.Of(v1alpha1.ConditionReady).Reason == string(v1alpha1.ReasonInvalidSpec) {
			step.Verb = Hold
		}
	}
}

func (s *simulation) machine(o *Object) *unstructured.Unstructured {
	for _, u := range s.cluster.Children(o.parent, facts.MachineKind) {
		return u
	}
	return nil
}

// existed reports whether the machine was there before.
func (s *simulation) existed(o *Object) bool {
	return s.machine(o) != nil && !slices.ContainsFunc(o.Steps, func(step *Step) bool { return step.Kind == "VirtualMachine" && step.Verb == Create })
}

// networked reports whether nothing is missing but the machine.
func networked(a *dump.Answer) bool {
	for _, kind := range []string{v1alpha1.ConditionNodeNetworkReady, v1alpha1.ConditionAttachmentsReady} {
		if a.Of(kind).Status == metav1.ConditionFalse {
			return false
		}
	}
	return true
}

package sync_test

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	jsonv2 "github.com/go-json-experiment/json"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/sync/facts"
	"novasphere.dev/wukong/sync/model/apply"
)

// Labels, annotations and owners of what is observed are anybody's to edit. Content decides what an object is, so no edit of them
// may take anything from what runs.

// keeping are the hooks whose answers decide what stays.
var keeping = []string{"sync", "finalize", "network-sync", "network-finalize"}

// markEdits is how many edits one request gets at most, and markLength how many bytes one is drawn from.
const markEdits, markLength = 6, 4

// FuzzMarks edits labels, annotations and owners of everything that golden requests observe, and holds that what the answer to the
// request as it was keeps for those who run on it, the answer to the edited one keeps as well.
func FuzzMarks(f *testing.F) {
	var golden []markCase
	for _, hook := range keeping {
		dirs, err := filepath.Glob(filepath.Join("..", "testdata", hook, "*"))
		if err != nil || len(dirs) == 0 {
			f.Fatalf("no cases of %s (%v)", hook, err)
		}
		for _, dir := range dirs {
			golden = append(golden, markCase{hook, filepath.Base(dir), mustRead(f, filepath.Join(dir, "request.json"))})
		}
	}
	for i := range golden {
		chance := rand.New(rand.NewPCG(uint64(i), 3))
		for range (i + 1) % 2 { // every other case: with the race detector each takes a while
			edits := make([]byte, markEdits*markLength)
			for at := range edits {
				edits[at] = byte(chance.Uint32())
			}
			f.Add(uint16(i), edits)
		}
	}
	f.Fuzz(func(t *testing.T, which uint16, edits []byte) {
		c := golden[int(which)%len(golden)]
		before, answeredBefore, ok := c.answered(t, nil)
		if !ok {
			return
		}
		after, answeredAfter, ok := c.answered(t, edits)
		if !ok {
			t.Fatalf("%s/%s: the edited request has no answer", c.hook, c.name)
		}
		losesNothing(t, c, standing(before, answeredBefore), answeredAfter, after)
	})
}

// markCase is a golden request.
type markCase struct {
	hook, name string
	raw        []byte
}

// answered is the request after some edits, with its answer.
func (c markCase) answered(t *testing.T, edits []byte) (*posted, answered, bool) {
	t.Helper()
	req := &posted{}
	if err := json.Unmarshal(c.raw, req); err != nil {
		return nil, answered{}, false
	}
	editMarks(req, edits)
	raw, err := json.Marshal(req)
	if err != nil {
		t.Fatal(err)
	}
	q, err := hooks[c.hook](raw)
	if err != nil {
		return nil, answered{}, false
	}
	resp, err := q.answer(goldenNow)
	if err != nil {
		return nil, answered{}, false
	}
	return req, common(t, resp), true
}

// foothold is what something stands on, as it is after the answer.
type foothold struct {
	of     string
	object *unstructured.Unstructured
}

// standing are the children that an answer keeps and that somebody uses: machines, the attachments that machines and instances name,
// and the policies of bridges that attachments plug into.
func standing(req *posted, resp answered) []foothold {
	var all []foothold
	for _, child := range resp.children {
		observed := req.Children[kindOf(child)][name(child)]
		if observed == nil || !used(req, child) {
			continue
		}
		all = append(all, foothold{key(child), applied(observed, child)})
	}
	return all
}

// used reports whether somebody uses a child.
func used(req *posted, child *unstructured.Unstructured) bool {
	switch kindOf(child) {
	case machineKind:
		return true
	case attachmentKind:
		return plugged(req, child.GetNamespace(), child.GetName())
	case policyKind:
		observed := req.Children[policyKind][child.GetName()]
		for _, a := range bothOf(req, attachmentKind) {
			if bridge := bridgeIn(a); bridge != "" && bridge == policyBridge(observed) {
				return true
			}
		}
	}
	return false
}

// bothOf are the objects of a kind among children and related objects.
func bothOf(req *posted, kind string) []*unstructured.Unstructured {
	var all []*unstructured.Unstructured
	for _, set := range []objects{req.Children, req.Related} {
		for _, at := range slices.Sorted(maps.Keys(set[kind])) {
			if set[kind][at] != nil {
				all = append(all, set[kind][at])
			}
		}
	}
	return all
}

// plugged reports whether a machine or instance names an attachment.
func plugged(req *posted, namespace, name string) bool {
	for _, kind := range []string{machineKind, "VirtualMachineInstance.kubevirt.io/v1"} {
		for _, m := range bothOf(req, kind) {
			if slices.Contains(attachmentsOf(m), facts.Qualified(namespace, name)) {
				return true
			}
		}
	}
	return false
}

// attachmentsOf are the attachments that a machine or an instance names.
func attachmentsOf(m *unstructured.Unstructured) []string {
	path := []string{"spec", "networks"}
	if kindOf(m) == machineKind {
		path = []string{"spec", "template", "spec", "networks"}
	}
	networks, _, _ := unstructured.NestedSlice(m.Object, path...)
	var all []string
	for _, n := range networks {
		fields, _ := n.(map[string]any)
		if named, _, _ := unstructured.NestedString(fields, "multus", "networkName"); named != "" {
			all = append(all, facts.Qualified(facts.Unqualified(named, m.GetNamespace())))
		}
	}
	return all
}

// bridgeIn is the bridge in an attachment's configuration.
func bridgeIn(a *unstructured.Unstructured) string {
	text, _, _ := unstructured.NestedString(a.Object, "spec", "config")
	var config struct {
		Bridge string `json:"bridge"`
	}
	if jsonv2.Unmarshal([]byte(text), &config) != nil {
		return ""
	}
	return config.Bridge
}

// policyBridge is the bridge in a policy's desired state.
func policyBridge(p *unstructured.Unstructured) string {
	interfaces, _, _ := unstructured.NestedSlice(p.Object, "spec", "desiredState", "interfaces")
	for _, i := range interfaces {
		fields, _ := i.(map[string]any)
		if kind, _ := fields["type"].(string); kind == "linux-bridge" || kind == "ovs-bridge" {
			named, _ := fields["name"].(string)
			return named
		}
	}
	return ""
}

// applied is an observed child after the answer, as dynamic apply makes it. A note that is no JSON stops Metacontroller: then it stays.
func applied(observed, child *unstructured.Unstructured) *unstructured.Unstructured {
	note, noted := observed.GetAnnotations()[apply.LastApplied]
	switch {
	case noted && note == "":
		observed = observed.DeepCopy()
		observed.SetAnnotations(nil)
	case noted && json.Unmarshal([]byte(note), &map[string]any{}) != nil:
		return observed
	}
	return &unstructured.Unstructured{Object: apply.Dynamic(observed.Object, child.Object)}
}

// losesNothing holds that what somebody stands on is still answered, and that its content is what it would have been, or what it is.
func losesNothing(t *testing.T, c markCase, before []foothold, resp answered, req *posted) {
	t.Helper()
	answered := map[string]*unstructured.Unstructured{}
	for _, child := range resp.children {
		answered[key(child)] = child
	}
	for _, k := range before {
		child := answered[k.of]
		if child == nil {
			if kindOf(k.object) != policyKind || !builtByAnother(k.object, resp) {
				t.Errorf("%s/%s: %s is lost", c.hook, c.name, k.of)
			}
			continue
		}
		observed := req.Children[kindOf(child)][name(child)]
		after := applied(observed, child)
		if kindOf(child) == machineKind {
			for _, a := range attachmentsOf(k.object) {
				if slices.Contains(attachmentsOf(observed), a) && !slices.Contains(attachmentsOf(after), a) {
					t.Errorf("%s/%s: %s loses %s", c.hook, c.name, k.of, a)
				}
			}
			continue
		}
		spec := after.Object["spec"]
		if !reflect.DeepEqual(spec, k.object.Object["spec"]) && !reflect.DeepEqual(spec, observed.Object["spec"]) {
			t.Errorf("%s/%s: %s becomes %v, and would be %v", c.hook, c.name, k.of, spec, k.object.Object["spec"])
		}
	}
}

// builtByAnother reports whether another policy in an answer builds the bridge of one: then the nodes have it all the same.
func builtByAnother(lost *unstructured.Unstructured, resp answered) bool {
	return slices.ContainsFunc(resp.children, func(child *unstructured.Unstructured) bool {
		return kindOf(child) == policyKind && policyBridge(child) == policyBridge(lost)
	})
}

// editMarks edits labels, annotations and owners.
func editMarks(req *posted, edits []byte) {
	var all []*unstructured.Unstructured
	for _, set := range []objects{req.Children, req.Related} {
		for _, kind := range slices.Sorted(maps.Keys(set)) {
			if kind == "Node.v1" || kind == nodeKind {
				continue // their labels say which nodes a policy is for
			}
			for _, at := range slices.Sorted(maps.Keys(set[kind])) {
				if set[kind][at] != nil {
					all = append(all, set[kind][at])
				}
			}
		}
	}
	if len(all) == 0 {
		return
	}
	edited := map[*unstructured.Unstructured]string{}
	for n := 0; n < markEdits && len(edits) >= markLength; n++ {
		object, other := all[int(edits[1])%len(all)], all[int(edits[2])%len(all)]
		editMark(req, object, other, edits[0], edits[3], edited)
		edits = edits[markLength:]
	}
}

// markValues are what labels and annotations are set to.
var markValues = []string{
	"", "x", "bridge", "ovs", "macvlan", "sriov", "br-lan", "br-else", "ens160", "ens192.7", "ens999", "Delete", "Retain", "lan", "wukong",
	"2026-11-23T11:59:59Z", "2020-01-01T00:00:00Z", "2030-01-01T00:00:00Z", "{}", `{"spec":{}}`, "null",
}

// ownKeys are the labels and annotations that the hook or Metacontroller writes.
var ownKeys = []string{
	facts.LabelManagedBy, facts.LabelWukong, facts.LabelWukongNetwork, facts.LabelNetwork, facts.LabelBridge, facts.LabelUplink, facts.LabelType,
	facts.LabelNIC, facts.LabelReclaimPolicy, facts.LabelControllerUID, "nmstate.io/policy", "nmstate.io/node",
}

// editMark makes one edit. Of one object either the labels are edited to say something else, or the note of the last answer is: both
// with the same aim make it another object.
func editMark(req *posted, object, other *unstructured.Unstructured, kind, with byte, edited map[*unstructured.Unstructured]string) {
	part := map[byte]string{1: "labels", 2: "labels", 5: "note", 6: "note", 7: "note"}[kind%10]
	if before := edited[object]; part != "" && before != "" && before != part {
		return
	}
	if part != "" {
		edited[object] = part
	}
	labels, annotations := object.GetLabels(), object.GetAnnotations()
	if labels == nil {
		labels = map[string]string{}
	}
	if annotations == nil {
		annotations = map[string]string{}
	}
	own, value := ownKeys[int(with)%len(ownKeys)], markValues[int(with)%len(markValues)]
	switch kind % 10 {
	case 0:
		delete(labels, own)
	case 1:
		labels[own] = markValues[int(kind)*7%len(markValues)]
	case 2:
		labels = other.GetLabels()
	case 3:
		labels = nil
	case 4:
		annotations[facts.AnnotationRemoving] = value
	case 5:
		delete(annotations, facts.AnnotationLastApplied)
	case 6:
		annotations[facts.AnnotationLastApplied] = value
	case 7:
		annotations = other.GetAnnotations()
	case 8:
		object.SetOwnerReferences(nil)
		if with%2 == 0 {
			object.SetOwnerReferences(other.GetOwnerReferences())
		}
	default:
		if req.Parent != nil {
			yes := true
			references := object.GetOwnerReferences()
			for i := range references {
				references[i].UID, references[i].Controller = req.Parent.GetUID(), &yes
			}
			object.SetOwnerReferences(references)
		}
	}
	object.SetLabels(labels)
	object.SetAnnotations(annotations)
}

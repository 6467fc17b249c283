package sync_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/sync"
	"novasphere.dev/wukong/sync/model/apply"
	"novasphere.dev/wukong/types/v1alpha1"
)

// The kinds of children, as they stand in a request.
const (
	policyKind     = "NodeNetworkConfigurationPolicy.nmstate.io/v1"
	attachmentKind = "NetworkAttachmentDefinition.k8s.cni.cncf.io/v1"
	machineKind    = "VirtualMachine.kubevirt.io/v1"
)

// posted is a request as whole objects: what Metacontroller has before it sends it.
type posted struct {
	Controller json.RawMessage  `json:"controller,omitempty"`
	Parent     *v1alpha1.Wukong `json:"parent"`
	Children   objects          `json:"children"`
	Related    objects          `json:"related"`
	Finalizing bool             `json:"finalizing"`
}

// objects are whole objects by kind and name.
type objects map[string]map[string]*unstructured.Unstructured

// request is what the hook reads of it.
func (p *posted) request(t *testing.T) *sync.Request {
	t.Helper()
	raw, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	return decode[sync.Request](t, raw)
}

// eachRequest calls f with every golden request of /sync and /finalize that is answered.
func eachRequest(t *testing.T, f func(t *testing.T, hook string, req *posted)) {
	for _, hook := range []string{"sync", "finalize"} {
		for _, dir := range cases(t, hook) {
			raw := read(t, dir, "request.json")
			if _, err := hooks[hook](t, raw, goldenNow); err != nil {
				continue
			}
			t.Run(hook+"/"+filepath.Base(dir), func(t *testing.T) {
				req := &posted{}
				if err := json.Unmarshal(raw, req); err != nil {
					t.Fatal(err)
				}
				f(t, hook, req)
			})
		}
	}
}

func answer(t *testing.T, hook string, req *sync.Request, now time.Time) *sync.Response {
	t.Helper()
	call := sync.Sync
	if hook == "finalize" {
		call = sync.Finalize
	}
	resp, err := call(req, goldenSettings, now)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

func TestTheRequestIsNotModified(t *testing.T) {
	eachRequest(t, func(t *testing.T, hook string, req *posted) {
		asked, untouched := req.request(t), req.request(t)
		answer(t, hook, asked, goldenNow)
		if !reflect.DeepEqual(asked, untouched) {
			t.Error("the request changed")
		}
	})
}

func TestTheSameRequestHasTheSameAnswer(t *testing.T) {
	eachRequest(t, func(t *testing.T, hook string, req *posted) {
		first := indented(t, answer(t, hook, req.request(t), goldenNow))
		for range 3 {
			if again := indented(t, answer(t, hook, req.request(t), goldenNow)); !bytes.Equal(first, again) {
				t.Fatalf("two answers differ:\n%s", cmp.Diff(string(first), string(again)))
			}
		}
	})
}

// TestNothingThatExistsIsLost holds the one rule: a child that is missing from the answer is deleted, so what exists is
// answered unless the user removed it.
func TestNothingThatExistsIsLost(t *testing.T) {
	eachRequest(t, func(t *testing.T, hook string, req *posted) {
		if hook == "finalize" {
			return
		}
		answered := map[string]bool{}
		for _, child := range answer(t, hook, req.request(t), goldenNow).Children {
			answered[key(child)] = true
		}
		for _, objects := range req.Children {
			for _, object := range objects {
				if !answered[key(object)] && (object.GetKind() == "VirtualMachine" || inSpec(req, object) && !leaves(t)) {
					t.Errorf("%s exists, and is not in the answer", key(object))
				}
			}
		}
	})
}

// leaves is true in the stories in which something leaves whose network is in the spec: of a network that was removed and
// added again under its old name, where what exists was made for the removed one; of a policy that came second to a NIC,
// and that NMState has not taken up or that has given it back; and, while nothing stands on it, of one that came to a bridge
// which another Wukong is taking away, or whose bridge a node has lost to
// another.
func leaves(t *testing.T) bool {
	return slices.ContainsFunc([]string{
		"network-added-again", "second-is-withdrawn", "second-gives-it-back-3", "is-begun-again-later", "is-given-up",
	}, func(story string) bool { return strings.Contains(t.Name(), story) })
}

// inSpec says that an object was made for a network that the spec still has.
func inSpec(req *posted, object *unstructured.Unstructured) bool {
	for _, n := range req.Parent.Spec.Networks {
		if name := req.Parent.Name + "-" + n.Name; object.GetName() == name+"-bridge" || object.GetName() == name+"-nad" {
			return true
		}
	}
	return false
}

// TestTheAnswerSettles stores each answer as Metacontroller would, and asks again, later: soon nothing may change any
// more, neither a child nor the status.
func TestTheAnswerSettles(t *testing.T) {
	const enough = 8
	eachRequest(t, func(t *testing.T, hook string, req *posted) {
		var last []byte
		for round := range enough {
			resp := answer(t, hook, req.request(t), goldenNow.Add(time.Duration(round)*time.Second))
			got := indented(t, resp)
			if bytes.Equal(got, last) {
				return
			}
			if round == enough-1 {
				t.Fatalf("after %d rounds the answer still changes:\n%s", enough, cmp.Diff(string(last), string(got)))
			}
			last = got
			store(t, req, resp)
		}
	})
}

// store makes of an answer the next request: the status with what Metacontroller adds, and the children with the notes
// of its dynamic apply. What others wrote into a child's status and metadata stays.
func store(t *testing.T, req *posted, resp *sync.Response) {
	t.Helper()
	req.Parent.Status = resp.Status
	req.Parent.Status.ObservedGeneration = req.Parent.Generation
	before := req.Children
	req.Children = objects{}
	for kind := range before {
		req.Children[kind] = map[string]*unstructured.Unstructured{}
	}
	for _, child := range resp.Children {
		kind, name := kindOf(child), name(child)
		desired := child.DeepCopy()
		labels := desired.GetLabels()
		if labels == nil {
			labels = map[string]string{}
		}
		labels["controller-uid"] = string(req.Parent.UID)
		desired.SetLabels(labels)
		stored := desired.DeepCopy()
		if existing := before[kind][name]; existing != nil {
			stored.Object = apply.Dynamic(existing.Object, desired.Object)
		} else {
			apply.Note(stored.Object, desired.Object)
		}
		req.Children[kind][name] = stored
	}
}

// TestChildrenAreWhatTheAPIServerKeeps holds what makes an answer safe to write: whatever the API server or a webhook
// would write differently is written again at every sync, and for a policy for ever.
func TestChildrenAreWhatTheAPIServerKeeps(t *testing.T) {
	schemas := childSchemas(t)
	eachRequest(t, func(t *testing.T, hook string, req *posted) {
		declared := map[string]bool{}
		for kind := range req.Children {
			declared[kind] = true
		}
		seen := map[string]bool{}
		for _, child := range answer(t, hook, req.request(t), goldenNow).Children {
			if seen[key(child)] {
				t.Errorf("%s is answered twice", key(child))
			}
			seen[key(child)] = true
			if !declared[kindOf(child)] {
				t.Errorf("%s is of a kind that the controller does not declare", key(child))
			}
			if _, ok := child.GetLabels()["controller-uid"]; ok || len(child.GetOwnerReferences()) > 0 {
				t.Errorf("%s carries what Metacontroller sets itself", key(child))
			}
			if isPolicy := child.GetKind() == "NodeNetworkConfigurationPolicy"; isPolicy != (child.GetNamespace() == "") {
				t.Errorf("%s: namespace %q", key(child), child.GetNamespace())
			}
			unwritable(t, key(child), child.Object)
			uniqueInterfaces(t, child)

			kept, err := schemas[child.GetKind()].Admit(child)
			if err != nil {
				t.Errorf("%s: %v", key(child), err)
				continue
			}
			for _, added := range []string{"uid", "creationTimestamp", "generation"} {
				unstructured.RemoveNestedField(kept.Object, "metadata", added)
			}
			if diff := cmp.Diff(child.Object, kept.Object); diff != "" {
				t.Errorf("%s is not kept as it is answered (-answered +kept):\n%s", key(child), diff)
			}
		}
	})
}

// kept are the empty maps that KubeVirt and NMState mean something by.
var kept = []string{"pod", "masquerade", "bridge", "sriov", "vlan", "blank", "noCloud", "namespaceSelector"}

// unwritable finds nulls, fractions and empty maps and lists.
func unwritable(t *testing.T, path string, v any) {
	t.Helper()
	switch v := v.(type) {
	case nil:
		t.Errorf("%s is null", path)
	case float64:
		t.Errorf("%s is a fraction: %v", path, v)
	case []any:
		if len(v) == 0 {
			t.Errorf("%s is an empty list", path)
		}
		for i, item := range v {
			unwritable(t, fmt.Sprintf("%s[%d]", path, i), item)
		}
	case map[string]any:
		if len(v) == 0 && !slices.Contains(kept, path[strings.LastIndex(path, ".")+1:]) {
			t.Errorf("%s is an empty map", path)
		}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			// What KubeVirt wrote into a template is answered as it stands.
			if key != "dataVolumeTemplates" {
				unwritable(t, path+"."+key, v[key])
			}
		}
	}
}

// uniqueInterfaces holds that no two interfaces of a policy share a name: Metacontroller merges them by it.
func uniqueInterfaces(t *testing.T, child *unstructured.Unstructured) {
	t.Helper()
	interfaces, _, _ := unstructured.NestedSlice(child.Object, "spec", "desiredState", "interfaces")
	seen := map[any]bool{}
	for _, i := range interfaces {
		name := i.(map[string]any)["name"]
		if seen[name] {
			t.Errorf("%s has two interfaces %v", key(child), name)
		}
		if s, _ := name.(string); len(s) > 15 {
			t.Errorf("%s: interface %s is longer than the kernel's 15 characters", key(child), s)
		}
		seen[name] = true
	}
}

func key(object *unstructured.Unstructured) string {
	return object.GetKind() + " " + object.GetNamespace() + "/" + object.GetName()
}

// kindOf and name are where an object stands in a request.
func kindOf(object *unstructured.Unstructured) string {
	return object.GetKind() + "." + object.GetAPIVersion()
}

func name(object *unstructured.Unstructured) string {
	if object.GetNamespace() == "" {
		return object.GetName()
	}
	return object.GetNamespace() + "/" + object.GetName()
}

// TestEmptyAnswersAreNeverNull holds the two forms of children that Metacontroller turns into a catastrophe.
func TestEmptyAnswersAreNeverNull(t *testing.T) {
	raw, err := json.Marshal(sync.Response{})
	if err != nil || !strings.Contains(string(raw), `"children":[]`) {
		t.Errorf("no children encode as %s (%v)", raw, err)
	}
	for _, empty := range []*unstructured.Unstructured{nil, {}} {
		if raw, err := json.Marshal(sync.Response{Children: sync.Children{empty}}); err == nil {
			t.Errorf("an empty child encodes as %s", raw)
		}
	}
}

// FuzzSync holds that whatever is posted, no answer loses what exists, and none is one that Metacontroller cannot take.
func FuzzSync(f *testing.F) {
	for _, hook := range []string{"sync", "finalize"} {
		dirs, err := filepath.Glob(filepath.Join("..", "testdata", hook, "*"))
		if err != nil || len(dirs) == 0 {
			f.Fatalf("no cases of %s (%v)", hook, err)
		}
		for _, dir := range dirs {
			f.Add(mustRead(f, filepath.Join(dir, "request.json")))
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var req, again sync.Request
		var whole posted
		if jsonv2.Unmarshal(raw, &req) != nil || jsonv2.Unmarshal(raw, &again) != nil || jsonv2.Unmarshal(raw, &whole) != nil || !sent(&whole) {
			return
		}
		for hook, call := range map[string]func(*sync.Request, sync.Settings, time.Time) (*sync.Response, error){"sync": sync.Sync, "finalize": sync.Finalize} {
			resp, err := call(&req, goldenSettings, goldenNow)
			if !reflect.DeepEqual(req, again) {
				t.Errorf("%s: the request is modified", hook)
			}
			if err != nil {
				continue
			}
			if second, err := call(&req, goldenSettings, goldenNow); err != nil || !bytes.Equal(indented(t, resp), indented(t, second)) {
				t.Errorf("%s: two answers differ (%v)", hook, err)
			}
			keepsWhatExists(t, hook, &whole, resp)
		}
	})
}

// sent reports whether Metacontroller may send such a request: an object is of the kind and has the name that it stands under.
func sent(req *posted) bool {
	for _, kinds := range []objects{req.Children, req.Related} {
		for kind, named := range kinds {
			for at, object := range named {
				if object != nil && (kindOf(object) != kind || object.GetName() == "" || name(object) != at) {
					return false
				}
			}
		}
	}
	return true
}

// keepsWhatExists holds what is true of every answer: each child has an identity, and stands once; a machine stays until its
// Wukong is deleted, everything stays where the spec is not understood or nothing was deleted, and nothing exists any more
// of what is finalized.
func keepsWhatExists(t *testing.T, hook string, req *posted, resp *sync.Response) {
	t.Helper()
	answered := map[string]bool{}
	for _, child := range resp.Children {
		if child == nil || child.GetKind() == "" || child.GetName() == "" {
			t.Fatalf("%s: a child without identity: %v", hook, child)
		}
		if answered[key(child)] {
			t.Errorf("%s: %s is answered twice", hook, key(child))
		}
		answered[key(child)] = true
	}
	invalid := len(resp.Status.Conditions) > 0 && resp.Status.Conditions[0].Reason == "InvalidSpec"
	everything := hook == "sync" && invalid || hook == "finalize" && req.Parent.DeletionTimestamp == nil
	for _, kind := range []string{policyKind, attachmentKind, machineKind} {
		for _, object := range req.Children[kind] {
			if object == nil {
				continue
			}
			if stays := everything || hook == "sync" && kind == machineKind; stays && !answered[key(object)] {
				t.Errorf("%s: %s is lost", hook, key(object))
			}
			if resp.Finalized {
				t.Errorf("%s: finalized while %s exists", hook, key(object))
			}
		}
	}
}

package sync_test

import (
	"bytes"
	gocmp "cmp"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/sync"
	"novasphere.dev/wukong/sync/model/apply"
)

// The kinds of children, as they stand in a request.
const (
	policyKind     = "NodeNetworkConfigurationPolicy.nmstate.io/v1"
	attachmentKind = "NetworkAttachmentDefinition.k8s.cni.cncf.io/v1"
	machineKind    = "VirtualMachine.kubevirt.io/v1"
	nodeKind       = "WukongNode.vm.novasphere.dev/v1alpha1"
)

// deciding are the hooks that answer what should exist.
var deciding = []string{"sync", "finalize", "network-sync", "network-finalize", "node-sync"}

// posted is a request as whole objects: what Metacontroller has before it sends it.
type posted struct {
	Controller  json.RawMessage            `json:"controller,omitempty"`
	Parent      *unstructured.Unstructured `json:"parent,omitempty"`
	Object      *unstructured.Unstructured `json:"object,omitempty"` // the parent of a DecoratorController
	Children    objects                    `json:"children,omitempty"`
	Attachments objects                    `json:"attachments,omitempty"` // the children of a DecoratorController
	Related     objects                    `json:"related"`
	Finalizing  bool                       `json:"finalizing"`
}

// objects are whole objects by kind and name.
type objects map[string]map[string]*unstructured.Unstructured

// question is what the hook reads of it.
func (p *posted) question(t *testing.T, hook string) question {
	t.Helper()
	raw, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	return ask(t, hook, raw)
}

// existing are the objects that Metacontroller deletes if the answer does not have them.
func (p *posted) existing() objects {
	if p.Object != nil {
		return p.Attachments
	}
	return p.Children
}

// answered is what the hooks' answers have in common.
type answered struct {
	whole     any
	status    any // nil where the hook answers none
	children  sync.Children
	finalized bool
}

func common(t testing.TB, resp any) answered {
	t.Helper()
	switch resp := resp.(type) {
	case *sync.Response:
		return answered{resp, resp.Status, resp.Children, resp.Finalized}
	case *sync.NetworkResponse:
		return answered{resp, resp.Status, resp.Children, resp.Finalized}
	case *sync.NodeResponse:
		return answered{resp, nil, resp.Attachments, false}
	}
	t.Fatalf("%T is no answer", resp)
	return answered{}
}

// eachRequest calls f with every golden request that is answered with what should exist.
func eachRequest(t *testing.T, f func(t *testing.T, hook string, req *posted)) {
	for _, hook := range deciding {
		for _, dir := range cases(t, hook) {
			raw := read(t, dir, "request.json")
			if _, err := ask(t, hook, raw).answer(goldenNow); err != nil {
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

func answer(t *testing.T, hook string, req *posted, now time.Time) answered {
	t.Helper()
	resp, err := req.question(t, hook).answer(now)
	if err != nil {
		t.Fatal(err)
	}
	return common(t, resp)
}

func TestTheRequestIsNotModified(t *testing.T) {
	eachRequest(t, func(t *testing.T, hook string, req *posted) {
		q, untouched := req.question(t, hook), req.question(t, hook)
		if _, err := q.answer(goldenNow); err != nil || !reflect.DeepEqual(q.request, untouched.request) {
			t.Errorf("the request changed (%v)", err)
		}
	})
}

func TestTheSameRequestHasTheSameAnswer(t *testing.T) {
	eachRequest(t, func(t *testing.T, hook string, req *posted) {
		first := indented(t, answer(t, hook, req, goldenNow).whole)
		for range 3 {
			if again := indented(t, answer(t, hook, req, goldenNow).whole); !bytes.Equal(first, again) {
				t.Fatalf("two answers differ:\n%s", cmp.Diff(string(first), string(again)))
			}
		}
	})
}

// TestNothingThatExistsIsLost holds the one rule: a child that is missing from the answer is deleted, so what exists is
// answered unless the user removed it.
func TestNothingThatExistsIsLost(t *testing.T) {
	eachRequest(t, func(t *testing.T, hook string, req *posted) {
		if strings.HasSuffix(hook, "finalize") {
			return
		}
		answered := map[string]bool{}
		for _, child := range answer(t, hook, req, goldenNow).children {
			answered[key(child)] = true
		}
		for _, objects := range req.existing() {
			for _, object := range objects {
				stays := object.GetKind() == "VirtualMachine" || object.GetKind() == "WukongNode" || inSpec(req, object.GetName()) && !leaves(t)
				if stays && !answered[key(object)] {
					t.Errorf("%s exists, and is not in the answer", key(object))
				}
			}
		}
	})
}

// TestNoCopyIsLost holds that a machine of another name or namespace than the Wukong's own is never left out, in a deletion neither, and
// that the Wukong is not let go before: Kubernetes would delete what it owns.
func TestNoCopyIsLost(t *testing.T) {
	copies := 0
	eachRequest(t, func(t *testing.T, hook string, req *posted) {
		if req.Parent == nil || req.Parent.GetKind() != "Wukong" {
			return
		}
		resp := answer(t, hook, req, goldenNow)
		answered := map[string]bool{}
		for _, child := range resp.children {
			answered[key(child)] = true
		}
		namespace, _, _ := unstructured.NestedString(req.Parent.Object, "spec", "namespace")
		for _, m := range req.Children[machineKind] {
			if m.GetName() == req.Parent.GetName() && m.GetNamespace() == gocmp.Or(namespace, "default") {
				continue
			}
			if copies++; !answered[key(m)] || resp.finalized {
				t.Errorf("%s is a copy, and is lost", key(m))
			}
		}
	})
	if copies == 0 {
		t.Error("no golden request has a copy")
	}
}

// leaves is true in the stories in which something leaves whose network is in the spec: of a network that was removed and
// added again under its old name, where what exists was made for the removed one; of a policy that came second to a NIC,
// and that NMState has not taken up or that has given it back; and, while nothing stands on it, of one that came to a bridge
// which another Wukong is taking away, or whose bridge a node has lost to
// another.
func leaves(t *testing.T) bool {
	return slices.ContainsFunc([]string{
		"network-added-again", "uplink-added-again", "second-is-withdrawn", "younger-is-withdrawn", "second-gives-it-back-3",
		"is-begun-again-later", "is-given-up",
	}, func(story string) bool { return strings.Contains(t.Name(), story) })
}

// inSpec says that a name is that of an object made for a network, or an uplink of a network, that the spec still has.
func inSpec(req *posted, name string) bool {
	if req.Parent == nil {
		return false
	}
	owner, named := req.Parent.GetName(), func(list string) (names []string) {
		items, _, _ := unstructured.NestedSlice(req.Parent.Object, "spec", list)
		for _, item := range items {
			fields, _ := item.(map[string]any)
			named, _ := fields["name"].(string)
			names = append(names, named)
		}
		return names
	}
	var wanted []string
	for _, network := range named("networks") {
		wanted = append(wanted, owner+"-"+network+"-bridge", owner+"-"+network+"-nad")
	}
	uplinks := named("uplinks")
	for _, uplink := range uplinks {
		wanted = append(wanted, owner+"."+uplink+".bridge")
	}
	if len(uplinks) == 0 {
		wanted = append(wanted, owner+".bridge")
	}
	return slices.Contains(wanted, name)
}

// TestTheAnswerSettles stores each answer as Metacontroller would, and asks again, later: soon nothing may change any
// more, neither a child nor the status.
func TestTheAnswerSettles(t *testing.T) {
	const enough = 8
	eachRequest(t, func(t *testing.T, hook string, req *posted) {
		var last []byte
		for round := range enough {
			resp := answer(t, hook, req, goldenNow.Add(time.Duration(round)*time.Second))
			got := indented(t, []any{resp.status, resp.children, resp.finalized}) // what is written
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
func store(t *testing.T, req *posted, resp answered) {
	t.Helper()
	if resp.status != nil {
		var status map[string]any
		if err := json.Unmarshal(indented(t, resp.status), &status); err != nil {
			t.Fatal(err)
		}
		status["observedGeneration"] = req.Parent.GetGeneration()
		req.Parent.Object["status"] = status
	}
	before, after := req.existing(), objects{}
	for kind := range before {
		after[kind] = map[string]*unstructured.Unstructured{}
	}
	for _, child := range resp.children {
		kind, name := kindOf(child), name(child)
		desired := child.DeepCopy()
		if req.Object == nil {
			labels := desired.GetLabels()
			if labels == nil {
				labels = map[string]string{}
			}
			labels["controller-uid"] = string(req.Parent.GetUID())
			desired.SetLabels(labels)
		} else {
			desired.SetAnnotations(map[string]string{"metacontroller.k8s.io/decorator-controller": "wukong-nodes"})
		}
		stored := desired.DeepCopy()
		if existing := before[kind][name]; existing != nil {
			stored.Object = apply.Dynamic(existing.Object, desired.Object)
		} else {
			apply.Note(stored.Object, desired.Object)
		}
		after[kind][name] = stored
	}
	if req.Object == nil {
		req.Children = after
	} else {
		req.Attachments = after
	}
}

// TestChildrenAreWhatTheAPIServerKeeps holds what makes an answer safe to write: whatever the API server or a webhook
// would write differently is written again at every sync, and for a policy for ever.
func TestChildrenAreWhatTheAPIServerKeeps(t *testing.T) {
	schemas := childSchemas(t)
	eachRequest(t, func(t *testing.T, hook string, req *posted) {
		declared := map[string]bool{}
		for kind := range req.existing() {
			declared[kind] = true
		}
		seen := map[string]bool{}
		for _, child := range answer(t, hook, req, goldenNow).children {
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
			clusterScoped := slices.Contains([]string{policyKind, nodeKind}, kindOf(child))
			if clusterScoped != (child.GetNamespace() == "") {
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
var kept = []string{
	"pod", "disk", "cdrom", "masquerade", "bridge", "sriov", "vlan", "blank", "noCloud", "namespaceSelector", "tpm", "rng",
}

// meant reports whether an empty map means something: each feature and timer of a machine is one.
func meant(path string) bool {
	return slices.Contains(kept, path[strings.LastIndex(path, ".")+1:]) ||
		strings.Contains(path, ".domain.features.") || strings.Contains(path, ".domain.clock.")
}

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
		if len(v) == 0 && !meant(path) {
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
	for _, empty := range []any{sync.Response{}, sync.NetworkResponse{}} {
		raw, err := json.Marshal(empty)
		if err != nil || !strings.Contains(string(raw), `"children":[]`) {
			t.Errorf("no children encode as %s (%v)", raw, err)
		}
	}
	for _, empty := range []*unstructured.Unstructured{nil, {}} {
		if raw, err := json.Marshal(sync.Response{Children: sync.Children{empty}}); err == nil {
			t.Errorf("an empty child encodes as %s", raw)
		}
	}
}

package sync_test

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	jsonv2 "github.com/go-json-experiment/json"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/sync"
	"novasphere.dev/wukong/types/v1alpha1"
)

// FuzzSync holds that whatever is posted, no answer loses what exists, and none is one that Metacontroller cannot take.
func FuzzSync(f *testing.F) {
	for _, hook := range deciding {
		dirs, err := filepath.Glob(filepath.Join("..", "testdata", hook, "*"))
		if err != nil || len(dirs) == 0 {
			f.Fatalf("no cases of %s (%v)", hook, err)
		}
		for _, dir := range dirs {
			f.Add(mustRead(f, filepath.Join(dir, "request.json")))
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var whole posted
		if jsonv2.Unmarshal(raw, &whole) != nil || !sent(&whole) {
			return
		}
		for _, hook := range deciding {
			fuzzed(t, hook, raw, &whole)
		}
	})
}

// fuzzed asks a hook, whether the request is one of that hook or not.
func fuzzed(t *testing.T, hook string, raw []byte, whole *posted) {
	t.Helper()
	q, err := hooks[hook](raw)
	again, err2 := hooks[hook](raw)
	if err != nil || err2 != nil {
		return
	}
	resp, err := q.answer(goldenNow)
	if !reflect.DeepEqual(q.request, again.request) {
		t.Errorf("%s: the request is modified", hook)
	}
	if err != nil {
		of, isNode := q.request.(*sync.NodeRequest)
		if isNode && of.Object.Kind == "Node" && of.Object.APIVersion == "v1" && of.Object.Name != "" {
			t.Errorf("%s: a Node has no answer: %v", hook, err)
		}
		return
	}
	if second, err := q.answer(goldenNow); err != nil || !bytes.Equal(indented(t, resp), indented(t, second)) {
		t.Errorf("%s: two answers differ (%v)", hook, err)
	}
	keepsWhatExists(t, hook, whole, common(t, resp))
}

// sent reports whether Metacontroller may send such a request: an object is of the kind and has the name that it stands under.
func sent(req *posted) bool {
	for _, kinds := range []objects{req.Children, req.Attachments, req.Related} {
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
func keepsWhatExists(t *testing.T, hook string, req *posted, resp answered) {
	t.Helper()
	there := map[string]bool{}
	for _, child := range resp.children {
		if child == nil || child.GetKind() == "" || child.GetName() == "" {
			t.Fatalf("%s: a child without identity: %v", hook, child)
		}
		if there[key(child)] {
			t.Errorf("%s: %s is answered twice", hook, key(child))
		}
		there[key(child)] = true
	}
	if hook == "node-sync" {
		tellsOfTheNode(t, req, resp)
		return
	}
	for _, kind := range []string{policyKind, attachmentKind, machineKind} {
		if strings.HasPrefix(hook, "network-") && kind != policyKind {
			continue // no kinds of its children
		}
		for _, object := range req.Children[kind] {
			if object == nil {
				continue
			}
			if stays(hook, req, resp, object) && !there[key(object)] {
				t.Errorf("%s: %s is lost", hook, key(object))
			}
			if resp.finalized {
				t.Errorf("%s: finalized while %s exists", hook, key(object))
			}
		}
	}
}

// stays reports whether a child must not be lost.
func stays(hook string, req *posted, resp answered, object *unstructured.Unstructured) bool {
	deleted := req.Parent != nil && req.Parent.GetDeletionTimestamp() != nil
	switch status := resp.status.(type) {
	case v1alpha1.WukongStatus:
		invalid := len(status.Conditions) > 0 && status.Conditions[0].Reason == "InvalidSpec"
		return hook == "finalize" && !deleted || hook == "sync" && (invalid || kindOf(object) == machineKind)
	case v1alpha1.WukongNetworkStatus:
		if hook == "network-finalize" {
			return !deleted
		}
		cannot := len(status.Conditions) > 0 && slices.Contains([]string{"InvalidSpec", "NMStateNotRegistered"}, status.Conditions[0].Reason)
		return cannot || stands(req, object) && wantedAsMade(req, status, object)
	}
	return false
}

// stands says that NMState has a policy: it is available, or there is an enactment of it.
func stands(req *posted, policy *unstructured.Unstructured) bool {
	conditions, _, _ := unstructured.NestedSlice(policy.Object, "status", "conditions")
	available := slices.IndexFunc(conditions, func(c any) bool { m, _ := c.(map[string]any); return m["type"] == "Available" })
	if available >= 0 && conditions[available].(map[string]any)["status"] == "True" {
		return true
	}
	for _, e := range req.Related["NodeNetworkConfigurationEnactment.nmstate.io/v1beta1"] {
		if e != nil && e.GetLabels()["nmstate.io/policy"] == policy.GetName() {
			return true
		}
	}
	return false
}

// wantedAsMade says that the WukongNetwork still wants what a policy was made as, and that nothing of it was taken off the nodes.
func wantedAsMade(req *posted, status v1alpha1.WukongNetworkStatus, policy *unstructured.Unstructured) bool {
	made := policy.GetLabels()
	if policy.GetAnnotations()["vm.novasphere.dev/removing-since"] != "" {
		return false
	}
	kind, _, _ := unstructured.NestedString(req.Parent.Object, "spec", "type")
	preserves, _, _ := unstructured.NestedBool(req.Parent.Object, "spec", "preserveHostIP")
	captures, _, _ := unstructured.NestedFieldNoCopy(policy.Object, "spec", "capture")
	if kind == "" {
		kind = "bridge"
	}
	told := slices.IndexFunc(status.Policies, func(p v1alpha1.NetworkPolicyStatus) bool { return p.Name == policy.GetName() })
	return inSpec(req, policy.GetName()) && told >= 0 && kind == made["vm.novasphere.dev/type"] && preserves == (captures != nil) &&
		status.Policies[told].Bridge == made["vm.novasphere.dev/bridge"] && status.Policies[told].Uplink == made["vm.novasphere.dev/uplink"]
}

// tellsOfTheNode holds that a Node has its WukongNode, and that the answer has nothing else: what else stood there would be
// written onto the Node.
func tellsOfTheNode(t *testing.T, req *posted, resp answered) {
	t.Helper()
	named := req.Object == nil || len(resp.children) == 1 && resp.children[0].GetName() == req.Object.GetName()
	if len(resp.children) != 1 || kindOf(resp.children[0]) != nodeKind || !named {
		t.Errorf("node-sync: the answer is %v", resp.children)
	}
	var top map[string]json.RawMessage
	if err := json.Unmarshal(indented(t, resp.whole), &top); err != nil || top["attachments"] == nil || more(top) {
		t.Errorf("node-sync: the answer has %v (%v)", top, err)
	}
}

// more reports whether an answer about a Node has anything that Metacontroller would write onto the Node.
func more(top map[string]json.RawMessage) bool {
	for field := range top {
		if field != "attachments" && field != "resyncAfterSeconds" {
			return true
		}
	}
	return false
}

// TestNothingIsWrittenOntoANode holds, on the bytes of every golden answer, that a Node keeps its status, labels and annotations.
func TestNothingIsWrittenOntoANode(t *testing.T) {
	for _, dir := range cases(t, "node-sync") {
		resp, err := ask(t, "node-sync", read(t, dir, "request.json")).answer(goldenNow)
		if err != nil {
			continue
		}
		raw, err := json.Marshal(resp)
		if err != nil || !bytes.HasPrefix(raw, []byte(`{"attachments":[{`)) {
			t.Errorf("%s: %.60s (%v)", dir, raw, err)
		}
		var top map[string]json.RawMessage
		if err := json.Unmarshal(raw, &top); err != nil || more(top) {
			t.Errorf("%s: besides attachments there is more: %v (%v)", dir, top, err)
		}
	}
}

package sync_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kjson "sigs.k8s.io/json"

	"novasphere.dev/wukong/sync/model/apply"
)

// TestMachinesAreNotWrittenForEver has each answered machine applied, in both ways of Metacontroller, and what is stored taken
// up by KubeVirt: soon nothing may be written any more.
func TestMachinesAreNotWrittenForEver(t *testing.T) {
	const enough = 8
	for strategy, merge := range map[string]func(existing, desired map[string]any) map[string]any{"dynamic": apply.Dynamic, "server-side": apply.ServerSide} {
		t.Run(strategy, func(t *testing.T) {
			eachRequest(t, func(t *testing.T, hook string, req *posted) {
				for key, machine := range req.existing()[machineKind] {
					if strategy == "server-side" {
						req.Children[machineKind][key] = unnoted(machine)
					}
				}
				for round := range enough {
					resp := answer(t, hook, req, goldenNow.Add(time.Duration(round)*time.Second))
					written := takenUp(req, resp, merge)
					if written == "" {
						return
					}
					if round == enough-1 {
						t.Fatalf("after %d rounds a machine is still written (-stored +written):\n%s", enough, written)
					}
				}
			})
		})
	}
}

// unnoted is a machine with the notes of server-side apply in place of that of dynamic apply.
func unnoted(machine *unstructured.Unstructured) *unstructured.Unstructured {
	machine = machine.DeepCopy()
	annotations := machine.GetAnnotations()
	desired := map[string]any{}
	if err := kjson.UnmarshalCaseSensitivePreserveInts([]byte(annotations[apply.LastApplied]), &desired); err == nil {
		applied := apply.ServerSide(machine.Object, desired)
		machine.SetManagedFields((&unstructured.Unstructured{Object: applied}).GetManagedFields())
	}
	delete(annotations, apply.LastApplied)
	machine.SetAnnotations(annotations)
	return machine
}

// takenUp stores the machines of an answer, with what KubeVirt makes of them. It returns what Metacontroller has written.
func takenUp(req *posted, resp answered, merge func(existing, desired map[string]any) map[string]any) (written string) {
	for _, child := range resp.children {
		if kindOf(child) != machineKind {
			continue
		}
		desired := child.DeepCopy()
		labels := desired.GetLabels()
		labels["controller-uid"] = string(req.Parent.GetUID())
		desired.SetLabels(labels)
		before := map[string]any{"apiVersion": child.GetAPIVersion(), "kind": child.GetKind(), "metadata": map[string]any{
			"name": child.GetName(), "namespace": child.GetNamespace(),
		}}
		if existing := req.Children[machineKind][name(child)]; existing != nil {
			before = existing.Object
		}
		after := &unstructured.Unstructured{Object: merge(before, desired.Object)}
		written += cmp.Diff(before, after.Object)
		kubevirtTakesUp(after)
		req.Children[machineKind][name(child)] = after
	}
	return written
}

// kubevirtTakesUp is what KubeVirt's webhook and controller, up to the versions that note revisions in the spec, make of a
// machine that is written.
func kubevirtTakesUp(machine *unstructured.Unstructured) {
	spec := machine.Object["spec"].(map[string]any)
	for field, kind := range map[string]string{"instancetype": "virtualmachineclusterinstancetype", "preference": "virtualmachineclusterpreference"} {
		matcher, ok := spec[field].(map[string]any)
		if !ok {
			continue
		}
		if matcher["kind"] == nil {
			matcher["kind"] = kind
		}
		if revision, _ := matcher["revisionName"].(string); revision == "" {
			matcher["revisionName"] = machine.GetName() + "-" + matcher["name"].(string) + "-1"
		}
	}
	if template, ok, _ := unstructured.NestedMap(spec, "template", "spec", "domain"); ok {
		for field, filled := range map[string]map[string]any{
			"machine": {"type": "q35"}, "firmware": {"uuid": "5d307ca9-b3ef-428c-8861-06e72d69f223"}, "resources": {},
		} {
			if template[field] == nil {
				template[field] = filled
			}
		}
		_ = unstructured.SetNestedMap(spec, template, "template", "spec", "domain")
	}
	templates, _ := spec["dataVolumeTemplates"].([]any)
	for _, t := range templates {
		template := t.(map[string]any)
		if metadata, ok := template["metadata"].(map[string]any); ok {
			metadata["creationTimestamp"] = nil
		}
		if storage, ok, _ := unstructured.NestedMap(template, "spec", "storage"); ok && storage["resources"] == nil {
			_ = unstructured.SetNestedMap(template, map[string]any{}, "spec", "storage", "resources")
		}
	}
}

package hold_test

import (
	"fmt"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/sync/facts"
	"novasphere.dev/wukong/sync/hold"
)

// child is an observed child, as the hook reads it.
func child[T any](t *testing.T, kind, text string, from func(facts.Children) facts.Set[T]) *T {
	t.Helper()
	var c facts.Children
	if err := json.Unmarshal(fmt.Appendf(nil, `{%q: {"key": %s}}`, kind, text), &c); err != nil {
		t.Fatal(err)
	}
	return from(c).Get("key")
}

func attachment(t *testing.T, text string) *facts.Attachment {
	t.Helper()
	return child(t, facts.AttachmentKind, text, func(c facts.Children) facts.Set[facts.Attachment] { return c.Attachments })
}

func policy(t *testing.T, text string) *facts.Policy {
	t.Helper()
	return child(t, facts.PolicyKind, text, func(c facts.Children) facts.Set[facts.Policy] { return c.Policies })
}

func machine(t *testing.T, text string) *facts.Machine {
	t.Helper()
	return child(t, facts.MachineKind, text, func(c facts.Children) facts.Set[facts.Machine] { return c.Machines })
}

// answered compares an answer with what it should be.
func answered(t *testing.T, got *unstructured.Unstructured, want string) {
	t.Helper()
	var whole map[string]any
	if err := json.Unmarshal([]byte(want), &whole); err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(got.Object)
	if err != nil {
		t.Fatal(err)
	}
	var have map[string]any
	if err := json.Unmarshal(raw, &have); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(whole, have); diff != "" {
		t.Errorf("it is answered otherwise (-want +got):\n%s", diff)
	}
}

// TestTheSourceOfAnAnswer has one attachment whose note says "noted", whose managed fields say "managed", and which is what it is.
func TestTheSourceOfAnAnswer(t *testing.T) {
	const (
		note    = `{"apiVersion": "v", "kind": "K", "metadata": {"namespace": "a", "name": "b"}, "spec": {"config": "noted"}}`
		managed = `{"operation": "Apply", "fieldsV1": {"f:metadata": {"f:labels": {"f:controller-uid": {}, "f:own": {}}}, "f:spec": {"f:config": {}}}}`

		fromNote    = `{"name": "b", "namespace": "a"}, "spec": {"config": "noted"}`
		fromManaged = `{"name": "b", "namespace": "a", "labels": {"own": "x"}}, "spec": {"config": "stands"}`
		fromObject  = `{"name": "b", "namespace": "a", "labels": {"own": "x", "theirs": "y"}}, "spec": {"config": "stands", "added": 1}`
	)
	for _, test := range []struct{ name, note, managed, want string }{
		{"the note counts first", note, managed, fromNote},
		{"without a note the managed fields count", ``, managed, fromManaged},
		{"without both the object counts", ``, ``, fromObject},
		{"a note that is no JSON", note[1:], managed, fromManaged},
		{"a note with something behind it", note + note, managed, fromManaged},
		{"a note that is null", `null`, managed, fromManaged},
		{"a note without a spec", `{"apiVersion": "v", "kind": "K", "metadata": {"namespace": "a", "name": "b"}}`, managed, fromManaged},
		{"a note of another namespace", `{"apiVersion": "v", "kind": "K", "metadata": {"namespace": "c", "name": "b"}, "spec": {}}`, managed, fromManaged},
		{"a note of another kind", `{"apiVersion": "v1", "kind": "Secret", "metadata": {"namespace": "a", "name": "b"}, "spec": {}}`, managed, fromManaged},
		{"a note with a name twice in its spec", `{"apiVersion": "v", "kind": "K", "metadata": {"namespace": "a", "name": "b"}, "spec": {"config": "one", "config": "two"}}`, managed, fromManaged},
		{"a note with a name twice, once with escapes", `{"apiVersion": "v", "kind": "K", "metadata": {"namespace": "a", "name": "b", "n\u0061me": "b"}, "spec": {"config": "noted"}}`, managed, fromManaged},
		{"a note with half a surrogate pair", `{"apiVersion": "v", "kind": "K", "metadata": {"namespace": "a", "name": "b"}, "spec": {"config": "\ud83d"}}`, managed, fromManaged},
		{"neither a note with a name twice nor managed fields", `{"spec": {}, "spec": {}}`, ``, fromObject},
		{"managed fields of an update", ``, `{"operation": "Update", "fieldsV1": {"f:metadata": {"f:labels": {"f:controller-uid": {}}}, "f:spec": {}}}`, fromObject},
		{"managed fields of another manager", ``, `{"operation": "Apply", "fieldsV1": {"f:metadata": {"f:labels": {"f:own": {}}}, "f:spec": {}}}`, fromObject},
		{"managed fields without a spec", ``, `{"operation": "Apply", "fieldsV1": {"f:metadata": {"f:labels": {"f:controller-uid": {}}}}}`, fromObject},
		{"managed fields of a spec as a whole", ``, `{"operation": "Apply", "fieldsV1": {"f:metadata": {"f:labels": {"f:controller-uid": {}}}, "f:spec": {}}}`,
			`{"name": "b", "namespace": "a"}, "spec": {"config": "stands", "added": 1}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			annotations := map[string]string{}
			if test.note != "" {
				annotations[facts.AnnotationLastApplied] = test.note
			}
			quoted, err := json.Marshal(annotations)
			if err != nil {
				t.Fatal(err)
			}
			a := attachment(t, fmt.Sprintf(`{"apiVersion": "v", "kind": "K", "metadata": {"namespace": "a", "name": "b", "uid": "u",
				"labels": {"own": "x", "theirs": "y", "controller-uid": "z"}, "annotations": %s, "managedFields": [{"operation": "Update"}, 7, %s]},
				"spec": {"config": "stands", "added": 1}}`, quoted, orNull(test.managed)))
			answered(t, hold.Child(&a.Object), `{"apiVersion": "v", "kind": "K", "metadata": `+test.want+`}`)
		})
	}
}

func orNull(text string) string {
	if text == "" {
		return "null"
	}
	return text
}

func TestWhatOthersPutThereIsLeftOut(t *testing.T) {
	a := attachment(t, `{"apiVersion": "v", "kind": "K", "metadata": {"name": "b", "generation": 3, "finalizers": ["f"], "ownerReferences": [{"kind": "Wukong"}],
		"annotations": {"own": "x", "kubevirt.io/immediate-data-volume-creation": "false", "kubevirt.io/latest-observed-api-version": "v1", "kubemacpool.io/transaction-timestamp": "t",
			"nmstate.io/webhook-mutating-timestamp": "1", "kubectl.kubernetes.io/last-applied-configuration": "{}"}},
		"spec": {"config": "c", "gone": null, "deep": {"stays": null}}, "status": {"s": 1}}`)
	answered(t, hold.Child(&a.Object), `{"apiVersion": "v", "kind": "K", "metadata": {"name": "b", "annotations": {"kubevirt.io/immediate-data-volume-creation": "false", "own": "x"}},
		"spec": {"config": "c", "deep": {"stays": null}}}`)
}

func TestAHalfWrittenChildIsHeldAsItIs(t *testing.T) {
	for _, spec := range []string{``, `, "spec": null`, `, "spec": "x"`, `, "spec": []`} {
		a := attachment(t, `{"apiVersion": "v", "kind": "K", "metadata": {"name": "b", "labels": {"controller-uid": "u"}}`+spec+`}`)
		answered(t, hold.Child(&a.Object), `{"apiVersion": "v", "kind": "K", "metadata": {"name": "b"}}`)
	}
}

// TestAPolicyInProgress holds that a policy is answered as it stands only while NMState is at work on it, and only where it no
// longer says what was answered.
func TestAPolicyInProgress(t *testing.T) {
	const busy, settled = `"ConfigurationProgressing"`, `"SuccessfullyConfigured"`
	for _, test := range []struct{ name, reason, stands, want string }{
		{"edited while in progress", busy, `{"interfaces": [{"name": "br", "mtu": 9000}]}`, `{"interfaces": [{"name": "br", "mtu": 9000}]}`},
		{"edited before NMState has looked at it", `null`, `{"interfaces": [{"name": "br", "mtu": 9000}]}`, `{"interfaces": [{"name": "br", "mtu": 9000}]}`},
		{"edited, and settled", settled, `{"interfaces": [{"name": "br", "mtu": 9000}]}`, `{"interfaces": [{"name": "br", "mtu": 1400}]}`},
		{"an interface taken out", busy, `{"interfaces": []}`, `{"interfaces": []}`},
		{"only added to, by somebody's defaults", busy, `{"interfaces": [{"name": "other"}, {"name": "br", "mtu": 1400, "state": "up"}], "dns": {}}`, `{"interfaces": [{"name": "br", "mtu": 1400}]}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			const noted = `{\"apiVersion\":\"v\",\"kind\":\"P\",\"metadata\":{\"name\":\"p\"},\"spec\":{\"desiredState\":{\"interfaces\":[{\"name\":\"br\",\"mtu\":1400}]}}}`
			p := policy(t, fmt.Sprintf(`{"apiVersion": "v", "kind": "P", "metadata": {"name": "p", "annotations": {%q: "%s"}},
				"spec": {"desiredState": %s}, "status": {"conditions": [{"type": "Available", "reason": %s}]}}`,
				facts.AnnotationLastApplied, noted, test.stands, test.reason))
			answered(t, hold.Policy(p), `{"apiVersion": "v", "kind": "P", "metadata": {"name": "p"}, "spec": {"desiredState": `+test.want+`}}`)
		})
	}
}

func TestTemplatesStayAsTheMachineHasThem(t *testing.T) {
	const theirs = `{"metadata": {"name": "vm-data", "creationTimestamp": null}, "spec": {"added": true}}`
	m := machine(t, `{"apiVersion": "v", "kind": "M", "metadata": {"name": "vm"}, "spec": {"dataVolumeTemplates": [`+theirs+`, {"spec": {"nameless": true}}, 7]}}`)
	for _, test := range []struct{ name, templates, want string }{
		{"one of the same name", `[{"metadata": {"name": "vm-data"}, "spec": {}}]`, `[` + theirs + `]`},
		{"one that is added", `[{"metadata": {"name": "vm-more"}}, {"metadata": {"name": "vm-data"}}]`, `[{"metadata": {"name": "vm-more"}}, ` + theirs + `]`},
		{"one without a name", `[{"spec": {}}]`, `[{"spec": {}}]`},
		{"none", `[]`, `[]`},
		{"no list", `"x"`, `"x"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			answer := &unstructured.Unstructured{}
			if err := json.Unmarshal([]byte(`{"dataVolumeTemplates": `+test.templates+`}`), &answer.Object); err != nil {
				t.Fatal(err)
			}
			hold.Keep(answer.Object, m)
			answered(t, answer, `{"dataVolumeTemplates": `+test.want+`}`)
			hold.Keep(answer.Object, nil)
			answered(t, answer, `{"dataVolumeTemplates": `+test.want+`}`)
		})
	}
	answered(t, hold.Machine(m), `{"apiVersion": "v", "kind": "M", "metadata": {"name": "vm"}, "spec": {"dataVolumeTemplates": [`+theirs+`, {"spec": {"nameless": true}}, 7]}}`)
}

func TestAnnotate(t *testing.T) {
	a := attachment(t, `{"apiVersion": "v", "kind": "K", "metadata": {"name": "b"}}`)
	answer := hold.Child(&a.Object)
	for _, step := range []struct{ key, value, want string }{
		{"x", "", `{"name": "b"}`},
		{"x", "1", `{"name": "b", "annotations": {"x": "1"}}`},
		{"y", "2", `{"name": "b", "annotations": {"x": "1", "y": "2"}}`},
		{"x", "", `{"name": "b", "annotations": {"y": "2"}}`},
		{"y", "", `{"name": "b"}`},
	} {
		hold.Annotate(answer, step.key, step.value)
		answered(t, answer, `{"apiVersion": "v", "kind": "K", "metadata": `+step.want+`}`)
	}
}

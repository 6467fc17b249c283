package api_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"novasphere.dev/wukong/types/v1alpha1"
)

// What Metacontroller writes of a node's network is stored as it is, whichever of its strategies it uses.
func TestWhatIsWrittenOfANodeIsStored(t *testing.T) {
	written := func(text string) *unstructured.Unstructured {
		t.Helper()
		u := nodeKind.object(t, `{metadata: {name: worker-1, labels: {kubernetes.io/hostname: worker-1}, annotations: {metacontroller.k8s.io/decorator-controller: wukong-nodes}}}`)
		u.Object["network"] = filled[v1alpha1.NodeNetwork](t, text)
		return u
	}
	compare := func(step string, sent, stored *unstructured.Unstructured, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", step, err)
		}
		if diff := cmp.Diff(sent.Object["network"], stored.Object["network"]); diff != "" {
			t.Errorf("%s: sent (-), stored (+):\n%s", step, diff)
		}
	}

	first := written("first")
	stored, err := create(t, first)
	compare("created", first, stored, err)

	second := written(strings.Repeat("a long text ", 100)) // a node may report whatever it likes
	second.SetResourceVersion(stored.GetResourceVersion())
	stored, err = nodeKind.client().Update(t.Context(), second, metav1.UpdateOptions{FieldValidation: metav1.FieldValidationStrict})
	compare("updated", second, stored, err)

	third := written("third")
	third.SetResourceVersion("")
	stored, err = nodeKind.client().Apply(t.Context(), "worker-1", third, metav1.ApplyOptions{FieldManager: "metacontroller", Force: true})
	compare("applied", third, stored, err)

	unreported := nodeKind.object(t, `{network: {ready: false, reported: false, message: no report}}`)
	unreported.SetResourceVersion(stored.GetResourceVersion())
	stored, err = nodeKind.client().Update(t.Context(), unreported, metav1.UpdateOptions{FieldValidation: metav1.FieldValidationStrict})
	compare("no longer reported", unreported, stored, err)
}

// Metacontroller would not write a status of what it attaches to a Node. So there is none that somebody could fall back on.
func TestANodeHasNoStatus(t *testing.T) {
	_, err := create(t, nodeKind.object(t, `{network: {ready: true, reported: false}, status: {ready: true}}`))
	if err == nil || !strings.Contains(err.Error(), `unknown field "status"`) {
		t.Errorf("a status is sent: got %v, want that it is unknown", err)
	}
	stored, err := create(t, nodeKind.object(t, `{network: {ready: true, reported: false}}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := nodeKind.client().UpdateStatus(t.Context(), stored, metav1.UpdateOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("the status is written: got %v, want that there is no such subresource", err)
	}
	if _, err := create(t, nodeKind.object(t, `{metadata: {name: worker-2}}`)); err == nil || !strings.Contains(err.Error(), "network: Required value") {
		t.Errorf("a node without network: got %v, want that it is required", err)
	}
}

// The status of a WukongNetwork is stored as it is, apart from the spec.
func TestTheStatusOfANetworkIsStored(t *testing.T) {
	stored, err := create(t, networkKind.object(t, `{spec: {vlanId: 100}, status: {bridge: br-other}}`))
	if err != nil {
		t.Fatal(err)
	}
	// kstatus takes a generation that nobody has observed for work in progress.
	if diff := cmp.Diff(map[string]any{"observedGeneration": int64(-1)}, stored.Object["status"]); diff != "" {
		t.Errorf("a new WukongNetwork: status, want (-), got (+):\n%s", diff)
	}
	status := filled[v1alpha1.WukongNetworkStatus](t, "text")
	stored.Object["status"] = status
	stored.Object["spec"] = map[string]any{}
	if stored, err = networkKind.client().UpdateStatus(t.Context(), stored, metav1.UpdateOptions{FieldValidation: metav1.FieldValidationStrict}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]any{"status": status, "spec": map[string]any{"vlanId": int64(100)}},
		map[string]any{"status": stored.Object["status"], "spec": stored.Object["spec"]}); diff != "" {
		t.Errorf("the status is written: want (-), got (+):\n%s", diff)
	}
}

// filled is a value in which no field is left out: every text is the given one, and every list has one member.
func filled[T any](t *testing.T, text string) map[string]any {
	t.Helper()
	value := new(T)
	fill(reflect.ValueOf(value).Elem(), text)
	object, err := runtime.DefaultUnstructuredConverter.ToUnstructured(value)
	if err != nil {
		t.Fatal(err)
	}
	return object
}

func fill(v reflect.Value, text string) {
	if v.Type() == reflect.TypeFor[metav1.Condition]() {
		v.Set(reflect.ValueOf(metav1.Condition{
			Type: "Ready", Status: "True", Reason: "PoliciesAvailable", Message: text, ObservedGeneration: 1,
			LastTransitionTime: metav1.NewTime(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)),
		}))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int32, reflect.Int64:
		v.SetInt(1)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), text)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), text)
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(key, text)
		fill(value, text)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), text)
		}
	default:
		panic("no value is known for " + v.Type().String())
	}
}

package api_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Two who apply the same Wukong each keep their own networks: the list is merged by name.
func TestTwoAppliersShareAWukong(t *testing.T) {
	t.Cleanup(func() {
		if err := wukongs().Delete(context.Background(), "shared", metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	})
	apply := func(manager, spec string, force bool) (*unstructured.Unstructured, error) {
		w := wukong(t, `{metadata: {name: shared}, spec: `+spec+`}`)
		return wukongs().Apply(t.Context(), "shared", w, metav1.ApplyOptions{FieldManager: manager, Force: force})
	}
	compareSpec := func(step, want string, w *unstructured.Unstructured, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", step, err)
		}
		if diff := cmp.Diff(wukong(t, "spec: "+want).Object["spec"], w.Object["spec"]); diff != "" {
			t.Errorf("%s: want (-), got (+):\n%s", step, diff)
		}
	}

	if _, err := apply("platform", `{cpu: 2, networks: [{name: lan, type: bridge, vlanId: 100}]}`, false); err != nil {
		t.Fatal(err)
	}
	w, err := apply("team", `{networks: [{name: fast, type: macvlan}]}`, false)
	compareSpec("two networks of two appliers", `{namespace: default, cpu: 2, networks: [{name: lan, type: bridge, vlanId: 100}, {name: fast, type: macvlan}]}`, w, err)

	_, err = apply("team", `{cpu: 4, networks: [{name: fast, type: macvlan}]}`, false)
	if !apierrors.IsConflict(err) || !strings.Contains(err.Error(), `conflict with "platform": .spec.cpu`) {
		t.Errorf("the other's field: got %v, want a conflict that names the other", err)
	}
	w, err = apply("team", `{cpu: 4, networks: [{name: fast, type: macvlan}]}`, true)
	compareSpec("the other's field by force", `{namespace: default, cpu: 4, networks: [{name: lan, type: bridge, vlanId: 100}, {name: fast, type: macvlan}]}`, w, err)

	w, err = apply("platform", `{networks: []}`, false)
	compareSpec("one takes its network away", `{namespace: default, cpu: 4, networks: [{name: fast, type: macvlan}]}`, w, err)
}

// What the hook fills in is not stored, so that it can be told from what somebody has said.
func TestWhatIsAbsentStaysAbsent(t *testing.T) {
	for _, test := range []struct {
		kind       kind
		sent, want string
	}{
		{wukongKind, `{networks: [{name: a}, {name: b, networkName: lan}]}`, `{namespace: default, networks: [{name: a}, {name: b, networkName: lan}]}`},
		{networkKind, `{}`, `{}`},
	} {
		created, err := create(t, test.kind.object(t, "spec: "+test.sent))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.kind.object(t, "spec: "+test.want).Object["spec"], created.Object["spec"]); diff != "" {
			t.Errorf("%s: want (-), got (+):\n%s", test.kind.kind, diff)
		}
	}
}

func TestStatusIsApartFromSpec(t *testing.T) {
	w, err := create(t, wukong(t, `{metadata: {name: apart}, spec: {cpu: 1}, status: {phase: Running}}`))
	if err != nil {
		t.Fatal(err)
	}
	compareParts := func(step string, cpu, generation int64, status map[string]any) {
		t.Helper()
		stored, err := wukongs().Get(t.Context(), "apart", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		got, _, _ := unstructured.NestedInt64(stored.Object, "spec", "cpu")
		if got != cpu || stored.GetGeneration() != generation {
			t.Errorf("%s: cpu %d, generation %d, want %d and %d", step, got, stored.GetGeneration(), cpu, generation)
		}
		if diff := cmp.Diff(status, stored.Object["status"]); diff != "" {
			t.Errorf("%s: status, want (-), got (+):\n%s", step, diff)
		}
		w = stored
	}
	set := func(cpu int64, status map[string]any) {
		t.Helper()
		if err := unstructured.SetNestedField(w.Object, cpu, "spec", "cpu"); err != nil {
			t.Fatal(err)
		}
		w.Object["status"] = status
	}

	// kstatus takes a generation that nobody has observed for work in progress.
	compareParts("a new Wukong", 1, 1, map[string]any{"observedGeneration": int64(-1)})

	set(2, map[string]any{"observedGeneration": int64(1), "phase": "Pending"})
	if _, err := wukongs().UpdateStatus(t.Context(), w, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	compareParts("the status is written", 1, 1, map[string]any{"observedGeneration": int64(1), "phase": "Pending"})

	set(2, map[string]any{"observedGeneration": int64(7), "phase": "Running"})
	if _, err := wukongs().Update(t.Context(), w, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	compareParts("the spec is written", 2, 2, map[string]any{"observedGeneration": int64(1), "phase": "Pending"})
}

func TestAThousandWukongs(t *testing.T) {
	const count = 1000
	const label = "wukong-e2e=scale"
	t.Cleanup(func() {
		if err := wukongs().DeleteCollection(context.Background(), metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: label}); err != nil {
			t.Error(err)
		}
	})

	began := time.Now()
	numbers := make(chan int)
	var workers sync.WaitGroup
	for range 16 {
		workers.Go(func() {
			for i := range numbers {
				w := wukong(t, fmt.Sprintf(`
metadata: {name: scale-%d, labels: {wukong-e2e: scale}}
spec:
  networks:
  - {name: default}
  - {name: lan, type: bridge, bridgeName: br-lan, vlanId: 100, ipConfig: {mode: static, address: 10.%d.%d.10/24, gateway: 10.%d.%d.1}}
`, i, i/256, i%256, i/256, i%256))
				if _, err := wukongs().Create(t.Context(), w, metav1.CreateOptions{FieldValidation: metav1.FieldValidationStrict}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for i := range count {
		numbers <- i
	}
	close(numbers)
	workers.Wait()
	t.Logf("%d Wukongs created in %s", count, time.Since(began).Round(10*time.Millisecond))

	began = time.Now()
	list, err := wukongs().List(t.Context(), metav1.ListOptions{LabelSelector: label})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("and listed in %s", time.Since(began).Round(time.Millisecond))
	if len(list.Items) != count {
		t.Errorf("there are %d Wukongs, want %d", len(list.Items), count)
	}
}

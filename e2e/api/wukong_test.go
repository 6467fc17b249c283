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
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"

	"novasphere.dev/wukong/types/v1alpha1"
)

func TestKubectlExplainsTheFields(t *testing.T) {
	// What explain prints is published some time after the definition is.
	var last string
	err := wait.PollUntilContextTimeout(t.Context(), 100*time.Millisecond, time.Minute, true, func(context.Context) (bool, error) {
		output, err := kubectl(t, "explain", "wukong.spec.networks").CombinedOutput()
		last = string(output)
		return err == nil, nil
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, last)
	}
	for _, want := range []string{"GROUP:      vm.novasphere.dev", "FIELD: networks <[]Object>", "  nadName\t<string>", "nadName uses an existing NetworkAttachmentDefinition", "enum: pod, bridge, ovs, macvlan"} {
		if !strings.Contains(last, want) {
			t.Errorf("kubectl explain does not say %q:\n%s", want, last)
		}
	}
}

func TestKubectlKnowsItByItsShortName(t *testing.T) {
	client, err := discovery.NewDiscoveryClientForConfig(shared.Config)
	if err != nil {
		t.Fatal(err)
	}
	resources, err := client.ServerResourcesForGroupVersion(v1alpha1.APIVersion)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]string{}
	for _, resource := range resources.APIResources {
		if resource.Namespaced {
			t.Errorf("%s is in a namespace", resource.Name)
		}
		got[resource.Name] = resource.ShortNames
	}
	want := map[string][]string{"wukongs": {"wkg"}, "wukongs/status": nil}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want (-), got (+):\n%s", diff)
	}
}

// What `kubectl get wukong` prints, and -o wide.
func TestColumnsShowWhatMatters(t *testing.T) {
	w, err := create(t, wukong(t, `{metadata: {name: columns}, spec: {}}`))
	if err != nil {
		t.Fatal(err)
	}
	w.Object["status"] = map[string]any{
		"phase": "Running", "nodeName": "worker-1", "address": "192.168.100.10",
		"conditions": []any{map[string]any{
			"type": "Ready", "status": "True", "reason": "Running", "message": "the machine runs", "lastTransitionTime": "2026-01-01T00:00:00Z",
		}},
	}
	if _, err := wukongs().UpdateStatus(t.Context(), w, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}

	config := rest.CopyConfig(shared.Config)
	config.NegotiatedSerializer = scheme.Codecs.WithoutConversion()
	client, err := rest.UnversionedRESTClientFor(config)
	if err != nil {
		t.Fatal(err)
	}
	table := &metav1.Table{}
	err = client.Get().AbsPath("apis", v1alpha1.Group, v1alpha1.Version, v1alpha1.Resource, "columns").
		SetHeader("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io").Do(t.Context()).Into(table)
	if err != nil {
		t.Fatal(err)
	}
	var columns []string
	for _, column := range table.ColumnDefinitions {
		name := column.Name
		if column.Priority > 0 {
			name += " (wide)"
		}
		columns = append(columns, name)
	}
	if diff := cmp.Diff([]string{"Name", "Phase", "Ready", "Node", "Address", "Age", "Message (wide)"}, columns); diff != "" {
		t.Errorf("columns, want (-), got (+):\n%s", diff)
	}
	if len(table.Rows) != 1 {
		t.Fatalf("there are %d rows, want 1", len(table.Rows))
	}
	cells := table.Rows[0].Cells
	cells[5] = "a moment" // Age
	if diff := cmp.Diff([]any{"columns", "Running", "True", "worker-1", "192.168.100.10", "a moment", "the machine runs"}, cells); diff != "" {
		t.Errorf("cells, want (-), got (+):\n%s", diff)
	}
}

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
	compareSpec("two networks of two appliers", `{namespace: default, cpu: 2, memory: 2Gi, networks: [{name: lan, type: bridge, vlanId: 100}, {name: fast, type: macvlan}]}`, w, err)

	_, err = apply("team", `{cpu: 4, networks: [{name: fast, type: macvlan}]}`, false)
	if !apierrors.IsConflict(err) || !strings.Contains(err.Error(), `conflict with "platform": .spec.cpu`) {
		t.Errorf("the other's field: got %v, want a conflict that names the other", err)
	}
	w, err = apply("team", `{cpu: 4, networks: [{name: fast, type: macvlan}]}`, true)
	compareSpec("the other's field by force", `{namespace: default, cpu: 4, memory: 2Gi, networks: [{name: lan, type: bridge, vlanId: 100}, {name: fast, type: macvlan}]}`, w, err)

	w, err = apply("platform", `{networks: []}`, false)
	compareSpec("one takes its network away", `{namespace: default, cpu: 4, memory: 2Gi, networks: [{name: fast, type: macvlan}]}`, w, err)
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

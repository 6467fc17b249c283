package simulator_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/yaml"

	"novasphere.dev/wukong/e2e/cluster"
	"novasphere.dev/wukong/e2e/simulator"
)

var (
	policies   = schema.GroupVersionResource{Group: "nmstate.io", Version: "v1", Resource: "nodenetworkconfigurationpolicies"}
	states     = schema.GroupVersionResource{Group: "nmstate.io", Version: "v1beta1", Resource: "nodenetworkstates"}
	enactments = schema.GroupVersionResource{Group: "nmstate.io", Version: "v1beta1", Resource: "nodenetworkconfigurationenactments"}
	machines   = schema.GroupVersionResource{Group: "kubevirt.io", Version: "v1", Resource: "virtualmachines"}
	instances  = schema.GroupVersionResource{Group: "kubevirt.io", Version: "v1", Resource: "virtualmachineinstances"}
)

// shared is the control plane that all tests here share.
var shared struct {
	*cluster.Cluster
	*simulator.Simulator
}

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (int, error) {
	ctx := context.Background()
	c, err := cluster.Start(ctx, cluster.Options{Log: os.Stderr})
	if err != nil {
		return 0, err
	}
	defer c.Stop()
	s, err := simulator.Start(ctx, c.Config, simulator.Options{})
	if err != nil {
		return 0, err
	}
	for _, node := range []simulator.Node{
		{Name: "worker-1", NICs: []simulator.NIC{{Name: "eth0", Address: "10.0.0.1"}, {Name: "eth1"}}},
		{Name: "worker-2", NICs: []simulator.NIC{{Name: "eth0", Address: "10.0.0.2"}, {Name: "eth1"}}},
	} {
		if err := s.AddNode(ctx, node); err != nil {
			return 0, err
		}
	}
	shared.Cluster, shared.Simulator = c, s
	return m.Run(), nil
}

func TestAPolicyProgressesNodeByNode(t *testing.T) {
	const name = "progress"
	seen := follow(t, policies, "", name, func(p *unstructured.Unstructured) string {
		return fmt.Sprintf("%s %s %s: %s%s", status(p, "Available"), status(p, "Degraded"), status(p, "Progressing"), message(p, "Progressing"), message(p, "Available"))
	})
	create(t, policy(name, "br-progress"))
	want := []string{
		"  : ",
		"Unknown Unknown Unknown: ",
		"Unknown Unknown True: Policy is progressing 0/2 nodes finished",
		"Unknown Unknown True: Policy is progressing 1/2 nodes finished",
		"True False False: 2/2 nodes successfully configured",
	}
	if diff := cmp.Diff(want, seen(len(want))); diff != "" {
		t.Errorf("states of the policy (-want +got):\n%s", diff)
	}
	for _, node := range []string{"worker-1", "worker-2"} {
		e := must(t, enactments, "", node+"."+name)
		if status(e, "Available") != "True" || e.GetLabels()["nmstate.io/policy"] != name || e.GetLabels()["nmstate.io/node"] != node {
			t.Errorf("the enactment on %s is not that of an available policy: %v", node, e.Object)
		}
	}
}

func TestAPolicyThatANodeCannotApplyIsDegraded(t *testing.T) {
	const name = "degraded"
	shared.Break(name, "worker-2", "eth1")
	create(t, policy(name, "br-degraded"))
	await(t, policies, "", name, func(p *unstructured.Unstructured) bool {
		return status(p, "Degraded") == "True" && message(p, "Degraded") == "1/2 nodes failed to configure"
	})
	e := await(t, enactments, "", "worker-2."+name, func(e *unstructured.Unstructured) bool { return status(e, "Failing") == "True" })
	if text := message(e, "Failing"); !strings.Contains(text, "NmstateError: VerificationError") || strings.Count(text, "\n") < 3 {
		t.Errorf("the error is %q, must have the lines of nmstatectl", text)
	}
	shared.Repair(name, "worker-2")
	if err := shared.Reboot(t.Context(), "worker-2"); err != nil {
		t.Fatal(err)
	}
	await(t, policies, "", name, func(p *unstructured.Unstructured) bool { return status(p, "Available") == "True" })
}

func TestAPolicyThatWouldCutANodeOffIsRolledBack(t *testing.T) {
	const name = "cuts-off"
	p := policy(name, "br-cuts-off")
	set(t, p, map[string]any{"kubernetes.io/hostname": "worker-2"}, "spec", "nodeSelector")
	set(t, p, []any{map[string]any{
		"name": "br-cuts-off", "type": "linux-bridge", "bridge": map[string]any{"port": []any{map[string]any{"name": "eth0"}}},
	}}, "spec", "desiredState", "interfaces")
	create(t, p)
	e := await(t, enactments, "", "worker-2."+name, func(e *unstructured.Unstructured) bool { return status(e, "Failing") == "True" })
	if text := message(e, "Failing"); !strings.Contains(text, "NmstateError: the node is not reached at 10.0.0.2 any more") {
		t.Errorf("the error is %q, must say that the node is not reached", text)
	}
	interfaces, _, _ := unstructured.NestedSlice(must(t, states, "", "worker-2").Object, "status", "currentState", "interfaces")
	for _, i := range interfaces {
		if iface := i.(map[string]any); iface["name"] == "br-cuts-off" || iface["controller"] == "br-cuts-off" {
			t.Errorf("the node has %v, must be as it was", iface)
		}
	}
}

func TestAPolicyThatSelectsNoNodeIsIgnored(t *testing.T) {
	p := policy("ignored", "br-ignored")
	set(t, p, map[string]any{"zone": "none"}, "spec", "nodeSelector")
	create(t, p)
	got := await(t, policies, "", "ignored", func(p *unstructured.Unstructured) bool { return status(p, "Ignored") == "True" })
	if status(got, "Available") != "False" {
		t.Errorf("Available is %s, must be False", status(got, "Available"))
	}
}

func TestAPolicyInProgressCannotBeEdited(t *testing.T) {
	const name = "busy"
	shared.Hold(name)
	create(t, policy(name, "br-busy"))
	p := await(t, policies, "", name, func(p *unstructured.Unstructured) bool { return status(p, "Progressing") == "True" })
	edited := p.DeepCopy()
	set(t, edited, policy(name, "br-other").Object["spec"], "spec")
	if _, err := shared.Dynamic.Resource(policies).Update(t.Context(), edited, metav1.UpdateOptions{}); !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "policy busy is still in progress") {
		t.Errorf("an edit while the policy is in progress: %v, must be refused", err)
	}
	labelled := p.DeepCopy()
	labelled.SetLabels(map[string]string{"a": "b"})
	if _, err := shared.Dynamic.Resource(policies).Update(t.Context(), labelled, metav1.UpdateOptions{}); err != nil {
		t.Errorf("a label while the policy is in progress: %v", err)
	}
	shared.Let(name)
	p = await(t, policies, "", name, func(p *unstructured.Unstructured) bool { return status(p, "Available") == "True" })
	set(t, p, map[string]any{"gw": `routes.running.destination=="0.0.0.0/0"`}, "spec", "capture")
	if _, err := shared.Dynamic.Resource(policies).Update(t.Context(), p, metav1.UpdateOptions{}); !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), "capture field cannot be modified") {
		t.Errorf("another capture: %v, must be refused", err)
	}
	create(t, policy("not-too-"+strings.Repeat("x", 55), "br-long"))
	if _, err := shared.Dynamic.Resource(policies).Create(t.Context(), policy(strings.Repeat("x", 64), "br-long"), metav1.CreateOptions{}); !apierrors.IsInvalid(err) {
		t.Errorf("a name of 64 characters: %v, must be refused", err)
	}
}

func TestEveryWriteOfAPolicyIsStamped(t *testing.T) {
	const name, stamp = "stamped", "nmstate.io/webhook-mutating-timestamp"
	created := create(t, policy(name, "br-stamped"))
	await(t, policies, "", name, func(p *unstructured.Unstructured) bool { return status(p, "Available") == "True" })
	same, err := shared.Dynamic.Resource(policies).Update(t.Context(), must(t, policies, "", name), metav1.UpdateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if a, b := created.GetAnnotations()[stamp], same.GetAnnotations()[stamp]; a == "" || a == b {
		t.Errorf("stamps are %q and %q, must be two", a, b)
	}
}

func TestAMachineStartsAndItsInstanceGoesFirst(t *testing.T) {
	const name = "starts"
	words := follow(t, machines, "default", name, func(m *unstructured.Unstructured) string {
		word, _, _ := unstructured.NestedString(m.Object, "status", "printableStatus")
		return word + " " + status(m, "Ready")
	})
	m := create(t, machine(name, "Always"))
	for path, want := range map[string]string{"architecture": "amd64", "domain.machine.type": "q35"} {
		if got, _, _ := unstructured.NestedString(m.Object, append([]string{"spec", "template", "spec"}, strings.Split(path, ".")...)...); got != want {
			t.Errorf("%s is %q, must be %s", path, got, want)
		}
	}
	if diff := cmp.Diff([]string{" ", "Starting False", "Running True"}, words(3)); diff != "" {
		t.Errorf("states of the machine (-want +got):\n%s", diff)
	}
	if m = must(t, machines, "default", name); !slices.Contains(m.GetFinalizers(), "kubevirt.io/virtualMachineControllerFinalize") {
		t.Errorf("the finalizers are %v", m.GetFinalizers())
	}
	i := must(t, instances, "default", name)
	if node, _, _ := unstructured.NestedString(i.Object, "status", "nodeName"); node != "worker-1" || !metav1.IsControlledBy(i, m) {
		t.Errorf("the instance is on %q and of %v, must be on worker-1 and of the machine", node, i.GetOwnerReferences())
	}

	gone := follow(t, instances, "default", name, func(*unstructured.Unstructured) string { return "instance" })
	gone(1)
	if err := shared.Dynamic.Resource(machines).Namespace("default").Delete(t.Context(), name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{" ", "Starting False", "Running True", "Terminating True"}, words(4)); diff != "" {
		t.Errorf("states of the machine (-want +got):\n%s", diff)
	}
	gone(2)
	words(5) // "" when it has gone
}

func TestAMachineWhoseTemplateChangesWantsARestart(t *testing.T) {
	const name = "restarts"
	create(t, machine(name, "Always"))
	m := await(t, machines, "default", name, func(m *unstructured.Unstructured) bool { return status(m, "Ready") == "True" })
	set(t, m, map[string]any{"cores": int64(2)}, "spec", "template", "spec", "domain", "cpu")
	if _, err := shared.Dynamic.Resource(machines).Namespace("default").Update(t.Context(), m, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	await(t, machines, "default", name, func(m *unstructured.Unstructured) bool { return status(m, "RestartRequired") == "True" })
	if err := shared.RestartMachine(t.Context(), "default", name); err != nil {
		t.Fatal(err)
	}
	await(t, machines, "default", name, func(m *unstructured.Unstructured) bool {
		return status(m, "RestartRequired") == "" && status(m, "Ready") == "True"
	})
}

func TestAMachineWithoutItsAttachmentDoesNotRun(t *testing.T) {
	const name = "unattached"
	m := machine(name, "Always")
	set(t, m, []any{map[string]any{"name": "lan", "multus": map[string]any{"networkName": "default/late"}}}, "spec", "template", "spec", "networks")
	create(t, m)
	await(t, machines, "default", name, func(m *unstructured.Unstructured) bool {
		return strings.Contains(message(m, "Synchronized"), "failed to locate network attachment definition default/late")
	})
	create(t, decode(t, `{apiVersion: k8s.cni.cncf.io/v1, kind: NetworkAttachmentDefinition, metadata: {name: late, namespace: default}, spec: {config: "{}"}}`))
	await(t, machines, "default", name, func(m *unstructured.Unstructured) bool { return status(m, "Ready") == "True" })
}

func TestAMachineThatIsNotToRunIsStopped(t *testing.T) {
	create(t, machine("halted", "Halted"))
	create(t, machine("asked", "Manual"))
	stopped := func(m *unstructured.Unstructured) bool {
		word, _, _ := unstructured.NestedString(m.Object, "status", "printableStatus")
		return word == "Stopped"
	}
	await(t, machines, "default", "halted", stopped)
	await(t, machines, "default", "asked", stopped)
	shared.StartMachine("default", "asked")
	await(t, machines, "default", "asked", func(m *unstructured.Unstructured) bool { return status(m, "Ready") == "True" })
}

func policy(name, bridge string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "nmstate.io/v1", "kind": "NodeNetworkConfigurationPolicy", "metadata": map[string]any{"name": name},
		"spec": map[string]any{"desiredState": map[string]any{"interfaces": []any{map[string]any{
			"name": bridge, "type": "linux-bridge", "state": "up", "bridge": map[string]any{"port": []any{}},
		}}}},
	}}
}

func machine(name, runStrategy string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "metadata": map[string]any{"name": name, "namespace": "default"},
		"spec": map[string]any{"runStrategy": runStrategy, "template": map[string]any{"spec": map[string]any{"domain": map[string]any{"devices": map[string]any{}}}}},
	}}
}

func decode(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	o := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(text), &o.Object); err != nil {
		t.Fatal(err)
	}
	return o
}

func set(t *testing.T, o *unstructured.Unstructured, value any, path ...string) {
	t.Helper()
	if err := unstructured.SetNestedField(o.Object, value, path...); err != nil {
		t.Fatalf("setting %s: %v", filepath.Join(path...), err)
	}
}

func create(t *testing.T, o *unstructured.Unstructured) *unstructured.Unstructured {
	t.Helper()
	client, err := shared.Client(o)
	if err != nil {
		t.Fatal(err)
	}
	created, err := client.Create(t.Context(), o, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return created
}

func must(t *testing.T, resource schema.GroupVersionResource, namespace, name string) *unstructured.Unstructured {
	t.Helper()
	o, err := shared.Dynamic.Resource(resource).Namespace(namespace).Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// await waits until an object exists and is so.
func await(t *testing.T, resource schema.GroupVersionResource, namespace, name string, is func(*unstructured.Unstructured) bool) *unstructured.Unstructured {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	watcher, err := shared.Dynamic.Resource(resource).Namespace(namespace).Watch(ctx, metav1.ListOptions{FieldSelector: "metadata.name=" + name})
	if err != nil {
		t.Fatal(err)
	}
	defer watcher.Stop()
	last := &unstructured.Unstructured{}
	for event := range watcher.ResultChan() {
		if o, ok := event.Object.(*unstructured.Unstructured); ok {
			if last = o; is(o) {
				return o
			}
		}
	}
	t.Fatalf("%s %s is not so within a minute: %v", resource.Resource, name, last.Object["status"])
	return nil
}

// follow watches an object. What it answers with waits for the first n different words that are said of it; a deleted
// object is "".
func follow(t *testing.T, resource schema.GroupVersionResource, namespace, name string, word func(*unstructured.Unstructured) string) func(n int) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
	t.Cleanup(cancel)
	watcher, err := shared.Dynamic.Resource(resource).Namespace(namespace).Watch(ctx, metav1.ListOptions{FieldSelector: "metadata.name=" + name})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(watcher.Stop)
	var seen []string
	return func(n int) []string {
		t.Helper()
		for len(seen) < n {
			event, ok := <-watcher.ResultChan()
			if !ok {
				t.Fatalf("%s %s: seen within a minute: %q", resource.Resource, name, seen)
			}
			said := ""
			if o, ok := event.Object.(*unstructured.Unstructured); ok && event.Type != watch.Deleted {
				said = word(o)
			}
			if len(seen) == 0 || seen[len(seen)-1] != said {
				seen = append(seen, said)
			}
		}
		return slices.Clone(seen)
	}
}

func status(o *unstructured.Unstructured, kind string) string  { return condition(o, kind, "status") }
func message(o *unstructured.Unstructured, kind string) string { return condition(o, kind, "message") }

func condition(o *unstructured.Unstructured, kind, field string) string {
	list, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
	for _, item := range list {
		if c := item.(map[string]any); c["type"] == kind {
			text, _ := c[field].(string)
			return text
		}
	}
	return ""
}

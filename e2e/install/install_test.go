// Package install_test tries install, upgrade and doctor against an API server, with kubectl, as people do. There are no nodes: the test
// says in place of the controllers of Deployments and StatefulSets that Pods are ready. Metacontroller is an object among others.
package install_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"novasphere.dev/wukong/e2e/cluster"
)

var (
	definitions  = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}
	deployments  = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
	statefulSets = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "statefulsets"}
	composites   = schema.GroupVersionResource{Group: "metacontroller.k8s.io", Version: "v1alpha1", Resource: "compositecontrollers"}
	decorators   = schema.GroupVersionResource{Group: "metacontroller.k8s.io", Version: "v1alpha1", Resource: "decoratorcontrollers"}
	roles        = schema.GroupVersionResource{Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "clusterroles"}
)

// lab is an API server, and the plugin.
type lab struct {
	*cluster.Cluster
	path string // with the plugin on it
}

// newLab is a cluster with everything that Wukong stands on but NMState, and nothing of Wukong.
func newLab(t *testing.T) *lab {
	t.Helper()
	if _, err := exec.LookPath("kubectl"); err != nil {
		t.Skip("kubectl is not on the PATH")
	}
	folder := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(folder, "kubectl-wukong"), ".")
	build.Dir = filepath.Join("..", "..")
	if said, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	c, err := cluster.Start(t.Context(), cluster.Options{WithoutNMState: true, Log: os.Stdout})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Stop)
	l := &lab{c, folder + string(os.PathListSeparator) + os.Getenv("PATH")}
	for _, resource := range []string{"wukongs", "wukongnetworks", "wukongnodes"} {
		l.deleted(t, definitions, resource+".vm.novasphere.dev")
	}
	l.deleted(t, roles, "metacontroller")
	if _, err := c.Resource("compositecontrollers.metacontroller.k8s.io"); err != nil {
		if err := c.Define(t.Context(), objects(t, metacontrollerKinds)...); err != nil {
			t.Fatal(err)
		}
	}
	l.metacontroller(t)
	return l
}

// deleted deletes an object, and waits until it is gone.
func (l *lab) deleted(t *testing.T, resource schema.GroupVersionResource, name string) {
	t.Helper()
	client := l.Dynamic.Resource(resource)
	if err := client.Delete(t.Context(), name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
		t.Fatal(err)
	}
	for range 200 {
		if _, err := client.Get(t.Context(), name, metav1.GetOptions{}); apierrors.IsNotFound(err) {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("%s %s does not go", resource.Resource, name)
}

// metacontrollerKinds stand for Metacontroller's definitions where nobody has those.
const metacontrollerKinds = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: compositecontrollers.metacontroller.k8s.io, annotations: {api-approved.kubernetes.io: "unapproved, for a test"}}
spec:
  group: metacontroller.k8s.io
  scope: Cluster
  names: {kind: CompositeController, plural: compositecontrollers, singular: compositecontroller}
  versions: [{name: v1alpha1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: decoratorcontrollers.metacontroller.k8s.io, annotations: {api-approved.kubernetes.io: "unapproved, for a test"}}
spec:
  group: metacontroller.k8s.io
  scope: Cluster
  names: {kind: DecoratorController, plural: decoratorcontrollers, singular: decoratorcontroller}
  versions: [{name: v1alpha1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]
`

// metacontrollerItself is Metacontroller as its own manifests have it.
const metacontrollerItself = `
apiVersion: v1
kind: Namespace
metadata: {name: metacontroller}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: metacontroller}
rules: [{apiGroups: ["*"], resources: ["*"], verbs: ["*"]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: metacontroller-account}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: metacontroller}
subjects: [{kind: ServiceAccount, name: metacontroller, namespace: metacontroller}]
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: metacontroller, namespace: metacontroller}
spec:
  replicas: 1
  serviceName: ""
  selector: {matchLabels: {app: metacontroller}}
  template:
    metadata: {labels: {app: metacontroller}}
    spec:
      serviceAccountName: metacontroller
      containers:
        - name: metacontroller
          image: ghcr.io/metacontroller/metacontroller:v4.17.2
          args: [--zap-log-level=4, --discovery-interval=20s, --client-go-qps=100, --client-go-burst=200, --workers=10]
`

func objects(t *testing.T, text string) []*unstructured.Unstructured {
	t.Helper()
	file := filepath.Join(t.TempDir(), "objects.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	all, err := cluster.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func (l *lab) apply(t *testing.T, text string) {
	t.Helper()
	if err := l.Apply(t.Context(), objects(t, text)...); err != nil {
		t.Fatal(err)
	}
}

// metacontroller makes the objects of Metacontroller, and says that it is ready.
func (l *lab) metacontroller(t *testing.T) {
	t.Helper()
	l.apply(t, metacontrollerItself)
	l.ready(t, statefulSets, "metacontroller", "metacontroller")
}

// ready says of a Deployment or StatefulSet that all is ready.
func (l *lab) ready(t *testing.T, resource schema.GroupVersionResource, namespace, name string) {
	t.Helper()
	if err := l.says(t.Context(), resource, namespace, name); err != nil {
		t.Fatal(err)
	}
}

func (l *lab) says(ctx context.Context, resource schema.GroupVersionResource, namespace, name string) error {
	client := l.Dynamic.Resource(resource).Namespace(namespace)
	found, err := client.Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	replicas, _, _ := unstructured.NestedInt64(found.Object, "spec", "replicas")
	found.Object["status"] = map[string]any{"observedGeneration": found.GetGeneration(), "replicas": replicas, "updatedReplicas": replicas,
		"readyReplicas": replicas, "availableReplicas": replicas}
	_, err = client.UpdateStatus(ctx, found, metav1.UpdateOptions{})
	return err
}

// runs runs kubectl, with the plugin and its standard input.
func (l *lab) runs(t *testing.T, args ...string) (output string, code int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "kubectl", args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+l.Kubeconfig, "PATH="+l.path)
	said, err := cmd.CombinedOutput()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return string(said), cmd.ProcessState.ExitCode()
}

// deploys runs the plugin, and says meanwhile that the hook is ready.
func (l *lab) deploys(t *testing.T, args ...string) (output string, code int) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	go func() {
		for ctx.Err() == nil {
			_ = l.says(ctx, deployments, "wukong-system", "wukong") // there is none at first, and others write it too
			time.Sleep(200 * time.Millisecond)
		}
	}()
	return l.runs(t, append([]string{"wukong"}, args...)...)
}

// versions are the versions of all objects that are installed, but for the status of the Deployment that the test writes.
func (l *lab) versions(t *testing.T) string {
	t.Helper()
	said, code := l.runs(t, "get", "ns,crd,clusterrole,deployment,service,networkpolicy,pdb,compositecontroller,decoratorcontroller", "-A", "-o",
		`jsonpath={range .items[*]}{.kind} {.metadata.name} {.metadata.uid} {.metadata.generation} {.metadata.annotations}{"\n"}{end}`)
	if code != 0 {
		t.Fatal(said)
	}
	var ours []string
	for line := range strings.Lines(said) {
		if strings.Contains(line, "wukong") {
			ours = append(ours, line)
		}
	}
	return strings.Join(ours, "")
}

func (l *lab) exists(t *testing.T, resource schema.GroupVersionResource, name string) bool {
	t.Helper()
	_, err := l.Dynamic.Resource(resource).Get(t.Context(), name, metav1.GetOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		t.Fatal(err)
	}
	return err == nil
}

// want holds an exit code, and what is said.
func want(t *testing.T, said string, code, wanted int, parts ...string) {
	t.Helper()
	if code != wanted {
		t.Errorf("exit code %d, want %d:\n%s", code, wanted, said)
	}
	for _, part := range parts {
		if !strings.Contains(said, part) {
			t.Errorf("does not say %q:\n%s", part, said)
		}
	}
}

// children are the kinds that the CompositeController of Wukongs declares.
func (l *lab) children(t *testing.T) []string {
	t.Helper()
	found, err := l.Dynamic.Resource(composites).Get(t.Context(), "wukong", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	all, _, _ := unstructured.NestedSlice(found.Object, "spec", "childResources")
	var resources []string
	for _, child := range all {
		resources = append(resources, child.(map[string]any)["resource"].(string))
	}
	return resources
}

// nmstate installs NMState's definitions.
func (l *lab) nmstate(t *testing.T) {
	t.Helper()
	files, err := filepath.Glob("../../testdata/crds/*nmstate*.yaml")
	if err != nil || len(files) != 3 {
		t.Fatalf("%d files of NMState: %v", len(files), err)
	}
	for _, file := range files {
		all, err := cluster.ReadFile(file)
		if err == nil {
			err = l.Define(t.Context(), all...)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

const registered = "nodenetworkconfigurationpolicies"

// TestInstallIntoAClusterWithoutNMState installs, does it again, and follows NMState as it comes and goes.
func TestInstallIntoAClusterWithoutNMState(t *testing.T) {
	l := newLab(t)
	said, code := l.runs(t, "wukong", "doctor")
	want(t, said, code, 0, "ok       Kubernetes: ", "ok       Metacontroller: 4.17.2 as StatefulSet metacontroller/metacontroller, dynamic-apply",
		"ok       Metacontroller's rights", "warning  Wukong: it is not installed")

	said, code = l.runs(t, "wukong", "install", "-dry-run")
	want(t, said, code, 0, " without NMState, image ghcr.io/novasphere/wukong:v", "+ CompositeController wukong\n", "Nothing is applied")
	if l.exists(t, definitions, "wukongs.vm.novasphere.dev") {
		t.Fatal("a dry run has installed a definition")
	}
	if said, code = l.runs(t, "wukong", "upgrade"); code != 1 || !strings.Contains(said, "it is not installed: use install") {
		t.Errorf("exit code %d: %s", code, said)
	}

	// The first time nobody says that the hook is ready: it is interrupted, and goes on with the second.
	said, code = l.runs(t, "wukong", "install", "-timeout", "2s")
	want(t, said, code, 1, "definitions: ready", "hook: not ready after 2s", "the same command goes on from here")
	if l.exists(t, composites, "wukong") {
		t.Error("the controllers were not to be applied before the hook is ready")
	}
	said, code = l.deploys(t, "install")
	want(t, said, code, 0, "= CustomResourceDefinition wukongs.vm.novasphere.dev", "+ CompositeController wukong\n", "controllers: applied")
	if got := l.children(t); strings.Join(got, " ") != "network-attachment-definitions virtualmachines" {
		t.Errorf("children are %q", got)
	}

	before := l.versions(t)
	said, code = l.deploys(t, "install")
	want(t, said, code, 0, "= Deployment wukong-system/wukong", "= CompositeController wukong\n")
	if diff := cmp.Diff(before, l.versions(t)); diff != "" || strings.Contains(said, "  ~ ") || strings.Contains(said, "  + ") {
		t.Errorf("installing again has changed something (-before +after):\n%s\n%s", diff, said)
	}
	said, code = l.runs(t, "wukong", "doctor")
	want(t, said, code, 0, "ok       Wukong: installed without NMState", "ok       Wukong's hook: 2 replicas ready")

	t.Run("NMState comes", func(t *testing.T) {
		time.Sleep(1100 * time.Millisecond) // times of creation are told in seconds
		l.nmstate(t)
		said, code := l.runs(t, "wukong", "doctor")
		want(t, said, code, 0, "warning  Wukong: installed without NMState, which is there")
		said, code = l.deploys(t, "upgrade")
		want(t, said, code, 0, "with NMState", "~ CompositeController wukong\n", "+ DecoratorController wukong-nodes", "From now on the hook makes policies")
		if got := l.children(t); got[0] != registered {
			t.Errorf("children are %q", got)
		}
	})
	t.Run("NMState goes", func(t *testing.T) {
		l.deleted(t, definitions, registered+".nmstate.io")
		said, code := l.runs(t, "wukong", "doctor")
		want(t, said, code, 1, registered+" nmstate.io/v1 is missing, others are there")
		said, code = l.deploys(t, "upgrade")
		want(t, said, code, 1, "wait until NMState is installed, or remove it", "nothing is applied")
		for _, kind := range []string{"nodenetworkconfigurationenactments", "nodenetworkstates"} {
			l.deleted(t, definitions, kind+".nmstate.io")
		}
		said, code = l.runs(t, "wukong", "doctor")
		want(t, said, code, 1, "wrong    kubernetes-nmstate: its kinds are missing and Wukong is installed with them")
		said, code = l.deploys(t, "upgrade")
		want(t, said, code, 0, "without NMState", "Nothing is deleted", "kubectl delete compositecontroller wukong-networks")
		if got := l.children(t); strings.Join(got, " ") != "network-attachment-definitions virtualmachines" {
			t.Errorf("children are %q", got)
		}
		if !l.exists(t, composites, "wukong-networks") || !l.exists(t, decorators, "wukong-nodes") {
			t.Error("an upgrade has deleted a controller")
		}
	})
}

// firstVersion is the last commit of the version before WukongNetworks.
const firstVersion = "766136a"

// TestUpgradeOfTheFirstVersion upgrades what people have: applied by kubectl apply -k, with an image set by hand, and flags of their own.
func TestUpgradeOfTheFirstVersion(t *testing.T) {
	l := newLab(t)
	l.nmstate(t)
	tree := t.TempDir()
	archive := exec.CommandContext(t.Context(), "git", "archive", firstVersion, "deploy")
	archive.Dir = filepath.Join("..", "..")
	packed, err := archive.Output()
	if err != nil {
		t.Skip("the first version is not in this clone: ", err)
	}
	unpack := exec.CommandContext(t.Context(), "tar", "-x", "-C", tree)
	unpack.Stdin = bytes.NewReader(packed)
	if said, err := unpack.CombinedOutput(); err != nil {
		t.Fatal(string(said))
	}
	said, code := l.runs(t, "apply", "-k", filepath.Join(tree, "deploy"))
	want(t, said, code, 0)
	said, code = l.runs(t, "-n", "wukong-system", "set", "image", "deployment/wukong", "wukong=registry.example.com/wukong:v0.0.9")
	want(t, said, code, 0)
	said, code = l.runs(t, "-n", "wukong-system", "patch", "deployment", "wukong", "--type=json", "-p",
		`[{"op":"add","path":"/spec/template/spec/containers/0/args/-","value":"-physical-interface=eno1"},{"op":"replace","path":"/spec/replicas","value":3},
		{"op":"add","path":"/spec/template/spec/containers/0/env/-","value":{"name":"WUKONG_LOG_LEVEL","value":"debug"}}]`)
	want(t, said, code, 0)

	said, code = l.runs(t, "wukong", "install")
	want(t, said, code, 1, "an older one is installed", "use upgrade")
	said, code = l.runs(t, "wukong", "doctor")
	want(t, said, code, 1, "warning  Wukong: older than v", "wrong    DecoratorController wukong-nodes: it is missing")

	before, err := l.Dynamic.Resource(definitions).Get(t.Context(), "wukongs.vm.novasphere.dev", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	said, code = l.deploys(t, "upgrade")
	want(t, said, code, 0, "image registry.example.com/wukong:v", "~ Deployment wukong-system/wukong", "+ CustomResourceDefinition wukongnetworks.vm.novasphere.dev",
		"keeps what it has of its own: -physical-interface=eno1, WUKONG_LOG_LEVEL, replicas 3.\n")
	if strings.Index(said, "hook: ready") > strings.Index(said, "definitions: applied") {
		t.Errorf("the hook is not before the definitions:\n%s", said)
	}
	after, err := l.Dynamic.Resource(definitions).Get(t.Context(), "wukongs.vm.novasphere.dev", metav1.GetOptions{})
	if err != nil || after.GetUID() != before.GetUID() || after.GetGeneration() == before.GetGeneration() {
		t.Errorf("the definition is not changed in its place: %v", err)
	}
	hook, err := l.Dynamic.Resource(deployments).Namespace("wukong-system").Get(t.Context(), "wukong", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	containers, _, _ := unstructured.NestedSlice(hook.Object, "spec", "template", "spec", "containers")
	args, _, _ := unstructured.NestedStringSlice(containers[0].(map[string]any), "args")
	if got := strings.Join(args, " "); !strings.Contains(got, "-listen=:8080") || !strings.HasSuffix(got, "-physical-interface=eno1") {
		t.Errorf("the args are %q", got)
	}
	if replicas, _, _ := unstructured.NestedInt64(hook.Object, "spec", "replicas"); replicas != 3 {
		t.Errorf("%d replicas", replicas)
	}

	settled := l.versions(t)
	said, code = l.deploys(t, "upgrade")
	want(t, said, code, 0, "= Deployment wukong-system/wukong")
	if diff := cmp.Diff(settled, l.versions(t)); diff != "" {
		t.Errorf("upgrading again has changed something (-before +after):\n%s", diff)
	}
	said, code = l.runs(t, "wukong", "doctor")
	want(t, said, code, 0, "ok       Wukong: installed with NMState", "ok       Wukong's hook: 3 replicas ready, registry.example.com/wukong:v")

	t.Run("what others have set stops it", func(t *testing.T) { l.conflict(t) })
	t.Run("a newer one stays", func(t *testing.T) {
		said, code := l.runs(t, "-n", "wukong-system", "set", "image", "deployment/wukong", "wukong=registry.example.com/wukong:v9.0.0")
		want(t, said, code, 0)
		said, code = l.runs(t, "wukong", "upgrade")
		want(t, said, code, 1, "what is installed is newer: hook v9.0.0", "nothing is applied")
	})
	t.Run("without rights", func(t *testing.T) { l.nobody(t) })
}

// conflict changes the controllers by hand.
func (l *lab) conflict(t *testing.T) {
	said, code := l.runs(t, "patch", "compositecontroller", "wukong", "--type=merge", "-p", `{"spec":{"generateSelector":false}}`)
	want(t, said, code, 0)
	before := l.versions(t)
	said, code = l.runs(t, "wukong", "upgrade")
	want(t, said, code, 1, "wrong    CompositeController wukong: kubectl-patch has set .spec.generateSelector otherwise", "-force-conflicts")
	if diff := cmp.Diff(before, l.versions(t)); diff != "" {
		t.Errorf("something was changed (-before +after):\n%s", diff)
	}
	said, code = l.deploys(t, "upgrade", "-force-conflicts")
	want(t, said, code, 0, "~ CompositeController wukong\n")
}

// nobody is somebody without any right, and somebody who may look.
func (l *lab) nobody(t *testing.T) {
	before := l.versions(t)
	said, code := l.runs(t, "wukong", "doctor", "--as=nobody")
	want(t, said, code, 0, "ok       Kubernetes: ", "unknown  Metacontroller: you may not list Deployments", "unknown  Wukong's definitions: you may not read")
	said, code = l.runs(t, "wukong", "install", "--as=nobody")
	want(t, said, code, 1, "nothing is applied")
	l.apply(t, `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: looks}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: looks}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: looks}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: looks}
rules: [{apiGroups: ["*"], resources: ["*"], verbs: [get, list]}]
`)
	said, code = l.runs(t, "wukong", "doctor", "--as=looks")
	want(t, said, code, 0, "warning  Wukong: newer than this command", "ok       Metacontroller's rights")
	said, code = l.runs(t, "wukong", "upgrade", "--as=looks", "-image=registry.example.com/wukong:v9.1.0")
	want(t, said, code, 1, "cannot patch resource", "nothing is applied")
	if diff := cmp.Diff(before, l.versions(t)); diff != "" {
		t.Errorf("something was changed (-before +after):\n%s", diff)
	}
}

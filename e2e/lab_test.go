package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"novasphere.dev/wukong/e2e/cluster"
	"novasphere.dev/wukong/e2e/simulator"
)

var (
	wukongs   = schema.GroupVersionResource{Group: "vm.novasphere.dev", Version: "v1alpha1", Resource: "wukongs"}
	policies  = schema.GroupVersionResource{Group: "nmstate.io", Version: "v1", Resource: "nodenetworkconfigurationpolicies"}
	states    = schema.GroupVersionResource{Group: "nmstate.io", Version: "v1beta1", Resource: "nodenetworkstates"}
	nads      = schema.GroupVersionResource{Group: "k8s.cni.cncf.io", Version: "v1", Resource: "network-attachment-definitions"}
	machines  = schema.GroupVersionResource{Group: "kubevirt.io", Version: "v1", Resource: "virtualmachines"}
	instances = schema.GroupVersionResource{Group: "kubevirt.io", Version: "v1", Resource: "virtualmachineinstances"}
	networks  = schema.GroupVersionResource{Group: "vm.novasphere.dev", Version: "v1alpha1", Resource: "wukongnetworks"}
	reports   = schema.GroupVersionResource{Group: "vm.novasphere.dev", Version: "v1alpha1", Resource: "wukongnodes"}
	nodes     = schema.GroupVersionResource{Version: "v1", Resource: "nodes"}
	events    = schema.GroupVersionResource{Version: "v1", Resource: "events"}
)

// The ways in which Metacontroller applies what it is answered.
const (
	dynamicApply    = "dynamic-apply"
	serverSideApply = "server-side-apply"
)

// hookFlags are those of every hook. Nodes do not join by and by, so nobody needs to wait for more of them.
// The last two are none of the first version's.
var hookFlags = []string{"-log-level", "debug", "-nodes-settle", "100ms", "-nodes-gather", "1s"}

// patience is how long anything may take. A busy machine needs a few seconds for most.
const patience = 40 * time.Second

// lab is a control plane with simulated nodes, Metacontroller with one strategy, and the hook behind a proxy. All
// journeys of a strategy share it, one at a time.
type lab struct {
	*cluster.Cluster

	strategy       string
	simulator      *simulator.Simulator
	hook           *cluster.Process
	front          *front
	metacontroller *cluster.Process
	slow           int       // how many times as long anything may take
	nmstate        bool      // the controllers are those for clusters with NMState
	began          time.Time // the present journey
}

// labs are started when they are first needed, and stopped by TestMain.
var labs = struct {
	sync.Mutex
	started map[string]*lab
}{started: map[string]*lab{}}

func TestMain(m *testing.M) {
	code := m.Run()
	for _, l := range labs.started {
		l.front.server.Close()
		l.Stop()
	}
	os.Exit(code)
}

// with runs a journey under both strategies at once, each in its own lab, with the CompositeController for clusters with
// or without NMState.
func with(t *testing.T, nmstate bool, travel func(*testing.T, *lab)) {
	t.Helper()
	if os.Getenv("METACONTROLLER") == "" {
		t.Skip("METACONTROLLER does not name a binary of Metacontroller: not tried under " + dynamicApply + " and " + serverSideApply)
	}
	for _, strategy := range []string{dynamicApply, serverSideApply} {
		t.Run(strategy, func(t *testing.T) {
			t.Parallel()
			l := labFor(t, strategy)
			l.control(t, nmstate)
			l.began = time.Now()
			travel(t, l)
		})
	}
}

func withNMState(t *testing.T, travel func(*testing.T, *lab))    { t.Helper(); with(t, true, travel) }
func withoutNMState(t *testing.T, travel func(*testing.T, *lab)) { t.Helper(); with(t, false, travel) }

func labFor(t *testing.T, strategy string) *lab {
	t.Helper()
	labs.Lock()
	defer labs.Unlock()
	l := labs.started[strategy]
	if l == nil {
		var err error
		if l, err = startLab(strategy, cluster.Options{Log: os.Stderr}); err != nil {
			t.Fatal(err)
		}
		labs.started[strategy] = l
	}
	if ended(l.hook) {
		l.restartHook(t)
	}
	if ended(l.metacontroller) {
		l.restartMetacontroller(t, strategy)
	}
	return l
}

// ended says that a process has ended: a journey that ends early does not start again what it has killed.
func ended(p *cluster.Process) bool {
	select {
	case <-p.Done():
		return true
	default:
		return false
	}
}

func startLab(strategy string, options cluster.Options) (_ *lab, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Minute)
	defer cancel()
	l := &lab{strategy: strategy, nmstate: true}
	if l.Cluster, err = cluster.Start(ctx, options); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			l.Stop()
		}
	}()
	log, err := os.Create(filepath.Join(l.Dir, "simulator.log"))
	if err != nil {
		return nil, err
	}
	playing := simulator.Options{Log: slog.New(slog.NewTextHandler(log, nil))}
	if l.simulator, err = simulator.Start(context.Background(), l.Config, playing); err != nil {
		return nil, err
	}
	for i := 1; i <= 2; i++ {
		node := simulator.Node{Name: fmt.Sprintf("worker-%d", i)}
		for _, nic := range []string{"ens160", "ens161", "ens162", "ens224"} {
			node.NICs = append(node.NICs, simulator.NIC{Name: nic})
		}
		node.NICs = append(node.NICs, simulator.NIC{Name: "ens192", Address: fmt.Sprintf("10.0.0.%d", i)})
		if err := l.simulator.AddNode(ctx, node); err != nil {
			return nil, err
		}
	}
	for _, namespace := range []string{"machines", "networks"} { // the examples speak of both
		if err := l.EnsureNamespace(ctx, namespace); err != nil {
			return nil, err
		}
	}
	flags := hookFlags
	if options.Root != "" { // an earlier version
		flags = hookFlags[:2]
	}
	if l.hook, err = l.StartHook(ctx, flags...); err != nil {
		return nil, err
	}
	l.front = newFront(l.hook.URL)
	if err := l.InstallControllers(ctx, l.front.server.URL, true); err != nil {
		return nil, err
	}
	l.metacontroller, err = l.StartMetacontroller(ctx, strategy)
	return l, err
}

// control makes Metacontroller act by the controllers with or without NMState, and waits until it does.
func (l *lab) control(t *testing.T, nmstate bool) {
	t.Helper()
	if l.nmstate == nmstate {
		return
	}
	told := l.front.toldOfNodes()
	if err := l.InstallControllers(t.Context(), l.front.server.URL, nmstate); err != nil {
		t.Fatal(err)
	}
	l.nmstate = nmstate
	l.awaitController(t)
	if nmstate {
		l.eventually(t, "Metacontroller calls about nodes again", func() (bool, string) {
			calls := l.front.toldOfNodes() - told
			return calls >= 2, fmt.Sprint("calls: ", calls)
		})
	}
}

// awaitController waits until Metacontroller calls with the CompositeController that is installed now. It says so of no
// one in particular, so one Wukong is made to be called about.
func (l *lab) awaitController(t *testing.T) {
	t.Helper()
	controllers := schema.GroupVersionResource{Group: "metacontroller.k8s.io", Version: "v1alpha1", Resource: "compositecontrollers"}
	installed, err := l.Dynamic.Resource(controllers).Get(t.Context(), "wukong", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	const name = "probe"
	l.create(t, name, "{startStrategy: {runStrategy: Halted}}")
	l.eventually(t, "Metacontroller calls with the new CompositeController", func() (bool, string) {
		generation := l.front.controller(name)
		return generation == installed.GetGeneration(), fmt.Sprintf("it calls with generation %d of %d", generation, installed.GetGeneration())
	})
	l.delete(t, name)
}

// create creates a Wukong with a spec in YAML.
func (l *lab) create(t *testing.T, name, spec string) {
	t.Helper()
	l.createOf(t, wukongs, "Wukong", name, spec)
}

// createNetwork creates a WukongNetwork with a spec in YAML.
func (l *lab) createNetwork(t *testing.T, name, spec string) {
	t.Helper()
	l.createOf(t, networks, "WukongNetwork", name, spec)
}

func (l *lab) createOf(t *testing.T, resource schema.GroupVersionResource, kind, name, spec string) {
	t.Helper()
	w := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "vm.novasphere.dev/v1alpha1", "kind": kind,
		"metadata": map[string]any{"name": name},
		"spec":     object(t, spec),
	}}
	l.retry(t, func() error {
		_, err := l.Dynamic.Resource(resource).Create(t.Context(), w, metav1.CreateOptions{})
		return err
	})
	// A journey that ends early leaves nothing in the way of the next.
	t.Cleanup(func() {
		err := l.Dynamic.Resource(resource).Delete(context.Background(), name, metav1.DeleteOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			t.Errorf("taking %s away: %v", name, err)
		}
	})
}

// change changes a Wukong's spec by a merge patch in YAML.
func (l *lab) change(t *testing.T, name, spec string) {
	t.Helper()
	l.patch(t, wukongs, "", name, map[string]any{"spec": object(t, spec)})
}

func (l *lab) patch(t *testing.T, resource schema.GroupVersionResource, namespace, name string, patch map[string]any) {
	t.Helper()
	body, err := json.Marshal(patch)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Dynamic.Resource(resource).Namespace(namespace).Patch(t.Context(), name, "application/merge-patch+json", body, metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
}

// delete deletes a Wukong and waits until it is gone.
func (l *lab) delete(t *testing.T, name string) {
	t.Helper()
	l.leave(t, name)
	l.eventually(t, name+" is gone", func() (bool, string) {
		w, err := l.get(t, wukongs, "", name)
		return err == nil && w == nil, l.message(w)
	})
}

// leave deletes a Wukong and does not wait.
func (l *lab) leave(t *testing.T, name string) {
	t.Helper()
	if err := l.Dynamic.Resource(wukongs).Delete(t.Context(), name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
}

// get is an object, or nil where there is none.
func (l *lab) get(t *testing.T, resource schema.GroupVersionResource, namespace, name string) (*unstructured.Unstructured, error) {
	t.Helper()
	object, err := l.Dynamic.Resource(resource).Namespace(namespace).Get(t.Context(), name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	return object, err
}

// must is an object that exists.
func (l *lab) must(t *testing.T, resource schema.GroupVersionResource, namespace, name string) *unstructured.Unstructured {
	t.Helper()
	object, err := l.get(t, resource, namespace, name)
	if err != nil || object == nil {
		t.Fatalf("%s %s/%s does not exist: %v", resource.Resource, namespace, name, err)
	}
	return object
}

// awaitObject waits until an object exists, and awaitGone until it does not.
func (l *lab) awaitObject(t *testing.T, resource schema.GroupVersionResource, namespace, name string) {
	t.Helper()
	l.eventually(t, fmt.Sprintf("%s %s exists", resource.Resource, name), func() (bool, string) {
		object, err := l.get(t, resource, namespace, name)
		return object != nil, fmt.Sprint("error: ", err)
	})
}

func (l *lab) awaitGone(t *testing.T, resource schema.GroupVersionResource, namespace, name string) {
	t.Helper()
	l.eventually(t, fmt.Sprintf("%s %s is gone", resource.Resource, name), func() (bool, string) {
		object, err := l.get(t, resource, namespace, name)
		return object == nil && err == nil, fmt.Sprint("error: ", err)
	})
}

// ready waits until a Wukong is ready in its present form.
func (l *lab) ready(t *testing.T, name string) {
	t.Helper()
	l.awaitCondition(t, name, "Ready", "True", "")
}

// awaitCondition waits until a condition of a Wukong has a status, and a reason unless that is "", at the generation that
// the Wukong has now. It answers with the condition's message.
func (l *lab) awaitCondition(t *testing.T, name, kind, status, reason string) (message string) {
	t.Helper()
	return l.awaitConditionOf(t, wukongs, name, kind, status, reason)
}

// awaitNetwork does the same with a WukongNetwork.
func (l *lab) awaitNetwork(t *testing.T, name, kind, status, reason string) (message string) {
	t.Helper()
	return l.awaitConditionOf(t, networks, name, kind, status, reason)
}

func (l *lab) awaitConditionOf(t *testing.T, resource schema.GroupVersionResource, name, kind, status, reason string) (message string) {
	t.Helper()
	l.eventually(t, fmt.Sprintf("%s has %s=%s %s", name, kind, status, reason), func() (bool, string) {
		w, err := l.get(t, resource, "", name)
		if err != nil || w == nil {
			return false, fmt.Sprint("it cannot be read: ", err)
		}
		observed, _, _ := unstructured.NestedInt64(w.Object, "status", "observedGeneration")
		c := condition(w, kind)
		message = c["message"]
		ok := observed == w.GetGeneration() && c["status"] == status && (reason == "" || c["reason"] == reason)
		return ok, fmt.Sprintf("generation %d of %d is observed: %s", observed, w.GetGeneration(), l.message(w))
	})
	return message
}

// message is what a Wukong says of itself.
func (l *lab) message(w *unstructured.Unstructured) string {
	if w == nil {
		return "there is no Wukong"
	}
	status, err := yaml.Marshal(w.Object["status"])
	return fmt.Sprintf("%s%v", status, errors.Join(err))
}

// condition is a condition of an object as text; empty where there is none.
func condition(object *unstructured.Unstructured, kind string) map[string]string {
	list, _, _ := unstructured.NestedSlice(object.Object, "status", "conditions")
	for _, item := range list {
		if c, ok := item.(map[string]any); ok && c["type"] == kind {
			text := map[string]string{}
			for key, value := range c {
				text[key] = fmt.Sprint(value)
			}
			return text
		}
	}
	return map[string]string{}
}

// eventually waits until something is so. Where it never is, what was seen last and what Metacontroller complained of
// are printed.
func (l *lab) eventually(t *testing.T, what string, is func() (bool, string)) {
	t.Helper()
	patience := time.Duration(max(1, l.slow)) * patience
	deadline := time.Now().Add(patience)
	last := ""
	for time.Now().Before(deadline) {
		ok, seen := is()
		if ok {
			return
		}
		last = seen
		wait(t, 50*time.Millisecond)
	}
	t.Fatalf("not within %s: %s\n%s\nevents:\n%s", patience, what, last, l.complaints(t))
}

// wait lets time pass, unless the test ends.
func wait(t *testing.T, duration time.Duration) {
	t.Helper()
	select {
	case <-time.After(duration):
	case <-t.Context().Done():
		t.Fatal("the test ended meanwhile")
	}
}

// retry does something until the API server, which may be starting, takes it.
func (l *lab) retry(t *testing.T, do func() error) {
	t.Helper()
	l.eventually(t, "the API server takes it", func() (bool, string) {
		err := do()
		if apierrors.IsInvalid(err) || apierrors.IsAlreadyExists(err) || apierrors.IsForbidden(err) {
			t.Fatal(err)
		}
		return err == nil, fmt.Sprint(err)
	})
}

// complaints are the Events that Metacontroller left on Wukongs, and what the simulator could not do.
func (l *lab) complaints(t *testing.T) string {
	t.Helper()
	list, err := l.Dynamic.Resource(events).List(t.Context(), metav1.ListOptions{FieldSelector: "type=Warning"})
	if err != nil {
		return err.Error()
	}
	var lines []string
	for _, e := range list.Items {
		name, _, _ := unstructured.NestedString(e.Object, "involvedObject", "name")
		message, _, _ := unstructured.NestedString(e.Object, "message")
		lines = append(lines, name+": "+message)
	}
	for _, resource := range []schema.GroupVersionResource{wukongs, networks} {
		list, err := l.Dynamic.Resource(resource).List(t.Context(), metav1.ListOptions{})
		if err != nil {
			lines = append(lines, err.Error())
			continue
		}
		for _, o := range list.Items {
			lines = append(lines, fmt.Sprintf("%s %s: %v", o.GetKind(), o.GetName(), condition(&o, "Ready")["message"]))
		}
	}
	log, err := os.ReadFile(filepath.Join(l.Dir, "simulator.log"))
	if err != nil {
		return err.Error()
	}
	return strings.Join(lines, "\n") + "\nsimulator:\n" + string(log[max(0, len(log)-2000):])
}

// restartHook starts the hook again after it has ended, at another port and with flags.
func (l *lab) restartHook(t *testing.T, flags ...string) {
	t.Helper()
	hook, err := l.StartHook(context.WithoutCancel(t.Context()), append(slices.Clone(hookFlags), flags...)...)
	if err != nil {
		t.Fatal(err)
	}
	l.hook = hook
	l.front.to(hook.URL)
}

// object is an object in YAML.
func object(t *testing.T, text string) map[string]any {
	t.Helper()
	o := map[string]any{}
	if err := yaml.Unmarshal([]byte(text), &o); err != nil {
		t.Fatalf("decoding %q: %v", text, err)
	}
	return o
}

// front is a proxy in front of the hook, as a Service is: the hook may come back elsewhere, and calls can be made to
// fail.
type front struct {
	server *httptest.Server

	mu          sync.Mutex
	backend     *url.URL
	fault       func(http.ResponseWriter, *http.Request) bool
	calls       map[string]map[string]int // by hook, and by the name of what they are about
	controllers map[string]int64          // the generation of the CompositeController of the last call, by Wukong
}

func newFront(backend string) *front {
	f := &front{calls: map[string]map[string]int{}, controllers: map[string]int64{}}
	f.to(backend)
	f.server = httptest.NewServer(f)
	return f
}

// to sends calls to a backend from now on.
func (f *front) to(backend string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.backend, _ = url.Parse(backend)
}

// disturb lets calls go wrong: where fault answers true, it has answered the call. nil ends it.
func (f *front) disturb(fault func(http.ResponseWriter, *http.Request) bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fault = fault
}

// ServeHTTP implements http.Handler.
func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the caller has gone
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	var call struct {
		Controller, Parent, Object struct {
			Metadata struct {
				Name       string
				Generation int64
			}
		}
	}
	_ = json.Unmarshal(body, &call) // whatever it is, the hook says what is wrong with it
	f.mu.Lock()
	name, hook := call.Parent.Metadata.Name+call.Object.Metadata.Name, strings.TrimPrefix(r.URL.Path, "/")
	if f.calls[hook] == nil {
		f.calls[hook] = map[string]int{}
	}
	f.calls[hook][name]++
	if !strings.Contains(hook, "/") {
		f.controllers[name] = call.Controller.Metadata.Generation
	}
	backend, fault := f.backend, f.fault
	f.mu.Unlock()
	if fault != nil && fault(w, r) {
		return
	}
	proxy := httputil.NewSingleHostReverseProxy(backend)
	proxy.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, err error) {
		http.Error(w, err.Error(), http.StatusBadGateway)
	}
	proxy.ServeHTTP(w, r)
}

// called is how often sync was called about a Wukong.
func (f *front) called(name string) int { return f.calledAs("sync", name) }

// calledAs is how often a hook was called about something.
func (f *front) calledAs(hook, name string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls[hook][name]
}

// toldOfNodes is how often the hook was called about any node.
func (f *front) toldOfNodes() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, calls := range f.calls["node/sync"] {
		n += calls
	}
	return n
}

// controller is the generation of the CompositeController at the last call about a Wukong.
func (f *front) controller(name string) int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.controllers[name]
}

// Package simulator plays the nodes, NMState and KubeVirt for a control plane that has none: it does to the API objects
// what they would do, in the same order, and leaves out what costs a machine.
//
// It is level-triggered, like what it plays: each step looks at what is stored now and takes it one state further, so
// that it goes on where it was after the API server was away. One worker takes all steps, and nodes are configured one
// after another in the order of their names, so that two runs see the same states in the same order.
//
// What is played, and from where it is known, stands at each file: nodes.go, nmstate.go, admission.go, kubevirt.go and
// webhook.go. Upstream sources are those of kubernetes-nmstate at c9752755 and of KubeVirt at d923fdb8.
package simulator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
)

var (
	nodes      = schema.GroupVersionResource{Version: "v1", Resource: "nodes"}
	states     = schema.GroupVersionResource{Group: "nmstate.io", Version: "v1beta1", Resource: "nodenetworkstates"}
	policies   = schema.GroupVersionResource{Group: "nmstate.io", Version: "v1", Resource: "nodenetworkconfigurationpolicies"}
	enactments = schema.GroupVersionResource{Group: "nmstate.io", Version: "v1beta1", Resource: "nodenetworkconfigurationenactments"}
	nads       = schema.GroupVersionResource{Group: "k8s.cni.cncf.io", Version: "v1", Resource: "network-attachment-definitions"}
	machines   = schema.GroupVersionResource{Group: "kubevirt.io", Version: "v1", Resource: "virtualmachines"}
	instances  = schema.GroupVersionResource{Group: "kubevirt.io", Version: "v1", Resource: "virtualmachineinstances"}
)

// UserAgent is what the simulator calls itself to the API server.
const UserAgent = "simulator"

// retryAfter is how long a step waits that could not be taken, for example because the API server is away.
const retryAfter = 200 * time.Millisecond

// Simulator is a running simulation.
type Simulator struct {
	client dynamic.Interface
	log    *slog.Logger
	pace   time.Duration
	queue  workqueue.TypedDelayingInterface[task]
	// nodes are the Nodes as last seen, and reporting the NodeNetworkStates without what they say.
	nodes, reporting cache.Indexer

	mu sync.Mutex // guards what tests say, and what was seen
	// held policies stay in progress.
	held map[string]bool
	// failing are the nodes, by policy, that cannot be configured.
	failing map[string]map[string]string
	// reboots are nodes, by policy, that start it over.
	reboots map[string]map[string]bool
	// taken is the generation of each policy, by UID, that was taken up.
	taken map[string]int64
	// available is when a policy was last about to be called available.
	available map[string]time.Time
	// waiting are machines that wait for an attachment.
	waiting map[task]bool
	// wanted says of machines that do not run by themselves whether they were asked to.
	wanted map[string]bool
}

// task is one object to look at.
type task struct {
	kind, namespace, name string
}

// condition is a condition of NMState (api/shared/condition_types.go) or of KubeVirt, without its times.
type condition struct {
	kind, status, reason, message string
}

// Options say how the simulation runs.
type Options struct {
	// Pace is the time between two steps of a policy or a machine, so that the states between are seen. Default 50ms.
	Pace time.Duration

	// Log gets what could not be done and is tried again.
	Log *slog.Logger
}

// Start installs admission and begins to simulate, until ctx ends. The kinds of NMState, Multus and KubeVirt must exist.
// When it returns, admission is in force.
func Start(ctx context.Context, config *rest.Config, options Options) (*Simulator, error) {
	config = rest.CopyConfig(config)
	config.UserAgent = UserAgent
	config.QPS, config.Burst = 500, 500
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("making a client: %w", err)
	}
	s := &Simulator{
		client: client, log: options.Log, pace: options.Pace,
		queue: workqueue.NewTypedDelayingQueue[task](),
		held:  map[string]bool{}, failing: map[string]map[string]string{}, reboots: map[string]map[string]bool{},
		taken: map[string]int64{}, available: map[string]time.Time{}, wanted: map[string]bool{}, waiting: map[task]bool{},
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.pace == 0 {
		s.pace = 50 * time.Millisecond
	}
	if err := s.serveWebhooks(ctx); err != nil {
		return nil, err
	}
	if err := s.installPolicyAdmission(ctx); err != nil {
		return nil, err
	}
	if err := s.awaitAdmission(ctx); err != nil {
		return nil, err
	}
	if err := s.watch(ctx, config); err != nil {
		return nil, err
	}
	go s.work(ctx)
	return s, nil
}

// watch puts what changes into the queue.
func (s *Simulator) watch(ctx context.Context, config *rest.Config) error {
	factory := dynamicinformer.NewDynamicSharedInformerFactory(s.client, 0)
	names, err := metadata.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("making a client: %w", err)
	}
	// Of what nodes report, only whether they do: it is long, and changes all the time.
	reporting := metadatainformer.NewSharedInformerFactory(names, 0).ForResource(states).Informer()
	all := map[string]cache.SharedIndexInformer{"state": reporting}
	for kind, resource := range map[string]schema.GroupVersionResource{"node": nodes, "policy": policies, "machine": machines, "instance": instances, "nad": nads} {
		all[kind] = factory.ForResource(resource).Informer()
	}
	s.nodes, s.reporting = all["node"].GetIndexer(), reporting.GetIndexer()
	for kind, informer := range all {
		if err := s.follow(ctx, kind, informer); err != nil {
			return err
		}
		go informer.RunWithContext(ctx)
	}
	for kind, informer := range all {
		if !cache.WaitForCacheSync(ctx.Done(), informer.HasSynced) {
			return fmt.Errorf("listing every %s: %w", kind, ctx.Err())
		}
	}
	return nil
}

// follow puts into the queue what a change of a kind means.
func (s *Simulator) follow(ctx context.Context, kind string, informer cache.SharedIndexInformer) error {
	enqueue := func(object any) {
		key, err := cache.DeletionHandlingMetaNamespaceKeyFunc(object)
		if err != nil {
			s.log.Error("naming an object", "kind", kind, "err", err)
			return
		}
		namespace, name, _ := cache.SplitMetaNamespaceKey(key)
		switch kind {
		case "policy":
			s.queue.Add(task{kind: "policy", name: name})
		case "node", "state": // its labels, and whether it reports, decide which policies select it
			s.enqueueAll(ctx, policies, "policy")
		case "nad":
			s.mu.Lock()
			for machine := range s.waiting {
				s.queue.Add(machine)
			}
			s.mu.Unlock()
		default: // a machine and its instance have the same name
			s.queue.Add(task{kind: "machine", namespace: namespace, name: name})
		}
	}
	changed := func(before, now any) bool {
		a, errA := meta.Accessor(before)
		b, errB := meta.Accessor(now)
		switch {
		case errA != nil || errB != nil:
			return true
		case kind == "state":
			return false
		case kind == "node": // and not for each heartbeat
			return !maps.Equal(a.GetLabels(), b.GetLabels()) || a.GetDeletionTimestamp() != b.GetDeletionTimestamp()
		}
		return true
	}
	if _, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: enqueue,
		UpdateFunc: func(before, now any) {
			if changed(before, now) {
				enqueue(now)
			}
		},
		DeleteFunc: enqueue,
	}); err != nil {
		return fmt.Errorf("watching every %s: %w", kind, err)
	}
	return nil
}

// enqueueAll puts every object of a kind into the queue.
func (s *Simulator) enqueueAll(ctx context.Context, resource schema.GroupVersionResource, kind string) {
	list, err := s.client.Resource(resource).List(ctx, metav1.ListOptions{})
	if err != nil {
		s.log.Info("listing", "resource", resource.Resource, "err", err)
		return
	}
	for _, object := range list.Items {
		s.queue.Add(task{kind: kind, namespace: object.GetNamespace(), name: object.GetName()})
	}
}

// work takes steps until ctx ends.
func (s *Simulator) work(ctx context.Context) {
	go func() {
		<-ctx.Done()
		s.queue.ShutDown()
	}()
	next := map[task]time.Time{} // a step's own write is seen at once, and must not be the next step's reason to hurry
	for {
		t, shutdown := s.queue.Get()
		if shutdown {
			return
		}
		if early := time.Until(next[t]); early > 0 {
			s.queue.Done(t)
			s.queue.AddAfter(t, early)
			continue
		}
		delete(next, t)
		var again bool
		var err error
		if t.kind == "policy" {
			again, err = s.policyStep(ctx, t.name)
		} else {
			again, err = s.machineStep(ctx, t.namespace, t.name)
		}
		s.queue.Done(t)
		switch {
		case ctx.Err() != nil:
		case err != nil && !apierrors.IsConflict(err) && !errors.Is(err, context.Canceled):
			s.log.Info("step", "kind", t.kind, "namespace", t.namespace, "name", t.name, "err", err)
			s.queue.AddAfter(t, retryAfter)
		case err != nil || again:
			next[t] = time.Now().Add(s.pace)
			s.queue.AddAfter(t, s.pace)
		}
	}
}

// enactmentName is the name of the enactment of a policy on a node.
func enactmentName(node, policy string) string {
	return strings.Join([]string{node, policy}, ".")
}

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"novasphere.dev/wukong/e2e/cluster"
	"novasphere.dev/wukong/e2e/simulator"
	"novasphere.dev/wukong/types/v1alpha1"
)

const (
	// maxMachines is how many VLANs there are to give each a bridge of its own, less those that are used otherwise.
	maxMachines = 3800
	firstVLAN   = 100
	sharedVLAN  = 50
)

var (
	wukongs  = schema.GroupVersionResource{Group: v1alpha1.Group, Version: v1alpha1.Version, Resource: v1alpha1.Resource}
	networks = schema.GroupVersionResource{Group: v1alpha1.Group, Version: v1alpha1.Version, Resource: v1alpha1.NetworkResource}
	reports  = schema.GroupVersionResource{Group: v1alpha1.Group, Version: v1alpha1.Version, Resource: v1alpha1.NodeResource}
	nodes    = schema.GroupVersionResource{Version: "v1", Resource: "nodes"}
	states   = schema.GroupVersionResource{Group: "nmstate.io", Version: "v1beta1", Resource: "nodenetworkstates"}
)

// fleet is a running control plane with nodes, and what is counted of it.
type fleet struct {
	*cluster.Cluster
	size    size
	counter *counter
	front   *httptest.Server
	audit   *audit
	hook    *cluster.Process
	manager *cluster.Process
	nodes   *simulator.Simulator
	// used is what both had used when it was last counted.
	used struct{ hook, manager cluster.Usage }
}

// measure brings a fleet up, and takes it through its life.
func measure(ctx context.Context, s size) (*result, error) {
	c, err := cluster.Start(ctx, cluster.Options{Log: os.Stderr, Root: s.source})
	if err != nil {
		return nil, err
	}
	defer c.Stop()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // the nodes go before the API server does
	f := &fleet{Cluster: c, size: s, audit: &audit{path: c.AuditLog}}
	if err := f.start(ctx); err != nil {
		return nil, err
	}
	defer f.front.Close()
	r := &result{size: s}
	if err := f.prepare(ctx, r); err != nil {
		return nil, err
	}
	if err := f.build(ctx, r); err != nil {
		return nil, err
	}
	if s.built {
		return r, nil
	}
	if s.story {
		return r, f.tell(ctx)
	}
	return r, f.afterwards(ctx, r)
}

// start starts nodes, hook and Metacontroller, and waits until every node has its WukongNode.
func (f *fleet) start(ctx context.Context) error {
	var err error
	f.nodes, err = simulator.Start(ctx, f.Config, simulator.Options{Pace: 20 * time.Millisecond})
	if err != nil {
		return err
	}
	for i := range f.size.nodes {
		node := simulator.Node{Name: nodeName(i), Pods: 60 + (40+i*17)%51, NICs: []simulator.NIC{
			{Name: "ens160", Address: fmt.Sprintf("10.0.%d.%d", i/250, i%250+1)}, {Name: "ens192"},
		}}
		if err := f.nodes.AddNode(ctx, node); err != nil {
			return err
		}
	}
	flags := []string{"-physical-interface", "ens192"}
	_, err = f.Resource(v1alpha1.NodeResource + "." + v1alpha1.Group)
	tells := err == nil // else it is an earlier version, which looks at Nodes and NodeNetworkStates
	if tells {
		flags = append(flags, "-nodes-settle", "1s", "-nodes-gather", f.size.gather.String())
	}
	if f.hook, err = f.StartHook(ctx, flags...); err != nil {
		return err
	}
	f.counter = &counter{hook: f.hook.URL, calls: map[string]int{}, last: time.Now()}
	f.front = httptest.NewServer(f.counter)
	if err := f.InstallControllers(ctx, f.front.URL, true); err != nil {
		return err
	}
	if f.manager, err = f.StartMetacontroller(ctx, f.size.strategy, "--zap-log-level=error"); err != nil {
		return err
	}
	if !tells {
		return nil
	}
	return f.until(ctx, "every node has its WukongNode", func() (bool, string, error) {
		list, err := f.Dynamic.Resource(reports).List(ctx, metav1.ListOptions{})
		if err != nil {
			return false, "", err
		}
		return len(list.Items) == f.size.nodes, fmt.Sprint("WukongNodes: ", len(list.Items)), nil
	})
}

func nodeName(i int) string    { return fmt.Sprintf("worker-%03d", i+1) }
func machineName(i int) string { return fmt.Sprintf("m-%04d", i+1) }

// nodeSize is how long a Node and its NodeNetworkState are together.
func (f *fleet) nodeSize(ctx context.Context) (int, error) {
	n := 0
	for _, resource := range []schema.GroupVersionResource{nodes, states} {
		object, err := f.Dynamic.Resource(resource).Get(ctx, nodeName(0), metav1.GetOptions{})
		if err != nil {
			return 0, fmt.Errorf("reading a node: %w", err)
		}
		text, err := json.Marshal(object.Object)
		if err != nil {
			return 0, fmt.Errorf("encoding a node: %w", err)
		}
		n += len(text)
	}
	return n, nil
}

// prepare makes what the machines share and do not bring with them.
func (f *fleet) prepare(ctx context.Context, r *result) error {
	var err error
	switch f.size.way {
	case network:
		err = f.create(ctx, networks, fmt.Sprintf("{apiVersion: %s, kind: %s, metadata: {name: lan}, spec: {bridgeName: br-lan, vlanId: %d, reclaimPolicy: Delete}}",
			v1alpha1.APIVersion, v1alpha1.NetworkKind, sharedVLAN))
		if err == nil {
			err = f.ready(ctx, networks, 1)
		}
	case nad:
		var gvr schema.GroupVersionResource
		if gvr, err = f.Resource("network-attachment-definitions.k8s.cni.cncf.io"); err == nil {
			err = f.create(ctx, gvr, `{apiVersion: k8s.cni.cncf.io/v1, kind: NetworkAttachmentDefinition, metadata: {name: lan, namespace: default},
				spec: {config: '{"cniVersion": "0.3.1", "type": "bridge", "bridge": "br-lan", "disableContainerInterface": true, "ipam": {}}'}}`)
		}
	}
	if err != nil {
		return err
	}
	if err := f.settle(ctx); err != nil {
		return err
	}
	r.network, err = f.count()
	return err
}

// build makes the machines, all at once, and waits until all are ready.
func (f *fleet) build(ctx context.Context, r *result) error {
	for i := range f.size.machines {
		if err := f.machine(ctx, i); err != nil {
			return err
		}
	}
	if err := f.ready(ctx, wukongs, f.size.machines); err != nil {
		return err
	}
	var err error
	if r.node, err = f.nodeSize(ctx); err != nil {
		return err
	}
	r.build, err = f.count()
	r.peak.hook, r.peak.manager = r.build.hook.Peak, r.build.manager.Peak
	return err
}

// machine makes one machine.
func (f *fleet) machine(ctx context.Context, i int) error {
	lan := map[string]string{
		own:     fmt.Sprintf("{name: lan, type: bridge, bridgeName: br-%[1]d, vlanId: %[1]d, reclaimPolicy: Delete}", firstVLAN+i),
		shared:  fmt.Sprintf("{name: lan, type: bridge, bridgeName: br-lan, vlanId: %d, reclaimPolicy: Delete}", sharedVLAN),
		network: "{name: lan, networkName: lan}",
		nad:     "{name: lan, type: bridge, nadName: lan}",
	}[f.size.way]
	return f.create(ctx, wukongs, fmt.Sprintf("{apiVersion: %s, kind: Wukong, metadata: {name: %s}, spec: {networks: [{name: default}, %s]}}",
		v1alpha1.APIVersion, machineName(i), lan))
}

// create makes an object from YAML.
func (f *fleet) create(ctx context.Context, resource schema.GroupVersionResource, text string) error {
	o := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(text), &o.Object); err != nil {
		return fmt.Errorf("decoding %s: %w", text, err)
	}
	if _, err := f.Dynamic.Resource(resource).Namespace(o.GetNamespace()).Create(ctx, o, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("creating %s %s: %w", o.GetKind(), o.GetName(), err)
	}
	return nil
}

// ready waits until there are n objects of a kind, all are ready, and nobody calls the hook any more.
func (f *fleet) ready(ctx context.Context, resource schema.GroupVersionResource, n int) error {
	err := f.until(ctx, fmt.Sprintf("%d %s are ready", n, resource.Resource), func() (bool, string, error) {
		list, err := f.Dynamic.Resource(resource).List(ctx, metav1.ListOptions{})
		if err != nil {
			return false, "", err
		}
		ready, why := 0, ""
		for _, o := range list.Items {
			if status, message := condition(&o, v1alpha1.ConditionReady); status == "True" {
				ready++
			} else {
				why = o.GetName() + ": " + message
			}
		}
		return ready == n && len(list.Items) == n, fmt.Sprintf("%d of %d are ready; %s", ready, len(list.Items), why), nil
	})
	if err != nil {
		return err
	}
	return f.settle(ctx)
}

// condition is a condition of an object.
func condition(o *unstructured.Unstructured, kind string) (status, message string) {
	conditions, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
	for _, item := range conditions {
		if c, _ := item.(map[string]any); c["type"] == kind {
			status, _ = c["status"].(string)
			message, _ = c["message"].(string)
		}
	}
	return status, message
}

// settle waits until nobody has called the hook for a while, so that nothing is gathered any more. What has just been done may call it
// only now.
func (f *fleet) settle(ctx context.Context) error {
	silence := 3*time.Second + 3*f.size.gather/2
	began := time.Now()
	return f.until(ctx, "the hook is left alone", func() (bool, string, error) {
		return f.counter.quiet() > silence && time.Since(began) > silence, "", nil
	})
}

// until waits until something is so.
func (f *fleet) until(ctx context.Context, what string, is func() (bool, string, error)) error {
	deadline := time.Now().Add(f.size.patience)
	told := time.Now()
	for {
		ok, seen, err := is()
		switch {
		case err != nil:
			return fmt.Errorf("waiting until %s: %w", what, err)
		case ok:
			return nil
		case time.Now().After(deadline):
			return fmt.Errorf("waiting until %s: not within %s: %s", what, f.size.patience, seen)
		case time.Since(told) > 20*time.Second:
			told = time.Now()
			_, _ = fmt.Fprintf(os.Stderr, "%s: waiting until %s: %s\n", f.size, what, seen)
		}
		select {
		case <-time.After(250 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// count is what was taken since it was last counted.
func (f *fleet) count() (count, error) {
	n := f.counter.take()
	var err error
	if n.writes, err = f.audit.writes(); err != nil {
		return n, err
	}
	hook, err := f.hook.Usage()
	if err != nil {
		return n, err
	}
	manager, err := f.manager.Usage()
	if err != nil {
		return n, err
	}
	n.hook, n.manager = since(f.used.hook, hook), since(f.used.manager, manager)
	f.used.hook, f.used.manager = hook, manager
	return n, nil
}

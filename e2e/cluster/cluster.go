// Package cluster brings up the part of a Kubernetes cluster that decides what is stored: etcd, kube-apiserver, and of
// kube-controller-manager the garbage collector and the controller of namespaces. There are no nodes, so nothing runs.
//
// The definitions of Wukong, NMState, Multus and KubeVirt are installed, and Metacontroller's where they are found. The
// hook and Metacontroller are started on top. Everything listens on the loopback interface, and on linux dies with the
// process that started it.
//
// kube-apiserver and kube-controller-manager are built from their Go module when there is no build of that version in the
// user's cache directory: some minutes, once. Metacontroller is not built: its module has no path to import it by, so the
// variable METACONTROLLER names a binary.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
)

// Options are what clusters differ in. The zero value is a complete cluster that says nothing.
type Options struct {
	// WithoutNMState leaves out the definitions of NMState.
	WithoutNMState bool
	// Dir is an empty or new directory for the cluster's files, and is kept. Default: a temporary one, which Stop removes.
	Dir string
	// Root is the source tree that is installed. Default: the one around this module.
	Root string
	// Log is told what takes time. Default: nobody.
	Log io.Writer
}

// Cluster is a running control plane.
type Cluster struct {
	Config     *rest.Config      // of an administrator, with no limit on requests
	Dynamic    dynamic.Interface // by Config
	Kubeconfig string            // path of a kubeconfig that says the same
	Dir        string            // where logs and everything else is
	Root       string            // the source tree that is installed; another may follow, part by part
	AuditLog   string            // path of a file with one audit event, level Metadata, a line for each write

	options   Options
	account   string // path of the kubeconfig of Metacontroller
	mapper    *restmapper.DeferredDiscoveryRESTMapper
	etcd      *embed.Etcd
	api       *Process
	apiServer string // the program
	port      int    // of the API server

	mu        sync.Mutex
	hooks     map[string]string // the programs that were built, by source tree
	started   int
	processes []*Process // in the order of their starts
}

// Start brings a cluster up, and returns when its definitions can be used. ctx bounds the start and not the cluster, which
// runs until Stop.
func Start(ctx context.Context, options Options) (*Cluster, error) {
	if options.Log == nil {
		options.Log = io.Discard
	}
	c := &Cluster{Dir: options.Dir, options: options}
	if err := c.start(ctx); err != nil {
		c.Stop()
		return nil, err
	}
	return c, nil
}

func (c *Cluster) start(ctx context.Context) error {
	e2e, err := moduleDir(ctx)
	if err != nil {
		return err
	}
	if c.Root = c.options.Root; c.Root == "" {
		c.Root = filepath.Dir(e2e)
	}
	c.hooks = map[string]string{}
	built, err := kubernetes(ctx, e2e, c.options.Log)
	if err != nil {
		return err
	}

	began := time.Now()
	if c.Dir == "" {
		c.Dir, err = os.MkdirTemp("", "wukong-e2e-")
	} else if c.Dir, err = filepath.Abs(c.Dir); err == nil {
		err = os.MkdirAll(c.Dir, 0o700)
	}
	if err != nil {
		return fmt.Errorf("making the cluster's directory: %w", err)
	}
	if err := c.startEtcd(ctx); err != nil {
		return err
	}
	if err := c.startAPIServer(ctx, built.apiServer); err != nil {
		return err
	}
	if c.Dynamic, err = dynamic.NewForConfig(c.Config); err != nil {
		return fmt.Errorf("making a client: %w", err)
	}
	kinds, err := discovery.NewDiscoveryClientForConfig(c.Config)
	if err != nil {
		return fmt.Errorf("making a client: %w", err)
	}
	c.mapper = restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(kinds))
	if err := c.define(ctx); err != nil {
		return err
	}
	if err := c.InstallRole(ctx); err != nil {
		return err
	}
	// After the definitions: the garbage collector looks for new kinds only every 30 s.
	if err := c.startControllers(built.controllerManager); err != nil {
		return err
	}
	c.say("the control plane is up after %s", time.Since(began).Round(100*time.Millisecond))
	return nil
}

// Stop ends everything that was started on the cluster, and the cluster. It may be called again.
func (c *Cluster) Stop() {
	for {
		c.mu.Lock()
		n := len(c.processes)
		if n == 0 {
			c.mu.Unlock()
			break
		}
		last := c.processes[n-1]
		c.processes = c.processes[:n-1]
		c.mu.Unlock()
		// What is left of it is removed with the directory, so that nothing needs to end in good order.
		last.Kill()
	}
	if c.etcd != nil {
		c.etcd.Close()
		c.etcd = nil
	}
	if c.options.Dir == "" && c.Dir != "" {
		_ = os.RemoveAll(c.Dir)
	}
}

// RestartAPIServer kills the API server, as a failing node does, and starts it again at the same address. It returns when
// the API server is ready. (In good order it would wait a minute for its watchers to leave.)
func (c *Cluster) RestartAPIServer(ctx context.Context) error {
	c.api.Kill()
	return c.runAPIServer(ctx)
}

func (c *Cluster) say(format string, args ...any) {
	_, _ = fmt.Fprintf(c.options.Log, format+"\n", args...)
}

// errEnded is why a process that ended by itself does not become ready.
var errEnded = errors.New("it has ended")

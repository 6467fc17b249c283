package cluster

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// StartHook builds the hook from the source tree, once, and starts it on free ports. Of args, which come last, -listen
// 127.0.0.1:PORT makes it come back where it was.
func (c *Cluster) StartHook(ctx context.Context, args ...string) (*Process, error) {
	program, err := c.hook()
	if err != nil {
		return nil, err
	}
	p, err := c.run(c.next("hook"), program, append([]string{"-listen", "127.0.0.1:0", "-metrics-listen", "127.0.0.1:0"}, args...)...)
	if err != nil {
		return nil, err
	}
	// It listens everywhere before it serves anywhere, and says the hooks' address first.
	err = p.await(ctx, startTimeout, func(context.Context) (bool, error) {
		log, err := os.ReadFile(p.Log)
		if err != nil {
			return false, err
		}
		lines := bufio.NewScanner(bytes.NewReader(log))
		for lines.Scan() {
			var line struct {
				Msg, Address string
				TLS          bool
			}
			if err := json.Unmarshal(lines.Bytes(), &line); err != nil || line.Msg != "listening" {
				continue
			}
			p.URL = "http://" + line.Address
			if line.TLS {
				p.URL = "https://" + line.Address
			}
			return true, nil
		}
		return false, lines.Err()
	})
	return p, err
}

// StartMetacontroller starts the binary that the variable METACONTROLLER names, with the strategy dynamic-apply or
// server-side-apply, and waits until it is up. It acts on a CompositeController some seconds after that is installed.
func (c *Cluster) StartMetacontroller(ctx context.Context, strategy string) (*Process, error) {
	program := os.Getenv("METACONTROLLER")
	if program == "" {
		return nil, errors.New("starting Metacontroller: set METACONTROLLER to the path of its binary")
	}
	program, err := filepath.Abs(program)
	if err != nil {
		return nil, fmt.Errorf("starting Metacontroller: %w", err)
	}
	probes, err := freePort()
	if err != nil {
		return nil, err
	}
	p, err := c.run(c.next("metacontroller"), program,
		"--kubeconfig="+c.Kubeconfig,
		"--apply-strategy="+strategy,
		"--discovery-interval=2s",
		"--health-probe-bind-address=127.0.0.1:"+strconv.Itoa(probes),
		"--metrics-address=0",
		"--client-go-qps=100", "--client-go-burst=200",
		"--zap-log-level=5",
	)
	if err != nil {
		return nil, err
	}
	p.URL = "http://127.0.0.1:" + strconv.Itoa(probes)
	err = p.await(ctx, startTimeout, func(ctx context.Context) (bool, error) {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.URL+"/readyz", nil)
		if err != nil {
			return false, err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return false, err
		}
		defer func() { _ = response.Body.Close() }()
		return response.StatusCode == http.StatusOK, nil
	})
	return p, err
}

// InstallController applies the CompositeController of deploy/base for a hook at a URL. Without nmstate it is what
// deploy/without-nmstate makes of it. It may be called again, to change over.
func (c *Cluster) InstallController(ctx context.Context, hookURL string, nmstate bool) error {
	objects, err := ReadFile(filepath.Join(c.Root, "deploy", "base", "compositecontroller.yaml"))
	if err != nil {
		return err
	}
	if len(objects) != 1 {
		return fmt.Errorf("reading the CompositeController: there are %d objects, must be 1", len(objects))
	}
	controller := objects[0]
	if !nmstate {
		if controller, err = c.withoutNMState(controller); err != nil {
			return err
		}
	}
	hooks, _, err := unstructured.NestedMap(controller.Object, "spec", "hooks")
	if err != nil {
		return fmt.Errorf("reading the CompositeController: %w", err)
	}
	for name := range hooks {
		path, _, err := unstructured.NestedString(hooks, name, "webhook", "path")
		if err != nil {
			return fmt.Errorf("reading the CompositeController: %w", err)
		}
		unstructured.RemoveNestedField(hooks, name, "webhook", "path")
		unstructured.RemoveNestedField(hooks, name, "webhook", "service")
		if err := unstructured.SetNestedField(hooks, hookURL+path, name, "webhook", "url"); err != nil {
			return fmt.Errorf("reading the CompositeController: %w", err)
		}
	}
	if err := unstructured.SetNestedMap(controller.Object, hooks, "spec", "hooks"); err != nil {
		return fmt.Errorf("reading the CompositeController: %w", err)
	}
	err = c.Apply(ctx, controller)
	if meta.IsNoMatchError(err) {
		return fmt.Errorf("%w: set METACONTROLLER_CRDS to Metacontroller's %s", err, metacontrollerCRDs)
	}
	return err
}

// withoutNMState is the CompositeController after the patch of the overlay.
func (c *Cluster) withoutNMState(controller *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	file := filepath.Join(c.Root, "deploy", "components", "without-nmstate", "kustomization.yaml")
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the overlay: %w", err)
	}
	var component struct {
		Patches []struct{ Patch string }
	}
	if err := yaml.Unmarshal(content, &component); err != nil {
		return nil, fmt.Errorf("reading %s: %w", file, err)
	}
	body, err := controller.MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("encoding the CompositeController: %w", err)
	}
	for _, p := range component.Patches {
		operations, err := yaml.YAMLToJSON([]byte(p.Patch))
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", file, err)
		}
		patch, err := jsonpatch.DecodePatch(operations)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", file, err)
		}
		if body, err = patch.Apply(body); err != nil {
			return nil, fmt.Errorf("applying %s: %w", file, err)
		}
	}
	patched := &unstructured.Unstructured{}
	if err := patched.UnmarshalJSON(body); err != nil {
		return nil, fmt.Errorf("decoding the CompositeController: %w", err)
	}
	return patched, nil
}

// next is a name for one more process of a kind.
func (c *Cluster) next(kind string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.started++
	return fmt.Sprintf("%s-%d", kind, c.started)
}

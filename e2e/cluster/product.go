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
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// metacontrollerUser is who Metacontroller is to the API server.
const metacontrollerUser = "metacontroller"

// StartHook builds the hook from the source tree, once, and starts it on free ports. Of args, which come last, -listen
// 127.0.0.1:PORT makes it come back where it was.
func (c *Cluster) StartHook(ctx context.Context, args ...string) (*Process, error) {
	program, err := c.buildHook()
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
// server-side-apply, and waits until it is up. It acts on a CompositeController some seconds after that is installed. args
// come last.
func (c *Cluster) StartMetacontroller(ctx context.Context, strategy string, args ...string) (*Process, error) {
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
	p, err := c.run(c.next("metacontroller"), program, append([]string{
		"--kubeconfig=" + c.account,
		"--apply-strategy=" + strategy,
		"--discovery-interval=2s",
		"--health-probe-bind-address=127.0.0.1:" + strconv.Itoa(probes),
		"--metrics-address=0",
		"--client-go-qps=100", "--client-go-burst=200",
		"--zap-log-level=5",
	}, args...)...)
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

// InstallControllers applies the controllers of deploy/base for a hook at a URL: the CompositeControllers wukong and
// wukong-networks, and the DecoratorController wukong-nodes. Without nmstate they are what deploy/without-nmstate makes of
// them: the first one, changed, and the others deleted. It may be called again, to change over.
func (c *Cluster) InstallControllers(ctx context.Context, hookURL string, nmstate bool) error {
	controllers, err := c.Controllers(hookURL)
	if err != nil {
		return err
	}
	if !nmstate {
		if controllers, err = c.withoutNMState(ctx, controllers); err != nil {
			return err
		}
	}
	err = c.Apply(ctx, controllers...)
	if meta.IsNoMatchError(err) {
		return fmt.Errorf("%w: set METACONTROLLER_CRDS to Metacontroller's %s", err, metacontrollerCRDs)
	}
	return err
}

// Controllers are the controllers of deploy/base, for a hook at a URL.
func (c *Cluster) Controllers(hookURL string) ([]*unstructured.Unstructured, error) {
	found, err := c.read("deploy/base/*controller*.yaml")
	if err != nil {
		return nil, err
	}
	var all []*unstructured.Unstructured
	for _, o := range found {
		if o.GroupVersionKind().Group != "metacontroller.k8s.io" {
			continue
		}
		if err := redirect(o, hookURL); err != nil {
			return nil, err
		}
		all = append(all, o)
	}
	return all, nil
}

// redirect makes a controller call its hooks at a URL, and not at the Service.
func redirect(controller *unstructured.Unstructured, hookURL string) error {
	hooks, _, err := unstructured.NestedMap(controller.Object, "spec", "hooks")
	if err != nil {
		return fmt.Errorf("reading controller %s: %w", controller.GetName(), err)
	}
	for name := range hooks {
		path, _, err := unstructured.NestedString(hooks, name, "webhook", "path")
		if err != nil {
			return fmt.Errorf("reading controller %s: %w", controller.GetName(), err)
		}
		unstructured.RemoveNestedField(hooks, name, "webhook", "path")
		unstructured.RemoveNestedField(hooks, name, "webhook", "service")
		if err := unstructured.SetNestedField(hooks, hookURL+path, name, "webhook", "url"); err != nil {
			return fmt.Errorf("reading controller %s: %w", controller.GetName(), err)
		}
	}
	if err := unstructured.SetNestedMap(controller.Object, hooks, "spec", "hooks"); err != nil {
		return fmt.Errorf("reading controller %s: %w", controller.GetName(), err)
	}
	return nil
}

// InstallRole lets Metacontroller do what deploy/metacontroller-role says, and nothing else.
func (c *Cluster) InstallRole(ctx context.Context) error {
	roles, err := ReadFile(filepath.Join(c.Root, "deploy", "metacontroller-role", "clusterrole.yaml"))
	if err != nil {
		return err
	}
	for _, role := range roles {
		binding := &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
			"metadata": map[string]any{"name": role.GetName()},
			"roleRef":  map[string]any{"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role.GetName()},
			"subjects": []any{map[string]any{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": metacontrollerUser}},
		}}
		if err := c.Apply(ctx, role, binding); err != nil {
			return err
		}
	}
	return nil
}

// component is what a kustomize component does to the controllers.
type component struct {
	Patches []struct {
		Target struct{ Kind, Name string }
		Patch  string
	}
}

// withoutNMState are the controllers that are left after the patches of deploy/without-nmstate. Those that it removes are
// deleted from the cluster.
func (c *Cluster) withoutNMState(ctx context.Context, controllers []*unstructured.Unstructured) ([]*unstructured.Unstructured, error) {
	file := filepath.Join(c.Root, "deploy", "components", "without-nmstate", "kustomization.yaml")
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the component: %w", err)
	}
	var changes component
	if err := yaml.Unmarshal(content, &changes); err != nil {
		return nil, fmt.Errorf("reading %s: %w", file, err)
	}
	var left []*unstructured.Unstructured
	for _, controller := range controllers {
		patched, err := changes.of(controller)
		switch {
		case err != nil:
			return nil, fmt.Errorf("applying %s: %w", file, err)
		case patched != nil:
			left = append(left, patched)
		default:
			client, err := c.Client(controller)
			if err != nil {
				return nil, err
			}
			if err := client.Delete(ctx, controller.GetName(), metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
				return nil, fmt.Errorf("deleting controller %s: %w", controller.GetName(), err)
			}
		}
	}
	return left, nil
}

// of is a controller after the patches; nil where they remove it.
func (c component) of(controller *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	body, err := controller.MarshalJSON()
	if err != nil {
		return nil, err
	}
	for _, p := range c.Patches {
		operations, err := yaml.YAMLToJSON([]byte(p.Patch))
		if err != nil {
			return nil, err
		}
		if p.Target.Name == "" { // a strategic merge patch, which can only remove
			var removed struct {
				Patch    string `json:"$patch"`
				Kind     string
				Metadata struct{ Name string }
			}
			if err := json.Unmarshal(operations, &removed); err != nil || removed.Patch != "delete" {
				return nil, fmt.Errorf("only removals are understood (%w): %s", err, p.Patch)
			}
			if removed.Kind == controller.GetKind() && removed.Metadata.Name == controller.GetName() {
				return nil, nil
			}
			continue
		}
		if p.Target.Kind != controller.GetKind() || p.Target.Name != controller.GetName() {
			continue
		}
		patch, err := jsonpatch.DecodePatch(operations)
		if err != nil {
			return nil, err
		}
		if body, err = patch.Apply(body); err != nil {
			return nil, err
		}
	}
	patched := &unstructured.Unstructured{}
	return patched, patched.UnmarshalJSON(body)
}

// next is a name for one more process of a kind.
func (c *Cluster) next(kind string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.started++
	return fmt.Sprintf("%s-%d", kind, c.started)
}

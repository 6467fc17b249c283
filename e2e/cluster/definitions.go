package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/dynamic"
)

// fieldManager is who objects are applied as: kubectl's word, so that kubectl may go on with them.
const fieldManager = "kubectl"

// metacontrollerCRDs is the name of the file with Metacontroller's definitions in its source and releases.
const metacontrollerCRDs = "metacontroller-crds-v1.yaml"

// define installs the definitions, and waits until their kinds are served.
func (c *Cluster) define(ctx context.Context) error {
	others, err := c.read("testdata/crds/*.yaml")
	if err != nil {
		return err
	}
	if c.options.WithoutNMState {
		others = slices.DeleteFunc(others, func(o *unstructured.Unstructured) bool { return strings.HasSuffix(o.GetName(), ".nmstate.io") })
	}
	if file := metacontrollerDefinitions(); file != "" {
		definitions, err := ReadFile(file)
		if err != nil {
			return err
		}
		others = append(others, definitions...)
	}
	if err := c.Define(ctx, others...); err != nil {
		return err
	}
	return c.DefineWukong(ctx)
}

// DefineWukong installs the definitions of the source tree's own kinds, and waits until they are served.
func (c *Cluster) DefineWukong(ctx context.Context) error {
	definitions, err := c.read("deploy/base/vm.novasphere.dev_*.yaml")
	if err != nil {
		return err
	}
	return c.Define(ctx, definitions...)
}

// read reads the objects of files of the source tree.
func (c *Cluster) read(pattern string) ([]*unstructured.Unstructured, error) {
	files, err := filepath.Glob(filepath.Join(c.Root, pattern))
	if err != nil {
		return nil, fmt.Errorf("looking for %s: %w", pattern, err)
	}
	var all []*unstructured.Unstructured
	for _, file := range files {
		objects, err := ReadFile(file)
		if err != nil {
			return nil, err
		}
		all = append(all, objects...)
	}
	return all, nil
}

// Define applies definitions, and waits until their kinds are served.
func (c *Cluster) Define(ctx context.Context, all ...*unstructured.Unstructured) error {
	if err := c.Apply(ctx, all...); err != nil {
		return err
	}
	return wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, startTimeout, true, func(ctx context.Context) (bool, error) {
		for _, definition := range all {
			client, err := c.Client(definition)
			if err != nil {
				return false, err
			}
			current, err := client.Get(ctx, definition.GetName(), metav1.GetOptions{})
			if err != nil {
				return false, err
			}
			if !established(current) {
				return false, nil
			}
		}
		c.mapper.Reset()
		return true, nil
	})
}

// established reports whether a CustomResourceDefinition is served.
func established(definition *unstructured.Unstructured) bool {
	conditions, _, _ := unstructured.NestedSlice(definition.Object, "status", "conditions")
	for _, condition := range conditions {
		if condition, ok := condition.(map[string]any); ok && condition["type"] == "Established" {
			return condition["status"] == "True"
		}
	}
	return false
}

// metacontrollerDefinitions is the file with Metacontroller's definitions, or empty: METACONTROLLER_CRDS, or
// metacontroller-crds-v1.yaml beside the binary that METACONTROLLER names, or where it is in the source tree around that.
func metacontrollerDefinitions() string {
	if file := os.Getenv("METACONTROLLER_CRDS"); file != "" {
		return file
	}
	binary := os.Getenv("METACONTROLLER")
	if binary == "" {
		return ""
	}
	dir := filepath.Dir(binary)
	for {
		for _, file := range []string{filepath.Join(dir, metacontrollerCRDs), filepath.Join(dir, "manifests", "production", metacontrollerCRDs)} {
			if _, err := os.Stat(file); err == nil {
				return file
			}
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return ""
		}
		dir = parent
	}
}

// ReadFile reads the objects of a file of YAML.
func ReadFile(file string) ([]*unstructured.Unstructured, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading objects: %w", err)
	}
	var objects []*unstructured.Unstructured
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(content), 4096)
	for {
		u := &unstructured.Unstructured{}
		err := decoder.Decode(&u.Object)
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", file, err)
		}
		if len(u.Object) > 0 { // else there are only comments
			objects = append(objects, u)
		}
	}
}

// Client is the client for the kind of an object, and its namespace: default, where it has none and its kind needs one.
func (c *Cluster) Client(obj *unstructured.Unstructured) (dynamic.ResourceInterface, error) {
	kind := obj.GroupVersionKind()
	mapping, err := c.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if err != nil {
		return nil, fmt.Errorf("looking for the resource of %s: %w", kind, err)
	}
	resource := c.Dynamic.Resource(mapping.Resource)
	if mapping.Scope.Name() == meta.RESTScopeNameRoot {
		return resource, nil
	}
	namespace := obj.GetNamespace()
	if namespace == "" {
		namespace = metav1.NamespaceDefault
	}
	return resource.Namespace(namespace), nil
}

// Resource is the resource that a plural and a group name: wukongs.vm.novasphere.dev.
func (c *Cluster) Resource(name string) (schema.GroupVersionResource, error) {
	gvr, err := c.mapper.ResourceFor(schema.ParseGroupResource(name).WithVersion(""))
	if err != nil {
		return gvr, fmt.Errorf("looking for the resource %s: %w", name, err)
	}
	return gvr, nil
}

// Apply applies objects on the server's side, whoever else has applied them.
func (c *Cluster) Apply(ctx context.Context, objects ...*unstructured.Unstructured) error {
	for _, obj := range objects {
		client, err := c.Client(obj)
		if err != nil {
			return err
		}
		if _, err := client.Apply(ctx, obj.GetName(), obj, metav1.ApplyOptions{FieldManager: fieldManager, Force: true}); err != nil {
			return fmt.Errorf("applying %s %s: %w", obj.GetKind(), obj.GetName(), err)
		}
	}
	return nil
}

// EnsureNamespace creates a namespace unless it exists.
func (c *Cluster) EnsureNamespace(ctx context.Context, name string) error {
	namespace := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": name}}}
	_, err := c.Dynamic.Resource(schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}).Create(ctx, namespace, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("creating namespace %s: %w", name, err)
	}
	return nil
}

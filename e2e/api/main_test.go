// Package api_test asks the API server whatever it can answer without Metacontroller: that it takes the examples, and what
// the hook answers; that it refuses wrong objects in the words that package admission uses offline; and that kubectl and
// others who apply find in Wukong and its fellow kinds what they expect of any kind.
package api_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/json"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/yaml"

	"novasphere.dev/wukong/e2e/cluster"
	"novasphere.dev/wukong/types/v1alpha1"
)

// shared is the cluster of all tests here. Each test takes away what it has made.
var shared *cluster.Cluster

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	shared, err = cluster.Start(ctx, cluster.Options{Log: os.Stdout})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer shared.Stop()
	defer context.AfterFunc(ctx, func() {
		shared.Stop()
		os.Exit(1)
	})()
	return m.Run()
}

// kind is one of the kinds of the API.
type kind struct {
	kind     string
	resource string
	name     string // of an object whose YAML has no metadata
}

var (
	wukongKind  = kind{v1alpha1.Kind, v1alpha1.Resource, "vm"}
	networkKind = kind{v1alpha1.NetworkKind, v1alpha1.NetworkResource, "lan"}
	nodeKind    = kind{v1alpha1.NodeKind, v1alpha1.NodeResource, "worker-1"}
)

// definition is the file with the CustomResourceDefinition that is installed.
func (k kind) definition() string {
	return "../../deploy/base/" + v1alpha1.Group + "_" + k.resource + ".yaml"
}

// client is the client for objects of the kind.
func (k kind) client() dynamic.ResourceInterface {
	return shared.Dynamic.Resource(schema.GroupVersionResource{Group: v1alpha1.Group, Version: v1alpha1.Version, Resource: k.resource})
}

// object is the object of the kind that a body of YAML describes.
func (k kind) object(t *testing.T, body string) *unstructured.Unstructured {
	t.Helper()
	u := &unstructured.Unstructured{}
	encoded, err := yaml.YAMLToJSONStrict([]byte(body))
	if err == nil {
		err = json.Unmarshal(encoded, &u.Object)
	}
	if err != nil {
		t.Fatalf("%s\n%v", body, err)
	}
	u.SetAPIVersion(v1alpha1.APIVersion)
	u.SetKind(k.kind)
	if u.GetName() == "" {
		u.SetName(k.name)
	}
	return u
}

// wukongs is the client for Wukongs.
func wukongs() dynamic.ResourceInterface {
	return wukongKind.client()
}

// wukong is the Wukong that a body of YAML describes. Without metadata its name is vm.
func wukong(t *testing.T, body string) *unstructured.Unstructured {
	t.Helper()
	return wukongKind.object(t, body)
}

// create creates an object as kubectl does, and deletes it at the end of the test.
func create(t *testing.T, obj *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	t.Helper()
	client, err := shared.Client(obj)
	if err != nil {
		t.Fatal(err)
	}
	created, err := client.Create(t.Context(), obj, metav1.CreateOptions{FieldValidation: metav1.FieldValidationStrict})
	if err == nil {
		t.Cleanup(func() {
			// By then the test's own context has ended.
			if err := client.Delete(context.Background(), created.GetName(), metav1.DeleteOptions{}); err != nil {
				t.Error(err)
			}
		})
	}
	return created, err
}

// kubectl is kubectl for the cluster. Where there is none the test is skipped.
func kubectl(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	program, err := exec.LookPath("kubectl")
	if err != nil {
		t.Skip("kubectl is not on the PATH")
	}
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+shared.Kubeconfig)
	return cmd
}

package deploy_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// compositeController is what of Metacontroller's type is used here. Decoding is strict: a field that is missing here is
// also one that nobody has looked at.
type compositeController struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		GenerateSelector bool       `json:"generateSelector"`
		ParentResource   resource   `json:"parentResource"`
		ChildResources   []child    `json:"childResources"`
		EndpointConfigs  []endpoint `json:"endpointConfigs"`
		Hooks            struct {
			Sync      hook `json:"sync"`
			Finalize  hook `json:"finalize"`
			Customize hook `json:"customize"`
		} `json:"hooks"`
	} `json:"spec"`
}

// decoratorController likewise. It has no finalize: with it, every Node would get a finalizer.
type decoratorController struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		Resources       []resource `json:"resources"`
		Attachments     []child    `json:"attachments"`
		EndpointConfigs []endpoint `json:"endpointConfigs"`
		Hooks           struct {
			Sync      hook `json:"sync"`
			Customize hook `json:"customize"`
		} `json:"hooks"`
	} `json:"spec"`
}

// controller is what both kinds have: hooks, and where they are called.
type controller struct {
	name      string
	hooks     map[string]hook
	endpoints []endpoint
}

// controllers are all that Metacontroller acts by, by name.
func controllers(t *testing.T, all manifests) []controller {
	t.Helper()
	var found []controller
	for _, c := range find[compositeController](t, all, "CompositeController") {
		hooks := map[string]hook{"sync": c.Spec.Hooks.Sync, "finalize": c.Spec.Hooks.Finalize, "customize": c.Spec.Hooks.Customize}
		found = append(found, controller{c.Name, hooks, c.Spec.EndpointConfigs})
	}
	for _, d := range find[decoratorController](t, all, "DecoratorController") {
		hooks := map[string]hook{"sync": d.Spec.Hooks.Sync, "customize": d.Spec.Hooks.Customize}
		found = append(found, controller{d.Name, hooks, d.Spec.EndpointConfigs})
	}
	slices.SortFunc(found, func(a, b controller) int { return strings.Compare(a.name, b.name) })
	return found
}

// composite is the CompositeController of a name.
func composite(t *testing.T, all manifests, name string) compositeController {
	t.Helper()
	for _, c := range find[compositeController](t, all, "CompositeController") {
		if c.Name == name {
			return c
		}
	}
	t.Fatalf("there is no CompositeController %s", name)
	return compositeController{}
}

type resource struct {
	APIVersion string `json:"apiVersion"`
	Resource   string `json:"resource"`
}

type child struct {
	resource       `json:",inline"`
	UpdateStrategy struct {
		Method string `json:"method"`
	} `json:"updateStrategy"`
}

type endpoint struct {
	Host          string          `json:"host"`
	CABundle      json.RawMessage `json:"caBundle"`
	Authorization json.RawMessage `json:"authorization"`
}

type hook struct {
	Version string `json:"version"`
	Webhook struct {
		Timeout metav1.Duration `json:"timeout"`
		Path    string          `json:"path"`
		Service struct {
			Name      string `json:"name"`
			Namespace string `json:"namespace"`
			Port      int32  `json:"port"`
			Protocol  string `json:"protocol"`
		} `json:"service"`
	} `json:"webhook"`
}

func resources(children []child) []resource {
	var all []resource
	for _, c := range children {
		all = append(all, c.resource)
	}
	return all
}

// manifests are the documents of one kustomization.
type manifests [][]byte

// files are the manifests that the kustomization in dir lists. Every other file in dir is one that nobody applies.
func files(t *testing.T, dir string) manifests {
	t.Helper()
	var k struct {
		Resources []string `json:"resources"`
	}
	if err := yaml.Unmarshal(read(t, filepath.Join(dir, "kustomization.yaml")), &k); err != nil {
		t.Fatal(err)
	}
	present, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var all manifests
	for _, file := range present {
		if name := filepath.Base(file); name == "kustomization.yaml" {
			continue
		} else if !slices.Contains(k.Resources, name) {
			t.Errorf("%s is not among the resources of its kustomization", file)
		}
		all = append(all, split(read(t, file))...)
	}
	return all
}

// rendered are the manifests as kubectl apply -k sends them.
func rendered(t *testing.T, dir string) manifests {
	t.Helper()
	if _, err := exec.LookPath("kubectl"); err != nil {
		t.Skip("rendering an overlay takes kubectl, which is not on the PATH")
	}
	var stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "kubectl", "kustomize", dir)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("kubectl kustomize %s: %v\n%s", dir, err, stderr.String())
	}
	return split(out)
}

func split(file []byte) manifests {
	var all manifests
	for _, doc := range regexp.MustCompile(`(?m)^---$`).Split(string(file), -1) {
		if strings.TrimSpace(doc) != "" {
			all = append(all, []byte(doc))
		}
	}
	return all
}

// find decodes the objects of a kind.
func find[T any](t *testing.T, all manifests, kind string) []T {
	t.Helper()
	var found []T
	for _, doc := range all {
		if meta(t, doc).Kind != kind {
			continue
		}
		var obj T
		if err := yaml.UnmarshalStrict(doc, &obj); err != nil {
			t.Fatalf("decoding a %s: %v", kind, err)
		}
		found = append(found, obj)
	}
	return found
}

// only is find for a kind of which there is one object.
func only[T any](t *testing.T, all manifests, kind string) T {
	t.Helper()
	found := find[T](t, all, kind)
	if len(found) != 1 {
		t.Fatalf("there are %d objects of kind %s, want 1", len(found), kind)
	}
	return found[0]
}

func meta(t *testing.T, doc []byte) metav1.PartialObjectMetadata {
	t.Helper()
	var m metav1.PartialObjectMetadata
	if err := yaml.Unmarshal(doc, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// kustomizations are the directories that can be applied.
func kustomizations(t *testing.T) []string {
	t.Helper()
	var dirs []string
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Name() == "kustomization.yaml" && bytes.Contains(read(t, path), []byte("kind: Kustomization")) {
			dirs = append(dirs, filepath.Dir(path))
		}
		return err
	})
	if err != nil || len(dirs) == 0 {
		t.Fatalf("found %d kustomizations: %v", len(dirs), err)
	}
	return dirs
}

type serviceMonitor struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		Selector  metav1.LabelSelector `json:"selector"`
		Endpoints []struct {
			Port     string `json:"port"`
			Path     string `json:"path"`
			Interval string `json:"interval"`
		} `json:"endpoints"`
	} `json:"spec"`
}

// golden are the answers in the directories that the patterns name.
func golden[T any](t *testing.T, hooks ...string) []T {
	t.Helper()
	var matches []string
	for _, hook := range hooks {
		found, err := filepath.Glob(filepath.Join("../testdata", hook, "*", "response.json"))
		if err != nil {
			t.Fatal(err)
		}
		matches = append(matches, found...)
	}
	if len(matches) == 0 {
		t.Fatalf("there are no golden answers of %q", hooks)
	}
	var all []T
	for _, file := range matches {
		var resp T
		if err := json.Unmarshal(read(t, file), &resp); err != nil {
			t.Fatalf("decoding %s: %v", file, err)
		}
		all = append(all, resp)
	}
	return all
}

// plurals are the resources of kinds, as the real CRDs have them.
func plurals(t *testing.T) map[metav1.TypeMeta]string {
	t.Helper()
	matches, err := filepath.Glob("../testdata/crds/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	found := map[metav1.TypeMeta]string{}
	for _, file := range matches {
		var crd struct {
			Spec struct {
				Group    string
				Names    struct{ Kind, Plural string }
				Versions []struct{ Name string }
			}
		}
		if err := yaml.Unmarshal(read(t, file), &crd); err != nil {
			t.Fatalf("decoding %s: %v", file, err)
		}
		for _, v := range crd.Spec.Versions {
			found[metav1.TypeMeta{APIVersion: crd.Spec.Group + "/" + v.Name, Kind: crd.Spec.Names.Kind}] = crd.Spec.Names.Plural
		}
	}
	return found
}

func sorted(all []resource) []resource {
	slices.SortFunc(all, func(a, b resource) int {
		return strings.Compare(a.APIVersion+"/"+a.Resource, b.APIVersion+"/"+b.Resource)
	})
	return all
}

package install

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"novasphere.dev/wukong/types/v1alpha1"
)

// Cluster is what is known of a cluster.
type Cluster struct {
	denied      map[string]bool // the questions that were
	kubernetes  string
	kinds       map[string][]string // the resources that are served, by group and version; none where it may not be asked
	definitions map[string]apiextensionsv1.CustomResourceDefinition
	controllers []controller
	workloads   []appsv1.Deployment // StatefulSets too: what is read of both is the same
	hook        *appsv1.Deployment  // nil where there is none
	roles       map[string][]rbacv1.PolicyRule
	bindings    []rbacv1.ClusterRoleBinding
	kubevirt    string // version
	deployed    bool   // KubeVirt says that it is
	cdi         string // version
	namespace   bool
	components  map[string]bool // those that have left an object
	secrets     []string
	wukongs     []wukong
	networks    int
	policies    int
	nodes       int
	reported    int // nodes with a WukongNode
}

// controller is a CompositeController or a DecoratorController.
type controller struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		ParentResource resource
		ChildResources []resource
		Attachments    []resource
		Hooks          map[string]*struct {
			Webhook *struct {
				URL     string
				Service *struct{ Name, Namespace string }
			}
		}
	}
}

type resource struct{ APIVersion, Resource string }

// wukong is what is read of a Wukong.
type wukong struct {
	Metadata struct{ Name string }
	Spec     struct {
		Networks []struct {
			Name    string
			Type    v1alpha1.NetworkType
			NADName string
		}
	}
}

// Read reads the answers to the questions, by their keys.
func Read(answers map[string]Answer) (*Cluster, error) {
	c := &Cluster{denied: map[string]bool{}, kinds: map[string][]string{}, definitions: map[string]apiextensionsv1.CustomResourceDefinition{},
		roles: map[string][]rbacv1.PolicyRule{}, components: map[string]bool{}}
	for _, key := range slices.Sorted(maps.Keys(answers)) {
		answer := answers[key]
		if answer.Access == Denied {
			c.denied[key] = true
			continue
		}
		if answer.Access == Absent {
			if _, kind := needed()[key]; kind {
				c.kinds[key] = []string{}
			}
			continue
		}
		if err := c.read(key, answer.Text); err != nil {
			return nil, fmt.Errorf("what kubectl says of the %s: %w", key, err)
		}
	}
	return c, nil
}

// read reads the answer to one question.
func (c *Cluster) read(key string, text []byte) error {
	count := len(strings.Fields(string(text)))
	switch key {
	case askVersion:
		var said struct{ GitVersion string }
		err := json.Unmarshal(text, &said)
		c.kubernetes = said.GitVersion
		return err
	case askNamespace:
		c.namespace = count > 0
	case askDashboard:
		c.components["monitoring"] = count > 0
	case askTenancy:
		c.components["tenancy"] = count > 0
	case askSecrets:
		c.secrets = strings.Fields(string(text))
	case askNetworks:
		c.networks = count
	case askPolicies:
		c.policies = count
	case askNodes:
		c.nodes = count
	case askReported:
		c.reported = count
	default:
		if _, kind := needed()[key]; kind {
			return c.serves(key, text)
		}
		return each(text, func(kind string, body []byte) error { return c.object(key, kind, body) })
	}
	return nil
}

// serves reads what the API server says of a group and version.
func (c *Cluster) serves(groupVersion string, text []byte) error {
	var list metav1.APIResourceList
	err := json.Unmarshal(text, &list)
	c.kinds[groupVersion] = []string{}
	for _, r := range list.APIResources {
		c.kinds[groupVersion] = append(c.kinds[groupVersion], r.Name)
	}
	return err
}

// object reads an object of an answer.
func (c *Cluster) object(key, kind string, body []byte) error {
	switch kind {
	case "CustomResourceDefinition":
		return into(body, func(d apiextensionsv1.CustomResourceDefinition) { c.definitions[d.Name] = d })
	case "CompositeController", "DecoratorController":
		return into(body, func(found controller) { c.controllers = append(c.controllers, found) })
	case "ClusterRole":
		return into(body, func(role rbacv1.ClusterRole) { c.roles[role.Name] = role.Rules })
	case "ClusterRoleBinding":
		return into(body, func(binding rbacv1.ClusterRoleBinding) { c.bindings = append(c.bindings, binding) })
	case "Deployment", "StatefulSet":
		return into(body, c.workload)
	case "Wukong":
		return into(body, func(w wukong) { c.wukongs = append(c.wukongs, w) })
	case "KubeVirt", "CDI":
		return into(body, func(o struct {
			Status struct{ Phase, ObservedKubeVirtVersion, ObservedVersion string }
		}) {
			if key == askKubeVirt {
				c.kubevirt, c.deployed = o.Status.ObservedKubeVirtVersion, o.Status.Phase == "Deployed"
			} else {
				c.cdi = o.Status.ObservedVersion
			}
		})
	}
	return nil
}

// workload adds a Deployment or a StatefulSet, once.
func (c *Cluster) workload(w appsv1.Deployment) {
	same := func(o appsv1.Deployment) bool {
		return o.Kind == w.Kind && o.Namespace == w.Namespace && o.Name == w.Name
	}
	if slices.ContainsFunc(c.workloads, same) {
		return
	}
	c.workloads = append(c.workloads, w)
	if w.Kind == "Deployment" && w.Namespace == Namespace && w.Name == "wukong" {
		c.hook = &w
	}
}

func into[T any](body []byte, add func(T)) error {
	var object T
	err := json.Unmarshal(body, &object)
	if err == nil {
		add(object)
	}
	return err
}

// each calls a function for the object in a text, or for each item where it is a List. An empty text has none.
func each(text []byte, read func(kind string, body []byte) error) error {
	if len(bytes.TrimSpace(text)) == 0 {
		return nil
	}
	var list struct {
		Kind  string
		Items []json.RawMessage
	}
	if err := json.Unmarshal(text, &list); err != nil {
		return err
	}
	if !strings.HasSuffix(list.Kind, "List") {
		return read(list.Kind, text)
	}
	for _, item := range list.Items {
		var meta metav1.TypeMeta
		if err := json.Unmarshal(item, &meta); err != nil {
			return err
		}
		if err := read(meta.Kind, item); err != nil {
			return err
		}
	}
	return nil
}

// controller is Metacontroller's object of a kind and a name; nil where there is none.
func (c *Cluster) controller(kind, name string) *controller {
	for i, found := range c.controllers {
		if found.Kind == kind && found.Name == name {
			return &c.controllers[i]
		}
	}
	return nil
}

// installed reports whether there is a Wukong, or a part of one that an interrupted installation has left.
func (c *Cluster) installed() bool {
	return c.hook != nil || c.controller("CompositeController", "wukong") != nil
}

// registered reports whether NMState's policies are registered with the CompositeController; known is false where there is none.
func (c *Cluster) registered() (registered, known bool) {
	wukong := c.controller("CompositeController", "wukong")
	if wukong == nil {
		return false, false
	}
	return slices.ContainsFunc(wukong.Spec.ChildResources, func(r resource) bool {
		return r.Resource == "nodenetworkconfigurationpolicies"
	}), true
}

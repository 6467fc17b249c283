package install

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

// Step is a part of what is applied, and what is awaited before the next one.
type Step struct {
	Name    string
	Objects []*unstructured.Unstructured
	Await   [][]string // arguments of kubectl, without the timeout
}

// steps are the objects in the order in which they are applied. The controllers are last: Metacontroller asks a hook that is not new once, and
// keeps the answer; and what its role does not let it list it waits for without a word. Where there is an older Wukong, the hook
// comes before the definitions, because only the new one fills in defaults that the new definitions leave out.
func steps(all []*unstructured.Unstructured, upgrade bool) []Step {
	namespace, definitions := Step{Name: "namespace"}, Step{Name: "definitions"}
	hook, role, controllers := Step{Name: "hook"}, Step{Name: "Metacontroller's role"}, Step{Name: "controllers"}
	for _, o := range all {
		to := &hook
		switch {
		case o.GetKind() == "Namespace":
			to = &namespace
		case o.GetKind() == "CustomResourceDefinition":
			to = &definitions
			definitions.Await = append(definitions.Await, []string{"wait", "--for=condition=Established", "customresourcedefinition/" + o.GetName()})
		case o.GroupVersionKind().Group == metacontroller:
			to = &controllers
		case o.GetName() == roleName && o.GetKind() == "ClusterRole" || o.GetNamespace() == roleName:
			to = &role
		}
		to.Objects = append(to.Objects, o)
	}
	hook.Await = [][]string{{"rollout", "status", "deployment/wukong", "--namespace=" + Namespace}}
	order := []Step{namespace, definitions, hook, role, controllers}
	if upgrade {
		order = []Step{namespace, hook, definitions, role, controllers}
	}
	return slices.DeleteFunc(order, func(s Step) bool { return len(s.Objects) == 0 })
}

// hookOf is the Deployment of the hook among manifests.
func hookOf(all []*unstructured.Unstructured) *unstructured.Unstructured {
	for _, o := range all {
		if o.GetKind() == "Deployment" && o.GetName() == "wukong" {
			return o
		}
	}
	return nil
}

// imageOf is the image that the hook runs; empty where there is none.
func imageOf(hook *appsv1.Deployment) string {
	if hook != nil {
		for _, container := range hook.Spec.Template.Spec.Containers {
			if container.Name == "wukong" {
				return container.Image
			}
		}
	}
	return ""
}

// image is the image of the hook: the one that is asked for, or the one of the manifests, from where the installed one is from.
func (c *Cluster) image(w Wants, manifest *unstructured.Unstructured) (string, *Finding) {
	var d appsv1.Deployment
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(manifest.Object, &d); err != nil || len(d.Spec.Template.Spec.Containers) == 0 {
		return "", &Finding{Wrong, "image", "the manifests name none"}
	}
	own := d.Spec.Template.Spec.Containers[0].Image
	if w.Image != "" {
		return w.Image, nil
	}
	has := imageOf(c.hook)
	if has == "" {
		return own, nil
	}
	name, tag := parted(has)
	if _, versioned := older(tag, w.Tag); versioned {
		return name + ":" + w.Tag, nil
	}
	if w.Upgrade {
		return own, &Finding{Wrong, "image", has + " does not say which version it is: name the new one with -image"}
	}
	return has, nil
}

// keep puts into the Deployment of the manifests what somebody has added to the installed one, and answers what that is. What the manifests
// say themselves, they say.
func (c *Cluster) keep(manifest *unstructured.Unstructured, image string) ([]string, error) {
	var d appsv1.Deployment
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(manifest.Object, &d); err != nil {
		return nil, fmt.Errorf("reading Deployment wukong: %w", err)
	}
	pod := &d.Spec.Template.Spec
	container := &pod.Containers[0]
	container.Image = image
	var kept []string
	if c.hook != nil {
		has := c.hook.Spec.Template.Spec
		kept = keepPod(pod, has)
		for key, value := range c.hook.Spec.Template.Annotations {
			if _, is := d.Spec.Template.Annotations[key]; !is {
				if d.Spec.Template.Annotations == nil {
					d.Spec.Template.Annotations = map[string]string{}
				}
				d.Spec.Template.Annotations[key] = value
			}
		}
		if at := slices.IndexFunc(has.Containers, func(o corev1.Container) bool { return o.Name == container.Name }); at >= 0 {
			kept = append(kept, keepContainer(container, has.Containers[at])...)
		}
		if replicas := c.hook.Spec.Replicas; replicas != nil && (d.Spec.Replicas == nil || *replicas != *d.Spec.Replicas) {
			d.Spec.Replicas = replicas
			kept = append(kept, fmt.Sprintf("replicas %d", *replicas))
		}
	}
	// Encoded as text and read again, so that numbers are what they are in YAML. What is not said is left out, so that nobody owns it.
	text, err := json.Marshal(d)
	if err != nil {
		return nil, fmt.Errorf("encoding Deployment wukong: %w", err)
	}
	said := &unstructured.Unstructured{}
	if err := said.UnmarshalJSON(text); err != nil {
		return nil, fmt.Errorf("encoding Deployment wukong: %w", err)
	}
	unstructured.RemoveNestedField(said.Object, "status")
	manifest.Object = said.Object
	return kept, nil
}

// keepPod keeps where the Pods may run, and from where their images are.
func keepPod(pod *corev1.PodSpec, has corev1.PodSpec) []string {
	var kept []string
	if len(has.ImagePullSecrets) > 0 && len(pod.ImagePullSecrets) == 0 {
		pod.ImagePullSecrets = has.ImagePullSecrets
		kept = append(kept, "imagePullSecrets")
	}
	if len(has.NodeSelector) > 0 && len(pod.NodeSelector) == 0 {
		pod.NodeSelector = has.NodeSelector
		kept = append(kept, "nodeSelector")
	}
	if len(has.Tolerations) > 0 && len(pod.Tolerations) == 0 {
		pod.Tolerations = has.Tolerations
		kept = append(kept, "tolerations")
	}
	if has.Affinity != nil && pod.Affinity == nil {
		pod.Affinity = has.Affinity
		kept = append(kept, "affinity")
	}
	for _, volume := range has.Volumes {
		if !slices.ContainsFunc(pod.Volumes, func(o corev1.Volume) bool { return o.Name == volume.Name }) {
			pod.Volumes = append(pod.Volumes, volume)
			kept = append(kept, "volume "+volume.Name)
		}
	}
	if has.PriorityClassName != "" && pod.PriorityClassName == "" {
		pod.PriorityClassName = has.PriorityClassName
		kept = append(kept, "priorityClassName")
	}
	return kept
}

// formerly reports whether a variable is one that manifests of earlier versions set. WUKONG_MEMORY_LIMIT has taken its place, and it would win.
func formerly(name string) bool { return name == "GOMEMLIMIT" }

// keepContainer keeps flags and variables that the manifests do not set, and the resources.
func keepContainer(container *corev1.Container, has corev1.Container) []string {
	var kept []string
	set := flags(container.Args)
	for i := 0; i < len(has.Args); {
		next := i + 1
		for next < len(has.Args) && !strings.HasPrefix(has.Args[next], "-") {
			next++
		}
		name, _, _ := strings.Cut(strings.TrimLeft(has.Args[i], "-"), "=")
		if _, is := set[name]; !is && strings.HasPrefix(has.Args[i], "-") {
			container.Args = append(container.Args, has.Args[i:next]...)
			kept = append(kept, strings.Join(has.Args[i:next], " "))
		}
		i = next
	}
	for _, variable := range has.Env {
		if !formerly(variable.Name) && !slices.ContainsFunc(container.Env, func(o corev1.EnvVar) bool { return o.Name == variable.Name }) {
			container.Env = append(container.Env, variable)
			kept = append(kept, variable.Name)
		}
	}
	for _, mount := range has.VolumeMounts {
		if !slices.ContainsFunc(container.VolumeMounts, func(o corev1.VolumeMount) bool { return o.MountPath == mount.MountPath }) {
			container.VolumeMounts = append(container.VolumeMounts, mount)
		}
	}
	if !equality.Semantic.DeepEqual(has.Resources, container.Resources) && (has.Resources.Limits != nil || has.Resources.Requests != nil) {
		container.Resources = has.Resources
		kept = append(kept, "resources")
	}
	return kept
}

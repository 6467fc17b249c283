// Package deploy_test holds the manifests to the program that they install: what one of them names, the other has.
//
// The files of base and of metacontroller-role are read as they are. Overlays have to be rendered, which takes a kubectl
// on the PATH; without one their tests are skipped.
package deploy_test

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	quantity "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"novasphere.dev/wukong/server"
	"novasphere.dev/wukong/types/v1alpha1"
)

const (
	image     = "ghcr.io/novasphere/wukong"
	namespace = "wukong-system"

	// metricsLabel is on the namespaces that read the metrics.
	metricsLabel = "vm.novasphere.dev/reads-metrics"
)

// TestBase looks at base as it is in the tree.
func TestBase(t *testing.T) {
	all := files(t, "base")
	contracts(t, all)

	c := composite(t, all, "wukong")
	if diff := cmp.Diff(answered(t), sorted(resources(c.Spec.ChildResources))); diff != "" {
		t.Errorf("childResources differ from the kinds that the golden answers have (-answers +childResources):\n%s", diff)
	}
	d := only[appsv1.Deployment](t, all, "Deployment")
	if got := d.Spec.Template.Spec.Containers[0].Image; got != image {
		t.Errorf("the Deployment's image is %s; want %s, with the tag in the kustomization", got, image)
	}
}

// TestOverlays looks at everything that can be applied as kubectl applies it.
func TestOverlays(t *testing.T) {
	for _, dir := range kustomizations(t) {
		t.Run(dir, func(t *testing.T) {
			all := rendered(t, dir)
			if home := map[string]string{"metacontroller-role": "metacontroller", "kube-state-metrics": "kube-system"}[dir]; home != "" {
				namespaces(t, all, home)
				return
			}
			contracts(t, all)
			c := only[appsv1.Deployment](t, all, "Deployment").Spec.Template.Spec.Containers[0]
			if ok, _ := regexp.MatchString(`:v\d+\.\d+\.\d+`, c.Image); !ok {
				t.Errorf("the image is %s, want one with the tag of a release", c.Image)
			}
			for _, arg := range c.Args {
				if _, file, _ := strings.Cut(arg, "="); strings.HasPrefix(file, "/") && !mounted(t, all, file) {
					t.Errorf("%s: no volume has this file", arg)
				}
			}
		})
	}
}

// TestCombinations is that the components go together, in an overlay like the one in the README.
func TestCombinations(t *testing.T) {
	for _, components := range [][]string{
		{"tls", "monitoring", "tenancy"},
		{"without-nmstate", "tls", "tenancy"},
		{"tls", "without-nmstate", "monitoring"},
	} {
		t.Run(strings.Join(components, ","), func(t *testing.T) {
			contracts(t, overlaid(t, "base", components...))
		})
	}
}

// TestMetacontrollerSpeed is that the component changes Metacontroller, as its own manifests have it, and nothing but adds.
func TestMetacontrollerSpeed(t *testing.T) {
	dir := t.TempDir()
	before := []string{"--zap-log-level=4", "--discovery-interval=20s"}
	write(t, filepath.Join(dir, "statefulset.yaml"), `{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: metacontroller, namespace: metacontroller},
spec: {serviceName: "", selector: {}, template: {spec: {containers: [{name: metacontroller, args: [`+strings.Join(before, ", ")+`]}]}}}}`)
	write(t, filepath.Join(dir, "kustomization.yaml"), "resources: [statefulset.yaml]")
	all := overlaid(t, dir, "metacontroller")
	c := only[appsv1.StatefulSet](t, all, "StatefulSet").Spec.Template.Spec.Containers[0]
	want := append(before, "--client-go-qps=100", "--client-go-burst=200", "--workers=10")
	if diff := cmp.Diff(want, c.Args); diff != "" {
		t.Errorf("the args of Metacontroller differ (-want +got):\n%s", diff)
	}
	if c.Resources.Requests.Memory().IsZero() {
		t.Error("Metacontroller asks for no memory")
	}
}

// TestReadme is that whoever reads it finds every form that can be applied.
func TestReadme(t *testing.T) {
	readme := string(read(t, "README.md"))
	for _, dir := range kustomizations(t) {
		if name := filepath.Join("deploy", dir); dir != "base" && !strings.Contains(readme, "`"+name+"`") {
			t.Errorf("the README does not name %s", name)
		}
	}
	components, err := filepath.Glob("components/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range components {
		if !strings.Contains(readme, dir) {
			t.Errorf("the README does not name %s", dir)
		}
	}
}

// TestDefault is that deploy installs base, and nothing else.
func TestDefault(t *testing.T) {
	if diff := cmp.Diff(names(t, files(t, "base")), names(t, rendered(t, "."))); diff != "" {
		t.Errorf("kubectl apply -k deploy differs from base (-base +deploy):\n%s", diff)
	}
}

// TestWithoutNMState is that the overlay takes away the policies, and the controllers that are for them, and nothing else.
func TestWithoutNMState(t *testing.T) {
	base, all := files(t, "base"), rendered(t, "without-nmstate")
	want := composite(t, base, "wukong")
	want.Spec.ChildResources = slices.DeleteFunc(want.Spec.ChildResources, func(c child) bool {
		return c.APIVersion == "nmstate.io/v1"
	})
	if diff := cmp.Diff(want, composite(t, all, "wukong"), cmp.AllowUnexported(child{})); diff != "" {
		t.Errorf("the CompositeController differs (-want +got):\n%s", diff)
	}
	left := slices.DeleteFunc(names(t, base), func(name string) bool {
		return name == "CompositeController wukong-networks" || name == "DecoratorController wukong-nodes"
	})
	if diff := cmp.Diff(left, names(t, all)); diff != "" {
		t.Errorf("the objects differ from those of base (-want +got):\n%s", diff)
	}
}

// TestArgs asks the program whether it takes the args and variables that Deployments give it.
func TestArgs(t *testing.T) {
	binary := build(t)
	check := func(t *testing.T, all manifests) {
		for _, d := range find[appsv1.Deployment](t, all, "Deployment") {
			args := append(slices.Clone(d.Spec.Template.Spec.Containers[0].Args), "-version")
			cmd := exec.CommandContext(t.Context(), binary, args...)
			cmd.Env = variables(t, d)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%q wukong %s: %v\n%s", cmd.Env, strings.Join(args, " "), err, out)
			}
		}
	}
	check(t, files(t, "base"))
	for _, dir := range kustomizations(t) {
		t.Run(dir, func(t *testing.T) { check(t, rendered(t, dir)) })
	}
}

// TestMemoryLimit is that Go's memory limit is 80 % of the container's, whatever that is.
func TestMemoryLimit(t *testing.T) {
	binary := build(t)
	d := only[appsv1.Deployment](t, files(t, "base"), "Deployment")
	for _, limit := range []string{"", "512Mi", "5G"} {
		container := &d.Spec.Template.Spec.Containers[0]
		if limit != "" {
			container.Resources.Limits[corev1.ResourceMemory] = quantity.MustParse(limit)
		}
		bytes := container.Resources.Limits.Memory().Value()
		got := goMemoryLimit(t, binary, variables(t, d))
		if share := got / float64(bytes); share < 0.799 || share > 0.801 {
			t.Errorf("of %d bytes Go uses %.0f, which is %.1f %%, want 80 %%", bytes, got, 100*share)
		}
	}
}

// goMemoryLimit starts the program with these variables, and asks for its memory limit.
func goMemoryLimit(t *testing.T, binary string, env []string) float64 {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary, "-listen=127.0.0.1:0", "-metrics-listen=127.0.0.1:0")
	cmd.Env = env
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // which says that it was killed
	}()
	var addresses []string
	for lines := bufio.NewScanner(stderr); len(addresses) < 2 && lines.Scan(); {
		if match := regexp.MustCompile(`"address":"([^"]+)"`).FindStringSubmatch(lines.Text()); match != nil {
			addresses = append(addresses, match[1])
		}
	}
	if len(addresses) < 2 {
		t.Fatalf("the program listens on %q, want two addresses", addresses)
	}
	resp, err := http.Get("http://" + addresses[1] + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	match := regexp.MustCompile(`(?m)^go_gc_gomemlimit_bytes (\S+)$`).FindSubmatch(body)
	if match == nil {
		t.Fatal("the metrics have no memory limit")
	}
	limit, err := strconv.ParseFloat(string(match[1]), 64)
	if err != nil {
		t.Fatal(err)
	}
	return limit
}

func build(t *testing.T) (binary string) {
	t.Helper()
	binary = filepath.Join(t.TempDir(), "wukong")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "..").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return binary
}

// variables are the environment of the container, as the kubelet makes it.
func variables(t *testing.T, d appsv1.Deployment) []string {
	t.Helper()
	container := d.Spec.Template.Spec.Containers[0]
	env := []string{}
	for _, e := range container.Env {
		if e.ValueFrom == nil {
			env = append(env, e.Name+"="+e.Value)
			continue
		}
		ref := e.ValueFrom.ResourceFieldRef
		if ref == nil || ref.ContainerName != container.Name || ref.Resource != "limits.memory" || !ref.Divisor.IsZero() {
			t.Fatalf("the variable %s is %+v, want the memory limit of container %s in bytes", e.Name, e.ValueFrom, container.Name)
		}
		limit, ok := container.Resources.Limits[corev1.ResourceMemory]
		if !ok {
			t.Fatal("the container has no memory limit")
		}
		env = append(env, fmt.Sprintf("%s=%d", e.Name, limit.Value()))
	}
	return env
}

// contracts hold for whatever installs the hook.
func contracts(t *testing.T, all manifests) {
	t.Helper()
	svc := only[corev1.Service](t, all, "Service")
	d := only[appsv1.Deployment](t, all, "Deployment")

	namespaces(t, all, namespace)
	machines(t, all)
	networks(t, all)
	nodes(t, all)
	hooks(t, all)
	routes(t, all, d)
	ports(t, all, svc, d)
	selectors(t, all, svc, d)
	monitoring(t, all, svc)
	roles(t, all)
}

// roles are not for tenants, where they write.
func roles(t *testing.T, all manifests) {
	t.Helper()
	for _, role := range find[rbacv1.ClusterRole](t, all, "ClusterRole") {
		for _, kind := range []string{v1alpha1.Resource, v1alpha1.NetworkResource, v1alpha1.NodeResource} {
			writes := allows(role, resource{v1alpha1.APIVersion, kind}, "update")
			if writes && kind == v1alpha1.NodeResource {
				t.Errorf("ClusterRole %s lets people write WukongNodes", role.Name)
			}
			for label := range role.Labels {
				if writes && strings.HasPrefix(label, "rbac.authorization.k8s.io/aggregate-to-") {
					t.Errorf("ClusterRole %s lets tenants write %s (%s)", role.Name, kind, label)
				}
			}
		}
	}
}

// policies are the kind that tells the forms with and without NMState apart.
var policies = resource{"nmstate.io/v1", "nodenetworkconfigurationpolicies"}

// machines is the controller of Wukongs.
func machines(t *testing.T, all manifests) {
	t.Helper()
	parented(t, composite(t, all, "wukong"), v1alpha1.Resource)
}

// networks is the controller of WukongNetworks, which is there where policies are.
func networks(t *testing.T, all manifests) {
	t.Helper()
	if !withNMState(t, all) {
		return
	}
	c := composite(t, all, "wukong-networks")
	parented(t, c, v1alpha1.NetworkResource)
	if diff := cmp.Diff([]resource{policies}, resources(c.Spec.ChildResources)); diff != "" {
		t.Errorf("the children of a WukongNetwork (-want +got):\n%s", diff)
	}
}

// nodes is the controller of WukongNodes, which is there where NodeNetworkStates are.
func nodes(t *testing.T, all manifests) {
	t.Helper()
	if !withNMState(t, all) {
		return
	}
	d := only[decoratorController](t, all, "DecoratorController")
	if diff := cmp.Diff([]resource{{"v1", "nodes"}}, d.Spec.Resources); diff != "" {
		t.Errorf("what is decorated (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]resource{{v1alpha1.APIVersion, v1alpha1.NodeResource}}, resources(d.Spec.Attachments)); diff != "" {
		t.Errorf("with what it is decorated (-want +got):\n%s", diff)
	}
	inPlace(t, d.Spec.Attachments)
}

func withNMState(t *testing.T, all manifests) bool {
	t.Helper()
	return slices.Contains(resources(composite(t, all, "wukong").Spec.ChildResources), policies)
}

func parented(t *testing.T, c compositeController, parents string) {
	t.Helper()
	if !c.Spec.GenerateSelector {
		t.Errorf("CompositeController %s: generateSelector is not set, and %s have no selector", c.Name, parents)
	}
	if want := (resource{v1alpha1.APIVersion, parents}); c.Spec.ParentResource != want {
		t.Errorf("CompositeController %s: the parent is %v, want %v", c.Name, c.Spec.ParentResource, want)
	}
	inPlace(t, c.Spec.ChildResources)
}

func inPlace(t *testing.T, children []child) {
	t.Helper()
	for _, child := range children {
		if child.UpdateStrategy.Method != "InPlace" {
			t.Errorf("%s: the update strategy is %q, want InPlace", child.Resource, child.UpdateStrategy.Method)
		}
	}
}

// paths are where each controller's hooks are. The names of the CompositeControllers are part of finalizers.
var paths = map[string]map[string]string{
	"wukong":          {"sync": "/sync", "finalize": "/finalize", "customize": "/customize"},
	"wukong-networks": {"sync": "/network/sync", "finalize": "/network/finalize", "customize": "/network/customize"},
	"wukong-nodes":    {"sync": "/node/sync", "customize": "/node/customize"},
}

// hooks compares names and paths of the controllers with the list, and looks at what every hook has to have.
func hooks(t *testing.T, all manifests) {
	t.Helper()
	want := maps.Clone(paths)
	if !withNMState(t, all) {
		delete(want, "wukong-networks")
		delete(want, "wukong-nodes")
	}
	got := map[string]map[string]string{}
	for _, c := range controllers(t, all) {
		got[c.name] = map[string]string{}
		for name, h := range c.hooks {
			got[c.name][name] = h.Webhook.Path
			if h.Version != "v2" {
				t.Errorf("%s, hook %s: the version is %q, want v2", c.name, name, h.Version)
			}
			// The server gives a request up after 8 s, and its 503 has to arrive.
			if timeout := h.Webhook.Timeout.Duration; timeout <= 8*time.Second || timeout > 10*time.Second {
				t.Errorf("%s, hook %s: the timeout is %s, want more than 8 s and at most 10 s", c.name, name, timeout)
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the hooks of the controllers (-want +got):\n%s", diff)
	}
}

// routes compares the paths that the manifests name with what the server answers.
func routes(t *testing.T, all manifests, d appsv1.Deployment) {
	t.Helper()
	srv, _ := servers(t)
	call := func(method, path string) int {
		req := httptest.NewRequest(method, path, strings.NewReader("{}"))
		req.Header.Set("Content-Type", "application/json")
		resp := httptest.NewRecorder()
		srv.Handler.ServeHTTP(resp, req)
		return resp.Code
	}
	for _, c := range controllers(t, all) {
		for name, h := range c.hooks {
			if code := call(http.MethodPost, h.Webhook.Path); code == http.StatusNotFound || code == http.StatusMethodNotAllowed {
				t.Errorf("%s, hook %s: the server answers POST %s with %d", c.name, name, h.Webhook.Path, code)
			}
		}
	}
	container := d.Spec.Template.Spec.Containers[0]
	for _, probe := range []*corev1.Probe{container.LivenessProbe, container.ReadinessProbe} {
		if code := call(http.MethodGet, probe.HTTPGet.Path); code != http.StatusOK {
			t.Errorf("the server answers the probe %s with %d", probe.HTTPGet.Path, code)
		}
	}
}

// ports follows a request from the controllers to the flag of the process.
func ports(t *testing.T, all manifests, svc corev1.Service, d appsv1.Deployment) {
	t.Helper()
	container := d.Spec.Template.Spec.Containers[0]
	named := map[string]int32{}
	for _, p := range container.Ports {
		named[p.Name] = p.ContainerPort
	}
	for port, flag := range map[string]string{"hooks": "-listen", "metrics": "-metrics-listen"} {
		if want := fmt.Sprintf("%s=:%d", flag, named[port]); !slices.Contains(container.Args, want) {
			t.Errorf("the container's port %s is %d, and its args are %q", port, named[port], container.Args)
		}
	}
	for _, p := range svc.Spec.Ports {
		if _, ok := named[p.TargetPort.StrVal]; !ok {
			t.Errorf("the Service's port %s has the target %s, which the container does not have", p.Name, p.TargetPort.String())
		}
	}
	secure := slices.ContainsFunc(container.Args, func(arg string) bool { return strings.HasPrefix(arg, "-tls-cert=") })
	scheme := corev1.URISchemeHTTP
	if secure {
		scheme = corev1.URISchemeHTTPS
	}
	for _, probe := range []*corev1.Probe{container.LivenessProbe, container.ReadinessProbe} {
		if probe.HTTPGet.Port.StrVal != "hooks" || probe.HTTPGet.Scheme != scheme {
			t.Errorf("the probe %s goes to port %s by %s, want hooks by %s", probe.HTTPGet.Path, probe.HTTPGet.Port.String(), probe.HTTPGet.Scheme, scheme)
		}
	}
	called(t, controllers(t, all), svc, secure)
	callers(t, all, named)
}

// called compares where the controllers call with where the Service is. With TLS each of them has to know how.
func called(t *testing.T, all []controller, svc corev1.Service, secure bool) {
	t.Helper()
	var port int32
	for _, p := range svc.Spec.Ports {
		if p.TargetPort.StrVal == "hooks" {
			port = p.Port
		}
	}
	protocol := "http"
	var want []string
	if secure {
		protocol = "https"
		want = []string{fmt.Sprintf("%s.%s:%d", svc.Name, svc.Namespace, port)}
	}
	for _, c := range all {
		for name, h := range c.hooks {
			s := h.Webhook.Service
			if s.Name != svc.Name || s.Namespace != svc.Namespace || s.Port != port || s.Protocol != protocol {
				t.Errorf("%s, hook %s calls %+v; the Service is %s/%s with port %d for %s", c.name, name, s, svc.Namespace, svc.Name, port, protocol)
			}
		}
		var hosts []string
		for _, e := range c.endpoints {
			hosts = append(hosts, e.Host)
		}
		if !slices.Equal(hosts, want) {
			t.Errorf("%s: endpointConfigs are for %q, want %q", c.name, hosts, want)
		}
	}
}

// callers compares who may call the ports, by the NetworkPolicy, with who has to.
func callers(t *testing.T, all manifests, named map[string]int32) {
	t.Helper()
	got := map[int32][]networkingv1.NetworkPolicyPeer{}
	for _, rule := range only[networkingv1.NetworkPolicy](t, all, "NetworkPolicy").Spec.Ingress {
		for _, p := range rule.Ports {
			got[p.Port.IntVal] = rule.From
		}
	}
	from := func(label, value string) []networkingv1.NetworkPolicyPeer {
		return []networkingv1.NetworkPolicyPeer{{NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{label: value}}}}
	}
	if diff := cmp.Diff(map[int32][]networkingv1.NetworkPolicyPeer{
		named["hooks"]:   from("kubernetes.io/metadata.name", "metacontroller"),
		named["metrics"]: from(metricsLabel, "true"),
	}, got); diff != "" {
		t.Errorf("who may call the ports, by the NetworkPolicy (-want +got):\n%s", diff)
	}
	if label := metricsLabel + "=true"; !strings.Contains(string(read(t, "README.md")), label) {
		t.Errorf("the README does not say that the namespace of Prometheus needs the label %s", label)
	}
}

// selectors that match nothing are not noticed by anybody else.
func selectors(t *testing.T, all manifests, svc corev1.Service, d appsv1.Deployment) {
	t.Helper()
	pod := d.Spec.Template
	match := func(what string, selector, labels map[string]string) {
		t.Helper()
		for key, value := range selector {
			if labels[key] != value {
				t.Errorf("%s selects %s=%s; the labels are %v", what, key, value, labels)
			}
		}
		if len(selector) == 0 {
			t.Errorf("%s selects everything", what)
		}
	}
	match("the Deployment", d.Spec.Selector.MatchLabels, pod.Labels)
	match("the Service", svc.Spec.Selector, pod.Labels)
	match("the NetworkPolicy", only[networkingv1.NetworkPolicy](t, all, "NetworkPolicy").Spec.PodSelector.MatchLabels, pod.Labels)
	match("the PodDisruptionBudget", only[policyv1.PodDisruptionBudget](t, all, "PodDisruptionBudget").Spec.Selector.MatchLabels, pod.Labels)
	for _, c := range pod.Spec.TopologySpreadConstraints {
		match("a topologySpreadConstraint", c.LabelSelector.MatchLabels, pod.Labels)
	}
	for _, m := range find[serviceMonitor](t, all, "ServiceMonitor") {
		match("the ServiceMonitor", m.Spec.Selector.MatchLabels, svc.Labels)
	}
}

// monitoring compares what is scraped, shown and alerted on with what the server has, and kube-state-metrics is told to count.
func monitoring(t *testing.T, all manifests, svc corev1.Service) {
	t.Helper()
	srv, metrics := servers(t)
	counted := string(read(t, "kube-state-metrics/custom-resource-state.yaml"))
	srv.Handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/sync", nil))
	for _, m := range find[serviceMonitor](t, all, "ServiceMonitor") {
		scraped := m.Spec.Endpoints[0]
		if !slices.ContainsFunc(svc.Spec.Ports, func(p corev1.ServicePort) bool { return p.Name == scraped.Port }) {
			t.Errorf("the ServiceMonitor scrapes the port %s, which the Service does not have", scraped.Port)
		}
		resp := httptest.NewRecorder()
		metrics.Handler.ServeHTTP(resp, httptest.NewRequest(http.MethodGet, scraped.Path, nil))
		for _, doc := range all {
			kind := meta(t, doc).Kind
			if kind != "PrometheusRule" && kind != "ConfigMap" {
				continue
			}
			used := regexp.MustCompile(`wukong_\w+`).FindAllString(string(doc), -1)
			if len(used) == 0 {
				t.Errorf("the %s uses no metric of the hook", kind)
			}
			for _, name := range used {
				if !strings.Contains(resp.Body.String(), "\n"+name) && !strings.Contains(counted, "- name: "+name+"\n") {
					t.Errorf("the %s uses %s, which neither the hook nor kube-state-metrics has", kind, name)
				}
			}
		}
	}
}

func servers(t *testing.T) (hooks, metrics *server.Server) {
	t.Helper()
	cfg := server.Config{Log: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry(), Now: time.Now}
	hooks, err := server.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return hooks, server.NewMetrics(cfg.Registry, cfg.Log)
}

// namespaces looks for objects that would land in whatever namespace kubectl is set to.
func namespaces(t *testing.T, all manifests, want string) {
	t.Helper()
	cluster := []string{"Namespace", "CustomResourceDefinition", "ClusterRole", "ClusterRoleBinding", "CompositeController", "DecoratorController",
		"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"}
	for _, doc := range all {
		m := meta(t, doc)
		if want := want; slices.Contains(cluster, m.Kind) {
			if want = ""; m.Namespace != want {
				t.Errorf("%s %s has the namespace %s, and no kind that has one", m.Kind, m.Name, m.Namespace)
			}
		} else if m.Namespace != want {
			t.Errorf("%s %s has the namespace %q, want %q", m.Kind, m.Name, m.Namespace, want)
		}
	}
}

// overlaid is dir with components, as an overlay of somebody's own has them.
func overlaid(t *testing.T, dir string, components ...string) manifests {
	t.Helper()
	overlay := t.TempDir()
	relative := func(path string) string {
		absolute, err := filepath.Abs(path)
		if err != nil {
			t.Fatal(err)
		}
		path, err = filepath.Rel(overlay, absolute)
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	text := "resources:\n- " + relative(dir) + "\ncomponents:\n"
	for _, c := range components {
		text += "- " + relative(filepath.Join("components", c)) + "\n"
	}
	write(t, filepath.Join(overlay, "kustomization.yaml"), text)
	return rendered(t, overlay)
}

func write(t *testing.T, file, content string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// mounted is whether the container has a file, from a Secret.
func mounted(t *testing.T, all manifests, file string) bool {
	t.Helper()
	spec := only[appsv1.Deployment](t, all, "Deployment").Spec.Template.Spec
	for _, m := range spec.Containers[0].VolumeMounts {
		for _, v := range spec.Volumes {
			if v.Name != m.Name || v.Secret == nil {
				continue
			}
			for _, item := range v.Secret.Items {
				if filepath.Join(m.MountPath, item.Path) == file {
					return true
				}
			}
		}
	}
	return false
}

func names(t *testing.T, all manifests) []string {
	t.Helper()
	var list []string
	for _, doc := range all {
		m := meta(t, doc)
		list = append(list, m.Kind+" "+m.Name)
	}
	slices.Sort(list)
	return list
}

// TestMetacontrollerRole is that Metacontroller, narrowed to the ClusterRole, can do what the hook may answer.
func TestMetacontrollerRole(t *testing.T) {
	all := files(t, "metacontroller-role")
	namespaces(t, all, "metacontroller")
	role := only[rbacv1.ClusterRole](t, all, "ClusterRole")
	if role.Name != "metacontroller" {
		t.Errorf("the ClusterRole is called %s; Metacontroller's own, which it has to replace, is called metacontroller", role.Name)
	}
	can := func(r resource, verbs ...string) {
		t.Helper()
		for _, verb := range verbs {
			if !allows(role, r, verb) {
				t.Errorf("the ClusterRole does not allow to %s %s of %s", verb, r.Resource, r.APIVersion)
			}
		}
	}
	base := files(t, "base")
	attached := only[decoratorController](t, base, "DecoratorController").Spec.Attachments
	for _, c := range find[compositeController](t, base, "CompositeController") {
		parent := c.Spec.ParentResource
		can(parent, "get", "list", "watch", "update")
		can(resource{parent.APIVersion, parent.Resource + "/status"}, "update")
		can(resource{parent.APIVersion, parent.Resource + "/finalizers"}, "update")
		attached = append(attached, c.Spec.ChildResources...)
	}
	for _, r := range resources(attached) {
		can(r, "get", "list", "watch", "create", "update", "patch", "delete")
	}
	can(resource{"v1", "nodes"}, "get", "list", "watch")
	can(resource{"v1", "nodes/finalizers"}, "update")
	for _, verb := range []string{"create", "update", "patch", "delete", "deletecollection"} {
		for _, r := range []string{"nodes", "nodes/status"} {
			if allows(role, resource{"v1", r}, verb) {
				t.Errorf("the ClusterRole allows to %s %s: an answer with a status would wipe the kubelet's", verb, r)
			}
		}
	}
	for _, r := range related(t) {
		can(r, "get", "list", "watch")
	}
	for _, rule := range role.Rules {
		for _, granted := range [][]string{rule.APIGroups, rule.Resources, rule.Verbs} {
			if slices.Contains(granted, "*") {
				t.Errorf("%v is as wide as what it replaces", rule)
			}
		}
	}
}

func allows(role rbacv1.ClusterRole, r resource, verb string) bool {
	group, _, ok := strings.Cut(r.APIVersion, "/")
	if !ok {
		group = ""
	}
	return slices.ContainsFunc(role.Rules, func(rule rbacv1.PolicyRule) bool {
		return slices.Contains(rule.APIGroups, group) && slices.Contains(rule.Resources, r.Resource) &&
			slices.Contains(rule.Verbs, verb) && len(rule.ResourceNames) == 0
	})
}

// answered are the resources that the golden answers of sync and finalize consist of.
func answered(t *testing.T) []resource {
	t.Helper()
	plurals := plurals(t)
	found := map[resource]bool{}
	for _, hook := range []string{"sync", "finalize"} {
		for _, resp := range golden[struct{ Children []metav1.TypeMeta }](t, hook) {
			for _, child := range resp.Children {
				plural, ok := plurals[child]
				if !ok {
					t.Fatalf("testdata/crds has no %v", child)
				}
				found[resource{child.APIVersion, plural}] = true
			}
		}
	}
	return sorted(slices.Collect(maps.Keys(found)))
}

// related are the resources that the golden answers of customize ask for.
func related(t *testing.T) []resource {
	t.Helper()
	found := map[resource]bool{}
	for _, resp := range golden[struct{ RelatedResources []resource }](t, "*customize*", "*/customize") {
		for _, r := range resp.RelatedResources {
			found[resource{r.APIVersion, r.Resource}] = true
		}
	}
	return sorted(slices.Collect(maps.Keys(found)))
}

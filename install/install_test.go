package install

import (
	"encoding/json"
	"maps"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"novasphere.dev/wukong/deploy"
	"novasphere.dev/wukong/types/v1alpha1"
)

// answers are what kubectl says of a cluster that has everything but Wukong.
func answers(t *testing.T) map[string]Answer {
	t.Helper()
	all := map[string]Answer{
		askVersion:     {Text: []byte(`{"gitVersion":"v1.31.2+k3s1"}`)},
		askControllers: {},
		askWorkloads: list(t, metacontrollerItself, `{apiVersion: apps/v1, kind: Deployment, metadata: {name: nmstate-operator, namespace: nmstate},
spec: {template: {spec: {containers: [{image: "quay.io/nmstate/kubernetes-nmstate-operator:v0.85.1"}]}}}}`),
		askRoles: list(t, `{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: metacontroller}, rules: [{apiGroups: ["*"], resources: ["*"], verbs: ["*"]}]}`,
			`{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: m}, roleRef: {kind: ClusterRole, name: metacontroller},
subjects: [{kind: ServiceAccount, name: metacontroller, namespace: metacontroller}]}`),
		askKubeVirt: list(t, `{kind: KubeVirt, status: {phase: Deployed, observedKubeVirtVersion: v1.8.0}}`),
		askCDI:      list(t, `{kind: CDI, status: {observedVersion: v1.64.0}}`),
	}
	for groupVersion, resources := range needed() {
		var served struct {
			Resources []map[string]string `json:"resources"`
		}
		for _, resource := range resources {
			served.Resources = append(served.Resources, map[string]string{"name": resource})
		}
		text, err := json.Marshal(served)
		if err != nil {
			t.Fatal(err)
		}
		all[groupVersion] = Answer{Text: text}
	}
	return all
}

const metacontrollerItself = `{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: metacontroller, namespace: metacontroller}, status: {readyReplicas: 1},
spec: {replicas: 1, template: {spec: {serviceAccountName: metacontroller, containers: [{name: metacontroller,
image: "ghcr.io/metacontroller/metacontroller:v4.17.2", args: [--discovery-interval=20s, --client-go-qps=100]}]}}}}`

// list is an answer with objects, which are written as YAML.
func list(t *testing.T, objects ...string) Answer {
	t.Helper()
	l := struct {
		Kind  string            `json:"kind"`
		Items []json.RawMessage `json:"items"`
	}{"List", nil}
	for _, object := range objects {
		body, err := yaml.YAMLToJSON([]byte(object))
		if err != nil {
			t.Fatalf("%v: %s", err, object)
		}
		l.Items = append(l.Items, body)
	}
	text, err := json.Marshal(l)
	if err != nil {
		t.Fatal(err)
	}
	return Answer{Text: text}
}

// with is everything that an answer of a list has, with other objects.
func with(t *testing.T, a Answer, objects ...string) Answer {
	t.Helper()
	var l struct{ Items []json.RawMessage }
	if err := json.Unmarshal(a.Text, &l); err != nil {
		t.Fatal(err)
	}
	for _, item := range l.Items {
		objects = append(objects, string(item))
	}
	return list(t, objects...)
}

// manifests are the files of base.
func manifests(t *testing.T) []*unstructured.Unstructured {
	t.Helper()
	entries, err := deploy.Files.ReadDir("base")
	if err != nil {
		t.Fatal(err)
	}
	var all []*unstructured.Unstructured
	for _, entry := range entries {
		if entry.Name() == "kustomization.yaml" {
			continue
		}
		content, err := deploy.Files.ReadFile("base/" + entry.Name())
		if err != nil {
			t.Fatal(err)
		}
		for document := range strings.SplitSeq(string(content), "\n---\n") {
			o := &unstructured.Unstructured{}
			if err := yaml.Unmarshal([]byte(document), &o.Object); err != nil {
				t.Fatal(err)
			}
			all = append(all, o)
		}
	}
	return all
}

// made is the plan for what is asked of a cluster.
func made(t *testing.T, all map[string]Answer, w Wants) *Plan {
	t.Helper()
	c, err := Read(all)
	if err != nil {
		t.Fatal(err)
	}
	if w.Tag == "" {
		w.Tag = "v0.2.0"
	}
	p, err := Make(c, w, Choose(c, w), manifests(t))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func text(all []Finding) string {
	var lines strings.Builder
	for _, f := range all {
		lines.WriteString(f.String() + "\n")
	}
	return lines.String()
}

const composite = `{apiVersion: metacontroller.k8s.io/v1alpha1, kind: CompositeController, metadata: {name: wukong, creationTimestamp: "2026-01-02T00:00:00Z"},
spec: {parentResource: {apiVersion: vm.novasphere.dev/v1alpha1, resource: wukongs}, childResources: [{resource: nodenetworkconfigurationpolicies}],
hooks: {sync: {webhook: {service: {name: wukong, namespace: wukong-system}}}}}}`

func hook(tag string) string {
	return `{apiVersion: apps/v1, kind: Deployment, metadata: {name: wukong, namespace: wukong-system}, status: {readyReplicas: 2},
spec: {replicas: 2, template: {spec: {containers: [{name: wukong, image: "registry.example.com/wukong` + tag + `", args: [-listen=:8080, -bridge-marker, -physical-interface, eno1]}]}}}}`
}

// TestFindings is what is said of clusters, and whether it stops an installation.
func TestFindings(t *testing.T) {
	is := func(change func(all map[string]Answer)) func(map[string]Answer) { return change }
	yes, no := true, false
	for _, test := range []struct {
		name   string
		wants  Wants
		change func(all map[string]Answer)
		says   string
		stops  bool
	}{
		{"everything is there", Wants{}, is(func(map[string]Answer) {}), "ok       kubernetes-nmstate: 0.85.1\n", false},
		{"old Kubernetes", Wants{}, is(func(all map[string]Answer) { all[askVersion] = Answer{Text: []byte(`{"gitVersion":"v1.29.9"}`)} }),
			"wrong    Kubernetes: v1.29.9 is too old: upgrade it to 1.30 or later", true},
		{"old KubeVirt", Wants{}, is(func(all map[string]Answer) {
			all[askKubeVirt] = list(t, `{kind: KubeVirt, status: {phase: Deployed, observedKubeVirtVersion: v1.5.2}}`)
		}), "warning  KubeVirt: v1.5.2 is older than 1.6", false},
		{"KubeVirt is being deployed", Wants{}, is(func(all map[string]Answer) {
			all[askKubeVirt] = list(t, `{kind: KubeVirt, status: {phase: Deploying, observedKubeVirtVersion: v1.8.0}}`)
		}), "warning  KubeVirt: v1.8.0 is not deployed yet", false},
		{"no KubeVirt", Wants{}, is(func(all map[string]Answer) { all["kubevirt.io/v1"] = Answer{Access: Absent} }),
			"wrong    KubeVirt: virtualmachineinstances kubevirt.io/v1 is missing: install KubeVirt first, because without it the hook is never called", true},
		{"no Multus", Wants{}, is(func(all map[string]Answer) { all["k8s.cni.cncf.io/v1"] = Answer{Access: Absent} }), "wrong    Multus: ", true},
		{"no CDI", Wants{}, is(func(all map[string]Answer) { all["cdi.kubevirt.io/v1beta1"] = Answer{Access: Absent} }), "warning  CDI: ", false},
		{"no Metacontroller", Wants{}, is(func(all map[string]Answer) { all["metacontroller.k8s.io/v1alpha1"] = Answer{Access: Absent} }),
			"wrong    Metacontroller: compositecontrollers metacontroller.k8s.io/v1alpha1 is missing", true},
		{"Metacontroller does not run", Wants{}, is(func(all map[string]Answer) { all[askWorkloads] = list(t) }), "warning  Metacontroller: no Deployment or StatefulSet runs its image", false},
		{"Metacontroller as a Deployment elsewhere", Wants{}, is(func(all map[string]Answer) {
			all[askWorkloads] = list(t, strings.NewReplacer("StatefulSet", "Deployment", "namespace: metacontroller", "namespace: platform").Replace(metacontrollerItself))
			all[askRoles] = with(t, all[askRoles], `{kind: ClusterRoleBinding, metadata: {name: other}, roleRef: {name: metacontroller}, subjects: [{kind: ServiceAccount, name: metacontroller, namespace: platform}]}`)
		}), "ok       Metacontroller: 4.17.2 as Deployment platform/metacontroller, dynamic-apply", false},
		{"an old Metacontroller", Wants{}, is(func(all map[string]Answer) {
			all[askWorkloads] = list(t, strings.Replace(metacontrollerItself, "v4.17.2", "v4.11.0", 1))
		}), "wrong    Metacontroller: 4.11.0 is too old", true},
		{"a Metacontroller by digest", Wants{}, is(func(all map[string]Answer) {
			all[askWorkloads] = list(t, strings.Replace(metacontrollerItself, ":v4.17.2", "@sha256:abc", 1))
		}), "unknown  Metacontroller: its version is not told", false},
		{"two Metacontrollers", Wants{}, is(func(all map[string]Answer) {
			all[askWorkloads] = with(t, all[askWorkloads], strings.Replace(metacontrollerItself, "namespace: metacontroller", "namespace: other", 1))
		}), "wrong    Metacontroller: it runs twice", true},
		{"two replicas without an election", Wants{}, is(func(all map[string]Answer) {
			all[askWorkloads] = list(t, strings.Replace(metacontrollerItself, "replicas: 1, template", "replicas: 2, template", 1))
		}), "wrong    Metacontroller: StatefulSet metacontroller/metacontroller has 2 replicas without --leader-election", true},
		{"two replicas with an election", Wants{}, is(func(all map[string]Answer) {
			all[askWorkloads] = list(t, strings.NewReplacer("replicas: 1, template", "replicas: 2, template", "[--disc", "[--leader-election, --disc").Replace(metacontrollerItself))
		}), "ok       Metacontroller: 4.17.2", false},
		{"a slow Metacontroller", Wants{}, is(func(all map[string]Answer) {
			all[askWorkloads] = list(t, strings.Replace(metacontrollerItself, ", --client-go-qps=100", ", --cache-flush-interval, 10s", 1))
		}), "warning  Metacontroller: it may ask too seldom", false},
		{"a Metacontroller that asks all the time", Wants{}, is(func(all map[string]Answer) {
			all[askWorkloads] = list(t, strings.Replace(metacontrollerItself, ", --client-go-qps=100", ", --cache-flush-interval, 10s", 1))
		}), "warning  Metacontroller: --cache-flush-interval=10s: the hook is called about everything that often", false},
		{"a narrow role", Wants{}, is(func(all map[string]Answer) {
			narrow := `{kind: ClusterRole, metadata: {name: metacontroller}, rules: [{apiGroups: [metacontroller.k8s.io, apiextensions.k8s.io], resources: ["*"], verbs: ["*"]}]}`
			all[askRoles] = with(t, all[askRoles])
			all[askRoles] = list(t, narrow, `{kind: ClusterRoleBinding, metadata: {name: m}, roleRef: {name: metacontroller}, subjects: [{kind: ServiceAccount, name: metacontroller, namespace: metacontroller}]}`)
		}), "wrong    Metacontroller's rights: it may not get namespaces, and would wait for that without a word: add -with metacontroller-role", true},
		{"half of NMState", Wants{}, is(func(all map[string]Answer) { all["nmstate.io/v1beta1"] = Answer{Access: Absent} }),
			"wrong    kubernetes-nmstate: nodenetworkconfigurationenactments nmstate.io/v1beta1 is missing, others are there", true},
		{"NMState is wanted and missing", Wants{NMState: &yes}, is(func(all map[string]Answer) {
			all["nmstate.io/v1"], all["nmstate.io/v1beta1"] = Answer{Access: Absent}, Answer{Access: Absent}
		}), "wrong    kubernetes-nmstate: it is not there, and the form with it needs its kinds", true},
		{"NMState is not wanted", Wants{NMState: &no}, is(func(map[string]Answer) {}), "ok       kubernetes-nmstate: it is there and not used", false},
		{"NMState may not be asked for", Wants{}, is(func(all map[string]Answer) { all["nmstate.io/v1"] = Answer{Access: Denied} }),
			"wrong    kubernetes-nmstate: whether it is there decides about the form", true},
		{"another Wukong, with objects in namespaces", Wants{}, is(func(all map[string]Answer) {
			all[askDefinitions] = list(t, `{kind: CustomResourceDefinition, metadata: {name: wukongs.vm.novasphere.dev}, spec: {scope: Namespaced}}`)
		}), "wrong    CustomResourceDefinition wukongs.vm.novasphere.dev: it is another program's", true},
		{"a second controller of Wukongs", Wants{}, is(func(all map[string]Answer) {
			all[askControllers] = list(t, strings.Replace(composite, "name: wukong,", "name: wukong-test,", 1))
		}), "wrong    CompositeController wukong-test: it works on wukongs too", true},
		{"a controller that writes WukongNodes too", Wants{}, is(func(all map[string]Answer) {
			all[askControllers] = list(t, `{kind: DecoratorController, metadata: {name: mine}, spec: {attachments: [{apiVersion: vm.novasphere.dev/v1alpha1, resource: wukongnodes}]}}`)
		}), "wrong    DecoratorController mine: ", true},
		{"somebody else's controllers", Wants{}, is(func(all map[string]Answer) {
			all[askControllers] = list(t, `{kind: CompositeController, metadata: {name: wukong-pets}, spec: {parentResource: {apiVersion: pets.example.com/v1, resource: pets}}}`)
		}), "ok       Multus", false},
		{"a hook in another namespace", Wants{}, is(func(all map[string]Answer) {
			all[askControllers] = list(t, strings.Replace(composite, "namespace: wukong-system", "namespace: vms", 1))
		}), "wrong    CompositeController wukong: it calls the hook in namespace vms", true},
		{"a hook somewhere", Wants{}, is(func(all map[string]Answer) {
			all[askControllers] = list(t, strings.Replace(composite, "service: {name: wukong, namespace: wukong-system}", "url: http://10.0.0.1", 1))
		}), "wrong    CompositeController wukong: it calls http://10.0.0.1", true},
		{"monitoring without its operator", Wants{With: []string{"monitoring"}}, is(func(all map[string]Answer) { all["monitoring.coreos.com/v1"] = Answer{Access: Absent} }),
			"wrong    -with monitoring: prometheusrules monitoring.coreos.com/v1 is missing", true},
		{"TLS without its Secrets", Wants{With: []string{"tls"}}, is(func(all map[string]Answer) { all[askSecrets] = Answer{Text: []byte("secret/wukong-tls\n")} }),
			"wrong    -with tls: Secret wukong-system/wukong-token is missing", true},
		{"TLS with its Secrets", Wants{With: []string{"tls"}}, is(func(all map[string]Answer) {
			all[askSecrets] = Answer{Text: []byte("secret/wukong-tls\nsecret/wukong-token\n")}
		}),
			"ok       Multus", false},
		{"a newer hook", Wants{Upgrade: true}, is(func(all map[string]Answer) { all[askHook] = list(t, hook(":v0.3.0")) }),
			"wrong    Wukong: what is installed is newer: hook v0.3.0", true},
		{"an older hook", Wants{}, is(func(all map[string]Answer) { all[askHook] = list(t, hook(":v0.1.0")) }), "wrong    Wukong: an older one is installed: hook v0.1.0: use upgrade", true},
		{"a hook of no version", Wants{Upgrade: true}, is(func(all map[string]Answer) { all[askHook] = list(t, hook(":dev")) }),
			"wrong    image: registry.example.com/wukong:dev does not say which version it is: name the new one with -image", true},
		{"nothing to upgrade", Wants{Upgrade: true}, is(func(map[string]Answer) {}), "wrong    Wukong: it is not installed: use install", true},
		{"what is installed may not be read", Wants{}, is(func(all map[string]Answer) { all[askControllers] = Answer{Access: Denied} }), "wrong    your rights: ", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			all := answers(t)
			test.change(all)
			p := made(t, all, test.wants)
			if got := text(p.Findings); !strings.Contains(got, test.says) || Stops(p.Findings) != test.stops {
				t.Errorf("does not say %q, or stops is not %v:\n%s", test.says, test.stops, got)
			}
		})
	}
}

// TestADefinitionOfAnotherVersion is that fields decide which of two definitions is newer.
func TestADefinitionOfAnotherVersion(t *testing.T) {
	changed := func(t *testing.T, change func(spec map[string]any)) Answer {
		content, err := deploy.Files.ReadFile("base/vm.novasphere.dev_wukongs.yaml")
		if err != nil {
			t.Fatal(err)
		}
		var o map[string]any
		if err := yaml.Unmarshal(content, &o); err != nil {
			t.Fatal(err)
		}
		version := o["spec"].(map[string]any)["versions"].([]any)[0].(map[string]any)
		properties, _, _ := unstructured.NestedMap(version, "schema", "openAPIV3Schema", "properties", "spec", "properties")
		change(properties)
		if err := unstructured.SetNestedMap(version, properties, "schema", "openAPIV3Schema", "properties", "spec", "properties"); err != nil {
			t.Fatal(err)
		}
		text, err := yaml.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		return list(t, string(text))
	}
	all := answers(t)
	all[askHook] = list(t, hook(":v0.2.0"))
	for name, test := range map[string]struct {
		change func(map[string]any)
		says   string
		stops  bool
	}{
		"the same": {func(map[string]any) {}, "ok       Multus", false},
		"one less": {func(p map[string]any) { delete(p, "instancetype") }, "ok       Wukong: older than v0.2.0: definition of wukongs, without spec.instancetype", false},
		"one more": {func(p map[string]any) {
			p["balloon"] = map[string]any{"type": "object", "properties": map[string]any{"size": map[string]any{"type": "string"}}}
		}, "wrong    Wukong: what is installed is newer: definition of wukongs, with spec.balloon: use", true},
		"a rename": {func(p map[string]any) { p["cores"] = p["cpu"]; delete(p, "cpu") }, "with spec.cores: ", true},
		"in a list": {func(p map[string]any) {
			delete(p["networks"].(map[string]any)["items"].(map[string]any)["properties"].(map[string]any), "mtu")
		}, "without spec.networks.mtu", false},
	} {
		t.Run(name, func(t *testing.T) {
			all := maps.Clone(all)
			all[askDefinitions] = changed(t, test.change)
			p := made(t, all, Wants{Upgrade: true})
			if got := text(p.Findings); !strings.Contains(got, test.says) || Stops(p.Findings) != test.stops {
				t.Errorf("does not say %q, or stops is not %v:\n%s", test.says, test.stops, got)
			}
		})
	}
}

// TestForms is which form is chosen, and what is said where it changes.
func TestForms(t *testing.T) {
	yes, no := true, false
	without := strings.Replace(composite, "childResources: [{resource: nodenetworkconfigurationpolicies}]", "childResources: [{resource: virtualmachines}]", 1)
	crd := func(created string) string {
		return `{kind: CustomResourceDefinition, metadata: {name: ` + policyDefinition + `, creationTimestamp: "` + created + `"}}`
	}
	absent := func(all map[string]Answer) {
		all["nmstate.io/v1"], all["nmstate.io/v1beta1"] = Answer{Access: Absent}, Answer{Access: Absent}
	}
	for _, test := range []struct {
		name   string
		wants  Wants
		change func(all map[string]Answer)
		form   string
		says   string
	}{
		{"with", Wants{}, func(map[string]Answer) {}, "with NMState", ""},
		{"without", Wants{}, absent, "without NMState", ""},
		{"without, as asked", Wants{NMState: &no}, func(map[string]Answer) {}, "without NMState", ""},
		{"it stays with", Wants{Upgrade: true}, func(all map[string]Answer) { all[askControllers] = list(t, composite) }, "with NMState", ""},
		{"it stays without, which was chosen", Wants{Upgrade: true}, func(all map[string]Answer) {
			all[askControllers], all[askDefinitions] = list(t, without), list(t, crd("2026-01-01T00:00:00Z"))
		}, "without NMState", "NMState was there before"},
		{"NMState has come", Wants{Upgrade: true}, func(all map[string]Answer) {
			all[askControllers], all[askDefinitions] = list(t, without), list(t, crd("2026-01-03T00:00:00Z"))
			all[askWukongs] = list(t, `{kind: Wukong, metadata: {name: a}, spec: {networks: [{name: pod}, {name: lan, type: bridge}, {name: old, type: bridge, nadName: x}]}}`)
		}, "with NMState", "They are for network lan of Wukong a."},
		{"when it has come is not known", Wants{Upgrade: true}, func(all map[string]Answer) {
			all[askControllers], all[askDefinitions] = list(t, without), Answer{Access: Denied}
		}, "without NMState", "NMState was there before"},
		{"it changes to with, as asked", Wants{Upgrade: true, NMState: &yes}, func(all map[string]Answer) { all[askControllers] = list(t, without) }, "with NMState", "From now on the hook makes policies"},
		{"NMState has gone", Wants{Upgrade: true}, func(all map[string]Answer) {
			absent(all)
			all[askControllers], all[askNetworks] = list(t, composite), Answer{Text: []byte("a\nb\n")}
		}, "without NMState", "the 2 WukongNetworks keep their finalizer"},
		{"it changes to without, as asked", Wants{Upgrade: true, NMState: &no}, func(all map[string]Answer) {
			all[askControllers], all[askPolicies] = list(t, composite), Answer{Text: []byte("a\nb\nc\n")}
		}, "without NMState", "Nothing is deleted: the 3 policies stay"},
		{"components that are there stay", Wants{Upgrade: true, With: []string{"monitoring"}}, func(all map[string]Answer) {
			all[askTenancy] = Answer{Text: []byte("validatingadmissionpolicy/wukong-tenancy")}
			all[askHook] = list(t, strings.Replace(hook(":v0.1.0"), "-listen=:8080", "-tls-cert=/a", 1))
		}, "with NMState, tls, monitoring, tenancy", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			all := answers(t)
			test.change(all)
			c, err := Read(all)
			if err != nil {
				t.Fatal(err)
			}
			f := Choose(c, test.wants)
			if says := strings.Join(f.Says, " "); f.Name() != test.form || !strings.Contains(says, test.says) || (test.says == "") != (says == "") {
				t.Errorf("the form is %s, want %s; says: %s", f.Name(), test.form, says)
			}
		})
	}
}

// TestTheDeploymentKeepsWhatIsItsOwn is that flags, variables and places of somebody stay, and nothing of the older manifests.
func TestTheDeploymentKeepsWhatIsItsOwn(t *testing.T) {
	all := answers(t)
	all[askHook] = list(t, `{apiVersion: apps/v1, kind: Deployment, metadata: {name: wukong, namespace: wukong-system}, spec: {replicas: 4, template: {
metadata: {annotations: {team: vms}}, spec: {nodeSelector: {infra: "yes"}, imagePullSecrets: [{name: pull}], volumes: [{name: ca, secret: {secretName: ca}}],
containers: [{name: wukong, image: "registry.example.com:5000/wukong:v0.1.0", args: [-listen=:9000, -physical-interface, eno1, -client-ca=/ca/ca.crt],
env: [{name: GOMEMLIMIT, value: 1GiB}, {name: WUKONG_LOG_LEVEL, value: debug}], volumeMounts: [{name: ca, mountPath: /ca}], resources: {limits: {memory: 4Gi}}}]}}}}`)
	p := made(t, all, Wants{Upgrade: true})
	if p.Image != "registry.example.com:5000/wukong:v0.2.0" {
		t.Errorf("the image is %s", p.Image)
	}
	want := "The Deployment keeps what it has of its own: imagePullSecrets, nodeSelector, volume ca, -physical-interface eno1, -client-ca=/ca/ca.crt, WUKONG_LOG_LEVEL, resources, replicas 4."
	if diff := cmp.Diff(want, strings.Join(p.Says, "\n")); diff != "" {
		t.Error(diff)
	}
	var found *unstructured.Unstructured
	order := ""
	for _, step := range p.Steps {
		order += step.Name + " "
		if hook := hookOf(step.Objects); hook != nil {
			found = hook
		}
	}
	if order != "namespace hook definitions controllers " {
		t.Errorf("the order is %s", order)
	}
	pod, _, _ := unstructured.NestedMap(found.Object, "spec", "template", "spec")
	container := pod["containers"].([]any)[0].(map[string]any)
	got, err := yaml.Marshal(map[string]any{"args": container["args"], "env": container["env"], "volumes": pod["volumes"], "image": container["image"],
		"annotations": found.Object["spec"].(map[string]any)["template"].(map[string]any)["metadata"].(map[string]any)["annotations"]})
	if err != nil {
		t.Fatal(err)
	}
	const wanted = `annotations:
  team: vms
args:
- -listen=:8080
- -metrics-listen=:9090
- -physical-interface
- eno1
- -client-ca=/ca/ca.crt
env:
- name: WUKONG_MEMORY_LIMIT
  valueFrom:
    resourceFieldRef:
      containerName: wukong
      divisor: "0"
      resource: limits.memory
- name: WUKONG_LOG_LEVEL
  value: debug
image: registry.example.com:5000/wukong:v0.2.0
volumes:
- name: ca
  secret:
    secretName: ca
`
	if diff := cmp.Diff(wanted, string(got)); diff != "" {
		t.Error(diff)
	}
	if order := made(t, answers(t), Wants{}).Steps; order[1].Name != "definitions" {
		t.Errorf("the second step of an installation is %s", order[1].Name)
	}
}

// TestNothingMayBeRead is that doctor says so, and guesses nothing.
func TestNothingMayBeRead(t *testing.T) {
	all := map[string]Answer{}
	for _, q := range Questions(Wants{With: []string{"tls"}}) {
		all[q.Key] = Answer{Access: Denied}
	}
	c, err := Read(all)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range Doctor(c, Wants{Tag: "v0.2.0"}) {
		if f.Level != Unknown {
			t.Errorf("says %s", f)
		}
	}
}

// TestConflicts reads what kubectl says.
func TestConflicts(t *testing.T) {
	const one = `error: Apply failed with 1 conflict: conflict with "kubectl-set" using apps/v1: .spec.template.spec.containers[name="wukong"].image
Please review the fields above--they currently have other managers. Here`
	const two = `error: Apply failed with 2 conflicts: conflicts with "kubectl-edit" using apps/v1:
- .spec.template.spec.containers[name="wukong"].image
- .spec.template.spec.containers[name="wukong"].ports
Please review`
	if _, _, ours, is := Conflict(one); !ours || !is {
		t.Errorf("an image that was set by hand is in the way: %v, %v", ours, is)
	}
	others, fields, ours, is := Conflict(two)
	if ours || !is || len(fields) != 2 || others[0] != "kubectl-edit" {
		t.Errorf("%v %v %v %v", others, fields, ours, is)
	}
	if _, _, _, is := Conflict("the server is busy"); is {
		t.Error("any error is a conflict")
	}
}

// TestVersionsAreThoseOfThePage holds the versions that are asked for against docs/versions.md.
func TestVersionsAreThoseOfThePage(t *testing.T) {
	page, err := os.ReadFile("../docs/versions.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, oldest := range OldestVersions() {
		if !strings.Contains(string(page), "\n| "+oldest.About+" | "+oldest.Version+" | ") {
			t.Errorf("docs/versions.md has no row | %s | %s |", oldest.About, oldest.Version)
		}
	}
}

// TestTheTagIsThatOfTheImage is that kustomize and the command mean the same version.
func TestTheTagIsThatOfTheImage(t *testing.T) {
	if _, known := older(deploy.Tag(), "v0.0.1"); !known {
		t.Errorf("the tag %q is no version", deploy.Tag())
	}
	if len(definitions()) != 4 || definitions()[0] != v1alpha1.Resource+"."+v1alpha1.Group {
		t.Error(definitions())
	}
}

package api_test

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"

	"novasphere.dev/wukong/types/v1alpha1"
)

// What `kubectl explain` prints has every field with its whole comment.
func TestKubectlExplainsTheFields(t *testing.T) {
	for _, kind := range []kind{wukongKind, networkKind, nodeKind} {
		t.Run(kind.kind, func(t *testing.T) {
			for path, object := range explained(t, kind) {
				text := explain(t, path)
				for name, field := range object.Properties {
					if field.Description == "" {
						t.Errorf("%s.%s has no comment", path, name)
					}
					if !strings.Contains(text, " "+name+" <") || !strings.Contains(text, oneLine(field.Description)) {
						t.Errorf("kubectl explain %s does not say %q of %s:\n%s", path, oneLine(field.Description), name, text)
					}
				}
			}
		})
	}
	for path, want := range map[string][]string{
		"wukong.spec.networks": {
			"GROUP: vm.novasphere.dev", "FIELD: networks <[]Object>", "nadName uses an existing NetworkAttachmentDefinition",
			"networkName uses a WukongNetwork", "enum: pod, bridge, ovs, macvlan", "Default: pod.",
		},
		"wukong.spec":        {"Default: 1, unless instancetype is set.", "Default: 2Gi, unless instancetype is set."},
		"wukongnetwork.spec": {"enum: bridge, ovs", "Default: bridge.", "Default: br-{name}"},
		"wukongnode.network": {"FIELD: network <Object>"},
	} {
		text := explain(t, path)
		for _, words := range want {
			if !strings.Contains(text, words) {
				t.Errorf("kubectl explain %s does not say %q:\n%s", path, words, text)
			}
		}
	}
}

// explained are the objects within a kind, as its definition has them, by the paths that kubectl explain takes.
func explained(t *testing.T, kind kind) map[string]apiextensionsv1.JSONSchemaProps {
	t.Helper()
	content, err := os.ReadFile(kind.definition())
	if err != nil {
		t.Fatal(err)
	}
	var crd apiextensionsv1.CustomResourceDefinition
	if err := yaml.UnmarshalStrict(content, &crd); err != nil {
		t.Fatal(err)
	}
	all := map[string]apiextensionsv1.JSONSchemaProps{}
	var walk func(path string, schema apiextensionsv1.JSONSchemaProps)
	walk = func(path string, schema apiextensionsv1.JSONSchemaProps) {
		if schema.Items != nil {
			schema = *schema.Items.Schema
		}
		if len(schema.Properties) > 0 {
			all[path] = schema
		}
		for name, property := range schema.Properties {
			walk(path+"."+name, property)
		}
	}
	for name, property := range crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties {
		walk(crd.Spec.Names.Singular+"."+name, property)
	}
	return all
}

// explain is what kubectl explain prints, with single spaces.
func explain(t *testing.T, path string) string {
	t.Helper()
	// What it prints is published some time after the definition is.
	var last string
	err := wait.PollUntilContextTimeout(t.Context(), 100*time.Millisecond, time.Minute, true, func(context.Context) (bool, error) {
		output, err := kubectl(t, "explain", path).CombinedOutput()
		last = string(output)
		return err == nil, nil
	})
	if err != nil {
		t.Fatalf("kubectl explain %s: %v\n%s", path, err, last)
	}
	return oneLine(last)
}

// oneLine is a text with single spaces.
func oneLine(text string) string {
	return strings.Join(strings.Fields(text), " ")
}

func TestKubectlKnowsThemByTheirShortNames(t *testing.T) {
	client, err := discovery.NewDiscoveryClientForConfig(shared.Config)
	if err != nil {
		t.Fatal(err)
	}
	resources, err := client.ServerResourcesForGroupVersion(v1alpha1.APIVersion)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]string{}
	for _, resource := range resources.APIResources {
		if resource.Namespaced {
			t.Errorf("%s is in a namespace", resource.Name)
		}
		got[resource.Name] = resource.ShortNames
	}
	want := map[string][]string{
		"wukongs": {"wkg"}, "wukongs/status": nil,
		"wukongnetworks": {"wkn"}, "wukongnetworks/status": nil,
		"wukongnodes": {"wkd"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want (-), got (+):\n%s", diff)
	}
}

// What `kubectl get` prints, and -o wide.
func TestColumnsShowWhatMatters(t *testing.T) {
	for _, test := range []struct {
		kind    kind
		sent    string
		columns []string
		cells   []any
	}{
		{
			wukongKind,
			`{spec: {}, status: {phase: Running, nodeName: worker-1, address: 192.168.100.10, conditions: [{type: Ready, status: "True", reason: Running, message: the machine runs, lastTransitionTime: "2026-01-01T00:00:00Z"}]}}`,
			[]string{"Name", "Phase", "Ready", "Reason", "Node", "Address", "Age", "Message (wide)"},
			[]any{"vm", "Running", "True", "Running", "worker-1", "192.168.100.10", "a moment", "the machine runs"},
		},
		{
			networkKind,
			`{spec: {vlanId: 100}, status: {bridge: br-lan, conditions: [{type: Ready, status: "False", reason: PolicyProgressing, message: NMState is at it, lastTransitionTime: "2026-01-01T00:00:00Z"}]}}`,
			[]string{"Name", "Ready", "Bridge", "VLAN", "Reason", "Age", "Message (wide)"},
			[]any{"lan", "False", "br-lan", int64(100), "PolicyProgressing", "a moment", "NMState is at it"},
		},
		{
			nodeKind,
			`{network: {ready: true, reported: false, message: nobody reports, summary: {carrier: ens192, freeNICs: "ens160,ens224", bridges: br-lan, addresses: 10.0.0.5/24, gateway: 10.0.0.1}}}`,
			[]string{"Name", "Ready", "Carrier", "Free", "Bridges", "Age", "Addresses (wide)", "Gateway (wide)", "Message (wide)"},
			[]any{"worker-1", true, "ens192", "ens160,ens224", "br-lan", "a moment", "10.0.0.5/24", "10.0.0.1", "nobody reports"},
		},
	} {
		t.Run(test.kind.kind, func(t *testing.T) {
			sent := test.kind.object(t, test.sent)
			created, err := create(t, sent)
			if err != nil {
				t.Fatal(err)
			}
			if status, ok := sent.Object["status"]; ok {
				created.Object["status"] = status
				if _, err := test.kind.client().UpdateStatus(t.Context(), created, metav1.UpdateOptions{}); err != nil {
					t.Fatal(err)
				}
			}
			table := tableOf(t, test.kind)
			var columns []string
			for _, column := range table.ColumnDefinitions {
				name := column.Name
				if column.Priority > 0 {
					name += " (wide)"
				}
				columns = append(columns, name)
			}
			if diff := cmp.Diff(test.columns, columns); diff != "" {
				t.Errorf("columns, want (-), got (+):\n%s", diff)
			}
			if len(table.Rows) != 1 {
				t.Fatalf("there are %d rows, want 1", len(table.Rows))
			}
			cells := table.Rows[0].Cells
			for i, column := range columns {
				if column == "Age" {
					cells[i] = "a moment"
				}
			}
			if diff := cmp.Diff(test.cells, cells); diff != "" {
				t.Errorf("cells, want (-), got (+):\n%s", diff)
			}
		})
	}
}

// tableOf is the object of a kind with the kind's usual name, as kubectl asks for it.
func tableOf(t *testing.T, kind kind) *metav1.Table {
	t.Helper()
	config := rest.CopyConfig(shared.Config)
	config.NegotiatedSerializer = scheme.Codecs.WithoutConversion()
	client, err := rest.UnversionedRESTClientFor(config)
	if err != nil {
		t.Fatal(err)
	}
	table := &metav1.Table{}
	err = client.Get().AbsPath("apis", v1alpha1.Group, v1alpha1.Version, kind.resource, kind.name).
		SetHeader("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io").Do(t.Context()).Into(table)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

//go:build !hook

package command

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"novasphere.dev/wukong/admission"
)

// rendering is what a run of render prints, and how it ends.
func rendering(t *testing.T, stdin string, args ...string) (string, error) {
	t.Helper()
	stdout, stderr, code := runs(t, stdin, append([]string{"render"}, args...)...)
	if code != 0 {
		return stdout, errors.New(strings.TrimSuffix(strings.TrimPrefix(stderr, "wukong render: "), "\n"))
	}
	return stdout, nil
}

// outline is the comments, separators, kinds and names of a YAML output.
func outline(text string) string {
	return strings.Join(regexp.MustCompile(`(?m)^(#.*|---|kind: .*|  name: .*)$`).FindAllString(text, -1), "\n") + "\n"
}

const lan = `
apiVersion: vm.novasphere.dev/v1alpha1
kind: Wukong
metadata:
  name: a
spec:
  networks:
  - {name: lan, type: bridge, vlanId: 7}
`

const none = `
apiVersion: vm.novasphere.dev/v1alpha1
kind: Wukong
metadata:
  name: b
spec: {}
`

const shared = `
apiVersion: vm.novasphere.dev/v1alpha1
kind: WukongNetwork
metadata:
  name: lan-7
spec:
  vlanId: 7
`

const sharing = `
apiVersion: vm.novasphere.dev/v1alpha1
kind: Wukong
metadata:
  name: c
spec:
  networks:
  - {name: lan, networkName: lan-7}
`

func TestRenderInOrder(t *testing.T) {
	got, err := rendering(t, "", "../examples/vm-with-nmstate.yaml")
	if err != nil {
		t.Fatal(err)
	}
	want := `# 1. node network
kind: NodeNetworkConfigurationPolicy
  name: ubuntu-vm-nmstate-management-bridge
---
kind: NodeNetworkConfigurationPolicy
  name: ubuntu-vm-nmstate-external-bridge
---
# 2. attachments
kind: NetworkAttachmentDefinition
  name: ubuntu-vm-nmstate-management-nad
---
kind: NetworkAttachmentDefinition
  name: ubuntu-vm-nmstate-external-nad
---
# 3. machine
kind: VirtualMachine
  name: ubuntu-vm-nmstate
`
	if diff := cmp.Diff(want, outline(got)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestRenderSeveral(t *testing.T) {
	want := `# Wukong a
# 1. node network
kind: NodeNetworkConfigurationPolicy
  name: a-lan-bridge
---
# 2. attachments
kind: NetworkAttachmentDefinition
  name: a-lan-nad
---
# 3. machine
kind: VirtualMachine
  name: a
---
# Wukong b
# 1. node network (nothing)
# 2. attachments (nothing)
# 3. machine
kind: VirtualMachine
  name: b
`
	list, err := yaml.YAMLToJSON([]byte("{apiVersion: v1, kind: List, items: []}"))
	if err != nil {
		t.Fatal(err)
	}
	items := strings.Replace(string(list), "[]", "["+toJSON(t, lan)+", "+toJSON(t, none)+"]", 1)
	directory := t.TempDir()
	for name, content := range map[string]string{"a.yaml": lan, "b.json": toJSON(t, none)} {
		if err := os.WriteFile(filepath.Join(directory, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		name, stdin string
		files       []string
	}{
		{"two documents", lan + "---" + none, []string{"-"}},
		{"empty documents", "---\n# a comment\n---\n" + lan + "---\n\n---\n" + none + "...\n---\n", []string{"-"}},
		{"carriage returns and a byte order mark", "\ufeff" + strings.ReplaceAll(lan+"---"+none, "\n", "\r\n"), []string{"-"}},
		{"a document on the line of its marker", lan + "--- " + toJSON(t, none), []string{"-"}},
		{"a list", items, []string{"-"}},
		{"two files", "", []string{filepath.Join(directory, "a.yaml"), filepath.Join(directory, "b.json")}},
		{"a file and standard input", none, []string{filepath.Join(directory, "a.yaml"), "-"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := rendering(t, test.stdin, test.files...)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, outline(got)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// A network is looked up among all that was read, and is printed before the machines, wherever it stands.
func TestRenderNetworks(t *testing.T) {
	want := `# WukongNetwork lan-7
# node network
kind: NodeNetworkConfigurationPolicy
  name: lan-7.bridge
---
# Wukong c
# 1. node network (nothing)
# 2. attachments
kind: NetworkAttachmentDefinition
  name: c-lan-nad
---
# 3. machine
kind: VirtualMachine
  name: c
`
	file := filepath.Join(t.TempDir(), "network.yaml")
	if err := os.WriteFile(file, []byte(shared), 0o600); err != nil {
		t.Fatal(err)
	}
	list := "{apiVersion: v1, kind: List, items: [" + toJSON(t, sharing) + ", " + toJSON(t, shared) + "]}"
	for _, test := range []struct {
		name, stdin string
		files       []string
	}{
		{"the network first", shared + "---" + sharing, []string{"-"}},
		{"the machine first", sharing + "---" + shared, []string{"-"}},
		{"the machine first in a list", list, []string{"-"}},
		{"two files", sharing, []string{file, "-"}},
		{"two files, the machine's first", sharing, []string{"-", file}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := rendering(t, test.stdin, test.files...)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, outline(got)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if !strings.Contains(got, `"bridge":"br-lan-7"`) {
				t.Errorf("the attachment does not have the network's bridge:\n%s", got)
			}
		})
	}
}

func TestRenderANetworkAlone(t *testing.T) {
	uplinks := strings.Replace(shared, "  vlanId: 7\n", `  uplinks:
  - {name: small, nodeSelector: {model: small}, physicalInterface: eno1}
  - {name: large, nodeSelector: {model: large}, physicalInterface: eno2}
`, 1)
	for _, test := range []struct {
		name, network string
		args          []string
		want          string
	}{
		{"one NIC", shared, nil, `# node network
kind: NodeNetworkConfigurationPolicy
  name: lan-7.bridge
`},
		{"two NICs", uplinks, nil, `# node network
kind: NodeNetworkConfigurationPolicy
  name: lan-7.small.bridge
---
kind: NodeNetworkConfigurationPolicy
  name: lan-7.large.bridge
`},
		{"no NMState", shared, []string{"-nmstate=false"}, "# node network (nothing)\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := rendering(t, test.network, append(test.args, "-")...)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, outline(got)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// Whatever is rendered together is one List, networks first.
func TestRenderNetworksAsJSON(t *testing.T) {
	text, err := rendering(t, sharing+"---"+shared, "-o", "json", "-")
	if err != nil {
		t.Fatal(err)
	}
	var list unstructured.UnstructuredList
	if err := list.UnmarshalJSON([]byte(text)); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, object := range list.Items {
		got = append(got, object.GetName())
	}
	if diff := cmp.Diff([]string{"lan-7.bridge", "c-lan-nad", "c"}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestRenderAsJSON(t *testing.T) {
	text, err := rendering(t, lan+"---"+none, "-o", "json", "-")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(text, "{\n  \"apiVersion\": \"v1\",\n  \"kind\": \"List\",\n  \"items\": [\n") {
		t.Errorf("not an indented List:\n%s", text)
	}
	var list struct{ Items []map[string]any }
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		t.Fatal(err)
	}
	documents, err := rendering(t, lan+"---"+none, "-")
	if err != nil {
		t.Fatal(err)
	}
	var want []map[string]any
	for _, document := range strings.Split(documents, "---\n") {
		var object map[string]any
		if err := yaml.Unmarshal([]byte(document), &object); err != nil {
			t.Fatal(err)
		}
		want = append(want, object)
	}
	if diff := cmp.Diff(want, list.Items); diff != "" {
		t.Errorf("JSON is not what YAML is (-yaml +json)\n%s", diff)
	}
}

func TestRenderFlags(t *testing.T) {
	for _, test := range []struct {
		name  string
		env   map[string]string
		args  []string
		has   string
		hasNo string
	}{
		{"the default NIC", nil, nil, "base-iface: ens160", "eno1"},
		{"another NIC", nil, []string{"-physical-interface", "eno1"}, "base-iface: eno1", "ens160"},
		{"another NIC in the environment", map[string]string{"WUKONG_PHYSICAL_INTERFACE": "eno1"}, nil, "base-iface: eno1", "ens160"},
		{"another image", nil, []string{"-default-os-image", "quay.io/mine"}, "image: quay.io/mine", "ubuntu"},
		{"NMState", nil, []string{"-nmstate=true"}, "kind: NodeNetworkConfigurationPolicy", "(nothing)"},
		{"no NMState", nil, []string{"-nmstate=false"}, "# 1. node network (nothing)", "kind: NodeNetworkConfigurationPolicy"},
		{"no NMState in the environment", map[string]string{"WUKONG_NMSTATE": "false"}, nil, "# 1. node network (nothing)", "kind: NodeNetworkConfigurationPolicy"},
		{"YAML", nil, []string{"-o", "yaml"}, "# 3. machine", "List"},
		{"JSON", nil, []string{"-o", "json"}, `"kind": "List"`, "# 3. machine"},
	} {
		t.Run(test.name, func(t *testing.T) {
			for variable, value := range test.env {
				t.Setenv(variable, value)
			}
			got, err := rendering(t, lan, append(test.args, "-")...)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(got, test.has) || strings.Contains(got, test.hasNo) {
				t.Errorf("must have %q and not %q:\n%s", test.has, test.hasNo, got)
			}
		})
	}
}

// Addresses come from the UID: of the command line, else of the Wukong, else one that stands for none.
func TestRenderUID(t *testing.T) {
	address := func(wukong string, args ...string) string {
		t.Helper()
		text, err := rendering(t, wukong, append(args, "-")...)
		if err != nil {
			t.Fatal(err)
		}
		return regexp.MustCompile(`macAddress: (.*)`).FindString(text)
	}
	const one, two = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"
	created := strings.Replace(lan, "  name: a\n", "  name: a\n  uid: "+one+"\n", 1)

	if got, want := address(lan), address(lan, "-uid", noUID); got != want {
		t.Errorf("without a UID the address is %s, want that of %s, %s", got, noUID, want)
	}
	if got, want := address(created), address(lan, "-uid", one); got != want {
		t.Errorf("with a UID of its own the address is %s, want %s", got, want)
	}
	if got, want := address(created, "-uid", two), address(lan, "-uid", two); got != want {
		t.Errorf("with another UID the address is %s, want %s", got, want)
	}
	if address(lan, "-uid", one) == address(lan, "-uid", two) {
		t.Error("two UIDs have the same address")
	}
}

// What kubectl prints of a Wukong can be rendered.
func TestRenderAWukongOfACluster(t *testing.T) {
	_, err := rendering(t, `
apiVersion: v1
kind: List
metadata: {resourceVersion: ""}
items:
- apiVersion: vm.novasphere.dev/v1alpha1
  kind: Wukong
  metadata:
    name: a
    annotations: {kubectl.kubernetes.io/last-applied-configuration: "{}"}
    creationTimestamp: "2026-01-01T00:00:00Z"
    finalizers: [metacontroller.io/compositecontroller-wukong]
    generation: 3
    managedFields: [{apiVersion: vm.novasphere.dev/v1alpha1, fieldsType: FieldsV1, fieldsV1: {"f:spec": {}}, manager: kubectl, operation: Update, time: "2026-01-01T00:00:00Z"}]
    resourceVersion: "77"
    uid: 11111111-1111-1111-1111-111111111111
  spec: {cpu: 1, memory: 2Gi, namespace: default, networks: [{name: default, type: pod}]}
  status: {observedGeneration: 3, phase: Running, vmName: a}
`, "-")
	if err != nil {
		t.Error(err)
	}
}

func TestRenderRefuses(t *testing.T) {
	directory := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(directory, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, test := range []struct {
		name string
		args []string
		want string // DIR stands for the directory of the files
	}{
		{
			"no files", nil,
			"no files: name them, or - for standard input (see wukong render -h)",
		},
		{
			"a file that is not there", []string{"DIR/nowhere.yaml"},
			"reading DIR/nowhere.yaml: no such file or directory",
		},
		{
			"a directory", []string{"DIR/"},
			"DIR/ is a directory: name the files in it, for example DIR/*.yaml",
		},
		{
			"an unknown flag", []string{"--outputs", "json", "-"},
			"unknown flag: --outputs (see wukong render -h)",
		},
		{
			"an unknown format", []string{"-o", "jsn", "-"},
			`invalid argument "jsn" for "-o, --output" flag: must be yaml, json, mermaid or html: did you mean json? (see wukong render -h)`,
		},
		{
			"an empty file", []string{file("empty.yaml", "# nothing yet\n---\n")},
			"DIR/empty.yaml: there is nothing in it",
		},
		{
			"a file that is no YAML", []string{file("tab.yaml", "# one\n---\na: b\n---\na:\n\tb: c\n")},
			`DIR/tab.yaml:6: there is a tab before the text: YAML is indented by spaces only
DIR/tab.yaml:3: kind: apiVersion and kind are missing: begin with apiVersion: vm.novasphere.dev/v1alpha1 and kind: Wukong`,
		},
		{
			"a field that is written twice", []string{file("twice.yaml", strings.Replace(lan, "  name: a", "  name: a\n  name: b", 1))},
			`DIR/twice.yaml:6: the field "name" is written twice in one place: kubectl would take the last one without a word`,
		},
		{
			"a field that is written twice in JSON", []string{file("twice.json", `{"a": {"b": 1, "b": 2}}`)},
			`DIR/twice.json: duplicate field "a.b"`,
		},
		{
			"a text", []string{file("text.yaml", "Sun Wukong")},
			"DIR/text.yaml:1: this is no object: one begins with lines such as apiVersion: vm.novasphere.dev/v1alpha1 and kind: Wukong",
		},
		{
			"another kind", []string{file("pod.yaml", lan+"---\napiVersion: v1\nkind: Pod\nmetadata: {name: p}\n")},
			`DIR/pod.yaml:11: Pod p: kind: is "Pod" of "v1", and only Wukong and WukongNetwork of "vm.novasphere.dev/v1alpha1" can be read here`,
		},
		{
			"another kind in a list", []string{file("list.yaml", "{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: Pod}]}")},
			`DIR/list.yaml:1: Pod: kind: is "Pod" of "v1", and only Wukong and WukongNetwork of "vm.novasphere.dev/v1alpha1" can be read here`,
		},
		{
			"another version", []string{file("v2.yaml", strings.Replace(lan, "v1alpha1", "v2", 1))},
			`DIR/v2.yaml:2: Wukong a: apiVersion: is "vm.novasphere.dev/v2", and Wukong is of "vm.novasphere.dev/v1alpha1"`,
		},
		{
			"an unknown field", []string{file("unknown.yaml", strings.Replace(lan, "vlanId", "vlan", 1))},
			`DIR/unknown.yaml:8: Wukong a: spec.networks[0].vlan: there is no such field: did you mean vlanId?`,
		},
		{
			"what the API server refuses", []string{file("invalid.yaml", strings.Replace(lan, "bridge, vlanId: 7", "macvlan, vlanId: 7", 1))},
			`DIR/invalid.yaml:8: Wukong a: spec.networks[0].vlanId: vlanId is only for type bridge, ovs and sriov: remove it, or name a VLAN interface as physicalInterface`,
		},
		{
			"what the hook refuses", []string{file("uplink.yaml", strings.Replace(lan, "type: bridge", "type: bridge, bridgeName: ens160.7", 1))},
			`DIR/uplink.yaml:8: Wukong a: spec.networks[0].bridgeName: "ens160.7": is the name of the bridge's own uplink: a bridge needs a name of its own`,
		},
		{
			"two of one name", []string{file("one.yaml", lan), file("other.yaml", lan)},
			"DIR/other.yaml: Wukong a is in DIR/one.yaml already",
		},
		{
			"two networks of one name", []string{file("networks.yaml", shared+"---"+shared)},
			"DIR/networks.yaml: document 2: WukongNetwork lan-7 is in DIR/networks.yaml: document 1 already",
		},
		{
			"a network that is in no file", []string{file("sharing.yaml", none+"---"+sharing)},
			"DIR/sharing.yaml:14: Wukong c: spec.networks[0].networkName: WukongNetwork lan-7 is in none of the files: render its file too",
		},
		{
			"a network without NMState", []string{"-nmstate=false", file("both.yaml", shared+"---"+sharing)},
			"DIR/both.yaml:15: Wukong c: spec.networks[0].networkName: networkName lan-7 needs NMState, which is not registered " +
				"with the CompositeController: install it, or use nadName",
		},
		{
			"a network that the API server refuses", []string{file("tagged.yaml", strings.Replace(shared, "vlanId: 7", "vlanId: 5000", 1)), file("user.yaml", sharing)},
			`DIR/tagged.yaml:7: WukongNetwork lan-7: spec.vlanId: is 5000, and must be at most 4094`,
		},
		{
			"a network that the hook refuses", []string{file("default.yaml", strings.Replace(shared, "vlanId: 7", "bridgeName: ens160", 1)), file("uplink.yaml", strings.Replace(lan, "type: bridge", "type: bridge, bridgeName: ens160.7", 1))},
			`DIR/default.yaml:7: WukongNetwork lan-7: spec.bridgeName: "ens160": ` +
				"is the name of the bridge's own uplink: a bridge needs a name of its own\n" +
				`DIR/uplink.yaml:8: Wukong a: spec.networks[0].bridgeName: "ens160.7": ` +
				"is the name of the bridge's own uplink: a bridge needs a name of its own",
		},
		{
			"all that is wrong, at once", []string{file("good.yaml", none), file("pods.yaml", "kind: Pod\n---\nkind: Pod\n"), "DIR/nowhere.yaml"},
			`reading DIR/nowhere.yaml: no such file or directory
DIR/pods.yaml:1: Pod: kind: is "Pod" of "", and only Wukong and WukongNetwork of "vm.novasphere.dev/v1alpha1" can be read here
DIR/pods.yaml:3: Pod: kind: is "Pod" of "", and only Wukong and WukongNetwork of "vm.novasphere.dev/v1alpha1" can be read here`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			for i, arg := range test.args {
				test.args[i] = strings.Replace(arg, "DIR", directory, 1)
			}
			stdout, err := rendering(t, "", test.args...)
			if err == nil {
				t.Fatal("rendered")
			}
			if got := strings.ReplaceAll(err.Error(), directory, "DIR"); got != test.want {
				t.Errorf("says: %s\nwant: %s", got, test.want)
			}
			if stdout != "" {
				t.Errorf("has printed\n%s", stdout)
			}
		})
	}
}

func TestRenderHelp(t *testing.T) {
	usage, _, code := runs(t, "", "render", "-h")
	if code != 0 {
		t.Errorf("exit code %d", code)
	}
	for _, want := range []string{"wukong render examples/vm-with-nmstate.yaml -physical-interface eno1", noUID, "-o, --output format", "--physical-interface NIC"} {
		if strings.Count(usage, want) != 1 {
			t.Errorf("the help has %q not once:\n%s", want, usage)
		}
	}
}

// Every example renders, and the API server would take each object as it is: nothing is refused, dropped or added.
func TestEveryExampleRenders(t *testing.T) {
	schemas := map[schema.GroupKind]*admission.Schema{}
	definitions, err := filepath.Glob("../testdata/crds/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range definitions {
		definition, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		s, err := admission.New(definition)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		schemas[s.GroupKind()] = s
	}
	examples, err := filepath.Glob("../examples/*.yaml")
	if err != nil || len(examples) == 0 {
		t.Fatalf("there are no examples: %v", err)
	}
	for _, example := range examples {
		t.Run(filepath.Base(example), func(t *testing.T) {
			args := []string{"-o", "json", example}
			if filepath.Base(example) == "vm-on-a-shared-network.yaml" {
				args = append(args, "../examples/network-for-a-fleet.yaml")
			}
			text, err := rendering(t, "", args...)
			if err != nil {
				t.Fatal(err)
			}
			var list unstructured.UnstructuredList
			if err := list.UnmarshalJSON([]byte(text)); err != nil {
				t.Fatal(err)
			}
			for _, object := range list.Items {
				s := schemas[object.GroupVersionKind().GroupKind()]
				if s == nil {
					t.Fatalf("../testdata/crds has no definition of %s", object.GroupVersionKind())
				}
				admitted, err := s.Admit(&object)
				if err != nil {
					t.Error(err)
					continue
				}
				if diff := cmp.Diff(object.Object, admitted.Object); diff != "" {
					t.Errorf("%s %s is not stored as it is (-sent +stored)\n%s", object.GetKind(), object.GetName(), diff)
				}
			}
		})
	}
}

func toJSON(t *testing.T, text string) string {
	t.Helper()
	body, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// TestRenderAdvises holds that advice stands beside what is printed, and not in it.
func TestRenderAdvises(t *testing.T) {
	const (
		placed  = "\n  highAvailability: {antiAffinity: true}\n"
		forgets = "wukong render: Wukong b: the machine boots from the container disk quay.io/containerdisks/ubuntu:24.04, and forgets at each " +
			"restart what was written there: for what must stay, add a disk with boot: true and an image\n"
		nobody = "wukong render: Wukong b: nobody can log in: set cloudInitUser with a password, sshAuthorizedKeys or userData\n"
		drains = "wukong render: Wukong b: Wukong b has highAvailability and no evictionStrategy: unless KubeVirt's configuration has one, a drain " +
			"of its node shuts the machine down. Set LiveMigrateIfPossible, or None if that is meant\n"
		user = "  cloudInitUser: {name: u, password: p}\n"
		disk = "  disks: [{name: root, size: 10Gi, boot: true, image: \"docker://quay.io/containerdisks/ubuntu:24.04\"}]\n"
	)
	for _, test := range []struct{ spec, want string }{
		{placed, forgets + nobody + drains},
		{placed + "  evictionStrategy: None\n" + user + disk, ""},
		{"\n  cpu: 2\n" + user, forgets},
		{"\n" + disk, nobody},
		{"\n" + user + disk + "  networks: [{name: a, type: macvlan}]\n", "wukong render: Wukong b: spec.networks[0]: KubeVirt carries no traffic over " +
			"macvlan, so network a will be silent: use type bridge with the same NIC\n"},
		{"\n" + user + disk + "  networks: [{name: a, type: ipvlan}]\n", "wukong render: Wukong b: spec.networks[0]: KubeVirt starts no machine with " +
			"ipvlan, as network a is: use type bridge with the same NIC\n"},
		{"\n" + user + disk + "  networks:\n", "wukong render: standard input:9: Wukong b: spec.networks: has no value, and is dropped: write one, or remove the line\n"},
	} {
		stdout, stderr, code := runs(t, strings.Replace(none, " {}", test.spec, 1), "render", "-")
		if diff := cmp.Diff(test.want, stderr); code != 0 || diff != "" {
			t.Errorf("%s: exit code %d, says (-want +got):\n%s", test.spec, code, diff)
		}
		if strings.Contains(stdout, "wukong render:") {
			t.Errorf("%s: the advice is printed among the objects", test.spec)
		}
	}
}

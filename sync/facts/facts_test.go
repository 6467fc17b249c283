package facts_test

import (
	"bytes"
	stdjson "encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"novasphere.dev/wukong/sync/facts"
	"novasphere.dev/wukong/sync/node"
)

// TestGoldenRequests holds that of every golden request the decoder reads what the plain reading finds.
func TestGoldenRequests(t *testing.T) {
	for _, path := range requests(t) {
		t.Run(filepath.Base(filepath.Dir(path)), func(t *testing.T) {
			if !compare(t, contents(t, path)) {
				t.Error("the request is refused")
			}
		})
	}
}

// odd are small requests with what chance brings about seldom: names that come twice in a list, and halves of objects.
var odd = []string{
	`{"children": null, "related": {"Node.v1": null, "NodeNetworkState.nmstate.io/v1beta1": {"a": {}, "b": null}, "Unknown.v1": 7}}`,
	`{"related": {"Node.v1": {"b": {"kind": "N"}, "a": {"kind": "N", "metadata": {"ownerReferences": [{"name": "a", "controller": false},
		{"name": "b", "controller": true}, {"name": "c", "controller": true}]}}, "c": null}}}`,
	`{"children": {"VirtualMachine.kubevirt.io/v1": {"a/1": {"kind": "M", "spec": {"template": null}}, "a/2": {"kind": "M", "spec": {"template": {"spec": null}}},
		"a/3": {"kind": "M", "spec": {"template": {"spec": "x"}}}, "a/4": {"kind": "M"}, "a/5": {"kind": "M", "spec": {"template": {"spec": {}}}}}}}`,
	`{"related": {"VirtualMachineInstance.kubevirt.io/v1": {"a/b": {"kind": "I", "spec": {"networks": [{"name": "x"}, {"name": "y"}, {"name": 7}], "domain": {"devices": {
		"interfaces": [{"name": "x", "sriov": {}}, {"name": "x", "sriov": null}, {"name": "y"}, {"name": "y", "sriov": {}}, {"sriov": {}}]}}},
		"status": {"interfaces": [{"ipAddress": "a", "ipAddresses": [7]}, {"ipAddress": "a", "ipAddresses": ["b"]}]}}}}}`,
	`{"children": {"NodeNetworkConfigurationPolicy.nmstate.io/v1": {"p": {"kind": "P", "metadata": {"labels": {"vm.novasphere.dev/bridge": "b", "x": 7}}, "spec": {"capture": {},
		"desiredState": {"interfaces": [{"name": "a", "type": "ovs-bridge", "bridge": {"port": [{"name": "x"}, {}]}},
		{"name": "b", "type": "linux-bridge", "mtu": 1400.0, "bridge": {"port": [{"name": 7}, {"name": "y"}, {}, "z"]}}, {"name": "c", "type": "ovs-bridge"}]}}}}}}`,
	`{"related": {"NodeNetworkState.nmstate.io/v1beta1": {"n": {"status": {"currentState": {"interfaces": [{"name": "a", "mtu": 1e3, "ipv4": {"enabled": "false"}},
		{"name": "a", "type": "linux-bridge"}, {"name": "a", "type": "ovs-bridge"}, {"bridge": {"port": [{"vlan": {}}, {"vlan": {"x": 1}, "link-aggregation": null}]}}],
		"routes": {"running": [{"destination": "::/0"}, {"destination": "0.0.0.0/0", "next-hop-interface": null}]}}}}}}}`,
}

// FuzzFacts holds the same of other requests: of golden ones with a few places edited, where a value may be of the wrong kind,
// missing, double, or one from elsewhere; and of any text.
func FuzzFacts(f *testing.F) {
	var golden [][]byte
	for i, path := range requests(f) {
		golden = append(golden, contents(f, path))
		chance := rand.New(rand.NewPCG(uint64(i), 0))
		for range 2 {
			edits := make([]byte, mostEdits*editLength)
			for at := range edits {
				edits[at] = byte(chance.Uint32())
			}
			f.Add(uint16(i), edits, []byte(nil))
		}
	}
	for _, text := range odd {
		f.Add(uint16(0), []byte(nil), []byte(text))
	}
	f.Fuzz(func(t *testing.T, which uint16, edits, text []byte) {
		if len(text) > 0 {
			compare(t, text)
			return
		}
		d := stdjson.NewDecoder(bytes.NewReader(golden[int(which)%len(golden)]))
		d.UseNumber()
		var request map[string]any
		if err := d.Decode(&request); err != nil {
			t.Fatal(err)
		}
		compare(t, encoded(edited(request, edits)))
	})
}

// compare reads a request in both ways, and reports whether it is one that is read at all. What is no JSON, has a name twice or
// is not UTF-8 has to be refused; of the rest what no API server sends.
func compare(t *testing.T, raw []byte) (read bool) {
	t.Helper()
	var got struct {
		Children facts.Children `json:"children"`
		Related  facts.Related  `json:"related"`
	}
	err := json.Unmarshal(raw, &got)
	if !jsontext.Value(raw).IsValid() {
		if err == nil {
			t.Errorf("what is no strict JSON is read: %q", raw)
		}
		return false
	}
	whole, wrong := decoded(raw)
	if _, ok := whole.(map[string]any); !ok || wrong != nil {
		return false // no request, or one with a number that no map can hold, as 1e999
	}
	r := &reading{children: value(whole, "children"), related: value(whole, "related")}
	want := r.seen()
	if refused := err != nil; refused != r.refused {
		t.Fatalf("refused is %t, and should be %t (%v): %s", refused, r.refused, err, raw)
	}
	if err != nil {
		return false
	}
	if have := found(t, &got.Children, &got.Related); !reflect.DeepEqual(want, have) {
		t.Errorf("the decoder reads something else (-want +got):\n%s", cmp.Diff(want, have))
	}
	return true
}

// found is what the decoder has read, in the form of the plain reading.
func found(t *testing.T, c *facts.Children, r *facts.Related) seen {
	t.Helper()
	return seen{
		Policies:           all(t, c.Policies, func(p facts.Policy) facts.Policy { return plain(t, p) }),
		Attachments:        all(t, c.Attachments, func(a facts.Attachment) facts.Attachment { a.Raw = again(t, a.Raw); return a }),
		Machines:           all(t, c.Machines, func(m facts.Machine) facts.Machine { m.Raw = again(t, m.Raw); return m }),
		RelatedPolicies:    all(t, r.Policies, func(p facts.Policy) facts.Policy { return plain(t, p) }),
		RelatedAttachments: all(t, r.Attachments, itself),
		RelatedMachines:    all(t, r.Machines, itself),
		Enactments:         all(t, r.Enactments, itself),
		Instances:          all(t, r.Instances, itself),
		Nodes:              all(t, r.Nodes, itself),
		States:             all(t, r.States, func(s node.State) string { return fmt.Sprintf("%+v", s) }),
		Wukongs:            all(t, r.Wukongs, itself),
		Namespaces:         all(t, r.Namespaces, itself),
		DataVolumes:        all(t, r.DataVolumes, itself),
		Claims:             all(t, r.Claims, itself),

		WukongNodes:    all(t, r.WukongNodes, func(n facts.WukongNode) facts.Object { return n.Object }),
		WukongNetworks: all(t, r.WukongNetworks, func(n facts.WukongNetwork) facts.Object { return n.Object }),
	}
}

// all are the objects of a set, each in another form.
func all[T, U any](t *testing.T, s facts.Set[T], form func(T) U) set[U] {
	t.Helper()
	formed := set[U]{Sent: s.Sent, Keys: s.Keys}
	for i, o := range s.All() {
		if o == nil || o != s.Get(s.Keys[i]) {
			t.Fatalf("object %s is not the one that is found by its key", s.Keys[i])
		}
		formed.All = append(formed.All, form(*o))
	}
	return formed
}

func itself[T any](o T) T { return o }

// plain is a policy with its texts as the plain reading has them.
func plain(t *testing.T, p facts.Policy) facts.Policy {
	t.Helper()
	p.Raw = again(t, p.Raw)
	if p.Interfaces = again(t, p.Interfaces); string(p.Interfaces) == "null" {
		p.Interfaces = nil
	}
	return p
}

// again is a text written again, so that it is the same for the same value.
func again(t *testing.T, raw jsontext.Value) jsontext.Value {
	t.Helper()
	if raw == nil {
		return nil
	}
	v, err := decoded(raw)
	if err != nil {
		t.Fatalf("a text that was kept cannot be read: %v", err)
	}
	return encoded(v)
}

// requests are the paths of the golden requests that tell what is observed.
func requests(t testing.TB) []string {
	t.Helper()
	var all []string
	for _, hook := range []string{"sync", "finalize", "network-sync", "network-finalize", "node-sync"} {
		paths, err := filepath.Glob(filepath.Join("..", "..", "testdata", hook, "*", "request.json"))
		if err != nil || len(paths) == 0 {
			t.Fatalf("no cases of %s (%v)", hook, err)
		}
		all = append(all, paths...)
	}
	return all
}

func contents(t testing.TB, path string) []byte {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

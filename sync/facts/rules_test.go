package facts_test

import (
	"testing"
	"time"

	"novasphere.dev/wukong/sync/facts"
	"novasphere.dev/wukong/sync/node"
)

func TestRefers(t *testing.T) {
	plugs := func(attachments ...string) facts.Plugs {
		p := facts.Plugs{Readable: true}
		for _, a := range attachments {
			p.Networks = append(p.Networks, facts.Plug{Name: "n", Attachment: a})
		}
		return p
	}
	for _, test := range []struct {
		name  string
		plugs facts.Plugs
		want  bool
	}{
		{"by its name alone", plugs("lan"), true},
		{"by namespace and name", plugs("own/lan"), true},
		{"among others", plugs("", "own/other", "lan"), true},
		{"one of its name in another namespace", plugs("other/lan"), false},
		{"one whose name begins like it", plugs("lan-2", "own/lan-2", "own"), false},
		{"one without a namespace before the stroke", plugs("/lan"), false},
		{"a pod network", plugs(""), false},
		{"no networks", plugs(), false},
		{"a machine that cannot be read may", facts.Plugs{}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := test.plugs.Refers("own", "lan"); got != test.want {
				t.Errorf("it refers: %t", got)
			}
		})
	}
}

func TestFindIsTheFirstOfAName(t *testing.T) {
	p := facts.Plugs{Networks: []facts.Plug{{Name: "a"}, {Name: "b", Attachment: "first"}, {Name: "b", Attachment: "second"}}}
	if plug, found := p.Find("b"); !found || plug.Attachment != "first" {
		t.Errorf("b is %+v, found %t", plug, found)
	}
	if plug, found := p.Find("c"); found || plug != (facts.Plug{}) {
		t.Errorf("c is %+v, found %t", plug, found)
	}
}

func TestPrecedes(t *testing.T) {
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	elsewhere := time.FixedZone("", 3600)
	for _, test := range []struct {
		name   string
		a, b   facts.Object
		before bool
	}{
		{"the older, whatever its name", facts.Object{Name: "z", Created: noon}, facts.Object{Name: "a", Created: noon.Add(time.Second)}, true},
		{"of two that are equally old the first by name", facts.Object{Name: "a", Created: noon}, facts.Object{Name: "b", Created: noon}, true},
		{"one moment in two time zones", facts.Object{Name: "a", Created: noon.In(elsewhere)}, facts.Object{Name: "b", Created: noon}, true},
		{"one whose age cannot be read", facts.Object{Name: "z"}, facts.Object{Name: "a", Created: noon}, true},
		{"none precedes itself", facts.Object{Name: "a", Created: noon}, facts.Object{Name: "a", Created: noon}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := test.a.Precedes(test.b); got != test.before {
				t.Errorf("it precedes: %t", got)
			}
			if test.b.Precedes(test.a) {
				t.Error("the other precedes it")
			}
		})
	}
}

func TestTheFirstConditionOfATypeCounts(t *testing.T) {
	cs := facts.Conditions{{Type: "Ready", Status: "Unknown"}, {Type: "Available", Status: "True"}, {Type: "Ready", Status: "True"}}
	if c := cs.Of("Ready"); c.True() || c.Status != "Unknown" {
		t.Errorf("Ready is %+v", c)
	}
	if c := cs.Of("Degraded"); c != (facts.Condition{}) || c.True() {
		t.Errorf("Degraded is %+v", c)
	}
	if c := (facts.Condition{Status: "true"}); c.True() {
		t.Error("a status that is not written True holds")
	}
}

func TestBusy(t *testing.T) {
	for reason, want := range map[string]bool{"": true, "ConfigurationProgressing": true, "SuccessfullyConfigured": false, "FailedToConfigure": false} {
		p := &facts.Policy{Conditions: facts.Conditions{{Type: "Available", Reason: reason}}}
		if p.Busy() != want {
			t.Errorf("with reason %q it is busy: %t", reason, !want)
		}
	}
	if p := new(facts.Policy); !p.Busy() {
		t.Error("a policy that NMState has not looked at is not busy")
	}
}

func TestSelects(t *testing.T) {
	labels := map[string]string{"zone": "a", "empty": ""}
	for _, test := range []struct {
		name     string
		selector map[string]string
		want     bool
	}{
		{"by no selector", nil, true},
		{"by a label", map[string]string{"zone": "a"}, true},
		{"by an empty value", map[string]string{"empty": ""}, true},
		{"not by another value", map[string]string{"zone": "b"}, false},
		{"not by one label of two", map[string]string{"zone": "a", "rack": "1"}, false},
		{"not by an empty value of a label that is missing", map[string]string{"rack": ""}, false},
	} {
		if got := facts.Selects(test.selector, labels); got != test.want {
			t.Errorf("%s: %t", test.name, got)
		}
	}
}

func TestMade(t *testing.T) {
	labels := map[string]string{
		facts.LabelType: "ovs", facts.LabelBridge: "br", facts.LabelUplink: "ens160.7", facts.LabelNIC: "ens160",
	}
	want := node.Bridge{Kind: node.OVSBridge, Name: "br", Uplink: "ens160.7", NIC: "ens160", Preserves: true}
	p := &facts.Policy{Object: facts.Object{Labels: labels}, Says: node.Bridge{Name: "edited", MTU: 9000, Preserves: true}}
	if got := p.Made(); got != want {
		t.Errorf("it was made as %+v, and not as its labels say", got)
	}
	if got := (*facts.Policy)(nil).Made(); got != (node.Bridge{}) {
		t.Errorf("no policy was made as %+v", got)
	}
	if got := new(facts.Policy).Made(); got != (node.Bridge{}) {
		t.Errorf("a policy without labels was made as %+v", got)
	}
	for networkType, want := range map[string]string{"bridge": node.LinuxBridge, "ovs": node.OVSBridge, "macvlan": "macvlan", "": ""} {
		if got := facts.BridgeKind(networkType); got != want {
			t.Errorf("a network of type %q hangs on %q", networkType, got)
		}
	}
}

func TestNamesWithANamespace(t *testing.T) {
	for _, test := range []struct{ key, namespace, name string }{
		{"a/b", "a", "b"}, {"b", "default", "b"}, {"/b", "", "b"}, {"a/", "a", ""}, {"a/b/c", "a", "b/c"},
	} {
		if namespace, name := facts.Unqualified(test.key, "default"); namespace != test.namespace || name != test.name {
			t.Errorf("%q is %q in %q", test.key, name, namespace)
		}
	}
	if a, b := facts.Qualified("a", "b"), facts.Qualified("", "b"); a != "a/b" || b != "b" {
		t.Errorf("they are keyed by %q and %q", a, b)
	}
}

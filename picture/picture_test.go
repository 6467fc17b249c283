package picture

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"flag"
	"fmt"
	"io"
	"math"
	"math/rand"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"novasphere.dev/wukong/sync/facts"
	"novasphere.dev/wukong/sync/node"
)

var update = flag.Bool("update", false, "rewrite testdata with what is drawn now")

// policy is a policy that builds a Linux bridge on a VLAN; on the NIC itself where vlan is 0.
func policy(name, bridge, nic string, vlan int64) Policy {
	p := &facts.Policy{Object: facts.Object{Key: name, Name: name}}
	p.Says = node.Bridge{Kind: node.LinuxBridge, Name: bridge, NIC: nic, Uplink: nic, VLAN: vlan}
	if vlan != 0 {
		p.Says.Uplink = fmt.Sprintf("%s.%d", nic, vlan)
	}
	return Policy{Policy: p}
}

func attachment(namespace, name, bridge string) Attachment {
	return Attachment{Attachment: &facts.Attachment{
		Object: facts.Object{Key: facts.Qualified(namespace, name), Namespace: namespace, Name: name}, Bridge: bridge, Plugin: "bridge",
	}}
}

// machine is a Wukong with a machine that is plugged into some attachments of its own.
func machine(name string, policies []Policy, attachments ...Attachment) Owner {
	m := &Machine{Namespace: "default", Name: name, Plugs: []facts.Plug{{Name: "default"}}}
	for _, a := range attachments {
		m.Plugs = append(m.Plugs, facts.Plug{Name: a.Name, Attachment: a.Key})
	}
	return Owner{Kind: "Wukong", Name: name, Policies: policies, Attachments: attachments, Machine: m}
}

// hostile is what an object may be called that no API server has looked at.
const hostile = "<script>alert(1)</script>\"'`]-->;end %%{init}%% &amp; #quot; [x](javascript:x) **b** \x00\x1b\u202e\u2028 網橋 fa:fa-car $$x$$"

// hostileScene has the hostile text wherever there is one.
func hostileScene() Scene {
	mark := Mark{Refused, hostile, hostile + "\n" + hostile}
	p := policy(hostile, hostile, hostile, 7)
	p.Mark, p.Nodes, p.NodeSelector = mark, map[string]Mark{hostile: mark}, map[string]string{hostile: hostile}
	a := attachment(hostile, hostile, hostile)
	a.Mark, a.Plugin = mark, hostile
	pool := attachment("b", "pool", "")
	pool.Plugin, pool.Resource = "sriov", hostile
	direct := attachment("b", "direct", "")
	direct.Plugin, direct.Master = "macvlan", hostile
	o := machine(hostile, []Policy{p}, a, pool, direct)
	o.Place, o.Mark, o.Machine.Mark, o.Machine.Node, o.Machine.Namespace = hostile, mark, mark, hostile, hostile
	s := Scene{
		Title: "Wukong plan", Summary: hostile, Owners: []Owner{o, {Kind: "WukongNetwork", Name: hostile, Mark: mark}},
		Nodes: map[string]map[string]string{hostile: {hostile: hostile}, "second": {hostile: hostile}},
		Notes: []Note{{hostile, hostile}}, Unknown: []string{hostile},
	}
	for i := range 5 {
		many := machine(fmt.Sprintf("many-%d%s", i, hostile), nil, attachment("a", fmt.Sprintf("%d%s", i, hostile), hostile))
		many.Mark = mark
		s.Owners = append(s.Owners, many)
	}
	return s
}

func drawn(t *testing.T, write func(io.Writer) error) string {
	t.Helper()
	var out bytes.Buffer
	if err := write(&out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// TestHostileNames holds that no text of a cluster is taken for anything but text.
func TestHostileNames(t *testing.T) {
	g := Draw(hostileScene())
	mermaid, page := drawn(t, g.Mermaid), drawn(t, g.HTML)
	for path, got := range map[string]string{"testdata/hostile.mmd": mermaid, "testdata/hostile.html": page} {
		if *update {
			if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("(-%s +drawn):\n%s\nIf it is right, run: go test ./picture -update", path, diff)
		}
	}
	if found := regexp.MustCompile(`(?i)<script|<iframe|<img|\son[a-z]+\s*=|href="[^#]|src=|url\(|@import|ZgotmplZ|javascript:x"`).FindString(page); found != "" {
		t.Errorf("the page has %q", found)
	}
	for line := range strings.Lines(strings.ReplaceAll(mermaid, "<br/>", "")) {
		if n := strings.Count(line, `"`); n != 0 && n != 2 || strings.ContainsAny(line, "<`%$*\x00\x1b\u202e") {
			t.Errorf("the flowchart has the line %q", line)
		}
	}
	for _, r := range page + mermaid {
		if r < ' ' && r != '\n' || r == '\u202e' || r == '\u2028' {
			t.Errorf("the character %U came through", r)
		}
	}
}

// TestPageIsClosed holds that a page allows nothing but its own style, and says in which language it is and what it is called.
func TestPageIsClosed(t *testing.T) {
	page := drawn(t, Draw(Scene{Title: "Wukong render", Owners: []Owner{machine("web", nil)}}).HTML)
	inside := regexp.MustCompile(`(?s)<style>(.*?)</style>`).FindStringSubmatch(page)
	if inside == nil {
		t.Fatal("there is no style")
	}
	sum := sha256.Sum256([]byte(inside[1]))
	for _, want := range []string{
		`content="default-src &#39;none&#39;; style-src &#39;sha256-` + strings.ReplaceAll(base64.StdEncoding.EncodeToString(sum[:]), "+", "&#43;") + `&#39;;`,
		`<html lang="en">`, `<title>Wukong render: web</title>`, "<h1>Wukong render: web</h1>", `name="viewport"`, `name="color-scheme" content="light dark"`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not have %s", want)
		}
	}
	if strings.Contains(page, "style=") || strings.Contains(page, "http:") || strings.Contains(page, "https:") {
		t.Error("the page has a style of an element, which its policy refuses, or names a server")
	}
}

// TestTextsCanBeRead holds that text stands out from what is behind it, in both schemes: 4.5 to 1, as WCAG asks.
func TestTextsCanBeRead(t *testing.T) {
	schemes := regexp.MustCompile(`(?s):root \{(.*?)\}`).FindAllStringSubmatch(style, 2)
	if len(schemes) != 2 {
		t.Fatalf("%d schemes, want a light and a dark one", len(schemes))
	}
	for i, scheme := range schemes {
		colours := map[string]float64{}
		for _, m := range regexp.MustCompile(`--([a-z-]+): #([0-9a-f]{6});`).FindAllStringSubmatch(scheme[1], -1) {
			colours[m[1]] = luminance(t, m[2])
		}
		for text, behind := range map[string][]string{
			"ink":   {"page", "panel", "frame", "new-on", "wait-on", "gone-on", "bad-on"},
			"quiet": {"page", "panel", "frame", "new-on", "wait-on", "gone-on", "bad-on"},
			"good":  {"page", "panel"}, "new": {"new-on", "panel"}, "wait": {"wait-on", "panel"}, "gone": {"gone-on", "panel"},
			"bad": {"bad-on", "frame", "panel"}, "link": {"page", "new-on", "wait-on", "gone-on", "bad-on"},
		} {
			for _, on := range behind {
				a, b := colours[text], colours[on]
				if ratio := (max(a, b) + 0.05) / (min(a, b) + 0.05); ratio < 4.5 {
					t.Errorf("scheme %d: %s on %s is %.2f to 1", i, text, on, ratio)
				}
			}
		}
	}
	for state, class := range classes {
		fill, ink := regexp.MustCompile(`fill:#([0-9a-f]{6})`).FindStringSubmatch(class), regexp.MustCompile(`,color:#([0-9a-f]{6})`).FindStringSubmatch(class)
		a, b := luminance(t, fill[1]), luminance(t, ink[1])
		if ratio := (max(a, b) + 0.05) / (min(a, b) + 0.05); ratio < 4.5 {
			t.Errorf("the class %s of Mermaid is %.2f to 1", state, ratio)
		}
	}
}

// luminance is how bright a colour is, as WCAG counts.
func luminance(t *testing.T, colour string) float64 {
	t.Helper()
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		v, err := strconv.ParseUint(colour[2*i:2*i+2], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		c := float64(v) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}

// anyScene is a scene that a seed makes.
func anyScene(seed int64) Scene {
	r := rand.New(rand.NewSource(seed))
	s := Scene{Title: "any", Nodes: map[string]map[string]string{}}
	for i := range r.Intn(6) {
		s.Nodes[fmt.Sprintf("worker-%d", i)] = map[string]string{"rack": strconv.Itoa(r.Intn(3))}
	}
	if r.Intn(4) == 0 {
		s.Nodes = nil
	}
	marks := slices.Concat(legend, []State{Shown})
	mark := func() Mark {
		return Mark{State: marks[r.Intn(len(marks))], Word: "Word", Why: strings.Repeat("why ", r.Intn(9))}
	}
	for i := range 1 + r.Intn(9) {
		var policies []Policy
		var attachments []Attachment
		for j := range r.Intn(4) {
			bridge := fmt.Sprintf("br-%d", r.Intn(5))
			p := policy(fmt.Sprintf("w%d-%d-bridge", i, j), bridge, fmt.Sprintf("ens%d", r.Intn(2)), int64(r.Intn(3)*100))
			if p.Mark = mark(); r.Intn(3) == 0 {
				p.NodeSelector = map[string]string{"rack": strconv.Itoa(r.Intn(4))}
			}
			p.Nodes = map[string]Mark{fmt.Sprintf("worker-%d", r.Intn(6)): mark()}
			policies = append(policies, p)
			a := attachment("default", fmt.Sprintf("w%d-%d-nad", i, j), bridge)
			switch a.Mark = mark(); r.Intn(6) {
			case 0:
				a.Bridge, a.Plugin, a.Master = "", "macvlan", "ens0"
			case 1:
				a.Bridge, a.Plugin, a.Resource = "", "sriov", "vendor/pool"
			}
			attachments = append(attachments, a)
		}
		o := machine(fmt.Sprintf("w%d", i), policies, attachments...)
		if o.Mark, o.Machine.Mark = mark(), mark(); r.Intn(5) == 0 {
			o.Machine.Plugs = append(o.Machine.Plugs, facts.Plug{Name: "theirs", Attachment: "networks/theirs"})
		}
		s.Owners = append(s.Owners, o)
	}
	if r.Intn(2) == 0 {
		s.Attachments = []Attachment{attachment("networks", "theirs", "br-1")}
	}
	s.Policies = []Policy{policy("theirs", "br-2", "ens1", 300)}
	return s
}

// TestAnyScene holds of many scenes that no two boxes touch, that all is inside of the drawing, that each bridge is drawn once and each NIC
// once for its nodes, that each node is in one group, and that the same is drawn twice.
func TestAnyScene(t *testing.T) {
	for seed := range int64(400) {
		g := Draw(anyScene(seed))
		if again := Draw(anyScene(seed)); drawn(t, g.HTML) != drawn(t, again.HTML) || drawn(t, g.Mermaid) != drawn(t, again.Mermaid) {
			t.Errorf("seed %d: two drawings differ", seed)
		}
		once := map[string]bool{}
		for _, b := range g.Boxes {
			key := fmt.Sprint(b.Kind, b.Type, b.Name, b.Group)
			if once[key] && (b.Kind == NIC || b.Kind == VLAN || b.Kind == Bridge || b.Kind == Pool) {
				t.Errorf("seed %d: %s %s is drawn twice", seed, b.Type, b.Name)
			}
			once[key] = true
		}
		nodes := map[string]bool{}
		for _, group := range g.Groups {
			for _, n := range group.Nodes {
				if nodes[n] {
					t.Errorf("seed %d: node %s is in two groups", seed, n)
				}
				nodes[n] = true
			}
		}
		l := g.layout()
		for i, a := range l.spots {
			if a.x < 0 || a.x+a.w > l.width || a.y-a.h/2 < 0 || a.y+a.h/2 > l.height {
				t.Errorf("seed %d: %s %s is outside", seed, a.box.Type, a.box.Name)
			}
			for _, b := range l.spots[i+1:] {
				if a.column == b.column && math.Abs(a.y-b.y) < (a.h+b.h)/2+1 {
					t.Errorf("seed %d: %s %s touches %s %s", seed, a.box.Type, a.box.Name, b.box.Type, b.box.Name)
				}
			}
		}
		for i, a := range l.frames {
			if a.x < 0 || a.y < 0 || a.y+a.h > l.height {
				t.Errorf("seed %d: the frame of %s is outside", seed, a.group.Title)
			}
			for _, b := range l.frames[i+1:] {
				if a.y < b.y+b.h && b.y < a.y+a.h {
					t.Errorf("seed %d: the frames of %s and %s touch", seed, a.group.Title, b.group.Title)
				}
			}
		}
	}
}

// TestManyAreOne holds that machines that are alike are one box, and that others are not.
func TestManyAreOne(t *testing.T) {
	s := Scene{Title: "fleet", Nodes: map[string]map[string]string{}}
	for i := range 12 {
		s.Nodes[fmt.Sprintf("worker-%02d", i)] = nil
	}
	s.Owners = []Owner{{Kind: "WukongNetwork", Name: "lan", Policies: []Policy{policy("lan.bridge", "br-lan", "ens160", 100)}}}
	for i := range 300 {
		o := machine(fmt.Sprintf("vm-%03d", i), nil, attachment("default", fmt.Sprintf("vm-%03d-lan-nad", i), "br-lan"))
		if o.Machine.Mark = (Mark{State: Good, Word: "Running"}); i%100 == 50 {
			o.Machine.Mark, o.Mark = Mark{State: Failed, Word: "CrashLoopBackOff"}, Mark{State: Failed, Word: "MachineFailed", Why: "it crashes"}
		}
		s.Owners = append(s.Owners, o)
	}
	g := Draw(s)
	var got []string
	for _, b := range g.Boxes {
		got = append(got, b.Type+" "+b.Name)
	}
	want := []string{"NIC ens160", "VLAN 100 ens160.100", "bridge br-lan",
		"297 attachments · default vm-000-lan-nad … vm-299-lan-nad", "attachment · default vm-050-lan-nad", "attachment · default vm-150-lan-nad",
		"attachment · default vm-250-lan-nad", "pod network ", "pod network ", "pod network ", "pod network ",
		"297 machines · default vm-000 … vm-299", "machine · default vm-050", "machine · default vm-150", "machine · default vm-250"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +drawn)\n%s", diff)
	}
	if len(g.Groups) != 1 || g.Groups[0].Title != "12 nodes" {
		t.Errorf("the groups of nodes are %+v", g.Groups)
	}
	if page := drawn(t, g.HTML); len(page) > 64<<10 {
		t.Errorf("the page has %d bytes", len(page))
	}
}

// BenchmarkHTML draws a page of 300 machines, each with a bridge of its own.
func BenchmarkHTML(b *testing.B) {
	var s Scene
	for i := range 300 {
		bridge := fmt.Sprintf("br-%d", i)
		s.Owners = append(s.Owners, machine(fmt.Sprintf("vm-%03d", i),
			[]Policy{policy(bridge, bridge, "ens160", int64(100+i))}, attachment("default", fmt.Sprintf("vm-%03d-nad", i), bridge)))
	}
	for b.Loop() {
		if err := Draw(s).HTML(io.Discard); err != nil {
			b.Fatal(err)
		}
	}
}

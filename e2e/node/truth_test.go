package node

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// What the look at the nodes may say of a network.
const (
	fit     = "fit"
	refused = "refused"
	waits   = "waits"
)

// row is a set-up of a node and a network that is asked for on it, with what is right to say. It is right to refuse exactly what harms the
// node, or does not work; so every row is applied all the same, and what happens is held against want.
type row struct {
	name     string
	profiles []profile
	script   string // run on the node after its profiles are up
	gateway  string // run on the gateway before
	kind     string // of the network; bridge where empty
	network  string // of the Wukong, as YAML in one line
	address  string // of the machine in it; 192.168.1.200 where empty
	want     string
	quick    bool // belongs to the quick part

	// hide takes out of the node's state what the look minds, so that it answers the policy which it refuses. Without it a hook that does not
	// look is asked.
	hide func(state map[string]any)

	// works is a script that must succeed on the node before and after: what others have built on the NIC.
	works string

	// lasting is a script that tells of harm which shows only later; empty output where there is none.
	lasting string

	// again applies the policy a second time, and starts the node again.
	again bool

	// alike is the row of a set-up that NMState shows just as this one, and that is harmed. So it is right to refuse this one too, although
	// nothing is harmed here.
	alike string

	// unseen is harm that comes of what NMState does not show, so that no look can refuse it. Then nothing may be lost by it: that something fails is
	// all.
	unseen bool

	// never is what the status says of a network with which no machine starts, whatever the node is like; empty for every other.
	never string

	// isolated is a NIC without a wire: nobody answers through it.
	isolated bool

	// after is run on the gateway at the end, whatever came of the row.
	after string

	// unreported leaves the node without a NodeNetworkState.
	unreported bool
}

// try does with one row what its users would do, and what the look keeps them from, and holds the two against each other.
func (l *lab) try(t *testing.T, r row, looks, blind *hook) {
	w := l.workers[0]
	if r.gateway != "" {
		_, err := l.gate.Sh(l.ctx, r.gateway)
		must(t, err)
	}
	if r.after != "" {
		defer func() {
			_, err := l.gate.Sh(l.ctx, r.after)
			must(t, err)
		}()
	}
	must(t, w.furnish(l.ctx, r.profiles, r.script))
	must(t, l.begin(looks))
	if r.unreported {
		l.drop(stateKind, w.name)
	}
	said := l.asks(t, r)
	verdict, message, _ := strings.Cut(said, ": ")
	t.Logf("the look says %s: %s", verdict, message)
	if r.unreported {
		judge(t, r, verdict, message, nil)
		tables.note(looked, r.name, r.verdict(), "", "")
		return
	}
	if verdict != fit {
		hook := blind
		if r.hide != nil {
			hook = looks
		}
		must(t, l.begin(hook))
		if r.hide != nil {
			r.hide(w.state)
		}
		if again := l.asks(t, r); !strings.HasPrefix(again, fit) {
			t.Fatalf("there is no policy to see what happens: %s", again)
		}
	}
	seen := l.harm(t, r)
	judge(t, r, verdict, message, seen.harm)
	if !t.Failed() {
		tables.note(looked, r.name, r.verdict(), seen.lost(), seen.said(r))
	}
}

// verdict is what is right to say of a row, as a page says it.
func (r row) verdict() string {
	switch {
	case r.alike != "":
		return refused + ", as NMState shows the same in *" + r.alike + "*"
	case r.never != "":
		return r.want + "; the status says that " + r.never
	case r.unseen:
		return r.want + ", but NMState does not show it"
	case disagreements[r.name] != "":
		return r.want + " (known)"
	}
	return r.want
}

// asks creates the row's Wukong and asks the hook about it; it answers what the look says, and why.
func (l *lab) asks(t *testing.T, r row) string {
	t.Helper()
	must(t, l.createYAML(wukongKind, fmt.Sprintf(`
apiVersion: vm.novasphere.dev/v1alpha1
kind: Wukong
metadata: {name: vm}
spec:
  networks:
  - {name: lan, type: %s, %s, ipConfig: {mode: static, address: %s/24}}
`, cmp.Or(r.kind, "bridge"), r.network, r.machine())))
	must(t, l.syncAll())
	about := "NodeNetworkReady"
	if r.kind != "" && r.kind != "ovs" {
		about = "AttachmentsReady" // there is no policy
	}
	c := conditionOf(l.get(wukongKind, "vm"), about)
	switch reason := fmt.Sprint(c["reason"]); {
	case len(l.all(policyKind)) > 0, r.kind != "" && len(l.all(attachmentKind)) > 0:
		return fit + ": " + fmt.Sprint(c["message"])
	case reason == "PreflightRefused":
		return refused + ": " + fmt.Sprint(c["message"])
	case reason == "PreflightWaiting":
		return waits + ": " + fmt.Sprint(c["message"])
	default:
		return fmt.Sprintf("%s: %v", reason, c["message"])
	}
}

func (r row) machine() string {
	if r.address != "" {
		return r.address
	}
	return external
}

// judge fails the test where the look, what is right, and what happens are not one.
func judge(t *testing.T, r row, verdict, message string, harm []string) {
	t.Helper()
	for _, h := range harm {
		t.Logf("harm: %s", h)
	}
	if wrong := r.judgeHarm(harm); wrong != "" {
		t.Errorf("%s: %s", wrong, strings.Join(harm, "; "))
	}
	want := r.want
	if r.unseen {
		want = fit
	}
	reason, marked := disagreements[r.name]
	switch {
	case marked && verdict == want:
		t.Errorf("the look says %s now, as is right: take the mark away (%s)", verdict, reason)
	case marked:
		t.Logf("KNOWN: the look says %s where %s is right: %s", verdict, want, reason)
	case verdict != want:
		t.Errorf("the look says %s where %s is right: %s", verdict, want, message)
	}
}

// judgeHarm says what is wrong with the harm that was done; empty where it is as the row says.
func (r row) judgeHarm(harm []string) string {
	switch {
	case r.unreported:
		return ""
	case r.never != "":
		if len(harm) != 1 {
			return "that the machine does not start should be all"
		}
	case r.unseen:
		if len(harm) != 1 {
			return "that something fails should be all, as NMState does not show it"
		}
	case r.alike != "":
		if len(harm) > 0 {
			return "it is harmed itself, whatever it is like"
		}
		if !slices.ContainsFunc(table, func(like row) bool { return like.name == r.alike && like.want == refused && like.alike == "" }) {
			return "there is no row " + r.alike + " that is refused for its own sake"
		}
	case r.want == fit && len(harm) > 0:
		return "it should be fit"
	case r.want == refused && len(harm) == 0:
		return "it should be refused, and yet nothing is harmed by it"
	}
	return ""
}

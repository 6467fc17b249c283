package node

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
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
	judge(t, r, verdict, message, l.harm(t, r))
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
  - {name: lan, type: bridge, %s, ipConfig: {mode: static, address: %s/24}}
`, r.network, r.machine())))
	must(t, l.syncAll())
	c := conditionOf(l.get(wukongKind, "vm"), "NodeNetworkReady")
	switch reason := fmt.Sprint(c["reason"]); {
	case len(l.all(policyKind)) > 0:
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
	if r.want == fit && len(harm) > 0 {
		t.Errorf("it should be fit, and yet: %s", strings.Join(harm, "; "))
	}
	if r.want == refused && len(harm) == 0 {
		t.Error("it should be refused, and yet nothing is harmed by it")
	}
	reason, marked := disagreements[r.name]
	switch {
	case marked && verdict == r.want:
		t.Errorf("the look says %s now, as is right: take the mark away (%s)", verdict, reason)
	case marked:
		t.Logf("KNOWN: the look says %s where %s is right: %s", verdict, r.want, reason)
	case verdict != r.want:
		t.Errorf("the look says %s where %s is right: %s", verdict, r.want, message)
	}
}

// harm applies the row's policy and everything after it, and tells what is worse than before.
func (l *lab) harm(t *testing.T, r row) []string {
	t.Helper()
	w := l.workers[0]
	before, err := l.facts(w)
	must(t, err)
	works := func() bool {
		if r.works == "" {
			return true
		}
		_, err := w.Sh(l.ctx, r.works)
		return err == nil
	}
	if !works() {
		t.Fatalf("what must go on working does not work before: %s", r.works)
	}
	var watched []string
	for _, a := range before.addresses() {
		if pings(l.ctx, l.gate, a) {
			watched = append(watched, a)
		}
	}
	ends := map[string]*watch{}
	for _, a := range watched {
		ends[a] = l.watched(a)
	}
	must(t, l.settle())
	var harm []string
	if wukong := l.get(wukongKind, "vm"); condition(wukong, "NodeNetworkReady") != "True" {
		harm = append(harm, "NMState: "+fmt.Sprint(conditionOf(wukong, "NodeNetworkReady")["message"]))
	} else {
		if condition(wukong, "Ready") != "True" {
			harm = append(harm, "the machine is not ready: "+said(wukong))
		}
		if !l.answersSoon(r.machine()) {
			harm = append(harm, "the network carries nothing: the machine does not answer at "+r.machine())
		}
	}
	for _, a := range watched {
		if !l.answersSoon(a) {
			harm = append(harm, "the node does not answer at "+a+" any more")
		}
		n, err := ends[a].end(l.ctx)
		must(t, err)
		t.Logf("pings of the node at %s: %v", a, n)
	}
	after, err := l.facts(w)
	must(t, err)
	for _, line := range before.essence().gone(after.essence()) {
		harm = append(harm, "gone: "+line)
	}
	if !works() {
		harm = append(harm, "does not work any more: "+r.works)
	}
	if r.lasting != "" {
		out, err := w.Sh(l.ctx, r.lasting)
		must(t, err)
		if out != "" {
			harm = append(harm, "for ever: "+out)
		}
	}
	if r.again && len(harm) == 0 {
		l.again(t, w, watched, after)
	}
	return harm
}

// again applies the policies a second time, which may change nothing and lose nothing, and starts the node again, which must be as it was.
func (l *lab) again(t *testing.T, w *worker, watched []string, want facts) {
	t.Helper()
	var ends []func(string) lost
	for _, a := range watched {
		ends = append(ends, l.begins(t, a))
	}
	apply := func(when string) {
		for _, p := range l.all(policyKind) {
			failure, err := l.apply(w, p)
			must(t, err)
			if failure != "" {
				t.Errorf("%s, policy %s fails: %s", when, p.GetName(), failure)
			}
		}
		same(t, l, w, want, when)
	}
	apply("applied again")
	for _, end := range ends {
		nothingLost(t, end("applied again"), "applied again")
	}
	must(t, l.reboot(w))
	for _, a := range watched {
		answers(t, l.gate, a)
	}
	same(t, l, w, want, "after a reboot")
	apply("applied once more after a reboot")
}

// answersSoon reports whether an address answers, to which it has some time.
func (l *lab) answersSoon(address string) bool {
	for range 8 {
		if pings(l.ctx, l.gate, address) {
			return true
		}
		time.Sleep(time.Second)
	}
	return false
}

var hasAddress = regexp.MustCompile(`^(\S+) has (\S+)/(\d+)$`)

// addresses are those of the node in the gateway's networks.
func (f facts) addresses() []string {
	var all []string
	for _, line := range f {
		if m := hasAddress.FindStringSubmatch(line); m != nil {
			all = append(all, m[2])
		}
	}
	return all
}

// essence is what a node must keep, wherever it has it: its addresses, routes, rules and servers, and which ports other bridges have. A
// bridge with preserveHostIP may have them in place of the NIC.
func (f facts) essence() facts {
	var e facts
	for _, line := range f {
		if m := hasAddress.FindStringSubmatch(line); m != nil {
			line = "address " + m[2] + "/" + m[3]
		} else if m := regexp.MustCompile(`^(\S+/\d+) by \S+ (.*)$`).FindStringSubmatch(line); m != nil {
			line = "route " + m[1] + " by " + m[2]
		} else if strings.Contains(line, " is ") {
			continue
		}
		e = append(e, line)
	}
	slices.Sort(e)
	return slices.Compact(e)
}

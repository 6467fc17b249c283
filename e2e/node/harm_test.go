package node

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// seen is what happened when the policy of a row was applied.
type seen struct {
	harm  []string
	pings []string // of the node that were lost, by address
	again bool     // it was applied once more, and the node was started again
}

// lost is how many pings were lost, as a page says it.
func (s seen) lost() string {
	if len(s.pings) == 1 {
		_, lost, _ := strings.Cut(s.pings[0], ": ")
		return lost
	}
	return strings.Join(s.pings, "; ")
}

// said is what happened, as a page says it.
func (s seen) said(r row) string {
	switch {
	case s.again:
		return "all as before, after a second apply and a reboot too"
	case len(s.harm) == 0:
		return "all as before"
	}
	var said []string
	for _, h := range s.harm {
		if cause, is := strings.CutPrefix(h, byNMState); is {
			h = blamed(shortened(cause))
		}
		if h == spoiled+r.works {
			h = "what others have there no longer works"
		}
		if strings.HasPrefix(h, "CNI ") {
			h = pluginSays.ReplaceAllString(h, "CNI: `$1`")
		}
		said = append(said, h)
	}
	return strings.ReplaceAll(strings.Join(said, "; "), "|", `\|`)
}

// shortened is a message of the status without its names and its ways out.
func shortened(message string) string {
	for _, cut := range []string{"policy vm-lan-bridge: ", "node node1 failed: "} {
		message = strings.TrimPrefix(message, cut)
	}
	before, _, _ := strings.Cut(message, "; correct ")
	return before
}

// blamed is a shortened message of NMState as the page with all set-ups says it.
func blamed(cause string) string {
	cause, back := strings.CutSuffix(cause, "; NMState put the node back")
	if strings.HasPrefix(cause, "probe ping failed") {
		cause = "the probe fails"
	} else {
		cause = "NMState: `" + strings.TrimPrefix(cause, "NmstateError: ") + "`"
	}
	if back {
		cause += ", and NMState rolls back"
	}
	return cause
}

// How some kinds of harm begin.
const (
	byNMState = "NMState: "
	spoiled   = "does not work any more: "
)

// harm applies the row's policy and everything after it, and tells what is worse than before.
func (l *lab) harm(t *testing.T, r row) seen {
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
	var watches []*watch
	for _, a := range before.addresses() {
		if pings(l.ctx, l.gate, a) {
			watches = append(watches, l.watched(a))
		}
	}
	s := seen{harm: l.carries(t, r)}
	for _, watch := range watches {
		if !l.answersSoon(watch.address) {
			s.harm = append(s.harm, "the node does not answer at "+watch.address+" any more")
		}
		n, err := watch.end(l.ctx)
		must(t, err)
		t.Logf("pings of the node at %s: %v", watch.address, n)
		s.pings = append(s.pings, fmt.Sprintf("%s: %d of %d", watch.address, n.lost, n.of))
	}
	after, err := l.facts(w)
	must(t, err)
	for _, line := range before.essence().gone(after.essence()) {
		s.harm = append(s.harm, "gone: "+line)
	}
	if !works() {
		s.harm = append(s.harm, spoiled+r.works)
	}
	if r.lasting != "" {
		out, err := w.Sh(l.ctx, r.lasting)
		must(t, err)
		if out != "" {
			s.harm = append(s.harm, "for ever: "+out)
		}
	}
	if s.again = r.again && len(s.harm) == 0; s.again {
		l.again(t, r, watches, after)
		if !works() {
			t.Errorf("after a reboot does not work: %s", r.works)
		}
	}
	return s
}

// carries lets everything come about that the row asks for, and tells what of it does not, or carries nothing.
func (l *lab) carries(t *testing.T, r row) []string {
	t.Helper()
	var no unplugged
	if err := l.settle(); errors.As(err, &no) {
		if status := fmt.Sprint(l.get(wukongKind, "vm").Object["status"]); !strings.Contains(status, r.never) {
			t.Errorf("the status does not say that %s: %s", r.never, status)
		}
		return []string{no.Error()}
	} else if err != nil {
		t.Fatal(err)
	}
	wukong := l.get(wukongKind, "vm")
	if r.kind == "" && condition(wukong, "NodeNetworkReady") != "True" {
		return []string{byNMState + fmt.Sprint(conditionOf(wukong, "NodeNetworkReady")["message"])}
	}
	var harm []string
	if condition(wukong, "Ready") != "True" {
		harm = append(harm, "the machine is not ready: "+said(wukong))
	}
	switch {
	case r.isolated:
	case r.kind == "" && !l.answersSoon(r.machine()):
		harm = append(harm, "the network carries nothing: the machine does not answer at "+r.machine())
	case r.kind != "":
		harm = append(harm, l.podAnswers(t, r)...)
	}
	return harm
}

// again applies the policies a second time, which may change nothing and lose nothing, and starts the node again, which must be as it was.
func (l *lab) again(t *testing.T, r row, watched []*watch, want facts) {
	t.Helper()
	w := l.workers[0]
	var ends []func(string) lost
	for _, watch := range watched {
		ends = append(ends, l.begins(t, watch.address))
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
	if r.script != "" { // which no profile has
		_, err := w.Sh(l.ctx, r.script)
		must(t, err)
	}
	for _, watch := range watched {
		answers(t, l.gate, watch.address)
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

// pluginSays is the error of a CNI plugin, of which the message is what people can read.
var pluginSays = regexp.MustCompile(`(?s)^CNI .*"msg": "([^"]*)".*$`)

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

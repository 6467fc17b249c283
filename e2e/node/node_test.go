package node

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"novasphere.dev/wukong/e2e/node/uml"
)

// all runs what takes longer than the quick part.
var all = flag.Bool("all", os.Getenv("WUKONG_NODE") == "all", "run the whole proof, and not only its quick part; WUKONG_NODE=all says the same")

// shared is what all tests use: it is built when the first of them needs it.
var shared struct {
	sync.Once
	host    *uml.Host
	program string // the hook
	labs    atomic.Int32
	err     error
}

func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	if *update {
		if err := tables.write(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	if shared.host != nil {
		shared.host.Close()
	}
	os.Exit(code)
}

// start makes a lab for a test, with the hook, or skips the test and says what this computer lacks.
func start(t *testing.T) *lab {
	t.Helper()
	shared.Do(func() {
		if shared.host, shared.err = uml.NewHost(); shared.err == nil {
			shared.program, shared.err = buildHook(shared.host.Shared(""))
		}
	})
	if uml.IsMissing(shared.err) {
		t.Skipf("no real node: %v", shared.err)
	}
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	began := time.Now()
	l, err := newLab(t.Context(), shared.host, fmt.Sprintf("%s-%d", strings.ToLower(t.Name()), shared.labs.Add(1)), func(format string, args ...any) {
		t.Logf("%5.0f s  %s", time.Since(began).Seconds(), fmt.Sprintf(format, args...))
	})
	if err != nil {
		t.Fatal(err)
	}
	l.ctx = context.WithoutCancel(t.Context()) // what the test ends with needs the machines too
	t.Cleanup(l.close)
	return l
}

// hookOf starts a hook for a test, which does not wait for further nodes.
func hookOf(t *testing.T, args ...string) *hook {
	t.Helper()
	h, err := startHook(shared.program, append([]string{"-nodes-settle", "1ms", "-nodes-gather", "1ms"}, args...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.stop)
	return h
}

// must fails a test by an error.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// begins begins to watch an address, and returns what ends that: it fails the test where the address does not answer in the end, and tells
// how many pings were lost.
func (l *lab) begins(t *testing.T, address string) func(during string) lost {
	t.Helper()
	w := l.watched(address)
	return func(during string) lost {
		t.Helper()
		answers(t, l.gate, address)
		n, err := w.end(l.ctx)
		must(t, err)
		l.tell("pings of %s, %s: %v", address, during, n)
		return n
	}
}

// patience is how long an address may take to answer. Only an overloaded computer needs most of it.
const patience = 3 * time.Minute

// answers fails the test where an address does not answer to a machine.
func answers(t *testing.T, m *uml.Machine, address string) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(time.Second) {
		if pings(t.Context(), m, address) {
			return
		}
	}
	t.Errorf("%s does not answer to %s", address, m.Name)
}

// nothingLost fails the test where pings were lost.
func nothingLost(t *testing.T, n lost, during string) {
	t.Helper()
	if n.lost > 0 {
		t.Errorf("%s: %v", during, n)
	}
}

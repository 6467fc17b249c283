package node

import (
	"context"
	"fmt"
	"regexp"
	"strconv"

	"novasphere.dev/wukong/e2e/node/uml"
)

// watch is an address that a machine pings ten times a second.
type watch struct {
	from    *uml.Machine
	address string
	mark    string
	said    chan uml.Result
	err     error
}

// lost is how many pings of a watch were not answered.
type lost struct {
	of, lost int
}

func (l lost) String() string { return fmt.Sprintf("%d of %d lost", l.lost, l.of) }

// watched begins to ping an address from the gateway.
func (l *lab) watched(address string) *watch {
	l.pings++
	w := &watch{from: l.gate, address: address, mark: fmt.Sprintf("/tmp/ping-%d", l.pings), said: make(chan uml.Result, 1)}
	go func() {
		script := fmt.Sprintf("echo $$ > %s; exec ping -n -i 0.1 %s", w.mark, address)
		r, err := w.from.Run(l.ctx, uml.Command{Args: []string{"sh", "-c", script}})
		w.err = err
		w.said <- r
	}()
	return w
}

var sequence = regexp.MustCompile(`icmp_seq=(\d+) ttl=`)

// end ends a watch, and counts. A ping that is still on its way is none that was lost.
func (w *watch) end(ctx context.Context) (lost, error) {
	if _, err := w.from.Sh(ctx, fmt.Sprintf("until [ -s %[1]s ]; do sleep 0.1; done; sleep 0.3; kill -INT $(cat %[1]s)", w.mark)); err != nil {
		return lost{}, err
	}
	r := <-w.said
	if w.err != nil {
		return lost{}, w.err
	}
	came, last := map[int]bool{}, 0
	for _, m := range sequence.FindAllStringSubmatch(r.Output, -1) {
		n, err := strconv.Atoi(m[1])
		if err != nil {
			return lost{}, err
		}
		came[n], last = true, max(last, n)
	}
	sent := last
	if m := regexp.MustCompile(`(\d+) packets transmitted`).FindStringSubmatch(r.Output); m != nil {
		// The last few may be on their way.
		if n, err := strconv.Atoi(m[1]); err == nil && n > last+3 {
			sent = n
		}
	}
	return lost{sent, sent - len(came)}, nil
}

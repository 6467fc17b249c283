package server_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"novasphere.dev/wukong/server"
)

// named is a request of any size.
type named struct {
	Name string `json:"name"`
}

// sized is a request of n bytes.
func sized(name string, n int) string {
	text := fmt.Sprintf(`{"name":%q}`, name)
	return text + strings.Repeat(" ", n-len(text))
}

// busy is a hook with room for 2,000 bytes of bodies, of which 1,000 may have their turn. It answers when it is told to.
type busy struct {
	handler http.Handler
	logs    *logs
	turns   chan string              // the names of the requests that have their turn, in order
	done    map[string]chan struct{} // closed when a request may be answered
}

func newBusy(t *testing.T, names ...string) *busy {
	t.Helper()
	cfg, l := config()
	cfg.MaxBytesInFlight = 2000
	b := &busy{logs: l, turns: make(chan string, 100), done: map[string]chan struct{}{}}
	for _, name := range names {
		b.done[name] = make(chan struct{})
	}
	var err error
	b.handler, err = server.Hook(cfg, func(req *named) (*named, error) {
		b.turns <- req.Name
		<-b.done[req.Name]
		return req, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// begin sends a request, and returns when nothing moves any more. The answer is complete when done is closed.
func (b *busy) begin(ctx context.Context, body string) (answer *httptest.ResponseRecorder, done chan struct{}) {
	req := httptest.NewRequestWithContext(ctx, "POST", "/sync", strings.NewReader(body))
	req.Header.Set("Content-Type", jsonType)
	answer, done = httptest.NewRecorder(), make(chan struct{})
	go func() {
		defer close(done)
		b.handler.ServeHTTP(answer, req)
	}()
	synctest.Wait()
	return answer, done
}

// had returns the names of the requests that have had their turn since it was asked last.
func (b *busy) had() []string {
	synctest.Wait()
	var names []string
	for len(b.turns) > 0 {
		names = append(names, <-b.turns)
	}
	return names
}

func (b *busy) wantTurns(t *testing.T, want ...string) {
	t.Helper()
	if got := b.had(); !slices.Equal(got, want) {
		t.Errorf("%q have their turn, want %q", got, want)
	}
}

// A small request does not overtake a large one that waits, or the large one would wait for as long as small ones come.
func TestTurnsComeInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBusy(t, "large", "larger", "small", "tiny")
		b.begin(t.Context(), sized("large", 600))
		b.begin(t.Context(), sized("larger", 950))
		b.begin(t.Context(), sized("small", 100))
		b.wantTurns(t, "large")
		close(b.done["large"])
		b.wantTurns(t, "larger")
		b.begin(t.Context(), sized("tiny", 40))
		b.wantTurns(t) // there is space for it, and small comes first
		close(b.done["larger"])
		if got := b.had(); len(got) != 2 {
			t.Errorf("%q have their turn, want small and tiny", got)
		}
		close(b.done["small"])
		close(b.done["tiny"])
	})
}

// A request that is larger than all there is has everything to itself.
func TestTurnOfTheLargest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBusy(t, "small", "largest", "next")
		b.begin(t.Context(), sized("small", 100))
		largest, _ := b.begin(t.Context(), sized("largest", 5000))
		b.wantTurns(t, "small")
		close(b.done["small"])
		b.wantTurns(t, "largest")
		b.begin(t.Context(), sized("next", 100))
		b.wantTurns(t)
		close(b.done["largest"])
		b.wantTurns(t, "next")
		if largest.Code != 200 {
			t.Errorf("got %d %s", largest.Code, largest.Body)
		}
		close(b.done["next"])
	})
}

func TestWaitingTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBusy(t, "first", "second", "third", "fourth")
		first, _ := b.begin(t.Context(), sized("first", 1000))
		for _, n := range []int{900, 1000} { // one that waits for its turn, and one that waits for room
			start := time.Now()
			second, done := b.begin(t.Context(), sized("second", n))
			<-done
			got := reply{code: second.Code, header: second.Header(), body: second.Body.String()}
			got.isLine(t)
			if waited := time.Since(start); got.code != 503 || !strings.HasPrefix(got.body, "the hook is busy: ") || waited != 8*time.Second {
				t.Errorf("after %v: got %d %q", waited, got.code, got.body)
			}
			if line := b.logs.find(t, "refused"); line["code"] != 503.0 {
				t.Errorf("the log has %v", line)
			}
			b.begin(t.Context(), sized("third", 700))
		}

		// Nothing of what the refused ones asked for is kept back.
		close(b.done["first"])
		close(b.done["third"])
		synctest.Wait()
		b.had()
		fourth, _ := b.begin(t.Context(), sized("fourth", 1000))
		b.wantTurns(t, "fourth")
		close(b.done["fourth"])
		synctest.Wait()
		if first.Code != 200 || fourth.Code != 200 {
			t.Errorf("got %d and %d, want 200 for both", first.Code, fourth.Code)
		}
	})
}

func TestCallerThatGoesWhileItWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBusy(t, "first", "third")
		b.begin(t.Context(), sized("first", 1000))
		ctx, cancel := context.WithCancel(t.Context())
		_, done := b.begin(ctx, sized("second", 900))
		b.begin(t.Context(), sized("third", 100))
		cancel()
		<-done
		if line := b.logs.find(t, "the caller has gone"); line["level"] != "WARN" {
			t.Errorf("the log has %v", line)
		}
		close(b.done["first"])
		b.wantTurns(t, "first", "third")
		close(b.done["third"])
	})
}

// The same over TCP, where the server has to see it.
func TestConnectionThatClosesWhileItWaits(t *testing.T) {
	cfg, _ := config()
	cfg.MaxBytesInFlight = 2000
	lines := make(lineWriter, 100)
	cfg.Log = slog.New(slog.NewJSONHandler(lines, nil))
	turns, done := make(chan string, 2), make(chan struct{})
	ts := serveHook(t, cfg, func(req *named) (*named, error) {
		turns <- req.Name
		<-done
		return req, nil
	})
	first := dial(t, ts)
	send(t, first, head+"Content-Length: 1000\r\n\r\n"+sized("first", 1000))
	<-turns
	second := dial(t, ts)
	send(t, second, head+"Content-Length: 900\r\n\r\n"+sized("second", 900))
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
	for line := range lines {
		if strings.Contains(line, "the caller has gone") {
			break
		}
	}
	close(done)
	if got := receive(t, bufio.NewReader(first)); got.code != 200 {
		t.Errorf("got %d %s", got.code, got.body)
	}
	if len(turns) > 0 {
		t.Errorf("%q had its turn", <-turns)
	}
}

// lineWriter takes the lines of a log.
type lineWriter chan string

func (w lineWriter) Write(p []byte) (int, error) {
	w <- string(p)
	return len(p), nil
}

// Senders that stop half-way hold no turns. They hold room, and lose it.
func TestSlowSenders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBusy(t, "quick", "late")
		close(b.done["quick"])
		close(b.done["late"])
		listener := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
		srv := &http.Server{Handler: b.handler, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second, WriteTimeout: 15 * time.Second}
		served := make(chan error, 1)
		go func() { served <- srv.Serve(listener) }()

		ask := func(header, body string) *bufio.Reader {
			conn := listener.dial()
			t.Cleanup(func() { _ = conn.Close() })
			go func() { _, _ = io.WriteString(conn, head+header+"\r\n\r\n"+body) }() // some are never read
			synctest.Wait()
			return bufio.NewReader(conn)
		}
		stopped := ask("Content-Length: 1000", "{")
		if got := receive(t, ask("Content-Length: 900", sized("quick", 900))); got.code != 200 {
			t.Errorf("beside one that has stopped: got %d %s", got.code, got.body)
		}
		stoppedToo := ask("Transfer-Encoding: chunked", "1\r\n{\r\n") // takes all the room that there is
		time.Sleep(time.Second)
		late := ask("Content-Length: 900", sized("late", 900))
		b.wantTurns(t, "quick")
		for _, answers := range []*bufio.Reader{stopped, stoppedToo} {
			if got := receive(t, answers); got.code != 400 && got.code != 503 {
				t.Errorf("one that has stopped: got %d %s", got.code, got.body)
			}
		}
		if got := receive(t, late); got.code != 200 {
			t.Errorf("after those that have stopped: got %d %s", got.code, got.body)
		}
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
}

// pipes is a listener whose connections live in the test, so that their deadlines follow its clock.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (p *pipes) dial() net.Conn {
	client, srv := net.Pipe()
	p.conns <- srv
	return client
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	close(p.closed)
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{} }

// An announced length is believed as far as bytes have come.
func TestBufferGrowsWithWhatArrives(t *testing.T) {
	for _, test := range []struct {
		sent, size, most int
	}{
		{0, 32 << 20, 1 << 20},
		{1 << 20, 32 << 20, 1 << 20},
		{1<<20 + 1, 32 << 20, 8<<20 + 8},
		{100, 100, 100},
		{64 << 10, 100 << 10, 100 << 10},
		{100 << 10, 100 << 10, 100 << 10},
	} {
		body := &measured{left: test.sent}
		data, err := server.ReadBody(body, int64(test.size))
		if err != nil || len(data) != test.sent {
			t.Errorf("got %d bytes, %v; want %d", len(data), err, test.sent)
		}
		if body.most > test.most+1 {
			t.Errorf("for %d of %d bytes the buffer had %d bytes, want at most %d", test.sent, test.size, body.most, test.most+1)
		}
	}
}

// measured is a body that sees how large the buffer is that it fills.
type measured struct {
	left, sent, most int
}

func (m *measured) Read(p []byte) (int, error) {
	m.most = max(m.most, m.sent+len(p))
	if m.left == 0 {
		return 0, io.EOF
	}
	n := min(len(p), m.left)
	m.left, m.sent = m.left-n, m.sent+n
	return n, nil
}

func TestBytesInFlightFollowTheMemoryLimit(t *testing.T) {
	before := debug.SetMemoryLimit(-1)
	defer debug.SetMemoryLimit(before)
	for limit, want := range map[int64]int64{1 << 30: 128 << 20, 1<<63 - 1: 128 << 20, 256 << 20: 32 << 20, 1: 1} {
		debug.SetMemoryLimit(limit)
		if got := server.DefaultBytesInFlight(); got != want {
			t.Errorf("with a memory limit of %d: %d, want %d", limit, got, want)
		}
	}
}

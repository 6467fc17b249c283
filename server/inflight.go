package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"runtime/debug"
	"time"

	"golang.org/x/sync/semaphore"
)

const (
	// maxRequestBytes limits the body of a request. The part that grows is what is said of the nodes: an enactment of 2.5 KB
	// for each bridge and node, and a WukongNode of 5 KB or more. With some bridges thousands of nodes fit. A request of the
	// first version's rules has the Nodes and NodeNetworkStates themselves, 60 KB a node: of them hundreds fit.
	maxRequestBytes = 32 << 20

	// firstBufferBytes is what a caller gets before a byte of its body has arrived. Most requests are smaller, and are read into
	// one buffer of their own size.
	firstBufferBytes = 1 << 20

	// turnTimeout is the time from a request's header to its turn. Metacontroller gives up after 10 s. By then it must
	// have read why, or its Event says only that time ran out.
	turnTimeout = 8 * time.Second

	// assumedMemoryLimit stands for the memory limit of a process that has none.
	assumedMemoryLimit = 1 << 30
)

// inFlight bounds the memory that requests take, by the bytes of their bodies. A request waits twice, in the order of
// arrival each time: for room for its body, and for its turn to be decoded and answered.
//
// One wait would not do. A turn costs several times the body, so there are few turns, and a caller that sends slowly
// must not hold one. Room costs the body alone, so there is twice as much of it. A request gets all its room at once:
// two requests that each wait for their second half would wait for each other.
//
// Nobody overtakes. A large request gets its turn although small ones keep coming, and a small one waits only for those
// that came before.
type inFlight struct {
	bodies, turns limiter
}

// newInFlight makes room for limit bytes. Half of them may have their turn at once.
func newInFlight(limit int64) *inFlight {
	if limit <= 0 {
		limit = defaultBytesInFlight()
	}
	return &inFlight{bodies: newLimiter(limit), turns: newLimiter((limit + 1) / 2)}
}

// defaultBytesInFlight is an eighth of the memory limit that the Go runtime knows of. While a request has its turn, its
// body and what is decoded from it are 2.5 times its size, and the collector lets that double: 5 × 1/16. Bodies that wait
// for their turn are counted once, and doubled too: 2 × 1/16. That is less than half of the limit; the rest is for
// bodies of unusual content.
func defaultBytesInFlight() int64 {
	limit := debug.SetMemoryLimit(-1)
	if limit == math.MaxInt64 {
		limit = assumedMemoryLimit
	}
	return max(limit/8, 1)
}

// limiter is a semaphore that knows its size.
type limiter struct {
	*semaphore.Weighted
	size int64
}

func newLimiter(size int64) limiter {
	return limiter{semaphore.NewWeighted(size), size}
}

// weight is how much a request of n bytes takes. A request that is larger than the whole limit takes all of it, and is
// then alone. With the true weight, such a request would wait forever.
func (l limiter) weight(n int64) int64 {
	return min(n, l.size)
}

// share is what one request has of inFlight.
type share struct {
	*inFlight
	room, held int64 // bytes of bodies, and of turns
}

func (f *inFlight) share() *share {
	return &share{inFlight: f}
}

// release gives everything back.
func (s *share) release() {
	s.bodies.Release(s.room)
	s.turns.Release(s.held)
	s.room, s.held = 0, 0
}

// read waits for room, and reads the body of r, which has to arrive before ctx ends.
//
// A length that is not announced counts as the largest. Metacontroller always announces one. Asking for more room as the
// body grows would mean to wait while holding some. Once the body is there, the room that was too much is given back.
func (s *share) read(ctx context.Context, w http.ResponseWriter, r *http.Request) ([]byte, *refusal) {
	size := r.ContentLength
	switch {
	case size > maxRequestBytes:
		return nil, tooLarge()
	case size < 0:
		size = maxRequestBytes
	}
	room := s.bodies.weight(size)
	if refused := s.wait(ctx, s.bodies, room); refused != nil {
		return nil, refused
	}
	s.room = room
	conn := http.NewResponseController(w)
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.SetReadDeadline(deadline) // only a test's connection has no deadlines
	}
	data, err := readBody(r.Body, size)
	// The server goes on reading, to see when the caller goes, and takes a deadline that passes for just that.
	_ = conn.SetReadDeadline(time.Time{})
	switch {
	case errors.Is(err, errTooLarge):
		return nil, tooLarge()
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, &refusal{code: http.StatusBadRequest, err: fmt.Errorf("reading the request: it has not arrived within %v", turnTimeout)}
	case err != nil:
		return nil, &refusal{code: http.StatusBadRequest, err: fmt.Errorf("reading the request: %w", err)}
	}
	s.room = s.bodies.weight(int64(len(data)))
	s.bodies.Release(room - s.room)
	return data, nil
}

// turn waits until n bytes may be decoded and answered.
func (s *share) turn(ctx context.Context, n int) *refusal {
	weight := s.turns.weight(int64(n))
	if refused := s.wait(ctx, s.turns, weight); refused != nil {
		return refused
	}
	s.held = weight
	return nil
}

// errBusy ends the wait of a request that has waited too long.
var errBusy = errors.New("the hook is busy")

// wait returns a refusal if there is nothing to wait for any more. A wait that was too long is a 503, never a 429:
// Metacontroller calls again at once after a 429 without a Retry-After, and tells nobody.
func (s *share) wait(ctx context.Context, l limiter, n int64) *refusal {
	err := l.Acquire(ctx, n)
	switch {
	case err == nil:
		return nil
	case errors.Is(context.Cause(ctx), errBusy):
		err := fmt.Errorf("%w: this request has waited %v behind others, and comes again by itself: if that goes on, give the hook more memory (limits.memory) or more replicas, or use WukongNetworks (networkName), which make requests small", errBusy, turnTimeout)
		return &refusal{code: http.StatusServiceUnavailable, err: err}
	}
	return gone(ctx)
}

var errTooLarge = errors.New("the body is too large")

func tooLarge() *refusal {
	err := fmt.Errorf("the request is larger than %d MiB: use WukongNetworks (networkName) instead of bridges of a Wukong's own, or start the hook "+
		"with -preflight=false, and then restart Metacontroller, which keeps what it was told to send for up to 20 minutes", maxRequestBytes>>20)
	return &refusal{code: http.StatusRequestEntityTooLarge, err: err}
}

// readBody reads a body of at most size bytes. The buffer becomes eight times as large whenever it is full, up to size:
// a caller that announces much and sends little has little, and a large body is copied once, not twice as io.ReadAll
// does.
func readBody(body io.Reader, size int64) ([]byte, error) {
	// One byte more than the body, because only reading on shows that a body ends.
	data := make([]byte, 0, min(size, firstBufferBytes)+1)
	for {
		n, err := body.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		switch {
		case int64(len(data)) > size:
			return nil, errTooLarge
		case errors.Is(err, io.EOF):
			return data, nil
		case err != nil:
			return nil, err
		case len(data) == cap(data):
			data = append(make([]byte, 0, min(size, 8*int64(len(data)))+1), data...)
		}
	}
}

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"novasphere.dev/wukong/e2e/cluster"
)

// count is what something took.
type count struct {
	calls   map[string]int // by hook
	bytes   int64          // of requests and answers
	largest int64          // request
	writes  int            // of Metacontroller
	hook    cluster.Usage
	manager cluster.Usage // Metacontroller
}

// all are the calls of all hooks.
func (c count) all() int {
	n := 0
	for _, calls := range c.calls {
		n += calls
	}
	return n
}

// counter is a proxy in front of the hook that counts what passes.
type counter struct {
	hook string // its URL

	mu      sync.Mutex
	calls   map[string]int
	bytes   int64
	largest int64
	last    time.Time // of a call
}

// ServeHTTP implements http.Handler.
func (c *counter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the caller has gone
	}
	c.add(strings.TrimPrefix(r.URL.Path, "/"), len(body))
	request, err := http.NewRequestWithContext(r.Context(), r.Method, c.hook+r.URL.Path, bytes.NewReader(body))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	request.Header = r.Header.Clone()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	c.add("", len(answer))
	for key, values := range response.Header {
		w.Header()[key] = values
	}
	w.WriteHeader(response.StatusCode)
	_, _ = w.Write(answer)
}

// add counts a call of a hook, or with "" an answer.
func (c *counter) add(hook string, size int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bytes += int64(size)
	c.last = time.Now()
	if hook != "" {
		c.calls[hook]++
		c.largest = max(c.largest, int64(size))
	}
}

// quiet is how long there has been no call.
func (c *counter) quiet() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Since(c.last)
}

// take is what has passed since it was last taken.
func (c *counter) take() count {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := count{calls: c.calls, bytes: c.bytes, largest: c.largest}
	c.calls, c.bytes, c.largest = map[string]int{}, 0, 0
	return n
}

// audit reads the API server's audit log on from where it last was.
type audit struct {
	path string
	at   int64
}

// writes are the writes of Metacontroller since they were last asked for, without Events.
func (a *audit) writes() (n int, err error) {
	file, err := os.Open(a.path)
	if err != nil {
		return 0, fmt.Errorf("reading the audit log: %w", err)
	}
	defer func() { _ = file.Close() }()
	if _, err := file.Seek(a.at, io.SeekStart); err != nil {
		return 0, fmt.Errorf("reading the audit log: %w", err)
	}
	lines := bufio.NewReaderSize(file, 1<<20)
	for {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return n, nil // the last line may still be being written
		}
		if err != nil {
			return 0, fmt.Errorf("reading the audit log: %w", err)
		}
		a.at += int64(len(line))
		var write struct {
			UserAgent string
			ObjectRef struct{ Resource string }
		}
		if err := json.Unmarshal(line, &write); err != nil {
			return 0, fmt.Errorf("reading the audit log: %w", err)
		}
		if strings.HasPrefix(write.UserAgent, "metacontroller") && write.ObjectRef.Resource != "events" {
			n++
		}
	}
}

package server_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

const mebibyte = 1 << 20

// dial opens a connection to a server of the test.
func dial(t *testing.T, ts *httptest.Server) *net.TCPConn {
	t.Helper()
	conn, err := net.Dial("tcp", ts.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn.(*net.TCPConn)
}

func send(t *testing.T, conn net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatalf("sending: %v", err)
	}
}

// receive reads one answer.
func receive(t *testing.T, from *bufio.Reader) reply {
	t.Helper()
	resp, err := http.ReadResponse(from, nil)
	if err != nil {
		t.Fatalf("reading the answer: %v", err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("reading the answer: %v", err)
	}
	return reply{code: resp.StatusCode, header: resp.Header, body: string(body), closes: resp.Close}
}

func (got reply) isTooLarge(t *testing.T) {
	t.Helper()
	got.isLine(t)
	if got.code != 413 || !strings.HasPrefix(got.body, "the request is larger than 32 MiB: ") {
		t.Errorf("got %d %q", got.code, got.body)
	}
}

const head = "POST /sync HTTP/1.1\r\nHost: hook\r\nContent-Type: application/json\r\n"

// A caller that sends everything before it reads anything gets to read the line.
func TestRefusalsReachWhoeverStillSends(t *testing.T) {
	spaces := strings.Repeat(" ", mebibyte)
	for _, test := range []struct {
		name   string
		header string
		chunks bool
		code   int
	}{
		{"announced", fmt.Sprintf("Content-Length: %d\r\n", 40*mebibyte), false, 413},
		{"not announced", "Transfer-Encoding: chunked\r\n", true, 413},
		{"announced, and not waiting for 100", fmt.Sprintf("Expect: 100-continue\r\nContent-Length: %d\r\n", 40*mebibyte), false, 413},
		{"not announced, and not waiting for 100", "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n", true, 413},
		{"of another type", fmt.Sprintf("Content-Type: text/plain\r\nContent-Length: %d\r\n", 40*mebibyte), false, 415},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg, _ := config()
			conn := dial(t, serve(t, cfg))
			header := head + test.header
			if test.code == 415 {
				header = strings.Replace(header, "Content-Type: application/json\r\n", "", 1)
			}
			send(t, conn, header+"\r\n")
			for range 40 {
				if test.chunks {
					send(t, conn, fmt.Sprintf("%x\r\n%s\r\n", len(spaces), spaces))
				} else {
					send(t, conn, spaces)
				}
			}
			if test.chunks {
				send(t, conn, "0\r\n\r\n")
			}
			answers := bufio.NewReader(conn)
			if strings.Contains(test.header, "Expect") && test.chunks {
				if got := receive(t, answers); got.code != 100 {
					t.Fatalf("got %d, want 100", got.code)
				}
			}
			got := receive(t, answers)
			if test.code == 413 {
				got.isTooLarge(t)
			} else if got.code != test.code {
				t.Errorf("got %d %q, want %d", got.code, got.body, test.code)
			}
		})
	}
}

// A caller that waits for 100 before it sends too much is told at once, and sends nothing.
func TestTooMuchIsRefusedBeforeItIsSent(t *testing.T) {
	cfg, _ := config()
	conn := dial(t, serve(t, cfg))
	send(t, conn, head+fmt.Sprintf("Expect: 100-continue\r\nContent-Length: %d\r\n\r\n", 40*mebibyte))
	got := receive(t, bufio.NewReader(conn))
	got.isTooLarge(t)
	if !got.closes {
		t.Error("the answer does not say that the connection closes")
	}
}

// Go's own client reads the line too. It sends and reads at the same time.
func TestTooMuchFromGo(t *testing.T) {
	cfg, _ := config()
	url := serve(t, cfg).URL
	for _, body := range []io.Reader{
		strings.NewReader(strings.Repeat(" ", 40*mebibyte)),
		io.MultiReader(strings.NewReader(strings.Repeat(" ", 40*mebibyte))), // its length is not known
	} {
		do(t, question{"POST", url + "/sync", http.Header{"Content-Type": {jsonType}}, body}).isTooLarge(t)
	}
}

// What is refused is read to its end, so that the connection serves the next request.
func TestConnectionOutlivesARefusal(t *testing.T) {
	cfg, _ := config()
	conn := dial(t, serve(t, cfg))
	answers := bufio.NewReader(conn)
	wrong := strings.Replace(head, "application/json", "text/plain", 1)
	for _, test := range []struct {
		header string
		code   int
	}{{wrong, 415}, {head, 200}, {wrong, 415}, {head, 200}} {
		send(t, conn, fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", test.header, len(request), request))
		if got := receive(t, answers); got.code != test.code {
			t.Errorf("got %d %q, want %d", got.code, got.body, test.code)
		}
	}
}

// With HTTP/2, which TLS brings, the line arrives as well, though the request ends before its body.
func TestTooMuchByHTTP2(t *testing.T) {
	cfg, _ := config()
	ours := newAuthority(t)
	tlsFiles(t, &cfg, ours)
	req, err := http.NewRequest("POST", serveTLS(t, cfg)+"/sync", strings.NewReader(strings.Repeat(" ", 40*mebibyte)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", jsonType)
	resp, err := ours.client(t, nil).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.ProtoMajor != 2 {
		t.Fatalf("by HTTP/%d: %v", resp.ProtoMajor, err)
	}
	reply{code: resp.StatusCode, header: resp.Header, body: string(body)}.isTooLarge(t)
}

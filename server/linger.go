package server

import (
	"io"
	"net/http"
	"time"
)

// How much of a body is thrown away behind an answer, and for how long.
const (
	lingerBytes   = 64 << 20
	lingerTimeout = 5 * time.Second
)

// lingering lets a caller read the answer while it still sends its request. Without lingering, the server closes the
// connection half a second after such an answer. The kernel then resets the connection when more arrives, and a caller
// that sends everything before reading loses the line that says why.
//
// HTTP/2 does not need this. It ends the request alone, and keeps the connection. There a caller would only have to wait,
// because an answer is complete when lingering ends.
func lingering(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Body == http.NoBody || r.ProtoMajor > 1 {
			next.ServeHTTP(w, r)
			return
		}
		conn := http.NewResponseController(w)
		// Otherwise no more of the body is read once the answer has begun.
		_ = conn.EnableFullDuplex()
		next.ServeHTTP(w, r)
		if err := conn.Flush(); err != nil {
			return // nobody is there to read
		}
		_ = conn.SetReadDeadline(time.Now().Add(lingerTimeout))
		_, _ = io.CopyN(io.Discard, r.Body, lingerBytes) // at an end or an error of the body, this ends as well
	})
}

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

// lingering lets a caller read the answer that is still sending its request. By itself, the server would close the
// connection half a second after such an answer. What arrives then makes the kernel reset the connection, and a caller
// that sends everything before it reads loses the line that says why.
func lingering(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Body == http.NoBody {
			next.ServeHTTP(w, r)
			return
		}
		conn := http.NewResponseController(w)
		// Otherwise the first byte of the answer is the end of the body. HTTP/2 knows no such end.
		_ = conn.EnableFullDuplex()
		next.ServeHTTP(w, r)
		if err := conn.Flush(); err != nil {
			return // nobody is there to read
		}
		_ = conn.SetReadDeadline(time.Now().Add(lingerTimeout))
		_, _ = io.CopyN(io.Discard, r.Body, lingerBytes) // at an end or an error of the body, this ends as well
	})
}

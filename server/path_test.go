package server_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"novasphere.dev/wukong/server"
)

// TestAStrangersRequestIsShortInTheLog holds that a path or a method of any length makes no long line.
func TestAStrangersRequestIsShortInTheLog(t *testing.T) {
	const most = 600
	for name, r := range map[string]*http.Request{
		"path":             httptest.NewRequest(http.MethodGet, "/"+strings.Repeat("x", 60_000), nil),
		"path of no ASCII": httptest.NewRequest(http.MethodGet, "/"+strings.Repeat("%E4%B8%96", 6_000), nil),
		"method":           httptest.NewRequest(strings.Repeat("M", 60_000), "/sync", nil),
	} {
		t.Run(name, func(t *testing.T) {
			cfg, logged := config()
			srv, err := server.New(cfg)
			if err != nil {
				t.Fatal(err)
			}
			w := httptest.NewRecorder()
			srv.Handler.ServeHTTP(w, r)
			logged.find(t, "refused")
			if length := logged.buf.Len(); length > most {
				t.Errorf("%d bytes are logged", length)
			}
			if length := w.Body.Len(); length > most {
				t.Errorf("%d bytes are answered", length)
			}
		})
	}
}

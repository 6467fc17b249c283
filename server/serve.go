package server

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/net/netutil"
)

// drainTimeout is how long a request may still take when the process stops. Metacontroller waits no longer for an answer.
const drainTimeout = 10 * time.Second

// Server is what Serve runs.
type Server struct {
	*http.Server
	connections int // how many are open at once, 0 for any number; others wait in the kernel
}

// Serve runs the servers until ctx ends, each on its Addr, and with TLS if its TLSConfig is set. All addresses are
// listened on before any is served, so that a busy one is an error at once. When ctx ends, Serve accepts nothing more,
// waits for the requests that are being answered, and returns nil.
func Serve(ctx context.Context, log *slog.Logger, servers ...*Server) error {
	listeners := make([]net.Listener, len(servers))
	for i, srv := range servers {
		l, err := net.Listen("tcp", srv.Addr)
		if err != nil {
			return err
		}
		defer func() { _ = l.Close() }() // for a return with an error; a server that has stopped has closed its listener
		if srv.connections > 0 {
			l = netutil.LimitListener(l, srv.connections)
		}
		listeners[i] = l
	}
	failed := make(chan error, len(servers))
	for i, srv := range servers {
		log.Info("listening", "address", listeners[i].Addr().String(), "tls", srv.TLSConfig != nil)
		go func() {
			if srv.TLSConfig != nil {
				failed <- srv.ServeTLS(listeners[i], "", "")
			} else {
				failed <- srv.Serve(listeners[i])
			}
		}()
	}
	select {
	case err := <-failed:
		return fmt.Errorf("serving: %w", err)
	case <-ctx.Done():
	}

	log.Info("stopping")
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
	defer cancel()
	for _, srv := range servers {
		if err := srv.Shutdown(ctx); err != nil {
			return fmt.Errorf("waiting for requests that are being answered: %w", err)
		}
	}
	log.Info("stopped")
	return nil
}

package server

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
)

// rotating is a value from files that are replaced while the process runs. The files are read for every use, so that new
// content counts at once.
//
// While the files cannot be read, or hold nothing usable, the last good value stays in force and every use logs an
// error. A renewal that went wrong, or one that is between certificate and key, does not stop the hooks. So to revoke a
// credential, replace the content of its file: removing the file keeps the credential in force.
type rotating[T any] struct {
	log  *slog.Logger
	read func() (T, error)
	last atomic.Pointer[T]
}

// newRotating fails when the files cannot be read now, because there is no last good value yet.
func newRotating[T any](log *slog.Logger, read func() (T, error)) (*rotating[T], error) {
	value, err := read()
	if err != nil {
		return nil, err
	}
	r := &rotating[T]{log: log, read: read}
	r.last.Store(&value)
	return r, nil
}

func (r *rotating[T]) get() T {
	value, err := r.read()
	if err != nil {
		r.log.Error("credentials kept as they were", "err", err)
		return *r.last.Load()
	}
	r.last.Store(&value)
	return value
}

// callers says who may call the hooks. The zero value lets everybody call them.
type callers struct {
	certificate bool
	token       *rotating[[sha256.Size]byte] // hashed, so that comparing takes the same time for tokens of any length
}

func newCallers(cfg Config) (*callers, error) {
	c := &callers{certificate: cfg.ClientCAFile != ""}
	if cfg.TokenFile == "" {
		return c, nil
	}
	token, err := newRotating(cfg.Log, func() (sum [sha256.Size]byte, err error) {
		data, err := os.ReadFile(cfg.TokenFile)
		if err != nil {
			return sum, fmt.Errorf("reading the token: %w", err)
		}
		token := bytes.TrimSpace(data)
		if len(token) == 0 {
			return sum, fmt.Errorf("reading the token: %s is empty", cfg.TokenFile)
		}
		return sha256.Sum256(token), nil
	})
	c.token = token
	return c, err
}

// check returns an error that says what a request lacks.
func (c *callers) check(r *http.Request) error {
	if c.certificate && (r.TLS == nil || len(r.TLS.VerifiedChains) == 0) {
		return errors.New("authenticating: the hook asks for a client certificate: set clientTLS in the CompositeController")
	}
	if c.token == nil {
		return nil
	}
	scheme, given, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return errors.New("authenticating: the hook asks for a bearer token: set authorization in the CompositeController")
	}
	want, got := c.token.get(), sha256.Sum256([]byte(given))
	if subtle.ConstantTimeCompare(want[:], got[:]) == 0 {
		return errors.New("authenticating: the bearer token is not the hook's: after a rotation Metacontroller reads its Secret anew only when it restarts")
	}
	return nil
}

// newTLSConfig returns nil if cfg asks for no TLS. Certificate, key and authorities are read for each handshake. A change
// does not touch the connections that exist.
func newTLSConfig(cfg Config) (*tls.Config, error) {
	switch {
	case (cfg.CertFile == "") != (cfg.KeyFile == ""):
		return nil, errors.New("configuring TLS: certificate and key go together: set both -tls-cert and -tls-key, or neither")
	case cfg.CertFile == "" && cfg.ClientCAFile != "":
		return nil, errors.New("configuring TLS: client certificates need it: set -tls-cert and -tls-key beside -client-ca")
	case cfg.CertFile == "":
		return nil, nil
	}
	current, err := newRotating(cfg.Log, func() (*tls.Config, error) {
		return readTLSConfig(cfg)
	})
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			return current.get(), nil
		},
	}, nil
}

func readTLSConfig(cfg Config) (*tls.Config, error) {
	certificate, err := tls.LoadX509KeyPair(cfg.CertFile, cfg.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("reading the certificate: %w", err)
	}
	config := &tls.Config{
		MinVersion:   tls.VersionTLS12,
		Certificates: []tls.Certificate{certificate},
		NextProtos:   []string{"h2", "http/1.1"},
		// A resumed session would carry a caller past authorities that have changed.
		SessionTicketsDisabled: true,
	}
	if cfg.ClientCAFile == "" {
		return config, nil
	}
	authorities, err := os.ReadFile(cfg.ClientCAFile)
	if err != nil {
		return nil, fmt.Errorf("reading the client authorities: %w", err)
	}
	config.ClientCAs = x509.NewCertPool()
	if !config.ClientCAs.AppendCertsFromPEM(authorities) {
		return nil, fmt.Errorf("reading the client authorities: %s has no certificate", cfg.ClientCAFile)
	}
	// Not required here, because the kubelet's probes have no certificate. callers.check requires one for the hooks.
	config.ClientAuth = tls.VerifyClientCertIfGiven
	return config, nil
}

package server_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"novasphere.dev/wukong/server"
)

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestToken(t *testing.T) {
	cfg, l := config()
	cfg.TokenFile = filepath.Join(t.TempDir(), "token")
	write(t, cfg.TokenFile, []byte("secret\n"))
	url := serve(t, cfg).URL

	check := func(name string, authorization string, code int, want string) {
		t.Helper()
		header := http.Header{"Content-Type": {jsonType}}
		if authorization != "" {
			header.Set("Authorization", authorization)
		}
		for _, path := range []string{"/sync", "/finalize", "/customize"} {
			got := do(t, question{"POST", url + path, header, strings.NewReader(request)})
			if got.code != code || !strings.Contains(got.body, want) {
				t.Errorf("%s: POST %s: got %d %q, want %d and %q", name, path, got.code, got.body, code, want)
			}
			if code == 401 {
				got.isLine(t)
				if scheme := got.header.Get("WWW-Authenticate"); scheme != "Bearer" {
					t.Errorf("%s: WWW-Authenticate is %q, want Bearer", name, scheme)
				}
			}
		}
	}
	check("right", "Bearer secret", 200, "{")
	check("any case", "bearer secret", 200, "{")
	check("none", "", 401, "authenticating: the hook asks for a bearer token")
	check("basic", "Basic secret", 401, "authenticating: the hook asks for a bearer token")
	check("no scheme", "secret", 401, "authenticating: the hook asks for a bearer token")
	check("wrong", "Bearer Secret", 401, "authenticating: the bearer token is not the hook's")
	check("begins like it", "Bearer secre", 401, "authenticating: the bearer token is not the hook's")
	check("empty", "Bearer ", 401, "authenticating: the bearer token is not the hook's")
	if line := l.find(t, "refused"); line["hook"] != "sync" || line["code"] != 401.0 {
		t.Errorf("the log has %v", line)
	}
	for _, path := range []string{"/healthz", "/readyz"} {
		if got := do(t, question{method: "GET", url: url + path}); got.code != 200 {
			t.Errorf("GET %s without a token: %d", path, got.code)
		}
	}

	write(t, cfg.TokenFile, []byte("another"))
	check("rotated", "Bearer another", 200, "{")
	check("old", "Bearer secret", 401, "authenticating: the bearer token is not the hook's")

	write(t, cfg.TokenFile, []byte("\n"))
	check("emptied", "Bearer another", 200, "{")
	check("empty while emptied", "Bearer ", 401, "authenticating: the bearer token is not the hook's")
	if err := os.Remove(cfg.TokenFile); err != nil {
		t.Fatal(err)
	}
	check("removed", "Bearer another", 200, "{")
	if line := l.find(t, "credentials kept as they were"); line["level"] != "ERROR" || !strings.Contains(line["err"].(string), "is empty") {
		t.Errorf("the log has %v", line)
	}
}

// authority signs certificates for the tests.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  []byte
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{cert: cert, key: key, pem: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}
}

// issue makes a certificate for both ends of a connection on the loopback interface.
func (a *authority) issue(t *testing.T, serial int64) (certPEM, keyPEM []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
}

// client trusts the authority, and shows a certificate where issuer is given. It makes a new connection for each
// request, and would resume a session if the server let it.
func (a *authority) client(t *testing.T, issuer *authority) *http.Client {
	t.Helper()
	config := &tls.Config{RootCAs: x509.NewCertPool(), ClientSessionCache: tls.NewLRUClientSessionCache(0)}
	config.RootCAs.AddCert(a.cert)
	if issuer != nil {
		certificate, err := tls.X509KeyPair(issuer.issue(t, 100))
		if err != nil {
			t.Fatal(err)
		}
		// Not Certificates: the client would leave out one that the server has not asked for.
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &certificate, nil }
	}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: config, DisableKeepAlives: true, ForceAttemptHTTP2: true}}
}

// serveTLS starts the hooks with the certificate and the authorities that are in the files of cfg.
func serveTLS(t *testing.T, cfg server.Config) (url string) {
	t.Helper()
	srv, err := server.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- srv.ServeTLS(listener, "", "") }()
	t.Cleanup(func() {
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return "https://" + listener.Addr().String()
}

// call returns the status code and, with TLS, the serial number of the server's certificate.
func call(client *http.Client, method, url string) (code int, serial int64, err error) {
	req, err := http.NewRequest(method, url, strings.NewReader(request))
	if err != nil {
		return 0, 0, err
	}
	req.Header.Set("Content-Type", jsonType)
	resp, err := client.Do(req)
	if err != nil {
		return 0, 0, err
	}
	_ = resp.Body.Close()
	return resp.StatusCode, resp.TLS.PeerCertificates[0].SerialNumber.Int64(), nil
}

func tlsFiles(t *testing.T, cfg *server.Config, a *authority) {
	t.Helper()
	dir := t.TempDir()
	cfg.CertFile, cfg.KeyFile = filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	cert, key := a.issue(t, 1)
	write(t, cfg.CertFile, cert)
	write(t, cfg.KeyFile, key)
}

func TestCertificateRotation(t *testing.T) {
	cfg, l := config()
	ours := newAuthority(t)
	tlsFiles(t, &cfg, ours)
	url := serveTLS(t, cfg)
	client := ours.client(t, nil)

	check := func(name string, serial int64) {
		t.Helper()
		code, got, err := call(client, "POST", url+"/sync")
		if err != nil || code != 200 || got != serial {
			t.Errorf("%s: got %d from certificate %d, %v; want 200 from %d", name, code, got, err, serial)
		}
	}
	check("first", 1)
	cert, key := ours.issue(t, 2)
	write(t, cfg.CertFile, cert)
	check("between certificate and key", 1)
	l.find(t, "credentials kept as they were")
	write(t, cfg.KeyFile, key)
	check("second", 2)
	write(t, cfg.CertFile, []byte("no certificate"))
	check("broken", 2)

	old := &tls.Config{RootCAs: client.Transport.(*http.Transport).TLSClientConfig.RootCAs, MaxVersion: tls.VersionTLS11}
	conn, err := tls.Dial("tcp", strings.TrimPrefix(url, "https://"), old)
	if err == nil {
		_ = conn.Close()
		t.Error("the server speaks TLS 1.1")
	}
}

func TestClientCertificate(t *testing.T) {
	cfg, _ := config()
	ours, theirs := newAuthority(t), newAuthority(t)
	tlsFiles(t, &cfg, ours)
	cfg.ClientCAFile = filepath.Join(t.TempDir(), "ca.crt")
	write(t, cfg.ClientCAFile, ours.pem)
	url := serveTLS(t, cfg)

	nobody, friend, stranger := ours.client(t, nil), ours.client(t, ours), ours.client(t, theirs)
	check := func(name string, client *http.Client, method, path string, want int) {
		t.Helper()
		code, _, err := call(client, method, url+path)
		switch {
		case want == 0 && err == nil:
			t.Errorf("%s: %s %s: got %d, want a failed handshake", name, method, path, code)
		case want != 0 && (err != nil || code != want):
			t.Errorf("%s: %s %s: got %d %v, want %d", name, method, path, code, err, want)
		}
	}
	for _, path := range []string{"/sync", "/finalize", "/customize"} {
		check("friend", friend, "POST", path, 200)
		check("nobody", nobody, "POST", path, 401)
		check("stranger", stranger, "POST", path, 0)
	}
	check("a probe", nobody, "GET", "/healthz", 200)
	check("a probe", nobody, "GET", "/readyz", 200)

	write(t, cfg.ClientCAFile, theirs.pem)
	check("stranger after rotation", stranger, "POST", "/sync", 200)
	check("friend after rotation", friend, "POST", "/sync", 0)
	write(t, cfg.ClientCAFile, nil)
	check("stranger after emptying", stranger, "POST", "/sync", 200)
	check("friend after emptying", friend, "POST", "/sync", 0)
}

func TestCertificateAndToken(t *testing.T) {
	cfg, _ := config()
	ours := newAuthority(t)
	tlsFiles(t, &cfg, ours)
	cfg.ClientCAFile = filepath.Join(t.TempDir(), "ca.crt")
	write(t, cfg.ClientCAFile, ours.pem)
	cfg.TokenFile = filepath.Join(t.TempDir(), "token")
	write(t, cfg.TokenFile, []byte("secret"))
	if code, _, err := call(ours.client(t, ours), "POST", serveTLS(t, cfg)+"/sync"); code != 401 {
		t.Errorf("a certificate without the token: %d %v, want 401", code, err)
	}
}

func TestUnusableCredentials(t *testing.T) {
	ours := newAuthority(t)
	empty := filepath.Join(t.TempDir(), "empty")
	write(t, empty, []byte(" \n"))
	missing := filepath.Join(t.TempDir(), "missing")
	for _, test := range []struct {
		name string
		edit func(*server.Config)
		want string
	}{
		{"certificate without key", func(c *server.Config) { c.KeyFile = "" }, "set both -tls-cert and -tls-key"},
		{"key without certificate", func(c *server.Config) { c.CertFile = "" }, "set both -tls-cert and -tls-key"},
		{"client certificates without TLS", func(c *server.Config) { c.CertFile, c.KeyFile, c.ClientCAFile = "", "", c.CertFile }, "set -tls-cert and -tls-key beside -client-ca"},
		{"missing certificate", func(c *server.Config) { c.CertFile = missing }, "reading the certificate: open " + missing},
		{"missing authorities", func(c *server.Config) { c.ClientCAFile = missing }, "reading the client authorities: open " + missing},
		{"empty authorities", func(c *server.Config) { c.ClientCAFile = empty }, "has no certificate"},
		{"missing token", func(c *server.Config) { c.TokenFile = missing }, "reading the token: open " + missing},
		{"empty token", func(c *server.Config) { c.TokenFile = empty }, "is empty"},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg, _ := config()
			tlsFiles(t, &cfg, ours)
			test.edit(&cfg)
			if _, err := server.New(cfg); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

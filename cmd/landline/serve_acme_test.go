package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
	"github.com/miekg/dns"
)

const acmeDomain = "call.example.org"

// authority is a certificate authority for tests: it finds every name on this machine, at one port.
type authority struct {
	directory string
	ownRoot   string // file with the certificate of its HTTPS
	roots     *x509.CertPool
	issued    atomic.Int64 // orders that were taken
	handler   atomic.Pointer[http.Handler]
}

// newAuthority starts its HTTPS; it answers from open on, when the port that it is to look at is known.
func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{roots: x509.NewCertPool()}
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if h := a.handler.Load(); h != nil {
			answer := &answered{ResponseWriter: w}
			(*h).ServeHTTP(answer, req)
			// Pebble refuses some good requests, to see that they are sent again.
			if strings.HasSuffix(req.URL.Path, "/order-plz") && answer.status == http.StatusCreated {
				a.issued.Add(1)
			}
			return
		}
		http.Error(w, "closed today", http.StatusForbidden)
	}))
	t.Cleanup(server.Close)
	a.directory = server.URL + wfe.DirectoryPath
	a.ownRoot = filepath.Join(t.TempDir(), "authority.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(a.ownRoot, block, 0o600); err != nil {
		t.Fatal(err)
	}
	return a
}

// answered keeps the status of an answer.
type answered struct {
	http.ResponseWriter
	status int
}

func (a *answered) WriteHeader(status int) {
	a.status = status
	a.ResponseWriter.WriteHeader(status)
}

func (a *authority) open(t *testing.T, port int) {
	t.Helper()
	t.Setenv("PEBBLE_VA_NOSLEEP", "1")
	logger, store := log.New(io.Discard, "", 0), db.NewMemoryStore()
	issuer := ca.New(logger, store, "", "ecdsa", 0, 1, map[string]ca.Profile{"default": {}})
	validator := va.New(logger, 1, port, false, everyNameIsHere(t), store)
	front := wfe.New(logger, store, validator, issuer, []string{"ca.example.org"}, false, false, 0, 0)
	a.roots.AddCert(issuer.GetRootCert(0).Cert)
	handler := front.Handler()
	a.handler.Store(&handler)
}

// everyNameIsHere is the address of a DNS server that knows every name, at 127.0.0.1.
func everyNameIsHere(t *testing.T) string {
	t.Helper()
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &dns.Server{Listener: socket, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		answer := new(dns.Msg).SetReply(q)
		if q.Question[0].Qtype == dns.TypeA {
			head := dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 1}
			answer.Answer = append(answer.Answer, &dns.A{Hdr: head, A: net.IPv4(127, 0, 0, 1)})
		}
		_ = w.WriteMsg(answer)
	})}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.ActivateAndServe()
	}()
	t.Cleanup(func() {
		_ = socket.Close()
		<-done
	})
	return socket.Addr().String()
}

// certificateOf asks a server for the domain's certificate as a browser would.
func certificateOf(addr string, roots *x509.CertPool) (*x509.Certificate, error) {
	conn, err := tls.Dial("tcp", addr, &tls.Config{ServerName: acmeDomain, RootCAs: roots})
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0], nil
}

// An authority takes seconds, longer than a handshake may: who comes first is let wait for it.
func TestASlowAuthorityDoesNotCutTheFirstVisitor(t *testing.T) {
	certPath, keyPath := pair(t, t.TempDir(), acmeDomain)
	issued, err := tls.LoadX509KeyPair(certPath, keyPath)
	if err != nil {
		t.Fatal(err)
	}
	var log output
	const limit = 500 * time.Millisecond
	authority := func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		time.Sleep(limit + limit/2)
		return &issued, nil
	}
	certs := &tls.Config{GetCertificate: patiently(authority)}
	server := newHTTPServer(http.HandlerFunc(hello), certs, newLogger(&log, "info"))
	server.ReadHeaderTimeout = limit
	ln, err := listen(t.Context(), &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- server.ServeTLS(ln, "", "") }()
	defer func() { server.Close(); <-done }()
	roots := x509.NewCertPool()
	roots.AddCert(issued.Leaf)
	if _, err := certificateOf(ln.Addr().String(), roots); err != nil {
		t.Errorf("%v; the server says: %s", err, log.String())
	}
}

func TestAutoGetsACertificateAndKeepsIt(t *testing.T) {
	a := newAuthority(t)
	t.Setenv("SSL_CERT_FILE", a.ownRoot)
	cache := t.TempDir()
	serve := func() (addr string, errs *output, stop func()) {
		var out, log output
		cmd := child(t, "landline", &out, &log, "serve", "--listen", "127.0.0.1:0", "--tls", "auto", "--domain", acmeDomain,
			"--acme-directory", a.directory, "--tls-cache", cache)
		var serving struct{ Listen string }
		if err := json.Unmarshal([]byte(log.line(t, `"msg":"serving"`)), &serving); err != nil {
			t.Fatal(err)
		}
		return serving.Listen, &log, func() { cmd.Process.Signal(os.Interrupt); cmd.Wait() }
	}
	addr, errs, stop := serve()
	if _, err := certificateOf(addr, a.roots); err == nil {
		t.Error("a certificate from an authority that is closed")
	}
	errs.line(t, `"msg":"no certificate"`)
	stop()

	addr, errs, stop = serve()
	_, port, _ := net.SplitHostPort(addr)
	number, _ := strconv.Atoi(port)
	a.open(t, number)
	first, err := certificateOf(addr, a.roots)
	if err != nil {
		t.Fatalf("%v; the server says: %s", err, errs)
	}
	stop()
	if n := a.issued.Load(); n != 1 {
		t.Errorf("%d certificates were ordered", n)
	}

	addr, _, stop = serve()
	defer stop()
	again, err := certificateOf(addr, a.roots)
	if err != nil {
		t.Fatal(err)
	}
	if !again.Equal(first) || a.issued.Load() != 1 {
		t.Errorf("after a restart another certificate is ordered (%d orders)", a.issued.Load())
	}
}

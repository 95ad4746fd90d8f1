package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/acme"
)

// pair writes a certificate for name and its key into dir as cert.pem and key.pem.
func pair(t *testing.T, dir, name string) (certPath, keyPath string) {
	t.Helper()
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	cert, err := writeSelfSigned(root, hosts{names: []string{name}, ips: []net.IP{net.IPv4(127, 0, 0, 1)}}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	certPath, keyPath = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, block := range map[string]*pem.Block{certPath: {Type: "CERTIFICATE", Bytes: cert.Certificate[0]}, keyPath: {Type: "PRIVATE KEY", Bytes: key}} {
		before := stampOf(path).modified
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
		// File times may be too coarse to tell two writes of one test apart.
		if err := os.Chtimes(path, time.Time{}, before.Add(time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	return certPath, keyPath
}

// trust is a client that trusts one certificate file and would rather speak HTTP/2.
func trust(t *testing.T, path string) *http.Transport {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(b)
	return &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: pool}}
}

func TestTLSSpeaksHTTP1AndNothingOld(t *testing.T) {
	certPath, keyPath := pair(t, t.TempDir(), "localhost")
	s := serve(t, &fakeRelay{handler: hello}, "--tls-cert", certPath, "--tls-key", keyPath)
	if !strings.HasPrefix(s.url, "https://127.0.0.1:") {
		t.Errorf("url %s", s.url)
	}
	r, body := get(t, s.url, trust(t, certPath))
	if body != "HTTP/1.1" || r.TLS.NegotiatedProtocol != "http/1.1" {
		t.Errorf("protocol %s, negotiated %q", body, r.TLS.NegotiatedProtocol)
	}
	modern := &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}}
	if conn, err := tls.Dial("tcp", strings.TrimPrefix(s.url, "https://"), modern); err == nil {
		conn.Close()
		t.Error("HTTP/2 was accepted, over which a WebSocket does not open")
	}
	old := &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	if conn, err := tls.Dial("tcp", strings.TrimPrefix(s.url, "https://"), old); err == nil {
		conn.Close()
		t.Error("TLS 1.1 was accepted")
	}
}

// served is the name in the certificate that a handshake with files gives.
func served(t *testing.T, files *certFiles) string {
	t.Helper()
	near, far := net.Pipe()
	server := tls.Server(far, &tls.Config{GetCertificate: files.certificate})
	done := make(chan error, 1)
	go func() { done <- server.Handshake() }()
	client := tls.Client(near, &tls.Config{InsecureSkipVerify: true})
	if err := client.Handshake(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	near.Close()
	far.Close()
	return client.ConnectionState().PeerCertificates[0].DNSNames[0]
}

func TestACertificateIsReplacedWhileServing(t *testing.T) {
	dir := t.TempDir()
	certPath, keyPath := pair(t, dir, "first")
	var log output
	clock := time.Unix(1_763_700_000, 0)
	files := &certFiles{certPath: certPath, keyPath: keyPath, now: func() time.Time { return clock }, log: newLogger(&log, "info")}
	if err := files.load(); err != nil {
		t.Fatal(err)
	}
	expect := func(when, want string) {
		t.Helper()
		if got := served(t, files); got != want {
			t.Errorf("%s: the certificate of %q, want %q", when, got, want)
		}
	}
	expect("at first", "first")
	pair(t, dir, "second")
	expect("within the second", "first")
	clock = clock.Add(checkEvery)
	expect("a second later", "second")

	pair(t, dir, "third")
	whole, err := os.ReadFile(keyPath)
	if err != nil {
		t.Fatal(err)
	}
	os.WriteFile(keyPath, []byte("half a key"), 0o600)
	for range 5 {
		clock = clock.Add(checkEvery)
		expect("with a broken key", "second")
	}
	if n := strings.Count(log.String(), `"level":"WARN"`); n != 1 {
		t.Errorf("a broken pair was reported %d times, want once:\n%s", n, log.String())
	}
	os.Remove(keyPath)
	clock = clock.Add(checkEvery)
	expect("with no key", "second")
	os.WriteFile(keyPath, whole, 0o600)
	clock = clock.Add(checkEvery)
	expect("with the key of the third", "third")
}

func TestASelfSignedCertificateLasts(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	prints := map[string]bool{}
	for range 2 {
		s := serve(t, &fakeRelay{handler: hello}, "--tls", "self", "--tls-cache", dir)
		line := s.out.line(t, "fingerprint")
		prints[line] = true
		r, _ := get(t, s.url, trust(t, filepath.Join(dir, selfFile)))
		if der := r.TLS.PeerCertificates[0].Raw; !strings.Contains(line, fingerprint(der)) {
			t.Errorf("%q is not the certificate's", line)
		}
		for _, host := range append(machineHosts().names, "127.0.0.1") {
			if err := r.TLS.PeerCertificates[0].VerifyHostname(host); err != nil {
				t.Error(err)
			}
		}
		s.signal()
		<-s.done
	}
	if len(prints) != 1 {
		t.Errorf("the certificate changed from start to start: %v", prints)
	}
	for path, want := range map[string]os.FileMode{dir: 0o700, filepath.Join(dir, selfFile): 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v %v, want %v", path, info.Mode(), err, want)
		}
	}
}

func TestASelfSignedCertificateIsRenewed(t *testing.T) {
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	now := time.Now()
	here := hosts{names: []string{"localhost", "box"}, ips: []net.IP{net.IPv4(192, 0, 2, 1), net.ParseIP("2001:db8::1")}}
	moved := hosts{names: here.names, ips: []net.IP{net.IPv4(192, 0, 2, 2)}}
	newer := hosts{names: here.names, ips: []net.IP{net.IPv4(192, 0, 2, 1), net.ParseIP("2001:db8::2")}}
	if _, err := writeSelfSigned(root, here, now); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what string
		h    hosts
		at   time.Duration
		fits bool
	}{
		{"the same machine", here, 0, true},
		{"half a year later", here, selfLife / 2, true},
		{"another IPv6 address", newer, 0, true},
		{"another IPv4 address", moved, 0, false},
		{"another name", hosts{names: []string{"localhost", "shed"}}, 0, false},
		{"three weeks before its end", here, selfLife - 21*24*time.Hour, false},
	} {
		if _, err := readSelfSigned(root, c.h, now.Add(c.at)); (err == nil) != c.fits {
			t.Errorf("%s: %v", c.what, err)
		}
	}
	if err := root.WriteFile(selfFile, []byte("not PEM"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readSelfSigned(root, here, now); err == nil {
		t.Error("a broken file was read")
	}
}

// The authority's servers are not asked here: what is seen is who is let through to them.
func TestAutoAnswersForItsDomainsOnly(t *testing.T) {
	var log output
	con := &console{out: io.Discard, log: newLogger(&log, "info")}
	cmd := serveCmd{TLS: "auto", Domain: []string{"call.example.org"}, TLSCache: t.TempDir()}
	config, err := cmd.certificates(con)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(config.NextProtos, acme.ALPNProto) || slices.Contains(config.NextProtos, "h2") {
		t.Errorf("protocols %v", config.NextProtos)
	}
	near, far := net.Pipe()
	defer near.Close()
	defer far.Close()
	for range 100 {
		if _, err := config.GetCertificate(&tls.ClientHelloInfo{ServerName: "evil.example.org", Conn: near}); err == nil {
			t.Fatal("a certificate for a stranger's name")
		}
	}
	if n := strings.Count(log.String(), "\n"); n != 1 || !strings.Contains(log.String(), "evil.example.org") {
		t.Errorf("100 refusals gave %d lines: %s", n, log.String())
	}
}

func TestAPlainRequestToTLSIsToldSo(t *testing.T) {
	s := serve(t, &fakeRelay{handler: hello}, "--tls", "self", "--tls-cache", t.TempDir())
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "https://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	answer, err := io.ReadAll(conn)
	if err != nil || !bytes.Contains(answer, []byte("HTTPS server")) {
		t.Errorf("%q, %v", answer, err)
	}
}

package main

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"
)

// certificates makes the TLS configuration that the flags ask for, nil for plain HTTP.
func (c *serveCmd) certificates(con *console) (*tls.Config, error) {
	// What is ready is written in records as large as they may be: small first records would cost a write each.
	config := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}, DynamicRecordSizingDisabled: true}
	switch {
	case c.TLSCert != "":
		files := &certFiles{certPath: c.TLSCert, keyPath: c.TLSKey, now: time.Now, log: con.log}
		if err := files.load(); err != nil {
			return nil, fmt.Errorf("TLS certificate: %w", err)
		}
		config.GetCertificate = files.certificate
	case c.TLS == "self":
		cert, err := c.selfSigned(con)
		if err != nil {
			return nil, fmt.Errorf("--tls self: %w", err)
		}
		config.Certificates = []tls.Certificate{*cert}
	case c.TLS == "auto":
		dir, err := c.cacheDir()
		if err != nil {
			return nil, fmt.Errorf("--tls auto: %w", err)
		}
		manager := &autocert.Manager{Prompt: autocert.AcceptTOS, Cache: autocert.DirCache(dir),
			HostPolicy: autocert.HostWhitelist(c.Domain...)}
		if c.ACME != "" {
			manager.Client = &acme.Client{DirectoryURL: c.ACME}
		}
		config.NextProtos = append(config.NextProtos, acme.ALPNProto)
		config.GetCertificate = reportFailure(patiently(manager.GetCertificate), con.log)
	default:
		return nil, nil
	}
	return config, nil
}

// getCertificate is the type of tls.Config.GetCertificate.
type getCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error)

// issueTime is how long a handshake may take that waits for the authority to issue the certificate.
const issueTime = time.Minute

// patiently gives a handshake the time that an authority takes: the server would cut off whoever is the
// first to come, who would be told nothing but that the connection ended.
func patiently(get getCertificate) getCertificate {
	return func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		if err := hello.Conn.SetDeadline(time.Now().Add(issueTime)); err != nil {
			return nil, err
		}
		return get(hello)
	}
}

// reportFailure logs why no certificate could be had: the HTTP server logs failed handshakes for debugging only.
func reportFailure(get getCertificate, log *slog.Logger) getCertificate {
	var warn occasionally
	return func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		cert, err := get(hello)
		if err != nil && warn.due(time.Now()) {
			log.Warn("no certificate", "name", hello.ServerName, "error", err)
		}
		return cert, err
	}
}

// cacheDir is the folder that certificates are kept in; it exists afterwards, for this user alone.
func (c *serveCmd) cacheDir() (string, error) {
	dir := c.TLSCache
	if dir == "" {
		base, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("no folder to keep certificates in, give --tls-cache: %w", err)
		}
		dir = filepath.Join(base, "landline", "tls")
	}
	return dir, os.MkdirAll(dir, 0o700)
}

// checkEvery is how often the certificate's files are looked at, at most.
const checkEvery = time.Second

// certFiles is a certificate in files, read again when they change. Handshakes call it from any goroutine.
type certFiles struct {
	certPath, keyPath string
	now               func() time.Time
	log               *slog.Logger

	mu   sync.Mutex
	cert *tls.Certificate
	seen [2]stamp // of the files at the last attempt, good or bad
	next time.Time
}

// stamp tells one state of a file from the next. The zero value is a file that cannot be looked at.
type stamp struct {
	modified time.Time
	size     int64
}

func stampOf(path string) stamp {
	info, err := os.Stat(path)
	if err != nil {
		return stamp{}
	}
	return stamp{info.ModTime(), info.Size()}
}

// load reads the files; on failure the certificate stays what it was.
func (f *certFiles) load() error {
	f.seen = [2]stamp{stampOf(f.certPath), stampOf(f.keyPath)}
	f.next = f.now().Add(checkEvery)
	cert, err := tls.LoadX509KeyPair(f.certPath, f.keyPath)
	if err != nil {
		return err
	}
	f.cert = &cert
	return nil
}

// certificate implements tls.Config.GetCertificate. A pair that does not load is tried again only when a
// file changes once more: certificate and key are seldom replaced in the same moment.
func (f *certFiles) certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now := f.now(); now.Before(f.next) {
		return f.cert, nil
	}
	if f.seen == [2]stamp{stampOf(f.certPath), stampOf(f.keyPath)} {
		f.next = f.now().Add(checkEvery)
		return f.cert, nil
	}
	if err := f.load(); err != nil {
		f.log.Warn("the TLS certificate changed and cannot be read; the old one stays", "error", err)
	} else {
		f.log.Info("the TLS certificate was read again", "file", f.certPath)
	}
	return f.cert, nil
}

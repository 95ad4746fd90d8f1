package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"strings"
	"time"
)

const (
	selfFile = "self.pem"
	selfLife = 365 * 24 * time.Hour
	// selfRenew is how long before its end the certificate is made anew.
	selfRenew = 30 * 24 * time.Hour
)

// selfSigned returns the kept certificate while it fits this machine, else a new one, so that a browser's
// exception lasts from one start to the next. It prints the fingerprint to compare with the browser's.
func (c *serveCmd) selfSigned(con *console) (*tls.Certificate, error) {
	dir, err := c.cacheDir()
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	hosts := machineHosts()
	cert, err := readSelfSigned(root, hosts, time.Now())
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			con.log.Info("a new self-signed certificate is made", "because", err)
		}
		if cert, err = writeSelfSigned(root, hosts, time.Now()); err != nil {
			return nil, err
		}
	}
	fmt.Fprintf(con.out, "Self-signed certificate, SHA-256 fingerprint %s\n", fingerprint(cert.Certificate[0]))
	return cert, nil
}

// hosts is what a certificate is for.
type hosts struct {
	names []string
	ips   []net.IP
}

func machineHosts() hosts {
	h := hosts{names: []string{"localhost"}, ips: interfaceAddrs()}
	if name, err := os.Hostname(); err == nil && name != "localhost" {
		h.names = append(h.names, name)
	}
	return h
}

// readSelfSigned reads the kept certificate and says why it cannot be used: it ends soon, or does not cover
// the hosts. IPv6 addresses need not be covered, since many of them change every day.
func readSelfSigned(root *os.Root, h hosts, now time.Time) (*tls.Certificate, error) {
	b, err := root.ReadFile(selfFile)
	if err != nil {
		return nil, err
	}
	cert, err := tls.X509KeyPair(b, b)
	if err != nil {
		return nil, fmt.Errorf("the kept one cannot be read: %w", err)
	}
	if now.After(cert.Leaf.NotAfter.Add(-selfRenew)) {
		return nil, fmt.Errorf("the kept one ends on %s", cert.Leaf.NotAfter.Format(time.DateOnly))
	}
	for _, name := range h.names {
		if cert.Leaf.VerifyHostname(name) != nil {
			return nil, fmt.Errorf("the kept one is not for %s", name)
		}
	}
	for _, ip := range h.ips {
		if ip.To4() != nil && cert.Leaf.VerifyHostname(ip.String()) != nil {
			return nil, fmt.Errorf("the kept one is not for %s", ip)
		}
	}
	return &cert, nil
}

// writeSelfSigned makes a certificate and keeps it, readable by this user alone.
func writeSelfSigned(root *os.Root, h hosts, now time.Time) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: "Landline on " + h.names[len(h.names)-1]},
		NotBefore:             now.Add(-time.Hour),
		NotAfter:              now.Add(selfLife),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		DNSNames:              h.names,
		IPAddresses:           h.ips,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	b := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})...)
	if err := replaceFile(root, selfFile, b); err != nil {
		return nil, err
	}
	cert, err := tls.X509KeyPair(b, b)
	return &cert, err
}

// replaceFile puts b into place in one step; a server that starts meanwhile sees the old file or the new one.
func replaceFile(root *os.Root, name string, b []byte) error {
	fresh := name + ".new"
	// A leftover may have other permissions, which writing to it would keep.
	if err := root.Remove(fresh); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := root.WriteFile(fresh, b, 0o600); err != nil {
		return err
	}
	return root.Rename(fresh, name)
}

// fingerprint is the SHA-256 of a certificate in DER as browsers show it.
func fingerprint(der []byte) string {
	sum := sha256.Sum256(der)
	parts := make([]string, len(sum))
	for i, b := range sum {
		parts[i] = fmt.Sprintf("%02X", b)
	}
	return strings.Join(parts, ":")
}

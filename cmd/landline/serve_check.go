package main

import (
	"errors"
	"fmt"
	"net"
	"net/url"

	"landline/signaling/token"
)

// check refuses flags that do not fit together, and reads the keys.
func (c *serveCmd) check() (token.Keys, error) {
	keys, err := token.ParseKeys(c.Key)
	switch {
	case err != nil:
		return token.Keys{}, usagef("--key: %w", err)
	case (c.TLSCert == "") != (c.TLSKey == ""):
		return token.Keys{}, usagef("--tls-cert and --tls-key go together")
	case c.TLSCert != "" && c.TLS != "off":
		return token.Keys{}, usagef("--tls %s makes its own certificate: leave out --tls-cert, or --tls", c.TLS)
	case c.TLS == "auto" && len(c.Domain) == 0:
		return token.Keys{}, usagef("--tls auto needs the name of this server: --domain")
	case c.TLS != "auto" && len(c.Domain) > 0:
		return token.Keys{}, usagef("--domain is for --tls auto")
	case c.TLS != "auto" && c.ACME != "":
		return token.Keys{}, usagef("--acme-directory is for --tls auto")
	case c.Drain < 0:
		return token.Keys{}, usagef("--drain: %v is negative", c.Drain)
	}
	for _, origin := range c.AllowOrigin {
		if err := checkOrigin(origin); err != nil {
			return token.Keys{}, usagef("--allow-origin %q: %w", origin, err)
		}
	}
	return keys, errors.Join(c.checkRTC(), c.checkRecord())
}

// checkOrigin wants an origin as a browser sends it (RFC 6454 section 6.1).
func checkOrigin(origin string) error {
	u, err := url.Parse(origin)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.Scheme+"://"+u.Host != origin {
		return errors.New("an origin is scheme, host and, if not the usual one, port: https://example.org")
	}
	return nil
}

// address resolves --listen and refuses what strangers could reach if nothing keeps them out.
func (c *serveCmd) address(keys token.Keys) (*net.TCPAddr, error) {
	addr, err := net.ResolveTCPAddr("tcp", c.Listen)
	if err != nil {
		return nil, fmt.Errorf("--listen: %w", err)
	}
	if public(addr) && keys.Empty() && !c.Open {
		return nil, fmt.Errorf("refusing to listen on %s, which others can reach, without keys: give a key "+
			"(--key id:secret, or LANDLINE_KEYS), or say --open to let everyone into every room", c.Listen)
	}
	if public(addr) && c.DebugFaults {
		return nil, usagef("--debug-faults is for a loopback address, and %s is none", c.Listen)
	}
	return addr, nil
}

// public reports whether others than this machine may reach addr. An address without a host is every address.
func public(addr *net.TCPAddr) bool { return !addr.IP.IsLoopback() }

// reachableHost is an address of this machine that another one may reach, for a link to open.
func reachableHost() string {
	for _, ip := range interfaceAddrs() {
		if ip.To4() != nil && !ip.IsLoopback() {
			return ip.String()
		}
	}
	return "localhost"
}

// interfaceAddrs lists this machine's addresses but for link-local ones, which are no good without a zone.
func interfaceAddrs() []net.IP {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	var ips []net.IP
	for _, addr := range addrs {
		if ipnet, ok := addr.(*net.IPNet); ok && !ipnet.IP.IsLinkLocalUnicast() {
			ips = append(ips, ipnet.IP)
		}
	}
	return ips
}

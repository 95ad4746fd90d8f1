package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"time"

	"landline/relay/record"
	"landline/signaling/rtc"
	"landline/signaling/token"
)

type serveCmd struct {
	Listen   string        `default:"127.0.0.1:8080" group:"listen" help:"Address and port; port 0 takes a free one. An address that others can reach needs keys, or --open."`
	Coalesce time.Duration `hidden:"" default:"3ms" help:"For measuring: how long members to whom many messages go wait for more of them, so that they share a write."`
	Drain    time.Duration `default:"5s" group:"listen" help:"Once told to stop, how long to wait until everyone has been sent away."`

	DebugFaults bool `hidden:"" help:"For tests: faults by POST to /debug/, as docs/operating.md has them. On a loopback address only."`

	RTC     string   `name:"rtc" enum:"on,off" default:"on" group:"rtc" help:"WebRTC, on the UDP port of the same number as --listen and, for who is not reached by UDP, on that very TCP port: WHIP, WHEP, and media beside the WebSocket for who asks for it."`
	RTCAddr []string `name:"rtc-addr" placeholder:"IP" group:"rtc" help:"Public address to announce for WebRTC, behind NAT. Default: those of the interfaces. Repeatable."`

	Key         []string `env:"LANDLINE_KEYS" placeholder:"ID:SECRET" group:"access" help:"Key that tokens are signed with, its secret of 16 bytes or more. Repeat it to replace a key: the first signs, all are accepted. Safer in the environment, where other users cannot see it."`
	Open        bool     `group:"access" help:"Without keys, let everyone who reaches a public address into every room."`
	AllowOrigin []string `placeholder:"ORIGIN" group:"access" help:"Let in pages of this origin too, not only the server's own, such as https://example.org. Repeatable."`

	recordFlags

	TLS      string   `name:"tls" enum:"off,self,auto" default:"off" group:"tls" help:"off; self: a self-signed certificate for a try on a LAN; auto: one from a certificate authority for --domain, whose terms of service you accept by this."`
	TLSCert  string   `name:"tls-cert" placeholder:"FILE" group:"tls" help:"Certificate chain in PEM. Read again when the file changes."`
	TLSKey   string   `name:"tls-key" placeholder:"FILE" group:"tls" help:"Private key of --tls-cert in PEM."`
	Domain   []string `placeholder:"NAME" group:"tls" help:"Name for --tls auto. It must lead here, and its port 443 to --listen, where ownership is proved (TLS-ALPN-01; port 80 is not used). Repeatable."`
	ACME     string   `name:"acme-directory" placeholder:"URL" group:"tls" help:"Certificate authority for --tls auto, by the URL of its ACME directory (RFC 8555). Default: Let's Encrypt."`
	TLSCache string   `name:"tls-cache" placeholder:"DIR" group:"tls" help:"Where certificates of --tls self and auto are kept. Default: landline/tls in the user's cache folder."`
}

// Help is the longer text of --help.
func (c *serveCmd) Help() string {
	return `Examples:

    landline serve
    LANDLINE_KEYS=main:$SECRET landline serve --listen :443 --tls auto --domain call.example.org
    landline serve --listen :8443 --open --tls self

On plain HTTP, browsers give camera and microphone to pages of localhost only: other devices need TLS. It is
1.2 or newer, and speaks HTTP/1.1 alone, since a WebSocket begins as an HTTP/1.1 upgrade.`
}

// relayServer is the relay behind the HTTP server.
type relayServer interface {
	Handler() http.Handler
	// Drain turns readiness off, sends everyone away, and waits until they are gone or ctx ends.
	Drain(ctx context.Context) error
	Close()
}

// relayOptions is what a relayServer is made from.
type relayOptions struct {
	keys    token.Keys
	origins []string
	log     *slog.Logger

	coalesce time.Duration
	webRTC   *rtc.Port // nil: off
	faults   bool

	recordings  *record.Store // nil: nothing is recorded
	recordRooms string
}

// Run implements the command.
func (c *serveCmd) Run(ctx context.Context, con *console) error { return c.serve(ctx, con, newRelay) }

// serve runs the relay that start makes, until ctx ends or the HTTP server fails.
func (c *serveCmd) serve(ctx context.Context, con *console, start func(relayOptions) (relayServer, error)) error {
	keys, err := c.check()
	if err != nil {
		return err
	}
	addr, err := c.address(keys)
	if err != nil {
		return err
	}
	certs, err := c.certificates(con)
	if err != nil {
		return err
	}
	ln, udp, err := c.sockets(ctx, addr)
	if err != nil {
		return err
	}
	var tcp net.Listener
	if udp != nil && canPeek {
		kinds := newSplit(ln, maxPending, readHeaderTimeout)
		ln, tcp = kinds.http, kinds.ice
	}
	defer ln.Close()
	port, err := c.webRTC(con, udp, tcp)
	if err != nil {
		return err
	}
	if port != nil {
		defer port.Close() // after the sessions beside which it carries media
		c.announceRTC(con, ln.Addr().(*net.TCPAddr))
	}
	recordings, err := c.openRecordings(con)
	if err != nil {
		return err
	}
	if recordings != nil {
		defer closeRecordings(con, recordings)
	}
	relay, err := start(relayOptions{keys: keys, origins: c.AllowOrigin, log: con.log, coalesce: c.Coalesce, webRTC: port, faults: c.DebugFaults,
		recordings: recordings, recordRooms: c.RecordRooms})
	if err != nil {
		return err
	}
	defer relay.Close()
	c.announce(con, ln.Addr().(*net.TCPAddr), keys)
	return c.until(ctx, con.log, ln, certs, relay)
}

// until serves on ln, by TLS unless certs is nil, until ctx ends; then it drains the relay.
func (c *serveCmd) until(ctx context.Context, log *slog.Logger, ln net.Listener, certs *tls.Config, relay relayServer) error {
	server := newHTTPServer(relay.Handler(), certs, log)
	done := make(chan error, 1)
	go func() {
		if certs == nil {
			done <- server.Serve(ln)
		} else {
			done <- server.ServeTLS(ln, "", "")
		}
	}()
	select {
	case err := <-done:
		return fmt.Errorf("serving: %w", err)
	case <-ctx.Done():
	}
	log.Info("draining", "for", c.Drain.String())
	// The signal has ended ctx; draining has a time of its own. The listener stays open meanwhile, so
	// that a health check is told "not ready" rather than refused.
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.Drain)
	defer cancel()
	if err := relay.Drain(bounded); err != nil {
		log.Warn("not everyone was gone in time", "error", err)
	}
	err := server.Close()
	<-done
	log.Info("stopped")
	return err
}

// announce says where the relay is: in the log for programs, on stdout for a person.
func (c *serveCmd) announce(con *console, addr *net.TCPAddr, keys token.Keys) {
	address := c.url(addr)
	con.log.Info("serving", "url", address, "listen", addr.String(), "keys", keys, "tls", c.secure())
	if keys.Empty() && public(addr) {
		con.log.Warn("open: whoever reaches this address may enter every room", "url", address)
	}
	fmt.Fprintf(con.out, "Landline is ready. Open %s\n", address)
	if public(addr) && !c.secure() {
		fmt.Fprintln(con.out, "Browsers on other devices give camera and microphone to HTTPS pages only: see --tls.")
	}
}

func (c *serveCmd) secure() bool { return c.TLS != "off" || c.TLSCert != "" }

// url is the address to open for a relay that listens on addr.
func (c *serveCmd) url(addr *net.TCPAddr) string {
	scheme, usual := "http", 80
	if c.secure() {
		scheme, usual = "https", 443
	}
	host := addr.IP.String()
	switch {
	case len(c.Domain) > 0:
		host = c.Domain[0]
	case addr.IP.IsUnspecified():
		host = reachableHost()
	}
	u := url.URL{Scheme: scheme, Host: net.JoinHostPort(host, fmt.Sprint(addr.Port))}
	if addr.Port == usual {
		u.Host = host
		if addr.IP.To4() == nil && host == addr.IP.String() {
			u.Host = "[" + host + "]"
		}
	}
	return u.String()
}

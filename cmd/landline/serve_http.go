package main

import (
	"context"
	"crypto/tls"
	"log"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// Limits of what a peer may hold open before it has upgraded to a WebSocket; the upgrade lifts all deadlines.
const (
	maxPending        = 4096 // connections
	maxHeaderBytes    = 16 << 10
	readHeaderTimeout = 5 * time.Second // the TLS handshake included
	readTimeout       = 10 * time.Second
	writeTimeout      = 2 * time.Minute // the web app over a slow line
	idleTimeout       = 15 * time.Second
)

// listen opens the port. Connections come as bare *net.TCPConn, which one vectored write per batch depends
// on; multipath TCP is off since socket options of a single path are set on them.
func listen(ctx context.Context, addr *net.TCPAddr) (net.Listener, error) {
	var config net.ListenConfig
	config.SetMultipathTCP(false)
	return config.Listen(ctx, "tcp", addr.String())
}

// newHTTPServer makes the server; certs is nil for plain HTTP. It never wraps the listener or a connection.
func newHTTPServer(handler http.Handler, certs *tls.Config, to *slog.Logger) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Server{
		Handler:           handler,
		TLSConfig:         certs,
		Protocols:         protocols,
		MaxHeaderBytes:    maxHeaderBytes,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		ErrorLog:          log.New(httpErrors{to}, "", 0),
		ConnState:         (&pending{max: maxPending, log: to}).observe,
	}
}

// pending counts connections that have not upgraded, and closes new ones over the cap.
type pending struct {
	max  int64
	log  *slog.Logger
	open atomic.Int64
	warn occasionally
}

// observe is the server's ConnState hook. A connection over the cap is closed before it is read; the
// server then finds it closed and says so, which takes it out of the count.
func (p *pending) observe(conn net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		if p.open.Add(1) > p.max {
			conn.Close()
			if p.warn.due(time.Now()) {
				p.log.Warn("connections over the cap were closed", "cap", p.max)
			}
		}
	case http.StateHijacked, http.StateClosed:
		p.open.Add(-1)
	}
}

// occasionally lets one in ten seconds through, so that peers cannot fill the log.
type occasionally struct{ next atomic.Int64 }

func (o *occasionally) due(now time.Time) bool {
	next := o.next.Load()
	return now.UnixNano() >= next && o.next.CompareAndSwap(next, now.Add(10*time.Second).UnixNano())
}

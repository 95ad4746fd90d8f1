package server

import (
	"bufio"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"unicode"

	"github.com/gorilla/websocket"

	"landline/signaling"
)

// readBuffer is gorilla's read buffer. Messages larger than it are read past it, straight into ours.
const readBuffer = 1024

var writeBuffers sync.Pool

// upgrade turns a request to /ws into a session. The handler returns at once, so that an idle session does not
// hold the HTTP server's buffers and stack.
func (s *Server) upgrade(w http.ResponseWriter, req *http.Request) {
	if err := s.checkOrigin(req); err != nil {
		http.Error(w, err.Error(), http.StatusForbidden)
		return
	}
	if !slices.Contains(websocket.Subprotocols(req), signaling.Subprotocol) {
		http.Error(w, "this is a WebSocket of subprotocol "+signaling.Subprotocol, http.StatusBadRequest)
		return
	}
	hijack := &hijacker{ResponseWriter: w}
	up := websocket.Upgrader{Subprotocols: []string{signaling.Subprotocol}, ReadBufferSize: readBuffer, WriteBufferPool: &writeBuffers,
		CheckOrigin: func(*http.Request) bool { return true }}
	ws, err := up.Upgrade(hijack, req, nil)
	if err != nil {
		return // answered, or the connection is gone
	}
	out, err := outputOf(hijack.conn.Conn)
	if err != nil {
		s.log.Error("no write side", "error", err)
		_ = ws.Close()
		return
	}
	ss := newSession(s, ws, hijack.conn, out, req.RemoteAddr)
	hijack.conn.heard, hijack.conn.hold = ss.hear, ss.standStill
	hijack.conn.upgraded = true
	why, ok := s.register(ss)
	if !ok {
		ss.cut()
		return
	}
	if why != nil {
		ss.end(why)
	}
	s.stats.sessions.Add(1)
	go ss.read()
}

// hijacker puts the meter between the socket and gorilla.
type hijacker struct {
	http.ResponseWriter
	conn *meteredConn
}

func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	hj, ok := h.ResponseWriter.(http.Hijacker)
	if !ok {
		return nil, nil, errors.New("this HTTP server cannot hand over its connection")
	}
	conn, brw, err := hj.Hijack()
	if err != nil {
		return nil, nil, err
	}
	h.conn = &meteredConn{Conn: conn, in: inputOf(conn)}
	return h.conn, brw, nil
}

// outputOf prepares the write side: without blocking where the system lets us.
func outputOf(conn net.Conn) (output, error) {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		if t, isTLS := conn.(*tls.Conn); isTLS {
			if inner, ok := t.NetConn().(*net.TCPConn); ok {
				_ = inner.SetNoDelay(true)
			}
		}
		return output{conn: conn}, nil
	}
	_ = tcp.SetNoDelay(true)
	raw, err := newNonBlocking(tcp)
	if errors.Is(err, errors.ErrUnsupported) {
		return output{conn: conn}, nil
	}
	return output{conn: conn, raw: raw}, err
}

// checkOrigin lets a browser in from the server's own pages and from those it was told of. Who sends no Origin
// is not a browser.
func (s *Server) checkOrigin(req *http.Request) error {
	values := req.Header.Values("Origin")
	if len(values) == 0 {
		return nil
	}
	origin := values[0]
	u, err := url.Parse(origin)
	ascii := strings.IndexFunc(origin, func(r rune) bool { return r > unicode.MaxASCII }) < 0 // a browser's always is
	if err == nil && ascii && len(values) == 1 && u.Host != "" && strings.EqualFold(origin, u.Scheme+"://"+u.Host) {
		if slices.ContainsFunc(s.cfg.Origins, func(o string) bool { return strings.EqualFold(o, origin) }) {
			return nil
		}
		own := u.Scheme == "https" || u.Scheme == "http" && req.TLS == nil
		if own && strings.EqualFold(hostPort(u.Scheme, u.Host), hostPort(u.Scheme, req.Host)) {
			return nil
		}
	}
	return errors.New("pages of this origin may not connect here; the operator can allow it with --allow-origin")
}

// hostPort adds the scheme's port where none is given.
func hostPort(scheme, host string) string {
	if _, _, err := net.SplitHostPort(host); err == nil {
		return host
	}
	if scheme == "https" {
		return net.JoinHostPort(strings.Trim(host, "[]"), "443")
	}
	return net.JoinHostPort(strings.Trim(host, "[]"), "80")
}

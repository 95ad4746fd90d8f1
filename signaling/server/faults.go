package server

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"strconv"
	"time"

	"landline/signaling"
)

// Faults are for tests, which cause them from outside: docs/operating.md lists them.

// fault lets the server's own machine cause one, and answers errors with the status that cause returns.
func (s *Server) fault(cause func(req *http.Request) (status int, why string)) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Connection", "close") // what is asked once leaves no connection behind
		if !fromLoopback(req) {
			http.Error(w, "only the server's own machine may cause faults", http.StatusForbidden)
			return
		}
		if status, why := cause(req); status != http.StatusNoContent {
			http.Error(w, why, status)
			return
		}
		s.log.Warn("a fault was asked for", "path", req.URL.Path)
		w.WriteHeader(http.StatusNoContent)
	}
}

// faultOn is a fault of one member's session.
func (s *Server) faultOn(cause func(ss *Session, req *http.Request) (status int, why string)) http.HandlerFunc {
	return s.fault(func(req *http.Request) (int, string) {
		s.mu.Lock()
		ss := s.current[memberKey{req.PathValue("room"), req.PathValue("member")}]
		s.mu.Unlock()
		if ss == nil {
			return http.StatusNotFound, "no member of this id has a session in this room"
		}
		return cause(ss, req)
	})
}

// cutUDP blocks UDP from now on, or lets it flow again.
func (s *Server) cutUDP(req *http.Request) (status int, why string) {
	cut, err := strconv.ParseBool(req.PathValue("cut"))
	switch {
	case err != nil:
		return http.StatusBadRequest, "cut is true or false"
	case s.cfg.WebRTC == nil:
		return http.StatusConflict, "this server has no WebRTC"
	}
	s.cfg.WebRTC.CutUDP(cut)
	return http.StatusNoContent, ""
}

// cutWebSocket resets a member's WebSocket.
func cutWebSocket(ss *Session, _ *http.Request) (status int, why string) {
	ss.reset()
	return http.StatusNoContent, ""
}

// maxStall is how long a session may be made to stand still.
const maxStall = time.Minute

// stallWebSocket has nothing read from or written to a member's WebSocket for so many milliseconds.
func stallWebSocket(ss *Session, req *http.Request) (status int, why string) {
	ms, err := strconv.ParseUint(req.PathValue("ms"), 10, 32)
	d := time.Duration(ms) * time.Millisecond
	if err != nil || d == 0 || d > maxStall {
		return http.StatusBadRequest, "ms is a number from 1 to " + strconv.FormatInt(maxStall.Milliseconds(), 10)
	}
	ss.stall(d)
	return http.StatusNoContent, ""
}

// forcePath has a member take what it receives by one path, or as it likes again.
func forcePath(ss *Session, req *http.Request) (status int, why string) {
	path := req.PathValue("path")
	switch {
	case path != signaling.PathWebRTC && path != signaling.PathWebSocket && path != signaling.PathAny:
		return http.StatusBadRequest, "path is webrtc, websocket or any"
	case ss.server.cfg.WebRTC == nil:
		return http.StatusConflict, "this server has no WebRTC"
	case len(ss.decodesRTC) == 0:
		return http.StatusConflict, "this member takes nothing by WebRTC"
	}
	ss.send(signaling.RTCForce{Type: "rtcForce", Path: path})
	return http.StatusNoContent, ""
}

// reset closes the socket in a way that the client sees as a reset, not as an end.
func (ss *Session) reset() {
	conn := ss.out.conn
	if t, ok := conn.(*tls.Conn); ok {
		conn = t.NetConn()
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	ss.cut()
}

// standstill is a time in which a session neither reads nor writes.
type standstill struct {
	over <-chan struct{}
	lift context.CancelFunc
}

// stall begins one; one that lasts is replaced.
func (ss *Session) stall(d time.Duration) {
	ctx, lift := context.WithTimeout(context.Background(), d)
	if before := ss.still.Swap(&standstill{ctx.Done(), lift}); before != nil {
		before.lift()
	}
	select {
	case <-ss.done: // and nobody will lift it any more
		lift()
	default:
	}
}

// stands reports whether the session stands still.
func (ss *Session) stands() bool {
	st := ss.still.Load()
	if st == nil {
		return false
	}
	select {
	case <-st.over:
		return false
	default:
		return true
	}
}

// standStill waits until the session may go on, or its socket is closed.
func (ss *Session) standStill() {
	for ss.stands() {
		<-ss.still.Load().over
	}
}

// goOn ends a standstill.
func (ss *Session) goOn() {
	if st := ss.still.Load(); st != nil {
		st.lift()
	}
}

package bench

import (
	"crypto/tls"
	"net"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// secured is a connection under TLS. It is read by a goroutine of its own, since Go's TLS cannot be asked for what
// has come so far.
type secured struct {
	m    *member
	w    *worker
	conn *tls.Conn
	hold chan struct{} // closed to end a pause
	rate float64       // bytes a second, 0: as it comes
}

// dialTLS connects beside the loop.
func dialTLS(w *worker, m *member) {
	s := &secured{m: m, w: w, hold: make(chan struct{})}
	m.line = s
	epoch := m.epoch
	dialer := net.Dialer{Timeout: joinTime}
	if m.spec.Role == slow {
		dialer.Control = func(_, _ string, raw syscall.RawConn) error {
			return raw.Control(func(fd uintptr) { _ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, smallBuffer) })
		}
	}
	host, _, err := net.SplitHostPort(w.relay.Host)
	if err != nil {
		host = w.relay.Host
	}
	config := &tls.Config{ServerName: host, InsecureSkipVerify: w.relay.Insecure, NextProtos: []string{"http/1.1"}}
	to := w.relay.Dial
	go func() {
		raw, err := dialer.Dial("tcp", to)
		var conn *tls.Conn
		if err == nil {
			conn = tls.Client(raw, config)
			_ = conn.SetDeadline(time.Now().Add(joinTime))
			if err = conn.Handshake(); err != nil {
				raw.Close()
			}
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		defer w.nudge()
		switch {
		case m.epoch != epoch:
			if err == nil {
				raw.Close()
			}
		case err != nil:
			m.lost("no connection: " + err.Error())
		default:
			_ = conn.SetDeadline(time.Time{})
			s.conn = conn
			m.opened()
			go s.read(epoch)
		}
	}()
}

// read hands what comes to the member until the connection ends.
func (s *secured) read(epoch int) {
	buf := make([]byte, 64<<10)
	var kept []byte
	began, total := time.Now(), 0
	for {
		limit := len(buf)
		if s.rate > 0 {
			limit = 4 << 10
			time.Sleep(time.Until(began.Add(time.Duration(float64(total) / s.rate * 1e9))))
		}
		n, err := s.conn.Read(buf[:limit])
		total += n
		at := now()
		s.w.mu.Lock()
		if s.m.epoch != epoch {
			s.w.mu.Unlock()
			return
		}
		kept = append(kept, buf[:n]...)
		kept = append(kept[:0], s.m.take(kept, at)...)
		if err != nil {
			s.m.lost("the connection broke: " + err.Error())
		}
		if s.m.spec.Role == slow && s.m.stage == inRoom && s.rate == 0 {
			s.rate, began, total = s.w.slowRate, time.Now(), 0
		}
		pausing := s.m.spec.Role == frozen && s.m.stage == inRoom
		s.w.nudge()
		s.w.mu.Unlock()
		if err != nil {
			return
		}
		if pausing {
			<-s.hold
			return
		}
	}
}

// send implements line. The relay always reads, so this does not block for long.
func (s *secured) send(b []byte) {
	if s.conn != nil {
		_, _ = s.conn.Write(b) // if the connection broke, reading will tell
	}
}

// pause implements line: the reader sees to it.
func (s *secured) pause() {}

// close implements line.
func (s *secured) close() {
	close(s.hold)
	if s.conn != nil {
		_ = s.conn.NetConn().Close()
	}
}

// nudge makes the loop look at its agenda, which something beside it has changed.
func (w *worker) nudge() {
	if at, ok := w.agenda.next(); ok {
		w.loop.arm(at)
	}
	if w.over {
		w.loop.arm(now())
	}
}

package client

import (
	"net"
	"sync"
	"sync/atomic"
	"time"

	"landline/signaling"
)

// link is the TCP connection below a WebSocket. It gives up when nothing at all comes for
// signaling.DeadTimeout, and collects what is written until flush, so that many messages go with one system call.
// Write and flush may be called by two goroutines: gorilla's reader writes a close frame when it finds a fault.
type link struct {
	net.Conn
	until atomic.Int64 // ns since 1970: reading ends here at the latest; 0 = never
	held  bool         // writes wait for flush; set before there are two goroutines

	mu  sync.Mutex
	buf []byte
}

const linkBuffer = 64 << 10

func (l *link) Read(p []byte) (int, error) {
	deadline := time.Now().Add(signaling.DeadTimeout)
	if u := l.until.Load(); u != 0 && u < deadline.UnixNano() {
		deadline = time.Unix(0, u)
	}
	if err := l.SetReadDeadline(deadline); err != nil {
		return 0, err
	}
	return l.Conn.Read(p)
}

func (l *link) Write(p []byte) (int, error) {
	if !l.held {
		return l.Conn.Write(p)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.buf = append(l.buf, p...)
	if len(l.buf) < linkBuffer {
		return len(p), nil
	}
	if err := l.send(signaling.DeadTimeout); err != nil {
		return 0, err
	}
	return len(p), nil
}

// flush sends what was collected. A peer that takes nothing for signaling.DeadTimeout is taken for dead.
func (l *link) flush() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.send(signaling.DeadTimeout)
}

// send writes the buffer within d. Called with mu held.
func (l *link) send(d time.Duration) error {
	if len(l.buf) == 0 {
		return nil
	}
	if err := l.SetWriteDeadline(time.Now().Add(d)); err != nil {
		return err
	}
	_, err := l.Conn.Write(l.buf)
	l.buf = l.buf[:0]
	return err
}

// last flushes within d, whatever comes of it: the connection ends.
func (l *link) last(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = l.send(d)
}

// endBy makes reading end after d, whatever comes.
func (l *link) endBy(d time.Duration) {
	at := time.Now().Add(d)
	l.until.Store(at.UnixNano())
	_ = l.SetReadDeadline(at) // for a Read that waits already; its own error will tell
}

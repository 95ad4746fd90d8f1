package server

import (
	"errors"
	"io"
	"net"
	"time"

	"landline/media"
	"landline/signaling"
)

// meteredConn stands between gorilla and the socket, on the reading side alone: it sees every byte that comes,
// also those of pings and of empty fragments, for which gorilla has no budget. What gorilla writes after the
// upgrade goes nowhere, since the session has one writer.
type meteredConn struct {
	net.Conn
	in       io.Reader // Conn, or a cheaper way to read from it
	heard    func()
	hold     func() // waits while the session stands still
	upgraded bool
	wire     int // bytes since the last whole message; the reader's
}

// fragmentBudget is how many bytes on the wire one message may take, headers of fragments included.
const fragmentBudget = 2*signaling.MaxControl + 8<<10

var errFragmentFlood = errors.New("a message in too many fragments")

func (c *meteredConn) Read(p []byte) (int, error) {
	n, err := c.in.Read(p)
	if !c.upgraded {
		return n, err
	}
	if n > 0 {
		c.hold()
		c.heard()
	}
	if c.wire += n; c.wire > fragmentBudget {
		return 0, errFragmentFlood
	}
	return n, err
}

func (c *meteredConn) Write(p []byte) (int, error) {
	if c.upgraded {
		return len(p), nil
	}
	return c.Conn.Write(p)
}

// bucket is a token bucket: rate tokens a second, at most burst of them.
type bucket struct {
	rate, burst, tokens float64
	at                  time.Time
}

func newBucket(rate, burst float64) bucket {
	return bucket{rate: rate, burst: burst, tokens: burst, at: time.Now()}
}

// take uses n tokens and returns how long to wait until the bucket is not overdrawn.
func (b *bucket) take(n float64) time.Duration {
	now := time.Now()
	b.tokens = min(b.burst, b.tokens+b.rate*now.Sub(b.at).Seconds()) - n
	b.at = now
	if b.tokens >= 0 {
		return 0
	}
	return time.Duration(-b.tokens / b.rate * float64(time.Second))
}

// stride sees whether an acknowledgement moves on far enough to be no more than what its data costs.
type stride struct{ at uint64 }

// freeAck is how many bytes an ack has to tell of not to be held against the rate of messages: at that rate, and no faster, a session could otherwise be
// sent media or a recording.
const freeAck = 64 << 10

// to takes the next acknowledged total, and tells whether it is one that costs nothing.
func (s *stride) to(total uint64) bool {
	moved := total - s.at
	s.at = total
	return moved >= freeAck
}

// giveBack returns n tokens.
func (b *bucket) giveBack(n float64) { b.tokens = min(b.burst, b.tokens+n) }

// What one session may send; see docs/protocol.md section 13.
const (
	byteRate     = 8 << 20 // bytes a second, twice that at once
	messageRate  = 3000    // a second, twice that at once
	textRate     = 200     // control messages a second, five times that at once
	offerRate    = 4       // tracks a second, offerBurst at once: their aliases are the whole server's
	offerBurst   = 64
	pingRate     = 5
	pingBurst    = 20
	fullestFrame = media.MaxMessageSize
)

// readMessage reads a message of at most limit bytes into buf's memory, which grows as bytes come.
func readMessage(r io.Reader, buf []byte, limit int) ([]byte, error) {
	buf = buf[:0]
	for {
		if len(buf) == cap(buf) {
			if len(buf) > limit {
				return buf, nil
			}
			buf = append(buf, 0)[:len(buf)]
		}
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if err == io.EOF {
			return buf, nil
		}
		if err != nil {
			return buf, err
		}
	}
}

package impair

import (
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"time"
)

// way carries one direction of a connection.
type way struct {
	conn     *conn
	from, to *net.TCPConn
	kick     chan struct{} // the writer has something to look at
	roomy    chan struct{} // there may be space in the queue
	cut      slicer        // of the writer

	mu    sync.Mutex
	link  Link
	lane  lane
	reset bool // the source ended with a reset
}

func newWay(c *conn, from, to *net.TCPConn, link Link, seed, stream uint64) *way {
	return &way{conn: c, from: from, to: to, link: link, kick: make(chan struct{}, 1), roomy: make(chan struct{}, 1),
		lane: lane{chance: rand.New(rand.NewPCG(seed, 2*stream))}, cut: slicer{chance: rand.New(rand.NewPCG(seed, 2*stream+1))}}
}

// tell leaves word on a channel that has room for one.
func tell(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func (w *way) set(l Link) {
	w.mu.Lock()
	w.link = l
	w.mu.Unlock()
	tell(w.kick)
	tell(w.roomy)
}

func (w *way) held() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.lane.queue.bytes + w.lane.flight.bytes
}

// read fills the queue until the source ends.
func (w *way) read() {
	const unasked = time.Millisecond // a read that takes no longer found its bytes waiting
	buf := make([]byte, mostPiece)
	for {
		n, waited := w.space()
		if n == 0 {
			return
		}
		asked := time.Now()
		n, err := w.from.Read(buf[:min(n, len(buf))])
		backlog := waited && time.Since(asked) < unasked
		now, _ := w.conn.clock.now()
		w.mu.Lock()
		if n > 0 {
			w.lane.push(slices.Clone(buf[:n]), now, backlog)
		}
		if err != nil {
			w.lane.end(now)
			w.reset = !errors.Is(err, io.EOF)
		}
		w.mu.Unlock()
		tell(w.kick)
		if err != nil {
			return
		}
	}
}

// space waits until there is space in the queue; 0 means that the connection is gone.
func (w *way) space() (n int, waited bool) {
	for {
		w.mu.Lock()
		n = w.lane.space(w.link)
		w.mu.Unlock()
		if n > 0 {
			return n, waited
		}
		waited = true
		select {
		case <-w.roomy:
		case <-w.conn.gone:
			return 0, true
		}
	}
}

// write passes on what comes out, until the end has.
func (w *way) write() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	out := make([]byte, 0, mostPiece)
	for {
		var over bool
		var wait time.Duration
		out, wait, over = w.step(out[:0])
		switch {
		case over && w.reset: // the reader that set it has ended
			w.conn.abort()
			return
		case over:
			_ = w.to.CloseWrite() // of a socket that may be gone
			return
		case len(out) > 0:
			if err := w.put(out); err != nil {
				w.conn.abort()
				return
			}
			continue
		}
		timer.Reset(wait)
		select {
		case <-w.kick:
		case <-timer.C:
		case <-w.conn.gone:
			return
		}
	}
}

// step gives what has come out, or how long to wait for more.
func (w *way) step(out []byte) (_ []byte, wait time.Duration, over bool) {
	now, still := w.conn.clock.now()
	if still {
		return out, w.conn.clock.ends(), false
	}
	w.mu.Lock()
	out, next := w.lane.step(now, w.link, out)
	over = len(out) == 0 && w.lane.over(now, w.link)
	w.mu.Unlock()
	tell(w.roomy)
	return out, next - now, over
}

// put writes, in slices where the link says so.
func (w *way) put(out []byte) error {
	w.mu.Lock()
	most := w.link.Slice
	w.mu.Unlock()
	for len(out) > 0 {
		n := w.cut.next(len(out), most)
		if _, err := w.to.Write(out[:n]); err != nil {
			return err
		}
		out = out[n:]
	}
	return nil
}

package impair

import (
	"math/rand/v2"
	"time"
)

// lane is one direction of a connection: what waits and what is under way. Time is an argument: that of the path, which stands
// still in a stall.
type lane struct {
	chance *rand.Rand

	queue  fifo          // has arrived
	open   int           // bytes of queue that are not held back
	since  time.Duration // when the first byte that is held back came
	free   time.Duration // when the transmitter is free
	flight fifo          // was transmitted, and comes out at its time
	last   time.Duration // when the newest in flight comes out

	ended   bool // nothing more will arrive
	endedAt time.Duration
}

// fifo is bytes in order, each span with a time.
type fifo struct {
	spans []span
	bytes int
}

type span struct {
	data []byte
	at   time.Duration
}

func (f *fifo) put(data []byte, at time.Duration) {
	f.spans = append(f.spans, span{data, at})
	f.bytes += len(data)
}

// take takes up to n bytes of the first span.
func (f *fifo) take(n int) []byte {
	s := &f.spans[0]
	data := s.data[:min(n, len(s.data))]
	s.data = s.data[len(data):]
	if len(s.data) == 0 {
		f.spans[0] = span{}
		f.spans = f.spans[1:]
	}
	f.bytes -= len(data)
	return data
}

// space is how many bytes the queue takes now.
func (q *lane) space(l Link) int { return l.queue() - q.queue.bytes }

// push takes what has arrived. What a sender had ready before there was space is backlog: the transmitter goes on without a pause.
func (q *lane) push(data []byte, now time.Duration, backlog bool) {
	if q.open == q.queue.bytes {
		q.since = now
	}
	at := now
	if backlog {
		at = 0
	}
	q.queue.put(data, at)
}

// end says that nothing more will arrive.
func (q *lane) end(now time.Duration) { q.ended, q.endedAt = true, now }

// over reports whether all has come out, and the end itself.
func (q *lane) over(now time.Duration, l Link) bool {
	return q.ended && q.queue.bytes+q.flight.bytes == 0 && now >= q.last && now >= q.endedAt+l.Delay
}

// step appends to out what has come out by now, a piece or more up to mostPiece bytes, and tells when to look again; never
// if that depends on what arrives.
func (q *lane) step(now time.Duration, l Link, out []byte) (_ []byte, next time.Duration) {
	next = q.release(now, l)
	for q.open > 0 && q.flight.bytes < l.flight() {
		start := max(q.free, q.queue.spans[0].at, now-slack)
		if start > now {
			next = min(next, start)
			break
		}
		piece := q.queue.take(min(q.open, l.piece()))
		q.open -= len(piece)
		q.free = start + l.takes(len(piece))
		q.last = max(q.last, q.free+l.Delay+q.jitter(l))
		q.flight.put(piece, q.last)
	}
	for len(q.flight.spans) > 0 {
		if at := q.flight.spans[0].at; at > now || len(out) > 0 && len(out)+len(q.flight.spans[0].data) > mostPiece {
			return out, min(next, max(at, now))
		}
		out = append(out, q.flight.take(mostPiece)...)
	}
	if q.ended && q.queue.bytes == 0 {
		next = min(next, max(now, q.last, q.endedAt+l.Delay))
	}
	return out, next
}

// never is later than any time of a path.
const never = time.Duration(1<<63 - 1)

// release lets go of what is held back when it is time, and tells when that is.
func (q *lane) release(now time.Duration, l Link) time.Duration {
	held := q.queue.bytes - q.open
	hold := l.Hold > 0 || l.HoldFor > 0
	switch {
	case held == 0:
	case !hold, q.ended, q.space(l) <= 0, l.Hold > 0 && held >= l.Hold, l.HoldFor > 0 && now-q.since >= l.HoldFor:
		q.open = q.queue.bytes
	case l.HoldFor > 0:
		return q.since + l.HoldFor
	}
	return never
}

func (q *lane) jitter(l Link) time.Duration {
	if l.Jitter == 0 {
		return 0
	}
	return time.Duration(q.chance.Int64N(int64(l.Jitter) + 1))
}

// slicer cuts a stream into slices of 1 to n bytes. Where it cuts depends on the seed and the bytes before alone.
type slicer struct {
	chance *rand.Rand
	left   int // bytes to the next cut
}

// next is how many of the n bytes at hand are written at once, if most bytes may be.
func (s *slicer) next(n, most int) int {
	if most == 0 {
		return n
	}
	if s.left == 0 {
		s.left = 1 + s.chance.IntN(most)
	}
	n = min(n, s.left)
	s.left -= n
	return n
}

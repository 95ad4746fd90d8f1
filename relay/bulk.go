package relay

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"landline/media"
	"landline/relay/rate"
)

// Bulk is the last class: bytes of objects that wait for a link, in order. Nothing of it is dropped, since whoever fills it
// keeps to a credit. It goes after everything live, but gets a tenth of the link at least.
type bulk struct {
	waits atomic.Bool

	mu    sync.Mutex
	queue []Message // of media.KindObject
	taken int       // payload bytes of the first that were taken
	bytes int       // payload bytes that wait
}

// push adds a chunk. b.mu is held.
func (b *bulk) push(m Message) {
	b.queue = append(b.queue, m)
	b.bytes += len(m.Data) - media.ObjectHeaderSize
	b.waits.Store(true)
}

// clear forgets what waits. b.mu is held.
func (b *bulk) clear() {
	b.queue, b.taken, b.bytes = nil, 0, 0
	b.waits.Store(false)
}

// take gives the next chunk, or of a longer one a piece of about so many bytes.
func (b *bulk) take(most int) (m Message, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.queue) == 0 {
		return m, false
	}
	m = b.queue[0]
	rest := len(m.Data) - media.ObjectHeaderSize - b.taken
	n := max(most-media.ObjectHeaderSize, media.LeastObjectChunk)
	if n+media.LeastObjectChunk > rest {
		n = rest // no crumbs
	}
	if b.taken > 0 || n < rest {
		c, err := media.ParseObject(m.Data)
		if err != nil {
			panic("relay: " + err.Error()) // it was parsed before it was queued
		}
		c.Offset += uint64(b.taken)
		c.Payload = c.Payload[b.taken : b.taken+n]
		c.Last = c.Last && n == rest
		m = Message{Data: c.Append(make([]byte, 0, media.ObjectHeaderSize+n))}
	}
	b.taken += n
	b.bytes -= n
	if n == rest {
		b.queue[0] = Message{}
		if b.queue, b.taken = b.queue[1:], 0; len(b.queue) == 0 {
			b.queue = nil
			b.waits.Store(false)
		}
	}
	return m, true
}

// left is how many payload bytes wait.
func (b *bulk) left() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.bytes
}

// Of what else goes over a link while bulk waits, it is owed one part in bulkShare, so that it gets a tenth of all.
const bulkShare = 9

// bulkPiece is what bulk must be owed to go before the others.
const bulkPiece = rate.MinChunk

// addBulk begins to send what waits in b.
func (s *Subscriber) addBulk(b *bulk) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed && !slices.Contains(s.bulks, b) {
		s.bulks = append(s.bulks, b)
	}
}

func (s *Subscriber) removeBulk(b *bulk) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bulks = slices.DeleteFunc(s.bulks, func(other *bulk) bool { return other == b })
}

// bulkReady is called when something was queued, and reports whether the session must be told.
func (s *Subscriber) bulkReady() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.link.Room() <= 0 {
		s.link.Wait(s.now())
	}
	return s.bulkWaits() && s.wake(false)
}

func (s *Subscriber) bulkWaits() bool {
	return slices.ContainsFunc(s.bulks, func(b *bulk) bool { return b.waits.Load() })
}

// Before a link was seen full bulk feels its way, so that what it fills the path with does not hold up sound that begins
// meanwhile: pieces of bulkFirst, and no more in flight than twice what the best rate so far brings through.
const (
	bulkFirst = 4 << 10
	bulkQueue = 35 * time.Millisecond // on top of the round trip
)

// bulkPieceNow is how long a piece may be.
func (s *Subscriber) bulkPieceNow(now time.Duration) int {
	c := s.link.Capacity(now)
	if c == 0 {
		return max(bulkFirst, share(s.link.Rate(), batchTime))
	}
	return max(min(share(c, chunkTime), rate.MinChunk), share(c, batchTime))
}

// bulkRoom reports whether a piece may go now, as far as that is up to bulk. On a thin link there is one under way at a time.
func (s *Subscriber) bulkRoom(now time.Duration) bool {
	c := s.link.Capacity(now)
	switch {
	case c == 0:
		through := s.link.RTT() + s.link.AckEvery(now) + bulkQueue
		return s.link.InFlight() < max(bulkFirst, 2*share(s.link.Rate(), through))
	case c < thinLink:
		return s.link.InFlight() < s.bulkPieceNow(now)
	}
	return true
}

// bulkMore reports whether there is bulk that may go now, and notes that it waits where it may not.
func (s *Subscriber) bulkMore(now time.Duration) bool {
	if !s.bulkWaits() {
		return false
	}
	if s.bulkRoom(now) {
		return true
	}
	s.link.Wait(now)
	return false
}

// takeBulk takes one piece of the stream whose turn it is, and returns its size: 0 if none waits, or there is no room.
func (s *Subscriber) takeBulk(p *pulling) int {
	if !s.bulkMore(p.now) {
		return 0
	}
	for i, b := range s.bulks {
		m, ok := b.take(s.bulkPieceNow(p.now))
		if !ok {
			continue
		}
		s.bulks = append(append(s.bulks[:i:i], s.bulks[i+1:]...), b)
		n := len(m.Data)
		p.budget -= n
		s.link.Sent(n, p.now)
		s.totals.ObjectBytesOut.Add(uint64(n))
		p.out = append(p.out, Out{Message: m})
		return n
	}
	return 0
}

// takeOwed takes a piece of bulk before all else when it is owed one.
func (s *Subscriber) takeOwed(p *pulling) bool {
	if s.owed < bulkPiece {
		return false
	}
	n := s.takeBulk(p)
	s.owed -= n
	return n > 0
}

// owe notes what went before bulk.
func (s *Subscriber) owe(n int) {
	if !s.bulkWaits() {
		s.owed = min(s.owed, 0)
		return
	}
	s.owed = min(s.owed+max(n, 0)/bulkShare, media.MaxMessageSize)
}

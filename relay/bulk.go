package relay

import (
	"math"
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

// Bulk feels its way, so that what it fills the path with does not hold up sound: pieces of bulkFirst until the link was seen full, and no more in
// flight than half of what came through since it began without a queue on the path. Where none went for bulkRest it begins anew: the link may
// be thinner by now, of which sound alone tells nothing.
const (
	bulkFirst  = 4 << 10
	bulkRest   = time.Second
	bulkQueued = 25 * time.Millisecond // so much later than the quickest is what stands in a queue
	bulkQueue  = 35 * time.Millisecond // may stand on the path besides what a round trip takes
)

// feeling is how far bulk has felt its way.
type feeling struct {
	at      time.Duration // when some last went
	through int           // bytes of all that came through since it began, where nothing stood in a queue
	acked   uint64        // when that was last looked at
}

// bulkPieceNow is how long a piece may be.
func (s *Subscriber) bulkPieceNow(now time.Duration) int {
	c := s.link.Capacity(now)
	if c == 0 {
		return max(bulkFirst, share(s.link.Rate(), batchTime))
	}
	return max(min(share(c, chunkTime), rate.MinChunk), share(c, batchTime))
}

// bulkRoom reports whether a piece may go now, as far as that is up to bulk.
func (s *Subscriber) bulkRoom(now time.Duration) bool {
	return s.link.InFlight() < s.bulkFelt(now) && s.bulkRoomBeside(now)
}

// bulkRoomBeside is bulkRoom for what bulk is owed: on a thin link there is one piece under way at a time.
func (s *Subscriber) bulkRoomBeside(now time.Duration) bool {
	c := s.link.Capacity(now)
	return c == 0 || c >= thinLink || s.link.InFlight() < s.bulkPieceNow(now)
}

// bulkFelt is how much may be in flight. Where nothing else is sent, nothing is held up.
func (s *Subscriber) bulkFelt(now time.Duration) int {
	f := &s.felt
	_, acked := s.link.Total()
	if f.at == 0 || now-f.at > bulkRest {
		f.through = 0
	} else if s.link.Delay() < bulkQueued {
		f.through += int(acked - f.acked)
	}
	f.acked = acked
	most := math.MaxInt
	if len(s.feeds) > 0 {
		most = bulkFirst + f.through/2
	}
	if s.link.Capacity(now) == 0 {
		most = min(most, 2*share(s.link.Rate(), s.link.RTT()+s.link.AckEvery(now)+bulkQueue))
	}
	return max(bulkFirst, most)
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

// takeBulk takes one piece, where there is room, and reports whether it did.
func (s *Subscriber) takeBulk(p *pulling) bool { return s.bulkMore(p.now) && s.takePiece(p) > 0 }

// takePiece takes one piece of the stream whose turn it is, and returns its size: 0 if none waits.
func (s *Subscriber) takePiece(p *pulling) int {
	for i, b := range s.bulks {
		m, ok := b.take(s.bulkPieceNow(p.now))
		if !ok {
			continue
		}
		s.bulks = append(append(s.bulks[:i:i], s.bulks[i+1:]...), b)
		n := len(m.Data)
		p.budget -= n
		s.link.Sent(n, p.now)
		s.felt.at = p.now
		s.behind, _ = s.link.Total()
		s.totals.ObjectBytesOut.Add(uint64(n))
		p.out = append(p.out, Out{Message: m})
		return n
	}
	return 0
}

// takeOwed takes a piece of bulk before all else when it is owed one.
func (s *Subscriber) takeOwed(p *pulling) bool {
	if s.owed < bulkPiece || !s.bulkRoomBeside(p.now) {
		return false
	}
	n := s.takePiece(p)
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

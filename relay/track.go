package relay

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"landline/media"
)

// Track is one published stream of a Member.
type Track struct {
	relay  *Relay
	room   *Room
	member *Member
	alias  uint16
	class  Class

	info  atomic.Pointer[TrackInfo] // replaced under Room.mu
	feeds atomic.Pointer[[]*feed]   // replaced under Room.mu
	group atomic.Pointer[group]     // the current group, for those who join late; video only
	atUs  atomic.Int64              // newest timestamp, unwrapped
	keys  keyAsker

	frames, bytes, keyFrames atomic.Uint64

	mu     sync.Mutex // the order of writes, and what is below
	writer *Publisher // of the session that may write
	seq    uint64
	pos    position
	at     time.Duration // when atUs was last set
}

// position is where a track's stream of chunks stands.
type position struct {
	begun   bool // any group was seen
	group   uint32
	frame   uint16 // next frame of group, or the one that is open
	open    bool   // a frame was begun and not finished
	offset  uint32 // of the open frame
	length  uint32 // the open frame's announced length; 0 = unknown
	dead    bool   // the rest of group was abandoned, or broke off
	wrapped bool   // frame came round: group is full
	ended   bool
}

// group is the current group as far as it has come. A new value is stored with every item; items share one
// backing array that only grows, so that a reader's slice never changes.
type group struct {
	items  []*item
	bytes  int
	frames uint16
}

func (g *group) over() bool { return g.items[len(g.items)-1].kind == media.KindAbandon }

// OrderError says how a publisher broke the order of a track (docs/protocol.md section 5.1).
type OrderError struct{ What string }

func (e *OrderError) Error() string { return "chunk out of order: " + e.What }

// follow checks that a chunk comes next, and moves on. ok is false for a chunk that is to be ignored: it belongs to
// a group that was given up. After an error p is of no use.
func (p *position) follow(c *media.Chunk, video bool) (ok bool, err error) {
	h := &c.ChunkHeader
	if h.Offset == 0 {
		if ok, err := p.beginFrame(h, video); !ok || err != nil {
			return ok, err
		}
	} else {
		if !p.open && (!p.begun || p.dead && h.Group >= p.group) {
			return false, nil // of a frame whose beginning was ignored
		}
		if !p.open || h.Group != p.group || h.Frame != p.frame || h.Offset != p.offset {
			return false, &OrderError{fmt.Sprintf("a piece at offset %d of group %d frame %d, where %s", h.Offset, h.Group, h.Frame, p.String())}
		}
	}
	p.offset = h.Offset + uint32(len(c.Payload))
	if p.length != 0 && (p.offset > p.length || h.Last && p.offset != p.length) {
		return false, &OrderError{fmt.Sprintf("a frame of %d bytes that was announced with %d", p.offset, p.length)}
	}
	if h.Last {
		p.open = false
		p.frame++
		p.wrapped = p.frame == 0
	}
	return true, nil
}

func (p *position) beginFrame(h *media.ChunkHeader, video bool) (ok bool, err error) {
	switch {
	case p.open:
		return false, &OrderError{fmt.Sprintf("group %d frame %d begins, where %s", h.Group, h.Frame, p.String())}
	case !p.begun || h.Group > p.group:
		if h.Frame != 0 || !h.Key {
			if p.dead || !p.begun {
				return false, nil // the tail of something lost in a reconnect
			}
			return false, &OrderError{fmt.Sprintf("group %d begins with frame %d, key %v", h.Group, h.Frame, h.Key)}
		}
		*p = position{begun: true, group: h.Group}
	case p.dead && h.Group == p.group:
		return false, nil
	case h.Group < p.group || h.Frame != p.frame || p.wrapped || !video:
		return false, &OrderError{fmt.Sprintf("group %d frame %d begins, where %s", h.Group, h.Frame, p.String())}
	}
	p.open = true
	p.length = 0
	if video {
		p.length = h.Length()
	}
	return true, nil
}

func (p *position) String() string {
	if p.open {
		return fmt.Sprintf("group %d frame %d is open at %d", p.group, p.frame, p.offset)
	}
	return fmt.Sprintf("group %d frame %d comes next", p.group, p.frame)
}

// write appends a chunk and queues it with all subscribers. wakes collects those whose session must be
// told, asks whether a closed gate wants a key frame.
func (t *Track) write(p *Publisher, c *media.Chunk, m Message, wakes *[]*Subscriber) (asks bool, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.pos.ended || t.writer != p {
		return false, nil
	}
	pos := t.pos
	ok, err := pos.follow(c, t.class != ClassAudio)
	if !ok || err != nil {
		return false, err
	}
	t.pos = pos
	it := &item{Message: m, seq: t.seq, kind: media.KindChunk, head: c.ChunkHeader}
	t.seq++
	now := t.relay.now()
	t.count(it, now)
	t.keep(it)
	return t.pass(it, now, wakes), nil
}

func (t *Track) count(it *item, now time.Duration) {
	t.bytes.Add(uint64(len(it.Data)))
	t.relay.totals.BytesIn.Add(uint64(len(it.Data)))
	if it.head.Last {
		t.frames.Add(1)
		t.relay.totals.FramesIn.Add(1)
	}
	if it.begins() {
		t.atUs.Store(unwrap(t.atUs.Load()+(now-t.at).Microseconds(), it.head.Timestamp))
		t.at = now
		if it.head.Key && t.class != ClassAudio {
			t.keyFrames.Add(1)
			t.keys.came()
		}
	}
}

// unwrap gives the 64-bit clock value nearest to where the clock should be that has these low 32 bits.
func unwrap(should int64, low uint32) int64 { return should + int64(int32(low-uint32(should))) }

// keep adds an item to the current group. A group over its caps is not kept: those who join late wait.
func (t *Track) keep(it *item) {
	if t.class == ClassAudio {
		return
	}
	g := t.group.Load()
	if it.opensGroup() {
		g = &group{}
	} else if g == nil {
		return
	}
	next := &group{items: append(g.items, it), bytes: g.bytes + len(it.Data), frames: g.frames}
	if it.begins() {
		next.frames++
	}
	if next.bytes > groupBytes || next.frames > groupFrames || len(next.items) > groupItems {
		next = nil
	}
	t.group.Store(next)
}

// pass queues an item with every subscriber.
func (t *Track) pass(it *item, now time.Duration, wakes *[]*Subscriber) (asks bool) {
	for _, f := range *t.feeds.Load() {
		wake, ask := f.sub.pushItem(f, it, now)
		if wake {
			*wakes = append(*wakes, f.sub)
		}
		asks = asks || ask
	}
	return asks
}

// handTo makes p the one that may write. What an earlier session of the member still writes is ignored.
func (t *Track) handTo(p *Publisher) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.writer = p
}

// giveUp takes the publisher's Abandon of a group.
func (t *Track) giveUp(by *Publisher, group uint32, wakes *[]*Subscriber) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if p := &t.pos; t.writer == by && p.begun && !p.ended && !p.dead && group == p.group {
		t.abandon(media.DropPublisher, wakes)
	}
}

// finish appends End.
func (t *Track) finish(why media.EndReason, wakes *[]*Subscriber) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.pos.ended {
		return
	}
	if t.pos.open { // the frame that is open will never be whole
		t.abandon(media.DropPublisher, wakes)
	}
	t.pos.ended = true
	t.append(media.Control{Kind: media.KindEnd, Code: byte(why), Alias: t.alias, Group: t.pos.group, Frame: t.pos.frame}, wakes)
}

// abandon gives up the rest of the current group.
func (t *Track) abandon(why media.DropReason, wakes *[]*Subscriber) {
	t.pos.dead, t.pos.open = true, false
	t.append(media.Control{Kind: media.KindAbandon, Code: byte(why), Alias: t.alias, Group: t.pos.group, Frame: t.pos.frame}, wakes)
}

func (t *Track) append(c media.Control, wakes *[]*Subscriber) {
	it := controlItem(c)
	it.seq = t.seq
	t.seq++
	if c.Kind == media.KindAbandon {
		t.keep(it)
	}
	t.pass(it, t.relay.now(), wakes)
}

// interrupt is called when the publisher's session was lost: what was under way will not be finished.
func (t *Track) interrupt(wakes *[]*Subscriber) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.writer = nil
	if p := &t.pos; p.begun && !p.ended && !p.dead && (p.open || t.class != ClassAudio) {
		t.abandon(media.DropLost, wakes)
	}
}

// snapshot is the track as others are told of it now.
func (t *Track) snapshot() TrackInfo {
	info := *t.info.Load()
	if t.bytes.Load() > 0 {
		info.AtUs = t.atUs.Load()
	}
	return info
}

// keyAsker coalesces key-frame requests of one track: the first goes at once, then at most one per
// keyInterval; those of closed gates at most gatesPerMinute.
type keyAsker struct {
	mu      sync.Mutex
	last    time.Duration
	asked   bool // ever
	pending *time.Timer
	gates   [gatesPerMinute]time.Duration
	gate    int
}

const (
	keyInterval    = 500 * time.Millisecond
	gatesPerMinute = 10
)

// ask reports whether to send a request now. Otherwise later, if not nil, is to be called when the time has
// come (unless a key frame came).
func (k *keyAsker) ask(now time.Duration, gate bool, later func()) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.pending != nil {
		return false
	}
	if gate {
		oldest := k.gates[k.gate]
		if oldest != 0 && now-oldest < time.Minute {
			return false
		}
		k.gates[k.gate] = max(now, 1)
		k.gate = (k.gate + 1) % gatesPerMinute
	}
	if k.asked && now-k.last < keyInterval {
		k.pending = time.AfterFunc(keyInterval-(now-k.last), later)
		return false
	}
	k.asked, k.last = true, now
	return true
}

// due is called when a put-off request comes due, and reports whether it still stands.
func (k *keyAsker) due(now time.Duration) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.pending == nil {
		return false
	}
	k.pending, k.last = nil, now
	return true
}

// came is called when a key frame came: what was put off is answered.
func (k *keyAsker) came() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.pending != nil {
		k.pending.Stop()
		k.pending = nil
	}
}

// askKeyFrame passes the request of a closed gate on to the publisher, if it can make a key frame and has
// not been asked just now.
func (t *Track) askKeyFrame() {
	if t.mayAsk(true) {
		t.askLater()
	}
}

// askNow does so for somebody who cannot wait: a join without a current group, a decoder that failed.
// Called under Room.mu.
func (t *Track) askNow(wakes *[]*Subscriber) {
	if t.frames.Load() > 0 && t.mayAsk(false) {
		t.member.tellLocked(t.askEvent(), wakes)
	}
}

func (t *Track) mayAsk(gate bool) bool {
	if !t.info.Load().KeyOnRequest || t.class == ClassAudio {
		return false
	}
	return t.keys.ask(t.relay.now(), gate, func() {
		if t.keys.due(t.relay.now()) {
			t.askLater()
		}
	})
}

func (t *Track) askLater() {
	t.room.change(func(wakes *[]*Subscriber) { t.member.tellLocked(t.askEvent(), wakes) })
}

func (t *Track) askEvent() *Event {
	t.relay.totals.Asks.Add(1)
	return &Event{Kind: Feedback, Member: t.member.id, Track: TrackInfo{Offer: Offer{ID: t.info.Load().ID}}}
}

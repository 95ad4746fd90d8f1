package relay

import (
	"sync/atomic"
	"time"

	"landline/media"
)

// MaxLayers is how many layers a track may have.
const MaxLayers = 3

// Layer is one rendition of a Track: a stream of chunks under an alias of its own.
type Layer struct {
	track *Track
	index int // in the track, in order of rising height
	alias uint16

	group  atomic.Pointer[group] // the current group, for those who join late; video only
	rate   atomic.Int64          // bytes a second of late; 0 before one is known
	lastAt atomic.Int64          // when a chunk last came
	keys   keyAsker

	frames, bytes, keyFrames atomic.Uint64

	// Guarded by Track.mu.
	seq   uint64
	pos   position
	meter meter
}

// layerSet holds the indices of layers.
type layerSet uint32

func only(i int) layerSet { return 1 << i }

func (s layerSet) has(i int) bool { return s&only(i) != 0 }

// flags gives the set as one flag for each of n layers.
func (s layerSet) flags(n int) []bool {
	list := make([]bool, n)
	for i := range list {
		list[i] = s.has(i)
	}
	return list
}

// group is the current group as far as it has come. A new value is stored with every item; items share one
// backing array that only grows, so that a reader's slice never changes.
type group struct {
	items  []*item
	bytes  int
	frames uint16
}

func (g *group) over() bool { return g.items[len(g.items)-1].kind == media.KindAbandon }

// write appends a chunk and queues it with all subscribers that take the layer. wakes collects those whose session must be
// told, asks whether a closed gate wants a key frame.
func (l *Layer) write(p *Publisher, c *media.Chunk, m Message, wakes *[]*Subscriber) (asks bool, err error) {
	t := l.track
	t.mu.Lock()
	defer t.mu.Unlock()
	if l.pos.ended || t.writer != p {
		return false, nil
	}
	pos := l.pos
	ok, err := pos.follow(c, t.class != ClassAudio)
	if !ok || err != nil {
		return false, err
	}
	l.pos = pos
	now := t.relay.now()
	it := &item{Message: m, seq: l.seq, kind: media.KindChunk, head: c.ChunkHeader, came: now}
	l.seq++
	l.count(it, now)
	l.keep(it)
	return l.pass(it, now, wakes), nil
}

func (l *Layer) count(it *item, now time.Duration) {
	t := l.track
	l.lastAt.Store(int64(now))
	l.bytes.Add(uint64(len(it.Data)))
	t.relay.totals.BytesIn.Add(uint64(len(it.Data)))
	if r := l.meter.add(len(it.Data), now); r > 0 {
		l.rate.Store(int64(r))
	}
	if it.head.Last {
		l.frames.Add(1)
		t.relay.totals.FramesIn.Add(1)
	}
	if it.begins() {
		t.tick(it.head.Timestamp, now)
		if it.head.Key && t.class != ClassAudio {
			l.keyFrames.Add(1)
			l.keys.came()
		}
	}
}

// keep adds an item to the current group. A group over its caps is not kept: those who join late wait.
func (l *Layer) keep(it *item) {
	if l.track.class == ClassAudio {
		return
	}
	g := l.group.Load()
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
	l.group.Store(next)
}

// A group of a layer whose publisher may have stopped is not current any more once nothing has come for so long.
const currentFor = 500 * time.Millisecond

// current is the current group, nil where there is none, or where its publisher was told that nobody wants the layer and has
// stopped.
func (l *Layer) current(now time.Duration) *group {
	told := layerSet(l.track.told.Load())
	if !told.has(l.index) && now-time.Duration(l.lastAt.Load()) > currentFor {
		return nil
	}
	return l.group.Load()
}

// pass queues an item with every subscriber that takes the layer.
func (l *Layer) pass(it *item, now time.Duration, wakes *[]*Subscriber) (asks bool) {
	for _, f := range *l.track.feeds.Load() {
		if !layerSet(f.takes.Load()).has(l.index) {
			continue
		}
		wake, ask := f.sub.pushItem(f, it, now)
		if wake {
			*wakes = append(*wakes, f.sub)
		}
		asks = asks || ask
	}
	return asks
}

// giveUp takes the publisher's Abandon of a group.
func (l *Layer) giveUp(by *Publisher, group uint32, wakes *[]*Subscriber) {
	l.track.mu.Lock()
	defer l.track.mu.Unlock()
	if p := &l.pos; l.track.writer == by && p.begun && !p.ended && !p.dead && group == p.group {
		l.abandon(media.DropPublisher, wakes)
	}
}

// abandon gives up the rest of the current group.
func (l *Layer) abandon(why media.DropReason, wakes *[]*Subscriber) {
	l.pos.dead, l.pos.open = true, false
	it := l.control(media.KindAbandon, byte(why))
	l.keep(it)
	l.pass(it, l.track.relay.now(), wakes)
}

// control makes an Abandon or End at where the layer stands.
func (l *Layer) control(kind, code byte) *item {
	it := controlItem(media.Control{Kind: kind, Code: code, Alias: l.alias, Group: l.pos.group, Frame: l.pos.frame})
	it.seq = l.seq
	l.seq++
	return it
}

// close marks the layer as ended. A frame that is open will never be whole. It reports false where it was marked already.
func (l *Layer) close(wakes *[]*Subscriber) bool {
	if l.pos.ended {
		return false
	}
	if l.pos.open {
		l.abandon(media.DropPublisher, wakes)
	}
	l.pos.ended = true
	return true
}

// meter measures the rate of a layer over the last two to three seconds.
type meter struct {
	from  time.Duration // when the current second began
	bytes [3]int        // of this second, and the two before
	known bool
}

// add counts bytes, and gives the rate in bytes a second where a second is over, else 0.
func (m *meter) add(n int, now time.Duration) (rate int) {
	if !m.known {
		m.known, m.from = true, now
	}
	if span := now - m.from; span >= 3*time.Second { // it stood still: what it was before is still the best guess
		*m = meter{known: true, from: now}
	} else if span >= time.Second {
		m.bytes = [3]int{0, m.bytes[0], m.bytes[1]}
		m.from += time.Second
		if rate = m.bytes[1]; m.bytes[2] > 0 {
			rate = (m.bytes[1] + m.bytes[2]) / 2
		}
	}
	m.bytes[0] += n
	return rate
}

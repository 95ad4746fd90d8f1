package relay

import (
	"sync"
	"sync/atomic"
	"time"

	"landline/media"
)

// Track is one published stream of a Member, in one or more layers.
type Track struct {
	relay  *Relay
	room   *Room
	member *Member
	class  Class
	layers []*Layer

	info  atomic.Pointer[TrackInfo] // replaced under Room.mu
	feeds atomic.Pointer[[]*feed]   // replaced under Room.mu
	atUs  atomic.Int64              // newest timestamp, unwrapped
	made  atomic.Uint32             // layerSet: those that the publisher makes; changed under Room.mu
	told  atomic.Uint32             // layerSet: those that it was told are wanted; changed under Room.mu
	over  atomic.Uint32             // layerSet: those that have ended; changed under Room.mu

	unwanted unwanted // guarded by Room.mu

	mu     sync.Mutex    // the order of writes in its layers, and what is below
	writer *Publisher    // of the session that may write
	at     time.Duration // when atUs was last set
}

func newTrack(m *Member, o Offer, aliases []uint16) *Track {
	t := &Track{relay: m.room.relay, room: m.room, member: m, class: ClassOf(o.Kind, o.Source), at: m.room.relay.now()}
	info := &TrackInfo{Offer: o}
	info.Layers = make([]LayerInfo, len(aliases))
	copy(info.Layers, o.Layers)
	for i, alias := range aliases {
		t.layers = append(t.layers, &Layer{track: t, index: i, alias: alias})
		info.Layers[i].Alias = alias
	}
	t.info.Store(info)
	t.feeds.Store(&[]*feed{})
	t.atUs.Store(o.Clock.Us)
	t.made.Store(uint32(t.all()))
	t.told.Store(uint32(t.all()))
	return t
}

// all is the set of all layers.
func (t *Track) all() layerSet { return only(len(t.layers)) - 1 }

// tick notes the timestamp of a frame that begins.
func (t *Track) tick(low uint32, now time.Duration) {
	t.atUs.Store(unwrap(t.atUs.Load()+(now-t.at).Microseconds(), low))
	t.at = now
}

// unwrap gives the 64-bit clock value nearest to where the clock should be that has these low 32 bits.
func unwrap(should int64, low uint32) int64 { return should + int64(int32(low-uint32(should))) }

// handTo makes p the one that may write. What an earlier session of the member still writes is ignored.
func (t *Track) handTo(p *Publisher) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.writer = p
}

// finish appends End, which each subscriber gets once, under the alias that it was sent last.
func (t *Track) finish(why media.EndReason, wakes *[]*Subscriber) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.made.Store(0)
	ends := make([]*item, len(t.layers))
	for i, l := range t.layers {
		l.close(wakes)
		ends[i] = l.control(media.KindEnd, byte(why))
	}
	now := t.relay.now()
	for _, f := range *t.feeds.Load() {
		if f.sub.pushEnd(f, ends, now) {
			*wakes = append(*wakes, f.sub)
		}
	}
}

// closeLayer takes the publisher's End of one layer, and reports whether all have ended. Those who have it keep it, with what
// waits of it: the others are about to end as well.
func (t *Track) closeLayer(l *Layer, wakes *[]*Subscriber) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if l.close(wakes) {
		t.made.Store(uint32(layerSet(t.made.Load()) &^ only(l.index)))
		t.over.Store(uint32(layerSet(t.over.Load()) | only(l.index)))
	}
	for _, other := range t.layers {
		if !other.pos.ended {
			return false
		}
	}
	return true
}

// interrupt is called when the publisher's session was lost: what was under way will not be finished.
func (t *Track) interrupt(wakes *[]*Subscriber) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.writer = nil
	for _, l := range t.layers {
		if p := &l.pos; p.begun && !p.ended && !p.dead && (p.open || t.class != ClassAudio) {
			l.abandon(media.DropLost, wakes)
		}
	}
}

// counts are the frames, bytes and key frames of all layers.
func (t *Track) counts() (frames, bytes, keyFrames uint64) {
	for _, l := range t.layers {
		frames, bytes, keyFrames = frames+l.frames.Load(), bytes+l.bytes.Load(), keyFrames+l.keyFrames.Load()
	}
	return frames, bytes, keyFrames
}

// snapshot is the track as others are told of it now.
func (t *Track) snapshot() TrackInfo {
	info := *t.info.Load()
	if _, bytes, _ := t.counts(); bytes > 0 {
		info.AtUs = t.atUs.Load()
	}
	return info
}

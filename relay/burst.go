package relay

import (
	"slices"
	"time"

	"landline/media"
)

// burst is a catch-up: the current group as it was when the burst began.
type burst struct {
	items    []*item
	next     int
	state    burstState
	frames   uint16
	began    time.Duration
	deadline time.Duration
}

// stale reports whether what waits behind a burst, of its group, is too old to be live: it is sent as part of the burst.
func (f *feed) stale(now time.Duration) bool {
	if f.queue.len() == 0 {
		return false
	}
	e := f.queue.first()
	return e.kind == media.KindChunk && e.head.Group == f.burst.items[0].head.Group && now-e.at > f.maxAge/2
}

// splitNext puts the pieces of the next item in its place. Items are shared with other bursts, so the list is a new one.
func (b *burst) splitNext() {
	b.items, b.next = slices.Concat(b.items[b.next].pieces(), b.items[b.next+1:]), 0
}

type burstState uint8

const (
	burstNone burstState = iota
	burstBegin
	burstItems
	burstEnd
)

// startBurst begins a catch-up with the source's current group, and returns false if there is none. What is
// queued already is part of it.
func (f *feed) startBurst(now time.Duration) bool {
	g := f.layer.current(now)
	if f.ended || g == nil || !f.replays() {
		return false
	}
	f.abandonSent(f.sentGroup, media.DropGate)
	for f.queue.len() > 0 {
		if e := f.queue.pop(); e.begins() && e.head.Group != g.items[0].head.Group {
			f.drop(1, media.DropGate)
		}
	}
	f.bytes, f.skip = 0, false
	f.nextSeq = g.items[len(g.items)-1].seq + 1
	f.burstGroup = g.items[0]
	f.burst = burst{items: g.items, state: burstBegin, frames: g.frames, began: now, deadline: now + burstDeadline}
	// A group that its publisher gave up is only worth its picture: what comes live is the next one.
	f.closed, f.slow = g.over(), false
	return true
}

// replays reports whether the receiver has use for a catch-up. One who records waits for a key frame instead, where it can be had.
func (f *feed) replays() bool {
	if f.sub.archive {
		return !f.source.info.Load().KeyOnRequest
	}
	return !f.sub.noReplay
}

// cutBurst gives a catch-up burst up: it was not through by its deadline, or too much waits behind it. A later group
// that waits stays.
func (f *feed) cutBurst(now time.Duration) {
	group := f.burst.items[0].head.Group
	frames := f.burst.left()
	for f.queue.len() > 0 && f.queue.first().kind == media.KindChunk && f.queue.first().head.Group == group {
		e := f.queue.pop()
		if e.begins() || frames == 0 {
			frames++
		}
		f.bytes -= len(e.Data)
	}
	f.drop(frames, media.DropCatchUp)
	f.closeIfEmpty(now)
	f.abandonSent(group, media.DropCatchUp)
	f.endBurst()
	f.fit(now)
}

// endBurst forgets a burst that is given up. A receiver that was told of its begin is told of its end.
func (f *feed) endBurst() {
	if f.burst.state > burstBegin {
		c := media.Control{Kind: media.KindCatchUp, Alias: f.alias, Group: f.burst.items[0].head.Group}
		f.sub.urgent = append(f.sub.urgent, Message{Data: c.Append(nil)})
	}
	f.burst = burst{}
}

// left counts the frames of a burst that were not sent whole.
func (b *burst) left() (n uint64) {
	for i, it := range b.items[b.next:] {
		if it.begins() || i == 0 && it.kind == media.KindChunk {
			n++
		}
	}
	return n
}

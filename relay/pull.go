package relay

import (
	"time"

	"landline/media"
)

// Pull appends to out what may be sent now, in order of priority, and returns it: control, audio, video. It
// stops when the link has no room, or after batchBytes, and then more says that there is more. Whatever it
// returns must be sent, in this order. Sizes of events are unknown here: see AddSent.
func (s *Subscriber) Pull(out []Out) (batch []Out, more bool) {
	batch, more, asks := s.pull(out, s.now())
	for _, f := range asks {
		f.source.askKeyFrame()
	}
	return batch, more
}

// pull is Pull under the lock. It also returns the feeds whose gates ask upstream.
func (s *Subscriber) pull(out []Out, now time.Duration) (batch []Out, more bool, asks []*feed) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out, more = s.take(out, now)
	asks, s.asks = s.asks, nil
	return out, more, asks
}

func (s *Subscriber) take(out []Out, now time.Duration) ([]Out, bool) {
	s.told = toldNothing
	if s.closed {
		return out, false
	}
	if len(s.held) > 0 {
		s.release(now)
	}
	room := s.room()
	if room <= 0 {
		s.waited = now
		return out, false
	}
	budget := min(room, batchBytes)
	out = s.takeUrgent(out, &budget) // it may speak of a track whose end is among the events
	out = s.takeEvents(out)
	s.expire(now)
	out = s.takeUrgent(out, &budget)
	for budget > 0 {
		f := s.pick()
		if f == nil {
			break
		}
		out = s.takeFrom(f, out, &budget, now)
		out = s.takeUrgent(out, &budget) // an Abandon that stood in the queue
	}
	if len(s.held) > 0 {
		s.release(now)
	}
	out = s.takeEvents(out)
	more := s.pick() != nil
	if more && s.room() <= 0 {
		s.waited = now
		more = false
	}
	return out, more
}

func (s *Subscriber) takeEvents(out []Out) []Out {
	for _, e := range s.events {
		out = append(out, Out{Event: e})
	}
	clear(s.events)
	if s.events = s.events[:0]; cap(s.events) > 64 {
		s.events = nil
	}
	return out
}

func (s *Subscriber) takeUrgent(out []Out, budget *int) []Out {
	if len(s.urgent) == 0 {
		return out
	}
	for _, m := range s.urgent {
		out = s.emit(out, m, budget)
	}
	clear(s.urgent)
	s.urgent = s.urgent[:0]
	return out
}

func (s *Subscriber) emit(out []Out, m Message, budget *int) []Out {
	*budget -= len(m.Data)
	s.sent += uint64(len(m.Data))
	s.totals.BytesOut.Add(uint64(len(m.Data)))
	return append(out, Out{Message: m})
}

// expire drops what is too old, and looks whether closed gates can open by a catch-up.
func (s *Subscriber) expire(now time.Duration) {
	for _, f := range s.feeds {
		f.expire(now)
		if !f.closed || f.waiting() || f.paused || f.source == nil {
			continue
		}
		if s.carries(f, now) && f.startBurst(now) {
			continue
		}
		if f.wantsKeyFrame(now) {
			s.asks = append(s.asks, f)
		}
	}
}

// A gate that closed may open by a catch-up when the receiver has taken all but a little of what was sent,
// and the whole group fits into a second of the rate at which it takes.
const gateRest = 300 * time.Millisecond

func (s *Subscriber) carries(f *feed, now time.Duration) bool {
	g := f.source.group.Load()
	if g == nil || g.over() || now-f.closedAt < gateRest || s.room() < maxInFlight*3/4 {
		return false
	}
	return g.bytes <= s.rate.rate(now)
}

// pick chooses the feed that sends next: the first in order of class and priority, and among equals the one
// that has waited longest.
func (s *Subscriber) pick() (best *feed) {
	for _, f := range s.feeds {
		if !f.waiting() {
			continue
		}
		if best != nil && before(best, f) {
			break
		}
		if best == nil || f.stamp < best.stamp {
			best = f
		}
	}
	return best
}

// takeFrom emits one message of a feed.
func (s *Subscriber) takeFrom(f *feed, out []Out, budget *int, now time.Duration) []Out {
	s.turn++
	f.stamp = s.turn
	if f.burst.state != burstNone {
		return s.takeBurst(f, out, budget, now)
	}
	e := f.queue.pop()
	switch e.kind {
	case media.KindChunk:
		f.bytes -= len(e.Data)
		f.noteSent(e.item)
		return s.emit(out, e.Message, budget)
	case media.KindEnd:
		s.finish(f)
		return s.emit(out, e.Message, budget)
	default:
		f.abandonSent(e.head.Group, media.DropReason(e.Data[1]))
		return out
	}
}

func (s *Subscriber) takeBurst(f *feed, out []Out, budget *int, now time.Duration) []Out {
	b := &f.burst
	marker := media.Control{Kind: media.KindCatchUp, Alias: f.alias, Group: b.items[0].head.Group}
	switch b.state {
	case burstBegin:
		b.state = burstItems
		marker.Code, marker.Frame = 1, b.frames
		f.sentAny, f.sentGroup, f.sentNext, f.sentOpen = true, marker.Group, 0, false
		return s.emit(out, Message{Data: marker.Append(nil)}, budget)
	case burstItems:
		it := b.items[b.next]
		if b.next++; b.next == len(b.items) {
			b.state = burstEnd
		}
		if it.kind == media.KindAbandon {
			f.abandonSent(it.head.Group, media.DropReason(it.Data[1]))
			return out
		}
		f.noteSent(it)
		return s.emit(out, it.Message, budget)
	default:
		f.burst = burst{}
		f.ageFrom = now
		f.fit(now)
		return s.emit(out, Message{Data: marker.Append(nil)}, budget)
	}
}

// noteSent keeps track of what the receiver has of the current group.
func (f *feed) noteSent(it *item) {
	f.sentAny, f.sentGroup, f.sentNext = true, it.head.Group, it.head.Frame
	f.sentOpen = !it.head.Last
	if it.head.Last {
		f.sentNext++
	}
}

// AddSent counts payload bytes that the session sent besides what Pull returned: encoded events, acks.
func (s *Subscriber) AddSent(n int) {
	s.mu.Lock()
	s.sent += uint64(n)
	s.mu.Unlock()
}

// Acked takes the receiver's acknowledgement: payload bytes received on this connection. It reports false for
// a number that goes back, or is more than was sent.
func (s *Subscriber) Acked(bytes uint64) bool {
	ok, wake := s.takeAck(bytes, s.now())
	if wake {
		s.notify(true)
	}
	return ok
}

func (s *Subscriber) takeAck(bytes uint64, now time.Duration) (ok, wake bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if bytes < s.acked || bytes > s.sent {
		return false, false
	}
	s.rate.add(int(bytes-s.acked), now)
	s.acked = bytes
	return true, s.something() && s.wake(true)
}

// something reports whether a Pull could bring anything: queued things, or a gate that may open.
func (s *Subscriber) something() bool {
	if len(s.events) > 0 || len(s.urgent) > 0 || len(s.held) > 0 {
		return true
	}
	for _, f := range s.feeds {
		if f.waiting() || f.closed && !f.paused {
			return true
		}
	}
	return false
}

// Busy reports whether something has waited for room in the last 5 s: then acks are wanted more often.
func (s *Subscriber) Busy() bool {
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	return now-s.waited < 5*time.Second
}

// Overflowed reports whether control had to be thrown away: the session must end.
func (s *Subscriber) Overflowed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.overflow
}

// Tick does what time alone brings about: a queue whose reader takes nothing ages, held events come due,
// and drops are reported at most once a second. The session calls it about once a second.
func (s *Subscriber) Tick() {
	if s.age(s.now()) {
		s.notify(true)
	}
}

// age is Tick under the lock; it reports whether the session must be told.
func (s *Subscriber) age(now time.Duration) (wake bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	for _, f := range s.feeds {
		f.expire(now)
	}
	s.release(now)
	if now-s.reported >= time.Second {
		s.reportDrops(now)
	}
	return s.something() && s.wake(true)
}

// reportDrops tells the receiver of drops that it has not heard of.
func (s *Subscriber) reportDrops(now time.Duration) {
	var drops []TrackDrops
	for _, f := range s.feeds {
		if f.unreported() {
			drops = append(drops, f.report())
		}
	}
	if drops != nil {
		s.reported = now
		s.queueEvent(&Event{Kind: DropReport, Drops: drops})
	}
}

// finish takes out a feed whose track is over, and reports the drops that the receiver has not heard of.
func (s *Subscriber) finish(f *feed) {
	if f.unreported() {
		s.queueEvent(&Event{Kind: DropReport, Drops: []TrackDrops{f.report()}})
	}
	s.remove(f)
}

// unreported reports whether there are drops to tell of. A sender's own uplink tells nobody: see Uplink.Drops.
func (f *feed) unreported() bool { return f.source != nil && f.drops.Total() != f.reported }

func (f *feed) report() TrackDrops {
	f.reported = f.drops.Total()
	return TrackDrops{Member: f.member, Track: f.track, Frames: f.drops}
}

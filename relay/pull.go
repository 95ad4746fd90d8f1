package relay

import (
	"time"

	"landline/media"
)

// Pull appends to out what may be sent now, in order of priority, and returns it: control, audio, data, video, objects. It
// stops when the link has no room, but for sound that is in time all the same, or after batchBytes, and then more says that there
// is more. Whatever it returns must be sent, in this order. Sizes of events are unknown here: see AddSent.
func (s *Subscriber) Pull(out []Out) (batch []Out, more bool) {
	batch, more, asks := s.pull(out, s.now())
	tellPublishers(asks)
	return batch, more
}

// pull is Pull under the lock. It also returns what publishers are to be asked.
func (s *Subscriber) pull(out []Out, now time.Duration) (batch []Out, more bool, asks []ask) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out, more = s.take(out, now)
	return out, more, s.takeAsks()
}

// pulling is one Pull under way.
type pulling struct {
	out    []Out
	budget int  // bytes that may still go into this batch
	full   bool // the window is
	now    time.Duration
}

func (s *Subscriber) take(out []Out, now time.Duration) ([]Out, bool) {
	s.told = toldNothing
	if s.closed {
		return out, false
	}
	if len(s.held) > 0 {
		s.release(now)
	}
	p := &pulling{out: out, budget: s.batch(now), now: now}
	if room := s.link.Room(); room > 0 {
		p.budget = min(p.budget, room)
	} else {
		p.full = true
		s.link.Wait(now)
		if !s.soundInTime(now) {
			return out, false
		}
	}
	s.takeUrgent(p) // it may speak of a track whose end is among the events
	s.takeEvents(p)
	s.expire(now)
	s.takeUrgent(p)
	s.gather(now)
	for p.budget > 0 && s.takeOne(p) {
	}
	s.pad(p)
	if len(s.held) > 0 {
		s.release(now)
	}
	s.takeEvents(p)
	more := s.pick() != nil || s.dataWaits() || s.bulkMore(now)
	if more && s.link.Room() <= 0 {
		s.link.Wait(now)
		more = s.soundInTime(now)
	}
	return p.out, more
}

// takeOne takes one message of media, topics or objects, and reports whether there was one. Over a window that is full goes sound alone.
func (s *Subscriber) takeOne(p *pulling) bool {
	if p.full {
		return s.soundInTime(p.now) && s.takeLive(p)
	}
	return s.takeOwed(p) || s.takeLive(p) || s.takeBulk(p)
}

// takeLive takes one message of a feed or a topic, and reports whether there was one.
func (s *Subscriber) takeLive(p *pulling) bool {
	had := p.budget
	f := s.pick()
	switch {
	case (f == nil || f.video()) && s.takeData(p):
	case f == nil:
		return false
	default:
		s.takeFrom(f, p)
		s.takeUrgent(p) // an Abandon that stood in the queue
	}
	s.owe(had - p.budget)
	return true
}

func (s *Subscriber) takeEvents(p *pulling) {
	for _, e := range s.events {
		p.out = append(p.out, Out{Event: e})
	}
	clear(s.events)
	if s.events = s.events[:0]; cap(s.events) > 64 {
		s.events = nil
	}
}

func (s *Subscriber) takeUrgent(p *pulling) {
	if len(s.urgent) == 0 {
		return
	}
	for _, m := range s.urgent {
		s.emit(m, p)
	}
	clear(s.urgent)
	s.urgent = s.urgent[:0]
}

// emitItem is emit for what a publisher sent.
func (s *Subscriber) emitItem(it *item, p *pulling) {
	s.emit(it.Message, p)
	p.out[len(p.out)-1].At = it.came
}

func (s *Subscriber) emit(m Message, p *pulling) {
	p.budget -= len(m.Data)
	s.link.Sent(len(m.Data), p.now)
	s.totals.BytesOut.Add(uint64(len(m.Data)))
	s.totals.Traffic.out[s.path].Add(uint64(len(m.Data)))
	if s.traffic != nil {
		s.traffic.out[s.path].Add(uint64(len(m.Data)))
	}
	p.out = append(p.out, Out{Message: m})
}

// expire drops what is too old, and looks whether closed gates can open by a catch-up.
func (s *Subscriber) expire(now time.Duration) {
	for _, f := range s.feeds {
		f.expire(now)
		s.consider(f, now)
		if !f.closed || f.waiting() || f.paused || f.source == nil {
			continue
		}
		if s.carries(f, now) && f.startBurst(now) {
			continue
		}
		if f.wantsKeyFrame(now) {
			s.asks = append(s.asks, ask{layer: f.layer, gate: true})
		}
	}
	if s.crowded {
		s.crowded = false
		s.muffle(now)
	}
}

// pick chooses the feed that sends next: the first in order of class and priority, and among equals the one that has had the
// fewest bytes (start-time fair queueing, Goyal et al. 1996): one that comes after a silence does not catch up on it.
func (s *Subscriber) pick() (best *feed) {
	for _, f := range s.feeds {
		if !f.waiting() || s.gathering && !f.video() {
			continue
		}
		if best != nil && before(best, f) {
			break
		}
		if best == nil || max(f.stamp, s.turn) < max(best.stamp, s.turn) {
			best = f
		}
	}
	return best
}

// takeFrom emits one message of a feed, and puts it behind its equals by what it had.
func (s *Subscriber) takeFrom(f *feed, p *pulling) {
	before := p.budget
	s.turn = max(f.stamp, s.turn)
	s.takeNext(f, p)
	if f.video() {
		s.behind, _ = s.link.Total()
	}
	f.stamp = s.turn + uint64(before-p.budget)
}

func (s *Subscriber) takeNext(f *feed, p *pulling) {
	if f.burst.state != burstNone {
		s.takeBurst(f, p)
		return
	}
	if s.tooLong(f.queue.first().item, p.now) {
		f.bytes += f.queue.splitFirst()
	}
	e := f.queue.pop()
	switch e.kind {
	case media.KindChunk:
		f.bytes -= len(e.Data)
		f.noteSent(e.item)
		s.emitItem(e.item, p)
	case media.KindEnd:
		s.finish(f)
		s.emitItem(e.item, p)
	default:
		f.abandonSent(e.head.Group, media.DropReason(e.Data[1]))
	}
}

func (s *Subscriber) takeBurst(f *feed, p *pulling) {
	b := &f.burst
	marker := media.Control{Kind: media.KindCatchUp, Alias: f.alias, Group: b.items[0].head.Group}
	switch b.state {
	case burstBegin:
		b.state = burstItems
		marker.Code, marker.Frame = 1, b.frames
		f.sentAny, f.sentGroup, f.sentNext, f.sentOpen = true, marker.Group, 0, false
		s.emit(Message{Data: marker.Append(nil)}, p)
	case burstItems:
		if s.tooLong(b.items[b.next], p.now) {
			b.splitNext()
		}
		it := b.items[b.next]
		if b.next++; b.next == len(b.items) {
			b.state = burstEnd
		}
		if it.kind == media.KindAbandon {
			f.abandonSent(it.head.Group, media.DropReason(it.Data[1]))
			return
		}
		f.noteSent(it)
		s.emitItem(it, p)
	default:
		if f.stale(p.now) { // it waited behind the burst
			e := f.queue.pop()
			f.bytes -= len(e.Data)
			f.noteSent(e.item)
			s.emitItem(e.item, p)
			return
		}
		f.burst = burst{}
		f.fit(p.now)
		s.emit(Message{Data: marker.Append(nil)}, p)
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

// something reports whether a Pull could bring anything: queued things, or a gate that may open.
func (s *Subscriber) something() bool {
	if len(s.events) > 0 || len(s.urgent) > 0 || len(s.held) > 0 || s.dataWaits() || s.bulkWaits() {
		return true
	}
	for _, f := range s.feeds {
		if f.waiting() || f.closed && !f.paused {
			return true
		}
	}
	return false
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
	wake, asks := s.age(s.now())
	tellPublishers(asks)
	if wake {
		s.notify(true)
	}
}

// age is Tick under the lock; it reports whether the session must be told, and what publishers are to be asked.
func (s *Subscriber) age(now time.Duration) (wake bool, asks []ask) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false, nil
	}
	for _, f := range s.feeds {
		f.expire(now)
		s.consider(f, now)
	}
	s.letIn(now)
	s.release(now)
	if now-s.reported >= time.Second {
		s.reportDrops(now)
	}
	return s.something() && s.wake(true), s.takeAsks()
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

package relay

import (
	"time"

	"landline/media"
)

// adjust applies changed terms to a feed. It reports what the publisher is to be asked, and whether the session must be told.
func (s *Subscriber) adjust(f *feed, w Want) (asks []ask, wake bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	was, now := f.paused, s.now()
	f.apply(w)
	s.reorder(f)
	switch {
	case f.paused && !was:
		f.clear(media.DropPaused)
		f.target = nil
		f.take()
	case was && !f.paused:
		f.resume(now)
	case f.layered() && !f.paused && !f.ended:
		s.choose(f, now)
	}
	if f.layered() {
		s.watch()
	}
	f.fit(now)
	return s.takeAsks(), (f.waiting() || len(s.urgent) > 0) && s.wake(true)
}

// resume goes on after a pause, with the layer that is the right one now.
func (f *feed) resume(now time.Duration) {
	if f.layered() && !f.ended {
		f.choice.look(f.look(now))
		if l := f.source.layers[f.choice.layer]; l != f.layer {
			f.moveTo(l)
		}
	}
	f.take()
	f.begin(now)
	if f.closed {
		f.sub.asks = append(f.sub.asks, ask{layer: f.layer, key: true})
	}
}

// reorder puts a feed in its place again after its priority changed.
func (s *Subscriber) reorder(f *feed) {
	for i, other := range s.feeds {
		if other == f {
			s.feeds = append(s.feeds[:i], s.feeds[i+1:]...)
			s.add(f)
			return
		}
	}
}

// discard takes a feed out: the subscription is over, not the track.
func (s *Subscriber) discard(f *feed) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f.clear(media.DropPaused)
	s.remove(f)
	if f.layered() {
		s.watch()
	}
}

// repeat starts a catch-up for a receiver that lost its way. Where that was done for the same group before, or there is no
// group, only a new key frame helps: then it gives the layer of which.
func (s *Subscriber) repeat(f *feed) (asked *Layer, wake bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f.target != nil {
		return f.target, false
	}
	g := f.layer.group.Load()
	if g == nil || f.paused || f.burst.state != burstNone || f.burstGroup == g.items[0] || !f.startBurst(s.now()) {
		return f.layer, false
	}
	return nil, s.wake(true)
}

// close ends the subscriber: nothing is queued or pulled any more.
func (s *Subscriber) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.stopReading()
	if s.gatherTimer != nil {
		s.gatherTimer.Stop()
	}
	s.feeds, s.events, s.urgent, s.held, s.bulks = nil, nil, nil, nil, nil
}

package relay

import "landline/media"

// adjust applies changed terms to a feed and reports whether the session must be told.
func (s *Subscriber) adjust(f *feed, w Want) (wake bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	was := f.paused
	f.apply(w)
	s.reorder(f)
	switch {
	case f.paused && !was:
		f.clear(media.DropPaused)
	case was && !f.paused:
		f.begin(s.now())
	default:
		f.fit(s.now())
	}
	return (f.waiting() || len(s.urgent) > 0) && s.wake(true)
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
}

// repeat starts a catch-up for a receiver that lost its way. It reports false where that was done for the
// same group before, or there is no group: then only a new key frame helps.
func (s *Subscriber) repeat(f *feed) (repeated, wake bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := f.source.group.Load()
	if g == nil || f.paused || f.burst.state != burstNone || f.burstGroup == g.items[0] || !f.startBurst(s.now()) {
		return false, false
	}
	return true, s.wake(true)
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

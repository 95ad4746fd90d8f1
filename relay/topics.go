package relay

import "slices"

// maxTopics bounds the topics of a room, and with it those that a subscriber reads.
const maxTopics = 64

// Put says something on a topic, which comes into being if need be.
func (m *Member) Put(p *Put) error {
	t, err := m.topic(p.Topic, p.Mode)
	if err != nil {
		return err
	}
	wakes, err := t.put(m.id, p)
	if err == nil {
		m.room.relay.totals.ValuesIn.Add(uint64(len(p.Values)))
	}
	wakeForData(wakes)
	return err
}

// Follow has the member's session told what a topic holds behind a number, and what comes. A number of another epoch
// counts as 0. Who follows already goes on from there.
func (m *Member) Follow(name string, mode Mode, epoch string, after uint64) error {
	t, err := m.topic(name, mode)
	if err != nil {
		return err
	}
	_, sub := m.Handles()
	if sub == nil {
		return ErrGone
	}
	if epoch != t.epoch {
		after = 0
	}
	sub.follow(t, after)
	wakeForData([]*Subscriber{sub})
	return nil
}

// Unfollow ends Follow.
func (m *Member) Unfollow(name string) {
	if _, sub := m.Handles(); sub != nil {
		sub.unfollow(name)
	}
}

func (m *Member) topic(name string, mode Mode) (*topic, error) {
	m.room.mu.Lock()
	defer m.room.mu.Unlock()
	t := m.room.topics[name]
	switch {
	case m.left:
		return nil, ErrGone
	case t == nil && len(m.room.topics) >= maxTopics:
		return nil, ErrTooManyTopics
	case t == nil:
		t = newTopic(name, mode, m.room.relay.now)
		m.room.topics[name] = t
	case t.mode != mode:
		return nil, ErrTopicMode
	}
	return t, nil
}

// follow begins to read a topic, or begins anew.
func (s *Subscriber) follow(t *topic, after uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	for _, r := range s.readings {
		if r.topic == t {
			r.place, r.begun = after, after > 0
			return
		}
	}
	r := &reading{topic: t, sub: s, place: after, begun: after > 0}
	s.readings = append(s.readings, r)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.readers[r] = true
}

func (s *Subscriber) unfollow(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.readings = slices.DeleteFunc(s.readings, func(r *reading) bool {
		if r.topic.name != name {
			return false
		}
		r.topic.forget(r)
		return true
	})
}

// dataWaits reports whether a topic has something to tell.
func (s *Subscriber) dataWaits() bool {
	for _, r := range s.readings {
		if r.place < r.topic.told.Load() || !r.begun {
			return true
		}
	}
	return false
}

// dataReady is dataWaits for those outside, and whether the session must be told.
func (s *Subscriber) dataReady() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dataWaits() && s.wake(false)
}

// takeData takes one batch of the topic whose turn it is, and reports whether there was one.
func (s *Subscriber) takeData(p *pulling) bool {
	for i, r := range s.readings {
		b := r.topic.batch(r, min(batchSize, max(batchLeast, s.batch(p.now))))
		if b == nil {
			continue
		}
		p.budget -= b.size
		p.out = append(p.out, Out{Batch: b})
		s.totals.BatchesOut.Add(1)
		s.readings = append(append(s.readings[:i:i], s.readings[i+1:]...), r)
		return true
	}
	return false
}

// stopReading leaves all topics. s.mu is held.
func (s *Subscriber) stopReading() {
	for _, r := range s.readings {
		r.topic.forget(r)
	}
	s.readings = nil
}

// dataBehind counts the values that the subscriber was not told yet.
func (s *Subscriber) dataBehind() (n int) {
	for _, r := range s.readings {
		n += r.topic.waiting(r.place)
	}
	return n
}

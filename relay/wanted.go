package relay

import "time"

// unwanted follows which layers of a track nobody takes, to tell the publisher after a while. Guarded by Room.mu.
type unwanted struct {
	since [MaxLayers]time.Duration // by layer; 0 = it is wanted, or the publisher was told
	timer *time.Timer
}

// unwantedFor is how long nobody takes a layer before its publisher is told.
const unwantedFor = time.Second

// wanted is the set of layers that somebody takes, or is to take next.
func (t *Track) wanted() (set layerSet) {
	for _, f := range *t.feeds.Load() {
		set |= layerSet(f.takes.Load())
	}
	return set
}

// review tells the publisher which layers are wanted: what has become wanted at once, with a request for a key frame, and what nobody
// has wanted for a while. It is called under Room.mu whenever feeds have changed.
func (t *Track) review(wakes *[]*Subscriber) {
	if t.class == ClassAudio || !t.info.Load().KeyOnRequest || t.ended() {
		return
	}
	now, set, told := t.relay.now(), t.wanted(), layerSet(t.told.Load())
	fresh := set &^ told
	next, wait := told|set, time.Duration(0)
	for i, since := range t.unwanted.since {
		switch {
		case i >= len(t.layers) || set.has(i) || !told.has(i):
			t.unwanted.since[i] = 0
		case since == 0:
			t.unwanted.since[i], wait = max(now, 1), unwantedFor
		case now-since >= unwantedFor:
			t.unwanted.since[i] = 0
			next &^= only(i)
		default:
			wait = max(wait, unwantedFor-(now-since))
		}
	}
	if wait > 0 && t.unwanted.timer == nil {
		t.unwanted.timer = time.AfterFunc(wait, func() {
			t.room.change(func(wakes *[]*Subscriber) {
				t.unwanted.timer = nil
				t.review(wakes)
			})
		})
	}
	if next == told {
		return
	}
	t.told.Store(uint32(next))
	t.tellWanted(wakes)
	for _, l := range t.layers {
		if fresh.has(l.index) {
			l.askNow(wakes)
		}
	}
}

// ended reports whether the track is gone. Called under Room.mu.
func (t *Track) ended() bool { return t.member.tracks[t.info.Load().ID] != t }

// tellWanted tells the publisher what it is to be told. Called under Room.mu.
func (t *Track) tellWanted(wakes *[]*Subscriber) {
	told := layerSet(t.told.Load())
	t.member.tellLocked(&Event{Kind: LayersWanted, Member: t.member.id, Track: TrackInfo{Offer: Offer{ID: t.info.Load().ID}},
		Layers: told.flags(len(t.layers))}, wakes)
}

// tellWantedAgain tells a new session of the publisher what the one before was told.
func (m *Member) tellWantedAgain(wakes *[]*Subscriber) {
	for _, t := range m.tracks {
		if layerSet(t.told.Load()) != t.all() {
			t.tellWanted(wakes)
		}
	}
}

// stopReview forgets what was to be told. Called under Room.mu.
func (t *Track) stopReview() {
	if t.unwanted.timer != nil {
		t.unwanted.timer.Stop()
		t.unwanted.timer = nil
	}
}

// Encoding says which layers of a track its publisher makes. Those who have another are moved.
func (m *Member) Encoding(id string, made []bool) (err error) {
	m.room.change(func(wakes *[]*Subscriber) {
		t := m.tracks[id]
		if t == nil {
			err = ErrNoSuchTrack
			return
		}
		if len(made) != len(t.layers) {
			err = ErrLayers
			return
		}
		t.setMade(made)
		t.moveAll(wakes)
	})
	return err
}

// setMade notes which layers are made; one that has ended is not.
func (t *Track) setMade(made []bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var set layerSet
	for i, l := range t.layers {
		if made[i] && !l.pos.ended {
			set |= only(i)
		}
	}
	t.made.Store(uint32(set))
}

// moveAll has all feeds look at once which layer they take. Called under Room.mu.
func (t *Track) moveAll(wakes *[]*Subscriber) {
	for _, f := range *t.feeds.Load() {
		asks, wake := f.sub.chooseNow(f)
		if wake {
			*wakes = append(*wakes, f.sub)
		}
		for _, a := range asks {
			a.layer.tellPublisher(a.key, wakes)
		}
	}
}

// chooseNow looks at once which layer a feed takes.
func (s *Subscriber) chooseNow(f *feed) (asks []ask, wake bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || !f.layered() || f.paused || f.ended {
		return nil, false
	}
	s.choose(f, s.now())
	return s.takeAsks(), (f.waiting() || len(s.urgent) > 0) && s.wake(true)
}

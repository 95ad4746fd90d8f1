package relay

import (
	"errors"
	"slices"
	"time"
)

// Selector says what a subscription is for. Zero: every track of every other member. Name: every track of
// members with this display name. Member: every track of this one. Member and Track: this track.
type Selector struct{ Member, Name, Track string }

// Want says how.
type Want struct {
	Priority int
	MaxAge   time.Duration // 0 means the class's
	Paused   bool
	Height   int  // the tallest picture that is of use, in pixels; 0 means any
	Hold     bool // that layer always, never a lower one because of the link
}

// ErrTooManySubscriptions says that a member has as many subscriptions as it may.
var ErrTooManySubscriptions = errors.New("the member has as many subscriptions as it may")

const maxSubscriptions = 256

// Subscribe adds a subscription, or replaces the one with the same selector.
func (m *Member) Subscribe(s Selector, w Want) (err error) {
	m.room.change(func(wakes *[]*Subscriber) {
		if _, there := m.wants[s]; !there && len(m.wants) >= maxSubscriptions {
			err = ErrTooManySubscriptions
			return
		}
		if err = m.room.exists(s); err != nil {
			return
		}
		m.wants[s] = w
		m.refeedWays(wakes)
	})
	return err
}

// exists refuses a selector for a member or track that is not there; standing ones may wait.
func (r *Room) exists(s Selector) error {
	if s.Member == "" {
		return nil
	}
	if s.Track != "" {
		_, err := r.find(s.Member, s.Track)
		return err
	}
	if r.members[s.Member] == nil {
		return ErrNoSuchMember
	}
	return nil
}

// Unsubscribe takes a subscription back; less specific ones apply again.
func (m *Member) Unsubscribe(s Selector) {
	m.room.change(func(wakes *[]*Subscriber) {
		delete(m.wants, s)
		m.refeedWays(wakes)
	})
}

// want finds the most specific subscription that fits a track.
func (m *Member) want(t *Track) (Want, bool) {
	owner := t.member
	switch {
	case m.detour != nil && !m.detour.bySession(owner.id):
		return Want{}, false
	case m.of != nil && m.of.detour != nil && !m.of.detour.byDetour(owner.id):
		return Want{}, false
	case m.of != nil && !m.wants[Selector{Member: owner.id, Track: t.info.Load().ID}].Paused:
		m = m.of
	}
	for _, s := range [...]Selector{{Member: owner.id, Track: t.info.Load().ID}, {Member: owner.id}, {Name: owner.name}, {}} {
		if w, ok := m.wants[s]; ok {
			return w, true
		}
	}
	return Want{}, false
}

func (m *Member) refeedAll(wakes *[]*Subscriber) {
	for _, other := range m.room.members {
		for _, t := range other.tracks {
			if !m.owns(t) {
				m.refeed(t, wakes)
			}
		}
	}
}

// refeed brings one track's feed to this member in line with the member's subscriptions.
func (m *Member) refeed(t *Track, wakes *[]*Subscriber) {
	if m.sub == nil {
		return
	}
	want, ok := m.want(t)
	f := m.sub.feedOf(t)
	switch {
	case !ok && f == nil:
		return
	case !ok:
		t.unfeed(m)
		t.review(wakes)
	case f != nil:
		took := f.takes.Load()
		asks, wake := m.sub.adjust(f, want)
		if wake {
			*wakes = append(*wakes, m.sub)
		}
		if f.takes.Load() != took {
			t.review(wakes)
		}
		for _, a := range asks {
			a.layer.tellPublisher(a.key, wakes)
		}
	case !slices.Contains(m.carries, t.info.Load().Codec):
		m.noCommonCodec(t, wakes)
	default:
		from, wake := t.feed(m, want)
		if wake {
			*wakes = append(*wakes, m.sub)
		}
		t.review(wakes)
		if from != nil {
			from.askNow(wakes)
		}
	}
}

// feed subscribes a member to the track, beginning with the current group. It is called under Room.mu, so
// that the list of feeds changes in one place at a time. waits is the layer of which the member waits for a key frame.
func (t *Track) feed(m *Member, w Want) (waits *Layer, wake bool) {
	info := t.info.Load()
	f := &feed{sub: m.sub, member: t.member.id, track: info.ID, source: t, class: t.class}
	f.apply(w)
	s := m.sub
	s.mu.Lock()
	defer s.mu.Unlock()
	f.start(s.now())
	// From here on the pass over the subscribers waits for the lock held; what it brought before is in the
	// group, which is read after.
	feeds := append(slices.Clone(*t.feeds.Load()), f)
	t.feeds.Store(&feeds)
	s.add(f)
	f.begin(s.now())
	if f.closed {
		waits = f.layer
	}
	return waits, f.waiting() && s.wake(true)
}

// begin starts a feed that has sent nothing: video with a catch-up, or with the gate closed until a group comes.
func (f *feed) begin(now time.Duration) {
	f.skip = true // until a frame begins
	if !f.video() || f.paused {
		return
	}
	if !f.startBurst(now) {
		f.close(now, false)
	}
}

func (f *feed) apply(w Want) {
	f.priority, f.paused, f.maxAge, f.height, f.hold = w.Priority, w.Paused, w.MaxAge, w.Height, w.Hold
	if f.maxAge == 0 {
		f.maxAge = f.class.MaxAge()
	}
}

// unfeed takes a member off the track. Called under Room.mu.
func (t *Track) unfeed(m *Member) {
	if m.sub == nil {
		return
	}
	if f := m.sub.feedOf(t); f != nil {
		feeds := slices.DeleteFunc(slices.Clone(*t.feeds.Load()), func(other *feed) bool { return other == f })
		t.feeds.Store(&feeds)
		m.sub.discard(f)
	}
}

func (s *Subscriber) feedOf(t *Track) *feed {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.feeds {
		if f.source == t {
			return f
		}
	}
	return nil
}

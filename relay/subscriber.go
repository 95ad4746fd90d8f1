package relay

import (
	"sync"
	"sync/atomic"
	"time"

	"landline/media"
	"landline/relay/rate"
)

// Out is one thing to send: an event or a batch to encode, or a binary message.
type Out struct {
	Event *Event // nil for a binary message or a batch
	Batch *Batch // of a topic
	// At is when a chunk came from its publisher, by the relay's clock; 0 in other messages.
	At time.Duration
	Message
}

// Subscriber is what one session receives: its queues, and what is known of its link. Notify is called
// when there is something to pull.
type Subscriber struct {
	notify func(audio bool)
	now    func() time.Duration
	totals *Totals

	path     Path
	traffic  *Traffic // of the member; nil in a sender's own uplink
	noReplay bool
	archive  bool

	mu       sync.Mutex
	closed   bool
	overflow bool // more events waited than maxEvents
	events   []*Event
	urgent   []Message // binary control that goes before the media queued behind it
	held     []held
	feeds    []*feed    // audio first, then video
	readings []*reading // topics, the one served last at the end
	bulks    []*bulk    // of objects, the one served last at the end
	owed     int        // bytes that bulk may go before the others; under 0 once it has
	felt     feeling    // by bulk
	behind   uint64     // where the newest that was sent of video and objects ends, in bytes of the connection
	turn     uint64     // the stamp of the feed that was served last
	told     notified
	asks     []ask // what publishers are to be asked, until the lock is let go of

	link        rate.Controller
	padding     padding
	limited     bool // less is sent of some track than is asked for, since the link is thought to carry no more
	gathering   bool // audio waits for more audio: see gather
	crowded     bool // audio waited too long since the last look
	crowdedAt   time.Duration
	stalledAt   time.Duration
	retry       time.Duration // how long without a late packet until one more speaker is let in
	muffledAt   time.Duration // when a speaker was last shut out or let in
	gatherTimer *time.Timer
	reported    time.Duration // when drops were last reported
	drops       DropCounts    // of feeds that are gone
}

// held is an event that waits until feeds have delivered their End, but not for ever.
type held struct {
	event *Event
	feeds []*feed
	until time.Duration
}

const heldMost = 2 * time.Second

// notified says what the session has been told of since its last Pull.
type notified uint8

const (
	toldNothing notified = iota
	toldVideo
	toldAudio
)

func newSubscriber(notify func(bool), now func() time.Duration, totals *Totals) *Subscriber {
	return &Subscriber{notify: notify, now: now, totals: totals, link: rate.New(), reported: -time.Hour}
}

func (s *Subscriber) dropped(frames uint64, why media.DropReason) { s.totals.drops[why].Add(frames) }

// wake records that there is something to pull, and says whether the session must be told. The caller
// calls notify after it has let go of all locks.
func (s *Subscriber) wake(audio bool) bool {
	want := toldVideo
	if audio {
		want = toldAudio
	}
	if s.closed || s.told >= want || s.link.Room() <= 0 && !s.soundInTime(s.now()) {
		return false
	}
	s.told = want
	return true
}

// pushItem queues an item of a feed and reports whether the session must be told.
func (s *Subscriber) pushItem(f *feed, it *item, now time.Duration) (wake, askKey bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false, false
	}
	f.push(it, now)
	if s.link.Room() <= 0 && f.waiting() {
		s.link.Wait(now)
	}
	if (f.waiting() || len(s.urgent) > 0) && s.wake(!f.video()) {
		wake = true
	}
	return wake, f.wantsKeyFrame(now)
}

// pushEnd queues the End of a track, of which there is one for each layer, and reports whether the session must be told.
func (s *Subscriber) pushEnd(f *feed, ends []*item, now time.Duration) (wake bool) {
	s.mu.Lock()
	end := ends[f.layer.index]
	s.mu.Unlock()
	wake, _ = s.pushItem(f, end, now)
	return wake
}

// pushEvent queues an event and reports whether the session must be told.
func (s *Subscriber) pushEvent(e *Event) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.releaseConflicts(e)
	switch {
	case e.Kind == TrackRemoved:
		s.hold(e, func(f *feed) bool { return f.member == e.Member && f.track == e.Track.ID })
	case e.Kind == MemberLeft:
		s.hold(e, func(f *feed) bool { return f.member == e.Member })
	default:
		s.queueEvent(e)
	}
	return s.wake(true)
}

func (s *Subscriber) queueEvent(e *Event) {
	if len(s.events) >= maxEvents {
		s.overflow = true
		return
	}
	s.events = append(s.events, e)
}

// hold keeps an event back until the feeds that it speaks of are through.
func (s *Subscriber) hold(e *Event, concerns func(*feed) bool) {
	h := held{event: e, until: s.now() + heldMost}
	for _, f := range s.feeds {
		if concerns(f) {
			h.feeds = append(h.feeds, f)
		}
	}
	if len(h.feeds) == 0 && len(s.held) == 0 {
		s.queueEvent(e)
		return
	}
	if len(s.held) >= maxEvents {
		s.overflow = true
		return
	}
	s.held = append(s.held, h)
}

// releaseConflicts lets go at once of held events that must come before e: the same member or track is
// there again. What their feeds still hold is given up.
func (s *Subscriber) releaseConflicts(e *Event) {
	if len(s.held) == 0 || e.Kind != MemberJoined && e.Kind != TrackAdded {
		return
	}
	for _, h := range s.held {
		if h.event.Member == e.Member && (e.Kind == MemberJoined || h.event.Kind == MemberLeft || h.event.Track.ID == e.Track.ID) {
			s.release(-1)
			return
		}
	}
}

// release queues held events whose feeds are through or whose time is over; now < 0 means all.
func (s *Subscriber) release(now time.Duration) {
	for len(s.held) > 0 {
		h := s.held[0]
		overdue := now < 0 || now > h.until
		for _, f := range h.feeds {
			if !s.has(f) {
				continue
			}
			if !overdue {
				return
			}
			f.empty(media.DropAge)
			s.finish(f)
		}
		s.queueEvent(h.event)
		s.held = s.held[1:]
	}
	s.held = nil
}

func (s *Subscriber) has(f *feed) bool {
	for _, other := range s.feeds {
		if other == f {
			return true
		}
	}
	return false
}

// add inserts a feed behind those that go before it.
func (s *Subscriber) add(f *feed) {
	i := len(s.feeds)
	for i > 0 && before(f, s.feeds[i-1]) {
		i--
	}
	s.feeds = append(s.feeds, nil)
	copy(s.feeds[i+1:], s.feeds[i:])
	s.feeds[i] = f
}

// before orders feeds: audio before video, then by the subscription's priority.
func before(a, b *feed) bool {
	if a.video() != b.video() {
		return !a.video()
	}
	return a.priority > b.priority
}

// remove takes a feed out and keeps its drop counts.
func (s *Subscriber) remove(f *feed) {
	for i, other := range s.feeds {
		if other == f {
			s.feeds = append(s.feeds[:i], s.feeds[i+1:]...)
			for r, n := range f.drops {
				s.drops[r] += n
			}
			return
		}
	}
}

// Totals counts over all subscribers of a relay.
type Totals struct {
	drops                [media.DropReasons]atomic.Uint64
	FramesIn             atomic.Uint64
	BytesIn              atomic.Uint64
	BytesOut             atomic.Uint64
	Traffic              Traffic
	ValuesIn, BatchesOut atomic.Uint64 // of topics
	ObjectBytesIn        atomic.Uint64
	ObjectBytesOut       atomic.Uint64
	Switches             atomic.Uint64 // times that another layer of a track took over
	Asks                 atomic.Uint64 // key-frame requests passed on to publishers
}

// Drops gives the frames dropped by reason.
func (t *Totals) Drops() (d DropCounts) {
	for r := range d {
		d[r] = t.drops[r].Load()
	}
	return d
}

package rtc

import (
	"context"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/pion/rtcp"

	"landline/media"
	"landline/media/rtp"
	"landline/relay"
)

// outgoing is a track that is sent.
type outgoing struct {
	member string // "" for one's own
	info   relay.TrackInfo
	asms   map[uint16]*media.Assembler // of its layers, by alias
	us     int64                       // the newest timestamp, in full
	at     time.Time
	line   *line // nil while there is none for it
	pt     uint8
	pack   *rtp.Packetizer

	own   *line // the m-line of a track of one's own, which no other gets
	clock rtp.Clock
}

// full gives the low 32 bits of a clock the value that is nearest to where the clock should be now.
func (t *outgoing) full(low uint32, now time.Time) int64 {
	should := t.us + now.Sub(t.at).Microseconds()
	t.us, t.at = should+int64(int32(low-uint32(should))), now
	return t.us
}

// sender takes media from a Subscriber and sends it by m-lines.
type sender struct {
	sub   *relay.Subscriber
	lines []*line
	kick  chan struct{}
	pace  pace

	tracks  map[uint16]*outgoing // by alias
	waiting []*outgoing          // for an m-line
	acked   uint64

	connected func()                 // the path is, and run begins
	crowded   func(t *outgoing) bool // there is no m-line for it; reports whether it need not wait for one
	report    func([]rtcp.Packet)
	began     func(t *outgoing, us int64)
	ended     func(t *outgoing, mid string, next uint16)
	hold      func(member, track string, paused bool)
	event     func(*relay.Event)
}

func newSender() *sender {
	nothing := func(*relay.Event) {}
	return &sender{kick: make(chan struct{}, 1), tracks: map[uint16]*outgoing{}, began: func(*outgoing, int64) {},
		ended: func(*outgoing, string, uint16) {}, hold: func(string, string, bool) {}, event: nothing,
		connected: func() {}, crowded: func(*outgoing) bool { return false }}
}

// notify is the Subscriber's call.
func (s *sender) notify(bool) {
	select {
	case s.kick <- struct{}{}:
	default:
	}
}

// know adds a track that the Subscriber may give.
func (s *sender) know(member string, info relay.TrackInfo) *outgoing {
	t := &outgoing{member: member, info: info, us: max(info.AtUs, info.Clock.Us), at: time.Now(), asms: map[uint16]*media.Assembler{}}
	for _, l := range info.Layers {
		s.tracks[l.Alias], t.asms[l.Alias] = t, &media.Assembler{}
	}
	return t
}

func (s *sender) find(member, track string) *outgoing {
	for _, t := range s.tracks {
		if t.member == member && t.info.ID == track {
			return t
		}
	}
	return nil
}

const tickTime = time.Second

// run sends until ctx ends. Nothing is known of how much the path takes: what was pulled counts as received, and what is sent is
// paced at a fixed rate.
func (s *sender) run(ctx context.Context) {
	start := time.Now()
	tick := time.NewTicker(tickTime)
	defer tick.Stop()
	var out []relay.Out
	for {
		var more bool
		out, more = s.sub.Pull(out[:0])
		s.acknowledge(out, time.Since(start))
		for _, o := range out {
			if o.Event != nil {
				s.onEvent(o.Event)
			} else if o.Data != nil {
				s.message(ctx, o.Data)
			}
		}
		clear(out)
		if more && ctx.Err() == nil {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-s.kick:
		case <-tick.C:
			s.sub.Tick()
			s.reports()
		}
	}
}

// acknowledge counts what was pulled as received. Where that is nothing it says nothing: an ack makes room, so the Subscriber asks to be
// pulled from for as long as it waits for a key frame, and the two would keep each other awake until one came.
func (s *sender) acknowledge(pulled []relay.Out, at time.Duration) {
	n := 0
	for _, o := range pulled {
		n += len(o.Data)
	}
	if n > 0 {
		s.acked += uint64(n)
		s.sub.Acked(s.acked, at)
	}
}

func (s *sender) onEvent(e *relay.Event) {
	switch e.Kind {
	case relay.TrackAdded:
		s.know(e.Member, e.Track)
	case relay.TrackUpdated:
		if t := s.find(e.Member, e.Track.ID); t != nil {
			t.info = e.Track
		}
	case relay.TrackRemoved:
		if t := s.find(e.Member, e.Track.ID); t != nil {
			s.forget(t)
		}
	}
	s.event(e)
}

// message deals with a binary message.
func (s *sender) message(ctx context.Context, data []byte) {
	if data[0] != media.KindChunk {
		c, err := media.ParseControl(data)
		t := s.tracks[c.Alias]
		switch {
		case err != nil || t == nil:
		case c.Kind == media.KindAbandon:
			t.asms[c.Alias].Abandon(c)
		case c.Kind == media.KindEnd:
			s.end(t)
		}
		return
	}
	c, err := media.ParseChunk(data)
	t := s.tracks[c.Alias]
	if err != nil || t == nil {
		return
	}
	h, frame, ok := t.asms[c.Alias].Push(&c)
	if !ok {
		return
	}
	us := t.full(h.Timestamp, time.Now())
	if t.line == nil && !s.place(t, us) {
		return
	}
	for _, p := range t.pack.Packets(media.Frame{Timestamp: us, Key: h.Key, Data: frame}, h.Temporal, h.Sync) {
		s.pace.wait(ctx, len(p.Payload))
		if t.line.write(p, t.pt) != nil {
			break // not connected any more: the path's end comes
		}
	}
	t.line.next = t.pack.Sequence()
}

// place finds an m-line for a track, or has the track wait.
func (s *sender) place(t *outgoing, us int64) bool {
	if t.own != nil {
		pt, takes := t.own.payloadType(t.info.Format)
		if takes {
			t.own.give(t, pt, t.clock)
		}
		return takes
	}
	if l, pt := s.lineFor(t); l != nil {
		l.give(t, pt, rtp.NewClock(t.info.Codec, us, rand.Uint32()))
		s.began(t, us)
		return true
	}
	if s.crowded(t) {
		return false
	}
	s.waiting = append(s.waiting, t)
	s.hold(t.member, t.info.ID, true)
	return false
}

// lineFor finds a free m-line for a track: in the seat of what belongs to it, or else in an empty one.
func (s *sender) lineFor(t *outgoing) (found *line, pt uint8) {
	for _, l := range s.lines {
		p, takes := l.payloadType(t.info.Format)
		if l.track != nil || l.kind != t.info.Kind || !takes {
			continue
		}
		switch beside := s.beside(l); {
		case beside == nil && found == nil:
			found, pt = l, p
		case beside != nil && beside.member == t.member && onScreen(beside) == onScreen(t):
			return l, p
		}
	}
	return found, pt
}

// beside is the track on the other m-line of a seat.
func (s *sender) beside(l *line) *outgoing {
	for _, other := range s.lines {
		if other != l && l.seat != "" && other.seat == l.seat {
			return other.track
		}
	}
	return nil
}

// onScreen reports whether a track belongs to a screen, and not to a camera.
func onScreen(t *outgoing) bool { return strings.HasPrefix(t.info.Source, "screen") }

// end frees the m-line of a track that is over, for one that waits.
func (s *sender) end(t *outgoing) {
	l := t.line
	s.forget(t)
	if l == nil {
		return
	}
	s.ended(t, l.mid, l.next)
	for i, w := range s.waiting {
		if free, _ := s.lineFor(w); free != nil {
			s.waiting = append(s.waiting[:i:i], s.waiting[i+1:]...)
			s.hold(w.member, w.info.ID, false)
			return
		}
	}
}

func (s *sender) forget(t *outgoing) {
	for alias := range t.asms {
		delete(s.tracks, alias)
	}
	for i, w := range s.waiting {
		if w == t {
			s.waiting = append(s.waiting[:i:i], s.waiting[i+1:]...)
			break
		}
	}
	if t.line != nil {
		t.line.show("", "")
		t.line.track, t.line = nil, nil
	}
}

// reports sends what the other side needs for lip sync.
func (s *sender) reports() {
	var list []rtcp.Packet
	for _, l := range s.lines {
		if t := l.track; t != nil && t.info.Clock.WallUs > 0 {
			list = append(list, l.report(t.info.Clock.WallUs+t.us-t.info.Clock.Us, t.pack.Clock.RTP(t.us)))
		}
	}
	if len(list) > 0 && s.report != nil {
		s.report(list)
	}
}

// pace spreads packets: a key frame that leaves at once is more than the buffers on the way hold.
type pace struct{ next time.Time }

const (
	paceRate  = 3_000_000 // bytes a second
	paceBurst = 4 * time.Millisecond
)

func (p *pace) wait(ctx context.Context, n int) {
	now := time.Now()
	if p.next.Before(now) {
		p.next = now
	}
	p.next = p.next.Add(time.Duration(n) * time.Second / paceRate)
	ahead := p.next.Sub(now)
	if ahead <= paceBurst {
		return
	}
	select {
	case <-time.After(ahead):
	case <-ctx.Done():
	}
}

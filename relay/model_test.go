package relay

import (
	"flag"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"landline/media"

	"pgregory.net/rapid"
)

// model drives one room by random operations. What must hold of every stream is held by the receivers; what must hold
// of the relay, by check after every operation and by settle at the end.
type model struct {
	*world
	rt    *rapid.T
	seats map[string]*seat
}

// seat is one identity: nobody, a member with a session, or one that lost it.
type seat struct {
	id      string
	s       *session // nil: nobody
	lost    bool
	lostAt  time.Time
	sources map[string]*source
	open    map[string][]Message // pieces of a frame begun and not finished
}

var (
	seatIDs  = []string{"a", "b", "c", "d"}
	trackIDs = []string{"v1", "v2", "layered", "mic"}
)

// bubbled hides that it is a *testing.T, whose deadline must not be asked for inside a bubble.
type bubbled struct{ *testing.T }

func TestModel(t *testing.T) {
	for name, value := range map[string]string{"rapid.steps": "80", "rapid.shrinktime": "2h"} { // by the bubble's clock
		if err := flag.Set(name, value); err != nil {
			t.Fatal(err)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		rapid.Check(bubbled{t}, func(rt *rapid.T) {
			m := &model{world: newWorld(rt, Options{Grace: 10 * time.Second}), rt: rt, seats: map[string]*seat{}}
			for _, id := range seatIDs {
				m.seats[id] = &seat{id: id}
			}
			rt.Repeat(map[string]func(*rapid.T){
				"": m.check, "join": m.join, "end": m.end, "loss": m.loss, "resume": m.resume, "publish": m.publish,
				"write": m.write, "write more": m.write, "encoding": m.encoding, "frames": m.frames, "abandon": m.abandon, "subscribe": m.subscribe,
				"keyframe": m.keyFrame, "pull": m.pull, "pull more": m.pull, "freeze": m.freeze, "time": m.time,
			})
			m.settle()
		})
	})
}

// live draws a seat that has a session, or skips the operation.
func (m *model) live() *seat {
	return m.draw("seat", func(s *seat) bool { return s.s != nil && !s.lost })
}

func (m *model) draw(label string, fits func(*seat) bool) *seat {
	var list []string
	for _, id := range seatIDs {
		if fits(m.seats[id]) {
			list = append(list, id)
		}
	}
	if len(list) == 0 {
		m.rt.SkipNow()
	}
	return m.seats[rapid.SampledFrom(list).Draw(m.rt, label)]
}

// source draws a track of somebody with a session.
func (m *model) source() (*seat, *source) {
	s := m.draw("publisher", func(s *seat) bool { return s.s != nil && !s.lost && len(s.sources) > 0 })
	id := rapid.SampledFrom(slices.Sorted(maps.Keys(s.sources))).Draw(m.rt, "track")
	return s, s.sources[id]
}

func (m *model) join(*rapid.T) {
	s := m.draw("seat", func(*seat) bool { return true })
	carries := rapid.SampledFrom([]Carries{everything, everything, everything, {media.Opus}}).Draw(m.rt, "carries")
	*s = seat{id: s.id, s: m.joinAs(Identity{ID: s.id, Name: s.id}, carries, Selector{}), sources: map[string]*source{}, open: map[string][]Message{}}
}

func (m *model) end(*rapid.T) {
	switch rapid.IntRange(0, 3).Draw(m.rt, "what ends") {
	case 0:
		s := m.draw("seat", func(s *seat) bool { return s.s != nil })
		s.s.m.Leave("bye")
		*s = seat{id: s.id}
	case 1:
		s, c := m.source()
		if err := s.s.m.Unpublish(c.info.ID); err != nil {
			m.rt.Fatal(err)
		}
		s.forget(c.info.ID)
	default:
		s, c := m.source()
		for _, layer := range s.layersOf(c.info.ID) {
			if err := layer.control(media.KindEnd, layer.group, layer.frame); err != nil {
				m.rt.Fatal(err)
			}
		}
		s.forget(c.info.ID)
	}
}

// layersOf lists the sources of one track.
func (s *seat) layersOf(id string) (list []*source) {
	for _, key := range slices.Sorted(maps.Keys(s.sources)) {
		if s.sources[key].info.ID == id {
			list = append(list, s.sources[key])
		}
	}
	return list
}

func (s *seat) forget(id string) {
	for _, c := range s.layersOf(id) {
		delete(s.sources, c.key)
		delete(s.open, c.key)
	}
}

// encoding says which layers of a track are made. What is written is another matter.
func (m *model) encoding(*rapid.T) {
	s, c := m.source()
	made := rapid.SliceOfN(rapid.Bool(), len(c.info.Layers), len(c.info.Layers)).Draw(m.rt, "made")
	if err := s.s.m.Encoding(c.info.ID, made); err != nil {
		m.rt.Fatal(err)
	}
}

func (m *model) loss(*rapid.T) {
	s := m.live()
	s.s.m.Lost(s.s.sub, nil)
	s.lost, s.lostAt, s.open = true, time.Now(), map[string][]Message{}
}

// resume comes after a loss, or while the session before is still there.
func (m *model) resume(*rapid.T) {
	s := m.draw("seat", func(s *seat) bool { return s.s != nil })
	s.s, s.lost, s.open = s.s.resume(), false, map[string][]Message{}
	for _, c := range s.sources {
		c.s = s.s
	}
}

func (m *model) publish(*rapid.T) {
	s := m.live()
	id := rapid.SampledFrom(trackIDs).Draw(m.rt, "track")
	if len(s.layersOf(id)) > 0 {
		m.rt.SkipNow()
	}
	if id == "layered" {
		for _, c := range s.s.layers(id, 180, 360, 720) {
			s.sources[c.key] = c
		}
		return
	}
	o := video(id)
	if id == "mic" {
		o = audio(id)
	}
	s.sources[id] = s.s.publish(o)[0]
}

// begin makes the next frame of a track, if none is open.
func (m *model) begin(s *seat, c *source) {
	if len(s.open[c.key]) > 0 {
		return
	}
	key := c.group == 0 || rapid.IntRange(0, 7).Draw(m.rt, "key") == 0
	size := rapid.SampledFrom([]int{1, 100, 3_000, 40_000, 300_000}).Draw(m.rt, "size")
	s.open[c.key] = c.next(key, size, rapid.SampledFrom([]int{max(size/4, 16), media.MaxChunkPayload}).Draw(m.rt, "chunk"))
}

func (m *model) write(*rapid.T) {
	s, c := m.source()
	m.begin(s, c)
	pieces := s.open[c.key]
	n := rapid.IntRange(1, len(pieces)).Draw(m.rt, "pieces")
	c.pieces(pieces[:n])
	s.open[c.key] = pieces[n:]
}

func (m *model) frames(*rapid.T) {
	s, c := m.source()
	for range rapid.IntRange(1, 30).Draw(m.rt, "frames") {
		m.begin(s, c)
		c.pieces(s.open[c.key])
		s.open[c.key] = nil
	}
}

func (m *model) abandon(*rapid.T) {
	s, c := m.source()
	if err := c.control(media.KindAbandon, c.group, c.frame); err != nil {
		m.rt.Fatal(err)
	}
	s.open[c.key] = nil
}

func (m *model) subscribe(*rapid.T) {
	s := m.live()
	sel := Selector{}
	switch rapid.IntRange(0, 3).Draw(m.rt, "selector") {
	case 1:
		sel.Name = rapid.SampledFrom(seatIDs).Draw(m.rt, "name")
	case 2:
		sel.Member = rapid.SampledFrom(seatIDs).Draw(m.rt, "member")
	case 3:
		sel.Member, sel.Track = rapid.SampledFrom(seatIDs).Draw(m.rt, "member"), rapid.SampledFrom(trackIDs).Draw(m.rt, "track")
	}
	if rapid.IntRange(0, 3).Draw(m.rt, "back") == 0 {
		s.s.m.Unsubscribe(sel)
		return
	}
	w := Want{Priority: rapid.IntRange(0, 9).Draw(m.rt, "priority"), Paused: rapid.IntRange(0, 3).Draw(m.rt, "paused") == 0,
		MaxAge: rapid.SampledFrom([]time.Duration{0, 0, 50 * time.Millisecond, 10 * time.Second}).Draw(m.rt, "age"),
		Height: rapid.SampledFrom([]int{0, 0, 100, 300, 720}).Draw(m.rt, "height"), Hold: rapid.IntRange(0, 3).Draw(m.rt, "hold") == 0}
	if err := s.s.m.Subscribe(sel, w); err != nil && err != ErrNoSuchMember && err != ErrNoSuchTrack {
		m.rt.Fatal(err)
	}
}

func (m *model) keyFrame(*rapid.T) {
	s := m.live()
	err := s.s.m.KeyFrame(rapid.SampledFrom(seatIDs).Draw(m.rt, "member"), rapid.SampledFrom(trackIDs).Draw(m.rt, "track"))
	if err != nil && err != ErrNoSuchMember && err != ErrNoSuchTrack {
		m.rt.Fatal(err)
	}
}

// pull takes a batch, or all there is room for, and acknowledges nothing, a part or all of what came.
func (m *model) pull(*rapid.T) {
	s := m.live().s
	switch rapid.IntRange(0, 3).Draw(m.rt, "how") {
	case 0:
		s.pullOnce()
	case 1:
		s.pull()
	case 2:
		s.pull()
		s.halfRate(uint64(rapid.IntRange(0, full).Draw(m.rt, "acked")))
	default:
		s.drain()
	}
}

// freeze makes a link as full as it can be; only an ack of all frees it.
func (m *model) freeze(*rapid.T) {
	s := m.live().s
	s.sub.AddSent(full)
	s.bytes += full
}

func (m *model) time(*rapid.T) {
	d := rapid.SampledFrom([]time.Duration{5, 40, 200, 500, 1000, 3000, 6000}).Draw(m.rt, "ms") * time.Millisecond
	m.pass(d)
	for _, s := range m.seats {
		if s.s != nil && !s.lost {
			s.s.sub.Tick()
			m.ages(s.s)
		}
	}
}

// pass lets time go by, and forgets those whose grace is over.
func (m *model) pass(d time.Duration) {
	wait(d)
	synctest.Wait()
	for _, s := range m.seats {
		if s.lost && time.Since(s.lostAt) >= 10*time.Second {
			*s = seat{id: s.id}
		}
	}
}

// ages holds every queue to its age after a Tick.
func (m *model) ages(s *session) {
	now := s.sub.now()
	s.sub.mu.Lock()
	defer s.sub.mu.Unlock()
	for _, f := range s.sub.feeds {
		if f.queue.len() > 0 && f.queue.first().kind == media.KindChunk && f.age(now) > f.maxAge {
			m.rt.Fatalf("%s/%s waits for %v, more than %v", f.member, f.track, f.age(now), f.maxAge)
		}
	}
}

// check holds the relay to itself: feeds are listed where they should be, in order, and within their bounds.
func (m *model) check(*rapid.T) {
	for _, s := range m.seats {
		if s.s == nil || s.lost {
			continue
		}
		s.s.bounds()
		subscribed := m.listed(s)
		s.s.sub.mu.Lock()
		feeds := slices.Clone(s.s.sub.feeds)
		s.s.sub.mu.Unlock()
		if !slices.IsSortedFunc(feeds, func(a, b *feed) int { return b2i(before(b, a)) - b2i(before(a, b)) }) || subscribed > len(feeds) {
			m.rt.Fatalf("%s: %d feeds, %d subscribed, out of order", s.id, len(feeds), subscribed)
		}
	}
}

// listed counts the tracks that feed a seat, which must be those that it wants.
func (m *model) listed(s *seat) (n int) {
	room := s.s.m.room
	room.mu.Lock()
	defer room.mu.Unlock()
	for _, other := range room.members {
		for _, t := range other.tracks {
			listed := slices.ContainsFunc(*t.feeds.Load(), func(f *feed) bool { return f.sub == s.s.sub })
			_, wanted := s.s.m.want(t)
			wanted = wanted && other != s.s.m && slices.Contains(s.s.m.carries, t.info.Load().Codec)
			if f := s.s.sub.feedOf(t); (f != nil) != listed || listed != wanted {
				m.rt.Fatalf("%s: feed of %s/%s: there %v, listed %v, wanted %v", s.id, other.id, t.info.Load().ID, f != nil, listed, wanted)
			}
			n += b2i(listed)
		}
	}
	return n
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

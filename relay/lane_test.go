package relay

import (
	"time"

	"landline/media"
)

// lane is a path of a certain rate to one subscriber, by the bubble's clock, with the acks that a receiver sends.
type lane struct {
	s     *session
	rate  int // bytes a second
	delay time.Duration
	free  time.Duration // when the path is free
	under []parcel
	got   uint64
	gotAt time.Duration
	ackAt time.Duration
	came  int // media bytes that arrived since the test last took the count
}

type parcel struct {
	Out
	size int
	at   time.Duration // of its arrival
}

func newLane(s *session, rate int) *lane {
	return &lane{s: s, rate: rate, delay: 30 * time.Millisecond, got: s.bytes}
}

// step lets the subscriber send what it may, and the receiver have what has arrived.
func (l *lane) step() {
	now := l.s.w.relay.now()
	for more := true; more; {
		var out []Out
		out, more = l.s.sub.Pull(nil)
		for _, o := range out {
			p := parcel{Out: o, size: len(o.Data)}
			if o.Event != nil {
				p.size = eventSize
				l.s.sub.AddSent(eventSize)
			}
			l.free = max(l.free, now) + time.Duration(p.size)*time.Second/time.Duration(l.rate)
			p.at = l.free + l.delay
			l.under = append(l.under, p)
		}
	}
	for len(l.under) > 0 && l.under[0].at <= now {
		p := l.under[0]
		l.under = l.under[1:]
		l.got, l.gotAt = l.got+uint64(p.size), p.at
		if p.Event != nil {
			l.s.event(p.Event)
		} else {
			l.s.message(p.Message)
			l.came += len(p.Data)
		}
	}
	if now-l.ackAt >= l.s.sub.AckEvery() && l.got > 0 {
		l.ackAt = now
		if !l.s.sub.Acked(l.got, l.gotAt) {
			l.s.t.Fatal("ack refused")
		}
	}
}

// studio publishes one picture in several layers, each at a rate of its own, with aligned key frames, as long as the layer
// is wanted.
type studio struct {
	s      *session
	layers []*source
	rates  []int // bytes a second
	every  int   // frames between key frames
	obeys  bool  // it makes only what is wanted, and key frames when asked
	wants  []bool
	asked  []bool
	heard  int
	frame  int
	made   []int // frames written, by layer
}

const fps = 25

func newStudio(s *session, obeys bool, every int, rates ...int) *studio {
	heights := []int{180, 360, 720}[:len(rates)]
	st := &studio{s: s, layers: s.layers("camera", heights...), rates: rates, every: every, obeys: obeys, made: make([]int, len(rates))}
	st.wants, st.asked = make([]bool, len(rates)), make([]bool, len(rates))
	for i := range st.wants {
		st.wants[i], st.asked[i] = true, true
	}
	return st
}

// hear takes what the publisher was told.
func (st *studio) hear() {
	st.s.drain()
	for _, e := range st.s.events[st.heard:] {
		switch {
		case e.Kind == LayersWanted:
			for i, w := range e.Layers {
				st.asked[i] = st.asked[i] || w && !st.wants[i]
			}
			st.wants = e.Layers
		case e.Kind == Feedback && e.Layer > 0:
			st.asked[e.Layer-1] = true
		}
	}
	st.heard = len(st.s.events)
}

// picture writes the next picture in each layer.
func (st *studio) picture() {
	st.hear()
	for i, c := range st.layers {
		if st.obeys && !st.wants[i] {
			continue
		}
		key := st.frame%st.every == 0 || st.obeys && st.asked[i]
		size := st.rates[i] / fps
		if key {
			size *= 4
			st.asked[i] = false
		}
		c.send(key, size)
		st.made[i]++
	}
	st.frame++
}

// run writes pictures for some time, and calls each every 5 ms.
func (st *studio) run(d time.Duration, each func()) {
	for step := range int(d / (5 * time.Millisecond)) {
		if step%8 == 0 {
			st.picture()
		}
		each()
		wait(5 * time.Millisecond)
	}
}

// height is that of the layer which a receiver has had last.
func (s *session) height(member, track string) int {
	s.t.Helper()
	of := s.of(member, track).of
	for i, alias := range of.aliases {
		if alias == of.alias {
			return []int{180, 360, 720}[i]
		}
	}
	return 0
}

// whole counts the frames that came whole of all layers of a track.
func (s *session) frames(member, track string) (n int) {
	s.t.Helper()
	for _, alias := range s.of(member, track).of.aliases {
		n += len(s.tracks[alias].got)
	}
	return n
}

func (s *session) abandons(member, track string, why media.DropReason) (n int) {
	s.t.Helper()
	for _, alias := range s.of(member, track).of.aliases {
		for _, c := range s.tracks[alias].abandons {
			if c.Code == byte(why) {
				n++
			}
		}
	}
	return n
}

package relay

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"landline/media"
)

// path is a link of a rate, with a delay each way, to a receiver that acknowledges by the rules of docs/protocol.md section 8. What the
// receiver is asked for travels behind the rest, as all that is sent.
type path struct {
	s     *session
	rate  int // bytes a second
	delay time.Duration

	free     time.Duration // when the link is free
	under    []parcel      // on its way; a size without a message is an ackInterval
	asked    time.Duration // between acks
	every    time.Duration // as the receiver knows it
	messages int
	got      uint64
	gotAt    time.Duration
	acked    uint64
	ackedAt  time.Duration
	acks     []lateAck

	mic    uint16                   // alias
	spoken map[uint32]time.Duration // when the packets were written
	ages   map[uint32]time.Duration // of those that came
	over   []uint32                 // packets of sound that went over a full window

	bulk uint64 // bytes of objects that came
}

type lateAck struct {
	bytes    uint64
	came, at time.Duration
}

const (
	quickAcks   = 16 // messages that are acknowledged at once
	ackInterval = 100 * time.Millisecond
	askBytes    = 40 // of an ackInterval
	packetTime  = 20 * time.Millisecond
)

// newPath has a receiver behind it that has been there for a while, and has heard of others who came and went.
func newPath(s *session, rate int, rtt time.Duration, others int) *path {
	p := &path{s: s, rate: rate, delay: rtt / 2, asked: ackInterval, every: ackInterval, spoken: map[uint32]time.Duration{}, ages: map[uint32]time.Duration{}}
	for i := range others {
		s.w.join(fmt.Sprint("guest", i)).m.Leave("done")
		p.run(40 * time.Millisecond)
	}
	p.run(200*time.Millisecond + 2*rtt)
	return p
}

// run lets time pass.
func (p *path) run(d time.Duration) {
	for range d / time.Millisecond {
		p.step()
		wait(time.Millisecond)
	}
}

func (p *path) step() {
	now := p.s.w.relay.now()
	for len(p.acks) > 0 && p.acks[0].at <= now {
		a := p.acks[0]
		p.acks = p.acks[1:]
		if !p.s.sub.Acked(a.bytes, a.came) {
			p.s.t.Fatalf("ack of %d refused", a.bytes)
		}
		if every := p.s.sub.AckEvery(); every != p.asked {
			p.asked = every
			p.s.sub.AddSent(askBytes)
			p.send(parcel{size: askBytes}, now)
		}
	}
	for more := true; more; {
		full := p.s.sub.link.Room() <= 0
		var out []Out
		out, more = p.s.sub.Pull(nil)
		for _, o := range out {
			if full {
				p.overFull(o, now)
			}
			size := len(o.Data)
			if o.Event != nil {
				size = eventSize
				p.s.sub.AddSent(size)
			}
			p.send(parcel{Out: o, size: size}, now)
		}
	}
	for len(p.under) > 0 && p.under[0].at <= now {
		p.take(p.under[0], now)
		p.under = p.under[1:]
	}
	if p.got > p.acked && now-p.ackedAt >= p.every {
		p.ack(now)
	}
}

func (p *path) send(o parcel, now time.Duration) {
	p.free = max(p.free, now) + time.Duration(o.size)*time.Second/time.Duration(p.rate)
	o.at = p.free + p.delay
	p.under = append(p.under, o)
}

// overFull takes note of what goes though the window is full: sound alone, that has waited for half of its time.
func (p *path) overFull(o Out, now time.Duration) {
	if c, err := media.ParseChunk(o.Data); err == nil {
		p.over = append(p.over, c.Group)
		if c.Alias != p.mic || now-p.spoken[c.Group] <= ClassAudio.MaxAge()/2 {
			p.s.t.Fatalf("a chunk of track %d goes over a full window after %v", c.Alias, now-p.spoken[c.Group])
		}
	}
}

func (p *path) take(o parcel, now time.Duration) {
	p.got, p.gotAt = p.got+uint64(o.size), o.at
	switch {
	case o.Event != nil:
		p.s.event(o.Event)
	case o.Data == nil:
		p.every = p.asked
	case o.Data[0] == media.KindObject:
		p.bulk += uint64(len(o.Data) - media.ObjectHeaderSize)
	default:
		if c, err := media.ParseChunk(o.Data); err == nil && c.Alias == p.mic {
			p.ages[c.Group] = o.at - p.spoken[c.Group]
		}
		p.s.message(o.Message)
	}
	if p.messages++; p.messages <= quickAcks || p.got-p.acked >= 16<<10 {
		p.ack(now)
	}
}

func (p *path) ack(now time.Duration) {
	p.acked, p.ackedAt = p.got, now
	p.acks = append(p.acks, lateAck{p.got, p.gotAt, now + p.delay})
}

// stand lets nothing through for a while, from now on.
func (p *path) stand(d time.Duration) {
	for i := range p.under {
		p.under[i].at += d
	}
	p.free = max(p.free, p.s.w.relay.now()) + d
}

// speech is one who talks before a camera: 50 packets of sound a second, 25 pictures, of which every fiftieth is a key frame.
type speech struct {
	cam, mic *source
	key      int // bytes of a key frame
	packet   int // of sound
	ms       int

	hidden bool   // no pictures
	each   func() // every millisecond
}

func newSpeech(s *session, key, packet int) *speech {
	list := s.publish(video("camera"), audio("mic"))
	return &speech{cam: list[0], mic: list[1], key: key, packet: packet}
}

const (
	deltaBytes = 9_600 // 2 Mbit/s with the key frames: no slow link takes that
	chunkBytes = 4096
)

// run talks for some time.
func (c *speech) run(d time.Duration, p *path) {
	for range d / time.Millisecond {
		if c.ms%40 == 0 && !c.hidden {
			key := c.ms%2000 == 0
			size := deltaBytes
			if key {
				size = c.key
			}
			c.cam.pieces(c.cam.next(key, size, chunkBytes))
		}
		if c.ms%20 == 0 {
			c.mic.send(true, c.packet)
			p.spoken[c.mic.group] = p.s.w.relay.now()
		}
		c.ms++
		if c.each != nil {
			c.each()
		}
		p.step()
		wait(time.Millisecond)
	}
}

// whole holds that all that was spoken until so long ago has come, none of it older than what may wait, a round trip, and what may stand on
// the path.
func (p *path) whole(t *testing.T, since time.Duration) {
	t.Helper()
	now := p.s.w.relay.now()
	most := ClassAudio.MaxAge() + 2*p.delay + 100*time.Millisecond
	for group, at := range p.spoken {
		age, came := p.ages[group]
		switch {
		case !came && now-at > since:
			t.Errorf("packet %d, of %v, is missing", group, at)
		case age > most:
			t.Errorf("packet %d, of %v, comes after %v", group, at, age)
		}
	}
}

const slowRate = 64_000 // bytes a second: nine voices, or a quarter of what the camera makes

// onSlowLinks tries a slow link in quiet rooms and in busy ones, where the first messages, which are acknowledged at once, tell of others
// who come and go, and with any time from the last ack on.
func onSlowLinks(t *testing.T, rtts []time.Duration, try func(t *testing.T, w *world, rtt time.Duration, others int, idle time.Duration)) {
	for _, rtt := range rtts {
		for _, others := range []int{0, quickAcks} {
			for idle := time.Duration(0); idle < ackInterval; idle += 10 * time.Millisecond {
				t.Run(fmt.Sprintf("rtt=%v/others=%d/idle=%v", rtt, others, idle), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) { try(t, newWorld(t, Options{}), rtt, others, idle) })
				})
			}
		}
	}
}

// Sound fits into a slow link. That a key frame fills the first window, which is a quarter of a second of it, costs no packet.
func TestTheFirstKeyFrameOnASlowLinkCostsNoSound(t *testing.T) {
	for _, key := range []int{30_000, 60_000} {
		onSlowLinks(t, []time.Duration{2 * time.Millisecond, 60 * time.Millisecond},
			func(t *testing.T, w *world, rtt time.Duration, others int, idle time.Duration) {
				bob, ann := w.join("bob", Selector{}), w.join("ann")
				p := newPath(bob, slowRate, rtt, others)
				c := newSpeech(ann, key, 120+key/1500)
				p.mic = c.mic.alias()
				p.run(idle)
				c.run(1900*time.Millisecond, p)
				p.whole(t, 500*time.Millisecond)
			})
	}
}

// The same for one who comes later: a catch-up fills the link.
func TestACatchUpOnASlowLinkCostsNoSound(t *testing.T) {
	onSlowLinks(t, []time.Duration{2 * time.Millisecond, 60 * time.Millisecond, 150 * time.Millisecond},
		func(t *testing.T, w *world, rtt time.Duration, others int, idle time.Duration) {
			bob := w.join("bob")
			c := newSpeech(w.join("ann"), 30_000, 120)
			p := newPath(bob, slowRate, rtt, others)
			p.mic = c.mic.alias()
			c.run(400*time.Millisecond+idle, p)
			clear(p.spoken)
			bob.subscribe(Selector{}, Want{})
			c.run(1400*time.Millisecond, p)
			p.whole(t, 500*time.Millisecond)
		})
}

// On links so slow that the first window takes longer than sound may wait, what goes over the window is in time all the same.
func TestNoSoundGoesOverTheWindowToComeLate(t *testing.T) {
	over := 0
	for _, rate := range []int{20_000, 30_000, 40_000} {
		for idle := time.Duration(0); idle < ackInterval; idle += 10 * time.Millisecond {
			synctest.Test(t, func(t *testing.T) {
				bob := newWorld(t, Options{}).join("bob", Selector{})
				ann := bob.w.join("ann")
				p := newPath(bob, rate, 60*time.Millisecond, 0)
				c := newSpeech(ann, 30_000, 120)
				p.mic = c.mic.alias()
				p.run(idle)
				c.run(1900*time.Millisecond, p)
				for _, group := range p.over {
					if age := p.ages[group]; age > ClassAudio.MaxAge()+60*time.Millisecond {
						t.Errorf("%d bytes a second, idle %v: packet %d comes after %v", rate, idle, group, age)
					}
				}
				over += len(p.over)
			})
		}
	}
	if over == 0 {
		t.Error("none went over a window")
	}
}

// Where not all sound fits and no picture is before it, it keeps to the window: what is under way cannot be dropped for what is louder.
func TestSoundAloneKeepsToTheWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bob := newWorld(t, Options{}).join("bob", Selector{})
		var mics []*source
		for i := range 12 { // 82 kB/s
			mics = append(mics, bob.w.join(fmt.Sprint("speaker", i)).mic())
		}
		p := newPath(bob, slowRate, 60*time.Millisecond, 0)
		for range 200 {
			for _, mic := range mics {
				mic.send(true, 120)
			}
			p.run(packetTime)
		}
		if lost := bob.sub.Stats().Drops.Total(); len(p.over) > 0 || lost == 0 {
			t.Errorf("%d packets went over a full window, %d were dropped", len(p.over), lost)
		}
	})
}

// Sound does not pile up on a link that stands still: what is under way grows no more once an ack is overdue, and afterwards all is as before.
func TestALinkThatStandsStillIsGivenNoMoreSound(t *testing.T) {
	for at := 3 * time.Second; at < 4*time.Second; at += 70 * time.Millisecond {
		synctest.Test(t, func(t *testing.T) {
			const stall, overdue = 2 * time.Second, 150 * time.Millisecond
			bob := newWorld(t, Options{}).join("bob", Selector{})
			ann := bob.w.join("ann")
			p := newPath(bob, slowRate, 60*time.Millisecond, 0)
			c := newSpeech(ann, 30_000, 120)
			p.mic = c.mic.alias()
			c.run(at, p)
			p.stand(stall)
			c.run(overdue, p)
			st := bob.sub.Stats()
			most := max(st.InFlight, st.Window) + chunkBytes // what finds room goes out whole
			c.run(stall-overdue, p)
			if st := bob.sub.Stats(); st.InFlight > most {
				t.Errorf("stalled at %v: %d bytes under way, and %d when the ack was overdue", at, st.InFlight, most)
			}
			clear(p.spoken)
			c.run(1500*time.Millisecond, p)
			p.whole(t, 500*time.Millisecond)
		})
	}
}

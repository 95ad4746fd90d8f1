package rate

import (
	"math"
	"testing"
	"time"
)

const mbit = 1e6 / 8

// steps is a path whose rate changes at times.
func steps(rtt time.Duration, at []time.Duration, rates []float64) func(time.Duration) path {
	return func(now time.Duration) path {
		rate := rates[0]
		for i, t := range at {
			if now >= t {
				rate = rates[i+1]
			}
		}
		return path{rate, rtt, math.MaxInt32}
	}
}

func TestALinkThatFallsEmptiesItsQueueAtOnceAndOneThatRisesIsUsedSoon(t *testing.T) {
	for down := 8 * time.Second; down < 14*time.Second; down += 170 * time.Millisecond {
		up := down + 10*time.Second
		s := &sim{c: fresh(), chunk: greedy, path: steps(60*time.Millisecond, []time.Duration{down, up}, []float64{3 * mbit, 0.5 * mbit, 3 * mbit})}
		s.run(down)
		flying := s.c.InFlight()
		// What is in flight when the link falls, 0.1 s of the faster one, takes 0.7 s of the slower. Soon after that the queue
		// is short, and stays so.
		var worst time.Duration
		for s.run(down + time.Second); s.now < up; s.run(s.now + time.Millisecond) {
			worst = max(worst, s.free-s.now)
		}
		if worst > 150*time.Millisecond {
			t.Errorf("down at %v: %d bytes were in flight; a second later %v stood on the path", down, flying, worst)
		}
		s.run(up + 4*time.Second)
		if use, _ := s.measure(path{rate: 3 * mbit}, up+1500*time.Millisecond, up+4*time.Second); use < 0.9 {
			t.Errorf("down at %v: 1.5 s after it rose %.2f of the link are used", down, use)
		}
	}
}

func TestAStallIsForgottenSoon(t *testing.T) {
	const stall, over = 5 * time.Second, 7 * time.Second
	p := path{2 * mbit, 60 * time.Millisecond, math.MaxInt32}
	s := &sim{c: fresh(), chunk: greedy, path: constant(p)}
	s.run(stall)
	// Nothing arrives for two seconds, and what was under way comes then.
	for i := range s.arrivals {
		s.arrivals[i].at += over - stall
	}
	s.free += over - stall
	s.run(over + 500*time.Millisecond)
	if queue := s.free - s.now; queue > 120*time.Millisecond {
		t.Errorf("0.5 s after a stall %v stand on the path", queue)
	}
	s.run(over + 3*time.Second)
	if use, wait := s.measure(p, over+500*time.Millisecond, over+3*time.Second); use < 0.9 || wait > 120*time.Millisecond {
		t.Errorf("after a stall %.2f of the link are used, the queue is %v", use, wait)
	}
}

func TestACallThatTheLinkCarriesIsNotHeldUp(t *testing.T) {
	// 30 frames a second of 3 kB and a key frame of 30 kB every two seconds: 0.83 Mbit/s on a link of 10.
	p := path{10 * mbit, 40 * time.Millisecond, math.MaxInt32}
	s := &sim{c: fresh(), path: constant(p)}
	frames, left := 0, 0
	var worst, since time.Duration
	s.chunk = func(now time.Duration, s *sim) int {
		if due := int(now * 30 / time.Second); left == 0 && frames <= due {
			if left = 3000; frames%60 == 0 {
				left = 30_000
			}
			frames++
			since = now
		}
		if left == 0 {
			return 0
		}
		if s.c.Room() > 0 {
			left -= min(left, MinChunk)
			if now > 5*time.Second && left == 0 {
				worst = max(worst, now-since)
			}
		}
		return MinChunk
	}
	s.run(20 * time.Second)
	if worst > 120*time.Millisecond {
		t.Errorf("a key frame waited %v for the window", worst)
	}
	if frames < 595 {
		t.Errorf("%d frames went out in 20 s", frames)
	}
}

func TestClocksThatDriftAndRoutesThatChange(t *testing.T) {
	// The receiver's clock runs 100 ppm fast, and after 100 s the way is 80 ms longer.
	p := path{1 * mbit, 50 * time.Millisecond, math.MaxInt32}
	s := &sim{c: fresh(), chunk: greedy}
	s.path = func(now time.Duration) path {
		s.skew = now / 10_000
		q := p
		if now > 100*time.Second {
			q.rtt += 160 * time.Millisecond
		}
		return q
	}
	s.run(200 * time.Second)
	for _, from := range []time.Duration{5 * time.Second, 60 * time.Second, 115 * time.Second, 160 * time.Second} {
		if use, wait := s.measure(p, from, from+30*time.Second); use < 0.88 || wait > 120*time.Millisecond {
			t.Errorf("from %v: use %.2f, wait %v", from, use, wait)
		}
	}
}

func TestAReceiverThatReadsInGulpsIsNotStarved(t *testing.T) {
	p := path{10 * mbit, 20 * time.Millisecond, math.MaxInt32}
	s := &sim{c: fresh(), chunk: greedy, path: constant(p), gulp: 100 * time.Millisecond}
	s.run(40 * time.Second)
	for _, from := range []time.Duration{2 * time.Second, 10 * time.Second, 30 * time.Second} {
		if use, _ := s.measure(p, from, from+10*time.Second); use < 0.25 {
			t.Errorf("from %v %.2f of the link are used", from, use)
		}
	}
}

func TestVoiceGoesOnWhileAThinFullLinkIsProbed(t *testing.T) {
	// A packet of 100 bytes every 20 ms goes before chunks of video that fill a link of 128 kbit/s.
	p := path{128_000 / 8, 60 * time.Millisecond, math.MaxInt32}
	s := &sim{c: fresh(), path: constant(p)}
	spoken := 0
	var worst time.Duration
	s.chunk = func(now time.Duration, s *sim) int {
		due := int(now / (20 * time.Millisecond))
		if spoken >= due {
			return MinChunk
		}
		if s.c.Room() > 0 {
			if spoken++; now > 3*time.Second {
				worst = max(worst, now-time.Duration(spoken)*20*time.Millisecond)
			}
		}
		return 100
	}
	s.run(40 * time.Second)
	if worst > 250*time.Millisecond {
		t.Errorf("a packet waited %v for the window", worst)
	}
}

// misled is a full path on which one ack, after two seconds, tells a time that is too early: as from then on every message seems
// to have been under way for longer.
func misled(rate float64, early time.Duration) *sim {
	s := &sim{c: fresh(), chunk: greedy}
	done := false
	s.path = func(now time.Duration) path {
		if now > 2*time.Second && len(s.acks) > 0 && !done {
			s.acks[0].came -= early
			done = true
		}
		return path{rate, 60 * time.Millisecond, math.MaxInt32}
	}
	return s
}

func TestOneWrongTimeIsForgotten(t *testing.T) {
	for _, early := range []time.Duration{30, 60, 75, 100, 150, 300, 1000} {
		s := misled(3*mbit, early*time.Millisecond)
		s.run(50 * time.Second)
		use, wait := s.measure(path{rate: 3 * mbit}, 35*time.Second, 50*time.Second)
		if use < 0.9 || wait > 100*time.Millisecond {
			t.Errorf("%d ms too early: half a minute later %.2f of the link is used, the wait is %v; window %d, delay %v, rtt %v",
				early, use, wait, s.c.Window(), s.c.Delay(), s.c.RTT())
		}
	}
}

func TestAcksAloneAreNotInFlight(t *testing.T) {
	c := fresh()
	for range 10_000 {
		c.SentAck(20)
	}
	if c.InFlight() != 0 {
		t.Fatalf("%d bytes of acks are in flight", c.InFlight())
	}
	c.Sent(100, 0)
	if c.InFlight() != 100 {
		t.Fatalf("%d bytes in flight, not 100", c.InFlight())
	}
	if !c.Acked(200_100, 0, time.Second) || c.InFlight() != 0 {
		t.Fatalf("%d bytes in flight after the ack", c.InFlight())
	}
}

// The time in an ack is that of the last message, which may be an ack of ours: between sparse messages that is long after the
// message before it.
func TestOwnAcksAreNotTakenForADelay(t *testing.T) {
	c := New()
	var sent uint64
	for i := range 50 { // a packet every 400 ms, and an ack of ours 200 ms behind it
		at := time.Duration(i) * 400 * time.Millisecond
		c.Sent(80, at)
		c.SentAck(20)
		sent += 100
		if !c.Acked(sent, at+200*time.Millisecond+10*time.Millisecond, at+220*time.Millisecond) {
			t.Fatal("refused")
		}
		c.Sent(80, at+230*time.Millisecond)
		sent += 80
		if !c.Acked(sent, at+240*time.Millisecond, at+250*time.Millisecond) {
			t.Fatal("refused")
		}
		if c.Delay() > time.Millisecond || c.Window() < FirstWindow || c.Capacity(at) != 0 {
			t.Fatalf("packet %d: delay %v, window %d, capacity %d", i, c.Delay(), c.Window(), c.Capacity(at))
		}
	}
	if c.RTT() != 20*time.Millisecond {
		t.Errorf("round trip %v", c.RTT())
	}
}

func TestAcksThatCannotBe(t *testing.T) {
	c := fresh()
	c.Sent(100, 0)
	if c.Acked(101, 0, time.Second) {
		t.Error("an ack for more than was sent was taken")
	}
	if !c.Acked(100, 0, time.Second) || c.Acked(99, 0, time.Second) {
		t.Error("an ack that goes back was taken")
	}
}

// FuzzController feeds any receiver's acks: whatever it claims, the window stays within its bounds.
func FuzzController(f *testing.F) {
	f.Add([]byte{1, 200, 2, 50, 3, 9, 2, 200, 4, 0})
	f.Fuzz(func(t *testing.T, ops []byte) {
		c := fresh()
		var now time.Duration
		var sent, acked uint64
		for i := 0; i+1 < len(ops); i += 2 {
			n := uint64(ops[i+1])
			switch ops[i] % 6 {
			case 0:
				now += time.Duration(n) * 10 * time.Millisecond
			case 1:
				c.Sent(int(n)*64+1, now)
				sent += n*64 + 1
			case 2:
				to := acked + (sent-acked)*n/255
				if !c.Acked(to, now*time.Duration(n), now) {
					t.Fatal("an ack that can be was refused")
				}
				acked = to
			case 3:
				c.Wait(now)
			case 4:
				c.SentAck(20)
				sent += 20
			case 5:
				to := acked + (sent-acked)*n/255
				c.Acked(to, math.MaxInt64-time.Duration(n), now)
				acked = to
			}
			if w := c.Window(); w < 1 || w > MaxWindow {
				t.Fatalf("window %d", w)
			}
			if fl := c.InFlight(); fl < 0 || uint64(fl) > sent-acked {
				t.Fatalf("%d of %d bytes in flight", fl, sent-acked)
			}
		}
	})
}

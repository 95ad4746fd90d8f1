package relay

import (
	"testing"
	"testing/synctest"
	"time"

	"landline/media"
)

func TestInFlightIsCapped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		bob := w.join("bob", Selector{})
		cam := w.join("ann").camera()
		for range 12 {
			cam.send(true, 80_000)
		}
		bob.pull() // pullOnce holds every batch to maxBurst
		if st := bob.sub.Stats(); st.InFlight < maxInFlight {
			t.Errorf("only %d bytes in flight with more waiting", st.InFlight)
		}
		if n, more := bob.pullOnce(); n != 0 || more {
			t.Errorf("%d messages beyond the cap, more %v", n, more)
		}
		if !bob.sub.Acked(bob.bytes - maxInFlight + 1) {
			t.Fatal("ack refused")
		}
		before := bob.bytes
		if bob.pull(); bob.bytes == before || bob.bytes-before > media.MaxMessageSize {
			t.Errorf("one byte of room brought %d bytes", bob.bytes-before)
		}
	})
}

// A batch is bounded, so that audio can overtake between two writes.
func TestOnePullIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		bob := w.join("bob", Selector{})
		list := w.join("ann").publish(video("camera"), audio("mic"))
		bob.drain()
		list[0].send(true, 200_000)
		before := bob.bytes
		if _, more := bob.pullOnce(); !more {
			t.Error("more is not told of")
		}
		if n := bob.bytes - before; n < batchBytes || n >= batchBytes+media.MaxMessageSize {
			t.Errorf("a batch of %d bytes", n)
		}
		list[1].send(true, 100)
		out, _ := bob.sub.Pull(nil)
		if c, err := media.ParseChunk(out[0].Data); err != nil || c.Alias != list[1].info.Alias {
			t.Errorf("audio did not overtake: %v", err)
		}
	})
}

func TestLyingAcksAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		bob := w.join("bob", Selector{})
		cam := w.join("ann").camera()
		cam.send(true, 1000)
		bob.pull()
		for _, c := range []struct {
			bytes uint64
			want  bool
		}{{0, true}, {bob.bytes + 1, false}, {1 << 63, false}, {bob.bytes, true}, {bob.bytes - 1, false}, {bob.bytes, true}} {
			if got := bob.sub.Acked(c.bytes); got != c.want {
				t.Errorf("ack of %d where %d was sent: %v", c.bytes, bob.bytes, got)
			}
		}
		if st := bob.sub.Stats(); st.InFlight != 0 {
			t.Errorf("%d in flight", st.InFlight)
		}
	})
}

// The session is told once until it pulls, twice where audio comes behind video, and again when an ack makes room.
func TestNotify(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		var calls []bool
		m, err := w.relay.Join("room", Identity{ID: "bob", Name: "bob"}, everything, func(audio bool) { calls = append(calls, audio) })
		if err != nil {
			t.Fatal(err)
		}
		bob := &session{w: w, m: m}
		bob.begin()
		bob.subscribe(Selector{}, Want{})
		list := w.join("ann").publish(video("camera"), audio("mic"))
		bob.drain()
		calls = nil
		list[0].send(true, 40_000)
		list[1].send(true, 100)
		list[1].send(true, 100)
		if len(calls) != 2 || calls[0] || !calls[1] {
			t.Errorf("told %v, want video once and audio once", calls)
		}
		bob.drain()
		for range 4 {
			list[0].send(true, 100_000)
		}
		bob.pull()
		calls = nil
		list[0].send(false, 100)
		if len(calls) != 0 {
			t.Error("told though there is no room")
		}
		bob.ack()
		if len(calls) != 1 {
			t.Errorf("told %d times when the ack made room", len(calls))
		}
	})
}

func TestBusyForFiveSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		bob := w.join("bob", Selector{})
		mic := w.join("ann").mic()
		mic.send(true, 100)
		bob.drain()
		if bob.sub.Busy() {
			t.Error("busy though nothing ever waited")
		}
		bob.fill()
		mic.send(true, 100)
		bob.free()
		wait(4900 * time.Millisecond)
		if !bob.sub.Busy() {
			t.Error("not busy 4.9 s after something waited")
		}
		wait(200 * time.Millisecond)
		if bob.sub.Busy() {
			t.Error("busy for more than 5 s")
		}
	})
}

func TestMeterTakesTheBestOfTwoSeconds(t *testing.T) {
	var m meter
	at := time.Duration(0)
	for range 8 { // 100 kB/s
		m.add(25_000, at)
		at += meterSlot
	}
	m.add(50_000, at)
	if r := m.rate(at); r != 200_000 {
		t.Errorf("rate %d", r)
	}
	if r := m.rate(at + 7*meterSlot); r != 200_000 {
		t.Errorf("rate %d within 2 s", r)
	}
	if r := m.rate(at + 8*meterSlot); r != 0 {
		t.Errorf("rate %d after 2 s of nothing", r)
	}
	if r := m.rate(at + time.Hour); r != 0 {
		t.Errorf("rate %d after an hour", r)
	}
}

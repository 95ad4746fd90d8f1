package relay

import (
	"testing"
	"testing/synctest"
	"time"

	"landline/media"
	"landline/relay/rate"
)

func TestInFlightIsCapped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		bob := w.join("bob", Selector{})
		cam := w.join("ann").camera()
		bob.drain()
		for range 12 {
			cam.send(true, 80_000)
		}
		bob.pull() // pullOnce holds every batch to the window
		if st := bob.sub.Stats(); st.InFlight < rate.FirstWindow {
			t.Errorf("only %d bytes in flight with more waiting", st.InFlight)
		}
		if n, more := bob.pullOnce(); n != 0 || more {
			t.Errorf("%d messages beyond the window, more %v", n, more)
		}
		// An ack makes room for what it covers, and as much again while the link does not slow down.
		before := bob.bytes
		wait(10 * time.Millisecond)
		bob.ack()
		if bob.pull(); bob.bytes-before < rate.FirstWindow || bob.bytes-before > 3*rate.FirstWindow+maxMessage {
			t.Errorf("an ack of all brought %d bytes", bob.bytes-before)
		}
	})
}

// A batch is bounded, so that audio can overtake between two writes.
func TestOnePullIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		bob := w.join("bob", Selector{})
		list := w.join("ann").publish(video("camera"), audio("mic"))
		for range 3 { // the window grows
			list[0].send(true, 200_000)
			bob.drain()
		}
		list[0].send(true, 200_000)
		before := bob.bytes
		if _, more := bob.pullOnce(); !more {
			t.Error("more is not told of")
		}
		if n := bob.bytes - before; n < batchBytes || n >= batchBytes+maxMessage {
			t.Errorf("a batch of %d bytes", n)
		}
		list[1].send(true, 100)
		out, _ := bob.sub.Pull(nil)
		if c, err := media.ParseChunk(out[0].Data); err != nil || c.Alias != list[1].info.Layers[0].Alias {
			t.Errorf("audio did not overtake: %v", err)
		}
	})
}

// On a slow link a write is 15 ms of it, in pieces that hold nothing up for long, and the frame is whole at the other end.
func TestSlowLinksGetSmallerChunks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		bob, fast := w.join("bob", Selector{}), w.join("fast", Selector{})
		cam := w.join("ann").camera()
		cam.send(true, 1000)
		bob.drain()
		fast.drain()
		bob.known(100_000)
		for _, c := range []int{20_000, 9_000} {
			cam.send(c == 20_000, c) // a key frame in two chunks, a delta in one
			for more := true; more; bob.ack() {
				before := bob.bytes
				_, more = bob.pullOnce()
				if n := bob.bytes - before; n > 1500+rate.MinChunk {
					t.Errorf("a write of %d bytes", n)
				}
				for _, o := range bob.batch {
					if len(o.Data) > rate.MinChunk+media.FirstHeaderSize {
						t.Errorf("a message of %d bytes", len(o.Data))
					}
				}
			}
			fast.drain()
			for _, o := range fast.batch {
				if o.Wire == nil { // which pieces have not
					t.Errorf("the fast one got a piece of %d bytes", len(o.Data))
				}
			}
		}
		for _, s := range []*session{bob, fast} {
			if n := len(s.of("ann", "camera").got); n != 3 { // each of them compared with what was sent
				t.Errorf("%d frames", n)
			}
		}
	})
}

// On a thin link audio goes in groups, and none of it waits for more than 60 ms.
func TestThinLinksGetAudioInGroups(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		bob := w.join("bob", Selector{})
		mic := w.join("ann").mic()
		mic.send(true, 60)
		bob.drain()
		bob.known(8_000)
		select {
		case <-bob.woken:
		default:
		}
		writes := 0
		for range 50 {
			mic.send(true, 60)
			for range 4 {
				wait(5 * time.Millisecond)
				select {
				case <-bob.woken:
					if n, _ := bob.pullOnce(); n > 0 {
						writes++
						bob.ack()
					}
				default:
				}
				if age := bob.oldest(); age > 60*time.Millisecond {
					t.Fatalf("a packet of %v", age)
				}
			}
		}
		wait(100 * time.Millisecond) // the last ones go by themselves
		bob.pull()
		if n := len(bob.of("ann", "mic").got); n != 51 || writes < 15 || writes > 26 {
			t.Errorf("%d packets in %d writes", n, writes)
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
			if got := bob.sub.Acked(c.bytes, 0); got != c.want {
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

// Acks are wanted often for a second after something waited, and for five where the path still holds a queue.
func TestBusyAfterSomethingWaited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		bob := w.join("bob", Selector{})
		mic := w.join("ann").mic()
		mic.send(true, 100)
		bob.drain()
		if bob.sub.AckEvery() == rate.AckEveryBusy {
			t.Error("busy though nothing ever waited")
		}
		bob.fill()
		mic.send(true, 100)
		bob.free()
		wait(900 * time.Millisecond)
		if bob.sub.AckEvery() != rate.AckEveryBusy {
			t.Error("not busy 0.9 s after something waited")
		}
		wait(200 * time.Millisecond)
		if bob.sub.AckEvery() == rate.AckEveryBusy {
			t.Error("busy for more than a second")
		}
		bob.known(100_000) // a link that is full: its delay is high
		wait(4800 * time.Millisecond)
		if bob.sub.AckEvery() != rate.AckEveryBusy {
			t.Error("not busy 4.8 s after something waited on a full link")
		}
		wait(400 * time.Millisecond)
		if bob.sub.AckEvery() == rate.AckEveryBusy {
			t.Error("busy for more than 5 s")
		}
	})
}

package relay

import (
	"testing"
	"testing/synctest"
	"time"

	"landline/media"
)

func TestLateJoinerCatchesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		cam := w.join("ann").camera()
		cam.send(true, 100) // an earlier group: not repeated
		cam.send(true, 9_000)
		for range 20 {
			cam.send(false, 5_000)
		}
		bob := w.join("bob", Selector{})
		cam.send(false, 5_000)
		bob.drain()
		cam.send(false, 5_000)
		bob.drain()
		in := bob.of("ann", "camera")
		if len(in.bursts) != 1 || in.bursts[0].Group != 2 || in.bursts[0].Frame != 21 || in.burst {
			t.Fatalf("bursts %+v, open %v", in.bursts, in.burst)
		}
		if n := len(in.got); n != 23 || !in.got[20].burst || in.got[21].burst {
			t.Errorf("%d frames, want 21 between the markers and 2 live", n)
		}
	})
}

// Joining while a frame arrives: its first pieces come in the burst, the rest live, whatever comes first.
func TestJoinInMidFrame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for cut := range 5 {
			w := newWorld(t, Options{})
			cam := w.join("ann").camera()
			cam.send(true, 5_000)
			pieces := cam.next(false, 20_000, 4_096)
			cam.pieces(pieces[:cut])
			bob := w.join("bob", Selector{})
			if cut%2 == 0 {
				bob.drain()
			}
			cam.pieces(pieces[cut:])
			bob.drain()
			if in := bob.of("ann", "camera"); len(in.got) != 2 || len(in.bursts) != 1 || int(in.bursts[0].Frame) != 1+min(cut, 1) {
				t.Errorf("cut at %d: %d frames, bursts %+v", cut, len(in.got), in.bursts)
			}
		}
	})
}

func TestGroupTooLargeIsNotKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, fill := range map[string]func(cam *source){
			"frames": func(cam *source) {
				for range groupFrames {
					cam.send(false, 10)
				}
			},
			"bytes": func(cam *source) {
				for range 9 {
					cam.send(false, media.MaxFrameSize)
				}
			},
		} {
			w := newWorld(t, Options{})
			ann := w.join("ann")
			cam := ann.camera()
			cam.send(true, 10)
			fill(cam)
			bob := w.join("bob", Selector{})
			bob.drain()
			in := bob.of("ann", "camera")
			if len(in.bursts) != 0 || bob.sub.Stats().ClosedGates != 1 {
				t.Errorf("%s: %+v", name, in.bursts)
			}
			if ann.drain(); ann.count(Feedback) != 1 || ann.last(Feedback).Track.ID != "camera" {
				t.Errorf("%s: a join without a group asked %d times", name, ann.count(Feedback))
			}
			cam.send(false, 10)
			cam.send(true, 10)
			cam.send(false, 10)
			bob.drain()
			if len(in.got) != 2 || in.got[0].frame != 0 {
				t.Errorf("%s: got %d frames of the next group", name, len(in.got))
			}
		}
	})
}

func TestGroupAtItsCapIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		cam := w.join("ann").camera()
		cam.send(true, 10)
		for range groupFrames - 1 {
			cam.send(false, 10)
		}
		bob := w.join("bob", Selector{})
		bob.drain()
		if in := bob.of("ann", "camera"); len(in.got) != groupFrames || int(in.bursts[0].Frame) != groupFrames {
			t.Errorf("%d frames, bursts %+v", len(in.got), in.bursts)
		}
	})
}

// slowJoin starts a burst of about 2 MB and lets the receiver take a part of it.
func slowJoin(t *testing.T) (w *world, cam *source, bob *session) {
	w = newWorld(t, Options{})
	cam = w.join("ann").camera()
	for i := range 20 {
		cam.send(i == 0, 100_000)
	}
	bob = w.join("bob", Selector{})
	bob.pull()
	return w, cam, bob
}

func TestBurstNotThroughInTimeIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, cam, bob := slowJoin(t)
		in := bob.of("ann", "camera")
		for range 51 {
			wait(100 * time.Millisecond)
			cam.send(false, 1000)
			bob.bounds()
		}
		bob.drain()
		if len(in.abandons) != 1 || in.abandons[0].Code != byte(media.DropCatchUp) || in.burst {
			t.Fatalf("abandons %+v, burst open %v", in.abandons, in.burst)
		}
		if d := bob.sub.Stats().Drops; d[media.DropCatchUp] < 60 || d[media.DropCatchUp]+d[media.DropGate]+uint64(len(in.got)) != 71 {
			t.Errorf("drops %v and %d frames of 71", d, len(in.got))
		}
		cam.send(true, 1000)
		bob.drain()
		if last := in.got[len(in.got)-1]; last.group != 2 {
			t.Errorf("the next group did not come: %+v", last)
		}
	})
}

// A burst that has taken long is given up for the next group, which is not older than its class allows.
func TestBurstGivenUpKeepsTheNextGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, abandoned := range []bool{false, true} {
			_, cam, bob := slowJoin(t)
			cam.send(false, 500)
			if abandoned {
				if err := cam.control(media.KindAbandon, 1, cam.frame); err != nil {
					t.Fatal(err)
				}
			}
			bob.ack()
			wait(time.Second)
			cam.send(true, 500)
			wait(300 * time.Millisecond)
			cam.send(false, 500)
			bob.drain()
			cam.send(false, 500)
			bob.drain()
			in := bob.of("ann", "camera")
			if n := len(in.got); n == 0 || in.got[n-1].group != 2 || in.got[n-1].frame != 2 || in.got[n-3].frame != 0 {
				t.Errorf("abandoned %v: the next group did not come whole, %d frames", abandoned, n)
			}
		}
	})
}

// While a burst is under way age does not count, and what has waited behind it is part of it: nothing that comes live is older
// than its class allows.
func TestCatchUpIsExemptFromAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, cam, bob := slowJoin(t)
		for range 40 { // 4 s
			for range 10 {
				wait(10 * time.Millisecond)
				bob.halfRate(9_000)
			}
			cam.send(false, 10_000) // 400 kB behind the burst: more than one Pull brings
		}
		bob.drain()
		in := bob.of("ann", "camera")
		if n := len(in.got); n != 60 || len(in.abandons) != 0 {
			t.Errorf("%d frames of 60, abandons %v", n, in.abandons)
		}
		live := 0
		for _, f := range in.got {
			if !f.burst {
				live++
			}
		}
		if live == 0 || live > 38 {
			t.Errorf("%d frames came live: those that waited behind the burst are late", live)
		}
	})
}

// A gate opens by catch-up, without a key frame, once the receiver takes enough.
func TestGateOpensByCatchUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		bob := w.join("bob", Selector{})
		ann := w.join("ann")
		cam := ann.camera()
		cam.send(true, 20_000)
		bob.drain()
		bob.fill()
		for range 25 {
			cam.send(false, 4000)
			wait(40 * time.Millisecond)
		}
		if bob.sub.Stats().ClosedGates != 1 {
			t.Fatal("the gate is open")
		}
		bob.free()
		cam.send(false, 4000)
		bob.drain()
		in := bob.of("ann", "camera")
		if n := len(in.got); len(in.bursts) != 1 || in.got[n-1].frame != 26 {
			t.Errorf("bursts %+v, %d frames", in.bursts, n)
		}
		if ann.drain(); ann.count(Feedback) != 0 {
			t.Error("the publisher was asked for a key frame")
		}
	})
}

// A receiver that takes less than a group in a second is not sent the group again and again: it waits for a key frame.
func TestGateStaysClosedToASlowReceiver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		bob := w.join("bob", Selector{})
		cam := w.join("ann").camera()
		cam.send(true, 100)
		bob.drain()
		bob.known(100_000)
		for range 4 {
			cam.send(false, 500_000)
			bob.pull()
		}
		wait(5 * time.Second)
		bob.sub.Tick()
		bob.drain() // all that is in flight at once, of a group of 2 MB
		cam.send(false, 100)
		bob.drain()
		if in := bob.of("ann", "camera"); len(in.bursts) != 0 || bob.sub.Stats().ClosedGates != 1 {
			t.Errorf("bursts %v at %d bytes a second", in.bursts, bob.sub.Stats().Rate)
		}
	})
}

// A chunk that is in the group already when somebody joins, and passed on only then, does not come twice.
func TestJoinBetweenKeepAndPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		ann := w.join("ann")
		cam := ann.camera()
		cam.send(true, 100)
		track := ann.m.tracks["camera"].layers[0]
		m := cam.next(false, 100, 1000)[0]
		c, err := media.ParseChunk(m.Data)
		if err != nil {
			t.Fatal(err)
		}
		w.tape.note(m)
		w.tape.whole(&c.ChunkHeader, cam.data)
		it := &item{Message: m, seq: track.seq, kind: media.KindChunk, head: c.ChunkHeader}
		track.keep(it)
		bob := w.join("bob", Selector{})
		track.pass(it, w.relay.now(), &ann.pub.wakes)
		bob.drain()
		if in := bob.of("ann", "camera"); len(in.got) != 2 {
			t.Errorf("got %v", in.got)
		}
	})
}

// A group that its publisher gave up is still worth its picture to whoever comes late.
func TestCatchUpOfAnAbandonedGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		ann := w.join("ann")
		cam := ann.camera()
		cam.send(true, 3000)
		cam.pieces(cam.next(false, 40_000, 16_000)[:1])
		if err := cam.control(media.KindAbandon, 1, 1); err != nil {
			t.Fatal(err)
		}
		bob := w.join("bob", Selector{})
		if ann.asked() != 1 || bob.sub.Stats().ClosedGates != 1 {
			t.Error("nobody asked for the next key frame")
		}
		cam.send(true, 3000)
		bob.drain()
		in := bob.of("ann", "camera")
		if len(in.got) != 2 || len(in.abandons) != 1 || in.abandons[0].Frame != 1 || in.burst {
			t.Errorf("%d frames, abandons %+v, burst open %v", len(in.got), in.abandons, in.burst)
		}
	})
}

// End finds a burst under way: all of it comes first.
func TestEndBehindABurst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		cam := w.join("ann").camera()
		cam.send(true, 50_000)
		cam.send(false, 50_000)
		bob := w.join("bob", Selector{})
		in := bob.of("ann", "camera")
		cam.end()
		bob.drain()
		if len(in.got) != 2 || !in.of.ended {
			t.Errorf("%d frames, ended %v", len(in.got), in.of.ended)
		}
	})
}

// What waits behind a burst is bounded too: over 8 MiB the burst is given up, and the last group alone is left.
func TestTooMuchBehindABurst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, cam, bob := slowJoin(t)
		for range 9 {
			cam.send(false, media.MaxFrameSize)
			bob.bounds()
		}
		bob.ack()
		for range 3 {
			cam.send(true, 10_000)
		}
		bob.drain()
		in := bob.of("ann", "camera")
		if len(in.abandons) != 1 || in.abandons[0].Code != byte(media.DropCatchUp) || in.burst {
			t.Errorf("abandons %v, burst open %v", in.abandons, in.burst)
		}
		if last := in.got[len(in.got)-1]; last.group != 4 || bob.sub.Stats().Drops[media.DropCatchUp] < 25 {
			t.Errorf("last %v, drops %v", last, bob.sub.Stats().Drops)
		}
	})
}

// A catch-up that is asked for takes the place of what is queued: what was of an older group is dropped by name.
func TestCatchUpInPlaceOfTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		bob := w.join("bob", Selector{})
		cam := w.join("ann").camera()
		cam.send(true, 100)
		cam.send(false, 100)
		bob.drain()
		cam.send(false, 100)
		cam.send(true, 100)
		keyFrame(t, bob, nil)
		cam.send(false, 100)
		bob.drain()
		in := bob.of("ann", "camera")
		if len(in.got) != 4 || in.got[2].group != 2 || !in.got[2].burst || in.got[3].burst {
			t.Errorf("got %v", in.got)
		}
		if d := bob.sub.Stats().Drops; d[media.DropGate] != 1 || d.Total() != 1 {
			t.Errorf("drops %v", d)
		}
	})
}

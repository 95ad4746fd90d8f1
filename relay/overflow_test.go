package relay

import (
	"testing"
	"testing/synctest"
	"time"

	"landline/media"
)

func TestQueueStaysWithinItsBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		bob, file, impatient := w.join("bob", Selector{}), w.join("file"), w.join("impatient")
		file.subscribe(Selector{}, Want{MaxAge: 10 * time.Second})
		impatient.subscribe(Selector{}, Want{MaxAge: 10 * time.Second})
		cam := w.join("ann").camera()
		bob.fill()
		file.fill()
		impatient.fill()
		for i := range 60 { // 6 MB at once: nothing has time to grow old
			cam.send(i%8 == 0, 100_000)
			bob.bounds()
			file.bounds()
		}
		if st := bob.sub.Stats(); st.QueueBytes > queueBytes || st.Drops[media.DropBytes] == 0 {
			t.Errorf("bob: %+v", st)
		}
		if st := file.sub.Stats(); st.QueueBytes < 6_000_000 || st.Drops.Total() != 0 {
			t.Errorf("with a MaxAge of 10 s: %+v", st)
		}
		bob.free()
		file.free()
		impatient.subscribe(Selector{}, Want{}) // and with that, to the cap of a queue in a call
		impatient.bounds()
		if n := len(file.of("ann", "camera").got); n != 60 {
			t.Errorf("the saver got %d frames of 60", n)
		}
		if in := bob.of("ann", "camera"); len(in.got) == 0 || in.got[0].frame != 0 {
			t.Errorf("bob got %d frames", len(in.got))
		}
	})
}

// A key frame that waits is not thrown out for deltas behind it: they go, and the gate closes behind what is left.
func TestKeyFrameStaysWhenDeltasOverflow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		bob := w.join("bob", Selector{})
		cam := w.join("ann").camera()
		bob.fill()
		cam.send(true, 300_000)
		for range 20 {
			cam.send(false, 90_000)
		}
		bob.free()
		in := bob.of("ann", "camera")
		if len(in.got) != 9 || in.got[0].frame != 0 {
			t.Fatalf("%d frames; the key frame and 8 deltas fit", len(in.got))
		}
		if len(in.abandons) != 1 || in.abandons[0].Frame != 9 || in.abandons[0].Code != byte(media.DropBytes) {
			t.Errorf("abandons %+v", in.abandons)
		}
		if d := bob.sub.Stats().Drops; d[media.DropBytes] != 1 || d[media.DropGate] != 11 {
			t.Errorf("drops %v", d)
		}
		cam.send(true, 500)
		bob.drain()
		if last := in.got[len(in.got)-1]; last.group != 2 {
			t.Error("the next key frame did not open the gate")
		}
	})
}

// What waits behind a gate that closed for want of bytes grows old all the same.
func TestWhatIsLeftOfAGroupAges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		bob := w.join("bob", Selector{})
		cam := w.join("ann").camera()
		bob.fill()
		for i := range 15 {
			cam.send(i == 0, 90_000)
		}
		wait(time.Second)
		cam.send(false, 100)
		if age, n := bob.oldest(), bob.sub.Stats().QueueBytes; age > 400*time.Millisecond || n != 0 {
			t.Errorf("%d bytes of %v", n, age)
		}
	})
}

// An old group goes, the next one that is queued behind the publisher's own Abandon stays whole.
func TestGroupBehindAnAbandonSurvivesACut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		bob := w.join("bob", Selector{})
		cam := w.join("ann").camera()
		cam.send(true, 1000)
		bob.drain()
		bob.sub.AddSent(full)
		cam.send(false, 1000)
		wait(300 * time.Millisecond)
		bob.bytes += full
		bob.ack() // the link is free again, but the writer does not come to pull
		if err := cam.control(media.KindAbandon, 1, 2); err != nil {
			t.Fatal(err)
		}
		cam.send(true, 1000)
		wait(200 * time.Millisecond) // the delta is 500 ms old now
		for range 5 {
			cam.send(false, 1000)
		}
		bob.drain()
		in := bob.of("ann", "camera")
		if n := len(in.got); n != 7 || in.got[6].group != 2 || in.got[6].frame != 5 {
			t.Errorf("got %d frames, the last %v", n, in.got[n-1])
		}
	})
}

func TestOneFrameOverTheCapIsDelivered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		bob := w.join("bob", Selector{})
		cam := w.join("ann").camera()
		bob.fill()
		cam.send(true, media.MaxFrameSize) // with its headers it is over the queue's cap
		bob.free()
		if in := bob.of("ann", "camera"); len(in.got) != 1 {
			t.Errorf("%d frames", len(in.got))
		}
	})
}

// A frame that is cut while it arrives goes altogether: no tail of it comes through.
func TestFrameCutWhileItArrives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		bob := w.join("bob", Selector{})
		ann := w.join("ann")
		list := ann.publish(video("camera"), audio("mic"))
		bob.fill()
		v, a := list[0].next(true, 48_000, 16_000), list[1].next(true, 300, 96)
		list[0].pieces(v[:1])
		list[1].pieces(a[:1])
		wait(time.Second)
		bob.sub.Tick()
		list[0].pieces(v[1:])
		list[1].pieces(a[1:])
		list[1].send(true, 100)
		bob.free()
		if n := len(bob.of("ann", "camera").got); n != 0 {
			t.Errorf("%d video frames", n)
		}
		if n := len(bob.of("ann", "mic").got); n != 1 {
			t.Errorf("%d audio packets, want the last alone", n)
		}
		if d := bob.sub.Stats().Drops; d[media.DropAge] != 2 {
			t.Errorf("drops %v", d)
		}
	})
}

// Whoever comes, or unpauses, in the middle of an audio packet that comes in pieces gets none of its tail.
func TestAudioPacketInPiecesIsNeverCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		mic := w.join("ann").mic()
		paused := w.join("paused", Selector{})
		pieces := mic.next(true, 300, 96)
		mic.pieces(pieces[:2])
		paused.subscribe(Selector{}, Want{Paused: true})
		paused.subscribe(Selector{}, Want{})
		bob := w.join("bob", Selector{})
		mic.pieces(pieces[2:])
		mic.send(true, 100)
		for _, s := range []*session{bob, paused} {
			s.drain()
			if got := s.of("ann", "mic").got; len(got) != 1 || got[0].group != 2 {
				t.Errorf("%s got %v", s.m.ID(), got)
			}
		}
	})
}

func TestDropsAreReportedOnceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		bob := w.join("bob", Selector{})
		ann := w.join("ann")
		list := ann.publish(audio("mic"), audio("other"))
		bob.fill()
		for range 100 { // 2 s, ticked far more often than need be
			list[0].send(true, 100)
			wait(20 * time.Millisecond)
			bob.sub.Tick()
		}
		bob.free()
		wait(time.Second)
		bob.sub.Tick()
		bob.drain()
		if n := bob.count(DropReport); n < 2 || n > 3 {
			t.Errorf("%d reports in 2 s", n)
		}
		d := bob.last(DropReport).Drops
		if len(d) != 1 || d[0].Member != "ann" || d[0].Track != "mic" || d[0].Frames[media.DropAge] == 0 {
			t.Errorf("report %+v", d)
		}
		n := bob.count(DropReport)
		wait(5 * time.Second)
		bob.sub.Tick()
		bob.drain()
		if bob.count(DropReport) != n {
			t.Error("a report without a new drop")
		}
	})
}

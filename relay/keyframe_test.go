package relay

import (
	"testing"
	"testing/synctest"
	"time"
)

// asked takes what a publisher was told, and counts the requests for key frames.
func (s *session) asked() int {
	s.t.Helper()
	s.drain()
	return s.count(Feedback)
}

func keyFrame(t *testing.T, s *session, want error) {
	t.Helper()
	if err := s.m.KeyFrame("ann", "camera"); err != want {
		t.Fatalf("KeyFrame: %v, want %v", err, want)
	}
}

func TestKeyFrameRequestIsAnsweredFromTheGroupOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		bob := w.join("bob", Selector{})
		ann := w.join("ann")
		cam := ann.camera()
		cam.send(true, 1000)
		cam.send(false, 1000)
		bob.drain()
		keyFrame(t, bob, nil)
		bob.drain()
		in := bob.of("ann", "camera")
		if len(in.bursts) != 1 || len(in.got) != 4 || ann.asked() != 0 {
			t.Errorf("bursts %v, %d frames, asked %d", in.bursts, len(in.got), ann.asked())
		}
		if len(in.abandons) != 1 {
			t.Errorf("the group the receiver had was not abandoned first: %v", in.abandons)
		}
		keyFrame(t, bob, nil) // the group did not help: now the publisher is asked
		if bob.drain(); len(in.bursts) != 1 || ann.asked() != 1 {
			t.Errorf("bursts %v, asked %d", in.bursts, ann.asked())
		}
		cam.send(true, 1000)
		bob.drain()
		wait(time.Second)
		keyFrame(t, bob, nil)
		if bob.drain(); len(in.bursts) != 2 || ann.asked() != 1 {
			t.Errorf("with a new group: bursts %v, asked %d", in.bursts, ann.asked())
		}
	})
}

func TestKeyFrameRequestsAreCoalesced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		ann := w.join("ann")
		cam := ann.camera()
		cam.send(true, 1000)
		var subs []*session
		for _, id := range []string{"b", "c", "d", "e"} {
			s := w.join(id, Selector{}) // each has its burst
			s.drain()
			subs = append(subs, s)
		}
		keyFrame(t, subs[0], nil)
		if ann.asked() != 1 {
			t.Fatal("the first request did not go at once")
		}
		for range 20 { // two seconds
			for _, s := range subs {
				keyFrame(t, s, nil)
			}
			wait(100 * time.Millisecond)
		}
		synctest.Wait()
		if n := ann.asked(); n != 5 {
			t.Errorf("asked %d times in 2 s, want at 0, 0.5, 1, 1.5, 2", n)
		}
	})
}

func TestKeyFrameCancelsAPendingRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		ann := w.join("ann")
		cam := ann.camera()
		cam.send(true, 1000)
		bob := w.join("bob", Selector{})
		bob.drain()
		keyFrame(t, bob, nil)
		keyFrame(t, bob, nil) // put off
		wait(200 * time.Millisecond)
		cam.send(true, 1000)
		wait(2 * time.Second)
		synctest.Wait()
		if n := ann.asked(); n != 1 {
			t.Errorf("asked %d times", n)
		}
	})
}

func TestNobodyAsksAFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		ann := w.join("ann")
		o := video("camera")
		o.KeyOnRequest = false
		cam := ann.publish(o)[0]
		cam.send(true, 1000)
		bob := w.join("bob", Selector{})
		bob.drain()
		for range 100 {
			keyFrame(t, bob, nil)
			wait(100 * time.Millisecond)
		}
		bob.fill()
		for range 100 { // a gate that stays closed for 10 s
			cam.send(false, 1000)
			wait(100 * time.Millisecond)
			bob.sub.Tick()
		}
		if n := ann.asked(); n != 0 || w.relay.Totals().Asks.Load() != 0 {
			t.Errorf("asked %d times", n)
		}
	})
}

// gate closes the gate of a subscriber whose group can not be caught up with, and leaves its link free.
func closeGate(s *session, cam *source) {
	s.fill()
	cam.send(false, 1000)
	wait(time.Second)
	s.sub.Tick()
	s.free()
}

func TestGateAsksLateAndSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		bob := w.join("bob", Selector{})
		ann := w.join("ann")
		cam := ann.camera()
		cam.send(true, 10)
		for range groupFrames { // over the cap: no catch-up
			cam.send(false, 10)
			bob.drain()
		}
		closeGate(bob, cam)
		var asks []time.Duration
		start := time.Now()
		for range 1200 {
			cam.send(false, 10)
			bob.drain()
			if ann.asked() > len(asks) {
				asks = append(asks, time.Since(start))
			}
			wait(100 * time.Millisecond)
		}
		want := []time.Duration{2, 6, 14, 30, 60, 90, 120}
		if len(asks) < 6 || len(asks) > 7 {
			t.Fatalf("asked at %v", asks)
		}
		for i, at := range asks {
			if off := want[i]*time.Second - at; off < -200*time.Millisecond || off > time.Second {
				t.Errorf("ask %d at %v, want about %d s", i, at, want[i])
			}
		}
	})
}

// A gate that is closed because the receiver takes nothing does not ask: a key frame would not help it.
func TestFrozenGateDoesNotAsk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		bob := w.join("bob", Selector{})
		ann := w.join("ann")
		cam := ann.camera()
		cam.send(true, 1000)
		bob.fill()
		for i := range 400 {
			cam.send(i%100 == 99, 1000) // nor does one that comes anyway open it
			wait(25 * time.Millisecond)
			bob.pull()
		}
		if st := bob.sub.Stats(); st.QueueBytes != 0 || st.Drops.Total() != 400 {
			t.Errorf("the gate let something in: %+v", st)
		}
		if bob.sub.Stats().ClosedGates != 1 || ann.asked() != 0 {
			t.Errorf("gates %d, asked %d", bob.sub.Stats().ClosedGates, ann.asked())
		}
	})
}

func TestManyGatesAskTenTimesAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		ann := w.join("ann")
		cam := ann.camera()
		var subs []*session
		for i := range 60 {
			subs = append(subs, w.join(string(rune('A'+i)), Selector{}))
		}
		cam.send(true, 10)
		for range groupFrames {
			cam.send(false, 10)
		}
		for _, s := range subs {
			s.drain()
			closeGate(s, cam) // a second apart
		}
		before := ann.asked()
		if before > 10 {
			t.Errorf("%d requests in the first minute", before)
		}
		for range 120 {
			cam.send(false, 10)
			for _, s := range subs {
				s.drain()
			}
			wait(500 * time.Millisecond)
		}
		if n := ann.asked() - before; n == 0 || n > 10 {
			t.Errorf("%d requests in the next minute, from %d closed gates", n, len(subs))
		}
	})
}

func TestKeyFrameErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		bob := w.join("bob")
		keyFrame(t, bob, ErrNoSuchMember)
		ann := w.join("ann")
		keyFrame(t, bob, ErrNoSuchTrack)
		ann.camera()
		keyFrame(t, bob, ErrNoSuchTrack) // not subscribed
		keyFrame(t, ann, ErrNoSuchTrack) // its own
		bob.subscribe(Selector{}, Want{})
		keyFrame(t, bob, nil)
		if ann.asked() != 0 {
			t.Error("asked for a key frame of a track that has sent nothing: its first will be one")
		}
	})
}

package relay

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"landline/media"
)

func TestResumeWithinGraceHidesTheLoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		bob, ann := w.join("bob", Selector{}), w.join("ann", Selector{})
		cam := ann.camera()
		back := bob.camera()
		back.send(true, 500)
		cam.send(true, 1000)
		cam.pieces(cam.next(false, 48_000, 16_000)[:2])
		bob.drain()
		in := bob.of("ann", "camera")
		gone := false
		ann.m.Lost(ann.sub, func() { gone = true })
		bob.drain()
		if len(in.abandons) != 1 || in.abandons[0].Code != byte(media.DropLost) || in.abandons[0].Frame != 1 {
			t.Fatalf("abandons %+v", in.abandons)
		}
		wait(29 * time.Second)
		again := ann.resume()
		bob.drain()
		// Bob is told that nobody takes his camera any more, and then that a key frame of it is wanted again.
		if got := bob.kinds(); !slices.Equal(got, []EventKind{MemberJoined, TrackAdded, MemberState, LayersWanted, MemberState, LayersWanted, Feedback}) {
			t.Errorf("events at the other: %v", got)
		}
		back.send(true, 500)
		cam.s = again
		cam.pieces(cam.next(false, 48_000, 16_000)) // goes on where it was: of the group that broke off, ignored
		cam.send(true, 1000)
		bob.drain()
		if last := in.got[len(in.got)-1]; last.group != 2 || len(in.got) != 2 {
			t.Errorf("%d frames, the last %v", len(in.got), last)
		}
		again.drain() // its own subscription stands; what it had seen last is too old to begin with
		if own := again.of("bob", "camera"); len(own.bursts) != 0 || len(own.got) != 1 {
			t.Errorf("restored subscription: bursts %v, %d frames", own.bursts, len(own.got))
		}
		wait(time.Minute)
		if synctest.Wait(); gone || len(w.relay.Snapshot()[0].Members) != 2 {
			t.Error("the member left after all")
		}
	})
}

func TestGraceOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		bob, ann := w.join("bob", Selector{}), w.join("ann")
		cam := ann.camera()
		cam.send(true, 100)
		bob.drain()
		gone := 0
		ann.m.Lost(ann.sub, func() { gone++ })
		if err := cam.write(cam.next(true, 10, 1000)[0]); err != nil {
			t.Errorf("a late chunk of the lost session: %v", err)
		}
		wait(29 * time.Second)
		bob.drain()
		if in := bob.of("ann", "camera"); len(in.got) != 1 {
			t.Errorf("%d frames: the lost session's handle still writes", len(in.got))
		}
		if bob.last(MemberLeft) != nil {
			t.Fatal("left before the grace was over")
		}
		wait(1100 * time.Millisecond)
		synctest.Wait()
		bob.drain()
		if e := bob.last(MemberLeft); e == nil || e.Reason != "lost" || gone != 1 {
			t.Fatalf("memberLeft %+v, told %d times", e, gone)
		}
		if err := ann.m.Resume(everything, func(bool) {}); err != ErrGone {
			t.Errorf("resume after the grace: %v", err)
		}
		if _, err := ann.m.Publish([]Offer{video("again")}); err != ErrGone {
			t.Errorf("publish after the grace: %v", err)
		}
		ann.m.Leave("bye")
		bob.drain()
		if bob.count(MemberLeft) != 1 {
			t.Error("it left twice")
		}
	})
}

// Every loss has a grace of its own, counted from that loss.
func TestGraceCountsFromTheLastLoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		bob, ann := w.join("bob"), w.join("ann")
		ann.m.Lost(ann.sub, nil)
		wait(20 * time.Second)
		again := ann.resume()
		wait(5 * time.Second)
		ann.m.Lost(ann.sub, nil) // of the session before: means nothing
		bob.drain()
		if bob.states["ann"] != Online {
			t.Fatal("an old session's loss counts")
		}
		again.m.Lost(again.sub, nil)
		wait(29 * time.Second)
		if bob.drain(); bob.last(MemberLeft) != nil {
			t.Fatal("the first grace ended the second loss")
		}
		wait(2 * time.Second)
		synctest.Wait()
		if bob.drain(); bob.last(MemberLeft) == nil {
			t.Error("the second grace never ended")
		}
	})
}

func TestResumeWhileTheOldSessionLives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		bob, ann := w.join("bob", Selector{}), w.join("ann")
		cam, theirs := ann.camera(), bob.camera()
		ann.subscribe(Selector{}, Want{})
		cam.send(true, 100)
		bob.drain()
		again := ann.resume()
		for range 3 { // the old session goes on for a while
			if err := cam.write(cam.next(true, 100, 1000)[0]); err != nil {
				t.Errorf("the old handle: %v", err)
			}
		}
		if err := cam.control(media.KindEnd, cam.group, 1); err != nil {
			t.Errorf("the old handle's End: %v", err)
		}
		theirs.send(true, 100)
		if out, more := ann.sub.Pull(nil); len(out) != 0 || more {
			t.Errorf("the old handle pulls %d things", len(out))
		}
		cam.s = again
		cam.send(true, 100)
		bob.drain()
		in := bob.of("ann", "camera")
		if n := len(in.got); n != 2 || in.got[1].group != cam.group {
			t.Errorf("%d frames, the last %v", n, in.got[n-1])
		}
		if bob.count(MemberState) != 0 {
			t.Error("the others were told of a state that did not change")
		}
		if again.drain(); len(again.of("bob", "camera").got) != 1 {
			t.Error("the new session gets nothing")
		}
	})
}

// A publisher that goes on in mid-group after a resume had sent its beginning into the dead socket: ignored, pieces and
// all, until a group begins.
func TestTailOfALostGroupIsIgnored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		ann := w.join("ann")
		list := ann.publish(video("camera"), video("never"))
		list[0].send(true, 100)
		bob := w.join("bob", Selector{})
		ann.m.Lost(ann.sub, nil)
		again := ann.resume()
		for _, c := range list {
			c.s = again
			c.next(true, 100, 1000) // lost
			c.pieces(c.next(false, 40_000, 16_000))
			c.send(false, 100)
			c.send(true, 200)
			bob.drain()
			in := bob.of("ann", c.info.ID)
			if last := in.got[len(in.got)-1]; last.group != c.group || last.frame != 0 || len(last.data) != 200 {
				t.Errorf("%s: last frame %v", c.info.ID, last)
			}
		}
	})
}

// An audio packet that broke off in the middle is abandoned, and the next one is taken.
func TestLossInsideAnAudioPacket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		ann := w.join("ann")
		mic := ann.mic()
		bob := w.join("bob", Selector{})
		mic.send(true, 100)
		mic.pieces(mic.next(true, 300, 96)[:2])
		bob.drain()
		ann.m.Lost(ann.sub, nil)
		mic.s = ann.resume()
		mic.send(true, 100)
		bob.drain()
		in := bob.of("ann", "mic")
		if len(in.got) != 2 || len(in.abandons) != 1 || in.abandons[0].Group != 2 || in.abandons[0].Code != byte(media.DropLost) {
			t.Errorf("got %v, abandons %v", in.got, in.abandons)
		}
	})
}

func TestReplacedIdentity(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		bob := w.join("bob", Selector{})
		cam := w.join("ann").camera()
		cam.send(true, 200_000)
		cam.send(false, 200_000) // bob cannot take it all at once: no End yet
		bob.pull()
		in := bob.of("ann", "camera")
		second := w.join("ann")
		fresh := second.camera()
		fresh.send(true, 100)
		bob.drain() // the receiver fails on an End, or anything else, under the old alias behind trackRemoved
		if got := bob.kinds()[2:]; !slices.Equal(got, []EventKind{DropReport, TrackRemoved, MemberLeft, MemberJoined, TrackAdded}) {
			t.Errorf("events %v", got)
		}
		if in.of.ended || bob.last(MemberLeft).Reason != "replaced" || bob.last(TrackRemoved).Reason != "replaced" {
			t.Errorf("End came %v, %+v", in.of.ended, bob.last(MemberLeft))
		}
		if now := bob.of("ann", "camera"); len(now.got) != 1 || now.alias == in.alias {
			t.Errorf("%d frames of the new track under alias %d", len(now.got), now.alias)
		}
		if err := cam.write(cam.next(true, 10, 100)[0]); err != nil {
			t.Errorf("the replaced handle: %v", err)
		}
		if out, _ := cam.s.sub.Pull(nil); len(out) != 0 {
			t.Error("the replaced handle still pulls")
		}
		if r := w.relay.Snapshot()[0]; len(r.Members) != 2 {
			t.Errorf("%d members", len(r.Members))
		}
	})
}

// A track published again under its name comes after the end of the one before.
func TestTrackPublishedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		bob := w.join("bob", Selector{})
		ann := w.join("ann")
		cam := ann.camera()
		cam.send(true, 300_000)
		bob.pull()
		if err := ann.m.Unpublish("camera"); err != nil {
			t.Fatal(err)
		}
		ann.camera().send(true, 100)
		bob.drain()
		if got := bob.kinds(); !slices.Equal(got, []EventKind{MemberJoined, TrackAdded, DropReport, TrackRemoved, TrackAdded}) {
			t.Errorf("events %v", got)
		}
		if len(bob.of("ann", "camera").got) != 1 {
			t.Error("the new track brings nothing")
		}
		if err := ann.m.Unpublish("mic"); err != ErrNoSuchTrack {
			t.Errorf("unpublish of nothing: %v", err)
		}
	})
}

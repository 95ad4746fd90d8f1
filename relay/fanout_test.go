package relay

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"landline/media"
)

func TestFirstChunkLeavesBeforeTheLastCame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		bob := w.join("bob", Selector{})
		cam := w.join("ann").camera()
		pieces := cam.next(true, 40_000, 8_192)
		for i, m := range pieces {
			if err := cam.write(m); err != nil {
				t.Fatal(err)
			}
			before := bob.bytes
			bob.drain()
			if bob.bytes-before < uint64(len(m.Data)) {
				t.Fatalf("piece %d of %d was not pullable when it had come", i, len(pieces))
			}
		}
		if in := bob.of("ann", "camera"); len(in.got) != 1 || len(in.got[0].data) != 40_000 {
			t.Fatalf("got %d frames", len(in.got))
		}
	})
}

// The receiver model compares every message with the very memory that was written; here to many, by different ways.
func TestEverybodyGetsTheVeryBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		subs := []*session{w.join("b", Selector{}), w.join("c", Selector{Member: ""}), w.join("d", Selector{Name: "ann"})}
		ann := w.join("ann")
		tracks := ann.publish(video("camera"), audio("mic"))
		for i := range 30 {
			tracks[0].send(i%10 == 0, 20_000)
			tracks[1].send(true, 120)
			if i == 15 {
				subs = append(subs, w.join("late", Selector{}))
			}
			for _, s := range subs {
				s.drain()
			}
		}
		for i, s := range subs[:3] {
			if v, a := s.of("ann", "camera").got, s.of("ann", "mic").got; len(v) != 30 || len(a) != 30 {
				t.Errorf("subscriber %d got %d and %d frames of 30", i, len(v), len(a))
			}
		}
		if v := subs[3].of("ann", "camera").got; len(v) != 20 {
			t.Errorf("the late one got %d frames, not those from the key frame on", len(v))
		}
	})
}

func TestStandingSubscriptionMissesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		bob := w.join("bob", Selector{})
		ann := w.join("ann")
		cam := ann.camera()
		cam.send(true, 900)
		cam.send(false, 100)
		cam.end()
		bob.drain()
		// The receiver fails on a chunk before its announcement, and on anything behind End.
		if got := bob.kinds(); !slices.Equal(got, []EventKind{MemberJoined, TrackAdded, TrackRemoved}) {
			t.Fatalf("events %v", got)
		}
		if e := bob.last(TrackRemoved); e.Reason != "ended" {
			t.Errorf("reason %q", e.Reason)
		}
		last := bob.batch
		if n := len(last); last[n-1].Event == nil || last[n-2].Data[0] != media.KindEnd || last[n-3].Data[0] != media.KindChunk {
			t.Errorf("the batch does not close with chunk, End, trackRemoved: %v", last)
		}
		if len(ann.tracks) != 0 || bob.sub.Stats().Subscribed != 0 {
			t.Error("the ended track is still there")
		}
	})
}

func TestMemberLeftFollowsTheLastEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		bob := w.join("bob", Selector{})
		ann := w.join("ann")
		list := ann.publish(video("camera"), audio("mic"), video("screen"))
		list[0].send(true, 200_000)
		list[1].send(true, 100)
		list[2].send(true, 150_000) // more than one cap: the Ends need acks
		ann.m.Leave("bye")
		bob.pull()
		if bob.last(MemberLeft) != nil {
			t.Fatal("memberLeft came before the Ends")
		}
		bob.drain()
		if e := bob.last(MemberLeft); e == nil || e.Reason != "bye" {
			t.Fatalf("memberLeft: %+v", e)
		}
		if bob.count(TrackRemoved) != 3 {
			t.Errorf("%d tracks removed", bob.count(TrackRemoved))
		}
	})
}

// A reader that takes nothing for long is told after 2 s that the member left, though End was not delivered.
func TestMemberLeftWaitsTwoSecondsAtMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		bob := w.join("bob")
		bob.subscribe(Selector{}, Want{MaxAge: 30 * time.Second})
		ann := w.join("ann")
		cam := ann.camera()
		for i := range 30 {
			cam.send(i == 0, 16_000)
		}
		bob.pull() // up to the cap; nothing is acknowledged
		ann.m.Leave("bye")
		wait(1900 * time.Millisecond)
		bob.sub.Tick()
		bob.ack()
		_, _ = bob.pullOnce()
		if bob.last(MemberLeft) != nil {
			t.Fatal("memberLeft before End and before 2 s")
		}
		wait(200 * time.Millisecond)
		bob.sub.Tick()
		bob.ack()
		bob.pull()
		if e := bob.last(MemberLeft); e == nil {
			t.Fatal("no memberLeft after 2 s")
		}
		// What was still queued is dropped by name, and reported before the track goes.
		kinds := bob.kinds()
		if i, j := slices.Index(kinds, DropReport), slices.Index(kinds, TrackRemoved); i < 0 || i > j {
			t.Errorf("drops are not reported before trackRemoved: %v", kinds)
		}
		if d := bob.sub.Stats().Drops; d.Total() == 0 {
			t.Error("what was given up with the track is not counted")
		}
	})
}

func TestChatReachesEverybodyInOneOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		ann, bob := w.join("ann"), w.join("bob")
		ann.m.Chat(Chat{Text: "one"})
		bob.m.Chat(Chat{Text: "two", Req: 7})
		for _, s := range []*session{ann, bob} {
			s.drain()
			var texts []string
			for _, e := range s.events {
				if e.Kind == ChatText {
					texts = append(texts, e.Text)
				}
			}
			if !slices.Equal(texts, []string{"one", "two"}) || s.last(ChatText).Seq != 2 || s.last(ChatText).Member != "bob" {
				t.Errorf("chat: %v", texts)
			}
			if req := s.last(ChatText).Req; req != 0 && s == ann || req != 7 && s == bob {
				t.Errorf("the copy of %s repeats request %d", s.m.ID(), req)
			}
		}
	})
}

func TestUpdatesAreToldToTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		ann, bob := w.join("ann"), w.join("bob")
		ann.camera()
		f := video("").Format
		f.Codec, f.Width = media.AV1, 1280
		if err := ann.m.Configure("camera", f, nil); err != nil {
			t.Fatal(err)
		}
		if err := ann.m.Mute("camera", true); err != nil {
			t.Fatal(err)
		}
		bob.drain()
		tr := bob.last(TrackUpdated).Track
		if tr.Width != 1280 || tr.Codec != media.VP8 || !tr.Muted || bob.count(TrackUpdated) != 2 {
			t.Errorf("told %+v", tr)
		}
		if err := ann.m.Mute("mic", true); err != ErrNoSuchTrack {
			t.Errorf("mute of nothing: %v", err)
		}
		ann.drain()
		if ann.count(TrackUpdated) != 0 {
			t.Error("the owner is told of its own change")
		}
	})
}

// atUs is the newest timestamp the relay has seen, unwrapped by the member's clock.
func TestNewestTimestampIsUnwrapped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		ann := w.join("ann")
		o := video("camera")
		o.Clock.Us = 1<<40 + 0xffff_ff00
		cam := ann.publish(o)[0]
		at := func() int64 { return w.relay.Snapshot()[0].Members[0].Tracks[0].AtUs }
		if at() != 0 {
			t.Errorf("atUs %d before the first frame", at())
		}
		cam.group = 0xffff // the timestamp of group 1<<16 is 0 in its low 32 bits: the clock came round
		cam.send(true, 10)
		if at() != 1<<40+1<<32 {
			t.Errorf("atUs %#x", at())
		}
	})
}

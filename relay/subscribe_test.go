package relay

import (
	"testing"
	"testing/synctest"
	"time"

	"landline/media"
)

func TestMostSpecificSubscriptionDecides(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		bob := w.join("bob")
		ann := w.joinAs(Identity{ID: "ann", Name: "Ann"}, everything)
		cam := ann.camera()
		age := func() time.Duration {
			bob.sub.mu.Lock()
			defer bob.sub.mu.Unlock()
			if len(bob.sub.feeds) == 0 {
				return 0
			}
			return bob.sub.feeds[0].maxAge
		}
		order := []Selector{{}, {Name: "Ann"}, {Member: "ann"}, {Member: "ann", Track: "camera"}}
		for i, sel := range order {
			bob.subscribe(sel, Want{MaxAge: time.Duration(i+1) * time.Second})
			if age() != time.Duration(i+1)*time.Second {
				t.Errorf("with %+v the age is %v", sel, age())
			}
		}
		bob.subscribe(Selector{}, Want{MaxAge: 9 * time.Second}) // replaced, still the least specific
		if age() != 4*time.Second {
			t.Errorf("age %v", age())
		}
		for i := len(order) - 1; i >= 0; i-- {
			want := time.Duration(i) * time.Second
			if i == 1 {
				want = 9 * time.Second
			}
			if bob.m.Unsubscribe(order[i]); age() != want {
				t.Errorf("without %+v the age is %v, want %v", order[i], age(), want)
			}
		}
		cam.send(true, 100)
		if bob.drain(); len(bob.of("ann", "camera").got) != 0 {
			t.Error("media without a subscription")
		}
	})
}

func TestSubscriptionsOfOthersDoNotFit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		bob := w.join("bob", Selector{Name: "cyd"})
		ann := w.join("ann")
		list := ann.publish(video("camera"), video("screen"))
		bob.subscribe(Selector{Member: "ann", Track: "screen"}, Want{})
		for _, c := range list {
			c.send(true, 100)
		}
		cyd := w.join("cyd").camera()
		cyd.send(true, 100)
		bob.drain()
		if a, b, c := bob.of("ann", "camera").got, bob.of("ann", "screen").got, bob.of("cyd", "camera").got; len(a) != 0 || len(b) != 1 || len(c) != 1 {
			t.Errorf("got %d, %d, %d frames", len(a), len(b), len(c))
		}
		if err := bob.m.Subscribe(Selector{Member: "dan"}, Want{}); err != ErrNoSuchMember {
			t.Errorf("unknown member: %v", err)
		}
		if err := bob.m.Subscribe(Selector{Member: "ann", Track: "mic"}, Want{}); err != ErrNoSuchTrack {
			t.Errorf("unknown track: %v", err)
		}
	})
}

// A subscription to a member or a track ends with it: who comes after under the same name is somebody else.
func TestSubscriptionEndsWithWhatItIsFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		ann := w.join("ann")
		ann.camera()
		bob := w.join("bob", Selector{Member: "ann", Track: "camera"})
		if err := ann.m.Unpublish("camera"); err != nil {
			t.Fatal(err)
		}
		bob.drain()
		ann.camera().send(true, 10)
		bob.drain()
		if in := bob.of("ann", "camera"); len(in.got) != 0 {
			t.Error("the track's subscription outlived it")
		}
		bob.subscribe(Selector{Member: "ann"}, Want{})
		ann.m.Leave("bye")
		w.join("ann").camera().send(true, 10)
		bob.drain()
		if in := bob.of("ann", "camera"); len(in.got) != 0 {
			t.Error("the member's subscription outlived it")
		}
	})
}

func TestPauseAndUnpause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		bob := w.join("bob", Selector{})
		list := w.join("ann").publish(video("camera"), audio("mic"))
		cam, mic := list[0], list[1]
		cam.send(true, 1000)
		bob.drain()
		in := bob.of("ann", "camera")
		cam.send(false, 1000) // queued when the pause comes
		bob.subscribe(Selector{}, Want{Paused: true})
		cam.send(false, 1000)
		mic.send(true, 100)
		bob.drain()
		if len(in.got) != 1 || len(in.abandons) != 1 || in.abandons[0].Code != byte(media.DropPaused) || in.abandons[0].Frame != 1 {
			t.Fatalf("%d frames, abandons %+v", len(in.got), in.abandons)
		}
		if d := bob.sub.Stats().Drops; d[media.DropPaused] != 1 || d.Total() != 1 {
			t.Errorf("drops %v: what is not wanted is not dropped", d)
		}
		bob.subscribe(Selector{}, Want{})
		cam.send(false, 1000)
		mic.send(true, 100)
		bob.drain()
		if len(in.bursts) != 1 || in.bursts[0].Frame != 3 || len(in.got) != 5 {
			t.Errorf("after the pause: bursts %+v, %d frames", in.bursts, len(in.got))
		}
		if a := bob.of("ann", "mic").got; len(a) != 1 || a[0].group != 2 {
			t.Errorf("audio after the pause: %v", a)
		}
	})
}

// A pause in the middle of a burst closes its bracket.
func TestPauseInsideABurst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		cam := w.join("ann").camera()
		for i := range 10 {
			cam.send(i == 0, 100_000)
		}
		bob := w.join("bob", Selector{})
		bob.pull()
		bob.subscribe(Selector{}, Want{Paused: true})
		bob.drain()
		in := bob.of("ann", "camera")
		if in.burst || len(in.abandons) != 1 || int(in.abandons[0].Frame) != len(in.got) {
			t.Errorf("burst open %v, abandons %+v, %d frames", in.burst, in.abandons, len(in.got))
		}
		bob.subscribe(Selector{}, Want{})
		if bob.drain(); len(in.bursts) != 2 || in.got[len(in.got)-1].frame != 9 {
			t.Errorf("after the pause: bursts %+v, %d frames", in.bursts, len(in.got))
		}
	})
}

// Nothing but the begin of a burst went out when the pause comes: the receiver is told that nothing follows.
func TestPauseBehindTheBeginOfABurst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		cam := w.join("ann").camera()
		cam.send(true, 1000)
		bob := w.join("bob")
		bob.drain()
		bob.subscribe(Selector{}, Want{})
		in := bob.of("ann", "camera")
		p := &pulling{now: w.relay.now()}
		bob.sub.takeFrom(bob.sub.feeds[0], p)
		bob.message(p.out[0].Message)
		if !in.burst || in.whole != 0 {
			t.Fatalf("burst open %v with %d frames", in.burst, in.whole)
		}
		bob.subscribe(Selector{}, Want{Paused: true})
		if bob.drain(); in.burst || len(in.abandons) != 1 || in.abandons[0].Frame != 0 {
			t.Errorf("burst open %v, abandons %v", in.burst, in.abandons)
		}
	})
}

// The Abandon of a subscription that was taken back comes before the track is removed.
func TestUnsubscribeJustBeforeTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		bob := w.join("bob", Selector{})
		cam := w.join("ann").camera()
		cam.send(true, 100)
		bob.drain()
		in := bob.of("ann", "camera")
		bob.m.Unsubscribe(Selector{})
		cam.end()
		if bob.drain(); len(in.abandons) != 1 || bob.count(TrackRemoved) != 1 {
			t.Errorf("abandons %v, removed %d", in.abandons, bob.count(TrackRemoved))
		}
	})
}

// End reaches a paused subscriber: it must know that the track is over.
func TestEndOfAPausedTrack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		bob := w.join("bob")
		bob.subscribe(Selector{}, Want{Paused: true})
		cam := w.join("ann").camera()
		cam.send(true, 100)
		bob.drain()
		in := bob.of("ann", "camera")
		cam.end()
		if bob.drain(); !in.of.ended || bob.count(TrackRemoved) != 1 || len(in.got) != 0 {
			t.Errorf("ended %v, removed %d, %d frames", in.of.ended, bob.count(TrackRemoved), len(in.got))
		}
	})
}

func TestUnsubscribeInMidFrame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		bob := w.join("bob", Selector{})
		cam := w.join("ann").camera()
		cam.send(true, 100)
		pieces := cam.next(false, 40_000, 16_000)
		cam.pieces(pieces[:1])
		bob.drain()
		bob.m.Unsubscribe(Selector{})
		cam.pieces(pieces[1:])
		bob.drain()
		in := bob.of("ann", "camera")
		if len(in.abandons) != 1 || in.abandons[0].Frame != 1 {
			t.Errorf("abandons %+v", in.abandons)
		}
		cam.end()
		if bob.drain(); in.of.ended || bob.count(TrackRemoved) != 1 {
			t.Error("End to somebody not subscribed, or no trackRemoved")
		}
	})
}

func TestUndecodableCodecGivesNoticesAndNoBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		ann := w.join("ann")
		cam := ann.camera()
		bob := w.joinAs(Identity{ID: "bob", Name: "Bob"}, Carries{media.Opus}, Selector{})
		for range 300 { // as often as it asks, one notice
			bob.subscribe(Selector{}, Want{})
		}
		cam.send(true, 100)
		for _, s := range []*session{ann, bob} {
			s.drain()
			e := s.last(NoticeText)
			if s.count(NoticeText) != 1 || e.Reason != "no-common-codec" || e.Member != "ann" || e.Track.ID != "camera" {
				t.Errorf("%s has %d notices: %+v", s.m.ID(), s.count(NoticeText), e)
			}
		}
		if in := bob.of("ann", "camera"); in.begun || bob.sub.Stats().Subscribed != 0 {
			t.Error("bytes of a codec it cannot decode")
		}
		ann.publish(video("screen"))[0].end()
		if n := len(bob.m.refused); n != 1 {
			t.Errorf("%d tracks are remembered as refused; one is there", n)
		}
		bob.m.Lost(bob.sub, nil)
		back := bob.resume() // with a decoder now
		cam.send(true, 100)
		if back.drain(); len(back.of("ann", "camera").got) == 0 || back.count(NoticeText) != 0 {
			t.Error("no video after a resume that can decode it")
		}
	})
}

func TestSubscriptionsAreCapped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		bob := w.join("bob", Selector{})
		for i := range maxSubscriptions - 1 {
			bob.subscribe(Selector{Name: string(rune('A' + i))}, Want{})
		}
		if err := bob.m.Subscribe(Selector{Name: "one more"}, Want{}); err != ErrTooManySubscriptions {
			t.Errorf("one over the cap: %v", err)
		}
		bob.subscribe(Selector{}, Want{Priority: 1}) // to replace one is not to add one
	})
}

func TestClassesAndTheirAges(t *testing.T) {
	for _, c := range []struct {
		kind   media.Kind
		source string
		want   Class
		age    time.Duration
	}{
		{media.Audio, "mic", ClassAudio, 300 * time.Millisecond},
		{media.Audio, "screen", ClassAudio, 300 * time.Millisecond},
		{media.Video, "camera", ClassVideo, 400 * time.Millisecond},
		{media.Video, "file", ClassVideo, 400 * time.Millisecond},
		{media.Video, "screen", ClassScreen, time.Second},
	} {
		if got := ClassOf(c.kind, c.source); got != c.want || got.MaxAge() != c.age {
			t.Errorf("%s %s: class %d, %v", c.kind, c.source, got, got.MaxAge())
		}
	}
}

package relay

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"landline/media"
)

func TestAliasRestsForAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		ann := w.join("ann")
		w.relay.aliases.used = map[uint16]bool{}
		for i := range 1<<16 - 2 { // all but one are others'
			w.relay.aliases.used[uint16(i+1)] = true
		}
		last := ann.publish(audio("last"))[0]
		if _, err := ann.m.Publish([]Offer{audio("none left")}); err != ErrNoAlias {
			t.Fatalf("all aliases are used: %v", err)
		}
		if err := ann.m.Unpublish("last"); err != nil {
			t.Fatal(err)
		}
		wait(59 * time.Second)
		if _, err := ann.m.Publish([]Offer{audio("too early")}); err != ErrNoAlias {
			t.Fatalf("59 s later: %v", err)
		}
		wait(time.Second)
		if again := ann.publish(audio("again"))[0]; again.info.Layers[0].Alias != last.info.Layers[0].Alias || again.info.Layers[0].Alias == 0 {
			t.Errorf("alias %d, want %d", again.info.Layers[0].Alias, last.info.Layers[0].Alias)
		}
	})
}

// What cannot be published whole is not published at all.
func TestPublishIsAllOrNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{MaxTracks: 3})
		ann, bob := w.join("ann"), w.join("bob")
		ann.camera()
		for _, c := range []struct {
			offers []Offer
			want   error
		}{
			{[]Offer{audio("mic"), video("camera")}, ErrTrackExists},
			{[]Offer{audio("mic"), audio("mic")}, ErrTrackExists},
			{[]Offer{audio("a"), audio("b"), audio("c")}, ErrTooManyTracks},
		} {
			if _, err := ann.m.Publish(c.offers); err != c.want {
				t.Errorf("%v, want %v", err, c.want)
			}
		}
		bob.drain()
		if bob.count(TrackAdded) != 1 {
			t.Errorf("%d tracks announced", bob.count(TrackAdded))
		}
	})
}

func TestEventOverflowEndsTheSessionByName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		bob, ann := w.join("bob"), w.join("ann")
		for range maxEvents - 1 {
			ann.m.Chat(Chat{Text: "x"})
		}
		if bob.sub.Overflowed() { // memberJoined is the first of them
			t.Fatal("overflowed within the cap")
		}
		ann.m.Chat(Chat{Text: "x"})
		ann.drain()
		if !bob.sub.Overflowed() || ann.sub.Overflowed() {
			t.Errorf("overflowed: bob %v, ann %v", bob.sub.Overflowed(), ann.sub.Overflowed())
		}
	})
}

// Held events count too: a reader that takes nothing while tracks come and go.
func TestHeldEventsAreCapped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		bob, ann := w.join("bob", Selector{}), w.join("ann")
		bob.fill()
		old := held{event: &Event{Kind: TrackRemoved, Member: "cyd"}, until: time.Hour}
		bob.sub.held = slices.Repeat([]held{old}, maxEvents-5)
		for i := range 10 {
			ann.publish(audio(fmt.Sprint(i)))[0].end()
			if i == 4 && bob.sub.Overflowed() {
				t.Error("overflowed within the cap")
			}
		}
		bob.sub.mu.Lock()
		held, events := len(bob.sub.held), len(bob.sub.events)
		bob.sub.mu.Unlock()
		if !bob.sub.Overflowed() || held != maxEvents {
			t.Errorf("overflowed %v with %d held and %d events", bob.sub.Overflowed(), held, events)
		}
	})
}

func TestRoomGoesWhenEmpty(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{MaxRooms: 1})
		ann, bob := w.join("ann"), w.join("bob")
		if _, err := w.relay.Join("other", Identity{ID: "x"}, nil, nil); err != ErrTooManyRooms {
			t.Fatalf("a second room: %v", err)
		}
		ann.m.Leave("bye")
		if n := len(w.relay.Snapshot()); n != 1 {
			t.Fatalf("%d rooms", n)
		}
		bob.m.Leave("bye")
		bob.m.Leave("bye")
		if n := len(w.relay.Snapshot()); n != 0 {
			t.Fatalf("%d rooms", n)
		}
		if _, err := w.relay.Join("other", Identity{ID: "x"}, nil, func(bool) {}); err != nil {
			t.Errorf("the empty room still counts: %v", err)
		}
	})
}

func TestRoomFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{MaxMembers: 2})
		w.join("ann")
		w.join("bob")
		if _, err := w.relay.Join("room", Identity{ID: "cyd"}, nil, nil); err != ErrRoomFull {
			t.Errorf("a third: %v", err)
		}
		w.join("bob") // who replaces himself is not one more
	})
}

// Joins race with the leave that empties the room: nobody ends up in a room that is gone.
func TestJoinsRacingWithLeaves(t *testing.T) {
	r := New(Options{})
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 200 {
				m, err := r.Join("room", Identity{ID: fmt.Sprint(g, "-", i)}, nil, func(bool) {})
				if err != nil {
					t.Error(err)
					return
				}
				r.mu.Lock()
				same := r.rooms["room"] == m.room
				r.mu.Unlock()
				if !same {
					t.Error("joined a room that nobody can find")
				}
				m.Leave("bye")
			}
		})
	}
	wg.Wait()
	if n := len(r.Snapshot()); n != 0 {
		t.Errorf("%d rooms left", n)
	}
}

func TestUnknownAndEndedAliases(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		ann, bob := w.join("ann"), w.join("bob", Selector{})
		cam, theirs := ann.camera(), bob.camera()
		cam.send(true, 10)
		cam.end()
		if err := cam.write(cam.next(true, 10, 100)[0]); err != nil {
			t.Errorf("under an alias that has just ended: %v", err)
		}
		theirs.s = ann // somebody else's alias
		if err := theirs.write(theirs.next(true, 10, 100)[0]); !errors.Is(err, ErrUnknownAlias) {
			t.Errorf("under another member's alias: %v", err)
		}
		if err := theirs.control(media.KindEnd, 0, 0); !errors.Is(err, ErrUnknownAlias) {
			t.Errorf("End under another member's alias: %v", err)
		}
		if bob.drain(); len(bob.m.tracks) != 1 || bob.count(TrackRemoved) != 1 {
			t.Error("ann ended bob's track")
		}
	})
}

func TestSnapshotCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		bob := w.join("bob", Selector{})
		wait(time.Second)
		cam := w.join("ann").camera()
		cam.send(true, 20_000)
		cam.send(false, 1000)
		bob.drain()
		ms := w.relay.Snapshot()[0].Members
		tr := ms[1].Tracks[0]
		wire := uint64(20_000 + 1000 + 3*media.HeaderSize + 2*4)
		if tr.Frames != 2 || tr.KeyFrames != 1 || tr.Bytes != wire || tr.Subscribers != 1 {
			t.Errorf("track: %+v", tr)
		}
		tot := w.relay.Totals()
		if tot.FramesIn.Load() != 2 || tot.BytesIn.Load() != wire || tot.BytesOut.Load() != wire {
			t.Errorf("totals: %d frames, %d in, %d out", tot.FramesIn.Load(), tot.BytesIn.Load(), tot.BytesOut.Load())
		}
		if l := ms[0].Link; l.Sent != bob.bytes || l.InFlight != 0 || l.Subscribed != 1 {
			t.Errorf("link: %+v", l)
		}
	})
}

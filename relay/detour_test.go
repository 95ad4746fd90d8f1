package relay

import (
	"testing"
	"testing/synctest"
)

// detour opens one, as a session that receives the media.
func (s *session) detour(tracks ...string) (*Detour, *session) {
	s.t.Helper()
	side := newSession(s.w)
	d, err := s.m.Detour(tracks, everything, side.notify, false)
	if err != nil {
		s.t.Fatal(err)
	}
	side.m, side.pub, side.sub = d.hidden, d.Publisher, d.Subscriber
	side.receiver = newReceiver(s.w.t, s.w.tape, d.Roster())
	return d, side
}

// wholes counts the whole frames that came of a track.
func (s *session) wholes(member, track string) int {
	s.drain()
	if in := s.of(member, track); in != nil {
		return len(in.got)
	}
	return 0
}

func TestWhatIsReceivedTakesADetourAndComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		ann, bob := w.join("ann"), w.join("bob", Selector{})
		cam := ann.camera()
		own := bob.mic() // which must not come back
		cam.send(true, 900)
		if n := bob.wholes("ann", "camera"); n != 1 {
			t.Fatalf("%d frames by the session", n)
		}
		d, side := bob.detour()
		cam.send(false, 900)
		if n, m := bob.wholes("ann", "camera"), side.wholes("ann", "camera"); n != 1 || m != 0 {
			t.Errorf("%d and %d frames: the detour begins with a key frame, not with a replay", n, m)
		}
		if ann.asked() != 1 {
			t.Error("no key frame was asked for")
		}
		cam.send(true, 900)
		own.send(true, 90)
		mic := ann.mic()
		mic.send(true, 90)
		if n, m := bob.wholes("ann", "camera"), side.wholes("ann", "camera"); n != 1 || m != 1 {
			t.Errorf("%d and %d frames", n, m)
		}
		if side.wholes("ann", "mic") != 1 || side.sub.Stats().Subscribed != 2 {
			t.Error("a later track does not come, or one's own does")
		}
		if _, others := ann.m.Roster(); len(others) != 0 {
			t.Errorf("a roster shows %v", others)
		}
		if _, err := bob.m.Detour(nil, everything, bob.notify, false); err != ErrDetour {
			t.Errorf("a second detour: %v", err)
		}
		d.Close()
		cam.send(false, 900)
		if n := bob.wholes("ann", "camera"); n != 3 {
			t.Errorf("%d frames by the session after the detour, want the whole group", n)
		}
		if st := w.relay.Snapshot()[0]; len(st.Members) != 2 || bob.m.traffic.Out(WebRTC) == 0 {
			t.Errorf("%+v", st)
		}
	})
}

func TestWhatIsPublishedTakesADetourAndComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		ann, bob := w.join("ann"), w.join("bob", Selector{})
		cam := ann.camera()
		cam.send(true, 900)
		if _, err := ann.m.Detour([]string{"screen"}, everything, ann.notify, false); err != ErrNoSuchTrack {
			t.Errorf("a detour of no track: %v", err)
		}
		d, _ := ann.detour("camera")
		cam.send(true, 900) // by the session: too late
		if n := bob.wholes("ann", "camera"); n != 1 {
			t.Errorf("%d frames", n)
		}
		session := ann.pub
		next, ok := d.Publisher.Next(cam.info.Layers[0].Alias)
		if ann.pub = d.Publisher; !ok || next != 2 {
			t.Errorf("the next group is %d, %v", next, ok)
		}
		cam.group = next
		cam.send(true, 900)
		d.Close()
		cam.send(true, 900) // by the detour: too late
		ann.pub = session
		cam.send(true, 900)
		if n := bob.wholes("ann", "camera"); n != 3 {
			t.Errorf("%d frames", n)
		}
		if tr := ann.m.traffic; tr.In(WebRTC) == 0 || tr.In(WebSocket) == 0 {
			t.Error("a path was not counted")
		}
		cam.end()
		if bob.drain(); bob.count(TrackRemoved) != 1 {
			t.Error("no end")
		}
	})
}

func TestADetourEndsWithItsSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		ann, bob := w.join("ann"), w.join("bob", Selector{})
		cam := ann.camera()
		d, side := bob.detour()
		cam.send(true, 900)
		bob.m.Lost(bob.sub, nil)
		again := bob.resume()
		if out, _ := d.Subscriber.Pull(nil); len(out) != 0 {
			t.Errorf("%d messages by a detour that is over", len(out))
		}
		if again.wholes("ann", "camera") != 1 || side.m.left != true {
			t.Error("the new session does not receive")
		}
		d.Close() // changes nothing
		again.detour()
		again.m.Leave("bye")
		ann.m.Leave("bye")
		if len(w.relay.Snapshot()) != 0 {
			t.Error("the room is still there")
		}
	})
}

func TestNobodySeesOneWhoOnlyWatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		ann := w.join("ann")
		cam := ann.camera()
		eye := w.joinAs(Identity{ID: "eye", Name: "eye", Hidden: true, NoReplay: true, Path: WebRTC}, everything, Selector{})
		cam.send(true, 900)
		if eye.wholes("ann", "camera") != 1 {
			t.Error("it sees nothing")
		}
		eye.m.Pause("ann", "camera", true)
		cam.send(true, 900)
		if eye.wholes("ann", "camera") != 1 {
			t.Error("it sees what it paused")
		}
		eye.m.Pause("ann", "camera", false)
		cam.send(true, 900)
		if eye.wholes("ann", "camera") != 2 {
			t.Error("it does not see what it took up again")
		}
		if _, err := ann.m.Offer(Object{ID: "x", Name: "x", Size: 1}, "", 1); err != nil {
			t.Error(err)
		}
		if _, err := ann.m.Offer(Object{ID: "y", Name: "y", Size: 1}, "eye", 1); err != ErrNoSuchMember {
			t.Errorf("an object to one who is hidden: %v", err)
		}
		eye.m.Leave("bye")
		ann.drain()
		if len(ann.roster) != 0 || ann.count(MemberJoined)+ann.count(MemberLeft) != 0 {
			t.Error("somebody came or went")
		}
	})
}

// What begins with key frames alone goes to another layer at its next key frame, never by a catch-up.
func TestALayerChangesWithoutAReplay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		ann := w.join("ann")
		cams := ann.layers("camera", 180, 360)
		small, large := cams[0], cams[1]
		eye := w.joinAs(Identity{ID: "eye", Hidden: true, NoReplay: true}, everything)
		eye.subscribe(Selector{}, Want{Height: 360})
		small.send(true, 900)
		large.send(true, 900)
		eye.drain()
		eye.subscribe(Selector{}, Want{Height: 180})
		eye.drain()
		count := func() (frames, bursts int) {
			eye.drain()
			for _, in := range eye.tracks {
				frames, bursts = frames+len(in.got), bursts+len(in.bursts)
			}
			return frames, bursts
		}
		if frames, bursts := count(); frames != 1 || bursts != 0 {
			t.Fatalf("%d frames, %d bursts", frames, bursts)
		}
		small.send(true, 900)
		if frames, bursts := count(); frames != 2 || bursts != 0 {
			t.Errorf("%d frames, %d bursts", frames, bursts)
		}
	})
}

package relay

import (
	"testing"
	"testing/synctest"
)

func TestMediaComesBothWaysUntilTheReceiverHasChangedOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		ann, bob := w.join("ann"), w.join("bob", Selector{})
		cam := ann.camera()
		cam.send(true, 900)
		d, err := bob.m.Detour(nil, everything, func(bool) {}, true)
		if err != nil {
			t.Fatal(err)
		}
		side := newSession(w)
		side.m, side.pub, side.sub = d.hidden, d.Publisher, d.Subscriber
		side.receiver = newReceiver(w.t, w.tape, d.Roster())
		expect := func(when string, session, detour int) {
			t.Helper()
			if n, m := bob.wholes("ann", "camera"), side.wholes("ann", "camera"); n != session || m != detour {
				t.Errorf("%s: %d and %d frames, want %d and %d", when, n, m, session, detour)
			}
		}
		cam.send(true, 900)
		expect("before the way is open", 2, 0)
		if ann.asked() != 0 {
			t.Error("a key frame was asked for, for a way that is not open")
		}
		d.Begin()
		cam.send(true, 900)
		expect("both", 3, 1)
		if err := d.Take("ann", ByDetour); err != nil {
			t.Fatal(err)
		}
		cam.send(true, 900)
		expect("by the detour", 3, 2)
		if err := bob.m.KeyFrame("ann", "camera"); err != nil {
			t.Errorf("a key frame for what comes by the detour: %v", err)
		}
		if err := d.Take("ann", BySession); err != nil {
			t.Fatal(err)
		}
		expect("back, with the group from its beginning", 4, 2)
		cam.send(true, 900)
		expect("by the session", 5, 2)
		if err := d.Take("nobody", ByDetour); err != ErrNoSuchMember {
			t.Errorf("a way of nobody: %v", err)
		}
		ann.m.Leave("bye")
		cyd := w.join("cyd")
		if err := d.Take("cyd", ByDetour); err != nil || len(d.ways) != 1 {
			t.Errorf("%v, %d ways: one who is gone is remembered", err, len(d.ways))
		}
		d.Close()
		other := cyd.camera()
		other.send(true, 900)
		if n := bob.wholes("cyd", "camera"); n != 1 {
			t.Errorf("%d frames after the detour", n)
		}
	})
}

package relay

import (
	"testing"
	"testing/synctest"
	"time"

	"landline/media"
)

// temporal writes a picture in two temporal layers of equal rate: every other frame is of the upper one.
func temporal(cam *source, n, every, size int) {
	chunks := cam.next(n%every == 0, size, media.MaxChunkPayload)
	for _, m := range chunks {
		m.Data[1] |= byte(n%2) << 5
	}
	cam.pieces(chunks)
}

// filmed has one receiver behind a lane of a rate that goes from half of what comes, for a while, to more than that.
func filmed(t *testing.T, want Want, narrow, wide time.Duration) (*session, *session) {
	w := newWorld(t, Options{})
	ann := w.join("ann")
	cam := ann.camera()
	bob := w.join("bob")
	bob.subscribe(Selector{}, want)
	l := newLane(bob, 1_000_000)
	const size = 4_000 // 100 kB/s
	n := 0
	run := func(d time.Duration) {
		for step := range int(d / (5 * time.Millisecond)) {
			if step%8 == 0 {
				temporal(cam, n, 50, size)
				n++
			}
			l.step()
			wait(5 * time.Millisecond)
		}
	}
	run(4 * time.Second)
	l.rate = 70_000
	run(narrow)
	l.rate = 1_000_000
	run(wide)
	return ann, bob
}

// A link that carries the lower temporal layer and half of the upper one is sent the lower one whole: no group is cut.
func TestUpperTemporalLayersGoFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, bob := filmed(t, Want{}, 20*time.Second, 10*time.Second)
		d := bob.sub.Stats().Drops
		if d[media.DropTemporal] < 100 || d[media.DropAge]+d[media.DropGate]+d[media.DropBytes] != 0 || bob.sub.Stats().Thinned != 0 {
			t.Errorf("drops %v, thinned %d", d, bob.sub.Stats().Thinned)
		}
		in := bob.of("ann", "camera")
		upper, last := 0, in.got[len(in.got)-1]
		for _, g := range in.got[len(in.got)-50:] {
			upper += int(g.frame) % 2
		}
		if upper != 25 {
			t.Errorf("of the last 50 frames, up to %v, %d are of the upper layer", last, upper)
		}
		if len(in.abandons) != 0 {
			t.Errorf("abandons %v", in.abandons)
		}
	})
}

// One who holds a layer gets every frame of it, or none of a group's rest.
func TestHeldTracksAreNotThinned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, bob := filmed(t, Want{Hold: true}, 20*time.Second, 5*time.Second)
		if d := bob.sub.Stats().Drops; d[media.DropTemporal] != 0 || d[media.DropGate] == 0 {
			t.Errorf("drops %v", d)
		}
	})
}

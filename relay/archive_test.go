package relay

import (
	"testing"
	"testing/synctest"
	"time"

	"landline/media"
)

// One who records and does not pull for long loses whole groups, over its budget alone, and never by age.
func TestArchiveIsBoundedByBytesAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		a := w.join("a")
		camera, mic := a.camera(), a.mic()
		rec := w.joinAs(Identity{ID: "rec", Archive: true, Path: ToArchive}, everything, Selector{})
		rec.drain()
		camera.send(true, 1000)
		wait(2 * time.Minute) // no age
		if q := rec.sub.Stats().QueueBytes; q < 1000 {
			t.Fatalf("%d bytes wait", q)
		}
		for range ArchiveBytes/(500<<10) + 20 {
			camera.send(true, 300<<10)
			camera.send(false, 200<<10)
			mic.send(true, 100)
		}
		s := rec.sub.Stats()
		if s.QueueBytes > ArchiveBytes || s.QueueBytes < ArchiveBytes-2<<20 {
			t.Errorf("%d bytes wait", s.QueueBytes)
		}
		if s.Drops[media.DropBytes] == 0 || s.Drops[media.DropBytes] != s.Drops.Total() || s.Drops[media.DropBytes] > 60 {
			t.Errorf("drops %v", s.Drops)
		}
	})
}

func TestArchiveDoesNotKeepARoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var opened []string
		w := newWorld(t, Options{Opened: func(room string) { opened = append(opened, room) }})
		rec := w.joinAs(Identity{ID: "rec", Archive: true}, everything, Selector{})
		a := w.join("a")
		if _, others := a.m.Roster(); len(others) != 0 {
			t.Errorf("the roster shows %v", others)
		}
		mic := a.mic()
		mic.send(true, 100)
		b := w.join("b")
		a.m.Leave("bye")
		b.m.Leave("bye")
		rec.drain()
		if n := rec.count(MemberLeft); n != 2 {
			t.Errorf("%d members have left", n)
		}
		again := w.join("a")
		if again.m.room == rec.m.room || len(opened) != 2 {
			t.Errorf("the room was kept: opened %v", opened)
		}
		rec.m.Leave("bye")
		again.m.Leave("bye")
		if rooms := w.relay.Snapshot(); len(rooms) != 0 {
			t.Errorf("%+v", rooms)
		}
	})
}

// One who comes later waits for a key frame, of a publisher that can be asked; of a file it has the group under way.
func TestArchiveBeginsWithAKeyFrame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		a := w.join("a")
		camera := a.camera()
		offer := video("film")
		offer.KeyOnRequest = false
		film := a.publish(offer)[0]
		for _, c := range []*source{camera, film} {
			c.send(true, 1000)
			c.send(false, 100)
		}
		rec := w.joinAs(Identity{ID: "rec", Archive: true}, everything, Selector{})
		rec.drain()
		a.drain()
		if n := a.count(Feedback); n != 1 {
			t.Errorf("%d requests for a key frame", n)
		}
		if got := rec.of("a", "film"); got == nil || len(got.got) != 2 {
			t.Errorf("of the film: %v", got)
		}
		if got := rec.of("a", "camera"); got != nil && len(got.got) != 0 {
			t.Errorf("of the camera: %v", got)
		}
	})
}

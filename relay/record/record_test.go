package record

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"landline/media"
	"landline/relay"
)

// same wants the packets of a track as they were sent.
func same(t *testing.T, got, sent []media.Packet, track int) {
	t.Helper()
	i, shift := 0, int64(0)
	for _, p := range sent {
		if p.Track != track {
			continue
		}
		if i >= len(got) || !bytes.Equal(got[i].Data, p.Data) || got[i].Key != p.Key {
			t.Fatalf("packet %d of %d of track %d differs", i, len(got), track)
		}
		if i == 0 {
			shift = got[0].Timestamp - p.Timestamp
		}
		if d := got[i].Timestamp - p.Timestamp - shift; d > 1000 || d < -1000 {
			t.Fatalf("packet %d of track %d is %d µs off", i, track, d)
		}
		i++
	}
	if i != len(got) {
		t.Fatalf("%d packets of track %d, %d were sent", len(got), track, i)
	}
}

// sameAs wants all tracks of a file as they were sent, whoever sent them.
func (w *world) sameAs(f File, formats []media.Format, sent []media.Packet) {
	w.t.Helper()
	_, got := w.read(f.Name)
	if len(got) != len(f.Tracks) {
		w.t.Fatalf("%d tracks, %d are described", len(got), len(f.Tracks))
	}
	for n, track := range f.Tracks {
		source := 0
		if formats[0].Kind != media.Kind(track.Kind) {
			source = 1
		}
		same(w.t, got[n], sent, source)
	}
}

func TestWhatWasSentIsInTheFile(t *testing.T) {
	w := newWorld(t, Options{})
	formats, packets := clip(t)
	ann, listener := w.person("ann"), w.person("listener")
	ann.publish(formats, false)
	r := w.start(Order{Room: "room", By: "listener", Name: "listener"})
	until(t, "the room is told", func() bool { return listener.heard(relay.Recorded, "") })
	ann.send(packets)
	ann.leave()
	r.Stop()
	i := w.saved(r)
	if len(i.Files) != 1 || i.Dropped != 0 || len(i.Gaps) != 0 || filepath.Ext(i.Files[0].Name) != ".webm" || i.By != "listener" {
		t.Fatalf("%+v", i)
	}
	w.sameAs(i.Files[0], formats, packets)
	until(t, "the room is told that it is saved", func() bool { return listener.heard(relay.RecordSaved, "") })
	if _, err := os.Stat(filepath.Join(w.dir, r.ID()+".json")); err != nil {
		t.Error(err)
	}
}

func TestARoomIsNotKept(t *testing.T) {
	w := newWorld(t, Options{})
	formats, packets := clip(t)
	ann := w.person("ann")
	ann.publish(formats, false)
	r := w.start(Order{Room: "room"})
	if _, err := w.store.Start(w.relay, Order{Room: "room"}); !errors.Is(err, ErrRunning) {
		t.Errorf("a second recording: %v", err)
	}
	ann.send(packets)
	ann.leave()
	w.saved(r)
	if rooms := w.relay.Snapshot(); len(rooms) != 0 {
		t.Errorf("%+v is still there", rooms)
	}
}

// One comes and goes and comes again; all that was said is in one file, each in its time.
func TestComingAndGoing(t *testing.T) {
	w := newWorld(t, Options{})
	formats, packets := clip(t)
	ann := w.person("ann")
	ann.publish(formats, false)
	r := w.start(Order{Room: "room"})
	half := len(packets) / 2
	ann.send(packets[:half])
	bob := w.person("bob")
	bob.publish(formats, false)
	bob.send(packets)
	w.heardOut()
	bob.leave()
	again := w.person("bob")
	again.clock += 77_000_000
	again.publish(formats, false)
	again.send(packets)
	ann.send(packets[half:])
	again.leave()
	ann.leave()
	i := w.saved(r)
	if len(i.Files) != 1 || len(i.Files[0].Tracks) != 6 {
		t.Fatalf("%+v", i)
	}
	w.sameAs(i.Files[0], formats, packets)
}

// A camera that is off and on again by the same member goes on in its track.
func TestRepublishedTrackKeepsItsPlace(t *testing.T) {
	w := newWorld(t, Options{})
	formats, packets := clip(t)
	ann := w.person("ann")
	ann.publish(formats, true)
	r := w.start(Order{Room: "room"})
	ann.send(packets)
	w.heardOut()
	until(t, "the file has begun", func() bool { return w.store.counts.Bytes.Load() > 100_000 })
	for _, f := range formats {
		if err := ann.m.Unpublish(string(f.Kind)); err != nil {
			t.Fatal(err)
		}
	}
	ann.publish(formats, true)
	ann.send(later(packets, 6*time.Second))
	ann.leave()
	i := w.saved(r)
	if n := len(i.Files[0].Tracks); n != 2 {
		t.Fatalf("%d tracks", n)
	}
	w.sameAs(i.Files[0], formats, append(packets[:len(packets):len(packets)], later(packets, 6*time.Second)...))
}

func TestTracksBeyondTheHeadBeginAnotherFile(t *testing.T) {
	w := newWorld(t, Options{})
	formats, packets := clip(t)
	stays := w.person("stays")
	r := w.start(Order{Room: "room"})
	for n := range 40 {
		p := w.person(fmt.Sprintf("p%d", n))
		p.clock += int64(n) * 60_000_000
		p.publish(formats, false)
		p.send(packets[:20])
		w.heardOut()
		p.leave()
	}
	stays.leave()
	i := w.saved(r)
	if len(i.Files) != 2 {
		t.Fatalf("%d files of %d tracks", len(i.Files), len(i.Files[0].Tracks))
	}
	// Who is still there when the second begins has a place in both.
	seen := map[[2]string]bool{}
	for _, f := range i.Files {
		if _, got := w.read(f.Name); len(got) != len(f.Tracks) {
			t.Errorf("%s has %d tracks, and is said to have %d", f.Name, len(got), len(f.Tracks))
		}
		for _, track := range f.Tracks {
			seen[[2]string{track.Member, track.Track}] = true
		}
	}
	if len(seen) != 80 {
		t.Errorf("%d tracks", len(seen))
	}
}

// Who comes when all places are taken by others that are there would find another file as full.
func TestMoreTracksAtOnceThanAFileHolds(t *testing.T) {
	w := newWorld(t, Options{})
	formats, packets := clip(t)
	r := w.start(Order{Room: "room"})
	var many []media.Format
	var all []media.Packet
	for n := range 7 {
		many = append(many, formats...)
		for _, p := range packets[:20] {
			p.Track += n * len(formats)
			all = append(all, p)
		}
	}
	var people []*person
	for n := range 5 {
		p := w.person(fmt.Sprintf("p%d", n))
		p.m.Unsubscribe(relay.Selector{}) // to what the others send: that would be a lot
		p.publish(many, false)
		people = append(people, p)
	}
	for n := range 2 {
		for _, p := range people {
			p.send(later(all, time.Duration(n)*time.Second))
		}
		w.heardOut()
		until(t, "the file has begun", func() bool { return w.store.counts.Bytes.Load() > 100_000 })
	}
	for _, p := range people {
		p.leave()
	}
	i := w.saved(r)
	if len(i.Files) != 1 || len(i.Files[0].Tracks) != 64 {
		t.Fatalf("%d files, of %d tracks", len(i.Files), len(i.Files[0].Tracks))
	}
	if len(i.Gaps) == 0 || i.Gaps[0].Why != WhyTracks || i.Dropped == 0 {
		t.Errorf("six tracks have no place: %+v, %d frames dropped", i.Gaps, i.Dropped)
	}
	w.read(i.Files[0].Name)
}

func TestFilesOfLimitedSize(t *testing.T) {
	w := newWorld(t, Options{MaxFile: 100_000})
	formats, packets := clip(t)
	ann := w.person("ann")
	ann.publish(formats, false)
	r := w.start(Order{Room: "room"})
	for n := range 4 {
		ann.send(later(packets, time.Duration(4*n)*time.Second))
		was := w.store.counts.Bytes.Load()
		until(t, "it is written", func() bool { return w.store.counts.Bytes.Load() > was })
	}
	ann.leave()
	i := w.saved(r)
	if len(i.Files) < 2 {
		t.Fatalf("%+v", i)
	}
	for _, f := range i.Files {
		w.read(f.Name)
	}
}

func TestNothingCame(t *testing.T) {
	w := newWorld(t, Options{})
	ann := w.person("ann")
	r := w.start(Order{Room: "room"})
	ann.leave()
	<-r.Done()
	if _, err := w.store.Get(r.ID()); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	if left, _ := os.ReadDir(w.dir); len(left) != 0 {
		t.Error(left)
	}
}

func (p *person) chunks() (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, k := range p.got {
		n += k
	}
	return n
}

// What a process left that died is completed at the next start, and catalogued.
func TestTheNextStartCompletesWhatIsLeft(t *testing.T) {
	w := newWorld(t, Options{})
	formats, packets := clip(t)
	ann := w.person("ann")
	ann.publish(formats, false)
	r := w.start(Order{Room: "room", Name: "ann"})
	ann.send(packets)
	until(t, "most is written", func() bool { return w.store.counts.Bytes.Load() > 100_000 })
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(w.dir)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "20251121-044000-room-00000000.webm.part"), []byte("no recording"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(context.Background())
	if other, err := Open(dir, Options{}); err == nil {
		other.Close(context.Background())
		t.Error("two stores have one folder")
	}
	until(t, "the file is completed", func() bool { return s.counts.Recovered.Load() == 1 })
	until(t, "it is described", func() bool {
		i, err := s.Get(r.ID())
		return err == nil && i.State == StateSaved && i.Recovered && i.Name == "ann" && len(i.Files) == 1 && i.DurationMs > 2000
	})
	i, err := s.Get(r.ID())
	if err != nil {
		t.Fatal(err)
	}
	here := &world{t: t, dir: dir}
	here.read(i.Files[0].Name)
	list, err := s.List("room")
	if err != nil || len(list) != 2 {
		t.Fatalf("%+v, %v", list, err)
	}
	if err := s.Delete(r.ID()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(r.ID()); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
}

func TestNamesLeadNowhereElse(t *testing.T) {
	w := newWorld(t, Options{})
	outside := filepath.Join(filepath.Dir(w.dir), "20251121-044000-room-0a0b0c0d.webm")
	if err := os.WriteFile(outside, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Remove(outside) })
	if err := os.Symlink(outside, filepath.Join(w.dir, filepath.Base(outside))); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"", "..", "../20251121-044000-room-0a0b0c0d", "20251121-044000-room-0a0b0c0d", "20251121-044000-..-0a0b0c0d",
		"20251121-044000-a/b-0a0b0c0d", "20251121-044000-room-0a0b0c0d\x00"} {
		if _, _, _, err := w.store.Media(id, 0); !errors.Is(err, ErrNotFound) {
			t.Errorf("%q can be read: %v", id, err)
		}
		if err := w.store.Delete(id); !errors.Is(err, ErrNotFound) {
			t.Errorf("%q can be deleted: %v", id, err)
		}
	}
	if _, err := os.Stat(outside); err != nil {
		t.Error(err)
	}
}

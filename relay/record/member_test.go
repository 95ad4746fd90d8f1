package record

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"landline/media"
)

// alike wants the file of a member to hold what the room's has of that member, at the same times.
func (w *world) alike(i Info, f MemberFile) {
	w.t.Helper()
	at := slices.IndexFunc(i.Files, func(k File) bool { return k.Name == f.Beside })
	if at < 0 {
		w.t.Fatalf("%s is beside nothing of %+v", f.Name, i.Files)
	}
	_, all := w.packets(f.Beside)
	_, got := w.read(f.Name)
	n := 0
	for place, track := range i.Files[at].Tracks {
		if track.Member != f.Member {
			continue
		}
		if n >= len(got) || track.Name != f.MemberName {
			w.t.Fatalf("%+v has %d tracks, and is of %+v", f, len(got), track)
		}
		if !slices.EqualFunc(got[n], all[place], func(a, b media.Packet) bool { return a.Timestamp == b.Timestamp && string(a.Data) == string(b.Data) }) {
			w.t.Errorf("%s has %d packets of %s, that of the room %d, or others", f.Name, len(got[n]), track.Track, len(all[place]))
		}
		n++
	}
	if n != len(got) {
		w.t.Errorf("%s has %d tracks, of %s there are %d", f.Name, len(got), f.Member, n)
	}
}

func TestAFileOfEachMember(t *testing.T) {
	w := newWorld(t, Options{})
	formats, packets := clip(t)
	ann := w.person("ann")
	ann.publish(formats, true)
	r := w.start(Order{Room: "room", PerMember: true})
	ann.send(packets)
	w.heardOut()
	until(t, "the file has begun", func() bool { return w.store.counts.Bytes.Load() > 100_000 })
	if i := r.Info(); len(i.Members) != 0 {
		t.Errorf("what is not saved is told: %+v", i.Members)
	}
	bob := w.person("bob")
	bob.publish(formats, false)
	bob.send(packets)
	for _, f := range formats { // a camera that is off, and on again
		if err := ann.m.Unpublish(string(f.Kind)); err != nil {
			t.Fatal(err)
		}
	}
	ann.publish(formats, true)
	ann.send(later(packets, 6*time.Second))
	w.heardOut()
	bob.leave()
	again := w.person("bob")
	again.clock += 77_000_000
	again.publish(formats, false)
	again.send(packets)
	again.leave()
	ann.leave()
	i := w.saved(r)
	if len(i.Files) != 1 || len(i.Members) != 2 || i.Members[0].MemberName != "ann" || i.Members[1].MemberName != "bob" {
		t.Fatalf("%+v", i)
	}
	sum := i.Files[0].Bytes
	for _, f := range i.Members {
		w.alike(i, f)
		sum += f.Bytes
		content, name, _, err := w.store.MemberMedia(r.ID(), 0, f.Member)
		if err != nil || name != f.Name || content.Size() != f.Bytes || !FileOf(r.ID(), name) {
			t.Fatal(name, err)
		}
		content.Close()
	}
	if i.Bytes != sum || i.DurationMs != i.Files[0].DurationMs {
		t.Errorf("%d bytes, %d ms; want %d, and the length of the room's file", i.Bytes, i.DurationMs, sum)
	}
	for _, c := range []struct {
		part   int
		member string
	}{{0, "cyd"}, {1, "ann"}, {-1, "ann"}} {
		if _, _, _, err := w.store.MemberMedia(r.ID(), c.part, c.member); !errors.Is(err, ErrNotFound) {
			t.Errorf("%+v: %v", c, err)
		}
	}
	if err := w.store.Delete(r.ID()); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(w.dir); len(left) != 0 {
		t.Error(left)
	}
}

// Where the room's file gives way to another, and where the disk is full, those of members do so with it.
func TestFilesOfMembersGoOnInOthers(t *testing.T) {
	w := newWorld(t, Options{MaxFile: 100_000})
	formats, packets := clip(t)
	ann, bob := w.person("ann"), w.person("bob")
	ann.publish(formats, false)
	bob.publish(formats, false)
	r := w.start(Order{Room: "room", PerMember: true})
	for n := range 4 {
		if n == 2 {
			w.disk.full.Store(true)
		}
		ann.send(later(packets, time.Duration(4*n)*time.Second))
		bob.send(later(packets, time.Duration(4*n)*time.Second))
		w.heardOut()
		if n == 2 {
			until(t, "it waits", func() bool { return r.Info().State == StateWaiting })
			w.disk.full.Store(false)
			until(t, "it goes on", func() bool { return r.Info().State == StateRecording })
		}
	}
	ann.leave()
	bob.leave()
	i := w.saved(r)
	if len(i.Files) < 2 || len(i.Members) < 2*len(i.Files)-1 {
		t.Fatalf("%+v", i)
	}
	for _, f := range i.Members {
		w.alike(i, f)
	}
}

// What a process left that died plays as it lies, and is completed at the next start: also whose each file is.
func TestFilesOfMembersSurviveACrash(t *testing.T) {
	w := newWorld(t, Options{})
	formats, packets := clip(t)
	ann, bob := w.person("ann"), w.person("bob")
	ann.publish(formats, false)
	bob.publish(formats, false)
	r := w.start(Order{Room: "room", PerMember: true})
	ann.send(packets)
	bob.send(packets)
	w.heardOut()
	until(t, "most is written", func() bool { return w.store.counts.Bytes.Load() > 400_000 })
	here := &world{t: t, dir: t.TempDir()}
	if err := os.CopyFS(here.dir, os.DirFS(w.dir)); err != nil {
		t.Fatal(err)
	}
	left, err := filepath.Glob(filepath.Join(here.dir, "*.part"))
	if err != nil || len(left) != 3 {
		t.Fatal(left, err)
	}
	for _, f := range left {
		here.decodes(filepath.Base(f))
	}
	s, err := Open(here.dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(context.Background())
	var i Info
	until(t, "all is completed", func() bool {
		i, err = s.Get(r.ID())
		return err == nil && len(i.Members) == 2 && len(i.Files) == 1 && i.DurationMs > 0
	})
	var names []string
	for _, f := range i.Members {
		names = append(names, f.MemberName)
		if _, got := here.read(f.Name); len(got) != 2 || f.DurationMs < 2000 || f.Beside != i.Files[0].Name {
			t.Errorf("%d tracks: %+v", len(got), f)
		}
	}
	if slices.Sort(names); !slices.Equal(names, []string{"ann", "bob"}) {
		t.Error(names)
	}
}

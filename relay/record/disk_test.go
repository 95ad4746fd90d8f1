package record

import (
	"path/filepath"
	"testing"
	"time"

	"landline/relay"
)

func TestAFullDisk(t *testing.T) {
	w := newWorld(t, Options{})
	formats, packets := clip(t)
	ann, listener := w.person("ann"), w.person("listener")
	ann.publish(formats, false)
	r := w.start(Order{Room: "room"})
	ann.send(packets)
	until(t, "a file is written", func() bool { return w.store.counts.Bytes.Load() > 50_000 })
	w.disk.full.Store(true)
	at := time.Now()
	ann.send(later(packets, 4*time.Second))
	until(t, "the room is told that the disk is full", func() bool { return listener.heard(relay.RecordWait, WhyFull) })
	if took := time.Since(at); took > time.Second {
		t.Errorf("the room is told after %v", took)
	}
	parts, err := filepath.Glob(filepath.Join(w.dir, "*.part"))
	if err != nil || len(parts) != 1 {
		t.Fatal(parts, err)
	}
	w.decodes(filepath.Base(parts[0])) // as it lies
	sent := listener.chunks()
	ann.send(later(packets, 8*time.Second))
	until(t, "live media goes on", func() bool { return listener.chunks() > sent+len(packets)/2 })
	w.disk.full.Store(false)
	until(t, "it goes on", func() bool { return r.Info().State == StateRecording })
	ann.send(later(packets, 12*time.Second))
	ann.leave()
	listener.leave()
	i := w.saved(r)
	if len(i.Files) != 2 || i.Dropped == 0 || len(i.Gaps) == 0 || i.Gaps[0].Why != WhyFull || i.Gaps[0].ForMs == 0 {
		t.Fatalf("%+v", i)
	}
	for _, f := range i.Files {
		w.read(f.Name)
	}
	if n := w.store.counts.Full.Load(); n != 1 {
		t.Errorf("it waited %d times", n)
	}
}

func TestTheReserveIsLeftFree(t *testing.T) {
	w := newWorld(t, Options{Reserve: 100 << 20})
	w.disk.small.Store(99 << 20)
	formats, packets := clip(t)
	ann, listener := w.person("ann"), w.person("listener")
	ann.publish(formats, false)
	r := w.start(Order{Room: "room"})
	ann.send(packets)
	until(t, "the room is told that the disk is full", func() bool { return listener.heard(relay.RecordWait, WhyFull) })
	if media, _ := filepath.Glob(filepath.Join(w.dir, "*.part")); len(media) != 0 {
		t.Error(media)
	}
	w.disk.small.Store(0)
	until(t, "it goes on", func() bool { return r.Info().State == StateRecording })
	ann.send(later(packets, 4*time.Second))
	ann.leave()
	listener.leave()
	w.saved(r)
}

// While the disk stands still nothing is lost that fits into the queue, nobody waits, and the room is told.
func TestADiskThatStandsStill(t *testing.T) {
	w := newWorld(t, Options{})
	formats, packets := clip(t)
	ann, listener := w.person("ann"), w.person("listener")
	ann.publish(formats, false)
	r := w.start(Order{Room: "room"})
	ann.send(packets)
	until(t, "a file is written", func() bool { return w.store.counts.Bytes.Load() > 50_000 })
	goOn := w.disk.stall()
	at := time.Now()
	ann.send(later(packets, 5*time.Second))
	until(t, "the room is told that the disk is slow", func() bool { return listener.heard(relay.RecordWait, WhySlow) })
	if took := time.Since(at); took > 1500*time.Millisecond { // the next flush may be 400 ms away
		t.Errorf("the room is told after %v", took)
	}
	sent := listener.chunks()
	ann.send(later(packets, 10*time.Second))
	until(t, "live media goes on", func() bool { return listener.chunks() > sent+len(packets)/2 })
	goOn()
	until(t, "it goes on", func() bool { return r.Info().State == StateRecording })
	ann.leave()
	listener.leave()
	i := w.saved(r)
	if len(i.Files) != 1 || i.Dropped != 0 {
		t.Fatalf("%+v", i)
	}
	all := append(append(packets[:len(packets):len(packets)], later(packets, 5*time.Second)...), later(packets, 10*time.Second)...)
	w.sameAs(i.Files[0], formats, all)
}

// What does not fit into the queue meanwhile is dropped in whole groups, and counted.
func TestADiskThatStandsStillForLong(t *testing.T) {
	w := newWorld(t, Options{})
	formats, packets := clip(t)
	ann := w.person("ann")
	ann.publish(formats, false)
	r := w.start(Order{Room: "room"})
	ann.send(packets)
	until(t, "a file is written", func() bool { return w.store.counts.Bytes.Load() > 50_000 })
	goOn := w.disk.stall()
	until(t, "the recorder waits", func() bool {
		ann.send(later(packets[:1], 4*time.Second))
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.slow
	})
	size := 0
	for _, p := range packets {
		size += len(p.Data)
	}
	loops := (relay.ArchiveBytes+relay.ArchiveBytes/4)/size + 1
	for n := range loops {
		ann.send(later(packets, time.Duration(5+4*n)*time.Second))
	}
	if queued := w.relay.Snapshot()[0].Members[1].Link.QueueBytes; queued > relay.ArchiveBytes || queued < relay.ArchiveBytes/2 {
		t.Errorf("%d bytes wait", queued)
	}
	goOn()
	ann.leave()
	i := w.saved(r)
	if i.Dropped == 0 || len(i.Gaps) == 0 || len(i.Files) != 1 {
		t.Fatalf("%+v", i)
	}
	if _, got := w.packets(i.Files[0].Name); len(got) != 2 {
		t.Errorf("%d tracks", len(got))
	}
}

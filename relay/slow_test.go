package relay

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"landline/media"
)

// live writes video at 25 frames a second and audio at 50 for some time, with a key frame every keyEvery frames, and
// calls each after every step of 20 ms.
func live(cam, mic *source, d time.Duration, keyEvery, size int, each func(step int)) {
	for step := range int(d / (20 * time.Millisecond)) {
		if step%2 == 0 {
			cam.send(step/2%keyEvery == 0, size)
		}
		mic.send(true, 120)
		each(step)
		wait(20 * time.Millisecond)
	}
}

func TestFrozenReaderHurtsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		good, frozen, half := w.join("good", Selector{}), w.join("frozen", Selector{}), w.join("half", Selector{})
		ann := w.join("ann")
		list := ann.publish(video("camera"), audio("mic"))
		frames := 0
		live(list[0], list[1], 6*time.Second, 50, 25_000, func(step int) { // about 5 Mbit/s
			frames += 1 - step%2
			good.drain()
			frozen.pull()
			frozen.bounds()
			if age := frozen.oldest(); step%2 == 0 && age > 400*time.Millisecond { // a push looks at its own queue
				t.Fatalf("a frame of %v in the frozen reader's queue", age)
			}
			if step%2 == 1 && step%4 == 1 { // a link that takes about 310 kB/s of the 625
				half.halfRate(25_000)
			}
		})
		if got := good.of("ann", "camera").got; len(got) != frames || len(good.of("ann", "mic").got) != 300 {
			t.Errorf("the good reader got %d of %d frames", len(got), frames)
		}
		if d := good.sub.Stats().Drops.Total(); d != 0 {
			t.Errorf("the good reader has %d drops", d)
		}
		st := frozen.sub.Stats()
		if st.Drops[media.DropAge] == 0 || st.Drops[media.DropGate] == 0 || st.ClosedGates != 1 || st.QueueBytes > 120*20 {
			t.Errorf("frozen: %+v", st)
		}
		if st := half.sub.Stats(); st.Drops.Total() == 0 || st.Drops.Total() >= uint64(frames) {
			t.Errorf("half rate: %+v", st)
		}
		if a := half.of("ann", "mic").got; len(a) < 250 {
			t.Errorf("half rate got %d of 300 audio packets: audio goes before video", len(a))
		}
		comesBack(t, frozen, list)
	})
}

// halfRate acknowledges n bytes more.
func (s *session) halfRate(n uint64) {
	s.t.Helper()
	s.sub.mu.Lock()
	_, acked := s.sub.link.Total()
	s.sub.mu.Unlock()
	if !s.sub.Acked(min(acked+n, s.bytes), s.w.relay.now()) {
		s.t.Fatal("ack refused")
	}
	s.pull()
}

// comesBack lets a frozen reader read on: Abandon for what was begun, then video from a key frame.
func comesBack(t *testing.T, s *session, list []*source) {
	in := s.of("ann", "camera")
	had := len(in.got)
	if len(in.abandons) != 0 {
		t.Errorf("an Abandon got through to a frozen reader: %v", in.abandons)
	}
	for range 10 {
		s.drain()
		list[0].send(false, 25_000)
		wait(40 * time.Millisecond)
	}
	list[0].send(true, 25_000)
	list[0].send(false, 25_000)
	s.drain()
	if len(in.abandons) == 0 || in.abandons[0].Code != byte(media.DropAge) {
		t.Fatalf("abandons %v", in.abandons)
	}
	after := in.got[had:]
	if len(after) < 2 || after[0].frame != 0 {
		t.Fatalf("video did not come back from a key frame: %d frames", len(after))
	}
	if last := in.got[len(in.got)-1]; last.group != list[0].group || last.frame != 1 {
		t.Errorf("the last frame is %d/%d", last.group, last.frame)
	}
}

func TestAudioGoesBeforeVideoInOnePull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		bob := w.join("bob", Selector{})
		list := w.join("ann").publish(video("camera"), audio("mic"))
		bob.drain()
		list[0].send(true, 40_000)
		list[1].send(true, 120)
		out, _ := bob.sub.Pull(nil)
		c, err := media.ParseChunk(out[0].Data)
		if err != nil || c.Alias != list[1].info.Layers[0].Alias {
			t.Errorf("first out is alias %d (%v), audio is %d", c.Alias, err, list[1].info.Layers[0].Alias)
		}
	})
}

func TestPriorityAndTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		bob := w.join("bob")
		var order []uint16
		list := w.join("ann").publish(video("a"), video("b"), video("first"))
		bob.subscribe(Selector{}, Want{Priority: 4})
		bob.subscribe(Selector{Member: "ann", Track: "first"}, Want{Priority: 5})
		bob.drain()
		for _, c := range list {
			c.pieces(c.next(true, 4_096, 1_024))
		}
		out, _ := bob.sub.Pull(nil)
		for _, o := range out {
			c, err := media.ParseChunk(o.Data)
			if err != nil {
				t.Fatal(err)
			}
			order = append(order, c.Alias)
		}
		a, b, first := list[0].info.Layers[0].Alias, list[1].info.Layers[0].Alias, list[2].info.Layers[0].Alias
		turns := []uint16{first, first, first, first, a, b, a, b, a, b, a, b}
		if other := []uint16{first, first, first, first, b, a, b, a, b, a, b, a}; !slices.Equal(order, turns) && !slices.Equal(order, other) {
			t.Errorf("order %v, want %v", order, turns)
		}
	})
}

func TestAudioIsDroppedSinglyOldestFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		bob := w.join("bob", Selector{})
		mic := w.join("ann").mic()
		bob.fill()
		for range 50 { // 1 s while the reader takes nothing
			mic.send(true, 120)
			if age := bob.oldest(); age > 300*time.Millisecond {
				t.Fatalf("a packet of %v", age)
			}
			wait(20 * time.Millisecond)
		}
		bob.free()
		in := bob.of("ann", "mic")
		if len(in.got) == 0 || len(in.abandons) != 0 {
			t.Fatalf("%d packets, abandons %v", len(in.got), in.abandons)
		}
		if first := in.got[0].group; first != mic.group-uint32(len(in.got))+1 || len(in.got) != 15 {
			t.Errorf("got groups %d to %d in %d packets, want the newest 15", first, mic.group, len(in.got))
		}
		if d := bob.sub.Stats().Drops; d[media.DropAge] != 35 || d.Total() != 35 {
			t.Errorf("drops %v", d)
		}
	})
}

// fill makes the link of a session as full as it can be; free acknowledges it.
func (s *session) fill() {
	s.drain()
	s.sub.AddSent(full)
}

func (s *session) free() {
	s.t.Helper()
	s.bytes += full
	s.ack()
	s.drain()
}

// A frame of which a part was sent is abandoned by number before anything else of its track.
func TestAbandonOfAPartlySentFrame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		bob := w.join("bob", Selector{})
		cam := w.join("ann").camera()
		cam.send(true, 1000)
		cam.send(false, 1000)
		pieces := cam.next(false, 64_000, 16_000)
		cam.pieces(pieces[:2])
		bob.drain()
		bob.fill()
		cam.pieces(pieces[2:])
		wait(500 * time.Millisecond)
		cam.send(true, 700)
		cam.send(false, 700)
		bob.bytes += full
		bob.ack()
		bob.pull()
		in := bob.of("ann", "camera")
		if len(in.abandons) != 1 || in.abandons[0] != (media.Control{Kind: media.KindAbandon, Code: byte(media.DropAge),
			Alias: cam.info.Layers[0].Alias, Group: 1, Frame: 2}) {
			t.Fatalf("abandons %+v", in.abandons)
		}
		if n := len(in.got); n != 4 || in.got[2].group != 2 {
			t.Errorf("%d frames: %v", n, in.got)
		}
		if d := bob.sub.Stats().Drops; d[media.DropAge] != 1 || d.Total() != 1 {
			t.Errorf("drops %v", d)
		}
	})
}

func TestPublishersAbandonIsPassedOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		bob, slow := w.join("bob", Selector{}), w.join("slow", Selector{})
		cam := w.join("ann").camera()
		cam.send(true, 1000)
		bob.drain()
		slow.drain()
		cam.pieces(cam.next(false, 48_000, 16_000)[:2])
		bob.drain()
		if err := cam.control(media.KindAbandon, 1, 1); err != nil {
			t.Fatal(err)
		}
		cam.send(false, 10) // of the group that was given up: ignored
		cam.send(true, 300)
		want := media.Control{Kind: media.KindAbandon, Code: byte(media.DropPublisher), Alias: cam.info.Layers[0].Alias, Group: 1, Frame: 1}
		for _, s := range []*session{bob, slow} {
			s.drain()
			in := s.of("ann", "camera")
			if len(in.abandons) != 1 || in.abandons[0] != want || len(in.got) != 2 || in.got[1].group != 2 {
				t.Errorf("%+v, %d frames", in.abandons, len(in.got))
			}
			if d := s.sub.Stats().Drops; d[media.DropPublisher] > 1 || d.Total() != d[media.DropPublisher] {
				t.Errorf("drops %v", d)
			}
		}
	})
}

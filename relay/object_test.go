package relay

import (
	"bytes"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"landline/media"
)

func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i>>8 + i*7)
	}
	return b
}

// pair is a sender and a receiver with a stream between them that was accepted.
func pair(t *testing.T, size int) (ann, bob *porter, n uint32) {
	t.Helper()
	w := newWorld(t, Options{})
	ann, bob = w.porter("ann"), w.porter("bob")
	n = ann.offer("x", "bob", pattern(size))[0].Stream
	bob.pull(lots)
	bob.accept(n)
	ann.pull(lots)
	return ann, bob, n
}

func TestObjectArrivesWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, size := range []int{0, 1, 16384, 16385, 3_000_001} {
			ann, bob, n := pair(t, size)
			carry(t, ann, bob, n)
			if ann.out[n].over != "received" || !bytes.Equal(bob.in[n].got, pattern(size)) {
				t.Errorf("%d bytes: %q, %d came", size, ann.out[n].over, len(bob.in[n].got))
			}
			if r := ann.m.room; len(r.streams) != 0 || len(ann.pub.streams) != 0 || len(bob.sub.bulks) != 0 {
				t.Errorf("%d streams are left", len(r.streams))
			}
		}
	})
}

func TestSenderKeepsToItsCredit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ann, bob, n := pair(t, 1<<20)
		ann.send(n, media.MaxChunkPayload, lots)
		s := ann.out[n]
		if s.pos != ObjectWindow {
			t.Fatalf("%d bytes went out", s.pos)
		}
		var credit *CreditError
		if err := ann.write(s.chunk(n, 1000)); !errors.As(err, &credit) || credit.Most != ObjectWindow {
			t.Fatalf("beyond the credit: %v", err)
		}
		bob.pull(lots)
		if _, err := bob.m.Credit(n, 40_000); err != nil {
			t.Fatal(err)
		}
		ann.pull(lots)
		if s.consumed != 40_000 {
			t.Errorf("the sender knows of %d bytes of credit", s.consumed)
		}
		if _, err := bob.m.Credit(n, 40_001); err != nil {
			t.Fatal(err)
		}
		if ann.pull(lots); s.consumed != 40_000 {
			t.Error("the sender is told of every byte")
		}
		for _, offset := range []uint64{40_000, ObjectWindow + 1} {
			if _, err := bob.m.Credit(n, offset); !errors.Is(err, ErrBadOffset) {
				t.Errorf("credit at %d: %v", offset, err)
			}
		}
		if _, err := ann.m.Credit(n, 50_000); !errors.Is(err, ErrBadOffset) {
			t.Errorf("credit from the sender: %v", err)
		}
	})
}

func TestObjectChunksOutOfOrderAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ann, _, n := pair(t, 100_000)
		s := ann.out[n]
		bad := []media.ObjectChunk{
			{Stream: n, Turn: s.turn, Offset: 1, Payload: make([]byte, 1000)},
			{Stream: n, Turn: s.turn + 1, Payload: make([]byte, 1000)},
			{Stream: n, Turn: s.turn, Payload: make([]byte, 1000), Last: true},
		}
		for _, c := range bad {
			var order *OrderError
			if err := ann.write(c.Append(nil)); !errors.As(err, &order) {
				t.Errorf("%d bytes at %d, turn %d, last %v: %v", len(c.Payload), c.Offset, c.Turn, c.Last, err)
			}
		}
		small := media.ObjectChunk{Stream: n, Turn: s.turn, Payload: make([]byte, media.LeastObjectChunk-1)}
		if err := ann.write(small.Append(nil)); err != media.ErrWireSmall {
			t.Errorf("a small chunk: %v", err)
		}
		old := media.ObjectChunk{Stream: n, Turn: s.turn - 1, Offset: 99, Payload: make([]byte, 1000)}
		if err := ann.write(old.Append(nil)); err != nil {
			t.Errorf("a chunk of an earlier turn: %v", err)
		}
		other := media.ObjectChunk{Stream: n + 1, Turn: 1, Payload: make([]byte, 1000)}
		if err := ann.write(other.Append(nil)); !errors.Is(err, ErrUnknownAlias) {
			t.Errorf("an unknown stream: %v", err)
		}
	})
}

func TestObjectGoesOnWhereTheReceiverIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ann, bob, n := pair(t, 2_000_000)
		for range 5 {
			ann.send(n, 10_000, lots)
			bob.pull(2)
			bob.credit(n)
			ann.pull(lots)
		}
		ann.send(n, 10_000, lots)
		bob.resume() // what lay in the relay is lost to it
		bob.pull(lots)
		bob.accept(n)
		if err := bob.m.Accept(n, 0); !errors.Is(err, ErrTwice) {
			t.Errorf("accepted twice in a session: %v", err)
		}
		stale := ann.out[n].chunk(n, 1000)
		if err := ann.write(stale); err != nil {
			t.Fatalf("a chunk that was under way: %v", err)
		}
		ann.pull(lots)
		ann.send(n, 10_000, 5)
		ann.resume() // what it sent last may be lost
		ann.offer("x", "bob", pattern(2_000_000))
		carry(t, ann, bob, n)
		if !bytes.Equal(bob.in[n].got, pattern(2_000_000)) {
			t.Errorf("%d bytes came, and not those that were sent", len(bob.in[n].got))
		}
	})
}

func TestStreamsEndWithTheirEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		ann, bob, cyd, dan := w.porter("ann"), w.porter("bob"), w.porter("cyd"), w.porter("dan")
		streams := map[string]uint32{}
		for _, s := range ann.offer("x", "", pattern(100_000)) {
			streams[s.To] = s.Stream
		}
		if len(streams) != 3 {
			t.Fatalf("offered to %v", streams)
		}
		for name, p := range map[string]*porter{"bob": bob, "cyd": cyd, "dan": dan} {
			p.pull(lots)
			p.accept(streams[name])
		}
		ann.pull(lots)
		ann.send(streams["bob"], 10_000, 3)
		if err := bob.m.CancelStream(streams["bob"], "failed"); err != nil {
			t.Fatal(err)
		}
		if err := bob.m.CancelStream(streams["cyd"], "failed"); !errors.Is(err, ErrNoSuchStream) {
			t.Errorf("another's stream: %v", err)
		}
		if err := ann.write(ann.out[streams["bob"]].chunk(streams["bob"], 10_000)); err != nil {
			t.Errorf("what was under way on a stream that was cancelled: %v", err)
		}
		cyd.m.Leave("bye")
		ann.pull(lots)
		if a, b := ann.out[streams["bob"]].over, ann.out[streams["cyd"]].over; a != "failed" || b != "left" {
			t.Errorf("the sender hears %q and %q", a, b)
		}
		carry(t, ann, dan, streams["dan"])
		ann.offer("y", "dan", pattern(1000))
		dan.pull(lots)
		ann.m.Leave("bye")
		dan.pull(lots)
		for n, s := range dan.in {
			if s.object.ID == "y" && s.over != "left" {
				t.Errorf("stream %d of one who left: %q", n, s.over)
			}
		}
		if n := len(dan.m.room.streams); n != 0 {
			t.Errorf("%d streams are left", n)
		}
	})
}

func TestBulkIsCutWithoutCrumbs(t *testing.T) {
	for size := 1; size <= media.MaxChunkPayload; size += 97 {
		var b bulk
		data := pattern(size)
		c := media.ObjectChunk{Stream: 1, Turn: 3, Offset: 1 << 33, Last: true, Payload: data}
		b.push(Message{Data: c.Append(nil)})
		var got []byte
		for most := 0; ; most += 700 {
			m, ok := b.take(most)
			if !ok {
				break
			}
			piece, err := media.ParseObject(m.Data)
			if err != nil || piece.Offset != c.Offset+uint64(len(got)) || piece.Turn != 3 || !piece.Last && len(piece.Payload) < media.LeastObjectChunk {
				t.Fatalf("%d bytes: a piece %+v, %v behind %d", size, piece, err, len(got))
			}
			if got = append(got, piece.Payload...); piece.Last != (len(got) == size) {
				t.Fatalf("%d bytes: last is %v at %d", size, piece.Last, len(got))
			}
		}
		if !bytes.Equal(got, data) || b.bytes != 0 || b.waits.Load() {
			t.Fatalf("%d bytes: %d came, %d are left", size, len(got), b.bytes)
		}
	}
}

func TestBulkLeavesRoomForSound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct{ rate, most int }{{0, bulkFirst + bulkFirst}, {12_500, 3 * 12_500 / 20}} {
			w := newWorld(t, Options{})
			ann, bob := w.porter("ann"), w.join("bob")
			bob.drain()
			if c.rate > 0 {
				bob.known(c.rate)
				bob.ack()
			}
			n := ann.offer("x", "bob", pattern(1<<20))[0].Stream
			if err := bob.m.Accept(n, 0); err != nil {
				t.Fatal(err)
			}
			ann.pull(lots)
			ann.send(n, media.MaxChunkPayload, lots)
			var got int
			for range 20 {
				out, _ := bob.sub.Pull(nil)
				for _, o := range out {
					got += len(o.Data)
				}
			}
			if got == 0 || got > c.most {
				t.Errorf("at %d bytes a second %d are in flight, want at most %d", c.rate, got, c.most)
			}
		}
	})
}

func TestBulkGetsATenthAndNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		ann := w.join("ann")
		cam := ann.camera()
		bob := w.join("bob", Selector{})
		bob.known(250_000)
		list, err := ann.m.Offer(Object{ID: "x", Size: 1 << 30}, "bob", 1)
		if err != nil || bob.m.Accept(list[0].Stream, 0) != nil {
			t.Fatal(err)
		}
		var offset, bulk, all uint64
		for range 400 {
			for range 3 {
				cam.send(true, 2000) // more than the link takes
			}
			for offset < min(bulk+ObjectWindow/2, 1<<30) {
				c := media.ObjectChunk{Stream: list[0].Stream, Turn: 1, Offset: offset, Payload: make([]byte, 8000)}
				if err := ann.pub.Object(&c, Message{Data: c.Append(nil)}); err != nil {
					t.Fatal(err)
				}
				offset += 8000
			}
			before := bob.bytes
			out, _ := bob.sub.Pull(nil)
			for _, o := range out {
				if o.Event == nil {
					bob.bytes += uint64(len(o.Data))
					all += uint64(len(o.Data))
					if o.Data[0] == media.KindObject {
						bulk += uint64(len(o.Data) - media.ObjectHeaderSize)
					}
				}
			}
			if _, err := bob.m.Credit(list[0].Stream, bulk); err != nil {
				t.Fatal(err)
			}
			bob.sub.Acked(bob.bytes, w.relay.now())
			wait(time.Duration(bob.bytes-before) * time.Second / 250_000)
			wait(time.Millisecond)
		}
		if share := float64(bulk) / float64(all); share < 0.09 || share > 0.15 {
			t.Errorf("bulk had %.3f of %d bytes", share, all)
		}
	})
}

// TestObjectsModel sends to two receivers under random losses of sessions, and random pulls and credits: each gets the
// bytes that were sent.
func TestObjectsModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(rt, Options{})
			data := pattern(rapid.IntRange(0, 1_200_000).Draw(rt, "size"))
			ann := w.porter("ann")
			bob := w.porter("bob")
			wait(time.Millisecond) // streams are in the order in which members came
			ends := []*porter{bob, w.porter("cyd")}
			streams := ann.offer("x", "", data)
			for range rapid.IntRange(0, 120).Draw(rt, "steps") {
				i := rapid.IntRange(0, 1).Draw(rt, "who")
				n, to := streams[i].Stream, ends[i]
				switch rapid.IntRange(0, 9).Draw(rt, "step") {
				case 0:
					ann.resume()
					ann.offer("x", "", data)
				case 1:
					to.resume()
				case 2:
					if to.pull(1); to.in[n] != nil && !to.in[n].accepted {
						to.accept(n)
					}
				case 3, 4:
					to.pull(rapid.IntRange(1, 5).Draw(rt, "batches"))
				case 5, 6:
					if in := to.in[n]; in != nil && in.accepted {
						to.credit(n)
					}
				case 7:
					ann.pull(lots)
				default:
					ann.send(n, rapid.IntRange(media.LeastObjectChunk, media.MaxChunkPayload).Draw(rt, "chunk"), rapid.IntRange(1, 40).Draw(rt, "chunks"))
				}
			}
			for i, s := range streams {
				to := ends[i]
				if to.pull(lots); !to.in[s.Stream].accepted {
					to.accept(s.Stream)
				}
				if !ann.out[s.Stream].accepted {
					ann.offer("x", "", data)
				}
				carry(rt, ann, to, s.Stream)
				if !bytes.Equal(to.in[s.Stream].got, data) {
					rt.Fatalf("%s has %d bytes, and not those that were sent", s.To, len(to.in[s.Stream].got))
				}
			}
		})
	})
}

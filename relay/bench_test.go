package relay

import (
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"landline/media"
)

// fanOut is a publisher whose one frame goes to n subscribers, again and again, each as a group of its own.
type fanOut struct {
	tb    testing.TB
	pub   *Publisher
	subs  []*Subscriber
	acked []uint64
	msg   []byte
	out   []Out
	group uint32
}

func newFanOut(tb testing.TB, o Offer, size, n int) *fanOut {
	w := newWorld(tb, Options{})
	ann := w.join("ann")
	f := &fanOut{tb: tb, pub: ann.pub, acked: make([]uint64, n)}
	for i := range n {
		s := w.join(fmt.Sprint(i))
		s.subscribe(Selector{}, Want{MaxAge: 30 * time.Second}) // however busy the machine is
		s.drain()
		f.subs = append(f.subs, s.sub)
	}
	c := ann.publish(o)[0]
	for i, s := range f.subs {
		s.Pull(nil) // the announcement
		f.acked[i] = s.Stats().Sent
	}
	f.msg = c.next(true, size, media.MaxChunkPayload)[0].Data
	return f
}

// write parses the frame and gives it to the relay.
func (f *fanOut) write() {
	f.group++
	binary.BigEndian.PutUint32(f.msg[4:], f.group)
	c, err := media.ParseChunk(f.msg)
	if err != nil {
		f.tb.Fatal(err)
	}
	if err := f.pub.Write(&c, Message{Data: f.msg}); err != nil {
		f.tb.Fatal(err)
	}
}

// pull takes the frame from every subscriber, and acknowledges it.
func (f *fanOut) pull() {
	for i, s := range f.subs {
		f.out, _ = s.Pull(f.out[:0])
		if len(f.out) != 1 {
			f.tb.Fatalf("subscriber %d pulled %d messages", i, len(f.out))
		}
		f.acked[i] += uint64(len(f.out[0].Data))
		if !s.Acked(f.acked[i], time.Duration(f.group)*time.Millisecond) {
			f.tb.Fatal("ack refused")
		}
	}
}

var loads = []struct {
	name  string
	offer Offer
	size  int
}{{"video6kB", video("camera"), 6_000}, {"audio120B", audio("mic"), 120}}

func BenchmarkFanOut(b *testing.B) {
	for _, l := range loads {
		for _, n := range []int{1, 100, 1000} {
			b.Run(fmt.Sprintf("%s/subscribers=%d", l.name, n), func(b *testing.B) {
				f := newFanOut(b, l.offer, l.size, n)
				b.ReportAllocs()
				for b.Loop() {
					f.write()
					f.pull()
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/delivery")
			})
		}
	}
}

func BenchmarkParseAndWrite(b *testing.B) {
	for _, l := range loads {
		b.Run(l.name, func(b *testing.B) {
			f := newFanOut(b, l.offer, l.size, 0)
			b.ReportAllocs()
			for b.Loop() {
				f.write()
			}
		})
	}
}

// What a chunk costs in allocations does not depend on how many get it.
func TestAllocationsDoNotGrowWithSubscribers(t *testing.T) {
	for _, l := range loads {
		none := newFanOut(t, l.offer, l.size, 0)
		writes := testing.AllocsPerRun(200, none.write)
		for _, n := range []int{1, 100} {
			f := newFanOut(t, l.offer, l.size, n)
			f.write() // queues get their first memory
			f.pull()
			if got := testing.AllocsPerRun(200, func() { f.write(); f.pull() }); got != writes {
				t.Errorf("%s to %d: %v allocations for a write and all pulls, %v without subscribers", l.name, n, got, writes)
			}
		}
		if writes > 3 { // the item, and for video the group that it opens
			t.Errorf("%s: %v allocations for a write", l.name, writes)
		}
	}
}

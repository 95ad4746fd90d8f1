package record

import (
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"landline/media"
	"landline/relay"
)

// ear is a member that writes down how long each message was on its way to it, by a clock that stands still while anybody computes: what it shows is waiting alone.
type ear struct {
	mu     sync.Mutex
	ways   []time.Duration
	states []relay.Recording
	at     []time.Time
}

// ackWay is how long an ack is on its way.
const ackWay = time.Millisecond

func (w *world) ear() *ear {
	w.t.Helper()
	e := &ear{}
	kick, quit := make(chan struct{}, 1), make(chan struct{})
	m, err := w.relay.Join("room", relay.Identity{ID: "ear", Name: "ear"}, carries, func(bool) {
		select {
		case kick <- struct{}{}:
		default:
		}
	})
	if err != nil {
		w.t.Fatal(err)
	}
	_, sub := m.Handles()
	m.Roster()
	if err := m.Subscribe(relay.Selector{}, relay.Want{Priority: priority}); err != nil {
		w.t.Fatal(err)
	}
	var gone sync.WaitGroup
	gone.Go(func() {
		for acked, start := uint64(0), time.Now(); ; {
			select {
			case <-quit:
				return
			case <-kick:
			}
			for more := true; more; {
				var out []relay.Out
				out, more = sub.Pull(nil)
				acked += e.take(out, m.Now())
				time.Sleep(ackWay)
				sub.Acked(acked, time.Since(start))
			}
		}
	})
	w.t.Cleanup(func() {
		close(quit)
		gone.Wait()
		m.Leave("bye")
	})
	return e
}

// take notes what came, and gives its size.
func (e *ear) take(out []relay.Out, now time.Duration) (size uint64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, o := range out {
		size += uint64(len(o.Data))
		if o.Event != nil && o.Event.Kind == relay.RecordingState {
			e.states, e.at = append(e.states, *o.Event.Recording), append(e.at, time.Now())
		}
		if len(o.Data) > 0 && o.Data[0] == media.KindChunk {
			e.ways = append(e.ways, now-o.At)
		}
	}
	return size
}

// p99 is of all that came since it was asked for last.
func (e *ear) p99() (way time.Duration, n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	slices.Sort(e.ways)
	if n = len(e.ways); n > 0 {
		way = e.ways[n*99/100]
	}
	e.ways = nil
	return way, n
}

// told is when the room was told of a state, for a reason, after a time.
func (e *ear) told(after time.Time, s relay.RecordState, why string) (time.Duration, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i, rec := range e.states {
		if rec.State == s && rec.Why == why && !e.at[i].Before(after) {
			return e.at[i].Sub(after), true
		}
	}
	return 0, false
}

// A disk that is full, and one that stands still for 10 s: the room is told within a second, what was written before plays, nobody in the room waits any longer for it, what
// waits in memory is bounded, and the recording goes on by itself.
func TestAFaultOfTheDiskDelaysNobody(t *testing.T) {
	for _, c := range []struct {
		why   string
		lasts time.Duration
		lost  bool // what was sent meanwhile
		begin func(d *faulty) (end func())
	}{
		{WhyFull, 4 * time.Second, true, func(d *faulty) func() {
			d.full.Store(true)
			return func() { d.full.Store(false) }
		}},
		{WhySlow, 10 * time.Second, false, (*faulty).stall},
	} {
		t.Run(c.why, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, Options{})
				formats, packets := clip(t)
				ann, ear := w.person("ann"), w.ear()
				ann.m.Unsubscribe(relay.Selector{}) // a link of no time at all has no rate by which to send
				ann.publish(formats, false)
				r := w.start(Order{Room: "room"})
				clock := &sender{p: ann, packets: packets, zero: time.Now()}
				const usual = 4 * time.Second
				var during []time.Duration
				clock.send(usual)
				before, _ := ear.p99()
				for range 3 { // and so on
					clock.fault(t, r, ear, c.why, c.lasts, c.begin)
					way, n := ear.p99()
					if during = append(during, way); n < 100 {
						t.Fatalf("%d messages came", n)
					}
					clock.send(usual)
					ear.p99()
				}
				t.Logf("p99 %v before, %v during the fault", before, during)
				if most := slices.Max(during); most > before+5*time.Millisecond {
					t.Errorf("the room waits %v during the fault, %v before", most, before)
				}
				w.heardOut()
				r.Stop()
				i := w.saved(r)
				if lost := i.Dropped > 0; lost != c.lost || len(i.Gaps) > 0 != c.lost || c.lost == (len(i.Files) == 1) {
					t.Errorf("%+v", i)
				}
				for _, f := range i.Files {
					w.decodes(f.Name)
				}
			})
		})
	}
}

// sender sends the clip again and again, each packet when it is due.
type sender struct {
	p       *person
	packets []media.Packet
	zero    time.Time
	n       int
}

func (s *sender) send(long time.Duration) {
	const clipLength = 4100 * time.Millisecond // and a little, so that its rounds do not overlap
	for until := time.Now().Add(long); ; s.n++ {
		round, k := time.Duration(s.n/len(s.packets)), s.packets[s.n%len(s.packets)]
		k.Timestamp += (round * clipLength).Microseconds()
		due := s.zero.Add(time.Duration(k.Timestamp) * time.Microsecond)
		if !due.Before(until) {
			time.Sleep(time.Until(until))
			return
		}
		time.Sleep(time.Until(due))
		s.p.send([]media.Packet{k})
	}
}

// fault sends while the disk has a fault, and looks at what comes of it.
func (s *sender) fault(t *testing.T, r *Recorder, e *ear, why string, lasts time.Duration, begin func(*faulty) func()) {
	t.Helper()
	w, at := s.p.w, time.Now()
	end := begin(w.disk)
	s.send(lasts)
	if took, told := e.told(at, relay.RecordWait, why); !told || took > time.Second {
		t.Errorf("the room is told after %v: %v", took, told)
	}
	left, err := filepath.Glob(filepath.Join(w.dir, "*.part"))
	if err != nil || len(left) == 0 {
		t.Fatal(left, err)
	}
	for _, name := range left {
		w.decodes(filepath.Base(name)) // as it lies
	}
	for _, m := range w.relay.Snapshot()[0].Members {
		if m.Hidden && m.Link.QueueBytes > relay.ArchiveBytes {
			t.Errorf("%d bytes wait", m.Link.QueueBytes)
		}
	}
	at = time.Now()
	end()
	s.send(time.Second)
	if took, told := e.told(at, relay.Recorded, ""); !told {
		t.Errorf("it has not gone on after %v: %+v", took, r.Info())
	}
}

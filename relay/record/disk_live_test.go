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

// ear is a member that writes down how late each message comes, by a clock that stands still while anybody computes: what it shows is waiting alone.
type ear struct {
	zero time.Time // when the sender's clock was 0

	mu     sync.Mutex
	late   []time.Duration
	states []relay.Recording
	at     []time.Time
}

// ackWay is how long an ack is on its way.
const ackWay = time.Millisecond

func (w *world) ear(zero time.Time) *ear {
	w.t.Helper()
	e := &ear{zero: zero}
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
				acked += e.take(out)
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
func (e *ear) take(out []relay.Out) (size uint64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, o := range out {
		size += uint64(len(o.Data))
		if o.Event != nil && o.Event.Kind == relay.RecordingState {
			e.states, e.at = append(e.states, *o.Event.Recording), append(e.at, time.Now())
		}
		if c, err := media.ParseChunk(o.Data); err == nil {
			due := e.zero.Add(time.Duration(c.Timestamp) * time.Microsecond)
			e.late = append(e.late, time.Since(due))
		}
	}
	return size
}

// p99 is of all that came since it was asked for last.
func (e *ear) p99() (late time.Duration, n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	slices.Sort(e.late)
	if n = len(e.late); n > 0 {
		late = e.late[n*99/100]
	}
	e.late = nil
	return late, n
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

// diskFault is one that comes again and again.
type diskFault struct {
	why   string
	lasts time.Duration
	loses bool // what is sent meanwhile
	begin func(d *faulty) (end func())
}

// A disk that is full, and one that stands still for 10 s: the room is told within a second, what was written before plays, nobody in the room waits any longer for it, what
// waits in memory is bounded, and the recording goes on by itself.
func TestAFaultOfTheDiskDelaysNobody(t *testing.T) {
	for _, f := range []diskFault{
		{WhyFull, 4 * time.Second, true, func(d *faulty) func() {
			d.full.Store(true)
			return func() { d.full.Store(false) }
		}},
		{WhySlow, 10 * time.Second, false, (*faulty).stall},
	} {
		t.Run(f.why, func(t *testing.T) { synctest.Test(t, f.test) })
	}
}

func (f diskFault) test(t *testing.T) {
	w := newWorld(t, Options{})
	formats, packets := clip(t)
	ann, zero := w.person("ann"), time.Now()
	ear := w.ear(zero.Add(-time.Duration(ann.clock) * time.Microsecond))
	ann.m.Unsubscribe(relay.Selector{}) // a link of no time at all has no rate by which to send
	ann.publish(formats, false)
	r := w.start(Order{Room: "room"})
	s := &sender{p: ann, packets: packets, zero: zero}
	s.send(4 * time.Second)
	before, _ := ear.p99()
	var during []time.Duration
	for n := range 14 {
		f.happen(t, s, r, ear)
		late, came := ear.p99()
		if during = append(during, late); came < 100 {
			t.Fatalf("%d messages came", came)
		}
		s.send(time.Second + time.Duration(n)*35*time.Millisecond) // so that the next comes at another moment between two flushes
		ear.p99()
	}
	t.Logf("p99 %v before, %v during the fault", before, during)
	if most := slices.Max(during); most > before+5*time.Millisecond {
		t.Errorf("the room hears %v late during the fault, %v before", most, before)
	}
	w.heardOut()
	r.Stop()
	i := w.saved(r)
	if lost := i.Dropped > 0; lost != f.loses || len(i.Gaps) > 0 != f.loses || len(i.Files) > 1 != f.loses {
		t.Errorf("%+v", i)
	}
	for _, file := range i.Files {
		w.decodes(file.Name)
	}
}

// happen has the fault while the sender goes on, and looks at what comes of it.
func (f diskFault) happen(t *testing.T, s *sender, r *Recorder, e *ear) {
	t.Helper()
	w, at := s.p.w, time.Now()
	end := f.begin(w.disk)
	s.send(f.lasts)
	if took, told := e.told(at, relay.RecordWait, f.why); !told || took > time.Second {
		t.Errorf("the room is told after %v: %v", took, told)
	}
	left, err := filepath.Glob(filepath.Join(w.dir, "*.part"))
	if err != nil || len(left) == 0 {
		t.Fatal(left, err)
	}
	for _, name := range left {
		if _, got := w.packets(filepath.Base(name)); len(got) == 0 { // as it lies
			t.Errorf("%s holds nothing", name)
		}
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

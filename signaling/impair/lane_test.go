package impair

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"
)

// Times of a path in these tests begin late enough that a backlog's slack is not cut at 0.
const t0 = 10 * time.Second

func newLane(seed uint64) *lane { return &lane{chance: rand.New(rand.NewPCG(seed, 0))} }

// run steps a lane from a time to another, always when it wants to be looked at, and calls came with what comes out.
func run(q *lane, l Link, from, to time.Duration, came func(at time.Duration, b []byte)) {
	for now := from; ; {
		out, next := q.step(now, l, nil)
		if len(out) > 0 {
			came(now, out)
			continue
		}
		if next > to {
			return
		}
		now = next
	}
}

func TestRateIsExactUnderBacklog(t *testing.T) {
	for _, rate := range []int{8_000, 62_500, 250_000, 12_500_000} {
		l := Link{Rate: rate, Buffer: 4 * rate}
		q := newLane(1)
		q.push(make([]byte, 3*rate), t0, false)
		total, last := 0, t0
		run(q, l, t0, t0+time.Minute, func(at time.Duration, b []byte) {
			total += len(b)
			last = at
			if should := l.in(at - t0); total > should+1 || total < should-l.piece() {
				t.Fatalf("%d bytes/s: %d bytes after %v", rate, total, at-t0)
			}
		})
		if total != 3*rate || last-t0 > 3*time.Second+time.Millisecond {
			t.Errorf("%d bytes/s: %d bytes in %v", rate, total, last-t0)
		}
	}
}

func TestSmallMessageTakesItsTimeAndTheDelay(t *testing.T) {
	l := Link{Rate: 8_000, Delay: 30 * time.Millisecond}
	q := newLane(1)
	for i := range 50 { // 80 bytes each 20 ms: half of the rate
		sent := t0 + time.Duration(i)*20*time.Millisecond
		q.push(make([]byte, 80), sent, false)
		var whole time.Duration
		n := 0
		run(q, l, sent, sent+20*time.Millisecond-1, func(time.Duration, []byte) { n++ })
		run(q, l, sent+20*time.Millisecond, sent+45*time.Millisecond, func(at time.Duration, b []byte) { whole = at; n++ })
		if whole-sent != 40*time.Millisecond || n != 2 {
			t.Fatalf("message %d came whole after %v, in %d pieces", i, whole-sent, n)
		}
	}
}

func TestLateStepsLoseNoRate(t *testing.T) {
	l := Link{Rate: 100_000, Delay: 20 * time.Millisecond, Buffer: 500_000}
	q := newLane(1)
	q.push(make([]byte, 400_000), t0, false)
	got := 0
	for now := t0; now <= t0+2*time.Second; now += 40 * time.Millisecond { // as a busy machine would look
		out, _ := q.step(now, l, nil)
		got += len(out)
	}
	if want := l.in(2*time.Second - 20*time.Millisecond); got < want*99/100 || got > want {
		t.Errorf("%d bytes, want %d", got, want)
	}
}

func TestBlockedReceiverGetsNoBurstBeyondTheSlack(t *testing.T) {
	l := Link{Rate: 100_000, Buffer: 1 << 20}
	q := newLane(1)
	q.push(make([]byte, 500_000), t0, false)
	q.step(t0, l, nil)
	got := 0
	late := t0 + 3*time.Second // nobody looked meanwhile, since a write was blocked
	for {
		out, next := q.step(late, l, nil)
		if got += len(out); next > late {
			break
		}
	}
	if most := l.in(slack) + 2*l.piece(); got > most {
		t.Errorf("%d bytes at once, want at most %d", got, most)
	}
}

func TestHoldLetsGoByBytesOrTime(t *testing.T) {
	l := Link{Hold: 1000, HoldFor: 100 * time.Millisecond}
	q := newLane(1)
	var came []time.Duration
	note := func(at time.Duration, b []byte) { came = append(came, at-t0) }
	q.push(make([]byte, 300), t0, false)
	run(q, l, t0, t0+50*time.Millisecond, note)
	q.push(make([]byte, 300), t0+50*time.Millisecond, false)
	run(q, l, t0+50*time.Millisecond, t0+200*time.Millisecond, note)
	if len(came) != 1 || came[0] != 100*time.Millisecond || q.queue.bytes+q.flight.bytes != 0 {
		t.Errorf("by time: %v", came)
	}
	came = nil
	q.push(make([]byte, 999), t0+time.Second, false)
	run(q, l, t0+time.Second, t0+time.Second, note)
	q.push(make([]byte, 1), t0+time.Second+time.Millisecond, false)
	run(q, l, t0+time.Second+time.Millisecond, t0+time.Second+time.Millisecond, note)
	if len(came) == 0 || came[0] != 1001*time.Millisecond {
		t.Errorf("by bytes: %v", came)
	}
}

func TestNothingIsLostOrReordered(t *testing.T) {
	chance := rand.New(rand.NewPCG(7, 7))
	q := newLane(3)
	var in, out []byte
	now := t0
	for range 1_500 {
		l := Link{Rate: chance.IntN(3) * 50_000, Delay: time.Duration(chance.IntN(50)) * time.Millisecond,
			Jitter: time.Duration(chance.IntN(30)) * time.Millisecond, Buffer: chance.IntN(3) * 5_000, Hold: chance.IntN(2) * 900,
			HoldFor: time.Duration(chance.IntN(2)*20) * time.Millisecond}
		if room := q.space(l); room > 0 {
			b := make([]byte, 1+chance.IntN(room))
			for i := range b {
				b[i] = byte(chance.Uint32())
			}
			in = append(in, b...)
			q.push(b, now, chance.IntN(2) == 0)
		}
		came, next := q.step(now, l, nil)
		out = append(out, came...)
		if q.queue.bytes > 64<<10 || q.flight.bytes > 2<<20 {
			t.Fatalf("%d and %d bytes are held", q.queue.bytes, q.flight.bytes)
		}
		if now += time.Duration(chance.IntN(8)) * time.Millisecond; next != never && chance.IntN(2) == 0 {
			now = max(now, next)
		}
	}
	q.end(now)
	for range 10_000 {
		came, _ := q.step(now, Link{}, nil)
		out = append(out, came...)
		if q.over(now, Link{}) {
			break
		}
		now += time.Millisecond
	}
	if !bytes.Equal(in, out) {
		t.Errorf("%d bytes went in, %d came out, or others", len(in), len(out))
	}
}

func TestSlicesAreThoseOfTheSeed(t *testing.T) {
	// The cuts are places in the stream, whatever the writes are.
	cuts := func(seed uint64, write int) (at []int) {
		s := slicer{chance: rand.New(rand.NewPCG(seed, 1))}
		for done := 0; done < 10_000; {
			for left := write; left > 0; {
				n := s.next(left, 16)
				if n < 1 || n > 16 {
					t.Fatalf("a slice of %d bytes", n)
				}
				left -= n
				if done += n; s.left == 0 {
					at = append(at, done)
				}
			}
		}
		return at
	}
	a, b, c := cuts(1, 1000), cuts(1, 7), cuts(2, 1000)
	same := func(x, y []int) (n int) {
		for n < len(x) && n < len(y) && x[n] == y[n] {
			n++
		}
		return n
	}
	if same(a, b) < 1000 || same(a, c) > 100 {
		t.Errorf("same seed: %d cuts alike, another seed: %d", same(a, b), same(a, c))
	}
}

package rate

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// path is a simulated one: a queue that is served at a rate, with a delay each way. It takes at most buffer bytes
// before a write has to wait.
type path struct {
	rate   float64 // bytes a second
	rtt    time.Duration
	buffer int
}

// sim is a sender with a controller, a path and a receiver that acknowledges by the protocol's rules.
type sim struct {
	c    *Controller
	path func(at time.Duration) path
	skew time.Duration // the receiver's clock less the sender's
	// chunk is the size of the next message, 0 for none now.
	chunk func(at time.Duration, s *sim) int

	now       time.Duration
	free      time.Duration // when the link is free
	arrivals  []message
	acks      []ack
	got       uint64
	gotAt     time.Duration
	unacked   int
	messages  int
	gulp      time.Duration // how often the receiver reads; 0 = always
	ackDue    time.Duration // 0 = none
	delivered []delivery
	trace     func(kind string, n uint64, came, at time.Duration)
	acked     func()
}

func fresh() *Controller {
	c := New()
	return &c
}

type message struct {
	size     int
	sent, at time.Duration
	wait     time.Duration // in the path's queue, its own time on the link not counted
}

type ack struct {
	bytes    uint64
	came, at time.Duration
}

type delivery struct {
	at, wait time.Duration
	size     int
}

const (
	step      = 250 * time.Microsecond
	ackBytes  = 64 << 10
	quickAcks = 16 // messages acknowledged at once
)

func (s *sim) run(until time.Duration) {
	for ; s.now < until; s.now += step {
		p := s.path(s.now)
		s.receive(p)
		for len(s.acks) > 0 && s.acks[0].at <= s.now {
			a := s.acks[0]
			s.acks = s.acks[1:]
			if s.trace != nil {
				s.trace("ack", a.bytes, a.came, s.now)
			}
			if !s.c.Acked(a.bytes, a.came, s.now) {
				panic("an honest ack was refused")
			}
			if s.acked != nil {
				s.acked()
			}
		}
		s.send(p)
	}
}

func (s *sim) receive(p path) {
	for len(s.arrivals) > 0 && s.arrivals[0].at <= s.now && (s.gulp == 0 || s.now%s.gulp == 0) {
		m := s.arrivals[0]
		s.arrivals = s.arrivals[1:]
		s.got += uint64(m.size)
		if s.gotAt = m.at; s.gulp != 0 {
			s.gotAt = s.now
		}
		s.delivered = append(s.delivered, delivery{m.at, m.wait, m.size})
		if s.unacked += m.size; s.ackDue == 0 {
			s.ackDue = s.now + s.c.AckEvery(s.now)
		}
		if s.messages++; s.messages <= quickAcks {
			s.ackDue = s.now
		}
	}
	many := ackBytes
	if s.got < 512<<10 {
		many /= 4
	}
	if s.unacked >= many || s.ackDue != 0 && s.now >= s.ackDue {
		s.acks = append(s.acks, ack{s.got, (s.gotAt + s.skew).Truncate(time.Microsecond), s.now + p.rtt/2})
		s.unacked, s.ackDue = 0, 0
	}
}

func (s *sim) send(p path) {
	for {
		n := s.chunk(s.now, s)
		if n == 0 {
			return
		}
		if s.c.Room() <= 0 {
			if s.trace != nil {
				s.trace("wait", 0, 0, s.now)
			}
			s.c.Wait(s.now)
			return
		}
		backlog := max(0, s.free-s.now)
		if int(backlog.Seconds()*p.rate) > p.buffer {
			return // the socket is full
		}
		if s.trace != nil {
			s.trace("sent", uint64(n), 0, s.now)
		}
		s.c.Sent(n, s.now)
		s.free = max(s.free, s.now) + time.Duration(float64(n)/p.rate*1e9)
		s.arrivals = append(s.arrivals, message{n, s.now, s.free + p.rtt/2, backlog})
	}
}

// greedy sends all the time, in chunks of 15 ms of the rate.
func greedy(_ time.Duration, s *sim) int {
	return min(max(int(float64(s.c.Rate())*0.015), MinChunk), 16<<10)
}

func constant(p path) func(time.Duration) path { return func(time.Duration) path { return p } }

// use is the share of the link that was used, and wait the 95th percentile of the time in its queue, weighed by messages.
func (s *sim) measure(p path, from, to time.Duration) (use float64, wait time.Duration) {
	var bytes int
	var waits []time.Duration
	for _, d := range s.delivered {
		if d.at >= from && d.at < to {
			bytes += d.size
			waits = append(waits, d.wait)
		}
	}
	if len(waits) == 0 {
		return 0, 0
	}
	slices.Sort(waits)
	return float64(bytes) / (p.rate * (to - from).Seconds()), waits[len(waits)*95/100]
}

// settleTime is how long a path may take to be filled from the first window, doubling each round trip, or to be rid of it.
func settleTime(p path) time.Duration {
	t := 2*p.rtt + 500*time.Millisecond + time.Duration(FirstWindow/p.rate*1e9)
	for w := float64(FirstWindow); w < p.rate*(p.rtt.Seconds()+0.1); w *= 2 {
		t += p.rtt + 30*time.Millisecond
	}
	return t
}

func queueGoal(p path) time.Duration {
	return max(100*time.Millisecond, time.Duration(MinWindow/p.rate*1e9))
}

// check holds one path to the goals, the queue with so much slack.
func check(t *testing.T, p path, skew, slack time.Duration) {
	t.Helper()
	s := &sim{c: fresh(), path: constant(p), skew: skew, chunk: greedy}
	from := settleTime(p)
	to := from + 30*time.Second
	s.run(to)
	use, wait := s.measure(p, from, to)
	if use < 0.9 || wait > queueGoal(p)+slack {
		t.Errorf("%.0f kbit/s, rtt %v, buffer %v: use %.3f, wait p95 %v; window %d, rate %.0f kbit/s, rtt %v", p.rate*8/1000, p.rtt,
			time.Duration(float64(p.buffer)/p.rate*1e9), use, wait, s.c.Window(), float64(s.c.Rate())*8/1000, s.c.RTT())
	}
}

func TestAFullLinkIsUsedAndItsQueueStaysShort(t *testing.T) {
	for _, kbit := range []float64{64, 128, 250, 500, 1000, 3000, 10_000, 30_000, 100_000} {
		for _, rtt := range []int{1, 10, 60, 150, 300} {
			for _, buffer := range []int{10, 100, 2000} {
				rate := kbit * 1000 / 8
				check(t, path{rate, time.Duration(rtt) * time.Millisecond, int(rate * float64(buffer) / 1000)}, 0, 0)
			}
		}
	}
}

// Any link of those that the controller is for. Where a round trip is only a few chunks long one more or less of them
// is what is left of the goal, so there is a chunk of slack.
func TestAnyLinkIsUsedAndItsQueueStaysShort(t *testing.T) {
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 0))
		rate := 8000 * math.Pow(1562, r.Float64()) // 64 kbit/s to 100 Mbit/s
		rtt := time.Duration(float64(time.Millisecond) * math.Pow(300, r.Float64()))
		buffer := 0.01 * math.Pow(200, r.Float64())
		check(t, path{rate, rtt, int(rate * buffer)}, time.Duration(r.IntN(2_000_000_000)-1_000_000_000), time.Duration(MinChunk/rate*1e9))
	}
}

package rate

import (
	"fmt"
	"math"
	"testing"
	"time"
)

// ahead holds what is said to stand ahead of a message against what it will wait, where that is much, and counts how often. All messages are
// measured by the first: its own time on the link is not in what is said.
func ahead(t *testing.T, name string, s *sim, to time.Duration) (n int) {
	t.Helper()
	s.acked = func() {
		said, known := s.c.Ahead(s.now)
		wait := s.free - s.now
		if !known || wait < highDelay {
			return
		}
		first := time.Duration(MinChunk / s.path(s.now).rate * 1e9)
		if n++; (said - wait).Abs() > first+10*time.Millisecond {
			t.Errorf("%s, at %v: %v is ahead, said to be %v", name, s.now, wait, said)
		}
	}
	s.run(to)
	return n
}

func TestAheadIsWhatTheNextMessageWaits(t *testing.T) {
	for _, rate := range []float64{0.2 * mbit, 0.4 * mbit, 0.6 * mbit} {
		for _, rtt := range []time.Duration{2 * time.Millisecond, 60 * time.Millisecond, 150 * time.Millisecond} {
			name := fmt.Sprintf("the first window at %.0f kbit/s, rtt %v", rate*8/1000, rtt)
			s := &sim{c: fresh(), chunk: greedy, path: constant(path{rate, rtt, math.MaxInt32}), skew: time.Hour}
			if ahead(t, name, s, 2*time.Second) == 0 {
				t.Errorf("%s: nothing was said", name)
			}
		}
	}
	const fall = 5 * time.Second
	s := &sim{c: fresh(), chunk: greedy, path: steps(60*time.Millisecond, []time.Duration{fall}, []float64{3 * mbit, 0.5 * mbit})}
	s.run(fall + 200*time.Millisecond) // until a rate is of the slower link
	if ahead(t, "a link that fell", s, fall+2*time.Second) == 0 {
		t.Error("a link that fell: nothing was said")
	}
}

func TestAheadIsNotKnownWithoutAcks(t *testing.T) {
	s := &sim{c: fresh(), chunk: greedy, path: constant(path{0.5 * mbit, 60 * time.Millisecond, math.MaxInt32})}
	if _, known := s.c.Ahead(0); known {
		t.Error("known before anything was sent")
	}
	s.run(3 * time.Second)
	now := s.now
	if _, known := s.c.Ahead(now); !known {
		t.Error("not known though acks come")
	}
	if _, known := s.c.Ahead(now + AckEveryBusy + s.c.RTT() + 30*time.Millisecond); known {
		t.Error("known though an ack is overdue")
	}
}

// While the least delay is looked for, nothing is to stand on the path.
func TestAheadIsNotKnownInAProbe(t *testing.T) {
	s := &sim{c: fresh(), chunk: greedy, path: constant(path{0.5 * mbit, 60 * time.Millisecond, math.MaxInt32})}
	probes := 0
	s.acked = func() {
		if s.c.mode != probe {
			return
		}
		probes++
		if _, known := s.c.Ahead(s.now); known {
			t.Fatalf("known in a probe, at %v", s.now)
		}
	}
	if s.run(25 * time.Second); probes == 0 {
		t.Error("no probe")
	}
}

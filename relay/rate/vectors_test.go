package rate

import (
	"encoding/json"
	"flag"
	"math"
	"os"
	"slices"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write testdata/rate.json anew")

const vectorsFile = "../../testdata/rate.json"

// vectors are recorded connections: what a sender did and heard, and what the controller then said. The browser's twin
// is held to them too (web/sdk/send/rate.test.ts).
type vectors struct {
	About  string  `json:"about"`
	Traces []trace `json:"traces"`
}

type trace struct {
	Name string `json:"name"`
	// Events, times in µs: ["sent", at, bytes], ["acks", at, bytes], ["wait", at], and ["acked", at, bytes in all, when the last came by the
	// receiver's clock, and after it: window, room, rate, the rate shown in bytes a second, and what is ahead; -1 where that is not known].
	Events [][]any `json:"events"`
}

const aboutVectors = "Connections as the rate controller sees them (docs/protocol.md section 8). Times are in µs. [sent, at, bytes]; [acks, at, bytes]: an ack was " +
	"sent; [wait, at]: something waits and there is no room; [acked, at, bytes in all, when the last came by the receiver's clock, and after it: window, room, rate, what the path has shown of itself, which is watched from the start, " +
	"and how long what is under way holds up the next message, -1 where that is not known]"

// record runs a simulated connection and writes down what happens.
func record(name string, s *sim, until time.Duration) trace {
	tr := trace{Name: name}
	s.c.Watch(true)
	waiting := false
	s.trace = func(kind string, n uint64, came, at time.Duration) {
		switch kind {
		case "sent":
			tr.Events = append(tr.Events, []any{kind, at.Microseconds(), n})
			waiting = false
		case "wait":
			if !waiting { // once is enough until the next ack
				tr.Events = append(tr.Events, []any{kind, at.Microseconds()})
			}
			waiting = true
		case "ack":
			tr.Events = append(tr.Events, []any{"acked", at.Microseconds(), n, came.Microseconds(), 0, 0, 0, 0, 0})
			waiting = false
		}
	}
	s.acked = func() {
		e := tr.Events[len(tr.Events)-1]
		at := time.Duration(e[1].(int64)) * time.Microsecond
		e[4], e[5], e[6], e[7], e[8] = s.c.Window(), s.c.Room(), s.c.Rate(), s.c.Shown(at), aheadUs(s.c, at)
	}
	s.run(until)
	return tr
}

func aheadUs(c *Controller, at time.Duration) int {
	if d, known := c.Ahead(at); known {
		return int(d.Microseconds())
	}
	return -1
}

func makeVectors() vectors {
	down := steps(60*time.Millisecond, []time.Duration{2 * time.Second, 4 * time.Second}, []float64{1 * mbit, 0.2 * mbit, 1 * mbit})
	thin := constant(path{64_000 / 8, 60 * time.Millisecond, math.MaxInt32})
	drifting := &sim{c: fresh(), chunk: greedy, skew: 5 * time.Second, path: constant(path{0.3 * mbit, 100 * time.Millisecond, math.MaxInt32})}
	call := &sim{c: fresh(), path: constant(path{4 * mbit, 30 * time.Millisecond, math.MaxInt32})}
	frames := 0
	call.chunk = func(now time.Duration, s *sim) int {
		if frames > int(now*20/time.Second) {
			return 0
		}
		if s.c.Room() > 0 {
			frames++
		}
		return 1500 + 12_000*(frames%40/39)
	}
	return vectors{About: aboutVectors, Traces: []trace{
		record("1 Mbit/s falls to 0.2 and rises again", &sim{c: fresh(), chunk: greedy, path: down}, 6*time.Second),
		record("64 kbit/s", &sim{c: fresh(), chunk: greedy, path: thin}, 8*time.Second),
		record("0.3 Mbit/s for long enough to look for the minimum again", drifting, 13*time.Second),
		record("a call with much room", call, 6*time.Second),
		record("one ack tells a time that is 150 ms too early", misled(0.15*mbit, 150*time.Millisecond), 25*time.Second),
	}}
}

func TestVectorsAreWhatTheControllerDoes(t *testing.T) {
	if *update {
		text, err := json.Marshal(makeVectors())
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(vectorsFile, append(text, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(vectorsFile)
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	for _, tr := range v.Traces {
		c := New()
		c.Watch(true)
		for i, e := range tr.Events {
			at := func(k int) time.Duration { return time.Duration(e[k].(float64)) * time.Microsecond }
			n := func(k int) int { return int(e[k].(float64)) }
			switch e[0] {
			case "sent":
				c.Sent(n(2), at(1))
			case "acks":
				c.SentAck(n(2))
			case "wait":
				c.Wait(at(1))
			case "acked":
				if !c.Acked(uint64(n(2)), at(3), at(1)) {
					t.Fatalf("%s, event %d: refused", tr.Name, i)
				}
				if said := []int{c.Window(), c.Room(), c.Rate(), c.Shown(at(1)), aheadUs(&c, at(1))}; !slices.Equal(said, []int{n(4), n(5), n(6), n(7), n(8)}) {
					t.Fatalf("%s, event %d: window, room, rate, shown, ahead %v; recorded are %v", tr.Name, i, said, e[4:])
				}
			}
		}
	}
}

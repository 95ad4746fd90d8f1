package main

import (
	"math"
	"testing"
	"time"

	"landline/media"
	"landline/signaling/impair"
)

// What the paths of the bounded-age scenario have in common, and what is asked of them (docs/protocol.md section 4: maxAgeMs).
const (
	ageRTT      = 60 * time.Millisecond
	ageGrace    = 100 * time.Millisecond // beyond budget and round trip
	ageSettle   = 500 * time.Millisecond // after the start, and after a stall
	stallLength = 2 * time.Second
	bloatLength = 2 * time.Second // what a path that buffers swallows
	videoBits   = 2_000_000
)

func budgetOf(kind media.Kind) time.Duration {
	if kind == media.Audio {
		return 300 * time.Millisecond
	}
	return 400 * time.Millisecond
}

// ageCase is one receiver behind a path of its own.
type ageCase struct {
	name   string
	share  float64 // of the rate on the wire; 0 = any
	bloat  bool    // the path buffers bloatLength
	stalls bool
	steps  bool // judged by its trace only

	rate    int // bytes a second now
	road    road
	ear     *listener
	stalled []stretch
}

// stretch is a part of a scenario's time.
type stretch struct{ from, to time.Time }

func (s stretch) holds(t time.Time) bool { return !t.Before(s.from) && t.Before(s.to) }

func ageCases() []*ageCase {
	list := []*ageCase{{name: "any"}, {name: "steps", share: 1.25, steps: true}}
	for _, bloat := range []bool{false, true} {
		for _, c := range []ageCase{{name: "1.25x", share: 1.25}, {name: "0.5x", share: 0.5}, {name: "0.25x", share: 0.25},
			{name: "stalls", share: 1.25, stalls: true}} {
			if c.bloat = bloat; bloat {
				c.name += "-buffered"
			}
			list = append(list, &c)
		}
	}
	return list
}

// link is the way down for a share of the wire's rate.
func (c *ageCase) link(wire int, share float64) impair.Link {
	c.rate = int(share * float64(wire))
	l := impair.Link{Rate: c.rate, Delay: ageRTT / 2}
	if c.bloat {
		l.Buffer = l.Rate * int(bloatLength/time.Second)
	}
	return l
}

// TestLinksBoundedAge streams a file of 2 Mbit/s to receivers behind paths that take more, less, and nothing for a while: what comes
// is young, or does not come. One of them shows how the relay's estimate follows a step down, a step up and a stall.
func TestLinksBoundedAge(t *testing.T) {
	t.Parallel()
	d, long := formTime(9 * time.Second)
	boundedAge(t, loopbackLab(t), newFigures(t, "impair-age", long), "age/", d, ageCases())
}

func boundedAge(t *testing.T, l *lab, figs *figures, scenario string, d time.Duration, cases []*ageCase) {
	clip, wire := steadyClip(t, videoBits)
	for _, c := range cases {
		var url string
		url, c.road = l.path(t, impair.Link{Delay: ageRTT / 2}, c.link(wire, c.share))
		c.ear = l.listen(t, url, c.name)
	}
	src := l.stream(t, l.url, clip, d)
	until(t, "first frame", func() bool { return len(cases[0].ear.all()) > 0 })
	tr := newTrace(cases)
	drive(l, cases, wire, d, tr)
	sent := src.report(t)
	for _, c := range cases {
		c.ear.over(t)
	}
	floor := tellFloor(figs, scenario, cases[0].ear)
	for _, c := range cases {
		c.tell(figs, scenario+c.name, sent, floor)
	}
	tr.save(t)
}

// drive makes the scenario's faults happen, and samples the relay meanwhile.
func drive(l *lab, cases []*ageCase, wire int, d time.Duration, tr *trace) {
	began := time.Now()
	tick := time.NewTicker(traceEvery)
	defer tick.Stop()
	done := map[*ageCase]int{}
	for now := began; now.Sub(began) < d; now = <-tick.C {
		for _, c := range cases {
			for due := c.events(wire, d); done[c] < len(due) && now.Sub(began) >= due[done[c]].at; done[c]++ {
				due[done[c]].do()
			}
		}
		tr.sample(l, now.Sub(began))
	}
}

// event is something that happens to a path at a time of the scenario.
type event struct {
	at time.Duration
	do func()
}

// events are those of the whole scenario, in order. A round of faults takes all of a short scenario, or 20 s.
func (c *ageCase) events(wire int, d time.Duration) (list []event) {
	round := min(d, 20*time.Second)
	for at := time.Duration(0); at+round <= d; at += round {
		switch {
		case c.stalls:
			list = append(list, event{at + round/3, c.stall})
		case c.steps:
			list = append(list, event{at + round/4, func() { c.road.SetDown(c.link(wire, 0.5)) }},
				event{at + round/2, func() { c.road.SetDown(c.link(wire, 1.25)) }},
				event{at + round*2/3, c.stall})
		}
	}
	return list
}

func (c *ageCase) stall() {
	now := time.Now()
	c.stalled = append(c.stalled, stretch{now, now.Add(stallLength)})
	c.road.Stall(stallLength)
}

// tellFloor tells how late frames come where nothing holds them up: what the machine itself adds.
func tellFloor(figs *figures, scenario string, e *listener) (floor float64) {
	var ages []time.Duration
	frames := e.all()
	for _, h := range frames {
		if h.due.Sub(frames[0].due) > ageSettle {
			ages = append(ages, h.age()-ageRTT/2)
		}
	}
	p95 := quantile(ages, 0.95)
	figs.note(scenario+"any", "floor_p95", p95, "ms", len(ages))
	figs.disturbed(p95 > noiseMost)
	floor = max(quantile(ages, 1), 0)
	figs.note(scenario+"any", "floor_max", floor, "ms", len(ages))
	return floor
}

// aged is what became of the frames of one kind.
type aged struct {
	ages     []time.Duration // of those that are judged
	thirds   [3][]time.Duration
	late     int // of them, over budget, round trip and grace
	held     int // of them, also without the time that the path needs for the frame itself
	inFlight int // were under way when a stall began
	settling int // came within ageSettle after one
	catchUp  int
	missing  int // audio: packets that did not come, times of stalls excepted
}

// takes is how long the path needs for so many bytes.
func (c *ageCase) takes(bytes int) time.Duration {
	return time.Duration(bytes) * time.Second / time.Duration(max(c.rate, 1))
}

// limit is how old a frame may be when it has come.
func (c *ageCase) limit(kind media.Kind) time.Duration { return budgetOf(kind) + ageRTT + ageGrace }

func (c *ageCase) tell(figs *figures, name string, sent streamReport, floor float64) {
	frames := c.ear.all()
	for _, track := range sent.Tracks {
		kind := media.Kind(track.ID)
		a := c.look(frames, kind, time.Duration(min(floor, noiseMost)*float64(time.Millisecond)))
		drops := c.ear.dropsOf(track.ID)
		figs.note(name, track.ID+"_sent", float64(track.Frames), "frames", 1)
		figs.note(name, track.ID+"_came", float64(len(a.ages)), "frames", 1)
		figs.note(name, track.ID+"_dropped", float64(sum(drops)), "frames", 1)
		figs.note(name, track.ID+"_catch_up", float64(a.catchUp), "frames", 1)
		if c.stalls || c.steps {
			figs.note(name, track.ID+"_in_flight_at_stalls", float64(a.inFlight), "frames", len(c.stalled))
			figs.note(name, track.ID+"_settling", float64(a.settling), "frames", len(c.stalled))
		}
		if c.steps {
			continue
		}
		n := len(a.ages)
		figs.note(name, track.ID+"_age_p50", quantile(a.ages, 0.5), "ms", n)
		figs.note(name, track.ID+"_age_p95", quantile(a.ages, 0.95), "ms", n)
		figs.note(name, track.ID+"_age_max", quantile(a.ages, 1), "ms", n)
		figs.most(name, track.ID+"_late", float64(a.late), 0, math.Inf(1), "frames", n)
		figs.most(name, track.ID+"_late_but_for_its_size", float64(a.held), 0, 3+0.05*float64(n), "frames", n)
		if min(len(a.thirds[0]), len(a.thirds[2])) >= 10 { // a percentile of fewer tells of one frame alone
			figs.most(name, track.ID+"_growth_p95", quantile(a.thirds[2], 0.95)-quantile(a.thirds[0], 0.95), milliseconds(ageGrace), 100+floor, "ms", n)
		}
		if kind == media.Audio {
			figs.most(name, "audio_missing", float64(a.missing), 0, 5+floor/20, "packets", int(track.Frames))
		}
	}
}

func (e *listener) dropsOf(track string) map[string]uint64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.drops[track]
}

// noiseMost is how much of the floor is forgiven, in ms: a machine that is noisier shows in the figures.
const noiseMost = 100

// look sorts the frames of one kind.
func (c *ageCase) look(frames []heard, kind media.Kind, noise time.Duration) (a aged) {
	var last heard
	begin, end := frames[0].due, frames[len(frames)-1].due
	for _, h := range frames {
		if h.kind != kind {
			continue
		}
		if kind == media.Audio && last.group != 0 && !c.excused(last, h) {
			a.missing += int(h.group - last.group - 1)
		}
		last = h
		switch s, near := c.near(h.at); {
		case h.catchUp:
			a.catchUp++
		case near && h.due.Before(s.from):
			a.inFlight++
		case near && h.at.Before(s.to.Add(ageSettle)):
			a.settling++
		case h.due.Sub(begin) >= ageSettle:
			a.ages = append(a.ages, h.age())
			third := min(int(3*h.due.Sub(begin)/(end.Sub(begin)+1)), 2)
			a.thirds[third] = append(a.thirds[third], h.age())
			over := h.age() - c.limit(kind) - noise
			if over > 0 {
				a.late++
			}
			if over > c.takes(h.bytes) {
				a.held++
			}
		}
	}
	return a
}

// near finds the last stall that had begun at a time.
func (c *ageCase) near(at time.Time) (s stretch, ok bool) {
	for _, w := range c.stalled {
		if !at.Before(w.from) {
			s, ok = w, true
		}
	}
	return s, ok
}

// excused reports whether what is missing between two packets fell into a stall, or the time around it.
func (c *ageCase) excused(a, b heard) bool {
	for _, s := range c.stalled {
		if a.due.Before(s.to.Add(ageSettle)) && b.due.After(s.from.Add(-ageSettle)) {
			return true
		}
	}
	return false
}

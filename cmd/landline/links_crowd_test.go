package main

import (
	"fmt"
	"testing"
	"time"

	"landline/signaling/impair"
)

// Those who share a room in the scenario below.
const (
	crowdFast   = 34
	crowdSlow   = 4
	crowdFrozen = 2
)

// TestLinksIsolation has 40 readers of one publisher, of whom two never read and four are behind half of the rate: the others lose nothing.
func TestLinksIsolation(t *testing.T) {
	t.Parallel()
	d, long := formTime(6 * time.Second)
	d = min(d, time.Minute)
	figs := newFigures(t, "impair-isolation", long)
	l := loopbackLab(t)
	clip, wire := steadyClip(t, videoBits)
	var fast, slow []*listener
	for i := range crowdFast {
		fast = append(fast, l.listen(t, l.url, fmt.Sprint("fast", i)))
	}
	for i := range crowdSlow {
		url, _ := l.path(t, impair.Link{Delay: ageRTT / 2}, impair.Link{Rate: wire / 2, Delay: ageRTT / 2})
		slow = append(slow, l.listen(t, url, fmt.Sprint("slow", i)))
	}
	for range crowdFrozen {
		freeze(t, l.url)
	}
	inRoom(t, l.url, crowdFast+crowdSlow+crowdFrozen)
	src := l.stream(t, l.url, clip, d)
	sent := src.report(t)
	for _, e := range append(fast, slow...) {
		e.over(t)
	}
	var all, lost, dropped int
	var ages []time.Duration
	for _, track := range sent.Tracks {
		all += int(track.Frames)
	}
	for _, e := range fast {
		frames := e.all()
		lost += all - len(frames)
		for _, track := range sent.Tracks {
			dropped += int(sum(e.dropsOf(track.ID)))
		}
		for _, h := range frames {
			ages = append(ages, h.age())
		}
	}
	const name = "isolation"
	figs.most(name, "fast_lost", float64(lost), 0, 0, "frames", all*len(fast))
	figs.most(name, "fast_dropped", float64(dropped), 0, 0, "frames", all*len(fast))
	figs.note(name, "fast_age_p50", quantile(ages, 0.5), "ms", len(ages))
	figs.note(name, "fast_age_p99", quantile(ages, 0.99), "ms", len(ages))
	for _, m := range membersOf(t, l.url) {
		if len(m.Name) > 4 && m.Name[:4] != "fast" {
			figs.least(name, m.Name+"_dropped", float64(sum(m.Link.Drops)), 1, 0, "frames", 1)
		}
	}
}

package main

import (
	"testing"
	"time"

	"landline/media"
	"landline/signaling/impair"
)

// The uplink of the scenario below, in bytes a second.
const (
	uplinkWide   = 3_000_000 / 8
	uplinkNarrow = 500_000 / 8
	uplinkDelay  = 30 * time.Millisecond
)

// TestLinksSlowUplink streams a file of 2 Mbit/s over an uplink that goes from 3 to 0.5 Mbit/s and back: what waits stays under the
// command's own bound, what is dropped has a name, and who watches sees the picture again.
func TestLinksSlowUplink(t *testing.T) {
	t.Parallel()
	d, long := formTime(12 * time.Second)
	figs := newFigures(t, "impair-uplink", long)
	l := loopbackLab(t)
	clip, _ := steadyClip(t, videoBits)
	wide, narrow := impair.Link{Rate: uplinkWide, Delay: uplinkDelay}, impair.Link{Rate: uplinkNarrow, Delay: uplinkDelay}
	url, way := l.path(t, wide, impair.Link{Delay: uplinkDelay})
	watch := l.listen(t, l.url, "watch")
	src := l.stream(t, url, clip, d)
	until(t, "first frame", func() bool { return len(watch.all()) > 0 })
	rounds := narrowNow(way, wide, narrow, d)
	sent := src.report(t)
	watch.over(t)
	tellUplink(t, figs, watch, sent, rounds)
}

// narrowNow makes the uplink narrow for five twelfths of each round, and tells when. A round takes all of a short scenario, or 20 s.
func narrowNow(way road, wide, narrow impair.Link, d time.Duration) (narrowed []stretch) {
	round := min(d, 20*time.Second)
	began := time.Now()
	wait := func(at time.Duration) { time.Sleep(time.Until(began.Add(at))) } // the scenario's time passes
	for at := time.Duration(0); at+round <= d; at += round {
		wait(at + round/6)
		s := stretch{from: time.Now()}
		way.SetUp(narrow)
		wait(at + round*7/12)
		s.to = time.Now()
		way.SetUp(wide)
		narrowed = append(narrowed, s)
	}
	return narrowed
}

func tellUplink(t *testing.T, figs *figures, watch *listener, sent streamReport, narrowed []stretch) {
	const name = "uplink"
	frames := watch.all()
	came := map[media.Kind]int{}
	for _, h := range frames {
		came[h.kind]++
	}
	for _, track := range sent.Tracks {
		figs.note(name, track.ID+"_sent", float64(track.Frames), "frames", 1)
		for why, n := range track.Drops {
			figs.note(name, track.ID+"_dropped_"+why, float64(n), "frames", 1)
		}
		// A frame that was dropped when half of it was sent is counted on both sides.
		unnamed := int(track.Frames) - came[media.Kind(track.ID)] - int(sum(track.Drops)) - int(sum(watch.dropsOf(track.ID)))
		figs.most(name, track.ID+"_unnamed_losses", float64(max(unnamed, 0)), 0, 0, "frames", int(track.Frames))
	}
	if sum(sent.Tracks[0].Drops)+sum(sent.Tracks[1].Drops) == 0 {
		t.Error("nothing was dropped: the uplink was not slow")
	}
	bound := milliseconds(uplinkAge + 2*uplinkDelay + ageGrace)
	var slow []time.Duration
	for _, s := range narrowed {
		for _, h := range frames {
			if h.at.After(s.from.Add(ageSettle)) && h.at.Before(s.to) {
				slow = append(slow, h.age())
			}
		}
		figs.most(name, "age_bounded_after", milliseconds(backAfter(frames, s.to, uplinkAge)), milliseconds(ageSettle), 1500, "ms", 1)
		figs.note(name, "age_of_a_call_after", milliseconds(backAfter(frames, s.to, budgetOf(media.Audio))), "ms", 1)
		figs.most(name, "picture_back_after", milliseconds(pictureAfter(frames, s.to)), 3000, 2000, "ms", 1)
	}
	figs.note(name, "age_while_narrow_p50", quantile(slow, 0.5), "ms", len(slow))
	figs.most(name, "age_while_narrow_p95", quantile(slow, 0.95), bound, 500, "ms", len(slow))
	figs.note(name, "age_while_narrow_max", quantile(slow, 1), "ms", len(slow))
}

// backAfter is how long after a time frames were still older than a bound lets them be, in the five seconds from then on.
func backAfter(frames []heard, from time.Time, bound time.Duration) (d time.Duration) {
	for _, h := range frames {
		if h.at.After(from) && h.at.Before(from.Add(5*time.Second)) && h.age() > bound+2*uplinkDelay+ageGrace {
			d = h.at.Sub(from)
		}
	}
	return d
}

// pictureAfter is how long after a time the picture came again: a key frame that was due after it, or video that never stopped.
func pictureAfter(frames []heard, from time.Time) time.Duration {
	for _, h := range frames {
		if h.kind == media.Video && h.due.After(from) {
			return h.at.Sub(from)
		}
	}
	return time.Hour
}

package main

import (
	"context"
	"testing"
	"time"

	"landline/media"
	"landline/signaling"
	"landline/signaling/client"
	"landline/signaling/impair"
)

// The layers of the scenarios below, and the links they go over.
const (
	layersDelay  = 30 * time.Millisecond
	layersSettle = time.Second
	layersFrame  = 40 * time.Millisecond
)

// layer is what is made of one size: so many bits a second, and a key frame four times the size of others every two seconds.
type layer struct {
	height, bits int
}

var threeLayers = []layer{{180, 150_000}, {360, 500_000}, {720, 1_600_000}}

// studio publishes noise in layers until its context ends, each only while it is wanted, and key frames when they are asked for.
func (l *lab) studio(t *testing.T, name string) (stop func() (asked int)) {
	t.Helper()
	track := signaling.Track{ID: "video", Kind: media.Video, Source: signaling.SourceCamera, Codec: media.VP8, CodecString: "vp8", Width: 1280, Height: 720,
		KeyOnRequest: true, Clock: signaling.Clock{Us: 1, WallUs: time.Now().UnixMicro()}}
	for _, size := range threeLayers {
		track.Layers = append(track.Layers, signaling.Layer{Width: size.height * 16 / 9, Height: size.height})
	}
	room, err := client.Dial(t.Context(), client.Options{URL: l.url, Room: "lab", Name: name, Token: l.token, Publish: []signaling.Track{track}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	asked, ended := 0, make(chan struct{})
	go func() {
		defer close(ended)
		asked = film(t, ctx, room.Track("video"), track.Clock)
	}()
	return func() int {
		cancel()
		<-ended
		room.Track("video").End()
		drained, done := context.WithTimeout(t.Context(), patience)
		defer done()
		if err := room.Drain(drained); err != nil {
			t.Error(err)
		}
		room.Close()
		return asked
	}
}

// film writes a picture in each wanted layer every 40 ms, and counts the key frames that were asked for.
func film(t *testing.T, ctx context.Context, track *client.Outgoing, clock signaling.Clock) (asked int) {
	tick := time.NewTicker(layersFrame)
	defer tick.Stop()
	for n := 0; ; n++ {
		for i, l := range track.Layers() {
			if !l.Wanted() && n > 0 {
				continue
			}
			key := n%50 == 0 || l.KeyWanted()
			if key && n%50 != 0 {
				asked++
			}
			size := threeLayers[i].bits / 8 / 25 * 50 / 53
			if key {
				size *= 4
			}
			f := media.Frame{Timestamp: 1 + time.Now().UnixMicro() - clock.WallUs, Key: key, Data: make([]byte, size)}
			if err := l.Write(f); err != nil {
				t.Error(err)
				return asked
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return asked
		}
	}
}

// TestLinksLayers has two receivers of a video in three layers: one behind a link that goes from 3 to 1 Mbit/s and back, one behind a
// link between what two layers need. The first goes down and up again, the second does not go back and forth.
func TestLinksLayers(t *testing.T) {
	t.Parallel()
	d, long := formTime(24 * time.Second)
	figs := newFigures(t, "impair-layers", long)
	l := loopbackLab(t)
	up := impair.Link{Delay: layersDelay}
	wide, narrow := impair.Link{Rate: 3_000_000 / 8, Delay: layersDelay}, impair.Link{Rate: 1_000_000 / 8, Delay: layersDelay}
	stop := l.studio(t, "src")
	url, way := l.path(t, up, wide)
	steps := l.listen(t, url, "steps")
	between, _ := l.path(t, up, impair.Link{Rate: 1_400_000 / 8, Delay: layersDelay})
	still := l.listen(t, between, "between")
	free := l.listen(t, l.url, "free")
	until(t, "first frame", func() bool { return len(free.all()) > 0 && len(steps.all()) > 0 && len(still.all()) > 0 })
	began := time.Now()
	rounds := narrowForLayers(way, wide, narrow, d)
	asked := stop()
	for _, e := range []*listener{steps, still, free} {
		e.over(t)
	}
	figs.disturbed(tellLayersFloor(figs, free.all()) > noiseMost)
	figs.note("layers", "key_frames_asked", float64(asked), "frames", 1)
	tellSteps(figs, steps.all(), rounds)
	tellBetween(figs, still.all(), began, d)
}

// narrowForLayers makes a way narrow for a quarter of each round, from a quarter on, and tells when. A round takes all of a short
// scenario, or a minute.
func narrowForLayers(way road, wide, narrow impair.Link, d time.Duration) (narrowed []stretch) {
	round := min(d, time.Minute)
	began := time.Now()
	wait := func(at time.Duration) { time.Sleep(time.Until(began.Add(at))) } // the scenario's time passes
	for at := time.Duration(0); at+round <= d; at += round {
		wait(at + round/4)
		s := stretch{from: time.Now()}
		way.SetDown(narrow)
		wait(at + round/2)
		s.to = time.Now()
		way.SetDown(wide)
		narrowed = append(narrowed, s)
		wait(at + round)
	}
	return narrowed
}

func tellLayersFloor(figs *figures, frames []heard) (p95 float64) {
	var ages []time.Duration
	for _, h := range frames {
		if h.due.Sub(frames[0].due) > layersSettle && !h.catchUp {
			ages = append(ages, h.age())
		}
	}
	p95 = quantile(ages, 0.95)
	figs.note("layers/free", "age_p95", p95, "ms", len(ages))
	return p95
}

// tellSteps tells how soon the first receiver went down and up again. What came within a second after a step is not old for its age.
func tellSteps(figs *figures, frames []heard, narrowed []stretch) {
	const name, top = "layers/3-1-3", 720
	var ages []time.Duration
	for _, h := range frames {
		settled := h.due.Sub(frames[0].due) > layersSettle
		for _, s := range narrowed {
			settled = settled && !(stretch{s.from, s.from.Add(3 * time.Second)}).holds(h.at)
		}
		if settled && !h.catchUp {
			ages = append(ages, h.age())
		}
	}
	for _, s := range narrowed {
		down, up := time.Hour, time.Hour
		for _, h := range frames {
			if h.at.After(s.from) && h.height < top {
				down = min(down, h.at.Sub(s.from))
			}
			if h.at.After(s.to) && h.height == top {
				up = min(up, h.at.Sub(s.to))
			}
		}
		figs.most(name, "down_after", milliseconds(down), 2000, 1500, "ms", 1)
		figs.most(name, "up_after", milliseconds(up), 15_000, 10_000, "ms", 1)
		figs.note(name, "longest_pause", milliseconds(longestPause(frames, s.from, s.to.Add(10*time.Second))), "ms", 1)
	}
	figs.note(name, "changes", float64(changes(frames)), "changes", len(frames)) // also those that a busy machine makes
	figs.note(name, "age_p50", quantile(ages, 0.5), "ms", len(ages))
	figs.note(name, "age_p95", quantile(ages, 0.95), "ms", len(ages))
}

// tellBetween tells how often the second receiver's layer changed in five minutes, or in the shorter time that there was.
func tellBetween(figs *figures, frames []heard, began time.Time, d time.Duration) {
	const name = "layers/between"
	most := 0
	for from := began; from.Before(began.Add(d)); from = from.Add(5 * time.Minute) {
		var part []heard
		for _, h := range frames {
			if (stretch{from, from.Add(5 * time.Minute)}).holds(h.at) {
				part = append(part, h)
			}
		}
		most = max(most, changes(part))
	}
	figs.most(name, "changes", float64(most), 3, 4, "changes", len(frames))
	figs.note(name, "longest_pause", milliseconds(longestPause(frames, began, began.Add(d))), "ms", len(frames))
}

// changes counts the times that another layer took over.
func changes(frames []heard) (n int) {
	for i := range frames {
		if i > 0 && frames[i].height != frames[i-1].height {
			n++
		}
	}
	return n
}

// longestPause is the longest time without a frame.
func longestPause(frames []heard, from, to time.Time) (longest time.Duration) {
	last := from
	for _, h := range frames {
		if h.at.After(from) && h.at.Before(to) {
			longest = max(longest, h.at.Sub(last))
			last = h.at
		}
	}
	return longest
}

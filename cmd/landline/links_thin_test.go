package main

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"landline/media"
	"landline/signaling"
	"landline/signaling/impair"
)

// The thin link: what three people talk over.
const (
	thinRate   = 64_000 / 8 // bytes a second, each way
	thinDelay  = 30 * time.Millisecond
	thinPacket = 60 // bytes each 20 ms: 24 kbit/s
	packetTime = 20 * time.Millisecond
	// mouthToEar is how old sound may be when it is heard; a packet is as old as it is long when it is whole.
	mouthToEar = 700 * time.Millisecond
)

// TestLinksThin has three members talk in turn, each behind 64 kbit/s and a round trip of 60 ms. Who does not talk sends nothing.
func TestLinksThin(t *testing.T) {
	t.Parallel()
	d, long := formTime(9 * time.Second)
	thin(t, loopbackLab(t), newFigures(t, "impair-thin", long), "thin", d)
}

func thin(t *testing.T, l *lab, figs *figures, scenario string, d time.Duration) {
	link := impair.Link{Rate: thinRate, Delay: thinDelay}
	names := []string{"ann", "bob", "cleo"}
	clock := signaling.Clock{Us: 1, WallUs: time.Now().UnixMicro()}
	var members []*listener
	for _, name := range names {
		url, _ := l.path(t, link, link)
		members = append(members, l.listen(t, url, name, signaling.Track{ID: "mic", Kind: media.Audio, Source: signaling.SourceMic,
			Codec: media.Opus, CodecString: "opus", SampleRate: 48000, Channels: 1, Clock: clock}))
	}
	for _, m := range members {
		until(t, "tracks of the others", func() bool { return m.count(func(e *listener) int { return e.tracks }) == len(members)-1 })
	}
	sent := talk(t, members, clock.WallUs, d)
	for _, m := range members {
		m.room.Track("mic").End()
	}
	for _, m := range members {
		m.over(t)
	}
	tellThin(figs, scenario, members, sent)
}

// talk has the members talk in turns of ten seconds, or three turns in all, and counts the packets.
func talk(t *testing.T, members []*listener, wall int64, d time.Duration) (sent int) {
	t.Helper()
	chance := rand.New(rand.NewPCG(linkSeed, 3))
	turn := min(10*time.Second, d/time.Duration(len(members)))
	began := time.Now()
	tick := time.NewTicker(packetTime)
	defer tick.Stop()
	for ; ; sent++ {
		due := time.Duration(sent) * packetTime
		if due >= d {
			return sent
		}
		for time.Since(began) < due {
			<-tick.C
		}
		track := members[int(due/turn)%len(members)].room.Track("mic")
		packet := make([]byte, thinPacket)
		for i := range packet {
			packet[i] = byte(chance.Uint32())
		}
		packet[0] = 0x48 // SILK, 20 ms, one frame
		f := media.Frame{Timestamp: 1 + began.Add(due).UnixMicro() - wall, Data: packet}
		if err := track.WriteLevel(f, uint8(20+chance.IntN(20)), true); err != nil {
			t.Fatal(err)
		}
	}
}

func tellThin(figs *figures, scenario string, members []*listener, sent int) {
	var ages []time.Duration
	var thirds [3][]time.Duration
	inTime := 0
	var first, last time.Time
	for _, m := range members {
		for _, h := range m.all() {
			if first.IsZero() || h.due.Before(first) {
				first = h.due
			}
			if h.due.After(last) {
				last = h.due
			}
		}
	}
	for _, m := range members {
		for _, h := range m.all() {
			heard := h.age() + packetTime
			ages = append(ages, heard)
			third := min(int(3*h.due.Sub(first)/(last.Sub(first)+1)), 2)
			thirds[third] = append(thirds[third], heard)
			if heard <= mouthToEar {
				inTime++
			}
		}
	}
	all := sent * (len(members) - 1)
	figs.least(scenario, "in_time", 100*float64(inTime)/float64(all), 98, 3, "%", all)
	figs.note(scenario, "came", 100*float64(len(ages))/float64(all), "%", all)
	figs.note(scenario, "mouth_to_ear_p50", quantile(ages, 0.5), "ms", len(ages))
	figs.most(scenario, "mouth_to_ear_p95", quantile(ages, 0.95), milliseconds(mouthToEar), 100, "ms", len(ages))
	figs.note(scenario, "mouth_to_ear_max", quantile(ages, 1), "ms", len(ages))
	figs.most(scenario, "growth_p95", math.Max(quantile(thirds[2], 0.95)-quantile(thirds[0], 0.95), 0), 100, 100, "ms", len(ages))
}

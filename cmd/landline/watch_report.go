package main

import (
	"maps"
	"time"

	"landline/media"
	"landline/signaling/client"
)

// watchReport is what watch --json writes.
type watchReport struct {
	Room       string             `json:"room"`
	Member     string             `json:"member"`
	Name       string             `json:"name"`
	Out        string             `json:"out"`
	Duration   float64            `json:"duration_s"`
	Tracks     []watchTrackReport `json:"tracks"`
	Reconnects int                `json:"reconnects"`
	Error      string             `json:"error,omitempty"`
}

// watchTrackReport counts what was saved of a track, and what is known to be missing.
type watchTrackReport struct {
	ID        string            `json:"id"`
	Codec     media.Codec       `json:"codec"`
	Width     int               `json:"width,omitempty"`
	Height    int               `json:"height,omitempty"`
	Frames    uint64            `json:"frames"`
	Bytes     uint64            `json:"bytes"`
	KeyFrames uint64            `json:"key_frames"`
	Path      pathReport        `json:"received_by_path"`
	Gaps      uint64            `json:"gaps"`
	Abandoned uint64            `json:"abandoned_groups"`
	Drops     map[string]uint64 `json:"drops"`
	Latency   latencyReport     `json:"latency_ms"`
}

type latencyReport struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
	N   uint64  `json:"n"`
}

func (w *watcher) report(failed error) error {
	r := watchReport{Room: w.cmd.Room, Member: w.target, Name: w.name, Out: w.cmd.Out, Duration: w.saver.length().Seconds(),
		Tracks: []watchTrackReport{}, Reconnects: w.room.Reconnects()}
	if failed != nil {
		r.Error = failed.Error()
	}
	for _, t := range w.saver.tracks {
		if t.place == leftOut {
			continue
		}
		s := sumStats(t.past, t.in.Stats())
		r.Tracks = append(r.Tracks, watchTrackReport{ID: t.id, Codec: t.format.Codec, Width: t.format.Width, Height: t.format.Height, Frames: t.frames, Bytes: t.bytes,
			KeyFrames: t.keyFrames, Path: pathReport{s.Frames - s.Side, s.Side}, Gaps: s.Gaps, Abandoned: s.Abandoned, Drops: s.Drops,
			Latency: latencyReport{milliseconds(s.LatencyP50), milliseconds(s.LatencyP99), s.LatencyFrames}})
	}
	if !w.cmd.JSON {
		w.con.log.Info("saved", "out", r.Out, "seconds", r.Duration, "tracks", r.Tracks, "reconnects", r.Reconnects)
		return nil
	}
	return writeJSON(w.con.out, r)
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// sumStats adds up the stats of publications that followed each other; of the latencies the last one's stay.
func sumStats(a, b client.IncomingStats) client.IncomingStats {
	drops := map[string]uint64{}
	maps.Copy(drops, a.Drops)
	for why, n := range b.Drops {
		drops[why] += n
	}
	b.Drops = drops
	b.Frames += a.Frames
	b.Side += a.Side
	b.Bytes += a.Bytes
	b.KeyFrames += a.KeyFrames
	b.Gaps += a.Gaps
	b.Abandoned += a.Abandoned
	return b
}

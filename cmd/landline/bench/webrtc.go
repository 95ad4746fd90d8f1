package bench

import (
	"errors"
	"fmt"
)

// ErrOtherWay says that media did not take the way that was to be measured.
var ErrOtherWay = errors.New("media did not come over WebRTC")

// units is what a tally counts for the relay's cost: frames, and over WebRTC packets, since each is a send of its own there.
func (r *run) units(t *tally) uint64 {
	if r.c.WebRTC {
		return t.packets()
	}
	return t.frames()
}

// fewest is how many frames of the floor must have come. TCP loses none; UDP may, where a receiver's buffer was full for a moment,
// and costs the floor what it would have cost anyway.
func (r *run) fewest(sent uint64) uint64 {
	if r.c.WebRTC {
		return sent - sent/100
	}
	return sent
}

// proveWebRTC compares the relay's own counters of a slice with what came: all of it must have gone over WebRTC, and next to nothing
// over sessions.
func (r *run) proveWebRTC(before, after *figures, t *tally) error {
	if !r.c.WebRTC {
		return nil
	}
	const metric = `landline_media_bytes_out_total{path=%q}`
	ours, other := after.out["webrtc"]-before.out["webrtc"], after.out["websocket"]-before.out["websocket"]
	came := 0.0
	if t != nil {
		came = float64(t.Audio.Bytes + t.Video.Bytes)
	}
	switch {
	case ours <= 0 || ours < came:
		return fmt.Errorf("%w: "+metric+" grew by %.0f bytes, and %.0f came", ErrOtherWay, "webrtc", ours, came)
	case other > ours/100:
		return fmt.Errorf("%w: "+metric+" grew by %.0f bytes, beside %.0f of WebRTC; is somebody else on this relay?", ErrOtherWay, "websocket", other, ours)
	}
	p := r.report.Packets
	if p == nil {
		p = &Packets{BytesOut: map[string]float64{}}
		r.report.Packets = p
	}
	p.BytesOut["webrtc"] += ours
	p.BytesOut["websocket"] += other
	if t != nil {
		p.Forwarded += t.packets()
		p.Lost += t.Audio.Lost + t.Video.Lost
	}
	return nil
}

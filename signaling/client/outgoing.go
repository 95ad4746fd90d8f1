package client

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"landline/media"
	"landline/relay"
	"landline/signaling"
)

// Outgoing is one of the member's own tracks. Its methods may be called by any goroutine, but frames of one
// layer by one at a time.
type Outgoing struct {
	room   *Room
	layers []*OutgoingLayer // at least one

	// Guarded by Room.mu.
	info  signaling.Track
	made  []bool // the layers that are made, as it was said last; nil: all
	ended bool
	aside bool // it goes by the side
	lost  bool // the relay forgot the track before its End was acknowledged
}

func newOutgoing(r *Room, info signaling.Track) *Outgoing {
	t := &Outgoing{room: r, info: info}
	for i := range max(1, len(info.Layers)) {
		t.layers = append(t.layers, &OutgoingLayer{track: t, index: i, wanted: true})
	}
	return t
}

// Layers gives the layers of the track, in order of rising height: one where it was offered without.
func (t *Outgoing) Layers() []*OutgoingLayer { return t.layers }

// Write is OutgoingLayer.Write for the first layer, the only one of most tracks, and so are WriteLevel and KeyWanted.
func (t *Outgoing) Write(f media.Frame) error { return t.layers[0].Write(f) }

// WriteLevel is Write with the level of an audio packet in -dBov and whether it is voice.
func (t *Outgoing) WriteLevel(f media.Frame, level uint8, voice bool) error {
	return t.layers[0].write(f, level, voice)
}

// KeyWanted reports whether the next frame had better be a key frame.
func (t *Outgoing) KeyWanted() bool { return t.layers[0].KeyWanted() }

// End says that the track is over, behind its last frame. See Room.Drain.
func (t *Outgoing) End() {
	t.room.mu.Lock()
	defer t.room.mu.Unlock()
	if t.ended {
		return
	}
	t.ended = true
	for _, l := range t.layers {
		l.up.End(media.EndFinished)
	}
}

// Stats counts what was written so far, in all layers.
func (t *Outgoing) Stats() (sum OutgoingStats) {
	for _, l := range t.layers {
		s := l.Stats()
		sum.Frames, sum.Bytes, sum.KeyFrames = sum.Frames+s.Frames, sum.Bytes+s.Bytes, sum.KeyFrames+s.KeyFrames
		sum.Side += s.Side
		for why, n := range s.Drops {
			sum.Drops[why] += n
		}
	}
	return sum
}

// open puts a track into the uplink under the aliases that the relay gave.
func (t *Outgoing) open(uplink *relay.Uplink, as signaling.Track) error {
	if len(as.Layers) != len(t.layers) {
		return wrong("track %s has %d layers, and the relay gives it %d aliases", as.ID, len(t.layers), len(as.Layers))
	}
	for i, l := range t.layers {
		l.stats.Drops = l.drops()
		l.alias, l.endAt, l.wanted = as.Layers[i].Alias, 0, true
		l.up = l.add(uplink)
		if l.begun && t.info.Kind == media.Video {
			l.cut, l.keyGone = true, true
		}
	}
	return nil
}

// encodes keeps what is said of the layers that are made, for a relay that the track must be published to again.
func (r *Room) encodes(m *signaling.Encoding) {
	for _, t := range r.tracks {
		if t.info.ID == m.Track {
			t.made = slices.Clone(m.Layers)
		}
	}
}

// endAgain queues the End of what has ended, on a new connection to a relay that has not heard of it.
func (t *Outgoing) endAgain(uplink *relay.Uplink) {
	for _, l := range t.layers {
		if l.endAt != 0 && !l.drained {
			l.stats.Drops, l.endAt = l.drops(), 0
			l.up = l.add(uplink)
			l.up.End(media.EndFinished)
		}
	}
}

// drained reports whether the relay has acknowledged the end of all layers.
func (t *Outgoing) drained() bool {
	return !slices.ContainsFunc(t.layers, func(l *OutgoingLayer) bool { return !l.drained })
}

// Wait returns when at most so many bytes wait in the uplink, or with an error of ctx or of the Room.
func (r *Room) Wait(ctx context.Context, bytes int) error {
	return r.until(ctx, func() (bool, error) { return r.waiting() <= bytes, nil })
}

// waiting is how many bytes of media wait to be sent.
func (r *Room) waiting() int {
	n := r.uplink.Stats().QueueBytes
	if r.side != nil && r.side.uplink != nil {
		n += r.side.uplink.Stats().QueueBytes
	}
	return n
}

// Drain returns nil when the End of every track that has ended was acknowledged: then the relay has it all.
func (r *Room) Drain(ctx context.Context) error {
	return r.until(ctx, func() (bool, error) {
		for _, t := range r.tracks {
			if t.lost {
				return false, fmt.Errorf("the relay lost track %s before its end was acknowledged", t.info.ID)
			}
			if t.ended && !t.drained() {
				return false, nil
			}
		}
		return true, nil
	})
}

// until waits for a condition, which is looked at under Room.mu.
func (r *Room) until(ctx context.Context, condition func() (bool, error)) error {
	for {
		r.mu.Lock()
		ok, err := condition()
		changed := r.changed
		r.mu.Unlock()
		if ok || err != nil {
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		case <-r.done:
			return errors.Join(r.err, ErrClosed)
		}
	}
}

// endSent notes that an End goes out, as the last of sent bytes.
func (r *Room) endSent(msg []byte, sent uint64) {
	c, err := media.ParseControl(msg)
	if err != nil {
		return // the uplink makes sound ones
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, t := range r.tracks {
		for _, l := range t.layers {
			if l.alias == c.Alias {
				l.endAt = sent
			}
		}
	}
}

// acked takes the relay's acknowledgement.
func (r *Room) acked(bytes uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, t := range r.tracks {
		for _, l := range t.layers {
			l.drained = l.drained || l.endAt != 0 && bytes >= l.endAt
		}
	}
	r.tracks = slices.DeleteFunc(r.tracks, (*Outgoing).drained)
	r.putsAcked(bytes)
	r.chatsAcked(bytes)
	if slices.ContainsFunc(r.topics, func(t *topic) bool { return len(t.waiting) > 0 }) {
		r.wake() // there may be room for it now
	}
	close(r.changed)
	r.changed = make(chan struct{})
}

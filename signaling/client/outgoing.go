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
// track by one at a time.
type Outgoing struct {
	room *Room

	// Guarded by Room.mu.
	info    signaling.Track
	up      *relay.UplinkTrack
	alias   uint16
	group   uint32
	frame   int // next one in group
	begun   bool
	cut     bool // the relay knows nothing of the group that was under way: the rest of it is dropped
	keyGone bool // a key frame is wanted, since the rest of the group is being dropped or someone asked
	ended   bool
	endAt   uint64 // bytes sent on this connection with the End; 0 = not sent
	drained bool
	aside   bool // it goes by the side
	lost    bool // the relay forgot the track before its End was acknowledged
	stats   OutgoingStats
}

// OutgoingStats counts what was written to a track. Drops are those of the uplink, by reason.
type OutgoingStats struct {
	Frames, Bytes, KeyFrames uint64
	Side                     uint64 // frames that were written for WebRTC
	Drops                    relay.DropCounts
}

// Errors of Outgoing.Write.
var (
	ErrNoKey     = errors.New("the track has not begun with a key frame")
	ErrLongGroup = errors.New("over 65,536 frames without a key frame")
	ErrEnded     = errors.New("the track has ended")
)

const maxGroupFrames = 1 << 16

// Write queues a frame, and never blocks. Its timestamp is a value of the member's clock. What does not go
// through in time is dropped by the relay's rules, and counted. Frames without data are left out.
func (t *Outgoing) Write(f media.Frame) error { return t.WriteLevel(f, 127, false) }

// WriteLevel is Write with the level of an audio packet in -dBov and whether it is voice.
func (t *Outgoing) WriteLevel(f media.Frame, level uint8, voice bool) error {
	if len(f.Data) == 0 {
		return nil
	}
	if len(f.Data) > media.MaxFrameSize {
		return fmt.Errorf("track %s: a frame of %d bytes: %w", t.info.ID, len(f.Data), media.ErrTooLarge)
	}
	r := t.room
	r.mu.Lock()
	defer r.mu.Unlock()
	if t.ended {
		return ErrEnded
	}
	head := media.ChunkHeader{Alias: t.alias, Timestamp: uint32(f.Timestamp)}
	if t.info.Kind == media.Audio {
		head.Key = true
		head.SetLevel(level, voice)
	} else {
		head.Key = f.Key
		head.SetLength(uint32(len(f.Data)))
	}
	if err := t.number(&head); err != nil {
		return err
	}
	t.stats.Frames++
	if t.aside {
		t.stats.Side++
	}
	t.stats.Bytes += uint64(len(f.Data))
	if head.Key {
		t.stats.KeyFrames++
		t.keyGone, t.cut = false, false
	}
	if t.cut {
		t.stats.Drops[media.DropLost]++
		return nil
	}
	media.Split(head, f.Data, r.opts.ChunkSize, 0, func(buf []byte) {
		c, err := media.ParseChunk(buf)
		if err != nil {
			panic("client: " + err.Error()) // Split keeps every rule
		}
		t.keyGone = t.up.Write(&c, relay.Message{Data: buf}) || t.keyGone
	})
	return nil
}

// number gives a frame its place.
func (t *Outgoing) number(h *media.ChunkHeader) error {
	switch {
	case h.Key:
		t.group++
		t.frame, t.begun = 0, true
	case !t.begun:
		return ErrNoKey
	case t.frame == maxGroupFrames:
		return ErrLongGroup
	}
	h.Group, h.Frame = t.group, uint16(t.frame)
	t.frame++
	return nil
}

// KeyWanted reports whether the next frame had better be a key frame: a receiver asked for one, or the rest of the
// group is being dropped.
func (t *Outgoing) KeyWanted() bool {
	t.room.mu.Lock()
	defer t.room.mu.Unlock()
	return t.keyGone
}

// End says that the track is over, behind its last frame. See Room.Drain.
func (t *Outgoing) End() {
	t.room.mu.Lock()
	defer t.room.mu.Unlock()
	if !t.ended {
		t.ended = true
		t.up.End(media.EndFinished)
	}
}

// Stats counts what was written so far.
func (t *Outgoing) Stats() OutgoingStats {
	t.room.mu.Lock()
	defer t.room.mu.Unlock()
	s := t.stats
	s.Drops = t.drops()
	return s
}

// drops are those of this connection's uplink and of earlier ones.
func (t *Outgoing) drops() relay.DropCounts {
	d := t.stats.Drops
	if t.up != nil {
		for why, n := range t.up.Drops() {
			d[why] += n
		}
	}
	return d
}

// open puts a track into the uplink under an alias that the relay gave.
func (t *Outgoing) open(uplink *relay.Uplink, as signaling.Track) error {
	if len(as.Layers) == 0 {
		return wrong("track %s has no alias", as.ID)
	}
	t.stats.Drops = t.drops()
	t.alias, t.endAt = as.Layers[0].Alias, 0
	t.up = t.add(uplink)
	if t.begun && t.info.Kind == media.Video {
		t.cut, t.keyGone = true, true
	}
	return nil
}

func (t *Outgoing) add(uplink *relay.Uplink) *relay.UplinkTrack {
	up := uplink.Add(t.alias, relay.ClassOf(t.info.Kind, t.info.Source))
	up.Wait(t.room.opts.MaxAge)
	return up
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
			if t.ended && !t.drained {
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
		if t.alias == c.Alias {
			t.endAt = sent
		}
	}
}

// acked takes the relay's acknowledgement.
func (r *Room) acked(bytes uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, t := range r.tracks {
		t.drained = t.drained || t.endAt != 0 && bytes >= t.endAt
	}
	r.tracks = slices.DeleteFunc(r.tracks, func(t *Outgoing) bool { return t.drained })
	r.putsAcked(bytes)
	r.chatsAcked(bytes)
	if slices.ContainsFunc(r.topics, func(t *topic) bool { return len(t.waiting) > 0 }) {
		r.wake() // there may be room for it now
	}
	close(r.changed)
	r.changed = make(chan struct{})
}

func (r *Room) feedback(m *signaling.Feedback) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, t := range r.tracks {
		if t.info.ID == m.Track && m.KeyFrame {
			t.keyGone = true
		}
	}
}

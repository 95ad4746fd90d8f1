package client

import (
	"errors"
	"fmt"

	"landline/media"
	"landline/relay"
	"landline/signaling"
)

// OutgoingLayer is one rendition of an Outgoing, with frames and key frames of its own.
type OutgoingLayer struct {
	track *Outgoing
	index int

	// Guarded by Room.mu.
	up      *relay.UplinkTrack
	alias   uint16
	group   uint32
	frame   int // next one in group
	begun   bool
	cut     bool // the relay knows nothing of the group that was under way: the rest of it is dropped
	keyGone bool // a key frame is wanted, since the rest of the group is being dropped or someone asked
	wanted  bool
	endAt   uint64 // bytes sent on this connection with the End; 0 = not sent
	drained bool
	stats   OutgoingStats
}

// OutgoingStats counts what was written to a layer or a track. Drops are those of the uplink, by reason.
type OutgoingStats struct {
	Frames, Bytes, KeyFrames uint64
	Side                     uint64 // frames that were written for WebRTC
	Drops                    relay.DropCounts
}

// Errors of Write.
var (
	ErrNoKey     = errors.New("the track has not begun with a key frame")
	ErrLongGroup = errors.New("over 65,536 frames without a key frame")
	ErrEnded     = errors.New("the track has ended")
)

const maxGroupFrames = 1 << 16

// Write queues a frame, and never blocks. Its timestamp is a value of the member's clock. What does not go
// through in time is dropped by the relay's rules, and counted. Frames without data are left out.
func (l *OutgoingLayer) Write(f media.Frame) error { return l.write(f, 127, false) }

func (l *OutgoingLayer) write(f media.Frame, level uint8, voice bool) error {
	if len(f.Data) == 0 {
		return nil
	}
	t := l.track
	if len(f.Data) > media.MaxFrameSize {
		return fmt.Errorf("track %s: a frame of %d bytes: %w", t.info.ID, len(f.Data), media.ErrTooLarge)
	}
	r := t.room
	r.mu.Lock()
	defer r.mu.Unlock()
	if t.ended {
		return ErrEnded
	}
	head := media.ChunkHeader{Alias: l.alias, Timestamp: uint32(f.Timestamp)}
	if t.info.Kind == media.Audio {
		head.Key = true
		head.SetLevel(level, voice)
	} else {
		head.Key = f.Key
		head.SetLength(uint32(len(f.Data)))
	}
	if err := l.number(&head); err != nil {
		return err
	}
	l.stats.Frames++
	if t.aside {
		l.stats.Side++
	}
	l.stats.Bytes += uint64(len(f.Data))
	if head.Key {
		l.stats.KeyFrames++
		l.keyGone, l.cut = false, false
	}
	if l.cut {
		l.stats.Drops[media.DropLost]++
		return nil
	}
	media.Split(head, f.Data, r.opts.ChunkSize, 0, func(buf []byte) {
		c, err := media.ParseChunk(buf)
		if err != nil {
			panic("client: " + err.Error()) // Split keeps every rule
		}
		l.keyGone = l.up.Write(&c, relay.Message{Data: buf}) || l.keyGone
	})
	return nil
}

// number gives a frame its place.
func (l *OutgoingLayer) number(h *media.ChunkHeader) error {
	switch {
	case h.Key:
		l.group++
		l.frame, l.begun = 0, true
	case !l.begun:
		return ErrNoKey
	case l.frame == maxGroupFrames:
		return ErrLongGroup
	}
	h.Group, h.Frame = l.group, uint16(l.frame)
	l.frame++
	return nil
}

// KeyWanted reports whether the next frame had better be a key frame: a receiver asked for one, or the rest of the
// group is being dropped.
func (l *OutgoingLayer) KeyWanted() bool {
	r := l.track.room
	r.mu.Lock()
	defer r.mu.Unlock()
	return l.keyGone
}

// Wanted reports whether somebody takes the layer: a publisher may as well not encode one that nobody does. What is wanted again begins
// with a key frame.
func (l *OutgoingLayer) Wanted() bool {
	r := l.track.room
	r.mu.Lock()
	defer r.mu.Unlock()
	return l.wanted
}

// Stats counts what was written so far.
func (l *OutgoingLayer) Stats() OutgoingStats {
	r := l.track.room
	r.mu.Lock()
	defer r.mu.Unlock()
	s := l.stats
	s.Drops = l.drops()
	return s
}

// drops are those of this connection's uplink and of earlier ones.
func (l *OutgoingLayer) drops() relay.DropCounts {
	d := l.stats.Drops
	if l.up != nil {
		for why, n := range l.up.Drops() {
			d[why] += n
		}
	}
	return d
}

// add opens a place in an uplink. Where that does not take all, lower layers go before higher ones.
func (l *OutgoingLayer) add(uplink *relay.Uplink) *relay.UplinkTrack {
	t := l.track
	up := uplink.Add(l.alias, relay.ClassOf(t.info.Kind, t.info.Source), len(t.layers)-l.index)
	up.Wait(t.room.opts.MaxAge)
	return up
}

// feedback notes that a key frame is wanted, of one layer or of all.
func (r *Room) feedback(m *signaling.Feedback) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, t := range r.tracks {
		for i, l := range t.layers {
			if t.info.ID == m.Track && m.KeyFrame && (m.Layer == nil || *m.Layer == i) {
				l.keyGone = true
			}
		}
	}
}

// wanted notes which layers somebody takes. One that is wanted again begins with a key frame.
func (r *Room) wanted(m *signaling.Wanted) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, t := range r.tracks {
		for i, l := range t.layers {
			if t.info.ID == m.Track && i < len(m.Layers) {
				l.keyGone = l.keyGone || m.Layers[i] && !l.wanted
				l.wanted = m.Layers[i]
			}
		}
	}
}

//go:build linux

package bench

import (
	"bytes"
	"time"

	"landline/media"
	"landline/signaling"
)

// received is where a member stands with a track.
type received struct {
	seq    uint32 // of the frame under way
	next   uint32 // the least that has not come
	sent   int64
	offset uint32 // where the next chunk begins; 0: none is under way
	late   bool   // between catch-up markers
	any    bool
}

// binary takes a chunk or a catch-up marker; nothing else concerns the bench.
func (m *member) binary(msg []byte, at int64) {
	kind, err := media.KindOf(msg)
	switch {
	case err != nil, m.view != nil: // what came before the PeerConnection did is not what is measured
	case kind == media.KindChunk:
		c, err := media.ParseChunk(msg)
		if err != nil {
			m.lost(err.Error())
			return
		}
		m.chunk(&c, at)
	case kind == media.KindCatchUp:
		c, err := media.ParseControl(msg)
		if r := m.trackOf(c.Alias); err == nil && r != nil {
			r.late, r.offset = c.Code == 1, 0
		}
	}
}

func (m *member) trackOf(a uint16) *received {
	known := &m.w.aliases[a]
	if known.Alias == 0 || known.Room != m.spec.Room || known.Track >= len(m.tracks) {
		return nil
	}
	return &m.tracks[known.Track]
}

// chunk takes a chunk of a frame, and counts the frame with its last.
func (m *member) chunk(c *media.Chunk, at int64) {
	r := m.trackOf(c.Alias)
	if r == nil {
		return
	}
	k := m.tally.kind(m.w.aliases[c.Alias].Audio)
	if c.Offset == 0 {
		sent, seq, ok := stampOf(c.Payload)
		if !ok {
			k.Broken++
			return
		}
		r.sent, r.seq, r.offset = sent, seq, 0
	} else if c.Offset != r.offset {
		r.offset = 0
		k.Broken++
		return
	}
	if r.offset = c.Offset + uint32(len(c.Payload)); !c.Last {
		return
	}
	k.Bytes += uint64(r.offset)
	r.offset = 0
	if r.any && r.seq < r.next {
		return // a catch-up brings again what came before
	}
	r.any, r.next = true, r.seq+1
	if !m.any {
		m.any = true
		m.tally.First.add(at - m.began)
	}
	if r.late {
		k.CaughtUp++
		return
	}
	k.Frames++
	k.Latency.add(at - r.sent)
}

// text takes a control message. Rosters and their changes are most of them, and are not looked into.
func (m *member) text(msg []byte, at int64) {
	switch {
	case bytes.HasPrefix(msg, []byte(`{"type":"member`)), bytes.HasPrefix(msg, []byte(`{"type":"track`)),
		bytes.HasPrefix(msg, []byte(`{"type":"welcome"`)), bytes.HasPrefix(msg, []byte(`{"type":"rtcSent"`)):
		return
	case bytes.HasPrefix(msg, []byte(`{"type":"joined"`)):
		m.joined(msg, at)
		return
	}
	decoded, err := signaling.Decode(msg)
	if err != nil {
		m.lost(err.Error())
		return
	}
	switch t := decoded.(type) {
	case *signaling.AckInterval:
		m.interval = max(t.Ms, 1) * int64(time.Millisecond)
	case *signaling.Drops:
		m.dropped(t)
	case *signaling.Feedback:
		m.feedback(t)
	case *signaling.RTCAnswer:
		m.answered(t.SDP)
	case *signaling.RTCClose:
		m.lost("the PeerConnection is over: " + t.Reason)
	case *signaling.Error:
		if m.stage == joining || t.Fatal {
			m.lost(t.Code + ": " + t.Text)
		}
	}
}

// dropped keeps the newest of the counts that the relay tells, and adds what is new.
func (m *member) dropped(d *signaling.Drops) {
	for _, t := range d.Tracks {
		id := t.Member + "/" + t.Track
		for why, n := range t.Frames {
			if before := m.drops[id][why]; n > before {
				m.tally.Drops[why] += n - before
			}
		}
		if m.drops == nil {
			m.drops = map[string]map[string]uint64{}
		}
		m.drops[id] = t.Frames
	}
}

// feedback makes the next frame a key frame, where one can be made.
func (m *member) feedback(f *signaling.Feedback) {
	if !f.KeyFrame {
		return
	}
	m.w.keyAsked++
	for _, o := range m.own {
		if !o.audio {
			o.wantKey = true
		}
	}
}

package record

import (
	"time"

	"landline/media"
	"landline/relay"
)

// track is one that is recorded.
type track struct {
	member, name string
	info         relay.TrackInfo
	asms         map[uint16]*media.Assembler // of its layers, by alias
	us           int64                       // the newest timestamp, in full
	usAt         time.Duration
	headAt       time.Duration // when the frame that is being put together began to come

	part    *part // in which it has a place; nil: in none
	place   int
	refused bool   // no part can hold it
	alias   uint16 // of the newest frame taken, and where that stands
	group   uint32
	number  uint16
	run     int   // of the Recorder, in which it has begun
	last    int64 // µs in the part, of the newest frame
}

// know adds a track that may come.
func (r *Recorder) know(member string, info relay.TrackInfo) {
	t := &track{member: member, name: r.people[member], info: info, us: max(info.AtUs, info.Clock.Us), usAt: r.member.Now(),
		asms: map[uint16]*media.Assembler{}}
	for _, l := range info.Layers {
		r.tracks[l.Alias], t.asms[l.Alias] = t, &media.Assembler{}
	}
	if r.part != nil {
		r.part.takeUp(t)
	}
}

// lives reports whether a track may still come.
func (r *Recorder) lives(t *track) bool {
	for alias := range t.asms {
		if r.tracks[alias] == t {
			return true
		}
	}
	return false
}

func (r *Recorder) find(member, id string) *track {
	for _, t := range r.tracks {
		if t.member == member && t.info.ID == id {
			return t
		}
	}
	return nil
}

// lose forgets a track that has ended.
func (r *Recorder) lose(t *track) {
	for alias := range t.asms {
		if r.tracks[alias] == t {
			delete(r.tracks, alias)
		}
	}
	delete(r.dropped, t.member+"/"+t.info.ID)
	if r.part != nil && t.part == r.part {
		r.part.past = append(r.part.past, t)
	}
}

// update takes what has changed of an announcement. What a decoder of sound is told at first holds for all of a track in a file.
func (t *track) update(info relay.TrackInfo) {
	if info.Kind == media.Audio && (string(info.Config) != string(t.info.Config) || info.Channels != t.info.Channels) {
		t.part = nil
	}
	t.info = info
}

// same reports whether two publications are of one stream: a camera that was off and on again.
func (t *track) same(o *track) bool {
	return t.member == o.member && t.info.ID == o.info.ID && t.info.Codec == o.info.Codec && t.info.Clock == o.info.Clock &&
		t.info.Channels == o.info.Channels && string(t.info.Config) == string(o.info.Config)
}

// format is that of the layer with an alias.
func (t *track) format(alias uint16) media.Format {
	f := t.info.Format
	for _, l := range t.info.Layers {
		if l.Alias != alias {
			continue
		}
		if l.Width > 0 && l.Height > 0 {
			f.Width, f.Height = l.Width, l.Height
		}
		if len(l.Config) > 0 {
			f.Config = l.Config
		}
	}
	return f
}

// title names the track for people.
func (t *track) title() string { return t.name + " · " + t.info.ID }

// message takes a binary message, which came to the relay at a time.
func (r *Recorder) message(data []byte, at time.Duration) {
	if data[0] != media.KindChunk {
		c, err := media.ParseControl(data)
		t := r.tracks[c.Alias]
		if err != nil || t == nil {
			return
		}
		switch c.Kind {
		case media.KindAbandon:
			t.asms[c.Alias].Abandon(c)
		case media.KindCatchUp:
			t.asms[c.Alias].CatchUp(c)
		}
		return
	}
	c, err := media.ParseChunk(data)
	t := r.tracks[c.Alias]
	if err != nil || t == nil {
		return
	}
	if c.Offset == 0 {
		t.headAt = at
	}
	if h, frame, ok := t.asms[c.Alias].Push(&c); ok {
		r.frame(t, h, frame)
	}
}

// frame takes a whole frame.
func (r *Recorder) frame(t *track, h media.ChunkHeader, data []byte) {
	f := media.Frame{Timestamp: t.full(h.Timestamp), Key: h.Key || t.info.Kind == media.Audio, Data: data}
	c := r.clock(t)
	c.came(t.headAt, f.Timestamp)
	if t.run == r.run && t.had(h) {
		return
	}
	if r.paused || t.refused {
		r.lost(1)
		return
	}
	if !r.takes(t, f.Key) {
		return
	}
	t.alias, t.group, t.number = h.Alias, h.Group, h.Frame
	if t.info.Codec == media.Opus {
		f.Duration, _ = media.OpusDuration(data) // a packet that is no Opus has none
	}
	r.put(held{track: t, alias: h.Alias, clock: c, frame: f})
	if r.bytes > holdBytes {
		r.settle(time.Now())
	}
}

// takes reports whether a frame can be of use: not in the middle of a group of which the part has not the beginning.
func (r *Recorder) takes(t *track, key bool) bool {
	if t.run != r.run && key {
		t.run = r.run
	}
	return t.run == r.run
}

// had reports whether a catch-up brings a frame once more.
func (t *track) had(h media.ChunkHeader) bool {
	return t.alias == h.Alias && h.Group == t.group && h.Frame <= t.number
}

// full gives the low 32 bits of the member's clock the value that is nearest to where the clock should be.
func (t *track) full(low uint32) int64 {
	should := t.us + (t.headAt - t.usAt).Microseconds()
	t.us, t.usAt = should+int64(int32(low-uint32(should))), t.headAt
	return t.us
}

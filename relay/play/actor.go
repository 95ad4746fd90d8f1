package play

import (
	"fmt"
	"time"

	"landline/media"
	"landline/relay"
	"landline/relay/record"
)

// actor is somebody who was recorded, in the room again.
type actor struct {
	member *relay.Member
	pub    *relay.Publisher
	sub    *relay.Subscriber
	tracks map[int]*track // of the file that is open, by place in it
}

// track is one of an actor's tracks. Its group and frame numbers are those of docs/protocol.md section 5.1.
type track struct {
	id     string
	name   string // that it was recorded under
	alias  uint16
	audio  bool
	group  uint32
	frame  int  // next in the group
	waits  bool // for a key frame
	failed bool // the relay does not take it
	last   int64
}

const (
	// clockZero is where the clock of actors begins, in µs.
	clockZero = 1_000_000
	// chunkSize is the payload of chunks.
	chunkSize      = 4096
	maxGroupFrames = 1 << 16
	// noLevel is the level of sound of which none is known.
	noLevel = 127
)

// actor gives the actor who plays a recorded member, who enters the room for it.
func (p *Player) actor(of record.Track) *actor {
	if a, known := p.actors[of.Member]; known {
		return a
	}
	var a *actor
	m, err := p.deck.relay.Join(p.order.Room, relay.Identity{ID: p.idOf(of.Member), Name: of.Name}, nil, p.notify)
	if err != nil {
		p.deck.log.Warn("one who was recorded is left out", "room", p.order.Room, "name", of.Name, "error", err)
	} else {
		a = &actor{member: m, tracks: map[int]*track{}}
		a.pub, a.sub = m.Handles()
	}
	p.actors[of.Member] = a
	return a
}

// track gives a track of an actor, which is published for it.
func (p *Player) track(a *actor, place int, of record.Track) *track {
	if t := a.tracks[place]; t != nil {
		return t
	}
	for other, t := range a.tracks { // one who has come back, or is gone back to
		if t.name == of.Track {
			a.end(other)
		}
	}
	p.made++
	format := p.tape.file.Formats()[place]
	t := &track{id: fmt.Sprintf("%.24s-%d", of.Track, p.made), name: of.Track, audio: format.Kind == media.Audio, waits: format.Kind == media.Video}
	a.tracks[place] = t
	infos, err := a.member.Publish([]relay.Offer{{ID: t.id, Source: sourceOf(of.Track, format.Kind), Format: format,
		Clock: relay.Clock{Us: clockZero, WallUs: p.start.UnixMicro()}}})
	if err != nil {
		p.deck.log.Warn("a track of a recording is left out", "room", p.order.Room, "name", of.Name, "track", of.Track, "error", err)
		t.failed = true
		return t
	}
	t.alias = infos[0].Layers[0].Alias
	return t
}

// sourceOf is what a track was of: pages call that of a screen so.
func sourceOf(id string, kind media.Kind) string {
	switch {
	case kind == media.Audio:
		return "mic"
	case id == "screen":
		return id
	}
	return "camera"
}

// write has a frame go out that was due at a time.
func (p *Player) write(f *packet, due time.Time) {
	if f.part != p.part {
		p.endTracks()
		p.part = f.part
	}
	of := p.tape.of(f.Track)
	a := p.actor(of)
	if a == nil {
		return
	}
	t := p.track(a, f.Track, of)
	if head, ok := t.next(f.Key, len(f.Data), clockZero+due.Sub(p.start).Microseconds()); ok {
		media.Split(head, f.Data, chunkSize, 0, func(msg []byte) {
			c, err := media.ParseChunk(msg)
			if err != nil {
				panic("play: " + err.Error()) // Split keeps every rule
			}
			_ = a.pub.Write(&c, relay.Message{Data: msg})
		})
	}
}

// next numbers a frame of so many bytes; ok is false for one that nobody can decode.
func (t *track) next(key bool, size int, us int64) (head media.ChunkHeader, ok bool) {
	t.last = max(t.last, us)
	head = media.ChunkHeader{Alias: t.alias, Key: key || t.audio, Timestamp: uint32(t.last)}
	switch {
	case t.failed:
		return head, false
	case head.Key:
		t.group, t.frame, t.waits = t.group+1, 0, false
	case t.waits || t.frame == maxGroupFrames:
		t.waits = true
		return head, false
	}
	if t.audio {
		head.SetLevel(noLevel, false)
	} else {
		head.SetLength(uint32(size))
	}
	head.Group, head.Frame = t.group, uint16(t.frame)
	t.frame++
	return head, true
}

// moved has all tracks of video wait for a key frame: what comes next follows on nothing.
func (p *Player) moved() {
	for _, a := range p.actors {
		if a == nil {
			continue
		}
		for _, t := range a.tracks {
			t.waits = !t.audio
		}
	}
}

// endTracks ends all tracks: another file has others.
func (p *Player) endTracks() {
	for _, a := range p.actors {
		if a == nil {
			continue
		}
		for place := range a.tracks {
			a.end(place)
		}
	}
}

func (a *actor) end(place int) {
	if t := a.tracks[place]; !t.failed {
		_ = a.member.Unpublish(t.id) // it is there
	}
	delete(a.tracks, place)
}

package play

import (
	"fmt"
	"reflect"
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
	tracks map[string]*track // by the name that they were recorded under
}

// track is one of an actor's tracks. Its group and frame numbers are those of docs/protocol.md section 5.1.
type track struct {
	id     string
	alias  uint16
	format media.Format
	part   int // the file and the place in it that it was played from last
	place  int
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
	// againAfter is when one for whom there was no place is tried again.
	againAfter = 5 * time.Second
)

// actor gives the actor who plays a recorded member, who enters the room for it; nil where there is no place.
func (p *Player) actor(of record.Track) *actor {
	if a := p.actors[of.Member]; a != nil {
		return a
	}
	if time.Since(p.refused[of.Member]) < againAfter {
		return nil
	}
	m, err := p.deck.relay.Join(p.order.Room, relay.Identity{ID: p.idOf(of.Member), Name: of.Name, Deaf: true}, nil, p.notify)
	if err != nil {
		p.refused[of.Member] = time.Now()
		p.deck.log.Warn("one who was recorded is left out", "room", p.order.Room, "name", of.Name, "error", err)
		return nil
	}
	a := &actor{member: m, tracks: map[string]*track{}}
	a.pub, a.sub = m.Handles()
	p.actors[of.Member] = a
	return a
}

// track gives the track of an actor that a frame goes to, which is published for it at a time of the actor's clock. One who has come back, and one in another file,
// goes on with the track that was there before.
func (p *Player) track(a *actor, f *packet, of record.Track, us int64) *track {
	format := p.tape.file.Formats()[f.Track]
	t := a.tracks[of.Track]
	if t != nil && t.format.Codec != format.Codec {
		a.end(of.Track)
		t = nil
	}
	switch {
	case t == nil:
		t = p.publish(a, of, format, us)
	case t.part != f.part || t.place != f.Track:
		t.waits = !t.audio
		if !reflect.DeepEqual(t.format, format) && !t.failed {
			t.failed = a.member.Configure(t.id, format, nil) != nil
		}
	}
	t.format, t.part, t.place = format, f.part, f.Track
	return t
}

func (p *Player) publish(a *actor, of record.Track, format media.Format, us int64) *track {
	p.made++
	t := &track{id: fmt.Sprintf("%.24s-%d", of.Track, p.made), audio: format.Kind == media.Audio, waits: format.Kind == media.Video}
	a.tracks[of.Track] = t
	infos, err := a.member.Publish([]relay.Offer{{ID: t.id, Source: sourceOf(of.Track, format.Kind), Format: format,
		Clock: relay.Clock{Us: us, WallUs: p.start.UnixMicro() + us - clockZero}}})
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
		p.part = f.part
		p.endAbsent()
	}
	of := p.tape.of(f.Track)
	a := p.actor(of)
	if a == nil {
		return
	}
	us := max(clockZero, clockZero+due.Sub(p.start).Microseconds())
	t := p.track(a, f, of, us)
	if head, ok := t.next(f.Key, len(f.Data), us); ok {
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
		for _, t := range a.tracks {
			t.waits = !t.audio
		}
	}
}

// endAbsent ends the tracks that the file that is played now does not have.
func (p *Player) endAbsent() {
	there := map[string]bool{}
	for i := range p.tape.file.Formats() {
		of := p.tape.of(i)
		there[of.Member+"/"+of.Track] = true
	}
	for id, a := range p.actors {
		for name := range a.tracks {
			if !there[id+"/"+name] {
				a.end(name)
			}
		}
	}
}

func (a *actor) end(name string) {
	if t := a.tracks[name]; !t.failed {
		_ = a.member.Unpublish(t.id) // it is there
	}
	delete(a.tracks, name)
}

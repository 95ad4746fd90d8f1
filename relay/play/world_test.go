package play

import (
	"bytes"
	"os"
	"testing"
	"time"

	"landline/media"
	"landline/media/webm"
	"landline/relay"
	"landline/relay/record"
)

const recording = "20261128-200000-kitchen-01234567"

// shelf is a catalogue of one recording, in memory.
type shelf struct {
	info  record.Info
	files [][]byte
}

type content struct{ *bytes.Reader }

func (content) Close() error { return nil }

func (s *shelf) Get(id string) (record.Info, error) {
	if id != s.info.ID {
		return record.Info{}, record.ErrNotFound
	}
	return s.info, nil
}

func (s *shelf) Live(string) *record.Recorder { return nil }

func (s *shelf) Media(id string, part int) (record.Content, string, time.Time, error) {
	if id != s.info.ID || part < 0 || part >= len(s.files) {
		return nil, "", time.Time{}, record.ErrNotFound
	}
	return content{bytes.NewReader(s.files[part])}, s.info.Files[part].Name, time.Time{}, nil
}

// disk is a file in memory.
type disk struct{ data []byte }

func (d *disk) WriteAt(b []byte, at int64) (int, error) {
	if end := int(at) + len(b); end > len(d.data) {
		d.data = append(d.data, make([]byte, end-len(d.data))...)
	}
	return copy(d.data[at:], b), nil
}

// clip is the packets of the test clip: a picture with four key frames, and sound.
func clip(t testing.TB) ([]media.Format, []media.Packet) {
	t.Helper()
	b, err := os.ReadFile("../../testdata/bunny-4s.webm")
	if err != nil {
		t.Fatal(err)
	}
	r, err := webm.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	var all []media.Packet
	for {
		p, err := r.Next()
		if err != nil {
			return r.Formats(), all
		}
		all = append(all, p)
	}
}

// add adds a file in which these members say what is in the clip, all at once.
func (s *shelf) add(t testing.TB, formats []media.Format, packets []media.Packet, members ...string) {
	t.Helper()
	d := &disk{}
	g, err := webm.NewGrowing(d, true)
	if err != nil {
		t.Fatal(err)
	}
	file := record.File{Name: "file.webm"}
	places := map[[2]int]int{}
	for _, p := range packets {
		for m, name := range members {
			key := [2]int{m, p.Track}
			if _, there := places[key]; !there {
				if places[key], err = g.Add(formats[p.Track], name, p.Frame); err != nil {
					t.Fatal(err)
				}
				kind := formats[p.Track].Kind
				id := map[media.Kind]string{media.Audio: "mic", media.Video: "camera"}[kind]
				file.Tracks = append(file.Tracks, record.Track{Member: "m-" + name, Name: name, Track: id, Kind: string(kind)})
			}
			if err := g.Write(media.Packet{Track: places[key], Frame: p.Frame}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	file.Bytes, file.DurationMs = int64(len(d.data)), g.Length()
	s.info.ID, s.info.Room = recording, "kitchen"
	s.info.Files, s.files = append(s.info.Files, file), append(s.files, d.data)
}

// viewer is somebody in the room.
type viewer struct {
	t      testing.TB
	member *relay.Member
	sub    *relay.Subscriber
	kick   chan struct{}
	quit   chan struct{}
	done   chan struct{}
	began  time.Time
	acked  uint64

	people map[string]string // names by id
	names  map[uint16]string // of tracks: member/source
	video  map[uint16]bool
	parts  map[uint16]*media.Assembler
	frames []frame
	states []relay.Playback
	left   []string
}

// frame is one that came.
type frame struct {
	at    time.Time
	of    string // member/source
	group uint32
	media.Frame
}

var everything = relay.Carries{media.Opus, media.VP8, media.VP9, media.H264, media.AV1}

func watch(t testing.TB, r *relay.Relay, name string) *viewer {
	t.Helper()
	v := &viewer{t: t, kick: make(chan struct{}, 1), quit: make(chan struct{}), done: make(chan struct{}), began: time.Now(), people: map[string]string{}, names: map[uint16]string{},
		video: map[uint16]bool{}, parts: map[uint16]*media.Assembler{}}
	m, err := r.Join("room", relay.Identity{ID: name, Name: name}, everything, func(bool) {
		select {
		case v.kick <- struct{}{}:
		default:
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	v.member = m
	_, v.sub = m.Handles()
	_, others := m.Roster()
	for _, o := range others {
		v.people[o.ID] = o.Name
		for _, info := range o.Tracks {
			v.know(o.ID, info)
		}
	}
	if err := m.Subscribe(relay.Selector{}, relay.Want{}); err != nil {
		t.Fatal(err)
	}
	go v.work()
	return v
}

func (v *viewer) know(member string, info relay.TrackInfo) {
	alias := info.Layers[0].Alias
	v.names[alias], v.video[alias] = v.people[member]+"/"+info.Source, info.Kind == media.Video
	v.parts[alias] = &media.Assembler{}
}

func (v *viewer) work() {
	defer close(v.done)
	for {
		for {
			out, more := v.sub.Pull(nil)
			for _, o := range out {
				v.take(o)
			}
			if len(out) > 0 {
				v.sub.Acked(v.acked, time.Since(v.began)+1)
				continue
			}
			if !more {
				break
			}
			time.Sleep(time.Millisecond)
		}
		select {
		case <-v.kick:
		case <-v.quit:
			v.member.Leave("bye")
			return
		}
	}
}

func (v *viewer) take(o relay.Out) {
	v.acked += uint64(len(o.Data))
	if e := o.Event; e != nil {
		switch e.Kind {
		case relay.MemberJoined:
			v.people[e.Member] = e.Name
		case relay.TrackAdded:
			v.know(e.Member, e.Track)
		case relay.PlaybackState:
			v.states = append(v.states, *e.Playback)
		case relay.MemberLeft:
			v.left = append(v.left, e.Member)
		}
		return
	}
	kind, err := media.KindOf(o.Data)
	if err != nil || kind != media.KindChunk {
		return
	}
	c, err := media.ParseChunk(o.Data)
	if err != nil {
		v.t.Error(err)
		return
	}
	h, data, whole := v.parts[c.Alias].Push(&c)
	if whole {
		v.frames = append(v.frames, frame{time.Now(), v.names[c.Alias], h.Group, media.Frame{Timestamp: int64(h.Timestamp), Key: h.Key, Data: data}})
	}
}

// leave leaves the room, and everything is through.
func (v *viewer) leave() {
	close(v.quit)
	<-v.done
}

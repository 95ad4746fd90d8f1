package relay

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"landline/media"
)

// piece describes one chunk to write: n bytes of payload.
type piece struct {
	group  uint32
	frame  uint16
	offset uint32
	n      int
	key    bool
	last   bool
	length uint32
}

func (p piece) message(t *testing.T, c *source) (*media.Chunk, Message) {
	t.Helper()
	h := media.ChunkHeader{Alias: c.info.Layers[0].Alias, Group: p.group, Frame: p.frame, Offset: p.offset, Key: p.key, Last: p.last}
	h.SetLength(p.length)
	data := append(h.Append(nil), make([]byte, p.n)...)
	parsed, err := media.ParseChunk(data)
	if err != nil {
		t.Fatalf("the test's own chunk %+v: %v", p, err)
	}
	return &parsed, Message{Data: data}
}

var (
	key   = piece{group: 5, key: true, last: true, n: 10}
	delta = piece{group: 5, frame: 1, last: true, n: 10}
	first = piece{group: 5, frame: 1, n: 32}
	tail  = piece{group: 5, frame: 1, offset: 32, last: true, n: 5}
)

func TestOrderOfVideoChunks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, c := range map[string]struct {
			before []piece
			then   piece
			want   string // of the error; empty if none
		}{
			"in order":              {[]piece{key}, delta, ""},
			"in pieces":             {[]piece{key, first}, tail, ""},
			"next group":            {[]piece{key}, piece{group: 9, key: true, last: true, n: 1}, ""},
			"announced length":      {[]piece{key}, piece{group: 5, frame: 1, last: true, n: 10, length: 10}, ""},
			"frame again":           {[]piece{key, delta}, delta, "group 5 frame 1 begins, where group 5 frame 2 comes next"},
			"frame left out":        {[]piece{key}, piece{group: 5, frame: 2, last: true, n: 1}, "group 5 frame 2 begins, where group 5 frame 1 comes next"},
			"group goes back":       {[]piece{key}, piece{group: 4, key: true, last: true, n: 1}, "group 4 frame 0 begins"},
			"key frame again":       {[]piece{key}, key, "group 5 frame 0 begins"},
			"new group in mid":      {[]piece{key}, piece{group: 6, frame: 3, last: true, n: 1}, "group 6 begins with frame 3, key false"},
			"new group without key": {[]piece{key}, piece{group: 6, last: true, n: 1}, "group 6 begins with frame 0, key false"},
			"frame inside a frame":  {[]piece{key, first}, piece{group: 5, frame: 2, last: true, n: 1}, "group 5 frame 2 begins, where group 5 frame 1 is open at 32"},
			"group inside a frame":  {[]piece{key, first}, piece{group: 6, key: true, last: true, n: 1}, "is open at 32"},
			"piece left out":        {[]piece{key, first}, piece{group: 5, frame: 1, offset: 48, last: true, n: 1}, "a piece at offset 48 of group 5 frame 1"},
			"piece again":           {[]piece{key, first}, piece{group: 5, frame: 1, offset: 16, last: true, n: 1}, "a piece at offset 16"},
			"piece of another":      {[]piece{key, first}, piece{group: 5, frame: 2, offset: 32, last: true, n: 1}, "a piece at offset 32 of group 5 frame 2"},
			"piece of no frame":     {[]piece{key}, tail, "a piece at offset 32 of group 5 frame 1, where group 5 frame 1 comes next"},
			"over its length":       {[]piece{key, {group: 5, frame: 1, n: 32, length: 40}}, piece{group: 5, frame: 1, offset: 32, n: 16}, "a frame of 48 bytes that was announced with 40"},
			"under its length":      {[]piece{key}, piece{group: 5, frame: 1, last: true, n: 10, length: 11}, "a frame of 10 bytes that was announced with 11"},
			"mid-group at first":    {nil, delta, ""},
			"tail at first":         {[]piece{first}, tail, ""},
		} {
			w := newWorld(t, Options{})
			ann := w.join("ann")
			cam := ann.camera()
			for _, p := range c.before {
				chunk, m := p.message(t, cam)
				if err := ann.pub.Write(chunk, m); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
			}
			chunk, m := c.then.message(t, cam)
			err := ann.pub.Write(chunk, m)
			var order *OrderError
			if c.want == "" && err != nil || c.want != "" && (!errors.As(err, &order) || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%s: %v, want %q", name, err, c.want)
			}
		}
	})
}

func TestOrderOfAudioChunks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one := piece{group: 5, key: true, last: true, n: 10}
		for name, c := range map[string]struct {
			then piece
			want string
		}{
			"next":         {piece{group: 6, key: true, last: true, n: 10}, ""},
			"one left out": {piece{group: 8, key: true, last: true, n: 10}, ""},
			"again":        {one, "group 5 frame 0 begins"},
			"back":         {piece{group: 4, key: true, last: true, n: 10}, "group 4 frame 0 begins"},
			"frame 1":      {piece{group: 5, frame: 1, last: true, n: 10}, "group 5 frame 1 begins"},
			"no key":       {piece{group: 6, last: true, n: 10}, "key false"},
			"level":        {piece{group: 6, key: true, last: true, n: 10, length: 0xff00_0000}, ""}, // no length, to audio
		} {
			w := newWorld(t, Options{})
			ann := w.join("ann")
			mic := ann.mic()
			for i, p := range []piece{one, c.then} {
				chunk, m := p.message(t, mic)
				err := ann.pub.Write(chunk, m)
				if i == 0 && err != nil {
					t.Fatal(err)
				}
				if i == 1 && ((err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want)) {
					t.Errorf("%s: %v, want %q", name, err, c.want)
				}
			}
		}
	})
}

func TestVideoFrameLengthOverTheCapIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		ann := w.join("ann")
		chunk, m := piece{group: 1, key: true, n: 16, length: media.MaxFrameSize + 1}.message(t, ann.camera())
		if err := ann.pub.Write(chunk, m); !errors.Is(err, media.ErrWireTooLarge) {
			t.Errorf("error %v", err)
		}
	})
}

func TestGroupOfMoreThan65536FramesIsRefused(t *testing.T) {
	var p position
	for i := range 1 << 16 {
		h := media.ChunkHeader{Group: 1, Frame: uint16(i), Key: i == 0, Last: true}
		if ok, err := p.follow(&media.Chunk{ChunkHeader: h, Payload: []byte{1}}, true); !ok || err != nil {
			t.Fatalf("frame %d: %v", i, err)
		}
	}
	again := media.Chunk{ChunkHeader: media.ChunkHeader{Group: 1, Last: true}, Payload: []byte{1}}
	if _, err := p.follow(&again, true); err == nil {
		t.Error("frame 65,536 was taken as frame 0")
	}
	next := media.Chunk{ChunkHeader: media.ChunkHeader{Group: 2, Key: true, Last: true}, Payload: []byte{1}}
	if ok, err := p.follow(&next, true); !ok || err != nil {
		t.Errorf("the next group: %v", err)
	}
}

// A refused chunk leaves no trace: nothing of it is delivered, and what is in order goes on.
func TestRefusedChunkLeavesNoTrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		bob := w.join("bob", Selector{})
		ann := w.join("ann")
		cam := ann.camera()
		cam.send(true, 100)
		bad, m := piece{group: 2, key: true, last: true, n: 10, length: 11}.message(t, cam)
		if err := ann.pub.Write(bad, m); err == nil {
			t.Fatal("not refused")
		}
		cam.send(false, 100)
		bob.drain()
		if n := len(bob.of("ann", "camera").got); n != 2 {
			t.Errorf("%d frames", n)
		}
	})
}

func TestPublishersControlOutOfPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		bob := w.join("bob", Selector{})
		cam := w.join("ann").camera()
		for _, group := range []uint32{0, 1, 7} { // nothing was sent yet
			if err := cam.control(media.KindAbandon, group, 0); err != nil {
				t.Fatal(err)
			}
		}
		cam.send(true, 100)
		if err := cam.control(media.KindAbandon, 7, 0); err != nil {
			t.Fatal(err)
		}
		if err := cam.control(media.KindCatchUp, 1, 0); !errors.Is(err, media.ErrWireKind) {
			t.Errorf("a marker from a publisher: %v", err)
		}
		cam.send(false, 100)
		bob.drain()
		if in := bob.of("ann", "camera"); len(in.got) != 2 || len(in.abandons) != 0 {
			t.Errorf("%d frames, abandons %v", len(in.got), in.abandons)
		}
	})
}

package main

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"landline/media"
	"landline/media/webm"
	"landline/signaling"
	"landline/signaling/client"
	"landline/signaling/impair"
)

// lab is a relay in a process of its own, and the roads to it.
type lab struct {
	url   string // of the relay
	token string // where it has keys
	// path opens a road to the relay for one member and returns the address to join at.
	path func(t *testing.T, up, down impair.Link) (url string, r road)
}

// road is the path of one member, an impair.Proxy or something like it.
type road interface {
	SetUp(impair.Link)
	SetDown(impair.Link)
	Stall(time.Duration)
	Held() (up, down int)
}

// loopbackLab has its roads over proxies in this process.
func loopbackLab(t *testing.T) *lab {
	t.Helper()
	var none, log output
	serve := child(t, "landline", &none, &log, "serve", "--listen", "127.0.0.1:0")
	t.Cleanup(func() {
		_ = serve.Process.Signal(syscall.SIGTERM) // it may have failed: Wait tells
		if err := serve.Wait(); err != nil {
			t.Errorf("serve: %v: %s", err, log.String())
		}
	})
	var serving struct{ URL string }
	if err := json.Unmarshal([]byte(log.line(t, `"msg":"serving"`)), &serving); err != nil {
		t.Fatal(err)
	}
	l := &lab{url: serving.URL}
	l.path = func(t *testing.T, up, down impair.Link) (string, road) {
		d := detourTo(t, serving.URL, up, down)
		return d.url, d
	}
	return l
}

// publisher streams a file in another process until its time is over.
type publisher struct {
	out, log output
	ended    chan error
}

func (l *lab) stream(t *testing.T, url, file string, d time.Duration) *publisher {
	t.Helper()
	p := &publisher{ended: make(chan error, 1)}
	args := []string{"stream", file, "--url", url, "--room", "lab", "--name", "src", "--json", "--loop", "--duration", d.String()}
	if l.token != "" {
		args = append(args, "--token", l.token)
	}
	cmd := child(t, "landline", &p.out, &p.log, args...)
	go func() { p.ended <- cmd.Wait() }()
	return p
}

// report waits for its end.
func (p *publisher) report(t *testing.T) (r streamReport) {
	t.Helper()
	if err := <-p.ended; err != nil {
		t.Fatalf("stream: %v: %s", err, p.log.String())
	}
	if err := decodeOne(p.out.String(), &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// heard is one frame as it came. All processes share the machine's clock.
type heard struct {
	from         string // the member's name
	kind         media.Kind
	due, at      time.Time
	key, catchUp bool
	group        uint32
	number       uint16
	bytes        int
	height       int // of its layer
}

func (h heard) age() time.Duration { return h.at.Sub(h.due) }

// listener is a member in this process that writes down what comes.
type listener struct {
	room *client.Room

	mu     sync.Mutex
	frames []heard
	tracks int                          // announced by now
	ended  int                          // of them
	drops  map[string]map[string]uint64 // as the relay told, by track and reason
}

func (l *lab) listen(t *testing.T, url, name string, publish ...signaling.Track) *listener {
	t.Helper()
	e := &listener{drops: map[string]map[string]uint64{}}
	room, err := client.Dial(t.Context(), client.Options{URL: url, Room: "lab", Name: name, Token: l.token, Publish: publish,
		Subscribe: []signaling.Subscribe{{}}, OnEvent: e.event, OnFrame: e.frame})
	if err != nil {
		t.Fatal(err)
	}
	e.room = room
	t.Cleanup(room.Close)
	return e
}

func (e *listener) event(msg any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch m := msg.(type) {
	case *signaling.TrackAdded:
		if m.Type == "trackAdded" {
			e.tracks++
		}
	case *signaling.TrackRemoved:
		e.ended++
	case *signaling.Drops:
		for _, d := range m.Tracks {
			e.drops[d.Track] = d.Frames
		}
	}
}

func (e *listener) frame(in *client.Incoming, f client.Frame) {
	track := in.Track()
	h := heard{from: in.Member.Name, kind: track.Kind, at: f.Arrived, key: f.Key, catchUp: f.CatchUp, group: f.Group, number: f.Number,
		bytes: len(f.Data), height: in.Stats().Layer.Height, due: time.UnixMicro(track.Clock.WallUs + f.Timestamp - track.Clock.Us)}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.frames = append(e.frames, h)
}

// all is what has come so far.
func (e *listener) all() []heard {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.frames)
}

func (e *listener) count(f func(*listener) int) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return f(e)
}

// over waits for the end of all tracks.
func (e *listener) over(t *testing.T) {
	t.Helper()
	until(t, "end of the tracks", func() bool {
		return e.count(func(e *listener) int { return e.tracks }) == e.count(func(e *listener) int { return e.ended })
	})
}

// steadyClip is a file of ten seconds whose rate is known: VP8 of bits a second at 25 frames a second, a key frame of three times the
// size of others each two seconds, and Opus of 32 kbit/s in packets of 20 ms. What is in the frames is noise: nobody decodes it.
// wire is its rate on the wire in bytes a second, headers included.
func steadyClip(t *testing.T, bits int) (path string, wire int) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "steady.webm")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	w, err := webm.NewWriter(file, []media.Format{{Kind: media.Video, Codec: media.VP8, CodecString: "vp8", Width: 640, Height: 360},
		{Kind: media.Audio, Codec: media.Opus, CodecString: "opus", SampleRate: 48000, Channels: 1}})
	if err != nil {
		t.Fatal(err)
	}
	chance := rand.New(rand.NewPCG(linkSeed, 2))
	delta := bits / 8 * 2 / 52 // 50 frames in 2 s, one of them as large as three
	total := 0
	put := func(track int, ms int64, key bool, head []byte, size int) {
		data := append(head, make([]byte, size-len(head))...)
		for i := len(head); i < size; i++ {
			data[i] = byte(chance.Uint32())
		}
		const chunk, headers = 4096, 16 + 4
		total += size + (size/chunk+1)*headers
		if err := w.Write(media.Packet{Track: track, Frame: media.Frame{Timestamp: ms * 1000, Key: key, Data: data}}); err != nil {
			t.Fatal(err)
		}
	}
	for ms := int64(0); ms < 10_000; ms += 20 {
		switch {
		case ms%2000 == 0:
			put(0, ms, true, []byte{0x10, 0, 0, 0x9d, 0x01, 0x2a, 640 & 255, 640 >> 8, 360 & 255, 360 >> 8}, 3*delta)
		case ms%40 == 0:
			put(0, ms, false, []byte{0x11, 0, 0}, delta)
		}
		put(1, ms, true, []byte{0x78}, 80) // CELT, 20 ms, one frame
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return path, total / 10
}

// quantile of durations, in ms; 0 of none.
func quantile(list []time.Duration, q float64) float64 {
	if len(list) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(list))
	return milliseconds(s[min(int(q*float64(len(s))), len(s)-1)])
}

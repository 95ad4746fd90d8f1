package client

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"landline/media"
	"landline/signaling"
)

func layeredTrack() signaling.Track {
	t := videoTrack()
	t.Source, t.KeyOnRequest = signaling.SourceCamera, true
	t.Layers = []signaling.Layer{{Width: 320, Height: 180}, {Width: 640, Height: 360}, {Width: 1280, Height: 720}}
	return t
}

// camera writes a picture in each layer every few milliseconds until the test is over: only in those that are wanted, key frames when
// asked. The first byte of a frame is the index of its layer.
func camera(t *testing.T, track *Outgoing) {
	t.Helper()
	over, ended := make(chan struct{}), make(chan struct{})
	t.Cleanup(func() { close(over); <-ended })
	go func() {
		defer close(ended)
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for n := int64(0); ; n++ {
			for i, l := range track.Layers() {
				if !l.Wanted() && n > 0 {
					continue
				}
				f := media.Frame{Timestamp: n * 5_000, Key: n == 0 || l.KeyWanted(), Data: append([]byte{byte(i)}, noise(500*(i+1), uint64(n))...)}
				if err := l.Write(f); err != nil {
					t.Error(err)
					return
				}
			}
			select {
			case <-tick.C:
			case <-over:
				return
			}
		}
	}()
}

// layersOf lists the layers that frames came of, each change once.
func layersOf(frames []Frame) (list []int) {
	for _, f := range frames {
		if n := len(list); n == 0 || list[n-1] != int(f.Data[0]) {
			list = append(list, int(f.Data[0]))
		}
	}
	return list
}

func TestLayersAreSentOneAtATime(t *testing.T) {
	url := serve(t)
	src := dial(t, Options{URL: url, Name: "source", Publish: []signaling.Track{layeredTrack()}})
	track := src.Track("video")
	camera(t, track)
	e := newEar()
	r := dial(t, Options{URL: url, Subscribe: []signaling.Subscribe{{}}, OnEvent: e.event, OnFrame: e.frame})
	wanted := func(want ...bool) {
		t.Helper()
		src.sees(t, func() bool {
			var got []bool
			for _, l := range track.Layers() {
				got = append(got, l.wanted)
			}
			return slices.Equal(got, want)
		})
	}
	var want []int
	for _, c := range []struct{ height, layer int }{{0, 2}, {180, 0}, {300, 1}, {0, 2}, {100, 0}} {
		if err := r.Send(&signaling.Subscribe{Height: c.height}); err != nil {
			t.Fatal(err)
		}
		want = append(want, c.layer)
		e.until(t, "the layer asked for", func() bool { l := layersOf(e.frames["video"]); return slices.Equal(l, want) })
		flags := make([]bool, 3)
		flags[c.layer] = true
		wanted(flags...)
		if got := r.Incoming(src.Self(), "video").Stats().Layer; got.Height != []int{180, 360, 720}[c.layer] {
			t.Errorf("stats tell of %+v", got)
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for i, f := range e.frames["video"] {
		if before := max(0, i-1); f.Data[0] != e.frames["video"][before].Data[0] && !f.Key {
			t.Errorf("frame %d of layer %d is the first and no key frame", i, f.Data[0])
		}
	}
	if s := r.Incoming(src.Self(), "video").Stats(); s.Gaps != 0 || s.Switches != uint64(len(want)-1) {
		t.Errorf("%d gaps, %d switches", s.Gaps, s.Switches)
	}
}

// sees waits until a condition holds that is looked at under Room.mu.
func (r *Room) sees(t *testing.T, ok func() bool) {
	t.Helper()
	for late := time.Now().Add(patience); ; {
		r.mu.Lock()
		holds := ok()
		r.mu.Unlock()
		if holds {
			return
		}
		if time.Now().After(late) {
			t.Fatalf("not within %v", patience)
		}
		time.Sleep(5 * time.Millisecond) // until it is told
	}
}

func TestLayerThatIsNotMadeIsNotSent(t *testing.T) {
	url := serve(t)
	e := newEar()
	dial(t, Options{URL: url, Subscribe: []signaling.Subscribe{{Height: 360}}, OnEvent: e.event, OnFrame: e.frame})
	src := dial(t, Options{URL: url, Name: "source", Publish: []signaling.Track{layeredTrack()}})
	camera(t, src.Track("video"))
	e.until(t, "frames of 360", func() bool { return slices.Equal(layersOf(e.frames["video"]), []int{1}) })
	for _, c := range []struct {
		made  []bool
		layer int
		why   string
	}{{[]bool{true, false, true}, 0, signaling.WhyPublisher}, {[]bool{true, true, true}, 1, signaling.WhyAsked}} {
		if err := src.Send(&signaling.Encoding{Track: "video", Layers: c.made}); err != nil {
			t.Fatal(err)
		}
		e.until(t, "another layer", func() bool { l := layersOf(e.frames["video"]); return l[len(l)-1] == c.layer })
		e.until(t, "word of it", hears(e, func(m *signaling.LayerSent) bool {
			return m.Why == c.why && m.Height == []int{180, 360, 720}[c.layer] && m.Member == src.Self() && m.Track == "video"
		}))
	}
}

// A track of several layers is whole for one who holds one of them: also its end.
func TestLayersEndTogether(t *testing.T) {
	url := serve(t)
	e := newEar()
	dial(t, Options{URL: url, Subscribe: []signaling.Subscribe{{Height: 180, Hold: true, MaxAgeMs: 10_000}}, OnEvent: e.event, OnFrame: e.frame})
	src := dial(t, Options{URL: url, Name: "source", Publish: []signaling.Track{layeredTrack()}, MaxAge: patience})
	track := src.Track("video")
	var sent []media.Frame
	for n := range 40 {
		for i, l := range track.Layers() {
			f := media.Frame{Timestamp: int64(n) * 40_000, Key: n%10 == 0, Data: append([]byte{byte(i)}, noise(3000, uint64(n))...)}
			if err := l.Write(f); err != nil {
				t.Fatal(err)
			}
			if i == 0 {
				sent = append(sent, f)
			}
		}
	}
	track.End()
	drain(t, src)
	e.until(t, "end", hears(e, func(m *signaling.TrackRemoved) bool { return m.Track == "video" }))
	got := e.frames["video"]
	if len(got) != len(sent) {
		t.Fatalf("%d frames of %d, of layers %v", len(got), len(sent), layersOf(got))
	}
	for i, f := range got {
		if !bytes.Equal(f.Data, sent[i].Data) || f.Timestamp != sent[i].Timestamp {
			t.Errorf("frame %d differs", i)
		}
	}
	if s := track.Layers()[2].Stats(); s.Frames != 40 || track.Stats().Frames != 120 {
		t.Errorf("stats %+v, %+v", s, track.Stats())
	}
}

package server

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"landline/media"
	"landline/signaling"
)

const layered = `{"id":"camera","kind":"video","source":"camera","codec":"vp8","codecString":"vp8","width":1280,"height":720,
"layers":[{"width":320,"height":180},{"width":640,"height":360},{"width":1280,"height":720}],"keyOnRequest":true}`

func TestLayersThatCannotBeAreRefused(t *testing.T) {
	_, url := start(t, Config{})
	p, _ := enter(t, url, "r", "")
	for _, layers := range []string{`[{"width":320}]`, `[{"width":-1,"height":180}]`, `[{"width":320,"height":180},{"width":320,"height":180}]`,
		`[{"width":640,"height":360},{"width":320,"height":180}]`, `[{"width":20000,"height":180}]`,
		`[` + strings.Repeat(`{"width":1,"height":1},`, 3) + `{"width":9,"height":9}]`} {
		p.text(`{"type":"publish","req":3,"tracks":[` + strings.Replace(camera, `"width"`, `"layers":`+layers+`,"width"`, 1) + `]}`)
		if e := await[signaling.Error](p); e.Code != signaling.ErrBadTrack || e.Req != 3 || e.Fatal {
			t.Errorf("%s: %+v", layers, e)
		}
	}
	p.text(`{"type":"publish","req":4,"tracks":[` + strings.Replace(mic, `"sampleRate"`, `"layers":[{"width":320,"height":180}],"sampleRate"`, 1) + `]}`)
	if e := await[signaling.Error](p); e.Code != signaling.ErrBadTrack {
		t.Errorf("layers of sound: %+v", e)
	}
	p.text(`{"type":"publish","req":5,"tracks":[` + layered + `]}`)
	got := await[signaling.Published](p).Tracks[0].Layers
	if len(got) != 3 || got[0].Alias == 0 || got[0].Alias == got[1].Alias || got[2].Height != 720 {
		t.Fatalf("layers %+v", got)
	}
	for _, bad := range []string{`{"type":"encoding","req":6,"track":"camera","layers":[true]}`, `{"type":"encoding","req":6,"track":"camera"}`,
		`{"type":"configure","req":6,"track":"camera","codecString":"vp8","layers":[{"width":8,"height":8}]}`} {
		p.text(bad)
		if e := await[signaling.Error](p); e.Code != signaling.ErrBadTrack || e.Req != 6 {
			t.Errorf("%s: %+v", bad, e)
		}
	}
	p.text(`{"type":"encoding","req":7,"track":"none","layers":[true]}`)
	if e := await[signaling.Error](p); e.Code != signaling.ErrNoSuchTrack || e.Req != 7 {
		t.Errorf("encoding of no track: %+v", e)
	}
	p.text(`{"type":"configure","track":"camera","codecString":"vp8","layers":[{"width":160,"height":90},{"width":320,"height":180},{"width":640,"height":360}]}`)
	p.text(`{"type":"chat","text":"still here"}`)
	await[signaling.Chat](p)
	other, joined := enter(t, url, "r", "")
	if l := joined.Members[0].Tracks[0].Layers; len(l) != 3 || l[2].Height != 360 || l[2].Alias != got[2].Alias {
		t.Errorf("after configure: %+v", l)
	}
	_ = other
}

// A receiver that changes its mind all the time costs the publisher at most one key frame of each layer in half a second.
func TestFloodOfHeightsIsCoalesced(t *testing.T) {
	s, url := start(t, Config{})
	pub, joined := enter(t, url, "r", `"publish":[`+layered+`]`)
	layers := joined.Self.Tracks[0].Layers
	for _, l := range layers {
		for _, c := range frames(l.Alias, 1, 0, 60_000) { // too much for a catch-up on an unknown link
			pub.binary(c)
		}
	}
	go drainProbe(pub)
	sub, _ := enter(t, url, "r", `"subscribe":[{}]`)
	sub.awaitMedia()
	before := s.relay.Totals().Asks.Load()
	for i := range 300 {
		sub.text(fmt.Sprintf(`{"type":"subscribe","height":%d}`, []int{180, 360, 720}[i%3]))
	}
	sub.text(`{"type":"chat","text":"done"}`)
	await[signaling.Chat](sub)
	// Two at once, and as many each half second: the flood itself is read within a few seconds.
	if n := s.relay.Totals().Asks.Load() - before; n > 40 {
		t.Errorf("%d key frames were asked for in 300 changes of mind", n)
	}
}

func TestLayersAreToldOfInStatusAndMetrics(t *testing.T) {
	_, url := start(t, Config{})
	pub, joined := enter(t, url, "r", `"publish":[`+layered+`]`)
	layers := joined.Self.Tracks[0].Layers
	for _, l := range layers {
		pub.binary(frames(l.Alias, 1, 0, 1000)[0])
	}
	within(t, patience, "the relay has a frame of each layer", func() bool {
		return status(t, url, joined.Self.ID).Tracks[0].Frames == uint64(len(layers))
	})
	sub, its := enter(t, url, "r", `"subscribe":[{"height":200}]`)
	if c, err := media.ParseControl(sub.awaitMedia()); err != nil || c.Kind != media.KindCatchUp || c.Alias != layers[1].Alias {
		t.Fatalf("first came %+v (%v), want a catch-up of alias %d", c, err, layers[1].Alias)
	}
	if w := await[signaling.Wanted](pub); w.Track != "camera" || !slices.Equal(w.Layers, []bool{false, true, false}) {
		t.Errorf("wanted %+v", w)
	}
	pub.text(`{"type":"encoding","track":"camera","layers":[true,false,true]}`)
	if f := await[signaling.Wanted](pub); !slices.Equal(f.Layers, []bool{true, true, false}) {
		t.Errorf("wanted %+v", f)
	}
	within(t, patience, "the lower layer is sent", func() bool {
		l := status(t, url, its.Self.ID).Link.Layers
		return len(l) == 1 && l[0] == SentStatus{Member: joined.Self.ID, Track: "camera", Height: 180, Why: signaling.WhyPublisher}
	})
	got := status(t, url, joined.Self.ID).Tracks[0].Layers
	if len(got) != 3 || got[1].Made || !got[0].Made || got[0].Takers != 1 || got[2].Wanted || got[2].Width != 1280 {
		t.Errorf("status of the layers: %+v", got)
	}
	res, err := http.Get(httpURL(url, "/metrics"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{`landline_layers_sent{why="publisher"} 1`, `landline_layers_sent{why="link"} 0`, "landline_layer_switches_total 1",
		"landline_layers_unwanted ", "landline_tracks_thinned 0"} {
		if !strings.Contains(string(text), line) {
			t.Errorf("/metrics has no %q", line)
		}
	}
}

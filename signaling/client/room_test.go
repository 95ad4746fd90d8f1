package client

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"landline/media"
	"landline/signaling"
	"landline/signaling/impair"
)

// noise is a payload that cannot be mistaken for another.
func noise(n int, seed uint64) []byte {
	b := make([]byte, n)
	src := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
	_, _ = src.Read(b) // never fails
	return b
}

func TestEveryFrameArrivesByteForByte(t *testing.T) {
	url := serve(t)
	e := newEar()
	dial(t, Options{URL: url, Name: "saver", Subscribe: []signaling.Subscribe{{Name: "source", MaxAgeMs: 10_000}},
		OnEvent: e.event, OnFrame: e.frame})
	src := dial(t, Options{URL: url, Name: "source", Publish: []signaling.Track{videoTrack(), audioTrack()}, MaxAge: patience})
	video, audio := src.Track("video"), src.Track("audio")
	sizes := []int{media.MaxFrameSize, 1, 4096, 4097, 15, 16, 17, 300_000}
	var sent []media.Frame
	for i := range 64 {
		f := media.Frame{Timestamp: int64(i) * 33_000, Key: i%16 == 0, Data: noise(sizes[i%len(sizes)], uint64(i))}
		sent = append(sent, f)
		if err := src.Wait(t.Context(), max(0, 512<<10-len(f.Data))); err != nil {
			t.Fatal(err)
		}
		if err := video.Write(f); err != nil {
			t.Fatal(err)
		}
		if err := audio.Write(media.Frame{Timestamp: f.Timestamp, Data: noise(200, uint64(i))}); err != nil {
			t.Fatal(err)
		}
	}
	video.End()
	audio.End()
	drain(t, src)
	e.until(t, "end of both tracks", func() bool {
		removed := 0
		for _, m := range e.events {
			if _, is := m.(*signaling.TrackRemoved); is {
				removed++
			}
		}
		return removed == 2
	})
	if got := len(e.frames["audio"]); got != 64 {
		t.Errorf("%d audio packets of 64", got)
	}
	if len(e.frames["video"]) != len(sent) {
		t.Fatalf("%d video frames of %d; drops %v", len(e.frames["video"]), len(sent), video.Stats().Drops)
	}
	for i, f := range e.frames["video"] {
		if !bytes.Equal(f.Data, sent[i].Data) || f.Timestamp != sent[i].Timestamp || f.Key != sent[i].Key {
			t.Errorf("frame %d: %d bytes at %d, key %v; sent %d bytes at %d, key %v", i, len(f.Data), f.Timestamp, f.Key,
				len(sent[i].Data), sent[i].Timestamp, sent[i].Key)
		}
	}
}

func TestChatComesBack(t *testing.T) {
	e := newEar()
	r := dial(t, Options{URL: serve(t), Name: "Ann", OnEvent: e.event})
	if err := r.Send(&signaling.Chat{Text: "hello"}); err != nil {
		t.Fatal(err)
	}
	e.until(t, "chat", hears(e, func(m *signaling.Chat) bool { return m.Text == "hello" && m.Name == "Ann" }))
}

func TestLateSubscriberCatchesUpWithoutLatency(t *testing.T) {
	url := serve(t)
	early := newEar()
	dial(t, Options{URL: url, Subscribe: []signaling.Subscribe{{}}, OnEvent: early.event, OnFrame: early.frame})
	src := dial(t, Options{URL: url, Name: "source", Publish: []signaling.Track{videoTrack()}})
	video := src.Track("video")
	for i := range 10 {
		if err := video.Write(media.Frame{Timestamp: int64(i), Key: i == 0, Data: noise(100, uint64(i))}); err != nil {
			t.Fatal(err)
		}
	}
	early.until(t, "frames", func() bool { return len(early.frames["video"]) == 10 })
	e := newEar()
	r := dial(t, Options{URL: url, Subscribe: []signaling.Subscribe{{}}, OnEvent: e.event, OnFrame: e.frame})
	e.until(t, "catch-up", func() bool { return len(e.frames["video"]) >= 10 })
	if err := video.Write(media.Frame{Timestamp: time.Now().UnixMicro() - videoTrack().Clock.WallUs, Data: noise(100, 99)}); err != nil {
		t.Fatal(err)
	}
	e.until(t, "live frame", func() bool { return len(e.frames["video"]) == 11 })
	in := r.Incoming(src.Self(), "video")
	s := in.Stats()
	if s.Frames != 11 || s.KeyFrames != 1 || s.Gaps != 0 || s.LatencyFrames > 1 {
		t.Errorf("stats %+v: want 11 frames, 1 key frame, no gaps, at most the live frame's latency", s)
	}
}

// TestDecoderThatLostItsWay asks for a key frame: the relay repeats its group once, and then asks the publisher.
func TestDecoderThatLostItsWay(t *testing.T) {
	url := serve(t)
	e := newEar()
	r := dial(t, Options{URL: url, Subscribe: []signaling.Subscribe{{}}, OnEvent: e.event, OnFrame: e.frame})
	offer := videoTrack()
	offer.KeyOnRequest = true
	src := dial(t, Options{URL: url, Name: "source", Publish: []signaling.Track{offer}})
	video := src.Track("video")
	for i := range 3 {
		if err := video.Write(media.Frame{Timestamp: int64(i), Key: i == 0, Data: noise(100, uint64(i))}); err != nil {
			t.Fatal(err)
		}
	}
	e.until(t, "frames", func() bool { return len(e.frames["video"]) == 3 })
	ask := &signaling.KeyFrame{Member: src.Self(), Track: "video", Why: "decoder-error"}
	if err := r.Send(ask); err != nil {
		t.Fatal(err)
	}
	e.until(t, "frames again", func() bool { return len(e.frames["video"]) == 6 })
	if video.KeyWanted() {
		t.Error("the publisher was asked for what the relay has")
	}
	if err := r.Send(ask); err != nil {
		t.Fatal(err)
	}
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for late := time.After(patience); !video.KeyWanted(); {
		select {
		case <-tick.C:
		case <-late:
			t.Fatal("the publisher was not asked")
		}
	}
}

// TestSlowCallbackHoldsTheRelayBack blocks one receiver: what was sent to it and not acknowledged stays bounded,
// others do not notice, and it gets on when it can.
func TestSlowCallbackHoldsTheRelayBack(t *testing.T) {
	url := serve(t)
	release := make(chan struct{})
	slow, fast := newEar(), newEar()
	stuck := dial(t, Options{URL: url, Name: "stuck", Subscribe: []signaling.Subscribe{{MaxAgeMs: 30_000}}, OnEvent: slow.event,
		OnFrame: func(in *Incoming, f Frame) { <-release; slow.frame(in, f) }})
	dial(t, Options{URL: url, Subscribe: []signaling.Subscribe{{MaxAgeMs: 30_000}}, OnEvent: fast.event, OnFrame: fast.frame})
	src := dial(t, Options{URL: url, Name: "source", Publish: []signaling.Track{videoTrack()}, MaxAge: patience})
	video := src.Track("video")
	const frames, size = 40, 32 << 10
	for i := range frames {
		if err := src.Wait(t.Context(), 64<<10); err != nil {
			t.Fatal(err)
		}
		if err := video.Write(media.Frame{Timestamp: int64(i), Key: i == 0, Data: noise(size, uint64(i))}); err != nil {
			t.Fatal(err)
		}
	}
	fast.until(t, "frames at the other one", func() bool { return len(fast.frames["video"]) == frames })
	stuck.inbox.mu.Lock()
	held := stuck.inbox.bytes
	stuck.inbox.mu.Unlock()
	if held > 300<<10 {
		t.Errorf("%d bytes came to one who takes none", held)
	}
	close(release)
	slow.until(t, "frames at the slow one", func() bool { return len(slow.frames["video"]) == frames })
}

func TestPublishLaterAndRefused(t *testing.T) {
	r := dial(t, Options{URL: serve(t), Publish: []signaling.Track{videoTrack()}})
	tracks, err := r.Publish(t.Context(), []signaling.Track{audioTrack()})
	if err != nil {
		t.Fatal(err)
	}
	if err := tracks[0].Write(media.Frame{Data: noise(100, 1)}); err != nil {
		t.Error(err)
	}
	if _, err := r.Publish(t.Context(), []signaling.Track{audioTrack()}); err == nil {
		t.Error("a second track of the same id was taken")
	}
	if err := r.Track("video").Write(media.Frame{Data: noise(100, 1)}); !errors.Is(err, ErrNoKey) {
		t.Errorf("video without a key frame: %v", err)
	}
	if err := r.Track("video").Write(media.Frame{Key: true, Data: make([]byte, media.MaxFrameSize+1)}); !errors.Is(err, media.ErrTooLarge) {
		t.Errorf("a frame over 1 MiB: %v", err)
	}
	bad := videoTrack()
	bad.ID = "no spaces"
	if _, err := Dial(t.Context(), Options{URL: serve(t), Room: "lab", Publish: []signaling.Track{bad}}); err == nil {
		t.Error("joined without the track that was to be published")
	}
}

// TestEndSurvivesACut loses the connection between an End and its acknowledgement.
func TestEndSurvivesACut(t *testing.T) {
	url := serve(t)
	way := path(t, url)
	for range 5 {
		src := dial(t, Options{URL: way.url, Name: "source", Publish: []signaling.Track{audioTrack()}})
		track := src.Track("audio")
		if err := track.Write(media.Frame{Data: noise(100, 1)}); err != nil {
			t.Fatal(err)
		}
		track.End()
		way.Cut()
		drain(t, src)
		src.Close()
	}
}

// TestSlowUplinkDropsByTheRules sends four times what the way to the relay carries.
func TestSlowUplinkDropsByTheRules(t *testing.T) {
	url := serve(t)
	way := path(t, url)
	way.SetUp(impair.Link{Rate: 500_000})
	e := newEar()
	dial(t, Options{URL: url, Subscribe: []signaling.Subscribe{{MaxAgeMs: 10_000}}, OnEvent: e.event, OnFrame: e.frame})
	src := dial(t, Options{URL: way.url, Name: "source", Publish: []signaling.Track{videoTrack()}})
	video := src.Track("video")
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for i := range 150 {
		if err := video.Write(media.Frame{Timestamp: int64(i), Key: i%10 == 0, Data: noise(20_000, uint64(i))}); err != nil {
			t.Fatal(err)
		}
		<-tick.C
	}
	video.End()
	drain(t, src)
	e.until(t, "end of the track", hears(e, func(*signaling.TrackRemoved) bool { return true }))
	s := video.Stats()
	got := len(e.frames["video"])
	if got == 0 || s.Drops.Total() == 0 || got+int(s.Drops.Total()) != 150 {
		t.Errorf("%d frames came, %d were dropped %v, of 150", got, s.Drops.Total(), s.Drops)
	}
	checkOrder(t, e.frames["video"])
	if n := src.Reconnects(); n != 0 {
		t.Errorf("%d reconnects", n)
	}
}

package client

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"landline/media"
	"landline/signaling"
	"landline/signaling/server"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds every wait of a test.
const patience = 10 * time.Second

// serve runs a relay in this process and returns its address.
func serve(t *testing.T) string {
	t.Helper()
	relay := server.New(server.Config{Logger: slog.New(slog.NewTextHandler(t.Output(), nil))})
	front := httptest.NewServer(relay.Handler())
	t.Cleanup(func() {
		relay.Close()
		front.Close()
	})
	return front.URL
}

// dial joins a room and leaves it at the end of the test.
func dial(t *testing.T, o Options) *Room {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if o.Room == "" {
		o.Room = "lab"
	}
	o.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	r, err := Dial(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

func videoTrack() signaling.Track {
	return signaling.Track{ID: "video", Kind: media.Video, Source: signaling.SourceFile, Codec: media.VP8, CodecString: "vp8",
		Width: 64, Height: 48, Clock: signaling.Clock{Us: 1, WallUs: time.Now().UnixMicro()}}
}

func audioTrack() signaling.Track {
	return signaling.Track{ID: "audio", Kind: media.Audio, Source: signaling.SourceFile, Codec: media.Opus, CodecString: "opus",
		SampleRate: 48000, Channels: 2, Clock: signaling.Clock{Us: 1, WallUs: time.Now().UnixMicro()}}
}

// ear collects what a Room receives.
type ear struct {
	mu     sync.Mutex
	events []any
	frames map[string][]Frame // by track id
	heard  chan struct{}
}

func newEar() *ear { return &ear{frames: map[string][]Frame{}, heard: make(chan struct{})} }

func (e *ear) event(msg any) { e.note(func() { e.events = append(e.events, msg) }) }
func (e *ear) frame(t *Incoming, f Frame) {
	id := t.Track().ID
	e.note(func() { e.frames[id] = append(e.frames[id], f) })
}

func (e *ear) note(f func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	f()
	close(e.heard)
	e.heard = make(chan struct{})
}

// until waits until what was heard satisfies a condition.
func (e *ear) until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	late := time.After(patience)
	for {
		e.mu.Lock()
		holds, heard := ok(), e.heard
		e.mu.Unlock()
		if holds {
			return
		}
		select {
		case <-heard:
		case <-late:
			t.Fatalf("no %s within %v", what, patience)
		}
	}
}

// hears reports whether an event of a type that satisfies a condition came.
func hears[M any](e *ear, ok func(M) bool) func() bool {
	return func() bool {
		for _, event := range e.events {
			if m, is := event.(M); is && ok(m) {
				return true
			}
		}
		return false
	}
}

func drain(t *testing.T, r *Room) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := r.Drain(ctx); err != nil {
		t.Fatal(err)
	}
}

package client

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"landline/media"
	"landline/signaling"
)

// sender writes frames of a track until it is stopped, a key frame among every eight.
func sender(t *testing.T, track *Outgoing) (stop func()) {
	t.Helper()
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for i := 0; ; i++ {
			if err := track.Write(media.Frame{Timestamp: int64(i) * 5000, Key: i%8 == 0, Data: noise(2000, uint64(i))}); err != nil {
				t.Error(err)
				return
			}
			select {
			case <-tick.C:
			case <-quit:
				return
			}
		}
	}()
	return func() {
		close(quit)
		<-done
	}
}

func TestCutPublisherComesBackAsTheSameMember(t *testing.T) {
	url := serve(t)
	way := path(t, url)
	e := newEar()
	dial(t, Options{URL: url, Subscribe: []signaling.Subscribe{{}}, OnEvent: e.event, OnFrame: e.frame})
	own := newEar()
	src := dial(t, Options{URL: way.url, Name: "source", Publish: []signaling.Track{videoTrack()}, OnEvent: own.event})
	id := src.Self()
	stop := sender(t, src.Track("video"))
	e.until(t, "first frames", func() bool { return len(e.frames["video"]) > 20 })
	way.Cut()
	own.until(t, "second join", hears(own, func(m *signaling.Joined) bool { return m.Resumed }))
	e.mu.Lock()
	before := len(e.frames["video"])
	e.mu.Unlock()
	e.until(t, "frames after the cut", func() bool { return len(e.frames["video"]) > before+20 })
	stop()
	video := src.Track("video")
	video.End()
	drain(t, src)
	if src.Self() != id || src.Reconnects() != 1 {
		t.Errorf("member %s with %d reconnects, was %s", src.Self(), src.Reconnects(), id)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, event := range e.events {
		if m, left := event.(*signaling.MemberLeft); left {
			t.Errorf("the others were told that %s left", m.ID)
		}
	}
	checkOrder(t, e.frames["video"])
}

// checkOrder fails for frames that come twice, out of order, or in a group that lacks its beginning.
func checkOrder(t *testing.T, frames []Frame) {
	t.Helper()
	for i := 1; i < len(frames); i++ {
		a, b := frames[i-1], frames[i]
		if next := b.Group == a.Group && b.Number == a.Number+1; !next && (b.Group <= a.Group || b.Number != 0 || !b.Key) {
			t.Errorf("group %d frame %d follows group %d frame %d", b.Group, b.Number, a.Group, a.Number)
		}
	}
}

func TestCutSubscriberGetsNoFrameTwice(t *testing.T) {
	url := serve(t)
	way := path(t, url)
	src := dial(t, Options{URL: url, Name: "source", Publish: []signaling.Track{videoTrack()}})
	e := newEar()
	saver := dial(t, Options{URL: way.url, Subscribe: []signaling.Subscribe{{}}, OnEvent: e.event, OnFrame: e.frame})
	stop := sender(t, src.Track("video"))
	defer stop()
	for cut := range 3 {
		e.mu.Lock()
		before := len(e.frames["video"])
		e.mu.Unlock()
		e.until(t, "frames", func() bool { return len(e.frames["video"]) > before+30 })
		if cut < 2 {
			way.Cut()
		}
	}
	if saver.Reconnects() != 2 {
		t.Errorf("%d reconnects of 2", saver.Reconnects())
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	checkOrder(t, e.frames["video"])
}

func TestRelayStartedAnewIsJoinedAnew(t *testing.T) {
	way, restart := restartable(t)
	e := newEar()
	dial(t, Options{URL: way.url, Name: "saver", Subscribe: []signaling.Subscribe{{Name: "source"}}, OnEvent: e.event, OnFrame: e.frame})
	src := dial(t, Options{URL: way.url, Name: "source", Publish: []signaling.Track{videoTrack()}})
	video := src.Track("video")
	stop := sender(t, video)
	e.until(t, "first frames", func() bool { return len(e.frames["video"]) > 20 })
	restart()
	e.until(t, "news of the lost member", hears(e, func(m *signaling.MemberLeft) bool { return m.Reason == "lost" }))
	e.mu.Lock()
	before := len(e.frames["video"])
	e.mu.Unlock()
	e.until(t, "frames over the new relay", func() bool { return len(e.frames["video"]) > before+20 })
	stop()
	video.End()
	drain(t, src)
}

func TestCodeSaysWhetherToReturn(t *testing.T) {
	for _, c := range []struct {
		code  signaling.CloseCode
		again bool
	}{{signaling.CloseReplaced, false}, {signaling.CloseBadChunk, false}, {websocket.CloseProtocolError, false},
		{signaling.CloseRestart, true}, {signaling.CloseInternal, true}} {
		t.Run(c.code.Name(), func(t *testing.T) {
			joins := make(chan struct{}, 8)
			url := script(t, func(ws *websocket.Conn) {
				joins <- struct{}{}
				_ = ws.WriteMessage(websocket.TextMessage, []byte(scriptedJoined))
				if len(joins) > 1 {
					_, _, _ = ws.ReadMessage()
					return
				}
				_ = ws.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(int(c.code), c.code.Name()+": told so"))
				_, _, _ = ws.ReadMessage() // the client's close, so that ours is not lost in a reset
			})
			e := newEar()
			r := dial(t, Options{URL: url, OnEvent: e.event})
			if c.again {
				e.until(t, "second join", func() bool { return len(joins) == 2 })
				return
			}
			select {
			case <-r.Done():
			case <-time.After(patience):
				t.Fatal("the room goes on")
			}
			var closed *signaling.Closed
			if err := r.Err(); !errors.As(err, &closed) || closed.Code != c.code || closed.Text != "told so" {
				t.Errorf("error %v, want code %d with its text", err, c.code)
			}
		})
	}
}

func TestLostRelayIsGivenUp(t *testing.T) {
	way, _ := restartable(t)
	r := dial(t, Options{URL: way.url, GiveUp: 300 * time.Millisecond})
	way.SetTarget("127.0.0.1:1") // nobody is there
	way.Cut()
	select {
	case <-r.Done():
	case <-time.After(patience):
		t.Fatal("the room goes on")
	}
	if r.Err() == nil {
		t.Error("no error")
	}
	if _, err := r.Publish(t.Context(), []signaling.Track{videoTrack()}); !errors.Is(err, ErrClosed) {
		t.Errorf("publish after the end: %v", err)
	}
}

func TestCloseInterruptsComingBack(t *testing.T) {
	way, _ := restartable(t)
	e := newEar()
	r := dial(t, Options{URL: way.url, OnEvent: e.event})
	way.SetTarget("127.0.0.1:1")
	way.Cut()
	e.until(t, "word of the loss", hears(e, func(m *signaling.MemberState) bool { return m.State == signaling.Reconnecting }))
	began := time.Now()
	r.Close()
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("closing took %v", took)
	}
	if err := r.Err(); err != nil {
		t.Errorf("error %v of a room that was left", err)
	}
}

func TestRefusedAtTheDoor(t *testing.T) {
	for name, play := range map[string]func(ws *websocket.Conn){
		"bad token": func(ws *websocket.Conn) {
			_ = ws.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(4400, "bad-token: missing"))
			_, _, _ = ws.ReadMessage()
		},
		"not JSON": func(ws *websocket.Conn) { _ = ws.WriteMessage(websocket.TextMessage, []byte("{")) },
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			r, err := Dial(ctx, Options{URL: script(t, play), Room: "lab"})
			var closed *signaling.Closed
			if !errors.As(err, &closed) {
				t.Errorf("dialled %v, %v; want a named code", r, err)
			}
		})
	}
}

package client

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"landline/media"
	"landline/signaling"
	"landline/signaling/impair"
)

func TestObjectToSeveral(t *testing.T) {
	url := serve(t)
	for _, size := range []int{0, 1, 1 << 20} {
		data := noise(size, 1)
		room := Options{URL: url, Room: fmt.Sprint("room-", size)}
		there := newEar()
		room.OnEvent = there.event
		src := dial(t, room)
		var shelves []*shelf
		for range 3 {
			sh := newShelf()
			shelves = append(shelves, sh)
			dial(t, Options{URL: url, Room: room.Room, Name: "reader", OnOffer: sh.offer})
		}
		idle := dial(t, Options{URL: url, Room: room.Room, Name: "idle"})
		there.until(t, "last newcomer", hears(there, func(m *signaling.MemberJoined) bool { return m.Member.ID == idle.Self() }))
		s := offerAll(t, src, data)
		for _, sh := range shelves {
			sh.until(t, "whole object", func() bool { return len(sh.objects) == 1 && sh.objects[0].over })
			sh.came(t, data)
		}
		ends := settle(t, s)
		if len(ends) != 4 || s.SHA256() != sumOf(data) {
			t.Fatalf("%d bytes: %+v, %s", size, ends, s.SHA256())
		}
		for _, e := range ends {
			if want := map[bool]string{true: signaling.CancelDeclined, false: StateReceived}[e.Member == idle.Self()]; e.State != want {
				t.Errorf("%+v, want %s", e, want)
			}
		}
		if sha, err := shelves[0].objects[0].Result(); sha != s.SHA256() || err != nil {
			t.Errorf("the receiver tells %s, %v", sha, err)
		}
		idle.Close()
		src.Close()
	}
}

func TestObjectOverManyCutsOfBothEnds(t *testing.T) {
	url := serve(t)
	up, down := path(t, url), path(t, url)
	fast := impair.Link{Rate: 1 << 20}
	up.SetUp(fast)
	sh := newShelf()
	reader := dial(t, Options{URL: down.url, Name: "reader", OnOffer: sh.offer})
	src := dial(t, Options{URL: up.url, Name: "source"})
	data := noise(3<<20, 2)
	s := offerAll(t, src, data)
	for i := range 6 {
		sh.until(t, "bytes", func() bool { return sh.size() > (i+1)*350_000 })
		if i%2 == 0 {
			down.Cut()
		} else {
			up.Cut()
		}
	}
	if ends := settle(t, s); len(ends) != 1 || ends[0].State != StateReceived {
		t.Errorf("%+v", ends)
	}
	sh.came(t, data)
	if reader.Reconnects() < 2 || src.Reconnects() < 2 {
		t.Errorf("%d and %d reconnects", reader.Reconnects(), src.Reconnects())
	}
}

func TestObjectOverARelayStartedAnew(t *testing.T) {
	way, restart := restartable(t)
	way.SetUp(impair.Link{Rate: 1 << 20})
	sh := newShelf()
	dial(t, Options{URL: way.url, Name: "reader", OnOffer: sh.offer})
	src := dial(t, Options{URL: way.url, Name: "source"})
	data := noise(2<<20, 3)
	s := offerAll(t, src, data)
	sh.until(t, "bytes", func() bool { return sh.size() > 500_000 })
	restart()
	defer func() { t.Logf("%+v", s.Receivers()) }()
	sh.until(t, "more bytes", func() bool { return sh.size() > 1_000_000 })
	restart()
	if ends := settle(t, s); len(ends) != 1 || ends[0].State != StateReceived || ends[0].Bytes != uint64(len(data)) {
		t.Errorf("%+v", ends)
	}
	sh.came(t, data)
}

func TestASlowSinkHoldsBackItsSenderAlone(t *testing.T) {
	url := serve(t)
	slow, quick := newShelf(), newShelf()
	slow.wait = make(chan struct{})
	e := newEar()
	dial(t, Options{URL: url, Name: "slow", OnOffer: slow.offer, Subscribe: []signaling.Subscribe{{}}, OnFrame: e.frame})
	dial(t, Options{URL: url, Name: "quick", OnOffer: quick.offer})
	src := dial(t, Options{URL: url, Name: "source", Publish: []signaling.Track{audioTrack()}})
	data := noise(2<<20, 4)
	s := offerAll(t, src, data)
	quick.until(t, "whole object", func() bool { return len(quick.objects) == 1 && quick.objects[0].over })
	slow.until(t, "offer", func() bool { return len(slow.objects) == 1 })
	for i := range 20 {
		if err := src.Track("audio").Write(media.Frame{Timestamp: int64(i) * 20_000, Data: noise(100, uint64(i))}); err != nil {
			t.Fatal(err)
		}
	}
	e.until(t, "sound beside an object that stands still", func() bool { return len(e.frames["audio"]) == 20 })
	if n := slow.objects[0].Progress(); n != 0 {
		t.Errorf("%d bytes consumed by a sink that takes nothing", n)
	}
	close(slow.wait)
	settle(t, s)
	slow.came(t, data)
}

func TestNobodyElseGoesOnWithAnObject(t *testing.T) {
	r := newRoom(Options{})
	defer r.cancel()
	for id, name := range map[string]string{"m-1": "Ann", "m-2": "Bob", "m-3": "Ann"} {
		r.members = append(r.members, &member{info: signaling.Member{ID: id, Name: name}})
	}
	offer := signaling.Offered{Stream: 1, Object: "x", From: "m-1", Name: "a", Size: 10}
	for _, c := range []struct {
		change func(o *signaling.Offered, rc *Receiving)
		takes  bool
	}{
		{func(o *signaling.Offered, rc *Receiving) {}, true},
		{func(o *signaling.Offered, rc *Receiving) { o.From = "m-3" }, true}, // Ann, come back
		{func(o *signaling.Offered, rc *Receiving) { o.From = "m-2" }, false},
		{func(o *signaling.Offered, rc *Receiving) { o.Size++ }, false},
		{func(o *signaling.Offered, rc *Receiving) { o.Name = "b" }, false},
		{func(o *signaling.Offered, rc *Receiving) { rc.live = true }, false},
		{func(o *signaling.Offered, rc *Receiving) { rc.ending = ErrMismatch }, false},
	} {
		rc := &Receiving{From: signaling.Member{ID: "m-1", Name: "Ann"}, Object: offer, room: r, more: make(chan struct{}, 1), done: make(chan struct{})}
		o := offer
		o.Stream = 2
		c.change(&o, rc)
		r.receivings, r.control = []*Receiving{rc}, nil
		r.offered(&o)
		if _, accepts := r.control[0].(*signaling.Accept); accepts != c.takes {
			t.Errorf("%+v: answered with %+v", o, r.control[0])
		}
	}
}

func TestEitherEndGivesUp(t *testing.T) {
	url := serve(t)
	sh := newShelf()
	sh.wait = make(chan struct{})
	dial(t, Options{URL: url, Name: "reader", OnOffer: sh.offer})
	src := dial(t, Options{URL: url, Name: "source"})
	first := offerAll(t, src, noise(1<<20, 5))
	sh.until(t, "offer", func() bool { return len(sh.objects) == 1 })
	sh.objects[0].Cancel()
	second := offerAll(t, src, noise(1<<20, 6))
	sh.until(t, "second offer", func() bool { return len(sh.objects) == 2 })
	second.Cancel()
	close(sh.wait)
	sh.until(t, "end of both", func() bool { return sh.objects[0].over && sh.objects[1].over })
	var cancelled *CancelledError
	for i, k := range sh.objects {
		if !errors.As(k.why, &cancelled) || cancelled.Reason != signaling.CancelCancelled {
			t.Errorf("object %d ends with %v", i, k.why)
		}
	}
	becomes(t, first, signaling.CancelCancelled)
	first.Cancel()
}

// becomes waits until the first receiver is in a state.
func becomes(t *testing.T, s *Sending, state string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	err := s.room.until(ctx, func() (bool, error) { return len(s.ends) > 0 && s.ends[0].State == state, nil })
	if err != nil {
		t.Fatalf("%v: the sender is told %+v", err, s.Receivers())
	}
}

// short is a source that ends early.
type short struct{ n int64 }

func (s short) ReadAt(p []byte, off int64) (int, error) {
	if off+int64(len(p)) > s.n {
		return 0, errors.New("the disk is gone")
	}
	return len(p), nil
}

func TestASourceThatFailsIsTold(t *testing.T) {
	url := serve(t)
	sh := newShelf()
	dial(t, Options{URL: url, Name: "reader", OnOffer: sh.offer})
	src := dial(t, Options{URL: url, Name: "source"})
	s, err := src.Offer(Object{Name: "x", Size: 1 << 20, Source: short{300_000}, Wait: patience})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Wait(t.Context()); err == nil {
		t.Error("no error")
	}
	for _, name := range []string{"", "a/b", ".."} {
		if _, err := src.Offer(Object{Name: name}); err == nil {
			t.Errorf("%q is offered", name)
		}
	}
}

// fickle is a source that has something else each time it is read at a place.
type fickle struct {
	mu    sync.Mutex
	reads byte
}

func (f *fickle) ReadAt(p []byte, _ int64) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reads++
	for i := range p {
		p[i] = f.reads
	}
	return len(p), nil
}

func TestWhatIsNotWhatWasSentIsRefused(t *testing.T) {
	url := serve(t)
	sh := newShelf()
	dial(t, Options{URL: url, Name: "reader", OnOffer: sh.offer})
	src := dial(t, Options{URL: url, Name: "source"})
	s, err := src.Offer(Object{Name: "x", Size: 50_000, Source: &fickle{}, Wait: patience})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Cancel()
	sh.until(t, "end", func() bool { return len(sh.objects) == 1 && sh.objects[0].over })
	if err := sh.objects[0].why; !errors.Is(err, ErrMismatch) {
		t.Errorf("the sink is told %v", err)
	}
	becomes(t, s, signaling.CancelHash)
}

func TestARelayThatSendsBeyondTheCreditIsLeft(t *testing.T) {
	for name, bad := range map[string]media.ObjectChunk{
		"beyond the size":   {Stream: 3, Turn: 1, Offset: 0, Payload: make([]byte, 2000)},
		"beyond the credit": {Stream: 4, Turn: 1, Offset: 0, Payload: make([]byte, media.MaxChunkPayload)},
	} {
		t.Run(name, func(t *testing.T) {
			sh := newShelf()
			sh.wait = make(chan struct{})
			url := script(t, func(ws *websocket.Conn) {
				for _, text := range []string{scriptedJoined,
					`{"type":"offered","stream":3,"object":"a","from":"m-2","name":"a","size":1000}`,
					`{"type":"offered","stream":4,"object":"b","from":"m-2","name":"b","size":1000000}`} {
					_ = ws.WriteMessage(websocket.TextMessage, []byte(text))
				}
				for range 20 {
					_ = ws.WriteMessage(websocket.BinaryMessage, bad.Append(nil))
					bad.Offset += uint64(len(bad.Payload))
				}
				for {
					if _, _, err := ws.ReadMessage(); err != nil {
						close(sh.wait)
						return
					}
				}
			})
			r := dial(t, Options{URL: url, OnOffer: sh.offer})
			select {
			case <-r.Done():
			case <-time.After(patience):
				t.Fatal("the room goes on")
			}
			var closed *signaling.Closed
			if err := r.Err(); !errors.As(err, &closed) || closed.Code != websocket.CloseProtocolError {
				t.Errorf("error %v, want 1002", err)
			}
		})
	}
}

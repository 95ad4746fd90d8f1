package client

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"landline/media"
	"landline/signaling"
)

// TestRelayThatBreaksTheProtocolEndsTheRoom plays relays that no sound client should come back to.
func TestRelayThatBreaksTheProtocolEndsTheRoom(t *testing.T) {
	badOffset := media.ChunkHeader{Alias: 7, Group: 1, Offset: 1 << 19, Last: true}
	for name, msg := range map[string]struct {
		kind int
		data []byte
	}{
		"no JSON":          {websocket.TextMessage, []byte(`{"type":`)},
		"another version":  {websocket.BinaryMessage, []byte{0x20, 0, 0, 0}},
		"short chunk":      {websocket.BinaryMessage, []byte{media.KindChunk, 0, 0, 7}},
		"chunk over a MiB": {websocket.BinaryMessage, append(badOffset.Append(nil), make([]byte, media.MaxFrameSize)...)},
		"ack of nothing":   {websocket.BinaryMessage, media.Ack{Bytes: 1 << 40}.Append(nil)},
		"short Abandon":    {websocket.BinaryMessage, []byte{media.KindAbandon, 0}},
		"too long":         {websocket.TextMessage, make([]byte, maxMessage+1)},
	} {
		t.Run(name, func(t *testing.T) {
			url := script(t, func(ws *websocket.Conn) {
				_ = ws.WriteMessage(websocket.TextMessage, []byte(scriptedJoined))
				_ = ws.WriteMessage(msg.kind, msg.data)
				for { // acks, and then the client's close
					if _, _, err := ws.ReadMessage(); err != nil {
						return
					}
				}
			})
			r := dial(t, Options{URL: url})
			select {
			case <-r.Done():
			case <-time.After(patience):
				t.Fatal("the room goes on")
			}
			var closed *signaling.Closed
			if err := r.Err(); !errors.As(err, &closed) || closed.Code != websocket.CloseProtocolError && closed.Code != websocket.CloseMessageTooBig {
				t.Errorf("error %v, want 1002 or 1009", err)
			}
		})
	}
}

// TestPanicInACallbackEndsTheRoomAlone has a callback fail.
func TestPanicInACallbackEndsTheRoomAlone(t *testing.T) {
	r := dial(t, Options{URL: serve(t), OnEvent: func(any) { panic("callback") }})
	select {
	case <-r.Done():
	case <-time.After(patience):
		t.Fatal("the room goes on")
	}
	var failed *panicked
	if err := r.Err(); !errors.As(err, &failed) {
		t.Errorf("error %v, want the panic", err)
	}
}

func TestSilentDoorIsLeft(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	url := script(t, func(ws *websocket.Conn) {
		cancel()
		_, _, _ = ws.ReadMessage()
	})
	if _, err := Dial(ctx, Options{URL: url, Room: "lab"}); !errors.Is(err, context.Canceled) {
		t.Errorf("dialled a relay that says nothing: %v", err)
	}
}

// The relay may have let in who gives up while joining: it is told, and nobody is shown as reconnecting for the grace.
func TestADialThatIsGivenUpSaysBye(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	heard := make(chan []string, 1)
	url := script(t, func(ws *websocket.Conn) {
		cancel() // it has said join
		var types []string
		for {
			_, text, err := ws.ReadMessage()
			if err != nil {
				heard <- types
				return
			}
			var m struct{ Type string }
			_ = json.Unmarshal(text, &m)
			types = append(types, m.Type)
		}
	})
	if _, err := Dial(ctx, Options{URL: url, Room: "lab"}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if types := <-heard; !slices.Equal(types, []string{"bye"}) {
		t.Errorf("the relay heard %q", types)
	}
}

// FuzzReceive lets a relay say anything after joined: whatever it is, the Room must not fail by a panic, and frames of a
// group come in order.
func FuzzReceive(f *testing.F) {
	head := media.ChunkHeader{Alias: 7, Group: 1, Key: true, Last: true}
	f.Add(append(head.Append([]byte{21}), 1), []byte(`{"type":"trackRemoved","member":"m-2","track":"video"}`))
	f.Add(media.Control{Kind: media.KindCatchUp, Code: 1, Alias: 7, Group: 1, Frame: 1}.Append([]byte{12}), []byte(`{"type":"joined","members":[]}`))
	f.Add(media.Control{Kind: media.KindAbandon, Code: 1, Alias: 7, Group: 1}.Append([]byte{12}), []byte(`{"type":"drops","tracks":[{"member":"m-2","track":"video"}]}`))
	f.Fuzz(func(t *testing.T, binary, text []byte) {
		frames := 0
		r := newRoom(Options{OnEvent: func(any) {}, OnFrame: func(_ *Incoming, f Frame) {
			if frames++; len(f.Data) == 0 || len(f.Data) > media.MaxFrameSize {
				t.Fatalf("a frame of %d bytes", len(f.Data))
			}
		}})
		joined, err := signaling.Decode([]byte(scriptedJoined))
		if err != nil {
			t.Fatal(err)
		}
		defer r.cancel()
		s := &session{room: r, acks: newAcks(time.Now()), over: make(chan struct{})}
		_ = r.deliverOne(arrival{msg: joined})
		for len(binary) > 1 {
			n := min(int(binary[0])+1, len(binary))
			msg := binary[1:n]
			binary = binary[n:]
			if kind, err := media.KindOf(msg); err == nil && kind != media.KindAck {
				_ = r.deliverOne(arrival{from: s, data: msg})
			}
		}
		if msg, err := signaling.Decode(text); err == nil && msg != nil {
			_ = r.deliverOne(arrival{from: s, msg: msg})
		}
	})
}

package server

import (
	"bytes"
	"testing"
	"time"

	"landline/media"
	"landline/signaling"
)

// TestFragmentsAreDeliveredWhole has a client that cuts every WebSocket message into small continuation frames.
func TestFragmentsAreDeliveredWhole(t *testing.T) {
	_, url := start(t, Config{})
	bob, _ := enter(t, url, "r", `"subscribe":[{"maxAgeMs":20000}]`)
	r, cam, _ := rawIn(t, url, "r")
	ping := masked(signaling.OpPing, []byte("between"))
	for i, cut := range []struct{ frame, fragment int }{{64 << 10, 1}, {64<<10 + 1, 125}, {200_000, 1000}, {media.MaxFrameSize, 4096}} {
		sent := patterned(cam, uint32(i+1), 0, cut.frame)
		for n, m := range sent {
			pings := []byte(nil)
			if n == 0 && cut.fragment >= 4096 { // a few: floods of them are another test
				pings = ping
			}
			r.send(fragments(signaling.OpBinary, m, cut.fragment, pings))
		}
		for n, want := range sent {
			if got := bob.awaitWhole(len(want)); !bytes.Equal(got, want) {
				t.Fatalf("frame of %d bytes in fragments of %d: message %d differs", cut.frame, cut.fragment, n)
			}
		}
	}
	r.send(fragments(signaling.OpText, []byte(`{"type":"chat","text":"schöne Grüße 🙂"}`), 1, nil))
	if c := await[signaling.Chat](bob); c.Text != "schöne Grüße 🙂" {
		t.Fatalf("%+v", c)
	}
	pongs := 0
	for r.send(text(`{"type":"bye"}`)); ; {
		op, payload, err := r.frame()
		if err != nil {
			t.Fatal(err)
		}
		if op == signaling.OpPong && string(payload) == "between" {
			pongs++
		}
		if op == signaling.OpClose {
			break
		}
	}
	if pongs == 0 {
		t.Error("no ping was answered")
	}
}

// TestByteByByte has a client whose every byte is a TCP segment of its own.
func TestByteByByte(t *testing.T) {
	_, url := start(t, Config{})
	bob, _ := enter(t, url, "r", `"subscribe":[{}]`)
	r, cam, micro := rawIn(t, url, "r")
	for i, want := range append(patterned(cam, 1, 0, 3000), audio(micro, 1, []byte("one packet"))) {
		for _, b := range masked(signaling.OpBinary, want) {
			r.send([]byte{b})
		}
		if got := bob.awaitWhole(len(want)); !bytes.Equal(got, want) {
			t.Fatalf("message %d differs", i)
		}
	}
}

// TestJoinTimeout: whatever a client does instead of joining, it has so long and no longer.
func TestJoinTimeout(t *testing.T) {
	quick := protocolTimes
	quick.join = 300 * time.Millisecond
	_, url := startWith(t, Config{}, quick, plain)
	for name, more := range map[string][]byte{
		"silence":                   nil,
		"pings":                     masked(signaling.OpPing, nil),
		"acks":                      masked(signaling.OpBinary, media.Ack{}.Append(nil)),
		"a message that never ends": {signaling.OpText, 0xFE, 0x10, 0x00, 1, 2, 3, 4},
		"hello":                     text(hello),
		"guessing":                  append(text(hello), text(`{"type":"join","room":"r","resume":"r-guess"}`)...),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := rawUp(t, url)
			begin := time.Now()
			stop := make(chan struct{})
			defer close(stop)
			r.send(more)
			go trickle(r, stop)
			code, _, fatal := r.awaitClose()
			if took := time.Since(begin); code != int(signaling.CloseJoinTimeout) || fatal != "join-timeout" || took < 250*time.Millisecond || took > 3*time.Second {
				t.Fatalf("closed with %d (%s) after %s", code, fatal, took)
			}
		})
	}
}

// trickle keeps the socket warm: with a byte now and then, which is an empty pong where it can be one.
func trickle(r *rawSocket, stop chan struct{}) {
	pace := time.NewTicker(40 * time.Millisecond)
	defer pace.Stop()
	for pong := masked(signaling.OpPong, nil); ; {
		select {
		case <-stop:
			return
		case <-pace.C:
			r.send(pong[:1])
			pong = append(pong[1:], pong[0])
		}
	}
}

// TestCloseOfTheClient: a close in order is a bye, any other lets the member come back; none is answered with a code
// that RFC 6455 section 7.4.1 keeps off the wire.
func TestCloseOfTheClient(t *testing.T) {
	_, url := start(t, Config{})
	bob, _ := enter(t, url, "r", "")
	for _, c := range []struct {
		payload []byte
		answer  int
		leaves  bool
	}{{[]byte{0x03, 0xE8}, 1000, true}, {[]byte{0x03, 0xE9}, 1000, true}, {[]byte{0x0B, 0xB8}, 3000, false}, {nil, 1005, false}} {
		r, _, _ := rawIn(t, url, "r")
		r.send(masked(signaling.OpClose, c.payload))
		if got, _, _ := r.awaitClose(); got != c.answer {
			t.Errorf("close % x was answered with %d", c.payload, got)
		}
		if c.leaves {
			if m := await[signaling.MemberLeft](bob); m.Reason != "bye" {
				t.Errorf("close % x: %+v", c.payload, m)
			}
		} else if m := await[signaling.MemberState](bob); m.State != signaling.Reconnecting {
			t.Errorf("close % x: %+v", c.payload, m)
		}
	}
}

func TestPermessageDeflateIsNotNegotiated(t *testing.T) {
	_, url := start(t, Config{})
	r := rawDial(t, url)
	res := r.handshake("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits, x-webkit-deflate-frame")
	if res.StatusCode != 101 || res.Header.Get("Sec-WebSocket-Extensions") != "" || res.Header.Get("Sec-WebSocket-Protocol") != signaling.Subprotocol {
		t.Fatalf("%s %v", res.Status, res.Header)
	}
}

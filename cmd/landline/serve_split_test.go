package main

import (
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"landline/media"
	"landline/signaling"
	"landline/signaling/client"
	"landline/signaling/rtc"
)

// wholeRelay runs a whole relay on a port of its own, and gives its address.
func wholeRelay(t *testing.T, flags ...string) string {
	t.Helper()
	j := launch(t, nil, append([]string{"serve", "--listen", "127.0.0.1:0"}, flags...)...)
	_, url, ok := strings.Cut(strings.TrimSpace(j.out.line(t, "Landline is ready. Open ")), "Open ")
	if !ok {
		t.Fatal("no address")
	}
	return url
}

// Members whom UDP does not reach send and receive through the one port that HTTP is served on.
func TestMediaGoesByICETCPThroughThePortOfHTTP(t *testing.T) {
	url := wholeRelay(t)
	frames := make(chan client.Frame, 1)
	viewer := dialTCP(t, client.Options{URL: url, Room: "lab", Name: "viewer", Subscribe: []signaling.Subscribe{{}},
		OnFrame: func(_ *client.Incoming, f client.Frame) {
			select {
			case frames <- f:
			default:
			}
		}})
	sender := dialTCP(t, client.Options{URL: url, Room: "lab", Name: "sender", Publish: []signaling.Track{{ID: "voice", Kind: media.Audio,
		Source: signaling.SourceFile, Codec: media.Opus, CodecString: "opus", SampleRate: 48000, Channels: 2, Clock: signaling.Clock{Us: 1, WallUs: time.Now().UnixMicro()}}}})
	voice := sender.Track("voice")
	late := time.After(patience)
	for us := int64(1); ; us += 20_000 {
		if err := voice.Write(media.Frame{Timestamp: us, Duration: 20_000, Key: true, Data: []byte{0xfc, 1, 2, 3}}); err != nil {
			t.Fatal(err)
		}
		select {
		case <-frames:
		case <-time.After(20 * time.Millisecond):
			continue
		case <-late:
			t.Fatal("no frame came")
		}
		break
	}
	for _, way := range []string{"in", "out"} {
		if n := mediaBytes(t, url, way, "webrtc"); n == 0 {
			t.Errorf("%d bytes %s by WebRTC", n, way)
		}
		if n := mediaBytes(t, url, way, "websocket"); n != 0 {
			t.Errorf("%d bytes %s by the WebSocket", n, way)
		}
	}
	viewer.Close()
}

func dialTCP(t *testing.T, o client.Options) *client.Room {
	t.Helper()
	o.WebRTC = &rtc.Dialer{Receive: 1, TCP: true}
	room, err := client.Dial(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(room.Close)
	return room
}

// splitFor is a split whose kinds are answered with a word each.
func splitFor(t *testing.T, most int, wait time.Duration) (*split, string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := newSplit(ln, most, wait)
	done := make(chan struct{}, 2)
	for word, b := range map[string]branch{"http": s.http, "ice": s.ice} {
		go func() {
			defer func() { done <- struct{}{} }()
			for {
				conn, err := b.Accept()
				if err != nil {
					return
				}
				if _, bare := conn.(*net.TCPConn); bare != (word == "http") {
					t.Errorf("%s gets a %T", word, conn)
				}
				_, _ = io.WriteString(conn, word)
				if word == "http" {
					conn.Close()
				}
			}
		}()
	}
	t.Cleanup(func() {
		_ = s.Close()
		<-done
		<-done
	})
	return s, ln.Addr().String()
}

// answerTo connects, says something, and gives what comes back until the end, or n bytes of it.
func answerTo(t *testing.T, addr, say string, n int) (string, error) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	_, _ = io.WriteString(conn, say)
	got := make([]byte, n)
	read, err := io.ReadFull(conn, got)
	return string(got[:read]), err
}

func TestSplitTellsKindsApart(t *testing.T) {
	_, addr := splitFor(t, 10, time.Minute)
	for say, want := range map[string]string{"GET / HTTP/1.1\r\n": "http", "\x16\x03\x01": "http", "\x00\x5c\x00\x01": "ice", "\x01\x04\x00\x01": "ice"} {
		if got, err := answerTo(t, addr, say, len(want)); got != want {
			t.Errorf("%q is answered %q, %v", say, got, err)
		}
	}
}

func TestSplitDoesNotWaitForThoseWhoSayNothing(t *testing.T) {
	_, addr := splitFor(t, 10, 50*time.Millisecond)
	var failed net.Error
	if got, err := answerTo(t, addr, "", 1); err == nil || errors.As(err, &failed) && failed.Timeout() {
		t.Errorf("%q, %v", got, err)
	}
}

func TestSplitIsCapped(t *testing.T) {
	s, addr := splitFor(t, 2, time.Minute)
	for range 2 {
		if got, err := answerTo(t, addr, "\x00", 3); got != "ice" {
			t.Fatalf("%q, %v", got, err)
		}
	}
	if got, err := answerTo(t, addr, "GET", 4); got == "http" || err == nil {
		t.Errorf("over the cap: %q", got)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = s.Close()
	}()
	select {
	case <-ended:
	case <-time.After(patience):
		t.Fatal("connections that are open keep it from ending")
	}
}

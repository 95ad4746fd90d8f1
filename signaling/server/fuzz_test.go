package server

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"landline/media"
	"landline/signaling"
)

// pipeListener hands out connections in memory.
type pipeListener struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error   { l.once.Do(func() { close(l.done) }); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{} }

func (l *pipeListener) dial(string, string) (net.Conn, error) {
	near, far := net.Pipe()
	l.conns <- far
	return near, nil
}

// script writes messages the way FuzzSession reads them: a byte for the kind, two for the length, the message. Aliases 1 and 2
// stand for the camera's and the microphone's.
func script(messages ...any) (b []byte) {
	for _, m := range messages {
		kind, msg := byte(websocket.BinaryMessage), []byte(nil)
		if s, ok := m.(string); ok {
			kind, msg = websocket.TextMessage, []byte(s)
		} else {
			msg = m.([]byte)
		}
		b = append(binary.BigEndian.AppendUint16(append(b, kind), uint16(len(msg))), msg...)
	}
	return b
}

// unscript makes frames of a script, with the aliases put in.
func unscript(data []byte, cam, micro uint16) (frames []byte) {
	for n := 0; len(data) >= 3 && n < 200; n++ {
		kind, size := data[0], int(binary.BigEndian.Uint16(data[1:]))
		msg := bytes.Clone(data[3:min(3+size, len(data))])
		data = data[3+len(msg):]
		if kind&0x0F != websocket.BinaryMessage {
			frames = append(frames, masked(signaling.OpText, msg)...)
			continue
		}
		if len(msg) >= 4 {
			switch alias := binary.BigEndian.Uint16(msg[2:]); alias {
			case 1:
				binary.BigEndian.PutUint16(msg[2:], cam)
			case 2:
				binary.BigEndian.PutUint16(msg[2:], micro)
			}
		}
		if kind&0x80 != 0 {
			frames = append(frames, fragments(signaling.OpBinary, msg, 7, nil)...)
			continue
		}
		frames = append(frames, masked(signaling.OpBinary, msg)...)
	}
	return frames
}

func seedScripts(f *testing.F) {
	all := func(parts ...[][]byte) (msgs []any) {
		for _, p := range parts {
			for _, m := range p {
				msgs = append(msgs, m)
			}
		}
		return msgs
	}
	end := func(alias uint16) []byte { return media.Control{Kind: media.KindEnd, Alias: alias}.Append(nil) }
	f.Add(script(all(frames(1, 1, 0, 9000), frames(1, 1, 1, 40), [][]byte{audio(2, 1, []byte("x")), end(1), end(2)})...))
	f.Add(script(all(frames(1, 1, 0, 40), [][]byte{media.Control{Kind: media.KindAbandon, Code: 4, Alias: 1, Group: 1, Frame: 1}.Append(nil)}, frames(1, 2, 0, 40))...))
	f.Add(script(media.Ack{Bytes: 100}.Append(nil), media.Ack{Bytes: 200, Backlog: 7}.Append(nil), []byte{0x1F}, []byte{0x20}))
	f.Add(script(`{"type":"subscribe"}`, `{"type":"subscribe","name":"Bob","priority":9,"maxAgeMs":50}`, `{"type":"unsubscribe"}`, `{"type":"keyframe","member":"m","track":"t"}`))
	f.Add(script(`{"type":"publish","req":1,"tracks":[`+strings.Replace(mic, `"mic"`, `"mic2"`, 1)+`]}`, `{"type":"unpublish","track":"mic2"}`, `{"type":"mute","track":"mic","muted":true}`))
	f.Add(script(`{"type":"configure","track":"camera","codecString":"vp8","width":1280}`, `{"type":"chat","text":"hi","req":1}`, `{"type":"ackInterval","ms":10}`))
	f.Add(script(`{"type":"publish","req":1,"tracks":[`+strings.Replace(layered, `"camera"`, `"film"`, 1)+`]}`, `{"type":"encoding","track":"film","layers":[true,false,true]}`,
		`{"type":"subscribe","height":180,"hold":true}`, `{"type":"configure","track":"film","codecString":"vp8","layers":[{"width":1,"height":1}]}`,
		`{"type":"encoding","track":"film","layers":[]}`, `{"type":"encoding","track":"film","layers":[false,false,false]}`))
	f.Add(script(`{"type":"hello","version":1}`))
	f.Add(append(script(v(1, 1, 0, 0, false)), 0x82, 0, 40, 0x10, 3, 0, 1))
}

// FuzzSession lets members do what they like in a room: none of them panics the server, each of their sessions ends, and
// those who behave still hear each other.
func FuzzSession(f *testing.F) {
	seedScripts(f)
	s := New(Config{Logger: slog.New(slog.NewJSONHandler(&logged, nil))})
	l := &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
	web := &http.Server{Handler: s.Handler()}
	go func() { _ = web.Serve(l) }()
	f.Cleanup(func() {
		s.Close()
		_ = web.Close()
	})
	f.Fuzz(func(t *testing.T, data []byte) {
		bob := dialBy(t, "ws://in.memory/ws", websocket.Dialer{NetDial: l.dial})
		said := make(chan string, 100)
		bob.enter("r", `"name":"Bob","subscribe":[{}]`)
		go func() {
			defer close(said)
			for {
				kind, msg, err := bob.next()
				if err != nil {
					return
				}
				if m, _ := signaling.Decode(msg); kind == websocket.TextMessage && m != nil {
					if c, ok := m.(*signaling.Chat); ok && c.Name == "Bob" {
						said <- c.Text
					}
				}
			}
		}()
		conn, _ := l.dial("", "")
		_ = conn.SetDeadline(time.Now().Add(patience))
		r := &rawSocket{t, conn, bufio.NewReader(conn)}
		r.handshake()
		r.join("r")
		cam, micro := r.aliases()
		gone := make(chan error, 1)
		go func() {
			for {
				op, _, err := r.frame()
				if op == signaling.OpClose || err != nil {
					gone <- err
					return
				}
			}
		}()
		r.send(append(unscript(data, cam, micro), text(`{"type":"bye"}`)...))
		if err := <-gone; err != nil {
			t.Fatalf("the session does not end: %v", err)
		}
		bob.text(`{"type":"chat","text":"well?"}`)
		if got := <-said; got != "well?" || s.stats.panics.Load() != 0 {
			t.Fatalf("Bob heard %q, %d panics", got, s.stats.panics.Load())
		}
		_ = r.Close()
		bob.text(`{"type":"bye"}`)
		for range said {
		}
	})
}

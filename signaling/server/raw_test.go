package server

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"landline/media"
	"landline/signaling"
)

// rawSocket is a WebSocket whose every byte a test chooses.
type rawSocket struct {
	t testing.TB
	net.Conn
	br *bufio.Reader
}

func rawDial(t testing.TB, url string) *rawSocket {
	t.Helper()
	c, err := net.DialTimeout("tcp", strings.TrimSuffix(strings.TrimPrefix(url, "ws://"), "/ws"), patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(patience))
	return &rawSocket{t, c, bufio.NewReader(c)}
}

// handshake asks for an upgrade, with more header lines if need be, and returns the answer.
func (r *rawSocket) handshake(headers ...string) *http.Response {
	r.t.Helper()
	lines := append([]string{"GET /ws HTTP/1.1", "Host: " + r.RemoteAddr().String(), "Connection: Upgrade", "Upgrade: websocket",
		"Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol: landline.v1"}, headers...)
	r.send([]byte(strings.Join(lines, "\r\n") + "\r\n\r\n"))
	res, err := http.ReadResponse(r.br, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	return res
}

// rawUp is a socket after the upgrade.
func rawUp(t testing.TB, url string) *rawSocket {
	t.Helper()
	r := rawDial(t, url)
	if res := r.handshake(); res.StatusCode != http.StatusSwitchingProtocols {
		t.Fatal(res.Status)
	}
	return r
}

// rawIn is a socket in a room with a camera and a microphone, whose aliases it returns.
func rawIn(t testing.TB, url, room string) (r *rawSocket, cam, micro uint16) {
	t.Helper()
	r = rawUp(t, url)
	r.join(room)
	cam, micro = r.aliases()
	return r, cam, micro
}

func (r *rawSocket) join(room string) {
	r.send(masked(signaling.OpText, []byte(`{"type":"hello","version":1,"decode":{"ws":[]}}`)))
	r.send(masked(signaling.OpText, []byte(`{"type":"join","room":"`+room+`","publish":[`+camera+`,`+mic+`]}`)))
}

// aliases waits for joined.
func (r *rawSocket) aliases() (cam, micro uint16) {
	r.t.Helper()
	for {
		op, payload, err := r.frame()
		if err != nil {
			r.t.Fatal(err)
		}
		if op != signaling.OpText {
			continue
		}
		if m, _ := signaling.Decode(payload); m != nil {
			if j, ok := m.(*signaling.Joined); ok {
				keepSecret(j.Resume)
				return j.Self.Tracks[0].Layers[0].Alias, j.Self.Tracks[1].Layers[0].Alias
			}
		}
	}
}

// send writes bytes; a server that has closed already is no failure.
func (r *rawSocket) send(b []byte) { _, _ = r.Write(b) }

// frame reads one frame of the server.
func (r *rawSocket) frame() (op byte, payload []byte, err error) {
	var head [2]byte
	if _, err := io.ReadFull(r.br, head[:]); err != nil {
		return 0, nil, err
	}
	n := uint64(head[1])
	switch {
	case head[1]&0x80 != 0:
		return 0, nil, fmt.Errorf("a masked frame from the server: % x", head)
	case n == 126:
		var ext [2]byte
		_, err = io.ReadFull(r.br, ext[:])
		n = uint64(binary.BigEndian.Uint16(ext[:]))
	case n == 127:
		var ext [8]byte
		_, err = io.ReadFull(r.br, ext[:])
		n = binary.BigEndian.Uint64(ext[:])
	}
	if err == nil && n > signaling.MaxControl {
		err = fmt.Errorf("a frame of %d bytes from the server", n)
	}
	if err != nil {
		return 0, nil, err
	}
	payload = make([]byte, n)
	_, err = io.ReadFull(r.br, payload)
	return head[0], payload, err
}

// awaitClose reads up to the close frame, and returns its code and reason, and the code of the fatal error before it.
func (r *rawSocket) awaitClose() (code int, reason, fatal string) {
	r.t.Helper()
	for {
		op, payload, err := r.frame()
		if err != nil {
			r.t.Fatalf("not closed in words: %v", err)
		}
		switch op {
		case signaling.OpClose:
			if len(payload) < 2 {
				return 1005, "", fatal
			}
			return int(binary.BigEndian.Uint16(payload)), string(payload[2:]), fatal
		case signaling.OpText:
			if m, err := signaling.Decode(payload); err == nil {
				if e, ok := m.(*signaling.Error); ok && e.Fatal {
					fatal = e.Code
				}
			}
		}
	}
}

var maskKey = [4]byte{0x12, 0x34, 0x56, 0x78}

// masked is one frame of a client; op holds the FIN bit.
func masked(op byte, payload []byte) []byte {
	b := claimed(op, uint64(len(payload)))
	for i, c := range payload {
		b = append(b, c^maskKey[i%4])
	}
	return b
}

// claimed is the header of a client's frame that claims n bytes of payload.
func claimed(op byte, n uint64) []byte {
	b := []byte{op}
	switch {
	case n <= 125:
		b = append(b, 0x80|byte(n))
	case n <= 65535:
		b = append(b, 0x80|126, byte(n>>8), byte(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), n)
	}
	return append(b, maskKey[:]...)
}

// fragments cuts a message into frames of at most size bytes, with between behind each but the last.
func fragments(op byte, payload []byte, size int, between []byte) (b []byte) {
	first := op &^ 0x80
	for len(payload) > size {
		b = append(append(b, masked(first, payload[:size])...), between...)
		payload, first = payload[size:], 0
	}
	return append(b, masked(0x80|first, payload)...)
}

// chunkOf is a chunk message with a payload of n bytes.
func chunkOf(h media.ChunkHeader, n int) []byte { return append(h.Append(nil), make([]byte, n)...) }

package server

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"landline/media"
	"landline/signaling"
)

// narrow dials with receive buffers so small that the server soon finds the socket full.
func narrow(t testing.TB, url string) *probe {
	t.Helper()
	return dialBy(t, url, websocket.Dialer{NetDialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		var d net.Dialer
		c, err := d.DialContext(ctx, network, addr)
		if err == nil {
			err = c.(*net.TCPConn).SetReadBuffer(16 << 10)
		}
		return c, err
	}})
}

// follower reads what comes of one video track, and holds it to the rules of docs/protocol.md sections 5 and 7.
type follower struct {
	*probe
	alias  uint16
	size   int // of every frame
	asm    media.Assembler
	frames int               // whole frames seen
	last   media.ChunkHeader // of the newest whole frame
	drops  map[string]uint64 // what the server told of drops, newest
	ended  bool
}

// step deals with one message.
func (f *follower) step() error {
	kind, msg, err := f.next()
	if err != nil {
		return err
	}
	if kind == websocket.TextMessage {
		m, err := signaling.Decode(msg)
		if d, ok := m.(*signaling.Drops); ok {
			f.drops = d.Tracks[0].Frames
		}
		return err
	}
	switch msg[0] {
	case media.KindChunk:
		c, err := media.ParseChunk(msg)
		if err != nil {
			return err
		}
		if h, data, ok := f.asm.Push(&c); ok {
			if !bytes.Equal(data, pattern(h.Group, h.Frame, f.size)) {
				return fmt.Errorf("group %d frame %d differs", h.Group, h.Frame)
			}
			f.frames++
			f.last = h
		}
	case media.KindAbandon, media.KindCatchUp, media.KindEnd:
		c, err := media.ParseControl(msg)
		if err != nil {
			return err
		}
		switch c.Kind {
		case media.KindAbandon:
			f.asm.Abandon(c)
		case media.KindCatchUp:
			f.asm.CatchUp(c)
		default:
			f.ended = true
		}
	}
	if f.asm.Gaps != 0 {
		return fmt.Errorf("a hole without Abandon at %x", msg[:min(len(msg), 20)])
	}
	return nil
}

// pattern is a frame's content, other for each.
func pattern(group uint32, frame uint16, n int) []byte {
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(i>>8) ^ byte(i*7) ^ byte(frame) ^ byte(group*13)
	}
	return data
}

// patterned gives the chunks of a frame with this content.
func patterned(alias uint16, group uint32, frame uint16, n int) (out [][]byte) {
	h := media.ChunkHeader{Key: frame == 0, Alias: alias, Group: group, Frame: frame, Timestamp: group<<20 | uint32(frame)<<12}
	h.SetLength(uint32(n))
	media.Split(h, pattern(group, frame, n), media.MaxChunkPayload, 0, func(b []byte) { out = append(out, b) })
	return out
}

func httpURL(url, path string) string {
	return "http" + strings.TrimSuffix(strings.TrimPrefix(url, "ws"), "/ws") + path
}

// status is what /api/rooms says of a member.
func status(t testing.TB, url, id string) MemberStatus {
	t.Helper()
	m, ok := lookup(t, url, id)
	if !ok {
		t.Fatalf("/api/rooms knows no member %s", id)
	}
	return m
}

func lookup(t testing.TB, url, id string) (m MemberStatus, ok bool) {
	t.Helper()
	res, err := http.Get(httpURL(url, "/api/rooms"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var reply RoomsReply
	if err := json.NewDecoder(res.Body).Decode(&reply); err != nil {
		t.Fatal(err)
	}
	for _, room := range reply.Rooms {
		for _, m := range room.Members {
			if m.ID == id {
				return m, true
			}
		}
	}
	return m, false
}

// within waits until something is so.
func within(t testing.TB, d time.Duration, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(d); !so(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %s: %s", d, what)
		}
	}
}

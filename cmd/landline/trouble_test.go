package main

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"landline/signaling"
	"landline/signaling/client"
	"landline/signaling/impair"
	"landline/signaling/server"
	"landline/signaling/token"
)

// TestFrozenAndSlowOthersChangeNothing shares the room of a byte-exact transfer with one who never reads, and one
// who takes a quarter of what comes, or half where a busy machine lets less come.
func TestFrozenAndSlowOthersChangeNothing(t *testing.T) {
	url := relayFor(t)
	out := filepath.Join(t.TempDir(), "out.webm")
	watch := startWatch(t, url, out, "--json")
	freeze(t, url)
	slow, err := client.Dial(t.Context(), client.Options{URL: url, Room: "lab", Name: "slow", Subscribe: []signaling.Subscribe{{}},
		OnFrame: quarterRate()})
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	in := clip(t, "in.webm", strings.Fields("-t 4 -s 640x360 -vf noise=alls=60:allf=t -c:v libvpx -deadline realtime -cpu-used 16 -b:v 6M -minrate 6M -maxrate 6M -g 25 -c:a libopus")...)
	inRoom(t, url, 3)
	stream := startStream(t, url, in, "--json")
	until(t, "drops of the frozen and the slow one", func() bool {
		dropped := 0
		for _, m := range membersOf(t, url) {
			if m.Name != "watch" && len(m.Link.Drops) > 0 {
				dropped++
			}
			if m.Link.QueueBytes > 1100<<10 {
				t.Errorf("%s: %d bytes are queued", m.Name, m.Link.QueueBytes)
			}
		}
		return dropped == 2
	})
	sent := reported[streamReport](t, stream)
	sameCounts(t, sent, reported[watchReport](t, watch))
	samePackets(t, in, out, 0)
}

// quarterRate is a callback that takes 1.5 of the 6 Mbit/s that come.
func quarterRate() func(*client.Incoming, client.Frame) {
	began, taken := time.Now(), 0
	return func(_ *client.Incoming, f client.Frame) {
		if taken == 0 {
			began = time.Now()
		}
		taken += len(f.Data)
		const bytesPerSecond = 1_500_000 / 8
		time.Sleep(time.Until(began.Add(time.Duration(taken) * time.Second / bytesPerSecond)))
	}
}

// freeze joins a room, asks for everything, and reads nothing.
func freeze(t *testing.T, url string) {
	t.Helper()
	dialer := websocket.Dialer{Subprotocols: []string{signaling.Subprotocol}}
	ws, _, err := dialer.Dial("ws"+strings.TrimPrefix(url, "http")+"/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ws.Close() })
	for _, text := range []string{`{"type":"hello","version":1,"decode":{"ws":["opus","vp8"]}}`,
		`{"type":"join","room":"lab","name":"frozen","subscribe":[{}]}`} {
		if err := ws.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
}

// detour is a TCP path to a relay that can be impaired, cut, and led to another.
type detour struct {
	*impair.Proxy
	url string
}

// detourTo opens a path for which up and down are how it goes towards the relay and back.
func detourTo(t *testing.T, url string, up, down impair.Link) *detour {
	t.Helper()
	p, err := impair.Listen(strings.TrimPrefix(url, "http://"), 1, up, down)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return &detour{p, "http://" + p.Addr()}
}

func TestCutConnectionsAreSurvived(t *testing.T) {
	url := relayFor(t)
	mine, theirs := detourTo(t, url, impair.Link{}, impair.Link{}), detourTo(t, url, impair.Link{}, impair.Link{})
	out := filepath.Join(t.TempDir(), "out.webm")
	watch := startWatch(t, mine.url, out, "--json")
	stream := startStream(t, theirs.url, vp8Clip(t, "4"), "--json")
	until(t, "frames", func() bool { return sentFrames(t, url) > 10 })
	mine.Cut()
	until(t, "more frames", func() bool { return sentFrames(t, url) > 30 })
	theirs.Cut()
	sent := reported[streamReport](t, stream)
	saved := reported[watchReport](t, watch)
	if sent.Reconnects != 1 || saved.Reconnects != 1 {
		t.Errorf("%d and %d reconnects, want one each", sent.Reconnects, saved.Reconnects)
	}
	if video := saved.Tracks[0]; video.Frames < 50 || video.KeyFrames < 3 || video.Frames+sum(video.Drops) < 60 {
		t.Errorf("video %+v of 100 frames with 4 key frames", video)
	}
	decodesClean(t, out)
}

func sum(m map[string]uint64) (n uint64) {
	for _, v := range m {
		n += v
	}
	return n
}

// TestRelayStartedAnewInMidStream replaces the relay by an empty one: both ends join anew and go on.
func TestRelayStartedAnewInMidStream(t *testing.T) {
	relay := server.New(server.Config{})
	front := httptest.NewServer(relay.Handler())
	way := detourTo(t, front.URL, impair.Link{}, impair.Link{})
	out := filepath.Join(t.TempDir(), "out.webm")
	watch := startWatch(t, way.url, out, "--json", "--member", "src")
	stream := startStream(t, way.url, vp8Clip(t, "5"), "--json")
	until(t, "frames", func() bool { return sentFrames(t, front.URL) > 10 })
	next := relayFor(t)
	http.DefaultClient.CloseIdleConnections()
	way.SetTarget(strings.TrimPrefix(next, "http://"))
	way.Cut()
	relay.Close()
	front.Close()
	sent := reported[streamReport](t, stream)
	saved := reported[watchReport](t, watch)
	if sent.Reconnects != 1 || saved.Reconnects != 1 || saved.Tracks[0].Frames < 40 || len(saved.Tracks) != 2 {
		t.Errorf("sent %+v, saved %+v", sent, saved)
	}
	decodesClean(t, out)
}

func TestTokenIsAskedForInWords(t *testing.T) {
	keys, err := token.ParseKeys([]string{testKey})
	if err != nil {
		t.Fatal(err)
	}
	url := relayWith(t, server.Config{Keys: keys})
	j := launch(t, nil, "watch", "--url", url, "--room", "a", "--out", filepath.Join(t.TempDir(), "a.webm"))
	failsWith(t, j, "bad-token")
	failsWith(t, launch(t, nil, "rooms", "--url", url), "grants admin")
	failsWith(t, launch(t, nil, "rooms", "--url", "http://127.0.0.1:1"), "connection refused")
	failsWith(t, launch(t, nil, "stream", vp8Clip(t, "0.2"), "--room", "a", "--url", "http://127.0.0.1:1"), "connection refused")
}

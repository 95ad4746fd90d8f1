package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"landline/media"
	"landline/media/webm"
	"landline/signaling"
	"landline/signaling/client"
	"landline/signaling/rtc"
	"landline/signaling/server"
)

// spectator writes down when which picture came.
type spectator struct {
	mu   sync.Mutex
	came map[[sha256.Size]byte]time.Time // last
}

func spectate(t *testing.T, url, name string, over client.WebRTC) *spectator {
	t.Helper()
	s := &spectator{came: map[[sha256.Size]byte]time.Time{}}
	room, err := client.Dial(t.Context(), client.Options{URL: url, Room: "lab", Name: name, Subscribe: []signaling.Subscribe{{}},
		Decode: []media.Codec{media.VP8}, WebRTC: over, OnFrame: func(_ *client.Incoming, f client.Frame) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.came[sha256.Sum256(f.Data)] = f.Arrived
		}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(room.Close)
	return s
}

func (s *spectator) last(picture []byte) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.came[sha256.Sum256(picture)]
}

// keysOf are the key pictures of the only file in a folder.
func keysOf(t *testing.T, dir string) (keys []media.Packet) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.webm"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	b, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	r, err := webm.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	for {
		p, err := r.Next()
		if err == io.EOF {
			return keys
		}
		if err != nil {
			t.Fatal(err)
		}
		if p.Key && r.Formats()[p.Track].Kind == media.Video {
			keys = append(keys, p)
		}
	}
}

// together is the most by which people may be apart.
const together = 150 * time.Millisecond

// Over a WebSocket, over WebRTC, and having come late: after each of twenty changes of position, half of them while it pauses, all have the same picture
// at the same time.
func TestPeopleWatchTogether(t *testing.T) {
	url, dir := recordingRelayWith(t, server.Config{WebRTC: rtcPort(t)})
	_, id := recordedClip(t, url)
	keys := keysOf(t, dir)
	people := map[string]*spectator{"websocket": spectate(t, url, "ws", nil),
		"webrtc": spectate(t, url, "rtc", &rtc.Dialer{Receive: receiveLines, Logger: newLogger(io.Discard, "error")})}
	inRoom(t, url, 2)
	if code := order(t, http.MethodPut, url, fmt.Sprintf(`{"recording":%q,"loop":true}`, id)); code != http.StatusCreated {
		t.Fatal(code)
	}
	until(t, "media by WebRTC", func() bool { return mediaBytes(t, url, "out", "webrtc") > 20_000 })
	random := rand.New(rand.NewPCG(3, 4))
	var apart []time.Duration
	for n := range 20 {
		if n == 10 {
			people["late"] = spectate(t, url, "late", nil)
			until(t, "who came late sees something", func() bool { return mediaBytesOf(t, url, "late") > 0 })
		}
		// Not the place that is played now, whose picture may have come by itself.
		key := keys[(n*2+random.IntN(2))%len(keys)]
		asked := time.Now()
		if code := order(t, http.MethodPatch, url, fmt.Sprintf(`{"positionMs":%d,"playing":%v}`, key.Timestamp/1000+10, n%2 == 0)); code != http.StatusOK {
			t.Fatal(code)
		}
		first, last := time.Time{}, time.Time{}
		for who, s := range people {
			var at time.Time
			until(t, fmt.Sprintf("the picture of %v at %s", key.Timestamp, who), func() bool {
				at = s.last(key.Data)
				return at.After(asked)
			})
			if first.IsZero() || at.Before(first) {
				first = at
			}
			if at.After(last) {
				last = at
			}
		}
		apart = append(apart, last.Sub(first))
	}
	slices.Sort(apart)
	t.Logf("apart by %v in the middle, %v at most", apart[len(apart)/2], apart[len(apart)-1])
	if most := apart[len(apart)-1]; most > together {
		t.Errorf("they are %v apart: %v", most, apart)
	}
}

// order tells a relay what to play in the room lab.
func order(t *testing.T, method, url, body string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url+"/api/playback/lab", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

// mediaBytesOf is what a member was sent.
func mediaBytesOf(t *testing.T, url, name string) (n uint64) {
	t.Helper()
	for _, m := range membersOf(t, url) {
		for _, p := range m.Paths {
			if m.Name == name {
				n += p.BytesOut
			}
		}
	}
	return n
}

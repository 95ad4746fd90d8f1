package main

import (
	"encoding/json"
	"net"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"landline/media"
	"landline/signaling"
)

// neighbour is a member that takes less than it is sent, from a socket with a small receive buffer.
func neighbour(t *testing.T, url, name string) *websocket.Conn {
	t.Helper()
	d := websocket.Dialer{Subprotocols: []string{signaling.Subprotocol}, NetDial: func(network, addr string) (net.Conn, error) {
		conn, err := net.Dial(network, addr)
		if err == nil {
			err = conn.(*net.TCPConn).SetReadBuffer(16 << 10)
		}
		return conn, err
	}}
	ws, _, err := d.Dial("ws"+strings.TrimPrefix(url, "http")+"/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ws.Close() })
	for _, m := range []string{`{"type":"hello","version":1,"decode":{"ws":["vp8","opus"]}}`,
		`{"type":"join","room":"lab","name":"` + name + `","subscribe":[{}]}`} {
		if err := ws.WriteMessage(websocket.TextMessage, []byte(m)); err != nil {
			t.Fatal(err)
		}
	}
	return ws
}

// readAt reads and acknowledges honestly, at so many bytes a second, until the connection ends.
func readAt(ws *websocket.Conn, rate int) {
	var got uint64
	began := time.Now()
	for {
		_, msg, err := ws.ReadMessage()
		if err != nil {
			return
		}
		got += uint64(len(msg))
		due := began.Add(time.Duration(got) * time.Second / time.Duration(rate))
		time.Sleep(time.Until(due))
		if err := ws.WriteMessage(websocket.BinaryMessage, media.Ack{Bytes: got}.Append(nil)); err != nil {
			return
		}
	}
}

// seen is the worst that the relay said of one neighbour while the clip ran.
type seen struct {
	queueBytes int
	queueAge   float64
	drops      map[string]uint64
}

func TestSlowNeighboursCostAWatcherNothing(t *testing.T) {
	// Between separate processes: serve, stream, watch; the neighbours are sockets of the test's own.
	in := clip(t, "busy.webm", "-t", "6", "-vf", "scale=640:360,noise=alls=60:allf=t", "-c:v", "libvpx", "-deadline", "realtime",
		"-cpu-used", "8", "-b:v", "4M", "-g", "50", "-c:a", "libopus")
	out := filepath.Join(t.TempDir(), "out.webm")
	var none, log, watched, streamed, watchLog, streamLog output
	serve := child(t, "landline", &none, &log, "serve", "--listen", "127.0.0.1:0")
	t.Cleanup(func() {
		_ = serve.Process.Signal(syscall.SIGTERM)
		if err := serve.Wait(); err != nil {
			t.Errorf("serve: %v: %s", err, log.String())
		}
	})
	var serving struct{ URL string }
	if err := json.Unmarshal([]byte(log.line(t, `"msg":"serving"`)), &serving); err != nil {
		t.Fatal(err)
	}
	watch := child(t, "landline", &watched, &watchLog, "watch", "--url", serving.URL, "--room", "lab", "--member", "src", "--out", out, "--json")
	neighbour(t, serving.URL, "frozen")
	half := neighbour(t, serving.URL, "half")
	go readAt(half, 4_000_000/8/2)
	inRoom(t, serving.URL, 3)
	stream := child(t, "landline", &streamed, &streamLog, "stream", in, "--url", serving.URL, "--room", "lab", "--name", "src", "--json")

	worst := map[string]*seen{"frozen": {}, "half": {}, "watch": {}}
	ended := make(chan error, 1)
	go func() { ended <- stream.Wait() }()
	for over := false; !over; {
		for _, m := range membersOf(t, serving.URL) {
			if w := worst[m.Name]; w != nil {
				w.queueBytes, w.queueAge, w.drops = max(w.queueBytes, m.Link.QueueBytes), max(w.queueAge, m.Link.QueueAgeMs), m.Link.Drops
			}
		}
		select {
		case err := <-ended:
			if err != nil {
				t.Fatalf("stream: %v: %s", err, streamLog.String())
			}
			over = true
		case <-time.After(50 * time.Millisecond): // how often the relay is asked, not a wait for anything
		}
	}
	if err := watch.Wait(); err != nil {
		t.Fatalf("watch: %v: %s", err, watchLog.String())
	}
	samePackets(t, in, out, 0)
	var report watchReport
	if err := decodeOne(watched.String(), &report); err != nil {
		t.Fatal(err)
	}
	for _, track := range report.Tracks {
		if len(track.Drops) != 0 || track.Gaps != 0 {
			t.Errorf("the watcher's track %s: drops %v, gaps %d", track.ID, track.Drops, track.Gaps)
		}
	}
	for _, name := range []string{"frozen", "half"} {
		w := worst[name]
		t.Logf("%s: queue at most %d bytes and %.0f ms, drops %v", name, w.queueBytes, w.queueAge, w.drops)
		if w.drops["gate"] == 0 || w.drops["age"]+w.drops["bytes"] == 0 {
			t.Errorf("%s lost nothing, or without a reason: %v", name, w.drops)
		}
		if w.queueBytes > 1<<20 || w.queueAge > 1500 {
			t.Errorf("%s: %d bytes and %.0f ms queued", name, w.queueBytes, w.queueAge)
		}
	}
}

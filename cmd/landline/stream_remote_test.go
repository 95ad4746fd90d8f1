package main

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// webServer serves with a handler until the end of the test.
func webServer(t *testing.T, serve http.HandlerFunc) string {
	t.Helper()
	web := httptest.NewServer(serve)
	t.Cleanup(web.Close)
	return web.URL
}

// TestAnAddressIsStreamedAsTheFileIs compares what a watch saves with the file on the server.
func TestAnAddressIsStreamedAsTheFileIs(t *testing.T) {
	webm := vp8Clip(t, "1.5")
	mp4 := clip(t, "in.mp4", strings.Fields("-t 1.5 -s 160x90 -c:v libx264 -preset ultrafast -pix_fmt yuv420p -bf 0 -g 25 -c:a libopus")...)
	for path, out := range map[string]string{webm: "out.webm", mp4: "out.mkv"} { // the index of the second is at its end
		address := webServer(t, func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, path) })
		saved := filepath.Join(t.TempDir(), out)
		begin(t, address+"/a/film?key=secret", saved).finish(t)
		samePackets(t, path, saved, 0)
	}
}

// TestAnAddressGoesThroughFFmpegWhereItMust has an MP4 with AAC whose index is at its end, from servers with and without parts.
func TestAnAddressGoesThroughFFmpegWhereItMust(t *testing.T) {
	url, path := relayFor(t), diskClip(t)
	j := launch(t, nil, "stream", webServer(t, func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, path) })+"/disk.mp4",
		"--url", url, "--room", "lab", "--duration", "1", "--json")
	r := reported[streamReport](t, j)
	if len(r.Tracks) != 2 || r.Tracks[0].Codec != "vp8" || r.Tracks[0].Frames != 25 || r.Name != "disk" {
		t.Errorf("%+v", r)
	}
	whole := webServer(t, func(w http.ResponseWriter, _ *http.Request) {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Error(err)
		}
		_, _ = w.Write(b)
	})
	failsWith(t, launch(t, nil, "stream", whole+"/disk.mp4", "--url", url, "--room", "lab"), "ffmpeg cannot transcode disk.mp4")
}

// flaky serves a file, but breaks each connection after some bytes.
type flaky struct {
	file     []byte
	most     int
	tag      atomic.Value // string
	requests atomic.Int32
}

func (f *flaky) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.requests.Add(1)
	w.Header().Set("ETag", f.tag.Load().(string))
	http.ServeContent(&cutOff{w, f.most}, r, "film.webm", time.Time{}, bytes.NewReader(f.file))
}

// cutOff ends the connection when enough was written.
type cutOff struct {
	http.ResponseWriter
	left int
}

func (c *cutOff) Write(p []byte) (int, error) {
	n, _ := c.ResponseWriter.Write(p[:min(len(p), c.left)])
	if c.left -= n; c.left == 0 {
		if f, ok := c.ResponseWriter.(http.Flusher); ok {
			f.Flush()
		}
		panic(http.ErrAbortHandler)
	}
	return n, nil
}

func shortPauses(t *testing.T) {
	t.Helper()
	before := remotePauses
	remotePauses = []time.Duration{time.Millisecond, time.Millisecond}
	t.Cleanup(func() { remotePauses = before })
}

// TestWhatBreaksIsAskedForAgain reads a file of which no connection gives more than 100 kB.
func TestWhatBreaksIsAskedForAgain(t *testing.T) {
	shortPauses(t)
	f := &flaky{file: make([]byte, 1_500_000), most: 100_000}
	f.tag.Store(`"one"`)
	rng := rand.NewChaCha8([32]byte{1})
	_, _ = rng.Read(f.file)
	address := webServer(t, f.ServeHTTP) + "/film.webm"
	r, err := openRemote(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	got, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(got, f.file) {
		t.Errorf("%d of %d bytes, %v", len(got), len(f.file), err)
	}
	if n := f.requests.Load(); n != 15 {
		t.Errorf("%d requests for fifteen pieces", n)
	}
	for _, at := range []int{1_499_990, 0, 300_000, 262_140, 1_000_000} {
		piece := make([]byte, 300_000)
		n, err := r.ReadAt(piece, int64(at))
		if want := f.file[at:min(at+len(piece), len(f.file))]; !bytes.Equal(piece[:n], want) || (err == io.EOF) != (n < len(piece)) {
			t.Errorf("at %d: %d bytes, %v", at, n, err)
		}
	}
}

// TestAnotherFileIsNotGoneOnWith has the file change between two connections.
func TestAnotherFileIsNotGoneOnWith(t *testing.T) {
	shortPauses(t)
	f := &flaky{file: make([]byte, 500_000), most: 100_000}
	f.tag.Store(`"one"`)
	r, err := openRemote(t.Context(), webServer(t, f.ServeHTTP))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	f.tag.Store(`"two"`)
	if got, err := io.ReadAll(r); err == nil || !strings.Contains(err.Error(), "has changed") || len(got) != 100_000 {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

// TestWhatAServerDoesNotGive names what is wrong, never the address's query.
func TestWhatAServerDoesNotGive(t *testing.T) {
	shortPauses(t)
	relay := relayFor(t)
	address := webServer(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/page":
			fmt.Fprint(w, "<!DOCTYPE html><title>Films</title>")
		case "/live":
			w.Header().Set("Content-Type", "application/vnd.apple.mpegurl")
		case "/empty.webm":
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(nil))
		case "/lying.webm":
			w.Header().Set("Content-Range", "bytes 5-9/100")
			w.WriteHeader(http.StatusPartialContent)
		case "/breaks.webm":
			w.Header().Set("Content-Length", "100000")
			_, _ = w.Write(append([]byte{0x1A, 0x45, 0xDF, 0xA3}, make([]byte, 1000)...))
		case "/busy.webm":
			http.Error(w, "not now", http.StatusServiceUnavailable)
		default:
			http.NotFound(w, r)
		}
	})
	for path, reason := range map[string]string{
		"/page":        "page: it is a web page",
		"/live":        "live: it is a playlist",
		"/empty.webm":  "empty",
		"/lying.webm":  "another part",
		"/breaks.webm": "breaks.webm: ",
		"/busy.webm":   `the server says "503 Service Unavailable"`,
		"/none.webm":   `none.webm: the server says "404 Not Found"`,
	} {
		j := launch(t, nil, "stream", address+path+"?key=hunter2", "--url", relay, "--room", "lab")
		failsWith(t, j, reason)
		if strings.Contains(j.errs.String(), "hunter2") {
			t.Errorf("%s: the query is shown: %s", path, j.errs.String())
		}
	}
	failsWith(t, launch(t, nil, "stream", "http://127.0.0.1:1/film.webm?key=hunter2", "--url", relay, "--room", "lab"), "connection refused")
	failsWith(t, launch(t, nil, "stream", "http:///film.webm", "--url", relay, "--room", "lab"), "no address")
}

package server

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"landline/relay/record"
	"landline/signaling"
	"landline/signaling/client"
	"landline/signaling/impair"
)

// noise is data that nothing else looks like.
func noise(n int, seed byte) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{seed}).Read(b) // never fails
	return b
}

// lending serves one recording, whose files are these; nothing here looks into them.
func lending(t testing.TB, files ...[]byte) (url string) {
	t.Helper()
	dir := t.TempDir()
	for i, data := range files {
		name := kept + []string{".2.webm", ".3.webm", ".4.mkv"}[i]
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	store, err := record.Open(dir, record.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // when nobody is served any more
		if err := store.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	_, url = start(t, Config{Recordings: store})
	return url
}

func borrow(t testing.TB, url string) (*client.Room, []*client.Lent) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	r, err := client.Dial(ctx, client.Options{URL: url, Room: signaling.RecordingRoom(kept)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	files, err := r.Lents(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return r, files
}

func TestLentFilesAreReadFromAnyPlaceOn(t *testing.T) {
	want := [][]byte{noise(3<<20+5, 1), noise(100, 2), {}}
	_, files := borrow(t, lending(t, want...))
	if len(files) != 3 || files[2].MIME != "video/x-matroska" || files[2].Part != 3 {
		t.Fatalf("%+v", files)
	}
	for i, f := range files {
		got, err := io.ReadAll(io.NewSectionReader(f, 0, f.Size))
		if err != nil || !bytes.Equal(got, want[i]) {
			t.Errorf("file %d: %d bytes of %d, %v", i, len(got), len(want[i]), err)
		}
	}
	places := rand.New(rand.NewPCG(1, 2))
	for range 60 {
		at, n := places.IntN(len(want[0])+100), places.IntN(300_000)
		p := make([]byte, n)
		got, err := files[0].ReadAt(p, int64(at))
		end := min(at+n, len(want[0]))
		if at > len(want[0]) {
			end = at
		}
		if got != end-at || (err == io.EOF) != (got < n) || err != nil && err != io.EOF || got > 0 && !bytes.Equal(p[:got], want[0][at:end]) {
			t.Fatalf("%d bytes at %d: %d, %v", n, at, got, err)
		}
	}
	if _, err := files[0].ReadAt(nil, -1); err == nil {
		t.Error("before the beginning there is something to read")
	}
}

// TestLentFilesAreReadOnAfterCuts reads over a path that is cut again and again.
func TestLentFilesAreReadOnAfterCuts(t *testing.T) {
	want := noise(3<<20, 3)
	way, err := impair.Listen(strings.TrimSuffix(strings.TrimPrefix(lending(t, want), "ws://"), "/ws"), 1, impair.Link{}, impair.Link{Rate: 4 << 20})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(way.Close)
	r, files := borrow(t, "ws://"+way.Addr())
	got, piece := make([]byte, 0, len(want)), make([]byte, 50_000)
	for len(got) < len(want) {
		n, err := files[0].ReadAt(piece, int64(len(got)))
		if err != nil && err != io.EOF {
			t.Fatal(err)
		}
		if got = append(got, piece[:n]...); len(got)/(1<<20) > r.Reconnects() && len(got) < len(want) {
			way.Cut()
		}
	}
	if !bytes.Equal(got, want) || r.Reconnects() < 2 {
		t.Errorf("%d bytes after %d reconnects", len(got), r.Reconnects())
	}
}

func TestAReaderOfALentFileIsToldOfTheEnd(t *testing.T) {
	r, files := borrow(t, lending(t, noise(8<<20, 4)))
	if _, err := files[0].ReadAt(make([]byte, 10), 0); err != nil {
		t.Fatal(err)
	}
	r.Close()
	if _, err := io.ReadAll(io.NewSectionReader(files[0], 0, files[0].Size)); !errors.Is(err, client.ErrClosed) {
		t.Errorf("after leaving: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	_, none := start(t, Config{})
	_, err := client.Dial(ctx, client.Options{URL: none, Room: signaling.RecordingRoom(kept)})
	var closed *signaling.Closed
	if !errors.As(err, &closed) || closed.Code != signaling.CloseNoSuchRecording {
		t.Errorf("where there is none: %v", err)
	}
}

// BenchmarkWatchAlone reads a recording as fast as it comes, and by turns the same bytes over a bare gorilla connection in messages of 16 KiB. It
// reports both, and their ratio.
func BenchmarkWatchAlone(b *testing.B) {
	data := noise(256<<20, 5)
	url, bare := lending(b, data), bareGorilla(b, data)
	_, files := borrow(b, url)
	piece := make([]byte, 64<<10)
	var ours, theirs time.Duration
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		from := time.Now()
		readBare(b, bare, len(data))
		theirs += time.Since(from)
		from = time.Now()
		for at := int64(0); at < files[0].Size; at += int64(len(piece)) {
			if _, err := files[0].ReadAt(piece, at); err != nil && err != io.EOF {
				b.Fatal(err)
			}
		}
		ours += time.Since(from)
	}
	perSecond := func(d time.Duration) float64 { return float64(b.N*len(data)) / d.Seconds() / 1e6 }
	b.ReportMetric(perSecond(ours), "MB/s-lent")
	b.ReportMetric(perSecond(theirs), "MB/s-bare")
	b.ReportMetric(theirs.Seconds()/ours.Seconds(), "of-bare")
}

// bareGorilla sends data to whoever connects.
func bareGorilla(b *testing.B, data []byte) (url string) {
	up := websocket.Upgrader{}
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		ws, err := up.Upgrade(w, req, nil)
		if err != nil {
			return
		}
		defer ws.Close()
		for at := 0; at < len(data); at += 16 << 10 {
			if ws.WriteMessage(websocket.BinaryMessage, data[at:min(at+16<<10, len(data))]) != nil {
				return
			}
		}
	}))
	b.Cleanup(front.Close)
	return "ws" + front.URL[len("http"):]
}

func readBare(b *testing.B, url string, size int) {
	ws, resp, err := websocket.DefaultDialer.Dial(url, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer ws.Close()
	defer resp.Body.Close()
	piece := make([]byte, 16<<10)
	for got := 0; got < size; {
		_, r, err := ws.NextReader()
		if err != nil {
			b.Fatal(err)
		}
		n, err := io.ReadFull(r, piece)
		if got += n; err != nil && got < size {
			b.Fatal(err)
		}
	}
}

package record

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"landline/media"
	"landline/media/webm"
)

const clipFile = "../../testdata/bunny-4s.webm"

func clipBytes(t testing.TB) []byte {
	t.Helper()
	b, err := os.ReadFile(clipFile)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// inFolder are the names of all files that are there.
func (w *world) inFolder() (names []string) {
	w.t.Helper()
	entries, err := os.ReadDir(w.dir)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestWhatIsAddedIsARecording(t *testing.T) {
	w := newWorld(t, Options{})
	formats, packets := clip(t)
	i, err := w.store.Add(Addition{Room: "room", Title: "A film", Name: "Ann"}, bytes.NewReader(clipBytes(t)))
	if err != nil {
		t.Fatal(err)
	}
	if RoomOf(i.ID) != "room" || i.Title != "A film" || i.Name != "Ann" || i.State != StateSaved || i.DurationMs < 3900 || len(i.Files) != 1 {
		t.Errorf("%+v", i)
	}
	w.sameAs(i.Files[0], formats, packets)
	list, err := w.store.List("room")
	if err != nil || len(list) != 1 || list[0].ID != i.ID || list[0].Title != "A film" || len(list[0].Files[0].Tracks) != 2 {
		t.Errorf("%+v, %v", list, err)
	}
	content, _, _, err := w.store.Media(i.ID, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer content.Close()
	s, err := webm.NewSeekable(content, content.Size())
	if err != nil {
		t.Fatal(err)
	}
	if at, _, err := s.SeekTo(2_000_000); err != nil || at == 0 || at > 2_000_000 {
		t.Errorf("it goes to %d, %v", at, err)
	}
}

// broken gives an error in place of an end.
type broken struct {
	io.Reader
	err error
}

func (b *broken) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err == io.EOF {
		err = b.err
	}
	return n, err
}

func TestWhatCannotBeAddedLeavesNothing(t *testing.T) {
	whole := clipBytes(t)
	far := &bytes.Buffer{}
	formats, packets := clip(t)
	fw, err := webm.NewWriter(far, formats)
	if err != nil {
		t.Fatal(err)
	}
	for track := range formats { // one track behind the other
		for _, p := range packets {
			if p.Track == track {
				if err := fw.Write(p); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if err := fw.Close(); err != nil {
		t.Fatal(err)
	}
	gone := errors.New("the connection broke")
	for _, c := range []struct {
		what string
		in   io.Reader
		o    Options
		want error
	}{
		{"nothing", strings.NewReader(""), Options{}, media.ErrFormat},
		{"something else", strings.NewReader("RIFF and so on, and nothing that one knows"), Options{}, media.ErrFormat},
		{"one that is cut off in its head", bytes.NewReader(whole[:200]), Options{}, media.ErrTruncated},
		{"one whose connection breaks", &broken{bytes.NewReader(whole[:len(whole)/2]), gone}, Options{}, gone},
		{"one whose connection breaks at once", &broken{strings.NewReader(""), gone}, Options{}, gone},
		{"one that is too large", bytes.NewReader(whole), Options{MaxFile: 50_000}, ErrTooLarge},
		{"one for which there is no room", bytes.NewReader(whole), Options{Reserve: 1 << 60}, ErrNoRoom},
		{"one with its tracks far apart", far, Options{}, media.ErrUnsupported},
	} {
		w := newWorld(t, c.o)
		if _, err := w.store.Add(Addition{Room: "room"}, c.in); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.what, err, c.want)
		}
		if names := w.inFolder(); len(names) > 0 {
			t.Errorf("%s leaves %v", c.what, names)
		}
	}
}

// One that is cut off is kept as far as it goes.
func TestACutOffFileIsAdded(t *testing.T) {
	w := newWorld(t, Options{})
	whole := clipBytes(t)
	i, err := w.store.Add(Addition{Room: "room"}, bytes.NewReader(whole[:len(whole)*2/3]))
	if err != nil || i.DurationMs < 1000 || i.Title != "File" {
		t.Fatalf("%+v, %v", i, err)
	}
}

func TestSomeAtATimeAndNoneBehindTheEnd(t *testing.T) {
	w := newWorld(t, Options{})
	var pipes []*io.PipeWriter
	results := make(chan error, maxAdding)
	for range maxAdding {
		r, pw := io.Pipe()
		pipes = append(pipes, pw)
		go func() {
			_, err := w.store.Add(Addition{Room: "room"}, r)
			r.Close()
			results <- err
		}()
		if _, err := pw.Write(clipBytes(t)[:1]); err != nil { // it has its place
			t.Fatal(err)
		}
	}
	if _, err := w.store.Add(Addition{Room: "room"}, strings.NewReader("")); !errors.Is(err, ErrAdding) {
		t.Errorf("one more: %v", err)
	}
	if err := w.store.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, pw := range pipes {
		_, _ = pw.Write(clipBytes(t)[1:5000]) // nobody may be there any more
		if err := <-results; !errors.Is(err, ErrClosed) {
			t.Errorf("one that was under way: %v", err)
		}
		pw.Close()
	}
	if _, err := w.store.Add(Addition{Room: "room"}, strings.NewReader("")); !errors.Is(err, ErrClosed) {
		t.Errorf("one behind the end: %v", err)
	}
}

func TestWhatACrashLeftOfAnAdditionIsGone(t *testing.T) {
	dir := t.TempDir()
	left := filepath.Join(dir, "20251121-044000-kitchen-5f0c21ab.webm"+addSuffix)
	if err := os.WriteFile(left, []byte("half a file"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it is still there: %v", err)
	}
}

// FuzzAdd adds anything. What is kept can be read from its beginning to its end.
func FuzzAdd(f *testing.F) {
	f.Add(clipBytes(f)[:20_000])
	f.Fuzz(func(t *testing.T, b []byte) {
		w := newWorld(t, Options{})
		i, err := w.store.Add(Addition{Room: "room"}, bytes.NewReader(b))
		if err != nil {
			if names := w.inFolder(); len(names) > 0 {
				t.Fatalf("%v is left", names)
			}
			return
		}
		content, _, _, err := w.store.Media(i.ID, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer content.Close()
		s, err := webm.NewSeekable(content, content.Size())
		if err != nil {
			t.Fatal(err)
		}
		for {
			if _, err := s.Next(); err != nil {
				if err != io.EOF {
					t.Fatal(err)
				}
				return
			}
		}
	})
}

// TestAPictureOfARecordingIsOneOfItsKeyFrames asks for one of what has VP8, and of what has only sound.
func TestAPictureOfARecordingIsOneOfItsKeyFrames(t *testing.T) {
	w := newWorld(t, Options{})
	formats, packets := clip(t)
	film, err := w.store.Add(Addition{Room: "room"}, bytes.NewReader(clipBytes(t)))
	if err != nil {
		t.Fatal(err)
	}
	still, err := w.store.Still(film.ID)
	if err != nil || len(still) < 20 || string(still[:4])+string(still[8:16]) != "RIFFWEBPVP8 " {
		t.Fatalf("%d bytes, %v", len(still), err)
	}
	size := binary.LittleEndian.Uint32(still[16:])
	if got := binary.LittleEndian.Uint32(still[4:]); int(got) != len(still)-8 || len(still)%2 != 0 {
		t.Errorf("a file of %d bytes says %d", len(still), got)
	}
	if !slices.ContainsFunc(packets, func(p media.Packet) bool {
		return p.Key && formats[p.Track].Kind == media.Video && bytes.Equal(p.Data, still[20:20+size])
	}) {
		t.Error("it is no key frame of the film")
	}
	var sound bytes.Buffer
	out, err := webm.NewWriter(&sound, formats[1:])
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range packets {
		if p.Track == 1 {
			p.Track = 0
			if err := out.Write(p); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	song, err := w.store.Add(Addition{Room: "room"}, &sound)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.store.Still(song.ID); !errors.Is(err, ErrNoStill) {
		t.Errorf("of sound alone: %v", err)
	}
	if _, err := w.store.Still("20251121-044000-room-5f0c21ab"); !errors.Is(err, ErrNotFound) {
		t.Errorf("of none: %v", err)
	}
}

package webm

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"testing"

	"landline/media"
	"landline/media/internal/mediatest"
)

// Wherever one goes, playing starts at a key frame at or before that, and everything behind it comes.
func TestSeekableGoesOnFromAnywhere(t *testing.T) {
	formats, packets := clip(t)
	m := &memory{left: -1}
	if _, err := grow(m, formats, packets, 1); err != nil {
		t.Fatal(err)
	}
	s, err := NewSeekable(bytes.NewReader(m.data), int64(len(m.data)))
	if err != nil {
		t.Fatal(err)
	}
	all := mediatest.All(t, s)
	last := all[len(all)-1].Timestamp
	if end := s.Length().Microseconds(); end < last || end > last+200_000 {
		t.Errorf("a length of %d µs, and the last frame is at %d", end, last)
	}
	places := map[int64]bool{}
	for to := last + 500_000; to >= 0; to -= 100_000 {
		from, err := s.SeekTo(to)
		if err != nil {
			t.Fatal(err)
		}
		places[from] = true
		got := mediatest.All(t, s)
		picture := slices.IndexFunc(got, func(p media.Packet) bool { return s.Formats()[p.Track].Kind == media.Video })
		if from > to || from != got[0].Timestamp || !got[picture].Key || from > 0 && picture > 0 {
			t.Fatalf("asked for %d it goes to %d, where packet %d, at %d, is the first picture, key %v", to, from, picture, got[picture].Timestamp, got[picture].Key)
		}
		rest := all[len(all)-len(got):]
		for i := range got {
			if got[i].Timestamp != rest[i].Timestamp || !bytes.Equal(got[i].Data, rest[i].Data) {
				t.Fatalf("asked for %d, packet %d is another", to, i)
			}
		}
	}
	if keys := countKeys(formats, packets); len(places) < keys || keys < 2 {
		t.Errorf("%d places to start from, and %d key frames", len(places), keys)
	}
}

func countKeys(formats []media.Format, packets []media.Packet) (n int) {
	for _, p := range packets {
		if p.Key && formats[p.Track].Kind == media.Video {
			n++
		}
	}
	return n
}

func TestSeekableWantsACompleteFileOfAGrowing(t *testing.T) {
	formats, packets := clip(t)
	m := &memory{left: -1}
	g, err := NewGrowing(m, true)
	if err != nil {
		t.Fatal(err)
	}
	track, err := g.Add(formats[packets[0].Track], "", packets[0].Frame)
	if err != nil {
		t.Fatal(err)
	}
	packets[0].Track = track
	if err := errors.Join(g.Write(packets[0]), g.Flush()); err != nil {
		t.Fatal(err)
	}
	var written bytes.Buffer
	w, err := NewWriter(&written, formats)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for what, b := range map[string][]byte{"one that grows still": m.data, "one of a Writer": written.Bytes(), "nothing": nil} {
		if _, err := NewSeekable(bytes.NewReader(b), int64(len(b))); !errors.Is(err, media.ErrFormat) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// FuzzSeekable goes to places in anything.
func FuzzSeekable(f *testing.F) {
	formats, packets := clip(f)
	m := &memory{left: -1}
	if _, err := grow(m, formats, packets[:min(40, len(packets))], 1); err != nil {
		f.Fatal(err)
	}
	f.Add(m.data, int64(1_000_000))
	f.Fuzz(func(t *testing.T, b []byte, to int64) {
		s, err := NewSeekable(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		for _, us := range []int64{to, 0, -1, 1 << 62} {
			if _, err := s.SeekTo(us); err != nil {
				continue
			}
			for n := 0; ; n++ {
				if _, err := s.Next(); err != nil {
					break
				}
				if n > 256*len(b) {
					t.Fatalf("%d packets in %d bytes", n, len(b))
				}
			}
		}
	})
}

var _ io.ReaderAt = (*memory)(nil)

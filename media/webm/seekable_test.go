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
		from, stills, err := s.SeekTo(to)
		if err != nil || len(stills) > 0 {
			t.Fatal(err, len(stills))
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

// Of a track that has no key frame where one goes to, the last one before is a still.
func TestSeekableHasStillsOfOtherTracks(t *testing.T) {
	formats, packets := clip(t)
	m := &memory{left: -1}
	if _, err := grow(m, formats, packets, 2); err != nil { // the copy begins at its second key frame
		t.Fatal(err)
	}
	s, err := NewSeekable(bytes.NewReader(m.data), int64(len(m.data)))
	if err != nil {
		t.Fatal(err)
	}
	all := mediatest.All(t, s)
	others := 0
	for to := int64(0); to < all[len(all)-1].Timestamp; to += 200_000 {
		from, stills, err := s.SeekTo(to)
		if err != nil {
			t.Fatal(err)
		}
		first, err := s.Next()
		if err != nil {
			t.Fatal(err)
		}
		for _, still := range stills {
			others++
			if still.Track == first.Track || !still.Key || still.Timestamp > from {
				t.Fatalf("a still of track %d at %d, key %v, where track %d goes on at %d", still.Track, still.Timestamp, still.Key, first.Track, from)
			}
			for _, p := range all {
				if p.Track == still.Track && p.Key && p.Timestamp > still.Timestamp && p.Timestamp < from {
					t.Fatalf("the still of track %d is that of %d, and there is one at %d before %d", still.Track, still.Timestamp, p.Timestamp, from)
				}
			}
		}
	}
	if others == 0 {
		t.Error("there are no stills")
	}
}

// Where nobody has a camera on there are places to go to as well.
func TestSeekableGoesIntoTheDark(t *testing.T) {
	formats, packets := clip(t)
	var sound media.Packet
	for _, p := range packets {
		if formats[p.Track].Kind == media.Audio {
			sound = p
		}
	}
	list := slices.Clone(packets)
	for at := int64(5_000_000); at < 60_000_000; at += 20_000 {
		sound.Timestamp = at
		list = append(list, sound)
	}
	m := &memory{left: -1}
	if _, err := grow(m, formats, list, 1); err != nil {
		t.Fatal(err)
	}
	s, err := NewSeekable(bytes.NewReader(m.data), int64(len(m.data)))
	if err != nil {
		t.Fatal(err)
	}
	for to := int64(12_000_000); to < 60_000_000; to += 7_000_000 {
		from, stills, err := s.SeekTo(to)
		if err != nil || from > to || from < to-6_000_000 {
			t.Errorf("asked for %d it goes to %d, %v", to, from, err)
		}
		if from > 15_000_000 && len(stills) > 0 {
			t.Errorf("at %d there is a still of %d", from, stills[0].Timestamp)
		}
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
			if _, _, err := s.SeekTo(us); err != nil {
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

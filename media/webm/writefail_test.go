package webm

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"landline/media"
)

func TestWriterRefusesInWords(t *testing.T) {
	for _, formats := range [][]media.Format{nil, make([]media.Format, 65), {{Kind: media.Audio, Codec: "aac"}}} {
		if _, err := NewWriter(io.Discard, formats); !errors.Is(err, media.ErrUnsupported) {
			t.Errorf("%d formats: %v", len(formats), err)
		}
	}
	var b bytes.Buffer
	w, err := NewWriter(&b, []media.Format{vp8Format, {Kind: media.Video, Codec: media.H264}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		packet media.Packet
		kind   error
	}{
		{frame(2, 0, true), media.ErrFormat},
		{frame(-1, 0, true), media.ErrFormat},
		{frame(1, 0, true), media.ErrFormat}, // no Annex B
		{media.Packet{Frame: media.Frame{Data: make([]byte, media.MaxFrameSize+1)}}, media.ErrTooLarge},
		{media.Packet{}, nil},
	} {
		if err := w.Write(c.packet); !errors.Is(err, c.kind) {
			t.Errorf("packet of track %d, %d bytes: %v, want %v", c.packet.Track, len(c.packet.Data), err, c.kind)
		}
	}
	if b.Len() > 0 {
		t.Errorf("%d bytes were written for nothing", b.Len())
	}
}

func TestAKeyFrameThatNeverComesIsNamed(t *testing.T) {
	formats := []media.Format{opusFormat, {Kind: media.Video, Codec: media.H264}}
	large := media.Packet{Frame: media.Frame{Data: make([]byte, media.MaxFrameSize)}}
	cases := map[string]func(i int64) media.Packet{
		"2 s":          func(i int64) media.Packet { return frame(0, i*20, true) },
		"16 MiB":       func(int64) media.Packet { return large },
		"4096 packets": func(int64) media.Packet { return frame(0, 0, true) },
	}
	limits := map[string]int64{"2 s": 101, "16 MiB": 16, "4096 packets": 4096}
	for name, packet := range cases {
		w, err := NewWriter(io.Discard, formats)
		if err != nil {
			t.Fatal(err)
		}
		n := int64(0)
		for err == nil && n < 10_000 {
			err = w.Write(packet(n))
			n++
		}
		if n != limits[name] || !strings.Contains(fmt.Sprint(err), "track 1") || !strings.Contains(fmt.Sprint(err), "no h264 key frame") {
			t.Errorf("%s: after %d packets: %v", name, n, err)
		}
		if again := w.Close(); again != err {
			t.Errorf("%s: Close says %v", name, again)
		}
	}
}

// failing takes so many bytes and then fails.
type failing struct{ left int }

var errFull = errors.New("disk full")

func (f *failing) Write(b []byte) (int, error) {
	if f.left -= len(b); f.left < 0 {
		return 0, errFull
	}
	return len(b), nil
}

func TestAnErrorOfTheFileBelowIsFinal(t *testing.T) {
	w, err := NewWriter(&failing{left: 600}, []media.Format{opusFormat})
	if err != nil {
		t.Fatal(err)
	}
	for i := int64(0); err == nil && i < 1000; i++ {
		err = w.Write(frame(0, i*20, true))
	}
	if !errors.Is(err, errFull) || w.Write(frame(0, 0, true)) != err || w.Close() != err {
		t.Errorf("error %v; then Write %v, Close %v", err, w.Write(frame(0, 0, true)), w.Close())
	}
}

func TestCloseIsTheEnd(t *testing.T) {
	var b bytes.Buffer
	w, err := NewWriter(&b, []media.Format{opusFormat})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Close(), w.Close()); err != nil {
		t.Error(err)
	}
	if w.Write(frame(0, 0, true)) == nil {
		t.Error("Write after Close gave no error")
	}
	if r, p, err := readAll(t, b.Bytes()); err != nil || len(p) != 0 || len(r.Formats()) != 1 {
		t.Errorf("a file without packets: %d packets, error %v", len(p), err)
	}
}

// seekable counts where it stands and keeps nothing.
type seekable struct{ at, size int64 }

func (s *seekable) Write(b []byte) (int, error) {
	s.at += int64(len(b))
	s.size = max(s.size, s.at)
	return len(b), nil
}

func (s *seekable) Seek(offset int64, whence int) (int64, error) {
	if whence == io.SeekStart {
		s.at = offset
	}
	return s.at, nil
}

func TestTheIndexIsBounded(t *testing.T) {
	w, err := NewWriter(&seekable{}, []media.Format{vp8Format})
	if err != nil {
		t.Fatal(err)
	}
	const frames = 5 * maxCues
	for i := range int64(frames) {
		if err := w.Write(frame(0, i, true)); err != nil {
			t.Fatal(err)
		}
	}
	step := w.index.cues[1].time - w.index.cues[0].time
	if n := len(w.index.cues); n > maxCues || n < maxCues/2 || w.index.cues[n-1].time < frames-2*step {
		t.Errorf("%d cues, the last at %d of %d ms", n, w.index.cues[n-1].time, frames)
	}
}

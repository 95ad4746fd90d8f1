package ivf_test

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"testing"

	"landline/media"
	"landline/media/ivf"
)

func TestReaderRefuses(t *testing.T) {
	good := file(t, 30, 1, []uint64{0, 1})
	with := func(at int, b ...byte) []byte { return slices.Replace(bytes.Clone(good), at, at+len(b), b...) }
	for name, c := range map[string]struct {
		input []byte
		want  error
	}{
		"nothing":         {nil, media.ErrFormat},
		"a short text":    {[]byte("RIFF"), media.ErrFormat},
		"a WAV file":      {with(0, 'R', 'I', 'F', 'F'), media.ErrFormat},
		"version 1":       {with(4, 1), media.ErrUnsupported},
		"short header":    {with(6, 31), media.ErrFormat},
		"60 KiB header":   {with(6, 0, 0xf0), media.ErrFormat},
		"longer header":   {with(6, 200), media.ErrTruncated},
		"H.264":           {with(8, 'H', '2', '6', '4'), media.ErrUnsupported},
		"rate 0":          {with(16, 0), media.ErrFormat},
		"scale 0":         {with(20, 0), media.ErrFormat},
		"no frames":       {good[:32], media.ErrTruncated},
		"4 GiB frame":     {with(32, 0xff, 0xff, 0xff, 0xff), media.ErrTooLarge},
		"cut 1 MiB frame": {with(32, 0, 0, 0x10, 0), media.ErrTruncated},
		"time past all":   {with(36, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), media.ErrFormat},
		"no start code":   {with(47, 0), media.ErrFormat},
		"VP9 marker":      {with(10, '9'), media.ErrFormat},
		"VP9 sync code":   {slices.Concat(with(10, '9')[:44], []byte{0x82, 1, 2, 3, 4, 5, 6, 7, 8, 9}), media.ErrFormat},
		"VP9 cut":         {slices.Concat(with(10, '9')[:32], []byte{5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, []byte{0x82, 0x49, 0x83, 0x42, 0}), media.ErrFormat},
		"AV1 OBU":         {with(8, 'A', 'V', '0', '1'), media.ErrFormat},
		"AV1 nothing":     {slices.Concat(with(8, 'A', 'V', '0', '1')[:32], []byte{2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x12, 0}), media.ErrFormat},
	} {
		r, err := ivf.NewReader(bytes.NewReader(c.input))
		if !errors.Is(err, c.want) {
			t.Errorf("%s: reader %v, error %v, want %v", name, r != nil, err, c.want)
		}
	}
}

func TestWriterRefuses(t *testing.T) {
	if _, err := ivf.NewWriter(io.Discard, media.Format{Codec: media.H264}); !errors.Is(err, media.ErrUnsupported) {
		t.Errorf("H.264: %v", err)
	}
	w, err := ivf.NewWriter(io.Discard, media.Format{Codec: media.VP8})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		p    media.Packet
		want error
	}{
		"second track": {media.Packet{Track: 1}, media.ErrFormat},
		"before zero":  {media.Packet{Frame: media.Frame{Timestamp: -1}}, media.ErrFormat},
		"too large":    {media.Packet{Frame: media.Frame{Data: make([]byte, media.MaxFrameSize+1)}}, media.ErrTooLarge},
	} {
		if err := w.Write(c.p); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// Whatever is read can be written, and reads the same then.
func FuzzReader(f *testing.F) {
	f.Add(file(f, 30, 1, []uint64{0, 1, 5}))
	vp9 := append(file(f, 30, 1, nil), 11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x82, 0x49, 0x83, 0x42, 0x20, 0, 0xf0, 0, 0xf0, 0, 0)
	vp9[10] = '9'
	f.Add(vp9)
	f.Add(append([]byte("DKIF\x00\x00\x20\x00AV01\x10\x00\x10\x00\x1e\x00\x00\x00\x01\x00\x00\x00"), make([]byte, 30)...))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := ivf.NewReader(bytes.NewReader(data))
		if err != nil {
			return
		}
		var b bytes.Buffer
		w, err := ivf.NewWriter(&b, r.Formats()[0])
		if err != nil {
			t.Fatal(err)
		}
		var frames []media.Packet
		for {
			p, err := r.Next()
			if err != nil {
				break
			}
			if err := w.Write(p); err != nil {
				t.Fatal(err)
			}
			frames = append(frames, p)
		}
		again, err := ivf.NewReader(&b)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range frames {
			if got, err := again.Next(); err != nil || got.Timestamp != want.Timestamp || !bytes.Equal(got.Data, want.Data) {
				t.Fatalf("frame %d: %+v, %v, want %+v", i, got, err, want)
			}
		}
	})
}

package h264_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/iotest"

	"landline/media"
	"landline/media/h264"
	"landline/media/internal/mediatest"
)

// The access units of a raw file are those that ffmpeg finds in it, and what is written again shows
// the same pictures.
func TestReaderFindsAccessUnitsLikeFFmpeg(t *testing.T) {
	for name, options := range map[string][]string{
		"one slice":          {"-profile:v", "baseline", "-g", "10"},
		"four slices":        {"-profile:v", "baseline", "-g", "10", "-x264-params", "slices=4"},
		"B-frames":           {"-profile:v", "main", "-g", "10", "-bf", "2"},
		"delimiters and HRD": {"-g", "10", "-x264-params", "aud=1:nal-hrd=cbr:vbv-maxrate=300:vbv-bufsize=300:bitrate=300"},
		"no repeated sets":   {"-g", "10", "-x264-params", "repeat-headers=0", "-flags", "+global_header", "-bsf:v", "dump_extra=freq=k"},
	} {
		t.Run(name, func(t *testing.T) {
			path := encode(t, "96x64", "25", "1", options...)
			r, err := h264.NewReader(iotest.HalfReader(bytes.NewReader(mediatest.ReadFile(t, path))))
			if err != nil {
				t.Fatal(err)
			}
			packets := mediatest.All(t, r)

			mp4 := filepath.Join(t.TempDir(), "same.mp4")
			mediatest.FFmpeg(t, "-i", path, "-c", "copy", "-bsf:v", "filter_units=remove_types=7|8|9", mp4)
			if got, want := sampleSums(t, packets), framemd5(t, mp4, "-map", "0:v", "-c", "copy"); !slices.Equal(got, want) {
				t.Errorf("packets differ from ffmpeg's:\n got %v\nwant %v", got, want)
			}
			again := write(t, r.Formats()[0], packets)
			mediatest.FFmpeg(t, "-i", again, "-f", "null", "-")
			if !slices.Equal(framemd5(t, again), framemd5(t, path)) {
				t.Error("the pictures differ after reading and writing")
			}
			for i, p := range packets {
				if key := i%10 == 0; p.Key != key || p.Timestamp != int64(i)*40_000 || p.Duration != 40_000 {
					t.Errorf("packet %d: key %v at %d for %d µs", i, p.Key, p.Timestamp, p.Duration)
				}
			}
		})
	}
}

// sampleSums hashes frames as MP4 samples.
func sampleSums(t *testing.T, packets []media.Packet) []string {
	t.Helper()
	var sums []string
	for _, p := range packets {
		sample, _, _, err := h264.ToAVCC(p.Data)
		if err != nil {
			t.Fatal(err)
		}
		sums = append(sums, mediatest.Sum(sample))
	}
	return sums
}

func write(t *testing.T, f media.Format, packets []media.Packet) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "again.h264")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	w, err := h264.NewWriter(file, f)
	mediatest.Save(t, w, err, packets)
	return path
}

// A file that sends its parameter sets once gets them again at each key frame.
func TestReaderRepeatsParameterSets(t *testing.T) {
	path := encode(t, "96x64", "25", "1", "-g", "10", "-bf", "0", "-flags", "+global_header", "-bsf:v", "dump_extra=freq=e")
	var once []byte
	sent := false
	for nal := range h264.NALs(mediatest.ReadFile(t, path)) {
		isSet := nal[0]&0x1f == 7 || nal[0]&0x1f == 8
		if !isSet || !sent {
			once = append(append(once, 0, 0, 1), nal...)
		}
		sent = sent || !isSet
	}
	r, err := h264.NewReader(bytes.NewReader(once))
	if err != nil {
		t.Fatal(err)
	}
	packets := mediatest.All(t, r)
	if len(packets) != 25 {
		t.Fatalf("%d packets of 25", len(packets))
	}
	for i, p := range packets {
		var types []byte
		for nal := range h264.NALs(p.Data) {
			types = append(types, nal[0]&0x1f)
		}
		hasSets := slices.Contains(types, 7) && slices.Contains(types, 8) && slices.Index(types, 7) < slices.Index(types, 8)
		if key := i%10 == 0; hasSets != key {
			t.Errorf("packet %d (key %v) holds NAL units %v", i, key, types)
		}
	}
	mediatest.FFmpeg(t, "-i", write(t, r.Formats()[0], packets[10:]), "-f", "null", "-")
}

func TestReaderRefuses(t *testing.T) {
	sps, pps := parameterSets(t)
	head := bytes.Join([][]byte{nil, sps, pps}, []byte{0, 0, 0, 1})
	idr := append([]byte{0, 0, 1, 0x65, 0x88}, bytes.Repeat([]byte{0xaa}, media.MaxFrameSize+1)...)
	for name, c := range map[string]struct {
		input []byte
		want  error
	}{
		"nothing":             {nil, media.ErrFormat},
		"text":                {[]byte("WEBVTT and more"), media.ErrFormat},
		"only zeros":          {make([]byte, 4096), media.ErrFormat},
		"no SPS":              {[]byte{0, 0, 1, 0x41, 0x9a, 0x80}, media.ErrFormat},
		"SPS cut short":       {append([]byte{0, 0, 1}, sps[:5]...), media.ErrTruncated},
		"ends before picture": {head, media.ErrTruncated},
		"endless NAL unit":    {append(bytes.Clone(head), idr...), media.ErrTooLarge},
		"endless unit":        {append(bytes.Clone(head), bytes.Repeat([]byte{0, 0, 1, 6, 5, 1}, 5000)...), media.ErrTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := h264.NewReader(bytes.NewReader(c.input))
			if !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

// An error of the file below is passed on after the packets before it, and stays.
func TestReaderKeepsError(t *testing.T) {
	data := mediatest.ReadFile(t, encode(t, "96x64", "25", "0.4", "-bf", "0"))
	broken := errors.New("disk gone")
	r, err := h264.NewReader(io.MultiReader(bytes.NewReader(data), iotest.ErrReader(broken)))
	if err != nil {
		t.Fatal(err)
	}
	for range 8 { // the ninth is whole only if the tenth, which is cut off, is another picture
		if _, err := r.Next(); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if _, err := r.Next(); !errors.Is(err, broken) {
			t.Fatalf("got %v, want %v", err, broken)
		}
	}
}

func TestWriterRefuses(t *testing.T) {
	if _, err := h264.NewWriter(io.Discard, media.Format{Codec: media.VP8}); !errors.Is(err, media.ErrUnsupported) {
		t.Errorf("VP8: got %v", err)
	}
	w, err := h264.NewWriter(io.Discard, media.Format{Codec: media.H264})
	if err != nil {
		t.Fatal(err)
	}
	for name, p := range map[string]media.Packet{
		"length prefix": {Frame: media.Frame{Data: []byte{0, 0, 0, 2, 0x65, 0x88}}},
		"second track":  {Track: 1, Frame: media.Frame{Data: []byte{0, 0, 0, 1, 0x65, 0x88}}},
	} {
		if err := w.Write(p); !errors.Is(err, media.ErrFormat) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

package vpx

import (
	"encoding/binary"
	"errors"
	"reflect"
	"strings"
	"testing"

	"landline/media"
	"landline/media/internal/mediatest"
)

// encode makes frames with ffmpeg.
func encode(t testing.TB, args string) [][]byte {
	t.Helper()
	const header, frameHeader = 32, 12
	file := mediatest.FFmpeg(t, strings.Fields("-f lavfi -i testsrc2=r=15:s="+args+" -threads 1 -f ivf -")...)[header:]
	var frames [][]byte
	for len(file) > 0 {
		end := frameHeader + int(binary.LittleEndian.Uint32(file))
		frames = append(frames, file[frameHeader:end])
		file = file[end:]
	}
	return frames
}

func TestKeyFramesDescribeThemselves(t *testing.T) {
	colour := func(name string, full bool) *media.Colour {
		return &media.Colour{Primaries: name, Transfer: name, Matrix: name, FullRange: full}
	}
	vp9 := "-frames:v 1 -c:v libvpx-vp9 -cpu-used 8 -pix_fmt "
	for args, want := range map[string]Header{
		"98x66 -frames:v 1 -c:v libvpx": {Width: 98, Height: 66, CodecString: "vp8"},
		"98x66 " + vp9 + "yuv420p":      {Width: 98, Height: 66, CodecString: "vp09.00.10.08"},
		"98x66 " + vp9 + "yuv422p":      {Width: 98, Height: 66, CodecString: "vp09.01.10.08"},
		"98x66 " + vp9 + "yuv440p":      {Width: 98, Height: 66, CodecString: "vp09.01.10.08"},
		"98x66 " + vp9 + "yuv420p10le":  {Width: 98, Height: 66, CodecString: "vp09.02.10.10"},
		"98x66 " + vp9 + "yuv444p12le":  {Width: 98, Height: 66, CodecString: "vp09.03.10.12"},
		"640x360 " + vp9 + "yuv420p":    {Width: 640, Height: 360, CodecString: "vp09.00.21.08"},
		"98x66 " + vp9 + "gbrp": {Width: 98, Height: 66, CodecString: "vp09.01.10.08",
			Colour: &media.Colour{Primaries: "bt709", Transfer: "iec61966-2-1", Matrix: "rgb", FullRange: true}},
		"98x66 " + vp9 + "yuv420p -colorspace bt709":                     {Width: 98, Height: 66, CodecString: "vp09.00.10.08", Colour: colour("bt709", false)},
		"98x66 " + vp9 + "yuv444p -color_range pc -colorspace smpte170m": {Width: 98, Height: 66, CodecString: "vp09.01.10.08", Colour: colour("smpte170m", true)},
		"98x66 " + vp9 + "yuv420p10le -colorspace bt2020nc": {Width: 98, Height: 66, CodecString: "vp09.02.10.10",
			Colour: &media.Colour{Primaries: "bt2020", Matrix: "bt2020-ncl"}},
	} {
		want.Key = true
		parse := ParseVP9
		if want.CodecString == "vp8" {
			parse = ParseVP8
		}
		if got, err := parse(encode(t, args)[0]); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got %+v, colour %+v, error %v\nwant %+v, colour %+v", args, got, got.Colour, err, want, want.Colour)
		}
	}
}

// Between key frames there are others, superframes and alternate references among them.
func TestKeyFramesAreToldFromOthers(t *testing.T) {
	for codec, parse := range map[string]func([]byte) (Header, error){"libvpx": ParseVP8, "libvpx-vp9 -cpu-used 8": ParseVP9} {
		frames := encode(t, "98x66 -frames:v 30 -g 10 -b:v 100k -auto-alt-ref 1 -lag-in-frames 16 -c:v "+codec)
		if len(frames) < 30 {
			t.Errorf("%s made %d frames", codec, len(frames))
		}
		keys := 0
		for i, frame := range frames {
			h, err := parse(frame)
			if err != nil {
				t.Errorf("%s, frame %d: %v", codec, i, err)
			}
			if h.Key {
				keys++
			} else if h.Width != 0 || h.Height != 0 || h.Colour != nil {
				t.Errorf("%s, frame %d is no key frame and says %+v", codec, i, h)
			}
		}
		if keys != 3 {
			t.Errorf("%s: %d key frames, want 3", codec, keys)
		}
	}
}

var (
	vp8Key = []byte{0x10, 0, 0, 0x9d, 0x01, 0x2a, 98, 0x40, 66, 0x80} // scaling in the high bits of either side
	vp9Key = []byte{0x82, 0x49, 0x83, 0x42, 0x20, 0, 0xf0, 0, 0xf0}
)

func TestFramesThatFFmpegDoesNotWrite(t *testing.T) {
	if h, err := ParseVP8(vp8Key); err != nil || h.Width != 98 || h.Height != 66 {
		t.Errorf("VP8 with scaling: %+v, %v", h, err)
	}
	for name, frame := range map[string][]byte{
		"inter frame": {0x86, 0, 0}, "show existing": {0x8a}, "profile 1, show existing": {0xaa},
		"profile 3, show existing": {0xb4}, "error resilient inter": {0x87, 0, 0},
	} {
		if h, err := ParseVP9(frame); err != nil || h != (Header{}) {
			t.Errorf("%s: %+v, %v", name, h, err)
		}
	}
}

func TestBadFramesAreRefused(t *testing.T) {
	for n := range len(vp8Key) {
		if h, err := ParseVP8(vp8Key[:n]); !errors.Is(err, media.ErrFormat) || h.Key {
			t.Errorf("VP8 cut to %d bytes: %+v, %v", n, h, err)
		}
	}
	for n := range len(vp9Key) {
		if h, err := ParseVP9(vp9Key[:n]); !errors.Is(err, media.ErrFormat) || h.Key {
			t.Errorf("VP9 cut to %d bytes: %+v, %v", n, h, err)
		}
	}
	if _, err := ParseVP8([]byte{0x10, 0, 0, 1, 2, 3, 16, 0, 16, 0}); !errors.Is(err, media.ErrFormat) {
		t.Errorf("VP8 without a start code: %v", err)
	}
	for name, frame := range map[string][]byte{"no marker": {0x42, 0x49, 0x83, 0x42, 0, 0, 0, 0, 0, 0, 0}, "sync code": {0x82, 1, 2, 3, 0, 0, 0, 0, 0, 0, 0}} {
		if _, err := ParseVP9(frame); !errors.Is(err, media.ErrFormat) {
			t.Errorf("VP9, %s: %v", name, err)
		}
	}
}

func TestVP9Level(t *testing.T) {
	for _, c := range []struct{ width, height, level int }{
		{0, 0, 10}, {256, 144, 10}, {257, 144, 11}, {640, 360, 21}, {1280, 720, 31}, {1920, 1080, 40}, {3840, 2160, 50}, {1 << 16, 1 << 16, 60},
	} {
		if got := VP9Level(c.width, c.height); got != c.level {
			t.Errorf("%dx%d: level %d, want %d", c.width, c.height, got, c.level)
		}
	}
}

// What a frame says stands in its first 12 bytes, and it says its size if and only if it is a key frame.
func FuzzParse(f *testing.F) {
	f.Add(vp8Key)
	f.Add(vp9Key)
	f.Add([]byte{0x86, 0, 0})
	f.Add([]byte{0xb1, 0x49, 0x83, 0x42, 0xe0, 0, 0xf0, 0, 0xf0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, frame []byte) {
		for _, parse := range []func([]byte) (Header, error){ParseVP8, ParseVP9} {
			h, err := parse(frame)
			if err != nil {
				if !errors.Is(err, media.ErrFormat) || h.Key {
					t.Fatalf("% x: %+v, %v", frame, h, err)
				}
				continue
			}
			if short, err := parse(frame[:min(len(frame), 12)]); err != nil || !reflect.DeepEqual(short, h) {
				t.Fatalf("% x: %+v, %v of its head, %+v of all", frame, short, err, h)
			}
			if !h.Key && (h.Width != 0 || h.Height != 0 || h.Colour != nil) || h.Key && h.CodecString == "" {
				t.Fatalf("% x: %+v", frame, h)
			}
		}
	})
}

func TestOnlyAVP8KeyFrameThatIsShownIsAPicture(t *testing.T) {
	key := []byte{0x10, 0, 0, 0x9d, 0x01, 0x2a, 64, 0, 36, 0, 7}
	file, err := WebP(key)
	if err != nil || string(file) != "RIFF\x18\x00\x00\x00WEBPVP8 \x0b\x00\x00\x00"+string(key)+"\x00" {
		t.Errorf("%q, %v", file, err)
	}
	for what, frame := range map[string][]byte{
		"delta": {0x11, 0, 0, 1}, "hidden": append([]byte{0}, key[1:]...), "empty": nil, "cut": key[:8],
		"no size": {0x10, 0, 0, 0x9d, 0x01, 0x2a, 0, 0, 36, 0},
	} {
		if _, err := WebP(frame); !errors.Is(err, media.ErrFormat) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

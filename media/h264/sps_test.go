package h264_test

import (
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"landline/media"
	"landline/media/h264"
	"landline/media/internal/mediatest"
)

// firstSPS is that of an encoded clip.
func firstSPS(t testing.TB, path string) []byte {
	t.Helper()
	for nal := range h264.NALs(mediatest.ReadFile(t, path)) {
		if nal[0]&0x1f == 7 {
			return nal
		}
	}
	t.Fatal("no SPS in ", path)
	return nil
}

func TestDescribe(t *testing.T) {
	bt709 := &media.Colour{Primaries: "bt709", Transfer: "bt709", Matrix: "bt709"}
	for name, c := range map[string]struct {
		size, rate string
		options    []string
		want       h264.Info
	}{
		"baseline, odd size": {"98x58", "30000/1001", []string{"-profile:v", "baseline"},
			h264.Info{Width: 98, Height: 58, CodecString: "avc1.42c00a", FrameRate: 30000.0 / 1001}},
		"main without B-frames": {"96x64", "15", []string{"-profile:v", "main", "-bf", "0"},
			h264.Info{Width: 96, Height: 64, CodecString: "avc1.4d400a", FrameRate: 15}},
		"main with B-frames": {"96x64", "15", []string{"-profile:v", "main", "-bf", "2"},
			h264.Info{Width: 96, Height: 64, CodecString: "avc1.4d400a", FrameRate: 15, MayReorder: true}},
		"high with scaling lists": {"640x360", "50", []string{"-preset", "medium", "-bf", "0", "-x264-params", "cqm=jvt"},
			h264.Info{Width: 640, Height: 360, CodecString: "avc1.64001f", FrameRate: 50}},
		"colour and HRD": {"96x64", "25", []string{"-bf", "0", "-profile:v", "baseline", "-color_primaries", "bt709", "-color_trc", "bt709",
			"-colorspace", "bt709", "-x264-params", "nal-hrd=vbr:vbv-maxrate=300:vbv-bufsize=300"},
			h264.Info{Width: 96, Height: 64, CodecString: "avc1.42c00c", FrameRate: 25, Colour: bt709}},
		"interlaced": {"96x80", "25", []string{"-preset", "medium", "-bf", "0", "-flags", "+ildct"},
			h264.Info{Width: 96, Height: 80, CodecString: "avc1.640015", FrameRate: 25}},
		"4:2:2, 10 bit": {"98x66", "25", []string{"-bf", "0", "-pix_fmt", "yuv422p10le"},
			h264.Info{Width: 98, Height: 66, CodecString: "avc1.7a000a", FrameRate: 25}},
		"4:4:4, full range": {"98x66", "25", []string{"-bf", "0", "-pix_fmt", "yuvj444p"},
			h264.Info{Width: 98, Height: 66, CodecString: "avc1.f4000a", FrameRate: 25, Colour: &media.Colour{FullRange: true}}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := h264.Describe(firstSPS(t, encode(t, c.size, c.rate, "0.2", c.options...)))
			if err != nil {
				t.Fatal(err)
			}
			if math.Abs(got.FrameRate-c.want.FrameRate) > 1e-9 {
				t.Errorf("frame rate %v, want %v", got.FrameRate, c.want.FrameRate)
			}
			got.FrameRate = c.want.FrameRate
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %+v (%+v)\nwant %+v (%+v)", got, got.Colour, c.want, c.want.Colour)
			}
		})
	}
}

// bits packs a string of 0 and 1, in which blanks count for nothing, behind a header.
func bits(header []byte, s string) []byte {
	s = strings.ReplaceAll(s, " ", "")
	out := append([]byte{}, header...)
	for i, c := range s {
		if i%8 == 0 {
			out = append(out, 0)
		}
		out[len(out)-1] |= byte(c-'0') << (7 - i%8)
	}
	return out
}

// Without a stated bound the profile and the order count type decide.
func TestDescribeMayReorderUnstated(t *testing.T) {
	const (
		high    = "010 1 1 0 0"         // 4:2:0, 8 and 8 bits, no bypass, no scaling lists
		size    = "010 0 1 1 1 1 0 0 1" // 1 reference, 16x16, frames, no cropping, no VUI, stop bit
		withLsb = "1 1 1"               // frame number of 4 bits, type 0, order count of 4 bits
		type2   = "1 011"
	)
	for name, c := range map[string]struct {
		header []byte
		fields string
		want   bool
	}{
		"baseline, type 0":   {[]byte{0x67, 66, 0, 10}, "1" + withLsb + size, false},
		"main, type 0":       {[]byte{0x67, 77, 0, 10}, "1" + withLsb + size, true},
		"main, type 2":       {[]byte{0x67, 77, 0, 10}, "1" + type2 + size, false},
		"high, type 0":       {[]byte{0x67, 100, 0, 10}, "1" + high + withLsb + size, true},
		"high intra, type 0": {[]byte{0x67, 100, 0x10, 10}, "1" + high + withLsb + size, false},
	} {
		info, err := h264.Describe(bits(c.header, c.fields))
		if err != nil || info.Width != 16 || info.Height != 16 {
			t.Errorf("%s: %dx%d, %v", name, info.Width, info.Height, err)
		}
		if info.MayReorder != c.want {
			t.Errorf("%s: may reorder: %v", name, info.MayReorder)
		}
	}
}

func TestDescribeRefuses(t *testing.T) {
	sps, pps := parameterSets(t)
	for n := range len(sps) - 2 {
		if _, err := h264.Describe(sps[:n]); !errors.Is(err, media.ErrTruncated) {
			t.Errorf("cut to %d bytes: %v", n, err)
		}
	}
	if _, err := h264.Describe(pps); !errors.Is(err, media.ErrFormat) {
		t.Errorf("a PPS: %v", err)
	}
	if _, err := h264.Describe(append(sps, make([]byte, 1<<16)...)); !errors.Is(err, media.ErrTooLarge) {
		t.Errorf("64 KiB: %v", err)
	}
	const order = "1 1 1 1 010 0" // as in TestDescribeMayReorderUnstated, up to the size
	for name, fields := range map[string]string{
		"65536 macroblocks wide":    order + "00000000000000001 0000000000000001 1 1 1 0 0 1",
		"2^32 macroblocks wide":     order + strings.Repeat("0", 32) + "1" + strings.Repeat("0", 32) + "1 1 1 0 0 1",
		"cropped to nothing":        order + "1 1 1 1 1 0001001 1 1 1 0 1", // 8 units of 2 pixels
		"order count of 2^17":       "1 1 1 0001110",
		"SPS 32":                    "00000100001 1 1 1",
		"order count type 3":        "1 1 00100",
		"order cycle of 256":        "1 1 010 1 1 1 00000000100000001",
		"Exp-Golomb without an end": strings.Repeat("0", 64),
	} {
		_, err := h264.Describe(bits([]byte{0x67, 66, 0, 10}, fields))
		if !errors.Is(err, media.ErrFormat) && !errors.Is(err, media.ErrTruncated) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

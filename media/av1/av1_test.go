package av1

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"landline/media"
	"landline/media/internal/mediatest"
)

// encode makes an AV1 stream with ffmpeg and returns its first temporal unit, delimiter included.
func encode(t testing.TB, args string) []byte {
	t.Helper()
	return mediatest.FFmpeg(t, strings.Fields("-f lavfi -i "+args+" -frames:v 1 -f obu -")...)
}

func TestSequenceHeaders(t *testing.T) {
	t.Setenv("SVT_LOG", "1") // libsvtav1 greets on standard error unless told to report errors alone
	bt709 := "-color_primaries bt709 -color_trc bt709 -colorspace bt709"
	for _, c := range []struct {
		args   string
		want   SequenceHeader
		string string
		colour media.Colour
	}{
		{"testsrc2=s=64x48 -c:v libaom-av1 -cpu-used 8", SequenceHeader{Width: 64, Height: 48}, "av01.0.00M.08", media.Colour{}},
		{"testsrc2=s=854x480:r=30 -c:v libaom-av1 -cpu-used 8 -pix_fmt yuv420p10le -color_range pc " + bt709, SequenceHeader{Width: 854, Height: 480}, "av01.0.04M.10",
			media.Colour{Primaries: "bt709", Transfer: "bt709", Matrix: "bt709", FullRange: true}},
		{"testsrc2=s=64x64 -c:v libaom-av1 -cpu-used 8 -pix_fmt yuv444p", SequenceHeader{Width: 64, Height: 64}, "av01.1.00M.08", media.Colour{}},
		{"testsrc2=s=64x64 -c:v libaom-av1 -cpu-used 8 -pix_fmt yuv422p12le", SequenceHeader{Width: 64, Height: 64}, "av01.2.00M.12", media.Colour{}},
		{"testsrc2=s=64x64 -c:v libaom-av1 -cpu-used 8 -pix_fmt gray", SequenceHeader{Width: 64, Height: 64, Monochrome: true}, "av01.0.00M.08", media.Colour{}},
		{"testsrc2=s=320x240:r=30 -c:v libsvtav1 -preset 12 -svtav1-params log=0", SequenceHeader{Width: 320, Height: 240}, "av01.0.00M.08", media.Colour{}},
	} {
		unit, sequence, err := TemporalUnit(encode(t, c.args))
		if err != nil || unit[0]>>3 == byte(TemporalDelimiterOBU) {
			t.Errorf("%s: unit starts with %x, error %v", c.args, unit[0], err)
			continue
		}
		s, err := ParseSequenceHeader(sequence)
		if err != nil || s.Width != c.want.Width || s.Height != c.want.Height || s.Monochrome != c.want.Monochrome || s.CodecString() != c.string {
			t.Errorf("%s: %+v (%s), error %v; want %+v (%s)", c.args, s, s.CodecString(), err, c.want, c.string)
		}
		if c.colour != (media.Colour{}) && (s.Colour == nil || *s.Colour != c.colour) {
			t.Errorf("%s: colour %+v, want %+v", c.args, s.Colour, c.colour)
		}
		checkConfig(t, sequence)
	}
}

// checkConfig makes an av1C and reads it back.
func checkConfig(t *testing.T, sequence []byte) {
	t.Helper()
	config, err := Config(sequence)
	if err != nil {
		t.Fatal(err)
	}
	back, err := FromConfig(config)
	if err != nil || !bytes.Equal(back, sequence) {
		t.Errorf("av1C % x gives % x, error %v", config, back, err)
	}
}

func TestTemporalUnitsComeInOneForm(t *testing.T) {
	delimiter := []byte{0x12, 0}
	sequence := []byte{0x0a, 3, 1, 2, 3}
	frame := []byte{0x32, 2, 8, 9}
	extended := []byte{0x36, 0x20, 2, 8, 9}
	for _, c := range []struct {
		name     string
		in, want []byte
	}{
		{"as it is", join(sequence, frame), join(sequence, frame)},
		{"delimiter", join(delimiter, sequence, frame), join(sequence, frame)},
		{"last without size", join(delimiter, sequence, []byte{0x30, 8, 9}), join(sequence, frame)},
		{"extension without size", join(sequence, []byte{0x34, 0x20, 8, 9}), join(sequence, extended)},
		{"delimiter alone", delimiter, nil},
		{"nothing", nil, nil},
	} {
		unit, found, err := TemporalUnit(c.in)
		if err != nil || !bytes.Equal(unit, c.want) || len(unit) > 0 && !bytes.Equal(found, sequence) {
			t.Errorf("%s: % x with header % x, error %v; want % x", c.name, unit, found, err, c.want)
		}
	}
	in := join(sequence, frame)
	if n := testing.AllocsPerRun(10, func() {
		if unit, _, err := TemporalUnit(in); err != nil || &unit[0] != &in[0] {
			t.Error("a unit that has the form was copied")
		}
	}); n > 0 {
		t.Errorf("%g allocations", n)
	}
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func TestBadUnitsAreRefused(t *testing.T) {
	for name, b := range map[string][]byte{
		"forbidden bit": {0x92, 0}, "no extension byte": {0x36}, "no size": {0x32}, "size without end": {0x32, 0x80, 0x80},
		"size of 36 bits": {0x32, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}, "over the end": {0x32, 4, 1, 2, 3},
	} {
		if _, _, err := TemporalUnit(b); !errors.Is(err, media.ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, b := range map[string][]byte{"a frame": {0x32, 1, 1}, "too short": {0x0a, 2, 0, 0}, "empty": nil} {
		if _, err := ParseSequenceHeader(b); !errors.Is(err, media.ErrFormat) {
			t.Errorf("sequence header from %s: %v", name, err)
		}
	}
	for _, b := range [][]byte{nil, {0x80, 0, 0, 0}, {0x81, 0, 0}} {
		if _, err := FromConfig(b); !errors.Is(err, media.ErrFormat) {
			t.Errorf("av1C from % x: %v", b, err)
		}
	}
	if s, err := FromConfig([]byte{0x81, 0, 0, 0}); err != nil || s != nil {
		t.Errorf("av1C without OBUs: % x, error %v", s, err)
	}
}

func FuzzTemporalUnit(f *testing.F) {
	for _, b := range [][]byte{
		{0x12, 0, 0x0a, 0x0b, 0, 0, 0, 0x04, 0x3c, 0xff, 0xbd, 0xff, 0xf9, 0x80, 0x40, 0x32, 2, 8, 9}, {0x34, 0x20, 8, 9}, {0x0a, 0x0a, 0x18, 0x15, 0x7f, 0xfc},
	} {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		unit, sequence, err := TemporalUnit(b)
		if err != nil {
			return
		}
		again, _, err := TemporalUnit(unit)
		if err != nil || !bytes.Equal(again, unit) {
			t.Fatalf("% x became % x, which becomes % x, error %v", b, unit, again, err)
		}
		if sequence == nil {
			return
		}
		if s, err := ParseSequenceHeader(sequence); err == nil {
			if s.Width < 1 || s.Height < 1 || len(s.CodecString()) != 13 {
				t.Fatalf("% x: %+v", sequence, s)
			}
			checkConfig(t, sequence)
		}
	})
}

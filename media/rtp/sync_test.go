package rtp

import (
	"errors"
	"math/rand/v2"
	"testing"

	"landline/media"
)

func TestStreamsComeTogetherByTheirReports(t *testing.T) {
	var w Wall
	audio, video := NewSync(media.Opus, 1_000_000, 100), NewSync(media.VP8, 1_080_000, 5000) // the picture came 80 ms late
	video.Report(&w, 50_000_000, 5000)                                                       // it is the sound that stays where it is, whoever reports first
	audio.Report(&w, 50_000_000, 100)
	video.Report(&w, 50_000_000, 5000)
	last := int64(0)
	for i := range 600 {
		a := audio.At(uint32(100 + i*48_000/10))
		if a != 1_000_000+int64(i)*100_000 {
			t.Fatalf("step %d: the sound moved to %d", i, a)
		}
		v := video.At(uint32(5000 + i*9_000))
		if i > 0 && v-last < 100_000-600 || v <= last {
			t.Fatalf("step %d: the picture's time moved by %d µs", i, v-last)
		}
		if i > 170 && (v-a > 100 || a-v > 100) {
			t.Fatalf("step %d: sound at %d, picture at %d", i, a, v)
		}
		if i == 0 && v-a != 80_000 {
			t.Fatalf("they begin %d µs apart", v-a)
		}
		last = v
	}
}

func TestAStreamSaysItsFormat(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	if f, err := Describe(media.VP8, synthetic(r, media.VP8, true, 10)); err != nil || f.Width != 98 || f.CodecString != "vp8" {
		t.Errorf("%+v, %v", f, err)
	}
	if f, err := Describe(media.Opus, []byte{1}); err != nil || f.Kind != media.Audio {
		t.Errorf("%+v, %v", f, err)
	}
	for _, c := range []media.Codec{media.H264, media.AV1} {
		if _, err := Describe(c, synthetic(r, c, false, 10)); !errors.Is(err, media.ErrFormat) {
			t.Errorf("%s: %v", c, err)
		}
	}
	for name, reader := range clips(t) {
		packet, err := reader.Next()
		for err == nil && reader.Formats()[packet.Track].Kind != media.Video {
			packet, err = reader.Next()
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		want := reader.Formats()[packet.Track]
		if f, err := Describe(want.Codec, packet.Data); err != nil || f.Width != want.Width || want.CodecString != f.CodecString {
			t.Errorf("%s: %+v, %v; want %+v", name, f, err, want)
		}
	}
}

package rtp

import (
	"bytes"
	"strings"
	"testing"

	"landline/media"
	"landline/media/h264"
	"landline/media/internal/mediatest"
	"landline/media/ivf"
	"landline/media/webm"
)

// clips opens real streams of every codec.
func clips(t *testing.T) map[string]media.Reader {
	made := func(args string) []byte {
		return mediatest.FFmpeg(t, strings.Fields("-f lavfi -i testsrc2=r=15:s=320x240 -frames:v 45 -g 15 -threads 2 "+args+" -")...)
	}
	readers := map[string]media.Reader{}
	open := func(name string, r media.Reader, err error) {
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		readers[name] = r
	}
	r, err := webm.NewReader(bytes.NewReader(mediatest.ReadFile(t, "../../testdata/bunny-4s.webm")))
	open("VP8 and Opus", r, err)
	i, err := ivf.NewReader(bytes.NewReader(made("-c:v libvpx -b:v 300k -auto-alt-ref 1 -lag-in-frames 16 -f ivf")))
	open("VP8 with alternate references", i, err)
	i, err = ivf.NewReader(bytes.NewReader(made("-c:v libvpx-vp9 -cpu-used 8 -deadline realtime -b:v 300k -f ivf")))
	open("VP9", i, err)
	h, err := h264.NewReader(bytes.NewReader(made("-c:v libx264 -profile:v baseline -pix_fmt yuv420p -x264opts slices=3 -f h264")))
	open("H.264", h, err)
	i, err = ivf.NewReader(bytes.NewReader(made("-c:v libaom-av1 -cpu-used 8 -usage realtime -b:v 300k -f ivf")))
	open("AV1", i, err)
	return readers
}

func TestRealClipsComeBackUnchanged(t *testing.T) {
	for name, r := range clips(t) {
		packetizers, depacketizers := map[int]*Packetizer{}, map[int]*Depacketizer{}
		for i, f := range r.Formats() {
			packetizers[i] = NewPacketizer(f.Codec, NewClock(f.Codec, 0, 99), 65_000)
			depacketizers[i] = mustDepacketizer(t, Options{Codec: f.Codec})
		}
		packets := mediatest.All(t, r)
		frames := 0
		for n, want := range packets {
			for _, p := range packetizers[want.Track].Packets(want.Frame, 0, false) {
				depacketizers[want.Track].Push(p, 0)
			}
			got := drain(depacketizers[want.Track], 0)
			if len(got) != 1 {
				t.Fatalf("%s, frame %d: %d frames come back", name, n, len(got))
			}
			if !bytes.Equal(got[0].Data, want.Data) || got[0].Key != want.Key {
				t.Fatalf("%s, frame %d: %d bytes, key %v, come back as %d, %v", name, n, len(want.Data), want.Key, len(got[0].Data), got[0].Key)
			}
			frames++
		}
		if frames < 45 {
			t.Errorf("%s has %d frames", name, frames)
		}
	}
}

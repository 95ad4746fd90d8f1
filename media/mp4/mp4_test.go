package mp4_test

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"landline/media"
	"landline/media/h264"
	"landline/media/internal/mediatest"
)

var (
	baseline = []string{"-c:v", "libx264", "-preset", "veryfast", "-profile:v", "baseline", "-g", "10"}
	bFrames  = []string{"-c:v", "libx264", "-preset", "veryfast", "-bf", "2", "-g", "10"}
	opus     = []string{"-c:a", "libopus", "-strict", "-2"}
)

func flags(of ...[]string) []string { return slices.Concat(of...) }

// However a file is laid out, its packets are those that ffmpeg finds.
func TestLayouts(t *testing.T) {
	for name, c := range map[string]struct {
		file    string
		options []string
	}{
		"index at the end":          {"clip.mp4", flags(baseline, opus)},
		"index at the front":        {"clip.mp4", flags(baseline, opus, []string{"-movflags", "+faststart"})},
		"QuickTime":                 {"clip.mov", flags(baseline, []string{"-c:a", "aac"})},
		"B-frames and edit lists":   {"clip.mp4", flags(bFrames, []string{"-c:a", "aac"})},
		"B-frames, negative times":  {"clip.mp4", flags(bFrames, opus, []string{"-movflags", "+negative_cts_offsets"})},
		"picture from 0.5 s on":     {"clip.mp4", flags([]string{"-output_ts_offset", "0.5"}, baseline, []string{"-an"})},
		"fragments":                 {"clip.mp4", flags(baseline, opus, []string{"-movflags", "+frag_keyframe+empty_moov+default_base_moof"})},
		"fragments, absolute":       {"clip.mp4", flags(baseline, opus, []string{"-movflags", "+frag_keyframe+empty_moov"})},
		"fragments, no offset":      {"clip.mp4", flags(baseline, opus, []string{"-movflags", "+frag_keyframe+empty_moov+omit_tfhd_offset"})},
		"fragments, one track each": {"clip.mp4", flags(baseline, opus, []string{"-movflags", "+frag_keyframe+empty_moov+separate_moof"})},
		"fragments after an index":  {"clip.mp4", flags(baseline, opus, []string{"-movflags", "+frag_keyframe"})},
		"fragments, B-frames":       {"clip.mp4", flags(bFrames, []string{"-c:a", "aac", "-movflags", "+frag_keyframe+empty_moov+delay_moov"})},
		"CMAF":                      {"clip.mp4", flags(bFrames, []string{"-an", "-movflags", "+cmaf+dash+global_sidx"})},
		"fragment per frame":        {"clip.mp4", flags(baseline, []string{"-an", "-movflags", "+frag_every_frame+empty_moov+default_base_moof"})},
	} {
		t.Run(name, func(t *testing.T) {
			path := encode(t, c.file, c.options...)
			formats, got := compare(t, path)
			f := formats[0]
			reorders := strings.Contains(strings.Join(c.options, " "), "-bf 2")
			if f.Codec != media.H264 || f.Width != 96 || f.Height != 64 || f.Reorders != reorders {
				t.Errorf("format %+v", f)
			}
			start := int64(0)
			if name == "picture from 0.5 s on" {
				start = 500_000
			}
			if first := earliest(got); first != start {
				t.Errorf("it starts at %d µs, want %d", first, start)
			}
			for i, p := range got[0] {
				if p.Key != (i%10 == 0) {
					t.Errorf("picture %d: key %v", i, p.Key)
				}
			}
			sameDecoded(t, path, f, got[0])
		})
	}
}

// earliest is when the first packet of any track is shown.
func earliest(got [][]media.Packet) int64 {
	at := got[0][0].Timestamp
	for _, packets := range got {
		for _, p := range packets {
			at = min(at, p.Timestamp)
		}
	}
	return at
}

// sameDecoded writes the frames to a raw file and compares the pictures that ffmpeg decodes.
func sameDecoded(t *testing.T, path string, f media.Format, frames []media.Packet) {
	t.Helper()
	raw := filepath.Join(t.TempDir(), "clip.h264")
	file, err := os.Create(raw)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	w, err := h264.NewWriter(file, f)
	mediatest.Save(t, w, err, frames)
	if !slices.Equal(pictures(t, raw), pictures(t, path)) {
		t.Error("the pictures differ")
	}
}

func pictures(t *testing.T, path string) []string {
	t.Helper()
	return mediatest.Sums(mediatest.FrameMD5(t, "-i", path, "-map", "0:v", "-vsync", "passthrough")[0])
}

// Codecs that the relay carries are described for a decoder, and others are named.
func TestCodecs(t *testing.T) {
	none := []string{"-an"}
	bt709 := &media.Colour{Primaries: "bt709", Transfer: "bt709", Matrix: "bt709"}
	opusHead := []byte("OpusHead\x01\x02\x38\x01\x80\xbb\x00\x00\x00\x00\x00")
	for name, c := range map[string]struct {
		file    string
		options []string
		want    media.Format
	}{
		"H.264": {"v.mp4", flags(baseline, none), media.Format{Codec: media.H264, CodecString: "avc1.42c00a"}},
		"coloured": {"v.mp4", flags(baseline, none, []string{"-color_primaries", "bt709", "-color_trc", "bt709", "-colorspace", "bt709"}),
			media.Format{Codec: media.H264, CodecString: "avc1.42c00a", Colour: bt709}},
		"VP9": {"v.mp4", flags([]string{"-c:v", "libvpx-vp9", "-cpu-used", "8"}, none), media.Format{Codec: media.VP9, CodecString: "vp09.00.10.08"}},
		"AV1": {"v.mp4", flags([]string{"-c:v", "libaom-av1", "-usage", "realtime", "-cpu-used", "8", "-g", "20"}, none), media.Format{Codec: media.AV1, CodecString: "av01.0.00M.08"}},
		"AV1, fragments": {"v.mp4", flags([]string{"-c:v", "libaom-av1", "-usage", "realtime", "-cpu-used", "8", "-movflags", "+frag_keyframe+delay_moov"}, none),
			media.Format{Codec: media.AV1, CodecString: "av01.0.00M.08"}},
		"HEVC":           {"v.mp4", flags([]string{"-c:v", "libx265", "-x265-params", "log-level=error", "-bf", "0"}, none), media.Format{Codec: "hevc"}},
		"MPEG-4":         {"v.mp4", flags([]string{"-c:v", "mpeg4"}, none), media.Format{Codec: "mpeg4"}},
		"MPEG-2":         {"v.mp4", flags([]string{"-c:v", "mpeg2video"}, none), media.Format{Codec: "mpeg2video"}},
		"ProRes":         {"v.mov", flags([]string{"-c:v", "prores_ks"}, none), media.Format{Codec: "prores"}},
		"unknown":        {"v.mov", flags([]string{"-c:v", "qtrle"}, none), media.Format{Codec: "rle"}},
		"Opus":           {"a.mp4", flags([]string{"-vn", "-ac", "2"}, opus), media.Format{Codec: media.Opus, CodecString: "opus", Config: opusHead, SampleRate: 48000, Channels: 2}},
		"AAC":            {"a.mp4", []string{"-vn", "-c:a", "aac"}, media.Format{Codec: "aac", SampleRate: 48000, Channels: 2}},
		"AAC, QuickTime": {"a.mov", []string{"-vn", "-c:a", "aac", "-ac", "2"}, media.Format{Codec: "aac", SampleRate: 48000, Channels: 2}},
		"MP3":            {"a.mp4", []string{"-vn", "-c:a", "libmp3lame"}, media.Format{Codec: "mp3", SampleRate: 48000, Channels: 2}},
		"AC-3":           {"a.mp4", []string{"-vn", "-c:a", "ac3"}, media.Format{Codec: "ac3", SampleRate: 48000, Channels: 2}},
		"FLAC":           {"a.mp4", []string{"-vn", "-c:a", "flac", "-strict", "-2"}, media.Format{Codec: "flac", SampleRate: 48000, Channels: 1}},
		"ALAC":           {"a.mp4", []string{"-vn", "-c:a", "alac"}, media.Format{Codec: "alac", SampleRate: 48000, Channels: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			formats, got := compare(t, encode(t, c.file, c.options...))
			c.want.Kind = media.Audio
			if strings.HasPrefix(c.file, "v") {
				c.want.Kind, c.want.Width, c.want.Height = media.Video, 96, 64
			}
			if f := formats[0]; !reflect.DeepEqual(f, c.want) {
				t.Errorf("got %+v, colour %+v\nwant %+v, colour %+v", f, f.Colour, c.want, c.want.Colour)
			}
			if !got[0][0].Key {
				t.Error("the first packet is no key frame")
			}
		})
	}
	pcm := open(t, mediatest.ReadFile(t, encode(t, "a.mov", "-vn", "-c:a", "pcm_s16le"))).Formats()[0]
	if want := (media.Format{Kind: media.Audio, Codec: "pcm_s16le", SampleRate: 48000, Channels: 1}); !reflect.DeepEqual(pcm, want) {
		t.Errorf("PCM: got %+v, want %+v", pcm, want)
	}
}

// Packets of all tracks come in the order of their decoding times, even when the file has one track
// after the other.
func TestInterleaving(t *testing.T) {
	for name, path := range map[string]string{
		"progressive": encode(t, "clip.mp4", flags(baseline, opus)...),
		"fragmented":  encode(t, "clip.mp4", flags(baseline, opus, []string{"-movflags", "+frag_keyframe+empty_moov"})...),
	} {
		r := open(t, mediatest.ReadFile(t, path))
		last := int64(0)
		for {
			p, err := r.Next()
			if err != nil {
				break
			}
			if p.Timestamp < last {
				t.Fatalf("%s: a packet of track %d at %d µs after one at %d µs", name, p.Track, p.Timestamp, last)
			}
			last = p.Timestamp
		}
		if last < 1_900_000 {
			t.Errorf("%s: it ends at %d µs", name, last)
		}
	}
}

// A file that was cut short gives every packet that is whole.
func TestCutFile(t *testing.T) {
	for name, options := range map[string][]string{
		"progressive": {"-movflags", "+faststart"},
		"fragmented":  {"-movflags", "+frag_keyframe+empty_moov+default_base_moof"},
	} {
		t.Run(name, func(t *testing.T) {
			whole := mediatest.ReadFile(t, encode(t, "clip.mp4", flags(baseline, opus, options)...))
			body := bytes.Index(whole, []byte("mdat")) + 4
			before := -1
			for n := body; n < len(whole); n += 97 {
				got := countWhole(t, open(t, whole[:n]), whole[:n])
				if got < before {
					t.Fatalf("cut to %d bytes: %d packets, there were %d with less", n, got, before)
				}
				before = got
			}
			if before < 120 {
				t.Errorf("at most %d packets came", before)
			}
		})
	}
}

package webm

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"landline/media"
	"landline/media/internal/mediatest"
	"landline/media/vpx"
)

// clips are the shapes that files come in. want has the formats in file order, without Config.
var clips = []struct {
	name, file string
	in         [][]string
	args       string
	want       []media.Format
}{
	{"vp8 with alt-ref and opus", "a.webm", [][]string{picture6s, tone2s},
		"-c:v libvpx -b:v 100k -auto-alt-ref 1 -lag-in-frames 16 -g 30 -c:a libopus -b:a 32k",
		[]media.Format{vp8Format, opusFormat}},
	{"vp9", "a.webm", [][]string{picture2s}, "-c:v libvpx-vp9 -b:v 100k -auto-alt-ref 1 -lag-in-frames 16 -cpu-used 8",
		[]media.Format{{Kind: media.Video, Codec: media.VP9, CodecString: "vp09.00.10.08", Width: 64, Height: 48}}},
	{"vp9 of 10 bits", "a.webm", [][]string{picture2s}, "-c:v libvpx-vp9 -pix_fmt yuv420p10le -b:v 100k -cpu-used 8",
		[]media.Format{{Kind: media.Video, Codec: media.VP9, CodecString: "vp09.02.10.10", Width: 64, Height: 48}}},
	{"vp9 with colours", "a.webm", [][]string{picture2s},
		"-c:v libvpx-vp9 -b:v 100k -cpu-used 8 -color_primaries bt709 -color_trc bt709 -colorspace bt709 -color_range pc",
		[]media.Format{{Kind: media.Video, Codec: media.VP9, CodecString: "vp09.00.10.08", Width: 64, Height: 48,
			Colour: &media.Colour{Primaries: "bt709", Transfer: "bt709", Matrix: "bt709", FullRange: true}}}},
	{"av1", "a.webm", [][]string{picture2s, tone2s}, "-c:v libaom-av1 -cpu-used 8 -b:v 100k -g 10 -c:a libopus",
		[]media.Format{{Kind: media.Video, Codec: media.AV1, CodecString: "av01.0.00M.08", Width: 64, Height: 48}, opusFormat}},
	{"h264 baseline and opus", "a.mkv", [][]string{picture2s, tone2s},
		"-c:v libx264 -profile:v baseline -pix_fmt yuv420p -g 15 -c:a libopus",
		[]media.Format{{Kind: media.Video, Codec: media.H264, CodecString: "avc1.42c00a", Width: 64, Height: 48}, opusFormat}},
	{"h264 high without B-frames", "a.mkv", [][]string{picture2s}, "-c:v libx264 -profile:v high -pix_fmt yuv420p -bf 0",
		[]media.Format{{Kind: media.Video, Codec: media.H264, CodecString: "avc1.64000a", Width: 64, Height: 48}}},
	{"h264 with B-frames", "a.mkv", [][]string{picture2s}, "-c:v libx264 -profile:v high -pix_fmt yuv420p -bf 2",
		[]media.Format{{Kind: media.Video, Codec: media.H264, CodecString: "avc1.64000a", Width: 64, Height: 48, Reorders: true}}},
	{"opus of 10 ms", "a.webm", [][]string{tone2s}, "-c:a libopus -frame_duration 10", []media.Format{opusFormat}},
	{"opus of 20 ms", "a.webm", [][]string{tone2s}, "-c:a libopus -frame_duration 20", []media.Format{opusFormat}},
	{"opus of 60 ms", "a.webm", [][]string{tone2s}, "-c:a libopus -frame_duration 60 -ac 2",
		[]media.Format{{Kind: media.Audio, Codec: media.Opus, CodecString: "opus", SampleRate: 48000, Channels: 2}}},
	{"starts after an hour", "a.webm", [][]string{picture2s, tone2s}, "-c:v libvpx -b:v 100k -c:a libopus -output_ts_offset 3600",
		[]media.Format{vp8Format, opusFormat}},
	{"live, sizes unknown", "a.webm", [][]string{picture6s, tone2s}, "-c:v libvpx -b:v 100k -g 30 -c:a libopus -f webm -live 1",
		[]media.Format{vp8Format, opusFormat}},
}

var (
	vp8Format  = media.Format{Kind: media.Video, Codec: media.VP8, CodecString: "vp8", Width: 64, Height: 48}
	opusFormat = media.Format{Kind: media.Audio, Codec: media.Opus, CodecString: "opus", SampleRate: 48000, Channels: 1}
)

func TestPacketsAreThoseThatFFmpegReadsAndSurviveRewriting(t *testing.T) {
	for _, c := range clips {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			clip := generate(t, c.file, append(c.in, strings.Fields(c.args))...)
			source := save(t, c.file, clip)
			r, packets, err := readAll(t, clip)
			if err != nil {
				t.Fatal(err)
			}
			sameFormats(t, r.Formats(), c.want)
			out := rewrite(t, r.Formats(), packets)
			again, _, err := readAll(t, mediatest.ReadFile(t, out))
			if err != nil {
				t.Fatal(err)
			}
			sameFormats(t, again.Formats(), c.want)
			var shifts []int64
			for i, f := range c.want {
				shifts = append(shifts, theirs(t, out, i)[0].ms-theirs(t, source, i)[0].ms)
				switch f.Codec {
				case media.H264, media.AV1:
					sameUnits(t, "read", f.Codec, packets, i, source)
					sameUnits(t, "rewritten", f.Codec, packets, i, out)
					sameTimes(t, ours(packets, i), theirs(t, source, i))
					sameTimes(t, theirs(t, out, i), theirs(t, source, i))
				default:
					samePackets(t, "read", ours(packets, i), theirs(t, source, i))
					samePackets(t, "rewritten", theirs(t, out, i), theirs(t, source, i))
				}
			}
			if d := slices.Max(shifts) - slices.Min(shifts); d > 1 {
				t.Errorf("the tracks moved by %d ms: no longer in sync", shifts)
			}
			mediatest.FFmpeg(t, "-i", out, "-f", "null", "-")
			keysDecode(t, packets, c.want)
		})
	}
}

// sameFormats compares what the table states; OpusHead is checked on its own.
func sameFormats(t testing.TB, got, want []media.Format) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("formats %+v, want %+v", got, want)
	}
	for i, g := range got {
		w := want[i]
		if g.Codec == media.Opus {
			if h, err := media.ParseOpusHead(g.Config); err != nil || h.Channels != w.Channels || h.PreSkip == 0 {
				t.Errorf("OpusHead of track %d is % x", i, g.Config)
			}
		}
		if w.Colour != nil && (g.Colour == nil || *g.Colour != *w.Colour) {
			t.Errorf("colour of track %d is %+v, want %+v", i, g.Colour, w.Colour)
		}
		g.Config, g.Colour, w.Colour = nil, nil, nil
		if g.Kind != w.Kind || g.Codec != w.Codec || g.CodecString != w.CodecString || g.Width != w.Width || g.Height != w.Height ||
			g.SampleRate != w.SampleRate || g.Channels != w.Channels || g.Reorders != w.Reorders {
			t.Errorf("format of track %d is %+v, want %+v", i, g, w)
		}
	}
}

func TestAFileFromAPipeIsRead(t *testing.T) {
	args := slices.Concat(picture6s, tone2s, strings.Fields("-c:v libvpx -b:v 100k -g 30 -c:a libopus -bitexact -f webm pipe:1"))
	piped := mediatest.FFmpeg(t, args...)
	source := save(t, "piped.webm", piped)
	r, packets, err := readAll(t, piped)
	if err != nil {
		t.Fatal(err)
	}
	for i := range r.Formats() {
		samePackets(t, "piped", ours(packets, i), theirs(t, source, i))
	}
}

func sameTimes(t testing.TB, got, want []seen) {
	t.Helper()
	got, want = bytesAside(got), bytesAside(want)
	samePackets(t, "times", got, want)
}

func bytesAside(in []seen) (out []seen) {
	for _, s := range in {
		out = append(out, seen{ms: s.ms})
	}
	return out
}

// keysDecode checks that the key flags are true: a decoder can start at each flagged frame.
func keysDecode(t testing.TB, packets []media.Packet, formats []media.Format) {
	t.Helper()
	first := map[int]bool{}
	for i, p := range packets {
		f := formats[p.Track]
		if f.Kind == media.Video && !first[p.Track] && !p.Key {
			t.Errorf("packet %d is the first of track %d and no key frame", i, p.Track)
		}
		first[p.Track] = true
		if want, ok := isKey(f.Codec, p.Data); ok && p.Key != want {
			t.Errorf("packet %d (%s): key is %t, its payload says %t", i, f.Codec, p.Key, want)
		}
	}
}

// isKey reads the key flag from the payload, where that can be done simply.
func isKey(codec media.Codec, b []byte) (key, known bool) {
	switch codec {
	case media.VP8:
		return b[0]&1 == 0, true
	case media.VP9:
		h, err := vpx.ParseVP9(b)
		return err == nil && h.Key, true
	case media.H264:
		return bytes.Contains(b, []byte{0, 0, 0, 1, 0x67}), true
	case media.AV1:
		return b[0]>>3&15 == 1, true
	}
	return true, true
}

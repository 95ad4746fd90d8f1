package ogg_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"landline/media"
	"landline/media/internal/mediatest"
	"landline/media/ogg"
)

// encode makes a file of three seconds of a tone and gives its path.
func encode(t testing.TB, name string, options ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	args := []string{"-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000", "-t", "3"}
	mediatest.FFmpeg(t, append(append(args, options...), path)...)
	return path
}

// packet is what is compared of a packet.
type packet struct {
	duration int64 // µs
	sum      string
}

// packets gives ffmpeg's own view of the first Opus track of a file. The end is trimmed in it, and so
// is the duration of the last packet.
func packets(t testing.TB, path string) []packet {
	t.Helper()
	var all []packet
	for _, row := range mediatest.FrameMD5(t, "-i", path, "-map", "0:a:0", "-c", "copy")[0] {
		all = append(all, packet{row.Duration, row.Sum})
	}
	return all
}

func open(t testing.TB, path string) *ogg.Reader {
	t.Helper()
	r, err := ogg.NewReader(bytes.NewReader(mediatest.ReadFile(t, path)))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// all reads to the end, and checks that times add up.
func all(t testing.TB, r media.Reader) []media.Packet {
	t.Helper()
	got := mediatest.All(t, r)
	var at int64
	for i, p := range got {
		if p.Timestamp != at || !p.Key {
			t.Fatalf("packet %d at %d µs, key %v, want %d", i, p.Timestamp, p.Key, at)
		}
		at += p.Duration
	}
	return got
}

func sums(got []media.Packet) []packet {
	var all []packet
	for _, p := range got {
		all = append(all, packet{p.Duration, mediatest.Sum(p.Data)})
	}
	return all
}

func write(t testing.TB, f media.Format, packets []media.Packet) string {
	t.Helper()
	var b bytes.Buffer
	w, err := ogg.NewWriter(&b, f)
	mediatest.Save(t, w, err, packets)
	path := filepath.Join(t.TempDir(), "again.opus")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Packets are those that ffmpeg finds, and what is written again is the same and decodes.
func TestReadAndWriteLikeFFmpeg(t *testing.T) {
	for name, options := range map[string][]string{
		"20 ms mono":         {"-c:a", "libopus", "-b:a", "32k"},
		"60 ms stereo":       {"-c:a", "libopus", "-ac", "2", "-frame_duration", "60"},
		"2.5 ms":             {"-c:a", "libopus", "-frame_duration", "2.5", "-application", "lowdelay"},
		"120 ms":             {"-c:a", "libopus", "-frame_duration", "120"},
		"5.1":                {"-c:a", "libopus", "-ac", "6", "-mapping_family", "1"},
		"packets over pages": {"-c:a", "libopus", "-b:a", "255k", "-vbr", "off", "-frame_duration", "60", "-page_duration", "20000000"},
	} {
		t.Run(name, func(t *testing.T) {
			path := encode(t, "clip.opus", options...)
			r := open(t, path)
			f := r.Formats()[0]
			if f.Codec != media.Opus || f.CodecString != "opus" || f.SampleRate != 48000 || !bytes.Contains(mediatest.ReadFile(t, path), f.Config) {
				t.Errorf("format %+v", f)
			}
			got, want := all(t, r), packets(t, path)
			want[len(want)-1].duration = sums(got[len(got)-1:])[0].duration // trimmed
			if !slices.Equal(sums(got), want) {
				t.Errorf("packets differ from ffmpeg's:\n got %v\nwant %v", sums(got), want)
			}
			again := write(t, f, got)
			mediatest.FFmpeg(t, "-i", again, "-f", "null", "-")
			if after := packets(t, again); !slices.Equal(after, want) {
				t.Errorf("packets differ after writing:\n got %v\nwant %v", after, want)
			}
			if fromFile := open(t, again); !bytes.Equal(fromFile.Formats()[0].Config, f.Config) {
				t.Error("the OpusHead changed")
			}
		})
	}
}

// Other tracks are named, and those beside Opus do not disturb it.
func TestOtherTracks(t *testing.T) {
	opus := []string{"-map", "0:a", "-c:a:0", "libopus"}
	for name, c := range map[string]struct {
		options []string
		want    []media.Codec
	}{
		"vorbis":          {[]string{"-c:a", "libvorbis"}, []media.Codec{"vorbis"}},
		"FLAC":            {[]string{"-c:a", "flac"}, []media.Codec{"flac"}},
		"Speex":           {[]string{"-c:a", "libspeex", "-ar", "16000"}, []media.Codec{"speex"}},
		"Theora and Opus": {append([]string{"-f", "lavfi", "-i", "testsrc2=size=64x64:rate=10", "-t", "3", "-map", "1:v", "-c:v", "libtheora"}, opus...), []media.Codec{"theora", "opus"}},
		"Opus and Vorbis": {append(opus, "-map", "0:a", "-c:a:1", "libvorbis"), []media.Codec{"opus", "vorbis"}},
	} {
		t.Run(name, func(t *testing.T) {
			path := encode(t, "clip.ogg", c.options...)
			r := open(t, path)
			var got []media.Codec
			for _, f := range r.Formats() {
				got = append(got, f.Codec)
			}
			if !slices.Equal(got, c.want) {
				t.Fatalf("tracks %v, want %v", got, c.want)
			}
			at := slices.Index(got, media.Opus)
			if at < 0 {
				if _, err := r.Next(); !errors.Is(err, media.ErrUnsupported) {
					t.Errorf("without Opus: %v", err)
				}
				return
			}
			found := all(t, r)
			want := packets(t, path)
			want[len(want)-1].duration = sums(found[len(found)-1:])[0].duration
			if !slices.Equal(sums(found), want) || found[0].Track != at {
				t.Errorf("packets of track %d differ from ffmpeg's", found[0].Track)
			}
		})
	}
}

// Long comments (cover art) are passed over whatever their size.
func TestLongComments(t *testing.T) {
	path := encode(t, "clip.opus", "-c:a", "libopus", "-metadata", "comment="+strings.Repeat("long ", 20_000))
	if got, want := len(all(t, open(t, path))), len(packets(t, path)); got != want {
		t.Errorf("%d packets, want %d", got, want)
	}
}

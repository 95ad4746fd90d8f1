package ogg_test

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"landline/media"
	"landline/media/ogg"
)

// ffmpeg runs it with the arguments and gives its standard output; a word on standard error fails
// the test.
func ffmpeg(t testing.TB, args ...string) []byte {
	t.Helper()
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Fatal("these tests compare with ffmpeg, which is not installed: ", err)
	}
	var out, complaints bytes.Buffer
	cmd := exec.Command("ffmpeg", append([]string{"-nostdin", "-y", "-v", "error", "-xerror"}, args...)...)
	cmd.Stdout, cmd.Stderr = &out, &complaints
	if err := cmd.Run(); err != nil || complaints.Len() > 0 {
		t.Fatalf("ffmpeg %s: %v\n%s", strings.Join(args, " "), err, &complaints)
	}
	return out.Bytes()
}

// encode makes a file of three seconds of a tone and gives its path.
func encode(t testing.TB, name string, options ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	args := []string{"-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000", "-t", "3"}
	ffmpeg(t, append(append(args, options...), path)...)
	return path
}

// packet is a row of ffmpeg's framemd5 format.
type packet struct {
	samples int64
	sum     string
}

// packets gives ffmpeg's own view of the first Opus track of a file. The end is trimmed in it, and so
// is the duration of the last packet.
func packets(t testing.TB, path string) []packet {
	t.Helper()
	var all []packet
	for line := range strings.Lines(string(ffmpeg(t, "-i", path, "-map", "0:a:0", "-c", "copy", "-f", "framemd5", "-"))) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.Split(line, ",")
		samples, err := strconv.ParseInt(strings.TrimSpace(fields[3]), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, packet{samples, strings.TrimSpace(fields[5])})
	}
	return all
}

func open(t testing.TB, path string) *ogg.Reader {
	t.Helper()
	r, err := ogg.NewReader(bytes.NewReader(read(t, path)))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// all reads to the end, and checks that times add up.
func all(t testing.TB, r media.Reader) []media.Packet {
	t.Helper()
	var got []media.Packet
	var at int64
	for {
		p, err := r.Next()
		if errors.Is(err, io.EOF) {
			return got
		}
		if err != nil {
			t.Fatalf("packet %d: %v", len(got), err)
		}
		if p.Timestamp != at || !p.Key {
			t.Fatalf("packet %d at %d µs, key %v, want %d", len(got), p.Timestamp, p.Key, at)
		}
		at += p.Duration
		got = append(got, p)
	}
}

func sums(got []media.Packet) []packet {
	var all []packet
	for _, p := range got {
		sum := md5.Sum(p.Data)
		all = append(all, packet{p.Duration * 48 / 1000, hex.EncodeToString(sum[:])})
	}
	return all
}

func write(t testing.TB, f media.Format, packets []media.Packet) string {
	t.Helper()
	var b bytes.Buffer
	w, err := ogg.NewWriter(&b, f)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range packets {
		if err := w.Write(p); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
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
			if f.Codec != media.Opus || f.CodecString != "opus" || f.SampleRate != 48000 || !bytes.Contains(read(t, path), f.Config) {
				t.Errorf("format %+v", f)
			}
			got, want := all(t, r), packets(t, path)
			want[len(want)-1].samples = sums(got[len(got)-1:])[0].samples // trimmed
			if !slices.Equal(sums(got), want) {
				t.Errorf("packets differ from ffmpeg's:\n got %v\nwant %v", sums(got), want)
			}
			again := write(t, f, got)
			ffmpeg(t, "-i", again, "-f", "null", "-")
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
			want[len(want)-1].samples = sums(found[len(found)-1:])[0].samples
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

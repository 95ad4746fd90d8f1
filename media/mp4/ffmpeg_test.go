package mp4_test

import (
	"bytes"
	"path/filepath"
	"testing"

	"landline/media"
	"landline/media/h264"
	"landline/media/internal/mediatest"
	"landline/media/mp4"
)

// encode makes a file of a test picture and a tone, two seconds of each, and gives its path.
func encode(t testing.TB, name string, options ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	args := []string{"-f", "lavfi", "-i", "testsrc2=size=96x64:rate=25", "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000"}
	mediatest.FFmpeg(t, append(append(args, options...), "-t", "2", "-threads", "1", "-bitexact", path)...)
	return path
}

func open(t testing.TB, data []byte) *mp4.Reader {
	t.Helper()
	r, err := mp4.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// all reads to the end, by track.
func all(t testing.TB, r media.Reader) [][]media.Packet {
	t.Helper()
	got := make([][]media.Packet, len(r.Formats()))
	for _, p := range mediatest.All(t, r) {
		got[p.Track] = append(got[p.Track], p)
	}
	return got
}

// sum hashes a frame as the file has it.
func sum(t testing.TB, f media.Format, data []byte) string {
	t.Helper()
	if f.Codec == media.H264 {
		var err error
		if data, _, _, err = h264.ToAVCC(data); err != nil {
			t.Fatal(err)
		}
	}
	return mediatest.Sum(data)
}

// compare holds what was read against what ffmpeg reads. Times may differ by what all tracks of the
// file are moved by.
func compare(t *testing.T, path string) ([]media.Format, [][]media.Packet) {
	t.Helper()
	r := open(t, mediatest.ReadFile(t, path))
	got, want := all(t, r), mediatest.FrameMD5(t, "-copyts", "-i", path, "-map", "0", "-c", "copy")
	if len(got) != len(want) {
		t.Fatalf("%d tracks, ffmpeg finds %d", len(got), len(want))
	}
	shift := got[0][0].Timestamp - want[0][0].PTS
	for i := range want {
		if len(got[i]) != len(want[i]) {
			t.Errorf("track %d: %d packets, ffmpeg finds %d", i, len(got[i]), len(want[i]))
			continue
		}
		for j, w := range want[i] {
			g := got[i][j]
			hash := sum(t, r.Formats()[i], g.Data)
			if off := g.Timestamp - w.PTS - shift; hash != w.Sum || off < -1 || off > 1 {
				t.Fatalf("track %d, packet %d: at %d, %s; ffmpeg has %+v, moved by %d", i, j, g.Timestamp, hash, w, shift)
			}
		}
		if !r.Formats()[i].Reorders {
			durations(t, got[i])
		}
	}
	return r.Formats(), got
}

// durations checks that each packet lasts until the next.
func durations(t *testing.T, got []media.Packet) {
	t.Helper()
	for i, p := range got[:len(got)-1] {
		if off := p.Timestamp + p.Duration - got[i+1].Timestamp; off < -1 || off > 1 {
			t.Errorf("track %d, packet %d at %d µs lasts %d, the next is at %d", p.Track, i, p.Timestamp, p.Duration, got[i+1].Timestamp)
		}
	}
}

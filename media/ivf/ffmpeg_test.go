package ivf_test

import (
	"bytes"
	"path/filepath"
	"slices"
	"testing"

	"landline/media"
	"landline/media/internal/mediatest"
	"landline/media/ivf"
)

// encode makes an IVF file of two seconds, 30 pictures a second, and gives its path.
func encode(t testing.TB, options ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "clip.ivf")
	args := []string{"-f", "lavfi", "-i", "testsrc2=size=98x66:rate=30", "-t", "2", "-threads", "1"}
	mediatest.FFmpeg(t, append(append(args, options...), path)...)
	return path
}

// packet is what is compared of a frame.
type packet struct {
	pts int64 // µs
	sum string
}

// packets gives ffmpeg's own view of a file.
func packets(t testing.TB, path string) []packet {
	t.Helper()
	var all []packet
	for _, row := range mediatest.FrameMD5(t, "-i", path, "-map", "0:0", "-c", "copy")[0] {
		all = append(all, packet{row.PTS, row.Sum})
	}
	return all
}

// sums hashes what was read, behind the prefix that the file has and the frame has not.
func sums(frames []media.Packet, prefix []byte) []packet {
	var all []packet
	for _, p := range frames {
		all = append(all, packet{p.Timestamp, mediatest.Sum(slices.Concat(prefix, p.Data))})
	}
	return all
}

func open(t testing.TB, path string) *ivf.Reader {
	t.Helper()
	r, err := ivf.NewReader(bytes.NewReader(mediatest.ReadFile(t, path)))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

package ivf_test

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"landline/media"
	"landline/media/ivf"
)

// ffmpeg runs it with the arguments and gives its standard output; a word on standard error fails
// the test.
func ffmpeg(t testing.TB, args ...string) []byte {
	t.Helper()
	return run(t, "ffmpeg", append([]string{"-nostdin", "-y", "-v", "error", "-xerror"}, args...)...)
}

func run(t testing.TB, name string, args ...string) []byte {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Fatal("these tests compare with ffmpeg, which is not installed: ", err)
	}
	var out, complaints bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = &out, &complaints
	if err := cmd.Run(); err != nil || complaints.Len() > 0 {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, &complaints)
	}
	return out.Bytes()
}

// encode makes an IVF file of two seconds, 30 pictures a second, and gives its path.
func encode(t testing.TB, options ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "clip.ivf")
	args := []string{"-f", "lavfi", "-i", "testsrc2=size=98x66:rate=30", "-t", "2", "-threads", "1"}
	ffmpeg(t, append(append(args, options...), path)...)
	return path
}

// packet is a row of ffmpeg's framemd5 format, with times in µs.
type packet struct {
	pts int64
	sum string
}

// packets gives ffmpeg's own view of a file whose unit of time is num/den seconds.
func packets(t testing.TB, path string, num, den int64) []packet {
	t.Helper()
	var all []packet
	for line := range strings.Lines(string(ffmpeg(t, "-i", path, "-map", "0:0", "-c", "copy", "-f", "framemd5", "-"))) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.Split(line, ",")
		pts, err := strconv.ParseInt(strings.TrimSpace(fields[2]), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, packet{(pts*num*1_000_000 + den/2) / den, strings.TrimSpace(fields[5])})
	}
	return all
}

// sums hashes what was read, behind the prefix that the file has and the frame has not.
func sums(frames []media.Packet, prefix []byte) []packet {
	var all []packet
	for _, p := range frames {
		sum := md5.Sum(append(bytes.Clone(prefix), p.Data...))
		all = append(all, packet{p.Timestamp, hex.EncodeToString(sum[:])})
	}
	return all
}

func open(t testing.TB, path string) *ivf.Reader {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r, err := ivf.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func all(t testing.TB, r media.Reader) []media.Packet {
	t.Helper()
	var frames []media.Packet
	for {
		p, err := r.Next()
		if errors.Is(err, io.EOF) {
			return frames
		}
		if err != nil {
			t.Fatalf("frame %d: %v", len(frames), err)
		}
		frames = append(frames, p)
	}
}

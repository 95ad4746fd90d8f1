package h264_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"landline/media"
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

// encode makes a raw H.264 file of a test picture and gives its path.
func encode(t testing.TB, size, rate, seconds string, options ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "clip.h264")
	args := []string{"-f", "lavfi", "-i", "testsrc2=size=" + size + ":rate=" + rate, "-t", seconds, "-c:v", "libx264", "-preset", "veryfast", "-threads", "1"}
	ffmpeg(t, append(append(args, options...), path)...)
	return path
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// framemd5 gives the column of hashes of ffmpeg's framemd5 format.
func framemd5(t testing.TB, path string, options ...string) []string {
	t.Helper()
	args := append(append([]string{"-i", path}, options...), "-f", "framemd5", "-")
	var sums []string
	for line := range strings.Lines(string(ffmpeg(t, args...))) {
		if fields := strings.Split(line, ","); !strings.HasPrefix(line, "#") {
			sums = append(sums, strings.TrimSpace(fields[len(fields)-1]))
		}
	}
	return sums
}

// all reads every packet.
func all(t testing.TB, r media.Reader) []media.Packet {
	t.Helper()
	var packets []media.Packet
	for {
		p, err := r.Next()
		if errors.Is(err, io.EOF) {
			return packets
		}
		if err != nil {
			t.Fatalf("packet %d: %v", len(packets), err)
		}
		packets = append(packets, p)
	}
}

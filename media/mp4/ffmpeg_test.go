package mp4_test

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"landline/media"
	"landline/media/h264"
	"landline/media/mp4"
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

// encode makes a file of a test picture and a tone, two seconds of each, and gives its path.
func encode(t testing.TB, name string, options ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	args := []string{"-f", "lavfi", "-i", "testsrc2=size=96x64:rate=25", "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000"}
	ffmpeg(t, append(append(args, options...), "-t", "2", "-threads", "1", "-bitexact", path)...)
	return path
}

// packet is a row of ffmpeg's framemd5 format, with times in µs.
type packet struct {
	track int
	pts   int64
	sum   string
}

// packets gives ffmpeg's own view of a file, by track.
func packets(t testing.TB, path string) [][]packet {
	t.Helper()
	var all [][]packet
	units := map[string]int64{}
	for line := range strings.Lines(string(ffmpeg(t, "-copyts", "-i", path, "-map", "0", "-c", "copy", "-f", "framemd5", "-"))) {
		var index, num, den int64
		if n, _ := fmt.Sscanf(line, "#tb %d: %d/%d", &index, &num, &den); n == 3 {
			units[fmt.Sprint(index)] = den
			all = append(all, nil)
		}
		if strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.Split(line, ",")
		for i := range fields {
			fields[i] = strings.TrimSpace(fields[i])
		}
		p := packet{sum: fields[5]}
		var err error
		if p.track, err = strconv.Atoi(fields[0]); err != nil {
			t.Fatal(err)
		}
		pts, err := strconv.ParseInt(fields[2], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		p.pts = pts * 1_000_000 / units[fields[0]]
		all[p.track] = append(all[p.track], p)
	}
	return all
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
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
	for {
		p, err := r.Next()
		if errors.Is(err, io.EOF) {
			return got
		}
		if err != nil {
			t.Fatal(err)
		}
		got[p.Track] = append(got[p.Track], p)
	}
}

// sums hashes frames as the file has them.
func sums(t testing.TB, f media.Format, got []media.Packet) []packet {
	t.Helper()
	var all []packet
	for _, p := range got {
		data := p.Data
		if f.Codec == media.H264 {
			var err error
			if data, _, _, err = h264.ToAVCC(data); err != nil {
				t.Fatal(err)
			}
		}
		sum := md5.Sum(data)
		all = append(all, packet{p.Track, p.Timestamp, hex.EncodeToString(sum[:])})
	}
	return all
}

// compare holds what was read against what ffmpeg reads. Times may differ by what all tracks of the
// file are moved by.
func compare(t *testing.T, path string) ([]media.Format, [][]media.Packet) {
	t.Helper()
	r := open(t, read(t, path))
	got, want := all(t, r), packets(t, path)
	if len(got) != len(want) {
		t.Fatalf("%d tracks, ffmpeg finds %d", len(got), len(want))
	}
	shift := got[0][0].Timestamp - want[0][0].pts
	for i := range want {
		mine := sums(t, r.Formats()[i], got[i])
		if len(mine) != len(want[i]) {
			t.Errorf("track %d: %d packets, ffmpeg finds %d", i, len(mine), len(want[i]))
			continue
		}
		for j, w := range want[i] {
			g := mine[j]
			if off := g.pts - w.pts - shift; g.sum != w.sum || off < -1 || off > 1 {
				t.Fatalf("track %d, packet %d: %v, ffmpeg has %v, moved by %d", i, j, g, w, shift)
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

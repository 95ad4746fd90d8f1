package mediatest

import (
	"bytes"
	"crypto/md5"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// FFmpeg runs ffmpeg with the arguments and gives its standard output. A word on standard error fails the
// test.
func FFmpeg(t testing.TB, args ...string) []byte {
	t.Helper()
	return Run(t, "ffmpeg", append([]string{"-nostdin", "-y", "-v", "error", "-xerror"}, args...)...)
}

// Run does likewise with a program of ffmpeg's family.
func Run(t testing.TB, name string, args ...string) []byte {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Fatal("this test needs ffmpeg (Debian: apt install ffmpeg): ", err)
	}
	var out, complaints bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = &out, &complaints
	if err := cmd.Run(); err != nil || complaints.Len() > 0 {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, &complaints)
	}
	return out.Bytes()
}

// Row is a packet or a picture in ffmpeg's framemd5 format.
type Row struct {
	Track int
	// PTS and Duration are in µs, rounded to the nearest.
	PTS, Duration int64
	Size          int
	Sum           string // MD5
}

// FrameMD5 gives ffmpeg's own view of a file, by track. The arguments name the input and say what is
// wanted of it.
func FrameMD5(t testing.TB, args ...string) [][]Row {
	t.Helper()
	var tracks [][]Row
	var units []unit
	for line := range strings.Lines(string(FFmpeg(t, append(args, "-f", "framemd5", "-")...))) {
		var index int
		var u unit
		if n, _ := fmt.Sscanf(line, "#tb %d: %d/%d", &index, &u.num, &u.den); n == 3 {
			units, tracks = append(units, u), append(tracks, nil)
		}
		if strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.Split(strings.TrimSpace(line), ",")
		numbers := make([]int64, 5) // track, DTS, PTS, duration, size
		for i := range numbers {
			var err error
			if numbers[i], err = strconv.ParseInt(strings.TrimSpace(fields[i]), 10, 64); err != nil {
				t.Fatalf("framemd5 line %q: %v", line, err)
			}
		}
		track := int(numbers[0])
		tracks[track] = append(tracks[track], Row{
			Track: track, PTS: units[track].micros(numbers[2]), Duration: units[track].micros(numbers[3]),
			Size: int(numbers[4]), Sum: strings.TrimSpace(fields[5]),
		})
	}
	return tracks
}

// Sums are the hashes of rows.
func Sums(rows []Row) []string {
	var sums []string
	for _, r := range rows {
		sums = append(sums, r.Sum)
	}
	return sums
}

// Sum is the hash of one packet, as in a Row.
func Sum(data []byte) string { return fmt.Sprintf("%x", md5.Sum(data)) }

// unit is num/den seconds.
type unit struct{ num, den int64 }

func (u unit) micros(t int64) int64 {
	v, half := t*u.num*1_000_000, u.den/2
	if v < 0 {
		half = -half
	}
	return (v + half) / u.den
}

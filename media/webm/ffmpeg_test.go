package webm

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"landline/media"
	"landline/media/av1"
	"landline/media/h264"
	"landline/media/internal/mediatest"
)

// Inputs of ffmpeg: a moving picture and a tone.
var (
	picture2s = strings.Fields("-f lavfi -t 2 -i testsrc2=s=64x48:r=15")
	picture6s = strings.Fields("-f lavfi -t 6 -i testsrc2=s=64x48:r=15")
	tone2s    = strings.Fields("-f lavfi -t 2 -i sine=f=440:r=48000")
)

// generate makes a clip with ffmpeg and returns its bytes.
func generate(t testing.TB, file string, args ...[]string) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), file)
	var all []string
	for _, a := range args {
		all = append(all, a...)
	}
	mediatest.FFmpeg(t, append(all, "-bitexact", path)...)
	return mediatest.ReadFile(t, path)
}

// save puts bytes into a file for ffmpeg to read.
func save(t testing.TB, name string, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// seen is one packet as it is compared.
type seen struct {
	hash string // size and MD5
	ms   int64
}

// theirs gives the packets of one stream as ffmpeg reads them.
func theirs(t testing.TB, path string, stream int) []seen {
	t.Helper()
	var packets []seen
	for _, row := range mediatest.FrameMD5(t, "-copyts", "-i", path, "-map", fmt.Sprint("0:", stream), "-c", "copy")[0] {
		packets = append(packets, seen{hash: fmt.Sprint(row.Size, " ", row.Sum), ms: millis(row.PTS)})
	}
	return packets
}

// ours gives the packets of one track as they stand.
func ours(packets []media.Packet, track int) []seen {
	var s []seen
	for _, p := range packets {
		if p.Track == track {
			s = append(s, seen{hash: fmt.Sprint(len(p.Data), " ", mediatest.Sum(p.Data)), ms: millis(p.Timestamp)})
		}
	}
	return s
}

// samePackets compares payloads, and times up to a constant shift and 1 ms.
func samePackets(t testing.TB, what string, got, want []seen) {
	t.Helper()
	if len(got) != len(want) || len(got) == 0 {
		t.Fatalf("%s: %d packets, want %d and more than 0", what, len(got), len(want))
	}
	shift := got[0].ms - want[0].ms
	for i := range got {
		if got[i].hash != want[i].hash {
			t.Fatalf("%s: packet %d is %s, want %s", what, i, got[i].hash, want[i].hash)
		}
		if d := got[i].ms - want[i].ms - shift; d < -1 || d > 1 {
			t.Fatalf("%s: packet %d is at %d ms, want %d (shift %d)", what, i, got[i].ms, want[i].ms, shift)
		}
	}
}

// sameUnits compares the coded units of all packets of a track with those of a raw stream from ffmpeg:
// NAL units but AUD, filler, SPS and PPS, or OBUs but temporal delimiters, size fields aside.
func sameUnits(t testing.TB, what string, codec media.Codec, packets []media.Packet, track int, path string) {
	t.Helper()
	var joined []byte
	for _, p := range packets {
		if p.Track == track {
			joined = append(joined, p.Data...)
		}
	}
	mapping := []string{"-i", path, "-map", "0:v:0", "-c", "copy", "-f"}
	var got, want []string
	switch codec {
	case media.H264:
		got, want = nalUnits(joined), nalUnits(mediatest.FFmpeg(t, append(mapping, "h264", "-bsf:v", "h264_mp4toannexb", "-")...))
	case media.AV1:
		got, want = obus(t, joined), obus(t, mediatest.FFmpeg(t, append(mapping, "obu", "-")...))
	}
	if len(got) != len(want) || len(got) == 0 {
		t.Fatalf("%s: %d units, want %d and more than 0", what, len(got), len(want))
	}
	for i := range got {
		if got[i] != want[i] {
			t.Fatalf("%s: unit %d differs: %d bytes, want %d", what, i, len(got[i]), len(want[i]))
		}
	}
}

func nalUnits(b []byte) (units []string) {
	for nal := range h264.NALs(b) {
		switch nal[0] & 31 {
		case 7, 8, 9, 12:
		default:
			units = append(units, string(nal))
		}
	}
	return units
}

func obus(t testing.TB, b []byte) (units []string) {
	t.Helper()
	for len(b) > 0 {
		u, rest, err := av1.Next(b)
		if err != nil {
			t.Fatal(err)
		}
		if b = rest; u.Type != av1.TemporalDelimiterOBU {
			units = append(units, fmt.Sprint(u.Type, " ", string(u.Payload)))
		}
	}
	return units
}

// readAll reads a file whole, through a reader that cannot seek, as a pipe cannot.
func readAll(t testing.TB, b []byte) (*Reader, []media.Packet, error) {
	t.Helper()
	r, err := NewReader(io.LimitReader(bytes.NewReader(b), int64(len(b))))
	if err != nil {
		t.Fatalf("NewReader: %v", err)
	}
	packets, err := mediatest.Drain(r)
	return r, packets, err
}

// rewrite writes packets into a file with our Writer and returns its path.
func rewrite(t testing.TB, formats []media.Format, packets []media.Packet) string {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "out.mkv"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}()
	writePackets(t, f, formats, packets)
	return f.Name()
}

func writePackets(t testing.TB, to io.Writer, formats []media.Format, packets []media.Packet) {
	t.Helper()
	w, err := NewWriter(to, formats)
	mediatest.Save(t, w, err, packets)
}

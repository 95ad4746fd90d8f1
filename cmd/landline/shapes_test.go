package main

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"landline/media"
	"landline/media/webm"
)

// TestClipsOfManyShapesComeBackByteForByte streams clips that are made to be awkward, each to a watch that waits for it.
func TestClipsOfManyShapesComeBackByteForByte(t *testing.T) {
	const vp8 = "-c:v libvpx -deadline realtime -cpu-used 8 -b:v 300k "
	const opus = " -c:a libopus -b:a 64k "
	const h264 = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -bf 0 "
	all := map[string]*transfer{}
	for name, c := range map[string]struct {
		args string // of ffmpeg
		in   string // the file's ending
		out  string
	}{
		"vp8 and opus":          {"-t 2 " + vp8 + "-g 25" + opus, ".webm", ".webm"},
		"one key frame":         {"-t 2.5 " + vp8 + "-g 9999" + opus, ".webm", ".mkv"},
		"alt-ref vp8":           {"-t 2.5 -c:v libvpx -auto-alt-ref 1 -lag-in-frames 16 -arnr-maxframes 5 -b:v 300k -g 40" + opus, ".webm", ".webm"},
		"vp9":                   {"-t 2 -c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 25" + opus, ".webm", ".webm"},
		"av1":                   {"-t 1.5 -s 160x90 -c:v libsvtav1 -preset 12 -g 15" + opus, ".mkv", ".mkv"},
		"av1 alone":             {"-t 1 -s 160x90 -an -c:v libsvtav1 -preset 12 -g 15", ".ivf", ".ivf"},
		"h264":                  {"-t 2 " + h264 + "-g 25" + opus, ".mkv", ".mkv"},
		"h264 in mp4":           {"-t 2 " + h264 + "-g 25" + opus, ".mp4", ".mkv"},
		"raw h264":              {"-t 2 -an " + h264 + "-g 25", ".h264", ".h264"},
		"variable frame rate":   {"-t 2 -vf select=not(mod(n\\,7))+lt(mod(n\\,3)\\,1) -fps_mode vfr " + vp8 + opus, ".webm", ".webm"},
		"10 ms opus":            {"-t 1.5 -vn -frame_duration 10" + opus, ".ogg", ".ogg"},
		"60 ms opus with video": {"-t 2 " + vp8 + "-frame_duration 60" + opus, ".webm", ".webm"},
		"audio alone":           {"-t 1.5 -vn" + opus, ".webm", ".webm"},
		"video alone":           {"-t 1.5 -an " + vp8, ".ivf", ".ivf"},
		"an hour late":          {"-t 2 " + vp8 + opus + "-output_ts_offset 3600", ".mkv", ".webm"},
		"audio much later":      {"-t 2.5 -af asetpts=PTS+1/TB " + vp8 + opus, ".webm", ".webm"},
		"h264 much later":       {"-t 5 -vf setpts=PTS+3/TB " + h264 + "-g 25" + opus, ".mkv", ".mkv"},
		"audio ends early":      {"-t 2.5 -af atrim=0:1 " + vp8 + opus, ".webm", ".webm"},
	} {
		in := clip(t, "in"+c.in, strings.Fields(c.args)...)
		out := filepath.Join(t.TempDir(), "out"+c.out)
		all[name] = begin(t, in, out)
	}
	for name, moved := range all { // they run at the same time, in rooms and relays of their own
		t.Run(name, func(t *testing.T) {
			sent, saved := moved.finish(t)
			if ending := filepath.Ext(moved.in); ending == ".h264" || ending == ".ogg" { // files without times of their own
				samePayload(t, moved.in, moved.out)
			} else {
				samePackets(t, moved.in, moved.out, 0)
			}
			sameCounts(t, sent, saved)
		})
	}
}

// samePayload compares the packets of two files but for their times.
func samePayload(t *testing.T, want, got string) {
	t.Helper()
	for _, kind := range []string{"v", "a"} {
		a, b := seenPackets(t, want, kind), seenPackets(t, got, kind)
		if len(a) != len(b) {
			t.Fatalf("track %s: %d packets of %d", kind, len(b), len(a))
		}
		for i := range a {
			if a[i].hash != b[i].hash {
				t.Fatalf("track %s: packet %d of %d differs", kind, i, len(b))
			}
		}
	}
}

// sameCounts checks that both ends tell of the same, and of no loss.
func sameCounts(t *testing.T, sent streamReport, saved watchReport) {
	t.Helper()
	if len(sent.Tracks) != len(saved.Tracks) || sent.Member != saved.Member || saved.Reconnects+sent.Reconnects != 0 {
		t.Fatalf("sent %+v, saved %+v", sent, saved)
	}
	for i, a := range sent.Tracks {
		b := saved.Tracks[i]
		if a.ID != b.ID || a.Codec != b.Codec || a.Frames != b.Frames || a.Bytes != b.Bytes || a.KeyFrames != b.KeyFrames {
			t.Errorf("sent %+v, saved %+v", a, b)
		}
		if len(a.Drops)+len(b.Drops) > 0 || b.Gaps+b.Abandoned != 0 || b.Latency.N != b.Frames {
			t.Errorf("loss on a link that carries all: sent %+v, saved %+v", a, b)
		}
	}
}

func TestSizeChangeInMidStream(t *testing.T) {
	t.Parallel()
	small := clip(t, "small.webm", strings.Fields("-t 1 -s 160x90 -an -c:v libvpx -b:v 200k")...)
	large := clip(t, "large.webm", strings.Fields("-t 1 -s 320x180 -an -c:v libvpx -b:v 200k")...)
	list := filepath.Join(t.TempDir(), "list")
	if err := os.WriteFile(list, []byte("file '"+small+"'\nfile '"+large+"'\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	in := filepath.Join(t.TempDir(), "in.webm")
	ffmpeg(t, "-f", "concat", "-safe", "0", "-i", list, "-c", "copy", in)
	out := filepath.Join(t.TempDir(), "out.webm")
	begin(t, in, out).finish(t)
	samePackets(t, in, out, 0)
}

func TestCutTailIsStreamedAsFarAsItIsWhole(t *testing.T) {
	t.Parallel()
	whole, err := os.ReadFile(clip(t, "whole.webm", strings.Fields("-t 2 -c:v libvpx -b:v 300k -c:a libopus")...))
	if err != nil {
		t.Fatal(err)
	}
	in := filepath.Join(t.TempDir(), "cut.webm")
	if err := os.WriteFile(in, whole[:len(whole)*3/4], 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "out.webm")
	begin(t, in, out).finish(t)
	samePackets(t, in, out, 1) // ffmpeg may show half a packet at the cut
}

// TestBurstsAreNoReasonToDrop streams what is hard on queues: key frames of nearly 1 MiB, packets of equal times, and a
// crowd at the very beginning.
func TestBurstsAreNoReasonToDrop(t *testing.T) {
	t.Parallel()
	var file bytes.Buffer
	w, err := webm.NewWriter(&file, []media.Format{
		{Kind: media.Video, Codec: media.VP8, CodecString: "vp8", Width: 640, Height: 360},
		{Kind: media.Audio, Codec: media.Opus, CodecString: "opus", SampleRate: 48000, Channels: 2}})
	if err != nil {
		t.Fatal(err)
	}
	put := func(track int, ms int64, key bool, size int) {
		t.Helper()
		data := make([]byte, size)
		_, _ = rand.NewChaCha8([32]byte{byte(ms), byte(ms >> 8), byte(size)}).Read(data)
		if track == 0 {
			copy(data, []byte{0x11, 0, 0})
			if key {
				copy(data, []byte{0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01}) // RFC 6386 section 9.1: 640x360
			}
		} else {
			data[0] = 0xfc // RFC 6716 section 3.1: 20 ms, one frame
		}
		if err := w.Write(media.Packet{Track: track, Frame: media.Frame{Timestamp: ms * 1000, Key: key, Data: data}}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 20 {
		put(0, 0, i == 0, 100_000) // 2 MB that are all due at once
		put(1, int64(i)*20, true, 200)
	}
	for i := range 8 {
		ms := 500 + int64(i)*150
		put(0, ms, true, media.MaxFrameSize-1-i)
		put(0, ms, false, 30_000) // as an alt-ref frame: of the same time
		put(0, ms+33, false, 10_000)
		put(1, ms, true, 200)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	in := filepath.Join(t.TempDir(), "burst.webm")
	if err := os.WriteFile(in, file.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "out.webm")
	sent, saved := begin(t, in, out).finish(t)
	samePackets(t, in, out, 0)
	sameCounts(t, sent, saved)
}

func ffmpeg(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command("ffmpeg", append([]string{"-v", "error"}, args...)...).CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg: %v: %s", err, out)
	}
}

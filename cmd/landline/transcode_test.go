package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"landline/media"
	"landline/media/webm"
)

// clip makes a file with ffmpeg: moving picture of 320x180 at 25 fps, and a tone.
func clip(t *testing.T, name string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Fatal("ffmpeg is needed to run the tests of cmd/landline: install it (apt-get install ffmpeg)")
	}
	path := filepath.Join(t.TempDir(), name)
	args = append([]string{"-v", "error", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25",
		"-f", "lavfi", "-i", "sine=frequency=440:sample_rate=44100"}, append(args, path)...)
	if out, err := exec.Command("ffmpeg", args...).CombinedOutput(); err != nil {
		t.Fatalf("making %s: %v: %s", name, err, out)
	}
	return path
}

// diskClip is what people have on disk: H.264 with B-frames and AAC 5.1, 4 s.
func diskClip(t *testing.T) string {
	return clip(t, "disk.mp4", "-t", "4", "-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-b_strategy", "0",
		"-pix_fmt", "yuv420p", "-c:a", "aac", "-ac", "6")
}

var (
	bframes  = media.Format{Kind: media.Video, Codec: media.H264, Width: 320, Height: 180, Reorders: true}
	surround = media.Format{Kind: media.Audio, Codec: "aac", SampleRate: 44100, Channels: 6}
)

func diskSpec(t *testing.T) transcodeSpec {
	formats := []media.Format{bframes, surround}
	return transcodeSpec{name: "disk.mp4", path: diskClip(t), gop: time.Second,
		video: renditionOf(formats, media.Video), audio: renditionOf(formats, media.Audio)}
}

// packets reads everything that a transcode gives.
func packets(t *testing.T, r io.Reader) ([]media.Format, [][]media.Packet) {
	t.Helper()
	reader, err := webm.NewReader(r)
	if err != nil {
		t.Fatal(err)
	}
	tracks := make([][]media.Packet, len(reader.Formats()))
	for {
		p, err := reader.Next()
		if err == io.EOF {
			return reader.Formats(), tracks
		}
		if err != nil {
			t.Fatal(err)
		}
		tracks[p.Track] = append(tracks[p.Track], p)
	}
}

func TestWhatPeopleHaveOnDiskBecomesVP8AndOpus(t *testing.T) {
	begun := time.Now()
	out, err := startTranscode(t.Context(), diskSpec(t))
	if err != nil {
		t.Fatal(err)
	}
	formats, tracks := packets(t, out)
	if err := out.Close(); err != nil {
		t.Error(err)
	}
	t.Logf("4 s were transcoded in %v", time.Since(begun))
	video, audio := tracks[0], tracks[1]
	if f := formats[0]; f.Codec != media.VP8 || f.Width != 320 || f.Height != 180 {
		t.Errorf("video is %+v", f)
	}
	if f := formats[1]; f.Codec != media.Opus || f.Channels != 2 {
		t.Errorf("audio is %+v", f)
	}
	if len(video) != 100 {
		t.Errorf("%d frames of video, want 100", len(video))
	}
	var keys []string
	for i, p := range video {
		if p.Key {
			keys = append(keys, fmt.Sprintf("%.1f", float64(p.Timestamp)/1e6))
		}
		if i > 0 && p.Timestamp <= video[i-1].Timestamp {
			t.Errorf("frame %d goes back in time: %d after %d", i, p.Timestamp, video[i-1].Timestamp)
		}
		if visible := p.Data[0]&0x10 != 0; !visible { // RFC 6386 section 9.1: show_frame
			t.Errorf("frame %d is never shown", i)
		}
	}
	if got := strings.Join(keys, " "); got != "0.0 1.0 2.0 3.0" {
		t.Errorf("key frames at %s s, want one each second", got)
	}
	for i, p := range audio[:len(audio)-1] {
		if d := audio[i+1].Timestamp - p.Timestamp; d < 19_000 || d > 21_000 {
			t.Errorf("audio packet %d lasts %d µs, want 20 ms", i, d)
		}
	}
}

// What the relay carries is copied packet by packet next to what is encoded.
func TestOnlyWhatMustIsEncoded(t *testing.T) {
	path := clip(t, "half.mkv", "-t", "2", "-c:v", "libx264", "-preset", "ultrafast", "-bf", "0", "-g", "25", "-pix_fmt", "yuv420p", "-c:a", "flac")
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	formats, source := packets(t, file)
	spec := transcodeSpec{name: "half.mkv", path: path, video: renditionOf(formats, media.Video), audio: renditionOf(formats, media.Audio)}
	if spec.video.treatment != copyOver || spec.audio.treatment != encode {
		t.Fatalf("treatments %+v", spec)
	}
	if want := "half.mkv holds flac audio, which the relay does not carry"; spec.why() != want {
		t.Errorf("reason %q, want %q", spec.why(), want)
	}
	out, err := startTranscode(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	formats, tracks := packets(t, out)
	if formats[0].Codec != media.H264 || formats[1].Codec != media.Opus {
		t.Fatalf("formats %+v", formats)
	}
	if len(tracks[0]) != len(source[0]) {
		t.Fatalf("%d frames, the source has %d", len(tracks[0]), len(source[0]))
	}
	for i, p := range tracks[0] {
		if !bytes.Equal(p.Data, source[0][i].Data) {
			t.Fatalf("frame %d is not the source's", i)
		}
	}
}

func TestTranscodeFromAPipeFromTheMiddle(t *testing.T) {
	path := clip(t, "all.mkv", "-t", "4", "-c:v", "mpeg4", "-c:a", "libvorbis")
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	out, err := startTranscode(t.Context(), transcodeSpec{name: "standard input", in: file, start: 3 * time.Second,
		video: rendition{treatment: encode}, audio: rendition{treatment: encode}})
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	_, tracks := packets(t, out)
	if n := len(tracks[0]); n < 24 || n > 26 {
		t.Errorf("%d frames of the last second at 25 fps", n)
	}
	if first := tracks[0][0]; first.Timestamp > 100_000 || !first.Key {
		t.Errorf("the first frame comes at %d µs, key %v", first.Timestamp, first.Key)
	}
}

// The first packets come long before the input has ended, and closing then leaves no process behind.
func TestTranscodeStartsAtOnceAndEndsWhenClosed(t *testing.T) {
	head, err := os.ReadFile(clip(t, "live.ts", "-t", "3", "-c:v", "mpeg2video", "-c:a", "mp2"))
	if err != nil {
		t.Fatal(err)
	}
	live, feed := io.Pipe() // never ends by itself
	go feed.Write(head)
	defer feed.Close()
	begun := time.Now()
	out, err := startTranscode(t.Context(), transcodeSpec{name: "standard input", in: live,
		video: rendition{treatment: encode}, audio: rendition{treatment: encode}})
	if err != nil {
		t.Fatal(err)
	}
	reader, err := webm.NewReader(out)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := reader.Next(); err != nil {
		t.Fatal(err)
	}
	t.Logf("first packet after %v", time.Since(begun))
	if err := out.Close(); err != nil {
		t.Errorf("closing: %v", err)
	}
	if state := out.(*transcode).cmd.ProcessState; state == nil {
		t.Error("ffmpeg still runs")
	}
	if _, err := io.Copy(io.Discard, out); err == nil {
		t.Error("reading after closing gave a whole file")
	}
}

func TestTranscodeEndsWithItsContext(t *testing.T) {
	live, feed := io.Pipe()
	defer feed.Close()
	ctx, cancel := context.WithCancel(t.Context())
	out, err := startTranscode(ctx, transcodeSpec{name: "standard input", in: live, video: rendition{treatment: encode}})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := io.Copy(io.Discard, out); !errors.Is(err, context.Canceled) {
		t.Errorf("reading: %v, want context.Canceled", err)
	}
	out.Close()
}

func TestTranscodeFailsInOneLine(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, b []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	secret := write("secret.txt", []byte("hunter2"))
	whole, err := os.ReadFile(diskClip(t))
	if err != nil {
		t.Fatal(err)
	}
	broken := errors.New("the disk is on fire")
	both := func(s transcodeSpec) transcodeSpec {
		s.video, s.audio = rendition{encode, bframes}, rendition{encode, surround}
		return s
	}
	for what, spec := range map[string]transcodeSpec{
		"noise":      both(transcodeSpec{name: "noise.mp4", path: write("noise.mp4", bytes.Repeat([]byte("noise "), 20000))}),
		"empty":      both(transcodeSpec{name: "empty.mp4", path: write("empty.mp4", nil)}),
		"no index":   both(transcodeSpec{name: "cut.mp4", path: write("cut.mp4", whole[:len(whole)/2])}),
		"not there":  both(transcodeSpec{name: "none.mp4", path: filepath.Join(dir, "none.mp4")}),
		"playlist":   both(transcodeSpec{name: "list.mp4", path: write("list.mp4", []byte("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://"+secret+"\n"))}),
		"concat":     both(transcodeSpec{name: "list.txt", path: write("list.txt", []byte("ffconcat version 1.0\nfile "+secret+"\n"))}),
		"escapes":    both(transcodeSpec{name: "esc.mp4", path: write("\x1b[31mesc.mp4", []byte("x"))}),
		"lost track": {name: "mute.mp4", path: clip(t, "mute.mp4", "-t", "1", "-an"), audio: rendition{encode, surround}},
		"bad reader": both(transcodeSpec{name: "standard input", in: io.MultiReader(bytes.NewReader(whole[:1000]), errReader{broken})}),
	} {
		out, err := startTranscode(t.Context(), spec)
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		_, err = io.Copy(io.Discard, out)
		if err == nil {
			t.Errorf("%s: transcoded", what)
			continue
		}
		t.Logf("%s: %v", what, err)
		if text := err.Error(); strings.ContainsAny(text, "\n\x1b") || !strings.Contains(text, spec.name) || strings.Contains(text, "hunter") {
			t.Errorf("%s: not one clean line that names the input: %q", what, text)
		}
		if closed := out.Close(); !errors.Is(closed, err) {
			t.Errorf("%s: Close says %v after %v", what, closed, err)
		}
		if (what == "playlist" || what == "concat") && !strings.Contains(err.Error(), "not on whitelist") {
			t.Errorf("%s: not refused for what it is: %v", what, err)
		}
		if what == "bad reader" && !errors.Is(err, broken) {
			t.Errorf("the reader's own error is lost: %v", err)
		}
	}
}

type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }

func TestWithoutFFmpegTheErrorNamesTheCodec(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	stereo, vp8 := surround, media.Format{Kind: media.Video, Codec: media.VP8}
	stereo.Channels = 2
	for want, spec := range map[string]transcodeSpec{
		"bunny.mp4 holds aac audio (5.1), which the relay does not carry, and ffmpeg is not installed: install ffmpeg, or convert it to Opus": {
			video: rendition{copyOver, vp8}, audio: rendition{encode, surround}},
		"bunny.mp4 holds h264 video with B-frames and aac audio, which the relay does not carry, and ffmpeg is not installed: install ffmpeg, or convert it to VP8 and Opus": {
			video: rendition{encode, bframes}, audio: rendition{encode, stereo}},
		"bunny.mp4 needs new key frames in its vp8 video, and ffmpeg is not installed: install ffmpeg, or convert it to VP8": {
			video: rendition{encode, vp8}},
		"bunny.mp4 is in a container that is not read here, and ffmpeg is not installed: install ffmpeg, or convert it to VP8 and Opus": {
			video: rendition{treatment: encode}, audio: rendition{treatment: encode}},
		"bunny.mp4 is for ffmpeg to open, which is not installed: install ffmpeg": {
			captures: []capture{testPattern}, video: rendition{treatment: encode}},
	} {
		spec.name, spec.path = "bunny.mp4", "/nowhere/bunny.mp4"
		if _, err := startTranscode(t.Context(), spec); err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

func TestTailKeepsTheEndWithinItsBound(t *testing.T) {
	var kept tail
	for range 100 {
		kept.Write(bytes.Repeat([]byte("a very long complaint\n"), 1000))
	}
	kept.Write([]byte("the reason\n\x1b[31mand more\n"))
	if len(kept.kept) > maxTail {
		t.Errorf("%d bytes kept, at most %d", len(kept.kept), maxTail)
	}
	if got := kept.reason(errors.New("exit status 1"), "x"); got != "the reason; [31mand more" {
		t.Errorf("reason %q", got)
	}
}

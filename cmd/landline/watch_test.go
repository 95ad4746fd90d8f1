package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"landline/media"
	"landline/signaling"
	"landline/signaling/client"
)

// vp8Clip is a short WebM with VP8 and Opus.
func vp8Clip(t *testing.T, seconds string) string {
	t.Helper()
	return clip(t, "clip.webm", strings.Fields("-t "+seconds+" -s 160x90 -c:v libvpx -deadline realtime -cpu-used 8 -b:v 200k -g 25 -c:a libopus")...)
}

// startWatch waits in a room until the relay knows it.
func startWatch(t *testing.T, url, out string, flags ...string) *job {
	t.Helper()
	before := len(membersOf(t, url))
	j := launch(t, nil, append([]string{"watch", "--url", url, "--room", "lab", "--out", out}, flags...)...)
	inRoom(t, url, before+1)
	return j
}

func startStream(t *testing.T, url, in string, flags ...string) *job {
	t.Helper()
	return launch(t, nil, append([]string{"stream", in, "--url", url, "--room", "lab", "--name", "src"}, flags...)...)
}

// failsWith checks a job for exit code 1 and one line on stderr that says why.
func failsWith(t *testing.T, j *job, reason string) {
	t.Helper()
	_, stderr, code := j.wait(t)
	lines := strings.Split(strings.TrimSpace(stderr), "\n")
	if last := lines[len(lines)-1]; code != 1 || !strings.HasPrefix(last, "landline: ") || !strings.Contains(last, reason) {
		t.Errorf("exit code %d, last line %q; want 1 and %q", code, last, reason)
	}
}

func TestEndingThatCannotHoldTheCodecFailsBeforeAnythingIsWritten(t *testing.T) {
	url := relayFor(t)
	h264 := clip(t, "in.mkv", strings.Fields("-t 1 -s 160x90 -c:v libx264 -preset ultrafast -pix_fmt yuv420p -bf 0 -c:a libopus")...)
	dir := t.TempDir()
	watches := map[string]*job{
		"save to .mkv or .h264": startWatch(t, url, filepath.Join(dir, "a.webm")),
		".ivf cannot hold h264": startWatch(t, url, filepath.Join(dir, "a.ivf")),
		"which is WebM, cannot": startWatch(t, url, "-"),
	}
	failing := startWatch(t, url, filepath.Join(dir, "kept.mkv"))
	startStream(t, url, h264)
	for reason, j := range watches {
		failsWith(t, j, reason)
		if j.out.String() != "" {
			t.Errorf("%d bytes were written", len(j.out.String()))
		}
	}
	if _, stderr, code := failing.wait(t); code != 0 {
		t.Errorf(".mkv: exit code %d: %s", code, stderr)
	}
	if files, _ := filepath.Glob(filepath.Join(dir, "a.*")); files != nil {
		t.Errorf("files were made: %v", files)
	}
}

func TestOneTrackOfTwoGoesIntoAFileForOne(t *testing.T) {
	url := relayFor(t)
	dir := t.TempDir()
	ivf, ogg := filepath.Join(dir, "a.ivf"), filepath.Join(dir, "a.ogg")
	watches := []*job{startWatch(t, url, ivf, "--json"), startWatch(t, url, ogg, "--json")}
	in := vp8Clip(t, "1")
	startStream(t, url, in)
	for i, want := range []string{"video", "audio"} {
		r := reported[watchReport](t, watches[i])
		if len(r.Tracks) != 1 || r.Tracks[0].ID != want {
			t.Errorf("saved %+v, want %s alone", r.Tracks, want)
		}
		if !strings.Contains(watches[i].errs.String(), "left out") {
			t.Error("no word of the track that was left out")
		}
	}
	for kind, path := range map[string]string{"v": ivf, "a": ogg} {
		if got, want := len(seenPackets(t, path, kind)), len(seenPackets(t, in, kind)); got != want {
			t.Errorf("track %s: %d packets of %d", kind, got, want)
		}
	}
}

// TestSilentTrackDoesNotHoldTheFileUp watches a member whose camera sends nothing.
func TestSilentTrackDoesNotHoldTheFileUp(t *testing.T) {
	url := relayFor(t)
	out := filepath.Join(t.TempDir(), "out.webm")
	watch := startWatch(t, url, out, "--json")
	clock := signaling.Clock{WallUs: time.Now().UnixMicro()}
	src, err := client.Dial(t.Context(), client.Options{URL: url, Room: "lab", Publish: []signaling.Track{
		{ID: "cam", Kind: media.Video, Source: signaling.SourceCamera, Codec: media.VP8, CodecString: "vp8", Clock: clock},
		{ID: "mic", Kind: media.Audio, Source: signaling.SourceMic, Codec: media.Opus, CodecString: "opus", SampleRate: 48000, Channels: 1, Clock: clock}}})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	sent := 0
	until(t, "file while the call goes on", func() bool {
		<-tick.C
		sent++
		if err := src.Track("mic").Write(media.Frame{Timestamp: int64(sent) * 20_000, Data: []byte{0xfc, 1, 2, 3}}); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(out)
		return err == nil && info.Size() > 0
	})
	for _, id := range []string{"cam", "mic"} {
		src.Track(id).End()
	}
	if err := src.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, track := range reported[watchReport](t, watch).Tracks {
		if track.ID == "mic" && track.Frames != uint64(sent) {
			t.Errorf("%d packets of %d", track.Frames, sent)
		}
	}
}

func TestWatchToStandardOutputIsWebM(t *testing.T) {
	url := relayFor(t)
	j := startWatch(t, url, "-")
	in := vp8Clip(t, "1")
	startStream(t, url, in)
	stdout, stderr, code := j.wait(t)
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	out := filepath.Join(t.TempDir(), "piped.webm")
	if err := os.WriteFile(out, []byte(stdout), 0o600); err != nil {
		t.Fatal(err)
	}
	samePackets(t, in, out, 0)
}

func TestWatchWaitsOnlySoLong(t *testing.T) {
	url := relayFor(t)
	out := filepath.Join(t.TempDir(), "a.webm")
	failsWith(t, startWatch(t, url, out, "--wait", "0.3"), "nobody has sent anything within 300ms")
	if _, err := os.Stat(out); err == nil {
		t.Error("a file was made of nothing")
	}
}

// TestInterruptedWatchLeavesAWholeFile ends a watch by the signal of its context, and one by --duration.
func TestInterruptedWatchLeavesAWholeFile(t *testing.T) {
	url := relayFor(t)
	dir := t.TempDir()
	in := vp8Clip(t, "2")
	first, second := filepath.Join(dir, "1.webm"), filepath.Join(dir, "2.webm")
	interrupted := startWatch(t, url, first, "--json")
	bounded := startWatch(t, url, second, "--json", "--duration", "1")
	stream := startStream(t, url, in, "--loop")
	if r := reported[watchReport](t, bounded); r.Duration < 0.7 || r.Duration > 1.6 {
		t.Errorf("--duration 1 saved %v s", r.Duration)
	}
	interrupted.cancel()
	saved := reported[watchReport](t, interrupted)
	stream.cancel()
	if _, stderr, code := stream.wait(t); code != 0 {
		t.Errorf("interrupted stream: exit code %d: %s", code, stderr)
	}
	decodesClean(t, first)
	decodesClean(t, second)
	if got := len(seenPackets(t, first, "v")); uint64(got) != saved.Tracks[0].Frames || got == 0 {
		t.Errorf("%d frames in the file, %d told", got, saved.Tracks[0].Frames)
	}
}

// TestLateWatchBeginsAtAKeyFrame joins when the stream is on its way.
func TestLateWatchBeginsAtAKeyFrame(t *testing.T) {
	url := relayFor(t)
	early, late := filepath.Join(t.TempDir(), "1.webm"), filepath.Join(t.TempDir(), "2.webm")
	startWatch(t, url, early)
	in := clip(t, "in.webm", strings.Fields("-t 2 -s 160x90 -c:v libvpx -deadline realtime -cpu-used 8 -b:v 200k -g 9999 -c:a libopus")...)
	startStream(t, url, in)
	until(t, "20 frames", func() bool { return sentFrames(t, url) >= 20 })
	r := reported[watchReport](t, startWatch(t, url, late, "--json"))
	video := r.Tracks[0]
	if video.KeyFrames != 1 || video.Frames != 50 || video.Gaps != 0 {
		t.Errorf("video %+v, want all 50 frames from the one key frame on", video)
	}
	if video.Latency.N > 31 || video.Latency.N == 0 || video.Latency.P50 > 1000 {
		t.Errorf("latency %+v: what was caught up with counts as late", video.Latency)
	}
}

// sentFrames is how many video frames the relay has of src.
func sentFrames(t *testing.T, url string) (n uint64) {
	for _, m := range membersOf(t, url) {
		for _, track := range m.Tracks {
			if track.Kind == "video" {
				n += track.Frames
			}
		}
	}
	return n
}

func TestStdinIsStreamedAsItComes(t *testing.T) {
	url := relayFor(t)
	in := vp8Clip(t, "2")
	file, err := os.ReadFile(in)
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "out.webm")
	watch := startWatch(t, url, out)
	from, to := io.Pipe()
	stream := launch(t, from, "stream", "-", "--url", url, "--room", "lab", "--name", "cam", "--json")
	half := len(file) / 2
	if _, err := to.Write(file[:half]); err != nil {
		t.Fatal(err)
	}
	until(t, "5 frames before the end of the input", func() bool { return sentFrames(t, url) >= 5 })
	if _, err := to.Write(file[half:]); err != nil {
		t.Fatal(err)
	}
	to.Close()
	reported[streamReport](t, stream)
	if _, stderr, code := watch.wait(t); code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	samePackets(t, in, out, 0)
}

func TestLoopGoesOnWithoutAGap(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out.webm")
	in := vp8Clip(t, "1")
	sent, saved := begin(t, in, out, "--loop", "--duration", "2.5").finish(t)
	sameCounts(t, sent, saved)
	if sent.Duration < 2.4 || sent.Duration > 2.6 {
		t.Errorf("streamed %v s", sent.Duration)
	}
	video := seenPackets(t, out, "v")
	once := seenPackets(t, in, "v")
	if len(video) < 2*len(once) {
		t.Fatalf("%d frames in two and a half rounds of %d", len(video), len(once))
	}
	for i, p := range video {
		if p.hash != once[i%len(once)].hash {
			t.Fatalf("frame %d is not that of the clip", i)
		}
		if i > 0 && (p.pts <= video[i-1].pts || p.pts > video[i-1].pts+200) {
			t.Errorf("frame %d at %v ms after one at %v ms", i, p.pts, video[i-1].pts)
		}
	}
}

func TestStartBeginsAtTheKeyFrameBefore(t *testing.T) {
	in := vp8Clip(t, "3") // key frames at 0, 1, 2 s
	out := filepath.Join(t.TempDir(), "out.webm")
	begin(t, in, out, "--start", "2.5s").finish(t)
	all, got := seenPackets(t, in, "v"), seenPackets(t, out, "v")
	if len(got) != 25 || got[0].hash != all[50].hash {
		t.Errorf("%d frames, want the last 25", len(got))
	}
	audio := seenPackets(t, out, "a")
	if want := seenPackets(t, in, "a"); len(audio) < 48 || len(audio) > 54 || audio[len(audio)-1].hash != want[len(want)-1].hash {
		t.Errorf("%d audio packets, want those of the last second", len(audio))
	}
}

func TestGOPMakesKeyFrames(t *testing.T) {
	in := clip(t, "in.webm", strings.Fields("-t 6 -s 160x90 -an -c:v libvpx -deadline realtime -cpu-used 8 -b:v 200k -g 9999")...)
	url := relayFor(t)
	_, stderr, code := launch(t, nil, "stream", in, "--url", url, "--room", "a", "--duration", "5").wait(t)
	if code != 0 || !strings.Contains(stderr, "key frames are over 4 s apart") {
		t.Errorf("exit code %d, no warning of the long group: %s", code, stderr)
	}
	j := launch(t, nil, "stream", in, "--url", url, "--room", "a", "--duration", "2.9", "--gop", "1s", "--json")
	if r := reported[streamReport](t, j); r.Tracks[0].KeyFrames != 3 {
		t.Errorf("%d key frames in 2.9 s, want one each second", r.Tracks[0].KeyFrames)
	}
	if !strings.Contains(j.errs.String(), "transcoding") {
		t.Error("no word of the transcoding")
	}
}

func TestWhatCannotBeStreamedIsRefused(t *testing.T) {
	url := relayFor(t)
	dir := t.TempDir()
	file := func(name string, b []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	head := []byte{0x1A, 0x45, 0xDF, 0xA3}
	for path, reason := range map[string]string{
		filepath.Join(dir, "none.webm"): "no such file",
		dir:                             "none of 5 files can be streamed; of the first: ",
		file("empty.webm", nil):         "empty.webm is empty",
		file("cut.webm", head):          "cut.webm: ",
		file("text.webm", []byte("this is no film")):               "ffmpeg cannot transcode text.webm",
		file("zero.webm", append(head, make([]byte, 5000)...)):     "zero.webm: ",
		file("ivf", append([]byte("DKIF"), make([]byte, 2000)...)): "ivf: ",
	} {
		failsWith(t, launch(t, nil, "stream", path, "--url", url, "--room", "a"), reason)
	}
	if n := len(membersOf(t, url)); n != 0 {
		t.Errorf("%d members are left", n)
	}
}

func TestRoomsShowsWhoSendsWhat(t *testing.T) {
	url := relayFor(t)
	stdout, _, code := launch(t, nil, "rooms", "--url", url).wait(t)
	if code != 0 || stdout != "no rooms\n" {
		t.Errorf("exit code %d: %q", code, stdout)
	}
	startStream(t, url, vp8Clip(t, "2"), "--loop")
	inRoom(t, url, 1)
	stdout, _, code = launch(t, nil, "rooms", "--url", url).wait(t)
	for _, want := range []string{"lab", "src (m-", "online", "websocket", "video vp8", "audio opus", "bit/s"} {
		if code != 0 || !strings.Contains(stdout, want) {
			t.Errorf("exit code %d, no %q in %s", code, want, stdout)
		}
	}
	var object struct {
		Rooms []struct{ Room string }
	}
	stdout, _, _ = launch(t, nil, "rooms", "--url", url, "--json").wait(t)
	if err := decodeOne(stdout, &object); err != nil || len(object.Rooms) != 1 || object.Rooms[0].Room != "lab" {
		t.Errorf("%v: %s", err, stdout)
	}
}

func TestLengthsOfTime(t *testing.T) {
	for text, want := range map[string]time.Duration{"8s": 8 * time.Second, "8": 8 * time.Second, "0.5": 500 * time.Millisecond,
		"1m30s": 90 * time.Second, "-1": -1, "NaN": -1, "1e300": -1, "soon": -1, "": -1} {
		var s span
		if err := s.UnmarshalText([]byte(text)); (err != nil) != (want < 0) || err == nil && s.duration() != want {
			t.Errorf("%q: %v, %v; want %v", text, s.duration(), err, want)
		}
	}
}

func TestWrongUsageOfClients(t *testing.T) {
	for _, args := range []string{"watch --room a --out a.mp4", "watch --room a --out - --json", "watch --room a",
		"watch --room a/b --out a.webm", "stream - --loop --room a", "stream --nonsense", "stream x --room a --start soon", "rooms x"} {
		var errs bytes.Buffer
		if code := report(&errs, run(t.Context(), strings.Fields(args), strings.NewReader(""), io.Discard, io.Discard)); code != 2 {
			t.Errorf("%s: exit code %d: %s", args, code, fmt.Sprint(&errs))
		}
	}
}

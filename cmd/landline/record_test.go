package main

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"landline/relay/record"
	"landline/signaling/server"
)

// recordingRelay runs a relay that records, in this process.
func recordingRelay(t *testing.T) (url, dir string) {
	t.Helper()
	return recordingRelayWith(t, server.Config{RecordRooms: "always-*"})
}

func recordingRelayWith(t *testing.T, cfg server.Config) (url, dir string) {
	t.Helper()
	dir = t.TempDir()
	con := &console{log: newLogger(io.Discard, "error")}
	flags := recordFlags{Recordings: dir, RecordingsFile: 1 << 30}
	store, err := flags.openRecordings(con)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeRecordings(con, store) })
	cfg.Recordings = store
	return relayWith(t, cfg), dir
}

func TestARecordingHasTheSourcesPackets(t *testing.T) {
	opus := " -c:a libopus -b:a 32k"
	for _, c := range []struct{ args, ending string }{
		{"-t 2 -c:v libvpx -deadline realtime -cpu-used 8 -b:v 300k -g 25" + opus, ".webm"},
		{"-t 2 -c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 25" + opus, ".webm"},
		{"-t 2 -c:v libx264 -preset ultrafast -pix_fmt yuv420p -bf 0 -g 25" + opus, ".mkv"},
		{"-t 1.5 -s 160x90 -c:v libsvtav1 -preset 12 -g 15" + opus, ".webm"},
	} {
		t.Run(strings.Fields(c.args)[3], func(t *testing.T) {
			in := filepath.Join(t.TempDir(), "in.mkv")
			ffmpeg(t, strings.Fields("-f lavfi -i testsrc2=s=320x180:r=25 -f lavfi -i sine=r=48000 "+c.args+" "+in)...)
			url, dir := recordingRelay(t)
			j := launch(t, nil, "record", "--url", url, "--room", "lab", "--json")
			until(t, "the recorder is there", func() bool { return strings.Contains(j.errs.String(), "the recording is recording") })
			s := launch(t, nil, "stream", in, "--url", url, "--room", "lab", "--name", "src")
			if _, errs, code := s.wait(t); code != 0 {
				t.Fatal(errs)
			}
			info := reported[record.Info](t, j)
			if len(info.Files) != 1 || info.State != record.StateSaved || filepath.Ext(info.Files[0].Name) != c.ending {
				t.Fatalf("%+v", info)
			}
			out := filepath.Join(dir, info.Files[0].Name)
			samePackets(t, in, out, 0)
			decodesClean(t, out)
			get := download(t, url, info.ID, "bytes=4-7")
			whole, err := os.ReadFile(out)
			if err != nil || get != string(whole[4:8]) {
				t.Errorf("a range is %q, %v", get, err)
			}
		})
	}
}

// download asks for a range of a recording.
func download(t *testing.T, url, id, bytes string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/api/recordings/"+id+"/file", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Range", bytes)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusPartialContent || resp.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Fatalf("%s, %v", resp.Status, err)
	}
	return string(b)
}

func TestInterruptedRecordEndsTheRecording(t *testing.T) {
	url, dir := recordingRelay(t)
	startStream(t, url, vp8Clip(t, "8"))
	j := launch(t, nil, "record", "--url", url, "--room", "lab", "--json")
	until(t, "something is recorded", func() bool { return size(t, dir) > 20_000 })
	j.cancel()
	if info := reported[record.Info](t, j); info.State != record.StateSaved || info.DurationMs < 300 {
		t.Errorf("%+v", info)
	}
}

func TestRoomsThatAreAlwaysRecorded(t *testing.T) {
	url, dir := recordingRelay(t)
	clip := vp8Clip(t, "1")
	launch(t, nil, "stream", clip, "--url", url, "--room", "sometimes", "--name", "src").wait(t)
	s := launch(t, nil, "stream", clip, "--url", url, "--room", "always-1", "--name", "src")
	if _, errs, code := s.wait(t); code != 0 {
		t.Fatal(errs)
	}
	var files []string
	until(t, "one file is saved", func() bool {
		files, _ = filepath.Glob(filepath.Join(dir, "*.webm"))
		return len(files) == 1
	})
	if !strings.Contains(files[0], "always-1") {
		t.Error(files)
	}
	samePackets(t, clip, files[0], 0)
}

func TestARelayThatDoesNotRecordSaysSo(t *testing.T) {
	failsWith(t, launch(t, nil, "record", "--url", relayFor(t), "--room", "lab"), "does not record")
}

func TestCatalogue(t *testing.T) {
	url, dir := recordingRelay(t)
	clip := vp8Clip(t, "1")
	launch(t, nil, "stream", clip, "--url", url, "--room", "always-1", "--name", "src").wait(t)
	var list server.RecordingsReply
	until(t, "it is saved", func() bool {
		list = reported[server.RecordingsReply](t, launch(t, nil, "recordings", "--url", url, "--json"))
		return len(list.Recordings) == 1 && list.Recordings[0].State == record.StateSaved
	})
	id := list.Recordings[0].ID
	if other := reported[server.RecordingsReply](t, launch(t, nil, "recordings", "list", "--room", "other", "--url", url, "--json")); len(other.Recordings) != 0 {
		t.Errorf("of another room: %+v", other)
	}
	if out, _, _ := launch(t, nil, "recordings", "--url", url).wait(t); !strings.Contains(out, id+"  saved") {
		t.Error(out)
	}
	saved := filepath.Join(t.TempDir(), "got.webm")
	if _, errs, code := launch(t, nil, "recordings", "get", id, "--url", url, "--out", saved).wait(t); code != 0 {
		t.Fatal(errs)
	}
	samePackets(t, clip, saved, 0)
	failsWith(t, launch(t, nil, "recordings", "get", id, "--url", url, "--out", saved), "file exists")
	if _, errs, code := launch(t, nil, "recordings", "rm", id, "--url", url).wait(t); code != 0 {
		t.Fatal(errs)
	}
	failsWith(t, launch(t, nil, "recordings", "rm", id, "--url", url), "there is no such recording")
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Error(left, err)
	}
}

func TestOneMemberOfARecording(t *testing.T) {
	t.Parallel()
	url, _ := recordingRelay(t)
	clip := vp8Clip(t, "2")
	first := launch(t, nil, "stream", clip, "--url", url, "--room", "always-1", "--name", "ann")
	if _, errs, code := launch(t, nil, "stream", clip, "--url", url, "--room", "always-1", "--name", "bob").wait(t); code != 0 {
		t.Fatal(errs)
	}
	first.wait(t)
	var list server.RecordingsReply
	until(t, "it is saved", func() bool {
		list = reported[server.RecordingsReply](t, launch(t, nil, "recordings", "--url", url, "--json"))
		return len(list.Recordings) == 1 && list.Recordings[0].State == record.StateSaved
	})
	id, out := list.Recordings[0].ID, filepath.Join(t.TempDir(), "bob.webm")
	get := func(args ...string) *job {
		return launch(t, nil, append([]string{"recordings", "get", id, "--url", url}, args...)...)
	}
	if _, errs, code := get("--member", "bob", "--out", out).wait(t); code != 0 {
		t.Fatal(errs)
	}
	samePackets(t, clip, out, 0)
	decodesClean(t, out)
	if b, err := os.ReadFile(out); err != nil || bytes.Contains(b, []byte("ann")) || !bytes.Contains(b, []byte("bob · ")) {
		t.Errorf("it does not name bob alone: %v", err)
	}
	failsWith(t, get("--member", "cyd", "--out", out+"2"), "nobody")
	failsWith(t, get("--member", "bob", "--out", out), "file exists")
	if _, errs, code := get("--member", "bob").wait(t); code != 2 || !strings.Contains(errs, "--out") {
		t.Errorf("exit code %d: %s", code, errs)
	}
}

// size is how many bytes of media there are in a folder.
func size(t *testing.T, dir string) (n int64) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.part"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if info, err := os.Stat(f); err == nil {
			n += info.Size()
		}
	}
	return n
}

// LANDLINE_KILLS says how often; a handful is enough for every day.
func kills() int {
	if n, err := strconv.Atoi(os.Getenv("LANDLINE_KILLS")); err == nil {
		return n
	}
	return 5
}

// Wherever the relay is killed, also while tracks are being added, what lies there plays but for its last second, and the next start completes it.
func TestRecordingSurvivesKills(t *testing.T) {
	clip, voice := vp8Clip(t, "12"), filepath.Join(t.TempDir(), "voice.ogg")
	ffmpeg(t, strings.Fields("-f lavfi -i sine=r=48000 -t 12 -c:a libopus -b:a 24k "+voice)...)
	rng := rand.New(rand.NewPCG(6, uint64(time.Now().UnixNano())))
	for n := range kills() {
		wait := time.Duration(800+rng.IntN(2200)) * time.Millisecond
		t.Run(fmt.Sprintf("%d after %v", n, wait), func(t *testing.T) { killOnce(t, clip, voice, wait) })
	}
}

var servedAt = regexp.MustCompile(`"url":"([^"]+)"`)

func killOnce(t *testing.T, clip, voice string, wait time.Duration) {
	dir := t.TempDir()
	var out, errs output
	cmd := child(t, "landline", &out, &errs, "serve", "--listen", "127.0.0.1:0", "--rtc", "off", "--recordings", dir, "--record-rooms", "*", "--recordings-reserve", "0")
	url := servedAt.FindStringSubmatch(errs.line(t, `"msg":"serving"`))[1]
	launch(t, nil, "stream", clip, "--url", url, "--room", "lab", "--name", "one")
	until(t, "the file has begun", func() bool { return size(t, dir) > 25_000 })
	began := time.Now()
	for i := 0; time.Since(began) < wait; i++ { // more and more tracks
		file := voice
		if i%2 == 1 {
			file = clip
		}
		launch(t, nil, "stream", file, "--url", url, "--room", "lab", "--name", fmt.Sprint("late ", i))
		time.Sleep(wait / 5)
	}
	lasted := time.Since(began)
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	parts, err := filepath.Glob(filepath.Join(dir, "*.part"))
	if err != nil || len(parts) != 1 {
		t.Fatal(parts, err)
	}
	playsAsItLies(t, parts[0])
	began = time.Now()
	next := child(t, "landline", &out, &errs, "serve", "--listen", "127.0.0.1:0", "--rtc", "off", "--recordings", dir)
	defer func() {
		_ = next.Process.Kill()
		_ = next.Wait()
	}()
	errs.line(t, "a recording that was cut off is completed")
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it is completed after %v", took)
	}
	whole := strings.TrimSuffix(parts[0], ".part")
	if said := decodes(t, whole); said != "" {
		t.Errorf("completed: %s", said)
	}
	if d := durationOf(t, whole); d < lasted-time.Second {
		t.Errorf("%v of %v are there", d, lasted)
	}
}

var ofTheEnd = regexp.MustCompile(`(?i)end of file|truncat|ended prematurely`)

// playsAsItLies has ffmpeg decode a file whose writer was killed: it may say that it is cut off.
func playsAsItLies(t *testing.T, path string) {
	t.Helper()
	for line := range strings.Lines(decodes(t, path)) {
		if !ofTheEnd.MatchString(line) {
			t.Errorf("%s as it lies: %s", filepath.Base(path), line)
		}
	}
}

// decodes has ffmpeg decode a file, and gives what it says.
func decodes(t *testing.T, path string) string {
	t.Helper()
	said, err := exec.Command("ffmpeg", "-nostdin", "-v", "error", "-i", path, "-map", "0", "-fps_mode", "passthrough", "-enc_time_base:v", "-1", "-f", "null", "-").CombinedOutput()
	if err != nil {
		t.Errorf("%v: %s", err, said)
	}
	return string(said)
}

func durationOf(t *testing.T, path string) time.Duration {
	t.Helper()
	text, err := exec.Command("ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", path).Output()
	if err != nil {
		t.Fatal(err)
	}
	seconds, err := strconv.ParseFloat(strings.TrimSpace(string(text)), 64)
	if err != nil {
		t.Fatal(err)
	}
	return time.Duration(seconds * float64(time.Second))
}

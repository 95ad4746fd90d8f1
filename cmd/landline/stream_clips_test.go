package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"landline/media"
	"landline/signaling"
	"landline/signaling/client"
)

// write makes a file in a folder.
func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// place copies a file into a folder.
func place(t *testing.T, path, dir, name string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, name, string(b))
}

// guest is a member that counts what it is sent, by track.
type guest struct {
	mu     sync.Mutex
	frames map[string]int
	codecs map[string]media.Codec
}

func visit(t *testing.T, url string) *guest {
	t.Helper()
	g := &guest{frames: map[string]int{}, codecs: map[string]media.Codec{}}
	room, err := client.Dial(t.Context(), client.Options{URL: url, Room: "lab", Name: "guest", Subscribe: []signaling.Subscribe{{}},
		OnFrame: func(in *client.Incoming, _ client.Frame) {
			g.mu.Lock()
			defer g.mu.Unlock()
			g.frames[in.Track().ID]++
			g.codecs[in.Track().ID] = in.Track().Codec
		}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(room.Close)
	return g
}

func (g *guest) saw(track string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.frames[track]
}

// TestAFolderIsStreamedFileByFile has two files of one form, which come as one track, one of another, and one that is no film.
func TestAFolderIsStreamedFileByFile(t *testing.T) {
	url, dir := relayFor(t), t.TempDir()
	film := vp8Clip(t, "1")
	place(t, film, dir, "1.webm")
	write(t, dir, "2.txt", "no film")
	place(t, film, dir, "3.webm")
	place(t, clip(t, "in.mkv", strings.Fields("-t 1 -an -s 160x90 -c:v libx264 -preset ultrafast -pix_fmt yuv420p -bf 0")...), dir, "4.mkv")
	write(t, dir, ".hidden", "nothing")
	if err := os.Mkdir(filepath.Join(dir, "5"), 0o700); err != nil {
		t.Fatal(err)
	}
	g := visit(t, url)
	j := launch(t, nil, "stream", dir, "--url", url, "--room", "lab", "--name", "src", "--json")
	r := reported[streamReport](t, j)
	if r.Played != 3 || r.Skipped != 1 || !strings.Contains(j.errs.String(), "2.txt") {
		t.Errorf("%d played, %d passed over: %s", r.Played, r.Skipped, j.errs.String())
	}
	var tracks []string
	for _, track := range r.Tracks {
		tracks = append(tracks, track.ID+" "+string(track.Codec))
		until(t, "all frames of "+track.ID, func() bool { return g.saw(track.ID) == int(track.Frames) })
	}
	if want := []string{"video vp8", "audio opus", "video-2 h264"}; !slices.Equal(tracks, want) {
		t.Errorf("tracks %v, want %v", tracks, want)
	}
	if once := len(seenPackets(t, film, "v")); g.saw("video") != 2*once || g.saw("video-2") != 25 {
		t.Errorf("%d frames of the first form, %d of the second; want twice %d, and 25", g.saw("video"), g.saw("video-2"), once)
	}
	if r.Duration < 2.9 || r.Duration > 4.5 {
		t.Errorf("three seconds took %v s", r.Duration)
	}
}

// TestAListIsRepeatedUntilItsTimeIsOver ends in the middle of the second round.
func TestAListIsRepeatedUntilItsTimeIsOver(t *testing.T) {
	url, dir := relayFor(t), t.TempDir()
	place(t, vp8Clip(t, "1"), dir, "a.webm")
	write(t, dir, "b.webm", "no film")
	list := write(t, dir, "list.m3u", "#EXTM3U\nb.webm\n#EXTINF:1,The first\na.webm\n")
	r := reported[streamReport](t, launch(t, nil, "stream", list, "--loop", "--duration", "1.5", "--url", url, "--room", "lab", "--json"))
	if r.Played != 2 || r.Skipped != 2 || r.Duration < 1.4 || r.Duration > 1.6 || r.Name != "list" || len(r.Tracks) != 2 {
		t.Errorf("%+v", r)
	}
}

func TestListsOfFiles(t *testing.T) {
	dir := t.TempDir()
	film := write(t, dir, "film.webm", "x")
	other := write(t, t.TempDir(), "other.webm", "x")
	list := write(t, dir, "all.M3U8", "\ufeff#EXTM3U\r\n#EXTINF:3,A film\r\nfilm.webm\r\n\r\n"+other+"\r\nhttps://example.org/a%20b.webm\r\nfile://"+other+"\r\n")
	got, err := listClips([]string{film, list, "http://example.org/c.mp4"})
	want := []string{film, film, other, "https://example.org/a%20b.webm", other, "http://example.org/c.mp4"}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%v: got  %q\nwant %q", err, got, want)
	}
	for path, reason := range map[string]string{
		write(t, dir, "live.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\na.ts\n"): "is an HLS playlist",
		write(t, dir, "none.m3u", "#EXTM3U\n"):                                             "is empty",
		write(t, dir, "noise.m3u", strings.Repeat("x", 100_000)):                           "is no playlist",
		write(t, dir, "long.m3u", strings.Repeat("a\n", maxClips+1)):                       "over 10000 files",
		t.TempDir():                      "holds no files",
		filepath.Join(dir, "nobody.m3u"): "no such file",
	} {
		if _, err := listClips([]string{path}); err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("%s: %v, want %q", filepath.Base(path), err, reason)
		}
	}
}

// TestTheTestPatternFlashesAndBeepsTogether looks at what a watch saved of it.
func TestTheTestPatternFlashesAndBeepsTogether(t *testing.T) {
	url := relayFor(t)
	out := filepath.Join(t.TempDir(), "out.webm")
	watch := startWatch(t, url, out)
	r := reported[streamReport](t, startStream(t, url, "--test-pattern", "--duration", "2.5", "--json"))
	if _, errs, code := watch.wait(t); code != 0 {
		t.Fatalf("exit code %d: %s", code, errs)
	}
	if len(r.Tracks) != 2 || r.Tracks[0].Frames < 74 || r.Tracks[0].Frames > 76 {
		t.Fatalf("%+v, want 75 frames and sound", r.Tracks)
	}
	field := decoded(t, out, "-vf", "crop=100:100:iw-190:ih-190,scale=1:1,format=gray", "-f", "rawvideo", "-fps_mode", "passthrough")
	for i, white := range field {
		if want := i%30 < 3; (white > 225) != want && i%30 != 2 { // the third is on the edge
			t.Errorf("picture %d: brightness %d of the field, is it to flash: %v", i, white, want)
		}
	}
	sound := decoded(t, out, "-ac", "1", "-ar", "1000", "-f", "u8", "-af", "aresample=48000,aeval=abs(val(0))|abs(val(0))")
	for at, want := range map[int]bool{40: true, 500: false, 1040: true, 1500: false, 2040: true} {
		if loudest := slices.Max(sound[at-15 : at+15]); (loudest > 150) != want {
			t.Errorf("at %d ms: level %d, is it to beep: %v", at, loudest, want)
		}
	}
}

// decoded is what ffmpeg makes of a file.
func decoded(t *testing.T, path string, args ...string) []byte {
	t.Helper()
	var errs bytes.Buffer
	cmd := exec.Command("ffmpeg", append(append([]string{"-v", "error", "-i", path}, args...), "-")...)
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil || len(out) == 0 {
		t.Fatalf("%v: %s", err, errs.String())
	}
	return out
}

// TestDevicesGiveThePictureAndTheSound opens what ffmpeg makes up in place of a camera and a microphone.
func TestDevicesGiveThePictureAndTheSound(t *testing.T) {
	url := relayFor(t)
	g := visit(t, url)
	args := []string{"stream", "--url", url, "--room", "lab", "--duration", "1", "--json",
		"--device", "lavfi:testsrc2=size=160x90:rate=25", "--device", "lavfi:sine=frequency=440"}
	for _, track := range reported[streamReport](t, launch(t, nil, args...)).Tracks {
		if want := map[string]uint64{"video": 25, "audio": 50}[track.ID]; track.Frames < want-1 || track.Frames > want+1 {
			t.Errorf("%s: %d frames, want %d", track.ID, track.Frames, want)
		}
		until(t, "all of "+track.ID, func() bool { return g.saw(track.ID) == int(track.Frames) })
	}
	failsWith(t, launch(t, nil, "stream", "--url", url, "--room", "lab", "--device", "v4l2:/dev/none"), "/dev/none")
}

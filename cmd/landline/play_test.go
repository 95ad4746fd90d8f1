package main

import (
	"path/filepath"
	"strings"
	"testing"

	"landline/relay/record"
	"landline/signaling"
)

// recordedClip records a clip of eight seconds and returns it, and the recording's id.
func recordedClip(t *testing.T, url string) (in, id string) {
	t.Helper()
	in = vp8Clip(t, "4")
	j := launch(t, nil, "record", "--url", url, "--room", "lab", "--json")
	until(t, "the recorder is there", func() bool { return strings.Contains(j.errs.String(), "the recording is recording") })
	if _, errs, code := startStream(t, url, in).wait(t); code != 0 {
		t.Fatal(errs)
	}
	return in, reported[record.Info](t, j).ID
}

func TestWhatWasRecordedIsPlayed(t *testing.T) {
	t.Parallel()
	url, _ := recordingRelay(t)
	in, id := recordedClip(t, url)
	out := filepath.Join(t.TempDir(), "out.webm")
	watch := startWatch(t, url, out, "--json")
	over := reported[signaling.Playback](t, launch(t, nil, "play", id, "--url", url, "--room", "lab", "--json"))
	if !over.Over || over.Recording != id || over.LengthMs < 3900 {
		t.Errorf("%+v", over)
	}
	if saved := reported[watchReport](t, watch); len(saved.Tracks) != 2 {
		t.Errorf("%+v", saved)
	}
	samePackets(t, in, out, 0)
	decodesClean(t, out)
}

func TestWhatIsPlayedIsChanged(t *testing.T) {
	t.Parallel()
	url, _ := recordingRelay(t)
	_, id := recordedClip(t, url)
	changed := func(args ...string) signaling.Playback {
		return reported[signaling.Playback](t, launch(t, nil, append([]string{"play", "--url", url, "--room", "lab", "--json"}, args...)...))
	}
	playing := launch(t, nil, "play", id, "--url", url, "--room", "lab", "--pause", "--at", "2s", "--loop", "--json")
	until(t, "it plays", func() bool { return strings.Contains(playing.errs.String(), "playing") })
	if p := changed("--no-loop"); p.Playing || p.Loop || p.PositionMs == 0 || p.PositionMs > 2000 {
		t.Errorf("%+v", p)
	}
	if p := changed("--at", "0", "--resume"); !p.Playing || p.PositionMs > 500 {
		t.Errorf("%+v", p)
	}
	if p := changed("--pause"); p.Playing {
		t.Errorf("%+v", p)
	}
	failsWith(t, launch(t, nil, "recordings", "rm", id, "--url", url), "being played")
	if _, errs, code := launch(t, nil, "play", "--url", url, "--room", "lab", "--stop").wait(t); code != 0 {
		t.Error(errs)
	}
	if p := reported[signaling.Playback](t, playing); !p.Over {
		t.Errorf("%+v", p)
	}
	failsWith(t, launch(t, nil, "play", "--url", url, "--room", "lab", "--resume"), "nothing is played")
	failsWith(t, launch(t, nil, "play", "20251121-044000-lab-5f0c21ab", "--url", url, "--room", "lab"), "no such recording")
}

func TestOneIsPlayedBehindTheOther(t *testing.T) {
	t.Parallel()
	url, _ := recordingRelay(t)
	in, id := recordedClip(t, url)
	watch := startWatch(t, url, filepath.Join(t.TempDir(), "out.webm"), "--json")
	playing := launch(t, nil, "play", id, in, id, "--url", url, "--room", "lab", "--json", "--pause")
	until(t, "it plays", func() bool { return strings.Contains(playing.errs.String(), "playing") })
	next := func() signaling.Playback {
		return reported[signaling.Playback](t, launch(t, nil, "play", "--url", url, "--room", "lab", "--json", "--next"))
	}
	if p := next(); !p.Over || p.Recording != id || len(p.Next) != 2 {
		t.Errorf("the first: %+v", p)
	}
	last := reported[signaling.Playback](t, playing) // the second and the third are played to their ends
	if !last.Over || last.Recording != id || len(last.Next) != 0 {
		t.Errorf("the last: %+v", last)
	}
	watch.cancel()
	watch.wait(t)
	failsWith(t, launch(t, nil, "play", "--url", url, "--room", "lab", "--next"), "nothing is played")
}

func TestInterruptedPlayEndsIt(t *testing.T) {
	t.Parallel()
	url, _ := recordingRelay(t)
	_, id := recordedClip(t, url)
	j := launch(t, nil, "play", id, "--url", url, "--room", "lab", "--loop", "--json")
	until(t, "somebody is played", func() bool { return sentFrames(t, url) > 10 })
	j.cancel()
	j.wait(t)
	until(t, "nobody is there", func() bool { return len(membersOf(t, url)) == 0 })
}

// A file is made what the relay keeps by whoever adds it, and played by its name.
func TestAFileIsAddedToTheRecordings(t *testing.T) {
	t.Parallel()
	url, dir := recordingRelay(t)
	in := clip(t, "A film.mp4", strings.Fields("-t 2 -s 320x180 -c:v libx264 -preset ultrafast -pix_fmt yuv420p -bf 0 -g 25 -c:a aac")...)
	info := reported[record.Info](t, launch(t, nil, "recordings", "add", in, "--url", url, "--room", "lab", "--json"))
	if info.Title != "A film" || info.Room != "lab" || len(info.Files) != 1 || len(info.Files[0].Tracks) != 2 || info.DurationMs < 1900 {
		t.Fatalf("%+v", info)
	}
	decodesClean(t, filepath.Join(dir, info.Files[0].Name))
	out := filepath.Join(t.TempDir(), "out.mkv")
	watch := startWatch(t, url, out, "--json")
	over := reported[signaling.Playback](t, launch(t, nil, "play", in, "--url", url, "--room", "lab", "--title", "Tonight", "--json"))
	if !over.Over || over.Title != "Tonight" || over.Recording == info.ID {
		t.Errorf("%+v", over)
	}
	if saved := reported[watchReport](t, watch); len(saved.Tracks) != 2 {
		t.Errorf("%+v", saved)
	}
	decodesClean(t, out)
	failsWith(t, launch(t, nil, "recordings", "add", filepath.Join(dir, info.ID+".json"), "--url", url, "--room", "lab"), ".json")
	failsWith(t, launch(t, nil, "play", "no-such-file.webm", "--url", url, "--room", "lab"), "no such file")
}

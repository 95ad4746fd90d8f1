package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"landline/media"
)

// bigClip is a picture of 640x360, large enough for three layers, and a tone.
func bigClip(t *testing.T, seconds string) string {
	t.Helper()
	return clip(t, "clip.webm", strings.Fields("-t "+seconds+" -s 640x360 -c:v libvpx -deadline realtime -cpu-used 8 -b:v 600k -g 25 -c:a libopus")...)
}

func TestStreamInThreeSizesIsSavedInTheOneAskedFor(t *testing.T) {
	url, in, dir := relayFor(t), bigClip(t, "4"), t.TempDir()
	sizes := map[string]string{"0": "640x360", "180": "320x180", "100": "320x180", "90": "160x90"}
	saves := map[string]*job{}
	for height := range sizes {
		saves[height] = startWatch(t, url, filepath.Join(dir, height+".webm"), "--json", "--height", height)
	}
	src := startStream(t, url, in, "--json", "--layers", "3")
	sent := reported[streamReport](t, src)
	if !strings.Contains(src.errs.String(), "is to be sent in 3 sizes of its vp8 video: ffmpeg makes it VP8 in 3 sizes") {
		t.Errorf("stderr does not say what is done: %s", src.errs.String())
	}
	if len(sent.Tracks) != 2 || len(sent.Tracks[0].Layers) != 3 {
		t.Fatalf("report %+v", sent)
	}
	for i, l := range sent.Tracks[0].Layers {
		if want := []int{90, 180, 360}[i]; l.Height != want || l.Width != want*16/9 || l.Frames != 100 || l.KeyFrames != 2 || len(l.Drops) != 0 {
			t.Errorf("layer %+v", l)
		}
	}
	for height, j := range saves {
		got := reported[watchReport](t, j)
		if v := got.Tracks[0]; fmt.Sprintf("%dx%d", v.Width, v.Height) != sizes[height] || v.Frames != 100 || v.Gaps != 0 || v.Abandoned != 0 {
			t.Errorf("--height %s saved %+v", height, v)
		}
		file, err := os.Open(filepath.Join(dir, height+".webm"))
		if err != nil {
			t.Fatal(err)
		}
		formats, tracks := packets(t, file)
		if err := file.Close(); err != nil {
			t.Error(err)
		}
		if f := formats[0]; fmt.Sprintf("%dx%d", f.Width, f.Height) != sizes[height] || len(tracks[0]) != 100 || len(tracks[1]) == 0 {
			t.Errorf("--height %s: the file has %+v, %d frames, %d packets", height, f, len(tracks[0]), len(tracks[1]))
		}
	}
}

// A quarter of a small picture is none that anybody would want, and the size of one in a container of ffmpeg's is not known before.
func TestSmallPicturesHaveFewerLayers(t *testing.T) {
	for name, c := range map[string]struct {
		path string
		want []int
	}{
		"read here":   {clip(t, "s.webm", strings.Fields("-t 1 -c:v libvpx -deadline realtime -cpu-used 8 -c:a libopus")...), []int{90, 180}},
		"by ffmpeg":   {clip(t, "s.avi", strings.Fields("-t 1 -c:v mjpeg -c:a pcm_s16le")...), []int{90, 180}},
		"not a third": {clip(t, "t.webm", strings.Fields("-t 1 -s 160x90 -c:v libvpx -deadline realtime -cpu-used 8 -an")...), nil},
	} {
		src, err := opener{path: c.path, layers: 3, note: func(string) {}}.open(t.Context())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var got []int
		offers := src.offers()
		for _, l := range offers[0].Layers {
			got = append(got, l.Height)
		}
		if fmt.Sprint(got) != fmt.Sprint(c.want) || offers[0].Kind != media.Video {
			t.Errorf("%s: layers %v, want %v", name, got, c.want)
		}
		if err := src.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestLayersThatCannotBe(t *testing.T) {
	url := relayFor(t)
	j := startStream(t, url, "x.webm", "--layers", "4")
	if _, stderr, code := j.wait(t); code != 2 || !strings.Contains(stderr, "--layers 4: 1 to 3") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	sound := clip(t, "s.ogg", strings.Fields("-t 1 -map 1:a -c:a libopus")...)
	failsWith(t, startStream(t, url, sound, "--layers", "2"), "holds no video, of which there could be layers")
	in := bigClip(t, "1")
	t.Setenv("PATH", t.TempDir())
	failsWith(t, startStream(t, url, in, "--layers", "2"), "is to be sent in 2 sizes of its vp8 video, and ffmpeg is not installed: install ffmpeg, or stream it without --layers")
}

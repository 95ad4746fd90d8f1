package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"landline/media/webm"
)

// framesOf counts the frames of a file by codec.
func framesOf(t *testing.T, file []byte) map[string]uint64 {
	t.Helper()
	r, err := webm.NewReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	n := map[string]uint64{}
	for p, err := r.Next(); err == nil; p, err = r.Next() {
		n[string(r.Formats()[p.Track].Codec)]++
	}
	return n
}

func TestARecordingIsWatchedFromHere(t *testing.T) {
	t.Parallel()
	url, _ := recordingRelay(t)
	_, id := recordedClip(t, url)
	whole := []byte(download(t, url, id, "bytes=0-"))
	out := filepath.Join(t.TempDir(), "all.webm")
	all := reported[recordingReport](t, launch(t, nil, "watch", "--url", url, "--recording", id, "--speed", "max", "--out", out, "--json"))
	if saved, err := os.ReadFile(out); err != nil || !bytes.Equal(saved, whole) {
		t.Errorf("%d bytes are saved of %d: %v", len(saved), len(whole), err)
	}
	want := framesOf(t, whole)
	for _, track := range all.Tracks {
		if track.Frames != want[track.Codec] || track.Frames == 0 {
			t.Errorf("%d frames of %s, want %d", track.Frames, track.Codec, want[track.Codec])
		}
	}
	if len(all.Tracks) != 2 || !all.Complete || all.Bytes != uint64(len(whole)) || all.Position < 3.9 {
		t.Errorf("%+v", all)
	}
	part := reported[recordingReport](t, launch(t, nil, "watch", "--url", url, "--recording", id, "--at", "2s", "--duration", "1s", "--json"))
	if part.Position < 2.9 || part.Position > 3.2 || part.Seconds < 0.9 || part.Complete {
		t.Errorf("a second from 2 s on: %+v", part)
	}
	fast := reported[recordingReport](t, launch(t, nil, "watch", "--url", url, "--recording", id, "--speed", "4", "--json"))
	if !fast.Complete || fast.Seconds < 0.9 || fast.Seconds > 3 {
		t.Errorf("four times as fast: %+v", fast)
	}
}

// TestWhatComesToDecodeTheFirstPictureIsNotLate: it is due before the beginning.
func TestWhatComesToDecodeTheFirstPictureIsNotLate(t *testing.T) {
	v := &viewing{cmd: &watchCmd{Speed: 1}}
	for us, late := range map[int64]uint64{-5_000_000: 0, -1: 0} {
		if over, err := v.wait(t.Context(), time.Now().Add(-time.Second), us); over || err != nil || v.report.Late != late {
			t.Errorf("%d µs: %v, %v, %d late", us, over, err, v.report.Late)
		}
	}
	if _, _ = v.wait(t.Context(), time.Now().Add(-time.Second), 0); v.report.Late != 1 {
		t.Error("what comes a second after its time is not late")
	}
}

func TestWatchingARecordingThatCannotBe(t *testing.T) {
	t.Parallel()
	url, dir := recordingRelay(t)
	const broken, gone = "20251121-044000-lab-5f0c21ab", "20251121-044000-lab-00000000"
	if err := os.WriteFile(filepath.Join(dir, broken+".webm"), bytes.Repeat([]byte("no film "), 10_000), 0o644); err != nil {
		t.Fatal(err)
	}
	watch := func(args ...string) *job { return launch(t, nil, append([]string{"watch", "--url", url}, args...)...) }
	failsWith(t, watch("--recording", gone), "there is no such recording")
	out := filepath.Join(t.TempDir(), "out.webm")
	failsWith(t, watch("--recording", gone, "--out", out), "there is no such recording")
	if _, err := os.Stat(out); err == nil {
		t.Error("a file is left of a recording that there is not")
	}
	failsWith(t, watch("--recording", broken, "--speed", "max"), broken+".webm")
	failsWith(t, launch(t, nil, "watch", "--url", relayFor(t), "--recording", gone), "there is no such recording")
}

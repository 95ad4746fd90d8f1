package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"landline/relay/record"
)

func TestRecordingWithAFileOfEachMember(t *testing.T) {
	t.Parallel()
	url, dir := recordingRelay(t)
	clip := vp8Clip(t, "2")
	rec := launch(t, nil, "record", "--url", url, "--room", "lab", "--per-member", "--json")
	until(t, "the recorder is there", func() bool { return strings.Contains(rec.errs.String(), "the recording is recording") })
	var people []*job
	for _, name := range []string{"ann", "bob"} {
		people = append(people, launch(t, nil, "stream", clip, "--url", url, "--room", "lab", "--name", name))
	}
	for _, j := range people {
		if _, errs, code := j.wait(t); code != 0 {
			t.Fatal(errs)
		}
	}
	info := reported[record.Info](t, rec)
	if len(info.Files) != 1 || len(info.Members) != 2 {
		t.Fatalf("%+v", info)
	}
	out := t.TempDir()
	for _, f := range info.Members {
		saved := filepath.Join(out, f.MemberName+".webm")
		got := reported[record.MemberFile](t, launch(t, nil, "recordings", "get", info.ID, "--url", url, "--member", f.MemberName, "--out", saved, "--json"))
		whole, err := os.ReadFile(filepath.Join(dir, f.Name))
		if err != nil || got != f {
			t.Fatalf("%+v, %v", got, err)
		}
		if b, err := os.ReadFile(saved); err != nil || !bytes.Equal(b, whole) {
			t.Errorf("%s is not the file of the relay: %v", saved, err)
		}
		samePackets(t, clip, saved, 0)
		decodesClean(t, saved)
	}
	if text, _, code := launch(t, nil, "recordings", "get", info.ID, "--url", url, "--member", "bob", "--out", "-").wait(t); code != 0 || !strings.Contains(text, "bob · ") {
		t.Errorf("to standard output: exit code %d, %d bytes", code, len(text))
	}
	if list, _, _ := launch(t, nil, "recordings", "--url", url).wait(t); !strings.Contains(list, "  1+2  ") {
		t.Error(list)
	}
	failsWith(t, launch(t, nil, "recordings", "get", info.ID, "--url", url, "--member", "cyd", "--out", filepath.Join(out, "cyd.webm")), "nobody")
	if _, errs, code := launch(t, nil, "recordings", "rm", info.ID, "--url", url).wait(t); code != 0 {
		t.Fatal(errs)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Error(left, err)
	}
}

// Killed, a relay leaves files of members that play as they lie. The next one completes them, and knows whose they are.
func TestFilesOfMembersSurviveAKill(t *testing.T) {
	dir := t.TempDir()
	clip := vp8Clip(t, "6")
	var out, errs output
	serve := []string{"serve", "--listen", "127.0.0.1:0", "--rtc", "off", "--recordings", dir, "--recordings-reserve", "0"}
	cmd := child(t, "landline", &out, &errs, serve...)
	url := servedAt.FindStringSubmatch(errs.line(t, `"msg":"serving"`))[1]
	launch(t, nil, "record", "--url", url, "--room", "lab", "--per-member")
	for _, name := range []string{"ann", "bob"} {
		launch(t, nil, "stream", clip, "--url", url, "--room", "lab", "--name", name)
	}
	var parts []string
	until(t, "three files are under way", func() bool {
		parts, _ = filepath.Glob(filepath.Join(dir, "*.part"))
		return len(parts) == 3 && size(t, dir) > 200_000
	})
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	for _, f := range parts {
		playsAsItLies(t, f)
	}
	var next output
	again := child(t, "landline", &out, &next, serve...)
	defer func() {
		_ = again.Process.Kill()
		_ = again.Wait()
	}()
	url = servedAt.FindStringSubmatch(next.line(t, `"msg":"serving"`))[1]
	until(t, "all are completed", func() bool {
		left, _ := filepath.Glob(filepath.Join(dir, "*.part"))
		return len(left) == 0
	})
	id, _, _ := strings.Cut(filepath.Base(parts[0]), ".")
	for _, name := range []string{"ann", "bob"} {
		saved := filepath.Join(t.TempDir(), name+".webm")
		if _, errs, code := launch(t, nil, "recordings", "get", id, "--url", url, "--member", name, "--out", saved).wait(t); code != 0 {
			t.Fatal(errs)
		}
		decodesClean(t, saved)
		if b, err := os.ReadFile(saved); err != nil || !bytes.Contains(b, []byte(name+" · ")) || durationOf(t, saved) < time.Second {
			t.Errorf("%s: %v", name, err)
		}
	}
}

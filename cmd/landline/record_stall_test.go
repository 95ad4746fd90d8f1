package main

import (
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"landline/relay/record"
)

// FIFREEZE and FITHAW of linux/fs.h: writes to a file system wait between them.
const (
	fiFreeze = 0xC0045877
	fiThaw   = 0xC0045878
)

// standingDisk is a disk of its own, ext4 on a file, and stops it and lets it go on.
func standingDisk(t *testing.T) (dir string, stop, goOn func()) {
	t.Helper()
	image, dir := filepath.Join(t.TempDir(), "disk"), t.TempDir()
	if err := os.WriteFile(image, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(image, 64<<20); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mkfs.ext4", "-q", image).CombinedOutput(); err != nil {
		t.Skipf("no disk can be made: %v %s", err, out)
	}
	if out, err := exec.Command("mount", "-o", "loop,noatime", image, dir).CombinedOutput(); err != nil {
		t.Skipf("only root can mount a disk, where there are loop devices: %s", out)
	}
	root, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	say := func(what uint) error { return unix.IoctlSetInt(int(root.Fd()), what, 0) }
	t.Cleanup(func() {
		if err := say(fiThaw); err != nil && !errors.Is(err, unix.EINVAL) { // it does not stand
			t.Error(err)
		}
		root.Close()
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	do := func(what uint) func() {
		return func() {
			t.Helper()
			if err := say(what); err != nil {
				t.Fatal(err)
			}
		}
	}
	return dir, do(fiFreeze), do(fiThaw)
}

// A real disk stands still, for ten seconds where time allows: the room is told within a second, what was written plays, nobody hears anything later, the relay
// answers as ever and grows by no more than may wait, and the recording goes on by itself.
func TestADiskStandsStill(t *testing.T) {
	dir, stop, goOn := standingDisk(t)
	lab := recordOnto(t, dir)
	times, stall := 1, 3*time.Second
	if os.Getenv("LANDLINE_LONG") != "" {
		times, stall = 5, 10*time.Second
	}
	var usual, still []time.Duration
	for range times {
		usual = append(usual, lab.guest.p99(t))
		stop()
		at := time.Now()
		still = append(still, lab.guest.p99(t))
		lab.waits(t, at, record.WhySlow)
		lab.plays(t)
		lab.answers(t)
		time.Sleep(stall - time.Since(at)) // the fault itself
		lab.bounded(t)
		goOn()
		lab.goesOn(t)
	}
	t.Logf("p99 %v usually, %v while the disk stands", usual, still)
	noLater(t, usual, still)
	lab.saved(t, 1)
}

// answers holds that who asks the relay is answered soon.
func (l *recorded) answers(t *testing.T) {
	t.Helper()
	for _, path := range []string{"/healthz", "/metrics", "/api/recordings"} {
		begin := time.Now()
		resp, err := http.Get(l.url + path)
		if err != nil {
			t.Fatal(err)
		}
		if resp.Body.Close(); time.Since(begin) > time.Second || resp.StatusCode != http.StatusOK {
			t.Errorf("%s: %s after %v", path, resp.Status, time.Since(begin))
		}
	}
}

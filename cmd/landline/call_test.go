package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"landline/signaling/server"
)

// relayFor runs a relay in this process and returns its address.
func relayFor(t *testing.T) string {
	t.Helper()
	return relayWith(t, server.Config{})
}

func relayWith(t *testing.T, cfg server.Config) string {
	t.Helper()
	relay := server.New(cfg)
	front := httptest.NewServer(relay.Handler())
	t.Cleanup(func() {
		relay.Close()
		front.Close()
		http.DefaultClient.CloseIdleConnections()
	})
	return front.URL
}

// job is a command line that runs beside the test.
type job struct {
	out, errs output
	cancel    context.CancelFunc
	done      chan struct{}
	code      int
}

// launch runs a command line until it ends by itself, or the test does.
func launch(t *testing.T, stdin io.Reader, args ...string) *job {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	j := &job{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(j.done)
		j.code = report(&j.errs, run(ctx, args, stdin, &j.out, &j.errs))
	}()
	t.Cleanup(func() {
		cancel()
		<-j.done
	})
	return j
}

// patience bounds every wait of these tests.
const patience = 30 * time.Second

// wait waits for the end of a job and returns what it wrote.
func (j *job) wait(t *testing.T) (stdout, stderr string, code int) {
	t.Helper()
	select {
	case <-j.done:
	case <-time.After(patience):
		t.Fatalf("still running after %v: %s", patience, j.errs.String())
	}
	return j.out.String(), j.errs.String(), j.code
}

// reported decodes the one object of --json, and fails for anything beside it or an exit code of failure.
func reported[R any](t *testing.T, j *job) (r R) {
	t.Helper()
	stdout, stderr, code := j.wait(t)
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	if err := decodeOne(stdout, &r); err != nil {
		t.Fatalf("%v: %s", err, stdout)
	}
	return r
}

// decodeOne decodes text that is one JSON object.
func decodeOne(text string, v any) error {
	dec := json.NewDecoder(strings.NewReader(text))
	if err := dec.Decode(v); err != nil {
		return err
	}
	if dec.More() {
		return errors.New("more than one object")
	}
	return nil
}

// transfer is a file that is streamed to a watch.
type transfer struct {
	in, out       string
	url           string
	stream, watch *job
}

// begin streams a file to a watch that waits for it, in a relay of their own.
func begin(t *testing.T, in, out string, flags ...string) *transfer {
	t.Helper()
	x := &transfer{in: in, out: out, url: relayFor(t)}
	x.watch = launch(t, nil, "watch", "--url", x.url, "--room", "lab", "--member", "src", "--out", out, "--json")
	inRoom(t, x.url, 1)
	x.stream = launch(t, nil, append([]string{"stream", in, "--url", x.url, "--room", "lab", "--name", "src", "--json"}, flags...)...)
	return x
}

// finish waits for both ends.
func (x *transfer) finish(t *testing.T) (streamReport, watchReport) {
	t.Helper()
	sent := reported[streamReport](t, x.stream)
	return sent, reported[watchReport](t, x.watch)
}

// until looks again and again until a condition holds.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	untilFor(t, patience, what, ok)
}

// untilFor is until, of what takes longer.
func untilFor(t *testing.T, long time.Duration, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for late := time.Now().Add(long); time.Now().Before(late); <-tick.C {
		if ok() {
			return
		}
	}
	t.Fatalf("no %s within %v", what, long)
}

// inRoom waits until so many members are in the rooms of a relay.
func inRoom(t *testing.T, url string, members int) {
	t.Helper()
	until(t, fmt.Sprint(members, " members"), func() bool { return len(membersOf(t, url)) >= members })
}

func membersOf(t *testing.T, url string) (list []server.MemberStatus) {
	t.Helper()
	resp, err := http.Get(url + "/api/rooms")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var reply server.RoomsReply
	if err := json.NewDecoder(resp.Body).Decode(&reply); err != nil {
		t.Fatal(err)
	}
	for _, r := range reply.Rooms {
		list = append(list, r.Members...)
	}
	return list
}

// seenPacket is one packet as ffmpeg reads it.
type seenPacket struct {
	pts  float64 // ms
	hash string  // size and MD5
}

// seenPackets lists the packets of a file's first stream of a kind, "v" or "a"; none if there is no such stream.
// What belongs to the container alone is taken out: H.264 is compared as decoded pictures, AV1 too.
func seenPackets(t *testing.T, path, kind string) (list []seenPacket) {
	t.Helper()
	args := []string{"-v", "error", "-copyts", "-i", path, "-map", "0:" + kind + ":0?"}
	switch codecOf(t, path, kind) {
	case "":
		return nil
	case "h264", "av1":
		args = append(args, "-fps_mode", "passthrough")
	default:
		args = append(args, "-c", "copy")
	}
	out, err := exec.Command("ffmpeg", append(args, "-f", "framemd5", "-")...).Output()
	if err != nil && len(out) == 0 {
		t.Fatalf("ffmpeg %s: %v", filepath.Base(path), err)
	}
	base := 1.0
	for line := range strings.Lines(string(out)) {
		if rate, ok := strings.CutPrefix(line, "#tb 0: "); ok {
			var num, den float64
			if _, err := fmt.Sscanf(rate, "%f/%f", &num, &den); err != nil {
				t.Fatalf("time base %q: %v", rate, err)
			}
			base = 1000 * num / den
		}
		if strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.Split(strings.ReplaceAll(strings.TrimSpace(line), " ", ""), ",")
		var pts float64
		if _, err := fmt.Sscanf(fields[2], "%f", &pts); err != nil {
			t.Fatalf("line %q: %v", line, err)
		}
		list = append(list, seenPacket{pts * base, fields[4] + " " + fields[5]})
	}
	return list
}

func codecOf(t *testing.T, path, kind string) string {
	t.Helper()
	out, err := exec.Command("ffprobe", "-v", "error", "-select_streams", kind+":0", "-show_entries", "stream=codec_name",
		"-of", "csv=p=0", path).Output()
	if err != nil {
		t.Fatalf("ffprobe %s: %v", filepath.Base(path), err)
	}
	return string(bytes.TrimSpace(bytes.Split(append(out, '\n'), []byte("\n"))[0]))
}

// samePackets compares the packets of two files: both tracks, first and last ones included, and times within 1 ms after
// one shift for both. Up to cut packets of each track may be missing at the end.
func samePackets(t *testing.T, want, got string, cut int) {
	t.Helper()
	var shift float64
	tracks := 0
	for _, kind := range []string{"v", "a"} {
		a, b := seenPackets(t, want, kind), seenPackets(t, got, kind)
		if len(b) > len(a) || len(b) < len(a)-cut {
			t.Errorf("track %s: %d packets of %d", kind, len(b), len(a))
			continue
		}
		if len(b) == 0 {
			continue
		}
		if tracks++; tracks == 1 {
			shift = b[0].pts - a[0].pts
		}
		for i := range b {
			if a[i].hash != b[i].hash {
				t.Errorf("track %s: packet %d of %d differs", kind, i, len(b))
				break
			}
			if off := b[i].pts - a[i].pts - shift; off < -1.01 || off > 1.01 {
				t.Errorf("track %s: packet %d is %.1f ms off", kind, i, off)
				break
			}
		}
	}
	if tracks == 0 {
		t.Error("nothing to compare")
	}
}

// decodesClean has ffmpeg decode a file, and fails for any complaint.
func decodesClean(t *testing.T, path string) {
	t.Helper()
	if out, err := exec.Command("ffmpeg", "-v", "error", "-xerror", "-i", path, "-f", "null", "-").CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%s does not decode clean: %v: %s", filepath.Base(path), err, out)
	}
}

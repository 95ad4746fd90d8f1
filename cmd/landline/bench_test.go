//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"syscall"
	"testing"
	"time"

	"landline/cmd/landline/bench"
	"landline/signaling/impair"
)

// relayProcess runs a relay in a process of its own and returns its address.
func relayProcess(t *testing.T, flags ...string) string {
	t.Helper()
	var out, log output
	serve := child(t, "landline", &out, &log, append([]string{"serve", "--listen", "127.0.0.1:0"}, flags...)...)
	t.Cleanup(func() {
		_ = serve.Process.Signal(syscall.SIGTERM)
		if err := serve.Wait(); err != nil {
			t.Errorf("serve: %v: %s", err, log.String())
		}
	})
	var at struct{ URL string }
	if err := json.Unmarshal([]byte(log.line(t, `"msg":"serving"`)), &at); err != nil {
		t.Fatal(err)
	}
	return at.URL
}

// benched runs landline bench in a process of its own, as it is meant to be, and returns what it reports. A run that
// is too noisy reports as well.
func benched(t *testing.T, args string) (r bench.Report, stderr string) {
	t.Helper()
	var out, log output
	cmd := child(t, "landline", &out, &log, strings.Fields("bench --json "+args)...)
	err := cmd.Wait()
	if decoded := decodeOne(out.String(), &r); decoded != nil {
		t.Fatalf("bench %s: %v, %v: %s %s", args, err, decoded, out.String(), log.String())
	}
	if (err != nil) != r.TooNoisy {
		t.Fatalf("bench %s: %v: %s", args, err, log.String())
	}
	return r, log.String()
}

// allArrived wants every frame at every fast member.
func allArrived(t *testing.T, r *bench.Report, published float64) {
	t.Helper()
	f := r.Frames
	if math.Abs(float64(f.Published)-published) > published/20+2 {
		t.Errorf("%d frames published, want about %g", f.Published, published)
	}
	if want := f.Published / uint64(r.Rooms) * uint64(r.Rooms) * uint64(r.Subscribers); r.Rooms == 1 && f.Expected != want {
		t.Errorf("%d frames expected, want %d", f.Expected, want)
	}
	if f.Delivered != f.Expected || f.CaughtUp+f.Gaps+f.Broken != 0 || f.Expected == 0 {
		t.Errorf("not all arrived in their turn: %+v", f)
	}
	if n := r.Latency["all"].N; n != f.Delivered || r.Latency["all"].Max <= 0 || r.Latency["all"].P50 > r.Latency["all"].Max {
		t.Errorf("latency of %d frames, of %d: %+v", n, f.Delivered, r.Latency["all"])
	}
	if len(r.Closes) != 0 {
		t.Errorf("sessions were lost: %v", r.Closes)
	}
}

func TestBenchCountsEveryFrame(t *testing.T) {
	t.Parallel()
	r, _ := benched(t, "--url "+relayProcess(t)+" --publishers 2 --subscribers 4 --slow 1 --frozen 1 --churn 2 --processes 2 --audio --size 10000"+
		" --chunk 4000 --duration 2s")
	allArrived(t, &r, 2*2*(30+50))
	if r.Latency["audio"].N+r.Latency["video"].N != r.Latency["all"].N || r.Latency["audio"].N == 0 || r.Latency["video"].N == 0 {
		t.Errorf("audio and video do not add up: %+v", r.Latency)
	}
	if r.Join.N < 8 || r.First == nil || r.First.N < 4 || r.First.P50 <= 0 || r.Late.N != r.Frames.Published || r.ServerUs == nil {
		t.Errorf("join %+v, first frame %+v, sent late %+v", r.Join, r.First, r.Late)
	}
	if churn := r.Others["churn"]; churn.Joins < 2 || churn.Delivered == 0 {
		t.Errorf("those who come and go: %+v", churn)
	}
	if r.Drops["age"]+r.Drops["bytes"] == 0 || r.Drops["gate"] == 0 || r.Others["frozen"].Delivered != 0 {
		t.Errorf("drops %v, and the frozen member got %d frames", r.Drops, r.Others["frozen"].Delivered)
	}
	if q := r.Queues["frozen"]; q.Looks == 0 || q.Bytes == 0 || q.Bytes > 4<<20 || q.AgeMs == 0 || len(q.Drops) == 0 {
		t.Errorf("the frozen member's queue: %+v", q)
	}
	if q := r.Queues["fast"]; len(q.Drops) != 0 {
		t.Errorf("fast members lost frames: %+v", q)
	}
	if r.Memory == nil || r.Memory.Members != 10 || r.Memory.Before <= 0 {
		t.Errorf("memory %+v", r.Memory)
	}
}

func TestBenchComparesWithTheFloor(t *testing.T) {
	t.Parallel()
	r, stderr := benched(t, "--url "+relayProcess(t)+" --rooms 2 --subscribers 10 --audio --floor --duration 600ms")
	allArrived(t, &r, float64(len(r.Pairs))*0.1*2*(30+50))
	if r.FloorUs == nil || *r.FloorUs <= 0 || r.ServerUs == nil || r.FloorTLS == nil || *r.FloorTLS || r.FloorSees == nil || r.FloorLate == nil {
		t.Fatalf("%+v", r)
	}
	if n := len(r.Pairs); n < 6 || n > 9 {
		t.Errorf("%d pairs", n)
	}
	for _, p := range r.Pairs {
		if p.FloorUs <= 0 || p.ServerUs < 0 || math.Abs(p.Ratio-p.ServerUs/p.FloorUs) > 1e-9 {
			t.Errorf("%+v", p)
		}
	}
	if r.TooNoisy != (r.Ratio == nil) || r.TooNoisy != strings.Contains(stderr, "too noisy") || r.TooNoisy != (r.FloorDiffer > 0.1) {
		t.Errorf("too noisy %v with a difference of %g, ratio %v: %s", r.TooNoisy, r.FloorDiffer, r.Ratio, stderr)
	}
}

// What carries the media is proved by the relay's own counters.
func TestBenchOverWebRTC(t *testing.T) {
	t.Parallel()
	url := relayProcess(t)
	r, _ := benched(t, "--url "+url+" --transport webrtc --publishers 2 --subscribers 3 --audio --duration 1s")
	if r.Transport != "webrtc" || r.Packets == nil || r.ServerUs == nil || r.Join.N != 3 || r.First == nil || r.Memory.PerViewer == 0 {
		t.Fatalf("%+v", r)
	}
	if r.Packets.Lost == 0 {
		allArrived(t, &r, 2*(30+50))
		if want := r.Latency["audio"].N + 6*r.Latency["video"].N; r.Packets.Forwarded != want {
			t.Errorf("%d packets, want %d", r.Packets.Forwarded, want)
		}
	}
	if out := r.Packets.BytesOut; out["webrtc"] < float64(r.Frames.Bytes) || out["websocket"] != 0 || r.Frames.Bytes == 0 {
		t.Errorf("%v, and %d bytes came", out, r.Frames.Bytes)
	}
	until(t, "empty relay", func() bool { return len(membersOf(t, url)) == 0 })
}

func TestBenchComparesWebRTCWithBarePion(t *testing.T) {
	t.Parallel()
	r, stderr := benched(t, "--url "+relayProcess(t)+" --transport webrtc --rooms 2 --subscribers 2 --audio --floor --duration 600ms")
	if r.FloorUs == nil || *r.FloorUs <= 0 || r.ServerUs == nil || r.FloorSees == nil || r.FloorSees.N == 0 || r.Packets == nil || len(r.Closes) != 0 {
		t.Fatalf("%+v", r)
	}
	if r.TooNoisy != (r.Ratio == nil) || r.TooNoisy != strings.Contains(stderr, "too noisy") || len(r.Pairs) < 6 || r.Memory.FloorPerViewer <= 0 {
		t.Errorf("too noisy %v, ratio %v, %d pairs, memory %+v: %s", r.TooNoisy, r.Ratio, len(r.Pairs), r.Memory, stderr)
	}
}

func TestBenchSaysWhenARelayHasNoWebRTC(t *testing.T) {
	t.Parallel()
	_, stderr, code := invoke(t, "bench", "--url", relayProcess(t, "--rtc", "off"), "--transport", "webrtc")
	if code != 1 || !strings.Contains(stderr, "has no WebRTC") || !strings.Contains(stderr, "--rtc=off") {
		t.Errorf("exit %d: %s", code, stderr)
	}
}

func TestBenchOverTLSWithKeys(t *testing.T) {
	t.Parallel()
	url := relayProcess(t, "--tls", "self", "--tls-cache", t.TempDir(), "--key", testKey)
	r, _ := benched(t, "--url "+url+" --insecure --key "+testKey+" --subscribers 3 --slow 1 --frozen 1 --churn 1 --clip ../../testdata/bunny-4s.webm --duration 500ms")
	if !r.TLS || r.Frames.Gaps+r.Frames.Broken != 0 || r.Frames.Expected != 3*r.Frames.Published || r.Frames.Published == 0 || len(r.Closes) != 0 {
		t.Errorf("%+v", r)
	}
	_, stderr, code := invoke(t, "bench", "--url", url)
	if code != 1 || !strings.Contains(stderr, "--insecure") {
		t.Errorf("exit %d: %s", code, stderr)
	}
}

func TestBenchHoldsIdleMembers(t *testing.T) {
	t.Parallel()
	r, _ := benched(t, "--url "+relayProcess(t)+" --idle --rooms 4 --publishers 0 --subscribers 5 --duration 500ms")
	m := r.Memory
	if m == nil || m.Members != 20 || m.PerMember != (m.With-m.Before)/20 || r.Join.N != 20 || len(r.Closes) != 0 {
		t.Errorf("%+v, %+v", r, m)
	}
}

// Nor in the moment in which the relay has let them in, and they do not know it yet.
func TestBenchLeavesNobodyBehindWhenInterrupted(t *testing.T) {
	t.Parallel()
	url := relayProcess(t)
	late := detourTo(t, url, impair.Link{}, impair.Link{Delay: 500 * time.Millisecond})
	var out, log output
	cmd := child(t, "landline", &out, &log, "bench", "--url", late.url, "--subscribers", "5", "--duration", "20s")
	inRoom(t, url, 6)
	_ = cmd.Process.Signal(syscall.SIGINT)
	if err := cmd.Wait(); err == nil || !strings.Contains(log.String(), "interrupted") {
		t.Errorf("%v: %s", err, log.String())
	}
	until(t, "empty relay", func() bool { return len(membersOf(t, url)) == 0 })
}

func TestBenchTable(t *testing.T) {
	var text strings.Builder
	us, ratio := 5.5, 1.1
	r := bench.Report{Rooms: 1, Frames: bench.Frames{Published: 10, Expected: 100, Delivered: 98, CaughtUp: 1, Gaps: 1},
		Latency: map[string]bench.Times{"all": {P50: 1.25, N: 98}}, Drops: map[string]uint64{"age": 1, "gate": 2}, ServerUs: &us, FloorUs: &us,
		Ratio: &ratio, Pairs: []bench.Pair{{ServerUs: 5.5, FloorUs: 5}}, Warnings: []string{"careful"}}
	if err := printBench(&text, &r); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"latency, all  1.25", "fast    10         100       98", "age 1, gate 2", "relay to floor        1.10", "note: careful"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, text.String())
		}
	}
	r.Packets = &bench.Packets{Forwarded: 700, Lost: 3, BytesOut: map[string]float64{"webrtc": 9000}}
	r.Memory = &bench.Memory{PerViewer: 512 << 10, FloorPerViewer: 256 << 10}
	text.Reset()
	if err := printBench(&text, &r); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"fast         700        3     9000           0", "relay, µs a packet", "(bare Pion;", "512 KiB (of the floor: 256 KiB)"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, text.String())
		}
	}
	r.Ratio, r.TooNoisy = nil, true
	text.Reset()
	if err := printBench(&text, &r); err != nil || !strings.Contains(text.String(), "too noisy") {
		t.Error(fmt.Sprint(err), text.String())
	}
}

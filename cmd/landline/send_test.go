package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"landline/media"
	"landline/signaling"
	"landline/signaling/client"
	"landline/signaling/impair"
)

// randomFile makes a file of random bytes and returns them.
func randomFile(t *testing.T, path string, size int) []byte {
	t.Helper()
	data := make([]byte, size)
	src := rand.NewChaCha8([32]byte{byte(size)})
	_, _ = src.Read(data) // it never fails
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return data
}

func sumOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// folder lists the files of a folder.
func folder(t *testing.T, dir string) (names []string) {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		names = append(names, e.Name())
	}
	return names
}

func receiveInto(t *testing.T, url, dir string, flags ...string) *job {
	t.Helper()
	return launch(t, nil, append([]string{"receive", dir, "--url", url, "--room", "lab", "--json"}, flags...)...)
}

func sendFile(t *testing.T, url, path string, flags ...string) *job {
	t.Helper()
	return launch(t, nil, append([]string{"send", path, "--url", url, "--room", "lab", "--json"}, flags...)...)
}

func TestFilesReachThoseWhoTakeThem(t *testing.T) {
	url, dir := relayFor(t), t.TempDir()
	inbox, other := filepath.Join(dir, "inbox"), filepath.Join(dir, "other")
	for _, d := range []string{inbox, other} {
		if err := os.Mkdir(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "plan.tar.gz")
	data := randomFile(t, path, 700_001)
	if err := os.WriteFile(filepath.Join(inbox, "plan.tar.gz"), []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	first := sendFile(t, url, path, "--name", "Ann") // it waits for those who come
	inRoom(t, url, 1)
	a := receiveInto(t, url, inbox, "--name", "Bob", "--count", "2")
	b := receiveInto(t, url, other, "--name", "Cyd", "--from", "nobody", "--duration", "3s")
	sent := reported[sendReport](t, first)
	if sent.SHA256 != sumOf(data) || sent.Bytes != uint64(len(data)) || sent.Error != "" {
		t.Errorf("%+v", sent)
	}
	if i := slices.IndexFunc(sent.Receivers, func(r sentTo) bool { return r.Name == "Bob" }); i < 0 || sent.Receivers[i].Result != "received" {
		t.Errorf("receivers %+v", sent.Receivers)
	}
	empty := filepath.Join(dir, "empty")
	randomFile(t, empty, 0)
	reported[sendReport](t, sendFile(t, url, empty, "--to", "Bob"))
	got := reported[receiveReport](t, a)
	if len(got.Files) != 2 || got.Files[0].Saved != "plan.tar (2).gz" || got.Files[0].SHA256 != sumOf(data) || got.Files[0].From != "Ann" || got.Files[1].Saved != "empty" {
		t.Errorf("%+v", got)
	}
	if names := folder(t, inbox); !slices.Equal(names, []string{"empty", "plan.tar (2).gz", "plan.tar.gz"}) {
		t.Errorf("the folder holds %q", names)
	}
	if saved, err := os.ReadFile(filepath.Join(inbox, got.Files[0].Saved)); err != nil || !bytes.Equal(saved, data) {
		t.Errorf("%d bytes were saved, %v", len(saved), err)
	}
	if old, err := os.ReadFile(filepath.Join(inbox, "plan.tar.gz")); err != nil || string(old) != "precious" {
		t.Errorf("what was there is now %q, %v", old, err)
	}
	if none := reported[receiveReport](t, b); len(none.Files) != 0 || len(folder(t, other)) != 0 {
		t.Errorf("taken from somebody else: %+v", none)
	}
}

func TestAFileThatNobodyTakes(t *testing.T) {
	url, dir := relayFor(t), t.TempDir()
	path := filepath.Join(dir, "a")
	randomFile(t, path, 10)
	for _, to := range []string{"", "Bob"} {
		stdout, stderr, code := sendFile(t, url, path, "--wait", "300ms", "--to", to).wait(t)
		var r sendReport
		if err := decodeOne(stdout, &r); err != nil || code != 1 || r.Error == "" || !strings.Contains(stderr, "landline receive") {
			t.Errorf("exit %d, %q, %q: %v", code, stdout, stderr, err)
		}
	}
	_, stderr, code := receiveInto(t, url, dir, "--count", "1", "--duration", "200ms").wait(t)
	if code != 1 || !strings.Contains(stderr, "0 of 1 files came") {
		t.Errorf("exit %d: %s", code, stderr)
	}
}

func TestNamesOfFiles(t *testing.T) {
	long := strings.Repeat("ä", 127)
	for _, c := range []struct {
		name   string
		n      int
		ending string
		want   string
	}{
		{"a.txt", 1, "", "a.txt"}, {"a.txt", 1, ".part", "a.txt.part"}, {"a.txt", 12, ".part", "a (12).txt.part"},
		{".bashrc", 2, "", ".bashrc (2)"}, {"a", 3, "", "a (3)"},
		{long, 1, ".part", strings.Repeat("ä", 125) + ".part"}, {long + "a", 2, "", strings.Repeat("ä", 125) + " (2)"},
	} {
		if got := numbered(c.name, c.n, c.ending); got != c.want || len(got) > signaling.MaxObjectName {
			t.Errorf("%q, %d: %q, %d bytes", c.name, c.n, got, len(got))
		}
	}
}

// ferry is a send and a receive in processes of their own.
type ferry struct {
	send, receive       *exec.Cmd
	sent, got           output
	sendLog, receiveLog output
}

func (f *ferry) wait(t *testing.T) (s sendReport, r receiveReport) {
	t.Helper()
	for _, c := range []struct {
		cmd      *exec.Cmd
		out, log *output
		into     any
	}{{f.send, &f.sent, &f.sendLog, &s}, {f.receive, &f.got, &f.receiveLog, &r}} {
		err := c.cmd.Wait()
		if decoded := decodeOne(c.out.String(), c.into); err != nil || decoded != nil {
			t.Fatalf("%v, %v: %s %s", err, decoded, c.out.String(), c.log.String())
		}
	}
	return s, r
}

// partSize is how much of a file there is on the other side.
func partSize(dir string) int64 {
	parts, _ := filepath.Glob(filepath.Join(dir, "*.part"))
	for _, p := range parts {
		if info, err := os.Stat(p); err == nil {
			return info.Size()
		}
	}
	return -1
}

// serveProcess runs a relay in a process of its own, and returns its address and how to kill it.
func serveProcess(t *testing.T) (url string, kill func()) {
	t.Helper()
	var out, log output
	serve := child(t, "landline", &out, &log, "serve", "--listen", "127.0.0.1:0")
	var at struct{ URL string }
	if err := json.Unmarshal([]byte(log.line(t, `"msg":"serving"`)), &at); err != nil {
		t.Fatal(err)
	}
	var killed bool
	kill = func() {
		if !killed {
			killed = true
			_ = serve.Process.Signal(syscall.SIGKILL) // it may have ended
			_ = serve.Wait()
		}
	}
	t.Cleanup(kill)
	return at.URL, kill
}

func TestAFileArrivesOverCutsAndARelayThatIsKilled(t *testing.T) {
	dir := t.TempDir()
	inbox := filepath.Join(dir, "inbox")
	if err := os.Mkdir(inbox, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "big.bin")
	data := randomFile(t, path, 6<<20)
	url, kill := serveProcess(t)
	up, down := detourTo(t, url, impair.Link{Rate: 1 << 20}, impair.Link{}), detourTo(t, url, impair.Link{}, impair.Link{})
	f := &ferry{}
	f.receive = child(t, "landline", &f.got, &f.receiveLog, "receive", inbox, "--url", down.url, "--room", "lab", "--count", "1", "--json")
	f.receiveLog.line(t, `"msg":"receiving"`)
	f.send = child(t, "landline", &f.sent, &f.sendLog, "send", path, "--url", up.url, "--room", "lab", "--json")
	until(t, "a part", func() bool { return partSize(inbox) > 1_000_000 })
	down.Cut()
	until(t, "more of it", func() bool { return partSize(inbox) > 2_000_000 })
	up.Cut()
	until(t, "more of it", func() bool { return partSize(inbox) > 3_000_000 })
	next, _ := serveProcess(t)
	up.SetTarget(strings.TrimPrefix(next, "http://"))
	down.SetTarget(strings.TrimPrefix(next, "http://"))
	kill()
	s, r := f.wait(t)
	if len(r.Files) != 1 || r.Files[0].SHA256 != sumOf(data) || s.SHA256 != sumOf(data) || len(s.Receivers) != 1 || s.Receivers[0].Result != "received" {
		t.Errorf("%+v, %+v", s, r)
	}
	if s.Reconnects < 2 || r.Reconnects < 2 {
		t.Errorf("%d and %d reconnects", s.Reconnects, r.Reconnects)
	}
	if saved, err := os.ReadFile(filepath.Join(inbox, "big.bin")); err != nil || !bytes.Equal(saved, data) {
		t.Errorf("%d bytes were saved, %v", len(saved), err)
	}
}

// discard counts what comes of an object.
type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
func (discard) Close(error) error           { return nil }

// TestSoundIsAheadOfAFile sends a file and sound over one socket, through a link of 100 kbit/s up and another one down;
// TestLinksBulkBesideVoice has wider ones.
func TestSoundIsAheadOfAFile(t *testing.T) {
	const (
		late = 1200 * time.Millisecond // the most that one packet of a hundred may be
		file = 0.2                     // the least share of the link that the file has
	)
	url, _ := serveProcess(t)
	link := impair.Link{Rate: 100_000 / 8, Delay: 10 * time.Millisecond}
	up, down := detourTo(t, url, link, impair.Link{}), detourTo(t, url, impair.Link{}, link)
	var object *client.Receiving
	offered := make(chan struct{})
	ears := map[string]*client.Room{}
	for _, at := range []string{url, down.url} {
		o := client.Options{URL: at, Room: "lab", Name: "ear", Subscribe: []signaling.Subscribe{{}}}
		if at == down.url {
			o.OnOffer = func(rc *client.Receiving) client.Sink {
				object = rc
				close(offered)
				return discard{}
			}
		}
		ears[at] = dialRoom(t, o)
	}
	src := dialRoom(t, client.Options{URL: up.url, Room: "lab", Name: "src", Publish: []signaling.Track{{ID: "mic", Kind: media.Audio, Source: signaling.SourceMic,
		Codec: media.Opus, CodecString: "opus", SampleRate: 48000, Channels: 1, Clock: signaling.Clock{Us: 1, WallUs: time.Now().UnixMicro()}}}})
	data := bytes.Repeat([]byte("landline"), 5<<20/8)
	s, err := src.Offer(client.Object{Name: "x", Size: uint64(len(data)), Source: bytes.NewReader(data), Wait: patience})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Cancel()
	<-offered
	began := time.Now()
	const packets = 200
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	start := clockOf(t, ears[url], src.Self())
	for range packets {
		<-tick.C
		if err := src.Track("mic").Write(media.Frame{Timestamp: time.Now().UnixMicro() - start, Data: make([]byte, 80)}); err != nil {
			t.Fatal(err)
		}
	}
	took := time.Since(began)
	share := float64(object.Progress()) / (took.Seconds() * float64(link.Rate))
	for at, ear := range ears {
		in := ear.Incoming(src.Self(), "mic")
		lost := func() uint64 { return sum(in.Stats().Drops) + src.Track("mic").Stats().Drops.Total() }
		until(t, "sound", func() bool { return in.Stats().Frames+lost() >= packets-1 }) // the first may come before the ear is there for it
		st := in.Stats()
		if lost() > packets/10 {
			t.Errorf("%d of %d packets were dropped beside a file", lost(), packets)
		}
		t.Logf("%s: %d packets, %d dropped, median %v, p99 %v; the file took %.2f of the link", at, st.Frames, lost(), st.LatencyP50, st.LatencyP99, share)
		if st.LatencyP99 > late {
			t.Errorf("sound comes %v late beside a file", st.LatencyP99)
		}
	}
	if share < file {
		t.Errorf("the file took %.2f of what the link has", share)
	}
}

// clockOf waits for a member's track and returns where its clock begins, in µs since 1970.
func clockOf(t *testing.T, room *client.Room, member string) (start int64) {
	t.Helper()
	until(t, "track", func() bool { return room.Incoming(member, "mic") != nil })
	c := room.Incoming(member, "mic").Track().Clock
	return c.WallUs - c.Us
}

func dialRoom(t *testing.T, o client.Options) *client.Room {
	t.Helper()
	room, err := client.Dial(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(room.Close)
	return room
}

package server

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"landline/media/ogg"
	"landline/signaling/token"
)

// TestStandardLibraryClient has a client in another language, written from docs/protocol.md alone, publish speech and
// save it again, and compares the packets.
func TestStandardLibraryClient(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Fatal("this test needs python3 (3.9 or newer; its standard library is enough): ", err)
	}
	const client, clip = "../../testdata/clients/minimal.py", "../../testdata/jfk-3s.opus"
	want := opusPackets(t, clip)
	s, url := start(t, Config{Keys: testKeys(t)})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	saved := filepath.Join(t.TempDir(), "packets")
	run := func(name string, args ...string) *exec.Cmd {
		bearer := mint(t, s.cfg.Keys, func(c *token.Claims) { c.Identity, c.Name = name, name })
		cmd := exec.CommandContext(ctx, python, append([]string{client}, append(args, "--token", bearer)...)...)
		cmd.Stderr = os.Stderr
		return cmd
	}
	saver := run("bob", "save", url, "r", saved, "--from", "ann")
	out, err := saver.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := saver.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	if line, err := lines.ReadString('\n'); line != "joined\n" {
		t.Fatalf("the saver says %q, %v", line, err)
	}
	if said, err := run("ann", "publish", url, "r", clip, "--speed", "10").Output(); err != nil {
		t.Fatalf("publish: %s%v", said, err)
	}
	said, _ := io.ReadAll(lines)
	if err := saver.Wait(); err != nil {
		t.Fatalf("save: %s%v", said, err)
	}
	got, err := os.ReadFile(saved)
	if err != nil {
		t.Fatal(err)
	}
	for i, packet := range want {
		if len(got) < 4 || len(got) < 4+int(binary.BigEndian.Uint32(got)) {
			t.Fatalf("only %d packets of %d were saved", i, len(want))
		}
		n := 4 + int(binary.BigEndian.Uint32(got))
		if !bytes.Equal(got[4:n], packet) {
			t.Fatalf("packet %d differs", i)
		}
		got = got[n:]
	}
	if len(got) != 0 {
		t.Fatalf("%d bytes too many were saved", len(got))
	}
	within(t, patience, "both have left", func() bool { return len(s.relay.Snapshot()) == 0 })
}

// opusPackets reads the packets of an Ogg file.
func opusPackets(t *testing.T, path string) (packets [][]byte) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	r, err := ogg.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	for {
		p, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		packets = append(packets, p.Data)
	}
	if len(packets) < 100 {
		t.Fatalf("%s has only %d packets", path, len(packets))
	}
	return packets
}

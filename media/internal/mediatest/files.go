package mediatest

import (
	"errors"
	"io"
	"os"
	"testing"

	"landline/media"
)

// ReadFile gives a file's bytes.
func ReadFile(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// Drain reads every packet that is left. err is what ended the file; nil for io.EOF.
func Drain(r media.Reader) (packets []media.Packet, err error) {
	for {
		p, err := r.Next()
		if errors.Is(err, io.EOF) {
			return packets, nil
		}
		if err != nil {
			return packets, err
		}
		packets = append(packets, p)
	}
}

// All reads every packet of a sound file.
func All(t testing.TB, r media.Reader) []media.Packet {
	t.Helper()
	packets, err := Drain(r)
	if err != nil {
		t.Fatalf("packet %d: %v", len(packets), err)
	}
	return packets
}

// Save writes all packets and closes w. err is that of making w.
func Save(t testing.TB, w media.Writer, err error, packets []media.Packet) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range packets {
		if err := w.Write(p); err != nil {
			t.Fatalf("packet %d: %v", i, err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

package client

import (
	"bytes"
	"testing"

	"landline/media"
)

// TestChunksOfAPlaceThatWasLeft: they may go on where the reader is now, and end elsewhere than the chunks of this place.
func TestChunksOfAPlaceThatWasLeft(t *testing.T) {
	want := noise(100_000, 6)
	l := &Lent{Name: "x", Size: int64(len(want)), room: &Room{kick: make(chan struct{}, 1)}, more: make(chan struct{}, 1), stream: 1}
	if _, err := l.took(nil, 5000); err != nil {
		t.Fatal(err)
	}
	came := func(from, to int) {
		t.Helper()
		c := media.ObjectChunk{Stream: 1, Offset: uint64(from), Payload: want[from:to]}
		msg := c.Append(nil)
		c.Payload = msg[media.ObjectHeaderSize:]
		if err := l.take(&c, msg); err != nil {
			t.Fatal(err)
		}
	}
	came(0, 4000)        // before
	came(5000, 6000)     // it begins where the place does
	came(30_000, 40_000) // elsewhere
	came(5000, 21_384)   // of this place: its beginning is there already
	came(21_384, 37_768)
	got := make([]byte, 40_000)
	n, err := l.took(got, 5000)
	if err != nil || !bytes.Equal(got[:n], want[5000:37_768]) {
		t.Errorf("%d bytes, %v", n, err)
	}
}

package webm

import (
	"bytes"
	"io"
	"slices"
	"testing"

	"landline/media"
	"landline/media/internal/mediatest"
)

// FuzzReader reads anything, and writes and reads again what was read. testdata/fuzz has clips of each codec.
func FuzzReader(f *testing.F) {
	cluster := master(idCluster, number(idTimestamp, 10), simple(1, 0, packet(9, 1)),
		master(idSimpleBlock, blockOf(1, 20, lacingEBML, []byte{1, 0x84}, []byte("abcdefg"))),
		master(idBlockGroup, master(idBlock, blockOf(1, 40, lacingXiph, []byte{1, 2}, []byte("abcdefg"))), number(idBlockDuration, 5)))
	f.Add(file(opusEntry, master(idInfo, number(idTimestampScale, 1000)), cluster))
	f.Add(file(entryOf(1, typeAudio, "A_AC3", stripped(3, "\x0b\x77")), cluster, cluster))
	f.Add(slices.Concat(ebml("matroska"), open(idSegment, master(idTracks, opusEntry), open(idCluster, number(idTimestamp, 1)), cluster)))
	f.Add(delimiterAlone)
	f.Fuzz(func(t *testing.T, b []byte) {
		var r *Reader
		var err error
		got := allocated(func() { r, err = NewReader(bytes.NewReader(b)) })
		if limit := uint64(32<<20 + 64*len(b)); got > limit {
			t.Fatalf("NewReader allocates %d bytes for a file of %d", got, len(b))
		}
		if err != nil {
			return
		}
		packets, _ := mediatest.Drain(r)
		if len(packets) > 256*len(b) {
			t.Fatalf("%d packets in %d bytes", len(packets), len(b))
		}
		for _, p := range packets {
			if p.Track >= len(r.Formats()) || len(p.Data) == 0 || len(p.Data) > media.MaxFrameSize {
				t.Fatalf("packet of track %d with %d bytes", p.Track, len(p.Data))
			}
		}
		rewriteFuzzed(t, r.Formats(), packets)
	})
}

// rewriteFuzzed checks that what the Writer takes comes back from its file.
func rewriteFuzzed(t *testing.T, formats []media.Format, packets []media.Packet) {
	var file bytes.Buffer
	w, err := NewWriter(&file, formats)
	if err != nil {
		return // codecs that are not written
	}
	var want []media.Packet
	for _, p := range packets {
		if w.Write(p) == nil {
			want = append(want, p)
		}
	}
	if w.Close() != nil {
		return // no key frame of H.264 or AV1
	}
	r, err := NewReader(&file)
	if err != nil {
		t.Fatalf("our own file: %v", err)
	}
	for i, p := range want {
		got, err := r.Next()
		if err != nil {
			t.Fatalf("our own file, packet %d of %d: %v", i, len(want), err)
		}
		if codec := formats[p.Track].Codec; codec == media.H264 || codec == media.AV1 {
			continue // the sequence header or parameter sets may be added
		}
		if got.Track != p.Track || !bytes.Equal(got.Data, p.Data) {
			t.Fatalf("our own file, packet %d: track %d, %d bytes, want track %d, %d bytes", i, got.Track, len(got.Data), p.Track, len(p.Data))
		}
	}
	if _, err := r.Next(); err != io.EOF {
		t.Fatalf("our own file ends with %v", err)
	}
}

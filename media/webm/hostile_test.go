package webm

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"

	"landline/media"
	"landline/media/internal/mediatest"
)

// encoded is a track with one ContentEncoding.
func encoded(parts ...[]byte) []byte {
	return entryOf(1, typeAudio, codecOpus, master(idEncodings, master(idEncoding, parts...)))
}

type badFile struct {
	name string
	file []byte
	kind error
	says string
}

// segmentOf is a file with these children of its Segment, clusterOf one with these in its only Cluster.
func segmentOf(parts ...[]byte) []byte { return append(ebml("webm"), master(idSegment, parts...)...) }

func clusterOf(parts ...[]byte) []byte {
	return file(opusEntry, master(idCluster, append([][]byte{number(idTimestamp, 0)}, parts...)...))
}

func badFiles() []badFile {
	tracks := master(idTracks, opusEntry)
	var many []byte
	for i := range uint64(65) {
		many = append(many, entryOf(i+1, typeAudio, codecOpus)...)
	}
	return []badFile{
		{"empty", nil, media.ErrFormat, "not a WebM/Matroska file at byte 0: it is empty"},
		{"Ogg", []byte("OggS, a long way from EBML"), media.ErrFormat, "it starts with 4f 67 67 53"},
		{"one byte", []byte{0x1a}, media.ErrFormat, "it starts with 1a"},
		{"other EBML", ebml("blend"), media.ErrFormat, `document type "blend"`},
		{"EBML of the future", master(idEBML, text(idDocType, "webm"), number(idDocTypeReadVer, 9)), media.ErrUnsupported, "version 9"},
		{"long IDs", master(idEBML, text(idDocType, "webm"), number(idEBMLMaxIDLen, 8)), media.ErrUnsupported, "IDs of 8 bytes"},
		{"EBML header alone", ebml("webm"), media.ErrTruncated, "before the Segment"},
		{"huge EBML header", append(appendHeader(nil, idEBML, 1<<30), 0), media.ErrTooLarge, "1073741824 bytes"},
		{"no Tracks", segmentOf(), media.ErrTruncated, "before Tracks"},
		{"Cluster first", segmentOf(master(idCluster), tracks), media.ErrFormat, "no Tracks before it"},
		{"Tracks of unknown size", segmentOf(open(idTracks, opusEntry)), media.ErrFormat, "size is unknown"},
		{"huge Tracks", segmentOf(appendHeader(nil, idTracks, 1<<40)), media.ErrFormat, "past the end of Segment"},
		{"large Tracks", append(ebml("webm"), open(idSegment, appendHeader(nil, idTracks, 1<<40))...), media.ErrTooLarge, "Tracks at byte"},
		{"65 tracks", segmentOf(master(idTracks, many)), media.ErrTooLarge, "over 64 tracks"},
		{"a number twice", segmentOf(master(idTracks, opusEntry, opusEntry)), media.ErrFormat, "track number 1"},
		{"no number", segmentOf(master(idTracks, master(idTrackEntry))), media.ErrFormat, "track number 0"},
		{"subtitles only", segmentOf(master(idTracks, entryOf(1, 17, "S_TEXT/UTF8"))), media.ErrUnsupported, "no audio or video"},
		{"entry over its parent", segmentOf(master(idTracks, appendHeader(nil, idTrackEntry, 99))), media.ErrFormat, "past the end of its parent"},
		{"zlib", segmentOf(master(idTracks, encoded(master(idCompression, number(idCompAlgo, 0))))), media.ErrUnsupported, "zlib compression"},
		{"encryption", segmentOf(master(idTracks, encoded(number(idEncodingType, 1)))), media.ErrUnsupported, "encrypted"},
		{"bad OpusHead", segmentOf(master(idTracks, entryOf(1, typeAudio, codecOpus, text(idCodecPrivate, "OpusHat")))), media.ErrTruncated, "track 1 (A_OPUS) at byte"},
		{"H.264 without avcC", segmentOf(master(idTracks, entryOf(1, typeVideo, codecH264))), media.ErrUnsupported, "track 1 (V_MPEG4/ISO/AVC)"},
		{"crop", segmentOf(master(idTracks, entryOf(1, typeVideo, codecVP8, master(idVideo, number(idPixelWidth, 8), number(idCropTop, 1))))), media.ErrFormat, "cropped"},
		{"scale 0", segmentOf(master(idInfo, number(idTimestampScale, 0)), tracks), media.ErrFormat, "TimestampScale at byte"},
		{"scale and time", segmentOf(tracks, master(idInfo, number(idTimestampScale, 1<<62)), master(idCluster, number(idTimestamp, 1<<61), simple(1, 0, packet(9, 1)))), media.ErrFormat, "cannot be"},
		{"time", segmentOf(tracks, master(idCluster, number(idTimestamp, 1<<63), simple(1, 0, packet(9, 1)))), media.ErrFormat, "impossible Cluster Timestamp"},
		{"block before its time", segmentOf(tracks, master(idCluster, simple(1, 0, packet(9, 1)))), media.ErrFormat, "before the Timestamp"},
		{"short block", clusterOf(master(idSimpleBlock, []byte{0x81, 0})), media.ErrFormat, "too short"},
		{"bad track number", clusterOf(master(idSimpleBlock, make([]byte, 20))), media.ErrFormat, "no valid track number"},
		{"block over its Cluster", clusterOf(appendHeader(nil, idSimpleBlock, 1000)), media.ErrFormat, "past the end of Cluster"},
		{"large frame", clusterOf(simple(1, 0, packet(media.MaxFrameSize+1, 1))), media.ErrTooLarge, "a frame of 1048577 bytes"},
		{"two blocks in a group", clusterOf(master(idBlockGroup, master(idBlock, blockOf(1, 0, 0, packet(9, 1))), master(idBlock, blockOf(1, 0, 0, packet(9, 1))))), media.ErrFormat, "two Blocks"},
		{"group of unknown size", clusterOf(open(idBlockGroup, master(idBlock, blockOf(1, 0, 0, packet(9, 1))))), media.ErrFormat, "BlockGroup at byte"},
		{"zeros", clusterOf(make([]byte, 30)), media.ErrFormat, "0x00 does not start an element"},
		{"no size", clusterOf([]byte{idVoid, 0}), media.ErrFormat, "Void has no valid size"},
	}
}

func TestBadFilesAreRefusedInWords(t *testing.T) {
	for _, c := range badFiles() {
		r, err := NewReader(bytes.NewReader(c.file))
		if err == nil {
			_, err = mediatest.Drain(r)
		}
		if !errors.Is(err, c.kind) || !strings.Contains(fmt.Sprint(err), c.says) || !strings.HasPrefix(fmt.Sprint(err), "webm: ") {
			t.Errorf("%s: %v\nwant %v with %q", c.name, err, c.kind, c.says)
		}
	}
}

func TestCutFilesGiveAllWholePackets(t *testing.T) {
	clip := generate(t, "a.webm", picture2s, tone2s, strings.Fields("-c:v libvpx -b:v 50k -c:a libopus -b:a 16k"))
	_, all, err := readAll(t, clip)
	if err != nil {
		t.Fatal(err)
	}
	last := 0
	for cut := len(clip) - 1; cut > 0; cut -= 97 {
		r, err := NewReader(bytes.NewReader(clip[:cut]))
		if err != nil {
			if !errors.Is(err, media.ErrTruncated) && cut > 3 {
				t.Fatalf("cut at %d: %v", cut, err)
			}
			continue
		}
		packets, err := mediatest.Drain(r)
		if !errors.Is(err, media.ErrTruncated) {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		if _, again := r.Next(); again != err {
			t.Fatalf("cut at %d: then %v", cut, again)
		}
		for i, p := range packets {
			if !bytes.Equal(p.Data, all[i].Data) {
				t.Fatalf("cut at %d: packet %d differs", cut, i)
			}
		}
		whole := 0
		for end := bytes.Index(clip, all[0].Data); whole < len(all); whole++ {
			at := bytes.Index(clip[end:], all[whole].Data)
			if end += at + len(all[whole].Data); end > cut {
				break
			}
		}
		if len(packets) < whole-1 { // the last group of a file has elements behind its block
			t.Fatalf("cut at %d: %d packets, %d are whole", cut, len(packets), whole)
		}
		last = max(last, len(packets))
	}
	if last < len(all)-2 {
		t.Errorf("at most %d of %d packets came out of a cut file", last, len(all))
	}
}

// allocated gives the bytes that f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestSizesThatAreOnlyClaimedAllocateNothing(t *testing.T) {
	head := slices.Concat(ebml("webm"), appendUnknown(nil, idSegment))
	cluster := slices.Concat(head, master(idTracks, opusEntry), open(idCluster, number(idTimestamp, 0)))
	block := blockOf(1, 0, 0)
	for name, f := range map[string][]byte{
		"EBML":       appendHeader(nil, idEBML, maxEBML),
		"Tracks":     append(head, appendHeader(nil, idTracks, maxHeader)...),
		"Info":       append(head, appendHeader(nil, idInfo, maxHeader)...),
		"Block":      slices.Concat(cluster, appendHeader(nil, idSimpleBlock, media.MaxFrameSize), block),
		"BlockGroup": slices.Concat(cluster, appendHeader(nil, idBlockGroup, 1<<40), appendHeader(nil, idBlock, media.MaxFrameSize), block),
		"Void":       slices.Concat(cluster, appendHeader(nil, idVoid, 1<<50)),
	} {
		got := allocated(func() {
			r, err := NewReader(bytes.NewReader(f))
			if err == nil {
				_, err = mediatest.Drain(r)
			}
			if !errors.Is(err, media.ErrTruncated) {
				t.Errorf("%s: %v", name, err)
			}
		})
		if got > 4*sourceBuffer {
			t.Errorf("%s: %d bytes allocated for a file of %d", name, got, len(f))
		}
	}
}

func TestNextAllocatesThePayloadAndLittleElse(t *testing.T) {
	const size, count = 20_000, 200
	var blocks [][]byte
	for i := range count {
		blocks = append(blocks, simple(1, int16(i), packet(size, 1)), simple(2, 0, packet(size, 1)))
	}
	f := file(opusEntry, master(idCluster, number(idTimestamp, 0), slices.Concat(blocks...)))
	r, err := NewReader(bytes.NewReader(f))
	if err != nil {
		t.Fatal(err)
	}
	allocations := testing.AllocsPerRun(count/2-1, func() {
		if _, err := r.Next(); err != nil {
			t.Error(err)
		}
	})
	if allocations > 1 {
		t.Errorf("%g allocations a packet", allocations)
	}
	got := allocated(func() {
		if p, err := mediatest.Drain(r); err != nil || len(p) != count/2 {
			t.Errorf("%d packets, error %v", len(p), err)
		}
	})
	if limit := uint64(count / 2 * size * 5 / 4); got > limit {
		t.Errorf("%d bytes allocated for %d of payload", got, count/2*size)
	}
}

func TestSkippingNeedsNoMemory(t *testing.T) {
	head := slices.Concat(ebml("webm"), open(idSegment, master(idTracks, opusEntry), appendHeader(nil, idVoid, 64<<20)))
	tail := open(idCluster, number(idTimestamp, 0), simple(1, 0, packet(9, 1)))
	got := allocated(func() {
		r, err := NewReader(io.MultiReader(bytes.NewReader(head), io.LimitReader(zeros{}, 64<<20), bytes.NewReader(tail)))
		if err != nil {
			t.Fatal(err)
		}
		if p, err := mediatest.Drain(r); err != nil || len(p) != 1 {
			t.Errorf("%d packets, error %v", len(p), err)
		}
	})
	if got > 4*sourceBuffer {
		t.Errorf("%d bytes allocated", got)
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

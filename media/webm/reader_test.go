package webm

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"landline/media"
	"landline/media/internal/mediatest"
)

func TestLacedFramesComeOutOneByOne(t *testing.T) {
	a, b, c := packet(300, 1), packet(70, 2), packet(5, 3)
	same := [][]byte{packet(40, 1), packet(40, 2), packet(40, 3)}
	cases := []struct {
		name   string
		flags  byte
		head   []byte
		frames [][]byte
	}{
		{"none", 0, nil, [][]byte{a}},
		{"Xiph", lacingXiph, []byte{2, 255, 45, 70}, [][]byte{a, b, c}},
		{"EBML", lacingEBML, []byte{2, 0x41, 0x2c, 0x5f, 0x19}, [][]byte{a, b, c}}, // 300, then 70-300 = -230
		{"fixed", lacingFix, []byte{2}, same},
		{"one frame", lacingXiph, []byte{0}, [][]byte{c}},
	}
	for _, tc := range cases {
		data := blockOf(1, 40, tc.flags, append([][]byte{tc.head}, tc.frames...)...)
		for kind, block := range map[string][]byte{
			"SimpleBlock": master(idSimpleBlock, data),
			"BlockGroup":  master(idBlockGroup, master(idBlock, data)),
		} {
			_, packets, err := readAll(t, file(opusEntry, master(idCluster, number(idTimestamp, 1000), block)))
			if err != nil || len(packets) != len(tc.frames) {
				t.Errorf("%s in %s: %d packets, error %v", tc.name, kind, len(packets), err)
				continue
			}
			for i, p := range packets {
				if want := int64(1_040_000 + 20_000*i); p.Timestamp != want || p.Duration != 20_000 || !p.Key {
					t.Errorf("%s in %s: frame %d at %d for %d µs, key %t", tc.name, kind, i, p.Timestamp, p.Duration, p.Key)
				}
				if !bytes.Equal(p.Data, tc.frames[i]) {
					t.Errorf("%s in %s: frame %d is % x", tc.name, kind, i, p.Data)
				}
			}
		}
	}
}

func TestLacingThatIsNotSoundIsRefused(t *testing.T) {
	for name, lace := range map[string][]byte{
		"no head":             blockOf(1, 0, lacingXiph),
		"Xiph over the end":   blockOf(1, 0, lacingXiph, []byte{1, 200, 1, 2}),
		"Xiph without an end": blockOf(1, 0, lacingXiph, []byte{1, 255, 255}),
		"EBML below zero":     blockOf(1, 0, lacingEBML, []byte{2, 0x81, 0x80, 1, 2, 3}),
		"EBML over the end":   blockOf(1, 0, lacingEBML, []byte{1, 0x9f, 1}),
		"EBML cut":            blockOf(1, 0, lacingEBML, []byte{2, 0x41}),
		"fixed with a rest":   blockOf(1, 0, lacingFix, []byte{1, 1, 2, 3}),
	} {
		_, _, err := readAll(t, file(opusEntry, master(idCluster, number(idTimestamp, 0), master(idSimpleBlock, lace))))
		if !errors.Is(err, media.ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// stripped is a ContentEncodings that strips a header off what scope says.
func stripped(scope uint64, header string) []byte {
	return master(idEncodings, master(idEncoding, number(idEncodingScope, scope),
		master(idCompression, number(idCompAlgo, 3), text(idCompSettings, header))))
}

func TestStrippedHeadersArePutBack(t *testing.T) {
	lace := master(idSimpleBlock, blockOf(1, 0, lacingFix, []byte{1}, []byte("abcd")))
	cluster := master(idCluster, number(idTimestamp, 0), simple(1, 0, []byte("xyz")), lace)
	track := entryOf(1, typeAudio, "A_AC3", stripped(1, "\x0b\x77"))
	_, packets, err := readAll(t, file(track, cluster))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range packets {
		got = append(got, string(p.Data))
	}
	if want := []string{"\x0b\x77xyz", "\x0b\x77ab", "\x0b\x77cd"}; !slices.Equal(got, want) {
		t.Errorf("frames %q, want %q", got, want)
	}
	private := master(idCodecPrivate, opusHead(2)[4:])
	r, packets, err := readAll(t, file(entryOf(1, typeAudio, codecOpus, stripped(2, "Opus"), private), cluster))
	if err != nil || !bytes.Equal(r.Formats()[0].Config, opusHead(2)) || string(packets[0].Data) != "xyz" {
		t.Errorf("stripped CodecPrivate: config %q, error %v", r.Formats()[0].Config, err)
	}
}

func TestElementsOfNoInterestArePassedOver(t *testing.T) {
	filler := slices.Concat(master(idVoid, make([]byte, 100)), master(0xBF, make([]byte, 4)), master(0x4FFD, make([]byte, 70_000)))
	first := slices.Concat(filler, number(idTimestamp, 5), filler, simple(1, 0, packet(9, 1)), simple(2, 0, packet(9, 9)))
	second := slices.Concat(number(idTimestamp, 25), master(idBlockGroup, filler, master(idBlock, blockOf(1, 0, 0, packet(9, 2))), filler))
	late := master(idTracks, entryOf(2, typeAudio, codecOpus))
	for name, f := range map[string][]byte{
		"sizes known":   file(opusEntry, filler, master(idCluster, first), filler, late, master(idCluster, second), master(idCues, filler)),
		"sizes unknown": slices.Concat(ebml("matroska"), filler, open(idSegment, filler, master(idTracks, opusEntry, filler), open(idCluster, first), open(idCluster, second), master(idCues, filler))),
		"another file":  slices.Concat(ebml("webm"), open(idSegment, master(idTracks, opusEntry), open(idCluster, first), open(idCluster, second)), ebml("webm"), open(idSegment, master(idTracks, opusEntry))),
		"end of Segment known, tail behind it": append(slices.Concat(ebml("webm"),
			master(idSegment, master(idTracks, opusEntry), master(idCluster, first), open(idCluster, second))), "\x00tail"...),
	} {
		_, packets, err := readAll(t, f)
		if err != nil || len(packets) != 2 || packets[0].Timestamp != 5000 || packets[1].Timestamp != 25000 {
			t.Errorf("%s: %d packets, error %v", name, len(packets), err)
		}
	}
}

func TestGroupsSayKeyAndDuration(t *testing.T) {
	track := entryOf(1, typeVideo, "V_THEORA", number(idDefaultDuration, 40_000_000))
	block := master(idBlock, blockOf(1, 0, 0, []byte("frame")))
	duration, reference := number(idBlockDuration, 70), master(idReferenceBlock, []byte{0xff})
	_, packets, err := readAll(t, file(track, master(idCluster, number(idTimestamp, 0), master(idBlockGroup, block, duration),
		master(idBlockGroup, duration, block, reference), master(idSimpleBlock, blockOf(1, 0, 0, []byte("frame"))), simple(1, 0, []byte("frame")))))
	if err != nil || len(packets) != 4 {
		t.Fatalf("%d packets, error %v", len(packets), err)
	}
	for i, want := range []media.Frame{{Key: true, Duration: 70_000}, {Duration: 70_000}, {Duration: 40_000}, {Key: true, Duration: 40_000}} {
		if p := packets[i]; p.Key != want.Key || p.Duration != want.Duration {
			t.Errorf("block %d: key %t for %d µs, want %t, %d", i, p.Key, p.Duration, want.Key, want.Duration)
		}
	}
}

func TestTimesFollowTheScale(t *testing.T) {
	info := master(idInfo, number(idTimestampScale, 100_000), number(idTimestampScale, 50_000))
	_, packets, err := readAll(t, file(opusEntry, info, master(idCluster, number(idTimestamp, 72_000_000), simple(1, -3, packet(9, 1)))))
	if err != nil || packets[0].Timestamp != 3_600_000_000-150 {
		t.Errorf("a block 3 ticks of 50 µs before the hour: %v, error %v", packets, err)
	}
}

func TestOtherTracksAreNamedOrLeftOut(t *testing.T) {
	zlib := master(idEncodings, master(idEncoding, master(idCompression, number(idCompAlgo, 0))))
	entries := slices.Concat(
		entryOf(7, 17, "S_TEXT/UTF8", zlib),
		entryOf(3, typeVideo, "V_MPEGH/ISO/HEVC", master(idVideo, number(idPixelWidth, 80), number(idPixelHeight, 60), number(idCropLeft, 6), number(idCropRight, 4), number(idCropTop, 1), number(idCropBottom, 3))),
		entryOf(1, typeAudio, "A_AAC/MPEG4/LC"), entryOf(2, typeAudio, "A_Weird\n"))
	r, packets, err := readAll(t, file(entries, master(idCluster, number(idTimestamp, 0), simple(7, 0, []byte("hi")), simple(2, 0, []byte("ho")))))
	if err != nil || len(packets) != 1 || packets[0].Track != 2 {
		t.Fatalf("packets %v, error %v", packets, err)
	}
	f := r.Formats()
	if f[0].Codec != "hevc" || f[1].Codec != "aac" || f[2].Codec != "a_weird?" || f[0].Width != 70 || f[0].Height != 56 {
		t.Errorf("formats %+v", f)
	}
}

func TestOpusWithoutHeaderGetsOne(t *testing.T) {
	r, _, err := readAll(t, file(entryOf(1, typeAudio, codecOpus, master(idAudio, number(idChannels, 2)))))
	if err != nil || !bytes.Equal(r.Formats()[0].Config, opusHead(2)) || r.Formats()[0].Channels != 2 {
		t.Errorf("formats %+v, error %v", r.Formats(), err)
	}
}

func TestEmptyFramesArePassedOver(t *testing.T) {
	_, packets, err := readAll(t, file(opusEntry, master(idCluster, number(idTimestamp, 0), simple(1, 0), simple(1, 20, packet(3, 1)))))
	if err != nil || len(packets) != 1 {
		t.Errorf("%d packets, error %v", len(packets), err)
	}
	if _, packets, err := readAll(t, delimiterAlone); err != nil || len(packets) != 0 {
		t.Errorf("a temporal delimiter alone: %d packets, error %v", len(packets), err)
	}
}

// delimiterAlone is a file whose one AV1 frame is empty without its temporal delimiter.
var delimiterAlone = file(entryOf(1, typeVideo, codecAV1), master(idCluster, number(idTimestamp, 0),
	master(idSimpleBlock, blockOf(1, 0, 0, []byte{0x12, 0}))))

func TestReadingByteByByteGivesTheSame(t *testing.T) {
	clip := generate(t, "a.webm", picture2s, tone2s, strings.Fields("-c:v libvpx -b:v 300k -c:a libopus"))
	_, want, err := readAll(t, clip)
	if err != nil {
		t.Fatal(err)
	}
	r, err := NewReader(iotest.OneByteReader(bytes.NewReader(clip)))
	if err != nil {
		t.Fatal(err)
	}
	got, err := mediatest.Drain(r)
	if err != nil || !slices.EqualFunc(got, want, func(a, b media.Packet) bool {
		return a.Track == b.Track && a.Timestamp == b.Timestamp && bytes.Equal(a.Data, b.Data)
	}) {
		t.Errorf("%d packets byte by byte, %d at once, error %v", len(got), len(want), err)
	}
}

func TestNextDoesNotWaitForWhatFollowsThePacket(t *testing.T) {
	stuck := errors.New("read past the packet")
	f := slices.Concat(ebml("webm"), open(idSegment, master(idTracks, opusEntry), open(idCluster, number(idTimestamp, 0), simple(1, 0, []byte{8}))))
	r, err := NewReader(io.MultiReader(bytes.NewReader(f), iotest.ErrReader(stuck)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Next(); err != nil {
		t.Errorf("first packet: %v", err)
	}
	for range 2 {
		if _, err := r.Next(); !errors.Is(err, stuck) {
			t.Errorf("after it: %v, want the input's own error each time", err)
		}
	}
}

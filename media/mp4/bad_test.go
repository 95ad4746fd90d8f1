package mp4_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"testing"

	"landline/media"
	"landline/media/mp4"
)

// countWhole reads a file that was cut, and wants all of its bytes back but for those of the packets
// that do not fit.
func countWhole(t *testing.T, r *mp4.Reader, data []byte) int {
	t.Helper()
	for n := 0; ; n++ {
		p, err := r.Next()
		if err == nil {
			if r.Formats()[p.Track].Codec == media.Opus && !bytes.Contains(data, p.Data) {
				t.Fatalf("packet %d is not in the file", n)
			}
			continue
		}
		if _, again := r.Next(); !errors.Is(again, err) {
			t.Fatalf("%v, then %v", err, again)
		}
		if !errors.Is(err, media.ErrTruncated) && !errors.Is(err, io.EOF) {
			t.Fatalf("cut to %d bytes: %v", len(data), err)
		}
		return n
	}
}

// mk makes a box.
func mk(kind string, parts ...[]byte) []byte {
	body := slices.Concat(parts...)
	out := binary.BigEndian.AppendUint32(nil, uint32(8+len(body)))
	return append(append(out, kind...), body...)
}

// be makes big-endian numbers of 32 bits.
func be(v ...uint32) []byte {
	var out []byte
	for _, n := range v {
		out = binary.BigEndian.AppendUint32(out, n)
	}
	return out
}

// stbl is what a test puts in the place of a box that tiny has.
type stbl map[string][]byte

// tiny makes a file of one VP8 track with four samples of 3 bytes in two chunks.
func tiny(change stbl) []byte {
	ftyp := mk("ftyp", []byte("isom"), be(0))
	entry := mk("vp08", make([]byte, 24), []byte{0, 16, 0, 16}, make([]byte, 50), mk("vpcC", be(1<<24), []byte{0, 10, 0x80, 1, 1, 1, 0, 0}))
	boxes := stbl{
		"mdhd": mk("mdhd", be(0, 0, 0, 1000, 0, 0)),
		"hdlr": mk("hdlr", be(0, 0), []byte("vide"), be(0, 0, 0)),
		"stsd": mk("stsd", be(0, 1), entry),
		"stts": mk("stts", be(0, 1, 4, 40)),
		"ctts": nil,
		"stsc": mk("stsc", be(0, 1, 1, 2, 1)),
		"stsz": mk("stsz", be(0, 0, 4, 3, 3, 3, 3)),
		"stss": mk("stss", be(0, 1, 1)),
		"edts": nil,
		"mvex": nil,
		"tail": nil,
	}
	at := uint32(len(ftyp) + 8)
	boxes["stco"] = mk("stco", be(0, 2, at, at+6))
	for kind, b := range change {
		boxes[kind] = b
	}
	table := mk("stbl", boxes["stsd"], boxes["stts"], boxes["ctts"], boxes["stsc"], boxes["stsz"], boxes["stco"], boxes["stss"])
	trak := mk("trak", mk("tkhd", be(0, 0, 0, 1)), boxes["edts"], mk("mdia", boxes["mdhd"], boxes["hdlr"], mk("minf", table)))
	return slices.Concat(ftyp, mk("mdat", []byte("aaabbbcccddd")), mk("moov", mk("mvhd", be(0, 0, 0, 1000)), boxes["mvex"], trak), boxes["tail"])
}

// result is what comes of a file: the samples' letters and times, and the error.
func result(data []byte) (letters string, times []int64, err error) {
	r, err := mp4.NewReader(bytes.NewReader(data), int64(len(data)))
	for err == nil {
		var p media.Packet
		if p, err = r.Next(); err == nil {
			letters += string(p.Data[:1])
			times = append(times, p.Timestamp)
		}
	}
	return letters, times, err
}

func TestTables(t *testing.T) {
	even := []int64{0, 40_000, 80_000, 120_000}
	for name, c := range map[string]struct {
		change  stbl
		letters string
		times   []int64
	}{
		"as it is":        {nil, "abcd", even},
		"uniform size":    {stbl{"stsz": mk("stsz", be(0, 3, 4))}, "abcd", even},
		"16-bit sizes":    {stbl{"stsz": mk("stz2", be(0, 16, 4, 3<<16|3, 3<<16|3))}, "abcd", even},
		"8-bit sizes":     {stbl{"stsz": mk("stz2", be(0, 8, 4, 0x03030303))}, "abcd", even},
		"4-bit sizes":     {stbl{"stsz": mk("stz2", be(0, 4, 3), []byte{0x33, 0x30})}, "abc", even[:3]},
		"64-bit offsets":  {stbl{"stco": mk("co64", be(0, 2, 0, 30, 0, 24))}, "cdab", even},
		"uneven chunks":   {stbl{"stsc": mk("stsc", be(0, 2, 1, 1, 1, 2, 3, 1)), "stsz": mk("stsz", be(0, 3, 3))}, "acd", even[:3]},
		"uneven times":    {stbl{"stts": mk("stts", be(0, 3, 1, 10, 2, 20, 1, 30))}, "abcd", []int64{0, 10_000, 30_000, 50_000}},
		"short times":     {stbl{"stts": mk("stts", be(0, 1, 2, 40))}, "abcd", even},
		"reordered":       {stbl{"ctts": mk("ctts", be(0, 3, 1, 40, 1, 80, 2, 0))}, "abcd", []int64{40_000, 120_000, 80_000, 120_000}},
		"negative offset": {stbl{"ctts": mk("ctts", be(1<<24, 2, 1, 0, 3, 0xffffffd8))}, "abcd", []int64{0, 0, 40_000, 80_000}},
		"starts later":    {stbl{"edts": mk("edts", mk("elst", be(0, 2, 500, 0xffffffff, 1<<16, 160, 0, 1<<16)))}, "abcd", []int64{500_000, 540_000, 580_000, 620_000}},
		"starts earlier":  {stbl{"edts": mk("edts", mk("elst", be(0, 1, 80, 80, 1<<16)))}, "abcd", even},
		"handler after":   {stbl{"hdlr": nil, "mdhd": mk("mdhd", be(0, 0, 0, 1000, 0, 0)), "edts": mk("mdia", mk("hdlr", be(0, 0), []byte("vide")))}, "abcd", even},
	} {
		letters, times, err := result(tiny(c.change))
		if letters != c.letters || !slices.Equal(times, c.times) || !errors.Is(err, io.EOF) {
			t.Errorf("%s: %q at %d, %v; want %q at %d", name, letters, times, err, c.letters, c.times)
		}
	}
}

func TestReaderRefuses(t *testing.T) {
	vide := mk("hdlr", be(0, 0), []byte("vide"))
	entry := func(kind string, boxes ...[]byte) stbl {
		return stbl{"stsd": mk("stsd", be(0, 1), mk(kind, make([]byte, 78), slices.Concat(boxes...)))}
	}
	nested := []byte{}
	for range 5000 {
		nested = mk("edts", nested)
	}
	for name, c := range map[string]struct {
		input []byte
		want  error
	}{
		"nothing":              {nil, media.ErrFormat},
		"a WebM file":          {[]byte("\x1aE\xdf\xa3\x01\x00\x00\x00\x00\x00\x00\x1f"), media.ErrFormat},
		"a text":               {[]byte("hello, I am a text"), media.ErrFormat},
		"a picture":            {slices.Concat(mk("ftyp", []byte("heic")), mk("meta", be(0))), media.ErrFormat},
		"only media":           {slices.Concat(mk("ftyp"), mk("mdat", be(0))), media.ErrTruncated},
		"cut before the index": {slices.Concat(mk("ftyp"), mk("mdat", make([]byte, 100))[:50]), media.ErrTruncated},
		"cut in a header":      {slices.Concat(mk("ftyp"), []byte{0, 0, 0}), media.ErrTruncated},
		"box of 7 bytes":       {slices.Concat(mk("ftyp"), be(7), []byte("moov")), media.ErrFormat},
		"negative size":        {slices.Concat(mk("ftyp"), be(1), []byte("mdat"), be(0xffffffff, 0xffffffff)), media.ErrFormat},
		"compressed":           {slices.Concat(mk("ftyp"), mk("moov", mk("cmov"))), media.ErrUnsupported},
		"a box over its end":   {slices.Concat(mk("ftyp"), mk("moov", be(100), []byte("trak"))), media.ErrFormat},
		"100 tracks":           {slices.Concat(mk("ftyp"), mk("moov", bytes.Repeat(mk("trak"), 100))), media.ErrTooLarge},
		"200,000 boxes":        {bytes.Repeat(mk("free"), 200_000), media.ErrTooLarge},
		"deep boxes":           {tiny(stbl{"edts": nested}), media.ErrFormat},
		"no time scale":        {tiny(stbl{"mdhd": mk("mdhd", be(0, 0, 0, 0, 0))}), media.ErrFormat},
		"no mdhd":              {tiny(stbl{"mdhd": nil}), media.ErrFormat},
		"short mdhd":           {tiny(stbl{"mdhd": mk("mdhd", be(0))}), media.ErrTruncated},
		"no stsd":              {tiny(stbl{"stsd": nil}), media.ErrFormat},
		"empty stsd":           {tiny(stbl{"stsd": mk("stsd", be(0, 0))}), media.ErrFormat},
		"short entry":          {tiny(stbl{"stsd": mk("stsd", be(0, 1), mk("vp08", be(0)))}), media.ErrTruncated},
		"no avcC":              {tiny(entry("avc1")), media.ErrFormat},
		"bad avcC":             {tiny(entry("avc1", mk("avcC", be(0x02000000, 0)))), media.ErrFormat},
		"bad av1C":             {tiny(entry("av01", mk("av1C", be(0)))), media.ErrFormat},
		"short vpcC":           {tiny(entry("vp09", mk("vpcC", be(0)))), media.ErrTruncated},
		"4 G times":            {tiny(stbl{"stts": mk("stts", be(0, 0xffffffff, 4, 40))}), media.ErrFormat},
		"short stts":           {tiny(stbl{"stts": mk("stts", be(0))}), media.ErrTruncated},
		"4 G sizes":            {tiny(stbl{"stsz": mk("stsz", be(0, 0, 0xffffffff))}), media.ErrTooLarge},
		"9 M sizes":            {tiny(stbl{"stsz": mk("stsz", be(0, 0, 9_000_000))}), media.ErrFormat},
		"sizes of 5 bits":      {tiny(stbl{"stsz": mk("stz2", be(0, 5, 4, 0, 0, 0))}), media.ErrFormat},
		"far edit":             {tiny(stbl{"edts": mk("edts", mk("elst", be(1<<24, 1, 0, 0, 0x7fffffff, 0, 0)))}), media.ErrFormat},
		"the same track twice": {twice(tiny(stbl{"hdlr": vide})), media.ErrFormat},
	} {
		r, err := mp4.NewReader(bytes.NewReader(c.input), int64(len(c.input)))
		if !errors.Is(err, c.want) {
			t.Errorf("%s: reader %v, error %v, want %v", name, r != nil, err, c.want)
		}
	}
}

// twice puts the trak of tiny into its moov once more.
func twice(file []byte) []byte {
	at := bytes.Index(file, []byte("moov")) + 4
	trak := file[bytes.Index(file, []byte("trak"))-4:]
	out := slices.Concat(file, trak)
	binary.BigEndian.PutUint32(out[at-8:], uint32(len(out)-at+8))
	return out
}

// What is wrong with single samples shows after the samples before.
func TestBadSamples(t *testing.T) {
	for name, c := range map[string]struct {
		change  stbl
		letters string
		want    error
	}{
		"too few chunks":      {stbl{"stco": mk("stco", be(0, 1, 24))}, "ab", media.ErrFormat},
		"no chunks":           {stbl{"stsc": nil}, "", media.ErrFormat},
		"other description":   {stbl{"stsc": mk("stsc", be(0, 2, 1, 2, 1, 2, 2, 2))}, "ab", media.ErrUnsupported},
		"past the end":        {stbl{"stco": mk("stco", be(0, 2, 0x7fffffff, 24))}, "ab", media.ErrTruncated},
		"before the start":    {stbl{"stco": mk("co64", be(0, 2, 0, 24, 0xffffffff, 0xffffff00))}, "ab", media.ErrFormat},
		"over 1 MiB":          {stbl{"stsz": mk("stsz", be(0, 0, 4, 3, 1<<20+1, 3, 3))}, "a", media.ErrTooLarge},
		"4 GiB":               {stbl{"stsz": mk("stsz", be(0, 0, 4, 3, 0xffffffff, 3, 3))}, "a", media.ErrTooLarge},
		"empty samples":       {stbl{"stsz": mk("stsz", be(0, 0, 4, 0, 0, 3, 3))}, "cd", io.EOF},
		"chunks with nothing": {stbl{"stsc": mk("stsc", be(0, 1, 1, 0, 1))}, "", media.ErrFormat},
	} {
		letters, _, err := result(tiny(c.change))
		if letters != c.letters || !errors.Is(err, c.want) {
			t.Errorf("%s: %q, %v; want %q, %v", name, letters, err, c.letters, c.want)
		}
	}
}

// Ten million samples that a few bytes claim are gone through, and none is made up.
func TestManySamples(t *testing.T) {
	data := tiny(stbl{"stsz": mk("stsz", be(0, 3, 10_000_000)), "stsc": mk("stsc", be(0, 1, 1, 0xffffffff, 1))})
	letters, _, err := result(data)
	if want := (len(data) - 24) / 3; len(letters) != want || !errors.Is(err, media.ErrTruncated) {
		t.Errorf("%d samples of %d that fit, %v", len(letters), want, err)
	}
}

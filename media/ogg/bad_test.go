package ogg_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"testing"

	"landline/media"
	"landline/media/ogg"
)

const silence = 3 << 3 // one frame of 60 ms

// file writes n packets of 60 ms and of the given size. Pages hold nine.
func file(t testing.TB, n, size int) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := ogg.NewWriter(&b, media.Format{Codec: media.Opus, Channels: 2})
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		data := bytes.Repeat([]byte{byte(i)}, size)
		data[0] = silence
		if err := w.Write(media.Packet{Frame: media.Frame{Data: data}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// offsets of the pages of a file.
func offsets(file []byte) []int {
	var at []int
	for i := 0; i < len(file); {
		at = append(at, i)
		segments := int(file[i+26])
		size := 27 + segments
		for _, s := range file[i+27 : i+27+segments] {
			size += int(s)
		}
		i += size
	}
	return at
}

// count reads packets up to an error.
func count(data []byte) (int, error) {
	r, err := ogg.NewReader(bytes.NewReader(data))
	for n := 0; ; n++ {
		if err != nil {
			return n, err
		}
		if _, err = r.Next(); err != nil {
			_, again := r.Next()
			if !errors.Is(again, err) {
				return n, again
			}
			return n, err
		}
	}
}

func TestPages(t *testing.T) {
	whole := file(t, 20, 700)
	var granules []int64
	var flags []byte
	for _, at := range offsets(whole) {
		granules = append(granules, int64(binary.LittleEndian.Uint64(whole[at+6:])))
		flags = append(flags, whole[at+5])
	}
	if want := []int64{0, 0, 9 * 2880, 18 * 2880, 20 * 2880}; !slices.Equal(granules, want) {
		t.Errorf("granule positions %d, want %d", granules, want)
	}
	if want := []byte{2, 0, 0, 0, 4}; !bytes.Equal(flags, want) {
		t.Errorf("flags %d, want %d", flags, want)
	}
}

// A file cut anywhere gives the packets of its whole pages.
func TestCutFile(t *testing.T) {
	whole := file(t, 20, 100)
	pages := offsets(whole)
	for n := 1; n < len(whole); n++ {
		packets := 0
		if n >= pages[3] {
			packets = 9
		}
		if n >= pages[4] {
			packets = 18
		}
		want := media.ErrTruncated
		if slices.Contains(pages, n) {
			want = io.EOF
		}
		if got, err := count(whole[:n]); got != packets || !errors.Is(err, want) {
			t.Fatalf("cut to %d bytes: %d packets, %v; want %d, %v", n, got, err, packets, want)
		}
	}
}

// page makes a page of the track that file makes, but for the CRC.
func page(head []byte, flags byte, number int, table []byte, body ...byte) []byte {
	p := append(bytes.Clone(head[:27]), table...)
	p[5], p[18], p[26] = flags, byte(number), byte(len(table))
	return append(p, body...)
}

// A packet may go over pages. One whose beginning or end is missing is passed over, and no other.
func TestPacketsOverPages(t *testing.T) {
	head := file(t, 0, 0)
	head = head[:offsets(head)[2]]
	part := bytes.Repeat([]byte{silence}, 255)
	p2 := page(head, 0, 2, []byte{1, 255}, append([]byte{silence}, part...)...)
	p3 := page(head, 1, 3, []byte{255}, part...)
	p4 := page(head, 1, 4, []byte{0, 2}, silence, 4)
	p5 := page(head, 0, 5, []byte{2}, silence, 5)
	for name, c := range map[string]struct {
		pages [][]byte
		want  []int // sizes
		err   error
	}{
		"all":                    {[][]byte{p2, p3, p4, p5}, []int{1, 510, 2, 2}, io.EOF},
		"ends inside":            {[][]byte{p2, p3}, []int{1}, media.ErrTruncated},
		"middle is missing":      {[][]byte{p2, p4, p5}, []int{1, 2, 2}, io.EOF},
		"end is missing":         {[][]byte{p2, p3, p5}, []int{1, 2}, io.EOF},
		"beginning is missing":   {[][]byte{p3, p4, p5}, []int{2, 2}, io.EOF},
		"other tracks' continue": {[][]byte{p2, other(p4), p3, p4}, []int{1, 510, 2}, io.EOF},
	} {
		input := slices.Concat(append([][]byte{head}, c.pages...)...)
		repair(input)
		r, err := ogg.NewReader(bytes.NewReader(input))
		var got []int
		for err == nil {
			var p media.Packet
			if p, err = r.Next(); err == nil {
				got = append(got, len(p.Data))
			}
		}
		if !slices.Equal(got, c.want) || !errors.Is(err, c.err) {
			t.Errorf("%s: packets of %d bytes, %v; want %d, %v", name, got, err, c.want, c.err)
		}
	}
}

// other makes a page one of a track that the file does not have.
func other(p []byte) []byte {
	p = bytes.Clone(p)
	p[14]++
	return p
}

func TestReaderRefuses(t *testing.T) {
	good := file(t, 20, 100)
	pages := offsets(good)
	with := func(at int, b byte) []byte {
		out := bytes.Clone(good)
		out[at] = b
		return out
	}
	for name, c := range map[string]struct {
		input   []byte
		packets int
		want    error
	}{
		"nothing":               {nil, 0, media.ErrFormat},
		"a WAV file":            {[]byte("RIFF1234WAVE"), 0, media.ErrFormat},
		"version 1":             {with(4, 1), 0, media.ErrUnsupported},
		"no first page":         {good[pages[1]:], 0, media.ErrFormat},
		"no headers":            {good[pages[3]:], 0, media.ErrFormat},
		"no tags":               {slices.Concat(good[:pages[1]], good[pages[2]:]), 0, media.ErrFormat},
		"bad CRC at once":       {with(30, 0xff), 0, media.ErrFormat},
		"bad CRC later":         {with(pages[3]+50, 0xff), 9, media.ErrFormat},
		"garbage between pages": {slices.Concat(good[:pages[3]], []byte("garbage"), good[pages[3]:]), 9, media.ErrFormat},
		"the same track twice":  {slices.Concat(good[:pages[1]], good), 0, media.ErrFormat},
		"a second chain":        {slices.Concat(good, file(t, 1, 100)), 20, media.ErrUnsupported},
	} {
		if n, err := count(c.input); n != c.packets || !errors.Is(err, c.want) {
			t.Errorf("%s: %d packets, %v; want %d, %v", name, n, err, c.packets, c.want)
		}
	}
	var many []byte
	for range 100 {
		many = append(many, file(t, 0, 0)[:pages[1]]...)
	}
	if _, err := count(many); !errors.Is(err, media.ErrTooLarge) {
		t.Errorf("100 tracks: %v", err)
	}
}

func TestWriterRefuses(t *testing.T) {
	if _, err := ogg.NewWriter(io.Discard, media.Format{Codec: "vorbis"}); !errors.Is(err, media.ErrUnsupported) {
		t.Errorf("Vorbis: %v", err)
	}
	if _, err := ogg.NewWriter(io.Discard, media.Format{Codec: media.Opus, Config: []byte("OpusHead")}); !errors.Is(err, media.ErrTruncated) {
		t.Errorf("short OpusHead: %v", err)
	}
	w, err := ogg.NewWriter(io.Discard, media.Format{Codec: media.Opus})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		p    media.Packet
		want error
	}{
		"second track": {media.Packet{Track: 1, Frame: media.Frame{Data: []byte{0}}}, media.ErrFormat},
		"empty":        {media.Packet{}, media.ErrFormat},
		"over a page":  {media.Packet{Frame: media.Frame{Data: make([]byte, 65025)}}, media.ErrTooLarge},
	} {
		if err := w.Write(c.p); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// The fuzzer does not find CRCs, so that each page it makes gets the right one.
func FuzzReader(f *testing.F) {
	f.Add(file(f, 3, 20))
	f.Add(file(f, 1, 600))
	f.Fuzz(func(t *testing.T, data []byte) {
		repair(data)
		r, err := ogg.NewReader(bytes.NewReader(data))
		if err != nil {
			return
		}
		at := map[int]int64{}
		for {
			p, err := r.Next()
			if err != nil {
				return
			}
			if p.Track >= len(r.Formats()) || p.Timestamp != at[p.Track] || p.Duration <= 0 {
				t.Fatalf("packet of track %d at %d for %d µs", p.Track, p.Timestamp, p.Duration)
			}
			at[p.Track] += p.Duration
		}
	})
}

// repair puts the right CRC on all pages that are whole.
func repair(b []byte) {
	for len(b) >= 27 && string(b[:4]) == "OggS" {
		size := 27 + int(b[26])
		if len(b) < size {
			return
		}
		for _, s := range b[27:size] {
			size += int(s)
		}
		if len(b) < size {
			return
		}
		clear(b[22:26])
		var sum uint32
		for _, c := range b[:size] {
			sum ^= uint32(c) << 24
			for range 8 {
				if sum&(1<<31) != 0 {
					sum = sum<<1 ^ 0x04c11db7
				} else {
					sum <<= 1
				}
			}
		}
		binary.LittleEndian.PutUint32(b[22:], sum)
		b = b[size:]
	}
}

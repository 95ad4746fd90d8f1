package mp4

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"landline/media"
)

// Caps on what a file may ask to be held.
const (
	maxMoov   = 64 << 20
	maxMoof   = 16 << 20
	maxTracks = 64
	// maxTopLevel is how many boxes may stand before the moov, or between two moofs.
	maxTopLevel = 100_000
)

// file walks the boxes at the top of a file.
type file struct {
	r    io.ReaderAt
	size int64
	at   int64 // the next box
}

// find passes over boxes up to one of the kind and reads it; io.EOF says that there is none. others
// sees the kind of each box that is passed over.
func (f *file) find(kind string, limit int64, others func(kind string)) (box, error) {
	for range maxTopLevel {
		if f.at == f.size {
			return box{}, io.EOF
		}
		b := box{off: f.at}
		head := make([]byte, min(longBoxHeader, f.size-f.at))
		if err := f.read(head, f.at); err != nil {
			return box{}, err
		}
		var n int
		var size int64
		var ok bool
		b.kind, n, size, ok = parseHeader(head, f.size-f.at)
		switch {
		case n == 0:
			return box{}, fmt.Errorf("%w: MP4 file ends at offset %d, inside a box header", media.ErrTruncated, f.size)
		case !ok:
			return box{}, b.fail(media.ErrFormat, "size %d is less than its header", size)
		case size > f.size-f.at:
			return box{}, b.fail(media.ErrTruncated, "it claims %d bytes, the file ends after %d", size, f.size-f.at)
		}
		f.at += size
		if b.kind != kind {
			others(b.kind)
			continue
		}
		if size > limit {
			return box{}, b.fail(media.ErrTooLarge, "%d bytes, at most %d are read", size, limit)
		}
		b.from = b.off + int64(n)
		b.data = make([]byte, size-int64(n))
		return b, f.read(b.data, b.from)
	}
	return box{}, fmt.Errorf("%w: MP4 file with over %d boxes before a %q at offset %d", media.ErrTooLarge, maxTopLevel, kind, f.at)
}

// read fills b from the file.
func (f *file) read(b []byte, off int64) error {
	n, err := f.r.ReadAt(b, off)
	switch {
	case n == len(b):
		return nil
	case errors.Is(err, io.EOF):
		return fmt.Errorf("%w: MP4 file ends at offset %d, %d were promised", media.ErrTruncated, off+int64(n), f.size)
	}
	return fmt.Errorf("read MP4 file at offset %d: %w", off, err)
}

// starts are the boxes that a file may begin with.
var starts = []string{"ftyp", "styp", "moov", "moof", "mdat", "free", "skip", "wide", "pnot", "sidx", "uuid"}

// findMoov reads the moov, which may stand before the media or after them.
func (f *file) findMoov() (box, error) {
	head := make([]byte, min(boxHeader, f.size))
	if err := f.read(head, 0); err != nil {
		return box{}, err
	}
	if len(head) < boxHeader || !slices.Contains(starts, string(head[4:])) {
		return box{}, fmt.Errorf("%w: not an MP4 file: it begins with %q, not with a box", media.ErrFormat, head)
	}
	hasMedia := false
	moov, err := f.find("moov", maxMoov, func(kind string) { hasMedia = hasMedia || kind == "mdat" || kind == "moof" })
	switch {
	case errors.Is(err, io.EOF) && hasMedia:
		return box{}, fmt.Errorf("%w: MP4 file of %d bytes without its index (moov), which may have come after its end", media.ErrTruncated, f.size)
	case errors.Is(err, io.EOF):
		return box{}, fmt.Errorf("%w: not an MP4 movie: no moov box in %d bytes", media.ErrFormat, f.size)
	case errors.Is(err, media.ErrTruncated):
		return box{}, fmt.Errorf("MP4 file without its index (moov): %w", err)
	}
	return moov, err
}

// movie is what a moov says.
type movie struct {
	scale      uint32 // ticks of edit lists a second
	tracks     []*track
	fragmented bool
}

// parseMoov reads the audio and video tracks.
func parseMoov(b box) (*movie, error) {
	m := &movie{}
	count := 0
	trex := map[uint32]defaults{}
	err := b.each(func(c box) error {
		switch c.kind {
		case "mvhd":
			version, _, f := c.full()
			f.long(version)
			f.long(version)
			m.scale = f.u32()
		case "cmov":
			return c.fail(media.ErrUnsupported, "a compressed index")
		case "mvex":
			m.fragmented = true
			return c.each(func(c box) error { return parseTrex(c, trex) })
		case "trak":
			if count++; count > maxTracks {
				return c.fail(media.ErrTooLarge, "over %d tracks", maxTracks)
			}
			return m.addTrack(c)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, t := range m.tracks {
		t.defaults = trex[t.id]
		if t.editDelay > 0 && m.scale > 0 {
			var ok bool
			if t.delay, ok = micros(int64(t.editDelay), m.scale); !ok {
				return nil, b.fail(media.ErrFormat, "track %d begins after %d ticks of 1/%d s", t.id, t.editDelay, m.scale)
			}
		}
	}
	return m, nil
}

func parseTrex(b box, trex map[uint32]defaults) error {
	if b.kind != "trex" || len(trex) == maxTracks {
		return nil
	}
	_, _, f := b.full()
	id := f.u32()
	f.skip(4)
	trex[id] = defaults{duration: f.u32(), size: f.u32(), flags: f.u32()}
	if f.short {
		return b.fail(media.ErrTruncated, "%d bytes are too few", len(b.data))
	}
	return nil
}

// addTrack reads a trak. Its handler comes before its sample description in every file that follows
// the order that the standard recommends; the others are read twice.
func (m *movie) addTrack(b box) error {
	t := &track{}
	t.table.allSync = true
	parse := func(c box) error { return t.parse(c, 1) }
	if err := b.each(parse); err != nil {
		return err
	}
	if !t.isMedia() {
		return nil
	}
	if t.format.Codec == "" {
		if err := b.each(parse); err != nil {
			return err
		}
	}
	if !t.described || t.scale == 0 {
		return b.fail(media.ErrFormat, "track %d has no mdhd or no stsd", t.id)
	}
	m.tracks = append(m.tracks, t)
	return nil
}

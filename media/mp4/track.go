package mp4

import (
	"landline/media"
)

// track is an audio or video track.
type track struct {
	id        uint32
	index     int    // in Reader.Formats
	scale     uint32 // ticks a second
	handler   string
	described bool
	format    media.Format
	inOrder   bool // the stream rules reordering out
	// convert brings a sample into the form of media; nil leaves it as it is.
	convert func(data []byte, key bool) ([]byte, bool, error)

	table table
	// defaults are those of a trex.
	defaults defaults
	// ends is where the samples so far end, in ticks: where a fragment without a time goes on.
	ends int64

	editStart int64  // ticks: the media time that is shown first
	editDelay uint64 // movie ticks before it
	delay     int64  // the same in µs
	order     order
}

// defaults are the values of samples in fragments that do not have their own.
type defaults struct {
	duration, size, flags uint32
}

// order watches the composition times of a track in decoding order.
type order struct {
	seen          int
	first, latest int64
	backwards     bool
}

func (o *order) add(cts int64) {
	if o.seen == 0 {
		o.first, o.latest = cts, cts
	}
	o.seen++
	o.backwards = o.backwards || cts < o.latest
	o.latest = max(o.latest, cts)
}

const (
	maxTime  = 1 << 60 // ticks of times that a file states
	maxMicro = 1 << 60
)

// parse reads what is inside a trak.
func (t *track) parse(b box, depth int) error {
	if depth > maxDepth {
		return b.fail(media.ErrFormat, "over %d boxes deep", maxDepth)
	}
	version, _, f := b.full()
	switch b.kind {
	case "mdia", "minf", "stbl", "edts":
		return b.each(func(c box) error { return t.parse(c, depth+1) })
	case "tkhd":
		f.long(version)
		f.long(version)
		t.id = f.u32()
	case "mdhd":
		f.long(version)
		f.long(version)
		if t.scale = f.u32(); t.scale == 0 && !f.short {
			return b.fail(media.ErrFormat, "zero ticks a second")
		}
	case "hdlr":
		f.skip(4)
		if handler := string(f.take(4)[:4]); t.handler == "" || handler == "vide" || handler == "soun" {
			t.handler = handler // a second one, inside minf, is QuickTime's of the data
		}
	case "elst":
		return t.parseEdits(b)
	case "stsd":
		return t.parseDescription(b)
	default:
		return t.table.put(b)
	}
	if f.short {
		return b.fail(media.ErrTruncated, "%d bytes are too few", len(b.data))
	}
	return nil
}

// parseEdits reads an edit list up to the first edit that shows anything (section 8.6.6).
func (t *track) parseEdits(b box) error {
	version, _, f := b.full()
	size := 12
	if version == 1 {
		size = 20
	}
	list, err := b.entries(f, size)
	if err != nil {
		return err
	}
	for f := (&fields{b: list}); len(f.b) > 0; f.skip(4) { // the rate
		duration, start := f.long(version), int64(f.long(version))
		if version == 0 {
			start = int64(int32(start))
		}
		if start >= 0 {
			if start > maxTime {
				return b.fail(media.ErrFormat, "an edit at media time %d", start)
			}
			t.editStart = start
			return nil
		}
		if t.editDelay += duration; t.editDelay > maxTime {
			return b.fail(media.ErrFormat, "an empty edit of %d ticks", duration)
		}
	}
	return nil
}

// isMedia reports whether the track is heard or seen.
func (t *track) isMedia() bool { return t.handler == "vide" || t.handler == "soun" }

// micros is a time in µs, rounded to the nearest; ok is false past all bounds.
func micros(ticks int64, scale uint32) (us int64, ok bool) {
	const million = 1_000_000
	s := int64(scale)
	whole, rest := ticks/s, ticks%s
	if rest < 0 {
		whole, rest = whole-1, rest+s
	}
	if whole > maxMicro/million || whole < -maxMicro/million {
		return 0, false
	}
	return whole*million + (rest*million+s/2)/s, true
}

// time is when a composition time is shown, in µs after the movie's start.
func (t *track) time(ticks int64) (us int64, ok bool) {
	us, ok = micros(ticks-t.editStart, t.scale)
	return us + t.delay, ok
}

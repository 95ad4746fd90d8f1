package mp4

import (
	"math"

	"landline/media"
)

// Flags of tfhd and trun (ISO/IEC 14496-12 sections 8.8.7 and 8.8.8), and of samples (8.8.3).
const (
	tfhdBase        = 0x1
	tfhdDescription = 0x2
	tfhdDuration    = 0x8
	tfhdSize        = 0x10
	tfhdFlags       = 0x20
	tfhdMoofBase    = 0x20000

	trunOffset     = 0x1
	trunFirstFlags = 0x4
	trunDuration   = 0x100
	trunSize       = 0x200
	trunFlags      = 0x400
	trunShift      = 0x800

	sampleIsNotSync = 0x10000
)

// maxRuns bounds the trun boxes of a fragment.
const maxRuns = 100_000

// run is one trun: raw fields of each sample, and how far they were read.
type run struct {
	flags      uint32
	data       []byte
	left       int
	defaults   defaults
	firstFlags uint32
	first      bool // the next sample is the first
	number     int
	off, dts   int64
}

// next gives the next sample; ok is false after the last.
func (r *run) next() (v sample, ok bool) {
	if r.left == 0 {
		return v, false
	}
	f := &fields{b: r.data}
	d := r.defaults
	if r.flags&trunDuration != 0 {
		d.duration = f.u32()
	}
	if r.flags&trunSize != 0 {
		d.size = f.u32()
	}
	if r.flags&trunFlags != 0 {
		d.flags = f.u32()
	} else if r.first && r.flags&trunFirstFlags != 0 {
		d.flags = r.firstFlags
	}
	shift := int64(0)
	if r.flags&trunShift != 0 {
		shift = int64(int32(f.u32())) // version 0 has no sign, and files have negative ones nonetheless
	}
	v = sample{
		number: r.number, off: r.off, size: d.size, dts: r.dts, cts: r.dts + shift, duration: d.duration,
		key: d.flags&sampleIsNotSync == 0,
	}
	r.data, r.first = f.b, false
	r.left--
	r.number++
	r.off += int64(d.size)
	r.dts += int64(d.duration)
	return v, true
}

// width is how many bytes each sample has in the trun.
func (r *run) width() int {
	n := 0
	for _, flag := range []uint32{trunDuration, trunSize, trunFlags, trunShift} {
		if r.flags&flag != 0 {
			n += 4
		}
	}
	return n
}

// end passes over all samples of a copy and gives where their bytes and their time end.
func (r run) end() (off, dts int64) {
	if r.flags&(trunDuration|trunSize) == 0 {
		n := int64(r.left)
		return r.off + n*int64(r.defaults.size), r.dts + n*int64(r.defaults.duration)
	}
	for {
		if _, ok := r.next(); !ok {
			return r.off, r.dts
		}
	}
}

// fragment is a traf: the runs of one track in a moof.
type fragment struct {
	t    *track
	runs []run
}

// next gives the next sample; ok is false after the last.
func (g *fragment) next() (v sample, ok bool, err error) {
	for len(g.runs) > 0 {
		if v, ok = g.runs[0].next(); ok {
			return v, true, nil
		}
		g.runs = g.runs[1:]
	}
	return v, false, nil
}

// moof is a fragment of the movie while it is parsed.
type moof struct {
	box     box
	tracks  map[uint32]*track
	samples int
	runs    int
	dataEnd int64 // of the traf before
	out     []*fragment
}

// parseMoof gives the fragments of the tracks that are read, in the order of the file.
func parseMoof(b box, tracks map[uint32]*track) ([]*fragment, error) {
	m := &moof{box: b, tracks: tracks, dataEnd: b.off}
	err := b.each(func(c box) error {
		if c.kind != "traf" {
			return nil
		}
		return m.parseTraf(c)
	})
	return m.out, err
}

// traf is what the boxes of a traf have said so far.
type traf struct {
	g        *fragment
	known    bool
	defaults defaults
	base     int64 // of data offsets
	off, dts int64 // where the next run begins
}

func (m *moof) parseTraf(b box) error {
	a := traf{}
	err := b.each(func(c box) error {
		switch c.kind {
		case "tfhd":
			return m.parseTfhd(&a, c)
		case "tfdt":
			version, _, f := c.full()
			start := f.long(version)
			if f.short || start > maxTime {
				return c.fail(media.ErrFormat, "base time %d", start)
			}
			a.dts = int64(start)
		case "trun":
			return m.parseTrun(&a, c)
		}
		return nil
	})
	if err != nil || !a.known {
		return err
	}
	a.g.t.ends = a.dts
	m.dataEnd = a.off
	m.out = append(m.out, a.g)
	return nil
}

func (m *moof) parseTfhd(a *traf, b box) error {
	_, flags, f := b.full()
	t := m.tracks[f.u32()]
	if t == nil || a.known {
		return nil // of a track that is not read
	}
	a.g, a.known, a.dts, a.defaults = &fragment{t: t}, true, t.ends, t.defaults
	a.base = m.dataEnd
	if flags&tfhdMoofBase != 0 {
		a.base = m.box.off
	}
	if flags&tfhdBase != 0 {
		base := f.u64()
		if base > math.MaxInt64/2 {
			return b.fail(media.ErrFormat, "data at offset %d", base)
		}
		a.base = int64(base)
	}
	if flags&tfhdDescription != 0 {
		if n := f.u32(); n > 1 {
			return b.fail(media.ErrUnsupported, "sample description %d, only the first is read", n)
		}
	}
	if flags&tfhdDuration != 0 {
		a.defaults.duration = f.u32()
	}
	if flags&tfhdSize != 0 {
		a.defaults.size = f.u32()
	}
	if flags&tfhdFlags != 0 {
		a.defaults.flags = f.u32()
	}
	if f.short {
		return b.fail(media.ErrTruncated, "%d bytes are too few", len(b.data))
	}
	a.off = a.base
	return nil
}

func (m *moof) parseTrun(a *traf, b box) error {
	if !a.known {
		return nil
	}
	_, flags, f := b.full()
	r := run{flags: flags, defaults: a.defaults, first: true, number: m.samples + 1, off: a.off, dts: a.dts}
	count := f.u32()
	if flags&trunOffset != 0 {
		r.off = a.base + int64(int32(f.u32()))
	}
	if flags&trunFirstFlags != 0 {
		r.firstFlags = f.u32()
	}
	m.samples += int(min(count, maxSamples+1))
	m.runs++
	switch need := int64(count) * int64(r.width()); {
	case f.short:
		return b.fail(media.ErrTruncated, "%d bytes are too few", len(b.data))
	case m.samples > maxSamples || m.runs > maxRuns:
		return b.fail(media.ErrTooLarge, "over %d samples or %d runs in the fragment", maxSamples, maxRuns)
	case need > int64(len(f.b)):
		return b.fail(media.ErrFormat, "it claims %d samples of %d bytes, and has %d bytes", count, r.width(), len(f.b))
	}
	r.left, r.data = int(count), f.b
	a.off, a.dts = r.end()
	a.g.runs = append(a.g.runs, r)
	return nil
}

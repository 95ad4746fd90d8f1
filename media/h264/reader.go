package h264

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"

	"landline/media"
)

// DefaultFrameRate is assumed for a raw file whose SPS does not say how fast it runs.
const DefaultFrameRate = 25

// maxUnitNALs bounds the NAL units of one access unit: level 6.2 has at most 600 slices.
const maxUnitNALs = 4096

// Reader gives the access units of a raw Annex B file, as ffmpeg's .h264 files are. The file has no
// times: frame n is shown at n / frame rate, in decoding order. A picture that is a single field
// counts as a frame. What comes before the first SPS cannot be decoded and is passed over. Without times
// the SPS decides about Format.Reorders: it is set unless the SPS rules reordering out.
//
// Such a file has no lengths either, so that a last NAL unit that was cut off looks like a whole one.
type Reader struct {
	scan    *scanner
	format  media.Format
	rate    float64
	count   int64
	first   *media.Packet // read by NewReader
	err     error
	unit    unit
	pending []byte // begins the next access unit
	sps     map[uint32]*sps
	pps     map[uint32]pps
	rawSPS  map[uint32][]byte
	rawPPS  map[uint32][]byte
}

// unit is the access unit that is being put together.
type unit struct {
	nals  [][]byte
	size  int
	off   int64
	slice *slice // the last one; nil before the first
}

// NewReader reads up to the end of the first access unit.
func NewReader(r io.Reader) (*Reader, error) {
	scan, err := newScanner(r)
	if err != nil {
		return nil, err
	}
	d := &Reader{
		scan: scan, sps: map[uint32]*sps{}, pps: map[uint32]pps{},
		rawSPS: map[uint32][]byte{}, rawPPS: map[uint32][]byte{},
	}
	if err := d.findSPS(); err != nil {
		return nil, err
	}
	p, err := d.read()
	if errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: h264 file of %d bytes ends before its first picture", media.ErrTruncated, d.scan.off+int64(len(d.scan.buf)))
	}
	if err != nil {
		return nil, err
	}
	d.first = &p
	return d, nil
}

// findSPS passes over the input up to its first SPS and makes the format of it.
func (d *Reader) findSPS() error {
	const within = 4 << 20
	for {
		nal, off, err := d.scan.next()
		if errors.Is(err, io.EOF) || off > within {
			return fmt.Errorf("%w: not an H.264 file: no sequence parameter set in its first %d bytes", media.ErrFormat, min(off, within))
		}
		if err != nil {
			return err
		}
		if nalType(nal) != nalSPS {
			continue
		}
		info, err := Describe(nal)
		if err != nil {
			return fmt.Errorf("at offset %d: %w", off, err)
		}
		d.format = media.Format{
			Kind: media.Video, Codec: media.H264, CodecString: info.CodecString,
			Width: info.Width, Height: info.Height, Colour: info.Colour, Reorders: info.MayReorder,
		}
		if d.rate = info.FrameRate; d.rate == 0 {
			d.rate = DefaultFrameRate
		}
		d.pending = bytes.Clone(nal)
		return nil
	}
}

// Formats implements media.Reader; there is one track.
func (d *Reader) Formats() []media.Format { return []media.Format{d.format} }

// Next implements media.Reader.
func (d *Reader) Next() (media.Packet, error) {
	if d.first != nil {
		p := *d.first
		d.first = nil
		return p, nil
	}
	if d.err != nil {
		return media.Packet{}, d.err
	}
	p, err := d.read()
	d.err = err
	return p, err
}

// read puts the next access unit together.
func (d *Reader) read() (media.Packet, error) {
	d.unit = unit{off: d.scan.off}
	if d.pending != nil {
		nal := d.pending
		d.pending = nil
		if err := d.add(nal); err != nil {
			return media.Packet{}, err
		}
	}
	for {
		nal, _, err := d.scan.next()
		if errors.Is(err, io.EOF) && d.unit.slice != nil {
			return d.finish()
		}
		if err != nil {
			return media.Packet{}, err
		}
		if d.begins(nal) {
			d.pending = bytes.Clone(nal)
			return d.finish()
		}
		if err := d.add(bytes.Clone(nal)); err != nil {
			return media.Packet{}, err
		}
	}
}

// begins reports whether nal is the first of another access unit (section 7.4.1.2.3).
func (d *Reader) begins(nal []byte) bool {
	if d.unit.slice == nil {
		return false
	}
	if isVCL(nal) {
		return d.unit.slice.newPicture(parseSlice(nal, d.pps, d.sps))
	}
	t := nalType(nal)
	return t >= nalSEI && t <= nalAUD || t >= nalPrefix && t <= nalReserved18
}

// add takes nal into the access unit. Broken parameter sets are passed on like any other unit: the
// decoder is the judge of them.
func (d *Reader) add(nal []byte) error {
	d.unit.size += len(nal) + startCodeLength
	if d.unit.size > media.MaxFrameSize || len(d.unit.nals) == maxUnitNALs {
		return fmt.Errorf("%w: h264 access unit at offset %d has over %d bytes or %d NAL units",
			media.ErrTooLarge, d.unit.off, media.MaxFrameSize, maxUnitNALs)
	}
	d.unit.nals = append(d.unit.nals, nal)
	switch nalType(nal) {
	case nalSPS:
		if s, err := parseSPS(nal); err == nil {
			d.sps[s.id], d.rawSPS[s.id] = s, nal
		}
	case nalPPS:
		if p, ok := parsePPS(nal); ok && len(nal) <= maxParameterSize {
			d.pps[p.id], d.rawPPS[p.id] = p, nal
		}
	}
	if isVCL(nal) {
		s := parseSlice(nal, d.pps, d.sps)
		d.unit.slice = &s
	}
	return nil
}

// finish makes the packet of the access unit.
func (d *Reader) finish() (media.Packet, error) {
	key := d.unit.slice.idr
	var known sets
	if key {
		known = sets{sps: inOrder(d.rawSPS), pps: inOrder(d.rawPPS)}
	}
	data, err := accessUnit(d.unit.nals, key, known)
	if err != nil {
		return media.Packet{}, fmt.Errorf("at offset %d: %w", d.unit.off, err)
	}
	from, to := d.time(d.count), d.time(d.count+1)
	d.count++
	return media.Packet{Frame: media.Frame{Timestamp: from, Duration: to - from, Key: key, Data: data}}, nil
}

// time is when frame n is shown, in µs.
func (d *Reader) time(n int64) int64 {
	return int64(math.Round(float64(n) * 1e6 / d.rate))
}

// inOrder gives parameter sets by their number.
func inOrder(nals map[uint32][]byte) [][]byte {
	var out [][]byte
	for _, id := range slices.Sorted(maps.Keys(nals)) {
		out = append(out, nals[id])
	}
	return out
}

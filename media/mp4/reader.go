package mp4

import (
	"errors"
	"fmt"
	"io"

	"landline/media"
)

// peekMoofs is how many fragments are looked at for frames out of order before any is read.
const peekMoofs = 64

// Reader gives the packets of a file in the order of their decoding times. Timestamps are those of
// composition after the edit list; if the first frame of a track would come before zero (audio that
// a decoder is to drop), all tracks move so that it does not.
//
// Format.Reorders is set when the composition times of the frames are not in order, and the SPS of
// H.264 does not rule that out; in a fragmented file the first 64 fragments decide. A file that was cut
// short gives every packet that is whole, and then the error.
type Reader struct {
	file       file
	formats    []media.Format
	tracks     map[uint32]*track
	fragmented bool
	shift      int64 // µs that all timestamps are moved by
	lanes      []*lane
	cut        error // of the first sample that is not whole
	err        error
}

// lane is a run of samples of one track, in order.
type lane struct {
	t   *track
	src interface {
		next() (sample, bool, error)
	}
	head     sample
	dts, pts int64 // µs, of head
}

var _ media.Reader = (*Reader)(nil)

// NewReader reads the index of a file of size bytes.
func NewReader(r io.ReaderAt, size int64) (*Reader, error) {
	d := &Reader{file: file{r: r, size: size}, tracks: map[uint32]*track{}}
	b, err := d.file.findMoov()
	if err != nil {
		return nil, err
	}
	m, err := parseMoov(b)
	if err != nil {
		return nil, err
	}
	d.fragmented = m.fragmented
	for i, t := range m.tracks {
		if d.tracks[t.id] != nil {
			return nil, b.fail(media.ErrFormat, "two tracks with number %d", t.id)
		}
		d.tracks[t.id], t.index = t, i
		t.look()
	}
	if m.fragmented {
		d.peek()
	}
	for _, t := range m.tracks {
		t.format.Reorders = t.format.Kind == media.Video && t.order.backwards && !t.inOrder
		d.formats = append(d.formats, t.format)
		if at, ok := t.time(t.order.first); t.order.seen > 0 && ok {
			d.shift = max(d.shift, -at)
		}
		table := t.table
		d.open(&lane{t: t, src: &table})
	}
	return d, nil
}

// look goes once through the sample table, which says whether frames are out of order and where the
// first fragment goes on. What is broken in it shows when it is read.
func (t *track) look() {
	table := t.table
	for {
		v, ok, err := table.next()
		if !ok || err != nil {
			t.ends = table.dts
			return
		}
		t.order.add(v.cts)
	}
}

// peek does likewise with the first fragments.
func (d *Reader) peek() {
	ends := map[*track]int64{}
	for _, t := range d.tracks {
		ends[t] = t.ends
	}
	f := d.file
	for range peekMoofs {
		b, err := f.find("moof", maxMoof, func(string) {})
		if err != nil {
			break
		}
		fragments, err := parseMoof(b, d.tracks)
		if err != nil {
			break
		}
		for _, g := range fragments {
			for v, ok, _ := g.next(); ok; v, ok, _ = g.next() {
				g.t.order.add(v.cts)
			}
		}
	}
	for t, at := range ends {
		t.ends = at
	}
}

// Formats implements media.Reader.
func (d *Reader) Formats() []media.Format { return d.formats }

// Next implements media.Reader.
func (d *Reader) Next() (media.Packet, error) {
	for d.err == nil {
		l := d.first()
		if l == nil {
			d.err = d.nextMoof()
			continue
		}
		p, err := d.packet(l)
		d.advance(l)
		switch {
		case errors.Is(err, media.ErrTruncated):
			if d.cut == nil {
				d.cut = err
			}
		case err != nil:
			d.err = err
		case len(p.Data) > 0:
			return p, nil
		}
	}
	return media.Packet{}, d.err
}

// first is the lane whose sample is to be decoded first.
func (d *Reader) first() *lane {
	var best *lane
	for _, l := range d.lanes {
		if best == nil || l.dts < best.dts {
			best = l
		}
	}
	return best
}

// open adds a lane unless it is empty.
func (d *Reader) open(l *lane) {
	d.lanes = append(d.lanes, l)
	d.advance(l)
}

// advance brings a lane to its next sample, and closes it after the last.
func (d *Reader) advance(l *lane) {
	v, ok, err := l.src.next()
	if ok {
		var inTime, inTime2 bool
		l.head = v
		l.dts, inTime = l.t.time(v.dts)
		l.pts, inTime2 = l.t.time(v.cts)
		if inTime && inTime2 {
			return
		}
		err = fmt.Errorf("%w: MP4 sample %d of track %d at time %d, past all bounds", media.ErrFormat, v.number, l.t.id, v.cts)
	}
	if err != nil && d.err == nil {
		d.err = err
	}
	for i := range d.lanes {
		if d.lanes[i] == l {
			d.lanes = append(d.lanes[:i], d.lanes[i+1:]...)
			return
		}
	}
}

// nextMoof opens the lanes of the next fragment.
func (d *Reader) nextMoof() error {
	if !d.fragmented {
		return d.end(io.EOF)
	}
	b, err := d.file.find("moof", maxMoof, func(string) {})
	if err != nil {
		return d.end(err)
	}
	fragments, err := parseMoof(b, d.tracks)
	if err != nil {
		return d.end(err)
	}
	for _, g := range fragments {
		d.open(&lane{t: g.t, src: g})
	}
	return nil
}

// end prefers the error of a sample that was cut off to the end of the file that follows from it.
func (d *Reader) end(err error) error {
	if d.cut != nil {
		return d.cut
	}
	return err
}

// packet reads the sample at the head of a lane.
func (d *Reader) packet(l *lane) (media.Packet, error) {
	v := l.head
	where := func() string { return fmt.Sprintf("MP4 sample %d of track %d at offset %d", v.number, l.t.id, v.off) }
	switch {
	case v.size > media.MaxFrameSize:
		return media.Packet{}, fmt.Errorf("%w: %s has %d bytes, at most %d are read",
			media.ErrTooLarge, where(), v.size, media.MaxFrameSize)
	case v.off < 0:
		return media.Packet{}, fmt.Errorf("%w: %s", media.ErrFormat, where())
	case v.off > d.file.size-int64(v.size) && d.cut != nil:
		return media.Packet{}, d.cut // millions may follow, which need no text of their own
	case v.off > d.file.size-int64(v.size):
		return media.Packet{}, fmt.Errorf("%w: %s has %d bytes, the file ends at %d", media.ErrTruncated, where(), v.size, d.file.size)
	}
	data := make([]byte, v.size)
	if err := d.file.read(data, v.off); err != nil {
		return media.Packet{}, err
	}
	key := v.key || l.t.format.Kind == media.Audio
	if l.t.convert != nil && len(data) > 0 {
		var err error
		if data, key, err = l.t.convert(data, key); err != nil {
			return media.Packet{}, fmt.Errorf("%s: %w", where(), err)
		}
	}
	if len(data) > media.MaxFrameSize {
		return media.Packet{}, fmt.Errorf("%w: %s has %d bytes with its headers, at most %d are read",
			media.ErrTooLarge, where(), len(data), media.MaxFrameSize)
	}
	duration, _ := micros(int64(v.duration), l.t.scale)
	frame := media.Frame{Timestamp: l.pts + d.shift, Duration: duration, Key: key, Data: data}
	return media.Packet{Track: l.t.index, Frame: frame}, nil
}

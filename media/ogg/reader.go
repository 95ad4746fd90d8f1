package ogg

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"landline/media"
)

// maxTracks bounds the logical streams of a file.
const maxTracks = 64

// Reader gives the packets of the Opus tracks of an Ogg file. Times are the sum of the durations of
// the packets before, from 0: the pre-skip is in the OpusHead, and granule positions are not used.
//
// A page is read whole or not at all, for its CRC covers all of it. A page that is missing in the
// file leaves no hole in time. A second chain is ErrUnsupported, after all packets of the first.
type Reader struct {
	pages   pages
	formats []media.Format
	tracks  map[uint32]*track
	page    *page // its body is being given away
	on      *track
	err     error
}

// track is a logical stream that is read.
type track struct {
	index  int
	packet []byte // begun, and not yet ended
	open   bool
	number uint32 // of the page that comes next
	count  int    // packets seen
	at     int64  // µs
}

var (
	_ media.Reader = (*Reader)(nil)
	_ media.Writer = (*Writer)(nil)
)

// NewReader reads the first page of each track: they come before all others.
func NewReader(r io.Reader) (*Reader, error) {
	d := &Reader{pages: pages{r: r}, tracks: map[uint32]*track{}}
	for {
		p, err := d.pages.next()
		switch {
		case errors.Is(err, io.EOF) && p.off == 0:
			return nil, fmt.Errorf("%w: not an Ogg file: it is empty", media.ErrFormat)
		case errors.Is(err, media.ErrFormat) && p.off == 0:
			return nil, fmt.Errorf("not an Ogg file: %w", err)
		case errors.Is(err, io.EOF):
			d.err = err
			return d, nil
		case err != nil:
			return nil, err
		case p.flags&flagFirst == 0 && p.off == 0:
			return nil, fmt.Errorf("%w: Ogg file begins in the middle of a track", media.ErrFormat)
		case p.flags&flagFirst == 0:
			d.enter(p)
			return d, nil
		}
		if err := d.addTrack(p); err != nil {
			return nil, fmt.Errorf("at the Ogg page at offset %d: %w", p.off, err)
		}
	}
}

// magics are the beginnings of the first packets of a track, by codec.
var magics = []struct {
	magic string
	codec media.Codec
	kind  media.Kind
}{
	{"OpusHead", media.Opus, media.Audio},
	{"\x01vorbis", "vorbis", media.Audio},
	{"\x7fFLAC", "flac", media.Audio},
	{"fLaC", "flac", media.Audio},
	{"Speex   ", "speex", media.Audio},
	{"\x80theora", "theora", media.Video},
	{"BBCD\x00", "dirac", media.Video},
}

// skeleton begins a track that describes the others and has no media.
const skeleton = "fishead\x00"

// addTrack takes the first page of a track.
func (d *Reader) addTrack(p page) error {
	if bytes.HasPrefix(p.body, []byte(skeleton)) {
		return nil
	}
	if len(d.formats) == maxTracks {
		return fmt.Errorf("%w: over %d tracks", media.ErrTooLarge, maxTracks)
	}
	if d.tracks[p.serial] != nil {
		return fmt.Errorf("%w: second track with serial number %08x", media.ErrFormat, p.serial)
	}
	f := media.Format{Kind: media.Audio, Codec: "unknown"}
	for _, m := range magics {
		if bytes.HasPrefix(p.body, []byte(m.magic)) {
			f.Codec, f.Kind = m.codec, m.kind
		}
	}
	if f.Codec == media.Opus {
		head, err := media.ParseOpusHead(p.body)
		if err != nil {
			return err
		}
		f.CodecString, f.Config = "opus", head.Marshal()
		f.SampleRate, f.Channels = media.OpusRate, head.Channels
		d.tracks[p.serial] = &track{index: len(d.formats), number: p.number + 1, count: 1}
	}
	d.formats = append(d.formats, f)
	return nil
}

// Formats implements media.Reader: all tracks in the order of their first pages. Those whose Codec is
// not Opus have no packets.
func (d *Reader) Formats() []media.Format { return d.formats }

// Next implements media.Reader.
func (d *Reader) Next() (media.Packet, error) {
	for {
		if d.page != nil {
			p, ok, err := d.fromPage()
			if ok {
				return p, nil
			}
			d.page = nil
			if err != nil {
				d.err = err
			}
		}
		if d.err == nil && len(d.tracks) == 0 {
			d.err = fmt.Errorf("%w: Ogg file without an Opus track", media.ErrUnsupported)
		}
		if d.err != nil {
			return media.Packet{}, d.err
		}
		p, err := d.pages.next()
		switch {
		case errors.Is(err, io.EOF):
			d.err = d.end()
		case err != nil:
			d.err = err
		case p.flags&flagFirst != 0:
			d.err = fmt.Errorf("%w: chained Ogg file: another chain begins at offset %d", media.ErrUnsupported, p.off)
		default:
			d.enter(p)
		}
	}
}

// end is what comes after the last page.
func (d *Reader) end() error {
	for serial, t := range d.tracks {
		if t.open {
			return fmt.Errorf("%w: Ogg file ends inside a packet of track %08x", media.ErrTruncated, serial)
		}
	}
	return io.EOF
}

// enter makes p the page whose packets come next, unless it is of a track that is not read.
func (d *Reader) enter(p page) {
	t := d.tracks[p.serial]
	if t == nil {
		return
	}
	if t.open && (p.flags&flagContinued == 0 || p.number != t.number) {
		t.packet, t.open = nil, false // its end is missing
	}
	if p.flags&flagContinued != 0 && !t.open {
		for len(p.table) > 0 { // its beginning is missing
			size := p.table[0]
			p.table, p.body = p.table[1:], p.body[size:]
			if size < maxSegment {
				break
			}
		}
	}
	t.number = p.number + 1
	d.page, d.on = &p, t
}

// fromPage gives the next packet that ends on the page; ok is false if there is none.
func (d *Reader) fromPage() (out media.Packet, ok bool, err error) {
	p, t := d.page, d.on
	for len(p.table) > 0 {
		size := int(p.table[0])
		t.packet, t.open = append(t.packet, p.body[:size]...), true
		p.table, p.body = p.table[1:], p.body[size:]
		if t.count == 1 { // comments may be long, with a picture among them
			t.packet = t.packet[:min(len(t.packet), len(tagsMagic))]
		}
		if len(t.packet) > media.MaxFrameSize {
			return out, false, fmt.Errorf("%w: Opus packet on the Ogg page at offset %d has over %d bytes", media.ErrTooLarge, p.off, media.MaxFrameSize)
		}
		if size == maxSegment {
			continue
		}
		data := t.packet
		t.packet, t.open = nil, false
		t.count++
		if t.count == 2 {
			if !bytes.HasPrefix(data, []byte(tagsMagic)) {
				return out, false, fmt.Errorf("%w: Ogg page at offset %d: second packet of the track is no OpusTags", media.ErrFormat, p.off)
			}
			continue
		}
		us, err := media.OpusDuration(data)
		if err != nil {
			return out, false, fmt.Errorf("packet %d of its track, on the Ogg page at offset %d: %w", t.count, p.off, err)
		}
		frame := media.Frame{Timestamp: t.at, Duration: us, Key: true, Data: data}
		t.at += us
		return media.Packet{Track: t.index, Frame: frame}, true, nil
	}
	return out, false, nil
}

package ogg

import (
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"

	"landline/media"
)

const (
	tagsMagic = "OpusTags"
	vendor    = "Landline"
	// pageTime is how many µs of packets go on a page: what is lost at most when the writer dies.
	pageTime = 500_000
)

// Writer makes an Ogg Opus file. The granule positions follow the durations of the packets, not their
// timestamps, for that is what a player goes by: a hole in time is closed up.
type Writer struct {
	w       io.Writer
	serial  uint32
	number  uint32 // of the next page
	samples int64  // written, the page that is being filled included
	table   []byte
	body    []byte
	time    int64 // µs on the page
	out     []byte
}

// NewWriter writes the headers of a file with one track. Without a Config the stream is
// taken to come from libopus.
func NewWriter(w io.Writer, f media.Format) (*Writer, error) {
	if f.Codec != media.Opus {
		return nil, fmt.Errorf("%w: Ogg is written for Opus only, not for %q", media.ErrUnsupported, f.Codec)
	}
	head, err := media.OpusHeadOf(f.Config, f.Channels)
	if err != nil {
		return nil, err
	}
	d := &Writer{w: w, serial: rand.Uint32()}
	tags := binary.LittleEndian.AppendUint32([]byte(tagsMagic), uint32(len(vendor)))
	tags = append(append(tags, vendor...), 0, 0, 0, 0)
	for i, packet := range [][]byte{head.Marshal(), tags} {
		d.lace(packet)
		flags := byte(0)
		if i == 0 {
			flags = flagFirst
		}
		if err := d.flush(flags); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// Write implements media.Writer.
func (d *Writer) Write(p media.Packet) error {
	if p.Track != 0 {
		return fmt.Errorf("%w: packet of track %d in an Ogg file with one", media.ErrFormat, p.Track)
	}
	us, err := media.OpusDuration(p.Data)
	if err != nil {
		return err
	}
	segments := len(p.Data)/maxSegment + 1
	if segments > maxSegments {
		return fmt.Errorf("%w: Opus packet of %d bytes, an Ogg page has room for %d", media.ErrTooLarge, len(p.Data), maxSegments*maxSegment-1)
	}
	if d.time >= pageTime || len(d.table)+segments > maxSegments {
		if err := d.flush(0); err != nil {
			return err
		}
	}
	d.lace(p.Data)
	d.time += us
	d.samples += us * media.OpusRate / 1_000_000
	return nil
}

// Close implements media.Writer: it writes the last page.
func (d *Writer) Close() error { return d.flush(flagLast) }

// lace puts a packet on the page.
func (d *Writer) lace(packet []byte) {
	for n := len(packet); ; n -= maxSegment {
		d.table = append(d.table, byte(min(n, maxSegment)))
		if n < maxSegment {
			break
		}
	}
	d.body = append(d.body, packet...)
}

// flush writes the page.
func (d *Writer) flush(flags byte) error {
	d.out = appendPage(d.out[:0], flags, d.samples, d.serial, d.number, d.table, d.body)
	d.number++
	d.table, d.body, d.time = d.table[:0], d.body[:0], 0
	if _, err := d.w.Write(d.out); err != nil {
		return fmt.Errorf("write Ogg page %d: %w", d.number-1, err)
	}
	return nil
}

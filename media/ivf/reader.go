package ivf

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"landline/media"
	"landline/media/av1"
	"landline/media/vpx"
)

// Reader reads an IVF file.
type Reader struct {
	r        io.Reader
	off      int64
	format   media.Format
	unit     unit
	sequence []byte        // AV1: the last sequence header
	first    *media.Packet // read by NewReader
	err      error
}

var (
	_ media.Reader = (*Reader)(nil)
	_ media.Writer = (*Writer)(nil)
)

// NewReader reads the header and the first frame, which describes itself better than the header does.
func NewReader(r io.Reader) (*Reader, error) {
	d := &Reader{r: r}
	head, err := d.take(headerSize, "its header")
	if errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: not an IVF file: it is empty", media.ErrFormat)
	}
	if err != nil && len(head) >= len(magic) && string(head[:len(magic)]) != magic {
		return nil, fmt.Errorf("%w: not an IVF file: it begins with %q, not with %q", media.ErrFormat, head[:len(magic)], magic)
	}
	if err != nil {
		return nil, err
	}
	var extra int
	if d.format, d.unit, extra, err = parseHeader(head); err != nil {
		return nil, err
	}
	if _, err := d.take(extra, "its header"); err != nil && extra > 0 {
		return nil, noEOF(err, d.off)
	}
	p, pic, err := d.read()
	if err != nil {
		return nil, noEOF(err, d.off)
	}
	d.describe(pic)
	d.first = &p
	return d, nil
}

// noEOF turns the end of the input into an error.
func noEOF(err error, off int64) error {
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: IVF file ends at offset %d, before its first frame", media.ErrTruncated, off)
	}
	return err
}

// describe completes the format. A file whose first frame is no key frame leaves the codec string
// to a common profile.
func (d *Reader) describe(p picture) {
	if p.width > 0 && p.height > 0 {
		d.format.Width, d.format.Height = p.width, p.height
	}
	d.format.Colour = p.colour
	d.format.CodecString = p.codecString
	if p.codecString != "" {
		return
	}
	switch d.format.Codec {
	case media.VP9:
		d.format.CodecString = vpx.VP9String(0, vpx.VP9Level(d.format.Width, d.format.Height), 8)
	case media.AV1:
		d.format.CodecString = "av01.0.08M.08"
	}
}

// Formats implements media.Reader; there is one track.
func (d *Reader) Formats() []media.Format { return []media.Format{d.format} }

// Next implements media.Reader. Durations are not known.
func (d *Reader) Next() (media.Packet, error) {
	if d.first != nil {
		p := *d.first
		d.first = nil
		return p, nil
	}
	if d.err != nil {
		return media.Packet{}, d.err
	}
	p, _, err := d.read()
	d.err = err
	return p, err
}

func (d *Reader) read() (media.Packet, picture, error) {
	at := d.off
	head, err := d.take(frameHeaderSize, "the header of the frame at offset "+fmt.Sprint(at))
	if err != nil {
		return media.Packet{}, picture{}, err
	}
	size := binary.LittleEndian.Uint32(head)
	if size > media.MaxFrameSize {
		return media.Packet{}, picture{}, fmt.Errorf("%w: IVF frame at offset %d claims %d bytes, at most %d are read",
			media.ErrTooLarge, at, size, media.MaxFrameSize)
	}
	us, ok := d.unit.micros(binary.LittleEndian.Uint64(head[4:]))
	if !ok {
		return media.Packet{}, picture{}, fmt.Errorf("%w: IVF frame at offset %d has time %d, past all bounds",
			media.ErrFormat, at, binary.LittleEndian.Uint64(head[4:]))
	}
	data, err := d.take(int(size), "the frame at offset "+fmt.Sprint(at))
	if errors.Is(err, io.EOF) {
		err = fmt.Errorf("%w: IVF file ends inside the frame at offset %d", media.ErrTruncated, at)
	}
	if err != nil {
		return media.Packet{}, picture{}, err
	}
	data, pic, err := d.look(data)
	if err != nil {
		return media.Packet{}, picture{}, fmt.Errorf("IVF frame at offset %d: %w", at, err)
	}
	return media.Packet{Frame: media.Frame{Timestamp: us, Key: pic.key, Data: data}}, pic, nil
}

// look brings a payload into the form of media and says what it is.
func (d *Reader) look(data []byte) ([]byte, picture, error) {
	switch d.format.Codec {
	case media.VP8:
		p, err := vpxPicture(vpx.ParseVP8(data))
		return data, p, err
	case media.VP9:
		p, err := vpxPicture(vpx.ParseVP9(data))
		return data, p, err
	}
	unit, sequence, err := av1.TemporalUnit(data)
	if err != nil {
		return nil, picture{}, err
	}
	if len(unit) == 0 {
		return nil, picture{}, fmt.Errorf("%w: AV1 temporal unit without an OBU", media.ErrFormat)
	}
	p, err := av1Picture(unit, sequence)
	if err != nil {
		return nil, picture{}, err
	}
	if sequence != nil {
		d.sequence = bytes.Clone(sequence)
	}
	if p.key = p.key && d.sequence != nil; p.key && sequence == nil {
		unit = bytes.Join([][]byte{d.sequence, unit}, nil)
	}
	if len(unit) > media.MaxFrameSize {
		return nil, picture{}, fmt.Errorf("%w: %d bytes with its sequence header, at most %d are read", media.ErrTooLarge, len(unit), media.MaxFrameSize)
	}
	return unit, p, nil
}

// take reads n bytes. It gives io.EOF if there is none at all, and what there is with ErrTruncated if
// there are fewer. Memory grows with the bytes that come, not with n.
func (d *Reader) take(n int, what string) ([]byte, error) {
	var b bytes.Buffer
	got, err := io.CopyN(&b, d.r, int64(n))
	d.off += got
	if errors.Is(err, io.EOF) && got > 0 {
		err = fmt.Errorf("%w: IVF file ends at offset %d, inside %s", media.ErrTruncated, d.off, what)
	}
	return b.Bytes(), err
}

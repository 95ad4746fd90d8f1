package ivf

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"

	"landline/media"
)

// Writer makes an IVF file with times in µs. The header waits for the first frame, which gives the
// size of the picture if the format does not. Close fills in the length if the file can seek.
type Writer struct {
	w      io.Writer
	start  int64 // of the file in w; -1 if w cannot seek
	format media.Format
	count  int
	from   int64
	to     int64 // the last frame's time
	out    []byte
}

// temporalDelimiter is the OBU that begins each AV1 temporal unit in a file.
var temporalDelimiter = []byte{0x12, 0}

// NewWriter makes a Writer of one track. It writes nothing yet.
func NewWriter(w io.Writer, f media.Format) (*Writer, error) {
	if fourCC[f.Codec] == "" {
		return nil, fmt.Errorf("%w: an IVF file cannot hold %q", media.ErrUnsupported, f.Codec)
	}
	d := &Writer{w: w, format: f, start: -1}
	if s, ok := w.(io.Seeker); ok {
		if at, err := s.Seek(0, io.SeekCurrent); err == nil {
			d.start = at
		}
	}
	return d, nil
}

// Write implements media.Writer.
func (d *Writer) Write(p media.Packet) error {
	switch {
	case p.Track != 0:
		return fmt.Errorf("%w: frame of track %d in an IVF file, which has one", media.ErrFormat, p.Track)
	case p.Timestamp < 0:
		return fmt.Errorf("%w: IVF frame %d at %d µs, before zero", media.ErrFormat, d.count, p.Timestamp)
	}
	var prefix []byte
	if d.format.Codec == media.AV1 {
		prefix = temporalDelimiter
	}
	if size := len(prefix) + len(p.Data); size > media.MaxFrameSize {
		return fmt.Errorf("%w: IVF frame %d of %d bytes, at most %d are written", media.ErrTooLarge, d.count, size, media.MaxFrameSize)
	}
	d.out = d.out[:0]
	if d.count == 0 {
		d.from = p.Timestamp
		d.header(p)
	}
	d.to = p.Timestamp
	d.out = binary.LittleEndian.AppendUint32(d.out, uint32(len(prefix)+len(p.Data)))
	d.out = binary.LittleEndian.AppendUint64(d.out, uint64(p.Timestamp))
	d.out = append(append(d.out, prefix...), p.Data...)
	if _, err := d.w.Write(d.out); err != nil {
		return fmt.Errorf("write IVF frame %d: %w", d.count, err)
	}
	d.count++
	return nil
}

// header puts the file header before the first frame.
func (d *Writer) header(first media.Packet) {
	width, height := d.format.Width, d.format.Height
	if width == 0 || height == 0 {
		look := Reader{format: d.format}
		if _, pic, err := look.look(first.Data); err == nil {
			width, height = pic.width, pic.height
		}
	}
	d.out = appendHeader(d.out, d.format, min(width, math.MaxUint16), min(height, math.MaxUint16))
}

// Close implements media.Writer. It states the length as ffmpeg does, in units of time, the last
// frame taken to be as long as the mean of the others; but for lengths over the 71 minutes that the
// field has room for.
func (d *Writer) Close() error {
	if d.count == 0 {
		d.header(media.Packet{})
		_, err := d.w.Write(d.out)
		return err
	}
	length := d.to - d.from
	if others := int64(d.count - 1); others > 0 {
		length += length / others
	}
	s, ok := d.w.(io.Seeker)
	if !ok || d.start < 0 || length < 0 || length > math.MaxUint32 {
		return nil
	}
	if _, err := s.Seek(d.start+lengthOffset, io.SeekStart); err != nil {
		return fmt.Errorf("complete IVF header: %w", err)
	}
	if _, err := d.w.Write(binary.LittleEndian.AppendUint32(nil, uint32(length))); err != nil {
		return fmt.Errorf("complete IVF header: %w", err)
	}
	if _, err := s.Seek(0, io.SeekEnd); err != nil {
		return fmt.Errorf("complete IVF header: %w", err)
	}
	return nil
}

package h264

import (
	"bytes"
	"fmt"
	"io"

	"landline/media"
)

// Writer makes a raw Annex B file: it writes the frames one after the other. Their times are lost.
type Writer struct {
	w     io.Writer
	count int
}

var _ media.Writer = (*Writer)(nil)
var _ media.Reader = (*Reader)(nil)

// NewWriter makes a Writer of one track.
func NewWriter(w io.Writer, f media.Format) (*Writer, error) {
	if f.Codec != media.H264 {
		return nil, fmt.Errorf("%w: a .h264 file cannot hold %q", media.ErrUnsupported, f.Codec)
	}
	return &Writer{w: w}, nil
}

// Write implements media.Writer.
func (d *Writer) Write(p media.Packet) error {
	if p.Track != 0 {
		return fmt.Errorf("%w: frame of track %d in a .h264 file, which has one", media.ErrFormat, p.Track)
	}
	if !bytes.HasPrefix(p.Data, startCode) && !bytes.HasPrefix(p.Data, shortStartCode) {
		return fmt.Errorf("%w: h264 frame %d does not begin with a start code", media.ErrFormat, d.count)
	}
	if _, err := d.w.Write(p.Data); err != nil {
		return fmt.Errorf("write h264 frame %d: %w", d.count, err)
	}
	d.count++
	return nil
}

// Close implements media.Writer; there is nothing to complete.
func (d *Writer) Close() error { return nil }

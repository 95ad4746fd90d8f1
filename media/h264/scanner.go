package h264

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"landline/media"
)

// scanner cuts an Annex B byte stream into NAL units.
type scanner struct {
	r    io.Reader
	buf  []byte // what was read and not yet given away; starts behind a start code
	used int    // bytes of buf that the last NAL unit and the start code after it took
	off  int64  // of buf in the input
	err  error  // of r
}

const readSize = 32 << 10

// newScanner passes over the first start code, which must begin the input but for zero bytes.
func newScanner(r io.Reader) (*scanner, error) {
	s := &scanner{r: r}
	const maxLeadingZeros = 1 << 10
	for s.err == nil && len(s.buf) < maxLeadingZeros {
		s.fill()
		if rest := bytes.TrimLeft(s.buf, "\x00"); len(rest) > 0 {
			zeros := len(s.buf) - len(rest)
			if rest[0] != 1 || zeros < len(shortStartCode)-1 {
				break
			}
			s.used = zeros + 1
			return s, nil
		}
	}
	if s.err != nil && !errors.Is(s.err, io.EOF) {
		return nil, s.err
	}
	if len(s.buf) == 0 {
		return nil, fmt.Errorf("%w: not an H.264 file: it is empty", media.ErrFormat)
	}
	return nil, fmt.Errorf("%w: not an H.264 file: it does not begin with a start code (00 00 01)", media.ErrFormat)
}

// next gives the next NAL unit that is not empty, and its offset. It is valid until the next call.
func (s *scanner) next() ([]byte, int64, error) {
	for {
		s.buf, s.off, s.used = s.buf[s.used:], s.off+int64(s.used), 0
		nal, err := s.unit()
		if err != nil || len(nal) > 0 {
			return nal, s.off, err
		}
	}
}

// unit reads until the next start code or the end of the input.
func (s *scanner) unit() ([]byte, error) {
	searched := 0
	for {
		if i := bytes.Index(s.buf[searched:], shortStartCode); i >= 0 {
			s.used = searched + i + len(shortStartCode)
			return bytes.TrimRight(s.buf[:searched+i], "\x00"), nil
		}
		searched = max(0, len(s.buf)-len(shortStartCode)+1)
		if len(s.buf) > media.MaxFrameSize {
			return nil, fmt.Errorf("%w: h264 NAL unit at offset %d has over %d bytes", media.ErrTooLarge, s.off, media.MaxFrameSize)
		}
		if s.err == nil {
			s.fill()
			continue
		}
		if !errors.Is(s.err, io.EOF) {
			return nil, s.err
		}
		s.used = len(s.buf)
		if nal := bytes.TrimRight(s.buf, "\x00"); len(nal) > 0 {
			return nal, nil
		}
		return nil, io.EOF
	}
}

// fill appends what one read gives to buf.
func (s *scanner) fill() {
	buf := s.buf
	if cap(buf)-len(buf) < readSize {
		buf = make([]byte, len(s.buf), 2*len(s.buf)+2*readSize)
		copy(buf, s.buf)
	}
	n, err := s.r.Read(buf[len(buf) : len(buf)+readSize])
	s.buf, s.err = buf[:len(buf)+n], err
}

package webm

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"landline/media"
)

// source reads the input forward and knows its offset. It never holds or allocates more than has arrived.
type source struct {
	r       *bufio.Reader
	at      int64
	scratch []byte // gathers what does not fit into r's buffer
}

const sourceBuffer = 64 << 10

func newSource(r io.Reader) *source {
	return &source{r: bufio.NewReaderSize(r, sourceBuffer)}
}

// broken names an error of the input that was met inside the element what.
func (s *source) broken(err error, what string) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fail(media.ErrTruncated, what, s.at, "the input ends inside it")
	}
	return fmt.Errorf("%s at byte %d: %w", what, s.at, err)
}

// header reads an element's header inside parent, which ends at the offset end, or at the end of the
// input if end is unknownSize. It returns a bare io.EOF if the input ends before the header.
func (s *source) header(parent string, end int64) (element, error) {
	e, err := s.peekHeader(parent)
	if err != nil {
		return element{}, err
	}
	if end != unknownSize && (e.data > end || e.end() > end) {
		return element{}, fail(media.ErrFormat, name(e.id), e.at, "%d bytes reach past the end of %s at byte %d", e.size, parent, end)
	}
	s.drop(e)
	return e, nil
}

// peekHeader parses the next header and leaves it unread.
func (s *source) peekHeader(parent string) (element, error) {
	for need := 1; ; {
		b, err := s.r.Peek(need)
		if err == io.EOF && len(b) == 0 {
			return element{}, io.EOF
		}
		if err != nil {
			return element{}, s.broken(err, parent)
		}
		id, size, n, err := header(b)
		switch {
		case n > len(b):
			need = n
		case err != nil:
			return element{}, fail(media.ErrFormat, parent, s.at, "%v", err)
		default:
			return element{id: id, size: size, at: s.at, data: s.at + int64(n)}, nil
		}
	}
}

// drop passes over the header that peekHeader saw; those bytes are in the buffer.
func (s *source) drop(e element) {
	n, _ := s.r.Discard(int(e.data - e.at))
	s.at += int64(n)
}

// skip passes over n bytes of the element what.
func (s *source) skip(n int64, what string) error {
	for n > 0 {
		k, err := s.r.Discard(int(min(n, 1<<30)))
		s.at += int64(k)
		n -= int64(k)
		if err != nil {
			return s.broken(err, what)
		}
	}
	return nil
}

// peek returns the next n bytes, n at most sourceBuffer, unread.
func (s *source) peek(n int, what string) ([]byte, error) {
	b, err := s.r.Peek(n)
	if err != nil {
		return nil, s.broken(err, what)
	}
	return b, nil
}

// read returns the next n bytes of the element what in a new slice, after prefix.
func (s *source) read(n int, prefix []byte, what string) ([]byte, error) {
	if n <= sourceBuffer {
		b, err := s.r.Peek(n)
		if err != nil {
			s.at += int64(len(b))
			return nil, s.broken(err, what)
		}
		out := make([]byte, len(prefix)+n)
		copy(out[copy(out, prefix):], b)
		return out, s.skip(int64(n), what)
	}
	got := 0
	for got < n {
		if got == len(s.scratch) {
			s.scratch = append(s.scratch, make([]byte, max(sourceBuffer, got))...)
		}
		k, err := io.ReadFull(s.r, s.scratch[got:min(n, len(s.scratch))])
		got += k
		s.at += int64(k)
		if err != nil {
			return nil, s.broken(err, what)
		}
	}
	out := make([]byte, len(prefix)+n)
	copy(out[copy(out, prefix):], s.scratch[:n])
	return out, nil
}

// readMaster reads a whole master element of at most limit bytes.
func (s *source) readMaster(e element, limit int64) ([]byte, error) {
	if e.size == unknownSize {
		return nil, fail(media.ErrFormat, name(e.id), e.at, "its size is unknown, which only a Segment or a Cluster may be")
	}
	if e.size > limit {
		return nil, fail(media.ErrTooLarge, name(e.id), e.at, "%d bytes, at most %d are read", e.size, limit)
	}
	return s.read(int(e.size), nil, name(e.id))
}
